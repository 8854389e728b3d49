//! The real `feedhold` command as a child process, and what it costs.
//!
//! Only Linux tells another process's memory and processor time, through `/proc`; elsewhere these figures are missing.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use thiserror::Error;

use crate::metrics::Resident;

/// How often a child's memory is looked at; what it grows by in its last such moment may be missed.
const LOOK: Duration = Duration::from_millis(2);

/// Processor time is counted in these parts of a second on every Linux (`USER_HZ`).
const TICKS_PER_S: f64 = 100.0;

/// The command, built from this workspace.
#[derive(Clone, Debug)]
pub struct Product {
    path: PathBuf,
}

/// How the command is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// With optimisation, as users get it.
    Release,
    /// As tests are built: quicker to build, slower to run.
    Dev,
}

/// What one run of a command cost.
#[derive(Clone, Debug)]
pub struct Cost {
    /// The last line of its standard output.
    pub last_line: String,
    /// From its start to its end.
    pub elapsed: Duration,
    /// Processor time, user and system, in steps of 10 ms.
    pub cpu: Duration,
    /// Most memory that was ever resident, bytes.
    pub peak: u64,
}

/// Why a command did not run to a good end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProductError {
    /// It could not be started, or its output not be read.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// It could not be built.
    #[error("`cargo build --package feedhold-cli` failed; its own messages stand above")]
    Build,
    /// It ended badly.
    #[error("{command} ended with {status}; its own messages stand above")]
    Failed {
        /// As one would type it.
        command: String,
        /// Its exit status.
        status: String,
    },
    /// The simulator did not say where it is.
    #[error("the simulator said `{said}` instead of its address")]
    NoAddress {
        /// What it said.
        said: String,
    },
}

impl Product {
    /// Builds the command with optimisation, or finds it as it was built before.
    ///
    /// # Errors
    /// When cargo cannot build it.
    pub fn build() -> Result<Self, ProductError> {
        Self::build_as(Profile::Release)
    }

    /// Builds the command, or finds it as it was built before.
    ///
    /// # Errors
    /// When cargo cannot build it.
    pub fn build_as(profile: Profile) -> Result<Self, ProductError> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let optimised = (profile == Profile::Release).then_some("--release");
        let built = Command::new(cargo)
            .args(["build", "--package", "feedhold-cli"])
            .args(optimised)
            .args(["--message-format", "json-render-diagnostics"])
            .stderr(Stdio::inherit())
            .output()
            .map_err(|source| failed("cannot start cargo", source))?;
        let messages = String::from_utf8_lossy(&built.stdout).into_owned();
        let path = messages.lines().filter_map(executable).next_back();
        match path {
            Some(path) if built.status.success() => Ok(Self { path }),
            _ => Err(ProductError::Build),
        }
    }

    /// Runs it to its end and watches what it costs.
    ///
    /// # Errors
    /// When it cannot be started or does not end well.
    pub fn run(&self, arguments: &[&str]) -> Result<Cost, ProductError> {
        let began = Instant::now();
        let mut child = self.start(arguments)?;
        let out = child.stdout.take();
        let last_line = thread::spawn(|| out.map(last_line).unwrap_or_default());
        let (mut peak, mut cpu) = (0, Duration::ZERO);
        // A process that has ended still tells its processor time, until its parent asks how it ended.
        while let Some(usage) = Usage::of(child.id()) {
            cpu = usage.cpu;
            if usage.has_ended {
                break;
            }
            peak = Resident::of(child.id()).map_or(peak, |resident| peak.max(resident.peak));
            thread::sleep(LOOK);
        }
        let elapsed = began.elapsed();
        let status = child.wait();
        let status = status.map_err(|source| failed("cannot wait for the command", source))?;
        let last_line = last_line.join().unwrap_or_default();
        if status.success() {
            Ok(Cost {
                last_line,
                elapsed,
                cpu,
                peak,
            })
        } else {
            Err(ProductError::Failed {
                command: format!("feedhold {}", arguments.join(" ")),
                status: status.to_string(),
            })
        }
    }

    /// The command, to be started by the caller.
    #[must_use]
    pub fn command(&self) -> Command {
        Command::new(&self.path)
    }

    /// Starts a simulator for other processes; `arguments` are those of `feedhold sim`. What it says of clients that come and go
    /// is not shown.
    ///
    /// # Errors
    /// When it cannot be started or does not say where it is.
    pub fn simulator(&self, arguments: &[&str]) -> Result<Served, ProductError> {
        let arguments = [&["sim"], arguments].concat();
        let mut child = self.start_with(&arguments, Stdio::null())?;
        let mut said = String::new();
        let out = child.stdout.take().map(BufReader::new);
        let mut served = Served {
            child,
            address: String::new(),
            out,
        };
        if let Some(out) = &mut served.out {
            out.read_line(&mut said)
                .map_err(|source| failed("cannot read the simulator's output", source))?;
        }
        match said.trim_end().rsplit_once("-m ") {
            Some((_, address)) => served.address = address.to_owned(),
            None => return Err(ProductError::NoAddress { said }),
        }
        Ok(served)
    }

    fn start(&self, arguments: &[&str]) -> Result<Child, ProductError> {
        self.start_with(arguments, Stdio::inherit())
    }

    fn start_with(&self, arguments: &[&str], errors: Stdio) -> Result<Child, ProductError> {
        self.command()
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(|source| failed(&self.path.display().to_string(), source))
    }
}

