//! The cable between host and machine, and what happens to bytes on it.

use std::collections::VecDeque;
use std::time::Duration;

use feedhold_simulator::Simulator;
use xtask::gcode::Rng;

/// What happens to the next thing that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Harm {
    /// A bit of the next byte to the machine flips.
    GarbleOut,
    /// A bit of the next byte from the machine flips.
    GarbleIn,
    /// The next `ok` is lost.
    LoseOk,
    /// The next `ok` comes twice.
    DoubleOk,
    /// The next `ok`, and all behind it, is late.
    DelayOk,
    /// The next line from the machine comes in two pieces.
    Split,
    /// The next line end from the machine is lost.
    Merge,
    /// The next line to the machine is one that it refuses.
    Refuse,
}

/// Bytes that cross the cable, in both directions.
#[derive(Debug)]
pub(super) struct Cable {
    rng: Rng,
    /// Most bytes that the link takes at a time, and how long it takes for them.
    piece: usize,
    pace: Duration,
    /// The link takes nothing before this.
    free_at: Duration,
    harms: Vec<Harm>,
    /// The last byte to the machine ended a line, or none was sent.
    at_line_start: bool,
    /// The beginning of a line from the machine that is not passed on yet, while lines are harmed.
    partial: Vec<u8>,
    /// On their way to the host, in order.
    arriving: VecDeque<(Duration, Vec<u8>)>,
    spare: Vec<u8>,
    refused: bool,
    /// A garbled line became a command that Marlin acts on as it arrives.
    acts_at_once: bool,
}

impl Cable {
    pub(super) fn new(mut rng: Rng) -> Self {
        let (piece, pace_us) = match rng.below(4) {
            0 | 1 => (usize::MAX, 0),
            2 => (1 + rng.below(40) as usize, 50 + rng.below(2000)),
            _ => (64, 500),
        };
        Self {
            rng,
            piece,
            pace: Duration::from_micros(pace_us),
            free_at: Duration::ZERO,
            harms: Vec::new(),
            at_line_start: true,
            partial: Vec::new(),
            arriving: VecDeque::new(),
            spare: Vec::new(),
            refused: false,
            acts_at_once: false,
        }
    }

    /// From now on the link takes a byte at a time.
    pub(super) fn throttle(&mut self) {
        self.piece = 1;
        self.pace = Duration::from_micros(200);
    }

    pub(super) fn harm(&mut self, harm: Harm) {
        self.harms.push(harm);
    }

    /// How many harms of a kind wait for something to strike.
    pub(super) fn waiting(&self, harm: Harm) -> usize {
        self.harms.iter().filter(|other| **other == harm).count()
    }

    /// Whether a line was made one that Marlin acts on as it arrives.
    pub(super) fn acts_at_once(&self) -> bool {
        self.acts_at_once
    }

    /// Whether a line was made one that the machine refuses.
    pub(super) fn has_refused(&self) -> bool {
        self.refused
    }

    /// A line is half written.
    pub(super) fn is_mid_line(&self) -> bool {
        !self.at_line_start
    }

    /// What is under way is lost, and so is what was to happen to it.
    pub(super) fn cut(&mut self, now: Duration) {
        self.harms.clear();
        self.partial.clear();
        self.arriving.clear();
        self.at_line_start = true;
        self.free_at = now;
    }

    /// Bytes that arrive at the host out of nowhere.
    pub(super) fn inject(&mut self, now: Duration, bytes: &[u8]) {
        let at = self.arriving.back().map_or(now, |(at, _)| (*at).max(now));
        self.arriving.push_back((at, bytes.to_vec()));
    }

    /// Offers bytes to the link; returns how many it took.
    pub(super) fn send(&mut self, now: Duration, bytes: &[u8], machine: &mut Simulator) -> usize {
        if bytes.is_empty() || now < self.free_at {
            return 0;
        }
        let piece = bytes.get(..bytes.len().min(self.piece)).unwrap_or_default();
        let taken = if self.harms.is_empty() {
            machine.receive(now, piece)
        } else {
            let harmed = self.harmed(piece);
            machine.receive(now, &harmed).min(piece.len())
        };
        if let Some(last) = taken.checked_sub(1).and_then(|at| piece.get(at)) {
            // A realtime byte stands between lines, or in one.
            if !matches!(last, b'?' | b'!' | b'~' | 0x18 | 0x80..) {
                self.at_line_start = *last == b'\n';
            }
            self.free_at = now + self.pace;
        }
        taken
    }

