use std::f64::consts::TAU;

use crate::log::Arc;
use crate::motion::Turn;

/// Longest and shortest chord of an arc in mm, and the least number of chords in a full turn.
const LONGEST_CHORD: f64 = 1.0;
const SHORTEST_CHORD: f64 = 0.1;
const LEAST_CHORDS: f64 = 72.0;
/// An arc of more chords than this is not an arc but a mistake.
const MOST_CHORDS: f64 = 1e7;

/// The straight segments that the firmware makes of one motion; machine mm, X Y Z E.
#[derive(Clone, Debug)]
pub(super) struct Path {
    to: [f64; 4],
    from: [f64; 4],
    shape: Option<Shape>,
    segments: u32,
    given: u32,
}

#[derive(Clone, Copy, Debug)]
struct Shape {
    arc: Arc,
    start_angle: f64,
}

/// Why an arc cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadArc;

/// How the command names the centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Center {
    /// `R`: a negative one takes the long way.
    Radius(f64),
    /// `I` `J` `K`: from the start, on the two axes of the plane.
    Offset([f64; 2]),
}

impl Path {
    pub(super) const fn line(from: [f64; 4], to: [f64; 4]) -> Self {
        Self {
            to,
            from,
            shape: None,
            segments: 1,
            given: 0,
        }
    }

    /// An arc, or a helix when the third axis moves too, in the plane of two axes (0 X, 1 Y, 2 Z) and
    /// with further whole `turns`.
    ///
    /// The radius is that of the start point; an end point elsewhere is reached by the last chord, as
    /// in the firmware, which does not check it.
    pub(super) fn arc(
        from: [f64; 4],
        to: [f64; 4],
        plane: [u8; 2],
        turn: Turn,
        center: Center,
        turns: u32,
    ) -> Result<Self, BadArc> {
        let [p, q] = plane.map(usize::from);
        let (start, end) = ([from[p], from[q]], [to[p], to[q]]);
        let offset = match center {
            Center::Offset(offset) => offset,
            Center::Radius(radius) => offset_from_radius(start, end, radius, turn).ok_or(BadArc)?,
        };
        let radius = offset[0].hypot(offset[1]);
        if radius == 0.0 || !radius.is_finite() {
            return Err(BadArc);
        }
        let center = [start[0] + offset[0], start[1] + offset[1]];
        let start_angle = (-offset[1]).atan2(-offset[0]);
        let end_angle = (end[1] - center[1]).atan2(end[0] - center[0]);
        let mut sweep = (end_angle - start_angle).rem_euclid(TAU);
        if start == end || sweep < 1e-9 {
            sweep = TAU;
        }
        let sweep = match turn {
            Turn::CounterClockwise => sweep + TAU * f64::from(turns),
            Turn::Clockwise if sweep == TAU => -TAU * (1.0 + f64::from(turns)),
            Turn::Clockwise => sweep - TAU * (1.0 + f64::from(turns)),
        };
        let flat = radius * sweep.abs();
        let round = LEAST_CHORDS * sweep.abs() / TAU;
        let chords = (flat / LONGEST_CHORD)
            .max(round.min(flat / SHORTEST_CHORD))
            .floor()
            .max(1.0);
        if chords > MOST_CHORDS {
            return Err(BadArc);
        }
        let arc = Arc {
            axis_0: plane[0],
            axis_1: plane[1],
            center,
            radius,
            sweep,
        };
        Ok(Self {
            to,
            from,
            shape: Some(Shape { arc, start_angle }),
            segments: chords as u32,
            given: 0,
        })
    }

    /// The arc as the log shows it.
    pub(super) fn shape(&self) -> Option<Arc> {
        self.shape.map(|shape| shape.arc)
    }

    /// Where it ends.
    pub(super) const fn target(&self) -> [f64; 4] {
        self.to
    }

    /// Length in mm: of the tool's way, or of the filament when only the extruder moves.
    pub(super) fn length(&self) -> f64 {
        let delta: [f64; 4] = std::array::from_fn(|axis| self.to[axis] - self.from[axis]);
        let way = match self.shape {
            None => (delta[0] * delta[0] + delta[1] * delta[1] + delta[2] * delta[2]).sqrt(),
            Some(Shape { arc, .. }) => {
                let flat = arc.radius * arc.sweep.abs();
                flat.hypot(delta[third_axis(arc)])
            }
        };
        if way > 0.0 { way } else { delta[3].abs() }
    }

    /// All segments have been given out.
    pub(super) const fn is_done(&self) -> bool {
        self.given == self.segments
    }

