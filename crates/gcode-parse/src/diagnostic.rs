//! What is wrong or doubtful in a program, with its place.

use core::fmt;

use crate::modal::Group;
use crate::motion::ArcError;
use crate::number::Code;
use crate::token::FaultKind;

/// A remark on one place of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// Line of the source, 1-based.
    pub line: u64,
    /// Byte column, 1-based; 1 when the whole line is meant.
    pub column: usize,
    /// What it is.
    pub reason: Reason,
    /// How bad it is.
    pub severity: Severity,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}: {}",
            self.line, self.column, self.reason
        )
    }
}

impl core::error::Error for Diagnostic {}

/// A remark within one block, before anybody knows the number of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Finding {
    /// Byte column, 1-based.
    pub column: usize,
    /// What it is.
    pub reason: Reason,
}

impl Finding {
    /// The finding as a diagnostic of a line.
    #[must_use]
    pub const fn at_line(self, line: u64) -> Diagnostic {
        Diagnostic {
            line,
            column: self.column,
            reason: self.reason,
            severity: self.reason.severity(),
        }
    }
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The machine copes; what is computed here (length, bounds, position) may be off.
    Warning,
    /// The firmware refuses the line, or does something that the program does not say.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// What is wrong or doubtful.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The line cannot be read here.
    Fault(FaultKind),
    /// A line of so many bytes; what lies behind [`MAX_LINE`](crate::MAX_LINE) was not read.
    Overlong(u64),
    /// The checksum behind `*` is not that of the line.
    WrongChecksum,
    /// The flavor has no such G, M or T code.
    UnknownCode(u8, Code),
    /// The number behind G or M is no code: negative, too large or finer than tenths.
    NotACode(u8),
    /// Two codes of one group in one block; the later one is taken.
    SameGroup(Group),
    /// A letter stands twice; the later one is taken.
    RepeatedWord(u8),
    /// No code of the block uses this letter.
    UnusedWord(u8),
    /// The value is a parameter or an expression; it is not computed here.
    NotComputed(u8),
    /// The value lies beyond ±10¹².
    OutOfRange(u8),
    /// The code needs this word.
    MissingWord(u8),
    /// The word needs a whole number in a certain range.
    BadCount(u8),
    /// A motion at a feed of zero.
    NoFeed,
    /// G93 and no F in the block.
    NoInverseTime,
    /// Axis words, and no motion is in force (G80).
    NoMotionMode,
    /// Two codes of the block want the axis words.
    AxisConflict,
    /// The arc is impossible.
    Arc(ArcError),
    /// A subprogram, loop or condition: its lines are read once, in their order.
    FlowNotFollowed,
    /// The line names no command, and this firmware repeats none.
    NoCommand,
    /// A known code whose motion or offset is not computed here.
    NotInterpreted(u8, Code),
}

