//! Pieces of a program: cut at line boundaries, prepared ahead of need, delivered in order.

mod prepared;

pub use prepared::{Buffers, Class, Prepared, Stop, WireLine};
pub(crate) use prepared::{Draft, Weight};
