//! grbl and Marlin controllers behind a wire, as sans-IO models in virtual time.
//!
//! A [`Simulator`] is a machine on the other end of a serial cable: bytes go in, bytes come out, and
//! a [`MotionLog`] tells what the machine really did. It never reads a clock and never sleeps: time
//! is a parameter, randomness is a seed, and so a day of machining is a test of milliseconds that
//! goes the same way every time.
//!
//! The models are written from the firmware's documents and from what the firmware was seen to do:
//! where the real thing loses bytes silently, answers twice, stalls while it writes its EEPROM or
//! acts on a byte in a comment, so does this. They plan and step motion with code of their own and
//! know nothing of the host's side, so that a host tested against them is tested against another
//! reading of the protocol than its own.
//!
//! ```
//! use feedhold_simulator::{Config, ControllerKind, LogMode, Simulator};
//!
//! let config = Config::new(ControllerKind::Grbl).with_log(LogMode::Keep { limit: 100 });
//! let mut machine = Simulator::new(config);
//! let mut heard = Vec::new();
//! machine.transmit(machine.now(), &mut heard); // the banner
//!
//! let program = b"G1 X10 F600\nG1 Y5\n";
//! assert_eq!(machine.receive(machine.now(), program), program.len());
//! while let Some(at) = machine.next_event() {
//!     machine.transmit(at, &mut heard);
//! }
//!
//! assert!(heard.ends_with(b"ok\r\nok\r\n"));
//! assert_eq!(machine.snapshot().position, [10.0, 5.0, 0.0, 0.0]);
//! assert_eq!(machine.log().entries().len(), 2);
//! ```
//!
//! - [`Config`] chooses the controller, the wire's speed, faults and more, in code or from the
//!   parameters of an address ([`Config::from_params`]).
//! - [`FaultPlan`] says what goes wrong: lost, garbled, doubled and late answers, resets, stalls,
//!   pulled cables, pressed buttons.
//! - `serve` (feature `serve`, on by default) puts a machine behind any byte stream of tokio's.
//!
//! # The wire
//! Both ways take 10 bits a byte at the baud rate (or no time), and a latency. The controller's
//! receive buffer is bounded and loses silently what it cannot hold: [`Simulator::rx_overflows`]
//! counts that, and [`Simulator::rx_high_water`] shows how near a host came to it.
//!
//! # What the log means
//! One entry a motion **of the program**, in the order of execution; see [`MotionLog`].

mod config;
mod controller;
mod digest;
mod fault;
mod grbl;
mod log;
mod marlin;
mod memory;
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
pub use memory::{Held, Memory};
pub use simulator::Simulator;
pub use wire::{RxStats, WIRE_CAPACITY};
