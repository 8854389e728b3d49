//! Cuts a stream of file bytes into chunks that end where lines end.

use core::{mem, time::Duration};

use feedhold_gcode_parse::{Flavor, MAX_LINE};

use super::{
    ChunkSizer, MemoryUse, Modes, RawChunk, Strategy,
    border::{Border, Borders},
    motion::MotionClock,
};

/// Turns file bytes, pushed in any split, into [`RawChunk`]s.
///
/// ```
/// use feedhold_gcode_parse::Flavor;
/// use feedhold_stream_core::chunk::{ChunkSizer, Cutter};
///
/// # fn main() -> Result<(), feedhold_stream_core::chunk::CutError> {
/// let mut cutter = Cutter::new(ChunkSizer::cnc(), Flavor::Grbl);
/// let mut input: &[u8] = b"G21\nG0 X1\r\nM2";
/// assert!(cutter.next(&mut input)?.is_none(), "all bytes fit into one chunk, which is still open");
/// let chunk = cutter.finish()?.expect("the rest of the file");
/// assert_eq!((chunk.first_line, chunk.lines), (1, 3));
/// assert!(cutter.finish()?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Cutter {
    sizer: ChunkSizer,
    flavor: Flavor,
    memory: MemoryUse,
    target: usize,
    /// Where the open chunk began.
    start: Mark,
    /// Bytes of the open chunk.
    buffer: Vec<u8>,
    /// Lines of the open chunk that are complete.
    lines: u64,
    modes: Modes,
    /// Where the open line begins in the buffer,
    line_start: usize,
    /// and the line before it.
    last_start: usize,
    /// The last byte was a CR: the line ends unless an LF follows.
    after_cr: bool,
    /// Best place for a cut so far.
    best: Option<Place>,
    borders: Borders,
    clock: Option<MotionClock>,
    /// Bytes cut off the end of the last chunk, to be read again before new input.
    carry: Vec<u8>,
    spare: Vec<u8>,
    failed: Option<CutError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// A whole line is in the buffer.
    Line,
    /// More bytes are needed to know.
    Part,
}

#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    index: u64,
    offset: u64,
    line: u64,
    modes: Modes,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    at: usize,
    lines: u64,
    modes: Modes,
    border: Border,
}

/// Why a file cannot be cut.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CutError {
    /// A line has no end within [`MAX_LINE`] bytes. The rest of it was not read.
    #[error(
        "line {line} (byte {offset} of the file) is longer than {MAX_LINE} bytes: this is not G-code text, or its line \
         ends were lost; nothing of it was sent"
    )]
    LineTooLong {
        /// The line, from 1.
        line: u64,
        /// Where it begins in the file.
        offset: u64,
    },
}

impl Cutter {
    /// Begins at the first byte of a file.
    pub fn new(sizer: ChunkSizer, flavor: Flavor) -> Self {
        Self::starting_at(sizer, flavor, 0, 1, 0)
    }

    /// Begins in the middle of a file: chunk `index`, whose first line is `line` at byte `offset`. The byte must
    /// be the first one of that line.
    pub fn starting_at(
        sizer: ChunkSizer,
        flavor: Flavor,
        index: u64,
        line: u64,
        offset: u64,
    ) -> Self {
        let clock = match sizer.strategy() {
            Strategy::Time { flavor, .. } => Some(MotionClock::new(flavor)),
            _ => None,
        };
        let memory = MemoryUse {
            fraction: 0.5,
            level: crate::budget::Level::Normal,
        };
        Self {
            target: sizer.next_size(memory),
            sizer,
            flavor,
            memory,
            start: Mark {
                index,
                offset,
                line,
                modes: Modes::default(),
            },
            buffer: Vec::new(),
            lines: 0,
            modes: Modes::default(),
            line_start: 0,
            last_start: 0,
            after_cr: false,
            best: None,
            borders: Borders::default(),
            clock,
            carry: Vec::new(),
            spare: Vec::new(),
            failed: None,
        }
    }

    /// Most bytes the open chunk can take before it is cut: what to ask a budget for.
    pub fn reserve(&self) -> usize {
        self.target + MAX_LINE + 2
    }

    /// The sizer, to tell it how chunks fared.
    pub fn sizer_mut(&mut self) -> &mut ChunkSizer {
        &mut self.sizer
    }

    /// Tells how full memory is; counts from the next chunk on.
    pub fn set_memory(&mut self, memory: MemoryUse) {
        self.memory = memory;
    }

    /// Gives the bytes of a finished chunk back, to be filled again.
    pub fn reuse(&mut self, mut bytes: Vec<u8>) {
        if bytes.capacity() > self.spare.capacity() {
            bytes.clear();
            self.spare = bytes;
        }
    }

