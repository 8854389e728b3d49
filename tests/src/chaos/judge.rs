//! Holds what the machine did against the program, motion by motion, as it happens.

use std::fmt;

use feedhold_simulator::{Entry, Kind};
use feedhold_stream_core::streamer::{InDoubt, Positions};

use super::program::{Motion, Program};

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its number in the list of [`INVARIANTS`].
    pub invariant: u8,
    /// What was seen.
    pub what: String,
}

/// What always holds. The first index is 1.
pub const INVARIANTS: [&str; 10] = [
    "the executed motions are the program's, each once and in order, but for what was announced and chosen",
    "unanswered bytes never exceed the controller's receive buffer",
    "answers are consumed in order, each once, never more than lines were sent",
    "executed ≤ acked ≤ sent ≤ durable ceiling, and executed never beyond what the machine has done",
    "memory stays within its bounds",
    "when faults stop, the job ends or progresses within 60 s",
    "no motion leaves on connect, while paused, in alarm, refused or disconnected",
    "before the first motion behind a resume, everything in force is what the program says",
    "the same seed gives the same trace",
    "every refusal has a code of the closed list",
];

impl Violation {
    pub(super) fn new(invariant: u8, what: impl Into<String>) -> Self {
        Self {
            invariant,
            what: what.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = INVARIANTS
            .get(usize::from(self.invariant).wrapping_sub(1))
            .copied()
            .unwrap_or("no panic");
        write!(f, "invariant {} ({rule}): {}", self.invariant, self.what)
    }
}

/// Whose motions the machine makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Nobody's: nothing may move.
    Nobody,
    /// The program's.
    Program,
    /// The way back to the part.
    Approach,
    /// Those of lines that reach a controller which has just restarted, and no host can know yet.
    Unknown,
}

/// The account of one machine.
#[derive(Debug)]
pub(super) struct Judge {
    program: &'static Program,
    whose: Whose,
    /// The motion of the program that comes next.
    next: usize,
    /// Motions of the program that were made, the furthest.
    reached: usize,
    /// A motion that was begun and cut short.
    partial: Option<usize>,
    /// The first motion behind a resume is still to come.
    fresh: bool,
    /// What reached the machine may be another line than was sent: it is not compared any more.
    blind: bool,
    compared: u64,
    /// Filament used so far, as the machine counts it.
    filament: f64,
}

impl Judge {
    pub(super) fn new(program: &'static Program) -> Self {
        Self {
            program,
            whose: Whose::Nobody,
            next: 0,
            reached: 0,
            partial: None,
            fresh: false,
            blind: false,
            compared: 0,
            filament: 0.0,
        }
    }

    /// Lines may reach the machine changed, and its protocol cannot tell.
    pub(super) fn go_blind(&mut self) {
        self.blind = true;
    }

    pub(super) fn is_blind(&self) -> bool {
        self.blind
    }

    /// Motions of the program that were made.
    pub(super) fn reached(&self) -> usize {
        self.reached
    }

    /// The motion of the program that the machine makes now, or will make next.
    pub(super) fn next(&self) -> usize {
        self.next
    }

    /// Motions that were compared.
    pub(super) fn compared(&self) -> u64 {
        self.compared
    }

    /// The program begins behind `done`, with this announced.
    pub(super) fn begins(
        &mut self,
        done: u64,
        repeats: Option<InDoubt>,
        skips: Option<InDoubt>,
    ) -> Result<(), Violation> {
        let first = self.program.motions_up_to(done);
        let covers = |lines: Option<InDoubt>, motion: usize| {
            let line = self.program.motion(motion).map_or(0, |motion| motion.line);
            lines.is_some_and(|lines| (lines.first..=lines.last).contains(&line))
        };
        let told = |lines: Option<InDoubt>| {
            lines.map_or_else(|| "nothing".to_owned(), |lines| lines.to_string())
        };
        if !self.blind {
            let made = self.partial.map_or(self.reached, |partial| partial + 1);
            for motion in first..made.max(self.reached) {
                if !covers(repeats, motion) {
                    return Err(Violation::new(
                        1,
                        format!(
                            "the program goes on behind line {done} and repeats {}, which was made {}; announced: {}",
                            self.tell(motion),
                            if self.partial == Some(motion) {
                                "in part"
                            } else {
                                "before"
                            },
                            told(repeats)
                        ),
                    ));
                }
            }
            for motion in self.reached..first {
                if !covers(skips, motion) {
                    return Err(Violation::new(
                        1,
                        format!(
                            "the program goes on behind line {done} and skips {}, which was never made{}; announced: {}",
                            self.tell(motion),
                            if self.partial == Some(motion) {
                                " to its end"
                            } else {
                                ""
                            },
                            told(skips)
                        ),
                    ));
                }
            }
        }
        self.whose = Whose::Program;
        self.next = first;
        // What was announced and chosen is accepted: from here on this is what was made.
        self.reached = first;
        self.partial = None;
        self.fresh = true;
        Ok(())
    }

