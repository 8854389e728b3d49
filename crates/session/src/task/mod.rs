//! The task that owns the streamer, the link and the store.
//!
//! One loop: wait for one thing to happen, let the streamer know, drain what it wants. What is half written stays in [`Wire`],
//! outside the `select!`, so that no branch that loses can lose bytes. Nothing in the loop waits for anything but that one thing:
//! the disk and the file have tasks of their own, and wishes are heard also while there is no link.

mod job;
mod records;
mod rejoin;
mod report;
mod restart;
mod stops;
mod wire;

use std::{collections::HashMap, future::Future, pin::pin, time::Duration};

use feedhold_stream_core::{
    chunk::Prepared,
    dialect::RealtimeCommand,
    resume::Facts,
    streamer::{self, CommandId, Fault, Greeted, Pause, Proceed, Streamer},
};
use feedhold_transport::{Connect, Exchanged, Link, LinkError};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    time::{Instant, Sleep, sleep, sleep_until},
};

use self::{job::Running, rejoin::Comparison, wire::Wire};
use crate::{
    Config, Event, Inquiry, Snapshot, State,
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
    Approach(Vec<u8>, Reply),
    ResetStatistics(Reply),
}

/// One thing that happened.
enum Happened {
    Wish(Option<Wish>),
    Moved(Result<Exchanged, LinkError>),
    Chunk(Option<Result<Prepared, SourceError>>),
    Written(Written),
    Compared(rejoin::Compared),
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

/// What observers can look at.
pub(crate) struct Publish {
    pub(crate) snapshot: watch::Sender<Snapshot>,
    pub(crate) facts: watch::Sender<Option<Facts>>,
}

pub(crate) struct Task {
    config: Config,
    wishes: mpsc::Receiver<Wish>,
    /// All handles are gone.
    abandoned: bool,
    events: broadcast::Sender<Event>,
    publish: Publish,
    streamer: Streamer,
    epoch: Instant,
    job: Option<Running>,
    source: Option<Source>,
    keeper: Option<Keeper>,
    /// A controller that came back is being compared with the job.
    comparison: Option<Comparison>,
    starved_reported: bool,
    /// The controller has restarted since it was greeted: nothing goes on from where it stood then.
    restarted: bool,
    /// Who waits for the answer to a command.
    commands: HashMap<CommandId, Reply>,
    /// Attempts to connect that failed since the controller was last there.
    failed: u32,
    pauses: PauseStats,
    checkpoints: u64,
    resends: u64,
    reported_at: Duration,
    reported_state: State,
}

impl Task {
    pub(crate) fn new(
        config: Config,
        wishes: mpsc::Receiver<Wish>,
        events: broadcast::Sender<Event>,
        publish: Publish,
    ) -> Self {
        let mut streamer = Streamer::new(config.streamer.clone());
        if config.inquiry == Inquiry::Facts {
            streamer.wish_facts();
        }
        Self {
            streamer,
            config,
            wishes,
            abandoned: false,
            events,
            publish,
            epoch: Instant::now(),
            job: None,
            source: None,
            keeper: None,
            comparison: None,
            starved_reported: false,
            restarted: false,
            commands: HashMap::new(),
            failed: 0,
            pauses: PauseStats::default(),
            checkpoints: 0,
            resends: 0,
            reported_at: Duration::ZERO,
            reported_state: State::default(),
        }
    }

    /// Connects, serves the link, and connects again when it breaks, as often as the policy allows.
    pub(crate) async fn run(mut self, mut connect: Box<dyn Connect>, greeting: Greeting) {
        let mut greeting = Some(greeting);
        loop {
            let Some(connected) = self.unless_closed(connect.connect()).await else {
                return;
            };
            let error = match connected {
                Ok(link) => {
                    let name = link.describe();
                    match self.serve(link, &mut greeting).await {
                        Left::Closed => return,
                        Left::Refused(source) => OpenError::Greeting { link: name, source },
                        Left::Lost(error) => error.into(),
                    }
                }
                Err(error) => error.into(),
            };
            if let Some(greeting) = greeting.take() {
                return respond(greeting, Err(error));
            }
            self.failed += 1;
            let Some(wait) = self.config.reconnect.delay(self.failed) else {
                return self.end_for_good(error.to_string()).await;
            };
            self.emit(Event::Reconnecting {
                attempt: self.failed,
                after_ms: millis(wait),
                reason: error.to_string(),
            });
            if self.unless_closed(sleep(wait)).await.is_none() {
                return;
            }
        }
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Waits for something while there is no link, and hears wishes meanwhile. `None` when nobody is interested any more.
    async fn unless_closed<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            self.report_state();
            if self.is_closed() {
                return None;
            }
            tokio::select! {
                done = &mut work => return Some(done),
                wish = self.wishes.recv(), if !self.abandoned => self.hear(wish),
                written = next_written(&mut self.keeper) => self.take_written(written),
            }
        }
    }