    /// The end of the next segment.
    pub(super) fn next_target(&mut self) -> Option<[f64; 4]> {
        if self.is_done() {
            return None;
        }
        self.given += 1;
        let part = f64::from(self.given) / f64::from(self.segments);
        let Some(Shape { arc, start_angle }) = self.shape.filter(|_| self.given < self.segments)
        else {
            return Some(self.to);
        };
        let mut target: [f64; 4] =
            std::array::from_fn(|axis| self.from[axis] + (self.to[axis] - self.from[axis]) * part);
        let (sin, cos) = (start_angle + arc.sweep * part).sin_cos();
        target[usize::from(arc.axis_0)] = arc.center[0] + arc.radius * cos;
        target[usize::from(arc.axis_1)] = arc.center[1] + arc.radius * sin;
        Some(target)
    }
}

/// The axis that is not in the arc's plane.
fn third_axis(arc: Arc) -> usize {
    3 - usize::from(arc.axis_0) - usize::from(arc.axis_1)
}

/// The centre of an `R` arc, from the start.
fn offset_from_radius(start: [f64; 2], end: [f64; 2], radius: f64, turn: Turn) -> Option<[f64; 2]> {
    let (dx, dy) = (end[0] - start[0], end[1] - start[1]);
    let chord = dx.hypot(dy);
    if radius == 0.0 || chord == 0.0 {
        return None;
    }
    let clockwise = turn == Turn::Clockwise;
    let side = if clockwise == (radius < 0.0) {
        1.0
    } else {
        -1.0
    };
    // A radius too small for the chord is taken as half the chord.
    let height = (radius * radius - chord * chord / 4.0).max(0.0).sqrt() * side;
    Some([
        dx / 2.0 - height * dy / chord,
        dy / 2.0 + height * dx / chord,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    fn arc(to: [f64; 2], turn: Turn, center: Center) -> Path {
        Path::arc([0.0; 4], [to[0], to[1], 0.0, 0.0], [0, 1], turn, center, 0).unwrap()
    }

    #[test]
    fn centre_and_sweep_are_those_of_the_drawing() {
        use Turn::{Clockwise, CounterClockwise};
        // end, turn, centre as programmed -> centre, sweep
        let cases = [
            (
                [10.0, 0.0],
                CounterClockwise,
                Center::Offset([5.0, 0.0]),
                [5.0, 0.0],
                PI,
            ),
            (
                [10.0, 0.0],
                Clockwise,
                Center::Offset([5.0, 0.0]),
                [5.0, 0.0],
                -PI,
            ),
            (
                [0.0, 0.0],
                Clockwise,
                Center::Offset([5.0, 0.0]),
                [5.0, 0.0],
                -TAU,
            ),
            (
                [10.0, 10.0],
                CounterClockwise,
                Center::Radius(10.0),
                [0.0, 10.0],
                PI / 2.0,
            ),
            (
                [10.0, 10.0],
                Clockwise,
                Center::Radius(10.0),
                [10.0, 0.0],
                -PI / 2.0,
            ),
            (
                [10.0, 10.0],
                CounterClockwise,
                Center::Radius(-10.0),
                [10.0, 0.0],
                1.5 * PI,
            ),
            (
                [10.0, 10.0],
                Clockwise,
                Center::Radius(-10.0),
                [0.0, 10.0],
                -1.5 * PI,
            ),
        ];
        for (to, turn, programmed, center, sweep) in cases {
            let shape = arc(to, turn, programmed).shape().unwrap();
            let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
            assert!(
                near(shape.center[0], center[0]) && near(shape.center[1], center[1]),
                "{programmed:?} {shape:?}"
            );
            assert!(near(shape.sweep, sweep), "{programmed:?} {shape:?}");
        }
    }

    #[test]
    fn segments_stay_on_the_circle_and_end_at_the_target() {
        let mut path = Path::arc(
            [0.0; 4],
            [10.0, 0.0, 2.0, 1.0],
            [0, 1],
            Turn::Clockwise,
            Center::Offset([5.0, 0.0]),
            1,
        )
        .unwrap();
        assert!((path.length() - (15.0 * PI).hypot(2.0)).abs() < 1e-9);
        let (mut z, mut last) = (0.0, [0.0; 4]);
        while let Some(target) = path.next_target() {
            assert!(((target[0] - 5.0).hypot(target[1]) - 5.0).abs() < 1e-9);
            assert!(target[2] > z);
            (z, last) = (target[2], target);
        }
        assert_eq!(last, [10.0, 0.0, 2.0, 1.0]);
    }

    #[test]
    fn arcs_without_a_centre_are_refused() {
        for center in [
            Center::Offset([0.0, 0.0]),
            Center::Radius(0.0),
            Center::Offset([f64::INFINITY, 0.0]),
        ] {
            let path = Path::arc(
                [0.0; 4],
                [1.0, 0.0, 0.0, 0.0],
                [0, 1],
                Turn::Clockwise,
                center,
                0,
            );
            assert_eq!(path.err(), Some(BadArc), "{center:?}");
        }
        let full = Path::arc(
            [0.0; 4],
            [0.0; 4],
            [0, 1],
            Turn::Clockwise,
            Center::Radius(5.0),
            0,
        );
        assert_eq!(full.err(), Some(BadArc));
    }
}
