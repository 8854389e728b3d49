//! Why something that was asked of this crate did not happen.

use std::{fmt::Display, io, path::PathBuf};

use feedhold_checkpoint::CommitError;
use feedhold_session::{OpenError, RunError, SourceError, WishError};
use feedhold_stream_core::{streamer::OutOfRange, wire::InvalidLimit};
use thiserror::Error;

use crate::{jobs::JobsError, resume::Refusal};

/// Why something that was asked of this crate did not happen. Each message says what, where, and what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The address names no machine that this program can make or reach.
    #[error("{address}: {reason}")]
    Machine {
        /// As it was typed.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A receive buffer that no line fits.
    #[error(transparent)]
    Limit(#[from] InvalidLimit),
    /// A setting of the streamer outside its range.
    #[error(transparent)]
    Setting(#[from] OutOfRange),
    /// The file cannot be read, or holds lines that the controller cannot take.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A macro file cannot be read or sent.
    #[error("the macro {}: {reason}", path.display())]
    Macro {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is no usable machine at the address.
    #[error(transparent)]
    Connect(#[from] OpenError),
    /// The job could not begin.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The machine did not do what was asked beside the job.
    #[error("{wish}: {source}")]
    Wish {
        /// What was asked.
        wish: String,
        /// Why not.
        source: WishError,
    },
    /// The records of jobs cannot be read or written.
    #[error(transparent)]
    Jobs(#[from] JobsError),
    /// The job cannot go on where it stopped.
    #[error("{refusal}; {remedy}", refusal = .0, remedy = .0.remedy())]
    Resume(#[from] Refusal),
    /// What was decided cannot be written down, so nothing was moved.
    #[error("nothing was moved, because it cannot be written down: {0}")]
    Commit(#[from] CommitError),
    /// The motion log of a simulator cannot be made.
    #[error("{}: {source}; choose another place for the simulator's log", path.display())]
    SimLogFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The motion log of a simulator could not be written to its end.
    #[error("the simulator's log is incomplete: {source}; check the disk")]
    SimLog {
        /// What the operating system said.
        source: io::Error,
    },
    /// A simulator cannot be offered to other programs.
    #[error("{place}: {reason}")]
    Serve {
        /// Where.
        place: String,
        /// Why.
        reason: String,
    },
    /// A task of this program ended before it could answer.
    #[error("a part of this program has ended before its time; please report it")]
    Gone,
}

impl Error {
    pub(crate) fn machine(address: &impl Display, reason: impl Display) -> Self {
        Self::Machine {
            address: address.to_string(),
            reason: reason.to_string(),
        }
    }
}
