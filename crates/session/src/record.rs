//! What is written down, so that a job can be found again.

use std::{path::PathBuf, time::Duration};

use feedhold_stream_core::{
    resume::NumberAnchor,
    streamer::{InDoubt, Positions},
};
use serde::{Deserialize, Serialize};

mod setup;

pub use setup::{Controller, Setup};

/// Which file a job streams. Length and content decide; the path only helps to find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIdentity {
    /// Where it was.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its lines.
    pub lines: u64,
    /// BLAKE3 of its content.
    pub digest: [u8; 32],
}

impl FileIdentity {
    /// The digest as people compare it.
    #[must_use]
    pub fn digest_hex(&self) -> String {
        blake3::Hash::from_bytes(self.digest).to_hex().to_string()
    }

    /// Whether both are the same content, wherever it lies.
    #[must_use]
    pub fn same_content(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.digest == other.digest
    }
}

/// Why a record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// Before the first byte.
    Start,
    /// The interval in lines or in time was over, or the lease had to be extended.
    Interval,
    /// The machine stands still at the operator's wish.
    Paused,
    /// A program stop was reached.
    Stop,
    /// Something went wrong.
    Fault,
    /// The job was cancelled and the machine stands still.
    Cancelled,
    /// The whole program was executed.
    Finished,
    /// A resume is about to bring the machine back to the part: of the program, nothing behind `executed` was sent.
    Approach,
    /// The link came back, and the controller proved which line it had executed.
    Reconnected,
}

/// One record of a job.
///
/// `executed ≤ acked ≤ sent ≤ ceiling`, in source lines. After a crash the truth lies between `executed` and `ceiling`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The file.
    pub file: FileIdentity,
    /// The machine, as the user typed it.
    pub machine: String,
    /// The dialect spoken.
    pub dialect: String,
    /// Last line executed for certain.
    pub executed: u64,
    /// Last line answered.
    pub acked: u64,
    /// Last line handed to the link.
    pub sent: u64,
    /// No line beyond this one may leave while this is the newest record.
    pub ceiling: u64,
    /// Time since the first byte.
    pub elapsed: Duration,
    /// Milliseconds since 1970.
    pub written_at_ms: u64,
    /// Why it was written.
    pub reason: Reason,
    /// Who the controller said it was.
    pub controller: Option<Controller>,
    /// How the machine was set up when the job began.
    pub baseline: Option<Setup>,
    /// Machine position last reported, in millimetres.
    pub position: Option<[f64; 3]>,
    /// Which number on the wire stood for which line of the file, for protocols that count lines.
    #[serde(with = "setup::anchor")]
    pub anchor: Option<NumberAnchor>,
    /// Lines whose fate nothing proved and the operator decided.
    #[serde(with = "setup::decided")]
    pub decided: Option<InDoubt>,
    /// The controller was seen to restart, or to go into an alarm that loses steps: where it stands proves nothing until the machine
    /// was homed, also to a process that has not seen it.
    pub position_lost: bool,
}

impl Record {
    /// The four positions.
    #[must_use]
    pub fn positions(&self) -> Positions {
        Positions {
            executed: self.executed,
            acked: self.acked,
            sent: self.sent,
            ceiling: self.ceiling,
        }
    }

    /// Whether the machine came to rest with everything executed that was sent or could have been: nothing is in doubt.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let stood_still = matches!(
            self.reason,
            Reason::Start
                | Reason::Paused
                | Reason::Stop
                | Reason::Cancelled
                | Reason::Approach
                | Reason::Reconnected
        );
        stood_still && self.executed == self.ceiling
    }
}
