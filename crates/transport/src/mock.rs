//! A machine that follows a script and insists on it.
//!
//! A [`Script`] says what the host must send and what the machine answers, in order. The link made of it fails the test, with a
//! picture of where the two parted, when the host sends anything else or when the script was not played to its end.
//!
//! ```
//! use bytes::BytesMut;
//! use feedhold_transport::{Link, mock::Script};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut link = Script::new().expect("$I\n").reply("[VER:1.1h.20190830:]\r\nok\r\n").link();
//! let mut inbox = BytesMut::new();
//! link.exchange(b"$I\n", &mut inbox).await?;
//! assert!(inbox.ends_with(b"ok\r\n"));
//! # Ok(())
//! # }
//! ```
//!
//! The same as text, for scripts that are easier to read that way or come from files; see [`Script`]'s `FromStr`:
//!
//! ```text
//! # what grbl answers to `$I`
//! > $I
//! < [VER:1.1h.20190830:]
//! < ok
//! ```

mod report;
mod text;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use async_trait::async_trait;
use bytes::BytesMut;

use crate::{Exchanged, Link, LinkError};

pub use report::Mismatch;
pub use text::ScriptError;

/// What the host must send and what it gets, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    steps: Vec<Step>,
    ignored: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Expect(Vec<u8>),
    Reply(Vec<u8>),
    Silence,
    Close,
}

impl Script {
    /// A script in which nothing happens.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The host must send exactly these bytes next, in as many pieces as it likes.
    #[must_use]
    pub fn expect(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::Expect(bytes.as_ref().to_vec()))
    }

    /// The machine sends these bytes, all in one read.
    #[must_use]
    pub fn reply(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::Reply(bytes.as_ref().to_vec()))
    }

    /// The host must have nothing to send when it waits next: it holds, or its window is full.
    #[must_use]
    pub fn silence(self) -> Self {
        self.then(Step::Silence)
    }

    /// The machine closes the link: every later exchange fails, and steps after this one are never reached.
    #[must_use]
    pub fn close(self) -> Self {
        self.then(Step::Close)
    }

    /// Swallows these bytes wherever the script does not expect them; for status polls whose moment is not the point.
    #[must_use]
    pub fn ignoring(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.ignored.extend_from_slice(bytes.as_ref());
        self
    }

    /// A link that panics on drop unless the script was followed to its end.
    #[must_use]
    pub fn link(self) -> MockLink {
        MockLink {
            play: Arc::new(Mutex::new(Play::new(self))),
            on_drop: OnDrop::Check,
        }
    }

    /// A link that only reports, and the [`Watch`] that judges.
    ///
    /// For links that end inside a task, where a panic would be swallowed.
    #[must_use]
    pub fn watched(self) -> (MockLink, Watch) {
        let play = Arc::new(Mutex::new(Play::new(self)));
        let link = MockLink {
            play: Arc::clone(&play),
            on_drop: OnDrop::LeaveToWatch,
        };
        (link, Watch { play: Some(play) })
    }

    fn then(mut self, step: Step) -> Self {
        // An empty expectation or reply is met at once and would only stand in the way.
        let empty = matches!(&step, Step::Expect(bytes) | Step::Reply(bytes) if bytes.is_empty());
        if !empty {
            self.steps.push(step);
        }
        self
    }
}

/// A link to a scripted machine; see [`Script::link`].
#[derive(Debug)]
pub struct MockLink {
    play: Arc<Mutex<Play>>,
    on_drop: OnDrop,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum OnDrop {
    Check,
    LeaveToWatch,
}

#[async_trait]
impl Link for MockLink {
    /// Waits for ever when the script waits for the host and the host has nothing to send.
    async fn exchange(&mut self, out: &[u8], inbox: &mut BytesMut) -> Result<Exchanged, LinkError> {
        let moved = lock(&self.play).exchange(out, inbox)?;
        if moved == Exchanged::default() {
            // Nothing but a further call can change that, so no waker is needed.
            std::future::pending::<()>().await;
        }
        Ok(moved)
    }

