//! When to try again, and when to stop trying.
//!
//! Three pieces that know nothing of clocks or links: [`Classify`] tells what a failure calls for,
//! [`RetryPolicy`] how long to wait before which try, [`Breaker`] when so much has failed lately
//! that trying is pointless.
//!
//! What a retry may repeat is not decided here: a line that the controller may have executed is
//! never sent again, whatever the policy says.
//!
//! ```
//! use std::{io, time::Duration};
//! use feedhold_stream_core::retry::RetryPolicy;
//!
//! let policy = RetryPolicy::file();
//! let reset = io::Error::from(io::ErrorKind::ConnectionReset);
//! assert_eq!(policy.delay_after(&reset, 1), Some(Duration::from_millis(500)));
//! assert_eq!(policy.delay_after(&reset, 5), None, "five tries are enough");
//!
//! let denied = io::Error::from(io::ErrorKind::PermissionDenied);
//! assert_eq!(policy.delay_after(&denied, 1), None, "waiting does not help");
//! ```

mod breaker;
mod classify;
mod policy;

pub use breaker::{Breaker, BreakerConfig, BreakerState, Open};
pub use classify::{Classify, Disposition};
pub use policy::{InvalidPolicy, Operation, RetryPolicy};
