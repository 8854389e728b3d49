//! What the controller says, and who deals with it.

use core::time::Duration;

use super::{
    Cancelling, Event, Fault, MachineAction, Phase, Streamer, Timer, Withdrawn, event::Greeted,
    flight::InFlight,
};
use crate::{
    chunk::Class,
    dialect::{Dialect, HostAction, Response},
};

impl Streamer {
    pub(super) fn on_response(&mut self, now: Duration, response: Response<'_>) {
        if matches!(self.phase, Phase::Greeting) {
            self.on_greeting_response(now, response);
            return;
        }
        self.note_fact(&response);
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
                    self.emit(Event::Alarm(alarm));
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
            // Asked for on our own account, not by an operator.
            Response::ParserState(_) if self.taking_stock => {}
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

    pub(super) fn on_started(&mut self, now: Duration) {
        let in_doubt = self.positions().in_doubt();
        let phase = self.phase;
        self.withdraw(Withdrawn::All);
        self.forget_flight();
        self.count_behind(0);
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
