//! Proving that the right controller is there, alive and idle, without moving it.
//!
//! grbl: a state report shows that it lives, `$I` names its buffers. Joined to a rest of an earlier session in its line buffer, `$I`
//! makes that rest invalid instead of running it. Marlin: `M115` names the firmware, at first with a checksum that makes such a rest
//! invalid, and `M110` tells where to count lines from. A Marlin that has told how far it has counted is left to count on until a
//! program begins: whoever asks it next has to hear the same.

use core::time::Duration;

use super::{
    Event, Greeted, GreetingError, Phase, Streamer, Timer, count::Count, flight::Query,
    inquiry::Inquiry,
};
use crate::{
    dialect::{
        Busy, Coordinates, Dialect, GrblError, MachineError, MachineState, Response, StatusReport,
    },
    resume::Facts,
    window::Window,
};

/// How often an unanswered question is repeated.
pub(super) const ASK_AGAIN: Duration = Duration::from_millis(1500);
/// How often a starting grbl is asked for its state.
pub(super) const KNOCK_AGAIN: Duration = Duration::from_millis(250);
/// How long a Marlin that says that it is busy is left alone: it says so every two seconds.
const BUSY_AGAIN: Duration = Duration::from_secs(3);
/// How long answers to repeated questions may trickle in before the first line is sent.
const SETTLE: Duration = Duration::from_millis(300);
/// A grbl that moves does not say who it is. Asked at once again, it would answer so as fast as the link goes.
const NOT_IDLE: GrblError = GrblError(8);
/// What is quoted of a foreign device.
const MAX_HEARD: usize = 80;

#[derive(Debug, Default)]
pub(super) struct Greeting {
    pub(super) step: Step,
    /// Questions sent that were not answered, or whose answers were not recognised.
    pub(super) open: u32,
    pub(super) inquiry: Inquiry,
    /// Where the machine stood in the last report of the [inquiry](super::inquiry).
    pub(super) place: Option<Coordinates>,
    /// The line number that the controller asked for last.
    pub(super) expects: Option<u64>,
    /// The last line that a printer has named once,
    pub(super) last_line: Option<u64>,
    /// and how often it named another one then.
    pub(super) disagreements: u32,
    /// How often a printer was still under way that had been waited for.
    pub(super) waits: u32,
    was_reset: bool,
    /// It was asked who it is.
    asked: bool,
    rx_bytes: Option<usize>,
    planner_blocks: Option<usize>,
    identified: bool,
    heard: String,
    refused: Option<GreetingError>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Waiting for any sign of life (grbl only).
    #[default]
    Knock,
    /// Waiting for the answer to `$I` or `M115`.
    Identify,
    /// Asking what the controller knows of itself.
    Inquire,
    /// Waiting for the answer to `M110`.
    ResetNumbers,
    /// A question was repeated and both may be answered: waiting until nothing more comes, then the next step.
    Settle(Settled),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    Inquire,
    ResetNumbers,
    Welcome,
}

impl Streamer {
    pub(super) fn start_greeting(&mut self, now: Duration) {
        self.greeting = Greeting::default();
        self.count = Count::begin(now);
        self.geometry = None;
        self.facts = self
            .wishes_facts
            .then(|| Box::new(Facts::new(self.config.dialect)));
        self.timers
            .set(Timer::Greeting, now + self.config.greeting_timeout);
        match self.config.dialect {
            Dialect::Grbl => self.knock(now),
            Dialect::Marlin => self.identify(now),
        }
    }

    fn knock(&mut self, now: Duration) {
        self.greeting.step = Step::Knock;
        self.realtime.push(b'?');
        self.timers.set(Timer::Ask, now + KNOCK_AGAIN);
    }

    fn identify(&mut self, now: Duration) {
        self.greeting.step = Step::Identify;
        self.flight.clear();
        self.commands.clear();
        self.greeting.open += 1;
        // A firmware that complains of a checksum without a number is asked without one.
        let asked = core::mem::replace(&mut self.greeting.asked, true);
        self.ask(if asked {
            Query::Identify
        } else {
            Query::IdentifyFirst
        });
        self.timers.set(Timer::Ask, now + ASK_AGAIN);
    }

    fn reset_numbers(&mut self, now: Duration) {
        self.greeting.step = Step::ResetNumbers;
        self.flight.clear();
        self.greeting.open += 1;
        self.ask(self.count.query());
        self.timers.set(Timer::Ask, now + ASK_AGAIN);
    }

