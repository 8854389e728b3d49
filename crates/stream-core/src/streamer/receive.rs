//! What the controller says, and what follows from it.

use core::time::Duration;

use feedhold_gcode_parse::{Block, Code, Flavor};

use super::{
    Cancelling, Event, Fault, InDoubt, MachineAction, Pause, Phase, State, Streamer, Timer,
    event::Greeted,
    flight::{InFlight, Origin, Query},
    operator::TRANSITION_POLL,
    program::Cursor,
};
use crate::{
    chunk::Class,
    dialect::{
        Ack, Dialect, HostAction, MachineError, MachineState, RealtimeCommand, Response,
        StatusReport,
    },
    retry::{Classify, Disposition},
};

/// Silence after which a numbered protocol is asked whether it is still there: longer than the two seconds in which a working
/// Marlin says that it is busy.
const SILENCE: Duration = Duration::from_secs(3);
/// How long late answers to a resend request may trickle in before the lines are sent again.
const QUIET: Duration = Duration::from_millis(100);
/// Reports of an idle machine with unanswered lines that prove a lost answer.
const IDLE_POLLS: u32 = 3;
/// What a dwell may take longer than its own time before its answer counts as lost.
const DWELL_GRACE: Duration = Duration::from_secs(1);
/// Questions after a silence that may be open at once.
const MAX_PROBES: usize = 4;

/// What was in flight when the state was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    flight_was_empty: bool,
    last_answer: Duration,
}

impl Streamer {
    pub(super) fn on_response(&mut self, now: Duration, response: Response<'_>) {
        if matches!(self.phase, Phase::Greeting) {
            self.on_greeting_response(now, response);
            return;
        }
        match response {
            Response::Ok(ack) => self.on_ok(now, ack),
            Response::Error(error) => self.on_error(now, &error),
            Response::Status(report) => self.on_status(now, report),
            Response::Resend(number) => self.on_resend(now, number),
            Response::Busy(_) => self.progress(now),
            Response::Alarm(alarm) => {
                let in_doubt = self.positions().in_doubt();
                if self.is_running() && !matches!(self.phase, Phase::Cancelling(_)) {
                    self.fault(Fault::Alarm {
                        alarm: Some(alarm),
                        in_doubt,
                    });
                } else {
                    self.emit(Event::Message(alarm.to_string()));
                }
            }
            Response::Started(_) => self.on_started(now),
            Response::Fatal(fatal) => {
                if matches!(self.phase, Phase::Cancelling(Cancelling::Resetting)) {
                    self.emit(Event::ResetDone);
                }
                let in_doubt = self.positions().in_doubt();
                self.fault(Fault::Fatal { fatal, in_doubt });
            }
            Response::Action(action) => self.on_action(action),
            Response::Temperature(report) => {
                // Firmware that was told not to say that it is busy still counts the degrees of a heat-up.
                let patient = |line: &InFlight| line.class == Class::Patient;
                if self.flight.front().is_some_and(patient) {
                    self.last_report = now;
                }
                self.emit(Event::Temperature(report));
            }
            Response::Wait => {}
            Response::Capability { name, on } => self.note_capability(name, on),
            other => self.on_message(&other),
        }
    }

    pub(super) fn note_capability(&mut self, name: &str, enabled: bool) {
        if self.config.dialect.realtime_capability() == Some(name) {
            self.emergency_parser = enabled;
        }
    }

    fn on_message(&mut self, response: &Response<'_>) {
        if let Some(text) = message(response) {
            self.emit(Event::Message(text));
        }
    }

