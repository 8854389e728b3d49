use std::time::Duration;

use super::code::Alarm;
use super::gcode::{Move, with_e};
use super::modal::{ProbeDirection, ProbeMiss, ProbeMode};
use super::program::{Done, Stage};
use super::{Grbl, Homed, ProbeResult, Sys};
use crate::config::MotionModel;
use crate::controller::Outside;
use crate::log::{Entry, Kind};
use crate::motion::{Rate, add_scaled, norm, sub};

impl Grbl {
    /// A probing cycle. The machine stops where the probe changes; the bit of way that a real one
    /// needs to brake is left out.
    pub(super) fn probe(
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
        let to = add_scaled(from, sub(whole, from), reached.unwrap_or(1.0));
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

    pub(super) fn home(&mut self, now: Duration, outside: &mut Outside<'_>) -> Done {
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
