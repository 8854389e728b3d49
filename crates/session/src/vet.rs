//! Reads a whole file before the first byte of it leaves: every line is prepared for the wire, packed lines are proved equal, and the
//! content gets its identity. Blocking, in bounded memory.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::SystemTime,
};

use feedhold_stream_core::{
    chunk::{ChunkSizer, ChunkStats, CutError, Cutter, Prepared, RawChunk},
    wire::{Chain, Note, Pack, Proof, Refusals},
};

use crate::{
    Event,
    content::ContentHasher,
    event::share,
    index::{Index, Recording},
    record::FileIdentity,
    source::{OpenFile, SourceError, read_error},
};

/// Bytes read at a time.
const READ: usize = 256 * 1024;
/// Lines between two reports of progress.
const REPORT_LINES: u64 = 10_000;
/// Bytes between two reports of progress, when only the digest is computed.
const REPORT_BYTES: u64 = 16 << 20;
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
    index: Arc<Index>,
}

impl Vetted {
    /// What the vetting has found out about the file and its lines.
    #[must_use]
    pub fn index(&self) -> &Arc<Index> {
        &self.index
    }
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
    report: impl FnMut(Vetting) -> bool,
) -> Result<Vetted, SourceError> {
    thread::scope(|scope| Pass::new(path, chain, Recording::new(scope, chain)).run(report))
}

/// Vets a file of which there may be an index: when its content is that of the index, and lines are prepared as they were then, nothing
/// but its digest is computed. Otherwise it is vetted in full. The result has the index that it was given when that was true; its notes
/// were told when the index was made and are not told again.
///
/// # Errors
/// As [`vet`].
pub fn vet_again(
    path: &Path,
    chain: &Chain,
    index: Option<&Arc<Index>>,
    mut report: impl FnMut(Vetting) -> bool,
) -> Result<Vetted, SourceError> {
    if let Some(index) = index.filter(|index| index.is_of(chain))
        && let Some(vetted) = verify(path, index, &mut report)?
    {
        return Ok(vetted);
    }
    vet(path, chain, report)
}

/// `None` when the file is not that of the index.
fn verify(
    path: &Path,
    index: &Arc<Index>,
    report: &mut impl FnMut(Vetting) -> bool,
) -> Result<Option<Vetted>, SourceError> {
    let file = OpenFile::open(path)?;
    if file.bytes != index.bytes() {
        return Ok(None);
    }
    let mut reported = 0;
    let same = index.content().is_in(path, |bytes| {
        if bytes - reported < REPORT_BYTES {
            return true;
        }
        reported = bytes;
        let share = bytes as f64 / file.bytes as f64;
        report(Vetting {
            lines: (index.lines() as f64 * share) as u64,
            bytes,
            total_bytes: file.bytes,
        })
    });
    match same.map_err(read_error(path))? {
        None => return Err(SourceError::Stopped),
        Some(false) => return Ok(None),
        Some(true) => {}
    }
    // Whoever replaced the file meanwhile has changed the name, not what is open here.
    file.check_unchanged()?;
    if OpenFile::open(path)?.modified != file.modified {
        return Err(file.changed());
    }
    let stats = index.stats();
    Ok(Some(Vetted {
        identity: FileIdentity {
            path: path.to_owned(),
            bytes: index.bytes(),
            lines: index.lines(),
            digest: *index.digest(),
        },
        wire_lines: stats.wire_lines(),
        wire_bytes: stats.wire_bytes(),
        motions: stats.motions(),
        chunks: stats,
        notes: Vec::new(),
        modified: file.modified,
        index: Arc::clone(index),
    }))
}

struct Pass<'a, 'scope> {
    path: PathBuf,
    chain: &'a Chain,
    content: ContentHasher,
    /// Reads source and packed lines side by side, as long as no line was refused.
    proof: Option<Proof>,
    /// Interprets the lines, as long as none was refused.
    recording: Option<Recording<'scope>>,
    lines: u64,
    bytes: u64,
    chunks: ChunkStats,
    refusals: Refusals,
    notes: Vec<Note>,
}

impl<'a, 'scope> Pass<'a, 'scope> {
    fn new(path: &Path, chain: &'a Chain, recording: Recording<'scope>) -> Self {
        let lossless = chain.config().pack() == Pack::Lossless;
        Self {
            path: path.to_owned(),
            chain,
            content: ContentHasher::new(),
            proof: lossless.then(|| Proof::new(chain.config())),
            recording: Some(recording),
            lines: 0,
            bytes: 0,
            chunks: ChunkStats::default(),
            refusals: Refusals::default(),
            notes: Vec::new(),
        }
    }

    fn run(mut self, mut report: impl FnMut(Vetting) -> bool) -> Result<Vetted, SourceError> {
        let mut file = OpenFile::open(&self.path)?;
        let flavor = self.chain.config().dialect().flavor();
        let mut cutter = Cutter::new(ChunkSizer::cnc(), flavor);
        let mut buffer = vec![0; READ];
        let mut reported = 0;
        loop {
            let count = file.read(&mut buffer)?;
            let mut input = &buffer[..count];
            self.content.update(input);
            while let Some(chunk) = cutter
                .next(&mut input)
                .map_err(|source| self.cut_error(source))?
            {
                self.take(&chunk)?;
                cutter.reuse(chunk.bytes);
                if self.lines - reported >= REPORT_LINES {
                    reported = self.lines;
                    let progress = Vetting {
                        lines: self.lines,
                        bytes: self.bytes,
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
        while let Some(chunk) = cutter.finish().map_err(|source| self.cut_error(source))? {
            self.take(&chunk)?;
        }
        file.check_unchanged()?;
        self.finish(file.modified)
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
        let buffers = self.recording.as_ref().map(Recording::buffers);
        let prepared = match self.chain.prepare_into(raw, buffers.unwrap_or_default()) {
            Ok(prepared) => prepared,
            Err(refusals) => {
                self.refusals.merge(refusals);
                (self.proof, self.recording) = (None, None);
                return Ok(());
            }
        };
        self.prove(raw, &prepared)?;
        self.chunks.add(&prepared);
        let room = MAX_NOTES - self.notes.len();
        self.notes.extend(prepared.notes().iter().take(room));
        if let Some(recording) = &self.recording {
            recording.take(prepared);
        }
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
        if self.chunks.wire_lines() == 0 {
            return Err(SourceError::Empty { path: self.path });
        }
        let content = self.content.finish();
        let identity = FileIdentity {
            path: self.path,
            bytes: self.bytes,
            lines: self.lines,
            digest: *content.digest(),
        };
        let index = self
            .recording
            .and_then(|recording| recording.finish(self.lines, content, self.chunks))
            .ok_or(SourceError::Stopped)?;
        Ok(Vetted {
            identity,
            wire_lines: self.chunks.wire_lines(),
            wire_bytes: self.chunks.wire_bytes(),
            motions: self.chunks.motions(),
            chunks: self.chunks,
            notes: self.notes,
            modified,
            index: Arc::new(index),
        })
    }
}
