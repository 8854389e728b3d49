//! The world in which faults happen: host, cable, machine and disk in virtual time, one step after the other.

use std::time::Duration;

use feedhold::checkpoint::{self, Store, backend::Faulty};
use feedhold::session::{
    Ending, Reason, Record,
    conduct::{Conduct, loses_position},
};
use feedhold_simulator::{Kind, Simulator, State as Does};
use feedhold_stream_core::{
    chunk::Stop,
    dialect::Dialect,
    streamer::{self, Event, Fault as Halt, Proceed, State},
};
use xtask::gcode::Rng;

use super::away::{Away, FileNow};
use super::cable::Cable;
use super::disk::Disk;
use super::fault::Moment;
use super::host::{Act, Errand, Host, Writing};
use super::judge::{Judge, Violation};
use super::machine::{self, moving_line};
use super::plant::Plant;
use super::program::Program;
use super::schedule::{Operator, Schedule};
use super::strike::Armed;
use super::trace::Trace;

/// Steps without time passing that count as a livelock.
const LIVELOCK: u32 = 5_000;
/// No run takes longer.
const LONGEST: Duration = Duration::from_secs(1800);
/// Without faults something has to come about within this time.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the pace of a job is noted.
const NOTE: Duration = Duration::from_millis(100);
/// Version of the records; the product's own number does not matter here.
const STORE: checkpoint::Config = checkpoint::Config::new();

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The whole program was executed.
    Complete,
    /// The product refuses to go on, with this code, and the operator leaves it at that.
    Refused(&'static str),
}

pub(super) struct World<'a> {
    pub(super) schedule: &'a Schedule,
    pub(super) plant: Option<Plant>,
    pub(super) program: &'static Program,
    pub(super) rng: Rng,
    pub(super) now: Duration,
    pub(super) machine: Simulator,
    /// The machine of the job, while another one stands in its place.
    pub(super) shelf: Option<Simulator>,
    pub(super) cable: Cable,
    pub(super) plugged: bool,
    pub(super) disk: Disk,
    pub(super) host: Option<Host>,
    pub(super) judge: Judge,
    pub(super) strikes: Vec<Armed>,
    pub(super) file: FileNow,
    pub(super) away: Option<Away>,
    /// When somebody presses start at the machine.
    pub(super) start_button: Option<Duration>,
    /// Sync times of the disk.
    pub(super) disk_stalls: bool,
    pub(super) began: Option<Duration>,
    pub(super) last_progress: Duration,
    pub(super) last_acked: u64,
    pub(super) resumes: u32,
    pub(super) trace: Trace,
    pub(super) end: Option<End>,
    stuck: u32,
    /// Steps in a row in which nothing was due later than now.
    crawled: u32,
    pub(super) inbox: Vec<u8>,
    /// The operator has paused and not gone on.
    pub(super) paused_by_operator: bool,
    /// The machine keeps a block that moves it when it starts,
    pub(super) keeps_block: bool,
    /// and has just started.
    pub(super) moves_by_itself: bool,
    /// The machine was made to refuse a line,
    pub(super) refused: bool,
    /// and the product has told of it.
    pub(super) told: bool,
    /// Answers of a dead session wait in the port.
    pub(super) stale: bool,
    /// What happens once the process has come to its end.
    pub(super) until_back: Vec<super::away::Meanwhile>,
    /// The newest record that was acknowledged as durable.
    pub(super) acknowledged: Option<Record>,
    /// The operator has homed the machine and set its zero since it restarted.
    pub(super) homed: bool,
    /// Attempts to resume that were refused.
    pub(super) refusals: u32,
}

