//! The one task that drives a streamer over a link with a checkpoint store.
//!
//! [`open`] connects and returns a [`Handle`]; [`vet`] reads a file from end to end before anything moves; [`Handle::run`] streams
//! it. The task owns the streamer, the link and the store; everybody else sends wishes and hears events. A subscriber that lags, a
//! slow disk or a slow browser never slows the machine.

mod config;
mod event;
mod handle;
mod keeper;
mod lease;
mod rates;
mod record;
mod snapshot;
mod source;
mod task;
mod vet;

pub use config::{CheckpointInterval, Config, StopAction, StopPolicy};
pub use event::{Event, Heater, Progress, Status};
pub use handle::{
    Cause, Ending, Handle, Job, OpenError, Outcome, RunError, WishError, open, open_with,
};
pub use record::{FileIdentity, Reason, Record};
pub use snapshot::{PauseStats, Snapshot, State};
pub use source::SourceError;
pub use vet::{Vetted, Vetting, vet};
