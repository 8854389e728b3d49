//! Why a job cannot go on where it stopped.

use std::path::PathBuf;

use thiserror::Error;

/// Why a job cannot go on where it stopped, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The file is another one now.
    #[error("{} is not the file that the job was begun with; bring that file back, or start anew with `feedhold run`", path.display())]
    FileChanged {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to resume.
    #[error("the job is finished; start it anew with `feedhold run`")]
    Finished,
    /// Every line was executed.
    #[error("all {lines} lines were executed; there is nothing left to do")]
    NothingLeft {
        /// Lines of the file.
        lines: u64,
    },
    /// The job never wrote a record.
    #[error("the job ended before its first line; start it anew with `feedhold run`")]
    NotBegun,
    /// Motion is in doubt.
    #[error(
        "the job did not stop cleanly: line {executed} was executed for certain, and lines up to {last} may have been; look at the \
         part, and start anew with `feedhold run` and a file that begins where you want it to"
    )]
    NotClean {
        /// Last line executed for certain.
        executed: u64,
        /// Last line that may have run.
        last: u64,
    },
    /// Positions in the rest of the program count from wherever the machine is.
    #[error(
        "line {line} stands in incremental mode (G91), where a wrong start would shift everything behind it; start anew"
    )]
    Incremental {
        /// Last line executed.
        line: u64,
    },
    /// An axis was moved, and nothing says where to.
    #[error(
        "{axis} was only moved by steps up to line {line}, so nobody knows where it has to be; start anew"
    )]
    PositionUnknown {
        /// Its letter.
        axis: char,
        /// Last line executed.
        line: u64,
    },
    /// Something is in force that cannot be put in force again without motion of its own.
    #[error("{what} is in force at line {line} and cannot be restored; start anew")]
    InForce {
        /// What it is.
        what: &'static str,
        /// Last line executed.
        line: u64,
    },
    /// The next motion leans on an arc mode that cannot be set alone.
    #[error(
        "line {line} goes on with an arc of the lines before it and does not say so itself; start anew"
    )]
    BareArc {
        /// The line.
        line: u64,
    },
    /// The controller has forgotten where it is.
    #[error(
        "the controller has restarted since the job began: its position and offsets are gone. Home the machine, set its zero as it \
         was, then resume and say that it was homed (`--homed`)"
    )]
    Restarted,
}
