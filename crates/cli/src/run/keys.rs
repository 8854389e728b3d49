//! Keys and signals: what an operator has at hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;

use super::View;
use crate::term::{SingleKeys, Terminal};

/// How often the reader of keys looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);

/// A key with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Char(char),
    Interrupt,
}

/// Keys as they are pressed; none at all without a terminal.
#[derive(Debug)]
pub(crate) struct Keys {
    pressed: Option<mpsc::Receiver<Key>>,
    stop: Arc<AtomicBool>,
    /// Gives the terminal back when the job is over.
    _single: Option<SingleKeys>,
}

impl Keys {
    pub(crate) fn listen(view: &View, terminal: &Terminal) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        if !terminal.has_keys() || !view.is_for_people() {
            return Ok(Self {
                pressed: None,
                stop,
                _single: None,
            });
        }
        let single = SingleKeys::enter()?;
        let (sender, pressed) = mpsc::channel(16);
        let stopped = Arc::clone(&stop);
        thread::Builder::new()
            .name("keys".to_owned())
            .spawn(move || read(&sender, &stopped))?;
        Ok(Self {
            pressed: Some(pressed),
            stop,
            _single: Some(single),
        })
    }

    pub(crate) fn are_there(&self) -> bool {
        self.pressed.is_some()
    }

    /// The next key. Cancel safe; never ready without a terminal.
    pub(crate) async fn next(&mut self) -> Key {
        if let Some(pressed) = &mut self.pressed {
            if let Some(key) = pressed.recv().await {
                return key;
            }
            self.pressed = None;
        }
        std::future::pending().await
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn read(keys: &mpsc::Sender<Key>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let key = match event::poll(LOOK) {
            Ok(false) => continue,
            Ok(true) => event::read().ok().and_then(|event| meaning(&event)),
            // The terminal is gone; the signal that says so comes another way.
            Err(_) => return,
        };
        if let Some(key) = key
            && keys.blocking_send(key).is_err()
        {
            return;
        }
    }
}

fn meaning(event: &Event) -> Option<Key> {
    let Event::Key(key) = event else { return None };
    if key.kind == KeyEventKind::Release {
        return None;
    }
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(Key::Interrupt),
        KeyCode::Char(letter) => Some(Key::Char(letter.to_ascii_lowercase())),
        _ => None,
    }
}

/// What the system may say to this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C without a terminal in single-key mode, or `kill -INT`.
    Interrupt,
    /// Somebody wants this process to end, or its terminal is gone.
    Terminate,
}

/// Signals as they come.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hang_up: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The next signal. Cancel safe.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.hang_up.recv() => Signal::Terminate,
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// The next signal. Cancel safe.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}
