//! The operator's hand on the machine: keys and signals in, wishes out.

use feedhold::{
    session::{Event, Handle, Snapshot, State, WishError},
    stream_core::{
        dialect::{OverrideStep, RealtimeCommand},
        streamer::{Pause, Proceed},
    },
};

use super::{
    View,
    keys::{Key, Signal},
};

/// Steers one job.
pub(crate) struct Pilot {
    handle: Handle,
    view: View,
    /// Somebody can be asked.
    attended: bool,
    interrupts: u32,
    /// `q` was pressed once.
    cancelling: bool,
    verdict: Verdict,
}

/// Why the job ended, as far as this side of the machine knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing was decided here.
    Open,
    /// The operator gave it up.
    Operator,
    /// A decision was needed and nobody could be asked.
    Unattended(String),
    /// A line was refused and nobody could be asked.
    Fault(String),
}

impl Pilot {
    pub(crate) fn new(handle: Handle, view: View, attended: bool) -> Self {
        Self {
            handle,
            view,
            attended,
            interrupts: 0,
            cancelling: false,
            verdict: Verdict::Open,
        }
    }

    pub(crate) fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.handle.snapshot()
    }

    /// Decides what has to be decided when nobody is there.
    pub(crate) async fn hear(&mut self, event: &Event) {
        match event {
            Event::StopReached {
                code,
                line,
                asks: true,
            } => self.stopped_at(code, *line).await,
            Event::Fault { message, .. } => self.fault(message).await,
            Event::MachineAction { action } => self.asked_by_machine(action).await,
            _ => {}
        }
    }

    async fn stopped_at(&mut self, code: &str, line: u64) {
        if self.attended {
            self.view.call(&format!(
                "{code} in line {line}: c to go on, s to send {code} to the controller, q to cancel"
            ));
            return;
        }
        let flag = code.to_lowercase();
        self.verdict = Verdict::Unattended(format!(
            "line {line}: {code} waits for somebody to decide and nobody can be asked; run in a terminal, or with --{flag} skip, \
             --{flag} send or --{flag} macro:FILE"
        ));
        let cancelled = self.handle.cancel().await;
        self.tell(cancelled);
    }

    async fn fault(&mut self, message: &str) {
        if self.handle.snapshot().state != State::Faulted && !self.attended {
            return;
        }
        if self.attended {
            self.view.call(&format!(
                "{message}\nr to go on behind that line, q to cancel"
            ));
            return;
        }
        self.verdict = Verdict::Fault(message.to_owned());
        // The fault may have ended the job already.
        let _ = self.handle.cancel().await;
    }

    async fn asked_by_machine(&mut self, action: &str) {
        let granted = match action {
            "pause" => self.handle.pause(Pause::Graceful).await,
            "resume" => self.handle.resume().await,
            "cancel" => {
                self.verdict = Verdict::Operator;
                self.handle.cancel().await
            }
            _ => Ok(()),
        };
        self.tell(granted);
    }

    /// A key was pressed.
    pub(crate) async fn press(&mut self, key: Key) {
        let was_cancelling = std::mem::take(&mut self.cancelling);
        let granted = match key {
            Key::Interrupt => return self.interrupt().await,
            Key::Char('y') if was_cancelling => {
                self.verdict = Verdict::Operator;
                self.handle.cancel().await
            }
            Key::Char('q') => {
                self.cancelling = true;
                self.view
                    .call("cancel the job? y to cancel, any other key to go on");
                Ok(())
            }
            Key::Char('p') => self.handle.pause(Pause::Graceful).await,
            Key::Char('h' | ' ') => self.handle.pause(Pause::Immediate).await,
            Key::Char('r') => {
                self.interrupts = 0;
                match self.handle.resume().await {
                    Err(WishError::WrongState(_)) => {
                        self.handle.realtime(RealtimeCommand::Resume).await
                    }
                    resumed => resumed,
                }
            }
            Key::Char('c') => self.handle.proceed(Proceed::Skip).await,
            Key::Char('s') => self.handle.proceed(Proceed::Send).await,
            Key::Char('+' | '=') => self.feed(OverrideStep::CoarseUp).await,
            Key::Char('-') => self.feed(OverrideStep::CoarseDown).await,
            Key::Char('0') => self.feed(OverrideStep::Reset).await,
            Key::Char(_) => Ok(()),
        };
        self.tell(granted);
    }

    async fn feed(&self, step: OverrideStep) -> Result<(), WishError> {
        self.handle
            .realtime(RealtimeCommand::FeedOverride(step))
            .await
    }

    /// A signal came.
    pub(crate) async fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::Interrupt => self.interrupt().await,
            Signal::Terminate => {
                self.verdict = Verdict::Operator;
                let cancelled = self.handle.cancel().await;
                self.tell(cancelled);
            }
        }
    }

    /// The first time holds, the second time resets.
    async fn interrupt(&mut self) {
        self.interrupts += 1;
        if self.interrupts == 1 {
            let held = match self.handle.pause(Pause::Immediate).await {
                // No job runs yet: the machine is on its way back to the part.
                Err(WishError::WrongState(_)) => self.handle.realtime(RealtimeCommand::Hold).await,
                held => held,
            };
            self.view.call(if self.attended {
                "held: r to resume, q to cancel, Ctrl-C again to reset the controller and end"
            } else {
                "held; a second interrupt resets the controller and ends"
            });
            return self.tell(held);
        }
        self.verdict = Verdict::Operator;
        let reset = self.handle.reset().await;
        self.tell(reset);
    }

    fn tell(&self, granted: Result<(), WishError>) {
        if let Err(error) = granted {
            self.view.call(&error.to_string());
        }
    }
}
