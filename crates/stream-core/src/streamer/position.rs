//! Where the job stands: four positions, never one.

use std::collections::VecDeque;

use crate::{chunk::Class, dialect::Dialect};

/// Motions that may wait behind the planner as segments (12 on FluidNC, 10 on grblHAL, 5 short blocks on grbl).
const SEGMENTS: usize = 12;

/// How far a program has come, as source line numbers (1-based; 0 means nothing yet).
///
/// `executed ≤ acked ≤ sent ≤ ceiling` holds at every instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Positions {
    /// Motion up to this line is proven finished.
    pub executed: u64,
    /// The controller has taken every line up to this one.
    pub acked: u64,
    /// Lines up to this one were handed to the link, wholly or in part.
    pub sent: u64,
    /// No line beyond this one may leave (the send lease).
    pub ceiling: u64,
}

impl Positions {
    /// The lines that may or may not have run.
    #[must_use]
    pub fn in_doubt(&self) -> InDoubt {
        InDoubt {
            first: self.executed + 1,
            last: self.sent,
        }
    }
}

/// An interval of source lines, both ends included; empty when `first > last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InDoubt {
    /// First line that may not have finished.
    pub first: u64,
    /// Last line that may have started.
    pub last: u64,
}

impl InDoubt {
    /// Whether nothing is in doubt.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first > self.last
    }
}

impl core::fmt::Display for InDoubt {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.is_empty() {
            write!(f, "no line")
        } else if self.first == self.last {
            write!(f, "line {}", self.first)
        } else {
            write!(f, "lines {} to {}", self.first, self.last)
        }
    }
}

/// Derives `executed` from answers: a motion counts as finished once more motions were answered behind it than the controller can
/// hold in its planner and segment buffer.
#[derive(Debug, Clone)]
pub(super) struct Executed {
    /// Motions a controller may have answered and not finished.
    lag: usize,
    /// Whether the answer to a synchronising line proves an empty planner.
    sync_drains: bool,
    /// Source lines of the youngest answered motions, at most `lag` of them.
    unproven: VecDeque<u64>,
    acked: u64,
}

impl Executed {
    pub(super) fn new(dialect: Dialect) -> Self {
        let lag = dialect.lag_blocks();
        Self {
            lag,
            sync_drains: matches!(dialect, Dialect::Grbl),
            unproven: VecDeque::with_capacity(lag + 1),
            acked: 0,
        }
    }

    /// The controller told how many blocks it plans ahead. A larger planner than the stock one, with the segments that relatives
    /// of grbl keep behind it, holds more motions that were answered and not finished.
    pub(super) fn set_planner(&mut self, blocks: usize) {
        self.lag = self.lag.max(blocks + SEGMENTS);
    }

    /// Starts a program whose lines up to `done` are finished.
    pub(super) fn begin(&mut self, done: u64) {
        self.unproven.clear();
        self.acked = done;
    }

    pub(super) fn on_ack(&mut self, line: u64, class: Class) {
        match class {
            Class::Motion => {
                self.unproven.push_back(line);
                if self.unproven.len() > self.lag {
                    self.unproven.pop_front();
                }
            }
            Class::Modal => {}
            _ if self.sync_drains => self.unproven.clear(),
            _ => {}
        }
        self.acked = line;
    }

    /// A line that counted as taken was not.
    pub(super) fn retract(&mut self, line: u64) {
        self.acked = self.acked.min(line.saturating_sub(1));
        while self.unproven.back().is_some_and(|&motion| motion >= line) {
            self.unproven.pop_back();
        }
    }

    /// The planner was proven empty: all that was answered has been executed.
    pub(super) fn drained(&mut self) {
        self.unproven.clear();
    }

    pub(super) fn acked(&self) -> u64 {
        self.acked
    }

    pub(super) fn executed(&self) -> u64 {
        self.unproven
            .front()
            .map_or(self.acked, |first| first.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn motions_are_executed_once_enough_followed() {
        let mut executed = Executed::new(Dialect::Grbl);
        let lag = Dialect::Grbl.lag_blocks() as u64;
        for line in 1..=lag {
            executed.on_ack(line, Class::Motion);
            assert_eq!(executed.executed(), 0, "after {line} motions");
        }
        executed.on_ack(lag + 1, Class::Motion);
        assert_eq!(executed.executed(), 1);
        executed.on_ack(lag + 2, Class::Modal);
        assert_eq!((executed.executed(), executed.acked()), (1, lag + 2));
        executed.on_ack(lag + 3, Class::Sync);
        assert_eq!(executed.executed(), lag + 3);
    }

    #[test]
    fn a_larger_planner_holds_more_back() {
        let mut executed = Executed::new(Dialect::Grbl);
        executed.set_planner(100);
        for line in 1..=112 {
            executed.on_ack(line, Class::Motion);
        }
        assert_eq!(executed.executed(), 0);
        executed.on_ack(113, Class::Motion);
        assert_eq!(executed.executed(), 1);
    }

    #[test]
    fn a_marlin_heat_up_proves_nothing_about_the_planner() {
        let mut executed = Executed::new(Dialect::Marlin);
        executed.on_ack(1, Class::Motion);
        executed.on_ack(2, Class::Patient);
        assert_eq!(executed.executed(), 0);
        executed.drained();
        assert_eq!(executed.executed(), 2);
    }

    #[test]
    fn intervals_read_as_people_say_them() {
        let show = |first, last| InDoubt { first, last }.to_string();
        assert_eq!(show(5, 4), "no line");
        assert_eq!(show(5, 5), "line 5");
        assert_eq!(show(5, 9), "lines 5 to 9");
    }
}
