use std::collections::VecDeque;

use super::{Vector, norm};

/// What the axes can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    /// Fastest each axis moves, mm/s.
    pub(crate) max_speed: Vector,
    /// Hardest each axis accelerates, mm/s².
    pub(crate) acceleration: Vector,
    /// How far a corner may be cut in thought to allow a speed through it, mm.
    pub(crate) junction_deviation: f64,
}

impl Limits {
    /// Scales a unit vector by the largest factor that keeps every axis within `limit`.
    pub(crate) fn along(limit: Vector, unit: Vector) -> f64 {
        unit.iter()
            .zip(limit)
            .filter(|(part, _)| part.abs() > 0.0)
            .map(|(part, limit)| limit / part.abs())
            .fold(f64::INFINITY, f64::min)
    }
}

/// How fast a block was told to go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rate {
    /// As fast as the axes can.
    Rapid,
    /// So many mm/s, subject to the feed override.
    Feed(f64),
    /// So many mm/s, whatever the overrides say (jogging aside, grbl's system motions and probes).
    Fixed(f64),
}

/// Feed and rapid override as factors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Overrides {
    pub(crate) feed: f64,
    pub(crate) rapid: f64,
}

/// Slowest nominal speed, so that no override stops a machine for ever (1 mm/min, as grbl has it).
const SLOWEST: f64 = 1.0 / 60.0;

/// A straight piece of path in the planner; speeds are kept squared as the passes need them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// Which motion of the program it belongs to.
    pub(crate) tag: u64,
    /// Where it ends.
    pub(crate) target: Vector,
    pub(crate) unit: Vector,
    /// What is left to travel, mm.
    pub(crate) length: f64,
    pub(crate) acceleration: f64,
    rate: Rate,
    /// What the axes allow on this direction, mm/s.
    ceiling: f64,
    /// What the corner before it allows.
    junction_sqr: f64,
    /// The corner and the nominal speeds on both sides together.
    max_entry_sqr: f64,
    /// What the passes arrived at.
    pub(crate) entry_sqr: f64,
}

impl Block {
    /// Speed asked for under `overrides`, within what the axes can.
    pub(crate) fn nominal(&self, overrides: Overrides) -> f64 {
        let wanted = match self.rate {
            Rate::Rapid => self.ceiling * overrides.rapid,
            Rate::Feed(speed) => speed * overrides.feed,
            Rate::Fixed(speed) => speed,
        };
        wanted.min(self.ceiling).max(SLOWEST)
    }
}

/// The look-ahead planner: keeps every block's entry speed as high as corners, feeds and the need to
/// stop at the end of what is known allow.
#[derive(Clone, Debug)]
pub(crate) struct Planner {
    blocks: VecDeque<Block>,
    capacity: usize,
    limits: Limits,
    overrides: Overrides,
    /// Direction and nominal speed of the last block pushed; `None` at rest.
    previous: Option<(Vector, f64)>,
    /// Blocks before this index are as fast as they will ever be.
    settled: usize,
}

