//! A store in memory: for tests, and for jobs that need no resume.

use std::io;

use super::Backend;
use crate::layout::IMAGE_LEN;

/// Bytes in memory. `sync` always succeeds and everything written survives as long as the value
/// does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    bytes: Vec<u8>,
}

impl Memory {
    /// A blank, zero-filled image of the size a store needs (512 KiB).
    pub fn new() -> Self {
        Self {
            bytes: vec![0; IMAGE_LEN],
        }
    }

    /// An image as some other backend left it. Any length is accepted here; opening judges it.
    pub fn from_image(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The raw bytes.
    pub fn image(&self) -> &[u8] {
        &self.bytes
    }

    /// The raw bytes, to damage them on purpose.
    pub fn image_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Backend for Memory {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let tail = usize::try_from(offset)
            .ok()
            .and_then(|at| self.bytes.get(at..))
            .unwrap_or_default();
        let n = tail.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), tail.get(..n)) {
            to.copy_from_slice(from);
        }
        Ok(n)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let tail = usize::try_from(offset)
            .ok()
            .and_then(|at| self.bytes.get_mut(at..))
            .unwrap_or_default();
        let n = tail.len().min(bytes.len());
        if let (Some(to), Some(from)) = (tail.get_mut(..n), bytes.get(..n)) {
            to.copy_from_slice(from);
        }
        Ok(n)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.len() as u64)
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}
