//! What can go wrong, one type per operation.

use std::io;
use std::path::PathBuf;

pub use crate::codec::CodecError;
use crate::finding::{Damage, Unsupported};
use crate::frame::MAX_PAYLOAD;
use crate::layout::{Generation, IMAGE_LEN};

/// A store could not be created. Nothing a later open would take for a store is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// There is a store already; creating another over it would forget a job.
    #[error("{path} exists already: resume that job, or choose another job directory")]
    Exists {
        /// The store file found.
        path: PathBuf,
    },
    /// The job directory is in use.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The backend to be formatted holds data or has the wrong size.
    #[error("{place} is not a blank image of {IMAGE_LEN} bytes: give a fresh one")]
    NotBlank {
        /// The backend's name for itself.
        place: String,
    },
    /// The file system said no.
    #[error(
        "cannot {step} {place}: {source}; check that the disk has {IMAGE_LEN} bytes free and may be written to"
    )]
    Io {
        /// What was being done.
        step: &'static str,
        /// To which file or directory.
        place: String,
        /// The system's reason.
        source: io::Error,
    },
}

/// A store could not be opened. Nothing was changed unless the message says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No store in that directory.
    #[error(
        "no checkpoint at {path}: the job was never started, or the job directory is another one"
    )]
    NotFound {
        /// The store file that is missing.
        path: PathBuf,
    },
    /// The job directory is in use.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// More is wrong than a crash explains, so any record offered could be the wrong one.
    #[error(
        "{place} is damaged: {damage}. Which record is the newest cannot be told, and resuming from an older one could \
         repeat motion; move the file aside and start the job at a line of your choice"
    )]
    Damaged {
        /// The store.
        place: String,
        /// What was found.
        damage: Damage,
    },
    /// Written by another version of this library.
    #[error("{place} cannot be read by this version: {reason}")]
    Unsupported {
        /// The store.
        place: String,
        /// What it takes.
        reason: Unsupported,
    },
    /// The store holds records of another version of the application.
    #[error(
        "{place} holds records of version {found}, this program reads version {expected}: finish the job with the \
         program that started it"
    )]
    RecordVersion {
        /// The store.
        place: String,
        /// As written.
        found: u32,
        /// As configured.
        expected: u32,
    },
    /// The newest record is intact and yet not of the expected type.
    #[error(
        "{place}: the record of generation {generation} is intact but not of the expected form ({source}): finish the \
         job with the program that started it"
    )]
    Codec {
        /// The store.
        place: String,
        /// Of the newest record.
        generation: Generation,
        /// What the decoder found.
        source: CodecError,
    },
    /// The file system said no, while reading or while making the newest record durable again.
    #[error(
        "cannot {step} {place}: {source}; nothing was lost by this, repair the disk and open again"
    )]
    Io {
        /// What was being done.
        step: &'static str,
        /// To which file.
        place: String,
        /// The system's reason.
        source: io::Error,
    },
}

impl OpenError {
    /// True when the file itself is at fault, so that moving it aside
    /// ([`quarantine`](crate::quarantine)) is the way to use the directory again.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}

/// A record was not committed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// Nothing was written; the store goes on.
    #[error("the record takes {needed} bytes, a slot holds {MAX_PAYLOAD}: make the record smaller")]
    TooLarge {
        /// In bytes, as it would be stored.
        needed: usize,
    },
    /// Nothing was written; the store goes on.
    #[cfg(feature = "compression")]
    #[error(
        "the record takes {needed} bytes before it is compressed, {max} are allowed: make the record smaller",
        max = crate::MAX_UNPACKED
    )]
    TooLong {
        /// In bytes, as serialised.
        needed: usize,
    },
    /// Nothing was written; the store goes on.
    #[error("the record cannot be serialised: {0}")]
    Encode(#[source] CodecError),
    /// Nothing was written; the store goes on. The record's serde attributes skip or rename by
    /// content, which a format without field names cannot follow.
    #[error(
        "the record cannot be read back from its own bytes ({0}): its serialised form must not depend on content"
    )]
    Asymmetric(#[source] CodecError),
    /// The job is finished; nothing follows that.
    #[error("{place} is marked finished: a finished job takes no more records")]
    Finished {
        /// The store.
        place: String,
    },
    /// The generation numbers are used up.
    #[error("{place} has used up its generation numbers")]
    Exhausted {
        /// The store.
        place: String,
    },
    /// The medium failed in this very call. Whether the record is durable is unknown; the store is
    /// poisoned.
    #[error(transparent)]
    Io(Poison),
    /// An earlier call failed, and a store is never used again after that.
    #[error("no more records are taken since an earlier failure: {0}")]
    Poisoned(Poison),
}

/// Why a store refuses to go on. Once an operation of the medium failed, a repeated sync can report
/// success although the data is gone, so nothing is retried. Opening the store again judges afresh
/// what really lies there.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "cannot {step} generation {generation} in {place}: {source}; hold the machine, make the disk usable and open the \
     job again"
)]
pub struct Poison {
    /// What was being done: "write" or "sync".
    pub step: &'static str,
    /// The record it was done to.
    pub generation: Generation,
    /// The store.
    pub place: String,
    /// The system's reason; shared because the poison is reported again and again.
    pub source: std::sync::Arc<io::Error>,
}

/// The job directory is not ours.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process (or another store in this one) has the job open.
    #[error("{path} is locked{}: the job is open elsewhere; stop it there first", holder.map(|pid| format!(" by process {pid}")).unwrap_or_default())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// The process that wrote its number into the lock file, if it can be read.
        holder: Option<u32>,
    },
    /// The lock file could not be made or locked.
    #[error("cannot lock {path}: {source}; check the permissions of the directory")]
    Io {
        /// The lock file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// A damaged store could not be moved aside. It is where it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuarantineError {
    /// No store in that directory.
    #[error("no checkpoint at {path}: there is nothing to move aside")]
    NotFound {
        /// The store file that is missing.
        path: PathBuf,
    },
    /// The job directory is in use.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The file system said no.
    #[error("cannot move {path} aside: {source}; check the permissions of the directory")]
    Io {
        /// The store file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// An expired store could not be removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoveError {
    /// The job directory is in use.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// It is not the finished store it was: somebody started the job anew.
    #[error("{path} is not finished (any more): it stays")]
    NotFinished {
        /// The job directory.
        path: PathBuf,
    },
    /// The store cannot be judged, so it stays.
    #[error("{0}; it stays")]
    Open(#[from] OpenError),
    /// The file system said no.
    #[error("cannot remove {path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// A directory of stores could not be listed.
#[derive(Debug, thiserror::Error)]
#[error("cannot list the jobs in {path}: {source}")]
pub struct ListError {
    /// The directory.
    pub path: PathBuf,
    /// The system's reason.
    #[source]
    pub source: io::Error,
}

/// A setting is out of its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a history of {asked} records is out of range: the ring keeps 1 to {max}", max = crate::Config::MAX_HISTORY)]
pub struct ConfigError {
    /// The value refused.
    pub asked: usize,
}