    fn harmed(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut bytes = piece.to_vec();
        if let Some(at) = self.harms.iter().position(|harm| *harm == Harm::GarbleOut) {
            self.harms.swap_remove(at);
            let at = self.rng.below(bytes.len() as u64) as usize;
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << self.rng.below(8);
            }
            let near = bytes.get(at.saturating_sub(3)..bytes.len().min(at + 4));
            self.acts_at_once |= near.is_some_and(|near| {
                near.windows(4)
                    .any(|word| matches!(word, b"M108" | b"M112" | b"M410" | b"M876"))
            });
        }
        if let Some(at) = self.harms.iter().position(|harm| *harm == Harm::Refuse) {
            // The first letter behind a line's first word becomes one that no firmware knows.
            let begin = bytes
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(0, |end| end + 1);
            let word = bytes
                .iter()
                .skip(begin)
                .position(|byte| matches!(byte, b'X' | b'Y' | b'Z'));
            if let Some(byte) = word.and_then(|word| bytes.get_mut(begin + word)) {
                *byte = b'Q';
                self.refused = true;
                self.harms.swap_remove(at);
            }
        }
        bytes
    }

    /// When something arrives at the host, or the link takes bytes again.
    pub(super) fn next_event(&self, now: Duration, waiting: bool) -> Option<Duration> {
        let free = (waiting && self.free_at > now).then_some(self.free_at);
        let arrival = self.arriving.front().map(|(at, _)| *at);
        [free, arrival].into_iter().flatten().min()
    }

    /// Appends what has arrived at the host.
    pub(super) fn receive(&mut self, now: Duration, machine: &mut Simulator, inbox: &mut Vec<u8>) {
        let undisturbed =
            self.harms.is_empty() && self.partial.is_empty() && self.arriving.is_empty();
        if undisturbed {
            machine.transmit(now, inbox);
            return;
        }
        let mut spare = std::mem::take(&mut self.spare);
        spare.clear();
        if machine.transmit(now, &mut spare) > 0 {
            self.carry(now, &spare);
        }
        self.spare = spare;
        while self.arriving.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, bytes)) = self.arriving.pop_front() {
                inbox.extend_from_slice(&bytes);
            }
        }
    }

    fn carry(&mut self, now: Duration, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.partial);
                self.carry_line(now, line);
            }
        }
    }

    fn carry_line(&mut self, now: Duration, mut line: Vec<u8>) {
        let mut at = self.arriving.back().map_or(now, |(at, _)| (*at).max(now));
        let is_ok = line.starts_with(b"ok");
        let strikes = |harm: &Harm| match harm {
            Harm::GarbleIn | Harm::Split | Harm::Merge => true,
            Harm::LoseOk | Harm::DoubleOk | Harm::DelayOk => is_ok,
            Harm::GarbleOut | Harm::Refuse => false,
        };
        let Some(harm) = self.harms.iter().position(strikes) else {
            self.arriving.push_back((at, line));
            return;
        };
        match self.harms.swap_remove(harm) {
            Harm::LoseOk => return,
            Harm::DoubleOk => self.arriving.push_back((at, line.clone())),
            Harm::DelayOk => at += Duration::from_millis(50 + self.rng.below(5000)),
            Harm::Merge => line.retain(|byte| !matches!(byte, b'\r' | b'\n')),
            Harm::GarbleIn => {
                let place = self.rng.below(line.len() as u64) as usize;
                if let Some(byte) = line.get_mut(place) {
                    *byte ^= 1 << self.rng.below(8);
                }
            }
            Harm::Split => {
                let rest = line.split_off(self.rng.below(line.len() as u64) as usize);
                self.arriving.push_back((at, line));
                line = rest;
                at += Duration::from_millis(1 + self.rng.below(300));
            }
            Harm::GarbleOut | Harm::Refuse => {}
        }
        self.arriving.push_back((at, line));
    }
}
