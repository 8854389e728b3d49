//! The file, prepared ahead: it is read and cut in order, up to three chunks are prepared at once, and they come out in order.
//!
//! Nothing here runs for longer than one chunk: every piece of work is a blocking task of its own that is started when there is
//! room for its result. A source that is dropped leaves at most a few of them behind, and they end by themselves.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use feedhold_stream_core::{
    budget::{Budget, Permit},
    chunk::{Continuity, CutError, Gap, Prepared, RawChunk},
    wire::{NotEqual, Refusals},
};
use thiserror::Error;
use tokio::task::{JoinHandle, spawn_blocking};

pub(crate) use self::reader::{OpenFile, Reader, Start, cuts_as_vetted, sizer};

mod reader;
#[cfg(test)]
mod tests;

/// Chunks that are prepared at once.
const AHEAD: usize = 3;
/// How often a source without memory looks whether there is some again.
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
    /// A job cannot begin in the middle of a line.
    #[error("{}: line {line} does not begin at byte {offset}; vet the file again and take the place from there", path.display())]
    NoLineStart {
        /// The file.
        path: PathBuf,
        /// The line that should begin there.
        line: u64,
        /// The byte, counted from 0.
        offset: u64,
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
    /// A packed line does not say what its source says: a defect of this program, caught before a byte left.
    #[error("{}: {source}", path.display())]
    NotEqual {
        /// The file.
        path: PathBuf,
        /// Where they part.
        source: Box<NotEqual>,
    },
    /// Two chunks do not touch: a defect of this program, caught before a byte left.
    #[error("{}: {source}", path.display())]
    Gap {
        /// The file.
        path: PathBuf,
        /// Where.
        source: Gap,
    },
    /// Not even two chunks, one being sent and one being prepared, fit into the memory that was allowed.
    #[error(
        "{}: two chunks may need {needed_bytes} bytes of memory and the budget is {limit_bytes}; give the job a larger budget",
        path.display()
    )]
    Budget {
        /// The file.
        path: PathBuf,
        /// What the smallest two chunks may take.
        needed_bytes: usize,
        /// What all chunks together may take.
        limit_bytes: usize,
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

/// Turns a chunk of the file into lines for the wire.
pub(crate) type Prepare = Arc<dyn Fn(&RawChunk) -> Result<Prepared, Refusals> + Send + Sync>;

/// Chunks of a file, in order.
pub(crate) struct Source {
    path: PathBuf,
    reading: Reading,
    preparing: VecDeque<JoinHandle<Job>>,
    prepare: Prepare,
    continuity: Continuity,
    budget: Budget,
    starved: bool,
}

type Job = (RawChunk, Result<Prepared, Refusals>);
type Read = (
    Box<Reader>,
    Option<Permit>,
    Result<Option<RawChunk>, SourceError>,
);

/// What the file is doing.
enum Reading {
    /// Waits for room.
    Idle(Box<Reader>),
    /// The next chunk is being read.
    Busy(JoinHandle<Read>),
    /// There is no next chunk: the error, if any, is still to be told.
    Ended(Option<SourceError>),
}

/// What a source waited for.
enum Ready {
    Read(Option<Read>),
    Prepared(Option<Job>),
    Memory,
}

impl Source {
    /// Starts to read as soon as somebody asks for chunks.
    pub(crate) fn new(reader: Reader, prepare: Prepare, budget: Budget) -> Self {
        Self {
            path: reader.path().to_owned(),
            reading: Reading::Idle(Box::new(reader)),
            preparing: VecDeque::with_capacity(AHEAD),
            prepare,
            continuity: Continuity::new(),
            budget,
            starved: false,
        }
    }

    /// Whether the next chunk waits for memory.
    pub(crate) fn is_starved(&self) -> bool {
        self.starved
    }

    /// The next chunk; `None` behind the last. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Result<Prepared, SourceError>> {
        loop {
            self.read_ahead();
            if let (Reading::Ended(error), true) = (&mut self.reading, self.preparing.is_empty()) {
                return error.take().map(Err);
            }
            match self.ready().await {
                Ready::Read(Some(read)) => self.take_read(read),
                Ready::Prepared(Some((raw, prepared))) => {
                    self.preparing.pop_front();
                    return Some(self.deliver(&raw, prepared));
                }
                // A worker died; whatever it had cannot be trusted.
                Ready::Read(None) | Ready::Prepared(None) => {
                    self.preparing.clear();
                    self.reading = Reading::Ended(None);
                    return Some(Err(SourceError::Stopped));
                }
                Ready::Memory => {}
            }
        }
    }

    async fn ready(&mut self) -> Ready {
        let reading = async {
            match &mut self.reading {
                Reading::Busy(read) => read.await,
                _ => std::future::pending().await,
            }
        };
        let prepared = async {
            match self.preparing.front_mut() {
                Some(job) => job.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            read = reading => Ready::Read(read.ok()),
            job = prepared => Ready::Prepared(job.ok()),
            () = tokio::time::sleep(MEMORY_POLL), if self.starved => Ready::Memory,
        }
    }

    /// Starts to read the next chunk when there is room for it.
    fn read_ahead(&mut self) {
        let Reading::Idle(reader) = &mut self.reading else {
            return;
        };
        if self.preparing.len() >= AHEAD {
            return;
        }
        let needed = reader.memory_needed(&self.budget);
        let limit = self.budget.limit();
        // The streamer keeps a chunk for resends until it has sent much of the next one, so two of them must fit.
        let fits = needed <= limit / 2;
        let permit = self.budget.try_acquire(needed).filter(|_| fits);
        self.starved = permit.is_none() && fits;
        if self.starved {
            return;
        }
        let path = self.path.clone();
        let ended = Reading::Ended(Some(SourceError::Budget {
            path,
            needed_bytes: needed * 2,
            limit_bytes: limit,
        }));
        let Reading::Idle(mut reader) = core::mem::replace(&mut self.reading, ended) else {
            return;
        };
        if permit.is_some() {
            self.reading = Reading::Busy(spawn_blocking(move || {
                let chunk = reader.next_chunk();
                (reader, permit, chunk)
            }));
        }
    }

    fn take_read(&mut self, (reader, permit, chunk): Read) {
        let chunk = match chunk {
            Ok(Some(chunk)) => chunk,
            Ok(None) => {
                self.reading = Reading::Ended(None);
                return;
            }
            Err(error) => {
                self.reading = Reading::Ended(Some(error));
                return;
            }
        };
        self.reading = Reading::Idle(reader);
        let prepare = Arc::clone(&self.prepare);
        self.preparing.push_back(spawn_blocking(move || {
            let prepared = prepare(&chunk).map(|prepared| match permit {
                Some(permit) => with_permit(prepared, permit),
                None => prepared,
            });
            (chunk, prepared)
        }));
    }

    fn deliver(
        &mut self,
        raw: &RawChunk,
        prepared: Result<Prepared, Refusals>,
    ) -> Result<Prepared, SourceError> {
        let path = || self.path.clone();
        if let Err(source) = self.continuity.check(raw) {
            let path = path();
            return Err(SourceError::Gap { path, source });
        }
        prepared.map_err(|refusals| SourceError::Refused {
            path: path(),
            refusals,
        })
    }
}

/// The permit that a chunk was read under, for the lines that came of it. Many very short lines take more than was set aside; the
/// surplus is accounted for as far as the budget goes.
fn with_permit(prepared: Prepared, mut permit: Permit) -> Prepared {
    let memory = prepared.memory();
    if !permit.try_grow(memory.saturating_sub(permit.bytes())) {
        tracing::debug!(
            memory,
            "lines took more memory than their chunk had set aside"
        );
    }
    permit.shrink_to(memory);
    prepared.with_permit(permit)
}

pub(crate) fn read_error(path: &Path) -> impl FnOnce(std::io::Error) -> SourceError {
    move |source| SourceError::Read {
        path: path.to_owned(),
        source,
    }
}
