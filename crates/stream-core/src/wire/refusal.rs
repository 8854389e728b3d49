//! Why a line may not go to the wire.

use core::fmt;

use crate::dialect::Dialect;

/// One place in a program that the dialect cannot take, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line of the file, from 1.
    pub line: u64,
    /// The byte of that line, from 1.
    pub column: usize,
    /// What is wrong.
    pub code: RefusalCode,
    /// What stands there, cut to 40 bytes and escaped.
    pub excerpt: String,
    /// Who refuses.
    pub dialect: Dialect,
}

/// All reasons for a refusal.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalCode {
    /// The file is UTF-16 text.
    Utf16,
    /// The file is no text at all.
    Binary,
    /// A NUL byte.
    Nul,
    /// A control byte that is no blank and no line end.
    ControlByte,
    /// A byte that the controller takes for a realtime command wherever it stands.
    RealtimeByte,
    /// A byte beyond ASCII outside a comment or text argument.
    NotAscii,
    /// Something that is no word.
    StrayByte,
    /// A letter whose number is missing or malformed.
    BadNumber,
    /// A quoted string without its end.
    UnclosedString,
    /// A `;` inside a quoted string, which ends the line for most builds of Marlin.
    QuotedSemicolon,
    /// More words than any controller takes.
    TooManyWords,
    /// A G, M or T code that the dialect does not have.
    UnsupportedCode,
    /// A word letter that the dialect does not have.
    UnsupportedWord,
    /// A program number, subprogram or loop.
    OWord,
    /// A parameter, or an assignment to one.
    Parameter,
    /// An expression.
    Expression,
    /// A second command on a line of which the firmware runs only the first.
    SecondCommand,
    /// Words without a command, where the firmware has no modal motion.
    NoCommand,
    /// A `$` line, which is a command of grbl.
    ForeignSetting,
    /// A checksum that does not fit its line.
    ChecksumMismatch,
    /// A checksum on a line without number.
    StrayChecksum,
    /// A line that is too long for the controller even without spaces.
    TooLong,
    /// An emergency stop written into the program.
    EmergencyStop,
    /// A tool change beside other commands, on a controller that cannot change tools.
    MixedToolChange,
    /// A word to be skipped whose arguments cannot be told from those of its neighbours.
    AmbiguousSkip,
}

impl RefusalCode {
    /// A stable name for logs and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf16 => "utf-16",
            Self::Binary => "binary",
            Self::Nul => "nul",
            Self::ControlByte => "control-byte",
            Self::RealtimeByte => "realtime-byte",
            Self::NotAscii => "not-ascii",
            Self::StrayByte => "stray-byte",
            Self::BadNumber => "bad-number",
            Self::UnclosedString => "unclosed-string",
            Self::QuotedSemicolon => "quoted-semicolon",
            Self::TooManyWords => "too-many-words",
            Self::UnsupportedCode => "unsupported-code",
            Self::UnsupportedWord => "unsupported-word",
            Self::OWord => "o-word",
            Self::Parameter => "parameter",
            Self::Expression => "expression",
            Self::SecondCommand => "second-command",
            Self::NoCommand => "no-command",
            Self::ForeignSetting => "foreign-setting",
            Self::ChecksumMismatch => "checksum-mismatch",
            Self::StrayChecksum => "stray-checksum",
            Self::TooLong => "too-long",
            Self::EmergencyStop => "emergency-stop",
            Self::MixedToolChange => "mixed-tool-change",
            Self::AmbiguousSkip => "ambiguous-skip",
        }
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        let (at, firmware) = (&self.excerpt, firmware(self.dialect));
        match self.code {
            RefusalCode::Utf16 => f.write_str("the file is UTF-16 text; save it as UTF-8"),
            RefusalCode::Binary => f.write_str("the file is not text; choose a G-code file"),
            RefusalCode::Nul => {
                f.write_str("a NUL byte; the file is damaged or is not text, make it anew")
            }
            RefusalCode::ControlByte => write!(f, "the control byte {at}; remove it"),
            RefusalCode::RealtimeByte => write!(
                f,
                "{firmware} takes the byte {at} as a realtime command or swallows it, even in the middle of a line; \
                 remove it"
            ),
            RefusalCode::NotAscii => write!(
                f,
                "the byte {at} is not ASCII; write it in a comment or remove it"
            ),
            RefusalCode::StrayByte => write!(f, "{at} is not part of a word; remove it"),
            RefusalCode::BadNumber => write!(
                f,
                "the number of {at} is missing or malformed; write it out"
            ),
            RefusalCode::UnclosedString => {
                write!(f, "the string {at} has no end; add a quotation mark")
            }
            RefusalCode::QuotedSemicolon => write!(
                f,
                "most builds of {firmware} end a line at {at} even inside quotes, its checksum lost; remove it"
            ),
            RefusalCode::TooManyWords => f.write_str("the line has too many words; split it"),
            RefusalCode::UnsupportedCode => {
                write!(
                    f,
                    "{at} is not supported by {firmware}{}; remove it or run with --skip {at}",
                    self.answer()
                )
            }
            RefusalCode::UnsupportedWord => {
                let letter = at.get(..1).unwrap_or_default();
                write!(
                    f,
                    "{firmware} has no {letter} words ({at}){}; remove it or run with --skip {letter}",
                    self.answer()
                )
            }
            RefusalCode::OWord => {
                write!(
                    f,
                    "{firmware} has no program numbers, subprograms or loops ({at}); post-process the file for {firmware}"
                )
            }
            RefusalCode::Parameter => write!(
                f,
                "{firmware} has no parameters ({at}); post-process the file for {firmware}"
            ),
            RefusalCode::Expression => {
                write!(
                    f,
                    "{firmware} cannot evaluate expressions ({at}); post-process the file for {firmware}"
                )
            }
            RefusalCode::SecondCommand => {
                write!(
                    f,
                    "{firmware} runs only the first command of a line; give {at} a line of its own"
                )
            }
            RefusalCode::NoCommand => {
                write!(
                    f,
                    "{firmware} needs a command in front of {at}; write G0, G1, G2 or G3 on every motion line"
                )
            }
            RefusalCode::ForeignSetting => {
                write!(f, "{at} is a command of grbl, not of {firmware}; remove it")
            }
            RefusalCode::ChecksumMismatch => {
                write!(
                    f,
                    "the checksum {at} does not fit the line: the file is damaged, make it anew"
                )
            }
            RefusalCode::StrayChecksum => write!(
                f,
                "the checksum {at} stands on a line without number; remove it"
            ),
            RefusalCode::TooLong => write!(f, "{at}; split the line"),
            RefusalCode::EmergencyStop => {
                write!(
                    f,
                    "{at} would stop {firmware} until it is reset; remove it, or allow it for this job"
                )
            }
            RefusalCode::MixedToolChange => {
                write!(
                    f,
                    "{at} shares its line with other commands, and {firmware} cannot change tools; give it a line of its own"
                )
            }
            RefusalCode::AmbiguousSkip => {
                write!(
                    f,
                    "{at} cannot be skipped here: its arguments cannot be told from those of other commands; edit the line"
                )
            }
        }
    }
}

