//! One process of the host: the product's own engine, decisions and store, driven without a clock.

use std::collections::VecDeque;
use std::time::Duration;

use feedhold::checkpoint::Store;
use feedhold::session::{Record, conduct::Conduct};
use feedhold_stream_core::{
    Streamer,
    dialect::Dialect,
    outbox::Outbox,
    streamer::{self, State},
};

use super::disk::Disk;

/// What the process has come to do.
#[derive(Debug)]
pub(super) enum Errand {
    /// A new job, from its first line.
    Begin,
    /// To go on where the record says.
    Resume(Box<super::resume::Resume>),
}

/// A record on its way to the disk.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) record: Record,
    pub(super) begun: Duration,
    pub(super) done: Duration,
}

/// What the operator, or somebody at the machine, is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Go on at a program stop.
    Proceed,
    /// Go on after a pause.
    EndPause,
    /// Decide about a line that the machine has refused.
    Decide,
}

/// A process.
pub(super) struct Host {
    pub(super) streamer: Streamer,
    pub(super) outbox: Outbox,
    pub(super) errand: Errand,
    pub(super) store: Option<Store<Record, Disk>>,
    pub(super) conduct: Option<Conduct>,
    pub(super) writing: Option<Writing>,
    /// The last line of the program that the streamer was given.
    pub(super) given: u64,
    /// The lines of an approach that are still to be sent, one behind the answer of the other.
    pub(super) approach: Option<VecDeque<String>>,
    /// All of them were answered.
    pub(super) arrived: bool,
    pub(super) acts: Vec<(Duration, Act)>,
    /// When the pace is noted next; never, where leases are to stay short.
    pub(super) note_at: Option<Duration>,
    pub(super) sent_bytes: u64,
    /// The ceiling of the newest durable record.
    pub(super) durable: u64,
    /// The process knows that the controller has restarted in mid-job.
    pub(super) restarted: bool,
}

impl Host {
    pub(super) fn new(
        config: streamer::Config,
        dialect: Dialect,
        errand: Errand,
        store: Option<Store<Record, Disk>>,
    ) -> Self {
        Self {
            streamer: Streamer::new(config),
            outbox: Outbox::new(dialect),
            errand,
            store,
            conduct: None,
            writing: None,
            given: 0,
            approach: None,
            arrived: false,
            acts: Vec::new(),
            note_at: None,
            sent_bytes: 0,
            durable: 0,
            restarted: false,
        }
    }

    /// Nothing that moves the machine may be handed to the link in this state.
    pub(super) fn is_quiet(&self) -> bool {
        matches!(
            self.streamer.state(),
            State::Disconnected
                | State::Greeting
                | State::Ready
                | State::Paused
                | State::AtStop
                | State::Faulted
        )
    }

    /// When something is due in this process.
    pub(super) fn next_event(&self) -> Option<Duration> {
        let writing = self.writing.as_ref().map(|writing| writing.done);
        let act = self.acts.iter().map(|(at, _)| *at).min();
        [self.streamer.poll_timeout(), writing, act, self.note_at]
            .into_iter()
            .flatten()
            .min()
    }
}
