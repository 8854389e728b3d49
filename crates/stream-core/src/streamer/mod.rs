//! The streamer: one state machine between prepared chunks and the bytes of a link.
//!
//! It owns no clock, no file and no socket. The driver tells it what happened and when, then asks what to do. The methods come in
//! four families:
//!
//! * **what happened**: [`handle_connected`](Streamer::handle_connected), [`handle_input`](Streamer::handle_input),
//!   [`handle_timeout`](Streamer::handle_timeout), [`handle_disconnect`](Streamer::handle_disconnect);
//! * **the program**: [`begin`](Streamer::begin), [`push`](Streamer::push), [`finish`](Streamer::finish),
//!   [`lease`](Streamer::lease);
//! * **the operator**: [`hold`](Streamer::hold), [`resume`](Streamer::resume), [`proceed`](Streamer::proceed),
//!   [`cancel`](Streamer::cancel), [`reset`](Streamer::reset), [`command`](Streamer::command),
//!   [`realtime`](Streamer::realtime);
//! * **what to do**: [`poll_realtime`](Streamer::poll_realtime), [`poll_transmit`](Streamer::poll_transmit),
//!   [`poll_event`](Streamer::poll_event), [`poll_timeout`](Streamer::poll_timeout), to be polled in this order after every change.

mod config;
mod count;
mod event;
mod executed;
mod flight;
mod geometry;
mod greeting;
mod inquiry;
mod operator;
mod position;
mod program;
mod receive;
mod settle;
#[cfg(test)]
mod tests;
mod timer;
mod transmit;
mod watch;

use core::time::Duration;
use std::collections::VecDeque;

pub use config::{Config, OutOfRange, Windowing};
pub use event::{
    CommandId, Event, Expiry, Fault, Greeted, GreetingError, MachineAction, Pause, Proceed,
};
pub use operator::{CommandError, WrongState};
pub use position::{InDoubt, Positions};

use self::{
    count::Count,
    executed::Executed,
    flight::{Flight, History, Query},
    geometry::Geometry,
    greeting::Greeting,
    program::Program,
    timer::{Timer, Timers},
};
use crate::{
    chunk::{Prepared, Stop},
    dialect::{Dialect, ResponseReader, StatusReport},
    resume::{Facts, NumberAnchor},
    window::Window,
};

/// Chunks with lines to send that are taken ahead; enough to never starve, few enough to stay small.
const CHUNKS_AHEAD: usize = 2;
/// Most events kept for a driver that does not collect them.
const MAX_EVENTS: usize = 256;

/// What was handed out and must not leave any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Withdrawn {
    /// All of it may leave.
    #[default]
    Nothing,
    /// No line, since the job stands still in a fault. A half-written one is finished where the next would be joined to it.
    Lines,
    /// Not even the rest of a line: the controller has forgotten its beginning, or is dead.
    All,
}

/// What the streamer is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// No link.
    Disconnected,
    /// The controller is proving itself alive.
    Greeting,
    /// Connected, and no program runs.
    Ready,
    /// A program runs.
    Streaming,
    /// A pause was asked for and is not confirmed yet.
    Pausing,
    /// The machine stands still; the job waits.
    Paused,
    /// A resume was asked for and is not confirmed yet.
    Resuming,
    /// A program stop was reached and waits for the operator.
    AtStop,
    /// The job is being cancelled.
    Cancelling,
    /// The job stands still because of a [`Fault`].
    Faulted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Disconnected,
    Greeting,
    Ready,
    Streaming,
    Pausing { pause: Pause, since: Duration },
    Paused { pause: Pause },
    Resuming { pause: Pause, since: Duration },
    AtStop { stop: Stop, line: u64 },
    Cancelling(Cancelling),
    Faulted { held: bool, mute: bool },
}

/// The steps of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cancelling {
    /// Waiting for the feed hold to stand.
    Holding,
    /// Waiting for the banner of the soft reset.
    Resetting,
    /// Waiting until the machine has finished what it was sent (no realtime commands).
    Draining,
}

