//! One job with its machine.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use feedhold::{jobs::Jobs, simulator::Entry, stream_core::dialect::Dialect};

use super::{
    KillError,
    judge::{self, Named, Reached, Wrong},
    program,
};
use crate::{
    oracle::{self, Motion},
    product::{Product, Served},
};

/// How long the machine's log has to stay as it is before the machine counts as standing still. No motion of our programs takes a
/// tenth of that at [`SPEED`].
const STILL: Duration = Duration::from_millis(60);

/// Virtual seconds a second: a spiral of a hundred motions takes some tenths of a second.
const SPEED: u32 = 100;

/// Motions of a job.
const MOTIONS: u32 = 120;

/// What lies between host and machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cable {
    /// A TCP connection within this computer.
    Tcp,
    /// A pty, opened as a serial port.
    Pty,
}

/// What opening the port does to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOpen {
    /// Nothing.
    Keep,
    /// It restarts, as Arduino boards do.
    Reset,
}

/// Which machine, and how it is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its firmware.
    pub dialect: Dialect,
    /// The cable.
    pub cable: Cable,
    /// DTR.
    pub on_open: OnOpen,
}

/// A job: a program, a place for its records, and a machine in a process of its own.
#[derive(Debug)]
pub struct Rig {
    product: Product,
    kind: Kind,
    dir: tempfile::TempDir,
    motions: Vec<Motion>,
    machine: Served,
    /// What machines did that were killed.
    before: Vec<Entry>,
}

impl Rig {
    /// Writes program `number` and switches the machine on.
    ///
    /// # Errors
    /// When a file or the process cannot be made.
    pub fn new(product: &Product, kind: Kind, number: u64) -> Result<Self, KillError> {
        let dir = tempfile::tempdir().map_err(KillError::io("cannot make a directory"))?;
        let text = program::spiral(kind.dialect, MOTIONS, number);
        fs::write(dir.path().join("part.nc"), &text)
            .map_err(KillError::io("cannot write the program"))?;
        let motions = program::motions(kind.dialect, &text)
            .map_err(KillError::io("cannot read the program"))?;
        let machine = switch_on(product, kind, dir.path())?;
        Ok(Self {
            product: product.clone(),
            kind,
            dir,
            motions,
            machine,
            before: Vec::new(),
        })
    }

    /// Which machine.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where everything of the job lies.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The root of the records.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// The machine's process.
    pub fn machine(&mut self) -> &mut Served {
        &mut self.machine
    }

    /// `feedhold run` of the program.
    #[must_use]
    pub fn run(&self) -> Command {
        let dialect = self.kind.dialect.name();
        self.host(&[
            "run",
            "part.nc",
            "--dialect",
            dialect,
            "-m",
            self.machine.address(),
        ])
    }

    /// `feedhold resume` of this job, on the machine as it can be reached now.
    #[must_use]
    pub fn resume(&self, job: &str) -> Command {
        self.host(&["resume", job, "--yes", "-m", self.machine.address()])
    }

