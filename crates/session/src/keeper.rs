//! Writes records beside the job, never in its way.
//!
//! The disk has a thread of its own. The session hands it a record, goes on, and hears when it is durable; only then may lines
//! beyond the old ceiling leave. One record is under way at a time, and the next one says the newest truth.

use std::{sync::mpsc, thread, time::Instant};

use feedhold_checkpoint::Store;
use tokio::sync::mpsc as channel;

use crate::record::{Reason, Record};

/// What the disk answered.
#[derive(Debug)]
pub(crate) enum Written {
    /// The record is durable.
    Durable {
        generation: u64,
        record: Box<Record>,
        took: std::time::Duration,
    },
    /// Nothing can be written any more.
    Failed { reason: String },
}

/// The session's end of the disk thread. Dropping it lets the thread finish its work and end.
#[derive(Debug)]
pub(crate) struct Keeper {
    records: Option<mpsc::SyncSender<Record>>,
    answers: channel::Receiver<Written>,
    thread: Option<thread::JoinHandle<()>>,
    busy: bool,
}

impl Keeper {
    /// Starts the thread that owns the store.
    pub(crate) fn start(store: Store<Record>) -> std::io::Result<Self> {
        let (records, incoming) = mpsc::sync_channel(1);
        let (outgoing, answers) = channel::channel(4);
        let thread = thread::Builder::new()
            .name("checkpoints".to_owned())
            .spawn(move || write_all(store, &incoming, &outgoing))?;
        Ok(Self {
            records: Some(records),
            answers,
            thread: Some(thread),
            busy: false,
        })
    }

    /// Whether a record is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Hands a record over. `false` when one is under way or the thread is gone.
    pub(crate) fn write(&mut self, record: Record) -> bool {
        let taken = !self.busy
            && self
                .records
                .as_ref()
                .is_some_and(|records| records.try_send(record).is_ok());
        self.busy |= taken;
        taken
    }

    /// The next answer of the disk. Cancel safe.
    pub(crate) async fn written(&mut self) -> Option<Written> {
        let answer = self.answers.recv().await;
        self.busy = false;
        answer
    }

    /// Writes the last record and waits for the disk.
    pub(crate) async fn close(mut self, last: Record) -> Vec<Written> {
        let mut answers = Vec::new();
        if self.busy {
            answers.extend(self.written().await);
        }
        if self.write(last) {
            answers.extend(self.written().await);
        }
        self.records = None;
        if let Some(thread) = self.thread.take() {
            // The thread ends as soon as its channel is closed; its last answer has come.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        answers
    }
}

fn write_all(
    mut store: Store<Record>,
    incoming: &mpsc::Receiver<Record>,
    outgoing: &channel::Sender<Written>,
) {
    while let Ok(record) = incoming.recv() {
        let begun = Instant::now();
        let finished = record.reason == Reason::Finished;
        let committed = match store.commit(&record) {
            Ok(_) if finished => store.finish(),
            committed => committed,
        };
        let answer = match committed {
            Ok(generation) => Written::Durable {
                generation: generation.get(),
                record: Box::new(record),
                took: begun.elapsed(),
            },
            Err(error) => Written::Failed {
                reason: error.to_string(),
            },
        };
        let failed = matches!(answer, Written::Failed { .. });
        if outgoing.blocking_send(answer).is_err() || failed {
            return;
        }
    }
}
