//! How a job goes on.

use core::fmt;

use super::{Refusal, Tracker, approach};

pub use crate::streamer::InDoubt;

/// How a job goes on: where in the file, and how the machine gets there.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// Last line that is executed.
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
    /// Highest Z that any motion of the whole program ends at, in mm of the work coordinates in force there.
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

impl Plan {
    /// The way back to the place behind line `done`, up to which `at` has followed the program. The next line begins at byte
    /// `offset` of the file.
    ///
    /// # Errors
    /// What cannot be put in force again.
    pub fn new(done: u64, offset: u64, at: &Tracker, ahead: &Ahead) -> Result<Self, Refusal> {
        Ok(Self {
            done,
            offset,
            approach: approach::plan(at, ahead)?,
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
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Step { line, purpose } in &self.approach {
            writeln!(f, "{line:<32}; {purpose}")?;
        }
        writeln!(f, "{:<32}; the job goes on with line {}", "", self.done + 1)
    }
}