impl Refusal {
    /// The answer that the controller would give.
    fn answer(&self) -> &'static str {
        match self.dialect {
            Dialect::Grbl => " (error:20)",
            Dialect::Marlin => "",
        }
    }
}

pub(super) fn firmware(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Grbl => "grbl 1.1",
        Dialect::Marlin => "Marlin",
    }
}

/// All refusals of a program: the first ones in full, the rest counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusals {
    list: Vec<Refusal>,
    counts: Vec<(RefusalCode, u64)>,
}

impl Refusals {
    /// Refusals kept in full; more are only counted.
    pub const KEPT: usize = 100;

    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first refusals, in the order of the program.
    pub fn iter(&self) -> core::slice::Iter<'_, Refusal> {
        self.list.iter()
    }

    /// The first refusal.
    pub fn first(&self) -> Option<&Refusal> {
        self.list.first()
    }

    /// How many there are, those not kept included.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    /// How many there are of each reason.
    pub fn counts(&self) -> &[(RefusalCode, u64)] {
        &self.counts
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Adds one.
    pub fn push(&mut self, refusal: Refusal) {
        self.count(refusal.code, 1);
        if self.list.len() < Self::KEPT {
            self.list.push(refusal);
        }
    }

    /// Adds those of a later part of the program.
    pub fn merge(&mut self, later: Self) {
        for (code, count) in later.counts {
            self.count(code, count);
        }
        let room = Self::KEPT - self.list.len().min(Self::KEPT);
        self.list.extend(later.list.into_iter().take(room));
    }

    fn count(&mut self, code: RefusalCode, more: u64) {
        match self.counts.iter_mut().find(|(counted, _)| *counted == code) {
            Some((_, count)) => *count += more,
            None => self.counts.push((code, more)),
        }
    }
}

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.first() else {
            return f.write_str("nothing is refused");
        };
        write!(f, "{first}")?;
        match self.total() - 1 {
            0 => Ok(()),
            1 => f.write_str(" (and 1 more place)"),
            more => write!(f, " (and {more} more places)"),
        }
    }
}

impl core::error::Error for Refusals {}

impl<'a> IntoIterator for &'a Refusals {
    type Item = &'a Refusal;
    type IntoIter = core::slice::Iter<'a, Refusal>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What stands at a place, fit for a message.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    const LONGEST: usize = 40;
    let shown = bytes
        .get(..LONGEST)
        .unwrap_or(bytes)
        .escape_ascii()
        .to_string();
    if bytes.len() > LONGEST {
        shown + "..."
    } else {
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: u64, code: RefusalCode, excerpt: &str) -> Refusal {
        Refusal {
            line,
            column: 5,
            code,
            excerpt: excerpt.into(),
            dialect: Dialect::Grbl,
        }
    }

    #[test]
    fn messages_name_place_reason_and_remedy() {
        assert_eq!(
            refusal(12, RefusalCode::UnsupportedCode, "G64").to_string(),
            "line 12, column 5: G64 is not supported by grbl 1.1 (error:20); remove it or run with --skip G64"
        );
        assert_eq!(
            refusal(3, RefusalCode::UnsupportedWord, "H2").to_string(),
            "line 3, column 5: grbl 1.1 has no H words (H2) (error:20); remove it or run with --skip H"
        );
    }

    #[test]
    fn the_first_hundred_are_kept_and_all_are_counted() {
        let mut refusals = Refusals::new();
        let mut later = Refusals::new();
        for line in 1..=90 {
            refusals.push(refusal(line, RefusalCode::Parameter, "#1"));
            later.push(refusal(line + 90, RefusalCode::Expression, "[1]"));
        }
        refusals.merge(later);
        assert_eq!(refusals.iter().len(), Refusals::KEPT);
        assert_eq!(refusals.total(), 180);
        assert_eq!(
            refusals.counts(),
            [(RefusalCode::Parameter, 90), (RefusalCode::Expression, 90)]
        );
        assert!(refusals.iter().is_sorted_by_key(|refusal| refusal.line));
        assert!(
            refusals.to_string().ends_with("(and 179 more places)"),
            "{refusals}"
        );
    }

    #[test]
    fn excerpts_are_short_and_printable() {
        assert_eq!(excerpt(b"G1\x07"), "G1\\x07");
        assert_eq!(excerpt(&[b'X'; 50]).len(), 43);
    }
}
