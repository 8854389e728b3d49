use std::collections::VecDeque;
use std::time::Duration;

use super::corner::Leg;
use super::limits::{Limits, MINIMUM_SPEED};
use super::options::Jerk;
use super::seconds;
use crate::motion::Profile;

/// How long the first block of an empty planner waits for company, unless two more come before.
const FIRST_BLOCK_DELAY: Duration = Duration::from_millis(100);
/// Company that ends the wait of the first block.
const ENOUGH_BLOCKS: usize = 3;

/// Marlin's look-ahead: straight blocks on four axes, each as fast as limits and corners allow, so
/// that the machine could always stop at the end of the last one.
///
/// A block that is under way is settled: later blocks change neither it nor the speed at its end.
/// Positions are whole steps, as in the firmware, so a move shorter than half a step makes no block
/// and its length is not lost.
#[derive(Clone, Debug)]
pub(super) struct Planner {
    blocks: VecDeque<Block>,
    usable: usize,
    running: Option<Running>,
    /// When the first block of an empty planner will begin.
    held_until: Duration,
    /// End of the newest block, in steps.
    end: [i64; 4],
    /// The newest block, for the corner at its end.
    before: Option<Leg>,
    rule: Jerk,
    #[cfg(test)]
    pub(super) trace: Vec<Executed>,
}

/// A straight stretch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Block {
    pub(super) length: f64,
    /// Travel of each axis for 1 mm of the block. Its first three make a unit vector, unless only
    /// the extruder moves.
    pub(super) direction: [f64; 4],
    /// Highest speed, mm/s along the block.
    pub(super) nominal: f64,
    /// mm/s² along the block.
    pub(super) acceleration: f64,
    /// Steps at its beginning and end.
    from: [i64; 4],
    to: [i64; 4],
    /// Squares of the speed at its beginning: planned, and most that the corner allows.
    entry_sqr: f64,
    max_entry_sqr: f64,
}

#[derive(Clone, Debug)]
struct Running {
    start: Duration,
    finish: Duration,
    exit_sqr: f64,
    profile: Profile,
}

impl Running {
    /// How far it has come, mm.
    fn way(&self, now: Duration) -> f64 {
        self.profile
            .at(now.saturating_sub(self.start).as_secs_f64())
            .0
    }
}

/// A block as it was executed, for the tests of the laws.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Executed {
    pub(super) block: Block,
    pub(super) exit_sqr: f64,
    pub(super) profile: Profile,
}

/// A block that ran to its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Finished {
    pub(super) start: Duration,
    pub(super) finish: Duration,
    pub(super) length: f64,
}

/// What an abrupt stop left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stopped {
    /// Beginning of the block under way and how far it came, mm.
    pub(super) under_way: Option<(Duration, f64)>,
    /// Where the machine stands, mm.
    pub(super) position: [f64; 4],
}

