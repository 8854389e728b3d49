//! Controllers behind a wire, as sans-IO models in virtual time.

mod config;
mod controller;
mod fault;
mod grbl;
mod log;
mod marlin;
mod motion;
mod null;
mod rng;
mod simulator;
mod wire;

pub use config::{Config, ControllerKind, MotionModel};
pub use controller::{Snapshot, State, Touch};
pub use fault::{FaultPlan, Harm, Mishap, ParseFaultError, RandomFault, Scheduled, Struck, When};
pub use log::{Arc, Coolant, Digest, Entry, Kind, LogMode, MotionLog};
pub use simulator::Simulator;
pub use wire::{RxStats, WIRE_CAPACITY};
