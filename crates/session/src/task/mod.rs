//! The task that owns the streamer, the link and the store.
//!
//! One loop: wait for one thing to happen, let the streamer know, drain what it wants. What is half written stays in [`Wire`],
//! outside the `select!`, so that no branch that loses can lose bytes.

mod job;
mod report;
mod wire;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use feedhold_stream_core::{
    chunk::Prepared,
    dialect::RealtimeCommand,
    streamer::{self, CommandId, Greeted, Pause, Proceed, Streamer},
};
use feedhold_transport::{Connect, Exchanged, Link, LinkError};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    time::{Instant, sleep_until},
};

use self::{job::Running, wire::Wire};
use crate::{
    Config, Event, Snapshot,
    handle::{Job, OpenError, Outcome, RunError, WishError},
    keeper::{Keeper, Written},
    snapshot::PauseStats,
    source::{Source, SourceError},
};

type Reply = oneshot::Sender<Result<(), WishError>>;
type Greeting = oneshot::Sender<Result<(), OpenError>>;

/// How often observers get a fresh snapshot.
const REPORT: Duration = Duration::from_millis(100);

/// What a handle may ask for.
#[derive(Debug)]
pub(crate) enum Wish {
    Run(Box<Job>, oneshot::Sender<Result<Outcome, RunError>>),
    Pause(Pause, Reply),
    Resume(Reply),
    Cancel(Reply),
    Reset(Reply),
    Proceed(Proceed, Reply),
    Realtime(RealtimeCommand, Reply),
    Command(Vec<u8>, Reply),
    ResetStatistics(Reply),
}

/// One thing that happened.
enum Happened {
    Wish(Option<Wish>),
    Moved(Result<Exchanged, LinkError>),
    Chunk(Option<Result<Prepared, SourceError>>),
    Written(Option<Written>),
    Due,
}

/// Why the loop over one link ended.
enum Left {
    /// Nobody holds a handle any more, and no job runs.
    Closed,
    /// The link broke.
    Lost(LinkError),
    /// The controller cannot be used.
    Refused(streamer::GreetingError),
}

pub(crate) struct Task {
    config: Config,
    connect: Box<dyn Connect>,
    wishes: mpsc::Receiver<Wish>,
    /// All handles are gone.
    abandoned: bool,
    events: broadcast::Sender<Event>,
    publish: watch::Sender<Snapshot>,
    streamer: Streamer,
    epoch: Instant,
    job: Option<Running>,
    source: Option<Source>,
    keeper: Option<Keeper>,
    /// The budget has nothing to give to the reader.
    starved: Arc<AtomicBool>,
    starved_reported: bool,
    commands: HashMap<CommandId, Reply>,
    pauses: PauseStats,
    checkpoints: u64,
    resends: u64,
    reported_at: Duration,
}

impl Task {
    pub(crate) fn new(
        config: Config,
        connect: Box<dyn Connect>,
        wishes: mpsc::Receiver<Wish>,
        events: broadcast::Sender<Event>,
        publish: watch::Sender<Snapshot>,
    ) -> Self {
        Self {
            streamer: Streamer::new(config.streamer.clone()),
            config,
            connect,
            wishes,
            abandoned: false,
            events,
            publish,
            epoch: Instant::now(),
            job: None,
            source: None,
            keeper: None,
            starved: Arc::new(AtomicBool::new(false)),
            starved_reported: false,
            commands: HashMap::new(),
            pauses: PauseStats::default(),
            checkpoints: 0,
            resends: 0,
            reported_at: Duration::ZERO,
        }
    }

