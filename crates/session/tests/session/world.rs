//! A session on a scripted controller, with a file in a directory of its own.

use std::{path::PathBuf, sync::Arc, time::Duration};

use feedhold_checkpoint::Store;
use feedhold_session::{
    Config, Event, Handle, Job, Outcome, Record, RunError, State, open_with, vet,
};
use feedhold_stream_core::{
    dialect::Dialect,
    streamer,
    wire::{Chain, ChainConfig},
};
use feedhold_transport::{
    Link, Sequence,
    memory::{Cutter, duplex},
};
use tempfile::TempDir;
use tokio::{
    sync::broadcast::{self, error::TryRecvError},
    task::JoinHandle,
};

use crate::controller::{Bench, Machine};

pub(crate) struct World {
    pub(crate) handle: Handle,
    pub(crate) machine: Machine,
    pub(crate) dir: TempDir,
    pub(crate) cutters: Vec<Cutter>,
    events: broadcast::Receiver<Event>,
}

/// What a test wants to be different.
pub(crate) struct Plan {
    pub(crate) dialect: Dialect,
    pub(crate) config: Config,
    /// Links that can be had, one after the other.
    pub(crate) links: usize,
    pub(crate) cable_bytes: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self::of(Dialect::Grbl)
    }
}

impl Plan {
    pub(crate) fn of(dialect: Dialect) -> Self {
        Self {
            dialect,
            config: Config::new(streamer::Config::new(dialect)),
            links: 1,
            cable_bytes: 4096,
        }
    }

    pub(crate) fn config(mut self, change: impl FnOnce(Config) -> Config) -> Self {
        self.config = change(self.config);
        self
    }

    pub(crate) async fn open(self) -> World {
        let machine = Machine::new(self.dialect);
        let mut cutters = Vec::new();
        let links: Vec<Box<dyn Link>> = (0..self.links)
            .map(|_| {
                let (link, peer) = duplex(self.cable_bytes);
                cutters.push(peer.cutter());
                tokio::spawn(machine.clone().serve(peer));
                Box::new(link) as Box<dyn Link>
            })
            .collect();
        let (sender, events) = broadcast::channel(1 << 16);
        let connect = Box::new(Sequence::new("memory", links));
        let handle = open_with(connect, self.config, sender)
            .await
            .expect("the controller greets");
        World {
            handle,
            machine,
            cutters,
            dir: TempDir::new().expect("a directory"),
            events,
        }
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Plan::default().open().await
    }

    pub(crate) fn bench(&self, change: impl FnOnce(&mut Bench)) {
        change(&mut self.machine.bench());
    }

    /// Writes a file and vets it.
    pub(crate) fn job(&self, text: &str) -> Job {
        self.job_with(text, ChainConfig::new(self.machine.dialect))
    }

    pub(crate) fn job_with(&self, text: &str, chain: ChainConfig) -> Job {
        std::fs::write(self.file(), text).expect("a file");
        let chain = Arc::new(Chain::new(chain));
        let vetted = vet(&self.file(), &chain, |_| true).expect("a clean file");
        Job::new(vetted, chain)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.path().join("part.gcode")
    }

    pub(crate) fn store(&self) -> Store<Record> {
        let config = feedhold_checkpoint::Config::default();
        Store::create(&self.dir.path().join("job"), &config).expect("a store")
    }

    /// Starts a job; it is taken by the session before anything else is asked.
    pub(crate) async fn start(&self, job: Job) -> JoinHandle<Result<Outcome, RunError>> {
        let handle = self.handle.clone();
        let running = tokio::spawn(async move { handle.run(job).await });
        self.state(|state| !matches!(state, State::Ready)).await;
        running
    }

    /// Waits until the session does that.
    pub(crate) async fn state(&self, wanted: impl Fn(State) -> bool) {
        self.until(|| wanted(self.handle.snapshot().state)).await;
    }

    /// Waits until that is so; gives up after ten minutes of virtual time.
    pub(crate) async fn until(&self, mut so: impl FnMut() -> bool) {
        for _ in 0..600_000 {
            if so() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("it never came: {:?}", self.handle.snapshot());
    }

    /// Everything that was told since the last call.
    pub(crate) fn heard(&mut self) -> Vec<Event> {
        let mut heard = Vec::new();
        loop {
            match self.events.try_recv() {
                Ok(event) => heard.push(event),
                Err(TryRecvError::Lagged(count)) => panic!("the test missed {count} events"),
                Err(_) => return heard,
            }
        }
    }

    /// What was told, reports left out, as lines of text.
    pub(crate) fn story(&mut self) -> String {
        let told = self.heard();
        let story = told.iter().filter(|event| {
            !matches!(
                event,
                Event::Progress(_) | Event::Status(_) | Event::Connected { .. }
            )
        });
        story.map(|event| format!("{event:?}\n")).collect()
    }
}

/// `G1X1`, `G1X2`, … so that a line's text tells its number.
pub(crate) fn moves(count: u64) -> String {
    (1..=count).map(|line| format!("G1X{line}F500\n")).collect()
}

/// The number of such a line.
pub(crate) fn number(line: &str) -> Option<u64> {
    line.strip_prefix("G1X")?.strip_suffix("F500")?.parse().ok()
}

pub(crate) async fn finished(job: JoinHandle<Result<Outcome, RunError>>) -> Outcome {
    job.await.expect("no panic").expect("the job began")
}