impl<'a> World<'a> {
    pub(super) fn new(schedule: &'a Schedule, plant: Option<Plant>, wants_text: bool) -> Self {
        let mut rng = Rng::new(schedule.seed);
        let program = Program::get(schedule.dialect, schedule.program);
        let disk = Disk::new(blank(), rng.bits());
        if plant == Some(Plant::NoSync) {
            disk.never_sync();
        }
        let machine = machine::switched_on(schedule.dialect, "the mill", &mut rng);
        let cable = Cable::new(Rng::new(rng.bits()));
        let now = machine.now();
        Self {
            schedule,
            plant,
            program,
            now,
            shelf: None,
            cable,
            plugged: true,
            disk,
            host: None,
            judge: Judge::new(program),
            strikes: schedule
                .strikes
                .iter()
                .map(|strike| Armed::new(*strike))
                .collect(),
            file: FileNow::Same,
            away: Some(Away::at(now, true)),
            start_button: None,
            disk_stalls: false,
            began: None,
            last_progress: now,
            last_acked: 0,
            resumes: 0,
            trace: Trace::new(wants_text),
            end: None,
            stuck: 0,
            crawled: 0,
            inbox: Vec::new(),
            paused_by_operator: false,
            keeps_block: false,
            moves_by_itself: false,
            stale: false,
            refused: false,
            told: false,
            until_back: Vec::new(),
            acknowledged: None,
            homed: false,
            refusals: 0,
            machine,
            rng,
        }
    }

    /// Runs to the end.
    pub(super) fn run(&mut self) -> Result<End, Violation> {
        loop {
            self.step()?;
            if let Some(end) = self.end.take() {
                return Ok(end);
            }
        }
    }

    /// One thing happens: bytes move, or time passes to the next event.
    fn step(&mut self) -> Result<(), Violation> {
        self.strike_what_is_due()?;
        self.come_back()?;
        self.drain()?;
        if self.end.is_some() {
            return Ok(());
        }
        if self.exchange()? {
            self.stuck += 1;
            if self.stuck > LIVELOCK {
                return Err(Violation::new(6, "bytes move for ever and time does not"));
            }
            return Ok(());
        }
        self.stuck = 0;
        self.pass_time()
    }

    fn pass_time(&mut self) -> Result<(), Violation> {
        let host = self.host.as_ref();
        let waiting = host.is_some_and(|host| !host.outbox.pending().is_empty());
        let next = [
            self.machine.next_event(),
            host.and_then(Host::next_event),
            self.cable
                .next_event(self.now, waiting && self.plugged)
                .filter(|_| host.is_some() && self.plugged),
            self.away.as_ref().map(Away::until),
            self.start_button,
            self.next_strike(),
            // While a record is half written, some fault may want to strike.
            host.and_then(|host| host.writing.as_ref())
                .map(|writing| writing.begun + (writing.done - writing.begun) / 2)
                .filter(|at| *at > self.now),
        ];
        let Some(next) = next.into_iter().flatten().min() else {
            return Err(Violation::new(6, "nothing will ever happen again"));
        };
        self.now = if next > self.now {
            self.crawled = 0;
            next
        } else {
            // An event that is due now and changes nothing must not stop the clock.
            self.crawled += 1;
            if self.crawled > LIVELOCK {
                return Err(Violation::new(
                    6,
                    "something is always due, and nothing comes of it",
                ));
            }
            self.now + Duration::from_micros(1)
        };
        if self.now > LONGEST {
            return Err(Violation::new(6, "the run has no end"));
        }
        self.machine.advance(self.now);
        self.listen()?;
        if self.start_button.is_some_and(|at| at <= self.now) {
            self.start_button = None;
            self.machine
                .touch(self.now, feedhold_simulator::Touch::StartButton);
        }
        self.attend()?;
        self.check_progress()
    }

    /// What is due in the host's process.
    fn attend(&mut self) -> Result<(), Violation> {
        let now = self.now;
        let Some(host) = &mut self.host else {
            return Ok(());
        };
        if host.note_at.is_some_and(|at| at <= now) {
            host.note_at = Some(now + NOTE);
            let acked = host.streamer.positions().acked;
            if let Some(conduct) = &mut host.conduct {
                conduct.note(now, acked, host.sent_bytes);
            }
        }
        if self.plant == Some(Plant::PauseEndsByItself) && self.paused_by_operator {
            let _ = host.streamer.resume(now);
        }
        if host.streamer.poll_timeout().is_some_and(|at| at <= now) {
            host.streamer.handle_timeout(now);
        }
        if host
            .writing
            .as_ref()
            .is_some_and(|writing| writing.done <= now)
        {
            self.record_lands()?;
        }
        self.act()
    }

