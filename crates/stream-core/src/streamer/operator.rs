//! What the operator may ask for: pause, resume, proceed, cancel, reset, and single commands.

use core::time::Duration;

use thiserror::Error;

use super::{
    Cancelling, CommandId, Event, Expiry, Fault, Pause, Phase, Proceed, State, Streamer, Timer,
    transmit::{Queued, framed_length},
};
use crate::{
    chunk::Class,
    dialect::{Dialect, RealtimeCommand},
    wire::class_of,
};

/// Commands that may wait for their turn.
const MAX_COMMANDS: usize = 64;
/// How often the state is asked for while a transition waits for its confirmation (10 Hz, the most grbl should be asked).
pub(super) const TRANSITION_POLL: Duration = Duration::from_millis(100);

/// The wish does not fit what the streamer is doing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot {wish} while the job is {state:?}")]
pub struct WrongState {
    wish: &'static str,
    state: State,
}

/// Why a command was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The machine would not read it now.
    #[error(transparent)]
    WrongState(#[from] WrongState),
    /// It is not one plain line.
    #[error(
        "byte 0x{byte:02x} at column {column} cannot be part of a command; send one line without it"
    )]
    Byte {
        /// The byte.
        byte: u8,
        /// Where it stands, 1-based.
        column: usize,
    },
    /// It is empty.
    #[error("the command is empty")]
    Empty,
    /// It is longer than the controller reads.
    #[error("the command has {length} bytes and the controller reads at most {limit}")]
    TooLong {
        /// Its bytes.
        length: usize,
        /// Most bytes of a line.
        limit: usize,
    },
    /// Too many commands wait.
    #[error("{MAX_COMMANDS} commands wait already; wait for their answers")]
    Full,
}

impl Streamer {
    /// Pauses the job. Nothing of the program leaves from now on. [`Event::Paused`] follows when the machine stands still,
    /// [`Event::PauseTimeout`] when it does not confirm in time.
    ///
    /// # Errors
    /// [`WrongState`] when no job is moving.
    pub fn hold(&mut self, now: Duration, pause: Pause) -> Result<(), WrongState> {
        let upgrade = pause == Pause::Immediate
            && matches!(
                self.phase,
                Phase::Pausing {
                    pause: Pause::Graceful,
                    ..
                } | Phase::Resuming { .. }
            );
        self.expect(
            "pause",
            upgrade || matches!(self.phase, Phase::Streaming | Phase::Resuming { .. }),
        )?;
        if pause == Pause::Immediate {
            self.send_realtime(RealtimeCommand::Hold);
        }
        self.phase = Phase::Pausing { pause, since: now };
        self.timers
            .set(Timer::Transition, now + self.config.pause_timeout);
        self.ask_status_soon(now);
        Ok(())
    }

    /// Goes on after a pause, or behind a line the controller refused. [`Event::Resumed`] follows.
    ///
    /// # Errors
    /// [`WrongState`] unless the job is paused, or faulted by a refused line.
    pub fn resume(&mut self, now: Duration) -> Result<(), WrongState> {
        let pause = match self.phase {
            Phase::Paused { pause } | Phase::Pausing { pause, .. } => pause,
            Phase::Faulted { held: true, .. } => Pause::Immediate,
            _ => return Err(self.wrong_state("resume")),
        };
        self.timers.stop(Timer::MaxPause);
        let held = pause == Pause::Immediate && self.send_realtime(RealtimeCommand::Resume);
        if held {
            self.phase = Phase::Resuming { pause, since: now };
            self.timers
                .set(Timer::Transition, now + self.config.resume_timeout);
            self.ask_status_soon(now);
        } else {
            self.timers.stop(Timer::Transition);
            self.back_to_streaming(now);
            self.emit(Event::Resumed {
                took: Duration::ZERO,
            });
        }
        Ok(())
    }

    /// Goes on at a program stop.
    ///
    /// # Errors
    /// [`WrongState`] unless the job is at a stop.
    pub fn proceed(&mut self, now: Duration, proceed: Proceed) -> Result<(), WrongState> {
        let Phase::AtStop { line, .. } = self.phase else {
            return Err(self.wrong_state("proceed"));
        };
        self.phase = Phase::Streaming;
        match proceed {
            Proceed::Skip => self.skip_stop(now),
            Proceed::Send => self.last_stop_line = Some(line),
        }
        Ok(())
    }

