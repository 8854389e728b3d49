use std::fmt::Write as _;
use std::time::Duration;

use super::code::{Alarm, Error};
use super::modal::{Flood, Spindle};
use super::{Brake, DoorPhase, Grbl, SpindleStop, Sys};
use crate::controller::Outside;

const BANNER: &str = "\r\nGrbl 1.1h ['$' for help]\r\n";

/// Status reports until the next one with the work offset or the overrides.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    offset: u8,
    overrides: u8,
}

impl Counters {
    /// The next report shows the work offset.
    pub(super) fn show_offset(&mut self) {
        self.offset = 0;
    }

    /// The next report (the one after an offset) shows the overrides.
    pub(super) fn show_overrides(&mut self) {
        self.overrides = 0;
    }
}

/// Bits of `$10`.
const REPORT_MACHINE_POSITION: u8 = 1;
const REPORT_BUFFERS: u8 = 2;

impl Grbl {
    /// Prints `self.text` and empties it.
    fn print(&mut self, now: Duration, outside: &mut Outside<'_>) {
        outside.tx.write(now, self.text.as_bytes());
        self.text.clear();
    }

    pub(super) fn print_str(&mut self, now: Duration, text: &str, outside: &mut Outside<'_>) {
        outside.tx.write(now, text.as_bytes());
    }

    pub(super) fn print_banner(&mut self, now: Duration, outside: &mut Outside<'_>) {
        self.print_str(now, BANNER, outside);
    }

    pub(super) fn print_answer(
        &mut self,
        now: Duration,
        result: Result<(), Error>,
        outside: &mut Outside<'_>,
    ) {
        match result {
            Ok(()) => outside.tx.write(now, b"ok\r\n"),
            Err(error) => {
                let _ = write!(self.text, "error:{}\r\n", error.number());
                self.print(now, outside);
            }
        }
    }

    pub(super) fn print_alarm(&mut self, now: Duration, alarm: Alarm, outside: &mut Outside<'_>) {
        let _ = write!(self.text, "ALARM:{}\r\n", alarm.number());
        self.print(now, outside);
    }

    pub(super) fn print_message(&mut self, now: Duration, text: &str, outside: &mut Outside<'_>) {
        let _ = write!(self.text, "[MSG:{text}]\r\n");
        self.print(now, outside);
    }

    pub(super) fn print_startup_line(
        &mut self,
        now: Duration,
        line: &[u8],
        outside: &mut Outside<'_>,
    ) {
        outside.tx.write(now, b">");
        outside.tx.write(now, line);
        outside.tx.write(now, b":");
    }

    pub(super) fn print_settings(&mut self, now: Duration, outside: &mut Outside<'_>) {
        self.settings.print(&mut self.text);
        self.print(now, outside);
    }

    pub(super) fn print_modes(&mut self, now: Duration, outside: &mut Outside<'_>) {
        self.parser.print_modes(&mut self.text);
        self.print(now, outside);
    }

    pub(super) fn print_build_info(&mut self, now: Duration, outside: &mut Outside<'_>) {
        let info = String::from_utf8_lossy(&self.build_info);
        let (blocks, rx) = (self.options.blocks(), self.rx.stats().capacity);
        let _ = write!(
            self.text,
            "[VER:1.1h.20190830:{info}]\r\n[OPT:V,{blocks},{rx}]\r\n"
        );
        self.print(now, outside);
    }

    pub(super) fn print_parameters(&mut self, now: Duration, outside: &mut Outside<'_>) {
        const NAMES: [&str; 8] = ["G54", "G55", "G56", "G57", "G58", "G59", "G28", "G30"];
        let form = self.form();
        for (name, set) in NAMES.iter().zip(self.parser.coordinates) {
            let _ = write!(self.text, "[{name}:");
            form.vector(&mut self.text, set);
            self.text.push_str("]\r\n");
        }
        self.text.push_str("[G92:");
        form.vector(&mut self.text, self.parser.offset);
        self.text.push_str("]\r\n[TLO:");
        form.length(&mut self.text, self.parser.tool_length);
        self.text.push_str("]\r\n");
        self.print(now, outside);
        self.print_probe(now, outside);
    }

    pub(super) fn print_probe(&mut self, now: Duration, outside: &mut Outside<'_>) {
        self.text.push_str("[PRB:");
        self.form().vector(&mut self.text, self.probe.position);
        let _ = write!(self.text, ":{}]\r\n", u8::from(self.probe.touched));
        self.print(now, outside);
    }

