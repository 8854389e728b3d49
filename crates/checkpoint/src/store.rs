//! The store itself: open, commit, look back, finish.

mod create;

use std::collections::VecDeque;
use std::collections::vec_deque;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use std::{fmt, io};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::backend::{Backend, File};
use crate::codec::EncodeFault;
use crate::config::Config;
use crate::error::{CommitError, OpenError, Poison};
use crate::finding::Warning;
use crate::frame::{self, EMPTY, Form, Header, Kind, Slot, Timestamp};
use crate::job_dir;
use crate::layout::{Generation, Region, StoreId};
use crate::load::{Head, Loaded};
use crate::payload;

/// The durable ring of records of one job.
///
/// `R` is the application's record; it is kept for as long as the next 63 commits and must fit into
/// [`MAX_PAYLOAD`](crate::MAX_PAYLOAD) bytes, compressed if that was asked for. `B` is where the bytes live: a locked file in a job
/// directory unless said otherwise.
///
/// One store has one owner and every call blocks until the disk answered, so an async program gives
/// it a thread of its own. After the first failure of the medium the store is *poisoned*: every
/// later commit is refused, because a sync that is repeated after a failure may report success for
/// data that is gone.
pub struct Store<R, B = File> {
    backend: B,
    id: StoreId,
    record_version: u32,
    form: Form,
    history_len: usize,
    head: Head,
    history: VecDeque<Entry<R>>,
    slot: Box<Slot>,
    poison: Option<Poison>,
}

/// A store that was opened, and what had to be repaired for it.
#[derive(Debug)]
pub struct Opened<R, B = File> {
    /// Ready for the next commit.
    pub store: Store<R, B>,
    /// Findings that did not stop it, for the operator and the log. Empty after a clean stop.
    pub warnings: Vec<Warning>,
}

/// One record of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<R> {
    /// Its number.
    pub generation: Generation,
    /// When it was committed, by the host's clock to the millisecond: for people, not for ordering.
    pub written_at: SystemTime,
    /// What was committed.
    pub record: R,
}

impl<R: Serialize + DeserializeOwned> Store<R> {
    /// Opens the store in `dir` and locks the directory for as long as the store lives.
    ///
    /// # Errors
    /// See [`OpenError`]; each one says what to do. A store that is more damaged than a crash
    /// explains is refused, not guessed at.
    pub fn open(dir: &Path, config: &Config) -> Result<Opened<R>, OpenError> {
        Self::open_on(job_dir::open(dir)?, config)
    }
}

