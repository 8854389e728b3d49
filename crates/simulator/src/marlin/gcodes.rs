use std::time::Duration;

use super::command::{Code, Command};
use super::job::{After, Extrusion, Job, Plan};
use super::modal::{AXES, Distance, Homed};
use super::motions::Logged;
use super::path::{Center, Path};
use super::queue::Line;
use super::{ColdMoves, Marlin, entry};
use crate::controller::Outside;
use crate::log::Kind;
use crate::motion::Turn;

/// What a command led to.
pub(super) enum Outcome {
    /// Done: say `ok`.
    Done,
    /// Done, and it has answered itself (or never will).
    Answered,
    /// It takes time.
    Takes(Job),
    /// The firmware does not know it.
    Unknown,
}

/// Where G10 and G11 left the filament.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retraction {
    In,
    Out,
}

/// mm of filament that G10 pulls back, and its speed in mm/s.
const RETRACT_LENGTH: f64 = 3.0;
const RETRACT_FEED: f64 = 45.0;
/// A move of the extruder longer than this is a mistake and prevented, mm.
const EXTRUDE_MAXLENGTH: f64 = 200.0;
/// What probing the bed takes.
const LEVELLING: Duration = Duration::from_secs(30);

impl Marlin {
    /// Executes the command at the front of the queue up to its `ok` or to where it has to wait.
    pub(super) fn begin(&mut self, now: Duration, line: &Line, outside: &mut Outside<'_>) {
        self.reports.begin(now);
        let command = Command::parse(line.text());
        let outcome = match command.code {
            Some(code @ Code { letter: b'G', .. }) => {
                self.g_code(now, code, &command, line.number, outside)
            }
            Some(code @ Code { letter: b'M', .. }) => self.m_code(now, code, &command, outside),
            Some(code) => self.tool(now, code.number, outside),
            None => Outcome::Unknown,
        };
        match outcome {
            Outcome::Takes(job) => {
                self.job = Some(job);
                self.work(now, outside);
            }
            Outcome::Answered => self.end_command(now),
            Outcome::Done => {
                self.finish(now, outside);
            }
            Outcome::Unknown => {
                let text = String::from_utf8_lossy(command.text);
                self.say(
                    now,
                    format_args!("echo:Unknown command: \"{text}\""),
                    outside,
                );
                self.finish(now, outside);
            }
        }
    }

    /// There is one tool; choosing it again does nothing.
    fn tool(&mut self, now: Duration, tool: u32, outside: &mut Outside<'_>) -> Outcome {
        if tool != 0 {
            self.say(now, format_args!("echo:T{tool} Invalid extruder"), outside);
        }
        Outcome::Done
    }

    fn g_code(
        &mut self,
        now: Duration,
        code: Code,
        command: &Command<'_>,
        line: Option<u64>,
        outside: &mut Outside<'_>,
    ) -> Outcome {
        match (code.number, code.sub) {
            (0, 0) => return self.line(now, Kind::Rapid, command, line, outside),
            (1, 0) => return self.line(now, Kind::Linear, command, line, outside),
            (2, 0) => return self.arc(now, Turn::Clockwise, command, line, outside),
            (3, 0) => return self.arc(now, Turn::CounterClockwise, command, line, outside),
            (4, _) => {
                let time = command
                    .value(b'S')
                    .or(command.value(b'P').map(|ms| ms / 1000.0));
                return Outcome::Takes(Job::Drain(After::Dwell(time.unwrap_or(0.0).max(0.0))));
            }
            (10, _) => return self.retract(now, Retraction::In, outside),
            (11, _) => return self.retract(now, Retraction::Out, outside),
            (28, _) => return Outcome::Takes(Job::Drain(After::Home(axes_to_home(command)))),
            (29, _) => {
                // Only phase 1 (or a plain G29) probes; the others calculate.
                self.kept.measured();
                let probes = command.value(b'P').is_none_or(|phase| phase == 1.0);
                let time = if probes && !command.has(b'A') {
                    LEVELLING
                } else {
                    Duration::ZERO
                };
                return Outcome::Takes(Job::Drain(After::Busy(time)));
            }
            (17, _) => self.modal.plane = [0, 1],
            (18, _) => self.modal.plane = [2, 0],
            (19, _) => self.modal.plane = [1, 2],
            (20, _) => self.modal.set_unit(25.4),
            (21, _) => self.modal.set_unit(1.0),
            (90, _) => self.modal.set_distance(Distance::Absolute),
            (91, _) => self.modal.set_distance(Distance::Relative),
            (92, 0) => self.modal.set_logical(command),
            (92, 1) => self.modal.offset = [0.0, 0.0, 0.0, self.modal.offset[3]],
            _ => return Outcome::Unknown,
        }
        Outcome::Done
    }

