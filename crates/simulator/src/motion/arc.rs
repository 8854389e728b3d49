use std::f64::consts::TAU;

use super::Vector;
use crate::log::Arc;

/// Angles smaller than this between start and end of an arc mean a full turn (radians).
const FULL_TURN_EPSILON: f64 = 5e-7;

/// An arc or helix cut into chords.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArcPath {
    shape: Arc,
    start_angle: f64,
    from: Vector,
    to: Vector,
    chords: u32,
    next: u32,
}

impl ArcPath {
    /// The arc from `from` to `to` around `center`, on the plane of `axes` (indices of its two
    /// axes); other axes move evenly along. No chord is further than `tolerance` mm from the arc.
    pub(crate) fn new(
        from: Vector,
        to: Vector,
        center: [f64; 2],
        axes: [usize; 2],
        clockwise: Turn,
        tolerance: f64,
    ) -> Self {
        let [a, b] = axes;
        let start = [from[a] - center[0], from[b] - center[1]];
        let end = [to[a] - center[0], to[b] - center[1]];
        let radius = start[0].hypot(start[1]);
        let cross = start[0] * end[1] - start[1] * end[0];
        let dot = start[0] * end[0] + start[1] * end[1];
        let mut sweep = cross.atan2(dot);
        match clockwise {
            Turn::Clockwise if sweep >= -FULL_TURN_EPSILON => sweep -= TAU,
            Turn::CounterClockwise if sweep <= FULL_TURN_EPSILON => sweep += TAU,
            _ => {}
        }
        // From the sagitta of a chord: tolerance = r (1 - cos(angle / 2)).
        let half_chord = (tolerance * (2.0 * radius - tolerance)).max(0.0).sqrt();
        let chords = if half_chord > 0.0 {
            (0.5 * sweep * radius).abs() / half_chord
        } else {
            0.0
        };
        Self {
            shape: Arc {
                axis_0: a as u8,
                axis_1: b as u8,
                center,
                radius,
                sweep,
            },
            start_angle: start[1].atan2(start[0]),
            from,
            to,
            chords: (chords as u32).max(1),
            next: 1,
        }
    }

    /// The shape for the log.
    pub(crate) fn shape(&self) -> Arc {
        self.shape
    }

    /// Length along the path, mm.
    pub(crate) fn length(&self) -> f64 {
        let (a, b) = (
            usize::from(self.shape.axis_0),
            usize::from(self.shape.axis_1),
        );
        let along: f64 = (0..4)
            .filter(|axis| *axis != a && *axis != b)
            .map(|axis| (self.to[axis] - self.from[axis]).powi(2))
            .sum();
        (self.shape.radius * self.shape.sweep).hypot(along.sqrt())
    }

    /// True when all chords have been given out.
    pub(crate) fn is_done(&self) -> bool {
        self.next > self.chords
    }
}

/// Sense of an arc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// G2.
    Clockwise,
    /// G3.
    CounterClockwise,
}

impl Iterator for ArcPath {
    type Item = Vector;

    /// The end of the next chord; the last one is exactly the end of the arc.
    fn next(&mut self) -> Option<Vector> {
        if self.is_done() {
            return None;
        }
        let part = f64::from(self.next) / f64::from(self.chords);
        self.next += 1;
        if self.is_done() {
            return Some(self.to);
        }
        let angle = self.shape.sweep.mul_add(part, self.start_angle);
        let (sin, cos) = angle.sin_cos();
        let mut point: Vector =
            std::array::from_fn(|i| (self.to[i] - self.from[i]).mul_add(part, self.from[i]));
        point[usize::from(self.shape.axis_0)] =
            self.shape.radius.mul_add(cos, self.shape.center[0]);
        point[usize::from(self.shape.axis_1)] =
            self.shape.radius.mul_add(sin, self.shape.center[1]);
        Some(point)
    }
}
