//! Showing every byte.

use std::fmt;

use async_trait::async_trait;
use bytes::BytesMut;

use crate::{Connect, ConnectError, Exchanged, Link, LinkError};

/// The `tracing` target of the bytes, for filters such as `feedhold::wire=trace`.
pub const WIRE: &str = "feedhold::wire";

/// A link, or a way to links, whose bytes are told to `tracing` both ways at trace level.
///
/// Each event has the fields `link`, `direction` (`->` to the machine, `<-` from it), `bytes` (a count) and `text` (printable
/// characters as they are, the rest escaped). The subscriber adds the time. While nobody listens it costs one check per exchange.
#[derive(Clone, Debug)]
pub struct Traced<T>(T);

impl<T> Traced<T> {
    /// Wraps a [`Link`] or a [`Connect`].
    pub fn new(inner: T) -> Self {
        Self(inner)
    }
}

#[async_trait]
impl<L: Link> Link for Traced<L> {
    async fn exchange(&mut self, out: &[u8], inbox: &mut BytesMut) -> Result<Exchanged, LinkError> {
        let moved = self.0.exchange(out, inbox).await;
        if tracing::enabled!(target: WIRE, tracing::Level::TRACE) {
            self.tell(out, inbox, &moved);
        }
        moved
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}

impl<L: Link> Traced<L> {
    fn tell(&self, out: &[u8], inbox: &[u8], moved: &Result<Exchanged, LinkError>) {
        let link = self.0.describe();
        match moved {
            Ok(moved) => {
                let sent = out.get(..moved.written).unwrap_or(out);
                let received = inbox
                    .get(inbox.len().saturating_sub(moved.read)..)
                    .unwrap_or(inbox);
                for (direction, bytes) in [("->", sent), ("<-", received)] {
                    if !bytes.is_empty() {
                        tracing::trace!(target: WIRE, link, direction, bytes = bytes.len(), text = %Visible(bytes));
                    }
                }
            }
            Err(error) => tracing::trace!(target: WIRE, link, direction = "--", %error),
        }
    }
}

#[async_trait]
impl<C: Connect> Connect for Traced<C> {
    async fn connect(&mut self) -> Result<Box<dyn Link>, ConnectError> {
        let link = self.0.connect().await?;
        tracing::trace!(target: WIRE, link = link.describe(), direction = "--", "connected");
        Ok(Box::new(Traced(link)))
    }

    fn address(&self) -> String {
        self.0.address()
    }
}

/// Bytes for human eyes: ASCII as it is, `\r`, `\n`, `\t`, everything else as `\x18`.
pub(crate) struct Visible<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_ascii().fmt(f)
    }
}

#[cfg(test)]
mod tests;
