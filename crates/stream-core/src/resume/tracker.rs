//! What the lines up to a place have left behind.

mod heights;
mod obstacles;
mod places;
mod printer;

use feedhold_gcode_parse::{Axis, Block, Code, Distance, Effect, Interpreter};

use self::{heights::Heights, obstacles::Obstacles, places::Places};
use super::bytes::{Bytes, fields};
use crate::dialect::Dialect;

pub use places::Placed;
pub(super) use places::{AXES, Shift};
pub(super) use printer::{HeaterKind, Printer};

/// Follows a program line by line, as it stands on the wire, and knows what is in force behind each.
///
/// A tracker knows only what the program says. Work offsets, tool lengths and stored positions of the controller are unknown to it,
/// so it keeps for every axis in which coordinates its place is known, see [`Placed`].
#[derive(Debug, Clone)]
pub struct Tracker {
    dialect: Dialect,
    line: u64,
    machine: Interpreter,
    places: Places,
    heights: Heights,
    obstacles: Obstacles,
    printer: Printer,
}

/// Version of the form that [`Tracker::to_bytes`] gives. Raise it when the meaning of a field changes; other fields are noticed anyway.
const BYTES_VERSION: u32 = 1;

fields!(Tracker {
    dialect,
    line,
    machine,
    places,
    heights,
    obstacles,
    printer,
});

/// Tells apart what has other fields, also in its parts.
const VERSION: u32 = BYTES_VERSION
    ^ Tracker::FIELDS
    ^ Places::VERSION.rotate_left(1)
    ^ Heights::FIELDS.rotate_left(2)
    ^ Obstacles::FIELDS.rotate_left(3)
    ^ Printer::FIELDS.rotate_left(4);

