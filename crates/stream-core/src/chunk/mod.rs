//! Pieces of a program: cut at line boundaries, prepared ahead of need, delivered in order.
//!
//! A [`Cutter`] takes file bytes in any split and gives [`RawChunk`]s; a [`ChunkSizer`] tells it how long they should
//! be. A [`Chain`](crate::wire::Chain) turns each into a [`Prepared`], several at once if you like, because a chunk
//! carries all it needs to know about the lines before it. [`Continuity`] proves that they are delivered in order,
//! and [`ChunkStats`] sums them up.

mod border;
mod cutter;
mod modes;
mod motion;
mod prepared;
mod raw;
mod sizer;
mod stats;

pub use cutter::{CutError, Cutter};
pub use modes::{DistanceMode, FeedMode, Modes};
pub use prepared::{Buffers, Class, Prepared, Stop, WireLine};
pub(crate) use prepared::{Draft, Weight};
pub use raw::{Continuity, Gap, RawChunk};
pub use sizer::{
    Bounds, ChunkSizer, InvalidBounds, MemoryRule, MemoryUse, RAPID_MM_PER_MIN, ReadMode, Strategy,
    memory_adjusted,
};
pub use stats::ChunkStats;