    /// Takes what the machine has made since the last look.
    pub(super) fn listen(&mut self) -> Result<(), Violation> {
        if self.machine.log().entries().len() == 0 {
            return Ok(());
        }
        for entry in self.machine.log_mut().take_entries() {
            let [x, y, z, e] = entry.target;
            let (kind, fraction) = (entry.kind.name(), entry.fraction);
            self.trace.note(
                self.now,
                format_args!("machine: {kind} to X{x} Y{y} Z{z} E{e} {fraction}"),
            );
            let at_work = self
                .host
                .as_ref()
                .is_some_and(|host| host.conduct.is_some() || host.approach.is_some());
            if self.moves_by_itself && !at_work {
                continue;
            }
            if self.shelf.is_some() && !matches!(entry.kind, Kind::Dwell { .. }) {
                return Err(Violation::new(7, "another machine was moved"));
            }
            self.judge.made(&entry)?;
            self.last_progress = self.now;
        }
        Ok(())
    }

    fn check_progress(&mut self) -> Result<(), Violation> {
        let Some(host) = &self.host else {
            self.last_progress = self.now;
            return Ok(());
        };
        let acked = host.streamer.positions().acked;
        let waits = matches!(
            host.streamer.state(),
            State::Paused | State::AtStop | State::Faulted
        ) && !host.acts.is_empty();
        let dwells = matches!(
            self.machine.snapshot().state,
            Does::Hold { .. } | Does::Door(_)
        );
        if acked != self.last_acked || waits || (dwells && self.start_button.is_some()) {
            self.last_acked = acked;
            self.last_progress = self.now;
        }
        let silent = self.now.saturating_sub(self.last_progress);
        if silent > PATIENCE && self.judge.is_blind() && self.start_button.is_none() {
            // Another line than was sent holds the machine, or leads it far away: whoever stands beside it sees that.
            return self.step_in();
        }
        if silent > PATIENCE + self.longest_wait() {
            return Err(Violation::new(
                6,
                format!(
                    "nothing has come about for {} s; the job is {:?} at {:?}, the machine {:?}",
                    silent.as_secs(),
                    host.streamer.state(),
                    host.streamer.positions(),
                    self.machine.snapshot().state
                ),
            ));
        }
        Ok(())
    }

    /// What a heat-up of the program may take.
    fn longest_wait(&self) -> Duration {
        match self.schedule.dialect {
            Dialect::Marlin => Duration::from_secs(240),
            _ => Duration::ZERO,
        }
    }

    /// Lets the process do what it wants after each change, as the session's loop does.
    pub(super) fn drain(&mut self) -> Result<(), Violation> {
        loop {
            self.hand_over_record();
            self.feed();
            self.fill()?;
            let Some(host) = &mut self.host else {
                return Ok(());
            };
            let machine = &self.machine;
            self.judge
                .check_executed(host.streamer.positions(), || machine.snapshot().position)?;
            let Some(event) = host.streamer.poll_event() else {
                if !host.arrived {
                    return Ok(());
                }
                self.has_approached()?;
                continue;
            };
            self.on_event(event)?;
            self.look_for_the_end()?;
        }
    }

    /// Hands the record that is due to the disk.
    fn hand_over_record(&mut self) {
        let now = self.now;
        let latency = match (self.disk_stalls, self.rng.below(8)) {
            (true, _) => Duration::from_secs(5),
            (false, 0) => Duration::from_millis(20 + self.rng.below(80)),
            (false, _) => Duration::from_micros(300 + self.rng.below(4000)),
        };
        let Some(host) = &mut self.host else { return };
        let Some(conduct) = host.conduct.as_mut().filter(|_| host.writing.is_none()) else {
            return;
        };
        let Some(mut record) = conduct.due(now, 0, &mut host.streamer) else {
            return;
        };
        self.disk_stalls = false;
        match self.plant {
            Some(Plant::WriteAfterSend) => conduct.durable(&record, &mut host.streamer),
            Some(Plant::AckedIsExecuted) => record.executed = record.acked,
            _ => {}
        }
        self.trace.note(
            now,
            format_args!(
                "record {:?}: executed {} acked {} sent {} ceiling {}",
                record.reason, record.executed, record.acked, record.sent, record.ceiling
            ),
        );
        host.writing = Some(Writing {
            record,
            begun: now,
            done: now + latency,
        });
    }

