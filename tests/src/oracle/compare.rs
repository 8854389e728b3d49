use std::fmt;
use std::io;

use feedhold_simulator::{Entry, Kind};
use thiserror::Error;

use super::program::{Motion, Target};

/// How far coordinates may lie apart, in mm.
///
/// Both sides calculate in double precision from the same decimal text, so that what remains is the
/// rounding of sums (increments, inches, offsets): some 10⁻¹² mm. A wrong digit in a program is at
/// least 10⁻⁵ mm.
const PLACE_MM: f64 = 1e-6;

/// How far centre and radius of an arc may lie apart, as a part of the radius (at least of 1 mm):
/// a centre that is found from a radius takes the root of a small difference.
const ARC_PART: f64 = 1e-6;

/// How far angles may lie apart, in radians.
const ANGLE_RAD: f64 = 1e-6;

/// How far feed rates and times may lie apart, as a part of themselves.
const RATE_PART: f64 = 1e-9;

/// A comparison under way: the motions of a program against entries as they come.
#[derive(Debug)]
pub struct Comparison<P> {
    program: P,
    agreed: u64,
}

/// How a machine's log differs from the program.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// The machine did something after the last motion of the program, or twice.
    #[error("motion {index} ({}) is not in the program", Told(.entry))]
    Extra {
        /// Place in the log, from 1.
        index: u64,
        /// What the machine did.
        entry: Box<Entry>,
    },
    /// The log ended before the program did.
    #[error("the machine made {made} motions; line {} ({motion}) is missing", .motion.line)]
    Missing {
        /// Motions that agreed.
        made: u64,
        /// The first one that is missing.
        motion: Box<Motion>,
    },
    /// A motion differs.
    #[error("motion {index}, line {}: {field} is {executed}, the program says {expected} ({motion})", .motion.line)]
    Differs {
        /// Place in the log, from 1.
        index: u64,
        /// The motion of the program.
        motion: Box<Motion>,
        /// What differs.
        field: Field,
        /// The program's value.
        expected: String,
        /// The machine's value.
        executed: String,
    },
    /// A motion was begun and not finished.
    #[error("motion {index}, line {}: cut short at {:.1} % of its way ({motion})", .motion.line, .fraction * 100.0)]
    CutShort {
        /// Place in the log, from 1.
        index: u64,
        /// The motion of the program.
        motion: Box<Motion>,
        /// How much of the way was made, 0 to 1.
        fraction: f64,
    },
    /// The program could not be read.
    #[error("cannot read the program: {0}")]
    Read(#[from] io::Error),
}

/// What of a motion was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// Rapid, linear, arc, dwell and so on.
    Kind,
    /// End on this axis: 0 X, 1 Y, 2 Z, 3 E.
    Axis(usize),
    /// Feed rate.
    Feed,
    /// The plane of an arc.
    Plane,
    /// The centre of an arc.
    Center,
    /// The radius of an arc.
    Radius,
    /// The angle an arc sweeps, with its sign.
    Sweep,
    /// The time of a dwell.
    Seconds,
}

/// Compares a whole program with a whole log; the number of motions when they agree.
///
/// # Errors
/// The first difference.
pub fn compare(
    program: impl Iterator<Item = io::Result<Motion>>,
    log: impl IntoIterator<Item = Entry>,
) -> Result<u64, Mismatch> {
    let mut comparison = Comparison::new(program);
    for entry in log {
        comparison.check(&entry)?;
    }
    comparison.finish()
}

impl<P: Iterator<Item = io::Result<Motion>>> Comparison<P> {
    /// Begins before the first motion of the program.
    pub const fn new(program: P) -> Self {
        Self { program, agreed: 0 }
    }

    /// Motions that agreed so far.
    pub const fn agreed(&self) -> u64 {
        self.agreed
    }

