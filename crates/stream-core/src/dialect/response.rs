//! What a controller can say, one value a statement.

use super::Dialect;
use super::error::{Alarm, Fatal, GrblError, MachineError};
use super::position::{AxisValues, Coordinates};
use super::status::StatusReport;
use super::temperature::Temperatures;

/// One statement of the controller, borrowed from the bytes it came in.
///
/// Which variants *answer* a program line, and so give its place in the window back, is told by
/// [`answers_line`](Self::answers_line): `Ok` always, `Error` on the grbl family only. Everything
/// else is pushed by the controller on its own account and must never move the window.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Response<'a> {
    /// `ok`: a line was taken. A line `ok T:…` gives this once, then [`Response::Temperature`].
    Ok(Ack),
    /// `error:N` (grbl, answers its line) or `Error:…` (Marlin, an `ok` still follows).
    Error(MachineError<'a>),
    /// `ALARM:N`: grbl stopped and locked itself. A failed probe also answers its line.
    Alarm(Alarm),
    /// `<…>`: grbl's realtime status report.
    Status(StatusReport),
    /// `Resend: n` or `rs n`: Marlin wants line `n` next. A bare `ok` follows.
    Resend(u64),
    /// `echo:busy: …`: Marlin is alive but has not finished a command.
    Busy(Busy),
    /// `wait`: Marlin's queue is empty and it has nothing to do.
    Wait,
    /// The controller (re)started: every line in flight and all modal state are gone.
    Started(Banner<'a>),
    /// `//action:…`: Marlin asks the host to do something.
    Action(HostAction<'a>),
    /// `T:… B:…`: temperatures, asked for or reported by itself.
    Temperature(Temperatures),
    /// `X:… Y:… Z:… E:… Count …`: the answer to `M114` or an `M154` report.
    Position(PositionReport),
    /// `$n=value`: one setting of grbl, or a start-up block `$Nn=block`.
    Setting(Setting<'a>),
    /// `[GC:…]`: the words of grbl's active modal state, separated by blanks.
    ParserState(&'a str),
    /// `[G54:…]`, `[G28:…]`, `[G92:…]`, `[TLO:…]`: a stored offset or position.
    Offsets(Offsets),
    /// `[PRB:x,y,z:ok]`: where the last probe touched.
    Probe(ProbeResult),
    /// `[VER:1.1h.20190830:note]`: firmware version and the user's note (`$I=`).
    Version {
        /// Version and build date, as sent.
        version: &'a str,
        /// Free text stored by the user; usually empty.
        note: &'a str,
    },
    /// `[OPT:letters,planner,rx]`: compile-time options.
    Options {
        /// One letter an option, as sent.
        letters: &'a str,
        /// Blocks of the planner; one less is usable with line numbers compiled in.
        planner_blocks: Option<u16>,
        /// Size of the receive buffer, bytes.
        rx_bytes: Option<u16>,
    },
    /// `Cap:NAME:1`: one capability of Marlin's `M115` answer.
    Capability {
        /// Name as sent, for example `EMERGENCY_PARSER`.
        name: &'a str,
        /// Whether the firmware was built with it.
        on: bool,
    },
    /// `FIRMWARE_NAME:…`, the head of Marlin's `M115` answer, or grblHAL's `[FIRMWARE:…]`.
    Firmware(Firmware<'a>),
    /// `[MSG:…]` and bracketed reports this reader has no type for (then with their tag).
    Feedback(&'a str),
    /// `[HLP:…]`: grbl's answer to `$`.
    Help(&'a str),
    /// `[echo:…]` on grbl, `echo:…` on Marlin: text for people, settings listings included.
    Echo(&'a str),
    /// `>block:ok` or `>block:error:n`: a start-up block that grbl ran by itself.
    StartupLine {
        /// The block as stored.
        block: &'a str,
        /// How it ended.
        result: Result<(), GrblError>,
    },
    /// `echo:Unknown command: "…"`: Marlin skipped a line; an `ok` still follows.
    UnknownCommand(&'a str),
    /// The firmware gave up: heaters off, nothing is executed until it is reset.
    Fatal(Fatal),
    /// Anything else, garbled or unknown: never counted as an answer. At most
    /// [`MAX_RESPONSE`](super::MAX_RESPONSE) bytes.
    Other(&'a [u8]),
}

impl Response<'_> {
    /// Whether this statement answers the oldest unanswered line.
    #[must_use]
    pub fn answers_line(&self) -> bool {
        match self {
            Self::Ok(_) => true,
            Self::Error(error) => error.answers_line(),
            _ => false,
        }
    }
}

/// `ok`, with the numbers of Marlin's `ADVANCED_OK` where they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ack {
    /// The numbered line that is acknowledged (`N`): exact.
    pub line: Option<u64>,
    /// Free planner blocks when the `ok` was written (`P`): stale on arrival, for display only.
    pub planner_free: Option<u16>,
    /// Free command slots when the `ok` was written (`B`): stale on arrival, for display only.
    pub buffer_free: Option<u16>,
    /// Temperatures came in the same line, so this answers a request for temperatures (`M105`).
    pub with_temperatures: bool,
}

/// Why Marlin has not answered yet.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Busy {
    /// A command is running.
    Processing,
    /// Somebody has to act at the machine (`M0`, `M600`).
    PausedForUser,
    /// The firmware waits for a decision (a prompt).
    PausedForInput,
    /// A reason added by a later firmware.
    Unknown,
}

/// The greeting of a controller that just started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Banner<'a> {
    /// Who greets.
    pub variant: Variant,
    /// Version as sent (`1.1h`); empty where the greeting has none, as Marlin's `start`.
    pub version: &'a str,
}

/// The firmware behind a greeting. All but [`Variant::Marlin`] speak [`Dialect::Grbl`](super::Dialect).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    /// grbl 1.1 or an unknown relative that greets as `Grbl`.
    Grbl,
    /// grblHAL: after an error it repeats that error for every g-code line until an empty line, a
    /// successful `$` command or a reset.
    GrblHal,
    /// FluidNC.
    FluidNc,
    /// Marlin.
    Marlin,
}

impl Variant {
    /// How this firmware is spoken to.
    #[must_use]
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Grbl | Self::GrblHal | Self::FluidNc => Dialect::Grbl,
            Self::Marlin => Dialect::Marlin,
        }
    }

    /// Longest line it takes whole, bytes without the line end.
    #[must_use]
    pub fn max_line(self) -> usize {
        match self {
            Self::Grbl | Self::Marlin => self.dialect().max_line(),
            Self::GrblHal => 255,
            Self::FluidNc => 254,
        }
    }

    /// By how many blocks execution may trail the last answer with a planner of `planner_blocks`
    /// (what `[OPT:…]` tells, or a stock build's): the planner itself, and the segment buffer,
    /// which can hold one short block a segment less the one in motion.
    ///
    /// Measured: grbl 15 + 5, FluidNC 15 + 11. grblHAL's ten segments are counted in full.
    #[must_use]
    pub fn lag_blocks(self, planner_blocks: Option<usize>) -> usize {
        let (stock, segments) = match self {
            Self::Grbl => (15, 5),
            Self::GrblHal => (100, 10),
            Self::FluidNc => (15, 11),
            Self::Marlin => (15, 0),
        };
        planner_blocks.unwrap_or(stock) + segments
    }

    /// Whether one error makes it refuse every further g-code line with the same error, until an
    /// empty line, a `$` command that succeeds, or a reset. An empty line must not be sent to such
    /// a firmware by chance: it would let the lines behind the error run.
    #[must_use]
    pub fn latches_errors(self) -> bool {
        self == Self::GrblHal
    }
}

/// A request of Marlin to the host.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HostAction<'a> {
    /// Pause the job.
    Pause,
    /// The firmware has paused.
    Paused,
    /// Go on with the job.
    Resume,
    /// The firmware goes on.
    Resumed,
    /// Cancel the job.
    Cancel,
    /// Start the loaded job.
    Start,
    /// The firmware is about to cut its power.
    PowerOff,
    /// Filament ran out; the text names the extruder where the firmware does.
    FilamentOut(&'a str),
    /// A step of a dialogue: `begin`, `button`, `choice`, `show`, `end` and its text.
    Prompt {
        /// What to do with the dialogue, without `prompt_`.
        verb: &'a str,
        /// Text to show; empty for `show` and `end`.
        text: &'a str,
    },
    /// Text for the status line.
    Notification(&'a str),
    /// An action this reader does not know, with its arguments.
    Other(&'a str),
}

/// The answer to `M114`.
///
/// Without `R` Marlin reports where the planner *ends*, its counts included: it proves nothing
/// about what was executed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PositionReport {
    /// Logical position, mm or degrees.
    pub position: AxisValues,
    /// Stepper counts, steps.
    pub count: Option<AxisValues>,
}

/// One line of a settings listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Setting<'a> {
    /// What stands between `$` and `=`.
    pub key: &'a str,
    /// What stands behind `=`, blanks at the ends removed.
    pub value: &'a str,
}

impl Setting<'_> {
    /// The number of a numbered setting, `110` for `$110=…`.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        super::scan::unsigned(self.key)
    }
}

/// A stored offset or position of grbl's `$#` listing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offsets {
    /// Which one.
    pub kind: OffsetKind,
    /// Its values; a tool length usually has one, along Z.
    pub values: Coordinates,
}

