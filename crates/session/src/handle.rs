//! The outside of a session: wishes in, events and snapshots out.

use feedhold_checkpoint::{Store, backend::Backend};
use feedhold_stream_core::{
    dialect::RealtimeCommand,
    resume::Facts,
    streamer::{CommandError, GreetingError, Pause, Positions, Proceed, WrongState},
    wire::Chain,
};
use feedhold_transport::{Connect, ConnectError, LinkError};
use std::{fmt, sync::Arc, time::Duration};
use thiserror::Error;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::{
    Config, Event, Snapshot, State, Vetted,
    keeper::Durable,
    record::{Record, Setup},
    source::SourceError,
    task::{Publish, Task, Wish},
};

/// Wishes that may wait for the session's attention.
const WISHES: usize = 32;

/// Why a session could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The link could not be opened.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The link was lost while the controller was proving itself alive.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The controller cannot be used.
    #[error("{link}: {source}")]
    Greeting {
        /// Where the link leads.
        link: String,
        /// Why.
        source: GreetingError,
    },
    /// The session ended before it could answer.
    #[error("the session has ended")]
    Gone,
}

/// Why a job could not begin.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// Another job runs, or the machine is not ready.
    #[error(transparent)]
    WrongState(#[from] WrongState),
    /// The file cannot be read any more, or has changed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The last record of the job before is still being written, or that job waits for its link.
    #[error("the job before is not over yet; wait for its outcome")]
    Busy,
    /// It goes on from a place, and the controller has restarted since it said where it stands.
    #[error("the controller has restarted since it was asked where it stands; connect to it anew")]
    Restarted,
    /// The session has ended.
    #[error(
        "the session has ended: the link was lost and did not come back; nothing of the job was sent"
    )]
    Gone,
}

/// Why a wish was not granted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WishError {
    /// It does not fit what the session is doing.
    #[error(transparent)]
    WrongState(#[from] WrongState),
    /// The command was not taken.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The controller refused the command.
    #[error("the controller answered {0}")]
    Refused(String),
    /// This firmware has no such realtime command.
    #[error("this controller has no such realtime command")]
    NotRealtime,
    /// The job cannot go on: the file or the store failed, and the machine is being brought to rest.
    #[error("the job cannot go on and is being brought to rest: {0}")]
    Ending(String),
    /// The link of the job is lost.
    #[error(
        "the link is lost and tried again; only pausing and cancelling the job is possible meanwhile"
    )]
    Reconnecting,
    /// The machine does something else, or a fault has to be decided about first.
    #[error("the way back to a part begins on a machine that stands ready, and this one is {0:?}")]
    NotReady(State),
    /// The controller has restarted since it said where it stands: what leads from there would lead elsewhere.
    #[error("the controller has restarted since it was asked where it stands; connect to it anew")]
    Restarted,
    /// The controller was reset, or the link lost, before the answer came. Whether the line was executed is unknown.
    #[error(
        "no answer came: the controller was reset or the link was lost; whether the line was executed is unknown"
    )]
    Unanswered,
    /// The session has ended.
    #[error("the session has ended")]
    Gone,
}

/// A job: a vetted file on its way to the machine.
pub struct Job {
    pub(crate) vetted: Vetted,
    pub(crate) chain: Arc<Chain>,
    pub(crate) done: u64,
    pub(crate) offset: u64,
    pub(crate) store: Option<Box<dyn Durable>>,
    pub(crate) machine: String,
    pub(crate) set_up: Option<Setup>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("file", &self.vetted.identity)
            .field("done", &self.done)
            .field("offset", &self.offset)
            .field("machine", &self.machine)
            .field("has_store", &self.store.is_some())
            .finish_non_exhaustive()
    }
}

impl Job {
    /// The whole of a file that was vetted with this chain.
    #[must_use]
    pub fn new(vetted: Vetted, chain: Arc<Chain>) -> Self {
        Self {
            vetted,
            chain,
            done: 0,
            offset: 0,
            store: None,
            machine: String::new(),
            set_up: None,
        }
    }