    /// Compares the next entry of the log with the next motion of the program.
    ///
    /// # Errors
    /// When they differ, or the program has no further motion.
    pub fn check(&mut self, entry: &Entry) -> Result<(), Mismatch> {
        let index = self.agreed + 1;
        let Some(motion) = self.program.next().transpose()?.map(Box::new) else {
            return Err(Mismatch::Extra {
                index,
                entry: Box::new(entry.clone()),
            });
        };
        if let Some((field, expected, executed)) = difference(&motion, entry) {
            return Err(Mismatch::Differs {
                index,
                motion,
                field,
                expected,
                executed,
            });
        }
        if entry.fraction < 1.0 && entry.kind != Kind::Probe {
            return Err(Mismatch::CutShort {
                index,
                motion,
                fraction: entry.fraction,
            });
        }
        self.agreed = index;
        Ok(())
    }

    /// Ends: the program must have no further motion. The number of motions that agreed.
    ///
    /// # Errors
    /// The first motion that the log does not have.
    pub fn finish(mut self) -> Result<u64, Mismatch> {
        match self.program.next().transpose()? {
            Some(motion) => Err(Mismatch::Missing {
                made: self.agreed,
                motion: Box::new(motion),
            }),
            None => Ok(self.agreed),
        }
    }
}

type Difference = (Field, String, String);

/// The first field in which the two differ.
fn difference(motion: &Motion, entry: &Entry) -> Option<Difference> {
    shape_difference(&motion.kind, &entry.kind)
        .or_else(|| place_difference(motion, entry))
        .or_else(|| feed_difference(motion, entry))
}

fn shape_difference(expected: &Kind, executed: &Kind) -> Option<Difference> {
    let numbers = |field, a: f64, b: f64, tolerance: f64| {
        (!near(a, b, tolerance)).then(|| (field, a.to_string(), b.to_string()))
    };
    match (expected, executed) {
        (Kind::Arc(a), Kind::Arc(b)) => {
            let tolerance = ARC_PART * a.radius.abs().max(1.0);
            let plane = (a.axis_0, a.axis_1);
            let other = (b.axis_0, b.axis_1);
            (plane != other)
                .then(|| (Field::Plane, format!("{plane:?}"), format!("{other:?}")))
                .or_else(|| numbers(Field::Radius, a.radius, b.radius, tolerance))
                .or_else(|| numbers(Field::Center, a.center[0], b.center[0], tolerance))
                .or_else(|| numbers(Field::Center, a.center[1], b.center[1], tolerance))
                .or_else(|| numbers(Field::Sweep, a.sweep, b.sweep, ANGLE_RAD))
        }
        (Kind::Dwell { seconds: a }, Kind::Dwell { seconds: b }) => {
            numbers(Field::Seconds, *a, *b, RATE_PART * a.abs())
        }
        (a, b) if a.name() == b.name() => None,
        (a, b) => Some((Field::Kind, a.name().to_owned(), b.name().to_owned())),
    }
}

fn place_difference(motion: &Motion, entry: &Entry) -> Option<Difference> {
    let axes = motion.target.0.into_iter().zip(entry.target).enumerate();
    let mut different = axes.filter(|(_, (a, b))| !near(*a, *b, PLACE_MM));
    different
        .next()
        .map(|(axis, (a, b))| (Field::Axis(axis), a.to_string(), b.to_string()))
}

/// Feed is compared where the program rules it: not for rapids, waits and homing.
fn feed_difference(motion: &Motion, entry: &Entry) -> Option<Difference> {
    let (a, b) = (motion.feed_mm_per_min?, entry.feed_mm_per_min);
    (!near(a, b, RATE_PART * a.abs())).then(|| (Field::Feed, a.to_string(), b.to_string()))
}

/// True also never for a number that is none.
fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kind => "the kind",
            Self::Axis(0) => "X",
            Self::Axis(1) => "Y",
            Self::Axis(2) => "Z",
            Self::Axis(_) => "E",
            Self::Feed => "the feed rate",
            Self::Plane => "the plane",
            Self::Center => "the centre",
            Self::Radius => "the radius",
            Self::Sweep => "the angle",
            Self::Seconds => "the time",
        })
    }
}

/// An entry in a few words.
struct Told<'a>(&'a Entry);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.0.kind.name(), Target(self.0.target))
    }
}
