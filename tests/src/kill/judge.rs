//! What a machine did, beside what its program says.

use feedhold::simulator::Entry;
use thiserror::Error;

use super::program::BARRIER;
use crate::oracle::{self, Motion};

/// How far a machine came in a program, every motion once and in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Whole motions.
    pub motions: usize,
    /// Line of the last whole motion; 0 before the first.
    pub line: u64,
    /// Line of a motion that was begun and not finished, by a reset for instance.
    pub cut_short: Option<u64>,
    /// Whether that is all of the program.
    pub is_all: bool,
}

/// How a machine's log contradicts the promise.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Wrong {
    /// A motion was made again.
    #[error("line {line} was executed again, behind line {behind}")]
    Repeated {
        /// Line of the motion.
        line: u64,
        /// Line of the last new motion before it.
        behind: u64,
    },
    /// Motions were left out.
    #[error("lines {first} to {last} were left out")]
    Lost {
        /// Line of the first that is missing.
        first: u64,
        /// Line of the last that is missing.
        last: u64,
    },
    /// The machine did something that the program does not say.
    #[error("behind line {behind} the machine made {made}, which is not in the program")]
    Foreign {
        /// Line of the last motion of the program before it.
        behind: u64,
        /// What it made.
        made: String,
    },
    /// A motion was cut short and others followed.
    #[error("line {line} was cut short and the job went on")]
    CutShort {
        /// Line of the motion.
        line: u64,
    },
    /// The record says more than was executed.
    #[error("the record says that line {executed} is executed, the machine came to line {reached}")]
    Beyond {
        /// As recorded.
        executed: u64,
        /// Line of the first motion that was not executed.
        reached: u64,
    },
    /// The machine executed lines that no lease covers.
    #[error("line {reached} was executed, no line beyond {ceiling} may have left")]
    OverTheCeiling {
        /// Line of the last motion, whole or not.
        reached: u64,
        /// As recorded.
        ceiling: u64,
    },
    /// The machine moved although nothing was on record.
    #[error("line {reached} was executed and there is no record at all")]
    Unrecorded {
        /// Line of the last motion.
        reached: u64,
    },
    /// The machine moved when nothing was to move.
    #[error("going on was refused, and the machine moved from line {from} to line {to}")]
    Moved {
        /// Line of the last motion before.
        from: u64,
        /// Line of the last motion behind.
        to: u64,
    },
    /// The host said that the job is done.
    #[error("the job ended as finished, the machine came to line {reached}")]
    NotFinished {
        /// Line of the last whole motion.
        reached: u64,
    },
    /// The machine went on although no record could be written.
    #[error("the machine stood still {ms} ms after the records had failed")]
    HeldLate {
        /// Milliseconds.
        ms: u128,
    },
    /// The host ended in a way that tells the operator nothing.
    #[error("the host ended with {code} and said: {said}")]
    Unclear {
        /// Its exit code, or the signal.
        code: String,
        /// Its last words.
        said: String,
    },
}

/// How far the machine came.
///
/// # Errors
/// The first thing in its log that is not the program from its beginning, each motion once.
pub fn reached(program: &[Motion], log: impl IntoIterator<Item = Entry>) -> Result<Reached, Wrong> {
    let line = |made: usize| {
        made.checked_sub(1)
            .and_then(|n| program.get(n))
            .map_or(0, |motion| motion.line)
    };
    let mut made = 0;
    let mut cut_short = None;
    for entry in log.into_iter().filter(|entry| entry.kind != BARRIER) {
        if let Some(line) = cut_short {
            return Err(Wrong::CutShort { line });
        }
        let whole = Entry {
            fraction: 1.0,
            ..entry.clone()
        };
        let Some(expected) = program.get(made).filter(|motion| is(motion, &whole)) else {
            return Err(wrong(program, made, line(made), &whole));
        };
        if entry.fraction < 1.0 {
            cut_short = Some(expected.line);
        } else {
            made += 1;
        }
    }
    Ok(Reached {
        motions: made,
        line: line(made),
        cut_short,
        is_all: made == program.len(),
    })
}

/// What kind of mistake an unexpected motion is.
fn wrong(program: &[Motion], made: usize, behind: u64, entry: &Entry) -> Wrong {
    let (before, after) = program.split_at(made.min(program.len()));
    if let Some(again) = before.iter().rev().find(|motion| is(motion, entry)) {
        return Wrong::Repeated {
            line: again.line,
            behind,
        };
    }
    let skipped = after.iter().position(|motion| is(motion, entry));
    match skipped.map(|n| after.get(..n).unwrap_or_default()) {
        Some([first, .., last]) => Wrong::Lost {
            first: first.line,
            last: last.line,
        },
        Some([only]) => Wrong::Lost {
            first: only.line,
            last: only.line,
        },
        _ => Wrong::Foreign {
            behind,
            made: format!("{} to {}", entry.kind.name(), oracle::Target(entry.target)),
        },
    }
}

fn is(motion: &Motion, entry: &Entry) -> bool {
    oracle::compare([Ok(motion.clone())].into_iter(), [entry.clone()]).is_ok()
}

/// The interval that the newest record names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Last line executed for certain.
    pub executed: u64,
    /// Last line that may have left.
    pub ceiling: u64,
}

/// Holds the interval that the newest record names against what the machine executed. `at_kill` is what its log showed when the
/// host was dead, `at_rest` when the machine stood still.
///
/// # Errors
/// When the truth lies outside.
pub fn within(
    program: &[Motion],
    named: Option<Named>,
    at_kill: &Reached,
    at_rest: &Reached,
) -> Result<(), Wrong> {
    let touched = at_rest.cut_short.unwrap_or(at_rest.line);
    let Some(Named { executed, ceiling }) = named else {
        return match touched {
            0 => Ok(()),
            reached => Err(Wrong::Unrecorded { reached }),
        };
    };
    let next = program.get(at_kill.motions).map(|motion| motion.line);
    if let Some(reached) = next.filter(|next| *next <= executed) {
        return Err(Wrong::Beyond { executed, reached });
    }
    if touched > ceiling {
        return Err(Wrong::OverTheCeiling {
            reached: touched,
            ceiling,
        });
    }
    Ok(())
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
