use std::time::Duration;

use super::code::{Alarm, Error};
use super::gcode::{Action, Move, Shape, with_e};
use super::line::Fed;
use super::modal::{FeedMode, Flood, ProbeDirection, ProbeMiss, ProbeMode, Spindle};
use super::settings::coordinate_bytes;
use super::{
    AfterAnswer, Brake, EEPROM_BYTE, Grbl, Homed, Overrides, ProbeResult, Stall, Sys, TX_BUFFER,
};
use crate::config::MotionModel;
use crate::controller::Outside;
use crate::log::{Coolant, Entry, Kind};
use crate::motion::{ArcPath, Rate, norm, sub};

/// Who wrote the line under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Serial,
    StartUp,
}

/// How far the action under way has come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    Fresh,
    /// Some chords of an arc are planned.
    Arc {
        tag: u64,
        path: ArcPath,
    },
    Dwell {
        since: Duration,
        until: Duration,
    },
    /// The EEPROM was written; what is left is to go on.
    Stored,
    Homing {
        until: Duration,
    },
    Probing {
        start: [f64; 3],
    },
    Paused,
}

impl Stage {
    /// When it goes on by itself.
    pub(super) fn until(&self) -> Option<Duration> {
        match self {
            Self::Dwell { until, .. } | Self::Homing { until } => Some(*until),
            _ => None,
        }
    }
}

/// Whether an action is finished or has to be tried again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Yes,
    NotYet,
}

impl Grbl {
    /// The firmware's main loop, run until it has to wait for something.
    pub(super) fn main_program(&mut self, now: Duration, outside: &mut Outside<'_>) {
        loop {
            if let Some(until) = outside.tx.blocked_until(now, TX_BUFFER) {
                self.stall_until(until);
            }
            if let Some(stall) = &self.stall {
                if now < stall.until() {
                    return;
                }
                self.stall = None;
                while let Some(command) = self.pending.pop_front() {
                    self.realtime(now, command, outside);
                }
            }
            if self.is_suspended() {
                return;
            }
            if let Some(action) = self.actions.front().copied() {
                match self.perform(now, action, outside) {
                    Done::Yes => {
                        self.actions.pop_front();
                        self.stage = Stage::Fresh;
                    }
                    Done::NotYet => return,
                }
            } else if let Some(source) = self.open.take() {
                self.answer(now, source, Ok(()), outside);
            } else if let Some(index) = self.next_startup.take() {
                self.run_startup_line(now, index, outside);
            } else if let Some(byte) = self.rx.pop() {
                self.read(now, byte, outside);
            } else {
                self.start_cycle(now);
                return;
            }
        }
    }

    fn stall_until(&mut self, until: Duration) {
        if self.stall.is_none_or(|stall| stall.until() < until) {
            self.stall = Some(Stall::Busy { until });
        }
    }

    /// One character from the receive buffer.
    fn read(&mut self, now: Duration, byte: u8, outside: &mut Outside<'_>) {
        self.input.update(&[byte]);
        match self.line.feed(byte) {
            Fed::More => return,
            Fed::TooLong => self.answer(now, Source::Serial, Err(Error::LineOverflow), outside),
            Fed::Complete => self.line_complete(now, outside),
        }
        self.line.clear();
        self.lines += 1;
        if self.options.line_us > 0.0 {
            let cost = Duration::from_secs_f64(self.options.line_us / 1e6);
            self.stall_until(now + cost);
        }
    }

    fn line_complete(&mut self, now: Duration, outside: &mut Outside<'_>) {
        let line = std::mem::replace(&mut self.line, super::LineBuffer::new());
        let accepted = match line.text() {
            [] => Ok(()),
            [b'$', command @ ..] => self.system(now, command, outside),
            _ if matches!(self.sys, Sys::Alarm | Sys::Jog) => Err(Error::Locked),
            text => self.gcode(text),
        };
        match accepted {
            Ok(()) => self.open = Some(Source::Serial),
            Err(error) => self.answer(now, Source::Serial, Err(error), outside),
        }
    }

    fn gcode(&mut self, text: &[u8]) -> Result<(), Error> {
        let before = self.parser.work_offset();
        self.parser
            .execute(text, self.settings.get(12), &mut self.actions)?;
        if self.parser.work_offset() != before {
            self.counters.show_offset();
        }
        Ok(())
    }

    fn run_startup_line(&mut self, now: Duration, index: usize, outside: &mut Outside<'_>) {
        let Some(line) = self.startup_lines.get(index) else {
            return;
        };
        self.next_startup = Some(index + 1).filter(|next| *next < self.startup_lines.len());
        if line.is_empty() {
            return;
        }
        let line = line.clone();
        self.print_startup_line(now, &line, outside);
        match self.gcode(&line) {
            Ok(()) => self.open = Some(Source::StartUp),
            Err(error) => self.answer(now, Source::StartUp, Err(error), outside),
        }
    }

