//! Where the bytes of a store live.
//!
//! A [`Backend`] is a fixed-size array of bytes with an explicit durability point. It knows nothing
//! of records: the layout, the two copies and every rule of recovery belong to the store. That
//! split is what lets the same store run on a disk ([`File`]), in memory ([`Memory`]) and on a disk
//! that loses power at the worst moment ([`Faulty`]).

mod directory;
mod faulty;
mod file;
mod memory;
mod sectors;

use std::io;

pub use directory::Directory;
pub use faulty::{Calls, Fault, Faulty};
pub use file::File;
pub use memory::Memory;
pub use sectors::SECTOR_LEN;

/// A fixed-size, randomly addressed array of bytes that distinguishes written from durable.
///
/// Implementations never retry: an error is final for the store that sees it, because after a
/// failed sync the operating system may mark lost pages as clean and report success the next time
/// (Rebello and others, "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
pub trait Backend {
    /// Reads up to `buf.len()` bytes at `offset`; returns how many, 0 only at the end.
    ///
    /// # Errors
    /// Whatever the medium reports. A failed read leaves the store usable: the other copy may be
    /// fine.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Writes up to `bytes.len()` bytes at `offset`; returns how many. Visible to `read_at` at
    /// once, durable only after [`sync`](Self::sync).
    ///
    /// # Errors
    /// Whatever the medium reports; any part of `bytes` may have been written.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize>;

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// Whatever the medium reports; any part of what was written since the last success may be lost
    /// for good.
    fn sync(&mut self) -> io::Result<()>;

    /// Length in bytes.
    ///
    /// # Errors
    /// Whatever the medium reports.
    fn len(&self) -> io::Result<u64>;

    /// True when there is not a single byte.
    ///
    /// # Errors
    /// As [`len`](Self::len).
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// The place an operator can look at: a path, or what stands for one. Error messages name it.
    fn place(&self) -> String;

    /// Reads exactly `buf.len()` bytes at `offset`.
    ///
    /// # Errors
    /// As [`read_at`](Self::read_at), and [`io::ErrorKind::UnexpectedEof`] past the end.
    fn read_exact_at(&self, mut offset: u64, mut buf: &mut [u8]) -> io::Result<()> {
        while !buf.is_empty() {
            match self.read_at(offset, buf) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => {
                    offset += n as u64;
                    buf = buf.get_mut(n..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes all of `bytes` at `offset`, going on after short writes.
    ///
    /// # Errors
    /// As [`write_at`](Self::write_at), and [`io::ErrorKind::WriteZero`] when nothing more is
    /// taken.
    fn write_all_at(&mut self, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(offset, bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    offset += n as u64;
                    bytes = bytes.get(n..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl<B: Backend + ?Sized> Backend for Box<B> {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(offset, buf)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        (**self).write_at(offset, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        (**self).sync()
    }

    fn len(&self) -> io::Result<u64> {
        (**self).len()
    }

    fn place(&self) -> String {
        (**self).place()
    }
}
