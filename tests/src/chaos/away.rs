//! What happens while nobody is at the machine, and how the operator comes back.

use std::time::Duration;

use feedhold_simulator::{OnOpen, State};
use feedhold_stream_core::dialect::Dialect;
use xtask::gcode::Rng;

use super::judge::Violation;
use super::machine::{by_hand, come_to_rest, switched_on};
use super::program::Program;
use super::world::World;

/// The file of the job, as somebody finds it later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileNow {
    Same,
    Changed,
    Truncated,
    Replaced,
    Gone,
}

/// Until when nobody is there, and what happens meanwhile.
#[derive(Debug)]
pub(super) struct Away {
    until: Duration,
    /// Nothing was begun yet: a new job.
    first: bool,
    pub(super) meanwhile: Vec<Meanwhile>,
}

/// What happens meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meanwhile {
    /// The controller restarts, and nobody sees it.
    Reset,
    /// It restarts when the port is opened.
    ResetOnOpen,
    /// It restarts when the port is opened, and runs a block that moves.
    StartupBlock,
    /// Somebody jogs.
    Jogged,
    /// Somebody sets the work zero.
    Rezeroed,
    /// Another device stands under the port's name.
    Exchanged,
    /// Answers of the dead session wait in the port.
    StaleBytes,
}

impl Away {
    pub(super) fn at(until: Duration, first: bool) -> Self {
        Self {
            until,
            first,
            meanwhile: Vec::new(),
        }
    }

    pub(super) fn until(&self) -> Duration {
        self.until
    }
}

impl FileNow {
    /// The text that is found now; `None` when nothing is.
    pub(super) fn text(self, program: &Program, lines: u64, rng: &mut Rng) -> Option<String> {
        let text = program.text(lines);
        match self {
            Self::Same => Some(text),
            Self::Gone => None,
            Self::Replaced => Some("G21 G90\nG0 X1\nG0 X2\n".to_owned()),
            Self::Truncated => {
                let lines: Vec<&str> = text.split_inclusive('\n').collect();
                let kept = rng.below(lines.len() as u64) as usize;
                Some(lines.get(..kept).unwrap_or_default().concat())
            }
            Self::Changed => {
                let digits: Vec<usize> = text
                    .bytes()
                    .enumerate()
                    .filter(|(_, byte)| byte.is_ascii_digit())
                    .map(|(at, _)| at)
                    .collect();
                let at = *digits.get(rng.below(digits.len() as u64) as usize)?;
                let mut bytes = text.into_bytes();
                bytes[at] = if bytes[at] == b'9' {
                    b'8'
                } else {
                    bytes[at] + 1
                };
                String::from_utf8(bytes).ok()
            }
        }
    }
}

impl World<'_> {
    /// The operator is back: what has happened meanwhile, and then a process.
    pub(super) fn back(&mut self, away: Away) -> Result<(), Violation> {
        self.trace
            .note(self.now, format_args!("the operator is back"));
        let mut resets = self.rng.one_in(8) && !away.first;
        for what in away.meanwhile {
            self.trace
                .note(self.now, format_args!("meanwhile: {what:?}"));
            resets |= matches!(what, Meanwhile::ResetOnOpen | Meanwhile::StartupBlock);
            self.happens(what)?;
        }
        self.cable.cut(self.now);
        // A port that is opened throws away what it had for nobody.
        let mut nobody = Vec::new();
        self.machine.transmit(self.now, &mut nobody);
        self.plugged = true;
        let on_open = if resets { OnOpen::Reset } else { OnOpen::Keep };
        self.machine.reconnect(self.now, on_open);
        self.listen()?;
        self.moves_by_itself |= resets && self.keeps_block;
        if self.stale {
            self.stale = false;
            let stale: &[&[u8]] = &[
                b"ok\r\nok\r\n",
                b"k\r\nok\n",
                b"error:20\r\nok\r\n",
                b"<Run|MP",
            ];
            let bytes = self.rng.pick(stale);
            self.cable.inject(self.now, bytes);
        }
        self.listen()?;
        if away.first {
            self.begin_anew()
        } else {
            self.resumes += 1;
            self.resume()
        }
    }

    fn happens(&mut self, what: Meanwhile) -> Result<(), Violation> {
        match what {
            Meanwhile::Reset => {
                self.machine.power_cycle(self.now);
                self.listen()?;
                self.moves_by_itself |= self.keeps_block;
                Ok(())
            }
            Meanwhile::ResetOnOpen => Ok(()),
            Meanwhile::StartupBlock => {
                self.keeps_block = true;
                self.at_hand("$N0=G21G91G0X1.5")
            }
            // Never onto the place of another line: no host can tell that from the line itself.
            Meanwhile::Jogged => match self.schedule.dialect {
                Dialect::Marlin => {
                    let mm = 1 + self.rng.below(4);
                    self.at_hand("G91")?;
                    self.at_hand(&format!("G0 X{mm}.37"))?;
                    self.at_hand("G90")
                }
                _ => {
                    let mm = 0.05 * (1 + self.rng.below(60)) as f64;
                    self.at_hand(&format!("$J=G91 G21 X{mm:.2}5 F1000"))
                }
            },
            Meanwhile::Rezeroed => match (self.schedule.dialect, self.rng.below(2)) {
                (Dialect::Marlin, _) => {
                    // A printer does not tell its shifts: nobody can say any more that its zero is where it was.
                    self.homed = false;
                    self.at_hand("G92 X3 Y4")
                }
                (_, 0) => self.at_hand("G10 L20 P1 X0.5 Y0"),
                _ => self.at_hand("G92 X2"),
            },
            Meanwhile::Exchanged => {
                let mut other = switched_on(self.schedule.dialect, "the other", &mut self.rng);
                other.advance(self.now);
                let theirs = std::mem::replace(&mut self.machine, other);
                self.shelf = Some(theirs);
                Ok(())
            }
            Meanwhile::StaleBytes => {
                self.stale = true;
                Ok(())
            }
        }
    }

    /// Somebody sends a line to the machine by hand, once it stands. Not in a feed hold, whose end would run the line with what else
    /// waits in the controller.
    pub(super) fn at_hand(&mut self, line: &str) -> Result<(), Violation> {
        self.stand()?;
        if matches!(self.machine.snapshot().state, State::Hold { .. }) {
            return Ok(());
        }
        self.machine.reconnect(self.now, OnOpen::Keep);
        by_hand(&mut self.machine, &mut self.now, line);
        Ok(())
    }

    /// Waits until the machine stands; what it does until then is its own.
    pub(super) fn stand(&mut self) -> Result<(), Violation> {
        come_to_rest(&mut self.machine, &mut self.now);
        self.listen()
    }

    /// The operator lets a machine go on that is held, and stops one that runs away.
    pub(super) fn step_in(&mut self) -> Result<(), Violation> {
        match self.machine.snapshot().state {
            State::Hold { .. } => self.start_button = Some(self.now),
            State::Run => {
                self.trace
                    .note(self.now, format_args!("the operator stops it"));
                self.emergency_stop()?;
            }
            _ => return Ok(()),
        }
        self.last_progress = self.now;
        Ok(())
    }

    /// The machine of the job is put back in its place.
    pub(super) fn put_back(&mut self) {
        if let Some(mut ours) = self.shelf.take() {
            ours.advance(self.now);
            self.machine = ours;
        }
    }
}