/// The entries of the `$#` listing.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OffsetKind {
    /// Work coordinate system 1–9: G54 is 1, G59 is 6, G59.3 is 9.
    WorkCoordinates(u8),
    /// The G28 position.
    G28,
    /// The G30 position.
    G30,
    /// The G92 shift; lost at a reset.
    G92,
    /// Tool length offset (G43.1); lost at a reset.
    ToolLength,
}

/// `[PRB:…]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbeResult {
    /// Machine position at contact.
    pub position: Coordinates,
    /// Whether the probe touched.
    pub touched: bool,
}

/// Who the controller is: `KEY:value KEY:value …`, values may hold blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Firmware<'a> {
    /// The whole line.
    pub text: &'a str,
}

impl<'a> Firmware<'a> {
    /// Name and version, for example `Marlin 2.1.2 (Sep  1 2023 12:00:00)` or `grblHAL`.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.field("FIRMWARE_NAME")
            .or_else(|| self.field("FIRMWARE"))
            .unwrap_or_default()
    }

    /// The value of `key`, up to the next key. Keys are upper case with underscores.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&'a str> {
        let mut rest = self.text;
        while let Some((name, after)) = super::scan::next_key(rest) {
            let end = super::scan::next_key_start(after);
            let (value, tail) = after.split_at(end);
            if name == key {
                return Some(value.trim());
            }
            rest = tail;
        }
        None
    }
}
