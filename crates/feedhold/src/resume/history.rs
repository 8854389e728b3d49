//! What the lines before the stop have left behind, and how high the whole program reaches.

use std::{fs::File, io::Read, path::Path};

use feedhold_gcode_parse::{Block, LineReader};
use feedhold_session::SourceError;
use feedhold_stream_core::{
    chunk::{ChunkSizer, CutError, Cutter, RawChunk},
    resume::{Ahead, Next, Tracker},
    wire::Chain,
};

use crate::{Error, job::Settings};

const READ: usize = 64 * 1024;

/// What is known at the stop.
#[derive(Debug)]
pub(super) struct History {
    /// What is in force there.
    pub(super) at: Tracker,
    /// Byte at which the next line begins.
    pub(super) offset: u64,
    /// What the program does behind it, and how high it reaches as a whole.
    pub(super) ahead: Ahead,
}

impl History {
    /// Reads the whole file as it goes to the wire.
    pub(super) fn read(path: &Path, settings: &Settings, done: u64) -> Result<Self, Error> {
        let chain = settings.chain()?;
        let flavor = settings.dialect.flavor();
        let mut reading = Reading {
            done,
            at: Tracker::new(settings.dialect),
            running: Tracker::new(settings.dialect),
            offset: 0,
            next: None,
            chain,
        };
        let mut cutter = Cutter::new(ChunkSizer::cnc(), flavor);
        let failed = |source| SourceError::Read {
            path: path.to_owned(),
            source,
        };
        let cut = |source: CutError| SourceError::Cut {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(failed)?;
        let mut buffer = vec![0; READ];
        loop {
            let count = file.read(&mut buffer).map_err(failed)?;
            let mut input = buffer.get(..count).unwrap_or_default();
            while let Some(chunk) = cutter.next(&mut input).map_err(cut)? {
                reading.take(path, &chunk)?;
            }
            if count == 0 {
                break;
            }
        }
        while let Some(chunk) = cutter.finish().map_err(cut)? {
            reading.take(path, &chunk)?;
        }
        Ok(Self {
            at: reading.at,
            offset: reading.offset,
            ahead: Ahead {
                highest_z: reading.running.highest_z(),
                next: reading.next,
            },
        })
    }
}

struct Reading {
    done: u64,
    at: Tracker,
    running: Tracker,
    offset: u64,
    next: Option<Next>,
    chain: Chain,
}

impl Reading {
    fn take(&mut self, path: &Path, chunk: &RawChunk) -> Result<(), Error> {
        let prepared = self
            .chain
            .prepare(chunk)
            .map_err(|refusals| SourceError::Refused {
                path: path.to_owned(),
                refusals,
            })?;
        let flavor = self.running.dialect().flavor();
        for line in prepared.lines() {
            let block = Block::parse(flavor, line.text);
            let behind = line.source_line > self.done;
            let effect = self.running.apply(line.source_line, &block);
            if !behind {
                self.at.clone_from(&self.running);
            } else if self.next.is_none() && Tracker::moves(&block, &effect) {
                self.next = Some(Next {
                    line: line.source_line,
                    names_mode: block.g_codes().any(|code| code.major <= 3),
                });
            }
        }
        if chunk.source_lines().contains(&(self.done + 1)) {
            self.offset = offset_of(chunk, self.done + 1);
        }
        Ok(())
    }
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
