//! Bytes on their way out: what a link takes in pieces, in the order that the firmware's receive interrupt allows.

use core::time::Duration;

use crate::{Streamer, dialect::Dialect, streamer::Withdrawn};

/// Capacity that buffers may keep between bursts.
const KEEP: usize = 64 * 1024;

/// What the streamer has handed over and the link has not taken yet: lines, and realtime commands that pass them.
///
/// A link may take any part of [`pending`](Self::pending) at a time; [`wrote`](Self::wrote) tells how much it took. Lines are asked
/// for only when the last ones have left, so that *sent* means sent.
#[derive(Debug)]
pub struct Outbox {
    dialect: Dialect,
    lines: Vec<u8>,
    written: usize,
    realtime: Vec<u8>,
}

impl Outbox {
    /// Nothing to send.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            lines: Vec::new(),
            written: 0,
            realtime: Vec::new(),
        }
    }

    /// Takes what the streamer wants to send.
    pub fn fill(&mut self, streamer: &mut Streamer, now: Duration) {
        let known = self.realtime.len();
        if streamer.poll_realtime(&mut self.realtime) > 0
            && resets(self.dialect, self.realtime.get(known..).unwrap_or_default())
        {
            self.forget_lines();
        }
        match streamer.take_withdrawn() {
            Withdrawn::Nothing => {}
            Withdrawn::Lines => self.forget_lines(),
            Withdrawn::All => self.lines.truncate(self.written),
        }
        if self.written < self.lines.len() {
            return;
        }
        self.lines.clear();
        self.lines.shrink_to(KEEP);
        self.written = 0;
        let _ = streamer.poll_transmit(now, &mut self.lines);
    }

    /// What the link may take next.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        match self.lines.get(self.written..self.lines_first()) {
            Some(lines) if !lines.is_empty() => lines,
            _ => &self.realtime,
        }
    }

    /// The link took this many bytes of what was [`pending`](Self::pending), which must not have changed since.
    pub fn wrote(&mut self, bytes: usize) {
        let first = self.lines_first();
        if self.written < first {
            self.written = (self.written + bytes).min(first);
        } else {
            let written = bytes.min(self.realtime.len());
            self.realtime.drain(..written);
        }
    }

    /// Drops lines that have not left: behind a reset they would reach a controller that has forgotten what led up to them, and
    /// move it; in a fault nothing leaves. The rest of a half-written line goes too where a reset wipes the controller's line buffer
    /// (grbl); elsewhere it has to be finished, because what comes next is a line of its own.
    fn forget_lines(&mut self) {
        let keep = match self.dialect {
            Dialect::Grbl => self.written,
            Dialect::Marlin => self.line_end(),
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
            (false, Dialect::Marlin) => self.line_end(),
        }
    }
}

/// Whether these realtime bytes make the controller forget what it holds.
fn resets(dialect: Dialect, realtime: &[u8]) -> bool {
    let mark: &[u8] = match dialect {
        Dialect::Grbl => b"\x18",
        Dialect::Marlin => b"M112",
    };
    realtime.windows(mark.len()).any(|bytes| bytes == mark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        streamer::Config,
        wire::{Chain, ChainConfig},
    };

    /// With this much written of `N1G1\nN2G1\nN3G1\n`: what leaves before `realtime`, and what is left of the lines behind a reset.
    fn check(dialect: Dialect, written: usize, first: &str, left: &str) {
        let mut outbox = Outbox::new(dialect);
        outbox.lines = b"N1G1\nN2G1\nN3G1\n".to_vec();
        outbox.wrote(written);
        outbox.realtime = b"!".to_vec();
        let before = if first.is_empty() { "!" } else { first };
        assert_eq!(
            String::from_utf8_lossy(outbox.pending()),
            before,
            "{dialect:?} {written}"
        );
        outbox.forget_lines();
        let rest = outbox.lines.get(outbox.written..).unwrap_or_default();
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
    fn what_is_taken_in_pieces_leaves_in_order() {
        let mut outbox = Outbox::new(Dialect::Marlin);
        outbox.lines = b"N1G1\nN2G1\n".to_vec();
        let mut wire = Vec::new();
        for step in 0.. {
            if step == 3 {
                outbox.realtime = b"M112\n".to_vec();
            }
            let Some(&byte) = outbox.pending().first() else {
                break;
            };
            wire.push(byte);
            outbox.wrote(1);
        }
        assert_eq!(String::from_utf8_lossy(&wire), "N1G1\nM112\nN2G1\n");
    }

    /// Lines that have not left when a controller restarts would move a machine that has lost its place.
    #[test]
    fn nothing_follows_into_a_controller_that_has_restarted() {
        for (dialect, banner) in [
            (Dialect::Grbl, &b"\r\nGrbl 1.1h ['$' for help]\r\n"[..]),
            (Dialect::Marlin, b"start\n"),
        ] {
            let mut streamer = running(dialect);
            let mut outbox = Outbox::new(dialect);
            outbox.fill(&mut streamer, Duration::ZERO);
            outbox.wrote(3);
            assert!(!outbox.pending().is_empty(), "{dialect:?}");
            streamer.handle_input(Duration::ZERO, banner);
            outbox.fill(&mut streamer, Duration::ZERO);
            assert_eq!(
                outbox.pending().escape_ascii().to_string(),
                "",
                "{dialect:?}"
            );
        }
    }

    /// Nothing leaves the host in a fault, but the rest of a line that another line would be joined to.
    #[test]
    fn nothing_that_waits_for_the_link_leaves_in_a_fault() {
        for (dialect, says, rest) in [
            (Dialect::Grbl, &b"ALARM:1\r\n"[..], ""),
            (
                Dialect::Marlin,
                b"Error:Printer halted. kill() called!\n",
                "",
            ),
            (Dialect::Marlin, b"Resend: 70000\n", "01G1X1F100*38\\n"),
        ] {
            let mut streamer = running(dialect);
            let mut outbox = Outbox::new(dialect);
            outbox.fill(&mut streamer, Duration::ZERO);
            outbox.wrote(3);
            streamer.handle_input(Duration::ZERO, says);
            outbox.fill(&mut streamer, Duration::ZERO);
            let left = outbox.pending().escape_ascii().to_string();
            assert_eq!(left, rest, "{}", says.escape_ascii());
        }
    }

    /// A streamer in the middle of a program.
    fn running(dialect: Dialect) -> Streamer {
        let mut streamer = Streamer::new(Config::new(dialect));
        streamer.handle_connected(Duration::ZERO);
        let mut out = Vec::new();
        let answers = match dialect {
            Dialect::Grbl => [
                "<Idle|MPos:0.000,0.000,0.000|FS:0,0>\r\n",
                "[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\nok\r\n",
            ],
            Dialect::Marlin => ["FIRMWARE_NAME:Marlin 2.1\nok\n", "ok\n"],
        };
        for answer in answers {
            let _ = streamer.poll_realtime(&mut out);
            let _ = streamer.poll_transmit(Duration::ZERO, &mut out);
            streamer.handle_input(Duration::ZERO, answer.as_bytes());
        }
        streamer.begin(0).expect("it is ready");
        let chain = Chain::new(ChainConfig::new(dialect));
        streamer.push(chain.program("G1 X1 F100\nG1 X2\n").expect("a program"));
        streamer
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