    /// G0 and G1. Without an axis there is no motion, only a feed.
    fn line(
        &mut self,
        now: Duration,
        kind: Kind,
        command: &Command<'_>,
        line: Option<u64>,
        outside: &mut Outside<'_>,
    ) -> Outcome {
        self.modal.take_feed(command);
        if AXES.into_iter().all(|axis| command.value(axis).is_none()) {
            return Outcome::Done;
        }
        let path = Path::line(self.modal.position, self.modal.target(command));
        self.travel(now, kind, path, line, outside)
    }

    /// G2 and G3.
    fn arc(
        &mut self,
        now: Duration,
        turn: Turn,
        command: &Command<'_>,
        line: Option<u64>,
        outside: &mut Outside<'_>,
    ) -> Outcome {
        self.modal.take_feed(command);
        let plane = self.modal.plane;
        let offset = |axis: u8| self.modal.length(command, b'I' + axis).unwrap_or(0.0);
        let center = match self.modal.length(command, b'R') {
            Some(radius) => Center::Radius(radius),
            None => Center::Offset(plane.map(offset)),
        };
        let turns = command
            .value(b'P')
            .map_or(0, |turns| turns.clamp(0.0, 1000.0) as u32);
        let (from, to) = (self.modal.position, self.modal.target(command));
        match Path::arc(from, to, plane, turn, center, turns) {
            Ok(path) => {
                let kind = path.shape().map_or(Kind::Linear, Kind::Arc);
                self.travel(now, kind, path, line, outside)
            }
            Err(_) => {
                self.say(now, format_args!("Error:G2/G3 bad parameters"), outside);
                Outcome::Done
            }
        }
    }

    /// Sends the program's tool along a path.
    fn travel(
        &mut self,
        now: Duration,
        kind: Kind,
        path: Path,
        line: Option<u64>,
        outside: &mut Outside<'_>,
    ) -> Outcome {
        let extrusion = self.extrusion(now, path.target()[3] - self.modal.position[3], outside);
        self.modal.position = path.target();
        let mut entry = entry(now, kind, path.target(), line);
        if kind != Kind::Rapid {
            entry.feed_mm_per_min = self.modal.feed * 60.0;
        }
        self.motions.open(entry, path.length(), Logged::Yes);
        let feed = self.modal.effective_feed();
        Outcome::Takes(Job::Path(Plan::new(
            path,
            feed,
            self.modal.flow_percent / 100.0,
            extrusion,
        )))
    }

    /// Whether the extruder may make its part of a move; says so if not.
    fn extrusion(&mut self, now: Duration, way: f64, outside: &mut Outside<'_>) -> Extrusion {
        if way == 0.0 {
            return Extrusion::Moves;
        }
        let is_cold = match self.cold_moves {
            ColdMoves::Allowed => false,
            ColdMoves::Prevented(least) => self.hotend.celsius(now) < least,
        };
        if is_cold {
            self.say(now, format_args!("echo: cold extrusion prevented"), outside);
            return Extrusion::Prevented;
        }
        if way.abs() > EXTRUDE_MAXLENGTH {
            self.say(
                now,
                format_args!("echo: too long extrusion prevented"),
                outside,
            );
            return Extrusion::Prevented;
        }
        Extrusion::Moves
    }

    /// G10 and G11: the filament goes back or forth by a fixed length, and the program's E knows
    /// nothing of it.
    fn retract(&mut self, now: Duration, to: Retraction, outside: &mut Outside<'_>) -> Outcome {
        if self.retraction == to {
            return Outcome::Done;
        }
        let way = if to == Retraction::In {
            -RETRACT_LENGTH
        } else {
            RETRACT_LENGTH
        };
        self.retraction = to;
        if self.extrusion(now, way, outside) == Extrusion::Prevented {
            return Outcome::Done;
        }
        let from = self.modal.position;
        let mut target = from;
        target[3] += way;
        let path = Path::line(from, target);
        self.motions.open(
            entry(now, Kind::Linear, target, None),
            path.length(),
            Logged::No,
        );
        Outcome::Takes(Job::Path(Plan::new(
            path,
            RETRACT_FEED,
            1.0,
            Extrusion::Uncounted,
        )))
    }
}

/// The axes that G28 names; all of them if it names none.
fn axes_to_home(command: &Command<'_>) -> [Homed; 3] {
    let names_any = command.has_any(b"XYZ");
    std::array::from_fn(|axis| {
        if command.has(AXES[axis]) || !names_any {
            Homed::Yes
        } else {
            Homed::No
        }
    })
}
