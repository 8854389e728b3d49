use std::time::Duration;

use crate::controller::{Controller, Outside, Snapshot, State, Touch};
use crate::digest::Digest;
use crate::memory::Memory;
use crate::wire::RxStats;

/// A controller that takes every line at once and answers `ok`: the machine against which a host
/// measures itself. It counts lines and motions and keeps a digest over all bytes but `?`, so that
/// a test can prove that every line came, once and in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Null {
    lines: u64,
    motions: u64,
    bytes: u64,
    digest: Digest,
    /// The first bytes of the line under way, for the two questions it can answer.
    head: [u8; 2],
    len: usize,
    moves: u8,
    answers: Vec<u8>,
}

const BANNER: &[u8] = b"\r\nGrbl 1.1h ['$' for help]\r\n";
const STATUS: &[u8] = b"<Idle|MPos:0.000,0.000,0.000|Bf:15,128|FS:0,0>\r\n";
const VERSION: &[u8] = b"[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\n";
const OK: &[u8] = b"ok\r\n";

impl Null {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Takes bytes up to and with one line end.
    fn end_line(&mut self) {
        self.lines += 1;
        self.motions += u64::from(self.moves);
        if self.len == 2 && self.head == *b"$I" {
            self.answers.extend_from_slice(VERSION);
        }
        self.answers.extend_from_slice(OK);
        self.len = 0;
        self.moves = 0;
    }

    fn take(&mut self, text: &[u8]) {
        self.digest.update(text);
        for byte in text {
            if let Some(place) = self.head.get_mut(self.len) {
                *place = *byte;
            }
            self.len += 1;
            // Letters that only motion carries; a line with one of them is counted as a motion.
            self.moves |= u8::from(matches!(byte | 0x20, b'x' | b'y' | b'z'));
        }
    }
}

impl Controller for Null {
    fn receive(&mut self, now: Duration, bytes: &[u8], outside: &mut Outside<'_>) {
        self.bytes += bytes.len() as u64;
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|b| matches!(b, b'\n' | b'?')) {
            let (text, tail) = rest.split_at(at);
            self.take(text);
            match tail.split_first() {
                Some((b'\n', after)) => {
                    self.digest.update(b"\n");
                    self.end_line();
                    rest = after;
                }
                Some((_, after)) => {
                    self.answers.extend_from_slice(STATUS);
                    rest = after;
                }
                None => break,
            }
        }
        self.take(rest);
        if !self.answers.is_empty() {
            outside.tx.write(now, &self.answers);
            self.answers.clear();
        }
    }

    fn advance(&mut self, _now: Duration, _outside: &mut Outside<'_>) {}

    fn next_event(&self) -> Option<Duration> {
        None
    }

    fn is_working(&self) -> bool {
        false
    }

    fn reboot(&mut self, now: Duration, outside: &mut Outside<'_>) {
        self.len = 0;
        self.moves = 0;
        outside.tx.write(now, BANNER);
    }

    fn touch(&mut self, _now: Duration, _touch: Touch, _outside: &mut Outside<'_>) {}

    fn snapshot(&self, _now: Duration) -> Snapshot {
        Snapshot {
            state: State::Idle,
            position: [0.0; 4],
            planner_used: 0,
            rx_used: 0,
            lines: self.lines,
            motions: self.motions,
            input: self.digest,
        }
    }

    fn rx_stats(&self) -> RxStats {
        RxStats {
            stored: self.bytes,
            ..RxStats::default()
        }
    }

    fn memory(&self) -> Memory {
        Memory::default()
    }

    fn fork(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}
