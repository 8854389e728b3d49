//! The one task that drives a [streamer](feedhold_stream_core::Streamer) over a [link](feedhold_transport::Link) with a
//! [store](feedhold_checkpoint::Store).
//!
//! [`vet`] reads a file from end to end before anything moves: every line of it can be sent, or is named with the reason why not.
//! [`open`] connects and waits until the controller has proved itself alive and idle. [`Handle::run`] streams a [`Job`] and tells
//! at its end how it went. Meanwhile clones of the [`Handle`] steer ([`pause`](Handle::pause), [`resume`](Handle::resume),
//! [`cancel`](Handle::cancel), [`reset`](Handle::reset), overrides, single lines), look in ([`Handle::snapshot`]) and listen
//! ([`Handle::events`]).
//!
//! What the session promises:
//!
//! * **One owner.** The task owns streamer, link and store; everybody else sends wishes and gets replies. A subscriber that lags is
//!   told so, and a slow disk or browser never slows the machine.
//! * **The send lease.** With a store, no line leaves before a [`Record`] that names a ceiling beyond it is durable. When records
//!   cannot be written any more, the machine finishes what it was sent and rests.
//! * **No motion without a wish.** Nothing that moves the machine is sent on connect, after a reconnect, during a pause however long
//!   it lasts, or behind a reset: lines that were on their way out are dropped.
//! * **A job never hangs in silence.** A lost link, an alarm, a mute controller, a changed file and a full disk all end in an
//!   [`Outcome`] that says on whose [side](Cause) it failed and which lines are in doubt. A link is opened again as often as the
//!   policy of the [`Config`] says, for the next job.
//!
//! ```
//! use std::sync::Arc;
//!
//! use feedhold_session::{Config, Ending, Job, open, vet};
//! use feedhold_stream_core::{dialect::Dialect, streamer, wire::{Chain, ChainConfig}};
//! use feedhold_transport::{Sequence, memory::duplex};
//! # use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! # async fn machine(mut cable: feedhold_transport::memory::MemoryPeer) {
//! #     let mut byte = [0];
//! #     let mut line = Vec::new();
//! #     while cable.read_exact(&mut byte).await.is_ok() {
//! #         line.push(byte[0]);
//! #         let answer: &[u8] = match line.as_slice() {
//! #             b"?" => b"<Idle|MPos:0.000,0.000,0.000|FS:0,0>\r\n",
//! #             b"$I\n" => b"[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\nok\r\n",
//! #             [.., b'\n'] => b"ok\r\n",
//! #             _ => continue,
//! #         };
//! #         line.clear();
//! #         cable.write_all(answer).await.unwrap();
//! #     }
//! # }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("square.gcode");
//! std::fs::write(&path, "G21\nG1 X10 F600\nG1 Y10\nG1 X0\nG1 Y0\n")?;
//! let chain = Arc::new(Chain::new(ChainConfig::new(Dialect::Grbl)));
//! let vetted = vet(&path, &chain, |_| true)?;
//!
//! let (link, cable) = duplex(256);
//! tokio::spawn(machine(cable)); // a controller that answers `ok`
//! let config = Config::new(streamer::Config::new(Dialect::Grbl));
//! let session = open(Box::new(Sequence::once(link)), config).await?;
//! let outcome = session.run(Job::new(vetted, chain)).await?;
//! assert_eq!(outcome.ending, Ending::Finished);
//! assert_eq!(outcome.positions.executed, 5);
//! # Ok(())
//! # }
//! ```
//!
//! | module of the field's features | here |
//! |---|---|
//! | streamer with start, pause, resume, stop | [`Handle`] |
//! | events of chunks, pauses, checkpoints, memory | [`Event`] on a bounded broadcast |
//! | status | [`Snapshot`] |
//! | checkpoints | [`Record`], [`CheckpointInterval`] |
//! | program stops | [`StopPolicy`] |

pub mod conduct;
mod config;
mod content;
mod event;
mod handle;
pub mod history;
pub mod index;
mod keeper;
mod prospect;
mod rates;
mod record;
mod snapshot;
mod source;
mod task;
mod vet;

pub use config::{Config, Inquiry, StopAction, StopPolicy};
pub use event::{Event, Heater, Progress, Status};
pub use feedhold_stream_core::lease::CheckpointInterval;
pub use handle::{
    Cause, Ending, Handle, Job, OpenError, Outcome, RunError, WishError, open, open_with,
};
pub use prospect::{Doubtful, prospect};
pub use record::{Controller, FileIdentity, Reason, Record, Setup};
pub use snapshot::{PauseStats, Snapshot, State};
pub use source::SourceError;
pub use vet::{Vetted, Vetting, vet, vet_again};
