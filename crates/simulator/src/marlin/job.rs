use std::time::Duration;

use super::heater::{HeatWait, HeaterKind, Look};
use super::modal::Homed;
use super::options::{Switch, User};
use super::path::Path;
use super::{Marlin, entry, seconds};
use crate::config::MotionModel;
use crate::controller::Outside;
use crate::log::{Entry, Kind};

/// A command that takes time. It keeps its place in the queue and says `ok` at its end.
#[derive(Clone, Debug)]
pub(super) enum Job {
    /// A move whose segments are not all in the planner.
    Path(Plan),
    /// Waits until the planner is empty, then goes on.
    Drain(After),
    /// Lasts until `finish`; then the entry, if any, is written.
    Timed {
        start: Duration,
        finish: Duration,
        entry: Option<Entry>,
    },
    /// M109 and M190.
    Heat(HeatWait),
    /// M0, M1 and M600: until M108, the button, or a time.
    User { until: Option<Duration> },
    /// Nothing left to do but to say `ok`.
    Done,
}

/// A move under way into the planner.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    path: Option<Path>,
    /// mm/s.
    feed: f64,
    flow: f64,
    extrusion: Extrusion,
}

/// Whether the extruder takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extrusion {
    Moves,
    /// Too cold or too long: it stays, and the firmware behaves as if it had moved.
    Prevented,
    /// It moves, and its position for the program stays what it was (G10 and G11).
    Uncounted,
}

/// What follows when the planner is empty.
#[derive(Clone, Debug)]
pub(super) enum After {
    Nothing,
    /// G4, seconds.
    Dwell(f64),
    /// G28, the axes named.
    Home([Homed; 3]),
    /// Something of the machine's own that takes this long.
    Busy(Duration),
    /// M0 and M600, with a time limit.
    AskUser(Option<Duration>),
}

/// mm/s of homing for each axis, and how far the axis is from its switch when nobody knows.
const HOMING_FEED: [f64; 3] = [50.0, 50.0, 4.0];
const UNKNOWN_DISTANCE: [f64; 3] = [100.0, 100.0, 10.0];
/// mm back and forth for the second, slow touch of the switch at half the speed.
const HOMING_BUMP: [f64; 3] = [5.0, 5.0, 2.0];

impl Plan {
    pub(super) const fn new(path: Path, feed: f64, flow: f64, extrusion: Extrusion) -> Self {
        Self {
            path: Some(path),
            feed,
            flow,
            extrusion,
        }
    }

    fn is_complete(&self) -> bool {
        self.path.as_ref().is_none_or(Path::is_done)
    }

    /// No further segment is planned.
    pub(super) fn drop_rest(&mut self) {
        self.path = None;
    }
}

impl Job {
    /// When it wants to be looked at, apart from motion that it waits for.
    pub(super) fn next_event(&self) -> Option<Duration> {
        match self {
            Self::Timed { finish, .. } => Some(*finish),
            Self::Heat(wait) => Some(wait.next_event()),
            Self::User { until } => *until,
            Self::Path(_) | Self::Drain(_) | Self::Done => None,
        }
    }

    /// It ends by itself if only time goes on.
    pub(super) const fn needs_time(&self) -> bool {
        !matches!(self, Self::User { until: None })
    }

    pub(super) const fn is_homing(&self) -> bool {
        matches!(
            self,
            Self::Timed {
                entry: Some(Entry {
                    kind: Kind::Home,
                    ..
                }),
                ..
            }
        )
    }

    /// The log entry of a job that a kill or reset cuts short.
    pub(super) fn cut_short(self, now: Duration) -> Option<Entry> {
        let Self::Timed {
            start,
            finish,
            entry: Some(mut entry),
        } = self
        else {
            return None;
        };
        let whole = finish.saturating_sub(start).as_secs_f64();
        let part = now.saturating_sub(start).as_secs_f64() / whole.max(f64::MIN_POSITIVE);
        entry.fraction = part.clamp(0.0, 1.0 - f64::EPSILON);
        entry.finish = now;
        Some(entry)
    }
}

impl Marlin {
    /// Carries the job on; true when it came any further.
    pub(super) fn work(&mut self, now: Duration, outside: &mut Outside<'_>) -> bool {
        let Some(job) = self.job.take() else {
            return false;
        };
        match job {
            Job::Path(plan) => self.plan_on(now, plan, outside),
            Job::Drain(after) if self.motions.is_idle() => {
                self.job = Some(self.after(now, after));
                true
            }
            Job::Timed { finish, entry, .. } if finish <= now => {
                self.finish_timed(now, entry, outside);
                true
            }
            Job::Heat(wait) => self.heat_on(now, wait, outside),
            Job::User { until: Some(until) } if until <= now => self.finish(now, outside),
            Job::Done => self.finish(now, outside),
            waiting => {
                self.job = Some(waiting);
                false
            }
        }
    }

    fn plan_on(&mut self, now: Duration, mut plan: Plan, outside: &mut Outside<'_>) -> bool {
        while !plan.is_complete() {
            if !self.motions.has_room() {
                self.job = Some(Job::Path(plan));
                return false;
            }
            self.plan_segment(now, &mut plan);
        }
        self.motions.close(now, outside.log);
        self.finish(now, outside)
    }