    fn answer(
        &mut self,
        now: Duration,
        source: Source,
        result: Result<(), Error>,
        outside: &mut Outside<'_>,
    ) {
        self.print_answer(now, result, outside);
        if source == Source::StartUp {
            return;
        }
        match std::mem::replace(&mut self.after_answer, AfterAnswer::Nothing) {
            AfterAnswer::Nothing => {}
            AfterAnswer::Reset => self.reset(now, outside),
            AfterAnswer::Sleep => self.sleep(now, outside),
        }
    }

    /// Sets planned motion going, as soon as there is nothing more to read or no room to plan.
    pub(super) fn start_cycle(&mut self, now: Duration) {
        if self.mover.is_drained() || self.mover.is_running() {
            return;
        }
        if self.sys == Sys::Idle {
            self.sys = Sys::Run;
        }
        self.mover.start(now);
    }

    fn perform(&mut self, now: Duration, action: Action, outside: &mut Outside<'_>) -> Done {
        if let Action::Move(motion) = action {
            return self.plan(now, motion, outside);
        }
        // All other actions wait until the machine stands.
        if !self.mover.is_drained() && !matches!(self.stage, Stage::Probing { .. }) {
            self.start_cycle(now);
            return Done::NotYet;
        }
        match action {
            Action::Move(_) => Done::Yes,
            Action::Spindle(..) | Action::Coolant(_) | Action::Dwell(_) | Action::Pause
                if self.sys == Sys::Check =>
            {
                Done::Yes
            }
            Action::Spindle(spindle, rpm) => {
                (self.spindle, self.spindle_rpm) = (spindle, rpm);
                Done::Yes
            }
            Action::Coolant(flood) => {
                self.flood = flood;
                Done::Yes
            }
            Action::Dwell(seconds) => self.dwell(now, seconds, outside),
            Action::Store(slot, set) => self.store(now, slot, set),
            Action::Probe(motion, mode) => self.probe(now, motion, mode, outside),
            Action::Pause => match self.stage {
                Stage::Paused => Done::Yes,
                _ => {
                    self.stage = Stage::Paused;
                    self.sys = Sys::Hold(Brake::Standing);
                    Done::NotYet
                }
            },
            Action::Home => self.home(now, outside),
            Action::End => {
                if self.sys != Sys::Check {
                    (self.spindle, self.flood) = (Spindle::Off, Flood::Off);
                    self.overrides = Overrides::default();
                    self.apply_overrides();
                }
                self.print_message(now, "Pgm End", outside);
                Done::Yes
            }
        }
    }

    fn dwell(&mut self, now: Duration, seconds: f64, outside: &mut Outside<'_>) -> Done {
        let since = match self.stage {
            Stage::Dwell { until, .. } if now < until => return Done::NotYet,
            Stage::Dwell { since, .. } => since,
            _ => {
                // A year is longer than anybody waits, and short enough to be added to any time.
                let time = Duration::from_secs_f64(seconds.min(3.2e7));
                if self.motion == MotionModel::Planned && !time.is_zero() {
                    self.stage = Stage::Dwell {
                        since: now,
                        until: now + time,
                    };
                    return Done::NotYet;
                }
                now
            }
        };
        let here = self.mover.planned_position();
        let entry = Entry {
            start: since,
            finish: now,
            ..self.entry(Kind::Dwell { seconds }, here, 0.0, None)
        };
        outside.log.record(&entry);
        Done::Yes
    }

    fn store(&mut self, now: Duration, slot: usize, set: [f64; 3]) -> Done {
        if matches!(self.stage, Stage::Stored) {
            return Done::Yes;
        }
        let Some(place) = self.parser.coordinates.get_mut(slot) else {
            return Done::Yes;
        };
        let bytes = coordinate_bytes(*place, set);
        *place = set;
        self.counters.show_offset();
        self.stage = Stage::Stored;
        self.write_eeprom(now, bytes);
        if bytes == 0 { Done::Yes } else { Done::NotYet }
    }

    /// Stalls for as long as writing so many bytes takes.
    pub(super) fn write_eeprom(&mut self, now: Duration, bytes: usize) {
        if bytes > 0 {
            let until = now + EEPROM_BYTE * u32::try_from(bytes).unwrap_or(u32::MAX);
            self.stall = Some(Stall::Eeprom {
                since: now,
                until,
                window: 0,
                kept: 0,
            });
        }
    }

