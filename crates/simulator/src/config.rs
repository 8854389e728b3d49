use std::time::Duration;

use crate::fault::FaultPlan;
use crate::log::LogMode;
use crate::{grbl, marlin};

/// Everything that can be chosen about a simulated machine. Built by hand or from the parameters of
/// an address such as `sim:grbl?baud=115200&seed=1`.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub(crate) controller: ControllerKind,
    pub(crate) baud: Option<u32>,
    pub(crate) latency: Duration,
    pub(crate) rx: Option<usize>,
    pub(crate) seed: u64,
    pub(crate) motion: MotionModel,
    pub(crate) log: LogMode,
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

impl Config {
    /// A machine of this kind with an unlimited wire, real motion and no faults.
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
            faults: FaultPlan::none(),
            grbl: grbl::Options::default(),
            marlin: marlin::Options::default(),
        }
    }
}
