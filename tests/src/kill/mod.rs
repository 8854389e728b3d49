//! The real command killed again and again, on a real file system, against a simulated machine in a process of its own.
//!
//! A [`Rig`] is one job: a program, a place for its records, and a machine that outlives the host. The host is killed, the job
//! resumed, and killed again, until it ends or is refused. [`judge`] holds the machine's own log against the program: what was
//! executed has to be a beginning of it, each motion once, and has to lie in the interval that the newest record names.
//!
//! Time and processes are real here, so a seed fixes what is tried and not what happens.

pub mod disk;
pub mod full_disk;
pub mod host;
pub mod judge;
pub mod power;
pub mod program;
pub mod rig;
pub mod rounds;
pub mod strace;
pub mod table;

use std::io;

use thiserror::Error;

use crate::{oracle::LogError, product::ProductError};

pub use rig::Rig;

/// Why a round could not be played or judged. What the product did wrong is a [`judge::Wrong`] instead.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KillError {
    /// The command could not be built or started.
    #[error(transparent)]
    Product(#[from] ProductError),
    /// A file could not be made or read, or a process not be waited for.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// The machine's log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The records cannot be read.
    #[error(transparent)]
    Records(#[from] feedhold::jobs::JobsError),
    /// A host that was not killed went on for ever.
    #[error("`feedhold {command}` had not ended after {seconds} s")]
    Hangs {
        /// As one would type it.
        command: String,
        /// How long it was waited for.
        seconds: u64,
    },
}

impl KillError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