    /// The question of the current step got no answer.
    pub(super) fn ask_again(&mut self, now: Duration) {
        if !matches!(self.phase, Phase::Greeting) {
            return;
        }
        match (self.greeting.step, self.config.dialect) {
            (Step::Knock, _) | (Step::Identify, Dialect::Grbl) => self.knock(now),
            (Step::Identify, Dialect::Marlin) => self.identify(now),
            (Step::Inquire, _) => self.question_again(now),
            (Step::ResetNumbers, _) => self.reset_numbers(now),
            (Step::Settle(next), _) => self.settled(now, next),
        }
    }

    /// Something shows that the controller is on its way to an answer.
    pub(super) fn extend_greeting(&mut self, now: Duration) {
        self.timers
            .set(Timer::Greeting, now + self.config.greeting_timeout);
    }

    /// What follows when the controller has told who it is.
    fn identified(&self) -> Settled {
        match self.config.dialect {
            _ if self.facts.is_some() => Settled::Inquire,
            Dialect::Grbl => Settled::Welcome,
            Dialect::Marlin => Settled::ResetNumbers,
        }
    }

    /// Every question was asked.
    pub(super) fn inquired(&mut self, now: Duration) {
        let next = if self.is_numbered() && !self.count_on() {
            Settled::ResetNumbers
        } else {
            Settled::Welcome
        };
        self.settle_greeting(now, next);
    }

    /// Takes over the count of lines from a controller that has told it. It tells it twice, so a garbled number shows.
    fn count_on(&mut self) -> bool {
        let last = self.facts.as_ref().and_then(|facts| facts.last_line);
        let expects = self.greeting.expects;
        let agreed = last.filter(|last| expects == last.checked_add(1));
        if let Some(last) = agreed {
            self.count_behind(last);
        }
        agreed.is_some()
    }

    /// Goes on to the next step, at once when every question was answered once, else when nothing more comes.
    fn settle_greeting(&mut self, now: Duration, next: Settled) {
        if self.greeting.open == 0 {
            return self.settled(now, next);
        }
        self.greeting.step = Step::Settle(next);
        self.timers.set(Timer::Ask, now + SETTLE);
    }

    fn settled(&mut self, now: Duration, next: Settled) {
        self.greeting.open = 0;
        match next {
            Settled::Inquire => self.inquire(now),
            Settled::ResetNumbers => self.reset_numbers(now),
            Settled::Welcome => self.welcome(now),
        }
    }

    pub(super) fn on_greeting_timeout(&mut self) {
        let error = match self.greeting.refused.take() {
            Some(refused) => refused,
            None if self.greeting.heard.is_empty() => GreetingError::Silent,
            None => GreetingError::Foreign {
                expected: self.config.dialect.name(),
                heard: core::mem::take(&mut self.greeting.heard),
            },
        };
        self.fail_greeting(error);
    }

    pub(super) fn fail_greeting(&mut self, error: GreetingError) {
        self.forget_flight();
        self.realtime.clear();
        self.phase = Phase::Disconnected;
        self.emit(Event::GreetingFailed(error));
    }

