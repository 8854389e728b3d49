//! Program stops: what the policy says happens when one is reached.

use std::{collections::VecDeque, time::Duration};

use feedhold_stream_core::{
    chunk::Stop,
    streamer::{CommandId, Proceed},
};

use super::Task;
use crate::{Event, config::StopAction, event::stop_code, record::Reason};

/// Lines that run in place of a stop, one at a time: a line the controller refuses must not have others behind it.
pub(super) struct Macro {
    rest: VecDeque<String>,
    /// The line that waits for its answer, and its text.
    waits: Option<(CommandId, String)>,
}

impl Task {
    /// A program stop was reached: does what the policy says.
    pub(super) fn reach_stop(&mut self, now: Duration, stop: Stop, line: u64) {
        let action = self.config.stops.action(stop).clone();
        self.emit(Event::StopReached {
            code: stop_code(stop),
            line,
            asks: action == StopAction::Ask,
        });
        self.want_record(Reason::Stop);
        match action {
            StopAction::Ask => {}
            StopAction::Skip => self.pass_stop(now, Proceed::Skip),
            StopAction::Send => self.pass_stop(now, Proceed::Send),
            StopAction::Macro(lines) => {
                let rest = lines.into();
                if let Some(running) = &mut self.job {
                    running.stop_macro = Some(Macro { rest, waits: None });
                }
                self.next_macro_line(now);
            }
        }
    }

    fn pass_stop(&mut self, now: Duration, proceed: Proceed) {
        // Refused when the operator was faster; then the stop is behind the job already.
        let _ = self.streamer.proceed(now, proceed);
    }

    /// Sends the next line of the macro; behind the last one the job goes on.
    fn next_macro_line(&mut self, now: Duration) {
        let Some(running) = &mut self.job else { return };
        let Some(playing) = &mut running.stop_macro else {
            return;
        };
        let Some(line) = playing.rest.pop_front() else {
            running.stop_macro = None;
            return self.pass_stop(now, Proceed::Skip);
        };
        match self.streamer.command(line.as_bytes()) {
            Ok(id) => playing.waits = Some((id, line)),
            Err(error) => self.stop_macro(&line, &error.to_string()),
        }
    }

    /// A command was answered that nobody else waits for: perhaps the line of a macro.
    pub(super) fn macro_answered(
        &mut self,
        now: Duration,
        id: CommandId,
        answer: Result<(), String>,
    ) {
        let playing = self.job.as_mut().and_then(|job| job.stop_macro.as_mut());
        let Some((_, line)) =
            playing.and_then(|playing| playing.waits.take_if(|(waits, _)| *waits == id))
        else {
            return;
        };
        match answer {
            Ok(()) => self.next_macro_line(now),
            Err(error) => self.stop_macro(&line, &error),
        }
    }

    fn stop_macro(&mut self, line: &str, error: &str) {
        self.forget_macro();
        self.emit(Event::Message {
            text: format!("the macro stopped at {line:?}: {error}; the job waits at its stop"),
        });
    }

    /// The rest of a macro is not wanted any more: the operator has decided.
    pub(super) fn forget_macro(&mut self) {
        if let Some(running) = &mut self.job {
            running.stop_macro = None;
        }
    }
}
