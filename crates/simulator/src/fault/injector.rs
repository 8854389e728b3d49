use std::time::Duration;

use super::{FaultPlan, Harm, Mishap, Scheduled, Struck, When};
use crate::rng::Rng;
use crate::wire::Wire;

/// A line from the machine longer than this is passed on in parts, so that memory stays bounded.
const LINE_LIMIT: usize = 1024;

const SHORTEST_DELAY_MS: u64 = 50;
const LONGEST_DELAY_MS: u64 = 500;

/// Carries a [`FaultPlan`] out. Sans-IO, with its own seeded randomness: the same seed and the same
/// traffic give the same faults. Each direction draws from a generator of its own, so that faults
/// one way do not depend on how the bytes of the two ways interleave.
#[derive(Clone, Debug)]
pub(crate) struct FaultInjector {
    ok: Chances,
    line: Chances,
    tx: Chances,
    rx: Chances,
    to_host: Rng,
    to_machine: Rng,
    pending: Vec<Scheduled>,
    counted: Counted,
    bytes_in: u64,
    lines_in: u64,
    /// The response line under way, while lines can be struck.
    partial: Vec<u8>,
    struck: Vec<u8>,
}

/// Whether a fault that waits for a count is still to come: spares the counting otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    Wait,
    Done,
}

#[derive(Clone, Copy, Debug)]
struct Chances {
    drop: f64,
    garble: f64,
    duplicate: f64,
    delay: f64,
}

impl Chances {
    fn of(plan: &FaultPlan, to: Struck) -> Self {
        Self {
            drop: plan.probability(to, Harm::Drop),
            garble: plan.probability(to, Harm::Garble),
            duplicate: plan.probability(to, Harm::Duplicate),
            delay: plan.probability(to, Harm::Delay),
        }
    }

    fn any(&self) -> bool {
        self.drop + self.garble + self.duplicate + self.delay > 0.0
    }
}

impl FaultInjector {
    pub(crate) fn new(plan: &FaultPlan, seed: u64) -> Self {
        let mut root = Rng::new(seed);
        let pending = plan.scheduled.clone();
        let mut injector = Self {
            ok: Chances::of(plan, Struck::Ok),
            line: Chances::of(plan, Struck::Line),
            tx: Chances::of(plan, Struck::Tx),
            rx: Chances::of(plan, Struck::Rx),
            to_host: Rng::new(root.next_u64()),
            to_machine: Rng::new(root.next_u64()),
            pending,
            counted: Counted::Done,
            bytes_in: 0,
            lines_in: 0,
            partial: Vec::new(),
            struck: Vec::new(),
        };
        injector.note_counted();
        injector
    }

    /// True while bytes to the machine may be changed.
    pub(crate) fn harms_input(&self) -> bool {
        self.rx.any()
    }

    /// Puts what the host writes on the wire to the machine.
    pub(crate) fn send_to_machine(&mut self, now: Duration, bytes: &[u8], wire: &mut Wire) {
        if !self.rx.any() {
            wire.send(now, bytes);
            return;
        }
        self.struck.clear();
        harm_bytes(self.rx, &mut self.to_machine, bytes, &mut self.struck);
        wire.send(now, &self.struck);
    }

