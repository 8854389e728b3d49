//! Going on where a job stopped, as far as it can be thought through without a file, a clock or a machine.
//!
//! Resuming is a machining operation: the machine has to be where the program expects it, with everything in force that earlier
//! lines have set, and it has to get there without touching the part. A [`Tracker`] follows the program and knows what is in force
//! at a line; a [`Plan`] says how the machine gets there, as G-code that an operator can read before anything moves; a [`Refusal`]
//! says why there is no way.

mod approach;
mod plan;
mod refusal;
mod tracker;

pub use plan::{Ahead, InDoubt, Next, Plan, Step};
pub use refusal::{Doubt, Refusal};
pub use tracker::{Placed, Tracker};