impl<R: Serialize + DeserializeOwned, B: Backend> Store<R, B> {
    /// Opens a backend that was formatted before.
    ///
    /// Syncs before it trusts what it reads, then repairs single bad copies and writes the newest
    /// record again, one copy after the other. The second write is for a sync that failed in an
    /// earlier process: the system may still show such data from its cache, and only writing it
    /// anew makes it real.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_on(mut backend: B, config: &Config) -> Result<Opened<R, B>, OpenError> {
        let place = backend.place();
        let failed = |step| {
            let place = place.clone();
            move |source| OpenError::Io {
                step,
                place,
                source,
            }
        };
        backend.sync().map_err(failed("sync"))?;
        let loaded = Loaded::<R>::read(&backend, config)?;
        loaded.mend(&mut backend).map_err(failed("repair"))?;
        let store = Self {
            backend,
            id: loaded.id,
            record_version: config.record_version,
            form: config.form,
            history_len: config.history,
            head: loaded.head,
            history: loaded.history,
            slot: Box::new(EMPTY),
            poison: None,
        };
        Ok(Opened {
            store,
            warnings: loaded.warnings,
        })
    }

    /// Makes `record` the newest one. When this returns a generation, the record survives a power
    /// cut, and every later open offers it or a newer one.
    ///
    /// Costs two writes of 4 KiB and one sync; allocates only what decoding an `R` does, and the
    /// buffers of a compression if one was asked for.
    ///
    /// # Errors
    /// Of the record ([`CommitError::TooLarge`], [`Encode`](CommitError::Encode),
    /// [`Asymmetric`](CommitError::Asymmetric) and so on): nothing was written, commit another. Of the medium
    /// ([`CommitError::Io`]): the record may or may not be durable, and the store is poisoned.
    pub fn commit(&mut self, record: &R) -> Result<Generation, CommitError> {
        self.commit_at(record, SystemTime::now())
    }

    /// [`commit`](Self::commit) with the time of day as a parameter.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub fn commit_at(&mut self, record: &R, now: SystemTime) -> Result<Generation, CommitError> {
        self.check_open()?;
        let area = frame::payload_area(&mut self.slot);
        let (form, len) = payload::write(record, self.form, area).map_err(|fault| match fault {
            EncodeFault::TooLarge(needed) => CommitError::TooLarge { needed },
            #[cfg(feature = "compression")]
            EncodeFault::TooLong(needed) => CommitError::TooLong { needed },
            EncodeFault::Codec(error) => CommitError::Encode(error),
        })?;
        // A record that only fails to decode after the crash is the worst of checkpoints, so it is
        // decoded now.
        let record = payload::read(form, area.get(..len).unwrap_or_default())
            .map_err(CommitError::Asymmetric)?;
        let written_at = Timestamp::from_system(now);
        let generation = self.append(Kind::Record, form, len, written_at)?;
        self.history.push_front(Entry {
            generation,
            written_at: written_at.to_system(),
            record,
        });
        self.history.truncate(self.history_len);
        Ok(generation)
    }

    /// Marks the job as done, durably: it will never be offered for resuming. Done already is fine.
    ///
    /// # Errors
    /// [`CommitError::Io`] or [`CommitError::Poisoned`], as for a commit.
    pub fn finish(&mut self) -> Result<Generation, CommitError> {
        self.finish_at(SystemTime::now())
    }

    /// [`finish`](Self::finish) with the time of day as a parameter.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_at(&mut self, now: SystemTime) -> Result<Generation, CommitError> {
        if self.is_finished() {
            return Ok(self.head.generation);
        }
        self.check_open()?;
        let written_at = Timestamp::from_system(now);
        let generation = self.append(Kind::Finished, Form::Plain, 0, written_at)?;
        self.head.finished_at = Some(written_at);
        Ok(generation)
    }

    fn check_open(&self) -> Result<(), CommitError> {
        if let Some(poison) = &self.poison {
            return Err(CommitError::Poisoned(poison.clone()));
        }
        if self.is_finished() {
            return Err(CommitError::Finished {
                place: self.backend.place(),
            });
        }
        if self.head.generation >= Generation::MAX {
            return Err(CommitError::Exhausted {
                place: self.backend.place(),
            });
        }
        Ok(())
    }

    /// Writes the frame whose payload lies in `self.slot` to both copies and syncs once.
    fn append(
        &mut self,
        kind: Kind,
        form: Form,
        len: usize,
        written_at: Timestamp,
    ) -> Result<Generation, CommitError> {
        let generation = self.head.generation.next();
        let header = Header {
            kind,
            form,
            record_version: self.record_version,
            generation,
            store: self.id,
            written_at,
            previous: self.head.digest,
        };
        let digest = header.seal(len, &mut self.slot);
        if let Err(source) = write_pair(&mut self.backend, generation, &self.slot) {
            return Err(self.poisoned("write", generation, source));
        }
        if let Err(source) = self.backend.sync() {
            return Err(self.poisoned("sync", generation, source));
        }
        self.head.generation = generation;
        self.head.digest = digest;
        Ok(generation)
    }

    fn poisoned(
        &mut self,
        step: &'static str,
        generation: Generation,
        source: io::Error,
    ) -> CommitError {
        let poison = Poison {
            step,
            generation,
            place: self.backend.place(),
            source: Arc::new(source),
        };
        self.poison = Some(poison.clone());
        CommitError::Io(poison)
    }
}

impl<R, B> Store<R, B> {
    /// The newest record; `None` before the first commit.
    pub fn latest(&self) -> Option<&R> {
        self.history.front().map(|entry| &entry.record)
    }

    /// The newest records (10 unless configured), newest first.
    pub fn history(&self) -> History<'_, R> {
        History(self.history.iter())
    }

    /// Number of the newest durable frame: 0 after creation, one more for each commit and for the
    /// finish.
    pub fn generation(&self) -> Generation {
        self.head.generation
    }

    /// True once the job was durably marked as done.
    pub fn is_finished(&self) -> bool {
        self.head.finished_at.is_some()
    }

    /// When the job was marked as done.
    pub fn finished_at(&self) -> Option<SystemTime> {
        self.head.finished_at.map(Timestamp::to_system)
    }

    /// Identity of this store, given at its creation.
    pub fn id(&self) -> StoreId {
        self.id
    }

    /// The failure that ended this store, if there was one.
    pub fn poison(&self) -> Option<&Poison> {
        self.poison.as_ref()
    }

    /// Where the store lives.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    fn map_backend<C>(self, to: impl FnOnce(B) -> C) -> Store<R, C> {
        Store {
            backend: to(self.backend),
            id: self.id,
            record_version: self.record_version,
            form: self.form,
            history_len: self.history_len,
            head: self.head,
            history: self.history,
            slot: self.slot,
            poison: self.poison,
        }
    }

    /// Gives the backend back, for a test that crashes it.
    pub fn into_backend(self) -> B {
        self.backend
    }
}

impl<R: fmt::Debug, B: fmt::Debug> fmt::Debug for Store<R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("id", &self.id)
            .field("generation", &self.head.generation)
            .field("latest", &self.latest())
            .field("finished", &self.is_finished())
            .field("poison", &self.poison)
            .field("backend", &self.backend)
            .finish_non_exhaustive()
    }
}

/// The newest records of a store, newest first.
#[derive(Clone, Debug)]
pub struct History<'a, R>(vec_deque::Iter<'a, Entry<R>>);

impl<'a, R> Iterator for History<'a, R> {
    type Item = &'a Entry<R>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<R> ExactSizeIterator for History<'_, R> {}

fn write_pair<B: Backend>(backend: &mut B, generation: Generation, slot: &Slot) -> io::Result<()> {
    for region in Region::BOTH {
        backend.write_all_at(region.offset(generation.slot()) as u64, slot)?;
    }
    Ok(())
}