    /// The way back to the part begins.
    pub(super) fn approaches(&mut self) {
        self.whose = Whose::Approach;
    }

    /// The controller has restarted in the middle of its work. What is on the wire until the host hears of it runs from a place that
    /// nobody knows; the host's part is to send nothing more, and to name the lines. One that restarts before anything was `sent` to it
    /// is taken as it is.
    pub(super) fn restarts(&mut self, sent: bool) {
        if self.whose == Whose::Program && sent {
            self.whose = Whose::Unknown;
        }
    }

    /// The machine has made a motion, or a part of one.
    pub(super) fn made(&mut self, entry: &Entry) -> Result<(), Violation> {
        let before = self.filament;
        self.filament += (entry.target[3] - before) * entry.fraction;
        if matches!(entry.kind, Kind::Dwell { .. }) || stays(entry) && !self.is_next(entry, before)
        {
            return Ok(());
        }
        match self.whose {
            Whose::Approach | Whose::Unknown => return Ok(()),
            Whose::Nobody if self.blind => return Ok(()),
            Whose::Nobody => {
                return Err(Violation::new(
                    7,
                    format!(
                        "the machine made {} and nobody had asked for it",
                        told(entry)
                    ),
                ));
            }
            Whose::Program => {}
        }
        if self.blind {
            self.next += 1;
            self.reached = self.reached.max(self.next);
            return Ok(());
        }
        if self.partial.is_some() {
            return Err(Violation::new(
                1,
                format!("{} follows a motion that was cut short", told(entry)),
            ));
        }
        let Some(motion) = self.program.motion(self.next) else {
            return Err(Violation::new(
                1,
                format!("{} follows the end of the program", told(entry)),
            ));
        };
        if let Some(difference) = self.difference(motion, entry, before) {
            let in_force = self.fresh && difference.in_force;
            return Err(Violation::new(
                if in_force { 8 } else { 1 },
                format!(
                    "the machine made {}, the program says {}: {}",
                    told(entry),
                    self.tell(self.next),
                    difference.what
                ),
            ));
        }
        self.compared += 1;
        self.fresh = false;
        if entry.fraction < 1.0 {
            self.partial = Some(self.next);
            return Ok(());
        }
        self.next += 1;
        self.reached = self.reached.max(self.next);
        Ok(())
    }

    /// Whether this is the next motion of the program. One that leads to where the machine stands already has no length.
    fn is_next(&self, entry: &Entry, filament: f64) -> bool {
        let next = self.program.motion(self.next);
        self.whose == Whose::Program
            && next.is_some_and(|motion| self.difference(motion, entry, filament).is_none())
    }

    /// How a motion differs from what it should be. Of the filament, what it uses counts: how much was used before depends on what was
    /// done twice.
    fn difference(&self, motion: &Motion, entry: &Entry, filament: f64) -> Option<Difference> {
        let used = entry.target[3] - filament;
        difference(motion, entry).or_else(|| {
            let wanted = motion.filament;
            let counts = motion.placed[3] && motion.entry.kind != Kind::Home;
            (counts && (used - wanted).abs() > PLACE_MM).then(|| Difference {
                what: format!("{used} mm of filament instead of {wanted}"),
                in_force: false,
            })
        })
    }

    /// Whether the whole program was made.
    pub(super) fn is_complete(&self, lines: u64) -> bool {
        self.partial.is_none() && self.reached == self.program.motions_up_to(lines)
    }

