use super::{CodeUses, Complexity, Encoding};
use crate::diagnostic::{Diagnostic, Reason, Severity};
use crate::interpret::Stop;
use crate::line::Line;
use crate::motion::Bounds;

/// What an [`Analyzer`](super::Analyzer) has found.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    /// Bytes, line ends included.
    pub bytes: u64,
    /// Lines, empty ones and a last one without terminator included.
    pub lines: u64,
    /// Lines with nothing but blanks and comments.
    pub empty_lines: u64,
    /// Lines longer than [`MAX_LINE`](crate::MAX_LINE), of which only the front was read.
    pub overlong_lines: u64,
    /// The longest line.
    pub longest_line: LongestLine,
    /// How lines end.
    pub endings: Endings,
    /// What is not plain text.
    pub encoding: Encoding,
    /// Whether there is any comment.
    pub has_comments: bool,
    /// Whether there are O-words, M98 or M99.
    pub has_sub_programs: bool,
    /// Lines that begin with `/`.
    pub block_deletes: u64,
    /// M6, or T in Marlin.
    pub tool_changes: u64,
    /// G54 to G59.3.
    pub coordinate_system_changes: u64,
    /// Motion: lengths, times, boxes.
    pub motions: Motions,
    /// Feeds of all motions but rapids, mm/min; inverse time left out.
    pub feed_mm_per_min: Range,
    /// S while the spindle is on.
    pub spindle_speed: Range,
    /// Every G, M and T code with its count and first line.
    pub codes: CodeUses,
    /// Stops of all kinds.
    pub stops: u64,
    /// The first of them.
    pub stop_lines: [Option<StopLine>; 16],
    /// What is wrong or doubtful.
    pub diagnostics: Diagnostics,
    /// How much work the lines are.
    pub complexity: Complexity,
}

impl Metadata {
    pub(super) const fn new() -> Self {
        Self {
            bytes: 0,
            lines: 0,
            empty_lines: 0,
            overlong_lines: 0,
            longest_line: LongestLine { line: 0, bytes: 0 },
            endings: Endings {
                lf: 0,
                crlf: 0,
                cr: 0,
                missing: false,
            },
            encoding: Encoding::new(),
            has_comments: false,
            has_sub_programs: false,
            block_deletes: 0,
            tool_changes: 0,
            coordinate_system_changes: 0,
            motions: Motions::NONE,
            feed_mm_per_min: Range::EMPTY,
            spindle_speed: Range::EMPTY,
            codes: CodeUses::new(),
            stops: 0,
            stop_lines: [None; 16],
            diagnostics: Diagnostics::new(),
            complexity: Complexity::new(),
        }
    }
}

/// Motion of a whole program.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motions {
    /// Blocks that move.
    pub count: u64,
    /// Of them rapids and homing.
    pub rapids: u64,
    /// Of them arcs and helices.
    pub arcs: u64,
    /// Length at feed, mm.
    pub cutting_mm: f64,
    /// Length of rapids and homing, mm.
    pub rapid_mm: f64,
    /// Filament pushed, mm; what comes back after a retraction is counted again.
    pub extruded_mm: f64,
    /// Filament pulled back, mm.
    pub retracted_mm: f64,
    /// Time at feed, seconds, without acceleration.
    pub cutting_s: f64,
    /// Time of those rapids that go at a programmed feed (Marlin). Others depend on the machine's rate:
    /// divide [`rapid_mm`](Self::rapid_mm) by it.
    pub rapid_s: f64,
    /// Programmed waits, seconds.
    pub dwell_s: f64,
    /// The box around all motion, machine coordinates, the start included.
    pub bounds: Bounds,
    /// The box around motion at feed.
    pub cutting_bounds: Bounds,
}

impl Motions {
    const NONE: Self = Self {
        count: 0,
        rapids: 0,
        arcs: 0,
        cutting_mm: 0.0,
        rapid_mm: 0.0,
        extruded_mm: 0.0,
        retracted_mm: 0.0,
        cutting_s: 0.0,
        rapid_s: 0.0,
        dwell_s: 0.0,
        bounds: Bounds::EMPTY,
        cutting_bounds: Bounds::EMPTY,
    };

