//! Reads a file in order and cuts it into chunks, watching whether it stays the one that was vetted.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use feedhold_gcode_parse::Flavor;
use feedhold_stream_core::{
    budget::Budget,
    chunk::{Bounds, ChunkSizer, CutError, Cutter, MemoryRule, MemoryUse, RawChunk, Strategy},
};

use super::{SourceError, read_error};
use crate::content::{Content, Watch};

/// Bytes read from the file at a time.
const READ: usize = 64 * 1024;
/// Bytes of the usual chunk, that of [`ChunkSizer::cnc`].
const USUAL: usize = 64 * 1024;
/// Chunks that a budget should have room for: those being prepared, those in the streamer, and some air.
const CHUNKS: usize = 16;
/// A chunk is held twice for a moment: as bytes of the file and as lines for the wire.
const COPIES: usize = 2;

/// An open file and what shows that it is still the same.
#[derive(Debug)]
pub(crate) struct OpenFile {
    file: File,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) modified: Option<SystemTime>,
}

impl OpenFile {
    pub(crate) fn open(path: &Path) -> Result<Self, SourceError> {
        let file = File::open(path).map_err(read_error(path))?;
        let metadata = file.metadata().map_err(read_error(path))?;
        if !metadata.is_file() {
            return Err(SourceError::NotAFile {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            file,
            path: path.to_owned(),
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                read => return read.map_err(read_error(&self.path)),
            }
        }
    }

    /// Length and time of change show cheaply that somebody writes to the file.
    pub(crate) fn check_unchanged(&self) -> Result<(), SourceError> {
        let metadata = self.file.metadata().map_err(read_error(&self.path))?;
        if metadata.len() == self.bytes && metadata.modified().ok() == self.modified {
            return Ok(());
        }
        Err(self.changed())
    }

    pub(crate) fn changed(&self) -> SourceError {
        SourceError::FileChanged {
            path: self.path.clone(),
        }
    }

    fn seek_to(&mut self, offset: u64) -> Result<(), SourceError> {
        self.file
            .seek(SeekFrom::Start(offset))
            .map_err(read_error(&self.path))?;
        Ok(())
    }

    /// Goes to the first byte of a line.
    fn seek(&mut self, start: Start) -> Result<(), SourceError> {
        let no_start = || SourceError::NoLineStart {
            path: self.path.clone(),
            line: start.line,
            offset: start.offset,
        };
        if start.offset > self.bytes || (start.offset == 0) != (start.line == 1) {
            return Err(no_start());
        }
        let Some(before) = start.offset.checked_sub(1) else {
            return Ok(());
        };
        let mut ends = [0_u8; 2];
        let at_end = start.offset == self.bytes;
        let around = if at_end {
            &mut ends[..1]
        } else {
            &mut ends[..]
        };
        let mut file = &self.file;
        file.seek(SeekFrom::Start(before))
            .and_then(|_| file.read_exact(around))
            .and_then(|()| file.seek(SeekFrom::Start(start.offset)))
            .map_err(read_error(&self.path))?;
        let starts = match ends {
            [b'\r', after] => after != b'\n',
            [before, _] => before == b'\n',
        };
        // Behind the last byte there is nothing left to send, whether a line end stands there or not.
        if starts || at_end {
            Ok(())
        } else {
            Err(no_start())
        }
    }
}

/// Where to begin in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) line: u64,
    pub(crate) offset: u64,
}

impl Start {
    pub(crate) fn is_whole(self) -> bool {
        self.line == 1
    }
}

/// Reads and cuts a file, one chunk at a call.
pub(crate) struct Reader {
    file: OpenFile,
    cutter: Cutter,
    /// Chunks are cut as when the file was vetted, whatever memory is like: their lines were proved so and not otherwise.
    as_vetted: bool,
    buffer: Vec<u8>,
    filled: usize,
    taken: usize,
    ended: bool,
    /// Sees that what is read is what was vetted, block by block.
    watch: Watch,
    /// Where the block begins that the start lies in, until it was read up to there.
    unseen: Option<u64>,
    start: u64,
}

