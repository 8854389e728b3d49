//! Why a job cannot go on where it stopped: a closed list.

use core::fmt;
use std::path::PathBuf;

use thiserror::Error;

use crate::streamer::InDoubt;

/// Why a job cannot go on where it stopped.
///
/// The list is closed: every refusal has a [`code`](Self::code) that scripts can rely on, says what happened and where, and knows a
/// [`remedy`](Self::remedy). `docs/resume.md` explains each to an operator.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The file is another one now.
    #[error("{} is not the file that the job was begun with", path.display())]
    FileChanged {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to resume.
    #[error("the job is finished")]
    Finished,
    /// Every line was executed.
    #[error("all {lines} lines were executed; there is nothing left to do")]
    NothingLeft {
        /// Lines of the file.
        lines: u64,
    },
    /// The job never wrote a record.
    #[error("the job ended before its first line")]
    NotBegun,
    /// The records contradict each other or are damaged where it matters.
    #[error("the records of the job cannot be trusted: {reason}")]
    RecordAmbiguous {
        /// What the store says.
        reason: String,
    },
    /// The records were written by another version of this program.
    #[error("the records of the job belong to another version of this program: {reason}")]
    RecordVersion {
        /// What the store says.
        reason: String,
    },
    /// Motion is in doubt and nothing resolves it.
    #[error("line {executed} was executed for certain, and {} may have run{why}", behind(*executed, *last))]
    InDoubt {
        /// Last line executed for certain.
        executed: u64,
        /// Last line that may have run.
        last: u64,
        /// Why the machine could not tell.
        why: Doubt,
    },
    /// The controller has forgotten where it is.
    #[error(
        "the controller has restarted since the job began, or has lost its position in an alarm: where it stands proves nothing"
    )]
    Restarted,
    /// The controller does not know where its axes are.
    #[error("the controller has not been homed since it was switched on")]
    NotHomed,
    /// Another machine answers at that address.
    #[error("another controller answers: the job was begun on {expected}, and this is {found}")]
    ForeignDevice {
        /// Who it was.
        expected: String,
        /// Who it is.
        found: String,
    },
    /// The machine stands where the program never was.
    #[error(
        "the machine stands at {}, which is nowhere on {}: the end of line {nearest_line} is nearest, {distance:.3} mm away at {}",
        place(reported), path_of(*lines), place(nearest)
    )]
    Moved {
        /// Where it says it stands, machine coordinates in mm.
        reported: [f64; 3],
        /// The line whose end is nearest.
        nearest_line: u64,
        /// Where that line ends, machine coordinates in mm.
        nearest: [f64; 3],
        /// From one to the other, mm.
        distance: f64,
        /// The lines that were compared.
        lines: InDoubt,
    },
    /// A work offset is another one than the job began with.
    #[error(
        "{what} is {} and was {} when the job stopped",
        place(found),
        place(expected)
    )]
    OffsetsDiffer {
        /// Which offset: `G54`, `G92`, `TLO`.
        what: String,
        /// What it was, mm.
        expected: [f64; 3],
        /// What it is, mm.
        found: [f64; 3],
    },
    /// Something else is in force than the program has set.
    #[error("the controller reports {found} where the program has set {expected}")]
    ModalDiffers {
        /// What the program has set.
        expected: String,
        /// What the controller reports.
        found: String,
    },
    /// Another tool is in the spindle.
    #[error("the controller reports tool {found} where the program uses tool {expected}")]
    ToolDiffers {
        /// The program's.
        expected: u32,
        /// The controller's.
        found: u32,
    },
    /// The firmware is set up differently than it was.
    #[error("the setting {setting} is {found} and was {expected} when the job began")]
    SettingsDiffer {
        /// Its name: `$100`.
        setting: String,
        /// What it was.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The machine is in a feed hold.
    #[error("the machine stands in a feed hold")]
    Held,
    /// The machine is in alarm.
    #[error("the machine is in alarm: {alarm}")]
    Alarm {
        /// Which one.
        alarm: String,
    },
    /// The safety door is open.
    #[error("the safety door is open")]
    DoorOpen,
    /// The machine does not come to rest.
    #[error("the machine does not come to rest; it reports {state}")]
    Busy {
        /// What it says it does.
        state: String,
    },
    /// The place lies in a subprogram.
    #[error(
        "line {line} calls or ends a subprogram, and what the controller has made of it is not known"
    )]
    Subprogram {
        /// The line.
        line: u64,
    },
    /// What the program does depends on values only the controller knows.
    #[error(
        "line {line} uses a parameter, an expression or a loop, and what came of it is not known"
    )]
    Computed {
        /// The line.
        line: u64,
    },
    /// A program by steps, and nobody knows from where.
    #[error(
        "line {line} stands in incremental mode (G91), where a wrong start would shift everything behind it"
    )]
    Incremental {
        /// Last line executed for certain.
        line: u64,
    },
    /// The tool runs beside its path.
    #[error("cutter compensation (G41, G42) is in force at line {line}")]
    CutterCompensation {
        /// Last line executed.
        line: u64,
    },
    /// Inside a canned cycle.
    #[error("a canned cycle ({code}) is in force at line {line}")]
    CannedCycle {
        /// Its code.
        code: String,
        /// Last line executed.
        line: u64,
    },
    /// In step with the spindle.
    #[error("a threading motion ({code}) is in force at line {line}")]
    Threading {
        /// Its code.
        code: String,
        /// Last line executed.
        line: u64,
    },
    /// A spline leans on the one before it.
    #[error("a spline ({code}) is in force at line {line}")]
    Spline {
        /// Its code.
        code: String,
        /// Last line executed.
        line: u64,
    },
    /// Where a probe stopped is known to the controller only.
    #[error(
        "a probing motion is in force at line {line}, or the program relies on where one ended"
    )]
    Probing {
        /// The line.
        line: u64,
    },
    /// The tool's length comes from the controller's tool table.
    #[error(
        "the tool length at line {line} comes from the controller's tool table (G43), and this firmware has none"
    )]
    ToolLengthUnknown {
        /// Last line executed.
        line: u64,
    },
    /// Feed follows the spindle.
    #[error("feed per revolution (G95) is in force at line {line}")]
    FeedPerRevolution {
        /// Last line executed.
        line: u64,
    },
    /// An axis was moved, and nothing says where to.
    #[error(
        "{axis} was moved by steps, or to where only the controller knows, up to line {line}: nobody can tell where it has to be"
    )]
    PositionUnknown {
        /// Its letter.
        axis: char,
        /// Last line executed.
        line: u64,
    },
    /// Something is in force that cannot be put in force again.
    #[error("{what} is in force at line {line} and cannot be restored")]
    NotRestorable {
        /// What it is.
        what: String,
        /// Last line executed.
        line: u64,
    },
    /// The next motion leans on an arc mode that cannot be set alone.
    #[error("line {line} goes on with an arc of the lines before it and does not say so itself")]
    BareArc {
        /// The line.
        line: u64,
    },
    /// The filament is pulled back by the firmware.
    #[error("the filament is retracted by the firmware (G10) at line {line}")]
    Retracted {
        /// Last line executed.
        line: u64,
    },
    /// The print has come off its bed, or may.
    #[error("the bed has cooled to {now:.0} °C from {target:.0} °C: the part may have come loose")]
    BedCooled {
        /// What the program asks for, °C.
        target: f64,
        /// What it is, °C.
        now: f64,
    },
    /// There is no such line.
    #[error("line {line} is not a line of the program, which has {lines}")]
    LineOutOfRange {
        /// What was asked for.
        line: u64,
        /// Lines of the file.
        lines: u64,
    },
    /// Nothing moves at or behind that line.
    #[error("no line from {line} on moves the machine")]
    NotAMotion {
        /// What was asked for.
        line: u64,
    },
    /// An edited plan cannot be used.
    #[error("the plan cannot be used: line {line}: {reason}")]
    PlanUnusable {
        /// Line of the plan's text.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// Why the machine could not tell how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doubt {
    /// Nothing the controller reports tells one line from another.
    Unproved,
    /// The machine stands where two lines of the program end.
    TwoPlaces {
        /// One of them.
        one: u64,
        /// The other.
        other: u64,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unproved => Ok(()),
            Self::TwoPlaces { one, other } => {
                write!(
                    f,
                    ": the machine stands where line {one} ends and where line {other} ends"
                )
            }
        }
    }
}