    /// Length of all motion, mm.
    #[must_use]
    pub fn distance_mm(&self) -> f64 {
        self.cutting_mm + self.rapid_mm
    }

    /// Everything that the program itself says about time, seconds: motion at programmed feed and waits, no
    /// acceleration, no rapids at the machine's own rate.
    #[must_use]
    pub fn programmed_s(&self) -> f64 {
        self.cutting_s + self.rapid_s + self.dwell_s
    }
}

/// The longest line of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongestLine {
    /// Its number, the first of equals; 0 in an empty program.
    pub line: u64,
    /// Its length without terminator.
    pub bytes: u64,
}

impl LongestLine {
    pub(super) fn consider(&mut self, line: &Line<'_>) {
        let bytes = line.overlong.unwrap_or(line.text.len() as u64);
        if bytes > self.bytes || self.line == 0 {
            *self = Self {
                line: line.number,
                bytes,
            };
        }
    }
}

/// How many lines end in which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endings {
    /// In LF.
    pub lf: u64,
    /// In CR LF.
    pub crlf: u64,
    /// In a CR alone.
    pub cr: u64,
    /// The last line has no terminator.
    pub missing: bool,
}

impl Endings {
    /// Whether more than one kind of terminator is used.
    #[must_use]
    pub fn mixed(&self) -> bool {
        [self.lf, self.crlf, self.cr]
            .into_iter()
            .filter(|count| *count > 0)
            .count()
            > 1
    }
}

/// Smallest and largest of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range(Option<(f64, f64)>);

impl Range {
    /// Of no values.
    pub const EMPTY: Self = Self(None);

    /// Both ends; `None` when there was no value.
    #[must_use]
    pub const fn ends(&self) -> Option<(f64, f64)> {
        self.0
    }

    /// Takes a value in.
    pub fn include(&mut self, value: f64) {
        self.0 = Some(match self.0 {
            Some((min, max)) => (
                if value < min { value } else { min },
                if value > max { value } else { max },
            ),
            None => (value, value),
        });
    }
}

/// A stop and its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopLine {
    /// 1-based.
    pub line: u64,
    /// Its kind.
    pub stop: Stop,
}

/// Diagnostics that are kept; further ones are only counted.
pub const MAX_DIAGNOSTICS: usize = 32;

/// The first diagnostics of a program, and how many there are.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostics {
    kept: [Diagnostic; MAX_DIAGNOSTICS],
    /// All warnings.
    pub warnings: u64,
    /// All errors.
    pub errors: u64,
    /// Findings of blocks that had more than they keep; neither warnings nor errors count them.
    pub uncounted: u64,
}

impl Diagnostics {
    const fn new() -> Self {
        const NONE: Diagnostic = Diagnostic {
            line: 0,
            column: 0,
            reason: Reason::NoCommand,
            severity: Severity::Error,
        };
        Self {
            kept: [NONE; MAX_DIAGNOSTICS],
            warnings: 0,
            errors: 0,
            uncounted: 0,
        }
    }

    /// The first ones, at most [`MAX_DIAGNOSTICS`], in the order of the program.
    #[must_use]
    pub fn as_slice(&self) -> &[Diagnostic] {
        let count = usize::try_from(self.warnings + self.errors).unwrap_or(MAX_DIAGNOSTICS);
        self.kept.get(..count.min(MAX_DIAGNOSTICS)).unwrap_or(&[])
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        let count = usize::try_from(self.warnings + self.errors).unwrap_or(MAX_DIAGNOSTICS);
        if let Some(place) = self.kept.get_mut(count) {
            *place = diagnostic;
        }
        match diagnostic.severity {
            Severity::Warning => self.warnings += 1,
            Severity::Error => self.errors += 1,
        }
    }

    pub(super) fn skip(&mut self, count: usize) {
        self.uncounted += count as u64;
    }
}