    /// Gives up the job and brings the machine to rest: feed hold, then soft reset on grbl, which keeps the position; on Marlin
    /// the lines in its buffers are finished. [`Event::Cancelled`] follows.
    ///
    /// # Errors
    /// [`WrongState`] when no job runs.
    pub fn cancel(&mut self, now: Duration) -> Result<(), WrongState> {
        let allowed = self.is_running() && !matches!(self.phase, Phase::Cancelling(_));
        self.expect("cancel", allowed)?;
        self.timers.stop(Timer::MaxPause);
        match (self.config.dialect, self.phase) {
            (Dialect::Marlin, Phase::Faulted { .. }) => {
                self.cancelled(now);
                // What the printer counted up to is not known any more.
                self.ask(self.count.query_behind(self.next_number.saturating_sub(1)));
            }
            (Dialect::Marlin, _) => self.phase = Phase::Cancelling(Cancelling::Draining),
            (
                Dialect::Grbl,
                Phase::Paused { .. } | Phase::Faulted { .. } | Phase::AtStop { .. },
            ) => self.soft_reset(now),
            (Dialect::Grbl, _) => {
                self.send_realtime(RealtimeCommand::Hold);
                self.phase = Phase::Cancelling(Cancelling::Holding);
                self.timers
                    .set(Timer::Transition, now + self.config.pause_timeout);
                self.ask_status_soon(now);
            }
        }
        Ok(())
    }

    /// Gives up a job that was paused gracefully, and leaves the machine as it stands: what is in force stays in force, so that the
    /// job can go on there later. [`Event::Cancelled`] follows.
    ///
    /// # Errors
    /// [`WrongState`] unless the job stands at the end of what it was sent.
    pub fn leave(&mut self, now: Duration) -> Result<(), WrongState> {
        let stands = matches!(
            self.phase,
            Phase::Paused {
                pause: Pause::Graceful
            }
        );
        self.expect("leave", stands)?;
        self.timers.stop(Timer::MaxPause);
        self.cancelled(now);
        Ok(())
    }

    /// Stops the machine at once, whatever it does. On grbl a soft reset, which loses the position when the machine was moving; on
    /// Marlin `M112`, after which the printer has to be restarted.
    ///
    /// # Errors
    /// [`WrongState`] without a link.
    pub fn reset(&mut self, now: Duration) -> Result<(), WrongState> {
        self.expect("reset", !matches!(self.phase, Phase::Disconnected))?;
        if matches!(self.phase, Phase::Greeting) {
            // Whoever comes up behind it is greeted like anybody who has just started.
            self.send_realtime(RealtimeCommand::EmergencyStop);
            return Ok(());
        }
        match self.config.dialect {
            Dialect::Grbl => self.soft_reset(now),
            Dialect::Marlin => {
                // Read at once by firmware with an emergency parser, else when its line comes up.
                self.realtime.extend_from_slice(b"M112\n");
                self.forget_flight();
                self.program.clear();
                self.phase = Phase::Cancelling(Cancelling::Resetting);
                self.timers
                    .set(Timer::Transition, now + self.config.pause_timeout);
            }
        }
        Ok(())
    }

    fn soft_reset(&mut self, now: Duration) {
        self.send_realtime(RealtimeCommand::SoftReset);
        self.forget_flight();
        self.phase = Phase::Cancelling(Cancelling::Resetting);
        self.timers
            .set(Timer::Transition, now + self.config.pause_timeout);
    }

    /// Queues one line beside the program: a console command, a macro line. It passes through the window like every line, ahead
    /// of the program, and [`Event::CommandDone`] brings its answer.
    ///
    /// # Errors
    /// [`CommandError`] when it is not a plain line or the machine would not read it now.
    pub fn command(&mut self, line: &[u8]) -> Result<CommandId, CommandError> {
        let held = matches!(
            self.phase,
            Phase::Paused {
                pause: Pause::Immediate
            } | Phase::Pausing {
                pause: Pause::Immediate,
                ..
            } | Phase::Faulted { held: true, .. }
        );
        let deaf = held && self.config.dialect == Dialect::Grbl;
        let gone = matches!(
            self.phase,
            Phase::Disconnected
                | Phase::Greeting
                | Phase::Cancelling(_)
                | Phase::Faulted { mute: true, .. }
        );
        self.expect("send a command", !deaf && !gone)?;
        let dialect = self.config.dialect;
        // Marlin does not answer a comment, and cuts one off together with the checksum behind it.
        let comments = |byte| dialect == Dialect::Marlin && byte == b';';
        if let Some(at) = line
            .iter()
            .position(|&byte| byte < b' ' || byte == 0x7f || dialect.eats(byte) || comments(byte))
        {
            return Err(CommandError::Byte {
                byte: line[at],
                column: at + 1,
            });
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            return Err(CommandError::Empty);
        }
        self.check_length(text)?;
        if self.commands.len() >= MAX_COMMANDS {
            return Err(CommandError::Full);
        }
        let id = CommandId(self.next_command);
        self.next_command += 1;
        let class = match class_of(self.config.dialect, text) {
            // Nobody waits for this stop to be reached: whoever typed it wants it now.
            Class::Stop(_) => Class::Patient,
            class => class,
        };
        self.commands
            .push_back(Queued::command(id, class, text, self.config.dialect));
        Ok(id)
    }

