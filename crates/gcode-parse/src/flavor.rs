//! Whose reading of the bytes applies.

/// The firmware whose rules decide what a line means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Flavor {
    /// grbl 1.1 and its relatives: `(…)` and `;` comments, `$` lines, blanks anywhere, letters in either case.
    Grbl,
    /// Marlin 2: `;` comments, words without number (`G28 X`), free text behind commands like M117, blanks end a number.
    Marlin,
    /// RS-274/NGC in full: expressions, parameters, O-words, blanks anywhere.
    LinuxCnc,
}

impl Flavor {
    pub(crate) const fn has_paren_comments(self) -> bool {
        !matches!(self, Self::Marlin)
    }

    pub(crate) const fn blanks_in_numbers(self) -> bool {
        !matches!(self, Self::Marlin)
    }
}