    /// A response that came before the controller proved itself alive.
    pub(super) fn on_greeting_response(&mut self, now: Duration, response: Response<'_>) {
        if response.answers_line() {
            self.greeting.open = self.greeting.open.saturating_sub(1);
        }
        self.note_fact(&response);
        if let Step::Settle(next) = self.greeting.step {
            match response {
                Response::Started(_) => {
                    self.greeting.was_reset = true;
                    self.start_over(now);
                }
                // Only answers put the next step off: reports may come for ever.
                _ if response.answers_line() => self.settle_greeting(now, next),
                _ => {}
            }
            return;
        }
        match response {
            Response::Started(_) => {
                self.greeting.was_reset = true;
                self.start_over(now);
            }
            Response::Status(report) => {
                self.on_greeting_status(now, &report);
                if self.greeting.step == Step::Inquire {
                    self.on_inquiry_response(now, &response);
                }
            }
            Response::Busy(busy) => self.on_greeting_busy(now, busy),
            Response::Options {
                planner_blocks,
                rx_bytes,
                ..
            } => {
                self.greeting.planner_blocks = planner_blocks.map(usize::from);
                self.greeting.rx_bytes = rx_bytes.map(usize::from);
                self.greeting.identified = true;
            }
            Response::Version { .. } | Response::Firmware(_) => self.greeting.identified = true,
            Response::Capability { name, on } => self.note_capability(name, on),
            Response::Alarm(_) => self.greeting.refused = Some(GreetingError::Locked),
            _ if self.greeting.step == Step::Inquire => self.on_inquiry_response(now, &response),
            Response::Ok(_) => self.on_greeting_ok(now),
            Response::Error(MachineError::Grbl(NOT_IDLE))
                if self.greeting.step == Step::Identify =>
            {
                self.timers.set(Timer::Ask, now + KNOCK_AGAIN);
            }
            Response::Error(_) if self.greeting.step == Step::Identify => self.identify(now),
            // The number to count from did not arrive.
            Response::Error(_) | Response::Resend(_)
                if self.greeting.step == Step::ResetNumbers =>
            {
                self.reset_numbers(now);
            }
            Response::Other(bytes) => self.hear(bytes),
            _ => {}
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        if self.greeting.heard.is_empty() {
            let shown = &bytes[..bytes.len().min(MAX_HEARD)];
            self.greeting.heard = String::from_utf8_lossy(shown).into_owned();
        }
    }

    /// The controller has just started: what was asked before is forgotten.
    fn start_over(&mut self, now: Duration) {
        self.greeting.identified = false;
        match self.config.dialect {
            Dialect::Grbl => self.knock(now),
            Dialect::Marlin => self.identify(now),
        }
    }

    /// A printer that finishes what it was sent before is waited for when facts are wished for; one that waits for somebody is not.
    fn on_greeting_busy(&mut self, now: Duration, busy: Busy) {
        if self.facts.is_none() {
            return;
        }
        match busy {
            Busy::PausedForUser | Busy::PausedForInput => {
                self.greeting.refused = Some(GreetingError::NotIdle {
                    state: "paused for its user".to_owned(),
                });
            }
            _ => self.extend_greeting(now),
        }
        self.timers.set(Timer::Ask, now + BUSY_AGAIN);
    }

    fn on_greeting_status(&mut self, now: Duration, report: &StatusReport) {
        let before = self.status.replace(*report);
        let moves = report.state.may_move()
            && before.is_some_and(|before| {
                before.machine_position != report.machine_position
                    || before.work_position != report.work_position
            });
        if moves && self.facts.is_some() {
            self.extend_greeting(now);
        }
        if self.config.dialect != Dialect::Grbl || self.greeting.step != Step::Knock {
            return;
        }
        match report.state {
            MachineState::Idle | MachineState::Check => self.identify(now),
            // Reports keep coming: the lock may be lifted, the motion may end before the greeting times out.
            MachineState::Alarm => self.greeting.refused = Some(GreetingError::Locked),
            state => {
                self.greeting.refused = Some(GreetingError::NotIdle {
                    state: state.to_string(),
                })
            }
        }
    }

    fn on_greeting_ok(&mut self, now: Duration) {
        if self.flight.pop().is_none() {
            return;
        }
        match (self.greeting.step, self.config.dialect) {
            (Step::Identify, Dialect::Grbl) => self.settle_greeting(now, self.identified()),
            (Step::Identify, Dialect::Marlin) if self.greeting.identified => {
                self.settle_greeting(now, self.identified());
            }
            // An `ok` without a name is somebody else's, or no Marlin answers: the timer asks again, at its pace.
            (Step::Identify, Dialect::Marlin) => {}
            (Step::ResetNumbers, _) => self.settle_greeting(now, Settled::Welcome),
            (Step::Knock | Step::Inquire | Step::Settle(_), _) => {}
        }
    }

    fn welcome(&mut self, now: Duration) {
        let greeted = Greeted {
            rx_bytes: self.greeting.rx_bytes,
            planner_blocks: self.greeting.planner_blocks,
            was_reset: self.greeting.was_reset,
        };
        self.forget_flight();
        self.flight
            .set_window(Window::new(self.config.window_kind(greeted.rx_bytes)));
        self.greeted = Some(greeted);
        if let Some(blocks) = greeted
            .planner_blocks
            .filter(|&blocks| blocks > self.config.dialect.planner_blocks())
        {
            self.executed.set_planner(blocks);
        }
        self.phase = Phase::Ready;
        self.drained = self.config.dialect == Dialect::Grbl;
        if self.config.dialect == Dialect::Grbl {
            self.timers
                .set(Timer::Status, now + self.config.status_interval);
        }
        self.emit(Event::Ready(greeted));
    }
}