    /// A record is durable, or cannot be written.
    fn record_lands(&mut self) -> Result<(), Violation> {
        let now = self.now;
        let Some(host) = &mut self.host else {
            return Ok(());
        };
        let (Some(writing), Some(store)) = (host.writing.take(), host.store.as_mut()) else {
            return Ok(());
        };
        let mut kept = store.commit(&writing.record).map(|_| ());
        if kept.is_ok() && writing.record.reason == Reason::Finished {
            kept = store.finish().map(|_| ());
        }
        if self.plant == Some(Plant::ErrorIsSuccess) {
            kept = Ok(());
        }
        if let Err(error) = kept {
            self.trace.note(now, format_args!("disk: {error}"));
            match (&mut host.conduct, self.plant) {
                (Some(_), Some(Plant::RecordsGivenUp)) => host.streamer.lease(u64::MAX),
                (Some(conduct), _) => {
                    conduct.unwritable(now, error.to_string(), &mut host.streamer);
                }
                (None, _) => {
                    // The way back needs a record first: nothing moves, and the operator makes room.
                    self.host = None;
                    self.disk.mend();
                    self.leave();
                    return Ok(());
                }
            }
        } else {
            host.durable = writing.record.ceiling;
            self.acknowledged = Some(writing.record.clone());
            self.strike_at(Moment::Synced)?;
            if writing.record.reason == Reason::Approach {
                return self.approach();
            }
            let Some(host) = &mut self.host else {
                return Ok(());
            };
            if let Some(conduct) = &mut host.conduct {
                conduct.durable(&writing.record, &mut host.streamer);
                if self.plant == Some(Plant::LeaseOffByOne) {
                    host.streamer.lease(writing.record.ceiling + 1);
                }
            }
        }
        self.look_for_the_end()
    }

    /// Keeps the program coming.
    fn feed(&mut self) {
        let Some(host) = &mut self.host else { return };
        while host.streamer.wants_program() {
            match self.program.chunk(host.given, self.schedule.lines) {
                Some((last, chunk)) => {
                    host.given = last;
                    host.streamer.push(chunk);
                }
                None => {
                    host.streamer.finish();
                    break;
                }
            }
        }
    }

    /// A line of the program has left.
    pub(super) fn has_sent(&self) -> bool {
        let host = self.host.as_ref();
        host.is_some_and(|host| host.streamer.positions().sent > 0)
    }

    /// Asks the streamer for bytes, and sees to it that none of them moves a machine that should stand.
    fn fill(&mut self) -> Result<(), Violation> {
        let now = self.now;
        let Some(host) = &mut self.host else {
            return Ok(());
        };
        let stands = host.approach.is_none() && (host.is_quiet() || self.paused_by_operator);
        let watched = stands && host.outbox.pending().is_empty();
        let before = host.streamer.positions().sent;
        host.outbox.fill(&mut host.streamer, now);
        let at = host.streamer.positions();
        // What had left before the wish to pause, and did not arrive, leaves again: the printer counts.
        let again = host.streamer.state() == State::Pausing && at.sent == before;
        let left = self.program.last_sent(at.sent);
        if host.conduct.is_some() && left > host.durable {
            return Err(Violation::new(
                4,
                format!(
                    "line {} has left, and {} is the durable ceiling",
                    at.sent, host.durable
                ),
            ));
        }
        if watched
            && !again
            && let Some(line) = moving_line(self.schedule.dialect, host.outbox.pending())
        {
            return Err(Violation::new(
                7,
                format!(
                    "{line:?} leaves while the job is {:?}",
                    host.streamer.state()
                ),
            ));
        }
        Ok(())
    }

