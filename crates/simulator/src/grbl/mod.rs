//! grbl 1.1 on a three-axis mill, after gnea/grbl's documents ("Grbl v1.1 Interface", "Commands",
//! "Configuration", "Jogging", "Laser Mode") and what the firmware was seen to do.
//!
//! The model has the firmware's own shape: a receive interrupt that picks realtime bytes off, a main
//! program that assembles a line, parses it, carries it out step by step and only then answers, and
//! a stepper that works beside it. Where the main program waits (planner full, motion to drain, a
//! dwell, an EEPROM write, a full transmit buffer) it waits here too, and the receive buffer fills.
//!
//! Left out: laser mode, parking, single-axis homing, limit switches but by fault, mist (a build
//! option). The processor is infinitely fast unless `line_us` says otherwise.

mod arcs;
mod code;
mod cycles;
mod gcode;
mod homing;
mod line;
mod memory;
mod modal;
mod modes;
mod options;
mod plan;
mod program;
mod realtime;
mod report;
mod settings;
mod suspend;
mod system;
mod words;

use std::collections::VecDeque;
use std::time::Duration;

pub(crate) use options::Options;

use self::gcode::{Action, Parser};
use self::homing::Homing;
use self::line::LineBuffer;
use self::modal::{Flood, Spindle};
use self::program::{Source, Stage};
use self::realtime::Realtime;
use self::report::Counters;
use self::settings::Settings;
use crate::config::{Config, MotionModel};
use crate::controller::{Controller, Outside, Snapshot, State, Touch};
use crate::digest::Digest;
use crate::memory::Memory;
use crate::motion::{Mover, MoverConfig};
use crate::wire::{RxRing, RxStats};

/// Bytes the receive buffer holds.
const RX_BUFFER: usize = 128;

/// Bytes the transmit buffer holds; printing waits while it is full.
const TX_BUFFER: usize = 103;

/// One EEPROM byte takes this long, with interrupts off.
const EEPROM_BYTE: Duration = Duration::from_micros(3400);

/// The UART keeps this many bytes while interrupts are off.
const UART_FIFO: u8 = 2;

/// Segments prepared ahead of the stepper and their length in seconds.
const SEGMENTS: usize = 5;
const SEGMENT_TIME: f64 = 0.01;

/// A grbl board and its mill.
#[derive(Clone)]
pub(crate) struct Grbl {
    options: Options,
    motion: MotionModel,
    settings: Settings,
    startup_lines: [Vec<u8>; 2],
    build_info: Vec<u8>,
    parser: Parser,
    mover: Mover,
    rx: RxRing,
    line: LineBuffer,
    /// Realtime commands that wait because the main program is stalled.
    pending: VecDeque<Realtime>,
    sys: Sys,
    door: Door,
    /// What the line under way still has to do.
    actions: VecDeque<Action>,
    stage: Stage,
    /// Whose line is under way and still to be answered.
    open: Option<Source>,
    /// The next start-up line to run.
    next_startup: Option<usize>,
    after_answer: AfterAnswer,
    stall: Option<Stall>,
    homing: Option<Homing>,
    homed: Homed,
    spindle: Spindle,
    spindle_rpm: f64,
    spindle_stop: SpindleStop,
    flood: Flood,
    overrides: Overrides,
    probe: ProbeResult,
    counters: Counters,
    lines: u64,
    instant_motions: u64,
    input: Digest,
    text: String,
}

