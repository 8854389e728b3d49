//! A store in a file on a real file system.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Backend;
use crate::job_dir::Lock;

/// An open store file. One that came from a job directory also carries that directory's lock, so
/// that the lock lives exactly as long as the store.
#[derive(Debug)]
pub struct File {
    file: fs::File,
    path: PathBuf,
    _lock: Option<Lock>,
}

impl File {
    /// Wraps a file that was opened for reading and writing. `path` is only for messages.
    ///
    /// Nothing guards it against a second writer: prefer the job directory
    /// ([`Store::open`](crate::Store::open)), which locks.
    pub fn new(file: fs::File, path: PathBuf) -> Self {
        Self {
            file,
            path,
            _lock: None,
        }
    }

    /// The path given at opening.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn guarded(file: fs::File, path: PathBuf, lock: Lock) -> Self {
        Self {
            file,
            path,
            _lock: Some(lock),
        }
    }

    pub(crate) fn sync_with_metadata(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// The same open file under its final name.
    pub(crate) fn renamed(self, path: PathBuf, lock: Lock) -> Self {
        Self {
            file: self.file,
            path,
            _lock: Some(lock),
        }
    }
}

impl Backend for File {
    #[cfg(unix)]
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buf, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.file, buf, offset)
    }

    #[cfg(unix)]
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(&self.file, bytes, offset)
    }

    #[cfg(windows)]
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_write(&self.file, bytes, offset)
    }

    /// `fdatasync`: the file is preallocated and never grows, so there is no metadata worth a
    /// second flush.
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}
