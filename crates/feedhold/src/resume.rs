//! Going on where a job stopped.
//!
//! Resuming is a machining operation: the machine has to be where the program expects it, with everything in force that earlier
//! lines have set, and it has to get there without touching the part. A [`Plan`] says how, as G-code that the operator can read
//! before anything moves.
//!
//! This works behind a *clean* stop, where everything that was sent is known to be executed: a pause, a program stop, a
//! cancellation. Everything else is refused with its reason.

use std::path::Path;

use feedhold_session::{Reason, Record, Vetted, history::History};
use feedhold_stream_core::resume::Doubt;

use crate::{Error, job::Settings};

pub use feedhold_stream_core::resume::{Plan, Refusal, Step};

/// Plans how the job of `record` goes on. `vetted` is its file as it is now, vetted with the same settings. Blocks.
///
/// # Errors
/// [`Error::Resume`] with what stands against it and what can be done; [`Error::Source`] when the file cannot be read.
pub fn plan(record: &Record, vetted: &Vetted, settings: &Settings) -> Result<Plan, Error> {
    check_record(record, vetted)?;
    let history = History::read(vetted, &settings.chain()?, record.executed)?;
    let plan = Plan::new(record.executed, history.offset, &history.at, &history.ahead)?;
    Ok(plan)
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
        return Err(Refusal::InDoubt {
            executed: record.executed,
            last: record.ceiling.max(record.sent),
            why: Doubt::Unproved,
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
