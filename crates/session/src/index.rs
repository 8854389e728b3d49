//! What the vetting of a file has found out, kept so that it need not be found out again.
//!
//! The vetting interprets every line as it goes to the wire. On its way it puts down a *mark* now and then: a place in the file and
//! the [`Tracker`] in front of it. Whoever wants to know what is in force at any line begins at the mark before it and reads a
//! thousandth of the file at most. Together with the content of the file this is its index. It lies beside the
//! records of a job, so that a resume need not vet the file again when its content and the settings are those of the index.

use std::sync::Arc;

use feedhold_gcode_parse::Block;
use feedhold_stream_core::{
    chunk::{ChunkStats, Prepared},
    dialect::Dialect,
    resume::Tracker,
    wire::{Chain, ChainConfig},
};

use crate::content::Content;

pub use file::{IndexError, load, remove, save};

mod file;
mod recorder;
#[cfg(test)]
mod tests;

pub(crate) use recorder::Recording;

/// A file of more marks keeps every second one.
const MAX_MARKS: usize = 1024;

/// What is known about a vetted file and the lines that came of it.
#[derive(Debug, Clone)]
pub struct Index {
    /// How the lines were prepared.
    settings: [u8; 32],
    content: Arc<Content>,
    lines: u64,
    stats: ChunkStats,
    /// Ascending; the first stands in front of the first line.
    marks: Vec<Mark>,
    /// Behind the last line.
    end: Tracker,
}

/// A place in front of a line, and what the lines before it have left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    /// The line, from 1.
    line: u64,
    /// Where it begins in the file.
    offset: u64,
    /// The tracker as bytes.
    tracker: Box<[u8]>,
}

/// Where to begin to read, to know what is in force at some line.
#[derive(Debug, Clone)]
pub(crate) struct Before {
    pub(crate) line: u64,
    pub(crate) offset: u64,
    pub(crate) tracker: Tracker,
}

impl Index {
    /// Lines of the file.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.content.bytes()
    }

    /// BLAKE3 of the file.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        self.content.digest()
    }

    /// Whether the lines were prepared as this chain prepares them.
    #[must_use]
    pub fn is_of(&self, chain: &Chain) -> bool {
        self.settings == settings_digest(chain.config())
    }

    pub(crate) fn content(&self) -> &Arc<Content> {
        &self.content
    }

    pub(crate) fn stats(&self) -> ChunkStats {
        self.stats
    }

    /// What the whole program leaves behind.
    #[must_use]
    pub fn end(&self) -> &Tracker {
        &self.end
    }

    /// The last mark in front of `line` or of a line before it.
    pub(crate) fn before(&self, line: u64, dialect: Dialect) -> Before {
        let behind = self.marks.partition_point(|mark| mark.line <= line);
        let marks = self.marks.get(..behind).unwrap_or_default();
        // The program from its first line is as good as any mark, and longer.
        marks
            .iter()
            .rev()
            .find_map(Mark::read)
            .unwrap_or_else(|| Before {
                line: 1,
                offset: 0,
                tracker: Tracker::new(dialect),
            })
    }
}

impl Mark {
    fn new(line: u64, offset: u64, tracker: &Tracker) -> Self {
        Self {
            line,
            offset,
            tracker: tracker.to_bytes().into_boxed_slice(),
        }
    }

    fn read(&self) -> Option<Before> {
        Some(Before {
            line: self.line,
            offset: self.offset,
            tracker: Tracker::from_bytes(&self.tracker)?,
        })
    }
}

/// Tells apart settings that may lead to other lines on the wire. The version of this program is one of them: what it refuses, and what
/// it makes of a line, may change with it.
fn settings_digest(config: &ChainConfig) -> [u8; 32] {
    let words = format!("feedhold {}: {config}", env!("CARGO_PKG_VERSION"));
    *blake3::hash(words.as_bytes()).as_bytes()
}
