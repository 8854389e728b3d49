//! The lines that may have been executed, and where each would have left the machine.

use feedhold_gcode_parse::{AXES, ModalState, Position};

use super::{Baseline, StoredOffsets};
use crate::streamer::InDoubt;

/// Ties the numbers of lines on the wire to lines of the file: when the controller accepted `number`, it had accepted the program up
/// to `line` and nothing behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberAnchor {
    /// Number on the wire (`N…`).
    pub number: u64,
    /// Line of the file.
    pub line: u64,
}

/// What a line does, as far as running it twice or never matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEffect {
    /// It moves the machine, be it in a circle.
    Motion,
    /// It sets something to a value: running it again at the same place changes nothing.
    Setting,
    /// It does something that running it again would do again: a tool change, a step of an offset, a probing.
    Once,
}

/// One line as it went to the wire, and the machine behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Line of the file.
    pub line: u64,
    /// What it does.
    pub effect: LineEffect,
    /// Where it leaves the machine: machine coordinates on grbl, logical ones on Marlin, in mm and degrees.
    pub place: Position,
    /// Whether each axis of `place` is known. An axis that no line has placed, and that no report told of, is not.
    pub placed: [bool; AXES],
    /// What it leaves in force.
    pub state: ModalState,
    /// The offsets behind it, as far as they are known: what the job began with, and what the program has set since.
    pub offsets: StoredOffsets,
}

/// What may have been executed: everything up to `done` for certain, and then any number of the candidates, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval<'a> {
    /// Last line executed for certain.
    pub done: u64,
    /// The machine behind `done`, then behind each line that may have left, in order.
    pub candidates: Vec<Candidate>,
    /// Which number stands for which line, for protocols that count them.
    pub anchor: Option<NumberAnchor>,
    /// How the machine was set up when the job began.
    pub baseline: Option<&'a Baseline>,
}

impl Interval<'_> {
    /// The lines in doubt.
    #[must_use]
    pub fn in_doubt(&self) -> InDoubt {
        InDoubt {
            first: self.done + 1,
            last: self.candidates.last().map_or(self.done, |last| last.line),
        }
    }
}
