//! G-code as bytes arrive: lines, tokens, blocks, modal state and motion, without a heap.
//!
//! The crate reads programs of any size in pieces of any size. Each layer stands on the one before it and
//! each can be used alone:
//!
//! 1. [`LineReader`] finds lines in whatever slices the caller has, and counts them;
//! 2. [`tokens`] splits one line the way one firmware family ([`Flavor`]) reads it;
//! 3. [`Block`] is a line parsed once: words, line number, checksum, faults with columns;
//! 4. [`Interpreter`] carries [`ModalState`], offsets and position from block to block and gives each
//!    [`Motion`] with its geometry;
//! 5. [`Analyzer`] does all of that for a whole program and keeps the sums: [`Metadata`].
//!
//! Nothing is rounded on the way: a [`Number`] keeps its source text and is converted when somebody asks.
//! Nothing panics and nothing gives up: what cannot be read becomes a [`Fault`] with its column, and the rest
//! of the line is read all the same.
//!
//! ```
//! use feedhold_gcode_parse::{Block, Code, Flavor, LineReader};
//!
//! let mut reader = <LineReader>::new();
//! let mut feed = None;
//! for piece in [&b"G21 (mm)\r"[..], b"\ng01 X10.5 F2", b"50\n"] {
//!     let mut input = piece;
//!     while let Some(line) = reader.next(&mut input) {
//!         let block = Block::parse(Flavor::Grbl, line.text);
//!         if block.has_g(Code::new(1)) {
//!             feed = block.word(b'F').and_then(|word| word.number()).map(|number| number.to_f64());
//!         }
//!     }
//! }
//! assert_eq!(feed, Some(250.0));
//! ```
//!
//! # Features
//!
//! The crate is `no_std`. Features only add: `alloc` brings what collects into vectors, `std` (default)
//! implements `std::io::Write` for the [`Analyzer`], so that files can be copied into it.
//!
//! # Limits
//!
//! Every buffer has its size in its type: a line keeps [`MAX_LINE`] bytes, a block
//! [`MAX_WORDS`](block::MAX_WORDS) words. What is more is counted and reported, never dropped in silence.
//! Expressions are split but not computed, subprograms are seen but not followed, and times are those at the
//! programmed feed: no acceleration is known yet.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod analyze;
pub mod block;
pub mod diagnostic;
pub mod expr;
pub mod flavor;
pub mod interpret;
pub mod line;
mod math;
pub mod modal;
pub mod motion;
pub mod number;
pub mod token;

pub use analyze::{Analyzer, Complexity, Metadata};
pub use block::Block;
pub use diagnostic::{Diagnostic, Finding, Findings, Reason, Severity};
pub use flavor::Flavor;
pub use interpret::{
    AxisOnlyLines, BytesError, Effect, Interpreter, InterpreterBytes, Reference, Stop,
};
pub use line::{Ending, Line, LineReader, MAX_LINE};
pub use modal::{
    Coolant, CoordinateSystem, CutterCompensation, Distance, FeedMode, Group, ModalState,
    MotionMode, Overrides, PathMode, Plane, Probe, Retract, Spindle, SpindleMode, ToolLength,
    Units,
};
pub use motion::{AXES, Arc, ArcError, Axis, Bounds, Motion, MotionKind, Position};
pub use number::{Code, Decimal, Number};
pub use token::{
    Active, Assignment, Comment, CommentKind, Fault, FaultKind, Keyword, Label, OWord, Span, Token,
    Tokens, Value, Word, checksum, tokens,
};

/// The example of the README, so that it stays true.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct Readme;
