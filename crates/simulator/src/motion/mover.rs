use std::collections::VecDeque;
use std::time::Duration;

use super::planner::{Limits, Overrides, Planner, Rate};
use super::profile::Profile;
use super::tracker::Tracker;
use super::{Vector, add_scaled, norm, sub};
use crate::log::{Entry, MotionLog};

/// How the stepper side is built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MoverConfig {
    pub(crate) limits: Limits,
    /// Usable planner blocks.
    pub(crate) blocks: usize,
    /// Segments prepared ahead, the running one included.
    pub(crate) segments: usize,
    /// Length of a segment in seconds.
    pub(crate) segment_time: f64,
    pub(crate) start: Vector,
}

/// Planner, segment buffer and stepper of a machine.
///
/// Blocks are cut into short segments of even speed, prepared a few ahead of execution. A hold, an
/// override or a new block changes what is **not yet prepared**: so there is a lag, as on the real
/// board. A block leaves the planner when its last segment is prepared, not when it is executed.
#[derive(Clone, Debug)]
pub(crate) struct Mover {
    planner: Planner,
    tracker: Tracker,
    segments: VecDeque<Segment>,
    most_segments: usize,
    segment_time: f64,
    /// Where the running segment began.
    position: Vector,
    /// Where the last planned block ends.
    planned_position: Vector,
    /// When the running segment began and will end.
    running: Option<(Duration, Duration)>,
    /// The block being cut into segments.
    cutting: Option<Cutting>,
    /// Speed at the end of what is prepared, mm/s.
    speed: f64,
    hold: Hold,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    No,
    Yes,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    time: Duration,
    end: Vector,
    length: f64,
    tag: u64,
    ends_block: bool,
}

#[derive(Clone, Copy, Debug)]
struct Cutting {
    profile: Profile,
    /// Seconds into the profile that are prepared.
    time: f64,
    /// mm of the profile that are prepared.
    done: f64,
    /// What was left of the block when the profile was made.
    length: f64,
}

/// Rests shorter than this are done together with what is before them, seconds.
const SHORTEST_REST: f64 = 1e-6;

