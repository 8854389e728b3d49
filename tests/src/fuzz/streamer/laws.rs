//! What holds whatever was called.

use feedhold_stream_core::streamer::{CommandId, Event, State};

use super::Scene;
use crate::fuzz::assert_shown;

impl Scene {
    /// Lines left in this state, under this ceiling.
    pub(super) fn sent(&mut self, state: State, ceiling: u64, out: &[u8]) {
        assert!(out.len() <= 17 * 1024, "{} bytes at once", out.len());
        assert!(state != State::Disconnected, "lines without a link");
        for line in out.split_inclusive(|byte| *byte == b'\n') {
            match self.controller.receive(line) {
                Some(source_line) => {
                    assert!(
                        source_line <= ceiling,
                        "line {source_line} is beyond the ceiling {ceiling}"
                    );
                    self.program
                        .left(self.streamer.dialect(), state, source_line);
                }
                None if state == State::Greeting => {
                    let harmless = [&b"$I"[..], b"M115", b"M110", b"M105"];
                    let asks = |known: &&[u8]| line.windows(known.len()).any(|part| part == *known);
                    assert!(
                        harmless.iter().any(asks),
                        "{} before the greeting",
                        line.escape_ascii()
                    );
                }
                None => {}
            }
        }
    }

    pub(super) fn collect(&mut self) {
        let mut count = 0;
        while let Some(event) = self.streamer.poll_event() {
            count += 1;
            self.on_event(&event);
        }
        assert!(count <= 260 + self.may_wait, "{count} events waited");
        self.may_wait = 0;
    }

    fn on_event(&mut self, event: &Event) {
        match event {
            Event::CommandDone {
                id: CommandId(id), ..
            } => assert!(self.asked.remove(id), "command {id} is answered twice"),
            Event::Finished => {
                self.program.finished();
                if self.told_the_truth {
                    self.reached.insert("Honest".to_owned());
                }
                let at = self.streamer.positions();
                assert!(at.executed == at.sent, "finished at {at:?}");
                assert!(
                    !self.controller.is_honest() || self.controller.owes() == 0,
                    "finished before every answer"
                );
            }
            Event::Fault(fault) => assert!(!fault.to_string().is_empty()),
            Event::GreetingFailed(error) => assert_shown(&error.to_string(), 1_000),
            _ => {}
        }
    }

    /// What holds between any two calls.
    pub(super) fn laws(&mut self) {
        let at = self.streamer.positions();
        assert!(
            at.executed <= at.acked && at.acked <= at.sent && at.sent <= at.ceiling,
            "{at:?}"
        );
        assert!(
            at.sent >= self.before.sent,
            "{at:?} behind {:?}",
            self.before
        );
        if self.controller.is_honest() {
            assert!(
                at.executed >= self.before.executed && at.acked >= self.before.acked,
                "{at:?} behind {:?}",
                self.before
            );
        }
        if self.controller.is_honest() && self.told_the_truth {
            let answered = self.controller.answered().max(self.program.skipped());
            assert!(at.acked <= answered, "{at:?}, and {answered} was answered");
            let planned = self.controller.planned().filter(|_| self.told_the_place);
            assert!(
                planned.is_none_or(|line| at.executed < line),
                "{at:?}, and line {planned:?} may still be planned"
            );
        }
        self.before = at;
        self.reached.insert(format!("{:?}", self.streamer.state()));
        let window = self.streamer.window();
        assert!(
            window
                .max_bytes()
                .is_none_or(|most| window.used_bytes() <= most),
            "{window:?}"
        );
        assert!(
            self.streamer.state() != State::Disconnected || window.used_lines() == 0,
            "lines in flight without a link"
        );
    }
}