impl Reason {
    /// How bad it is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::NotComputed(_)
            | Self::NotInterpreted(..)
            | Self::UnusedWord(_)
            | Self::FlowNotFollowed => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Fault(kind) => kind.fmt(f),
            Self::Overlong(length) => write!(
                f,
                "the line is {length} bytes long and only the first {} were read; does the file have line ends?",
                crate::line::MAX_LINE
            ),
            Self::WrongChecksum => f.write_str("the checksum does not match the line"),
            Self::UnknownCode(letter, code) => {
                write!(
                    f,
                    "{}{code} is not a code of this firmware",
                    char::from(letter)
                )
            }
            Self::NotACode(letter) => {
                write!(f, "the number behind {} is no code", char::from(letter))
            }
            Self::SameGroup(group) => write!(
                f,
                "a second code of the {group} group in one block; split the line"
            ),
            Self::RepeatedWord(letter) => {
                write!(f, "{} stands twice in one block", char::from(letter))
            }
            Self::UnusedWord(letter) => {
                write!(f, "no code of this block uses {}", char::from(letter))
            }
            Self::NotComputed(letter) => {
                write!(
                    f,
                    "the value of {} is computed by the controller and not known here",
                    char::from(letter)
                )
            }
            Self::OutOfRange(letter) => write!(
                f,
                "the value of {} is beyond any machine",
                char::from(letter)
            ),
            Self::MissingWord(letter) => write!(f, "the word {} is missing", char::from(letter)),
            Self::BadCount(letter) => write!(
                f,
                "the value of {} is not one of those allowed",
                char::from(letter)
            ),
            Self::NoFeed => f.write_str("a motion at feed zero; program F before"),
            Self::NoInverseTime => {
                f.write_str("in inverse time mode (G93) every motion needs its own F")
            }
            Self::NoMotionMode => {
                f.write_str("axis words while no motion is in force; program G0 or G1")
            }
            Self::AxisConflict => {
                f.write_str("two codes of this block want the axis words; split the line")
            }
            Self::Arc(error) => error.fmt(f),
            Self::FlowNotFollowed => {
                f.write_str("subprograms, loops and conditions are not followed here")
            }
            Self::NoCommand => {
                f.write_str("the line begins with no command; write G, M or T first")
            }
            Self::NotInterpreted(letter, code) => {
                write!(
                    f,
                    "the effect of {}{code} on position and time is not computed",
                    char::from(letter)
                )
            }
        }
    }
}

/// All diagnostics of a program that is in memory.
///
/// For programs that are not, push them through [`Analyzer`](crate::Analyzer), which keeps the first ones.
///
/// ```
/// use feedhold_gcode_parse::{Flavor, diagnostic::check};
///
/// let found = check(Flavor::Grbl, b"G21\nG1 X10 F100\nG2 X20\n");
/// assert_eq!(
///     found[0].to_string(),
///     "line 3, column 1: the arc needs its centre (I, J, K of the active plane) or a radius (R)"
/// );
/// ```
#[cfg(feature = "alloc")]
#[must_use]
pub fn check(flavor: crate::Flavor, program: &[u8]) -> alloc::vec::Vec<Diagnostic> {
    let mut reader = crate::LineReader::<{ crate::MAX_LINE }>::new();
    let mut machine = crate::Interpreter::new(flavor);
    let mut found = alloc::vec::Vec::new();
    let mut take = |line: &crate::Line<'_>| {
        if let Some(length) = line.overlong {
            found.push(
                Finding {
                    column: 1,
                    reason: Reason::Overlong(length),
                }
                .at_line(line.number),
            );
        }
        let effect = crate::Block::with(flavor, line.text, |block| machine.apply(block));
        found.extend(effect.findings.at_line(line.number));
    };
    let mut input = program;
    while let Some(line) = reader.next(&mut input) {
        take(&line);
    }
    if let Some(line) = reader.finish() {
        take(&line);
    }
    found
}

/// Findings that one block can keep; further ones are counted.
pub const MAX_FINDINGS: usize = 6;

/// The findings of one block, kept in place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Findings {
    kept: [Finding; MAX_FINDINGS],
    count: usize,
}

impl Findings {
    pub(crate) const fn new() -> Self {
        const NONE: Finding = Finding {
            column: 1,
            reason: Reason::NoCommand,
        };
        Self {
            kept: [NONE; MAX_FINDINGS],
            count: 0,
        }
    }

    #[cold]
    pub(crate) fn push(&mut self, column: usize, reason: Reason) {
        if let Some(place) = self.kept.get_mut(self.count) {
            *place = Finding { column, reason };
        }
        self.count += 1;
    }

    /// The first findings, at most [`MAX_FINDINGS`].
    #[must_use]
    pub fn as_slice(&self) -> &[Finding] {
        self.kept.get(..self.count.min(MAX_FINDINGS)).unwrap_or(&[])
    }

    /// All findings, those that were not kept included.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The findings as diagnostics of a line.
    pub fn at_line(&self, line: u64) -> impl Iterator<Item = Diagnostic> + use<'_> {
        self.as_slice()
            .iter()
            .map(move |finding| finding.at_line(line))
    }
}
