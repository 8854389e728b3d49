//! Controllers behind a wire, as sans-IO models in virtual time.

mod config;
mod controller;
mod digest;
mod fault;
mod grbl;
mod log;
mod marlin;
mod motion;
mod null;
mod rng;
#[cfg(feature = "serve")]
pub mod serve;
mod simulator;
mod wire;

pub use config::{Config, ConfigError, ControllerKind, MotionModel, OnOpen, Pace};
pub use controller::{Snapshot, State, Touch};
pub use digest::Digest;
pub use fault::{FaultPlan, Harm, Mishap, ParseFaultError, RandomFault, Scheduled, Struck, When};
pub use log::{Arc, Coolant, Entry, Kind, LogMode, MotionLog};
pub use simulator::Simulator;
pub use wire::{RxStats, WIRE_CAPACITY};
