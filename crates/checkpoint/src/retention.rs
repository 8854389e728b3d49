//! Which finished jobs are old enough to forget, and forgetting them.
//!
//! Two steps, so that a program can show the list first: [`expired`] only looks,
//! [`Expired::remove`] locks, looks again and removes. Unfinished jobs never expire, and files that
//! were moved aside as damaged are never removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::error::{ListError, RemoveError};
use crate::job_dir;
use crate::load;

/// How long finished jobs are kept unless the user says otherwise: 7 days.
pub const KEEP_FINISHED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A finished job that is older than asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    dir: PathBuf,
    finished_at: SystemTime,
}

/// What is left after a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Removed {
    /// Nothing: the job directory is gone.
    Directory,
    /// The directory with files of others in it.
    StoreOnly,
}

/// Lists the jobs directly under `root` that were finished `keep` or longer before `now`, oldest
/// first.
///
/// Directories without a store, unfinished, damaged and unreadable stores are passed over. A
/// finishing time in the future (a clock that was set back) counts as just now.
///
/// # Errors
/// If `root` cannot be listed. A missing `root` is an empty list.
pub fn expired(root: &Path, keep: Duration, now: SystemTime) -> Result<Vec<Expired>, ListError> {
    let failed = |source| ListError {
        path: root.to_owned(),
        source,
    };
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(failed)?,
    };
    let mut list = Vec::new();
    for entry in entries {
        let dir = entry.map_err(failed)?.path();
        let Ok(Some(finished_at)) =
            job_dir::open_unguarded(&dir).and_then(|file| load::finished_at(&file))
        else {
            continue;
        };
        if now.duration_since(finished_at).is_ok_and(|age| age >= keep) {
            list.push(Expired { dir, finished_at });
        }
    }
    list.sort_by(|a, b| (a.finished_at, &a.dir).cmp(&(b.finished_at, &b.dir)));
    Ok(list)
}

impl Expired {
    /// The job directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// When the job was marked as done.
    pub fn finished_at(&self) -> SystemTime {
        self.finished_at
    }

    /// Removes the store, and the job directory if nothing else is in it.
    ///
    /// # Errors
    /// If the job is open somewhere, was started anew meanwhile, or cannot be removed. What is left
    /// can be removed again.
    pub fn remove(self) -> Result<Removed, RemoveError> {
        let file = job_dir::open(&self.dir)?;
        if load::finished_at(&file)? != Some(self.finished_at) {
            return Err(RemoveError::NotFinished { path: self.dir });
        }
        self.remove_file(job_dir::STORE)?;
        job_dir::sync_dir(&self.dir).map_err(|source| self.failed(&self.dir, source))?;
        self.remove_file(job_dir::STAGED)?;
        self.remove_file(job_dir::LOCK)?;
        drop(file);
        match fs::remove_dir(&self.dir) {
            Ok(()) => Ok(Removed::Directory),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                Ok(Removed::StoreOnly)
            }
            Err(source) => Err(self.failed(&self.dir, source)),
        }
    }

    fn remove_file(&self, name: &str) -> Result<(), RemoveError> {
        let path = self.dir.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(|source| self.failed(&path, source)),
        }
    }

    fn failed(&self, path: &Path, source: io::Error) -> RemoveError {
        RemoveError::Io {
            path: path.to_owned(),
            source,
        }
    }
}
