//! State reports and silence: what they prove, and when patience ends.

use core::time::Duration;

use feedhold_gcode_parse::{Block, Code, Flavor};

use super::{
    Cancelling, Event, Fault, InDoubt, MachineAction, Pause, Phase, State, Streamer, Timer,
    flight::{InFlight, Origin, Query},
    geometry::Geometry,
    operator::TRANSITION_POLL,
    settle::MAX_PROBES,
};
use crate::{
    chunk::Class,
    dialect::{MachineState, RealtimeCommand, StatusReport},
};

/// Silence after which a numbered protocol is asked whether it is still there: longer than the two seconds in which a working
/// Marlin says that it is busy.
const SILENCE: Duration = Duration::from_secs(3);
/// Reports of an idle machine with unanswered lines that prove a lost answer.
const IDLE_POLLS: u32 = 3;
/// What a dwell may take longer than its own time before its answer counts as lost.
const DWELL_GRACE: Duration = Duration::from_secs(1);

/// What was in flight when the state was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    flight_was_empty: bool,
    last_answer: Duration,
}

/// Reports of an idle machine in a row, with nothing unanswered and nothing sent in between.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Idle {
    reports: u32,
    sent: u64,
}

/// Such reports that prove an empty planner. One is not enough: grbl answers the last line before it starts to move.
const IDLE_REPORTS: u32 = 2;

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

    pub(super) fn on_status(&mut self, now: Duration, report: StatusReport) {
        let before = self.status.replace(report);
        self.prove_by_report(&report);
        let changed = before.is_none_or(|before| {
            before.state != report.state || before.machine_position != report.machine_position
        });
        // A machine that somebody holds, or whose door is open, stands still with good reason.
        if changed || report.state.is_held() {
            self.last_progress = now;
        }
        self.emit(Event::Status(report));
        let asked = self.status_asked.take();
        self.prove_by_idleness(&report, asked);
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
            )
            // What waits for an alarm to be cleared is refused at once.
            | (Phase::Ready, MachineState::Alarm) => {
                self.look_for_lost_answers(now, &report, asked);
            }
            _ => self.idle_polls = 0,
        }
    }

    /// What a report proves about the lines before the place it tells of.
    fn prove_by_report(&mut self, report: &StatusReport) {
        // In other states it moves beside the program: homing, parking behind an open door, a jog.
        let on_path = matches!(
            report.state,
            MachineState::Run | MachineState::Hold(_) | MachineState::Idle
        );
        if let Some(free) = report.planner_free {
            self.executed.on_planner_free(usize::from(free));
        }
        if let Some(line) = report.line {
            self.executed.on_line_number(line);
        }
        let place = self
            .facts
            .as_ref()
            .and_then(|facts| facts.machine_position_in(report))
            .and_then(|place| place.xyz());
        let tolerance = self.geometry.as_ref().and_then(Geometry::tolerance);
        if let (true, Some(place), Some(tolerance)) = (on_path, place, tolerance) {
            self.executed.on_place(place, tolerance);
        }
    }

    /// A machine that is idle and owes no answer has nothing left to do.
    fn prove_by_idleness(&mut self, report: &StatusReport, asked: Option<Asked>) {
        let idle = report.state == MachineState::Idle
            && asked.is_some_and(|asked| asked.flight_was_empty)
            && self.flight.is_empty();
        if !idle {
            self.idle = Idle::default();
            return;
        }
        if self.idle.sent != self.sent {
            self.idle.reports = 0;
        }
        self.idle.sent = self.sent;
        self.idle.reports += 1;
        if self.idle.reports >= IDLE_REPORTS {
            self.executed.drained();
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
        let dwells = report.state != MachineState::Alarm;
        let waits_rightly = self
            .flight
            .front()
            .is_none_or(|front| dwells && now < self.idle_until(front));
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
            let answer = "nothing, although the machine does nothing; an `ok` or the line was lost on the wire, or with an alarm";
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
        if self.flight.is_empty() {
            return;
        }
        if !watching {
            // A program may begin behind what is in flight, and is watched then.
            return self
                .timers
                .set(Timer::Progress, now + self.config.chunk_timeout);
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
