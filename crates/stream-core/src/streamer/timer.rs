//! The fixed table of deadlines.

use core::time::Duration;

/// Everything the streamer waits for by time. Each has one slot in the [`Timers`] table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    /// Ask the machine for its state.
    Status,
    /// The controller has to prove itself alive after connecting.
    Greeting,
    /// Repeat the current question of the greeting.
    Ask,
    /// A pause, a resume or a cancellation has to be confirmed.
    Transition,
    /// The longest pause the operator allowed.
    MaxPause,
    /// Lines wait for answers and the controller is silent.
    Silence,
    /// Neither an answer nor any sign of progress.
    Progress,
    /// Late answers to a resend request have to die down.
    Quiet,
}

const COUNT: usize = 8;

/// One optional deadline for each [`Timer`].
#[derive(Debug, Clone, Default)]
pub(super) struct Timers {
    deadlines: [Option<Duration>; COUNT],
}

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: Duration) {
        self.deadlines[timer as usize] = Some(at);
    }

    pub(super) fn stop(&mut self, timer: Timer) {
        self.deadlines[timer as usize] = None;
    }

    pub(super) fn stop_all(&mut self) {
        self.deadlines = [None; COUNT];
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.deadlines[timer as usize].is_some()
    }

    /// Takes the timer when its time has come.
    pub(super) fn fire(&mut self, timer: Timer, now: Duration) -> bool {
        let slot = &mut self.deadlines[timer as usize];
        let due = slot.is_some_and(|at| at <= now);
        if due {
            *slot = None;
        }
        due
    }

    pub(super) fn earliest(&self) -> Option<Duration> {
        self.deadlines.iter().flatten().min().copied()
    }
}