/// The state machine that `?` reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sys {
    Idle,
    Run,
    Hold(Brake),
    Jog,
    /// Braking to throw the jogs away.
    JogCancel,
    Home,
    Alarm,
    /// Alarm 1 or 2: nothing but reset and `?` is listened to.
    AlarmLoop,
    Check,
    Door(DoorPhase),
    Sleep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Brake {
    Braking,
    Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DoorPhase {
    Braking,
    Standing,
    /// Spindle and coolant come back before the motion does.
    Restoring(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Closed,
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AfterAnswer {
    Nothing,
    Reset,
    Sleep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Homed {
    No,
    Yes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SpindleStop {
    Off,
    On,
}

/// The main program stands still and not even realtime commands are carried out.
#[derive(Clone, Copy, Debug)]
enum Stall {
    /// Interrupts are off for most of the time: received bytes are lost.
    Eeprom {
        since: Duration,
        until: Duration,
        window: u128,
        kept: u8,
    },
    /// Waits for the transmit buffer, or computes.
    Busy { until: Duration },
}

impl Stall {
    fn until(&self) -> Duration {
        match self {
            Self::Eeprom { until, .. } | Self::Busy { until } => *until,
        }
    }
}

/// Overrides in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Overrides {
    feed: u8,
    rapid: u8,
    spindle: u8,
}

impl Default for Overrides {
    fn default() -> Self {
        Self {
            feed: 100,
            rapid: 100,
            spindle: 100,
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct ProbeResult {
    position: [f64; 3],
    touched: bool,
}

impl Grbl {
    pub(crate) fn new(config: &Config) -> Self {
        let options = config.grbl.clone();
        let settings = Settings::new(&options);
        let mover = Mover::new(MoverConfig {
            limits: settings.limits(),
            blocks: options.blocks(),
            segments: SEGMENTS,
            segment_time: SEGMENT_TIME,
            start: [0.0; 4],
        });
        Self {
            motion: config.motion,
            startup_lines: [Vec::new(), Vec::new()],
            build_info: Vec::new(),
            parser: Parser::new([0.0; 3]),
            mover,
            rx: RxRing::new(config.rx.unwrap_or(RX_BUFFER)),
            line: LineBuffer::new(),
            pending: VecDeque::new(),
            sys: Sys::Idle,
            door: Door::Closed,
            actions: VecDeque::with_capacity(gcode::MOST_ACTIONS),
            stage: Stage::Fresh,
            open: None,
            next_startup: None,
            after_answer: AfterAnswer::Nothing,
            stall: None,
            homing: None,
            homed: Homed::No,
            spindle: Spindle::Off,
            spindle_rpm: 0.0,
            spindle_stop: SpindleStop::Off,
            flood: Flood::Off,
            overrides: Overrides::default(),
            probe: ProbeResult::default(),
            counters: Counters::default(),
            lines: 0,
            instant_motions: 0,
            input: Digest::default(),
            text: String::new(),
            settings,
            options,
        }
    }

    /// The receive interrupt.
    fn interrupt(&mut self, now: Duration, byte: u8, outside: &mut Outside<'_>) {
        if let Some(Stall::Eeprom {
            since,
            window,
            kept,
            ..
        }) = &mut self.stall
        {
            let current = now.saturating_sub(*since).as_nanos() / EEPROM_BYTE.as_nanos();
            if *window != current {
                (*window, *kept) = (current, 0);
            }
            if *kept == UART_FIFO {
                self.rx.lose();
                return;
            }
            *kept += 1;
        }
        match Realtime::of(byte) {
            None => self.rx.push(byte),
            Some(Realtime::Nothing) => {}
            Some(Realtime::Reset) if self.stall.is_some() => {
                self.pending.clear();
                self.pending.push_back(Realtime::Reset);
            }
            // Commands are flags in the firmware: a second one of a kind changes nothing.
            Some(command) if self.stall.is_some() => {
                if !self.pending.contains(&command) {
                    self.pending.push_back(command);
                }
            }
            Some(command) => self.realtime(now, command, outside),
        }
    }

    /// Does what is due at exactly `now`: steps, what follows from them, the main program.
    fn tick(&mut self, now: Duration, outside: &mut Outside<'_>) {
        while self.mover.step(now, outside.log) {}
        self.settle(now, outside);
        self.main_program(now, outside);
    }

    /// Machine position, rounded to steps as the position counters are.
    fn machine_position(&self, now: Duration) -> [f64; 3] {
        let at = match &self.homing {
            Some(homing) => homing.position(now),
            None => {
                let [x, y, z, _] = self.mover.position(now);
                [x, y, z]
            }
        };
        let steps = self.settings.axes(100);
        std::array::from_fn(|axis| {
            let per_mm = steps[axis];
            if per_mm > 0.0 {
                (at[axis] * per_mm).round() / per_mm
            } else {
                at[axis]
            }
        })
    }
}

impl Controller for Grbl {
    fn receive(&mut self, now: Duration, bytes: &[u8], outside: &mut Outside<'_>) {
        self.advance(now, outside);
        for byte in bytes {
            self.interrupt(now, *byte, outside);
            self.main_program(now, outside);
        }
    }

    fn advance(&mut self, now: Duration, outside: &mut Outside<'_>) {
        while let Some(at) = self.next_event().filter(|at| *at <= now) {
            self.tick(at, outside);
        }
    }

    fn next_event(&self) -> Option<Duration> {
        let door = match self.sys {
            Sys::Door(DoorPhase::Restoring(until)) => Some(until),
            _ => None,
        };
        let own = match (self.stall, self.is_suspended()) {
            (Some(stall), _) => Some(stall.until()),
            (None, true) => None,
            (None, false) => self.stage.until(),
        };
        [self.mover.next_event(), own, door]
            .into_iter()
            .flatten()
            .min()
    }

    fn is_working(&self) -> bool {
        self.next_event().is_some()
    }

    fn reboot(&mut self, now: Duration, outside: &mut Outside<'_>) {
        self.power_up(now, outside);
    }

    fn touch(&mut self, now: Duration, touch: Touch, outside: &mut Outside<'_>) {
        self.advance(now, outside);
        self.touched(now, touch, outside);
        self.main_program(now, outside);
    }

    fn snapshot(&self, now: Duration) -> Snapshot {
        let [x, y, z] = self.machine_position(now);
        Snapshot {
            state: self.state(),
            position: [x, y, z, 0.0],
            planner_used: self.mover.blocks_used(),
            rx_used: self.rx.len(),
            lines: self.lines,
            motions: self.mover.completed() + self.instant_motions,
            input: self.input,
        }
    }

    fn rx_stats(&self) -> RxStats {
        self.rx.stats()
    }

    fn memory(&self) -> Memory {
        self.memory()
    }

    fn fork(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl Grbl {
    fn state(&self) -> State {
        match self.sys {
            Sys::Idle => State::Idle,
            Sys::Run => State::Run,
            Sys::Hold(brake) => State::Hold {
                complete: brake == Brake::Standing,
            },
            Sys::Jog | Sys::JogCancel => State::Jog,
            Sys::Home => State::Home,
            Sys::Alarm | Sys::AlarmLoop => State::Alarm,
            Sys::Check => State::Check,
            Sys::Door(phase) => State::Door(self.door_code(phase)),
            Sys::Sleep => State::Sleep,
        }
    }

    /// The sub-state that `Door:` shows.
    fn door_code(&self, phase: DoorPhase) -> u8 {
        match (phase, self.door) {
            (DoorPhase::Restoring(_), _) => 3,
            (DoorPhase::Braking, _) => 2,
            (DoorPhase::Standing, Door::Open) => 1,
            (DoorPhase::Standing, Door::Closed) => 0,
        }
    }
}
