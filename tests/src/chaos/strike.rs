//! Faults strike: what each of them does to the world.

use std::time::Duration;

use feedhold_simulator::{Kind, Touch};
use feedhold_stream_core::{
    dialect::Dialect,
    streamer::{Pause, State},
};

use super::away::{Away, FileNow, Meanwhile};
use super::cable::Harm;
use super::disk::{Died, Trouble};
use super::fault::{Fault, Moment};
use super::host::{Act, Errand};
use super::judge::Violation;
use super::schedule::{Strike, When};
use super::world::World;

/// A fault that waits for its instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Armed {
    pub(super) strike: Strike,
    /// Occasions still to let go.
    let_go: u32,
    pub(super) state: Armament,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Armament {
    /// Waits.
    Waiting,
    /// Waits for something on the cable to strike.
    Cocked(Harm),
    /// Has struck.
    Struck,
}

impl Armed {
    pub(super) fn new(strike: Strike) -> Self {
        let let_go = match strike.when {
            When::At(_, let_go) => let_go,
            When::After(_) => 0,
        };
        Self {
            strike,
            let_go,
            state: Armament::Waiting,
        }
    }
}

impl World<'_> {
    /// When the next fault strikes by the clock.
    pub(super) fn next_strike(&self) -> Option<Duration> {
        let began = self.began?;
        self.strikes
            .iter()
            .filter(|armed| armed.state == Armament::Waiting)
            .filter_map(|armed| match armed.strike.when {
                When::After(time) => Some(began + time),
                When::At(..) => None,
            })
            .filter(|at| *at > self.now)
            .min()
    }

    /// Lets the faults strike whose instant has come. Faults strike in their order.
    pub(super) fn strike_what_is_due(&mut self) -> Result<(), Violation> {
        self.look_at_cocked();
        let Some(began) = self.began else {
            return Ok(());
        };
        for at in 0..self.strikes.len() {
            let armed = self.strikes[at];
            if armed.state != Armament::Waiting {
                continue;
            }
            let due = match armed.strike.when {
                When::After(time) => began + time <= self.now,
                When::At(moment, _) => self.is_moment(moment),
            };
            if due {
                self.strike(at)?;
            }
            if matches!(armed.strike.when, When::At(..)) {
                // The later ones wait for the earlier ones.
                break;
            }
        }
        Ok(())
    }

    /// A moment that only the driver itself can see.
    pub(super) fn strike_at(&mut self, moment: Moment) -> Result<(), Violation> {
        let waiting = |armed: &Armed| armed.state == Armament::Waiting;
        let Some(at) = self.strikes.iter().position(waiting) else {
            return Ok(());
        };
        if matches!(self.strikes[at].strike.when, When::At(at, _) if at == moment) {
            self.strike(at)?;
        }
        Ok(())
    }

    fn look_at_cocked(&mut self) {
        // The first of a kind strikes first.
        for at in (0..self.strikes.len()).rev() {
            let Armament::Cocked(harm) = self.strikes[at].state else {
                continue;
            };
            let behind = self.strikes.iter().skip(at + 1);
            let behind = behind
                .filter(|other| other.state == Armament::Cocked(harm))
                .count();
            if self.cable.waiting(harm) > behind {
                continue;
            }
            self.strikes[at].state = Armament::Struck;
            if harm == Harm::Refuse && self.cable.has_refused() {
                // What runs behind a line that was refused starts from another place. The operator is told, and decides.
                self.judge.go_blind();
            }
        }
    }

    /// Whether it is the moment now.
    fn is_moment(&self, moment: Moment) -> bool {
        let Some(host) = &self.host else {
            return false;
        };
        let resuming = matches!(&host.errand, Errand::Resume(_));
        if moment == Moment::InResume {
            return resuming && (host.conduct.is_none() || host.approach.is_some());
        }
        let Some(conduct) = &host.conduct else {
            return false;
        };
        if host.approach.is_some() || conduct.is_closing() {
            return false;
        }
        let at = host.streamer.positions();
        let machine = || self.machine.snapshot();
        match moment {
            Moment::BeforeFirstByte => at.sent == conduct.done(),
            Moment::MidLine => self.cable.is_mid_line() && !host.outbox.pending().is_empty(),
            Moment::Unanswered => at.sent > at.acked && host.outbox.pending().is_empty(),
            Moment::RxFull => match self.schedule.dialect {
                Dialect::Marlin => host.streamer.window().fill() >= 0.75,
                _ => machine().rx_used >= 90,
            },
            Moment::PlannerFull => machine().planner_used >= 14,
            Moment::InArc => self.moves_along_an_arc(),
            Moment::InDwell => at.sent > at.acked && self.program.waits_at(at.acked + 1),
            Moment::AtStop => host.streamer.state() == State::AtStop,
            Moment::Written => host.writing.as_ref().is_some_and(|writing| {
                self.now >= writing.begun + (writing.done - writing.begun) / 2
            }),
            Moment::LastLine => at.sent >= self.last_sent_line() && at.sent > at.executed,
            Moment::Synced | Moment::InResume => false,
        }
    }

    fn last_sent_line(&self) -> u64 {
        (1..=self.schedule.lines)
            .rev()
            .find(|line| self.program.wire_line(*line).is_some())
            .unwrap_or(self.schedule.lines)
    }

    fn moves_along_an_arc(&self) -> bool {
        let motion = self.program.motion(self.judge.next());
        let arc = motion.is_some_and(|motion| matches!(motion.entry.kind, Kind::Arc(_)));
        let sent = self.host.as_ref().is_some_and(|host| {
            motion.is_some_and(|motion| motion.line <= host.streamer.positions().acked)
        });
        arc && sent && self.machine.snapshot().planner_used > 0
    }

    /// The fault strikes, or lets one more occasion go.
    fn strike(&mut self, at: usize) -> Result<(), Violation> {
        if self.strikes[at].let_go > 0 {
            self.strikes[at].let_go -= 1;
            return Ok(());
        }
        let fault = self.strikes[at].strike.fault;
        self.strikes[at].state = Armament::Struck;
        self.trace.note(self.now, format_args!("STRIKE {fault}"));
        self.last_progress = self.now;
        if let Some(harm) = self.suffer(fault)? {
            self.strikes[at].state = Armament::Cocked(harm);
        }
        Ok(())
    }

    /// What the fault does. A harm that waits on the cable is told.
    fn suffer(&mut self, fault: Fault) -> Result<Option<Harm>, Violation> {
        // Somebody's line end in the middle of a line leaves a rest without a number, and Marlin takes that as it is.
        let leaves_rest = fault == Fault::SecondProcess && self.cable.is_mid_line();
        if leaves_rest || fault.may_change_lines() && self.schedule.dialect == Dialect::Grbl {
            self.judge.go_blind();
        }
        if fault.ends_the_host() {
            self.host_dies(fault == Fault::PowerCut)?;
        }
        match fault {
            Fault::HostKilled | Fault::PowerCut => {}
            Fault::LinkDropped => self.unplug(None)?,
            Fault::LinkDroppedReset => self.unplug(Some(Meanwhile::ResetOnOpen))?,
            Fault::StartupBlock => self.unplug(Some(Meanwhile::StartupBlock))?,
            Fault::BrownOut => {
                self.machine.power_cycle(self.now);
                self.listen()?;
                self.moves_by_itself |= self.keeps_block;
                self.judge.restarts(self.has_sent());
            }
            Fault::EmergencyStop => self.emergency_stop()?,
            Fault::GarbledToMachine => return Ok(self.cock(Harm::GarbleOut)),
            Fault::GarbledFromMachine => return Ok(self.cock(Harm::GarbleIn)),
            Fault::LostOk => return Ok(self.cock(Harm::LoseOk)),
            Fault::DoubledOk => {
                if self.schedule.dialect == Dialect::Grbl {
                    // Whose an answer is, only its place tells.
                    self.judge.go_blind();
                }
                return Ok(self.cock(Harm::DoubleOk));
            }
            Fault::LateOk => return Ok(self.cock(Harm::DelayOk)),
            Fault::SplitLine => return Ok(self.cock(Harm::Split)),
            Fault::MergedLines => return Ok(self.cock(Harm::Merge)),
            Fault::RefusedLine => return Ok(self.cock(Harm::Refuse)),
            Fault::GarbageLine => self.garbage(),
            Fault::ResendOld => self.ask_again(false),
            Fault::ResendBeyond => self.ask_again(true),
            Fault::ShortWrites => self.cable.throttle(),
            Fault::StaleBytes => self.leave_meanwhile(Meanwhile::StaleBytes),
            Fault::ForeignDevice => self.leave_meanwhile(Meanwhile::Exchanged),
            Fault::DiskError if self.rng.one_in(2) => self.disk.trouble(Trouble::SyncError),
            Fault::DiskError => self.disk.trouble(Trouble::WriteError),
            Fault::DiskFull => self.disk.trouble(Trouble::Full),
            Fault::DiskStall => self.disk_stalls = true,
            Fault::FileChanged => self.file = FileNow::Changed,
            Fault::FileTruncated => self.file = FileNow::Truncated,
            Fault::FileReplaced => self.file = FileNow::Replaced,
            Fault::FileDeleted => self.file = FileNow::Gone,
            Fault::SecondProcess => {
                let _ = self.machine.receive(self.now, b"AT\r\n");
                self.listen()?;
            }
            Fault::Jogged => self.leave_meanwhile(Meanwhile::Jogged),
            Fault::Rezeroed => self.leave_meanwhile(Meanwhile::Rezeroed),
            Fault::RestartedUnseen => self.leave_meanwhile(Meanwhile::Reset),
            Fault::OperatorPause => self.operator_pauses(),
            Fault::MachineHold => {
                self.machine.touch(self.now, Touch::HoldButton);
                let time = Duration::from_millis(200 + self.rng.below(5000));
                self.start_button = Some(self.now + time);
            }
        }
        Ok(None)
    }

    fn cock(&mut self, harm: Harm) -> Option<Harm> {
        self.cable.harm(harm);
        Some(harm)
    }

    /// The process dies, and with it what it had not written.
    pub(super) fn host_dies(&mut self, power: bool) -> Result<(), Violation> {
        if let Some(host) = self.host.take() {
            if let (Some(writing), Some(mut store)) = (host.writing, host.store) {
                let half = writing.begun + (writing.done - writing.begun) / 2;
                let died = match (self.now >= half, self.rng.below(3)) {
                    (true, _) | (_, 0) => Died::Written,
                    (_, 1) => Died::Between,
                    _ => Died::Before,
                };
                self.trace
                    .note(self.now, format_args!("the record on its way was {died:?}"));
                self.disk.die(died);
                // Nobody is left to hear how it went.
                let _ = store.commit(&writing.record);
                self.disk.take_over();
            }
            self.paused_by_operator = false;
            self.leave();
        }
        if power {
            self.disk.lose_power();
        }
        Ok(())
    }

    /// Something happens to the machine before the operator comes back.
    fn leave_meanwhile(&mut self, what: Meanwhile) {
        if self.away.is_none() {
            self.leave();
        }
        if let Some(away) = &mut self.away {
            away.meanwhile.push(what);
        }
    }

    /// The cable is pulled, with the host at its other end alive.
    fn unplug(&mut self, what: Option<Meanwhile>) -> Result<(), Violation> {
        self.machine.disconnect(self.now);
        self.cable.cut(self.now);
        self.plugged = false;
        let now = self.now;
        match &mut self.host {
            Some(host) if host.conduct.is_some() && host.approach.is_none() => {
                host.streamer.handle_disconnect(now);
                // The job ends with its last record, and the operator resumes it.
                self.drain()?;
            }
            Some(_) => {
                self.host = None;
                self.leave();
            }
            None => {}
        }
        if let Some(what) = what {
            self.unplugged_meanwhile(what);
        }
        Ok(())
    }

    fn unplugged_meanwhile(&mut self, what: Meanwhile) {
        match &mut self.away {
            Some(away) => away.meanwhile.push(what),
            None => self.until_back.push(what),
        }
    }

    pub(super) fn emergency_stop(&mut self) -> Result<(), Violation> {
        let touch = if self.rng.one_in(2) {
            Touch::Abort
        } else {
            Touch::HardLimit
        };
        let touch = match self.schedule.dialect {
            Dialect::Marlin => Touch::Abort,
            _ => touch,
        };
        self.machine.touch(self.now, touch);
        self.listen()?;
        self.moves_by_itself |= self.keeps_block;
        self.judge.restarts(self.has_sent());
        Ok(())
    }

    /// A line of noise.
    fn garbage(&mut self) {
        let mut line: Vec<u8> = (0..self.rng.below(60))
            .map(|_| self.rng.bits() as u8)
            .collect();
        line.push(b'\n');
        self.cable.inject(self.now, &line);
    }

    /// A request for a line that makes no sense.
    fn ask_again(&mut self, beyond: bool) {
        let number = if beyond {
            100_000 + self.rng.below(1000)
        } else {
            self.rng.below(3)
        };
        let last = number.wrapping_sub(1) as i64;
        let text = format!(
            "Error:Line Number is not Last Line Number+1, Last Line: {last}\nResend: {number}\nok\n"
        );
        self.cable.inject(self.now, text.as_bytes());
    }

    fn operator_pauses(&mut self) {
        let now = self.now;
        let pause = if self.rng.one_in(2) {
            Pause::Immediate
        } else {
            Pause::Graceful
        };
        let time = Duration::from_millis(self.rng.below(8000));
        let Some(host) = self.host.as_mut().filter(|host| host.approach.is_none()) else {
            return;
        };
        if host.streamer.hold(now, pause).is_ok() {
            self.paused_by_operator = true;
            host.acts.push((now + time, Act::EndPause));
        }
    }

    /// How many faults have struck.
    pub(super) fn struck(&self) -> usize {
        let struck = |armed: &&Armed| armed.state == Armament::Struck;
        self.strikes.iter().filter(struck).count()
    }

    /// The operator comes back when his time has come.
    pub(super) fn come_back(&mut self) -> Result<(), Violation> {
        if self.host.is_some() {
            return Ok(());
        }
        match self.away.take() {
            Some(away) if away.until() <= self.now => self.back(away),
            Some(away) => {
                self.away = Some(away);
                Ok(())
            }
            None => {
                self.away = Some(Away::at(self.now, false));
                Ok(())
            }
        }
    }
}