/// Streams a program to one controller and knows at every instant what was sent, accepted and executed.
///
/// ```
/// use std::time::Duration;
///
/// use feedhold_stream_core::{
///     dialect::Dialect,
///     streamer::{Config, Event, Streamer},
///     wire::{Chain, ChainConfig},
/// };
///
/// // A controller for the example: greets, identifies itself, answers every line with `ok`.
/// fn controller(bytes: &[u8]) -> Vec<u8> {
///     let mut answer = Vec::new();
///     for line in bytes.split_inclusive(|&b| b == b'\n') {
///         match line {
///             b"?" => answer.extend_from_slice(b"<Idle|MPos:0.000,0.000,0.000|FS:0,0>\r\n"),
///             b"$I\n" => answer.extend_from_slice(b"[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\nok\r\n"),
///             _ => answer.extend_from_slice(b"ok\r\n"),
///         }
///     }
///     answer
/// }
///
/// let mut now = Duration::ZERO;
/// let mut streamer = Streamer::new(Config::new(Dialect::Grbl));
/// streamer.handle_connected(now);
/// streamer.begin(0).unwrap_err(); // not before the controller has proved itself alive
///
/// let mut out = Vec::new();
/// let finished = 'job: loop {
///     // 1. Mutate: one thing that happened. Here: what the controller answers, or else time passing.
///     let input = controller(&out);
///     out.clear();
///     if input.is_empty() {
///         now = streamer.poll_timeout().expect("something is always due in a running job");
///         streamer.handle_timeout(now);
///     } else {
///         streamer.handle_input(now, &input);
///     }
///     // 2. Drain: transmit, then events.
///     let _ = streamer.poll_realtime(&mut out);
///     let _ = streamer.poll_transmit(now, &mut out);
///     while let Some(event) = streamer.poll_event() {
///         match event {
///             Event::Ready(_) => {
///                 streamer.begin(0).unwrap();
///                 let chain = Chain::new(ChainConfig::new(Dialect::Grbl));
///                 streamer.push(chain.program("G21\nG1 X10 F600\nG1 X0\n").unwrap());
///                 streamer.finish();
///             }
///             Event::Finished => break 'job true,
///             Event::Fault(_) | Event::GreetingFailed(_) => break 'job false,
///             _ => {}
///         }
///     }
///     // 3. Wait: a real driver sleeps until the link is ready or `poll_timeout`.
/// };
/// assert!(finished);
/// assert_eq!(streamer.positions().executed, 3);
/// ```
#[derive(Debug)]
pub struct Streamer {
    config: Config,
    phase: Phase,
    reader: ResponseReader,
    program: Program,
    flight: Flight,
    history: History,
    /// Number of the next line on a numbered protocol.
    next_number: u64,
    count: Count,
    /// `ok`s still to come that belong to resend requests, not to lines.
    resend_answers: u32,
    /// An error naming a line number came and its `Resend` did not, yet.
    resend_announced: bool,
    /// For each question after a silence: the number of the first line sent behind it.
    probes: VecDeque<u64>,
    commands: VecDeque<transmit::Queued>,
    next_command: u64,
    /// Commands below this number were told their answer. One that is sent again on request is answered again, and nobody waits.
    told_commands: u64,
    realtime: Vec<u8>,
    greeting: Greeting,
    greeted: Option<Greeted>,
    wishes_facts: bool,
    taking_stock: bool,
    facts: Option<Box<Facts>>,
    executed: Executed,
    /// Follows the program, when facts are wished for.
    geometry: Option<Geometry>,
    /// Where what was sent before it has led, while the controller is asked for modes and offsets.
    followed: Option<Geometry>,
    idle: watch::Idle,
    /// Source line last handed out.
    sent: u64,
    ceiling: u64,
    lease_reported: bool,
    /// Nothing was sent since the planner was proven empty.
    drained: bool,
    last_stop_line: Option<u64>,
    timers: Timers,
    /// When the controller last answered a line or showed progress.
    last_progress: Duration,
    last_answer: Duration,
    /// When a sign came that a long command is still at work.
    last_report: Duration,
    status: Option<StatusReport>,
    status_asked: Option<watch::Asked>,
    idle_polls: u32,
    emergency_parser: bool,
    stray_answers: u64,
    /// What must not leave any more, and the driver does not know yet.
    withdrawn: Withdrawn,
    events: VecDeque<Event>,
    dropped_events: u64,
}

