//! Errors, alarms and last words of controllers.

use std::fmt;

use super::codes::{self, Entry};
use super::temperature::Heater;
use crate::retry::{Classify, Disposition};

/// A line, or the wire itself, was refused.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MachineError<'a> {
    /// `error:N`: the line it answers was consumed and **not** executed; the lines behind it run on.
    Grbl(GrblError),
    /// `error:` with words instead of a number, as relatives and old versions send. Answers a line.
    Unnumbered(&'a str),
    /// `Error:…` of Marlin. Never answers a line.
    Marlin(MarlinError<'a>),
}

impl MachineError<'_> {
    /// Whether this statement stands for the `ok` of its line.
    #[must_use]
    pub fn answers_line(&self) -> bool {
        !matches!(self, Self::Marlin(_))
    }

    /// What the operator can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Grbl(error) => error.remedy(),
            Self::Unnumbered(_) => "look the message up in the controller's manual",
            Self::Marlin(error) => error.kind.remedy(),
        }
    }
}

impl fmt::Display for MachineError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grbl(error) => error.fmt(f),
            Self::Unnumbered(text) => write!(f, "error: {text}"),
            Self::Marlin(error) => error.fmt(f),
        }
    }
}

impl Classify for MachineError<'_> {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Grbl(error) => error.disposition(),
            Self::Unnumbered(_) => Disposition::Hold,
            Self::Marlin(error) => error.kind.disposition(),
        }
    }
}

/// A numbered error of the grbl family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrblError(pub u16);

impl GrblError {
    /// The number behind `error:`.
    #[must_use]
    pub fn code(self) -> u16 {
        self.0
    }

    /// What happened, in a few words.
    #[must_use]
    pub fn text(self) -> &'static str {
        self.entry()
            .map_or("an error that grbl 1.1 does not have", |entry| entry.text)
    }

    /// What the operator can do about it.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        self.entry()
            .map_or("look the number up in the controller's manual", |entry| {
                entry.remedy
            })
    }

    fn entry(self) -> Option<&'static Entry> {
        codes::find(codes::ERRORS, self.0)
    }
}

impl fmt::Display for GrblError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error:{}: {}", self.0, self.text())
    }
}

impl Classify for GrblError {
    fn disposition(&self) -> Disposition {
        self.entry()
            .map_or(Disposition::Hold, |entry| entry.disposition)
    }
}

/// A numbered alarm of the grbl family: the machine stopped and is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alarm(pub u16);

impl Alarm {
    /// An alarm that came with words instead of a number, as versions before 1.1 send.
    pub const UNNUMBERED: Self = Self(0);

    /// The number behind `ALARM:`.
    #[must_use]
    pub fn code(self) -> u16 {
        self.0
    }

    /// What happened, in a few words.
    #[must_use]
    pub fn text(self) -> &'static str {
        self.entry()
            .map_or("an alarm that grbl 1.1 does not have", |entry| entry.text)
    }

    /// What the operator can do about it.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        self.entry().map_or(
            "look the number up in the controller's manual, then home the machine",
            |entry| entry.remedy,
        )
    }

    /// Whether the machine may no longer know where it is, so that it must be homed. Unknown
    /// alarms count.
    #[must_use]
    pub fn loses_position(self) -> bool {
        codes::loses_position(self.0)
    }

    /// Whether the controller answers nothing but `?` and a reset until it gets a reset.
    #[must_use]
    pub fn needs_reset(self) -> bool {
        codes::needs_reset(self.0)
    }

    /// Whether the line that caused it is answered as well (a failed probe is).
    #[must_use]
    pub fn answers_its_line(self) -> bool {
        matches!(self.0, 4 | 5)
    }

    fn entry(self) -> Option<&'static Entry> {
        codes::find(codes::ALARMS, self.0)
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ALARM:{}: {}", self.0, self.text())
    }
}

impl Classify for Alarm {
    fn disposition(&self) -> Disposition {
        Disposition::Abort
    }
}

/// An `Error:` line of Marlin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MarlinError<'a> {
    /// What it means.
    pub kind: MarlinErrorKind,
    /// The last line the firmware took, where it says so.
    pub last_line: Option<u64>,
    /// The words behind `Error:`.
    pub text: &'a str,
}

