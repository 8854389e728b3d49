//! The job directory: file names, the lock, creation by rename, and the place damaged files go to.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::backend::{Directory, File};
use crate::error::{CreateError, LockError, OpenError, QuarantineError};

/// The store.
pub(crate) const STORE: &str = "checkpoint.fhc";
/// Held locked while a process has the job open; holds that process's number.
pub(crate) const LOCK: &str = "checkpoint.lock";
/// A store being created. One found later was never finished and never acknowledged.
pub(crate) const STAGED: &str = "checkpoint.new";
/// Damaged stores, numbered from 1.
const DAMAGED: &str = "checkpoint.damaged";

/// Exclusive use of a job directory, for as long as the value lives. The operating system drops it
/// with the process, however that ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: fs::File,
}

impl Lock {
    pub(crate) fn take(dir: &Path) -> Result<Self, LockError> {
        let path = dir.join(LOCK);
        let failed = |source| LockError::Io {
            path: path.clone(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    holder: holder(&mut file),
                    path,
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        if !is_still_at(&file, &path) {
            // Whoever removed the expired job held the lock on this very file; it guards nothing
            // any more.
            return Err(LockError::Held { path, holder: None });
        }
        // The number is a courtesy to whom we lock out; a disk too full for it must not stop the
        // job here.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

/// A job directory that is ours.
#[derive(Debug)]
pub(crate) struct JobDir {
    dir: PathBuf,
    lock: Lock,
}

impl JobDir {
    /// Makes the directory, durably, and locks it.
    pub(crate) fn make(dir: &Path) -> Result<Self, CreateError> {
        create_dir_durably(dir).map_err(|source| CreateError::Io {
            step: "create",
            place: dir.display().to_string(),
            source,
        })?;
        Ok(Self {
            lock: Lock::take(dir)?,
            dir: dir.to_owned(),
        })
    }

    /// Hands the lock to the store that was created here.
    pub(crate) fn guard(self, file: File) -> File {
        file.renamed(self.dir.join(STORE), self.lock)
    }
}

impl Directory for JobDir {
    type File = File;

    fn exists(&self, name: &str) -> io::Result<bool> {
        self.dir.join(name).try_exists()
    }

    fn create(&mut self, name: &str) -> io::Result<File> {
        let path = self.dir.join(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        Ok(File::new(options.open(&path)?, path))
    }

    fn sync_file(&mut self, file: &mut File) -> io::Result<()> {
        file.sync_with_metadata()
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.dir.join(from), self.dir.join(to))
    }

    fn sync(&mut self) -> io::Result<()> {
        sync_dir(&self.dir)
    }

    fn place(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }
}

/// Opens and locks the store of a job.
pub(crate) fn open(dir: &Path) -> Result<File, OpenError> {
    let path = existing(dir)?;
    let lock = Lock::take(dir)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .map_err(|source| not_opened(&path, source))?;
    Ok(File::guarded(file, path, lock))
}

/// Opens the store of a job for reading, whoever holds it.
pub(crate) fn open_unguarded(dir: &Path) -> Result<File, OpenError> {
    let path = existing(dir)?;
    let file = fs::File::open(&path).map_err(|source| not_opened(&path, source))?;
    Ok(File::new(file, path))
}

/// Moves the store of `dir` aside as `checkpoint.damaged-1.fhc` (or the first number that is free)
/// and returns that path. Nothing is ever deleted: a damaged store may still tell an expert where
/// the job stood.
///
/// # Errors
/// See [`QuarantineError`]; a store in use is not touched.
pub fn quarantine(dir: &Path) -> Result<PathBuf, QuarantineError> {
    let path = dir.join(STORE);
    if !dir.is_dir() {
        return Err(QuarantineError::NotFound { path });
    }
    let _lock = Lock::take(dir)?;
    let failed = |source| QuarantineError::Io {
        path: path.clone(),
        source,
    };
    if !path.try_exists().map_err(failed)? {
        return Err(QuarantineError::NotFound { path });
    }
    let mut number = 1_u32;
    let aside = loop {
        let aside = dir.join(format!("{DAMAGED}-{number}.fhc"));
        if !aside.try_exists().map_err(failed)? {
            break aside;
        }
        number += 1;
    };
    fs::rename(&path, &aside)
        .and_then(|()| sync_dir(dir))
        .map_err(failed)?;
    Ok(aside)
}

/// The number in the name of a store that was moved aside.
pub(crate) fn damaged_number(name: &OsStr) -> Option<u32> {
    let number = name.to_str()?.strip_prefix(DAMAGED)?.strip_prefix('-')?;
    number.strip_suffix(".fhc")?.parse().ok()
}

/// Makes renames and removals in `dir` durable. Windows has no such call and needs none: its
/// journal orders them.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) {
        fs::File::open(dir)?.sync_all()
    } else {
        Ok(())
    }
}

/// Creates `dir` and what it lacks above it, each entry synced in its parent.
fn create_dir_durably(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = dir
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    create_dir_durably(parent)?;
    match fs::create_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
        other => other?,
    }
    sync_dir(parent)
}

fn existing(dir: &Path) -> Result<PathBuf, OpenError> {
    let path = dir.join(STORE);
    match path.try_exists() {
        Ok(true) => Ok(path),
        Ok(false) => Err(OpenError::NotFound { path }),
        Err(source) => Err(not_opened(&path, source)),
    }
}

fn not_opened(path: &Path, source: io::Error) -> OpenError {
    if source.kind() == io::ErrorKind::NotFound {
        return OpenError::NotFound {
            path: path.to_owned(),
        };
    }
    OpenError::Io {
        step: "open",
        place: path.display().to_string(),
        source,
    }
}

fn holder(file: &mut fs::File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// False when the file at `path` is not the one we locked.
#[cfg(unix)]
fn is_still_at(file: &fs::File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |m: fs::Metadata| (m.dev(), m.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(ours), Ok(there)) => identity(ours) == identity(there),
        _ => false,
    }
}

/// Elsewhere a locked file cannot be removed, so it is.
#[cfg(not(unix))]
fn is_still_at(_file: &fs::File, _path: &Path) -> bool {
    true
}