    /// Plans one motion of the program; arcs in as many blocks as they need.
    fn plan(&mut self, now: Duration, motion: Move, outside: &mut Outside<'_>) -> Done {
        if self.sys == Sys::Check {
            return Done::Yes;
        }
        if !matches!(motion.shape, Shape::Jog) && self.is_out_of_travel(motion.target) {
            return self.soft_limit(now, outside);
        }
        if self.motion == MotionModel::Instant {
            return self.plan_instant(now, motion, outside);
        }
        if self.mover.is_full() {
            self.start_cycle(now);
            return Done::NotYet;
        }
        let target = with_e(motion.target);
        let length = norm(sub(target, self.mover.planned_position()));
        if let Shape::Arc(path) = motion.shape {
            return self.plan_arc(now, motion, path, outside);
        }
        let rate = match (motion.shape, motion.feed_mode) {
            (Shape::Rapid, _) => Rate::Rapid,
            (Shape::Jog, _) => Rate::Fixed(motion.feed / 60.0),
            (_, FeedMode::PerMinute) => Rate::Feed(motion.feed / 60.0),
            (_, FeedMode::InverseTime) => Rate::Feed(length * motion.feed / 60.0),
        };
        let tag = self.mover.begin(self.entry_of(motion), length);
        self.push(tag, target, rate);
        self.mover.complete(now, tag, outside.log);
        if matches!(motion.shape, Shape::Jog) && self.sys == Sys::Idle {
            self.sys = Sys::Jog;
        }
        Done::Yes
    }

    fn plan_arc(
        &mut self,
        now: Duration,
        motion: Move,
        path: ArcPath,
        outside: &mut Outside<'_>,
    ) -> Done {
        let (tag, mut path) = match self.stage {
            Stage::Arc { tag, path } => (tag, path),
            _ => (self.mover.begin(self.entry_of(motion), path.length()), path),
        };
        let speed = match motion.feed_mode {
            FeedMode::PerMinute => motion.feed / 60.0,
            FeedMode::InverseTime => path.length() * motion.feed / 60.0,
        };
        while !self.mover.is_full() {
            let Some(point) = path.next() else {
                self.mover.complete(now, tag, outside.log);
                return Done::Yes;
            };
            self.push(tag, point, Rate::Feed(speed));
        }
        self.stage = Stage::Arc { tag, path };
        self.start_cycle(now);
        Done::NotYet
    }

    /// Plans a block, unless it is shorter than a step on every axis.
    fn push(&mut self, tag: u64, target: [f64; 4], rate: Rate) {
        let steps = self.settings.axes(100);
        let from = self.mover.planned_position();
        let moves = steps
            .iter()
            .zip(target.iter().zip(from))
            .any(|(steps, (target, from))| (target * steps).round() != (from * steps).round());
        if moves {
            self.mover.push(tag, target, rate);
        }
    }

    fn plan_instant(&mut self, now: Duration, motion: Move, outside: &mut Outside<'_>) -> Done {
        let entry = Entry {
            start: now,
            finish: now,
            ..self.entry_of(motion)
        };
        outside.log.record(&entry);
        self.instant_motions += 1;
        self.mover.set_position(with_e(motion.target));
        Done::Yes
    }

    fn entry_of(&self, motion: Move) -> Entry {
        let kind = match motion.shape {
            Shape::Rapid => Kind::Rapid,
            Shape::Line => Kind::Linear,
            Shape::Arc(path) => Kind::Arc(path.shape()),
            Shape::Jog => Kind::Jog,
        };
        let feed = if matches!(motion.shape, Shape::Rapid) {
            0.0
        } else {
            motion.feed
        };
        self.entry(kind, with_e(motion.target), feed, motion.line)
    }

    fn entry(&self, kind: Kind, target: [f64; 4], feed: f64, line: Option<u64>) -> Entry {
        Entry {
            start: Duration::ZERO,
            finish: Duration::ZERO,
            kind,
            target,
            feed_mm_per_min: feed,
            spindle_rpm: self.spindle.signed(self.spindle_rpm),
            coolant: Coolant {
                flood: self.flood == Flood::On,
                mist: false,
            },
            line,
            fraction: 1.0,
        }
    }

    fn is_out_of_travel(&self, target: [f64; 3]) -> bool {
        let travel = self.settings.axes(130);
        self.settings.is_on(20)
            && target
                .iter()
                .zip(travel)
                .any(|(to, travel)| *to > 0.0 || *to < -travel)
    }

    /// Stops what moves, then locks up.
    fn soft_limit(&mut self, now: Duration, outside: &mut Outside<'_>) -> Done {
        if self.mover.is_running() {
            self.mover.hold();
        } else {
            self.alarm(now, Alarm::SoftLimit, outside);
        }
        Done::NotYet
    }