    /// Connects, serves the link, and connects again when it breaks, as often as the policy allows.
    pub(crate) async fn run(mut self, greeting: Greeting) {
        let mut greeting = Some(greeting);
        let mut failed = 0;
        loop {
            let reason = match self.connect.connect().await {
                Ok(link) => {
                    let name = link.describe();
                    match self.serve(link, &mut greeting).await {
                        Left::Closed => return,
                        Left::Refused(source) if greeting.is_some() => {
                            return answer(
                                greeting.take(),
                                OpenError::Greeting { link: name, source },
                            );
                        }
                        Left::Lost(error) if greeting.is_some() => {
                            return answer(greeting.take(), error.into());
                        }
                        Left::Refused(error) => error.to_string(),
                        Left::Lost(error) => {
                            failed = 0;
                            error.to_string()
                        }
                    }
                }
                Err(error) if greeting.is_some() => return answer(greeting.take(), error.into()),
                Err(error) => error.to_string(),
            };
            failed += 1;
            let Some(wait) = self
                .config
                .reconnect
                .delay(failed)
                .filter(|_| !self.abandoned)
            else {
                self.emit(Event::Disconnected {
                    reason: reason.clone(),
                });
                self.job_failed(reason).await;
                return;
            };
            self.emit(Event::Reconnecting {
                attempt: failed,
                after_ms: millis(wait),
                reason,
            });
            self.publish_snapshot();
            tokio::time::sleep(wait).await;
        }
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Streams over one link until it ends.
    async fn serve(&mut self, link: Box<dyn Link>, greeting: &mut Option<Greeting>) -> Left {
        let mut wire = Wire::new(link, self.streamer.dialect());
        self.streamer.handle_connected(self.now());
        loop {
            if let Some(left) = self.drain(&mut wire, greeting).await {
                return left;
            }
            let happened = self.wait(&mut wire).await;
            let now = self.now();
            match happened {
                Happened::Wish(Some(wish)) => self.grant(now, wish).await,
                Happened::Wish(None) => self.abandoned = true,
                Happened::Moved(Ok(moved)) => {
                    self.note_sent(moved.written);
                    let arrived = wire.moved(moved);
                    self.streamer.handle_input(now, arrived);
                    wire.consumed();
                }
                Happened::Moved(Err(error)) => {
                    self.streamer.handle_disconnect(now);
                    let _ = self.drain(&mut wire, &mut None).await;
                    return Left::Lost(error);
                }
                Happened::Chunk(chunk) => self.take_chunk(now, chunk),
                Happened::Written(written) => self.take_written(written),
                Happened::Due => self.streamer.handle_timeout(now),
            }
        }
    }

    /// Waits until one thing has happened.
    async fn wait(&mut self, wire: &mut Wire) -> Happened {
        let report_at = self.reported_at + REPORT;
        let due = self
            .streamer
            .poll_timeout()
            .map_or(report_at, |due| due.min(report_at));
        let due = self.epoch + due;
        let wants_chunk = self.streamer.wants_program();
        tokio::select! {
            wish = self.wishes.recv(), if !self.abandoned => Happened::Wish(wish),
            moved = wire.exchange() => Happened::Moved(moved),
            chunk = next_chunk(&mut self.source), if wants_chunk => Happened::Chunk(chunk),
            written = next_written(&mut self.keeper) => Happened::Written(written),
            () = sleep_until(due) => Happened::Due,
        }
    }

    /// Does what the streamer wants after every change.
    async fn drain(&mut self, wire: &mut Wire, greeting: &mut Option<Greeting>) -> Option<Left> {
        loop {
            let now = self.now();
            self.consider_record(now);
            wire.fill(&mut self.streamer, now);
            let Some(event) = self.streamer.poll_event() else {
                break;
            };
            match event {
                streamer::Event::Ready(greeted) => self.welcome(wire, greeted, greeting),
                streamer::Event::GreetingFailed(error) => return Some(Left::Refused(error)),
                event => self.on_event(now, event).await,
            }
        }
        self.report();
        (self.abandoned && self.job.is_none()).then_some(Left::Closed)
    }

    fn welcome(&mut self, wire: &Wire, greeted: Greeted, greeting: &mut Option<Greeting>) {
        self.emit(Event::Connected {
            link: wire.describe(),
            rx_bytes: greeted.rx_bytes,
            planner_blocks: greeted.planner_blocks,
            was_reset: greeted.was_reset,
        });
        self.publish_snapshot();
        if let Some(greeting) = greeting.take() {
            // Whoever opened the session may have given up waiting.
            let _ = greeting.send(Ok(()));
        }
    }

    /// Grants a wish, or says why not.
    async fn grant(&mut self, now: Duration, wish: Wish) {
        match wish {
            Wish::Run(job, reply) => self.begin(now, *job, reply).await,
            Wish::Pause(pause, reply) => respond(
                reply,
                self.streamer.hold(now, pause).map_err(WishError::from),
            ),
            Wish::Resume(reply) => {
                respond(reply, self.streamer.resume(now).map_err(WishError::from))
            }
            Wish::Cancel(reply) => {
                respond(reply, self.streamer.cancel(now).map_err(WishError::from))
            }
            Wish::Reset(reply) => respond(reply, self.streamer.reset(now).map_err(WishError::from)),
            Wish::Proceed(proceed, reply) => respond(
                reply,
                self.streamer.proceed(now, proceed).map_err(WishError::from),
            ),
            Wish::Realtime(command, reply) => {
                let sent = self.streamer.realtime(command);
                respond(
                    reply,
                    if sent {
                        Ok(())
                    } else {
                        Err(WishError::NotRealtime)
                    },
                );
            }
            Wish::Command(line, reply) => match self.streamer.command(&line) {
                Ok(id) => {
                    self.commands.insert(id, reply);
                }
                Err(error) => respond(reply, Err(error.into())),
            },
            Wish::ResetStatistics(reply) => {
                self.pauses = PauseStats::default();
                self.checkpoints = 0;
                self.resends = 0;
                self.emit(Event::StatisticsReset);
                respond(reply, Ok(()));
            }
        }
    }

    fn take_chunk(&mut self, _now: Duration, chunk: Option<Result<Prepared, SourceError>>) {
        match chunk {
            Some(Ok(chunk)) => {
                self.note_prepared(&chunk);
                self.streamer.push(chunk);
            }
            Some(Err(error)) => {
                self.source = None;
                self.source_failed(error);
            }
            None => {
                self.source = None;
                let chunks = self.job.as_ref().map_or(0, Running::chunks);
                self.streamer.finish();
                self.emit(Event::ProcessingCompleted { chunks });
            }
        }
        self.report_starvation();
    }

    fn report_starvation(&mut self) {
        let starved = self.starved.load(Ordering::Relaxed);
        if starved == self.starved_reported {
            return;
        }
        self.starved_reported = starved;
        let used_bytes = self.config.budget.used();
        self.emit(if starved {
            Event::ProcessingPaused { used_bytes }
        } else {
            Event::ProcessingResumed { used_bytes }
        });
    }

    fn emit(&self, event: Event) {
        // Nobody may be listening.
        let _ = self.events.send(event);
    }
}

async fn next_chunk(source: &mut Option<Source>) -> Option<Result<Prepared, SourceError>> {
    match source {
        Some(source) => source.next().await,
        None => std::future::pending().await,
    }
}

async fn next_written(keeper: &mut Option<Keeper>) -> Option<Written> {
    match keeper {
        Some(keeper) => keeper.written().await,
        None => std::future::pending().await,
    }
}

fn respond<T>(reply: oneshot::Sender<T>, answer: T) {
    // The asker may have gone; its wish was granted all the same.
    let _ = reply.send(answer);
}

fn answer(greeting: Option<Greeting>, error: OpenError) {
    if let Some(greeting) = greeting {
        respond(greeting, Err(error));
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