impl Refusal {
    /// All codes, in the order of the list.
    pub const CODES: &[&str] = &[
        "file-changed",
        "finished",
        "nothing-left",
        "not-begun",
        "record-ambiguous",
        "record-version",
        "in-doubt",
        "restarted",
        "not-homed",
        "foreign-device",
        "moved",
        "offsets-differ",
        "modal-differs",
        "tool-differs",
        "settings-differ",
        "held",
        "alarm",
        "door-open",
        "busy",
        "subprogram",
        "computed",
        "incremental",
        "cutter-compensation",
        "canned-cycle",
        "threading",
        "spline",
        "probing",
        "tool-length-unknown",
        "feed-per-revolution",
        "position-unknown",
        "not-restorable",
        "bare-arc",
        "retracted",
        "bed-cooled",
        "line-out-of-range",
        "not-a-motion",
        "plan-unusable",
    ];

    /// A name for scripts that never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::FileChanged { .. } => "file-changed",
            Self::Finished => "finished",
            Self::NothingLeft { .. } => "nothing-left",
            Self::NotBegun => "not-begun",
            Self::RecordAmbiguous { .. } => "record-ambiguous",
            Self::RecordVersion { .. } => "record-version",
            Self::InDoubt { .. } => "in-doubt",
            Self::Restarted => "restarted",
            Self::NotHomed => "not-homed",
            Self::ForeignDevice { .. } => "foreign-device",
            Self::Moved { .. } => "moved",
            Self::OffsetsDiffer { .. } => "offsets-differ",
            Self::ModalDiffers { .. } => "modal-differs",
            Self::ToolDiffers { .. } => "tool-differs",
            Self::SettingsDiffer { .. } => "settings-differ",
            Self::Held => "held",
            Self::Alarm { .. } => "alarm",
            Self::DoorOpen => "door-open",
            Self::Busy { .. } => "busy",
            Self::Subprogram { .. } => "subprogram",
            Self::Computed { .. } => "computed",
            Self::Incremental { .. } => "incremental",
            Self::CutterCompensation { .. } => "cutter-compensation",
            Self::CannedCycle { .. } => "canned-cycle",
            Self::Threading { .. } => "threading",
            Self::Spline { .. } => "spline",
            Self::Probing { .. } => "probing",
            Self::ToolLengthUnknown { .. } => "tool-length-unknown",
            Self::FeedPerRevolution { .. } => "feed-per-revolution",
            Self::PositionUnknown { .. } => "position-unknown",
            Self::NotRestorable { .. } => "not-restorable",
            Self::BareArc { .. } => "bare-arc",
            Self::Retracted { .. } => "retracted",
            Self::BedCooled { .. } => "bed-cooled",
            Self::LineOutOfRange { .. } => "line-out-of-range",
            Self::NotAMotion { .. } => "not-a-motion",
            Self::PlanUnusable { .. } => "plan-unusable",
        }
    }

    /// What to do.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::FileChanged { .. } => "bring that file back, or name it with `--file`, or start anew with `feedhold run`",
            Self::Finished | Self::NothingLeft { .. } | Self::NotBegun => "start it anew with `feedhold run`",
            Self::RecordAmbiguous { .. } => "see `feedhold checkpoints`, which also moves them aside (`--quarantine`), look at the part, and go \
                 on from a line of your choice with `feedhold run` and a file that begins there",
            Self::RecordVersion { .. } => "resume with the version of feedhold that wrote them",
            Self::InDoubt { executed, .. } => {
                return format!(
                    "look at the part, then choose: `--from-retract` goes back to the last retract and repeats what may have run, \
                     `--from-line {}` or any other line begins there",
                    executed + 1
                );
            }
            Self::Restarted => "home the machine, set its zero as it was, then resume and say that it was homed (`--homed`)",
            Self::NotHomed => "home the machine and set its zero as it was, then resume with `--homed`",
            Self::ForeignDevice { .. } => "connect the machine that the job was begun on, or name its address with `--machine`",
            Self::Moved { .. } => "if it was jogged, move it back; if it is not known where it was, choose a line (`--from-line`) \
                 or the last retract (`--from-retract`)",
            Self::OffsetsDiffer { .. } => "set the offset as it was, or choose a line (`--from-line`) if the new one is right",
            Self::ModalDiffers { .. } => "set it as the program has it, or choose a line (`--from-line`): the plan sets it",
            Self::ToolDiffers { .. } => "put that tool in, or choose a line (`--from-line`) if the tool is the right one",
            Self::SettingsDiffer { .. } => "set it as it was, or choose a line (`--from-line`) if the new value is right",
            Self::Held => "release the hold at the machine (cycle start) or reset it, then resume",
            Self::Alarm { .. } => "find its cause, unlock or home the machine, then resume",
            Self::DoorOpen => "close the door and press cycle start, then resume",
            Self::Busy { .. } => "wait until it stands, or stop it, then resume",
            Self::Subprogram { .. } | Self::Computed { .. } => "choose a line in front of it (`--from-line`), or start anew",
            Self::Incremental { .. }
            | Self::CutterCompensation { .. }
            | Self::CannedCycle { .. }
            | Self::Threading { .. }
            | Self::Spline { .. }
            | Self::BareArc { .. }
            | Self::FeedPerRevolution { .. }
            | Self::Retracted { .. }
            | Self::NotRestorable { .. }
            | Self::PositionUnknown { .. } => "choose a line in front of it or behind it (`--from-line`), or start anew",
            Self::Probing { .. } => "choose a line in front of the probing (`--from-line`), or start anew",
            Self::ToolLengthUnknown { .. } => "choose a line in front of the G43 (`--from-line`), or start anew",
            Self::BedCooled { .. } => "if the part still holds, warm the bed by hand and resume; else start anew",
            Self::LineOutOfRange { lines, .. } => return format!("choose a line from 1 to {lines}"),
            Self::NotAMotion { .. } => "choose an earlier line",
            Self::PlanUnusable { .. } => "mend that line, or leave `--approach` out to use the plan as it was made",
        }
        .to_owned()
    }
}

/// `lines 4 to 9` behind line 3.
fn behind(executed: u64, last: u64) -> InDoubt {
    InDoubt {
        first: executed.saturating_add(1),
        last,
    }
}

fn path_of(interval: InDoubt) -> String {
    format!("the path of {interval}")
}

fn place([x, y, z]: &[f64; 3]) -> String {
    format!("X{x:.3} Y{y:.3} Z{z:.3}")
}
