//! What the lines before the stop have left behind, and how high the whole program reaches.

use std::{fs::File, io::Read, path::Path};

use feedhold_gcode_parse::{Axis, Block, Code, Effect, Interpreter, LineReader, MotionKind};
use feedhold_session::SourceError;
use feedhold_stream_core::{
    chunk::{ChunkSizer, CutError, Cutter, RawChunk},
    wire::Chain,
};

use crate::{Error, job::Settings};

const READ: usize = 64 * 1024;

/// The axes an approach can restore.
pub(super) const AXES: [Axis; 3] = [Axis::X, Axis::Y, Axis::Z];

/// What is known at the stop.
#[derive(Debug)]
pub(super) struct History {
    /// Last line executed.
    pub(super) done: u64,
    /// Byte at which the next line begins.
    pub(super) offset: u64,
    /// The machine as the program believes it to be.
    pub(super) machine: Interpreter,
    /// How each of [`AXES`] came to be where it is.
    pub(super) placed: [Placed; 3],
    /// Highest Z that any motion of the whole file ends at, in mm of the work coordinates in force there.
    pub(super) highest_z: Option<f64>,
    /// What the first motion behind the stop says about itself.
    pub(super) next: Option<Next>,
}

/// How an axis came to be where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    /// No line has moved it.
    Never,
    /// Only by steps from wherever it was.
    BySteps,
    /// To a coordinate, some time.
    At,
}

/// The first motion behind the stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) line: u64,
    /// It names its motion mode itself.
    pub(super) names_mode: bool,
}

impl History {
    /// Reads the whole file as it goes to the wire.
    pub(super) fn read(path: &Path, settings: &Settings, done: u64) -> Result<Self, Error> {
        let chain = settings.chain()?;
        let flavor = settings.dialect.flavor();
        let mut reading = Reading {
            history: Self {
                done,
                offset: 0,
                machine: Interpreter::new(flavor),
                placed: [Placed::Never; 3],
                highest_z: None,
                next: None,
            },
            running: Interpreter::new(flavor),
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
        Ok(reading.history)
    }
}

struct Reading {
    history: History,
    running: Interpreter,
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
        let flavor = self.running.flavor();
        for line in prepared.lines() {
            let block = Block::parse(flavor, line.text);
            let effect = self.running.apply(&block);
            if line.source_line <= self.history.done {
                self.executed(&block, &effect);
            } else if self.history.next.is_none() && moves(&block, &effect) {
                let names_mode = block.g_codes().any(|code| code.major <= 3);
                self.history.next = Some(Next {
                    line: line.source_line,
                    names_mode,
                });
            }
            self.climb(&effect);
        }
        if chunk.source_lines().contains(&(self.history.done + 1)) {
            self.history.offset = offset_of(chunk, self.history.done + 1);
        }
        Ok(())
    }

    fn executed(&mut self, block: &Block<'_>, effect: &Effect) {
        self.history.machine = self.running.clone();
        let homes = effect
            .motion
            .is_some_and(|motion| matches!(motion.kind, MotionKind::Home { .. }));
        let names_none = AXES
            .into_iter()
            .all(|axis| block.word(axis.letter()).is_none());
        let by_steps = self.running.state().distance == feedhold_gcode_parse::Distance::Incremental
            && !block.has_g(Code::new(53));
        for (axis, placed) in AXES.into_iter().zip(&mut self.history.placed) {
            let named = block.word(axis.letter()).is_some();
            if homes && (named || names_none) {
                *placed = Placed::At;
            } else if effect.motion.is_some() && named {
                *placed = match (*placed, by_steps) {
                    (_, false) | (Placed::At, true) => Placed::At,
                    (_, true) => Placed::BySteps,
                };
            }
        }
    }

    fn climb(&mut self, effect: &Effect) {
        if effect
            .motion
            .is_some_and(|motion| matches!(motion.kind, MotionKind::Rapid | MotionKind::Linear))
        {
            let z = self.running.axis_value(Axis::Z);
            self.history.highest_z = Some(self.history.highest_z.map_or(z, |most| most.max(z)));
        }
    }
}

/// Whether a line moves, or tries to with words that need a motion mode.
fn moves(block: &Block<'_>, effect: &Effect) -> bool {
    effect.motion.is_some()
        && AXES
            .into_iter()
            .any(|axis| block.word(axis.letter()).is_some())
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
