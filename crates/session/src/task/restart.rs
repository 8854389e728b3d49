//! A controller that restarts while a session has it: what it said of itself holds no more, and nothing goes on from there.

use std::time::Duration;

use feedhold_stream_core::{
    dialect::{Alarm, Dialect},
    streamer::State,
};

use super::{Reply, Task, respond};
use crate::{
    Event,
    handle::{Job, RunError, WishError},
};

impl Task {
    /// The controller has restarted, by itself or because it was told to, or an alarm has made it forget where it is.
    pub(super) fn note_restart(&mut self) {
        self.restarted = true;
        self.publish.facts.send_replace(None);
    }

    /// The machine went into alarm beside a program. Some alarms lose steps, and some make the controller forget what it was sent.
    pub(super) fn on_alarm(&mut self, alarm: Alarm) {
        if alarm.loses_position() {
            self.note_restart();
            if let Some(running) = &mut self.job {
                running.conduct.lose_position();
            }
        }
        if alarm.needs_reset() {
            self.forget_commands();
        }
        self.emit(Event::Message {
            text: alarm.to_string(),
        });
    }

    /// Stops the machine at once. Where that happens in mid-motion, it may lose steps.
    pub(super) fn reset(&mut self, now: Duration) -> Result<(), WishError> {
        let stands = matches!(self.streamer.state(), State::Paused | State::AtStop)
            && self.streamer.dialect() == Dialect::Grbl;
        self.streamer.reset(now)?;
        self.forget_commands();
        if let Some(running) = self.job.as_mut().filter(|_| !stands) {
            running.conduct.lose_position();
        }
        Ok(())
    }

    /// Sends a line of the way back to a part, while the controller is the one that said where it stands.
    pub(super) fn approach(&mut self, line: &[u8], reply: Reply) {
        let state = self.streamer.state();
        if self.restarted {
            respond(reply, Err(WishError::Restarted));
        } else if state != State::Ready {
            respond(reply, Err(WishError::NotReady(state.into())));
        } else {
            self.send_command(line, reply);
        }
    }

    /// A job that goes on from a place needs the controller that said where it stands.
    pub(super) fn check_place(&self, job: &Job) -> Result<(), RunError> {
        let goes_on = job.done > 0 || job.set_up.is_some();
        if goes_on && self.restarted {
            return Err(RunError::Restarted);
        }
        Ok(())
    }
}