    /// Moves bytes both ways. `false` when none moved.
    fn exchange(&mut self) -> Result<bool, Violation> {
        let now = self.now;
        let Some(host) = self.host.as_mut().filter(|_| self.plugged) else {
            // What a machine says to nobody is lost.
            self.machine.transmit(now, &mut self.inbox);
            self.inbox.clear();
            return Ok(false);
        };
        let pending = host.outbox.pending();
        if host.restarted
            && let Some(line) = moving_line(self.schedule.dialect, pending)
        {
            return Err(Violation::new(
                7,
                format!("{line:?} follows into a controller that has restarted"),
            ));
        }
        let lost = self.machine.rx_overflows();
        let taken = self.cable.send(now, pending, &mut self.machine);
        if self.cable.acts_at_once() && self.schedule.dialect == Dialect::Marlin {
            self.judge.go_blind();
        }
        if taken > 0 {
            self.trace
                .bytes(now, "->", pending.get(..taken).unwrap_or_default());
            host.outbox.wrote(taken);
            host.sent_bytes += taken as u64;
            self.listen()?;
            self.check_rx(lost)?;
        }
        self.inbox.clear();
        self.cable.receive(now, &mut self.machine, &mut self.inbox);
        let arrived = !self.inbox.is_empty();
        if arrived {
            self.trace.bytes(now, "<-", &self.inbox);
            // One that went down with the link or with a reset is nobody's to tell.
            let is_error = self.inbox.windows(6).any(|bytes| bytes == b"error:");
            let host = self.host.as_ref();
            let at_work = host.is_some_and(|host| host.conduct.is_some());
            self.refused |= is_error && at_work && self.cable.has_refused();
            self.read();
        }
        Ok(taken > 0 || arrived)
    }

    fn read(&mut self) {
        let Some(host) = &mut self.host else { return };
        match self.plant {
            Some(Plant::IgnoredReset) => without_banner(&mut self.inbox),
            Some(Plant::BlankLineAnswered) if self.rng.one_in(24) => {
                self.inbox.extend_from_slice(b"ok\r\n");
            }
            _ => {}
        }
        host.streamer.handle_input(self.now, &self.inbox);
    }

    /// The machine never loses a byte because its buffer is full, unless answers were made up for it.
    fn check_rx(&self, before: u64) -> Result<(), Violation> {
        let lost = self.machine.rx_overflows() - before;
        if lost > 0 && !self.judge.is_blind() {
            return Err(Violation::new(
                2,
                format!("{lost} bytes found the receive buffer full"),
            ));
        }
        Ok(())
    }

    fn on_event(&mut self, event: Event) -> Result<(), Violation> {
        let now = self.now;
        match &event {
            Event::Status(_)
            | Event::Temperature(_)
            | Event::ChunkStarted { .. }
            | Event::ChunkCompleted { .. } => {}
            event => self.trace.note(now, format_args!("event: {event:?}")),
        }
        match event {
            Event::Ready(_) => return self.ready(),
            Event::GreetingFailed(error) => return self.greeting_failed(&error),
            _ => {}
        }
        let Some(host) = &mut self.host else {
            return Ok(());
        };
        let delay = Duration::from_millis(200 + self.rng.below(2000));
        // Where the refusal itself is lost, the lines without an answer are named.
        self.told |= matches!(
            event,
            Event::Fault(Halt::Line { .. } | Halt::LostAnswer { .. } | Halt::Stopped { .. })
        );
        host.restarted |= match &event {
            Event::Fault(halt) => loses_position(halt),
            Event::Alarm(alarm) => alarm.loses_position(),
            event => *event == Event::ResetDone,
        };
        if host.approach.is_some() {
            return self.on_approach_event(event);
        }
        let Some(conduct) = &mut host.conduct else {
            return Ok(());
        };
        match event {
            Event::StopReached { stop, .. } => {
                conduct.want(Reason::Stop);
                match stop {
                    Stop::End | Stop::EndRewind | Stop::FilamentChange => {
                        let _ = host.streamer.proceed(now, Proceed::Send);
                    }
                    _ => host.acts.push((now + delay, Act::Proceed)),
                }
            }
            Event::Paused { .. } if conduct.rests(now, &mut host.streamer) => {}
            Event::Paused { .. } => conduct.want(Reason::Paused),
            Event::LeaseReached { .. } => conduct.lease_reached(),
            Event::Fault(halt) => {
                if !conduct.on_fault(now, &halt, &host.streamer) {
                    host.acts.push((now + delay, Act::Decide));
                }
                if matches!(halt, Halt::Line { .. }) && host.acts.is_empty() {
                    host.acts.push((now + delay, Act::Decide));
                }
            }
            Event::Finished => conduct.finished(now, &host.streamer),
            Event::Cancelled => conduct.cancelled(now, &host.streamer),
            _ => {}
        }
        Ok(())
    }