impl Planner {
    pub(crate) fn new(capacity: usize, limits: Limits) -> Self {
        Self {
            blocks: VecDeque::with_capacity(capacity),
            capacity,
            limits,
            overrides: Overrides {
                feed: 1.0,
                rapid: 1.0,
            },
            previous: None,
            settled: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.blocks.len() >= self.capacity
    }

    pub(crate) fn overrides(&self) -> Overrides {
        self.overrides
    }

    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    pub(crate) fn clear(&mut self) {
        self.blocks.clear();
        self.previous = None;
        self.settled = 0;
    }

    /// Adds a block of `length` > 0 along `delta` and plans again.
    pub(crate) fn push(&mut self, tag: u64, target: Vector, delta: Vector, rate: Rate) {
        let length = norm(delta);
        let unit = delta.map(|part| part / length);
        let mut block = Block {
            tag,
            target,
            unit,
            length,
            acceleration: Limits::along(self.limits.acceleration, unit),
            rate,
            ceiling: Limits::along(self.limits.max_speed, unit),
            junction_sqr: 0.0,
            max_entry_sqr: 0.0,
            entry_sqr: 0.0,
        };
        let nominal = block.nominal(self.overrides);
        if let Some((from, before)) = self.previous.filter(|_| !self.blocks.is_empty()) {
            block.junction_sqr = self.junction_sqr(from, unit);
            block.max_entry_sqr = block
                .junction_sqr
                .min((nominal * nominal).min(before * before));
        }
        self.previous = Some((unit, nominal));
        self.blocks.push_back(block);
        self.plan();
    }

    /// Speed, squared, at which a corner may be taken: that of a circle which touches both lines and
    /// comes within the junction deviation of the corner.
    fn junction_sqr(&self, from: Vector, to: Vector) -> f64 {
        let cos_theta = -from.iter().zip(to).map(|(a, b)| a * b).sum::<f64>();
        if cos_theta > 0.999_999 {
            return 0.0;
        }
        if cos_theta < -0.999_999 {
            return f64::INFINITY;
        }
        let bisector: Vector = std::array::from_fn(|i| to[i] - from[i]);
        let size = norm(bisector);
        let acceleration =
            Limits::along(self.limits.acceleration, bisector.map(|part| part / size));
        let sin_half = (0.5 * (1.0 - cos_theta)).sqrt();
        acceleration * self.limits.junction_deviation * sin_half / (1.0 - sin_half)
    }

    /// The block that is being executed.
    pub(crate) fn front(&self) -> Option<&Block> {
        self.blocks.front()
    }

    /// Speed at which the executing block has to end, squared.
    pub(crate) fn exit_sqr(&self) -> f64 {
        self.blocks.get(1).map_or(0.0, |next| next.entry_sqr)
    }

    pub(crate) fn pop(&mut self) {
        self.blocks.pop_front();
        self.settled = self.settled.saturating_sub(1);
    }

    /// Tells how far the executing block has come: what is left of it and its speed now.
    pub(crate) fn update_front(&mut self, left: f64, speed: f64) {
        if let Some(front) = self.blocks.front_mut() {
            front.length = left;
            front.entry_sqr = speed * speed;
        }
    }

    /// Changes the overrides and plans every block anew.
    pub(crate) fn set_overrides(&mut self, overrides: Overrides) {
        self.overrides = overrides;
        let mut before: Option<f64> = None;
        for block in &mut self.blocks {
            let nominal = block.nominal(overrides);
            if let Some(before) = before {
                block.max_entry_sqr = block
                    .junction_sqr
                    .min((nominal * nominal).min(before * before));
            }
            before = Some(nominal);
        }
        if let (Some(nominal), Some(previous)) = (before, &mut self.previous) {
            previous.1 = nominal;
        }
        self.replan();
    }

    /// Plans from the executing block on, forgetting what was settled.
    pub(crate) fn replan(&mut self) {
        self.settled = 0;
        self.plan();
    }

    /// Reverse pass: no block may be entered faster than it can brake to the next one's entry, and
    /// the last must end in a stand. Forward pass: none faster than the block before can reach.
    fn plan(&mut self) {
        let first = self.settled.max(1);
        let mut next_entry_sqr = 0.0;
        for block in self.blocks.iter_mut().skip(first).rev() {
            let brakable = 2.0f64.mul_add(block.acceleration * block.length, next_entry_sqr);
            block.entry_sqr = block.max_entry_sqr.min(brakable);
            next_entry_sqr = block.entry_sqr;
        }
        let mut reachable: Option<f64> = None;
        let mut settled = self.settled;
        for (index, block) in self.blocks.iter_mut().enumerate().skip(first - 1) {
            if let Some(reachable) = reachable {
                if reachable <= block.entry_sqr {
                    // Accelerating all through the block before: nothing later can change that.
                    block.entry_sqr = reachable;
                    settled = index;
                } else if block.entry_sqr >= block.max_entry_sqr {
                    settled = index;
                }
            }
            reachable = Some(2.0f64.mul_add(block.acceleration * block.length, block.entry_sqr));
        }
        self.settled = settled;
    }
}

#[cfg(test)]
impl Planner {
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter()
    }
}