impl Reader {
    /// Begins at `start`. `content` is that of the whole file.
    pub(crate) fn new(
        mut file: OpenFile,
        start: Start,
        flavor: Flavor,
        sizer: ChunkSizer,
        content: Arc<Content>,
    ) -> Result<Self, SourceError> {
        file.seek(start)?;
        let cutter = Cutter::starting_at(sizer, flavor, 0, start.line, start.offset);
        let (watch, block) = Watch::new(content, start.offset);
        Ok(Self {
            file,
            cutter,
            as_vetted: false,
            buffer: Vec::new(),
            filled: 0,
            taken: 0,
            ended: false,
            watch,
            unseen: (block < start.offset).then_some(block),
            start: start.offset,
        })
    }

    /// Cuts where the vetting cut.
    pub(crate) fn cut_as_vetted(mut self) -> Self {
        self.as_vetted = true;
        self
    }

    pub(crate) fn path(&self) -> &Path {
        &self.file.path
    }

    /// Bytes that the next chunk may take at most, in both its forms.
    pub(crate) fn memory_needed(&mut self, budget: &Budget) -> usize {
        if !self.as_vetted {
            self.cutter.set_memory(MemoryUse::of(budget));
        }
        self.cutter.reserve().saturating_mul(COPIES)
    }

    /// The next chunk; `None` behind the last. Blocks.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<RawChunk>, SourceError> {
        loop {
            let mut input = self.buffer.get(self.taken..self.filled).unwrap_or_default();
            let chunk = self.cutter.next(&mut input);
            self.taken = self.filled - input.len();
            if let Some(chunk) = chunk.map_err(|source| self.cut_error(source))? {
                self.file.check_unchanged()?;
                return Ok(Some(chunk));
            }
            if self.ended || self.refill()? == 0 {
                return self.last_chunks();
            }
        }
    }

    /// Reads on to the end of a block, so that everything read so far is known to be what was vetted. No chunk comes after it.
    pub(crate) fn see_block(&mut self) -> Result<(), SourceError> {
        self.taken = self.filled;
        while !self.ended && !self.watch.is_between_blocks() {
            self.refill()?;
        }
        self.file.check_unchanged()?;
        if self.ended && !self.watch.ends() {
            return Err(self.file.changed());
        }
        Ok(())
    }

    /// Reads on. Returns how many bytes came, 0 at the end of the file.
    fn refill(&mut self) -> Result<usize, SourceError> {
        self.buffer.resize(READ, 0);
        if let Some(block) = self.unseen.take() {
            self.see_from(block)?;
        }
        self.filled = self.file.read(&mut self.buffer)?;
        self.taken = 0;
        self.ended = self.filled == 0;
        self.see(self.filled)?;
        Ok(self.filled)
    }

    /// Reads what stands between the beginning of a block and the start, so that the block can be judged at its end.
    fn see_from(&mut self, block: u64) -> Result<(), SourceError> {
        self.file.seek_to(block)?;
        let mut left = self.start.saturating_sub(block);
        while left > 0 {
            let most = usize::try_from(left).map_or(READ, |left| left.min(READ));
            let count = self
                .file
                .read(self.buffer.get_mut(..most).unwrap_or_default())?;
            if count == 0 {
                return Err(self.file.changed());
            }
            self.see(count)?;
            left -= count as u64;
        }
        Ok(())
    }

    fn see(&mut self, count: usize) -> Result<(), SourceError> {
        if self
            .watch
            .sees(self.buffer.get(..count).unwrap_or_default())
        {
            Ok(())
        } else {
            Err(self.file.changed())
        }
    }

    /// What is left when the file has ended.
    fn last_chunks(&mut self) -> Result<Option<RawChunk>, SourceError> {
        self.file.check_unchanged()?;
        if !self.watch.ends() {
            return Err(self.file.changed());
        }
        self.cutter
            .finish()
            .map_err(|source| self.cut_error(source))
    }

    fn cut_error(&self, source: CutError) -> SourceError {
        SourceError::Cut {
            path: self.file.path.clone(),
            source,
        }
    }
}

/// How large chunks are: as usual, smaller where the budget is small.
pub(crate) fn sizer(budget: &Budget) -> ChunkSizer {
    let bytes = (budget.limit() / CHUNKS / COPIES).min(USUAL);
    if bytes == USUAL {
        ChunkSizer::cnc()
    } else {
        ChunkSizer::new(Strategy::Boundary(bytes), Bounds::CNC, MemoryRule::Cnc)
    }
}

/// Whether a job with this budget can be cut as it was vetted.
pub(crate) fn cuts_as_vetted(budget: &Budget) -> bool {
    sizer(budget).strategy() == ChunkSizer::cnc().strategy()
}
