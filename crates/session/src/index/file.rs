//! The index as a file. `docs/index-format.md` specifies it byte by byte.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use thiserror::Error;

use super::{ChunkStats, Content, Index, MAX_MARKS, Mark};
use crate::content::MAX_BLOCKS;

/// Name of the file in the directory of a job.
const NAME: &str = "index.fhi";
/// Name of one that is being written.
const NEW: &str = "index.new";
const MAGIC: [u8; 8] = *b"\x89FHINDX\n";
const VERSION: u16 = 1;
const DIGEST: usize = 32;
/// Larger than any index that is written: what is larger is none.
const MAX_BYTES: u64 = 16 << 20;
/// Bytes of a mark without those of its tracker.
const MARK: usize = 20;

/// Why there is no index to be used. None of this is an error of a job: the file is vetted again.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Another version of this program wrote it.
    #[error(
        "the index of the file is in version {found}, and {VERSION} is read; the file is vetted again"
    )]
    Version {
        /// Its version.
        found: u16,
    },
    /// It is damaged, cut short or something else.
    #[error("the index of the file is damaged; the file is vetted again")]
    Damaged,
}

/// Reads the index in the directory of a job; `None` when there is none. Blocks.
///
/// # Errors
/// [`IndexError`] for anything that [`save`] did not write.
pub fn load(dir: &Path) -> Result<Option<Index>, IndexError> {
    let path = dir.join(NAME);
    let failed = |source| IndexError::Io {
        path: path.clone(),
        source,
    };
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(failed)?,
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(IndexError::Damaged);
    }
    Index::from_bytes(&bytes).map(Some)
}

/// Writes an index into the directory of a job, durably: to another name, synced, renamed. Blocks.
///
/// # Errors
/// [`IndexError::Io`]; an index that was there before is there still.
pub fn save(index: &Index, dir: &Path) -> Result<(), IndexError> {
    let (path, new) = (dir.join(NAME), dir.join(NEW));
    let write = || -> io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(&index.to_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        // Where directories cannot be synced the rename is as durable as it gets.
        #[cfg(unix)]
        File::open(dir)?.sync_all()?;
        Ok(())
    };
    write().map_err(|source| IndexError::Io {
        path: path.clone(),
        source,
    })
}

/// Removes the index from the directory of a job that is over.
pub fn remove(dir: &Path) {
    for name in [NAME, NEW] {
        // What is not there need not go; what cannot go lies there without a store and harms nobody.
        let _ = fs::remove_file(dir.join(name));
    }
}

impl Index {
    /// As it lies on the disk.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend([0; 6]);
        out.extend(self.settings);
        out.extend(self.content.digest());
        out.extend(self.content.bytes().to_le_bytes());
        out.extend(self.lines.to_le_bytes());
        out.extend(self.stats.to_bytes());
        out.extend(self.content.block().to_le_bytes());
        out.extend(count(self.content.blocks().len()));
        out.extend(count(self.marks.len()));
        out.extend(self.content.blocks().iter().flatten());
        let end = Mark::new(self.lines + 1, self.content.bytes(), &self.end);
        for mark in self.marks.iter().chain([&end]) {
            out.extend(mark.line.to_le_bytes());
            out.extend(mark.offset.to_le_bytes());
            out.extend(count(mark.tracker.len()));
            out.extend(&mark.tracker);
        }
        let digest = *blake3::hash(&out).as_bytes();
        out.extend(digest);
        out
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, IndexError> {
        let (body, digest) = bytes
            .split_last_chunk::<DIGEST>()
            .ok_or(IndexError::Damaged)?;
        let mut rest = Bytes(body);
        // Magic and version stay where they are in every version; whatever else is there is for that version to read.
        if rest.take::<8>() != Some(MAGIC) {
            return Err(IndexError::Damaged);
        }
        match rest.take().map(u16::from_le_bytes) {
            Some(VERSION) => {}
            Some(found) => return Err(IndexError::Version { found }),
            None => return Err(IndexError::Damaged),
        }
        if blake3::hash(body) != *digest {
            return Err(IndexError::Damaged);
        }
        rest.index().ok_or(IndexError::Damaged)
    }
}

/// Whether marks ascend from the first line of a file up to its end.
fn are_in_order(marks: &[Mark], end: &Mark) -> bool {
    let first = marks.first().map(|mark| (mark.line, mark.offset));
    let ascending = marks
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a.line < b.line && a.offset < b.offset));
    let last = marks.last();
    let inside = last.is_some_and(|last| last.line < end.line && last.offset < end.offset);
    first == Some((1, 0)) && ascending && inside
}

fn count(count: usize) -> [u8; 4] {
    // Nothing in an index comes near four billion.
    u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes()
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    /// A count of things of which each takes so many bytes at least.
    fn count(&mut self, each: usize) -> Option<usize> {
        let count = usize::try_from(u32::from_le_bytes(self.take()?)).ok()?;
        (count.checked_mul(each)? <= self.0.len()).then_some(count)
    }

    fn index(&mut self) -> Option<Index> {
        if self.take::<6>()? != [0; 6] {
            return None;
        }
        let settings = self.take()?;
        let digest = self.take()?;
        let bytes = self.number()?;
        let lines = self.number()?;
        let stats = ChunkStats::from_bytes(&self.take()?);
        let block = self.number()?;
        let blocks = self.count(DIGEST)?;
        let marks = self.count(MARK)?;
        if blocks > MAX_BLOCKS || marks > MAX_MARKS || lines == u64::MAX {
            return None;
        }
        let blocks = (0..blocks).map(|_| self.take()).collect::<Option<_>>()?;
        let content = Content::from_parts(bytes, digest, block, blocks)?;
        let marks = (0..marks)
            .map(|_| self.mark())
            .collect::<Option<Vec<_>>>()?;
        let end = self.mark()?;
        let whole = (end.line, end.offset) == (lines + 1, bytes);
        let sound = self.0.is_empty() && whole && are_in_order(&marks, &end);
        sound.then_some(Index {
            settings,
            content: Arc::new(content),
            lines,
            stats,
            marks,
            end: end.read()?.tracker,
        })
    }

    fn mark(&mut self) -> Option<Mark> {
        let line = self.number()?;
        let offset = self.number()?;
        let len = self.count(1)?;
        let (tracker, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(Mark {
            line,
            offset,
            tracker: tracker.into(),
        })
    }
}
