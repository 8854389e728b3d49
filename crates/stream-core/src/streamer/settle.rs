//! Answers: which line each one settles, which belong to nobody, and which lines have to be sent again.

use core::time::Duration;

use super::{
    Cancelling, Event, Fault, InDoubt, Phase, Streamer, Timer,
    count::FIRST_OF_A_RESTART,
    flight::{InFlight, Origin, Query},
    program::Cursor,
};
use crate::{
    dialect::{Ack, MachineError},
    retry::{Classify, Disposition},
};

/// How long late answers to a resend request may trickle in before the lines are sent again.
const QUIET: Duration = Duration::from_millis(100);
/// Questions after a silence that may be open at once.
pub(super) const MAX_PROBES: usize = 4;

impl Streamer {
    /// One `ok`. It settles the oldest line in flight, unless it says which line it means or belongs to something else.
    pub(super) fn on_ok(&mut self, now: Duration, ack: Ack) {
        self.last_answer = now;
        self.last_progress = now;
        self.idle_polls = 0;
        if ack.with_temperatures && self.settle_asked(now) {
            return;
        }
        if let Some(number) = ack.line {
            // A number that was never sent is a garbled one.
            return if number < self.next_number {
                self.settle_numbered(now, number)
            } else {
                self.stray()
            };
        }
        if self.resend_answers > 0 {
            self.resend_answers -= 1;
            self.resend_announced = false;
            return;
        }
        // Only temperatures answer a line that asks for them, and they answer no other.
        if self.asks_temperatures() || ack.with_temperatures && self.tells_temperatures() {
            return self.stray();
        }
        match self.flight.pop() {
            Some(line) => self.settle(now, line, Ok(())),
            None => self.stray(),
        }
    }

    /// The oldest line in flight is answered with temperatures, and with nothing else.
    fn asks_temperatures(&self) -> bool {
        let front = self.flight.front();
        front.is_some_and(|front| front.asks_temperatures)
    }

    /// Temperatures answer the question that was asked first: an `M105` among the lines, or one after a silence. `false` when no
    /// question is open.
    fn settle_asked(&mut self, now: Duration) -> bool {
        let asked = self.flight.asking().and_then(|line| line.number);
        let probe = self.probes.front().copied();
        match asked.filter(|number| probe.is_none_or(|before| *number < before)) {
            // One of several answers may be lost, and one that came after a silence says nothing of lines that never arrived.
            Some(number) => self.settle_counted(now, number, probe.is_none()),
            None => self.settle_probed(now),
        }
        asked.or(probe).is_some()
    }

    /// The answer to the numbered question `number`: everything before it has arrived, in order.
    fn settle_counted(&mut self, now: Duration, number: u64, is_proof: bool) {
        self.resend_answers = 0;
        let mut confirms = false;
        while let Some(line) = self.flight.front().copied() {
            if line.number.is_some_and(|sent| sent > number) {
                break;
            }
            self.flight.pop();
            confirms = line.origin == Origin::Query(Query::Confirm);
            if is_proof {
                self.taken(&line);
            }
            self.settle(now, line, Ok(()));
        }
        if confirms && is_proof {
            self.on_drained(now);
        }
    }

    /// `ok N…` names its line: everything up to it was taken, also where an earlier `ok` was lost.
    fn settle_numbered(&mut self, now: Duration, number: u64) {
        while let Some(front) = self.flight.front() {
            if front.number.is_some_and(|sent| sent > number) {
                return;
            }
            if let Some(line) = self.flight.pop() {
                self.taken(&line);
                self.settle(now, line, Ok(()));
            }
        }
    }

    /// The answer to a question that was asked after a silence: answers come in order, so every line sent before it has been
    /// dealt with. Lines that never arrived will be asked for by number.
    fn settle_probed(&mut self, now: Duration) {
        let Some(before) = self.probes.pop_front() else {
            return;
        };
        self.resend_answers = 0;
        while self
            .flight
            .front()
            .is_some_and(|line| line.number.is_none_or(|number| number < before))
        {
            if let Some(line) = self.flight.pop() {
                self.settle(now, line, Ok(()));
            }
        }
    }

    pub(super) fn note_probe(&mut self) {
        self.probes.push_back(self.next_number);
    }

    fn stray(&mut self) {
        self.stray_answers += 1;
        self.emit(Event::StrayAnswer);
    }

    /// Everything that follows from the answer to one line.
    pub(super) fn settle(&mut self, now: Duration, line: InFlight, answer: Result<(), String>) {
        // Answers come in order: a question asked before this line was sent lost its own.
        let asked_before = |before: &u64| line.number.is_some_and(|number| *before <= number);
        while self.probes.front().is_some_and(asked_before) {
            self.probes.pop_front();
        }
        match line.origin {
            Origin::Program {
                cursor,
                source_line,
            } => {
                if answer.is_err() {
                    self.executed.on_refused();
                }
                self.account_program_line(now, cursor, source_line);
                if let Err(answer) = answer {
                    // What it would have done is not done.
                    self.lose_way();
                    self.refused(source_line, answer);
                }
            }
            Origin::Command(id) if id.0 < self.told_commands => {}
            Origin::Command(id) => {
                self.told_commands = id.0 + 1;
                if answer.is_err() {
                    self.executed.on_refused();
                    self.lose_way();
                }
                self.executed.on_command_ack();
                self.emit(Event::CommandDone { id, answer });
            }
            Origin::Query(Query::Barrier) if let Err(answer) = answer => {
                // The machine is locked, or keeps refusing after an error: asking again would never end.
                self.refused(self.sent, answer);
            }
            Origin::Query(Query::Barrier) if self.flight.is_empty() => {
                if self.is_numbered() {
                    self.ask(Query::Confirm);
                } else {
                    self.on_drained(now);
                }
            }
            Origin::Query(Query::Offsets) if self.taking_stock => self.stock_taken(),
            Origin::Query(query @ (Query::Count | Query::CountFrom(_))) => {
                self.on_count_settled(query)
            }
            Origin::Query(_) | Origin::Nobody => {}
        }
        self.history
            .trim(self.flight.front().and_then(|line| line.number));
        if self.flight.is_empty() {
            self.timers.stop(Timer::Silence);
            self.timers.stop(Timer::Progress);
        }
    }

