//! Where the machine goes: positions, lines, arcs and helices, in machine millimetres and degrees.

mod arc;
mod bounds;

use core::fmt;
use core::ops::{Index, IndexMut};

use crate::math::sqrt;
use crate::modal::{FeedMode, Probe};

pub use arc::{Arc, ArcError};
pub(crate) use arc::{ArcEnds, Center};
pub use bounds::Bounds;

/// One motion of the machine, as one block programs it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motion {
    /// How it goes.
    pub kind: MotionKind,
    /// Where it begins.
    pub from: Position,
    /// Where it ends as programmed; a probe may stop earlier.
    pub to: Position,
    /// Programmed feed in mm/min (degrees/min when only rotary axes move); 0 when the machine's own rapid or
    /// homing rate applies. In inverse time mode it is computed from the length.
    pub feed_mm_per_min: f64,
    /// How the feed was programmed.
    pub feed_mode: FeedMode,
}

/// How a motion goes.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MotionKind {
    /// G0. grbl and LinuxCNC go at their own rapid rate, Marlin at the programmed feed.
    Rapid,
    /// G1.
    Linear,
    /// G2 and G3.
    Arc(Arc),
    /// G5: only the end point is known here; length and bounds are those of the chord.
    Spline,
    /// G28 and G30, with the point they pass first.
    Home {
        /// The intermediate point, when the block names one.
        via: Option<Position>,
    },
    /// G38.2 to G38.5: ends at the contact or at the programmed point.
    Probe(Probe),
    /// grbl's `$J=`: can be cancelled and leaves the modal state as it was.
    Jog,
}

impl Motion {
    /// The length of the path in mm.
    ///
    /// As RS-274/NGC defines feed (NIST 6556, 2.1.2.5): over X Y Z when one of them moves; else over U V W; else
    /// over A B C, in degrees; at last the length of filament. Arcs and helices are exact.
    #[must_use]
    pub fn length(&self) -> f64 {
        match self.kind {
            MotionKind::Arc(arc) => arc.length(self.to[arc.axes().2] - self.from[arc.axes().2]),
            MotionKind::Home { via: Some(via) } => {
                distance(&self.from, &via) + distance(&via, &self.to)
            }
            _ => distance(&self.from, &self.to),
        }
    }

    /// Filament pushed (or, below 0, pulled back) in mm.
    #[must_use]
    pub fn extrusion(&self) -> f64 {
        self.to[Axis::E] - self.from[Axis::E]
    }

    /// Minutes at the programmed feed, without acceleration; `None` when the feed is the machine's own.
    #[must_use]
    pub fn minutes(&self) -> Option<f64> {
        (self.feed_mm_per_min > 0.0).then(|| self.length() / self.feed_mm_per_min)
    }

    /// Grows `bounds` by the whole path, arcs with their extremes.
    pub fn extend(&self, bounds: &mut Bounds) {
        bounds.include(&self.from);
        match self.kind {
            MotionKind::Arc(arc) => arc.extend(&self.from, bounds),
            MotionKind::Home { via: Some(via) } => bounds.include(&via),
            _ => {}
        }
        bounds.include(&self.to);
    }
}

fn distance(from: &Position, to: &Position) -> f64 {
    let span = |axes: [Axis; 3]| {
        let [a, b, c] = axes.map(|axis| to[axis] - from[axis]);
        sqrt(a * a + b * b + c * c)
    };
    [
        [Axis::X, Axis::Y, Axis::Z],
        [Axis::U, Axis::V, Axis::W],
        [Axis::A, Axis::B, Axis::C],
    ]
    .into_iter()
    .map(span)
    .find(|length| *length > 0.0)
    .unwrap_or_else(|| (to[Axis::E] - from[Axis::E]).abs())
}

/// How many axes a position has.
pub const AXES: usize = 10;

/// An axis, in the order in which [`Position`] holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "axes are named by their letter")]
pub enum Axis {
    X,
    Y,
    Z,
    A,
    B,
    C,
    U,
    V,
    W,
    /// Filament.
    E,
}

impl Axis {
    /// All axes, in order.
    pub const ALL: [Self; AXES] = [
        Self::X,
        Self::Y,
        Self::Z,
        Self::A,
        Self::B,
        Self::C,
        Self::U,
        Self::V,
        Self::W,
        Self::E,
    ];

    /// Its letter in upper case.
    #[must_use]
    pub const fn letter(self) -> u8 {
        match self {
            Self::X => b'X',
            Self::Y => b'Y',
            Self::Z => b'Z',
            Self::A => b'A',
            Self::B => b'B',
            Self::C => b'C',
            Self::U => b'U',
            Self::V => b'V',
            Self::W => b'W',
            Self::E => b'E',
        }
    }

    /// The axis of an upper case letter.
    #[must_use]
    pub fn from_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|axis| axis.letter() == letter)
    }

    /// Whether it turns: its values are degrees and inches do not apply.
    #[must_use]
    pub const fn is_rotary(self) -> bool {
        matches!(self, Self::A | Self::B | Self::C)
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", char::from(self.letter()))
    }
}

/// A point: one value an axis, in mm, or degrees for A B C.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position(pub [f64; AXES]);

impl Position {
    /// All axes at 0.
    pub const ORIGIN: Self = Self([0.0; AXES]);

    /// Whether every axis has the very same bits.
    #[must_use]
    pub fn same_bits(&self, other: &Self) -> bool {
        self.0
            .iter()
            .zip(&other.0)
            .all(|(a, b)| a.to_bits() == b.to_bits())
    }
}

impl Index<Axis> for Position {
    type Output = f64;

    fn index(&self, axis: Axis) -> &f64 {
        &self.0[axis as usize]
    }
}

impl IndexMut<Axis> for Position {
    fn index_mut(&mut self, axis: Axis) -> &mut f64 {
        &mut self.0[axis as usize]
    }
}
