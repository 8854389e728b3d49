//! What a program means, told by the interpreter alone, and whether a machine's log says the same.
//!
//! The machine's log comes from the simulator, which reads lines with its own rules; the oracle comes
//! from [`feedhold_gcode_parse::Interpreter`]. Neither knows the other, so that a misreading by one of
//! them shows.
//!
//! Both sides are streams: comparing a run of a gigabyte takes some hundred kilobytes.
//!
//! ```
//! use feedhold_gcode_parse::Flavor;
//! use feedhold_tests::oracle::{Program, compare};
//!
//! let program = b"G21 G90\nG1 X10 F600\n";
//! let expected = Program::new(Flavor::Grbl, &program[..]);
//! let error = compare(expected, []).unwrap_err();
//! assert_eq!(error.to_string(), "the machine made 0 motions; line 2 (linear to X10 Y0 Z0 E0) is missing");
//! ```

mod compare;
mod log;
pub mod modal;
mod program;

pub use compare::{Comparison, Field, Mismatch, compare};
pub use log::{LogError, entries};
pub use program::{Motion, Program, Target};

#[cfg(test)]
mod tests;
