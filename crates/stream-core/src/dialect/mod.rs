//! What controllers say and how they want to be spoken to.
//!
//! [`Dialect`] holds the figures and command lines of a firmware family as data;
//! [`ResponseReader`] turns its bytes into [`Response`]s without allocating.
//!
//! ```
//! use feedhold_stream_core::dialect::{Dialect, MachineState, Response, ResponseReader};
//!
//! let mut reader = ResponseReader::new(Dialect::Grbl);
//! let mut idle = false;
//! let mut answers = 0;
//! // However the link cuts the bytes, the responses are the same.
//! for piece in [b"<Idle|MPos:1.0".as_slice(), b"00,2.000,0.000|FS:0,0>\r\no", b"k\r\nerror:20\r\n"] {
//!     let mut input = piece;
//!     while let Some(response) = reader.next(&mut input) {
//!         answers += usize::from(response.answers_line());
//!         if let Response::Status(report) = response {
//!             idle = report.state == MachineState::Idle;
//!         }
//!     }
//! }
//! assert!(idle);
//! assert_eq!(answers, 2);
//! ```

mod codes;
mod error;
mod grbl;
mod marlin;
mod position;
mod reader;
mod realtime;
mod response;
mod scan;
mod status;
mod temperature;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use feedhold_gcode_parse::Flavor;

pub use crate::retry::{Classify, Disposition};
pub use error::{Alarm, Fatal, GrblError, MachineError, MarlinError, MarlinErrorKind};
pub use position::{AxisValues, Coordinates, MAX_AXES};
pub use reader::{MAX_RESPONSE, ResponseReader, Tally};
pub use realtime::{OverrideStep, RapidRate, RealtimeCommand};
pub use response::{
    Ack, Banner, Busy, Firmware, HostAction, OffsetKind, Offsets, PositionReport, ProbeResult,
    Response, Setting, Variant,
};
pub use status::{Letters, MachineState, Overrides, StatusReport};
pub use temperature::{Heater, Reading, Temperatures, Waiting};

/// A firmware family that is spoken to in the same way. Parses from and displays as the
/// [`name`](Self::name) users type.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// grbl 1.1 and its relatives (grblHAL, FluidNC).
    Grbl,
    /// Marlin 2.
    Marlin,
}

impl Dialect {
    /// How this firmware reads the bytes of a line.
    #[must_use]
    pub fn flavor(self) -> Flavor {
        match self {
            Self::Grbl => Flavor::Grbl,
            Self::Marlin => Flavor::Marlin,
        }
    }

