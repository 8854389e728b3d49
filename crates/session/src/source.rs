//! The file, prepared ahead: one thread reads and cuts, up to three chunks are prepared at once, and they come out in order.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use feedhold_stream_core::{
    budget::{Budget, Permit},
    chunk::{ChunkSizer, Continuity, CutError, Cutter, Gap, Prepared, RawChunk},
    wire::{Chain, Refusals},
};
use thiserror::Error;
use tokio::{sync::mpsc, task::JoinHandle};

/// Chunks that are prepared at once.
const AHEAD: usize = 3;
/// Bytes read from the file at a time.
const READ: usize = 64 * 1024;
/// How often a reader without memory looks whether there is some again.
const MEMORY_POLL: Duration = Duration::from_millis(5);

/// Why a file cannot be prepared to its end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The operating system refused.
    #[error("{}: {source}; check that it exists and that you may read it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// It is a directory, a device or something else that is no file.
    #[error("{} is not a file; name a G-code file", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// It changed since it was vetted.
    #[error("{} has changed since it was vetted; the job stops. Start it again with the file at rest", path.display())]
    FileChanged {
        /// The file.
        path: PathBuf,
    },
    /// A line has no end.
    #[error("{}: {source}", path.display())]
    Cut {
        /// The file.
        path: PathBuf,
        /// Where.
        source: CutError,
    },
    /// Lines that the controller cannot take.
    #[error("{}: {refusals}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Which lines, and why.
        refusals: Refusals,
    },
    /// Two chunks do not touch: a defect of this program, caught before a byte left.
    #[error("{}: {source}", path.display())]
    Gap {
        /// The file.
        path: PathBuf,
        /// Where.
        source: Gap,
    },
    /// It holds nothing that could be sent.
    #[error("{} holds no line for the machine; check that it is the right file", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Somebody gave up.
    #[error("stopped before the end of the file")]
    Stopped,
}

/// An open file and what shows that it is still the same.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) file: File,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    modified: Option<SystemTime>,
}

impl OpenFile {
    pub(crate) fn open(path: &Path) -> Result<Self, SourceError> {
        let read = |source| SourceError::Read {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(read)?;
        let metadata = file.metadata().map_err(read)?;
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
                read => {
                    return read.map_err(|source| SourceError::Read {
                        path: self.path.clone(),
                        source,
                    });
                }
            }
        }
    }

    /// Length and time of change show cheaply that somebody writes to the file.
    fn check_unchanged(&self) -> Result<(), SourceError> {
        let metadata = self.file.metadata().map_err(|source| SourceError::Read {
            path: self.path.clone(),
            source,
        })?;
        if metadata.len() == self.bytes && metadata.modified().ok() == self.modified {
            return Ok(());
        }
        Err(SourceError::FileChanged {
            path: self.path.clone(),
        })
    }
}

/// Chunks of a file, in order.
#[derive(Debug)]
pub(crate) struct Source {
    jobs: mpsc::Receiver<Result<Job, SourceError>>,
    /// The chunk that is being waited for.
    next: Option<Job>,
    continuity: Continuity,
    path: PathBuf,
    stopped: Arc<AtomicBool>,
}

type Job = JoinHandle<(RawChunk, Result<Prepared, Refusals>)>;

/// Where to begin in a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    pub(crate) line: u64,
    pub(crate) offset: u64,
}

impl Source {
    /// Starts to read. `starved` is set while the budget has nothing to give.
    pub(crate) fn start(
        file: OpenFile,
        start: Start,
        chain: Arc<Chain>,
        budget: Budget,
        starved: Arc<AtomicBool>,
    ) -> Self {
        let (sender, jobs) = mpsc::channel(AHEAD);
        let stopped = Arc::new(AtomicBool::new(false));
        let path = file.path.clone();
        let reader = Reader {
            file,
            chain,
            budget,
            starved,
            stopped: stopped.clone(),
        };
        tokio::task::spawn_blocking(move || {
            if let Err(error) = reader.run(start, &sender) {
                // The session is gone when nobody listens; then nobody needs the error.
                let _ = sender.blocking_send(Err(error));
            }
        });
        Self {
            jobs,
            next: None,
            continuity: Continuity::new(),
            path,
            stopped,
        }
    }

