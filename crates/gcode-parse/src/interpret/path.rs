use super::reading::{Letters, Reading, column_of};
use super::{Effect, Interpreter};
use crate::block::Block;
use crate::diagnostic::Reason;
use crate::modal::{Distance, FeedMode};
use crate::motion::{Arc, ArcEnds, ArcError, Axis, Center, Motion, MotionKind, Position};

/// What the coordinates of one block count from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    /// G53: machine coordinates.
    Machine,
    /// The work coordinates in force.
    Work,
}

impl Interpreter {
    /// Millimetres or degrees of one programmed unit.
    #[inline]
    pub(super) fn scale(&self, axis: Axis) -> f64 {
        if axis.is_rotary() {
            1.0
        } else {
            self.state.units.millimetres()
        }
    }

    /// Where the axis words of the block lead.
    #[inline]
    pub(super) fn target(&self, reading: &mut Reading, axes: Letters, frame: Frame) -> Position {
        let mut to = self.position;
        reading.axes(axes, |axis, value| {
            let value = value * self.scale(axis);
            let distance = if axis == Axis::E {
                self.state.extrusion
            } else {
                self.state.distance
            };
            to[axis] = match (frame, distance) {
                (Frame::Machine, _) => value,
                (Frame::Work, Distance::Absolute) => value + self.offset[axis],
                (Frame::Work, Distance::Incremental) => to[axis] + value,
            };
        });
        to
    }

    /// Moves the machine and notes the motion.
    #[inline]
    pub(super) fn go(&mut self, effect: &mut Effect, kind: MotionKind, to: Position) {
        let mut motion = Motion {
            kind,
            from: self.position,
            to,
            feed_mm_per_min: 0.0,
            feed_mode: self.state.feed_mode,
        };
        motion.feed_mm_per_min = self.feed_of(&motion);
        self.position = to;
        effect.motion = Some(motion);
    }

    fn feed_of(&self, motion: &Motion) -> f64 {
        let marlin = self.flavor == crate::flavor::Flavor::Marlin;
        match (motion.kind, self.state.feed_mode) {
            (MotionKind::Home { .. }, _) => 0.0,
            (MotionKind::Rapid, _) if !marlin => 0.0,
            (_, FeedMode::PerMinute) => self.state.feed,
            (_, FeedMode::InverseTime) => self.state.feed * motion.length(),
            (_, FeedMode::PerRevolution) => self.state.feed * self.state.spindle_speed,
        }
    }

    /// Moves along a circle; an impossible one is a finding and no motion.
    pub(super) fn go_arc(
        &mut self,
        block: &Block<'_>,
        reading: &mut Reading,
        effect: &mut Effect,
        to: Position,
        turn: Turn,
    ) {
        let (first, second, _) = self.state.plane.axes();
        let result = self.center(reading).and_then(|center| {
            let ends = ArcEnds {
                plane: self.state.plane,
                from: [self.position[first], self.position[second]],
                to: [to[first], to[second]],
                clockwise: turn.clockwise,
                turns: turn.further,
            };
            Arc::new(ends, center)
        });
        match result {
            Ok(arc) => self.go(effect, MotionKind::Arc(arc), to),
            Err(error) => effect
                .findings
                .push(column_of(block, b'G'), Reason::Arc(error)),
        }
    }

    fn center(&self, reading: &mut Reading) -> Result<Center, ArcError> {
        let (first, second, _) = self.state.plane.axes();
        let (first_letter, second_letter) = self.state.plane.center_letters();
        let unit = self.state.units.millimetres();
        let radius = reading.take(b'R');
        let words = [reading.take(first_letter), reading.take(second_letter)];
        match (words, radius, self.state.arc_distance) {
            ([None, None], Some(radius), _) => Ok(Center::Radius(radius * unit)),
            ([None, None], None, _) => Err(ArcError::NoCenter),
            ([i, j], _, Distance::Incremental) => Ok(Center::At([
                self.position[first] + i.unwrap_or(0.0) * unit,
                self.position[second] + j.unwrap_or(0.0) * unit,
            ])),
            ([Some(i), Some(j)], _, Distance::Absolute) => Ok(Center::At([
                i * unit + self.offset[first],
                j * unit + self.offset[second],
            ])),
            (_, _, Distance::Absolute) => Err(ArcError::NoCenter),
        }
    }
}

/// Which way round, and how often.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    pub(super) clockwise: bool,
    /// Full circles on top of the arc.
    pub(super) further: u32,
}
