//! Marlin 2 on a printer, written from what the firmware documents and from what it was seen to do.
//!
//! One way through it, in the order of the files: bytes fall into the receive ring and are looked at
//! by the `emergency` parser; the main program takes them out while the command `queue` has room and
//! the `framer` makes commands of them; the first command in the queue is parsed (`command`), acts on
//! `modal` state and may become a `job` that takes time; moves go as `path` into the `planner`
//! through `motions`, which writes the log; a finished job frees its place and says `ok`.
//!
//! What it leaves out: SD cards, displays, several extruders, soft endstops (the machine is as large
//! as the program wants) and kinematics other than Cartesian. The printer's own moves (bed probing,
//! retraction by G10 and G11) take time and are not in the log, which holds the program's motions.

use std::fmt::Arguments;
use std::time::Duration;

use crate::config::{Config, MotionModel};
use crate::controller::{Controller, Outside, Snapshot, State, Touch};
use crate::digest::Digest;
use crate::log::Entry;
use crate::memory::Memory;
use crate::wire::{RxRing, RxStats};

mod command;
mod corner;
mod emergency;
mod framer;
mod gcodes;
mod heater;
mod job;
mod kept;
mod limits;
mod mcodes;
mod memory;
mod modal;
mod motions;
mod options;
mod path;
mod planner;
mod queue;
mod reports;
#[cfg(test)]
mod tests;

pub(crate) use options::Options;

use emergency::{Emergency, EmergencyParser};
use framer::{Framed, Framer, Refusal};
use heater::{Heater, HeaterKind};
use job::Job;
use kept::Kept;
use limits::Limits;
use modal::Modal;
use motions::Motions;
use options::{Act, Switch};
use queue::Queue;
use reports::Reports;

/// Bytes in the receive ring of an AVR board.
const RX_RING: usize = 128;
/// The firmware's transmit ring: none, so printing waits for the wire.
const TX_RING: usize = 0;

/// The printer.
#[derive(Clone)]
pub(crate) struct Marlin {
    options: Options,
    motion_model: MotionModel,
    rx: RxRing,
    emergency: EmergencyParser,
    framer: Framer,
    queue: Queue,
    job: Option<Job>,
    life: Life,
    modal: Modal,
    limits: Limits,
    /// What M500 saved; outlives resets.
    saved_limits: Option<Limits>,
    motions: Motions,
    hotend: Heater,
    bed: Heater,
    fan: u8,
    cold_moves: ColdMoves,
    retraction: gcodes::Retraction,
    kept: Kept,
    reports: Reports,
    next_cue: usize,
    /// The main program waits for the wire until then.
    blocked: Option<Duration>,
    lines: u64,
    input: Digest,
    /// The line being printed; kept to spare allocations.
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Running,
    /// After a kill: deaf and dumb until reset.
    Halted,
}

/// M302: whether the extruder may move below its least temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ColdMoves {
    Allowed,
    /// Below this many °C.
    Prevented(f64),
}

/// Least extruder temperature, °C.
const EXTRUDE_MINTEMP: f64 = 170.0;

impl Marlin {
    /// A printer without power; the first `reboot` switches it on.
    pub(crate) fn new(config: &Config) -> Self {
        let options = config.marlin.clone();
        let (heat, motion_model) = (options.heat, config.motion);
        Self {
            motion_model,
            rx: RxRing::new(config.rx.unwrap_or(RX_RING)),
            emergency: EmergencyParser::default(),
            framer: Framer::new(),
            queue: Queue::new(options.queue),
            job: None,
            life: Life::Running,
            modal: Modal::new(),
            limits: Limits::default(),
            saved_limits: None,
            motions: Motions::new(options.planner, options.jerk, motion_model),
            hotend: Heater::new(HeaterKind::Hotend, heat),
            bed: Heater::new(HeaterKind::Bed, heat),
            fan: 0,
            cold_moves: ColdMoves::Prevented(EXTRUDE_MINTEMP),
            retraction: gcodes::Retraction::Out,
            kept: Kept::default(),
            reports: Reports::new(Duration::ZERO),
            next_cue: 0,
            blocked: None,
            lines: 0,
            input: Digest::default(),
            text: String::new(),
            options,
        }
    }

    /// Prints one line.
    fn say(&mut self, now: Duration, text: Arguments<'_>, outside: &mut Outside<'_>) {
        use std::fmt::Write as _;
        self.text.clear();
        // Writing to a `String` cannot fail.
        let _ = self.text.write_fmt(text);
        self.text.push('\n');
        outside.tx.write(now, self.text.as_bytes());
    }

    /// Runs the main program until it has to wait: for bytes, for room in the planner, for time, or
    /// for the wire.
    fn pump(&mut self, now: Duration, outside: &mut Outside<'_>) {
        loop {
            self.blocked = None;
            if self.life == Life::Halted {
                return;
            }
            if let Some(until) = outside.tx.blocked_until(now, TX_RING) {
                self.blocked = Some(until);
                return;
            }
            let has_read = self.read(now, outside);
            let has_worked = if self.job.is_some() {
                self.work(now, outside)
            } else if let Some(line) = self.queue.front() {
                self.begin(now, &line, outside);
                true
            } else {
                false
            };
            if !has_read && !has_worked {
                return;
            }
        }
    }