    /// Takes bytes from the front of `input` until a chunk is complete or the input is used up.
    ///
    /// # Errors
    ///
    /// [`CutError`] when the file cannot be cut any further; every later call gives the same error.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<RawChunk>, CutError> {
        if let Some(chunk) = self.replay()? {
            return Ok(Some(chunk));
        }
        self.take(input)
    }

    /// Ends the file. Gives the remaining chunks; call it until it gives none.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub fn finish(&mut self) -> Result<Option<RawChunk>, CutError> {
        if let Some(chunk) = self.replay()? {
            return Ok(Some(chunk));
        }
        if (mem::take(&mut self.after_cr) || self.line_start < self.buffer.len())
            && let Some(chunk) = self.end_line()
        {
            return Ok(Some(chunk));
        }
        let end = self.here(Border::Line);
        Ok((!self.buffer.is_empty()).then(|| self.cut(end)))
    }

    /// Reads what the last cut left over.
    fn replay(&mut self) -> Result<Option<RawChunk>, CutError> {
        let carry = mem::take(&mut self.carry);
        let mut rest = carry.as_slice();
        let chunk = self.take(&mut rest)?;
        if chunk.is_some() {
            self.carry.extend_from_slice(rest);
        } else {
            self.carry = carry;
            self.carry.clear();
        }
        Ok(chunk)
    }

    fn take(&mut self, input: &mut &[u8]) -> Result<Option<RawChunk>, CutError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        while let Some(&next) = input.first() {
            let piece = if mem::take(&mut self.after_cr) {
                if next == b'\n' {
                    self.append(input, 1);
                }
                Piece::Line
            } else {
                self.take_text(input)?
            };
            if piece == Piece::Line
                && let Some(chunk) = self.end_line()
            {
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }

    /// Moves bytes up to and including a line end.
    fn take_text(&mut self, input: &mut &[u8]) -> Result<Piece, CutError> {
        let end = input.iter().position(|&byte| matches!(byte, b'\n' | b'\r'));
        let text = end.unwrap_or(input.len());
        if self.buffer.len() - self.line_start + text > MAX_LINE {
            let error = CutError::LineTooLong {
                line: self.start.line + self.lines,
                offset: self.start.offset + self.line_start as u64,
            };
            self.failed = Some(error);
            return Err(error);
        }
        let Some(end) = end else {
            self.append(input, text);
            return Ok(Piece::Part);
        };
        self.after_cr = input.get(end) == Some(&b'\r');
        self.append(input, end + 1);
        Ok(if self.after_cr {
            Piece::Part
        } else {
            Piece::Line
        })
    }

    fn append(&mut self, input: &mut &[u8], count: usize) {
        if let Some((taken, rest)) = input.split_at_checked(count) {
            self.buffer.extend_from_slice(taken);
            *input = rest;
        }
    }

    /// A line is complete: counts it, or cuts before or after it.
    fn end_line(&mut self) -> Option<RawChunk> {
        if self.buffer.len() > self.target && self.line_start > 0 {
            let place = self.best.unwrap_or_else(|| self.here(Border::Line));
            return Some(self.cut(place));
        }
        self.consider_border();
        let line = self.buffer.get(self.line_start..).unwrap_or_default();
        self.modes.read(self.flavor, line);
        let moved = self
            .clock
            .as_mut()
            .map_or(Duration::ZERO, |clock| clock.read(line));
        self.lines += 1;
        self.last_start = self.line_start;
        self.line_start = self.buffer.len();
        let full = self.buffer.len() >= self.target && self.best.is_none();
        let end = self.here(Border::Line);
        (full || self.is_long_enough(moved)).then(|| self.cut(end))
    }

    fn is_long_enough(&self, moved: Duration) -> bool {
        matches!(self.sizer.strategy(), Strategy::Time { motion, .. } if moved >= motion)
    }

    /// Notes the border before the line just read, if the chunk may end there: in its last quarter.
    fn consider_border(&mut self) {
        if !matches!(self.sizer.strategy(), Strategy::Boundary(_)) {
            return;
        }
        if self.line_start < self.target / 4 * 3 {
            return;
        }
        let (before, line) = self
            .buffer
            .get(self.last_start..)
            .and_then(|lines| lines.split_at_checked(self.line_start - self.last_start))
            .unwrap_or_default();
        if !before.is_empty() {
            self.borders.after(self.flavor, before);
        }
        let border = self.borders.before(self.flavor, line);
        if border > Border::Line && self.best.is_none_or(|best| border >= best.border) {
            self.best = Some(self.here(border));
        }
    }

    /// The place before the open line.
    fn here(&self, border: Border) -> Place {
        Place {
            at: self.line_start,
            lines: self.lines,
            modes: self.modes,
            border,
        }
    }

    fn cut(&mut self, place: Place) -> RawChunk {
        self.carry
            .extend_from_slice(self.buffer.get(place.at..).unwrap_or_default());
        self.buffer.truncate(place.at);
        let bytes = mem::replace(&mut self.buffer, mem::take(&mut self.spare));
        let start = self.start;
        self.start = Mark {
            index: start.index + 1,
            offset: start.offset + bytes.len() as u64,
            line: start.line + place.lines,
            modes: place.modes,
        };
        self.modes = place.modes;
        self.lines = 0;
        self.line_start = 0;
        self.last_start = 0;
        self.after_cr = false;
        self.best = None;
        self.borders = Borders::default();
        self.target = self.sizer.next_size(self.memory);
        if let Some(clock) = &mut self.clock {
            clock.restart();
        }
        RawChunk {
            index: start.index,
            offset: start.offset,
            first_line: start.line,
            lines: place.lines,
            bytes,
            modes: start.modes,
            permit: None,
        }
    }
}

#[cfg(test)]
mod tests;
