use std::collections::VecDeque;
use std::time::Duration;

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
#[derive(Debug)]
pub(super) struct Planner {
    blocks: VecDeque<Block>,
    usable: usize,
    running: Option<Running>,
    /// When the first block of an empty planner will begin.
    held_until: Duration,
    /// End of the newest block, in steps.
    end: [i64; 4],
    corner: Corner,
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

#[derive(Debug)]
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

/// What the next corner's speed depends on.
#[derive(Clone, Copy, Debug, Default)]
struct Corner {
    nominal: f64,
    /// Speed of each axis in the block before.
    velocity: [f64; 4],
    direction: [f64; 4],
    /// Speed from which the block before could end in a full stop by jerk alone.
    safe: f64,
    length: f64,
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
            corner: Corner::default(),
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
        let velocity = block.direction.map(|part| part * block.nominal);
        let safe = safe_speed(block.nominal, velocity, limits);
        let max_entry = match self.rule {
            Jerk::Classic => self.classic_entry(&block, velocity, safe, limits),
            Jerk::Junction => self.junction_entry(&block, limits),
        };
        block.max_entry_sqr = max_entry * max_entry;
        self.corner = Corner {
            nominal: block.nominal,
            velocity,
            direction: block.direction,
            safe,
            length: block.length,
        };
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
        for axis in 0..4 {
            let share = direction[axis].abs();
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
        if waiting < 2 || waiting > (self.usable + 1) / 2 - 1 || missing <= 0.0 {
            return time;
        }
        time + 2.0 * missing / waiting as f64
    }

    /// Blocks that are not under way.
    fn waiting(&self) -> usize {
        self.blocks.len() - usize::from(self.running.is_some())
    }

    /// Classic jerk: no axis may change its speed at a corner by more than its jerk; when it turns
    /// round, neither of the two speeds may exceed it.
    fn classic_entry(&self, block: &Block, velocity: [f64; 4], safe: f64, limits: &Limits) -> f64 {
        let before = self.corner;
        if self.waiting() == 0 || before.nominal <= 0.0 {
            return safe;
        }
        let shared = block.nominal.min(before.nominal);
        let mut factor = 1.0_f64;
        for (axis, most) in limits.jerk.into_iter().enumerate() {
            let out = before.velocity[axis] * (shared / before.nominal);
            let into = velocity[axis] * (shared / block.nominal);
            let jump = if out * into < 0.0 {
                out.abs().max(into.abs())
            } else {
                (out - into).abs()
            };
            if jump * factor > most {
                factor = most / jump;
            }
        }
        let corner = shared * factor;
        // Stopping and starting anew by jerk alone may be no slower than the corner.
        let restart = safe.min(before.safe).min(shared);
        if restart > corner * 0.99 {
            restart
        } else {
            corner
        }
    }

    /// Junction deviation: the speed at which an arc that touches both blocks and leaves the corner
    /// by the given deviation needs no more than the allowed acceleration.
    fn junction_entry(&self, block: &Block, limits: &Limits) -> f64 {
        let before = self.corner;
        if self.waiting() == 0 || before.nominal <= 0.0 {
            return MINIMUM_SPEED;
        }
        let (out, into) = (unit(before.direction), unit(block.direction));
        let cos = -out.iter().zip(into).map(|(a, b)| a * b).sum::<f64>();
        let shared = block.nominal.min(before.nominal);
        if cos > 0.999_999 {
            return MINIMUM_SPEED;
        }
        if cos < -0.999_999 {
            return shared;
        }
        let turn = unit(std::array::from_fn(|axis| into[axis] - out[axis]));
        let acceleration = (0..4).fold(block.acceleration, |least, axis| match turn[axis].abs() {
            0.0 => least,
            share => least.min(limits.max_acceleration[axis] / share),
        });
        let sin_half = (0.5 * (1.0 - cos)).sqrt();
        let mut sqr = acceleration * limits.junction_deviation * sin_half / (1.0 - sin_half);
        // Short blocks that turn a little belong to a curve: its own radius bounds the speed too.
        if block.length < 1.0 && cos < -std::f64::consts::FRAC_1_SQRT_2 {
            sqr = sqr.min(block.length / (-cos).acos() * acceleration);
        }
        sqr.sqrt().clamp(MINIMUM_SPEED, shared)
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
        self.corner = Corner::default();
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

/// The highest speed along a block from which jerk alone may bring it to a stop.
fn safe_speed(nominal: f64, velocity: [f64; 4], limits: &Limits) -> f64 {
    velocity
        .into_iter()
        .zip(limits.jerk)
        .fold(nominal, |safe, (speed, most)| {
            if speed.abs() > most {
                safe.min(nominal * (most / speed.abs()))
            } else {
                safe
            }
        })
}

fn unit(vector: [f64; 4]) -> [f64; 4] {
    let length = vector.iter().map(|part| part * part).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.map(|part| part / length)
    } else {
        vector
    }
}

#[cfg(test)]
mod tests;
