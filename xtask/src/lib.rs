//! G-code made by rule: programs of any size for tests and benchmarks, and the sample jobs in
//! `examples/`.
//!
//! Large inputs are never committed; they are made when they are needed, the same bytes for the same
//! kind, seed and size. A [`gcode::Program`] is a reader, so that a test can stream gigabytes
//! without a file:
//!
//! ```
//! use std::io::Read;
//! use xtask::gcode::{Kind, Program};
//!
//! let mut text = String::new();
//! Program::endless(Kind::Print, 7, 20_000)?.read_to_string(&mut text)?;
//! assert!(text.len() >= 20_000 && text.ends_with('\n'));
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod gcode;
