//! What the lines of a vetted file have left behind, at any place of it.
//!
//! A place is reached from the nearest mark of the file's [index](crate::index), so that a thousandth of the file is read at most, and
//! a sixteenth of a megabyte of a small one. What is read is compared with what was vetted, block by block. Everything here blocks.

use std::{ops::ControlFlow, sync::Arc};

use feedhold_gcode_parse::{Block, Effect, Flavor, LineReader};
use feedhold_stream_core::{
    chunk::{ChunkSizer, Prepared, RawChunk},
    resume::{Ahead, Next, Tracker},
    wire::{Chain, Pack},
};

use crate::{
    Vetted,
    source::{OpenFile, Reader, SourceError, Start},
};

/// What is known behind a line.
#[derive(Debug, Clone)]
pub struct History {
    /// What is in force there.
    pub at: Tracker,
    /// Byte at which the next line begins.
    pub offset: u64,
    /// What the program does behind it, and how high it reaches as a whole.
    pub ahead: Ahead,
}

/// A line as it goes to the wire.
#[derive(Debug)]
pub struct Followed<'a> {
    /// Line of the file.
    pub line: u64,
    /// What stands on the wire.
    pub block: &'a Block<'a>,
    /// What it does.
    pub effect: &'a Effect,
    /// What is in force behind it.
    pub behind: &'a Tracker,
}

impl History {
    /// What is known behind line `done` of a vetted file; 0 is the place in front of the first line. Blocks.
    ///
    /// # Errors
    /// [`SourceError::FileChanged`] when it is not the file any more that was vetted; [`SourceError::Read`] when it cannot be read.
    pub fn read(vetted: &Vetted, chain: &Chain, done: u64) -> Result<Self, SourceError> {
        let mut lines = Lines::open(vetted, chain, done)?;
        let mut running = lines.tracker();
        let mut at = None;
        let mut next = None;
        while let Some(chunk) = lines.next()? {
            let flow = each_line(&chunk, lines.flavor, |line, block| {
                if line > done && at.is_none() {
                    at = Some(running.clone());
                }
                let effect = running.apply(line, block);
                if line > done && Tracker::moves(block, &effect) {
                    next = Some(Next {
                        line,
                        names_mode: block.g_codes().any(|code| code.major <= 3),
                    });
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            });
            if flow.is_break() {
                break;
            }
        }
        let offset = lines.offset;
        lines.confirm()?;
        let highest_z = vetted.index().end().highest_z();
        Ok(Self {
            at: at.unwrap_or(running),
            offset,
            ahead: Ahead { highest_z, next },
        })
    }
}

/// Follows the lines behind `done` up to line `last`, one by one, and gives the tracker in front of the first of them. Blocks.
///
/// # Errors
/// As [`History::read`].
pub fn follow(
    vetted: &Vetted,
    chain: &Chain,
    done: u64,
    last: u64,
    mut each: impl FnMut(&Followed<'_>),
) -> Result<Tracker, SourceError> {
    let mut lines = Lines::open(vetted, chain, done)?;
    let mut running = lines.tracker();
    let mut at = None;
    while let Some(chunk) = lines.next()? {
        let flow = each_line(&chunk, lines.flavor, |line, block| {
            if line > done && at.is_none() {
                at = Some(running.clone());
            }
            if line > last {
                return ControlFlow::Break(());
            }
            let effect = running.apply(line, block);
            if line > done {
                each(&Followed {
                    line,
                    block,
                    effect: &effect,
                    behind: &running,
                });
            }
            ControlFlow::Continue(())
        });
        if flow.is_break() {
            break;
        }
    }
    lines.confirm()?;
    Ok(at.unwrap_or(running))
}

/// The lines of a file from the mark before a place.
struct Lines {
    reader: Reader,
    chain: Chain,
    flavor: Flavor,
    tracker: Tracker,
    /// The first line behind the place,
    line: u64,
    /// and where it begins, once it was read; before that, where the file ends.
    offset: u64,
}

impl Lines {
    fn open(vetted: &Vetted, chain: &Chain, done: u64) -> Result<Self, SourceError> {
        let identity = &vetted.identity;
        let file = OpenFile::open(&identity.path)?;
        if file.bytes != identity.bytes || file.modified != vetted.modified {
            return Err(file.changed());
        }
        let config = chain.config();
        let flavor = config.dialect().flavor();
        let line = done.saturating_add(1);
        let before = vetted.index().before(line, config.dialect());
        let start = Start {
            line: before.line,
            offset: before.offset,
        };
        let content = Arc::clone(vetted.index().content());
        // What lossless packing leaves out depends on where chunks begin. It changes nothing that a tracker knows.
        let chain = match config.pack() {
            Pack::Lossless => Chain::new(config.clone().with_pack(Pack::Spaces)),
            _ => chain.clone(),
        };
        Ok(Self {
            reader: Reader::new(file, start, flavor, ChunkSizer::cnc(), content)?,
            chain,
            flavor,
            tracker: before.tracker,
            line,
            offset: identity.bytes,
        })
    }

    /// What is in force where the reading begins.
    fn tracker(&self) -> Tracker {
        self.tracker.clone()
    }

    fn next(&mut self) -> Result<Option<Prepared>, SourceError> {
        let Some(raw) = self.reader.next_chunk()? else {
            return Ok(None);
        };
        if raw.source_lines().contains(&self.line) {
            self.offset = offset_of(&raw, self.line);
        }
        match self.chain.prepare(&raw) {
            Ok(prepared) => Ok(Some(prepared)),
            Err(refusals) => {
                // Lines that were vetted are not refused, unless they are others now.
                self.reader.see_block()?;
                let path = self.reader.path().to_owned();
                Err(SourceError::Refused { path, refusals })
            }
        }
    }

    /// What was read so far is what was vetted.
    fn confirm(mut self) -> Result<(), SourceError> {
        self.reader.see_block()
    }
}

/// Every line with its number, until somebody has seen enough.
fn each_line(
    chunk: &Prepared,
    flavor: Flavor,
    mut each: impl FnMut(u64, &Block<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for line in chunk.lines() {
        Block::with(flavor, line.text, |block| each(line.source_line, block))?;
    }
    ControlFlow::Continue(())
}

/// Where a line of this chunk begins in the file.
fn offset_of(chunk: &RawChunk, line: u64) -> u64 {
    let mut reader = <LineReader>::starting_at(chunk.first_line, chunk.offset);
    let mut input = chunk.bytes.as_slice();
    while let Some(found) = reader.next(&mut input) {
        if found.number == line {
            return found.offset;
        }
    }
    reader
        .finish()
        .filter(|found| found.number == line)
        .map_or(chunk.offset, |found| found.offset)
}

#[cfg(test)]
mod tests;
