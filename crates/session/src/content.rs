//! What a file holds, in a form that can be checked piece by piece.
//!
//! BLAKE3 is a tree: the digest of a file follows from the digests of its blocks. So a list of them is worth as much as the digest,
//! a part of the file can be checked without the rest, and several threads can check a file at once.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    num::NonZero,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use blake3::{
    Hasher,
    hazmat::{ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root},
};

/// Bytes of the smallest block.
const BLOCK: u64 = 1 << 20;
/// A file of more blocks gets larger ones.
pub(crate) const MAX_BLOCKS: usize = 1024;
/// Bytes read at a time when a file is checked.
const READ: usize = 256 * 1024;
/// Threads that check a file. A disk is faster than none of today's processors with so many.
const THREADS: usize = 4;

/// The digest of a file and of its blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    bytes: u64,
    digest: [u8; 32],
    /// Bytes of a block, a power of two times [`BLOCK`]; the last block may be shorter.
    block: u64,
    /// Chaining values of the blocks; none when the file is one block, of which the digest says all.
    blocks: Vec<ChainingValue>,
}

impl Content {
    /// Puts together what was stored; `None` when the parts do not belong together.
    pub(crate) fn from_parts(
        bytes: u64,
        digest: [u8; 32],
        block: u64,
        blocks: Vec<ChainingValue>,
    ) -> Option<Self> {
        let sound = block.is_power_of_two() && block >= BLOCK;
        let count = bytes.div_ceil(block.max(1));
        let expected = if count <= 1 { 0 } else { count };
        let whole = blocks.len() as u64 == expected && blocks.len() <= MAX_BLOCKS;
        if !sound || !whole || (!blocks.is_empty() && root(&blocks) != digest) {
            return None;
        }
        Some(Self {
            bytes,
            digest,
            block,
            blocks,
        })
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// BLAKE3 of the whole file.
    pub(crate) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    pub(crate) fn block(&self) -> u64 {
        self.block
    }

    pub(crate) fn blocks(&self) -> &[ChainingValue] {
        &self.blocks
    }

    fn count(&self) -> u64 {
        self.bytes.div_ceil(self.block)
    }

    /// Bytes of the file that block `at` covers.
    fn range(&self, at: u64) -> (u64, u64) {
        let start = at.saturating_mul(self.block);
        (start, self.bytes.min(start.saturating_add(self.block)))
    }

    /// Whether `hasher` has seen exactly the bytes of block `at`.
    fn is_block(&self, at: u64, hasher: &Hasher) -> bool {
        let (start, end) = self.range(at);
        if start >= end || hasher.count() != end - start {
            return false;
        }
        if self.blocks.is_empty() {
            return *hasher.finalize().as_bytes() == self.digest;
        }
        usize::try_from(at)
            .ok()
            .and_then(|at| self.blocks.get(at))
            .is_some_and(|block| hasher.finalize_non_root() == *block)
    }

    /// Whether the file at `path` begins with this; its length is for the caller to compare. Blocks. `report` hears how many bytes were
    /// read and ends the work when it answers `false`, with `Ok(None)`.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn is_in(
        &self,
        path: &Path,
        mut report: impl FnMut(u64) -> bool,
    ) -> std::io::Result<Option<bool>> {
        // Other threads may be through before this one has read anything.
        if !report(0) {
            return Ok(None);
        }
        let threads = std::thread::available_parallelism()
            .map_or(1, NonZero::get)
            .min(THREADS);
        let work = Work {
            content: self,
            next: AtomicU64::new(0),
            read: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        };
        let checked = std::thread::scope(|scope| {
            let silent = || work.check(File::open(path)?, &mut |_| true);
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(silent)).collect();
            let mut same = File::open(path).and_then(|file| work.check(file, &mut report));
            for other in others {
                let theirs = other.join().unwrap_or(Ok(false));
                same = same.and_then(|same| Ok(theirs? && same));
            }
            same
        })?;
        let stopped = work.stopped.load(Ordering::Relaxed);
        Ok((!stopped).then_some(checked))
    }
}

/// Several threads that check a file.
struct Work<'a> {
    content: &'a Content,
    /// The next block that nobody has taken.
    next: AtomicU64,
    read: AtomicU64,
    stopped: AtomicBool,
}

impl Work<'_> {
    /// Takes blocks until none is left or one is wrong.
    fn check(&self, mut file: File, report: &mut impl FnMut(u64) -> bool) -> std::io::Result<bool> {
        let count = self.content.count();
        let mut buffer = vec![0; READ];
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return Ok(true);
            }
            let same = self.block(at, &mut file, &mut buffer, report);
            if !matches!(same, Ok(true)) {
                // Nobody needs the rest.
                self.next.store(count, Ordering::Relaxed);
                return same;
            }
        }
    }

    fn block(
        &self,
        at: u64,
        file: &mut File,
        buffer: &mut [u8],
        report: &mut impl FnMut(u64) -> bool,
    ) -> std::io::Result<bool> {
        let (start, end) = self.content.range(at);
        file.seek(SeekFrom::Start(start))?;
        let mut hasher = Hasher::new();
        hasher.set_input_offset(start);
        let mut left = end - start;
        while left > 0 {
            let count = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
            let piece = buffer.get_mut(..count).unwrap_or_default();
            match file.read_exact(piece) {
                // It is shorter than it should be.
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return Ok(false);
                }
                read => read?,
            }
            hasher.update(piece);
            left -= count as u64;
            let read = self.read.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
            if !report(read) {
                self.stopped.store(true, Ordering::Relaxed);
                return Ok(false);
            }
        }
        Ok(self.content.is_block(at, &hasher))
    }
}

