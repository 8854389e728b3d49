//! What the streamer tells its driver.

use core::time::Duration;

use thiserror::Error;

use super::position::InDoubt;
use crate::{
    chunk::Stop,
    dialect::{Alarm, Fatal, StatusReport, Temperatures},
};

/// Names one line given to [`Streamer::command`](super::Streamer::command).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommandId(pub u64);

/// How to pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// Send nothing more and let the machine finish what it was sent.
    Graceful,
    /// Feed hold: decelerate at once and keep what was sent. A firmware without a realtime hold (Marlin) finishes the lines in
    /// its buffers, as in a graceful pause.
    Immediate,
}

/// What to do at a program stop that the operator has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proceed {
    /// Go on behind the line without sending it.
    Skip,
    /// Send the line to the controller. Behind a program end (`M2`, `M30`) nothing more is sent.
    Send,
}

/// What to do when a pause lasts longer than allowed. Neither choice moves the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expiry {
    /// Report it and stay paused.
    #[default]
    Hold,
    /// Report it and cancel the job.
    Cancel,
}

/// Who answered when the link came up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Greeted {
    /// Usable bytes of the receive buffer, when the controller told.
    pub rx_bytes: Option<usize>,
    /// Blocks of the planner, when the controller told.
    pub planner_blocks: Option<usize>,
    /// A start-up banner was seen: the controller has lost its state since the last connection.
    pub was_reset: bool,
}

/// Why a job stands still until somebody decides. Nothing leaves the host in a fault.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The controller refused a line of the program. It was consumed and not executed; the lines behind it were already sent.
    #[error(
        "line {line}: the controller answered {answer}; held. Already sent behind it: {may_have_run}, which may have run"
    )]
    Line {
        /// Source line that was refused.
        line: u64,
        /// The controller's words and what they mean.
        answer: String,
        /// Lines behind it that were in flight.
        may_have_run: InDoubt,
    },
    /// The machine is in alarm.
    #[error("{}; in doubt: {in_doubt}", alarm_text(*alarm))]
    Alarm {
        /// Which alarm; `None` when only the machine's state told of it.
        alarm: Option<Alarm>,
        /// Lines that may not have finished.
        in_doubt: InDoubt,
    },
    /// The controller started anew in mid-job and forgot its planner, buffers and modal state.
    #[error(
        "the controller has reset itself; its position and state are lost. In doubt: {in_doubt}"
    )]
    ControllerReset {
        /// Lines that may not have finished.
        in_doubt: InDoubt,
    },
    /// The machine stands idle with an empty planner while lines wait for an answer: an answer, or the lines themselves, got lost.
    #[error(
        "the machine is idle but never answered {unanswered}; an `ok` or the line was lost on the wire. Check the cable"
    )]
    LostAnswer {
        /// Lines without an answer.
        unanswered: InDoubt,
    },
    /// Neither an answer nor any sign of progress for the whole timeout.
    #[error("no answer for {} s; the controller or the link is stuck. In doubt: {in_doubt}", after.as_secs_f64())]
    ChunkTimeout {
        /// The silence that was allowed.
        after: Duration,
        /// Lines that may not have finished.
        in_doubt: InDoubt,
    },
    /// A resend was asked for a line that is not kept any more, or was never sent.
    #[error(
        "the controller asked for line number {asked} again, but only {oldest} to {newest} can be resent"
    )]
    ResendOutOfRange {
        /// The number asked for.
        asked: u64,
        /// Oldest number kept.
        oldest: u64,
        /// Newest number sent.
        newest: u64,
    },
    /// The firmware gave up and needs a restart.
    #[error("{fatal}; the controller must be restarted. In doubt: {in_doubt}")]
    Fatal {
        /// What it said.
        fatal: Fatal,
        /// Lines that may not have finished.
        in_doubt: InDoubt,
    },
    /// The firmware reported an error behind which it does not do what it is told, or refused a line and nobody can tell which.
    #[error("the controller said {answer}; in doubt: {in_doubt}")]
    Stopped {
        /// The controller's words and what to do.
        answer: String,
        /// Lines that may not have finished.
        in_doubt: InDoubt,
    },
    /// The link went away.
    #[error("the link was lost; in doubt: {in_doubt}")]
    LinkLost {
        /// Lines that may not have finished.
        in_doubt: InDoubt,
    },
    /// A prepared line is longer than the window or the protocol can carry.
    #[error(
        "line {line} takes {length} bytes on the wire and {limit} is the most it can carry; shorten it"
    )]
    LineTooLong {
        /// Source line.
        line: u64,
        /// Its bytes on the wire.
        length: usize,
        /// Most bytes possible.
        limit: usize,
    },
}