    /// Puts what the machine says on the wire to the host.
    pub(crate) fn send_to_host(&mut self, now: Duration, bytes: &[u8], wire: &mut Wire) {
        if !self.ok.any() && !self.line.any() {
            self.send_bytes(now, Duration::ZERO, bytes, wire);
            return;
        }
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(part);
            if part.ends_with(b"\n") || self.partial.len() >= LINE_LIMIT {
                let line = std::mem::take(&mut self.partial);
                self.send_line(now, &line, wire);
                self.partial = line;
                self.partial.clear();
            }
        }
    }

    fn send_line(&mut self, now: Duration, line: &[u8], wire: &mut Wire) {
        let is_ok = line.starts_with(b"ok");
        let mut harm = self.draw(self.line);
        if is_ok && harm.is_none() {
            harm = self.draw(self.ok);
        }
        match harm {
            None => self.send_bytes(now, Duration::ZERO, line, wire),
            Some(Harm::Drop) => {}
            Some(Harm::Duplicate) => {
                self.send_bytes(now, Duration::ZERO, line, wire);
                self.send_bytes(now, Duration::ZERO, line, wire);
            }
            Some(Harm::Delay) => {
                let span = LONGEST_DELAY_MS - SHORTEST_DELAY_MS + 1;
                let delay = SHORTEST_DELAY_MS + self.to_host.next_u64() % span;
                self.send_bytes(now, Duration::from_millis(delay), line, wire);
            }
            Some(Harm::Garble) => {
                let mut garbled = line.to_vec();
                // The line end is left alone: losing it is what `garble-tx` and `drop-tx` are for.
                let text = garbled
                    .iter()
                    .take_while(|b| !matches!(b, b'\r' | b'\n'))
                    .count();
                let at = usize::try_from(self.to_host.next_u64()).unwrap_or(0) % text.max(1);
                if let Some(byte) = garbled.get_mut(at) {
                    *byte = flip(*byte, &mut self.to_host);
                }
                self.send_bytes(now, Duration::ZERO, &garbled, wire);
            }
        }
    }

    fn draw(&mut self, chances: Chances) -> Option<Harm> {
        let rng = &mut self.to_host;
        [
            (chances.drop, Harm::Drop),
            (chances.garble, Harm::Garble),
            (chances.duplicate, Harm::Duplicate),
            (chances.delay, Harm::Delay),
        ]
        .into_iter()
        .find_map(|(probability, harm)| rng.chance(probability).then_some(harm))
    }

    fn send_bytes(&mut self, now: Duration, delay: Duration, bytes: &[u8], wire: &mut Wire) {
        if !self.tx.any() {
            wire.send_after(now, delay, bytes);
            return;
        }
        self.struck.clear();
        harm_bytes(self.tx, &mut self.to_host, bytes, &mut self.struck);
        wire.send_after(now, delay, &self.struck);
    }

    /// When the next fault scheduled by time strikes.
    pub(crate) fn next_event(&self) -> Option<Duration> {
        self.pending
            .iter()
            .filter_map(|fault| match fault.when {
                When::Time(at) => Some(at),
                _ => None,
            })
            .min()
    }

    /// Counts bytes that reach the machine and returns how many of them may be delivered before a
    /// counted fault has to be asked for with [`FaultInjector::due`]. At least 1 for a non-empty slice.
    pub(crate) fn until_counted_fault(&mut self, bytes: &[u8]) -> usize {
        if self.counted == Counted::Done {
            return bytes.len();
        }
        for (index, byte) in bytes.iter().enumerate() {
            self.bytes_in += 1;
            self.lines_in += u64::from(*byte == b'\n');
            let (bytes_in, lines_in) = (self.bytes_in, self.lines_in);
            let strikes = |fault: &Scheduled| match fault.when {
                When::Byte(n) => n <= bytes_in,
                When::Line(n) => n <= lines_in,
                When::Time(_) => false,
            };
            if self.pending.iter().any(strikes) {
                return index + 1;
            }
        }
        bytes.len()
    }

    /// A fault that strikes at `now` or at the counts reached; each is returned once.
    pub(crate) fn due(&mut self, now: Duration) -> Option<Mishap> {
        let at = self.pending.iter().position(|fault| match fault.when {
            When::Time(at) => at <= now,
            When::Line(n) => n <= self.lines_in,
            When::Byte(n) => n <= self.bytes_in,
        })?;
        let fault = self.pending.remove(at);
        self.note_counted();
        Some(fault.what)
    }

    fn note_counted(&mut self) {
        let waits = self
            .pending
            .iter()
            .any(|fault| !matches!(fault.when, When::Time(_)));
        self.counted = if waits { Counted::Wait } else { Counted::Done };
    }
}

fn harm_bytes(chances: Chances, rng: &mut Rng, bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        if rng.chance(chances.drop) {
            continue;
        }
        let byte = if rng.chance(chances.garble) {
            flip(*byte, rng)
        } else {
            *byte
        };
        out.push(byte);
        if rng.chance(chances.duplicate) {
            out.push(byte);
        }
    }
}

fn flip(byte: u8, rng: &mut Rng) -> u8 {
    byte ^ (1 << (rng.next_u64() % 8))
}