    fn describe(&self) -> String {
        NAME.to_owned()
    }
}

impl Drop for MockLink {
    fn drop(&mut self) {
        if self.on_drop == OnDrop::Check {
            judge(&self.play);
        }
    }
}

/// Judges how a script was followed; panics on drop, in the thread that holds it, unless [`Self::finish`] was called.
#[derive(Debug)]
pub struct Watch {
    play: Option<Arc<Mutex<Play>>>,
}

impl Watch {
    /// Whether the script has been followed to its end.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] shows the first unexpected byte, or the steps that nobody reached.
    pub fn finish(mut self) -> Result<(), Mismatch> {
        self.play
            .take()
            .map_or(Ok(()), |play| lock(&play).verdict())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(play) = &self.play {
            judge(play);
        }
    }
}

/// A second panic while the first unwinds would abort the whole test run and hide the first.
fn judge(play: &Mutex<Play>) {
    if thread::panicking() {
        return;
    }
    let verdict = lock(play).verdict();
    if let Err(mismatch) = verdict {
        panic!("{mismatch}");
    }
}

const NAME: &str = "mock";

/// A script being played.
#[derive(Debug)]
struct Play {
    script: Script,
    /// The step that comes next.
    at: usize,
    /// How much of that step, if it is an expectation, has been met.
    met: usize,
    fault: Option<Mismatch>,
    ended: bool,
}

impl Play {
    fn new(script: Script) -> Self {
        Self {
            script,
            at: 0,
            met: 0,
            fault: None,
            ended: false,
        }
    }

    fn exchange(&mut self, out: &[u8], inbox: &mut BytesMut) -> Result<Exchanged, LinkError> {
        if self.ended {
            return Err(closed());
        }
        let mut moved = Exchanged::default();
        loop {
            let rest = out.get(moved.written..).unwrap_or_default();
            match self.script.steps.get(self.at) {
                Some(Step::Expect(expected)) => {
                    let Some(&next) = rest.first() else {
                        return Ok(moved);
                    };
                    if expected.get(self.met) == Some(&next) {
                        self.met += 1;
                        if self.met == expected.len() {
                            self.advance();
                        }
                    } else if !self.script.ignored.contains(&next) {
                        return Err(self.depart(rest));
                    }
                    moved.written += 1;
                }
                Some(Step::Reply(bytes)) => {
                    // The host must get to see an answer before it is asked for more.
                    inbox.extend_from_slice(bytes);
                    moved.read = bytes.len();
                    self.advance();
                    return Ok(moved);
                }
                Some(Step::Close) if moved != Exchanged::default() => return Ok(moved),
                Some(Step::Close) => {
                    self.advance();
                    self.ended = true;
                    return Err(closed());
                }
                Some(Step::Silence) | None => match rest.first() {
                    Some(next) if self.script.ignored.contains(next) => moved.written += 1,
                    Some(_) => return Err(self.depart(rest)),
                    None if self.at < self.script.steps.len() => self.advance(),
                    None => return Ok(moved),
                },
            }
        }
    }

    fn advance(&mut self) {
        self.at += 1;
        self.met = 0;
    }

    /// The host left the script: remembers how, and ends the link.
    fn depart(&mut self, rest: &[u8]) -> LinkError {
        let mismatch = Mismatch::unexpected(&self.script.steps, self.at, self.met, rest);
        let source = io::Error::other(mismatch.clone());
        self.fault = Some(mismatch);
        self.ended = true;
        LinkError::Failed {
            link: NAME.to_owned(),
            source,
        }
    }

    fn verdict(&self) -> Result<(), Mismatch> {
        match &self.fault {
            Some(fault) => Err(fault.clone()),
            None if self.at < self.script.steps.len() => {
                Err(Mismatch::unmet(&self.script.steps, self.at, self.met))
            }
            None => Ok(()),
        }
    }
}

fn closed() -> LinkError {
    LinkError::Closed {
        link: NAME.to_owned(),
    }
}

fn lock(play: &Mutex<Play>) -> MutexGuard<'_, Play> {
    play.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
