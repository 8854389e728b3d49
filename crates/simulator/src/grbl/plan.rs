use std::time::Duration;

use super::code::Alarm;
use super::gcode::{Move, Shape, with_e};
use super::modal::{FeedMode, Flood};
use super::program::{Done, Stage};
use super::{Grbl, Sys};
use crate::config::MotionModel;
use crate::controller::Outside;
use crate::log::{Coolant, Entry, Kind};
use crate::motion::{ArcPath, Rate, norm, sub};

impl Grbl {
    /// Plans one motion of the program; arcs in as many blocks as they need.
    pub(super) fn plan(&mut self, now: Duration, motion: Move, outside: &mut Outside<'_>) -> Done {
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

    pub(super) fn entry_of(&self, motion: Move) -> Entry {
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

    pub(super) fn entry(
        &self,
        kind: Kind,
        target: [f64; 4],
        feed: f64,
        line: Option<u64>,
    ) -> Entry {
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
    pub(super) fn soft_limit(&mut self, now: Duration, outside: &mut Outside<'_>) -> Done {
        if self.mover.is_running() {
            self.mover.hold();
        } else {
            self.alarm(now, Alarm::SoftLimit, outside);
        }
        Done::NotYet
    }
}
