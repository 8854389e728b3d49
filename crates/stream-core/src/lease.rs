//! When a record has to be written, and how far ahead its send lease reaches.
//!
//! No line beyond the ceiling of a durable record leaves, so a lease must be extended before it ends, off the hot path. This is the
//! pure part of that: whoever writes records asks [`Lease::is_due`], writes what [`Lease::next_ceiling`] allows, and hands the
//! ceiling to [`Streamer::lease`](crate::Streamer::lease) once the record is durable.

use core::time::Duration;

/// Time that a lease should last.
const LASTS: Duration = Duration::from_secs(4);
/// Lines of the first and shortest lease, unless records are to come more often than that.
const SHORTEST: u64 = 256;
/// Lines of the longest lease: whoever takes the job up after a crash holds the state behind each line of it, some tens of megabytes.
const LONGEST: u64 = 1 << 16;

/// How often records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointInterval {
    /// After this many lines. Default: 5,000. Fewer than 256 make leases as short, and so the lines in doubt fewer, at the price of
    /// more records.
    pub lines: u64,
    /// After this time. Default: 1 s.
    pub time: Duration,
}

impl Default for CheckpointInterval {
    fn default() -> Self {
        Self {
            lines: 5_000,
            time: Duration::from_secs(1),
        }
    }
}

/// Decides when the next record is due. A lease is long enough for some seconds at the pace of the job: short on a mill, so that
/// little is in doubt after a power cut, and long on a fast wire, so that the disk is never in the way.
#[derive(Debug)]
pub struct Lease {
    interval: CheckpointInterval,
    shortest: u64,
    lines: u64,
    ceiling: u64,
    written_at: Duration,
    written_acked: u64,
    exhausted: bool,
    /// Last line of the file: no lease needs to reach beyond it.
    last: u64,
}

impl Lease {
    /// The lease of a job whose lines up to `done` are executed and whose file has `last` lines. A record is due at once: not a line
    /// leaves before the first one is durable.
    #[must_use]
    pub fn new(interval: CheckpointInterval, done: u64, last: u64) -> Self {
        let shortest = SHORTEST.min(interval.lines.max(1));
        Self {
            interval,
            shortest,
            lines: shortest,
            ceiling: done,
            written_at: Duration::ZERO,
            written_acked: done,
            exhausted: true,
            last: last.max(done),
        }
    }

    /// The streamer stands at the ceiling: the lease was too short.
    pub fn exhausted(&mut self) {
        self.exhausted = true;
        self.lines = (self.lines * 2).min(LONGEST);
    }

    /// Whether a record is due, at these positions of the job.
    #[must_use]
    pub fn is_due(&self, now: Duration, acked: u64, sent: u64) -> bool {
        let moved = acked > self.written_acked;
        let short = self.ceiling < self.last && self.ceiling.saturating_sub(sent) < self.lines / 2;
        self.exhausted
            || short
            || (moved && now >= self.written_at + self.interval.time)
            || acked.saturating_sub(self.written_acked) >= self.interval.lines
    }

    /// The ceiling for a record that is written now, at this pace. Never lower than the one before, never beyond the end of the file.
    pub fn next_ceiling(&mut self, now: Duration, acked: u64, sent: u64, lines_per_s: f64) -> u64 {
        let paced = (lines_per_s * LASTS.as_secs_f64()) as u64;
        if !self.exhausted {
            // Comes down slowly, so that a dwell does not starve the motion behind it.
            self.lines = paced
                .max(self.lines - self.lines / 4)
                .clamp(self.shortest, LONGEST);
        }
        self.exhausted = false;
        self.written_at = now;
        self.written_acked = acked;
        self.ceiling = self
            .ceiling
            .max(sent.saturating_add(self.lines).min(self.last));
        self.ceiling
    }

    /// Nothing beyond `sent` may leave until the next ceiling: the ceiling for a record that is written now, of a job that stands
    /// still.
    pub fn take_back(&mut self, now: Duration, acked: u64, sent: u64) -> u64 {
        self.written_at = now;
        self.written_acked = acked;
        self.ceiling = sent;
        self.ceiling
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_record_is_due_by_time_by_lines_and_by_need() {
        let mut lease = Lease::new(CheckpointInterval::default(), 0, 1_000_000);
        assert!(lease.is_due(at(0), 0, 0), "before the first byte");
        assert_eq!(lease.next_ceiling(at(0), 0, 0, 0.0), SHORTEST);
        assert!(!lease.is_due(at(500), 10, 20));
        assert!(lease.is_due(at(1000), 10, 20), "after a second");
        assert!(!lease.is_due(at(5000), 0, 20), "not when nothing happened");
        assert!(
            lease.is_due(at(500), 10, 200),
            "when little of the lease is left"
        );
        assert!(lease.is_due(at(500), 5000, 20), "after five thousand lines");
    }

    #[test]
    fn a_lease_ends_with_the_file() {
        let mut lease = Lease::new(CheckpointInterval::default(), 0, 300);
        lease.next_ceiling(at(0), 0, 0, 0.0);
        assert_eq!(lease.next_ceiling(at(1), 200, 250, 0.0), 300);
        assert!(!lease.is_due(at(2), 200, 290), "nothing is left to lease");
        assert!(lease.is_due(at(1001), 201, 290), "time still counts");
    }

    #[test]
    fn a_job_that_stands_still_has_no_lease_until_it_gets_the_next_one() {
        let mut lease = Lease::new(CheckpointInterval::default(), 0, 1_000_000);
        assert_eq!(lease.next_ceiling(at(0), 0, 0, 0.0), SHORTEST);
        assert_eq!(lease.take_back(at(100), 40, 40), 40);
        assert!(lease.is_due(at(101), 40, 40), "before it goes on");
        assert_eq!(lease.next_ceiling(at(101), 40, 40, 0.0), 40 + SHORTEST);
    }

    #[test]
    fn a_lease_grows_with_the_pace_and_comes_down_again() {
        let mut lease = Lease::new(CheckpointInterval::default(), 0, 1_000_000);
        lease.next_ceiling(at(0), 0, 0, 0.0);
        lease.exhausted();
        assert_eq!(lease.next_ceiling(at(1), 250, 256, 0.0), 256 + 2 * SHORTEST);
        assert_eq!(
            lease.next_ceiling(at(1000), 300, 300, 10_000.0),
            300 + 40_000
        );
        let mut ceiling = 0;
        for second in 2..60 {
            ceiling = lease.next_ceiling(at(second * 1000), 50_000, 50_000, 10.0);
        }
        assert!(ceiling >= 50_000 + SHORTEST);
        assert_eq!(lease.lines, SHORTEST);
    }
}