    /// Lines up to `done` are executed already; the next line begins at byte `offset` of the file, which is checked when the job
    /// begins. Positions go on from there; chunks are counted from 0 again.
    ///
    /// The lines before are not read again, so what lossless packing would need to know about them is not known: from here on only
    /// spaces are taken out.
    #[must_use]
    pub fn starting_behind(mut self, done: u64, offset: u64) -> Self {
        self.done = done;
        self.offset = offset;
        self
    }

    /// Records go into this store, and no line leaves without a durable lease.
    #[must_use]
    pub fn store<B: Backend + Send + 'static>(mut self, store: Store<Record, B>) -> Self {
        self.store = Some(Box::new(store));
        self
    }

    /// How the machine was set up when the job began, when it goes on now. Default: as it is when the first record is written.
    #[must_use]
    pub fn set_up(mut self, set_up: Option<Setup>) -> Self {
        self.set_up = set_up;
        self
    }

    /// How the user calls the machine, for the records.
    #[must_use]
    pub fn machine(mut self, machine: impl Into<String>) -> Self {
        self.machine = machine.into();
        self
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// In one word.
    pub ending: Ending,
    /// Where it stood.
    pub positions: Positions,
    /// From the first byte to the end.
    pub elapsed: Duration,
    /// Lines answered.
    pub lines: u64,
    /// Bytes handed to the link, protocol framing included.
    pub bytes_sent: u64,
    /// How often the controller asked for lines again.
    pub resends: u64,
}

/// The word for an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The whole program was executed.
    Finished,
    /// Somebody gave it up and the machine stands still.
    Cancelled,
    /// It could not go on.
    Failed {
        /// On whose side.
        cause: Cause,
        /// What happened, where, and what to do.
        message: String,
    },
}

/// What a job failed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The machine, or the link to it.
    Machine,
    /// The file: it changed, or cannot be read any more.
    Source,
    /// The store: no record could be written.
    Records,
    /// The operator: every handle is gone, and the job waited for a decision.
    Abandoned,
}

impl Ending {
    /// `finished`, `cancelled` or `failed`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
            Self::Failed { .. } => "failed",
        }
    }
}

/// A session's outside. Clones speak to the same session; it ends when the last of them is gone and no job runs. A job that is
/// under way then is finished first, unless it comes to a point where somebody has to decide: there it is given up, and the
/// machine stands still.
#[derive(Debug, Clone)]
pub struct Handle {
    wishes: mpsc::Sender<Wish>,
    events: broadcast::Sender<Event>,
    snapshot: watch::Receiver<Snapshot>,
    facts: watch::Receiver<Option<Facts>>,
}

/// Connects to a machine and waits until it has proved itself alive and idle. Nothing that moves it is sent.
///
/// Must be called inside a tokio runtime: the session is a task of its own.
///
/// # Errors
/// [`OpenError`] when there is no link, or nobody usable at its other end.
pub async fn open(connect: Box<dyn Connect>, config: Config) -> Result<Handle, OpenError> {
    let (events, _) = broadcast::channel(config.events);
    open_with(connect, config, events).await
}

/// Like [`open`], with a channel for events that was made before, so that nothing of the greeting is missed.
///
/// # Errors
/// As [`open`].
pub async fn open_with(
    connect: Box<dyn Connect>,
    config: Config,
    events: broadcast::Sender<Event>,
) -> Result<Handle, OpenError> {
    let (wishes, incoming) = mpsc::channel(WISHES);
    let (publish, snapshot) = watch::channel(Snapshot::default());
    let (publish_facts, facts) = watch::channel(None);
    let (greeted, answer) = oneshot::channel();
    let publish = Publish {
        snapshot: publish,
        facts: publish_facts,
    };
    let task = Task::new(config, incoming, events.clone(), publish);
    tokio::spawn(task.run(connect, greeted));
    answer.await.map_err(|_| OpenError::Gone)??;
    Ok(Handle {
        wishes,
        events,
        snapshot,
        facts,
    })
}