    /// One `ok`. It settles the oldest line in flight, unless it says which line it means or belongs to something else.
    fn on_ok(&mut self, now: Duration, ack: Ack) {
        self.last_answer = now;
        self.last_progress = now;
        self.idle_polls = 0;
        if ack.with_temperatures && (self.settle_probed(now) || self.settle_confirmed(now)) {
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
        if self.is_confirming() {
            return self.stray();
        }
        match self.flight.pop() {
            Some(line) => self.settle(now, line, Ok(())),
            None => self.stray(),
        }
    }

    fn is_confirming(&self) -> bool {
        self.flight
            .front()
            .is_some_and(|front| front.origin == Origin::Query(Query::Confirm))
    }

    /// The barrier was confirmed: everything sent has arrived, in order, and has been executed.
    fn settle_confirmed(&mut self, now: Duration) -> bool {
        if !self.is_confirming() || self.history.is_resending() {
            return false;
        }
        if let Some(line) = self.flight.pop() {
            self.settle(now, line, Ok(()));
        }
        self.on_drained(now);
        true
    }

    /// `ok N…` names its line: everything up to it was taken, also where an earlier `ok` was lost.
    fn settle_numbered(&mut self, now: Duration, number: u64) {
        while let Some(front) = self.flight.front() {
            if front.number.is_some_and(|sent| sent > number) {
                return;
            }
            if let Some(line) = self.flight.pop() {
                self.settle(now, line, Ok(()));
            }
        }
    }

    /// The answer to a question that was asked after a silence: answers come in order, so every line sent before it has been
    /// dealt with. Lines that never arrived will be asked for by number. `false` when no question is open.
    fn settle_probed(&mut self, now: Duration) -> bool {
        let Some(before) = self.probes.pop_front() else {
            return false;
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
        true
    }

    pub(super) fn note_probe(&mut self) {
        self.probes.push_back(self.next_number);
    }

    fn stray(&mut self) {
        self.stray_answers += 1;
        self.emit(Event::StrayAnswer);
    }

    /// Everything that follows from the answer to one line.
    fn settle(&mut self, now: Duration, line: InFlight, answer: Result<(), String>) {
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
                self.account_program_line(now, cursor, source_line, line.class);
                if let Err(answer) = answer {
                    self.refused(source_line, answer);
                }
            }
            Origin::Command(id) => self.emit(Event::CommandDone { id, answer }),
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
            Origin::Query(_) => {}
        }
        self.history
            .trim(self.flight.front().and_then(|line| line.number));
        if self.flight.is_empty() {
            self.timers.stop(Timer::Silence);
            self.timers.stop(Timer::Progress);
        }
    }