/// Gets to know a file that is read from end to end.
#[derive(Debug)]
pub(crate) struct ContentHasher {
    bytes: u64,
    block: u64,
    blocks: Vec<ChainingValue>,
    /// Blocks are joined when there are so many.
    most: usize,
    /// The open block.
    hasher: Hasher,
}

impl ContentHasher {
    pub(crate) fn new() -> Self {
        Self {
            bytes: 0,
            block: BLOCK,
            blocks: Vec::new(),
            most: MAX_BLOCKS,
            hasher: Hasher::new(),
        }
    }

    /// The next bytes of the file.
    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // A block ends only when something follows it: the last one may have to give the digest of the file.
            if self.hasher.count() == self.block {
                self.end_block();
            }
            let room = usize::try_from(self.block - self.hasher.count()).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(bytes.len().min(room));
            self.hasher.update(now);
            self.bytes += now.len() as u64;
            bytes = later;
        }
    }

    fn end_block(&mut self) {
        self.blocks.push(self.hasher.finalize_non_root());
        if self.blocks.len() == self.most {
            let pairs = self.blocks.chunks_exact(2);
            self.blocks = pairs.map(merged).collect();
            self.block *= 2;
        }
        self.hasher = Hasher::new();
        self.hasher.set_input_offset(self.bytes);
    }

    /// What the file holds, when all of it was told.
    pub(crate) fn finish(mut self) -> Content {
        if self.blocks.is_empty() {
            return Content {
                bytes: self.bytes,
                digest: *self.hasher.finalize().as_bytes(),
                block: self.block,
                blocks: Vec::new(),
            };
        }
        self.blocks.push(self.hasher.finalize_non_root());
        Content {
            bytes: self.bytes,
            digest: root(&self.blocks),
            block: self.block,
            blocks: self.blocks,
        }
    }
}

/// The value above two values.
fn merged(pair: &[ChainingValue]) -> ChainingValue {
    match pair {
        [left, right] => merge_subtrees_non_root(left, right, Mode::Hash),
        [only] => *only,
        _ => [0; 32],
    }
}

/// The digest of a file of two blocks or more.
fn root(blocks: &[ChainingValue]) -> [u8; 32] {
    let mut level = blocks.to_vec();
    while level.len() > 2 {
        level = level.chunks(2).map(merged).collect();
    }
    match level.as_slice() {
        [left, right] => *merge_subtrees_root(left, right, Mode::Hash).as_bytes(),
        _ => [0; 32],
    }
}

/// Follows a file from anywhere in it to its end and notices the first block that is another one.
#[derive(Debug)]
pub(crate) struct Watch {
    content: std::sync::Arc<Content>,
    at: u64,
    hasher: Hasher,
}

impl Watch {
    /// Where the block of `offset` begins, from which on the file has to be shown.
    pub(crate) fn new(content: std::sync::Arc<Content>, offset: u64) -> (Self, u64) {
        let at = offset.min(content.bytes.saturating_sub(1)) / content.block;
        let (start, _) = content.range(at);
        let mut watch = Self {
            content,
            at,
            hasher: Hasher::new(),
        };
        watch.hasher.set_input_offset(start);
        (watch, start)
    }

    /// The next bytes. `false` as soon as a block that ends among them is not the one it was, or when there are more bytes than there
    /// were.
    #[must_use]
    pub(crate) fn sees(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let (start, end) = self.content.range(self.at);
            let left = (end.saturating_sub(start)).saturating_sub(self.hasher.count());
            let room = usize::try_from(left).unwrap_or(usize::MAX);
            if room == 0 {
                return false;
            }
            let (now, later) = bytes.split_at(bytes.len().min(room));
            self.hasher.update(now);
            bytes = later;
            if now.len() == room {
                if !self.content.is_block(self.at, &self.hasher) {
                    return false;
                }
                self.at += 1;
                self.hasher = Hasher::new();
                self.hasher
                    .set_input_offset(end.next_multiple_of(blake3::CHUNK_LEN as u64));
            }
        }
        true
    }

    /// Whether everything that was shown is known to be as it was, but for what stands in no block.
    #[must_use]
    pub(crate) fn is_between_blocks(&self) -> bool {
        self.hasher.count() == 0
    }

    /// Whether the file may end here.
    #[must_use]
    pub(crate) fn ends(&self) -> bool {
        self.at >= self.content.count()
    }
}

#[cfg(test)]
mod tests;
