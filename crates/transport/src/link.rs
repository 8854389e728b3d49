//! The one trait everything above this crate speaks to.

use std::io;

use async_trait::async_trait;
use bytes::BytesMut;

/// An open link to a machine: bytes out, bytes in, until it is lost.
///
/// Object safe, so that a session can own a `Box<dyn Link>` whatever carries the bytes.
#[async_trait]
pub trait Link: Send {
    /// Moves bytes both ways until something has happened.
    ///
    /// Writes as much of `out` as the link takes at once and appends what arrived to `inbox`. Returns as soon as at least one
    /// byte has moved in either direction; with an empty `out` it waits for input alone. Neither direction starves the other:
    /// each is tried once whenever the link wakes up.
    ///
    /// Cancel safe: when the future is dropped before it is ready, no byte of `out` was written and no byte was taken from the
    /// link. The caller therefore advances its transmit buffer by [`Exchanged::written`] and by nothing else.
    ///
    /// `inbox` grows by a bounded amount per call ([`READ_LIMIT`](crate::READ_LIMIT) for the links of this crate); how much it
    /// holds over several calls is up to the caller, who takes the bytes out.
    ///
    /// # Errors
    ///
    /// An error means that the link is gone; the only way on is a new one from [`Connect`](crate::Connect). Bytes that arrived
    /// before the loss are delivered first.
    async fn exchange(&mut self, out: &[u8], inbox: &mut BytesMut) -> Result<Exchanged, LinkError>;

    /// What this link leads to, in the form that a user would type, for messages and logs.
    fn describe(&self) -> String;
}

#[async_trait]
impl<L: Link + ?Sized> Link for Box<L> {
    async fn exchange(&mut self, out: &[u8], inbox: &mut BytesMut) -> Result<Exchanged, LinkError> {
        (**self).exchange(out, inbox).await
    }

    fn describe(&self) -> String {
        (**self).describe()
    }
}

/// How many bytes one [`Link::exchange`] moved; never zero both ways.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "bytes that were written must leave the transmit buffer, or they are sent twice"]
pub struct Exchanged {
    /// Bytes from the front of `out` that the link has taken.
    pub written: usize,
    /// Bytes appended to the inbox.
    pub read: usize,
}

/// Why an open link ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The other end is gone: end of file, a closed socket, a pulled cable.
    #[error("{link}: the other end closed the link; check power and cable, then connect again")]
    Closed {
        /// [`Link::describe`] of the lost link.
        link: String,
    },
    /// The operating system reported an error while bytes were moving.
    #[error("{link}: the link failed ({source}); check the cable, then connect again")]
    Failed {
        /// [`Link::describe`] of the lost link.
        link: String,
        /// What the operating system said.
        source: io::Error,
    },
}

impl LinkError {
    /// The link that was lost, as [`Link::describe`] named it.
    #[must_use]
    pub fn link(&self) -> &str {
        match self {
            Self::Closed { link } | Self::Failed { link, .. } => link,
        }
    }
}
