use core::f64::consts::{FRAC_PI_2, TAU};
use core::fmt;

use super::{Axis, Bounds, Position};
use crate::math::{atan2, hypot, sqrt};
use crate::modal::Plane;

/// A circular arc, or with motion along the third axis a helix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arc {
    /// The plane it lies in.
    pub plane: Plane,
    /// Its centre on the first and second axis of the plane, machine mm.
    pub center: [f64; 2],
    /// Distance of the start from the centre, mm.
    pub radius: f64,
    /// Direction, looking against the third axis of the plane.
    pub clockwise: bool,
    /// The whole angle in radians, further turns included; above 0.
    pub sweep: f64,
    /// Further full turns, 0 for an ordinary arc.
    pub turns: u32,
}

/// Why no circle goes through the points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArcError {
    /// Neither a radius nor a centre is given.
    NoCenter,
    /// Start and centre are one point.
    NoRadius,
    /// Start and end lie at different distances from the centre.
    UnequalRadii,
    /// The radius is less than half the way from start to end.
    RadiusTooSmall,
    /// A radius alone, and start and end are one point: every circle would do.
    RadiusForFullCircle,
}

impl fmt::Display for ArcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCenter => "the arc needs its centre (I, J, K of the active plane) or a radius (R)",
            Self::NoRadius => "the centre of the arc is its start: the radius is zero",
            Self::UnequalRadii => {
                "start and end of the arc lie at different distances from its centre; are the centre words \
                 absolute (G90.1) or do they have too few decimals?"
            }
            Self::RadiusTooSmall => "the radius is less than half the distance from start to end",
            Self::RadiusForFullCircle => "a full circle needs its centre: R alone fits every circle",
        })
    }
}

impl core::error::Error for ArcError {}

/// Start and end of an arc on the two axes of its plane, and its direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArcEnds {
    pub(crate) plane: Plane,
    pub(crate) from: [f64; 2],
    pub(crate) to: [f64; 2],
    pub(crate) clockwise: bool,
    pub(crate) turns: u32,
}

/// How a block gives the centre.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Center {
    At([f64; 2]),
    /// A negative radius asks for the arc of more than half a turn.
    Radius(f64),
}

impl Arc {
    /// The arc through both ends.
    ///
    /// Radii may differ as much as grbl 1.1 lets them: 0.005 mm, or 0.1 % of the radius up to 0.5 mm. For a
    /// radius that is too small by rounding, half the chord is taken.
    pub(crate) fn new(ends: ArcEnds, center: Center) -> Result<Self, ArcError> {
        let center = match center {
            Center::At(center) => center,
            Center::Radius(radius) => center_from_radius(&ends, radius)?,
        };
        let start = [ends.from[0] - center[0], ends.from[1] - center[1]];
        let end = [ends.to[0] - center[0], ends.to[1] - center[1]];
        let radius = hypot(start[0], start[1]);
        let difference = (hypot(end[0], end[1]) - radius).abs();
        if radius == 0.0 {
            return Err(ArcError::NoRadius);
        }
        if difference > 0.005 && (difference > 0.5 || difference > 0.001 * radius) {
            return Err(ArcError::UnequalRadii);
        }
        let sweep = sweep(start, end, ends.clockwise) + TAU * f64::from(ends.turns);
        Ok(Self {
            plane: ends.plane,
            center,
            radius,
            clockwise: ends.clockwise,
            sweep,
            turns: ends.turns,
        })
    }

    /// First, second and third axis of its plane.
    #[must_use]
    pub const fn axes(&self) -> (Axis, Axis, Axis) {
        self.plane.axes()
    }

    /// Length of the path when the third axis moves by `rise`.
    #[must_use]
    pub fn length(&self, rise: f64) -> f64 {
        hypot(self.radius * self.sweep, rise)
    }

    /// Grows `bounds` by the extremes that the arc passes on its way from `from`.
    pub(crate) fn extend(&self, from: &Position, bounds: &mut Bounds) {
        let (first, second, _) = self.axes();
        let start = atan2(from[second] - self.center[1], from[first] - self.center[0]);
        for (quarter, axis, value) in [
            (0.0, first, self.center[0] + self.radius),
            (1.0, second, self.center[1] + self.radius),
            (2.0, first, self.center[0] - self.radius),
            (3.0, second, self.center[1] - self.radius),
        ] {
            let angle = quarter * FRAC_PI_2;
            let travel = if self.clockwise {
                start - angle
            } else {
                angle - start
            };
            // From -2.5 π to 2.5 π; two turns bring it to where the sweep counts.
            let travel = [travel, travel + TAU, travel + 2.0 * TAU]
                .into_iter()
                .find(|t| *t >= 0.0);
            if travel.is_some_and(|travel| travel % TAU <= self.sweep) {
                bounds.include_value(axis, value);
            }
        }
    }
}

/// The angle from `start` to `end`, above 0. Equal directions mean a full turn; grbl 1.1 takes 5e-7 rad for
/// equal, so that rounding never makes a full circle vanish.
fn sweep(start: [f64; 2], end: [f64; 2], clockwise: bool) -> f64 {
    const EQUAL: f64 = 5e-7;
    let cross = start[0] * end[1] - start[1] * end[0];
    let dot = start[0] * end[0] + start[1] * end[1];
    let angle = atan2(cross, dot);
    let angle = if clockwise { -angle } else { angle };
    if angle <= EQUAL { angle + TAU } else { angle }
}

/// The centre lies on the perpendicular through the middle of the chord, at the height that Pythagoras gives.
fn center_from_radius(ends: &ArcEnds, radius: f64) -> Result<[f64; 2], ArcError> {
    let [x, y] = [ends.to[0] - ends.from[0], ends.to[1] - ends.from[1]];
    let chord = hypot(x, y);
    if chord == 0.0 {
        return Err(ArcError::RadiusForFullCircle);
    }
    let half = chord / 2.0;
    let square = radius * radius - half * half;
    if square < 0.0 && half - radius.abs() > 0.005_f64.min(0.001 * half) {
        return Err(ArcError::RadiusTooSmall);
    }
    let height = sqrt(square.max(0.0)) / chord;
    // The short way clockwise has its centre to the right of the chord; each of the two signs turns that.
    let height = if ends.clockwise == (radius < 0.0) {
        height
    } else {
        -height
    };
    Ok([
        ends.from[0] + x / 2.0 - y * height,
        ends.from[1] + y / 2.0 + x * height,
    ])
}
