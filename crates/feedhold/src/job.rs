//! A file on its way to a machine.
//!
//! A [`Job`] collects what is wanted; [`Job::run`] does it all. Whoever wants to look at the file first, or steer the machine
//! meanwhile, takes the three steps one by one: [`Job::vet`], [`Job::connect`], [`Connected::run`].

mod connected;
mod macros;
mod settings;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use feedhold_session::{
    CheckpointInterval, Config, Event, Inquiry, Outcome, StopPolicy, Vetted, Vetting, open_with,
    vet, vet_again,
};
use feedhold_stream_core::{
    budget::Budget,
    dialect::Dialect,
    retry::RetryPolicy,
    streamer::Windowing,
    wire::{BlockDelete, LineNumbers, Pack, WordName},
};
use feedhold_transport::Address;
use tokio::{sync::broadcast, task::spawn_blocking};

pub use connected::Connected;
pub use macros::read_macro;
pub use settings::Settings;

use crate::{
    Error,
    jobs::Jobs,
    machine::{self, Machine, MotionLog},
};

/// Events that a slow listener may be behind before it is told that it missed some.
const EVENTS: usize = 1024;

/// How often a lost link is tried again: for the two minutes in which somebody notices a cable and puts it back.
pub const RECONNECTS: u32 = 18;

/// A file on its way to a machine, and how it is to go there. Every choice has a default but the file and the machine.
#[derive(Debug, Clone)]
pub struct Job {
    file: PathBuf,
    address: Address,
    dialect: Option<Dialect>,
    settings: Settings,
    stops: StopPolicy,
    records: Records,
    interval: CheckpointInterval,
    budget: Budget,
    reconnect: RetryPolicy,
    motion_log: MotionLog,
    events: broadcast::Sender<Event>,
}

/// Where a job writes down how far it is.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Records {
    /// Where the jobs of this user are kept, see [`Jobs::of_user`].
    #[default]
    OfUser,
    /// Here.
    In(Jobs),
    /// Nowhere: after a crash nothing is known. For measuring and for simulators.
    Nowhere,
}

impl Job {
    /// All of `file`, to the machine at `address`.
    #[must_use]
    pub fn new(file: impl Into<PathBuf>, address: Address) -> Self {
        Self {
            file: file.into(),
            address,
            dialect: None,
            settings: Settings::new(Dialect::Grbl),
            stops: StopPolicy::default(),
            records: Records::default(),
            interval: CheckpointInterval::default(),
            budget: Budget::cnc(),
            reconnect: RetryPolicy::file().with_retries(RECONNECTS),
            motion_log: MotionLog::default(),
            events: broadcast::channel(EVENTS).0,
        }
    }

    /// The firmware family spoken to. Default: what the address says (`sim:marlin`), else grbl. [`guess`](crate::guess::guess)
    /// tells what a file looks like.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// What is taken out of lines to make them shorter. Default: the spaces.
    #[must_use]
    pub fn pack(mut self, pack: Pack) -> Self {
        self.settings.pack = pack;
        self
    }

    /// Leaves these words out of every line, with the arguments that belong to them.
    #[must_use]
    pub fn skip(mut self, words: impl IntoIterator<Item = WordName>) -> Self {
        self.settings.skip.extend(words);
        self
    }

    /// Sends these words although a stock build of the firmware does not know them.
    #[must_use]
    pub fn allow(mut self, words: impl IntoIterator<Item = WordName>) -> Self {
        self.settings.allow.extend(words);
        self
    }

    /// What becomes of lines that begin with `/`. Default: they run.
    #[must_use]
    pub fn block_delete(mut self, choice: BlockDelete) -> Self {
        self.settings.block_delete = choice;
        self
    }

    /// What becomes of the `N` words of the file. Default: they go away.
    #[must_use]
    pub fn line_numbers(mut self, choice: LineNumbers) -> Self {
        self.settings.line_numbers = choice;
        self
    }

