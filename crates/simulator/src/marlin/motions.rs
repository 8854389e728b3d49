use std::collections::VecDeque;
use std::time::Duration;

use super::limits::Limits;
use super::options::Jerk;
use super::planner::{Planner, Stopped};
use crate::config::MotionModel;
use crate::log::{Entry, MotionLog};

/// Most program motions that wait for their turn in the log. Motions too short for a block take no
/// place in the planner, so without this a host could queue any number of them behind a long one.
const MOST_OPEN: usize = 512;

/// Program motions on their way through the planner into the log: one entry a motion, in the order
/// of the program, however many blocks the firmware makes of it.
///
/// A motion too short for a step makes no block, as in the firmware; its entry is written, with equal
/// start and finish, when everything before it is done.
#[derive(Clone, Debug)]
pub(super) struct Motions {
    pub(super) planner: Planner,
    model: MotionModel,
    open: VecDeque<Open>,
    completed: u64,
}

/// A motion that is not yet in the log.
#[derive(Clone, Debug)]
struct Open {
    entry: Entry,
    begun: bool,
    /// Whole length as programmed and length done, mm.
    length: f64,
    done: f64,
    blocks_left: usize,
    /// All its segments are planned.
    complete: bool,
    /// The firmware moves for its own ends: no entry.
    logged: Logged,
}

/// Whether a motion belongs to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logged {
    Yes,
    No,
}

impl Motions {
    pub(super) fn new(blocks: usize, rule: Jerk, model: MotionModel) -> Self {
        Self {
            planner: Planner::new(blocks, rule),
            model,
            open: VecDeque::new(),
            completed: 0,
        }
    }

    /// Motions that ran to their end.
    pub(super) const fn completed(&self) -> u64 {
        self.completed
    }

    /// A further segment may be planned.
    pub(super) fn has_room(&self) -> bool {
        self.planner.free() > 0 && self.open.len() < MOST_OPEN
    }

    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty() && self.planner.is_empty()
    }

    /// Begins a motion of `length` mm; its segments follow.
    pub(super) fn open(&mut self, entry: Entry, length: f64, logged: Logged) {
        self.open.push_back(Open {
            entry,
            begun: false,
            length,
            done: 0.0,
            blocks_left: 0,
            complete: false,
            logged,
        });
    }

    /// Plans a segment of the motion opened last.
    pub(super) fn segment(
        &mut self,
        now: Duration,
        target: [f64; 4],
        feed: f64,
        flow: f64,
        limits: &Limits,
    ) {
        if self.model == MotionModel::Instant {
            for (axis, mm) in target.into_iter().enumerate() {
                self.planner.set_end(axis, mm, limits);
            }
        } else if self.planner.push(now, target, feed, flow, limits).is_some()
            && let Some(open) = self.open.back_mut()
        {
            open.blocks_left += 1;
        }
    }

    /// The motion opened last has all its segments.
    pub(super) fn close(&mut self, now: Duration, log: &mut MotionLog) {
        if let Some(open) = self.open.back_mut() {
            open.complete = true;
        }
        self.write_finished(now, log);
    }

    pub(super) fn next_event(&self) -> Option<Duration> {
        self.planner.next_event()
    }

    /// Lets the machine move until `now`.
    pub(super) fn advance(&mut self, now: Duration, log: &mut MotionLog) {
        while let Some(finished) = self.planner.advance(now) {
            if let Some(open) = self.open.front_mut() {
                if !open.begun {
                    open.begun = true;
                    open.entry.start = finished.start;
                }
                open.done += finished.length;
                open.blocks_left = open.blocks_left.saturating_sub(1);
                open.entry.finish = finished.finish;
            }
            self.write_finished(finished.finish, log);
        }
    }

    /// Writes down what is complete and first in line.
    fn write_finished(&mut self, now: Duration, log: &mut MotionLog) {
        while let Some(mut open) = self
            .open
            .pop_front_if(|open| open.complete && open.blocks_left == 0)
        {
            if !open.begun {
                open.entry.start = now;
                open.entry.finish = now;
            }
            if open.logged == Logged::Yes {
                log.record(&open.entry);
                self.completed += 1;
            }
        }
    }

    /// Writes down something that took its time outside the planner (dwell, homing); the planner is
    /// empty.
    pub(super) fn record(&mut self, entry: &Entry, log: &mut MotionLog) {
        log.record(entry);
        self.completed += u64::from(entry.fraction >= 1.0);
    }

    /// Stops at once: the motion under way is written down with the part that was made, the others
    /// are forgotten. Returns where the machine stands, mm.
    pub(super) fn stop(&mut self, now: Duration, limits: &Limits, log: &mut MotionLog) -> [f64; 4] {
        let Stopped {
            under_way,
            position,
        } = self.planner.stop(now, limits);
        if let Some(mut open) = self.open.pop_front() {
            let (start, way) = under_way.unwrap_or((now, 0.0));
            let done = open.done + way;
            if !open.begun {
                open.entry.start = start;
            }
            // A motion between two of its segments has begun, one that only waits has not.
            if (open.begun || under_way.is_some()) && open.logged == Logged::Yes {
                open.entry.finish = now;
                // Never whole: whatever came to its end was written before.
                open.entry.fraction =
                    (done / open.length.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0 - f64::EPSILON);
                log.record(&open.entry);
            }
        }
        self.open.clear();
        position
    }
}