    /// The next chunk; `None` behind the last. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Result<Prepared, SourceError>> {
        if self.next.is_none() {
            match self.jobs.recv().await? {
                Ok(job) => self.next = Some(job),
                Err(error) => return Some(Err(error)),
            }
        }
        let Ok((raw, prepared)) = self.next.as_mut()?.await else {
            return Some(Err(SourceError::Stopped));
        };
        self.next = None;
        if let Err(source) = self.continuity.check(&raw) {
            return Some(Err(SourceError::Gap {
                path: self.path.clone(),
                source,
            }));
        }
        Some(prepared.map_err(|refusals| SourceError::Refused {
            path: self.path.clone(),
            refusals,
        }))
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

struct Reader {
    file: OpenFile,
    chain: Arc<Chain>,
    budget: Budget,
    starved: Arc<AtomicBool>,
    stopped: Arc<AtomicBool>,
}

impl Reader {
    fn run(
        mut self,
        start: Start,
        jobs: &mpsc::Sender<Result<Job, SourceError>>,
    ) -> Result<(), SourceError> {
        use std::io::{Seek, SeekFrom};
        self.file
            .file
            .seek(SeekFrom::Start(start.offset))
            .map_err(|source| SourceError::Read {
                path: self.file.path.clone(),
                source,
            })?;
        let mut cutter = Cutter::starting_at(
            ChunkSizer::cnc(),
            self.chain.config().dialect().flavor(),
            0,
            start.line,
            start.offset,
        );
        let mut buffer = vec![0; READ];
        let mut permit = self.permit(cutter.reserve())?;
        loop {
            let count = self.file.read(&mut buffer)?;
            let mut input = &buffer[..count];
            while let Some(chunk) = self.cut(&mut cutter, &mut input)? {
                self.file.check_unchanged()?;
                let next = self.permit(cutter.reserve())?;
                self.prepare(chunk, core::mem::replace(&mut permit, next), jobs)?;
            }
            if count == 0 {
                break;
            }
        }
        if let Some(chunk) = cutter.finish().map_err(|source| self.cut_error(source))? {
            self.file.check_unchanged()?;
            self.prepare(chunk, permit, jobs)?;
        }
        Ok(())
    }

    fn cut(&self, cutter: &mut Cutter, input: &mut &[u8]) -> Result<Option<RawChunk>, SourceError> {
        cutter.next(input).map_err(|source| self.cut_error(source))
    }

    fn cut_error(&self, source: CutError) -> SourceError {
        SourceError::Cut {
            path: self.file.path.clone(),
            source,
        }
    }

    /// Hands a chunk to a worker; waits while enough are ahead.
    fn prepare(
        &self,
        chunk: RawChunk,
        mut permit: Permit,
        jobs: &mpsc::Sender<Result<Job, SourceError>>,
    ) -> Result<(), SourceError> {
        permit.shrink_to(chunk.bytes.capacity());
        let raw = chunk.with_permit(permit);
        let (chain, budget) = (self.chain.clone(), self.budget.clone());
        let job = tokio::task::spawn_blocking(move || {
            let prepared =
                chain
                    .prepare(&raw)
                    .map(|prepared| match budget.try_acquire(prepared.memory()) {
                        Some(permit) => prepared.with_permit(permit),
                        // The raw bytes are about to go, and they take at least as much.
                        None => prepared,
                    });
            (raw, prepared)
        });
        jobs.blocking_send(Ok(job))
            .map_err(|_| SourceError::Stopped)
    }

    /// Waits until the budget has room for one more chunk.
    fn permit(&self, bytes: usize) -> Result<Permit, SourceError> {
        loop {
            if self.stopped.load(Ordering::Relaxed) {
                return Err(SourceError::Stopped);
            }
            if let Some(permit) = self.budget.try_acquire(bytes) {
                self.starved.store(false, Ordering::Relaxed);
                return Ok(permit);
            }
            self.starved.store(true, Ordering::Relaxed);
            std::thread::sleep(MEMORY_POLL);
        }
    }
}
