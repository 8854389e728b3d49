//! Writes records beside the job, never in its way.
//!
//! Each record goes to a thread that may block, together with the store. The session goes on meanwhile and hears when the record
//! is durable; only then may lines beyond the old ceiling leave. One record is under way at a time, and the next one says the
//! newest truth.

use std::time::Duration;

use feedhold_checkpoint::{CommitError, Store, backend::Backend};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::Instant,
};

use crate::record::{Reason, Record};

/// A store on whatever backend.
pub(crate) trait Durable: Send {
    /// Makes a record durable; a finished job's store is closed for good. Returns the generation. Blocks.
    fn keep(&mut self, record: &Record) -> Result<u64, CommitError>;
}

impl<B: Backend + Send> Durable for Store<Record, B> {
    fn keep(&mut self, record: &Record) -> Result<u64, CommitError> {
        let mut generation = self.commit(record)?;
        if record.reason == Reason::Finished {
            generation = self.finish()?;
        }
        Ok(generation.get())
    }
}

/// What the disk answered.
#[derive(Debug)]
pub(crate) enum Written {
    /// The record is durable.
    Durable {
        generation: u64,
        record: Box<Record>,
        took: Duration,
    },
    /// Nothing can be written any more.
    Failed { reason: String },
}

/// The store of a job, here or on its way to the disk.
pub(crate) struct Keeper {
    state: State,
}

enum State {
    Idle(Box<dyn Durable>),
    Writing {
        done: JoinHandle<Done>,
        begun: Instant,
    },
    /// A record could not be written, so none may follow.
    Spent,
}

type Done = (Box<dyn Durable>, Box<Record>, Result<u64, CommitError>);

impl Keeper {
    pub(crate) fn new(store: Box<dyn Durable>) -> Self {
        Self {
            state: State::Idle(store),
        }
    }

    /// Whether a record can be taken now.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle(_))
    }

    /// Hands a record over. Does nothing unless [`is_idle`](Self::is_idle).
    pub(crate) fn write(&mut self, record: Record) {
        match core::mem::replace(&mut self.state, State::Spent) {
            State::Idle(mut store) => {
                let done = spawn_blocking(move || {
                    let kept = store.keep(&record);
                    (store, Box::new(record), kept)
                });
                let begun = Instant::now();
                self.state = State::Writing { done, begun };
            }
            other => self.state = other,
        }
    }

    /// Waits for the record under way; for ever when there is none. Cancel safe.
    pub(crate) async fn written(&mut self) -> Written {
        let State::Writing { done, begun } = &mut self.state else {
            return std::future::pending().await;
        };
        let (done, took) = (done.await, begun.elapsed());
        self.state = State::Spent;
        match done {
            Ok((store, record, Ok(generation))) => {
                self.state = State::Idle(store);
                Written::Durable {
                    generation,
                    record,
                    took,
                }
            }
            Ok((_, _, Err(error))) => Written::Failed {
                reason: error.to_string(),
            },
            Err(_) => Written::Failed {
                reason: "the thread that writes records has died".to_owned(),
            },
        }
    }
}
