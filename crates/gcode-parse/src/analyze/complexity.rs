use crate::block::Block;
use crate::modal::CoordinateSystem;
use crate::number::Code;

/// How much work the lines of a chunk are for a controller: a weight a line, averaged.
///
/// A line with G1 weighs 1, with G0 0.5, with G2 or G3 3, with T or M6 5, with one of G54 to G59.3 2; several
/// of them on one line add up, everything else weighs nothing. Codes are compared as numbers: G10 is not G1,
/// and G01 is.
///
/// ```
/// use feedhold_gcode_parse::{Block, Flavor, analyze::Complexity};
///
/// let mut complexity = Complexity::new();
/// for line in ["G01 X1", "G10 L2 P1 X0", "G2 X1 I1"] {
///     complexity.add(&Block::parse(Flavor::Grbl, line.as_bytes()));
/// }
/// assert_eq!(complexity.average(), 1.3);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Complexity {
    lines: u64,
    /// In halves, so that sums are exact.
    halves: u64,
}

impl Complexity {
    /// Of no lines.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            lines: 0,
            halves: 0,
        }
    }

    /// Takes a line in; empty lines count as lines.
    pub fn add(&mut self, block: &Block<'_>) {
        self.lines += 1;
        self.halves += halves(block);
    }

    /// Lines taken in.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// The sum of all weights.
    #[must_use]
    pub const fn total(&self) -> f64 {
        self.halves as f64 / 2.0
    }

    /// The sum divided by the lines, rounded to tenths, halves up; 0 for no lines.
    #[must_use]
    pub const fn average(&self) -> f64 {
        if self.lines == 0 {
            return 0.0;
        }
        // round(10 * halves / (2 * lines)) in whole numbers
        let tenths = (self.halves as u128 * 10 + self.lines as u128) / (2 * self.lines as u128);
        tenths as f64 / 10.0
    }
}

fn halves(block: &Block<'_>) -> u64 {
    const LINEAR: u32 = 1;
    const RAPID: u32 = 1 << 1;
    const ARC: u32 = 1 << 2;
    const TOOL: u32 = 1 << 3;
    const SYSTEM: u32 = 1 << 4;
    let mut found = 0;
    for word in block.words() {
        found |= match (word.letter, word.code()) {
            (b'T', _) => TOOL,
            (b'M', Some(code)) if code == Code::new(6) => TOOL,
            (b'G', Some(Code { major: 1, minor: 0 })) => LINEAR,
            (b'G', Some(Code { major: 0, minor: 0 })) => RAPID,
            (
                b'G',
                Some(Code {
                    major: 2 | 3,
                    minor: 0,
                }),
            ) => ARC,
            (b'G', Some(code)) if CoordinateSystem::from_code(code).is_some() => SYSTEM,
            _ => 0,
        };
    }
    [(LINEAR, 2), (RAPID, 1), (ARC, 6), (TOOL, 10), (SYSTEM, 4)]
        .into_iter()
        .filter(|(mark, _)| found & mark != 0)
        .map(|(_, weight)| weight)
        .sum()
}
