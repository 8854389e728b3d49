use std::time::Duration;

use super::code::Alarm;
use super::modal::{Flood, Spindle};
use super::program::Stage;
use super::realtime::Realtime;
use super::{
    AfterAnswer, Brake, Door, DoorPhase, Grbl, Homed, Overrides, ProbeResult, SpindleStop, Sys,
};
use crate::config::MotionModel;
use crate::controller::{Outside, Touch};

/// How long spindle and coolant get to come back after the door.
const SPINDLE_DELAY: Duration = Duration::from_secs(4);
const COOLANT_DELAY: Duration = Duration::from_secs(1);

impl Grbl {
    /// True while the main program sits in the suspend loop: no line is read or answered.
    pub(super) fn is_suspended(&self) -> bool {
        matches!(
            self.sys,
            Sys::Hold(_) | Sys::Door(_) | Sys::Sleep | Sys::AlarmLoop
        )
    }

    /// Carries a realtime command out.
    pub(super) fn realtime(&mut self, now: Duration, command: Realtime, outside: &mut Outside<'_>) {
        match (command, self.sys) {
            (Realtime::Reset, _) => self.reset(now, outside),
            (Realtime::Status, _) => self.print_status(now, outside),
            (_, Sys::AlarmLoop) => {}
            (Realtime::Hold, _) => self.hold(now, outside),
            (Realtime::Start, _) => self.start(now),
            (Realtime::Door, _) => self.door(now, outside),
            (Realtime::JogCancel, Sys::Jog) => self.cancel_jog(now, outside),
            (Realtime::JogCancel | Realtime::Nothing, _) => {}
            (Realtime::Feed(change), _) => {
                self.overrides.feed = change.apply(self.overrides.feed);
                self.apply_overrides();
            }
            (Realtime::Rapid(percent), _) => {
                self.overrides.rapid = percent;
                self.apply_overrides();
            }
            (Realtime::Spindle(change), _) => {
                self.overrides.spindle = change.apply(self.overrides.spindle);
                self.counters.show_overrides();
            }
            (Realtime::SpindleStop, Sys::Hold(Brake::Standing)) => {
                self.spindle_stop = match self.spindle_stop {
                    SpindleStop::Off if self.spindle != Spindle::Off => SpindleStop::On,
                    _ => SpindleStop::Off,
                };
            }
            (Realtime::SpindleStop, _) => {}
            (Realtime::Flood, Sys::Idle | Sys::Run | Sys::Hold(_)) => {
                self.flood = match self.flood {
                    Flood::Off => Flood::On,
                    Flood::On => Flood::Off,
                };
                self.parser.modal.flood = self.flood;
            }
            (Realtime::Flood, _) => {}
        }
    }

    pub(super) fn apply_overrides(&mut self) {
        let factor = |percent: u8| f64::from(percent) / 100.0;
        self.mover
            .set_overrides(factor(self.overrides.feed), factor(self.overrides.rapid));
        self.counters.show_overrides();
    }

    /// `!`: brakes and keeps the place.
    fn hold(&mut self, now: Duration, outside: &mut Outside<'_>) {
        match self.sys {
            Sys::Idle | Sys::Run => {
                self.mover.hold();
                self.sys = Sys::Hold(Brake::Braking);
                self.settle(now, outside);
            }
            Sys::Jog => self.cancel_jog(now, outside),
            _ => {}
        }
    }

    /// Brakes and throws the planned jogs away.
    fn cancel_jog(&mut self, now: Duration, outside: &mut Outside<'_>) {
        self.mover.hold();
        self.sys = Sys::JogCancel;
        self.settle(now, outside);
    }

    /// 0x84 or the door's switch.
    fn door(&mut self, now: Duration, outside: &mut Outside<'_>) {
        match self.sys {
            Sys::Idle | Sys::Run | Sys::Hold(_) | Sys::Door(DoorPhase::Restoring(_)) => {
                self.mover.hold();
                self.sys = Sys::Door(DoorPhase::Braking);
                self.settle(now, outside);
            }
            Sys::Jog => self.cancel_jog(now, outside),
            Sys::Home => self.alarm(now, Alarm::HomingDoor, outside),
            _ => {}
        }
    }

    /// `~`: goes on.
    fn start(&mut self, now: Duration) {
        match self.sys {
            Sys::Hold(Brake::Standing) => {
                self.spindle_stop = SpindleStop::Off;
                self.go_on(now);
            }
            Sys::Door(DoorPhase::Standing) if self.door == Door::Closed => {
                let spindle = if self.spindle == Spindle::Off {
                    Duration::ZERO
                } else {
                    SPINDLE_DELAY
                };
                let coolant = if self.flood == Flood::Off {
                    Duration::ZERO
                } else {
                    COOLANT_DELAY
                };
                let delay = match self.motion {
                    MotionModel::Planned => spindle + coolant,
                    MotionModel::Instant => Duration::ZERO,
                };
                self.sys = Sys::Door(DoorPhase::Restoring(now + delay));
                if delay.is_zero() {
                    self.go_on(now);
                }
            }
            Sys::Idle => self.start_cycle(now),
            _ => {}
        }
    }

    fn go_on(&mut self, now: Duration) {
        self.sys = if self.mover.is_drained() {
            Sys::Idle
        } else {
            Sys::Run
        };
        self.mover.resume(now);
    }