/// # Getters
impl Streamer {
    /// A streamer without a link.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let dialect = config.dialect;
        let window = Window::new(config.window_kind(None));
        Self {
            phase: Phase::Disconnected,
            reader: ResponseReader::new(dialect),
            program: Program::default(),
            flight: Flight::new(window),
            history: History::default(),
            next_number: 1,
            count: Count::default(),
            resend_answers: 0,
            resend_announced: false,
            probes: VecDeque::new(),
            commands: VecDeque::new(),
            next_command: 0,
            told_commands: 0,
            realtime: Vec::new(),
            greeting: Greeting::default(),
            greeted: None,
            wishes_facts: false,
            taking_stock: false,
            facts: None,
            executed: Executed::new(dialect),
            geometry: None,
            followed: None,
            idle: watch::Idle::default(),
            sent: 0,
            ceiling: u64::MAX,
            lease_reported: false,
            drained: true,
            last_stop_line: None,
            timers: Timers::default(),
            last_progress: Duration::ZERO,
            last_answer: Duration::ZERO,
            last_report: Duration::ZERO,
            status: None,
            status_asked: None,
            idle_polls: 0,
            emergency_parser: false,
            stray_answers: 0,
            withdrawn: Withdrawn::Nothing,
            events: VecDeque::new(),
            dropped_events: 0,
            config,
        }
    }

    /// What the streamer is doing.
    #[must_use]
    pub fn state(&self) -> State {
        match self.phase {
            Phase::Disconnected => State::Disconnected,
            Phase::Greeting => State::Greeting,
            Phase::Ready => State::Ready,
            Phase::Streaming => State::Streaming,
            Phase::Pausing { .. } => State::Pausing,
            Phase::Paused { .. } => State::Paused,
            Phase::Resuming { .. } => State::Resuming,
            Phase::AtStop { .. } => State::AtStop,
            Phase::Cancelling(_) => State::Cancelling,
            Phase::Faulted { .. } => State::Faulted,
        }
    }

    /// Where the program stands.
    #[must_use]
    pub fn positions(&self) -> Positions {
        let positions = Positions {
            executed: self.executed.executed(),
            acked: self.executed.acked(),
            sent: self.sent,
            ceiling: self.ceiling,
        };
        debug_assert!(
            positions.executed <= positions.acked && positions.acked <= positions.sent,
            "{positions:?}"
        );
        positions
    }

    /// The credit in use.
    #[must_use]
    pub fn window(&self) -> &Window {
        self.flight.window()
    }

    /// The machine's last state report.
    #[must_use]
    pub fn status(&self) -> Option<&StatusReport> {
        self.status.as_ref()
    }

    /// Who answered the greeting.
    #[must_use]
    pub fn greeted(&self) -> Option<&Greeted> {
        self.greeted.as_ref()
    }

    /// Machine position last reported (grbl), in mm, when [facts](Self::facts) tell the units.
    #[must_use]
    pub fn machine_position(&self) -> Option<[f64; 3]> {
        self.facts
            .as_ref()?
            .machine_position_in(self.status.as_ref()?)?
            .xyz()
    }

    /// Ties the numbers on the wire to lines of the file, for protocols that count lines.
    #[must_use]
    pub fn number_anchor(&self) -> Option<NumberAnchor> {
        let anchor = NumberAnchor {
            number: self.next_number.saturating_sub(1),
            line: self.sent,
        };
        self.is_numbered().then_some(anchor)
    }

    /// What the controller said of itself when the link came up; `None` unless [wished for](Self::wish_facts). Behind a
    /// greeting that failed they hold what was learned until then.
    #[must_use]
    pub fn facts(&self) -> Option<&Facts> {
        self.facts.as_deref()
    }

    /// Answers that nobody waited for, since the streamer was made.
    #[must_use]
    pub fn stray_answers(&self) -> u64 {
        self.stray_answers
    }

    /// The stop that waits for the operator.
    #[must_use]
    pub fn stop(&self) -> Option<(Stop, u64)> {
        match self.phase {
            Phase::AtStop { stop, line } => Some((stop, line)),
            _ => None,
        }
    }

    /// The firmware family spoken to.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.config.dialect
    }
}

