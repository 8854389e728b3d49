use std::time::Duration;

use crate::fault::FaultPlan;
use crate::log::LogMode;
use crate::{grbl, marlin};

mod params;
#[cfg(test)]
mod tests;

pub use params::ConfigError;

/// Everything that can be chosen about a simulated machine; made in code or, with
/// [`Config::from_params`], from the parameters of an address such as `sim:grbl?baud=115200&seed=1`.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub(crate) controller: ControllerKind,
    pub(crate) baud: Option<u32>,
    pub(crate) latency: Duration,
    pub(crate) rx: Option<usize>,
    pub(crate) seed: u64,
    pub(crate) motion: MotionModel,
    pub(crate) log: LogMode,
    pub(crate) pace: Pace,
    pub(crate) on_open: OnOpen,
    pub(crate) faults: FaultPlan,
    pub(crate) grbl: grbl::Options,
    pub(crate) marlin: marlin::Options,
}

/// Which firmware is behind the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControllerKind {
    /// grbl 1.1 on a three-axis mill.
    #[default]
    Grbl,
    /// Marlin 2 on a printer.
    Marlin,
    /// Takes every line at once and moves nothing.
    Null,
}

/// How motion takes time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MotionModel {
    /// Planned with look-ahead and executed with acceleration.
    #[default]
    Planned,
    /// Every motion ends in the instant it is planned, so that only the wire is a limit.
    Instant,
}

/// How virtual time follows the clock on the wall, for whoever serves the machine to a real host;
/// the sans-IO [`Simulator`](crate::Simulator) has no use for it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Pace {
    /// So many virtual seconds a second; 1 is real time.
    Realtime(f64),
    /// As fast as it goes: time jumps to the next event whenever the host has nothing to say, and
    /// stands still while the machine has no work.
    Max,
}

/// What opening the port does to the board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnOpen {
    /// Nothing: DTR is not wired to the reset pin, or the host leaves it alone.
    #[default]
    Keep,
    /// The board restarts, as Arduino boards do.
    Reset,
}

impl Default for Config {
    fn default() -> Self {
        Self::new(ControllerKind::default())
    }
}

impl Config {
    /// A machine of this kind with an unlimited wire, real motion in real time and no faults.
    #[must_use]
    pub fn new(controller: ControllerKind) -> Self {
        Self {
            controller,
            baud: None,
            latency: Duration::ZERO,
            rx: None,
            seed: 0,
            motion: MotionModel::Planned,
            log: LogMode::Digest,
            pace: Pace::Realtime(1.0),
            on_open: OnOpen::Keep,
            faults: FaultPlan::none(),
            grbl: grbl::Options::default(),
            marlin: marlin::Options::default(),
        }
    }

    /// Which firmware.
    #[must_use]
    pub fn controller(&self) -> ControllerKind {
        self.controller
    }

    /// How fast time should pass.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// What opening the port should do to the board.
    #[must_use]
    pub fn on_open(&self) -> OnOpen {
        self.on_open
    }

    /// Bits a second on the wire both ways, 10 bits a byte; `None` has no limit.
    #[must_use]
    pub fn with_baud(mut self, baud: Option<u32>) -> Self {
        self.baud = baud.filter(|baud| *baud > 0);
        self
    }

    /// Time each byte spends in the host's driver, each way.
    #[must_use]
    pub fn with_latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Seeds every random draw; the same seed and the same traffic give the same run.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How motion takes time.
    #[must_use]
    pub fn with_motion(mut self, motion: MotionModel) -> Self {
        self.motion = motion;
        self
    }

    /// What the log keeps.
    #[must_use]
    pub fn with_log(mut self, log: LogMode) -> Self {
        self.log = log;
        self
    }

    /// How fast time should pass when served.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// What goes wrong.
    #[must_use]
    pub fn with_faults(mut self, faults: FaultPlan) -> Self {
        self.faults = faults;
        self
    }
}
