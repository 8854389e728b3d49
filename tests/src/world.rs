//! The streaming engine against a simulated controller, both in virtual time: no thread, no clock, and the same trace for the same
//! seed.
//!
//! A [`World`] is driven step by step, so a test can look at every instant: after each step the rules that always hold are checked.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use feedhold_simulator::{Config, Entry, Kind, LogMode, OnOpen, Simulator};
use feedhold_stream_core::{
    chunk::{Prepared, RawChunk, Stop},
    dialect::Dialect,
    streamer::{self, Event, Fault, Proceed, State, Streamer},
    wire::{Chain, ChainConfig},
};

use crate::oracle;

/// Steps without time passing that count as a livelock.
const LIVELOCK: u32 = 100_000;
/// Entries of the machine's log that are kept.
const LOG_LIMIT: usize = 1_000_000;

/// A streamer and a machine joined by the machine's wire.
pub struct World {
    /// The host's side.
    pub streamer: Streamer,
    /// The machine's side.
    pub machine: Simulator,
    now: Duration,
    program: VecDeque<Prepared>,
    outbox: Vec<u8>,
    inbox: Vec<u8>,
    events: Vec<Event>,
    rx_limit: usize,
    stuck: u32,
    plugged: bool,
    done: u64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// The whole program was executed.
    Finished,
    /// It was cancelled.
    Cancelled,
    /// It stands still.
    Fault(Fault),
    /// The controller could not be used.
    Refused(String),
    /// The time was over.
    OutOfTime,
}

impl World {
    /// Plugs the cable in at time zero.
    #[must_use]
    pub fn new(host: streamer::Config, machine: Config) -> Self {
        let machine = Simulator::new(machine.with_log(LogMode::Keep { limit: LOG_LIMIT }));
        let mut streamer = Streamer::new(host);
        streamer.handle_connected(Duration::ZERO);
        Self {
            streamer,
            machine,
            now: Duration::ZERO,
            program: VecDeque::new(),
            outbox: Vec::new(),
            inbox: Vec::new(),
            events: Vec::new(),
            rx_limit: usize::MAX,
            stuck: 0,
            plugged: true,
            done: 0,
        }
    }

    /// The same with a streamer that asks the controller what it knows of itself.
    #[must_use]
    pub fn with_facts(mut self) -> Self {
        self.streamer.wish_facts();
        self.streamer.handle_connected(self.now);
        self
    }

    /// Pulls the cable. What is on it is lost, and so is the rest of the program.
    pub fn unplug(&mut self) {
        self.machine.disconnect(self.now);
        self.plugged = false;
        self.outbox.clear();
        self.program.clear();
        self.streamer.handle_disconnect(self.now);
        let _ = self.collect();
    }

    /// Gives the streamer the rest of a program whose lines up to `done` are executed.
    pub fn go_on(&mut self, done: u64, chunks: impl IntoIterator<Item = Prepared>) {
        self.done = done;
        self.load(chunks);
    }

    /// Puts the cable back in; the next program goes on behind line `done`.
    pub fn plug(&mut self, on_open: OnOpen, done: u64) {
        self.machine.reconnect(self.now, on_open);
        self.plugged = true;
        self.done = done;
        self.streamer.handle_connected(self.now);
    }

