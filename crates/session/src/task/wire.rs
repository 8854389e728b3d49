//! The link with what is half written and half read.

use std::time::Duration;

use bytes::BytesMut;
use feedhold_stream_core::{Streamer, dialect::Dialect};
use feedhold_transport::{Exchanged, Link, LinkError};

/// Capacity that buffers may keep between bursts.
const KEEP: usize = 64 * 1024;

/// Bytes on their way out, realtime commands in front of lines, and bytes on their way in.
pub(super) struct Wire {
    link: Box<dyn Link>,
    dialect: Dialect,
    lines: Vec<u8>,
    written: usize,
    realtime: Vec<u8>,
    inbox: BytesMut,
}

impl Wire {
    pub(super) fn new(link: Box<dyn Link>, dialect: Dialect) -> Self {
        Self {
            link,
            dialect,
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
        let known = self.realtime.len();
        if streamer.poll_realtime(&mut self.realtime) > 0
            && resets(self.dialect, self.realtime.get(known..).unwrap_or_default())
        {
            self.forget_lines();
        }
        if self.written < self.lines.len() {
            return;
        }
        self.lines.clear();
        self.lines.shrink_to(KEEP);
        self.written = 0;
        let _ = streamer.poll_transmit(now, &mut self.lines);
    }

    /// Drops lines that have not left: behind a reset they would reach a controller that has forgotten what led up to them, and
    /// move it. The rest of a half-written line goes too where the reset wipes the controller's line buffer (grbl); elsewhere it
    /// has to be finished, because the reset is a line of its own.
    fn forget_lines(&mut self) {
        let keep = match self.dialect {
            Dialect::Grbl => self.written,
            _ => self.line_end(),
        };
        self.lines.truncate(keep);
    }

    /// Where the half-written line ends, or the last byte written when none is open.
    fn line_end(&self) -> usize {
        let at_start = self.written == 0 || self.lines.get(self.written - 1) == Some(&b'\n');
        if at_start {
            return self.written;
        }
        let rest = self.lines.get(self.written..).unwrap_or_default();
        rest.iter()
            .position(|&byte| byte == b'\n')
            .map_or(self.lines.len(), |end| self.written + end + 1)
    }

    /// How far lines go before a realtime command gets its turn: not at all on grbl, where realtime bytes may stand anywhere, to
    /// the end of the open line elsewhere.
    fn lines_first(&self) -> usize {
        match (self.realtime.is_empty(), self.dialect) {
            (true, _) => self.lines.len(),
            (false, Dialect::Grbl) => self.written,
            (false, _) => self.line_end(),
        }
    }

    /// Moves bytes both ways until some have moved. Cancel safe.
    pub(super) async fn exchange(&mut self) -> Result<Exchanged, LinkError> {
        let first = self.lines_first();
        let pending = match self.lines.get(self.written..first) {
            Some(lines) if !lines.is_empty() => lines,
            _ => &self.realtime,
        };
        self.link.exchange(pending, &mut self.inbox).await
    }

    /// Accounts for what an exchange moved, and lends what arrived.
    pub(super) fn moved(&mut self, moved: Exchanged) -> &[u8] {
        if self.written < self.lines_first() {
            self.written += moved.written;
        } else {
            let written = moved.written.min(self.realtime.len());
            self.realtime.drain(..written);
        }
        &self.inbox
    }

    /// What arrived was read.
    pub(super) fn consumed(&mut self) {
        self.inbox.clear();
    }
}

/// Whether these realtime bytes make the controller forget what it holds.
fn resets(dialect: Dialect, realtime: &[u8]) -> bool {
    let mark: &[u8] = match dialect {
        Dialect::Grbl => b"\x18",
        _ => b"M112",
    };
    realtime.windows(mark.len()).any(|bytes| bytes == mark)
}

#[cfg(test)]
mod tests {
    use feedhold_transport::memory::duplex;

    use super::*;

    /// With this much written of `N1G1\nN2G1\nN3G1\n`: what leaves before `realtime`, and what is left of the lines behind a reset.
    fn check(dialect: Dialect, written: usize, first: &str, left: &str) {
        let mut wire = Wire::new(Box::new(duplex(1).0), dialect);
        wire.lines = b"N1G1\nN2G1\nN3G1\n".to_vec();
        wire.written = written;
        wire.realtime = b"!".to_vec();
        let text =
            |from: usize, to: usize| String::from_utf8_lossy(&wire.lines[from..to]).into_owned();
        assert_eq!(
            text(written, wire.lines_first()),
            first,
            "{dialect:?} {written}"
        );
        wire.forget_lines();
        let rest = wire.lines.get(wire.written..).unwrap_or_default();
        assert_eq!(String::from_utf8_lossy(rest), left, "{dialect:?} {written}");
    }

    #[test]
    fn realtime_commands_pass_lines_as_far_as_the_firmware_lets_them() {
        for written in [0, 2, 5, 14, 15] {
            check(Dialect::Grbl, written, "", "");
        }
        check(Dialect::Marlin, 0, "", "");
        check(Dialect::Marlin, 2, "G1\n", "G1\n");
        check(Dialect::Marlin, 5, "", "");
        check(Dialect::Marlin, 9, "\n", "\n");
        check(Dialect::Marlin, 15, "", "");
    }

    #[test]
    fn only_resets_make_the_controller_forget() {
        for (dialect, bytes, expected) in [
            (Dialect::Grbl, "?!\x18", true),
            (Dialect::Grbl, "?!~", false),
            (Dialect::Marlin, "M112\n", true),
            (Dialect::Marlin, "M108\n", false),
        ] {
            assert_eq!(resets(dialect, bytes.as_bytes()), expected, "{bytes:?}");
        }
    }
}