    /// What follows when the machine has come to a stand.
    pub(super) fn settle(&mut self, now: Duration, outside: &mut Outside<'_>) {
        if let Sys::Door(DoorPhase::Restoring(until)) = self.sys
            && until <= now
        {
            self.go_on(now);
        }
        if self.mover.is_running() {
            return;
        }
        match self.sys {
            Sys::Run | Sys::Jog if self.mover.is_drained() => self.sys = Sys::Idle,
            Sys::Hold(Brake::Braking) => self.sys = Sys::Hold(Brake::Standing),
            Sys::Door(DoorPhase::Braking) => self.sys = Sys::Door(DoorPhase::Standing),
            Sys::JogCancel => {
                self.mover.abort(now, outside.log);
                self.actions.clear();
                self.stage = Stage::Fresh;
                let [x, y, z, _] = self.mover.position(now);
                self.parser.position = [x, y, z];
                self.sys = Sys::Idle;
            }
            _ => {}
        }
    }

    pub(super) fn sleep(&mut self, now: Duration, outside: &mut Outside<'_>) {
        self.print_message(now, "Sleeping", outside);
        (self.spindle, self.flood) = (Spindle::Off, Flood::Off);
        self.sys = Sys::Sleep;
    }

    /// Locks the machine. Alarms 1 and 2 stop everything on the spot and wait for a reset.
    pub(super) fn alarm(&mut self, now: Duration, alarm: Alarm, outside: &mut Outside<'_>) {
        if alarm.is_critical() || alarm == Alarm::HomingDoor {
            self.stop_all(now, outside);
        }
        self.print_alarm(now, alarm, outside);
        if alarm.is_critical() {
            self.print_message(now, "Reset to continue", outside);
            self.sys = Sys::AlarmLoop;
        } else {
            self.sys = Sys::Alarm;
        }
        if alarm == Alarm::HomingDoor {
            self.reset(now, outside);
        }
    }

    /// 0x18. While moving the place is in doubt, and the machine is locked.
    pub(super) fn reset(&mut self, now: Duration, outside: &mut Outside<'_>) {
        let alarm = match self.sys {
            Sys::Home => Some(Alarm::HomingReset),
            Sys::Run | Sys::Jog | Sys::JogCancel | Sys::Hold(Brake::Braking) => {
                Some(Alarm::AbortInMotion)
            }
            Sys::Door(DoorPhase::Braking) => Some(Alarm::AbortInMotion),
            _ => None,
        };
        let locked =
            alarm.is_some() || matches!(self.sys, Sys::Alarm | Sys::AlarmLoop | Sys::Sleep);
        if let Some(alarm) = alarm {
            self.print_alarm(now, alarm, outside);
        }
        self.stop_all(now, outside);
        self.restart(now, if locked { Sys::Alarm } else { Sys::Idle }, outside);
    }

    /// The power comes on (or the processor's reset pin was pulled): the place is forgotten.
    pub(super) fn power_up(&mut self, now: Duration, outside: &mut Outside<'_>) {
        self.stop_all(now, outside);
        self.mover.set_position([0.0; 4]);
        self.parser.position = [0.0; 3];
        self.homed = Homed::No;
        self.stall = None;
        self.pending.clear();
        self.probe = ProbeResult::default();
        let locked = self.settings.is_on(22);
        self.restart(now, if locked { Sys::Alarm } else { Sys::Idle }, outside);
        self.main_program(now, outside);
    }

    /// Motion, spindle and coolant stop where they are; what was planned or half done is lost.
    fn stop_all(&mut self, now: Duration, outside: &mut Outside<'_>) {
        if let Some(homing) = self.homing.take() {
            let [x, y, z] = homing.position(now);
            self.mover.set_position([x, y, z, 0.0]);
        }
        self.mover.abort(now, outside.log);
        self.actions.clear();
        self.stage = Stage::Fresh;
        self.open = None;
        (self.spindle, self.spindle_rpm) = (Spindle::Off, 0.0);
        self.flood = Flood::Off;
        let [x, y, z, _] = self.mover.position(now);
        self.parser.position = [x, y, z];
    }

    /// The firmware's own start, after a reset or at power-up.
    fn restart(&mut self, now: Duration, sys: Sys, outside: &mut Outside<'_>) {
        self.rx.clear();
        self.line.clear();
        self.after_answer = AfterAnswer::Nothing;
        self.overrides = Overrides::default();
        self.apply_overrides();
        self.spindle_stop = SpindleStop::Off;
        self.counters = super::Counters::default();
        self.probe = ProbeResult::default();
        self.parser.reset(self.parser.position);
        self.sys = sys;
        self.print_banner(now, outside);
        if sys == Sys::Alarm {
            self.next_startup = None;
            self.print_message(now, "'$H'|'$X' to unlock", outside);
        } else {
            self.next_startup = Some(0);
        }
    }

    pub(super) fn touched(&mut self, now: Duration, touch: Touch, outside: &mut Outside<'_>) {
        match touch {
            Touch::HardLimit if self.sys != Sys::AlarmLoop => {
                self.alarm(now, Alarm::HardLimit, outside);
            }
            Touch::HardLimit => {}
            Touch::DoorOpen => {
                self.door = Door::Open;
                self.door(now, outside);
            }
            Touch::DoorClosed => self.door = Door::Closed,
            Touch::HoldButton => self.hold(now, outside),
            Touch::StartButton => self.start(now),
            Touch::Abort => self.reset(now, outside),
        }
    }
}