    /// Fails when the machine's receive buffer ever holds more than this, or loses a byte.
    #[must_use]
    pub fn with_rx_limit(mut self, bytes: usize) -> Self {
        self.rx_limit = bytes;
        self
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Gives the streamer a program as soon as the controller is ready.
    pub fn load(&mut self, chunks: impl IntoIterator<Item = Prepared>) {
        self.program.extend(chunks);
    }

    /// Everything the streamer has told since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// What the machine executed since the last call.
    pub fn executed(&mut self) -> Vec<Entry> {
        self.machine.log_mut().take_entries()
    }

    /// Runs until the job has ended one way or the other, for `limit` of virtual time at most.
    pub fn run(&mut self, limit: Duration) -> End {
        let until = self.now + limit;
        loop {
            if let Some(end) = self.step(until) {
                return end;
            }
        }
    }

    /// Runs until something is true.
    ///
    /// # Panics
    /// When the job ends first or `limit` is over.
    pub fn run_until(&mut self, limit: Duration, mut reached: impl FnMut(&Self) -> bool) {
        let until = self.now + limit;
        while !reached(self) {
            if let Some(end) = self.step(until) {
                panic!(
                    "{end:?} at {:?} before it was reached; {:?}",
                    self.now,
                    self.streamer.state()
                );
            }
        }
    }

    /// Runs until something is true, which is looked at after every step, or the job ends, or `limit` is over.
    pub fn watch(
        &mut self,
        limit: Duration,
        mut reached: impl FnMut(&Self) -> bool,
    ) -> Option<End> {
        let until = self.now + limit;
        while !reached(self) {
            if let Some(end) = self.step(until) {
                return Some(end);
            }
        }
        None
    }

    /// Lets time pass, whatever happens.
    pub fn pass(&mut self, time: Duration) -> Option<End> {
        let until = self.now + time;
        loop {
            match self.step(until) {
                Some(End::OutOfTime) => return None,
                Some(end) => return Some(end),
                None => {}
            }
        }
    }

    /// One thing happens: bytes move, or time passes to the next event.
    fn step(&mut self, until: Duration) -> Option<End> {
        if let Some(end) = self.drain() {
            return Some(end);
        }
        if self.exchange() {
            self.stuck += 1;
            assert!(
                self.stuck < LIVELOCK,
                "livelock at {:?}: {:?}",
                self.now,
                self.streamer
            );
            return None;
        }
        self.stuck = 0;
        let next = [self.machine.next_event(), self.streamer.poll_timeout()]
            .into_iter()
            .flatten()
            .min();
        let next = next.map_or(until, |at| at.max(self.now));
        if next >= until {
            self.now = until;
            self.machine.advance(until);
            return Some(End::OutOfTime);
        }
        // An event that is due now and changes nothing must not stop the clock.
        self.now = if next == self.now {
            self.now + Duration::from_micros(1)
        } else {
            next
        };
        self.machine.advance(self.now);
        self.check();
        if self
            .streamer
            .poll_timeout()
            .is_some_and(|at| at <= self.now)
        {
            self.streamer.handle_timeout(self.now);
        }
        None
    }

    /// Collects what the streamer tells and wants. What it wants may be the end, so what it tells is collected once more.
    fn drain(&mut self) -> Option<End> {
        if let Some(end) = self.collect() {
            return Some(end);
        }
        self.feed();
        let _ = self.streamer.poll_realtime(&mut self.outbox);
        if self.outbox.is_empty() {
            let _ = self.streamer.poll_transmit(self.now, &mut self.outbox);
        }
        self.collect()
    }

    /// Begins the program when there is one, and keeps it coming.
    fn feed(&mut self) {
        if self.streamer.state() == State::Ready && !self.program.is_empty() {
            self.streamer
                .begin(self.done)
                .expect("the streamer is ready");
        }
        while self.streamer.wants_program() {
            match self.program.pop_front() {
                Some(chunk) => self.streamer.push(chunk),
                None => {
                    self.streamer.finish();
                    break;
                }
            }
        }
    }

    /// Takes the streamer's events. Program ends are sent, as a session does.
    fn collect(&mut self) -> Option<End> {
        let mut end = None;
        while let Some(event) = self.streamer.poll_event() {
            end = end.or(match &event {
                Event::Finished => Some(End::Finished),
                Event::Cancelled => {
                    self.program.clear();
                    Some(End::Cancelled)
                }
                Event::Fault(fault) => Some(End::Fault(fault.clone())),
                Event::GreetingFailed(error) => Some(End::Refused(error.to_string())),
                Event::StopReached {
                    stop: Stop::End | Stop::EndRewind,
                    ..
                } => {
                    let _ = self.streamer.proceed(self.now, Proceed::Send);
                    None
                }
                _ => None,
            });
            self.events.push(event);
        }
        end
    }

    /// Moves bytes both ways. `false` when none moved.
    fn exchange(&mut self) -> bool {
        if !self.plugged {
            return false;
        }
        let taken = self.machine.receive(self.now, &self.outbox);
        self.outbox.drain(..taken);
        self.check();
        self.inbox.clear();
        let arrived = self.machine.transmit(self.now, &mut self.inbox);
        if arrived > 0 {
            self.streamer.handle_input(self.now, &self.inbox);
        }
        if !self.machine.link_up() {
            self.plugged = false;
            self.outbox.clear();
            self.streamer.handle_disconnect(self.now);
        }
        taken > 0 || arrived > 0
    }

    /// What holds at every instant.
    fn check(&self) {
        let at = self.streamer.positions();
        assert!(
            at.executed <= at.acked && at.acked <= at.sent && at.sent <= at.ceiling,
            "{at:?}"
        );
        let rx = self.machine.rx_stats();
        assert!(
            rx.high_water <= self.rx_limit,
            "{} bytes in a receive buffer of {}",
            rx.high_water,
            self.rx_limit
        );
        let lost = rx.overflows > 0 && self.rx_limit < usize::MAX;
        assert!(
            !lost,
            "bytes were lost in a full receive buffer at {:?}",
            self.now
        );
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("now", &self.now)
            .field("streamer", &self.streamer)
            .field("machine", &self.machine)
            .finish_non_exhaustive()
    }
}

/// A text prepared as one chunk for each `lines` lines, as a session would prepare a file.
///
/// # Panics
/// When the dialect refuses a line.
#[must_use]
pub fn chunks(dialect: Dialect, text: &str, lines: usize) -> Vec<Prepared> {
    let chain = Chain::new(ChainConfig::new(dialect));
    let mut all = Vec::new();
    let (mut first_line, mut offset) = (1, 0);
    let source: Vec<&str> = text.split_inclusive('\n').collect();
    for part in source.chunks(lines) {
        let bytes = part.concat().into_bytes();
        let raw = RawChunk {
            index: all.len() as u64,
            offset,
            first_line,
            lines: part.len() as u64,
            bytes,
            ..RawChunk::default()
        };
        first_line += raw.lines;
        offset += raw.bytes.len() as u64;
        all.push(chain.prepare(&raw).expect("the program is good"));
    }
    all
}

/// Fails unless the log is the program, motion by motion.
///
/// # Panics
/// At the first difference, with `context`.
pub fn assert_executed(dialect: Dialect, program: &str, log: Vec<Entry>, context: &str) {
    let expected = oracle::Program::new(dialect.flavor(), program.as_bytes());
    if let Err(mismatch) = oracle::compare(expected.filter(is_no_barrier), without_barriers(log)) {
        panic!("{context}: {mismatch}");
    }
}

/// Fails unless the log is the beginning of the program. Only its last motion may be cut short.
///
/// # Panics
/// At the first difference, with `context`.
pub fn assert_prefix(dialect: Dialect, program: &str, log: Vec<Entry>, context: &str) {
    let expected = oracle::Program::new(dialect.flavor(), program.as_bytes());
    let mut comparison = oracle::Comparison::new(expected.filter(is_no_barrier));
    let mut log = without_barriers(log);
    if let Some(last) = log.last_mut() {
        last.fraction = 1.0;
    }
    for entry in &log {
        if let Err(mismatch) = comparison.check(entry) {
            panic!("{context}: {mismatch}");
        }
    }
}

/// The streamer puts dwells of this length in as barriers, so both sides are compared without them.
const BARRIER: Kind = Kind::Dwell { seconds: 0.01 };

fn is_no_barrier(motion: &io::Result<oracle::Motion>) -> bool {
    !matches!(motion, Ok(motion) if motion.kind == BARRIER)
}

fn without_barriers(mut log: Vec<Entry>) -> Vec<Entry> {
    log.retain(|entry| entry.kind != BARRIER);
    log
}