impl Mover {
    pub(crate) fn new(config: MoverConfig) -> Self {
        Self {
            planner: Planner::new(config.blocks, config.limits),
            tracker: Tracker::default(),
            segments: VecDeque::with_capacity(config.segments),
            most_segments: config.segments,
            segment_time: config.segment_time,
            position: config.start,
            planned_position: config.start,
            running: None,
            cutting: None,
            speed: 0.0,
            hold: Hold::No,
        }
    }

    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.planner.set_limits(limits);
    }

    /// True when no further block or motion can be taken now.
    pub(crate) fn is_full(&self) -> bool {
        self.planner.is_full() || self.tracker.is_full()
    }

    /// Planner blocks in use.
    pub(crate) fn blocks_used(&self) -> usize {
        self.planner.len()
    }

    /// Motions completed since power-up.
    pub(crate) fn completed(&self) -> u64 {
        self.tracker.completed()
    }

    /// True while steps are being made.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// True when nothing is planned, prepared or running.
    pub(crate) fn is_drained(&self) -> bool {
        self.planner.is_empty() && self.segments.is_empty() && self.running.is_none()
    }

    /// Where the last planned block ends.
    pub(crate) fn planned_position(&self) -> Vector {
        self.planned_position
    }

    /// Speed at the end of what is prepared, mm/s: what grbl reports as its feed.
    pub(crate) fn speed(&self) -> f64 {
        self.speed
    }

    /// Line number of the block that is being prepared.
    pub(crate) fn line(&self) -> Option<u64> {
        self.planner
            .front()
            .and_then(|block| self.tracker.line(block.tag))
    }

    /// Where the machine is; `now` must not be before the last `advance`.
    pub(crate) fn position(&self, now: Duration) -> Vector {
        let (Some((start, end)), Some(segment)) = (self.running, self.segments.front()) else {
            return self.position;
        };
        let whole = (end - start).as_secs_f64();
        let part = if whole > 0.0 {
            now.saturating_sub(start).as_secs_f64() / whole
        } else {
            1.0
        };
        add_scaled(
            self.position,
            sub(segment.end, self.position),
            part.min(1.0),
        )
    }

    /// The machine is told that it stands somewhere else than it thought (homing, a lost origin).
    /// Only while drained.
    pub(crate) fn set_position(&mut self, position: Vector) {
        self.position = position;
        self.planned_position = position;
    }

    /// A motion of the program, `length` mm long, whose blocks follow; returns its tag.
    pub(crate) fn begin(&mut self, entry: Entry, length: f64) -> u64 {
        self.tracker.begin(entry, length)
    }

    /// Plans a straight block to `target` for the motion `tag`. Nothing happens when it has no
    /// length. The planner must not be full.
    pub(crate) fn push(&mut self, tag: u64, target: Vector, rate: Rate) {
        let delta = sub(target, self.planned_position);
        let length = norm(delta);
        if !(length > 0.0 && length.is_finite()) {
            return;
        }
        self.sync_front();
        self.tracker.planned(tag);
        self.planner.push(tag, target, delta, rate);
        self.planned_position = target;
        self.recut();
    }

    /// The motion has no further blocks.
    pub(crate) fn complete(&mut self, now: Duration, tag: u64, log: &mut MotionLog) {
        self.tracker.complete(now, tag, log);
    }

    /// Starts executing what is planned, unless held or already running.
    pub(crate) fn start(&mut self, now: Duration) {
        if self.running.is_none() && self.hold == Hold::No {
            self.prepare();
            self.run_next(now);
        }
    }

    /// Slows down and stops; [`Mover::is_running`] turns false when the machine stands.
    pub(crate) fn hold(&mut self) {
        self.hold = Hold::Yes;
        self.sync_front();
        self.recut();
    }

    /// Goes on after a hold.
    pub(crate) fn resume(&mut self, now: Duration) {
        if self.hold == Hold::No {
            return;
        }
        self.hold = Hold::No;
        self.sync_front();
        self.planner.replan();
        self.recut();
        self.start(now);
    }

    /// Changes the overrides, given as factors.
    pub(crate) fn set_overrides(&mut self, feed: f64, rapid: f64) {
        let overrides = Overrides { feed, rapid };
        if overrides == self.planner.overrides() {
            return;
        }
        self.sync_front();
        self.planner.set_overrides(overrides);
        self.recut();
    }

    /// Stops at once where it is and forgets everything planned.
    pub(crate) fn abort(&mut self, now: Duration, log: &mut MotionLog) {
        let here = self.position(now);
        if let (Some((since, _)), Some(segment)) = (self.running, self.segments.front()) {
            let part = norm(sub(here, self.position));
            self.tracker.travelled(segment.tag, since, part);
        }
        self.tracker.abort(now, log);
        self.planner.clear();
        self.segments.clear();
        self.running = None;
        self.cutting = None;
        self.speed = 0.0;
        self.hold = Hold::No;
        self.set_position(here);
    }

    /// When the running segment ends.
    pub(crate) fn next_event(&self) -> Option<Duration> {
        self.running.map(|(_, end)| end)
    }

    /// Ends the running segment if it is over by `now`, and begins the next; false when there was
    /// none. Called until false, it brings the machine up to `now`.
    pub(crate) fn step(&mut self, now: Duration, log: &mut MotionLog) -> bool {
        let Some((start, end)) = self.running.filter(|(_, end)| *end <= now) else {
            return false;
        };
        let Some(segment) = self.segments.pop_front() else {
            return false;
        };
        self.position = segment.end;
        self.tracker.travelled(segment.tag, start, segment.length);
        if segment.ends_block {
            self.tracker.block_done(end, segment.tag, log);
        }
        self.prepare();
        self.run_next(end);
        true
    }

    fn run_next(&mut self, now: Duration) {
        self.running = self
            .segments
            .front()
            .map(|segment| (now, now + segment.time));
    }

    /// Fills the segment buffer.
    fn prepare(&mut self) {
        while self.segments.len() < self.most_segments {
            let Some(mut cutting) = self.cutting.or_else(|| self.cut_front()) else {
                return;
            };
            let Some(block) = self.planner.front().copied() else {
                return;
            };
            let whole = cutting.profile.duration();
            let rest = whole - cutting.time;
            let stops_short = cutting.profile.distance() < cutting.length;
            if rest <= 0.0 && stops_short {
                // Held: stands in the middle of the block.
                self.cutting = Some(cutting);
                self.speed = 0.0;
                return;
            }
            let time = if rest <= self.segment_time + SHORTEST_REST {
                rest
            } else {
                self.segment_time
            };
            let is_last = time >= rest;
            cutting.time = if is_last { whole } else { cutting.time + time };
            let (travelled, speed) = cutting.profile.at(cutting.time);
            let ends_block = is_last && !stops_short;
            let end = if ends_block {
                block.target
            } else {
                add_scaled(block.target, block.unit, travelled - cutting.length)
            };
            self.segments.push_back(Segment {
                time: Duration::from_secs_f64(time.max(0.0)),
                end,
                length: travelled - cutting.done,
                tag: block.tag,
                ends_block,
            });
            cutting.done = travelled;
            self.speed = speed;
            self.cutting = Some(cutting);
            if ends_block {
                self.planner.pop();
                self.cutting = None;
            }
        }
    }

    /// Tells the planner how far the executing block has come.
    fn sync_front(&mut self) {
        let Some(front) = self.planner.front() else {
            return;
        };
        let left = self
            .cutting
            .as_ref()
            .map_or(front.length, |cut| cut.length - cut.done);
        self.planner.update_front(left, self.speed);
    }

    /// Makes a new profile for what is left of the block being cut.
    fn recut(&mut self) {
        if self.cutting.take().is_some() {
            self.cutting = self.cut_front();
        }
    }

    fn cut_front(&self) -> Option<Cutting> {
        let block = self.planner.front()?;
        let profile = match self.hold {
            Hold::Yes => Profile::stop(self.speed, block.acceleration, block.length),
            Hold::No => Profile::travel(
                self.speed,
                block.nominal(self.planner.overrides()),
                self.planner.exit_sqr().sqrt(),
                block.acceleration,
                block.length,
            ),
        };
        Some(Cutting {
            profile,
            time: 0.0,
            done: 0.0,
            length: block.length,
        })
    }
}
