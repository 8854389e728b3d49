//! Going on where a job stopped.
//!
//! Resuming is a machining operation: the machine has to be where the program expects it, with everything in force that earlier
//! lines have set, and it has to get there without touching the part. A [`Plan`] says how, as G-code that the operator can read
//! before anything moves.
//!
//! This works behind a *clean* stop, where everything that was sent is known to be executed: a pause, a program stop, a
//! cancellation. Everything else is refused with its reason.

mod approach;
mod history;
mod refusal;

use std::{fmt, path::Path};

use feedhold_session::{Reason, Record, Vetted};

use crate::{Error, job::Settings};

pub use refusal::Refusal;

use self::history::History;

/// How a job goes on: where in the file, and how the machine gets there.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Last line that is executed.
    pub done: u64,
    /// Byte of the file at which the next line begins.
    pub offset: u64,
    /// Lines that bring the machine there and put everything in force again, in order.
    pub approach: Vec<Step>,
}

/// One line of an approach, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is sent.
    pub line: String,
    /// Why.
    pub purpose: &'static str,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Step { line, purpose } in &self.approach {
            writeln!(f, "{line:<32}; {purpose}")?;
        }
        writeln!(f, "{:<32}; the job goes on with line {}", "", self.done + 1)
    }
}

/// Plans how the job of `record` goes on. `vetted` is its file as it is now, vetted with the same settings. Blocks.
///
/// # Errors
/// [`Error::Resume`] with what stands against it and what can be done; [`Error::Source`] when the file cannot be read.
pub fn plan(record: &Record, vetted: &Vetted, settings: &Settings) -> Result<Plan, Error> {
    check_record(record, vetted)?;
    let history = History::read(&vetted.identity.path, settings, record.executed)?;
    let approach = approach::plan(&history, settings.dialect)?;
    Ok(Plan {
        done: record.executed,
        offset: history.offset,
        approach,
    })
}

/// What the record alone says.
fn check_record(record: &Record, vetted: &Vetted) -> Result<(), Refusal> {
    if !record.file.same_content(&vetted.identity) {
        return Err(Refusal::FileChanged {
            path: vetted.identity.path.clone(),
        });
    }
    if record.reason == Reason::Finished {
        return Err(Refusal::Finished);
    }
    if !record.is_clean() {
        return Err(Refusal::NotClean {
            executed: record.executed,
            last: record.ceiling.max(record.sent),
        });
    }
    if record.executed >= vetted.identity.lines {
        return Err(Refusal::NothingLeft {
            lines: vetted.identity.lines,
        });
    }
    Ok(())
}

/// Where the file of a job is: where it was, or where the user says.
#[must_use]
pub fn file_of<'a>(record: &'a Record, given: Option<&'a Path>) -> &'a Path {
    given.unwrap_or(&record.file.path)
}

#[cfg(test)]
mod tests;