    /// A line that no window can ever carry would keep everything behind it waiting for ever.
    fn check_length(&self, text: &[u8]) -> Result<(), CommandError> {
        let ahead = self.next_number.saturating_add(MAX_COMMANDS as u64);
        let length = framed_length(text, self.is_numbered().then_some(ahead)) - 1;
        let window = self.flight.window().max_bytes().unwrap_or(usize::MAX);
        let limit = self.config.dialect.max_line().min(window.saturating_sub(1));
        if length <= limit {
            return Ok(());
        }
        Err(CommandError::TooLong { length, limit })
    }

    /// Queues a realtime command (override, door, jog cancel, …). `false` when this firmware has none of that kind.
    ///
    /// Pause, resume and reset have methods of their own, which also follow what the machine makes of them.
    pub fn realtime(&mut self, command: RealtimeCommand) -> bool {
        !matches!(self.phase, Phase::Disconnected | Phase::Greeting) && self.send_realtime(command)
    }

    pub(super) fn on_transition_timeout(&mut self, now: Duration) {
        match self.phase {
            Phase::Pausing { .. } => self.emit(Event::PauseTimeout),
            Phase::Resuming { .. } => self.emit(Event::ResumeTimeout),
            // A reset stops the machine also when it ignored the hold.
            Phase::Cancelling(Cancelling::Holding) => self.soft_reset(now),
            Phase::Cancelling(Cancelling::Resetting) => {
                let in_doubt = self.positions().in_doubt();
                self.fault(Fault::ChunkTimeout {
                    after: self.config.pause_timeout,
                    in_doubt,
                });
            }
            _ => {}
        }
    }

    /// The longest pause is over. Whatever happens now, nothing moves the machine.
    pub(super) fn on_pause_expired(&mut self, now: Duration) {
        let expiry = self.config.expiry;
        self.emit(Event::PauseExpired(expiry));
        if expiry == Expiry::Cancel {
            // The pause is known to stand, so the wish cannot be refused.
            let _ = self.cancel(now);
        }
    }

    pub(super) fn paused(&mut self, now: Duration, pause: Pause, since: Duration) {
        self.phase = Phase::Paused { pause };
        self.timers.stop(Timer::Transition);
        self.timers.stop(Timer::Silence);
        self.timers.stop(Timer::Progress);
        self.timers
            .set(Timer::MaxPause, now + self.config.max_pause);
        self.emit(Event::Paused {
            pause,
            took: now.saturating_sub(since),
        });
    }

    pub(super) fn resumed(&mut self, now: Duration, since: Duration) {
        self.timers.stop(Timer::Transition);
        self.back_to_streaming(now);
        self.emit(Event::Resumed {
            took: now.saturating_sub(since),
        });
    }

    pub(super) fn back_to_streaming(&mut self, now: Duration) {
        self.phase = Phase::Streaming;
        self.idle_polls = 0;
        self.last_progress = now;
        self.last_answer = now;
        if !self.flight.is_empty() {
            self.arm_watch(now);
        }
    }

    pub(super) fn cancelled(&mut self, now: Duration) {
        self.program.clear();
        self.give_up_flight();
        if !self.flight.is_empty() {
            self.arm_watch(now);
        }
        self.phase = Phase::Ready;
        if self.config.dialect == Dialect::Grbl {
            self.timers
                .set(Timer::Status, now + self.config.status_interval);
        }
        self.emit(Event::Cancelled);
    }

    fn ask_status_soon(&mut self, now: Duration) {
        if self.config.dialect == Dialect::Grbl {
            self.timers.set(Timer::Status, now + TRANSITION_POLL);
        }
    }

    /// How long until the state is asked for again.
    pub(super) fn status_pace(&self) -> Duration {
        let waiting = matches!(
            self.phase,
            Phase::Pausing { .. } | Phase::Resuming { .. } | Phase::Cancelling(Cancelling::Holding)
        );
        if waiting {
            TRANSITION_POLL.min(self.config.status_interval)
        } else {
            self.config.status_interval
        }
    }

    pub(super) fn expect(&self, wish: &'static str, allowed: bool) -> Result<(), WrongState> {
        if allowed {
            Ok(())
        } else {
            Err(self.wrong_state(wish))
        }
    }

    fn wrong_state(&self, wish: &'static str) -> WrongState {
        WrongState {
            wish,
            state: self.state(),
        }
    }
}