    fn probe(
        &mut self,
        now: Duration,
        motion: Move,
        mode: ProbeMode,
        outside: &mut Outside<'_>,
    ) -> Done {
        if self.sys == Sys::Check {
            return Done::Yes;
        }
        let Stage::Probing { start } = self.stage else {
            let here = self.machine_position(now);
            if self.touches(here[2]) != (mode.direction == ProbeDirection::Away) {
                self.alarm(now, Alarm::ProbeAlreadyTouching, outside);
                self.parser.position = here;
                return Done::Yes;
            }
            self.stage = Stage::Probing { start: here };
            return self.begin_probe(now, motion, mode, outside);
        };
        if self.mover.is_running() {
            return Done::NotYet;
        }
        self.end_probe(now, start, motion, mode, outside);
        Done::Yes
    }

    /// True when the probe is closed at this height.
    fn touches(&self, z: f64) -> bool {
        self.options.probe_z.is_some_and(|surface| z <= surface)
    }

    /// Moves to where the probe changes, or all the way.
    fn begin_probe(
        &mut self,
        now: Duration,
        motion: Move,
        mode: ProbeMode,
        outside: &mut Outside<'_>,
    ) -> Done {
        let from = self.mover.planned_position();
        let whole = with_e(motion.target);
        let reached = self.probe_change(from, whole, mode);
        let to = crate::motion::add_scaled(from, sub(whole, from), reached.unwrap_or(1.0));
        let entry = Entry {
            kind: Kind::Probe,
            fraction: reached.unwrap_or(1.0),
            ..self.entry_of(motion)
        };
        if self.motion == MotionModel::Instant {
            outside.log.record(&Entry {
                start: now,
                finish: now,
                ..entry
            });
            self.mover.set_position(to);
            return self.probe(now, motion, mode, outside);
        }
        let tag = self.mover.begin(entry, norm(sub(to, from)));
        self.mover.push(tag, to, Rate::Fixed(motion.feed / 60.0));
        self.mover.complete(now, tag, outside.log);
        self.start_cycle(now);
        Done::NotYet
    }

    /// How far along the way the probe changes, 0 to 1.
    fn probe_change(&self, from: [f64; 4], to: [f64; 4], mode: ProbeMode) -> Option<f64> {
        let surface = self.options.probe_z?;
        let falls = to[2] < from[2];
        if falls != (mode.direction == ProbeDirection::Toward) || from[2] == to[2] {
            return None;
        }
        let part = (surface - from[2]) / (to[2] - from[2]);
        (0.0..=1.0).contains(&part).then_some(part)
    }

    fn end_probe(
        &mut self,
        now: Duration,
        start: [f64; 3],
        motion: Move,
        mode: ProbeMode,
        outside: &mut Outside<'_>,
    ) {
        let here = self.machine_position(now);
        let found = self
            .probe_change(with_e(start), with_e(motion.target), mode)
            .is_some();
        if found {
            self.probe = ProbeResult {
                position: here,
                touched: true,
            };
        } else {
            let position = if mode.miss == ProbeMiss::Alarms {
                self.probe.position
            } else {
                here
            };
            self.probe = ProbeResult {
                position,
                touched: false,
            };
            if mode.miss == ProbeMiss::Alarms {
                self.alarm(now, Alarm::ProbeMissed, outside);
            }
        }
        self.print_probe(now, outside);
        let [x, y, z, _] = self.mover.position(now);
        self.parser.position = [x, y, z];
    }

    fn home(&mut self, now: Duration, outside: &mut Outside<'_>) -> Done {
        match self.stage {
            Stage::Homing { until } if now < until => return Done::NotYet,
            Stage::Homing { .. } => {}
            _ => {
                let [x, y, z, _] = self.mover.position(now);
                let homing = super::Homing::new(now, [x, y, z], self.homed, &self.settings);
                let until = homing.finish;
                self.sys = Sys::Home;
                self.homing = Some(homing);
                if self.motion == MotionModel::Planned {
                    self.stage = Stage::Homing { until };
                    return Done::NotYet;
                }
            }
        }
        let Some(homing) = self.homing.take() else {
            return Done::Yes;
        };
        let target = with_e(homing.end());
        self.mover.set_position(target);
        self.parser.position = homing.end();
        self.homed = Homed::Yes;
        self.sys = Sys::Idle;
        let entry = Entry {
            start: homing.start,
            finish: now,
            ..self.entry(Kind::Home, target, 0.0, None)
        };
        outside.log.record(&entry);
        self.next_startup = Some(0);
        Done::Yes
    }
}
