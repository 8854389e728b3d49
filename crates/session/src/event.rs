//! Everything a session tells the world, as one enum.
//!
//! The names follow the field's: what other streamers fire as `chunkedStreamingStarted`, `chunkCompleted` and so on is a variant
//! here, with every number its listeners need.

use feedhold_stream_core::{
    chunk::Stop,
    dialect::{MachineState, StatusReport},
    streamer::{Expiry, Pause},
};
use serde::Serialize;

/// One thing that happened. As JSON, an object with an `event` field; times are in milliseconds, lines count from 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The controller proved itself alive and idle.
    Connected {
        /// Where the link leads.
        link: String,
        /// Usable bytes of its receive buffer, when it told.
        rx_bytes: Option<usize>,
        /// Blocks of its planner, when it told.
        planner_blocks: Option<usize>,
        /// It had restarted.
        was_reset: bool,
    },
    /// The link was lost and is tried again.
    Reconnecting {
        /// From 1.
        attempt: u32,
        /// Wait before the attempt.
        after_ms: u64,
        /// Why the last one failed.
        reason: String,
    },
    /// The link is back, and the controller has proved where the job stands: it goes on there.
    Rejoined {
        /// The last line executed.
        executed: u64,
        /// `position`, or the `line number` that the controller accepted last and its position.
        proof: String,
    },
    /// The link is gone for good.
    Disconnected {
        /// Why.
        reason: String,
    },
    /// The file is being vetted.
    AnalysisProgress {
        /// Lines read.
        lines: u64,
        /// Bytes read.
        bytes: u64,
        /// 0 to 100.
        percentage: f64,
    },
    /// The file was vetted from end to end; every line of it can be sent.
    FileAnalyzed {
        /// Lines of the file.
        total_lines: u64,
        /// Bytes of the file.
        total_bytes: u64,
        /// Lines that will be sent.
        wire_lines: u64,
        /// Bytes that will be sent, terminators included.
        wire_bytes: u64,
        /// Lines among them that move the machine.
        motions: u64,
        /// BLAKE3 of the file, hexadecimal.
        digest: String,
    },
    /// The first byte is about to leave.
    StreamingStarted {
        /// First line to be sent.
        first_line: u64,
        /// Lines of the file.
        total_lines: u64,
    },
    /// Chunks are not prepared for now, because memory is short.
    ProcessingPaused {
        /// Bytes of the budget in use.
        used_bytes: usize,
    },
    /// Chunks are prepared again.
    ProcessingResumed {
        /// Bytes of the budget in use.
        used_bytes: usize,
    },
    /// The last chunk of the program was prepared.
    ProcessingCompleted {
        /// Chunks in all.
        chunks: u64,
    },
    /// Preparing ended before the end of the file.
    ProcessingStopped {
        /// Why.
        reason: String,
    },
    /// Every line of a chunk was answered.
    ChunkCompleted {
        /// Counted from 0, in a resumed job from the place where it goes on.
        chunk_index: u64,
        /// First source line.
        first_line: u64,
        /// Last source line.
        last_line: u64,
        /// Share of the file's lines that was answered, 0 to 100.
        total_progress: f64,
        /// From its first byte out to its last answer.
        processing_time_ms: u64,
    },
    /// A chunk could not be prepared or finished.
    ChunkFailed {
        /// Counted from 0.
        chunk_index: u64,
        /// Why.
        reason: String,
    },
    /// Lines of a chunk are sent again because the controller asked for them.
    ChunkRetryQueued {
        /// First line number asked for, in the controller's counting.
        number: u64,
    },
    /// Where the job stands; at most ten a second.
    Progress(Progress),
    /// The machine stands still at the operator's wish.
    StreamingPaused {
        /// `graceful` or `immediate`.
        mode: &'static str,
        /// Last line executed for certain.
        executed: u64,
        /// From the wish to the standstill.
        took_ms: u64,
    },
    /// The job goes on.
    StreamingResumed {
        /// From the wish to the confirmation.
        took_ms: u64,
    },
    /// The machine has not confirmed a pause in time. Nothing more is sent.
    PauseTimeout,
    /// The machine has not confirmed a resume in time.
    ResumeTimeout,
    /// The longest pause allowed is over; the machine was not moved.
    PauseExpired {
        /// `hold` or `cancel`.
        policy: &'static str,
    },
    /// A program stop was reached by execution.
    StopReached {
        /// The word that asked for it.
        code: &'static str,
        /// Source line.
        line: u64,
        /// Somebody has to decide; otherwise a policy already has.
        asks: bool,
    },
    /// The job stands still until somebody decides.
    Fault {
        /// What happened, where, and what to do.
        message: String,
        /// First line in doubt.
        first_in_doubt: u64,
        /// Last line in doubt; less than the first when none is.
        last_in_doubt: u64,
    },
    /// The job is over.
    StreamingStopped {
        /// `finished`, `cancelled` or `failed`.
        outcome: &'static str,
        /// Last line executed for certain.
        executed: u64,
        /// From the first byte to the end.
        elapsed_ms: u64,
    },
    /// A record became durable.
    CheckpointCreated {
        /// Generation of the store.
        generation: u64,
        /// Last line executed for certain, as recorded.
        executed: u64,
        /// Last line that may leave under this record.
        ceiling: u64,
        /// Time the disk took.
        took_ms: u64,
    },
    /// No record can be written any more; the machine stops at the ceiling.
    CheckpointFailed {
        /// What the store said.
        reason: String,
    },
    /// Memory in use crossed a threshold.
    MemoryWarning {
        /// `normal`, `warning`, `critical` or `maximum`.
        level: String,
        /// Bytes in use.
        used_bytes: usize,
        /// The hard cap.
        limit_bytes: usize,
    },
    /// Counters were set back.
    StatisticsReset,
    /// A command was answered.
    CommandDone {
        /// Its number.
        id: u64,
        /// What the controller refused it with.
        error: Option<String>,
    },
    /// Words of the controller for the operator.
    Message {
        /// What it said.
        text: String,
    },
    /// Somebody asked for something at the machine itself.
    MachineAction {
        /// `pause`, `resume` or `cancel`.
        action: &'static str,
    },
    /// A state report.
    Status(Status),
    /// Temperatures, °C.
    Temperature {
        /// Name of the heater, what it is at, what it is set to.
        heaters: Vec<Heater>,
    },
    /// The controller confirmed a reset.
    ResetDone,
    /// An answer came that nobody waited for.
    StrayAnswer,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Progress {
    /// Last line executed for certain.
    pub executed: u64,
    /// Last line answered.
    pub acked: u64,
    /// Last line handed to the link.
    pub sent: u64,
    /// Lines of the file.
    pub total_lines: u64,
    /// Bytes of the file up to the last line answered, by chunk.
    pub bytes: u64,
    /// Bytes of the file.
    pub total_bytes: u64,
    /// Share of the lines answered, 0 to 100.
    pub percentage: f64,
    /// Lines answered a second, over the last seconds.
    pub lines_per_s: f64,
    /// Bytes sent a second, over the last seconds.
    pub bytes_per_s: f64,
    /// Share of the window in use, 0 to 1.
    pub window_fill: f64,
    /// Bytes of the memory budget in use.
    pub memory_bytes: usize,
    /// Since the first byte.
    pub elapsed_ms: u64,
}

