//! A durable ring of checkpoint records that survives crashes, torn writes and full disks.
//!
//! A job that takes hours must know where it stood after a crash, and it must not be told a lie: a
//! checkpoint that was acknowledged and is then forgotten makes a machine cut twice. So this crate
//! makes one promise. When [`Store::commit`] returns, the record survives a power cut, and every
//! later [`Store::open`] offers it or a newer one, or refuses and says why.
//!
//! ```
//! use feedhold_checkpoint::{Config, Opened, Store};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, PartialEq, Debug)]
//! struct Progress { executed: u64, ceiling: u64 }
//!
//! let dir = tempfile::tempdir()?;
//! let mut store = Store::create(dir.path(), &Config::new())?;
//! store.commit(&Progress { executed: 0, ceiling: 5_000 })?;
//! store.commit(&Progress { executed: 4_200, ceiling: 10_000 })?;
//! drop(store); // or the process is killed, or the power fails
//!
//! let Opened { mut store, warnings } = Store::<Progress>::open(dir.path(), &Config::new())?;
//! assert!(warnings.is_empty());
//! assert_eq!(store.latest(), Some(&Progress { executed: 4_200, ceiling: 10_000 }));
//! store.finish()?; // durable too: a finished job is never offered for resuming
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it does not promise
//!
//! Nothing helps against a disk that reports a sync and saves nothing. And if both copies of the
//! newest record, and nothing else, rot after they were acknowledged, that looks like a torn write:
//! the record before is offered, with [`Warning::Torn`].
//!
//! # How it works
//!
//! One file of 512 KiB, preallocated, zero-filled, never grown: two regions of 64 slots of 4 KiB.
//! Each record goes to the same slot of both regions, then one sync. The record after it goes to
//! the next slot, so a write that is torn by a power cut never touches the record before it. Two
//! copies, because one copy cannot tell a torn write (never acknowledged, so going back one record
//! is right) from a bit that rotted later (going back would repeat motion). The bytes are described
//! in `docs/checkpoint-format.md`.
//!
//! With the cargo feature `compression`, which is off by default, a store may be asked to compress
//! its records. Without it such a file is refused, with words that say so.
//!
//! Where the bytes live is a [`Backend`](backend::Backend): a [`File`](backend::File), plain
//! [`Memory`](backend::Memory), or [`Faulty`](backend::Faulty), a disk that loses power, tears
//! writes and lies about syncs on command.

mod codec;
mod config;
mod error;
mod finding;
mod frame;
mod job_dir;
mod layout;
mod load;
#[cfg(feature = "compression")]
mod packing;
mod payload;
mod retention;
mod store;
mod survey;

pub mod backend;
pub mod inspect;

pub use config::Config;
pub use error::{
    CodecError, CommitError, ConfigError, CreateError, ListError, LockError, OpenError, Poison,
    QuarantineError, RemoveError,
};
pub use finding::{Damage, Unsupported, Warning};
pub use frame::{FormatVersion, MAX_PAYLOAD};
pub use inspect::{Inspection, inspect};
pub use job_dir::quarantine;
pub use layout::{Generation, IMAGE_LEN, Region, SLOT_LEN, SLOTS, StoreId};
pub use load::{Peek, peek};
#[cfg(feature = "compression")]
pub use packing::MAX_UNPACKED;
pub use retention::{Expired, KEEP_FINISHED, Removed, expired};
pub use store::{Entry, History, Opened, Store};
