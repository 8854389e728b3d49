//! The link with what is half written and half read.

use std::time::Duration;

use bytes::BytesMut;
use feedhold_stream_core::{Streamer, dialect::Dialect, outbox::Outbox};
use feedhold_transport::{Exchanged, Link, LinkError};

/// Bytes on their way out, realtime commands in front of lines, and bytes on their way in.
pub(super) struct Wire {
    link: Box<dyn Link>,
    outbox: Outbox,
    inbox: BytesMut,
}

impl Wire {
    pub(super) fn new(link: Box<dyn Link>, dialect: Dialect) -> Self {
        Self {
            link,
            outbox: Outbox::new(dialect),
            inbox: BytesMut::new(),
        }
    }

    pub(super) fn describe(&self) -> String {
        self.link.describe()
    }

    /// Takes what the streamer wants to send.
    pub(super) fn fill(&mut self, streamer: &mut Streamer, now: Duration) {
        self.outbox.fill(streamer, now);
    }

    /// Moves bytes both ways until some have moved. Cancel safe.
    pub(super) async fn exchange(&mut self) -> Result<Exchanged, LinkError> {
        self.link
            .exchange(self.outbox.pending(), &mut self.inbox)
            .await
    }

    /// Accounts for what an exchange moved, and lends what arrived.
    pub(super) fn moved(&mut self, moved: Exchanged) -> &[u8] {
        self.outbox.wrote(moved.written);
        &self.inbox
    }

    /// What arrived was read.
    pub(super) fn consumed(&mut self) {
        self.inbox.clear();
    }
}