impl Handle {
    /// Events from now on. A subscriber that falls behind is told how many it missed, and never slows the machine.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// The state now; its figures are at most a tenth of a second old.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.borrow().clone()
    }

    /// What the controller said of itself when the link came up; `None` unless the session was told to ask
    /// ([`Inquiry::Facts`](crate::Inquiry::Facts)), and once the controller has restarted since: then it holds no more.
    #[must_use]
    pub fn facts(&self) -> Option<Facts> {
        self.facts.borrow().clone()
    }

    /// Streams a job and waits for its end.
    ///
    /// # Errors
    /// [`RunError`] when it cannot begin. How it ended, well or badly, is in the [`Outcome`].
    pub async fn run(&self, job: Job) -> Result<Outcome, RunError> {
        let (reply, answer) = oneshot::channel();
        self.wishes
            .send(Wish::Run(Box::new(job), reply))
            .await
            .map_err(|_| RunError::Gone)?;
        answer.await.map_err(|_| RunError::Gone)?
    }

    /// Pauses the job. Returns when the wish was understood; [`Event::StreamingPaused`] tells that the machine stands still.
    ///
    /// # Errors
    /// [`WishError`] when no job is moving.
    pub async fn pause(&self, pause: Pause) -> Result<(), WishError> {
        self.ask(|reply| Wish::Pause(pause, reply)).await
    }

    /// Goes on after a pause, or behind a line the controller refused.
    ///
    /// # Errors
    /// [`WishError`] when nothing is paused.
    pub async fn resume(&self) -> Result<(), WishError> {
        self.ask(Wish::Resume).await
    }

    /// Gives the job up and brings the machine to rest.
    ///
    /// # Errors
    /// [`WishError`] when no job runs.
    pub async fn cancel(&self) -> Result<(), WishError> {
        self.ask(Wish::Cancel).await
    }

    /// Stops the machine at once, whatever it does.
    ///
    /// # Errors
    /// [`WishError`] without a link.
    pub async fn reset(&self) -> Result<(), WishError> {
        self.ask(Wish::Reset).await
    }

    /// Decides at a program stop.
    ///
    /// # Errors
    /// [`WishError`] when no stop waits.
    pub async fn proceed(&self, proceed: Proceed) -> Result<(), WishError> {
        self.ask(|reply| Wish::Proceed(proceed, reply)).await
    }

    /// Sends a realtime command: an override, the door, a jog cancel.
    ///
    /// # Errors
    /// [`WishError::NotRealtime`] when the firmware has none of that kind.
    pub async fn realtime(&self, command: RealtimeCommand) -> Result<(), WishError> {
        self.ask(|reply| Wish::Realtime(command, reply)).await
    }

    /// Sends one line beside the program and waits for its answer.
    ///
    /// # Errors
    /// [`WishError`] when it was not taken, or the controller refused it.
    pub async fn command(&self, line: impl Into<Vec<u8>>) -> Result<(), WishError> {
        let line = line.into();
        self.ask(|reply| Wish::Command(line, reply)).await
    }

    /// Sends one line of the way back to a part and waits for its answer. Unlike a [`command`](Self::command) it leaves only while
    /// the machine stands ready, and the controller is the one that said where it stands.
    ///
    /// # Errors
    /// [`WishError`] when it was not taken, or the controller refused it; [`WishError::Restarted`] when the controller has restarted
    /// since the link came up.
    pub async fn approach(&self, line: impl Into<Vec<u8>>) -> Result<(), WishError> {
        let line = line.into();
        self.ask(|reply| Wish::Approach(line, reply)).await
    }

    /// Sets the counters of the snapshot back to zero.
    ///
    /// # Errors
    /// [`WishError::Gone`] when the session has ended.
    pub async fn reset_statistics(&self) -> Result<(), WishError> {
        self.ask(Wish::ResetStatistics).await
    }

    async fn ask(
        &self,
        wish: impl FnOnce(oneshot::Sender<Result<(), WishError>>) -> Wish,
    ) -> Result<(), WishError> {
        let (reply, answer) = oneshot::channel();
        self.wishes
            .send(wish(reply))
            .await
            .map_err(|_| WishError::Gone)?;
        answer.await.map_err(|_| WishError::Gone)?
    }
}
