use std::time::Duration;

use super::heater::Heater;
use super::options::Switch;
use super::{Limits, Marlin, gcodes::Outcome, modal::AXES};
use crate::controller::Outside;

/// How long nothing must come before an idle printer says `wait`.
const IDLE_BEFORE_WAIT: Duration = Duration::from_secs(1);
/// M113 at power-up.
const KEEPALIVE: Duration = Duration::from_secs(2);
/// Longest interval of the periodic reports, s.
const LONGEST_INTERVAL: f64 = 60.0;

/// When the printer will say something of its own accord.
#[derive(Clone, Debug)]
pub(super) struct Reports {
    /// M113: between two `busy` messages; zero for none.
    pub(super) keepalive: Duration,
    busy_at: Option<Duration>,
    temperature: Periodic,
    position: Periodic,
    /// When the last command came, or `wait` was said.
    heard: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
struct Periodic {
    interval: Duration,
    due: Option<Duration>,
}

/// Which periodic report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// M155.
    Temperature,
    /// M154.
    Position,
}

impl Periodic {
    fn set(&mut self, now: Duration, interval: Duration) {
        self.interval = interval;
        self.due = (!interval.is_zero()).then_some(now + interval);
    }

    fn is_due(&mut self, now: Duration) -> bool {
        let is_due = self.due.is_some_and(|due| due <= now);
        if is_due {
            self.set(now, self.interval);
        }
        is_due
    }
}

impl Reports {
    pub(super) fn new(now: Duration) -> Self {
        Self {
            keepalive: KEEPALIVE,
            busy_at: None,
            temperature: Periodic::default(),
            position: Periodic::default(),
            heard: now,
        }
    }

    /// A command came in.
    pub(super) const fn heard(&mut self, now: Duration) {
        self.heard = now;
    }

    /// A command begins: if it lasts, the host is told that the printer is busy.
    pub(super) fn begin(&mut self, now: Duration) {
        self.busy_at = (!self.keepalive.is_zero()).then_some(now + self.keepalive);
    }

    /// The command is done.
    pub(super) const fn idle(&mut self, now: Duration) {
        self.busy_at = None;
        self.heard = now;
    }

    /// M154 and M155: seconds between two reports, 0 to stop.
    pub(super) fn set_interval(&mut self, now: Duration, report: Report, seconds: f64) {
        let interval = super::seconds(seconds.clamp(0.0, LONGEST_INTERVAL).floor());
        match report {
            Report::Temperature => self.temperature.set(now, interval),
            Report::Position => self.position.set(now, interval),
        }
    }
}