fn alarm_text(alarm: Option<Alarm>) -> String {
    alarm.map_or_else(
        || "the machine is in alarm; home it ($H) or unlock it ($X)".to_owned(),
        |alarm| format!("{alarm}; {}", alarm.remedy()),
    )
}

/// Why a connected controller cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GreetingError {
    /// Nothing understandable came back.
    #[error("no answer from the controller; check power, port and baud rate")]
    Silent,
    /// Bytes came back, and none of them made sense.
    #[error(
        "the device answers, but not like a {expected} controller; check the dialect and the baud rate. It said: {heard:?}"
    )]
    Foreign {
        /// The dialect asked for.
        expected: &'static str,
        /// The beginning of what it said.
        heard: String,
    },
    /// The machine is locked or in alarm and has to be homed or unlocked by its operator.
    #[error("the machine is in alarm; find out why, then home it ($H) or unlock it ($X)")]
    Locked,
    /// The machine is moving or held by somebody else.
    #[error("the machine is not idle but {state}; wait until it has finished or reset it")]
    NotIdle {
        /// The state it reports.
        state: String,
    },
}

/// What the streamer reports through [`Streamer::poll_event`](super::Streamer::poll_event).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The controller is there and may be given work.
    Ready(Greeted),
    /// The controller cannot be used.
    GreetingFailed(GreetingError),
    /// The first line of a chunk left.
    ChunkStarted {
        /// Index of the chunk.
        index: u64,
    },
    /// Every line of a chunk was answered.
    ChunkCompleted {
        /// Index of the chunk.
        index: u64,
        /// Source lines, first and last.
        lines: (u64, u64),
        /// From its first byte out to its last answer.
        took: Duration,
    },
    /// The machine stands still at the operator's wish.
    Paused {
        /// How it was paused.
        pause: Pause,
        /// From the wish to the standstill.
        took: Duration,
    },
    /// The job goes on.
    Resumed {
        /// From the wish to the confirmation.
        took: Duration,
    },
    /// The machine has not confirmed a pause in time; nothing more is sent all the same.
    PauseTimeout,
    /// The machine has not confirmed a resume in time.
    ResumeTimeout,
    /// The longest pause allowed is over. The machine was not moved.
    PauseExpired(Expiry),
    /// A stop was reached by execution: everything before it has finished.
    StopReached {
        /// Which stop.
        stop: Stop,
        /// Source line.
        line: u64,
    },
    /// The job stands still, see [`Fault`].
    Fault(Fault),
    /// A command was answered.
    CommandDone {
        /// Which command.
        id: CommandId,
        /// `Err` holds the controller's refusal.
        answer: Result<(), String>,
    },
    /// The machine went into alarm beside a program: no one runs, or it is being given up.
    Alarm(Alarm),
    /// A line for the operator: messages, echoes, answers to `$` commands.
    Message(String),
    /// A state report.
    Status(StatusReport),
    /// A temperature report.
    Temperature(Temperatures),
    /// Somebody pressed a button at the machine or in its firmware's menu.
    MachineAction(MachineAction),
    /// The controller asked for lines again.
    Resend {
        /// First number asked for.
        number: u64,
    },
    /// An answer came that nobody waited for. It was counted, and changed nothing.
    StrayAnswer,
    /// Lines wait for a longer send lease.
    LeaseReached {
        /// First line that may not leave.
        line: u64,
    },
    /// Events were dropped because the driver did not collect them; states can be read from the getters.
    Dropped {
        /// How many.
        count: u64,
    },
    /// The whole program was executed.
    Finished,
    /// The job was cancelled and the machine stands still.
    Cancelled,
    /// The controller confirmed a reset.
    ResetDone,
}

/// What a machine asks of its host (`//action:` on Marlin, a held state on grbl).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MachineAction {
    /// Pause the job.
    Pause,
    /// Resume it.
    Resume,
    /// Cancel it.
    Cancel,
}