    fn plan_segment(&mut self, now: Duration, plan: &mut Plan) {
        let Some(target) = plan.path.as_mut().and_then(Path::next_target) else {
            return;
        };
        if plan.extrusion == Extrusion::Prevented {
            self.motions.planner.set_end(3, target[3], &self.limits);
        }
        self.motions
            .segment(now, target, plan.feed, plan.flow, &self.limits);
        if plan.extrusion == Extrusion::Uncounted {
            self.motions
                .planner
                .set_end(3, self.modal.position[3], &self.limits);
        }
    }

    fn heat_on(&mut self, now: Duration, mut wait: HeatWait, outside: &mut Outside<'_>) -> bool {
        let heater = match wait.heater {
            HeaterKind::Hotend => &self.hotend,
            HeaterKind::Bed => &self.bed,
        };
        match wait.look(now, heater) {
            Look::Reached => return self.finish(now, outside),
            Look::Report(left) => self.report_heating(now, left, outside),
            Look::Wait => {}
        }
        self.job = Some(Job::Heat(wait));
        false
    }

    /// The planner is empty: what now?
    fn after(&mut self, now: Duration, after: After) -> Job {
        let line = self.queue.front().and_then(|line| line.number);
        let (time, entry) = match after {
            After::Nothing => return Job::Done,
            After::AskUser(_) if self.options.user == User::Continue => return Job::Done,
            After::AskUser(limit) => {
                return Job::User {
                    until: limit.map(|limit| now + limit),
                };
            }
            After::Busy(time) => (self.motion_time(time), None),
            After::Dwell(time) => {
                let entry = entry(
                    now,
                    Kind::Dwell { seconds: time },
                    self.modal.position,
                    line,
                );
                (seconds(time), Some(entry))
            }
            After::Home(axes) => {
                let time = self.home(axes);
                let time = self.motion_time(time);
                (
                    time,
                    Some(entry(now, Kind::Home, self.modal.position, line)),
                )
            }
        };
        Job::Timed {
            start: now,
            finish: now + time,
            entry,
        }
    }

    /// How long the machine's own motion takes.
    fn motion_time(&self, time: Duration) -> Duration {
        match self.motion_model {
            MotionModel::Planned => time,
            MotionModel::Instant => Duration::ZERO,
        }
    }

    /// Homes axes: they end at zero, without an offset. Returns how long it takes.
    fn home(&mut self, axes: [Homed; 3]) -> Duration {
        let mut time = 0.0;
        for axis in 0..3 {
            if axes[axis] == Homed::No {
                continue;
            }
            let way = match self.modal.homed[axis] {
                Homed::Yes => self.modal.position[axis].abs(),
                Homed::No => UNKNOWN_DISTANCE[axis],
            };
            time += (way + HOMING_BUMP[axis]) / HOMING_FEED[axis];
            time += 2.0 * HOMING_BUMP[axis] / HOMING_FEED[axis];
            self.modal.homed[axis] = Homed::Yes;
            self.modal.position[axis] = 0.0;
            self.modal.offset[axis] = 0.0;
            self.motions.planner.set_end(axis, 0.0, &self.limits);
        }
        seconds(time)
    }

    fn finish_timed(&mut self, now: Duration, entry: Option<Entry>, outside: &mut Outside<'_>) {
        let Some(mut entry) = entry else {
            self.finish(now, outside);
            return;
        };
        entry.finish = now;
        self.motions.record(&entry, outside.log);
        if entry.kind == Kind::Home {
            self.report_position(now, outside);
        }
        self.finish(now, outside);
    }

    /// M108 or the button: what waits for a person or for heat ends.
    pub(super) fn release(&mut self) {
        if let Some(job @ (Job::User { .. } | Job::Heat(_))) = &mut self.job {
            *job = Job::Done;
        }
    }

    /// The command at the front of the queue is done: `ok`. True, for whoever asks whether anything
    /// happened.
    pub(super) fn finish(&mut self, now: Duration, outside: &mut Outside<'_>) -> bool {
        let is_silent = self.queue.front().is_some_and(|line| line.is_silent);
        match self.options.advanced_ok {
            _ if is_silent => {}
            Switch::Off => outside.tx.write(now, b"ok\n"),
            Switch::On => self.advanced_ok(now, outside),
        }
        self.end_command(now);
        true
    }

    /// The command at the front of the queue is done and has said so itself.
    pub(super) fn end_command(&mut self, now: Duration) {
        self.job = None;
        self.queue.pop();
        self.reports.idle(now);
    }

    /// `ok N12 P15 B3`: the line's number if it has one, free planner blocks, free commands.
    fn advanced_ok(&mut self, now: Duration, outside: &mut Outside<'_>) {
        let (planner, queue) = (self.motions.planner.free(), self.queue.free());
        let line = self.queue.front();
        let number = line.as_ref().and_then(|line| line_number(line.text()));
        let (space, number) = number.map_or(("", ""), |number| (" ", number));
        self.say(
            now,
            format_args!("ok{space}{number} P{planner} B{queue}"),
            outside,
        );
    }
}

/// `N12` of a line that begins with it, as the firmware repeats it.
fn line_number(text: &[u8]) -> Option<&str> {
    let digits = text
        .strip_prefix(b"N")?
        .iter()
        .take_while(|byte| matches!(byte, b'-' | b'+' | b'0'..=b'9'))
        .count();
    std::str::from_utf8(text.get(..=digits)?).ok()
}