/// A simulator in a process of its own; it ends when this is dropped.
#[derive(Debug)]
pub struct Served {
    child: Child,
    address: String,
    /// Kept open, since the simulator writes to it.
    out: Option<BufReader<ChildStdout>>,
}

impl Served {
    /// What `feedhold run --machine` takes.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Kills it as `kill -9` does.
    ///
    /// # Errors
    /// When the system says so.
    pub fn kill(&mut self) -> Result<(), ProductError> {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed
            .map(drop)
            .map_err(|source| failed("cannot kill the simulator", source))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A job of the command and the figures of its summary.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What the process cost.
    pub cost: Cost,
    /// Lines that the machine answered.
    pub lines: u64,
    /// From the first byte of the job to its end.
    pub streaming: Duration,
}

impl Product {
    /// Streams a file, with records in `state`, and reads the summary.
    ///
    /// # Errors
    /// As [`Product::run`].
    pub fn stream(&self, file: &Path, machine: &str, state: &Path) -> Result<Ran, ProductError> {
        let (file, state) = (file.to_string_lossy(), state.to_string_lossy());
        let cost = self.run(&["run", &file, "-m", machine, "--state-dir", &state, "--json"])?;
        let summary: Value = serde_json::from_str(&cost.last_line).unwrap_or_default();
        let number = |field: &str| summary.get(field).and_then(Value::as_u64).unwrap_or(0);
        Ok(Ran {
            lines: number("lines"),
            streaming: Duration::from_millis(number("elapsed_ms")),
            cost,
        })
    }
}

/// Reads to the end, so that the writer never has to wait, and keeps the last line.
fn last_line(out: ChildStdout) -> String {
    let lines = BufReader::new(out).lines().map_while(Result::ok);
    lines.last().unwrap_or_default()
}

fn failed(what: &str, source: io::Error) -> ProductError {
    ProductError::Io {
        what: what.to_owned(),
        source,
    }
}

/// The executable that a message of cargo tells of.
fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    message.get("executable")?.as_str().map(PathBuf::from)
}

/// What the kernel tells of a process.
struct Usage {
    cpu: Duration,
    has_ended: bool,
}

impl Usage {
    fn of(process_id: u32) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(format!("/proc/{process_id}/stat")).ok()?)
    }

    /// Reads `pid (name) state …`; the name may hold anything.
    fn parse(stat: &str) -> Option<Self> {
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // Fields 14 and 15 of the line, where `state` is the third.
        let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
        Some(Self {
            cpu: Duration::from_secs_f64((ticks(11)? + ticks(12)?).max(0.0) / TICKS_PER_S),
            has_ended: matches!(*fields.first()?, "Z" | "X"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Usage, executable};

    #[test]
    fn processes_are_read() {
        let line = "7 (a (b) c) Z 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20";
        let usage = Usage::parse(line).expect("a line of the kernel's");
        assert_eq!((usage.cpu.as_millis(), usage.has_ended), (1750, true));
        assert!(Usage::parse("7 (a) S 1 2").is_none());
        assert!(!Usage::of(std::process::id()).expect("this one").has_ended);
    }

    #[test]
    fn only_executables_count() {
        for (message, want) in [
            (
                r#"{"reason":"compiler-artifact","executable":"/t/feedhold"}"#,
                Some("/t/feedhold"),
            ),
            (r#"{"reason":"compiler-artifact","executable":null}"#, None),
            (r#"{"reason":"build-finished","success":true}"#, None),
            ("warning: text", None),
        ] {
            let got = executable(message);
            assert_eq!(got.as_deref().and_then(|path| path.to_str()), want);
        }
    }
}
