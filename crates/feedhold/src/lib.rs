//! Feedhold streams G-code files of any size to machines and never loses its place.
//!
//! This crate is the front door: each layer is a module here, under its own name and never flattened, and on top of them stands
//! [`Job`], which does the usual thing in a few lines. Each layer is a feature as well; without any, the crate is empty.
//!
//! | module | what it is |
//! |---|---|
//! | [`gcode_parse`] | lines, words, blocks, modal state and motion, without a heap |
//! | [`stream_core`] | the engine: windows, dialects, chunks, the wire chain, budgets, retries; no I/O, no clock |
//! | [`transport`] | byte links: serial, TCP, pty, memory; [`Address`](transport::Address) |
//! | [`checkpoint`] | the durable ring of records |
//! | [`session`] | the task that drives an engine over a link with a store |
//! | [`simulator`] | grbl and Marlin controllers in virtual time |
//! | [`machine`] | from an address to a link, simulators included |
//! | [`job`] | a file on its way to a machine |
//! | [`jobs`] | jobs that were begun, and where they are kept |
//! | [`resume`] | going on where a job stopped |
//! | [`sim`] | simulators for other programs, over TCP or a pty |
//!
//! ```
//! use feedhold::{Job, job::Records};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let file = dir.path().join("part.nc");
//! std::fs::write(&file, "G21 G90\nG0 Z5\nG1 X10 F600\nM30\n")?;
//! let job = Job::new(&file, "sim:grbl?speed=max".parse()?).records(Records::Nowhere);
//! let outcome = job.run().await?;
//! assert_eq!((outcome.ending.name(), outcome.lines), ("finished", 4));
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "checkpoint")]
pub use feedhold_checkpoint as checkpoint;
#[cfg(feature = "gcode-parse")]
pub use feedhold_gcode_parse as gcode_parse;
#[cfg(feature = "session")]
pub use feedhold_session as session;
#[cfg(feature = "simulator")]
pub use feedhold_simulator as simulator;
#[cfg(feature = "stream-core")]
pub use feedhold_stream_core as stream_core;
#[cfg(feature = "transport")]
pub use feedhold_transport as transport;

#[cfg(feature = "session")]
mod error;
#[cfg(feature = "session")]
pub mod guess;
#[cfg(feature = "session")]
pub mod job;
#[cfg(feature = "session")]
pub mod jobs;
#[cfg(feature = "session")]
pub mod machine;
#[cfg(feature = "session")]
pub mod resume;
#[cfg(all(feature = "session", feature = "simulator"))]
pub mod sim;

#[cfg(feature = "session")]
pub use error::Error;
#[cfg(feature = "session")]
pub use job::Job;

/// Keeps the examples of both READMEs compiling.
#[cfg(all(doctest, feature = "session"))]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../../../README.md")]
struct Readme;