    /// Takes over how an earlier job prepared and sent its lines.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.dialect = Some(settings.dialect);
        self.settings = settings;
        self
    }

    /// How lines wait for answers. Default: what suits the dialect.
    #[must_use]
    pub fn windowing(mut self, windowing: Windowing) -> Self {
        self.settings.windowing = windowing;
        self
    }

    /// Size of the controller's receive buffer in bytes, 16 to 65,536. Default: what the controller tells, else 128. Too large a
    /// value makes the controller lose bytes.
    #[must_use]
    pub fn rx_bytes(mut self, bytes: usize) -> Self {
        self.settings.rx_bytes = Some(bytes);
        self
    }

    /// What happens at `M0`, `M1`, `M6`, `M600` and the program end.
    #[must_use]
    pub fn stops(mut self, stops: StopPolicy) -> Self {
        self.stops = stops;
        self
    }

    /// Where the job writes down how far it is. Default: where the jobs of this user are kept.
    #[must_use]
    pub fn records(mut self, records: Records) -> Self {
        self.records = records;
        self
    }

    /// How often the job writes down how far it is. Default: after 5,000 lines or a second.
    #[must_use]
    pub fn checkpoint_interval(mut self, interval: CheckpointInterval) -> Self {
        self.interval = interval;
        self
    }

    /// The memory that chunks of the file may take. Default: 50 MiB, of which a job uses a few hundred KiB.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// How often a link that was lost is tried again, and after what waits. Default: 18 times, from 500 ms up to 10 s apart, some two
    /// minutes. A job goes on over the new link when the controller proves where it stands.
    #[must_use]
    pub fn reconnect(mut self, policy: RetryPolicy) -> Self {
        self.reconnect = policy;
        self
    }

    /// What a simulated machine writes down. A real one ignores it.
    #[must_use]
    pub fn motion_log(mut self, log: MotionLog) -> Self {
        self.motion_log = log;
        self
    }

    /// Everything that happens from now on. Ask before the step that is of interest.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The machine.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The choices about lines, with the dialect settled.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let dialect = self
            .dialect
            .or_else(|| machine::dialect(&self.address))
            .unwrap_or(Dialect::Grbl);
        Settings {
            dialect,
            ..self.settings.clone()
        }
    }

    /// Reads the file from end to end without sending anything: after this no line of it can be refused by us. Blocks.
    ///
    /// `report` hears about every 10,000 lines and ends the work when it answers `false`.
    ///
    /// # Errors
    /// [`Error::Source`] with every line that cannot be sent, its place and what to do.
    pub fn vet(&self, report: impl FnMut(Vetting) -> bool) -> Result<Vetted, Error> {
        let chain = self.settings().chain()?;
        let vetted = vet(&self.file, &chain, report)?;
        // Nobody may be listening.
        let _ = self.events.send(Event::from(&vetted));
        Ok(vetted)
    }

    /// Vets the file of job `name` again: only its digest is computed, when the file is the one that was vetted then and lines are prepared
    /// as they were. Blocks; `report` hears how far it is and ends the work when it answers `false`.
    ///
    /// # Errors
    /// As [`vet`](Self::vet); [`Error::Jobs`] when there is no such job.
    pub fn vet_again(
        &self,
        jobs: &Jobs,
        name: &str,
        report: impl FnMut(Vetting) -> bool,
    ) -> Result<Vetted, Error> {
        let chain = self.settings().chain()?;
        let known = jobs.index(name)?.map(Arc::new);
        let vetted = vet_again(&self.file, &chain, known.as_ref(), report)?;
        let is_known = known.is_some_and(|known| Arc::ptr_eq(&known, vetted.index()));
        if !is_known {
            // Without it the next resume takes as long as this one.
            let _ = jobs.keep_index(name, vetted.index());
        }
        let _ = self.events.send(Event::from(&vetted));
        Ok(vetted)
    }

    /// Connects to the machine and waits until it has proved itself alive and idle. Nothing moves.
    ///
    /// # Errors
    /// [`Error::Machine`] and [`Error::Connect`] when there is no usable machine; settings outside their range.
    pub async fn connect(&self) -> Result<Connected, Error> {
        let settings = self.settings();
        let chain = Arc::new(settings.chain()?);
        let config = Config::new(settings.streamer()?)
            .stops(self.stops.clone())
            .checkpoints(self.interval)
            .budget(self.budget.clone())
            .reconnect(self.reconnect)
            .inquiry(Inquiry::Facts);
        let machine = Machine::open(&self.address, &self.motion_log)?;
        let handle = open_with(machine.connect, config, self.events.clone()).await?;
        Ok(Connected {
            handle,
            #[cfg(feature = "simulator")]
            simulated: machine.simulated,
            chain,
            settings,
            records: self.records.clone(),
            address: self.address.to_string(),
        })
    }

    /// Vets the file, connects, streams, and disconnects.
    ///
    /// # Errors
    /// [`Error`] when the job could not begin. How it ended, well or badly, is in the [`Outcome`].
    pub async fn run(self) -> Result<Outcome, Error> {
        let job = self.clone();
        let vetted = spawn_blocking(move || job.vet(|_| true))
            .await
            .map_err(|_| Error::Gone)??;
        let connected = self.connect().await?;
        let outcome = connected.run(vetted).await?;
        connected.disconnect().await?;
        Ok(outcome)
    }
}