    /// The answer to `?`.
    pub(super) fn print_status(&mut self, now: Duration, outside: &mut Outside<'_>) {
        let form = self.form();
        let mask = self.settings.mask(10);
        let machine = self.machine_position(now);
        let offset = self.parser.work_offset();
        let mut text = std::mem::take(&mut self.text);
        text.push('<');
        self.write_state(&mut text);
        if mask & REPORT_MACHINE_POSITION == 0 {
            text.push_str("|WPos:");
            form.vector(
                &mut text,
                std::array::from_fn(|axis| machine[axis] - offset[axis]),
            );
        } else {
            text.push_str("|MPos:");
            form.vector(&mut text, machine);
        }
        if mask & REPORT_BUFFERS != 0 {
            let free = self
                .options
                .blocks()
                .saturating_sub(self.mover.blocks_used());
            let _ = write!(text, "|Bf:{free},{}", self.rx.free());
        }
        if self.options.line_numbers.is_on()
            && let Some(line) = self.mover.line().filter(|line| *line > 0)
        {
            let _ = write!(text, "|Ln:{line}");
        }
        let feed = form.per_mm() * self.mover.speed() * 60.0;
        let _ = write!(text, "|FS:{feed:.0},{:.0}", self.actual_rpm());
        self.write_pins(&mut text, machine[2]);
        self.write_offset_or_overrides(&mut text, offset, form);
        text.push_str(">\r\n");
        self.text = text;
        self.print(now, outside);
    }

    fn write_state(&self, text: &mut String) {
        let word = match self.sys {
            Sys::Idle => "Idle",
            Sys::Run => "Run",
            Sys::Hold(Brake::Standing) => "Hold:0",
            Sys::Hold(Brake::Braking) => "Hold:1",
            Sys::Jog | Sys::JogCancel => "Jog",
            Sys::Home => "Home",
            Sys::Alarm | Sys::AlarmLoop => "Alarm",
            Sys::Check => "Check",
            Sys::Sleep => "Sleep",
            Sys::Door(phase) => {
                let _ = write!(text, "Door:{}", self.door_code(phase));
                return;
            }
        };
        text.push_str(word);
    }

    fn write_pins(&self, text: &mut String, z: f64) {
        let probe = self.options.probe_z.is_some_and(|surface| z <= surface);
        let door = self.door == super::Door::Open;
        if probe || door {
            text.push_str("|Pn:");
            text.push_str(if probe { "P" } else { "" });
            text.push_str(if door { "D" } else { "" });
        }
    }

    /// The offset every 30 reports (10 when nothing moves), the overrides every 20 (10), never both.
    fn write_offset_or_overrides(&mut self, text: &mut String, offset: [f64; 3], form: Form) {
        let moves = matches!(
            self.sys,
            Sys::Home | Sys::Run | Sys::Hold(_) | Sys::Jog | Sys::JogCancel | Sys::Door(_)
        );
        if self.counters.offset > 0 {
            self.counters.offset -= 1;
        } else {
            self.counters.offset = if moves { 29 } else { 9 };
            self.counters.overrides = self.counters.overrides.max(1);
            text.push_str("|WCO:");
            form.vector(text, offset);
        }
        if self.counters.overrides > 0 {
            self.counters.overrides -= 1;
            return;
        }
        self.counters.overrides = if moves { 19 } else { 9 };
        let super::Overrides {
            feed,
            rapid,
            spindle,
        } = self.overrides;
        let _ = write!(text, "|Ov:{feed},{rapid},{spindle}");
        let spindle = match (self.spindle, self.spindle_stop) {
            (_, SpindleStop::On) | (Spindle::Off, _) => "",
            (Spindle::Clockwise, _) => "S",
            (Spindle::CounterClockwise, _) => "C",
        };
        let flood = if self.flood == Flood::On { "F" } else { "" };
        if !spindle.is_empty() || !flood.is_empty() {
            let _ = write!(text, "|A:{spindle}{flood}");
        }
    }

    /// Spindle speed with override and stops.
    fn actual_rpm(&self) -> f64 {
        let stopped = self.spindle == Spindle::Off
            || self.spindle_stop == SpindleStop::On
            || matches!(self.sys, Sys::Door(DoorPhase::Standing) | Sys::Sleep);
        if stopped {
            0.0
        } else {
            self.spindle_rpm * f64::from(self.overrides.spindle) / 100.0
        }
    }

    fn form(&self) -> Form {
        if self.settings.is_on(13) {
            Form::Inch
        } else {
            Form::Mm
        }
    }
}

/// How lengths are printed (`$13`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Mm,
    Inch,
}

impl Form {
    fn per_mm(self) -> f64 {
        match self {
            Self::Mm => 1.0,
            Self::Inch => 1.0 / 25.4,
        }
    }

    fn length(self, out: &mut String, mm: f64) {
        let value = mm * self.per_mm();
        let decimals = if self == Self::Inch { 4 } else { 3 };
        // grbl rounds to the last digit first, so that there is no `-0.000`.
        let scale = if self == Self::Inch { 1e4 } else { 1e3 };
        let rounded = (value * scale).round() / scale + 0.0;
        let _ = write!(out, "{rounded:.decimals$}");
    }

    fn vector(self, out: &mut String, mm: [f64; 3]) {
        for (index, value) in mm.into_iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            self.length(out, value);
        }
    }
}
