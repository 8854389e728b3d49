//! The link with what is half written and half read.

use std::time::Duration;

use bytes::BytesMut;
use feedhold_stream_core::{Streamer, dialect::Dialect};
use feedhold_transport::{Exchanged, Link, LinkError};

/// Bytes on their way out, realtime commands in front of lines, and bytes on their way in.
pub(super) struct Wire {
    link: Box<dyn Link>,
    /// Realtime commands may stand between any two bytes; otherwise only between lines.
    anywhere: bool,
    lines: Vec<u8>,
    written: usize,
    realtime: Vec<u8>,
    inbox: BytesMut,
}

impl Wire {
    pub(super) fn new(link: Box<dyn Link>, dialect: Dialect) -> Self {
        Self {
            link,
            anywhere: dialect == Dialect::Grbl,
            lines: Vec::new(),
            written: 0,
            realtime: Vec::new(),
            inbox: BytesMut::new(),
        }
    }

    pub(super) fn describe(&self) -> String {
        self.link.describe()
    }

    /// Takes what the streamer wants to send. Lines are asked for only when the last ones are written, so that `sent` means sent.
    pub(super) fn fill(&mut self, streamer: &mut Streamer, now: Duration) {
        if self.anywhere {
            let _ = streamer.poll_realtime(&mut self.realtime);
        }
        if self.written < self.lines.len() {
            return;
        }
        self.lines.clear();
        self.written = 0;
        if !self.anywhere {
            let _ = streamer.poll_realtime(&mut self.lines);
        }
        let _ = streamer.poll_transmit(now, &mut self.lines);
    }

    /// Moves bytes both ways until some have moved. Cancel safe.
    pub(super) async fn exchange(&mut self) -> Result<Exchanged, LinkError> {
        let pending = if self.realtime.is_empty() {
            self.lines.get(self.written..).unwrap_or_default()
        } else {
            &self.realtime
        };
        self.link.exchange(pending, &mut self.inbox).await
    }

    /// Accounts for what an exchange moved, and lends what arrived.
    pub(super) fn moved(&mut self, moved: Exchanged) -> &[u8] {
        if self.realtime.is_empty() {
            self.written += moved.written;
        } else {
            self.realtime
                .drain(..moved.written.min(self.realtime.len()));
        }
        &self.inbox
    }

    /// What arrived was read.
    pub(super) fn consumed(&mut self) {
        self.inbox.clear();
    }
}