    /// The name users type: `grbl`, `marlin`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Grbl => "grbl",
            Self::Marlin => "marlin",
        }
    }

    /// Size of the receive buffer to assume until the controller tells its own, bytes.
    #[must_use]
    pub fn default_rx(self) -> usize {
        128
    }

    /// Bytes that may be unanswered in a receive buffer of `rx` bytes: one less, because a ring
    /// that reports itself full can lose the byte that fills it.
    #[must_use]
    pub fn window_bytes(self, rx: usize) -> usize {
        rx.saturating_sub(1)
    }

    /// Lines the controller parks before it stops reading, where it counts lines and not bytes
    /// (Marlin's `BUFSIZE`).
    #[must_use]
    pub fn command_slots(self) -> Option<usize> {
        match self {
            Self::Grbl => None,
            Self::Marlin => Some(4),
        }
    }

    /// Longest line the controller takes whole, bytes without the line end; for Marlin the frame
    /// of line number and checksum counts.
    #[must_use]
    pub fn max_line(self) -> usize {
        match self {
            Self::Grbl => 79,
            Self::Marlin => 95,
        }
    }

    /// Usable planner blocks of a stock build.
    #[must_use]
    pub fn planner_blocks(self) -> usize {
        15
    }

    /// By how many blocks execution may trail the last answer on a stock build of grbl 1.1 or
    /// Marlin 2. Relatives with larger buffers trail by more: see [`Variant::lag_blocks`].
    #[must_use]
    pub fn lag_blocks(self) -> usize {
        let stock = match self {
            Self::Grbl => Variant::Grbl,
            Self::Marlin => Variant::Marlin,
        };
        stock.lag_blocks(None)
    }

    /// Whether an empty line gets an `ok`. On Marlin it gets silence.
    #[must_use]
    pub fn answers_blank_lines(self) -> bool {
        self == Self::Grbl
    }

    /// The bytes of a realtime command, `None` where the firmware has none.
    ///
    /// Marlin acts on its own (`M112`, `M410`, `M108`) at once only if it was built with the
    /// capability [`realtime_capability`](Self::realtime_capability) names; otherwise they are
    /// lines like others and wait behind a full queue.
    #[must_use]
    pub fn realtime(self, command: RealtimeCommand) -> Option<&'static [u8]> {
        realtime::bytes(self, command)
    }

    /// The capability without which [`realtime`](Self::realtime) must not be used.
    #[must_use]
    pub fn realtime_capability(self) -> Option<&'static str> {
        match self {
            Self::Grbl => None,
            Self::Marlin => Some("EMERGENCY_PARSER"),
        }
    }

    /// Whether the controller takes this byte out of the stream wherever it stands, comments
    /// included: such a byte in a program acts on the machine, or vanishes and spoils the count.
    ///
    /// For the grbl family that is the union of what grbl 1.1, grblHAL and FluidNC take. Marlin drops the backslash before it sums
    /// a line, so that no checksum fits; in a comment it does no harm.
    #[must_use]
    pub fn eats(self, byte: u8) -> bool {
        match self {
            Self::Grbl => {
                matches!(byte, b'?' | b'!' | b'~' | 0x80..)
                    || (byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r'))
            }
            Self::Marlin => byte == b'\\',
        }
    }

    /// A line whose `ok` proves that all motion before it is finished.
    #[must_use]
    pub fn barrier(self) -> &'static [u8] {
        match self {
            Self::Grbl => b"G4 P0.01",
            Self::Marlin => b"M400",
        }
    }

    /// The line that homes the machine.
    #[must_use]
    pub fn home(self) -> &'static [u8] {
        match self {
            Self::Grbl => b"$H",
            Self::Marlin => b"G28",
        }
    }

    /// The line that clears an alarm without homing; Marlin's clears a stop.
    #[must_use]
    pub fn unlock(self) -> &'static [u8] {
        match self {
            Self::Grbl => b"$X",
            Self::Marlin => b"M999",
        }
    }

    /// The line that asks who the controller is and how large its buffers are.
    #[must_use]
    pub fn identify(self) -> &'static [u8] {
        match self {
            Self::Grbl => b"$I",
            Self::Marlin => b"M115",
        }
    }

    /// The same as the first line of a conversation. Behind the rest of a line that an earlier one has left in the controller's buffer
    /// it makes that rest invalid instead of running it: no line of Marlin has this checksum, and one without a number is not checked.
    #[must_use]
    pub fn identify_first(self) -> &'static [u8] {
        match self {
            Self::Grbl => self.identify(),
            Self::Marlin => b"M115*999",
        }
    }

    /// The line that lists the settings.
    #[must_use]
    pub fn list_settings(self) -> &'static [u8] {
        match self {
            Self::Grbl => b"$$",
            Self::Marlin => b"M503",
        }
    }

    /// The line that asks for the position, where no realtime command does.
    #[must_use]
    pub fn report_position(self) -> Option<&'static [u8]> {
        match self {
            Self::Grbl => None,
            Self::Marlin => Some(b"M114 R"),
        }
    }

    /// The line that asks for the modal state (`[GC:…]`).
    #[must_use]
    pub fn report_modal_state(self) -> Option<&'static [u8]> {
        match self {
            Self::Grbl => Some(b"$G"),
            Self::Marlin => None,
        }
    }

    /// The line that lists offsets and stored positions.
    #[must_use]
    pub fn list_offsets(self) -> Option<&'static [u8]> {
        match self {
            Self::Grbl => Some(b"$#"),
            Self::Marlin => None,
        }
    }

    /// The line that switches check mode over.
    #[must_use]
    pub fn toggle_check_mode(self) -> Option<&'static [u8]> {
        match self {
            Self::Grbl => Some(b"$C"),
            Self::Marlin => None,
        }
    }

    /// Reads one response line without its end. An `ok T:…` line gives the `ok` only; a
    /// [`ResponseReader`] gives both.
    #[must_use]
    pub fn read_line(self, line: &[u8]) -> Response<'_> {
        reader::read(self, line)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, UnknownDialect> {
        let known = [Self::Grbl, Self::Marlin];
        let named = known
            .into_iter()
            .find(|d| d.name().eq_ignore_ascii_case(text));
        named.ok_or_else(|| UnknownDialect {
            given: text.to_owned(),
        })
    }
}

/// No dialect has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no dialect {given:?}; use grbl (also for grblHAL and FluidNC) or marlin")]
pub struct UnknownDialect {
    /// What was given.
    pub given: String,
}
