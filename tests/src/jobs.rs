//! Whole jobs through the front door: a file, the real session, a simulated machine at the other end of a real cable, and the
//! machine's log against the program.
//!
//! Here time is real: the machine runs as fast as it goes, and the job takes what the computer takes.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;
use feedhold::{
    Job,
    job::{Connected, Records},
    jobs::Jobs,
    session::{Ending, Event, Outcome, State, StopAction, StopPolicy, WishError},
    sim::Server,
    simulator::{Config, ConfigError, Entry, Kind, Simulator},
    stream_core::{
        dialect::Dialect,
        wire::{Pack, WordName},
    },
    transport::AddressError,
};
use thiserror::Error;
use tokio::{sync::broadcast::error::RecvError, task::spawn_blocking};

use crate::oracle::{self, Mismatch, Program};

/// No job of ours takes longer; one that does hangs.
const LIMIT: Duration = Duration::from_secs(600);

/// Motions that the machine remembers, more than any file of ours has.
const REMEMBERED: &str = "10000000";

/// What lies between host and machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Cable {
    /// Two buffers in memory: the `sim:` addresses.
    Memory,
    /// A pty, opened as a serial port.
    Pty,
    /// A TCP connection within this computer.
    Tcp,
}

/// How the machine moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Motion {
    /// In no time: the host is the limit.
    Instant,
    /// Planned with acceleration, in virtual time that passes as fast as it can be calculated.
    Planned,
}

/// How files are sent, and to which machine.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The firmware on both sides.
    pub dialect: Dialect,
    /// How the machine moves.
    pub motion: Motion,
    /// What is taken out of lines.
    pub pack: Pack,
    /// Words left out.
    pub skip: Vec<WordName>,
    /// Lines sent by hand before the job, for files that begin in a state which they do not set.
    pub before: Vec<String>,
}

/// A job that did what its program says.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    /// Motions of the program, every one equal in the machine's log.
    pub motions: u64,
    /// Lines that the machine answered.
    pub lines: u64,
    /// From the first byte of the job to its end.
    pub elapsed: Duration,
}

