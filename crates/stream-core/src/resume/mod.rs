//! Going on where a job stopped, as far as it can be thought through without a file, a clock or a machine.
//!
//! Behind a crash the record names an interval of lines in doubt. A controller that stayed alive can settle it: [`Facts`] are what
//! it says when the link comes up again, an [`Interval`] is what may have been executed, and [`locate`] finds the one line that
//! both agree on, or refuses.
//!
//! Everything else is a machining operation: the machine has to be where the program expects it, with everything in force that
//! earlier lines have set, and it has to get there without touching the part. A [`Tracker`] follows the program and knows what is
//! in force at a line; a [`Plan`] says how the machine gets there, as G-code that an operator can read before anything moves; a
//! [`Refusal`] says why there is no way.

mod approach;
mod bytes;
mod candidate;
mod facts;
mod interval;
mod locate;
mod plan;
mod refusal;
mod standing;
#[cfg(test)]
mod tests;
mod tracker;

pub use approach::{Approach, Footing, Homing, Tool, ToolTable};
pub use candidate::footing;
pub use facts::{Baseline, ControllerIdentity, Facts, SYSTEMS, StoredOffsets};
pub use interval::{Candidate, Interval, LineEffect, NumberAnchor};
pub use locate::{Located, Proof, check_stored_offsets, locate};
pub use plan::{Ahead, InDoubt, Next, Plan, RangeError, Step};
pub use refusal::{Doubt, Refusal};
pub use tracker::{Placed, Tracker};

pub(crate) use standing::Standing;

use approach::number;