    /// A program line was answered (or skipped at a stop).
    pub(super) fn account_program_line(&mut self, now: Duration, cursor: Cursor, source_line: u64) {
        self.executed.on_ack(source_line);
        if let Some(done) = self.program.answered(cursor, now) {
            self.emit(Event::ChunkCompleted {
                index: done.index,
                lines: done.lines,
                took: done.took,
            });
            self.program.retire(self.history.oldest_cursor());
        }
    }

    /// The controller refused a program line: consumed, not executed, and the lines behind it are on their way.
    fn refused(&mut self, line: u64, answer: String) {
        if !matches!(self.phase, Phase::Streaming | Phase::Pausing { .. }) {
            self.emit(Event::Message(answer));
            return;
        }
        let may_have_run = match self.flight.source_lines() {
            Some((first, last)) => InDoubt { first, last },
            None => InDoubt {
                first: line + 1,
                last: line,
            },
        };
        self.fault(Fault::Line {
            line,
            answer,
            may_have_run,
        });
    }

    pub(super) fn on_error(&mut self, now: Duration, error: &MachineError<'_>) {
        self.last_answer = now;
        self.last_progress = now;
        self.idle_polls = 0;
        let answer = format!("{error}; {}", error.remedy());
        if error.answers_line() {
            match self.flight.pop() {
                Some(line) => self.settle(now, line, Err(answer)),
                None => {
                    self.stray();
                    self.refused_unknown(answer);
                }
            }
            return;
        }
        let MachineError::Marlin(error) = error else {
            return;
        };
        if !error.kind.asks_resend() {
            let moves = self.is_running() && !matches!(self.phase, Phase::Cancelling(_));
            if moves && error.kind.disposition() == Disposition::Abort {
                let in_doubt = self.positions().in_doubt();
                self.fault(Fault::Stopped { answer, in_doubt });
            } else {
                self.emit(Event::Message(answer));
            }
        } else if let Some(last) = error.last_line {
            // The request itself follows. Should it be lost, this line says the same.
            self.resend_answers += u32::from(!self.resend_announced);
            self.resend_announced = true;
            self.go_back(now, last.saturating_add(1));
        }
    }

    /// A refusal that no line waits for: answers came twice before, and some line of the program was not executed.
    fn refused_unknown(&mut self, answer: String) {
        let moves = matches!(
            self.phase,
            Phase::Streaming
                | Phase::Pausing { .. }
                | Phase::Paused { .. }
                | Phase::Resuming { .. }
                | Phase::AtStop { .. }
        );
        if moves {
            let in_doubt = self.positions().in_doubt();
            self.fault(Fault::Stopped { answer, in_doubt });
        }
    }

    pub(super) fn on_resend(&mut self, now: Duration, number: u64) {
        self.last_answer = now;
        self.last_progress = now;
        if self.resend_announced {
            self.resend_announced = false;
        } else {
            self.resend_answers += 1;
        }
        self.emit(Event::Resend { number });
        self.go_back(now, number);
    }

    /// The controller expects line `number` next: it has thrown away everything sent from there on.
    fn go_back(&mut self, now: Duration, number: u64) {
        if self.is_telling_count() {
            return self.on_resend_of_count(now, number);
        }
        if number == self.next_number {
            return;
        }
        let (oldest, newest) = self
            .history
            .range()
            .unwrap_or((self.next_number, self.next_number.saturating_sub(1)));
        if !self.history.rewind(number) {
            if number == FIRST_OF_A_RESTART {
                return self.on_started(now);
            }
            self.fault(Fault::ResendOutOfRange {
                asked: number,
                oldest,
                newest,
            });
            return;
        }
        let mut first_unanswered = self.next_number;
        while let Some(line) = self.flight.pop_discarded(number) {
            first_unanswered = line.number.unwrap_or(first_unanswered);
        }
        // Answers got lost or doubled: lines that counted as taken were not.
        for number in number..first_unanswered {
            if let Some(Origin::Program {
                cursor,
                source_line,
            }) = self.history.origin(number)
            {
                self.program.retract(cursor);
                self.executed.retract(source_line);
            }
        }
        if number + 1 < self.next_number {
            self.timers.set(Timer::Quiet, now + QUIET);
        }
    }

    /// Answers the question whether every motion has finished.
    fn on_drained(&mut self, now: Duration) {
        if !self.flight.is_empty() {
            return;
        }
        self.drained = true;
        self.executed.drained();
        // Everything has arrived, so nobody can ask for it again.
        self.history.clear();
        self.at_rest(now);
    }

    /// The machine stands still with nothing left to do; ends a pause or a cancellation that waited for it.
    pub(super) fn at_rest(&mut self, now: Duration) {
        match self.phase {
            Phase::Pausing { pause, since } => self.paused(now, pause, since),
            Phase::Cancelling(Cancelling::Draining) => self.cancelled(now),
            _ => {}
        }
    }
}