    /// There will be no link any more. The last record is still written.
    async fn end_for_good(&mut self, reason: String) {
        self.give_up_lost(&reason);
        self.emit(Event::Disconnected { reason });
        self.report_state();
        while self.job.is_some() {
            let written = next_written(&mut self.keeper).await;
            self.take_written(written);
        }
    }

    fn is_closed(&self) -> bool {
        self.abandoned && self.job.is_none()
    }

    /// Streams over one link until it ends.
    async fn serve(&mut self, link: Box<dyn Link>, greeting: &mut Option<Greeting>) -> Left {
        let mut wire = Wire::new(link, self.streamer.dialect());
        let mut alarm = pin!(sleep_until(self.epoch));
        self.streamer.handle_connected(self.now());
        loop {
            if let Some(left) = self.drain(&mut wire, greeting) {
                return left;
            }
            self.set(alarm.as_mut());
            match self.wait(&mut wire, alarm.as_mut()).await {
                Happened::Wish(wish) => self.hear(wish),
                Happened::Moved(Ok(moved)) => {
                    self.note_sent(moved.written);
                    let arrived = wire.moved(moved);
                    self.streamer.handle_input(self.now(), arrived);
                    wire.consumed();
                }
                Happened::Moved(Err(error)) => {
                    self.lose_link();
                    return Left::Lost(error);
                }
                Happened::Chunk(chunk) => self.take_chunk(chunk),
                Happened::Written(written) => self.take_written(written),
                Happened::Compared(compared) => self.take_compared(compared),
                Happened::Due => self.streamer.handle_timeout(self.now()),
            }
        }
    }

    /// Sets the alarm to the next instant at which something is due.
    fn set(&self, alarm: core::pin::Pin<&mut Sleep>) {
        let report_at = self.reported_at + REPORT;
        let due = self
            .streamer
            .poll_timeout()
            .map_or(report_at, |due| due.min(report_at));
        let due = self.epoch + due;
        if alarm.deadline() != due {
            alarm.reset(due);
        }
    }

    /// Waits until one thing has happened. The branches are polled in random order, so that none can starve another.
    async fn wait(&mut self, wire: &mut Wire, alarm: core::pin::Pin<&mut Sleep>) -> Happened {
        let wants_chunk = self.streamer.wants_program();
        tokio::select! {
            wish = self.wishes.recv(), if !self.abandoned => Happened::Wish(wish),
            moved = wire.exchange() => Happened::Moved(moved),
            chunk = next_chunk(&mut self.source), if wants_chunk => Happened::Chunk(chunk),
            written = next_written(&mut self.keeper) => Happened::Written(written),
            compared = rejoin::compared(&mut self.comparison) => Happened::Compared(compared),
            () = alarm => Happened::Due,
        }
    }

    /// Does what the streamer wants after every change: a record before the lines that need it, lines, then events, until none is
    /// left. Events may change the streamer, so lines are asked for again behind each.
    fn drain(&mut self, wire: &mut Wire, greeting: &mut Option<Greeting>) -> Option<Left> {
        loop {
            let now = self.now();
            self.consider_record(now);
            wire.fill(&mut self.streamer, now);
            let Some(event) = self.streamer.poll_event() else {
                if self.give_up_when_abandoned(now) {
                    continue;
                }
                break;
            };
            match event {
                streamer::Event::Ready(greeted) => self.welcome(wire, greeted, greeting),
                streamer::Event::GreetingFailed(error) => return Some(Left::Refused(error)),
                event => self.on_event(now, event),
            }
        }
        self.report_state();
        self.report();
        self.is_closed().then_some(Left::Closed)
    }