    /// What the host says was executed is executed, but for less than a report can tell.
    pub(super) fn check_executed(
        &self,
        at: Positions,
        place: impl Fn() -> [f64; 4],
    ) -> Result<(), Violation> {
        let claimed = self.program.motions_up_to(at.executed);
        if self.blind || self.whose != Whose::Program || claimed <= self.reached {
            return Ok(());
        }
        if claimed == self.reached + 1
            && let Some(motion) = self.program.motion(self.reached)
        {
            let there = place().into_iter().zip(motion.entry.target).take(3);
            if there
                .map(|(a, b)| (a - b).abs())
                .all(|away| away < REPORTED_MM)
            {
                return Ok(());
            }
        }
        Err(Violation::new(
            4,
            format!(
                "executed is {}, and the machine has not finished {} yet; acked {}, sent {}",
                at.executed,
                self.tell(self.reached),
                at.acked,
                at.sent
            ),
        ))
    }

    fn tell(&self, motion: usize) -> String {
        match self.program.motion(motion) {
            Some(motion) => format!("line {} ({})", motion.line, told(&motion.entry)),
            None => "the end of the program".to_owned(),
        }
    }
}

struct Difference {
    what: String,
    /// It is something in force that differs, not the motion itself.
    in_force: bool,
}

/// What the end of a motion may still be away when a report shows it reached: a step and half a printed digit, mm.
const REPORTED_MM: f64 = 0.01;

/// How far two places may be apart, mm.
const PLACE_MM: f64 = 1e-6;

/// How a motion differs from what it should be, filament aside.
fn difference(motion: &Motion, made: &Entry) -> Option<Difference> {
    let expected = &motion.entry;
    let near = |a: f64, b: f64, tolerance: f64| (a - b).abs() <= tolerance;
    let differs = |what: String| {
        Some(Difference {
            what,
            in_force: false,
        })
    };
    if expected.kind.name() != made.kind.name() {
        return differs("another kind of motion".to_owned());
    }
    if let (Kind::Arc(a), Kind::Arc(b)) = (expected.kind, made.kind) {
        let same = (a.axis_0, a.axis_1) == (b.axis_0, b.axis_1)
            && near(a.radius, b.radius, PLACE_MM)
            && near(a.sweep, b.sweep, PLACE_MM)
            && (0..2).all(|axis| near(a.center[axis], b.center[axis], PLACE_MM));
        if !same {
            return differs("another arc".to_owned());
        }
    }
    for axis in 0..3 {
        if motion.placed[axis] && !near(expected.target[axis], made.target[axis], PLACE_MM) {
            return differs(format!(
                "{} is {} instead of {}",
                ['X', 'Y', 'Z'][axis],
                made.target[axis],
                expected.target[axis]
            ));
        }
    }
    let in_force = |what: String| {
        Some(Difference {
            what,
            in_force: true,
        })
    };
    let fed = matches!(expected.kind, Kind::Linear | Kind::Arc(_));
    if fed && !near(expected.feed_mm_per_min, made.feed_mm_per_min, 1e-6) {
        return in_force(format!(
            "the feed is {} instead of {}",
            made.feed_mm_per_min, expected.feed_mm_per_min
        ));
    }
    if !near(expected.spindle_rpm, made.spindle_rpm, 1e-6) {
        return in_force(format!(
            "the spindle has {} rpm instead of {}",
            made.spindle_rpm, expected.spindle_rpm
        ));
    }
    if expected.coolant != made.coolant {
        return in_force(format!(
            "coolant is {:?} instead of {:?}",
            made.coolant, expected.coolant
        ));
    }
    None
}

/// A straight motion without length.
fn stays(entry: &Entry) -> bool {
    matches!(entry.kind, Kind::Rapid | Kind::Linear) && entry.start == entry.finish
}

fn told(entry: &Entry) -> String {
    let [x, y, z, e] = entry.target;
    let part = if entry.fraction < 1.0 {
        format!(", {:.1} % of it", entry.fraction * 100.0)
    } else {
        String::new()
    };
    format!("{} to X{x} Y{y} Z{z} E{e}{part}", entry.kind.name())
}