impl Tracker {
    /// In front of the first line.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            line: 0,
            machine: Interpreter::new(dialect.flavor()),
            places: Places::default(),
            heights: Heights::default(),
            obstacles: Obstacles::default(),
            printer: Printer::default(),
        }
    }

    /// Follows one line of the wire. `line` is the line of the file that it came from, counted from 1.
    pub fn apply(&mut self, line: u64, block: &Block<'_>) -> Effect {
        self.line = line;
        let effect = self.machine.apply(block);
        match self.dialect {
            Dialect::Marlin => self.command(line, block),
            Dialect::Grbl => self.codes(line, block),
        }
        if !effect.findings.as_slice().is_empty() {
            self.obstacles.note_findings(line, block, &effect);
        }
        if let Some(motion) = &effect.motion {
            self.places.moved(block, motion, &self.machine);
            let z = self.places.placed(Axis::Z);
            self.heights.moved(line, motion, z, &self.machine);
        } else {
            self.places.moved_unseen(block, &self.machine);
        }
        effect
    }

    /// Everything that it knows, for [`from_bytes`](Self::from_bytes) of the same version of this crate. What keeps them has to notice
    /// damage: only that of the interpreter is noticed here.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        VERSION.put(&mut out);
        self.put(&mut out);
        out
    }

    /// The tracker that [`to_bytes`](Self::to_bytes) was called on; `None` when a tracker of another version was, or none.
    #[must_use]
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let version = u32::take(&mut bytes)?;
        let tracker = Self::take(&mut bytes)?;
        (version == VERSION && bytes.is_empty()).then_some(tracker)
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

    /// The machine as the program believes it to be, had every offset been 0 at its beginning.
    #[must_use]
    pub fn machine(&self) -> &Interpreter {
        &self.machine
    }

    /// In which coordinates the place of an axis is known.
    #[must_use]
    pub fn placed(&self, axis: Axis) -> Placed {
        self.places.placed(axis)
    }

    /// Highest point that the tip of the tool has gone to, in mm, in the coordinates of [`machine`](Self::machine); places in
    /// machine coordinates (G53) and stored ones (G28) do not count.
    #[must_use]
    pub fn highest_z(&self) -> Option<f64> {
        self.heights.highest()
    }

    /// The last line behind which the tool was out of the way: on a mill the last one that went straight up to or above everything
    /// cut so far; on a printer that, or the last travel without extrusion; where nothing ever goes up, the last rapid.
    #[must_use]
    pub fn last_retract(&self) -> Option<u64> {
        match self.dialect {
            Dialect::Marlin => self.heights.retract().max(self.heights.travel()),
            Dialect::Grbl => self.heights.retract().or(self.heights.travel()),
        }
    }

    /// What a printer was told besides motion and modes, and what is still in force: heat, fans, limits, pressure advance, mesh,
    /// babysteps, objects; as the lines that say it anew. Empty for a mill.
    #[must_use]
    pub fn printer_lines(&self) -> Vec<String> {
        self.printer.lines()
    }

    /// Whether a line moves, or tries to with words that need a motion mode.
    #[must_use]
    pub fn moves(block: &Block<'_>, effect: &Effect) -> bool {
        effect.motion.is_some()
            && AXES
                .into_iter()
                .any(|axis| block.word(axis.letter()).is_some())
    }

    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    pub(super) fn heights(&self) -> &Heights {
        &self.heights
    }

    pub(super) fn obstacles(&self) -> &Obstacles {
        &self.obstacles
    }

    pub(super) fn printer(&self) -> &Printer {
        &self.printer
    }

    /// Codes of an RS-274 block that move what coordinates count from.
    fn codes(&mut self, line: u64, block: &Block<'_>) {
        for word in block.words() {
            if !matches!(word.letter, b'G' | b'M') {
                continue;
            }
            let Some(code) = word.code() else { continue };
            match (word.letter, code.major, code.minor) {
                (b'G', 0..=3, 0) => {}
                (b'G', 10, 0) => self.places.set_origin(block, &self.machine),
                (b'G', 92, 0) => self.places.shift(block, &self.machine),
                (b'G', 92, _) => self.places.unshift(&self.machine),
                (b'G', 43, minor) => self.places.tool_length(block, minor),
                (b'G', 49, 0) => self.places.no_tool_length(),
                (letter, ..) => self.obstacles.note_code(line, letter, code),
            }
        }
    }

    /// The command of a Marlin line.
    fn command(&mut self, line: u64, block: &Block<'_>) {
        let Some(first) = block.words().first() else {
            return;
        };
        let Some(code) = first.code() else { return };
        match (first.letter, code.major) {
            (b'G', 0..=3) => {
                let absolute = self.machine.state().extrusion == Distance::Absolute;
                if absolute && block.word(b'E').is_some() {
                    self.printer.set_filament();
                }
            }
            (b'G', 92) if code.minor == 0 => {
                self.places.shift(block, &self.machine);
                if block.word(b'E').is_some() {
                    self.printer.set_filament();
                }
            }
            (b'G', 92) => self.places.unshift(&self.machine),
            // Probing, parking and stored places: where the head is afterwards only the printer knows.
            (b'G', 27 | 29 | 30 | 33..=35 | 42 | 60 | 61 | 76 | 425) => {
                self.places.lose_all();
                self.printer.measured(code);
            }
            (b'M', 18 | 84) => self.places.let_go(block),
            (b'M', 206 | 428) => {
                self.places.lose_all();
                self.printer.apply(code, block, self.machine.state().tool);
            }
            (b'M', 98 | 99 | 808 | 810..=819) => {
                self.obstacles.note_code(line, b'M', code);
            }
            (b'M', _) => self.printer.apply(code, block, self.machine.state().tool),
            _ => {}
        }
    }
}

/// Whether a code has no tenths.
pub(super) const fn is_plain(code: Code) -> bool {
    code.minor == 0
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
                "G21 G91 G1 Z3 F100|G90 G55 M3 S900|G10 L2 P2 X5 Z-7|G0 X1 Y2 Z9.5|G2 X4 I1.5|G20|G92 X2|G53 G0 Z0|G28|X1 Y1|G43 H2|M64 P1|M98 P2",
            ),
            (
                Dialect::Marlin,
                "M140 S60|M104 S200|G28|M82|G92 E0|G1 X1 Y2 Z0.2 E1 F1500|M106 S90|G91|G1 Z0.2|M83|G1 E-2|T1|M220 S80|G1 X5 E1|M104 T1 S190|M900 T1 K0.1|M290 Z0.1|M486 T4|M486 S1|M486 C|G29",
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