    /// Takes bytes out of the ring while the queue has room; true when a command came of it or one
    /// was refused.
    fn read(&mut self, now: Duration, outside: &mut Outside<'_>) -> bool {
        let mut has_read = false;
        while self.queue.has_room()
            && self.life == Life::Running
            && let Some(byte) = self.rx.pop()
        {
            self.input.update(&[byte]);
            self.lines += u64::from(byte == b'\n');
            match self.framer.take(byte) {
                Framed::Nothing => {}
                Framed::Command(number) => {
                    self.queue.push(self.framer.command(), number);
                    self.reports.heard(now);
                    self.act_early(now, outside);
                    has_read = true;
                }
                Framed::Refused(refusal) => {
                    self.refuse(now, refusal, outside);
                    return true;
                }
            }
        }
        has_read
    }

    /// Without an emergency parser, the three urgent commands act when they enter the queue, unless
    /// a line number stands in front of them. They are executed in their turn too.
    fn act_early(&mut self, now: Duration, outside: &mut Outside<'_>) {
        if self.options.emergency_parser == Switch::On {
            return;
        }
        let urgent = match self.framer.command() {
            [b'M', b'1', b'0', b'8', ..] => Emergency::Continue,
            [b'M', b'1', b'1', b'2', ..] => Emergency::Kill,
            [b'M', b'4', b'1', b'0', ..] => Emergency::QuickStop,
            _ => return,
        };
        self.respond(now, urgent, outside);
    }

    /// Complains about a numbered line, forgets what is in the receive buffer and asks again.
    fn refuse(&mut self, now: Duration, refusal: Refusal, outside: &mut Outside<'_>) {
        let last = self.framer.last_number();
        self.rx.clear();
        self.framer.clear();
        let (why, next) = (refusal.text(), last.wrapping_add(1));
        self.say(
            now,
            format_args!("Error:{why}, Last Line: {last}\nResend: {next}\nok"),
            outside,
        );
    }

    /// Acts on an urgent command.
    fn respond(&mut self, now: Duration, urgent: Emergency, outside: &mut Outside<'_>) {
        match urgent {
            Emergency::Continue => self.release(),
            Emergency::Kill => self.kill(now, outside),
            Emergency::QuickStop => self.quick_stop(now, outside),
        }
    }

    /// Drops all motion at once. The machine knows where it stands, and the command that was
    /// planning counts as done.
    fn quick_stop(&mut self, now: Duration, outside: &mut Outside<'_>) {
        self.modal.position = self.motions.stop(now, &self.limits, outside.log);
        if let Some(Job::Path(plan)) = &mut self.job {
            plan.drop_rest();
        }
    }

    /// Switches everything off and dies.
    fn kill(&mut self, now: Duration, outside: &mut Outside<'_>) {
        self.abandon(now, outside);
        self.life = Life::Halted;
        self.say(
            now,
            format_args!("Error:Printer halted. kill() called!"),
            outside,
        );
    }

    /// Motion, heat and memory of commands end here; the log learns how far the motion came.
    fn abandon(&mut self, now: Duration, outside: &mut Outside<'_>) {
        if let Some(entry) = self.job.take().and_then(|job| job.cut_short(now)) {
            self.motions.record(&entry, outside.log);
        }
        self.modal.position = self.motions.stop(now, &self.limits, outside.log);
        self.hotend.set_target(now, 0.0);
        self.bed.set_target(now, 0.0);
        self.fan = 0;
        self.blocked = None;
        self.queue.clear();
        self.rx.clear();
        self.framer.clear();
    }

    /// Everything that is due at `now`.
    fn turn(&mut self, now: Duration, outside: &mut Outside<'_>) {
        self.motions.advance(now, outside.log);
        while let Some(cue) = self
            .options
            .script
            .get(self.next_cue)
            .filter(|cue| cue.at <= now)
        {
            let act = cue.act.clone();
            self.next_cue += 1;
            self.play(now, &act, outside);
        }
        if self.life == Life::Running {
            self.report(now, outside);
            self.pump(now, outside);
        }
    }

    fn play(&mut self, now: Duration, act: &Act, outside: &mut Outside<'_>) {
        if self.life == Life::Halted {
            return;
        }
        match act {
            Act::Action(text) => self.say(now, format_args!("//action:{text}"), outside),
            Act::Thermal(what, heater) => {
                let text = format_args!("Error:{what}, system stopped! Heater_ID: {heater}");
                self.say(now, text, outside);
                self.kill(now, outside);
            }
        }
    }

    fn own_events(&self) -> [Option<Duration>; 5] {
        let cue = self.options.script.get(self.next_cue).map(|cue| cue.at);
        let job = self.job.as_ref().and_then(Job::next_event);
        // While the main program waits for the wire it looks at no job.
        let job = job.map(|at| at.max(self.blocked.unwrap_or(at)));
        [
            self.motions.next_event(),
            cue,
            job,
            self.next_report(),
            self.blocked,
        ]
    }

