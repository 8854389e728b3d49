//! What the lines up to a place have left behind.

use feedhold_gcode_parse::{Axis, Block, Code, Distance, Effect, Interpreter, Motion, MotionKind};

use super::bytes::{Bytes, fields, variants};
use crate::dialect::Dialect;

/// The axes an approach can restore.
pub(super) const AXES: [Axis; 3] = [Axis::X, Axis::Y, Axis::Z];

/// Follows a program line by line, as it stands on the wire, and knows what is in force behind each.
#[derive(Debug, Clone)]
pub struct Tracker {
    dialect: Dialect,
    line: u64,
    machine: Interpreter,
    placed: [Placed; 3],
    highest_z: Option<f64>,
}

/// How an axis came to be where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// No line has moved it.
    Never,
    /// Only by steps from wherever it was.
    BySteps,
    /// To a coordinate, some time.
    At,
}

/// Version of the form that [`Tracker::to_bytes`] gives. Raise it when the meaning of a field changes; other fields are noticed anyway.
const BYTES_VERSION: u32 = 1;

fields!(Tracker {
    dialect,
    line,
    machine,
    placed,
    highest_z,
});
variants!(Placed { Never, BySteps, At });

impl Tracker {
    /// In front of the first line.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            line: 0,
            machine: Interpreter::new(dialect.flavor()),
            placed: [Placed::Never; 3],
            highest_z: None,
        }
    }

    /// Follows one line of the wire. `line` is the line of the file that it came from, counted from 1.
    pub fn apply(&mut self, line: u64, block: &Block<'_>) -> Effect {
        self.line = line;
        let effect = self.machine.apply(block);
        if let Some(motion) = &effect.motion {
            self.place(block, motion);
            self.climb(motion);
        }
        effect
    }

    /// Everything that it knows, for [`from_bytes`](Self::from_bytes) of the same version of this crate. What keeps them has to notice
    /// damage: only that of the interpreter is noticed here.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        (Self::FIELDS ^ BYTES_VERSION).put(&mut out);
        self.put(&mut out);
        out
    }

    /// The tracker that [`to_bytes`](Self::to_bytes) was called on; `None` when a tracker of another version was, or none.
    #[must_use]
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let version = u32::take(&mut bytes)?;
        let tracker = Self::take(&mut bytes)?;
        (version == Self::FIELDS ^ BYTES_VERSION && bytes.is_empty()).then_some(tracker)
    }

    /// The dialect of the program.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Last line followed; 0 in front of the first.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The machine as the program believes it to be.
    #[must_use]
    pub fn machine(&self) -> &Interpreter {
        &self.machine
    }

    /// How an axis came to be where it is. Only X, Y and Z are followed.
    #[must_use]
    pub fn placed(&self, axis: Axis) -> Placed {
        AXES.into_iter()
            .zip(self.placed)
            .find(|(known, _)| *known == axis)
            .map_or(Placed::Never, |(_, placed)| placed)
    }

    /// Highest Z that any motion so far has ended at, in mm of the work coordinates in force there.
    #[must_use]
    pub fn highest_z(&self) -> Option<f64> {
        self.highest_z
    }

    /// Whether a line moves, or tries to with words that need a motion mode.
    #[must_use]
    pub fn moves(block: &Block<'_>, effect: &Effect) -> bool {
        effect.motion.is_some()
            && AXES
                .into_iter()
                .any(|axis| block.word(axis.letter()).is_some())
    }

    fn place(&mut self, block: &Block<'_>, motion: &Motion) {
        let homes = matches!(motion.kind, MotionKind::Home { .. });
        let names_none = AXES
            .into_iter()
            .all(|axis| block.word(axis.letter()).is_none());
        let by_steps =
            self.machine.state().distance == Distance::Incremental && !block.has_g(Code::new(53));
        for (axis, placed) in AXES.into_iter().zip(&mut self.placed) {
            let named = block.word(axis.letter()).is_some();
            if homes && (named || names_none) {
                *placed = Placed::At;
            } else if named {
                *placed = match (*placed, by_steps) {
                    (_, false) | (Placed::At, true) => Placed::At,
                    (_, true) => Placed::BySteps,
                };
            }
        }
    }

    fn climb(&mut self, motion: &Motion) {
        if matches!(motion.kind, MotionKind::Rapid | MotionKind::Linear) {
            let z = self.machine.axis_value(Axis::Z);
            self.highest_z = Some(self.highest_z.map_or(z, |most| most.max(z)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tracker that came back from bytes follows the rest of a program like the one that never left.
    #[test]
    fn nothing_is_lost_on_the_way_through_bytes() {
        for (dialect, program) in [
            (
                Dialect::Grbl,
                "G21 G91 G1 Z3 F100|G90 G55 M3 S900|G10 L2 P2 X5 Z-7|G0 X1 Y2 Z9.5|G2 X4 I1.5|G20|G92 X2|G53 G0 Z0|G28|X1 Y1",
            ),
            (
                Dialect::Marlin,
                "M140 S60|M104 S200|G28|M82|G92 E0|G1 X1 Y2 Z0.2 E1 F1500|M106 S90|G91|G1 Z0.2|M83|G1 E-2|T1|M220 S80|G1 X5 E1",
            ),
        ] {
            let mut never_left = Tracker::new(dialect);
            let mut lines = 0;
            for line in program.split('|') {
                let bytes = never_left.to_bytes();
                let mut came_back = Tracker::from_bytes(&bytes).expect("just written");
                assert_eq!(format!("{came_back:?}"), format!("{never_left:?}"));
                let block = Block::parse(dialect.flavor(), line.as_bytes());
                lines += 1;
                let effects = [
                    never_left.apply(lines, &block),
                    came_back.apply(lines, &block),
                ];
                assert_eq!(effects[0], effects[1], "{line}");
                assert_eq!(
                    format!("{came_back:?}"),
                    format!("{never_left:?}"),
                    "{line}"
                );
            }
            let bytes = never_left.to_bytes();
            for len in 0..bytes.len() {
                assert!(Tracker::from_bytes(&bytes[..len]).is_none(), "{len} bytes");
            }
            let other_version = [&[!bytes[0]], &bytes[1..]].concat();
            assert!(Tracker::from_bytes(&other_version).is_none());
        }
    }
}
