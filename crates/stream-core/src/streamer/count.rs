//! How many lines a printer has taken, proved once in a while.
//!
//! An `ok` names no line, so one that is lost or doubled shifts all behind it. Among the lines goes a numbered `M105`: a printer reads it
//! only when it has taken every line before it, and answers with temperatures, which no other line's `ok` has. Until that answer comes,
//! a plain `ok` behind the lines before it is one too many.
//!
//! The count itself begins at a number that a printer which has just started does not reach: one that restarts in the midst of a job
//! asks for line 1, and nobody has that line any more.

use core::{ops::RangeInclusive, time::Duration};
use std::collections::VecDeque;

use super::{
    Streamer,
    flight::{InFlight, Origin, Query},
    transmit::Queued,
};
use crate::resume::Facts;

/// Lines after which a question is due,
const EVERY_LINES: u64 = 32;
/// and the time, when there was any line.
const EVERY: Duration = Duration::from_secs(1);
/// The line that a printer asks for which has restarted and was not told where to count from.
pub(super) const FIRST_OF_A_RESTART: u64 = 1;
/// Where a count may begin: no line that is kept for a resend request has a number as low as one that a printer counts to after a
/// restart. Connections begin at different numbers, so that one's count is not taken for another's.
const FIRST: RangeInclusive<u64> = 1_000..=9_999;
/// A count that is as far as this begins anew: numbers have 32 bits, and a job has to fit behind it.
const LAST: u64 = 1_000_000_000;

/// Where a count begins, and when the next question is due.
#[derive(Debug, Default)]
pub(super) struct Count {
    /// Where a count would begin.
    first: u64,
    /// The printer was told so, and has not shown yet that it heard.
    told: bool,
    /// The number of the newest line that is answered with temperatures,
    asked: u64,
    /// and when it left.
    at: Duration,
}

impl Count {
    /// A link is up.
    pub(super) fn begin(now: Duration) -> Self {
        let span = FIRST.end() - FIRST.start() + 1;
        Self {
            first: FIRST.start() + u64::from(now.subsec_micros()) % span,
            ..Self::default()
        }
    }

    /// The number that the printer is told.
    pub(super) fn query(&self) -> Query {
        Query::CountFrom(self.first)
    }

    /// The number that a printer is told which may still owe answers up to that of line `last`: the next ones lie behind them.
    pub(super) fn query_behind(&self, last: u64) -> Query {
        Query::CountFrom(self.first.max(last))
    }

    /// Whether a printer that counts on from `next` can be told from one that has just started.
    fn tells_restarts(next: u64) -> bool {
        (*FIRST.start()..LAST).contains(&next)
    }

    /// A line that is answered with temperatures leaves.
    pub(super) fn on_asked(&mut self, now: Duration, number: u64) {
        (self.asked, self.at) = (number, now);
    }
}

/// Whether a printer answers this line with temperatures.
pub(super) fn asks_temperatures(text: &[u8]) -> bool {
    let rest = text.strip_prefix(b"M105");
    rest.is_some_and(|rest| !rest.first().is_some_and(u8::is_ascii_digit))
}

impl Streamer {
    /// Whether answers are proved: only by a printer that is known to tell its temperatures.
    pub(super) fn proves_count(&self) -> bool {
        self.facts.is_some() && self.tells_temperatures()
    }

    /// Whether the answer to `M105` can be told from every other `ok`. Most printers tell them there; this one was not asked, or does.
    pub(super) fn tells_temperatures(&self) -> bool {
        let tells = |facts: &Facts| facts.temperatures.is_some();
        self.is_numbered() && self.facts.as_deref().is_none_or(tells)
    }

    /// A program begins: tells the printer a number to count from, unless its count shows a restart as it is. Nothing of the program
    /// leaves before it is certain that the printer has heard it.
    pub(super) fn begin_count(&mut self) {
        if self.is_numbered() && !Count::tells_restarts(self.next_number) {
            self.taking_stock = true;
            self.count.told = false;
            self.tell_count();
        }
    }

    fn tell_count(&mut self) {
        if self.proves_count() {
            self.ask(Query::Count);
        }
        self.ask(self.count.query());
    }

    /// Whether the printer was told where to count from and has not shown that it heard it.
    pub(super) fn is_telling_count(&self) -> bool {
        self.is_numbered() && self.taking_stock && self.count.told
    }

    /// The printer asks for a line while it has not shown that it knows where to count from: it has not heard it, or has restarted since.
    pub(super) fn on_resend_of_count(&mut self, now: Duration, number: u64) {
        let unheard = |line: &InFlight| line.origin == Origin::Query(self.count.query());
        if number == FIRST_OF_A_RESTART && !self.flight.front().is_none_or(unheard) {
            self.on_started(now);
        } else {
            self.tell_count_again();
        }
    }

    fn tell_count_again(&mut self) {
        self.flight.clear();
        self.history.clear();
        self.probes.clear();
        self.commands.retain(|queued| !queued.is_of_count());
        self.tell_count();
    }

    /// The line with which a count begins leaves.
    pub(super) fn on_count_told(&mut self, number: u64) {
        self.count.told = true;
        self.count_behind(number);
    }

    /// The printer has counted up to `last`, and nothing that was sent is unanswered.
    pub(super) fn count_behind(&mut self, last: u64) {
        self.count.asked = last;
        self.next_number = last.saturating_add(1);
        self.history.clear();
    }

    /// Asks the question when it is due before the next line.
    pub(super) fn ask_count(&mut self, now: Duration) {
        let last = self.next_number.saturating_sub(1);
        let since = last.saturating_sub(self.count.asked);
        let due = since >= EVERY_LINES || since > 0 && now >= self.count.at + EVERY;
        let waits = |queue: &VecDeque<Queued>| queue.iter().any(Queued::is_of_count);
        let open = || self.flight.asking().is_some() || waits(&self.commands);
        if due && self.proves_count() && !self.taking_stock && !open() {
            self.ask(Query::Count);
        }
    }

    /// It is certain that the printer has taken this line, and with it every line before it.
    pub(super) fn taken(&mut self, line: &InFlight) {
        self.executed.confirmed(line.mark);
        if line.origin == Origin::Query(Query::Count) {
            self.taking_stock = false;
        }
    }

    /// A question of the count is done with. One that was not [answered](Self::taken) proves nothing.
    pub(super) fn on_count_settled(&mut self, query: Query) {
        match query {
            Query::Count if self.taking_stock => self.tell_count_again(),
            Query::CountFrom(_) if !self.proves_count() => self.taking_stock = false,
            _ => {}
        }
    }
}