    fn is_waiting_for_user(&self) -> bool {
        matches!(&self.job, Some(Job::User { .. }))
    }
}

impl Controller for Marlin {
    fn receive(&mut self, now: Duration, bytes: &[u8], outside: &mut Outside<'_>) {
        self.advance(now, outside);
        for byte in bytes {
            if self.life == Life::Halted {
                return;
            }
            if self.options.emergency_parser == Switch::On
                && let Some(urgent) = self.emergency.take(*byte)
            {
                self.respond(now, urgent, outside);
                self.pump(now, outside);
                self.advance(now, outside);
            }
            self.rx.push(*byte);
            // The main program runs between bytes; it has nothing to do until a line ends. What comes of
            // it in this instant happens before the next byte, so that a cut between them changes nothing.
            if self.blocked.is_none() && self.read(now, outside) {
                self.pump(now, outside);
                self.advance(now, outside);
            }
        }
    }

    fn advance(&mut self, now: Duration, outside: &mut Outside<'_>) {
        while let Some(at) = self.next_event().filter(|at| *at <= now) {
            self.turn(at, outside);
        }
    }

    fn next_event(&self) -> Option<Duration> {
        match self.life {
            Life::Running => self.own_events().into_iter().flatten().min(),
            Life::Halted => None,
        }
    }

    fn is_working(&self) -> bool {
        let has_work = match &self.job {
            Some(job) => job.needs_time(),
            None => !self.queue.is_empty(),
        };
        self.life == Life::Running && (has_work || !self.motions.is_idle())
    }

    fn reboot(&mut self, now: Duration, outside: &mut Outside<'_>) {
        self.abandon(now, outside);
        self.emergency = EmergencyParser::default();
        self.framer = Framer::new();
        self.life = Life::Running;
        self.modal = Modal::new();
        self.limits = self.saved_limits.clone().unwrap_or_default();
        for axis in 0..modal::AXES.len() {
            self.motions.planner.set_end(axis, 0.0, &self.limits);
        }
        self.cold_moves = ColdMoves::Prevented(EXTRUDE_MINTEMP);
        self.retraction = gcodes::Retraction::Out;
        self.kept = Kept::default();
        self.reports = Reports::new(now);
        self.greet(now, outside);
        self.pump(now, outside);
    }

    /// The printer's button continues what waits for a person, and otherwise asks the host to resume;
    /// hold and door ask the host to pause; the emergency button kills. Limit switches are looked at
    /// in homing only.
    fn touch(&mut self, now: Duration, touch: Touch, outside: &mut Outside<'_>) {
        self.advance(now, outside);
        if self.life == Life::Halted {
            return;
        }
        match touch {
            Touch::StartButton if self.is_waiting_for_user() => {
                self.release();
                self.pump(now, outside);
            }
            Touch::StartButton => self.say(now, format_args!("//action:resume"), outside),
            Touch::HoldButton | Touch::DoorOpen => {
                self.say(now, format_args!("//action:pause"), outside);
            }
            Touch::Abort => self.kill(now, outside),
            Touch::DoorClosed | Touch::HardLimit => {}
        }
    }

    /// Menus put their commands beside the serial line: its half-read line stays as it is.
    fn panel(&mut self, now: Duration, command: &[u8], outside: &mut Outside<'_>) {
        self.advance(now, outside);
        if self.life == Life::Running {
            self.queue.push_silent(command);
            self.pump(now, outside);
        }
    }

    fn snapshot(&self, now: Duration) -> Snapshot {
        let state = match (&self.job, self.life) {
            (_, Life::Halted) => State::Halted,
            (Some(Job::User { .. }), _) => State::WaitingForUser,
            (Some(job), _) if job.is_homing() => State::Home,
            (None, _) if self.motions.is_idle() && self.queue.is_empty() => State::Idle,
            _ => State::Run,
        };
        Snapshot {
            state,
            position: self.motions.planner.position(now, &self.limits),
            planner_used: self.motions.planner.len(),
            rx_used: self.rx.len(),
            lines: self.lines,
            motions: self.motions.completed(),
            input: self.input,
        }
    }

    fn rx_stats(&self) -> RxStats {
        self.rx.stats()
    }

    fn memory(&self) -> Memory {
        self.memory()
    }

    fn fork(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

/// Seconds as a time, kept within 30 years whatever a program asks for.
fn seconds(seconds: f64) -> Duration {
    const MOST: f64 = 1e9;
    if seconds.is_nan() {
        Duration::ZERO
    } else {
        Duration::from_secs_f64(seconds.clamp(0.0, MOST))
    }
}

/// An entry for something that begins now; the rest is filled in by whoever knows it.
fn entry(now: Duration, kind: crate::log::Kind, target: [f64; 4], line: Option<u64>) -> Entry {
    Entry {
        start: now,
        finish: now,
        kind,
        target,
        feed_mm_per_min: 0.0,
        spindle_rpm: 0.0,
        coolant: crate::log::Coolant::default(),
        line,
        fraction: 1.0,
    }
}
