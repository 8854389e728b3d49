//! The host as a child process: started, killed or waited for, and what it said.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::KillError;

/// No host of ours needs longer to end by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a child is asked whether it has ended.
const LOOK: Duration = Duration::from_micros(500);

/// A host that runs.
#[derive(Debug)]
pub struct Host {
    child: Child,
    command: String,
    lines: Arc<Mutex<Vec<Line>>>,
    reader: JoinHandle<()>,
    errors: JoinHandle<String>,
}

/// A line that a host said, and when it was heard.
#[derive(Clone, Debug)]
struct Line {
    at: SystemTime,
    event: Value,
}

/// A host that has ended, one way or the other.
#[derive(Clone, Debug)]
pub struct Ended {
    status: ExitStatus,
    lines: Vec<Line>,
    errors: String,
}

impl Host {
    /// Starts it, with its output kept.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command) -> Result<Self, KillError> {
        let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
        let typed = arguments.join(" ");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(KillError::io(format!("cannot start feedhold {typed}")))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let lines = Arc::default();
        let kept = Arc::clone(&lines);
        Ok(Self {
            child,
            command: typed,
            lines,
            reader: thread::spawn(move || {
                if let Some(out) = out {
                    read(out, &kept);
                }
            }),
            errors: thread::spawn(move || err.map(text).unwrap_or_default()),
        })
    }

    /// Its process number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it says this event; false when it ends without.
    ///
    /// # Errors
    /// When the system says so.
    pub fn says(&mut self, event: &str) -> Result<bool, KillError> {
        loop {
            let ended = self.ends_within(LOOK)?;
            let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.iter().any(|line| line.event["event"] == event) {
                return Ok(true);
            }
            if ended {
                return Ok(false);
            }
        }
    }

    /// Kills it as `kill -9` does when this time is over, unless it ends before.
    ///
    /// # Errors
    /// When the system says so.
    pub fn kill_after(mut self, time: Duration) -> Result<Ended, KillError> {
        if !self.ends_within(time)? {
            self.child
                .kill()
                .map_err(KillError::io("cannot kill the host"))?;
        }
        self.collect()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// [`KillError::Hangs`] after a minute; it is killed then.
    pub fn wait(mut self) -> Result<Ended, KillError> {
        if self.ends_within(PATIENCE)? {
            return self.collect();
        }
        let command = self.command.clone();
        self.child
            .kill()
            .map_err(KillError::io("cannot kill the host"))?;
        self.collect()?;
        Err(KillError::Hangs {
            command,
            seconds: PATIENCE.as_secs(),
        })
    }

    fn ends_within(&mut self, time: Duration) -> Result<bool, KillError> {
        let until = Instant::now() + time;
        loop {
            let ended = self
                .child
                .try_wait()
                .map_err(KillError::io("cannot wait for the host"))?;
            if ended.is_some() {
                return Ok(true);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            thread::sleep(LOOK.min(left));
        }
    }

    fn collect(mut self) -> Result<Ended, KillError> {
        let status = self.child.wait();
        Ok(Ended {
            status: status.map_err(KillError::io("cannot wait for the host"))?,
            lines: {
                // A reader cannot panic; what it has read until now would count all the same.
                let _ = self.reader.join();
                self.lines
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone()
            },
            errors: self.errors.join().unwrap_or_default(),
        })
    }
}

fn read(out: impl Read, kept: &Mutex<Vec<Line>>) {
    let lines = BufReader::new(out).split(b'\n').map_while(Result::ok);
    for line in lines {
        if let Ok(event) = serde_json::from_slice(&line) {
            let line = Line {
                at: SystemTime::now(),
                event,
            };
            kept.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }
    }
}

fn text(mut from: impl Read) -> String {
    let mut bytes = Vec::new();
    // What was read until then is all there is.
    let _ = from.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Ended {
    /// Its exit code; `None` when it was killed.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The first event of this name.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<&Value> {
        Some(&self.line(name)?.event)
    }

    /// When the first event of this name was heard.
    #[must_use]
    pub fn heard(&self, name: &str) -> Option<SystemTime> {
        Some(self.line(name)?.at)
    }

    fn line(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.event["event"] == name)
    }

    /// What it says went wrong.
    #[must_use]
    pub fn message(&self) -> String {
        let told = self.event("error").or_else(|| self.event("fault"));
        let told = told.and_then(|line| line["message"].as_str());
        told.map_or_else(|| self.errors.trim().to_owned(), str::to_owned)
    }

    /// The code of a refusal to go on, from the closed list.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        self.event("error")?["code"].as_str()
    }

    /// Its exit code, or how it was ended.
    #[must_use]
    pub fn how(&self) -> String {
        self.status.to_string()
    }
}
