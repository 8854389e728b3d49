//! From a line of the file to a line on the wire: one visible chain.
//!
//! A [`Chain`] takes a [`RawChunk`](crate::chunk::RawChunk) through the steps of [`Step`], in that order, and gives a
//! [`Prepared`](crate::chunk::Prepared) or [`Refusals`] that name each place and its remedy:
//!
//! 1. **decode** – text at all? NUL and control bytes are refused, a byte order mark goes;
//! 2. **strip** – comments go, and in them every byte the controller would act on; outside them such bytes are
//!    refused;
//! 3. **block delete** – `/` lines are dropped, or sent without their `/`;
//! 4. **line number** – checksums are verified and go, `N` words stay or go;
//! 5. **codes** – words skipped by name go, what the dialect does not have is refused;
//! 6. **fit** – a line that is too long even without blanks is refused;
//! 7. **pack** – what says nothing goes;
//! 8. **classify** – how the line may be sent.
//!
//! Blank results vanish; lines keep the number they have in the file. Numbers are never printed: what stands on the
//! wire is always a part of the source text. A [`Proof`] interprets source and wire text side by side and finds any
//! packing that changed something before a byte of it leaves.
//!
//! [`Chain::trace`] shows one line after each step.

mod chain;
mod classify;
mod codes;
mod config;
mod decode;
mod fit;
mod lossless;
mod note;
mod number;
mod pack;
mod proof;
mod refusal;
mod skip;
mod strip;
mod trace;
mod way;
mod words;

pub use chain::{Chain, Step};
pub(crate) use classify::class_of;
pub use config::{
    BlockDelete, ChainConfig, InvalidLimit, InvalidWordName, LineNumbers, Pack, UnknownChoice,
    WordName,
};
pub use note::{Note, NoteKind, Notes};
pub use proof::{Difference, NotEqual, Proof};
pub use refusal::{Refusal, RefusalCode, Refusals};
pub use trace::{Outcome, StepTrace, Trace};
pub(crate) use way::LooseWay;
