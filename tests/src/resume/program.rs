use std::io;
use std::path::{Path, PathBuf};

use feedhold::stream_core::{
    chunk::{ChunkSizer, CutError, Cutter},
    resume::{Ahead, Next, Tracker},
    wire::Refusals,
};
use feedhold::{gcode_parse::Block, job::Settings};
use thiserror::Error;

/// A program in memory: its lines as they stand in the file and as they go to the wire.
#[derive(Debug)]
pub struct Program {
    /// What it is called in reports.
    pub name: String,
    /// How it is prepared and sent.
    pub settings: Settings,
    /// Every line of the file.
    pub source: Vec<String>,
    /// What goes to the wire: line of the file from 1, and text.
    pub wire: Vec<(u64, Vec<u8>)>,
    highest_z: Option<f64>,
    /// Every motion: its line, and whether it names its mode.
    moves: Vec<Next>,
}

/// Why a program cannot be checked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is longer than any line may be.
    #[error(transparent)]
    Cut(#[from] CutError),
    /// The chain refuses it.
    #[error("{0}")]
    Refused(Refusals),
    /// The settings make no chain.
    #[error(transparent)]
    Settings(#[from] feedhold::Error),
}

impl Program {
    /// Reads a file and puts lines in front of it.
    ///
    /// # Errors
    /// When it cannot be read or would not be sent.
    pub fn load(path: &Path, before: &[String], settings: Settings) -> Result<Self, LoadError> {
        let bytes = std::fs::read(path).map_err(|source| LoadError::Read {
            path: path.to_owned(),
            source,
        })?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        let mut text = before.join("\n").into_bytes();
        if !before.is_empty() {
            text.push(b'\n');
        }
        text.extend(bytes);
        Self::new(name.to_string_lossy().into_owned(), &text, settings)
    }

    /// Takes a text.
    ///
    /// # Errors
    /// When it would not be sent.
    pub fn new(name: String, bytes: &[u8], settings: Settings) -> Result<Self, LoadError> {
        let chain = settings.chain()?;
        let flavor = settings.dialect.flavor();
        let mut program = Self {
            name,
            source: lines(bytes),
            wire: Vec::new(),
            highest_z: None,
            moves: Vec::new(),
            settings,
        };
        let mut cutter = Cutter::new(ChunkSizer::cnc(), flavor);
        let mut chunks = Vec::new();
        let mut input = bytes;
        while let Some(chunk) = cutter.next(&mut input)? {
            chunks.push(chunk);
        }
        while let Some(chunk) = cutter.finish()? {
            chunks.push(chunk);
        }
        let mut tracker = Tracker::new(program.settings.dialect);
        for chunk in &chunks {
            let prepared = chain.prepare(chunk).map_err(LoadError::Refused)?;
            for line in prepared.lines() {
                let block = Block::parse(flavor, line.text);
                let effect = tracker.apply(line.source_line, &block);
                if Tracker::moves(&block, &effect) {
                    program.moves.push(Next {
                        line: line.source_line,
                        names_mode: block.g_codes().any(|code| code.major <= 3),
                    });
                }
                program.wire.push((line.source_line, line.text.to_vec()));
            }
        }
        program.highest_z = tracker.highest_z();
        Ok(program)
    }

    /// Lines of the file.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.source.len() as u64
    }

    /// What the program does behind a line.
    #[must_use]
    pub fn ahead(&self, done: u64) -> Ahead {
        let next = self.moves.partition_point(|next| next.line <= done);
        Ahead {
            highest_z: self.highest_z,
            next: self.moves.get(next).copied(),
        }
    }
}

/// The lines of a file, as an editor shows them: CRLF ends one line.
fn lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(str::to_owned).collect()
}