    fn welcome(&mut self, wire: &Wire, greeted: Greeted, greeting: &mut Option<Greeting>) {
        self.failed = 0;
        self.emit(Event::Connected {
            link: wire.describe(),
            rx_bytes: greeted.rx_bytes,
            planner_blocks: greeted.planner_blocks,
            was_reset: greeted.was_reset,
        });
        self.report_state();
        self.restarted = false;
        let facts = self.streamer.facts().cloned();
        self.publish.facts.send_replace(facts);
        if let Some(greeting) = greeting.take() {
            // Whoever opened the session may have given up waiting.
            respond(greeting, Ok(()));
        }
        self.compare();
    }

    fn lose_link(&mut self) {
        let now = self.now();
        self.comparison = None;
        let afterwards = self.afterwards();
        self.streamer.handle_disconnect(now);
        while let Some(event) = self.streamer.poll_event() {
            match (event, afterwards) {
                (streamer::Event::Fault(fault @ Fault::LinkLost { .. }), Some(afterwards)) => {
                    self.lose_job(now, &fault, afterwards);
                }
                (event, _) => self.on_event(now, event),
            }
        }
        self.forget_commands();
    }

    /// The controller has forgotten the commands it was sent, so nobody will answer them.
    fn forget_commands(&mut self) {
        for (_, reply) in self.commands.drain() {
            respond(reply, Err(WishError::Unanswered));
        }
    }

    fn hear(&mut self, wish: Option<Wish>) {
        match wish {
            Some(wish) => self.grant(self.now(), wish),
            None => self.abandoned = true,
        }
    }

    /// Grants a wish, or says why not.
    fn grant(&mut self, now: Duration, wish: Wish) {
        let Some(wish) = self.grant_while_lost(now, wish) else {
            return;
        };
        match wish {
            Wish::Run(job, reply) => self.begin(now, *job, reply),
            Wish::Pause(pause, reply) => {
                respond(reply, self.streamer.hold(now, pause).map_err(Into::into))
            }
            Wish::Resume(reply) => respond(reply, self.go_on(now)),
            Wish::Cancel(reply) => respond(reply, self.streamer.cancel(now).map_err(Into::into)),
            Wish::Reset(reply) => respond(reply, self.reset(now)),
            Wish::Proceed(proceed, reply) => {
                let gone_on = self.streamer.proceed(now, proceed);
                if gone_on.is_ok() {
                    self.forget_macro();
                }
                respond(reply, gone_on.map_err(Into::into));
            }
            Wish::Realtime(command, reply) => {
                let sent = self.streamer.realtime(command);
                respond(reply, sent.then_some(()).ok_or(WishError::NotRealtime));
            }
            Wish::Command(line, reply) => self.send_command(&line, reply),
            Wish::Approach(line, reply) => self.approach(&line, reply),
            Wish::ResetStatistics(reply) => {
                self.pauses = PauseStats::default();
                self.checkpoints = 0;
                self.resends = 0;
                self.emit(Event::StatisticsReset);
                respond(reply, Ok(()));
            }
        }
    }

    pub(super) fn send_command(&mut self, line: &[u8], reply: Reply) {
        match self.streamer.command(line) {
            Ok(id) => {
                self.commands.insert(id, reply);
            }
            Err(error) => respond(reply, Err(error.into())),
        }
    }

    fn take_chunk(&mut self, chunk: Option<Result<Prepared, SourceError>>) {
        match chunk {
            Some(Ok(chunk)) => {
                self.note_prepared(&chunk);
                self.streamer.push(chunk);
            }
            Some(Err(error)) => {
                self.source = None;
                self.source_failed(&error);
            }
            None => {
                self.source = None;
                let chunks = self.job.as_ref().map_or(0, Running::chunks);
                self.streamer.finish();
                self.emit(Event::ProcessingCompleted { chunks });
            }
        }
        self.report_memory();
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

async fn next_written(keeper: &mut Option<Keeper>) -> Written {
    match keeper {
        Some(keeper) => keeper.written().await,
        None => std::future::pending().await,
    }
}

fn respond<T>(reply: oneshot::Sender<T>, answer: T) {
    // The asker may have gone; its wish was granted all the same.
    let _ = reply.send(answer);
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
