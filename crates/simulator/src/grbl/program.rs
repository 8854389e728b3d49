use std::time::Duration;

use super::code::Error;
use super::gcode::Action;
use super::line::Fed;
use super::modal::{Flood, Spindle};
use super::settings::coordinate_bytes;
use super::{AfterAnswer, Brake, EEPROM_BYTE, Grbl, Overrides, Stall, Sys, TX_BUFFER};
use crate::config::MotionModel;
use crate::controller::Outside;
use crate::log::{Entry, Kind};
use crate::motion::ArcPath;

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
pub(super) enum Done {
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
}
