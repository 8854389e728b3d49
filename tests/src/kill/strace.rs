//! Kills and errors at chosen system calls, by `strace`.

use std::collections::BTreeMap;
use std::fmt;
use std::process::{Command, Stdio};

use super::KillError;

/// The system calls of a host that touch its records, in the words of `strace`.
pub const CALLS: &[&str] = &[
    "pwrite64",
    "fdatasync",
    "fsync",
    "rename",
    "openat",
    "write",
];

/// The calls with which a store writes and syncs records.
pub const STORE_CALLS: &[&str] = &["pwrite64", "fdatasync"];

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strike {
    /// The process is killed before the call is made.
    Kill,
    /// This call and all later ones of its kind fail, as on a disk that stays full or broken.
    Error(Errno),
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errno {
    /// The disk is broken.
    Eio,
    /// The disk is full.
    Enospc,
}

impl Errno {
    fn name(self) -> &'static str {
        match self {
            Self::Eio => "EIO",
            Self::Enospc => "ENOSPC",
        }
    }

    /// What the system calls it; error messages have to hold it.
    #[must_use]
    pub fn cause(self) -> &'static str {
        match self {
            Self::Eio => "Input/output error",
            Self::Enospc => "No space left on device",
        }
    }
}

/// A call, counted from 1. `strace` counts in each thread by itself, and the first thread that comes to the number is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The call.
    pub call: &'static str,
    /// Which one.
    pub number: u64,
    /// What happens there.
    pub strike: Strike,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            call,
            number,
            strike,
        } = self;
        match strike {
            Strike::Kill => write!(f, "killed at {call} {number}"),
            Strike::Error(errno) => write!(f, "{} from {call} {number} on", errno.name()),
        }
    }
}

/// Whether this computer has `strace` and lets us use it.
#[must_use]
pub fn is_there() -> bool {
    let status = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// The command with something happening at a call.
#[must_use]
pub fn at(point: Point, command: &Command) -> Command {
    let Point {
        call,
        number,
        strike,
    } = point;
    let what = match strike {
        Strike::Kill => format!("inject={call}:signal=KILL:when={number}"),
        Strike::Error(errno) => format!("inject={call}:error={}:when={number}+", errno.name()),
    };
    let mut traced = traced(call, "/dev/null");
    traced.args(["-e", &what]);
    followed_by(traced, command)
}

/// How often the busiest thread of a host that runs to its end makes each of these calls.
///
/// # Errors
/// When it cannot be run.
pub fn count(
    calls: &[&'static str],
    command: &Command,
) -> Result<Vec<(&'static str, u64)>, KillError> {
    let trace = tempfile::NamedTempFile::new().map_err(KillError::io("cannot make a file"))?;
    let mut run = followed_by(
        traced(&calls.join(","), &trace.path().to_string_lossy()),
        command,
    );
    run.stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    run.status().map_err(KillError::io("cannot start strace"))?;
    let text =
        std::fs::read_to_string(trace.path()).map_err(KillError::io("cannot read the trace"))?;
    let times = |call: &str| {
        let begin = format!("{call}(");
        let mut by_thread = BTreeMap::<&str, u64>::new();
        // `PID call(…` when it is made; `PID <... call resumed>` is the rest of one that was counted.
        let made = text.lines().filter_map(|line| line.split_once(' '));
        for (thread, _) in made.filter(|(_, rest)| rest.trim_start().starts_with(&begin)) {
            *by_thread.entry(thread).or_default() += 1;
        }
        by_thread.into_values().max().unwrap_or(0)
    };
    Ok(calls.iter().map(|call| (*call, times(call))).collect())
}

fn traced(calls: &str, output: &str) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", output, "-e", &format!("trace={calls}")]);
    command
}

fn followed_by(mut strace: Command, command: &Command) -> Command {
    strace.arg(command.get_program()).args(command.get_args());
    if let Some(dir) = command.get_current_dir() {
        strace.current_dir(dir);
    }
    strace
}
