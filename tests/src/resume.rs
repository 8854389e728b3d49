//! Whether a job that goes on from any line is the job that was not interrupted.
//!
//! A [`Program`] runs once from its first line to its last on a simulated machine. At chosen lines three things are asked:
//!
//! 1. what the product rebuilds from the file (`stream_core::resume::Tracker`), what the plain oracle says
//!    ([`oracle::modal`](crate::oracle::modal)), and what the machine remembers: the same, field by field;
//! 2. the same machine after a power cut, homed, with the plan's approach run on it: does it remember what the uninterrupted one
//!    remembers?
//! 3. for some of them, the rest of the program run on that machine: the same motions, and the same place at the end?
//!
//! `cargo xtask resume-check` does it at full size.

mod approach;
mod check;
mod fields;
mod finding;
mod machine;
mod program;
mod wild;

pub use check::{Choice, check};
pub use fields::{of_interpreter, of_machine, of_product};
pub use finding::{Checked, Finding, Question};
pub use machine::{Machine, NotTaken};
pub use program::{LoadError, Program};
pub use wild::wild;
