//! How a job goes on.

use core::fmt;

use thiserror::Error;

use super::{Approach, Refusal, Tracker, approach};

pub use crate::streamer::InDoubt;

/// Where the purpose of a line begins in the text of a plan.
const COLUMN: usize = 32;
/// What the last line of a plan's text says in front of a line number.
const GOES_ON: &str = "the job goes on with line ";

/// How a job goes on: where in the file, and how the machine gets there.
///
/// As text it is G-code with comments. An operator may edit that, and [`edited`](Self::edited) takes it back.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// Last line that counts as executed.
    pub done: u64,
    /// Byte of the file at which the next line begins.
    pub offset: u64,
    /// Lines that bring the machine there and put everything in force again, in order. Empty when the machine stands there.
    pub approach: Vec<Step>,
    /// Lines that will run although they may have run before.
    pub repeats: Option<InDoubt>,
    /// Lines that will not run although they may not have run before.
    pub skips: Option<InDoubt>,
    /// The controller lives and stands at the place with everything in force: nothing has to be done first.
    pub seamless: bool,
}

/// One line of an approach, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is sent.
    pub line: String,
    /// Why.
    pub purpose: String,
}

/// What the program does behind the place.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ahead {
    /// Highest point of the whole program, as [`Tracker::highest_z`] gives it at its end.
    pub highest_z: Option<f64>,
    /// The first motion behind the place.
    pub next: Option<Next>,
}

/// The first motion behind the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// Its line.
    pub line: u64,
    /// It names its motion mode itself.
    pub names_mode: bool,
}

/// A setting of an approach outside its range.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("{what} has to be between {least} and {most} mm")]
pub struct RangeError {
    what: &'static str,
    least: f64,
    most: f64,
}

impl RangeError {
    pub(super) const fn new(what: &'static str, least: f64, most: f64) -> Self {
        Self { what, least, most }
    }
}

impl Plan {
    /// The way back to the place behind line `done`, up to which `at` has followed the program. The next line begins at byte
    /// `offset` of the file.
    ///
    /// # Errors
    /// What cannot be put in force again.
    pub fn new(done: u64, offset: u64, at: &Tracker, ahead: &Ahead) -> Result<Self, Refusal> {
        Self::with(done, offset, at, ahead, &Approach::new())
    }

    /// The same in a chosen way.
    ///
    /// # Errors
    /// What cannot be put in force again.
    pub fn with(
        done: u64,
        offset: u64,
        at: &Tracker,
        ahead: &Ahead,
        way: &Approach,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            done,
            offset,
            approach: approach::plan(at, ahead, way)?,
            repeats: None,
            skips: None,
            seamless: false,
        })
    }

    /// The machine stands where line `done` has left it, and nothing was lost.
    #[must_use]
    pub fn seamless(done: u64, offset: u64) -> Self {
        Self {
            done,
            offset,
            approach: Vec::new(),
            repeats: None,
            skips: None,
            seamless: true,
        }
    }

    /// The same plan, where everything up to line `executed` has run for certain and nothing behind line `last` has: it now names
    /// what it repeats and what it leaves out.
    #[must_use]
    pub fn beside(mut self, executed: u64, last: u64) -> Self {
        let next = self.done.saturating_add(1);
        let lines = |first, last| Some(InDoubt { first, last }).filter(|lines| !lines.is_empty());
        self.repeats = lines(next, last);
        self.skips = lines(executed.saturating_add(1), self.done);
        self
    }

    /// The same plan with the approach as somebody has edited it: one line of G-code each, and behind a `;` what it is for.
    ///
    /// # Errors
    /// [`Refusal::PlanUnusable`] when the text was written for another place.
    pub fn edited(mut self, text: &str) -> Result<Self, Refusal> {
        self.approach.clear();
        for (number, line) in (1..).zip(text.lines()) {
            let (code, comment) = line.split_once(';').unwrap_or((line, ""));
            let (code, comment) = (code.trim(), comment.trim());
            if let Some(next) = comment.strip_prefix(GOES_ON)
                && next.parse() != Ok(self.done.saturating_add(1))
            {
                return Err(Refusal::PlanUnusable {
                    line: number,
                    reason: format!(
                        "it was made to go on with line {next}, and the job goes on with line {}",
                        self.done.saturating_add(1)
                    ),
                });
            }
            if !code.is_empty() {
                self.approach.push(Step {
                    line: code.to_owned(),
                    purpose: comment.to_owned(),
                });
            }
        }
        self.seamless = false;
        Ok(self)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(repeats) = self.repeats {
            writeln!(f, "; {repeats} may have run, and will run again")?;
        }
        if let Some(skips) = self.skips {
            writeln!(f, "; {skips} may not have run, and will not run")?;
        }
        if self.seamless {
            writeln!(
                f,
                "; the machine stands where line {} has left it, with everything in force",
                self.done
            )?;
        }
        for Step { line, purpose } in &self.approach {
            if purpose.is_empty() {
                writeln!(f, "{line}")?;
            } else {
                writeln!(f, "{line:<COLUMN$}; {purpose}")?;
            }
        }
        writeln!(f, "; {GOES_ON}{}", self.done.saturating_add(1))
    }
}
