//! What the lines up to a place have left behind.

use feedhold_gcode_parse::{Axis, Block, Code, Distance, Effect, Interpreter, Motion, MotionKind};

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
