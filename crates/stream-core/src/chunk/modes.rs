//! What the lines before a chunk established, as far as packing needs it.

use feedhold_gcode_parse::{Block, Code, Flavor};

/// Modes in force before a line. `None` means that no line said so yet: then nothing may be concluded from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Modes {
    /// Absolute (`G90`) or incremental (`G91`) coordinates.
    pub distance: Option<DistanceMode>,
    /// How `F` is meant.
    pub feed: Option<FeedMode>,
}

/// Meaning of axis words.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DistanceMode {
    /// `G90`
    Absolute,
    /// `G91`
    Incremental,
}

/// Meaning of `F` words.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedMode {
    /// `G94`: mm or inch a minute.
    PerMinute,
    /// `G93` or `G95`: an `F` word belongs to its own line (or to the spindle) and never repeats.
    Other,
}

impl Modes {
    /// Takes note of a line.
    pub fn read(&mut self, flavor: Flavor, line: &[u8]) {
        if !may_change_modes(line) {
            return;
        }
        let block = Block::parse(flavor, line);
        if block.m_codes().any(|code| matches!(code.major, 2 | 30)) {
            *self = Self::default();
        }
        for code in block.g_codes() {
            self.set(code);
        }
    }

    /// Takes note of one G code.
    pub fn set(&mut self, code: Code) {
        match (code.major, code.minor) {
            (90, 0) => self.distance = Some(DistanceMode::Absolute),
            (91, 0) => self.distance = Some(DistanceMode::Incremental),
            (94, 0) => self.feed = Some(FeedMode::PerMinute),
            (93 | 95, 0) => self.feed = Some(FeedMode::Other),
            _ => {}
        }
    }
}

/// A quick look for `G9`, `M2` and `M3`, so that nearly all lines are not parsed here at all.
fn may_change_modes(line: &[u8]) -> bool {
    let blank_or_zero = |byte: &u8| matches!(byte, b' ' | b'\t' | b'0' | b'+');
    line.iter().enumerate().any(|(at, letter)| {
        let wanted: &[u8] = match letter {
            b'G' | b'g' => b"9",
            b'M' | b'm' => b"23",
            _ => return false,
        };
        let digits = line.get(at + 1..).unwrap_or_default();
        digits
            .iter()
            .find(|byte| !blank_or_zero(byte))
            .is_some_and(|digit| wanted.contains(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_end_makes_all_unknown() {
        for (line, known) in [
            ("M2", false),
            ("M30", false),
            ("M3 S1", true),
            ("M20", true),
            ("M02 G90", true),
        ] {
            let mut modes = Modes::default();
            modes.read(Flavor::Grbl, b"G91");
            modes.read(Flavor::Grbl, line.as_bytes());
            assert_eq!(modes.distance.is_some(), known, "{line}");
        }
    }

    #[test]
    fn only_real_words_change_modes() {
        use DistanceMode::{Absolute, Incremental};
        let check = |flavor, line: &str, distance, feed| {
            let mut modes = Modes::default();
            modes.read(flavor, line.as_bytes());
            assert_eq!(modes, Modes { distance, feed }, "{line}");
        };
        check(Flavor::Grbl, "G90", Some(Absolute), None);
        check(Flavor::Grbl, "g 0 9 0 g1 x1", Some(Absolute), None);
        check(
            Flavor::Grbl,
            "N10G91G94",
            Some(Incremental),
            Some(FeedMode::PerMinute),
        );
        check(Flavor::Grbl, "G93", None, Some(FeedMode::Other));
        check(Flavor::Grbl, "G90.1", None, None);
        check(Flavor::Grbl, "(G90) X9", None, None);
        check(Flavor::Grbl, "X1 ; G91", None, None);
        check(Flavor::Marlin, "M117 G91", None, None);
        check(Flavor::Marlin, "G91", Some(Incremental), None);
    }
}