impl Planner {
    /// `blocks` of which one is never used.
    pub(super) fn new(blocks: usize, rule: Jerk) -> Self {
        Self {
            blocks: VecDeque::with_capacity(blocks),
            usable: blocks.saturating_sub(1).max(1),
            running: None,
            held_until: Duration::ZERO,
            end: [0; 4],
            before: None,
            rule,
            #[cfg(test)]
            trace: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(super) fn free(&self) -> usize {
        self.usable.saturating_sub(self.blocks.len())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Steps at the end of everything planned: the `Count` of M114.
    pub(super) const fn end(&self) -> [i64; 4] {
        self.end
    }

    /// Says that the machine is where it is (homing, steps per mm changed); the planner is empty, or
    /// the axis does not move in it.
    pub(super) fn set_end(&mut self, axis: usize, mm: f64, limits: &Limits) {
        if let Some(end) = self.end.get_mut(axis) {
            *end = to_steps(mm, limits.steps_per_mm[axis]);
        }
    }

    /// Plans a straight move to `target` (machine mm) with `feed` mm/s, the extruder's part times
    /// `flow`. Returns the block's length in mm, or `None` when the move is shorter than a step. There must be
    /// a free block.
    pub(super) fn push(
        &mut self,
        now: Duration,
        target: [f64; 4],
        feed: f64,
        flow: f64,
        limits: &Limits,
    ) -> Option<f64> {
        let mut to = [0; 4];
        let mut delta = [0.0; 4];
        for axis in 0..4 {
            to[axis] = to_steps(target[axis], limits.steps_per_mm[axis]);
            let steps = to[axis].saturating_sub(self.end[axis]);
            delta[axis] = steps as f64 / limits.steps_per_mm[axis];
        }
        delta[3] *= flow;
        if to == self.end || delta == [0.0; 4] {
            self.end = to;
            return None;
        }
        let mut block = self.block(delta, feed, limits);
        block.from = std::mem::replace(&mut self.end, to);
        block.to = to;
        let leg = Leg::new(&block, limits);
        let before = self.before.replace(leg).filter(|_| self.waiting() > 0);
        let max_entry = leg.entry(before.as_ref(), self.rule, limits);
        block.max_entry_sqr = max_entry * max_entry;
        self.append(now, block);
        Some(block.length)
    }

    /// The block of a move, without its corner.
    fn block(&self, delta: [f64; 4], feed: f64, limits: &Limits) -> Block {
        let [x, y, z, e] = delta;
        let travel = (x * x + y * y + z * z).sqrt();
        let length = if travel > 0.0 { travel } else { e.abs() };
        let direction = delta.map(|part| part / length);
        let least = if e == 0.0 {
            limits.min_travel_feed
        } else {
            limits.min_feed
        };
        let mut nominal = feed.max(least).max(MINIMUM_SPEED);
        nominal = length / self.stretched(length / nominal, limits);
        let mut acceleration = match (travel > 0.0, e == 0.0) {
            (false, _) => limits.retract_acceleration,
            (true, true) => limits.travel_acceleration,
            (true, false) => limits.acceleration,
        };
        for (axis, part) in direction.into_iter().enumerate() {
            let share = part.abs();
            if share > 0.0 {
                nominal = nominal.min(limits.max_feed[axis] / share);
                acceleration = acceleration.min(limits.max_acceleration[axis] / share);
            }
        }
        Block {
            length,
            direction,
            nominal,
            acceleration,
            from: [0; 4],
            to: [0; 4],
            entry_sqr: 0.0,
            max_entry_sqr: 0.0,
        }
    }

    /// SLOWDOWN: while the planner is less than half full, short segments are made to last longer,
    /// the more so the emptier it is, so that it does not run dry.
    fn stretched(&self, time: f64, limits: &Limits) -> f64 {
        let waiting = self.waiting();
        let missing = limits.min_segment_time - time;
        if waiting < 2 || waiting >= self.usable.div_ceil(2) || missing <= 0.0 {
            return time;
        }
        time + 2.0 * missing / waiting as f64
    }

    /// Blocks that are not under way.
    fn waiting(&self) -> usize {
        self.blocks.len() - usize::from(self.running.is_some())
    }

    fn append(&mut self, now: Duration, mut block: Block) {
        if self.blocks.is_empty() {
            self.held_until = now + FIRST_BLOCK_DELAY;
        }
        if let (Some(running), 1) = (&self.running, self.blocks.len()) {
            block.entry_sqr = running.exit_sqr;
        }
        self.blocks.push_back(block);
        self.replan();
        if self.running.is_none() && self.blocks.len() >= ENOUGH_BLOCKS {
            self.held_until = self.held_until.min(now);
        }
    }

    /// Backward: every block must be able to slow down for the next. Forward: none may be entered
    /// faster than the one before can become.
    fn replan(&mut self) {
        let settled = usize::from(self.running.is_some());
        let mut next_sqr = MINIMUM_SPEED * MINIMUM_SPEED;
        for (at, block) in self.blocks.iter_mut().enumerate().skip(settled).rev() {
            if settled == 0 || at > settled {
                let reachable = next_sqr + 2.0 * block.acceleration * block.length;
                block.entry_sqr = block.max_entry_sqr.min(reachable);
            }
            next_sqr = block.entry_sqr;
        }
        let mut reachable = f64::INFINITY;
        for block in self.blocks.iter_mut().skip(settled) {
            block.entry_sqr = block.entry_sqr.min(reachable);
            reachable = block.entry_sqr + 2.0 * block.acceleration * block.length;
        }
    }

    /// When a block begins or ends.
    pub(super) fn next_event(&self) -> Option<Duration> {
        match &self.running {
            Some(running) => Some(running.finish),
            None => (!self.blocks.is_empty()).then_some(self.held_until),
        }
    }

    /// Does the next thing that is due by `now`; call until it gives `None`. The first block begins
    /// by itself.
    pub(super) fn advance(&mut self, now: Duration) -> Option<Finished> {
        if self.running.is_none() && !self.blocks.is_empty() && self.held_until <= now {
            self.start(self.held_until);
        }
        let running = self.running.take_if(|running| running.finish <= now)?;
        self.blocks.pop_front();
        if !self.blocks.is_empty() {
            self.start(running.finish);
        }
        Some(Finished {
            start: running.start,
            finish: running.finish,
            length: running.profile.distance(),
        })
    }

    fn start(&mut self, at: Duration) {
        let exit_sqr = self
            .blocks
            .get(1)
            .map_or(MINIMUM_SPEED * MINIMUM_SPEED, |next| next.entry_sqr);
        let Some(block) = self.blocks.front() else {
            return;
        };
        let (entry, exit) = (block.entry_sqr.sqrt(), exit_sqr.sqrt());
        let profile = Profile::travel(entry, block.nominal, exit, block.acceleration, block.length);
        #[cfg(test)]
        self.trace.push(Executed {
            block: *block,
            exit_sqr,
            profile,
        });
        let finish = at + seconds(profile.duration());
        self.running = Some(Running {
            start: at,
            finish,
            exit_sqr,
            profile,
        });
    }

    /// Where the steppers are at `now`, in mm.
    pub(super) fn position(&self, now: Duration, limits: &Limits) -> [f64; 4] {
        let steps = match (&self.running, self.blocks.front()) {
            (Some(running), Some(block)) => {
                let part = running.way(now) / block.length;
                std::array::from_fn(|axis| {
                    let way = block.to[axis].saturating_sub(block.from[axis]) as f64;
                    block.from[axis] as f64 + (way * part).round()
                })
            }
            (_, Some(block)) => block.from.map(|steps| steps as f64),
            (_, None) => self.end.map(|steps| steps as f64),
        };
        std::array::from_fn(|axis| steps[axis] / limits.steps_per_mm[axis])
    }

    /// Stops at once and forgets everything planned.
    pub(super) fn stop(&mut self, now: Duration, limits: &Limits) -> Stopped {
        let position = self.position(now, limits);
        let under_way = self
            .running
            .take()
            .map(|running| (running.start, running.way(now)));
        self.blocks.clear();
        self.before = None;
        for (axis, mm) in position.into_iter().enumerate() {
            self.set_end(axis, mm, limits);
        }
        Stopped {
            under_way,
            position,
        }
    }
}

fn to_steps(mm: f64, steps_per_mm: f64) -> i64 {
    (mm * steps_per_mm).round() as i64
}

#[cfg(test)]
mod tests;