impl fmt::Display for MarlinError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error:{}", self.text)
    }
}

/// The classes of Marlin's errors.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MarlinErrorKind {
    /// The line number is not the last one plus one. `Resend:` follows.
    LineNumber,
    /// Checksum and bytes differ. `Resend:` follows.
    ChecksumMismatch,
    /// A line number without a checksum. `Resend:` follows.
    NoChecksum,
    /// A checksum without a line number (older versions). `Resend:` follows.
    NoLineNumber,
    /// An axis must be homed first; the command was not executed.
    NotHomed,
    /// The hotend is too cold; the extrusion was left out.
    ColdExtrusion,
    /// Wrong words in a G2 or G3; the arc was not executed.
    Arc,
    /// Homing failed.
    Homing,
    /// Probing failed.
    Probing,
    /// Filament ran out or is jammed.
    Filament,
    /// The SD card.
    SdCard,
    /// Settings could not be stored or read.
    Eeprom,
    /// Stopped by an earlier error; `M999` goes on.
    Stopped,
    /// Anything else.
    Other,
}

impl MarlinErrorKind {
    /// Whether the firmware asks for the line again, so that nothing is lost.
    #[must_use]
    pub fn asks_resend(self) -> bool {
        matches!(
            self,
            Self::LineNumber | Self::ChecksumMismatch | Self::NoChecksum | Self::NoLineNumber
        )
    }

    /// What the operator can do about it.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::LineNumber | Self::ChecksumMismatch | Self::NoChecksum | Self::NoLineNumber => {
                "the line is sent again; if it happens often, check cable, grounding and baud rate"
            }
            Self::NotHomed => "home the machine (G28) before the program moves it",
            Self::ColdExtrusion => {
                "heat the hotend before extruding, or check its target in the program"
            }
            Self::Arc => "check the I, J and R words of the arc",
            Self::Homing => "check the endstops and that the axis moves freely",
            Self::Probing => "check that the probe is deployed and wired",
            Self::Filament => "load filament, then resume",
            Self::SdCard => "check the card",
            Self::Eeprom => "store the settings again (M502, M500)",
            Self::Stopped => "fix the cause, then send M999 or reset the controller",
            Self::Other => "look the message up in the Marlin documentation",
        }
    }
}

impl Classify for MarlinErrorKind {
    fn disposition(&self) -> Disposition {
        if self.asks_resend() {
            return Disposition::Retry;
        }
        match self {
            Self::Stopped | Self::Homing | Self::Probing => Disposition::Abort,
            _ => Disposition::Hold,
        }
    }
}

/// The firmware's last words: heaters are off and only a reset helps.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fatal {
    /// A heater did not get warmer.
    HeatingFailed(Heater),
    /// A heater lost its temperature.
    ThermalRunaway(Heater),
    /// A sensor reads too hot.
    MaxTemp(Heater),
    /// A sensor reads too cold, or its wire is broken.
    MinTemp(Heater),
    /// A sensor behaves impossibly.
    Malfunction(Heater),
    /// `kill()` was called, for example by M112.
    Halted,
}

impl Fatal {
    /// What the operator can do about it.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::HeatingFailed(_) | Self::ThermalRunaway(_) => {
                "check that heater and sensor are seated and wired, then reset the controller"
            }
            Self::MaxTemp(_) | Self::MinTemp(_) | Self::Malfunction(_) => {
                "check the sensor and its wire, then reset the controller"
            }
            Self::Halted => "reset the controller, then home it",
        }
    }
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeatingFailed(heater) => write!(f, "heating failed ({heater})"),
            Self::ThermalRunaway(heater) => write!(f, "thermal runaway ({heater})"),
            Self::MaxTemp(heater) => write!(f, "temperature too high ({heater})"),
            Self::MinTemp(heater) => write!(f, "temperature too low ({heater})"),
            Self::Malfunction(heater) => write!(f, "temperature sensor malfunction ({heater})"),
            Self::Halted => f.write_str("the firmware halted"),
        }
    }
}

impl Classify for Fatal {
    fn disposition(&self) -> Disposition {
        Disposition::Abort
    }
}