    /// A program line was answered (or skipped at a stop).
    pub(super) fn account_program_line(
        &mut self,
        now: Duration,
        cursor: Cursor,
        source_line: u64,
        class: Class,
    ) {
        self.executed.on_ack(source_line, class);
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

    fn on_error(&mut self, now: Duration, error: &MachineError<'_>) {
        self.last_answer = now;
        self.last_progress = now;
        self.idle_polls = 0;
        let answer = format!("{error}; {}", error.remedy());
        if error.answers_line() {
            match self.flight.pop() {
                Some(line) => self.settle(now, line, Err(answer)),
                None => self.stray(),
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

    fn on_resend(&mut self, now: Duration, number: u64) {
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
        if number == self.next_number {
            return;
        }
        let (oldest, newest) = self
            .history
            .range()
            .unwrap_or((self.next_number, self.next_number.saturating_sub(1)));
        if !self.history.rewind(number) {
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

    fn on_started(&mut self, now: Duration) {
        let in_doubt = self.positions().in_doubt();
        let phase = self.phase;
        self.forget_flight();
        self.next_number = 1;
        match phase {
            Phase::Cancelling(_) => {
                self.emit(Event::ResetDone);
                self.cancelled(now);
            }
            _ => {
                if self.is_running() {
                    self.fault(Fault::ControllerReset { in_doubt });
                } else {
                    self.greeted = self.greeted.map(|greeted| Greeted {
                        was_reset: true,
                        ..greeted
                    });
                    self.emit(Event::ResetDone);
                }
                if self.config.dialect == Dialect::Grbl {
                    self.timers
                        .set(Timer::Status, now + self.config.status_interval);
                }
            }
        }
    }

    fn on_action(&mut self, action: HostAction<'_>) {
        let event = match action {
            HostAction::Pause | HostAction::Paused => Event::MachineAction(MachineAction::Pause),
            HostAction::Resume | HostAction::Resumed => Event::MachineAction(MachineAction::Resume),
            HostAction::Cancel => Event::MachineAction(MachineAction::Cancel),
            other => Event::Message(format!("{other:?}")),
        };
        self.emit(event);
    }
}

/// # State reports and silence
impl Streamer {
    pub(super) fn ask_status(&mut self, now: Duration) {
        if matches!(
            self.phase,
            Phase::Disconnected | Phase::Greeting | Phase::Faulted { mute: true, .. }
        ) {
            return;
        }
        let waits = self
            .config
            .dialect
            .realtime(RealtimeCommand::Status)
            .is_some_and(|ask| self.realtime.ends_with(ask));
        if !waits {
            self.send_realtime(RealtimeCommand::Status);
        }
        self.status_asked = Some(Asked {
            flight_was_empty: self.flight.is_empty(),
            last_answer: self.last_answer,
        });
        self.timers.set(Timer::Status, now + self.status_pace());
    }

    fn on_status(&mut self, now: Duration, report: StatusReport) {
        let before = self.status.replace(report);
        let changed = before.is_none_or(|before| {
            before.state != report.state || before.machine_position != report.machine_position
        });
        // A machine that somebody holds, or whose door is open, stands still with good reason.
        if changed || report.state.is_held() {
            self.last_progress = now;
        }
        self.emit(Event::Status(report));
        let asked = self.status_asked.take();
        match (self.phase, report.state) {
            (Phase::Pausing { pause, since }, MachineState::Hold(0)) => {
                self.paused(now, pause, since)
            }
            (Phase::Resuming { since, .. }, state) if !state.is_held() => self.resumed(now, since),
            // grbl ignores a resume while it is still slowing down.
            (Phase::Resuming { since, .. }, MachineState::Hold(0) | MachineState::Door(0))
                if asked.is_some() && now >= since + TRANSITION_POLL =>
            {
                self.send_realtime(RealtimeCommand::Resume);
            }
            (Phase::Cancelling(Cancelling::Holding), state) if !state.may_move() => {
                let _ = self.reset(now);
            }
            (Phase::Streaming | Phase::Pausing { .. }, MachineState::Alarm) => {
                self.on_silent_alarm()
            }
            (Phase::Streaming, state) if state.is_held() => {
                if before.is_none_or(|before| !before.state.is_held()) {
                    self.emit(Event::MachineAction(MachineAction::Pause));
                }
            }
            (
                Phase::Ready
                | Phase::AtStop { .. }
                | Phase::Streaming
                | Phase::Pausing {
                    pause: Pause::Graceful,
                    ..
                },
                MachineState::Idle,
            ) => {
                self.look_for_lost_answers(now, &report, asked);
            }
            _ => self.idle_polls = 0,
        }
    }

    /// The machine is in alarm and the message that said so was lost.
    fn on_silent_alarm(&mut self) {
        let in_doubt = self.positions().in_doubt();
        self.fault(Fault::Alarm {
            alarm: None,
            in_doubt,
        });
    }

    /// An idle machine with an empty planner cannot owe an answer. Several reports in a row are needed, because a line may be on
    /// its way, and a dwell stands idle for as long as it lasts.
    fn look_for_lost_answers(
        &mut self,
        now: Duration,
        report: &StatusReport,
        asked: Option<Asked>,
    ) {
        let answered_meanwhile = asked
            .is_none_or(|asked| asked.last_answer != self.last_answer || asked.flight_was_empty);
        let planner_busy = match (
            report.planner_free,
            self.greeted.and_then(|greeted| greeted.planner_blocks),
        ) {
            (Some(free), Some(blocks)) => usize::from(free) < blocks,
            _ => false,
        };
        let waits_rightly = self
            .flight
            .front()
            .is_none_or(|front| now < self.idle_until(front));
        if answered_meanwhile || planner_busy || waits_rightly {
            self.idle_polls = 0;
            return;
        }
        self.idle_polls += 1;
        if self.idle_polls < IDLE_POLLS {
            return;
        }
        if matches!(self.phase, Phase::Ready | Phase::AtStop { .. }) {
            return self.give_up_commands(now);
        }
        let unanswered = match self.flight.source_lines() {
            Some((first, last)) => InDoubt { first, last },
            None => self.positions().in_doubt(),
        };
        self.fault(Fault::LostAnswer { unanswered });
    }

    /// The answers of commands beside the program got lost. Whoever waits for them is told.
    fn give_up_commands(&mut self, now: Duration) {
        self.idle_polls = 0;
        while let Some(line) = self.flight.pop() {
            let answer =
                "nothing, although the machine is idle; an `ok` or the line was lost on the wire";
            self.settle(now, line, Err(answer.to_owned()));
        }
    }

    /// Until when a machine may stand idle over this line: a dwell for its time, every other line not at all.
    fn idle_until(&self, front: &InFlight) -> Duration {
        if front.class != Class::Patient {
            return Duration::ZERO;
        }
        let begun = self.last_answer.max(front.sent_at);
        let dwell = match front.origin {
            // Its text is not kept; a dwell that somebody types is short.
            Origin::Command(_) => Some(self.config.chunk_timeout),
            Origin::Program { cursor, .. } => self
                .program
                .line(cursor)
                .and_then(|line| dwell_of(line.text)),
            _ => None,
        };
        begun
            .saturating_add(dwell.unwrap_or(Duration::ZERO))
            .saturating_add(DWELL_GRACE)
    }

    /// Something shows that the controller works on what it was sent.
    pub(super) fn progress(&mut self, now: Duration) {
        self.last_progress = now;
        if self.timers.is_set(Timer::Silence) {
            self.timers.set(Timer::Silence, now + SILENCE);
        }
    }

    /// Starts to watch for answers, when none was due before.
    pub(super) fn arm_watch(&mut self, now: Duration) {
        self.timers
            .set(Timer::Progress, now + self.config.chunk_timeout);
        if self.is_numbered() {
            self.timers.set(Timer::Silence, now + SILENCE);
        }
    }

    /// A numbered protocol said nothing for a while. An answer may be lost, and with it the credit that the next line needs.
    pub(super) fn on_silence(&mut self, now: Duration) {
        if self.flight.is_empty() || matches!(self.phase, Phase::Faulted { .. }) {
            return;
        }
        let due = self.last_answer.max(self.last_progress) + SILENCE;
        if now < due {
            self.timers.set(Timer::Silence, due);
            return;
        }
        // Each open question adds an answer, and only those that are remembered can be told from the answers of lines.
        if self.probes.len() < MAX_PROBES {
            self.ask(Query::Probe);
        }
        self.timers.set(Timer::Silence, now + SILENCE);
    }

    /// Neither answers nor progress for the whole chunk timeout.
    pub(super) fn on_no_progress(&mut self, now: Duration) {
        let watching = matches!(
            self.state(),
            State::Streaming | State::Pausing | State::Resuming | State::Cancelling
        );
        if self.flight.is_empty() || !watching {
            return;
        }
        let due = self.last_progress.max(self.last_report) + self.config.chunk_timeout;
        let patient = self
            .flight
            .front()
            .map_or(Duration::ZERO, |front| self.idle_until(front));
        let due = due.max(patient);
        if now < due {
            self.timers.set(Timer::Progress, due);
            return;
        }
        let in_doubt = self.positions().in_doubt();
        self.fault(Fault::ChunkTimeout {
            after: self.config.chunk_timeout,
            in_doubt,
        });
    }
}

/// The words for the operator in a response that changes nothing.
fn message(response: &Response<'_>) -> Option<String> {
    let text = match response {
        Response::Feedback(text) | Response::Help(text) | Response::Echo(text) => {
            (*text).to_owned()
        }
        Response::ParserState(words) => format!("[GC:{words}]"),
        Response::UnknownCommand(line) => format!("unknown command: {line}"),
        Response::StartupLine {
            block,
            result: Ok(()),
        } => format!("start-up block {block}: ok"),
        Response::StartupLine {
            block,
            result: Err(error),
        } => format!("start-up block {block}: {error}"),
        Response::Version { version, note } => format!("[VER:{version}:{note}]"),
        Response::Firmware(firmware) => firmware.text.to_owned(),
        Response::Other(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => return None,
    };
    Some(text)
}

/// The time of a dwell line (`G4 P…`, seconds on grbl).
fn dwell_of(text: &[u8]) -> Option<Duration> {
    let block = Block::parse(Flavor::Grbl, text);
    let seconds = block
        .word(b'P')
        .filter(|_| block.has_g(Code::new(4)))?
        .number()?
        .to_f64();
    Duration::try_from_secs_f64(seconds).ok()
}
