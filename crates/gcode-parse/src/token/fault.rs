use core::fmt;

/// Something on a line that cannot be read, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// Byte column of its first byte, 1-based.
    pub column: usize,
    /// What is wrong.
    pub kind: FaultKind,
}

/// Why something on a line cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// A sign or a point without a digit.
    BadNumber,
    /// A letter that needs a number has none.
    MissingValue(u8),
    /// A number that no letter precedes.
    StrayNumber,
    /// A byte that means nothing here.
    StrayByte(u8),
    /// A byte of 0x80 or more outside of comments and text.
    NonAscii(u8),
    /// A zero byte: the file is binary, UTF-16 or damaged.
    Nul,
    /// `(` without `)` where that is an error.
    UnclosedComment,
    /// `[` without `]`.
    UnclosedBracket,
    /// `#<` or `O<` without `>`.
    UnclosedName,
    /// `"` without a second one.
    UnclosedQuote,
    /// `#` that no parameter follows.
    BadParameter,
    /// A parameter at the place of a word that no `=` follows.
    MissingEquals,
    /// `*` that no number from 0 to 255 follows.
    BadChecksum,
    /// Text behind the checksum.
    AfterChecksum,
    /// More words than a block takes.
    TooManyWords,
    /// A second line number.
    RepeatedLineNumber,
    /// `#…` where the firmware has no parameters.
    ParameterUnsupported,
    /// `[…]` where the firmware computes nothing.
    ExpressionUnsupported,
    /// `O…` where the firmware has no subprograms.
    OWordUnsupported,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.kind)
    }
}

impl core::error::Error for Fault {}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BadNumber => f.write_str("not a number: a digit is missing"),
            Self::MissingValue(letter) => write!(f, "the word {} has no number", Shown(letter)),
            Self::StrayNumber => f.write_str("a number without a letter before it"),
            Self::StrayByte(byte) => write!(f, "{} has no meaning here", Shown(byte)),
            Self::NonAscii(byte) => write!(
                f,
                "byte {byte:#04x} is not ASCII; only comments may hold other text"
            ),
            Self::Nul => f.write_str("a zero byte; is this file binary or UTF-16?"),
            Self::UnclosedComment => f.write_str("the comment is not closed; add `)`"),
            Self::UnclosedBracket => f.write_str("the bracket is not closed; add `]`"),
            Self::UnclosedName => f.write_str("the name is not closed; add `>`"),
            Self::UnclosedQuote => f.write_str("the quoted text is not closed; add `\"`"),
            Self::BadParameter => f.write_str("`#` needs a number, a <name> or an [expression]"),
            Self::MissingEquals => {
                f.write_str("a parameter stands here without a letter before or `=` behind it")
            }
            Self::BadChecksum => f.write_str("`*` needs a checksum from 0 to 255"),
            Self::AfterChecksum => {
                f.write_str("text behind the checksum is ignored by the firmware; remove it")
            }
            Self::TooManyWords => write!(
                f,
                "more than {} words on one line; split the line",
                crate::block::MAX_WORDS
            ),
            Self::RepeatedLineNumber => f.write_str("a second line number on the line"),
            Self::ParameterUnsupported => {
                f.write_str("this firmware has no parameters; let the post-processor write numbers")
            }
            Self::ExpressionUnsupported => f.write_str(
                "this firmware computes no expressions; let the post-processor write numbers",
            ),
            Self::OWordUnsupported => f.write_str(
                "this firmware has no O-words; let the post-processor unroll subprograms and loops",
            ),
        }
    }
}

/// A byte as people can read it.
struct Shown(u8);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_ascii_graphic() {
            write!(f, "`{}`", char::from(self.0))
        } else {
            write!(f, "byte {:#04x}", self.0)
        }
    }
}