/// Why a job did not do what its program says.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JobError {
    /// The job could not begin; a file that is refused shows as [`feedhold::Error::Source`].
    #[error(transparent)]
    Begin(#[from] feedhold::Error),
    /// The machine's address is wrong.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The machine cannot be built.
    #[error(transparent)]
    Machine(#[from] ConfigError),
    /// A file could not be read, or a directory not made.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A line that had to go before the job was not taken.
    #[error("`{line}`, sent before the job: {source}")]
    Before {
        /// The line.
        line: String,
        /// Why not.
        source: WishError,
    },
    /// The machine refused a line, or an alarm came.
    #[error("{0}")]
    Fault(String),
    /// The job ended before its program did.
    #[error("the job ended early: {0}")]
    Unfinished(String),
    /// The machine's end of the cable was closed.
    #[error("the machine went away")]
    MachineGone,
    /// Nothing came to an end in ten minutes.
    #[error("no end after {} s: it hangs", LIMIT.as_secs())]
    Hangs,
    /// The machine did something else.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

impl Setup {
    /// Everything as the facade does it unless told otherwise, on a machine that moves in no time.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            motion: Motion::Instant,
            pack: Pack::default(),
            skip: Vec::new(),
            before: Vec::new(),
        }
    }

    /// Streams `file` and compares the machine's log with it, motion by motion.
    ///
    /// Program stops are skipped, since nobody is there to be asked. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`JobError`]: the first thing that went wrong, the first motion that differs included.
    pub async fn run(&self, file: &Path, cable: Cable) -> Result<Judged, JobError> {
        let streamed = tokio::time::timeout(LIMIT, self.stream_over(file, cable));
        let (outcome, log) = streamed.await.map_err(|_| JobError::Hangs)??;
        if outcome.ending != Ending::Finished {
            return Err(JobError::Unfinished(reason(&outcome.ending)));
        }
        Ok(Judged {
            motions: self.judge(file, log)?,
            lines: outcome.lines,
            elapsed: outcome.elapsed,
        })
    }

    async fn stream_over(
        &self,
        file: &Path,
        cable: Cable,
    ) -> Result<(Outcome, Vec<Entry>), JobError> {
        match cable {
            Cable::Memory => {
                let params: Vec<String> = self
                    .params()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect();
                let address = format!("sim:{}?{}", self.dialect.name(), params.join("&"));
                let (outcome, connected) = self.stream(file, &address).await?;
                let machine = connected.disconnect().await?;
                let mut machine = machine.ok_or(JobError::MachineGone)?;
                Ok((outcome, machine.log_mut().take_entries()))
            }
            Cable::Pty => {
                self.stream_to(file, Server::pty(self.machine()?, None)?)
                    .await
            }
            Cable::Tcp => {
                let server = Server::listen(self.machine()?, "127.0.0.1:0").await?;
                self.stream_to(file, server).await
            }
        }
    }

    /// Streams to a machine that is served to other programs.
    async fn stream_to(
        &self,
        file: &Path,
        mut server: Server,
    ) -> Result<(Outcome, Vec<Entry>), JobError> {
        let address = server.address();
        let (outcome, _) = tokio::select! {
            streamed = self.stream(file, &address) => streamed?,
            ended = server.run(|_| ()) => {
                ended?;
                return Err(JobError::MachineGone);
            }
        };
        Ok((outcome, server.machine_mut().log_mut().take_entries()))
    }

    async fn stream(&self, file: &Path, address: &str) -> Result<(Outcome, Connected), JobError> {
        let records = tempfile::tempdir()?;
        let job = Job::new(file, address.parse()?)
            .dialect(self.dialect)
            .pack(self.pack)
            .skip(self.skip.iter().copied())
            .stops(nobody_to_ask())
            .records(Records::In(Jobs::at(records.path())));
        let reading = job.clone();
        let vetted = spawn_blocking(move || reading.vet(|_| true)).await;
        let vetted = vetted.map_err(|_| feedhold::Error::Gone)??;
        let connected = job.connect().await?;
        for line in &self.before {
            let taken = connected.handle().command(line.as_str()).await;
            taken.map_err(|source| JobError::Before {
                line: line.clone(),
                source,
            })?;
        }
        let fault = fault(&connected);
        let outcome = tokio::select! {
            outcome = connected.run(vetted) => outcome?,
            message = fault => return Err(JobError::Fault(message)),
        };
        Ok((outcome, connected))
    }

    /// The number of motions when log and program are equal.
    fn judge(&self, file: &Path, log: Vec<Entry>) -> Result<u64, JobError> {
        let before: String = self.before.iter().flat_map(|line| [line, "\n"]).collect();
        let source = before.as_bytes().chain(File::open(file)?);
        let program = Program::new(self.dialect.flavor(), source)
            .filter(|motion| !matches!(motion, Ok(motion) if motion.kind == BARRIER));
        let log = log.into_iter().filter(|entry| entry.kind != BARRIER);
        Ok(oracle::compare(program, log)?)
    }

    fn machine(&self) -> Result<Simulator, ConfigError> {
        let controller = [("controller", self.dialect.name())];
        let config = Config::from_params(controller.into_iter().chain(self.params()))?;
        Ok(Simulator::new(config))
    }

    /// The parameters of the simulator beside its name.
    fn params(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let motion = match self.motion {
            Motion::Instant => "instant",
            Motion::Planned => "planned",
        };
        let heat = (self.dialect == Dialect::Marlin && self.motion == Motion::Instant)
            .then_some(("heat", "instant"));
        [("speed", "max"), ("motion", motion), ("log", REMEMBERED)]
            .into_iter()
            .chain(heat)
    }
}

/// The streamer puts dwells of this length in as barriers, so both sides are compared without them.
const BARRIER: Kind = Kind::Dwell { seconds: 0.01 };

fn nobody_to_ask() -> StopPolicy {
    StopPolicy {
        pause: StopAction::Skip,
        optional_pause: StopAction::Skip,
        tool_change: StopAction::Skip,
        filament_change: StopAction::Skip,
        ..StopPolicy::default()
    }
}

/// Waits for a fault that somebody would have to decide about.
async fn fault(connected: &Connected) -> String {
    let mut events = connected.handle().events();
    let mut heard = None;
    loop {
        match events.recv().await {
            Ok(Event::Fault { message, .. }) => heard = Some(message),
            Err(RecvError::Lagged(_)) => {
                heard.get_or_insert_with(|| {
                    "the machine stands still, and events were missed".to_owned()
                });
            }
            Ok(_) => {}
            // The job's own end says why.
            Err(RecvError::Closed) => return std::future::pending().await,
        }
        let stands = connected.handle().snapshot().state == State::Faulted;
        if let Some(message) = heard.take_if(|_| stands) {
            return message;
        }
    }
}

fn reason(ending: &Ending) -> String {
    match ending {
        Ending::Failed { message, .. } => message.clone(),
        other => other.name().to_owned(),
    }
}