    /// The operator does what he was about to do.
    fn act(&mut self) -> Result<(), Violation> {
        let now = self.now;
        let Some(host) = &mut self.host else {
            return Ok(());
        };
        let Some(due) = host.acts.iter().position(|(at, _)| *at <= now) else {
            return Ok(());
        };
        let (_, act) = host.acts.swap_remove(due);
        self.trace.note(now, format_args!("operator: {act:?}"));
        match act {
            Act::Proceed => {
                let _ = host.streamer.proceed(now, Proceed::Skip);
            }
            Act::EndPause => {
                self.paused_by_operator = false;
                let failing = host.conduct.as_ref().and_then(Conduct::failing);
                if failing.is_none() {
                    let _ = host.streamer.resume(now);
                }
            }
            // What the machine has refused is for a person to understand; here it ends the job.
            Act::Decide => {
                let _ = host.streamer.cancel(now);
            }
        }
        Ok(())
    }

    /// The process ends when its job is over.
    pub(super) fn look_for_the_end(&mut self) -> Result<(), Violation> {
        // The last record may be due in this very moment.
        self.hand_over_record();
        let Some(host) = &self.host else {
            return Ok(());
        };
        let Some(closed) = host.conduct.as_ref().and_then(Conduct::outcome).cloned() else {
            return Ok(());
        };
        self.trace
            .note(self.now, format_args!("job over: {:?}", closed.ending));
        self.host = None;
        self.paused_by_operator = false;
        if closed.ending == Ending::Finished {
            return self.complete();
        }
        self.leave();
        Ok(())
    }

    /// The product says that the job is finished.
    pub(super) fn complete(&mut self) -> Result<(), Violation> {
        self.listen()?;
        if self.refused && !self.told {
            return Err(Violation::new(
                1,
                "the machine refused a line, and the job is finished without a word",
            ));
        }
        if !self.judge.is_blind() && !self.judge.is_complete(self.schedule.lines) {
            return Err(Violation::new(
                1,
                format!(
                    "the job is finished, and the machine has made {} of {} motions",
                    self.judge.reached(),
                    self.program.motions_up_to(self.schedule.lines)
                ),
            ));
        }
        self.end = Some(End::Complete);
        Ok(())
    }

    /// The operator goes away and comes back to resume.
    pub(super) fn leave(&mut self) {
        let time = Duration::from_millis(500 + self.rng.below(8000));
        let mut away = Away::at(self.now + time, false);
        away.meanwhile.append(&mut self.until_back);
        self.away = Some(away);
    }

    /// Begins a process with a job from the first line.
    pub(super) fn begin_anew(&mut self) -> Result<(), Violation> {
        let store = Store::create_on(self.disk.clone(), &STORE).map_err(|error| {
            Violation::new(1, format!("no store can be made on a blank disk: {error}"))
        })?;
        self.start(Errand::Begin, Some(store));
        Ok(())
    }

    /// Starts a process and plugs its link in.
    pub(super) fn start(&mut self, errand: Errand, store: Option<Store<Record, Disk>>) {
        let mut config = streamer::Config::new(self.schedule.dialect);
        if self.plant == Some(Plant::WindowTooBig) {
            config = match self.schedule.dialect {
                Dialect::Marlin => config.lines_in_flight(24).expect("in range"),
                _ => config.rx_bytes(160).expect("in range"),
            };
        }
        let mut host = Host::new(config, self.schedule.dialect, errand, store);
        host.note_at = self.rng.one_in(2).then_some(self.now + NOTE);
        self.prepare(&mut host);
        host.streamer.wish_facts();
        host.streamer.handle_connected(self.now);
        if self.plant == Some(Plant::MotionOnConnect) {
            self.cable.send(self.now, b"G0Z9\n", &mut self.machine);
        }
        self.host = Some(host);
        self.last_progress = self.now;
    }
}

pub(super) fn blank() -> &'static Faulty {
    use std::cell::OnceCell;
    thread_local! {
        static BLANK: OnceCell<&'static Faulty> = const { OnceCell::new() };
    }
    BLANK.with(|blank| *blank.get_or_init(|| Box::leak(Box::new(Faulty::new(0)))))
}

/// Takes the greetings of a controller that starts out of what it says.
fn without_banner(inbox: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(inbox).into_owned();
    let kept = text
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("Grbl ") && !line.starts_with("start"));
    *inbox = kept.collect::<String>().into_bytes();
}

impl Operator {
    /// Whether he lets the job go on when he is asked.
    pub(super) fn chooses(self) -> bool {
        self == Self::Chooses
    }
}
