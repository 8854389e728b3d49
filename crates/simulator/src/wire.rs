use std::collections::VecDeque;
use std::time::Duration;

/// Most bytes one direction of the cable holds before it stops taking more (64 KiB): what the
/// driver and the USB bridge of a real port keep, so that memory stays bounded.
pub const WIRE_CAPACITY: usize = 64 * 1024;

/// One direction of a serial cable: bytes enter at one end and come out at the other one byte time
/// (10 bits: start, eight data, stop) and one latency later.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    byte_time: Duration,
    latency: Duration,
    /// When the last queued byte will have left the sender's shift register.
    free_at: Duration,
    /// Nothing comes out before this instant (a stalled link).
    held_until: Duration,
    bytes: VecDeque<u8>,
    runs: VecDeque<Run>,
}

/// Bytes that come out evenly spaced; arrival times of single bytes are never stored.
#[derive(Clone, Debug)]
struct Run {
    first: Duration,
    len: usize,
}

impl Wire {
    /// `baud` of `None` is a wire without a speed limit.
    pub(crate) fn new(baud: Option<u32>, latency: Duration) -> Self {
        let byte_time = baud.map_or(Duration::ZERO, |b| {
            Duration::from_nanos(10_000_000_000 / u64::from(b.max(1)))
        });
        Self {
            byte_time,
            latency,
            free_at: Duration::ZERO,
            held_until: Duration::ZERO,
            bytes: VecDeque::new(),
            runs: VecDeque::new(),
        }
    }

    /// True when bytes come out in the instant they enter.
    pub(crate) fn is_direct(&self) -> bool {
        self.byte_time.is_zero() && self.latency.is_zero()
    }

    /// Queues all of `bytes`; the caller keeps to [`Wire::space`] where the end is not a controller.
    pub(crate) fn send(&mut self, now: Duration, bytes: &[u8]) {
        self.send_after(now, Duration::ZERO, bytes);
    }

    /// Queues `bytes` after an idle time of `delay` on the wire.
    pub(crate) fn send_after(&mut self, now: Duration, delay: Duration, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let start = self.free_at.max(now) + delay;
        let first = start + self.byte_time;
        self.free_at = start + self.byte_time * bytes.len() as u32;
        self.bytes.extend(bytes);
        let first = first + self.latency;
        match self.runs.back_mut() {
            Some(run) if run.first + self.byte_time * run.len as u32 == first => {
                run.len += bytes.len();
            }
            _ => self.runs.push_back(Run {
                first,
                len: bytes.len(),
            }),
        }
    }

    /// How many more bytes may be queued.
    pub(crate) fn space(&self) -> usize {
        WIRE_CAPACITY.saturating_sub(self.bytes.len())
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// When the next byte comes out.
    pub(crate) fn next_arrival(&self) -> Option<Duration> {
        self.runs.front().map(|run| run.first.max(self.held_until))
    }

    /// When the last byte under way comes out.
    #[cfg(feature = "serve")]
    pub(crate) fn last_arrival(&self) -> Option<Duration> {
        let run = self.runs.back()?;
        let last = run.first + self.byte_time * run.len.saturating_sub(1) as u32;
        Some(last.max(self.held_until))
    }

    /// Moves the bytes that are out by `now` to the end of `out`; returns how many, at most `limit`.
    pub(crate) fn take(&mut self, now: Duration, limit: usize, out: &mut Vec<u8>) -> usize {
        if now < self.held_until {
            return 0;
        }
        let mut taken = 0;
        while let Some(run) = self.runs.front_mut() {
            if run.first > now || taken == limit {
                break;
            }
            let due = if self.byte_time.is_zero() {
                run.len
            } else {
                let steps = (now - run.first).as_nanos() / self.byte_time.as_nanos();
                run.len.min(
                    usize::try_from(steps)
                        .unwrap_or(usize::MAX)
                        .saturating_add(1),
                )
            };
            let n = due.min(limit - taken);
            out.extend(self.bytes.drain(..n));
            taken += n;
            run.len -= n;
            run.first += self.byte_time * n as u32;
            if run.len == 0 {
                self.runs.pop_front();
            } else if n == due {
                break;
            }
        }
        taken
    }

    /// When the sender's own buffer of `ring` bytes will have room again, if it has none at `now`.
    pub(crate) fn blocked_until(&self, now: Duration, ring: usize) -> Option<Duration> {
        let ring_time = self.byte_time * ring as u32;
        let until = self.free_at.checked_sub(ring_time)?;
        (until > now).then_some(until)
    }

    /// Lets nothing out before `until`.
    pub(crate) fn hold_until(&mut self, until: Duration) {
        self.held_until = self.held_until.max(until);
    }

    /// Loses everything that is under way: a cable pulled out.
    pub(crate) fn cut(&mut self) {
        self.bytes.clear();
        self.runs.clear();
        self.free_at = Duration::ZERO;
        self.held_until = Duration::ZERO;
    }
}

/// A firmware's receive buffer: bounded, and **silent** when full, as an interrupt routine is that
/// has nowhere to put a byte.
#[derive(Clone, Debug)]
pub(crate) struct RxRing {
    bytes: VecDeque<u8>,
    usable: usize,
    stats: RxStats,
}

/// What a receive buffer went through since power-up; kept over resets, because it is the tests'
/// view and not the firmware's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RxStats {
    /// Places in the buffer.
    pub capacity: usize,
    /// Most bytes that were ever waiting in the buffer.
    pub high_water: usize,
    /// Bytes that found the buffer full and were lost.
    pub overflows: u64,
    /// Bytes that were stored.
    pub stored: u64,
    /// Bytes lost because interrupts were off (EEPROM writes).
    pub deaf: u64,
}

impl RxRing {
    pub(crate) fn new(usable: usize) -> Self {
        let stats = RxStats {
            capacity: usable,
            ..RxStats::default()
        };
        Self {
            bytes: VecDeque::with_capacity(usable),
            usable,
            stats,
        }
    }

    /// Stores a byte or loses it.
    pub(crate) fn push(&mut self, byte: u8) {
        if self.bytes.len() == self.usable {
            self.stats.overflows += 1;
            return;
        }
        self.bytes.push_back(byte);
        self.stats.stored += 1;
        self.stats.high_water = self.stats.high_water.max(self.bytes.len());
    }

    /// A byte came while nobody listened.
    pub(crate) fn lose(&mut self) {
        self.stats.deaf += 1;
    }

    pub(crate) fn pop(&mut self) -> Option<u8> {
        self.bytes.pop_front()
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn free(&self) -> usize {
        self.usable - self.bytes.len()
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }

    pub(crate) fn stats(&self) -> RxStats {
        self.stats
    }
}