    /// Switches on another machine of this kind in place of the one that was killed. What the first one did stays in the log.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn switch_on_again(&mut self) -> Result<(), KillError> {
        self.before = self.log()?;
        self.machine = switch_on(&self.product, self.kind, self.dir.path())?;
        Ok(())
    }

    /// Leaves everything of the job on disk, for whoever wants to see what went wrong.
    #[must_use]
    pub fn keep(self) -> PathBuf {
        self.dir.keep()
    }

    /// The command with these arguments, its records and its events.
    #[must_use]
    pub fn host(&self, arguments: &[&str]) -> Command {
        let mut command = self.product.command();
        command
            .args(arguments)
            .args(["--json", "--state-dir"])
            .arg(self.state())
            .current_dir(self.dir.path());
        command
    }

    /// How far the machine has come now.
    ///
    /// # Errors
    /// [`KillError::Log`] when its log cannot be read; the inner error is what it did wrong.
    pub fn reached(&self) -> Result<Result<Reached, Wrong>, KillError> {
        Ok(judge::reached(&self.motions, self.log()?))
    }

    /// How far the machine has come when it stands still.
    ///
    /// # Errors
    /// As [`Rig::reached`].
    pub fn at_rest(&self) -> Result<Result<Reached, Wrong>, KillError> {
        let began = Instant::now();
        let (mut motions, mut since) = (self.log()?.len(), began);
        while since.elapsed() < STILL {
            thread::sleep(STILL / 8);
            let now = self.log()?.len();
            if now != motions {
                (motions, since) = (now, Instant::now());
            }
        }
        self.reached()
    }

    /// What the newest record names; `None` before the first one.
    ///
    /// # Errors
    /// [`KillError::Records`] when the records cannot be read.
    pub fn named(&self) -> Result<Option<Named>, KillError> {
        let list = Jobs::at(self.state()).list()?;
        let mut found = None;
        for known in list {
            let record = known.found.map_err(feedhold::jobs::JobsError::from)?.record;
            found = found.or(record);
        }
        Ok(found.map(|record| Named {
            executed: record.executed,
            ceiling: record.ceiling,
        }))
    }

    /// Holds the named interval against the machine's log as it is now.
    ///
    /// # Errors
    /// When something cannot be read; the inner error is what is wrong.
    pub fn judge_now(&self) -> Result<Result<(), Wrong>, KillError> {
        let (reached, named) = (self.reached()?, self.named()?);
        Ok(reached.and_then(|now| judge::within(&self.motions, named, &now, &now)))
    }

    /// Holds the named interval against the machine's log, now and when it stands still.
    ///
    /// # Errors
    /// When something cannot be read; the inner error is what is wrong.
    pub fn judge(&self) -> Result<Result<Reached, Wrong>, KillError> {
        let (at_kill, named) = (self.reached()?, self.named()?);
        let at_rest = self.at_rest()?;
        Ok(at_kill.and_then(|at_kill| {
            let at_rest = at_rest?;
            judge::within(&self.motions, named, &at_kill, &at_rest)?;
            Ok(at_rest)
        }))
    }

    /// When the machine's last motion ended.
    ///
    /// # Errors
    /// When the log's time cannot be read.
    pub fn last_motion_at(&self) -> Result<SystemTime, KillError> {
        let metadata = fs::metadata(log_file(self.dir.path()));
        let modified = metadata.and_then(|metadata| metadata.modified());
        modified.map_err(KillError::io("cannot look at the machine's log"))
    }

    /// The log up to its last whole line: the machine may be writing, or may have been killed while it did.
    fn log(&self) -> Result<Vec<Entry>, KillError> {
        let path = log_file(self.dir.path());
        let mut text = fs::read(&path).map_err(KillError::io("cannot read the machine's log"))?;
        let end = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        text.truncate(end);
        let mut log = self.before.clone();
        for entry in oracle::entries(BufReader::new(text.as_slice())) {
            log.push(entry?);
        }
        Ok(log)
    }
}

fn log_file(dir: &Path) -> PathBuf {
    dir.join("machine.jsonl")
}

fn switch_on(product: &Product, kind: Kind, dir: &Path) -> Result<Served, KillError> {
    let log = log_file(dir);
    File::create(&log).map_err(KillError::io("cannot make the machine's log"))?;
    let log = log.to_string_lossy();
    let dialect = format!("--dialect={}", kind.dialect.name());
    let speed = format!("speed={SPEED}");
    let mut arguments = vec![dialect.as_str(), "--log", &log, &speed];
    match kind.cable {
        Cable::Tcp => arguments.extend(["--listen", "tcp:127.0.0.1:0"]),
        Cable::Pty => arguments.push("--pty"),
    }
    if kind.on_open == OnOpen::Reset {
        arguments.push("dtr=on");
    }
    Ok(product.simulator(&arguments)?)
}