/// # The program
impl Streamer {
    /// Starts a program. Lines up to `done` count as executed already: 0 for a whole program, more for a resumed one.
    ///
    /// # Errors
    /// [`WrongState`] unless the streamer is [`Ready`](State::Ready).
    pub fn begin(&mut self, done: u64) -> Result<(), WrongState> {
        self.expect("begin a program", matches!(self.phase, Phase::Ready))?;
        self.program.clear();
        self.executed.begin(done, self.proves_count());
        self.sent = done;
        self.ceiling = self.ceiling.max(done);
        self.last_stop_line = None;
        self.lease_reported = false;
        self.phase = Phase::Streaming;
        self.take_stock();
        self.begin_count();
        Ok(())
    }

    /// Whether the controller is still being asked what is in force and where its offsets are, before the first line of a program
    /// leaves: on grbl, when [facts were wished for](Self::wish_facts). A printer is told where to count lines from.
    #[must_use]
    pub fn is_taking_stock(&self) -> bool {
        self.taking_stock
    }

    /// Whether more chunks are wanted now.
    #[must_use]
    pub fn wants_program(&self) -> bool {
        !self.program.is_finished()
            && self.program.waiting_chunks() < CHUNKS_AHEAD
            && self.is_running()
    }

    /// Adds the next chunk. Chunks must come in order; ask [`wants_program`](Self::wants_program) first to keep memory bounded.
    /// Behind the end of the program they are dropped.
    pub fn push(&mut self, chunk: Prepared) {
        self.program.push(chunk);
    }

    /// The last chunk was pushed.
    pub fn finish(&mut self) {
        self.program.finish();
    }

    /// Extends the send lease: lines up to `ceiling` may leave. Without a call there is no limit. The ceiling never sinks below
    /// what was sent.
    pub fn lease(&mut self, ceiling: u64) {
        self.ceiling = ceiling.max(self.sent);
        self.lease_reported = false;
    }

    /// Whether a program is under way, moving or not.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !matches!(
            self.phase,
            Phase::Disconnected | Phase::Greeting | Phase::Ready
        )
    }
}

/// # What happened
impl Streamer {
    /// The link is up. Nothing that moves the machine is sent until a program begins.
    pub fn handle_connected(&mut self, now: Duration) {
        self.reader = ResponseReader::new(self.config.dialect);
        self.forget_flight();
        self.realtime.clear();
        self.status = None;
        self.phase = Phase::Greeting;
        self.start_greeting(now);
    }

    /// The link is gone. What was in flight stays in doubt.
    pub fn handle_disconnect(&mut self, _now: Duration) {
        if matches!(self.phase, Phase::Disconnected) {
            return;
        }
        let in_doubt = self.positions().in_doubt();
        let was_running = self.is_running();
        self.forget_flight();
        self.realtime.clear();
        self.timers.stop_all();
        self.phase = Phase::Disconnected;
        if was_running {
            self.emit(Event::Fault(Fault::LinkLost { in_doubt }));
        }
    }

    /// Bytes arrived from the controller.
    pub fn handle_input(&mut self, now: Duration, bytes: &[u8]) {
        if matches!(self.phase, Phase::Disconnected) {
            return;
        }
        // The reader lends out what it read, so it steps aside while the responses change everything else.
        let mut reader =
            core::mem::replace(&mut self.reader, ResponseReader::new(self.config.dialect));
        let mut input = bytes;
        while let Some(response) = reader.next(&mut input) {
            self.on_response(now, response);
        }
        self.reader = reader;
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.timers.fire(Timer::Greeting, now) {
            self.on_greeting_timeout();
        }
        if self.timers.fire(Timer::Ask, now) {
            self.ask_again(now);
        }
        if self.timers.fire(Timer::Status, now) {
            self.ask_status(now);
        }
        if self.timers.fire(Timer::Transition, now) {
            self.on_transition_timeout(now);
        }
        if self.timers.fire(Timer::MaxPause, now) {
            self.on_pause_expired(now);
        }
        if self.timers.fire(Timer::Silence, now) {
            self.on_silence(now);
        }
        if self.timers.fire(Timer::Progress, now) {
            self.on_no_progress(now);
        }
        let _ = self.timers.fire(Timer::Quiet, now);
    }
}