/// A machine's state report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// Idle, Run, Hold, …
    pub state: String,
    /// Machine position, mm.
    pub machine_position: Option<Vec<f64>>,
    /// Work position, mm.
    pub work_position: Option<Vec<f64>>,
    /// Feed, mm/min.
    pub feed_mm_per_min: Option<f64>,
    /// Spindle, rpm.
    pub spindle_rpm: Option<f64>,
    /// Free planner blocks.
    pub planner_free: Option<u16>,
    /// Free bytes of the receive buffer.
    pub rx_free: Option<u16>,
    /// Feed, rapid and spindle override in percent.
    pub overrides: Option<[u16; 3]>,
}

/// One heater's reading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Heater {
    /// `active hotend`, `hotend 1`, `bed`, `chamber`, …
    pub name: String,
    /// °C.
    pub current: f64,
    /// °C; 0 when off.
    pub target: Option<f64>,
}

impl From<&StatusReport> for Status {
    fn from(report: &StatusReport) -> Self {
        Self {
            state: report.state.to_string(),
            machine_position: report.machine_position.map(|at| at.as_slice().to_vec()),
            work_position: report.work_position.map(|at| at.as_slice().to_vec()),
            feed_mm_per_min: report.feed,
            spindle_rpm: report.spindle,
            planner_free: report.planner_free,
            rx_free: report.rx_free,
            overrides: report
                .overrides
                .map(|at| [at.feed_percent, at.rapid_percent, at.spindle_percent]),
        }
    }
}

impl Status {
    /// Whether the machine is idle.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.state == MachineState::Idle.to_string()
    }
}

/// Percent.
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        100.0
    } else {
        part as f64 * 100.0 / whole as f64
    }
}

pub(crate) fn pause_name(pause: Pause) -> &'static str {
    match pause {
        Pause::Graceful => "graceful",
        Pause::Immediate => "immediate",
    }
}

pub(crate) fn expiry_name(expiry: Expiry) -> &'static str {
    match expiry {
        Expiry::Hold => "hold",
        Expiry::Cancel => "cancel",
    }
}

pub(crate) fn stop_code(stop: Stop) -> &'static str {
    match stop {
        Stop::Pause => "M0",
        Stop::OptionalPause => "M1",
        Stop::End => "M2",
        Stop::EndRewind => "M30",
        Stop::ToolChange => "M6",
        Stop::FilamentChange => "M600",
        _ => "stop",
    }
}
