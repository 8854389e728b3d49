//! Reads a whole file before the first byte of it leaves: every line is prepared for the wire, packed lines are proved equal, and the
//! content gets its identity. Blocking, in bounded memory.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use feedhold_stream_core::{
    chunk::{Buffers, ChunkSizer, ChunkStats, CutError, Cutter, Prepared, RawChunk},
    wire::{Chain, Note, Pack, Proof, Refusals},
};

use crate::{
    Event,
    event::share,
    record::FileIdentity,
    source::{OpenFile, SourceError},
};

/// Bytes read at a time.
const READ: usize = 256 * 1024;
/// Lines between two reports of progress.
const REPORT_LINES: u64 = 10_000;
/// Notes kept.
const MAX_NOTES: usize = 100;

/// A file that was read from end to end and can be sent.
#[derive(Debug, Clone)]
pub struct Vetted {
    /// Which file.
    pub identity: FileIdentity,
    /// Lines that will be sent.
    pub wire_lines: u64,
    /// Bytes that will be sent, terminators included, line numbers and checksums of the protocol not.
    pub wire_bytes: u64,
    /// Lines among them that move the machine.
    pub motions: u64,
    /// Chunks and their complexity.
    pub chunks: ChunkStats,
    /// Things worth telling that stop nothing.
    pub notes: Vec<Note>,
    /// When the file was last changed, as seen while it was vetted.
    pub(crate) modified: Option<SystemTime>,
}

impl From<&Vetted> for Event {
    fn from(vetted: &Vetted) -> Self {
        Self::FileAnalyzed {
            total_lines: vetted.identity.lines,
            total_bytes: vetted.identity.bytes,
            wire_lines: vetted.wire_lines,
            wire_bytes: vetted.wire_bytes,
            motions: vetted.motions,
            digest: vetted.identity.digest_hex(),
        }
    }
}

/// How far the vetting is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vetting {
    /// Lines read.
    pub lines: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Bytes of the file.
    pub total_bytes: u64,
}

impl From<Vetting> for Event {
    fn from(vetting: Vetting) -> Self {
        Self::AnalysisProgress {
            lines: vetting.lines,
            bytes: vetting.bytes,
            percentage: share(vetting.bytes, vetting.total_bytes),
        }
    }
}

/// Vets a file. `report` hears about every 10,000 lines and ends the work when it answers `false`.
///
/// # Errors
/// [`SourceError`] with place and remedy: unreadable, empty, changed meanwhile, or with lines the controller cannot take.
pub fn vet(
    path: &Path,
    chain: &Chain,
    mut report: impl FnMut(Vetting) -> bool,
) -> Result<Vetted, SourceError> {
    let mut file = OpenFile::open(path)?;
    let mut cutter = Cutter::new(ChunkSizer::cnc(), chain.config().dialect().flavor());
    let mut pass = Pass::new(path, chain);
    let mut buffer = vec![0; READ];
    let mut reported = 0;
    loop {
        let count = file.read(&mut buffer)?;
        let mut input = &buffer[..count];
        pass.hasher.update(input);
        while let Some(chunk) = cutter
            .next(&mut input)
            .map_err(|source| pass.cut_error(source))?
        {
            pass.take(&chunk)?;
            cutter.reuse(chunk.bytes);
            if pass.lines - reported >= REPORT_LINES {
                reported = pass.lines;
                let progress = Vetting {
                    lines: pass.lines,
                    bytes: pass.bytes,
                    total_bytes: file.bytes,
                };
                if !report(progress) {
                    return Err(SourceError::Stopped);
                }
            }
        }
        if count == 0 {
            break;
        }
    }
    while let Some(chunk) = cutter.finish().map_err(|source| pass.cut_error(source))? {
        pass.take(&chunk)?;
    }
    file.check_unchanged()?;
    pass.finish(file.modified)
}

struct Pass<'a> {
    path: PathBuf,
    chain: &'a Chain,
    hasher: blake3::Hasher,
    /// Reads source and packed lines side by side, as long as no line was refused.
    proof: Option<Proof>,
    lines: u64,
    bytes: u64,
    wire_lines: u64,
    wire_bytes: u64,
    motions: u64,
    chunks: ChunkStats,
    refusals: Refusals,
    notes: Vec<Note>,
    buffers: Buffers,
}

impl<'a> Pass<'a> {
    fn new(path: &Path, chain: &'a Chain) -> Self {
        let lossless = chain.config().pack() == Pack::Lossless;
        Self {
            path: path.to_owned(),
            chain,
            proof: lossless.then(|| Proof::new(chain.config())),
            hasher: blake3::Hasher::new(),
            lines: 0,
            bytes: 0,
            wire_lines: 0,
            wire_bytes: 0,
            motions: 0,
            chunks: ChunkStats::default(),
            refusals: Refusals::default(),
            notes: Vec::new(),
            buffers: Buffers::default(),
        }
    }

    fn cut_error(&self, source: CutError) -> SourceError {
        SourceError::Cut {
            path: self.path.clone(),
            source,
        }
    }

    fn take(&mut self, raw: &RawChunk) -> Result<(), SourceError> {
        self.lines += raw.lines;
        self.bytes += raw.bytes.len() as u64;
        let prepared = match self
            .chain
            .prepare_into(raw, core::mem::take(&mut self.buffers))
        {
            Ok(prepared) => prepared,
            Err(refusals) => {
                self.refusals.merge(refusals);
                self.proof = None;
                return Ok(());
            }
        };
        self.prove(raw, &prepared)?;
        self.wire_lines += prepared.len() as u64;
        self.wire_bytes += prepared.wire_bytes();
        self.motions += prepared.motions();
        self.chunks.add(&prepared);
        let room = MAX_NOTES - self.notes.len();
        self.notes.extend(prepared.notes().iter().take(room));
        self.buffers = prepared.recycle();
        Ok(())
    }

    /// Packed lines must say what their source says, to the last bit.
    fn prove(&mut self, raw: &RawChunk, prepared: &Prepared) -> Result<(), SourceError> {
        let Some(proof) = &mut self.proof else {
            return Ok(());
        };
        proof
            .check(raw, prepared)
            .map_err(|source| SourceError::NotEqual {
                path: self.path.clone(),
                source: Box::new(source),
            })
    }

    fn finish(self, modified: Option<SystemTime>) -> Result<Vetted, SourceError> {
        if !self.refusals.is_empty() {
            return Err(SourceError::Refused {
                path: self.path,
                refusals: self.refusals,
            });
        }
        if self.wire_lines == 0 {
            return Err(SourceError::Empty { path: self.path });
        }
        let identity = FileIdentity {
            path: self.path,
            bytes: self.bytes,
            lines: self.lines,
            digest: *self.hasher.finalize().as_bytes(),
        };
        Ok(Vetted {
            identity,
            wire_lines: self.wire_lines,
            wire_bytes: self.wire_bytes,
            motions: self.motions,
            chunks: self.chunks,
            notes: self.notes,
            modified,
        })
    }
}