/// # What to do
impl Streamer {
    /// What was handed out and must not leave any more, since the last call. [`Outbox`](crate::outbox::Outbox) asks for it.
    #[must_use]
    pub fn take_withdrawn(&mut self) -> Withdrawn {
        core::mem::take(&mut self.withdrawn)
    }

    fn withdraw(&mut self, what: Withdrawn) {
        self.withdrawn = self.withdrawn.max(what);
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.timers.earliest()
    }

    /// The next event.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        if self.dropped_events > 0 && self.events.is_empty() {
            return Some(Event::Dropped {
                count: core::mem::take(&mut self.dropped_events),
            });
        }
        self.events.pop_front()
    }

    /// Queues an event. Reports that only describe replace their predecessor or give way when the driver lags; what changes the
    /// job's state is bounded by the job itself and always kept.
    fn emit(&mut self, event: Event) {
        let describes = matches!(
            event,
            Event::Status(_)
                | Event::Temperature(_)
                | Event::Message(_)
                | Event::Alarm(_)
                | Event::StrayAnswer
                | Event::Resend { .. }
                | Event::MachineAction(_)
                | Event::ResetDone
        );
        if describes && self.events.len() >= MAX_EVENTS {
            self.dropped_events += 1;
            return;
        }
        if let (Event::Status(_), Some(last @ Event::Status(_))) = (&event, self.events.back_mut())
        {
            *last = event;
            return;
        }
        self.events.push_back(event);
    }

    /// Stops the job until somebody decides.
    fn fault(&mut self, fault: Fault) {
        let held = matches!(fault, Fault::Line { .. }) && self.config.dialect == Dialect::Grbl;
        let mute = matches!(fault, Fault::ChunkTimeout { .. } | Fault::Fatal { .. });
        if held {
            self.realtime.push(b'!');
        }
        self.timers.stop(Timer::Transition);
        self.timers.stop(Timer::MaxPause);
        self.timers.stop(Timer::Silence);
        self.timers.stop(Timer::Progress);
        if mute {
            self.timers.stop_all();
        }
        match fault {
            // The lines behind a refused one wait in the controller, and so can those that are on their way to it.
            Fault::Line { .. } => {}
            Fault::ControllerReset { .. } | Fault::Fatal { .. } => self.withdraw(Withdrawn::All),
            _ => self.withdraw(Withdrawn::Lines),
        }
        let known = matches!(self.phase, Phase::Faulted { .. });
        self.phase = Phase::Faulted { held, mute };
        // A device that goes on complaining about a job that stands still must not fill the memory.
        if known && self.events.len() >= MAX_EVENTS {
            self.dropped_events += 1;
        } else {
            self.emit(Event::Fault(fault));
        }
    }

    /// Nothing is in flight any more: the controller forgot it, or the link did.
    fn forget_flight(&mut self) {
        self.flight.clear();
        self.probes.clear();
        self.resend_answers = 0;
        self.resend_announced = false;
        self.give_up_flight();
    }

    /// Whatever is in flight is answered, or not, and nobody waits for it.
    fn give_up_flight(&mut self) {
        self.flight.disown();
        self.history.clear();
        self.commands.clear();
        self.idle_polls = 0;
        self.status_asked = None;
        self.taking_stock = false;
        self.lose_way();
        self.drained = false;
        self.timers.stop_all();
    }

    /// Something happened that moves the machine, or not, in a way that cannot be followed.
    fn lose_way(&mut self) {
        if let Some(geometry) = &mut self.geometry {
            geometry.lose();
        }
    }

    /// A question of our own, to be sent before anything else.
    fn ask(&mut self, query: Query) {
        self.commands
            .push_front(transmit::Queued::query(self.config.dialect, query));
    }
}
