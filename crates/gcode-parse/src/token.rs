//! What stands on one line, from left to right.

mod fault;
mod lexer;

use core::fmt;
use core::ops::Range;

use crate::number::{Code, Number};

pub use fault::{Fault, FaultKind};
pub use lexer::{Tokens, tokens};

/// One thing on a line.
///
/// Every byte that is not a blank belongs to exactly one token; what has no meaning is [`Token::Invalid`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// `/` before anything else: the operator may switch this line off.
    BlockDelete,
    /// `%` before anything else: begin or end of the tape.
    TapeMark,
    /// `N120`.
    LineNumber(Number<'a>),
    /// `X10.5`, `G1`.
    Word(Word<'a>),
    /// `O100 sub`.
    OWord(OWord<'a>),
    /// `#5=[#4+1]`.
    Assignment(Assignment<'a>),
    /// `(…)` or `;…`.
    Comment(Comment<'a>),
    /// `*71`: the XOR of all bytes before the asterisk, as Marlin wants it.
    Checksum(Number<'a>),
    /// A grbl `$…` line, from the dollar on, without blanks and comments at its end.
    Setting(&'a [u8]),
    /// The free text argument of a code that takes one, without blanks at either end: `M117 Hello`.
    Text(&'a [u8]),
    /// What could not be read.
    Invalid(Fault),
}

/// A letter with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    /// In upper case.
    pub letter: u8,
    /// What follows the letter.
    pub value: Value<'a>,
    /// Letter and value.
    pub span: Span,
}

impl<'a> Word<'a> {
    /// The value as the number of a code; for `G` and `M` words.
    #[inline]
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.number().and_then(|number| number.code())
    }

    /// The value when it is a plain number.
    #[inline]
    #[must_use]
    pub const fn number(&self) -> Option<Number<'a>> {
        match self.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }
}

/// What follows the letter of a word or the `=` of an assignment.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// `10.5`.
    Number(Number<'a>),
    /// `#5`, `#<feed>`, `##2`, `#[1+2]`, with the `#`.
    Parameter(&'a [u8]),
    /// `[#5*2]`, `-#5`, `sin[30]`; see [`expr::tokens`](crate::expr::tokens).
    Expression(&'a [u8]),
    /// `"a name"` without the quotes, or the `?`, `c`, `x` of Marlin's `T?`.
    Text(&'a [u8]),
    /// Nothing: the `X` of `G28 X`.
    None,
}

/// Where something stands in its line: byte columns, 0-based, the end not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// Column of the first byte.
    pub start: usize,
    /// Column behind the last byte.
    pub end: usize,
}

impl Span {
    /// For slicing the line: `&line[span.range()]`.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The 1-based column that people are told.
    #[must_use]
    pub const fn column(self) -> usize {
        self.start + 1
    }
}

/// A comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment<'a> {
    /// Its form.
    pub kind: CommentKind,
    /// What stands inside; for an active comment what follows its comma.
    pub text: &'a [u8],
    /// All of it, with the marks.
    pub span: Span,
    /// Whether a `)` was found; always so for `;`.
    pub closed: bool,
}

/// The forms of comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommentKind {
    /// `( to the next parenthesis )`.
    Paren,
    /// `; to the end of the line`.
    Semicolon,
    /// `(MSG, …)`: a comment that the controller acts on.
    Active(Active),
}

/// The active comments of RS-274/NGC and LinuxCNC.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Active {
    /// `(MSG, text)` shows text to the operator.
    Message,
    /// `(DEBUG, text)`.
    Debug,
    /// `(PRINT, text)`.
    Print,
    /// `(LOG, text)`.
    Log,
    /// `(LOGOPEN, file)`.
    LogOpen,
    /// `(LOGAPPEND, file)`.
    LogAppend,
    /// `(LOGCLOSE)`.
    LogClose,
    /// `(PROBEOPEN file)`.
    ProbeOpen,
    /// `(PROBECLOSE)`.
    ProbeClose,
    /// `(ABORT, text)`.
    Abort,
    /// `(PY, statement)`.
    Python,
}

/// A control word of RS-274/NGC: subprograms, loops, conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OWord<'a> {
    /// Which block of code it names.
    pub label: Label<'a>,
    /// What it does; none on a bare program number (`O1234`).
    pub keyword: Option<Keyword>,
    /// What follows the keyword: conditions and arguments in brackets.
    pub arguments: &'a [u8],
    /// All of it.
    pub span: Span,
}

/// The name of an O-word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label<'a> {
    /// `O100`.
    Number(Number<'a>),
    /// `O<bore>`, without the brackets.
    Name(&'a [u8]),
    /// `O#5` or `O[#5+1]`.
    Expression(&'a [u8]),
}

/// What an O-word does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keyword {
    /// `sub` begins a subprogram.
    Sub,
    /// `endsub` ends it.
    EndSub,
    /// `return` leaves it.
    Return,
    /// `call` runs it.
    Call,
    /// `do`.
    Do,
    /// `while`.
    While,
    /// `endwhile`.
    EndWhile,
    /// `repeat`.
    Repeat,
    /// `endrepeat`.
    EndRepeat,
    /// `break`.
    Break,
    /// `continue`.
    Continue,
    /// `if`.
    If,
    /// `elseif`.
    ElseIf,
    /// `else`.
    Else,
    /// `endif`.
    EndIf,
}

impl Keyword {
    /// The keyword as it is written, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sub => "sub",
            Self::EndSub => "endsub",
            Self::Return => "return",
            Self::Call => "call",
            Self::Do => "do",
            Self::While => "while",
            Self::EndWhile => "endwhile",
            Self::Repeat => "repeat",
            Self::EndRepeat => "endrepeat",
            Self::Break => "break",
            Self::Continue => "continue",
            Self::If => "if",
            Self::ElseIf => "elseif",
            Self::Else => "else",
            Self::EndIf => "endif",
        }
    }

    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        const ALL: [Keyword; 15] = [
            Keyword::Sub,
            Keyword::EndSub,
            Keyword::Return,
            Keyword::Call,
            Keyword::Do,
            Keyword::While,
            Keyword::EndWhile,
            Keyword::Repeat,
            Keyword::EndRepeat,
            Keyword::Break,
            Keyword::Continue,
            Keyword::If,
            Keyword::ElseIf,
            Keyword::Else,
            Keyword::EndIf,
        ];
        ALL.into_iter()
            .find(|keyword| keyword.name().as_bytes().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// `#5=10` or `#<feed>=[#5*2]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment<'a> {
    /// The parameter, with its `#`.
    pub target: &'a [u8],
    /// What it is set to.
    pub value: Value<'a>,
    /// All of it.
    pub span: Span,
}

/// The XOR of all bytes: the checksum that RepRap firmwares expect behind `*`.
///
/// ```
/// assert_eq!(feedhold_gcode_parse::checksum(b"N3 T0"), 57);
/// ```
#[must_use]
pub fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}