impl Marlin {
    /// When the next periodic message is due.
    pub(super) fn next_report(&self) -> Option<Duration> {
        let reports = &self.reports;
        let wait = (self.options.wait == Switch::On && self.queue.is_empty())
            .then_some(reports.heard + IDLE_BEFORE_WAIT);
        [
            reports.busy_at,
            reports.temperature.due,
            reports.position.due,
            wait,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Says what is due.
    pub(super) fn report(&mut self, now: Duration, outside: &mut Outside<'_>) {
        if self.reports.temperature.is_due(now) {
            self.report_temperatures(now, "", outside);
        }
        if self.reports.position.is_due(now) {
            self.report_position(now, outside);
        }
        if self.reports.busy_at.is_some_and(|at| at <= now) {
            self.reports.begin(now);
            let why = if self.is_waiting_for_user() {
                "paused for user"
            } else {
                "processing"
            };
            self.say(now, format_args!("echo:busy: {why}"), outside);
        }
        let is_quiet = self.queue.is_empty() && self.reports.heard + IDLE_BEFORE_WAIT <= now;
        if self.options.wait == Switch::On && is_quiet {
            self.reports.heard(now);
            self.say(now, format_args!("wait"), outside);
        }
    }

    /// `T:20.00 /0.00 B:20.00 /0.00 @:0 B@:0` behind `prefix` and a blank.
    fn report_temperatures(&mut self, now: Duration, prefix: &str, outside: &mut Outside<'_>) {
        let (hotend, bed) = (Shown::new(&self.hotend, now), Shown::new(&self.bed, now));
        self.say(
            now,
            format_args!(
                "{prefix} T:{:.2} /{:.2} B:{:.2} /{:.2} @:{} B@:{}",
                hotend.celsius, hotend.target, bed.celsius, bed.target, hotend.power, bed.power
            ),
            outside,
        );
    }

    /// M105: its `ok` stands in front of the temperatures.
    pub(super) fn answer_temperatures(
        &mut self,
        now: Duration,
        outside: &mut Outside<'_>,
    ) -> Outcome {
        self.report_temperatures(now, "ok", outside);
        Outcome::Answered
    }

    /// The temperatures once more while somebody waits for them, with the seconds of residency left.
    pub(super) fn report_heating(
        &mut self,
        now: Duration,
        left: Option<u64>,
        outside: &mut Outside<'_>,
    ) {
        let (hotend, bed) = (Shown::new(&self.hotend, now), Shown::new(&self.bed, now));
        let left = left.map_or_else(|| "?".to_owned(), |left| left.to_string());
        self.say(
            now,
            format_args!(
                " T:{:.2} /{:.2} B:{:.2} /{:.2} @:{} B@:{} W:{left}",
                hotend.celsius, hotend.target, bed.celsius, bed.target, hotend.power, bed.power
            ),
            outside,
        );
    }

    /// M114: the end of everything planned, also its count of steps.
    pub(super) fn report_position(&mut self, now: Duration, outside: &mut Outside<'_>) {
        let [x, y, z, e] = self.modal.logical(self.modal.position);
        let [a, b, c, _] = self.motions.planner.end();
        self.say(
            now,
            format_args!("X:{x:.2} Y:{y:.2} Z:{z:.2} E:{e:.2} Count X:{a} Y:{b} Z:{c}"),
            outside,
        );
    }

    /// M114 R: where the steppers are.
    pub(super) fn report_real_position(&mut self, now: Duration, outside: &mut Outside<'_>) {
        let machine = self.motions.planner.position(now, &self.limits);
        let [x, y, z, e] = self.modal.logical(machine);
        let steps = |axis: usize| (machine[axis] * self.limits.steps_per_mm[axis]).round() as i64;
        let (a, b, c) = (steps(0), steps(1), steps(2));
        self.say(
            now,
            format_args!("X:{x:.2} Y:{y:.2} Z:{z:.2} E:{e:.2} Count X:{a} Y:{b} Z:{c}"),
            outside,
        );
    }

    /// What the printer says when it starts.
    pub(super) fn greet(&mut self, now: Duration, outside: &mut Outside<'_>) {
        let settings = if self.saved_limits.is_some() {
            STORED
        } else {
            HARDCODED
        };
        let blocks = self.options.planner;
        self.say(
            now,
            format_args!(
                "start\necho:Marlin 2.1.2.5\necho: Last Updated: 2025-01-12 | Author: (simulated)\n\
                 echo: Free Memory: 4096  PlannerBufferBytes: {}\n{settings}",
                blocks * PLANNER_BLOCK_BYTES
            ),
            outside,
        );
    }

    /// M115.
    pub(super) fn report_firmware(&mut self, now: Duration, outside: &mut Outside<'_>) {
        self.say(
            now,
            format_args!(
                "FIRMWARE_NAME:Marlin 2.1.2.5 (simulated) \
                 SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin PROTOCOL_VERSION:1.0 \
                 MACHINE_TYPE:Simulated Printer EXTRUDER_COUNT:1 \
                 UUID:cede2a2f-41a2-4748-9b12-c55c62f367ff"
            ),
            outside,
        );
        let emergency = u8::from(self.options.emergency_parser == Switch::On);
        let advanced = u8::from(self.options.advanced_ok == Switch::On);
        self.say(
            now,
            format_args!(
                "Cap:SERIAL_XON_XOFF:0\nCap:BINARY_FILE_TRANSFER:0\nCap:EEPROM:1\nCap:VOLUMETRIC:0\n\
                 Cap:AUTOREPORT_POS:1\nCap:AUTOREPORT_TEMP:1\nCap:PROGRESS:1\nCap:PRINT_JOB:1\n\
                 Cap:AUTOLEVEL:1\nCap:RUNOUT:0\nCap:Z_PROBE:1\nCap:LEVELING_DATA:0\n\
                 Cap:BUILD_PERCENT:1\nCap:SOFTWARE_POWER:0\nCap:TOGGLE_LIGHTS:0\n\
                 Cap:EMERGENCY_PARSER:{emergency}\nCap:HOST_ACTION_COMMANDS:1\n\
                 Cap:PROMPT_SUPPORT:0\nCap:SDCARD:0\nCap:THERMAL_PROTECTION:1\n\
                 Cap:MOTION_MODES:0\nCap:ARCS:1\nCap:BABYSTEPPING:0\nCap:CHAMBER_TEMPERATURE:0\n\
                 Cap:ADVANCED_OK:{advanced}"
            ),
            outside,
        );
    }

    /// M503.
    pub(super) fn report_settings(&mut self, now: Duration, outside: &mut Outside<'_>) {
        let limits = self.limits.clone();
        let Limits {
            acceleration,
            retract_acceleration,
            travel_acceleration,
            ..
        } = limits;
        let axes = [
            ("Steps per unit", "M92", limits.steps_per_mm),
            ("Max feedrates (units/s)", "M203", limits.max_feed),
            (
                "Max Acceleration (units/s2)",
                "M201",
                limits.max_acceleration,
            ),
            ("Advanced (units/s): jerk", "M205", limits.jerk),
        ];
        for (title, code, values) in axes {
            let [x, y, z, e] = values;
            let [l, m, n, o] = AXES.map(char::from);
            let text = format_args!(
                "echo:; {title}:\necho: {code} {l}{x:.2} {m}{y:.2} {n}{z:.2} {o}{e:.2}"
            );
            self.say(now, text, outside);
        }
        let text = format_args!(
            "echo:; Acceleration (units/s2) (P<print> R<retract> T<travel>):\n\
             echo: M204 P{acceleration:.2} R{retract_acceleration:.2} T{travel_acceleration:.2}"
        );
        self.say(now, text, outside);
    }
}

pub(super) const HARDCODED: &str = "echo:Hardcoded Default Settings Loaded";
pub(super) const STORED: &str = "echo:V88 stored settings retrieved (612 bytes; crc 30423)";
/// Size of a planner block, which the banner multiplies by their number.
const PLANNER_BLOCK_BYTES: usize = 84;

/// A heater as reports show it.
struct Shown {
    celsius: f64,
    target: f64,
    power: u8,
}

impl Shown {
    fn new(heater: &Heater, now: Duration) -> Self {
        Self {
            celsius: heater.celsius(now),
            target: heater.target(),
            power: heater.power(now),
        }
    }
}
