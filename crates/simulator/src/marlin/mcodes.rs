use std::time::Duration;

use super::command::{Code, Command};
use super::emergency::Emergency;
use super::gcodes::Outcome;
use super::heater::{HeatWait, HeaterKind, WaitsFor};
use super::job::{After, Job};
use super::limits::Limits;
use super::modal::{AXES, Distance};
use super::options::Switch;
use super::reports::{HARDCODED, Report, STORED};
use super::{ColdMoves, EXTRUDE_MINTEMP, Marlin, seconds};
use crate::controller::Outside;

impl Marlin {
    pub(super) fn m_code(
        &mut self,
        now: Duration,
        code: Code,
        command: &Command<'_>,
        outside: &mut Outside<'_>,
    ) -> Outcome {
        if code.sub != 0 {
            return Outcome::Unknown;
        }
        match code.number {
            0 | 1 => return self.ask_user(now, command, outside),
            17 => {}
            18 | 84 | 400 => return Outcome::Takes(Job::Drain(After::Nothing)),
            82 => self.modal.set_extruder(Distance::Absolute),
            83 => self.modal.set_extruder(Distance::Relative),
            104 | 109 | 140 | 190 => return self.heat(now, code.number, command, outside),
            105 => return self.answer_temperatures(now, outside),
            106 => {
                self.fan = command
                    .value(b'S')
                    .map_or(255, |speed| speed.clamp(0.0, 255.0) as u8)
            }
            107 => self.fan = 0,
            108 | 112 | 410 => return self.urgent(now, code.number, outside),
            110 => {
                if let Some(number) = command.value(b'N') {
                    self.framer.set_last_number(number as i64);
                }
            }
            113 => self.keepalive(now, command, outside),
            114 if command.has(b'R') => self.report_real_position(now, outside),
            114 => self.report_position(now, outside),
            115 => self.report_firmware(now, outside),
            118 => self.echo(now, command, outside),
            119 => {
                let text = "Reporting endstop status\nx_min: open\ny_min: open\nz_min: open";
                self.say(now, format_args!("{text}"), outside);
            }
            154 => self.interval(now, Report::Position, command),
            155 => self.interval(now, Report::Temperature, command),
            302 => self.cold_moves(now, command, outside),
            500..=503 => self.settings(now, code.number, command, outside),
            600 => return Outcome::Takes(Job::Drain(After::AskUser(None))),
            number => return self.tuning(now, number, command, outside),
        }
        Outcome::Done
    }

    /// M92 and the commands that change how moves are made; what has no effect on motion, heat or
    /// protocol is taken without a word.
    fn tuning(
        &mut self,
        now: Duration,
        number: u32,
        command: &Command<'_>,
        outside: &mut Outside<'_>,
    ) -> Outcome {
        match number {
            92 => self.steps_per_mm(command),
            201 => set_axes(&mut self.limits.max_acceleration, command, Limits::set),
            203 => set_axes(&mut self.limits.max_feed, command, Limits::set),
            204 => self.accelerations(command),
            205 => self.advanced(command),
            141 | 191 | 290 | 420 | 486 | 900 => self.kept.take(number, command),
            220 | 221 => self.percentage(now, number, command, outside),
            // Progress, print timer, display, displacements and drivers.
            73
            | 75..=78
            | 85
            | 117
            | 120
            | 121
            | 145
            | 200
            | 206
            | 211
            | 300
            | 301
            | 304
            | 412
            | 413
            | 428
            | 569
            | 572
            | 593
            | 603
            | 851
            | 906..=908
            | 913..=915 => {}
            _ => return Outcome::Unknown,
        }
        Outcome::Done
    }

    /// M0 and M1: shows its text and waits for a person, at most `P` ms or `S` s.
    fn ask_user(
        &mut self,
        now: Duration,
        command: &Command<'_>,
        outside: &mut Outside<'_>,
    ) -> Outcome {
        let time = command
            .value(b'S')
            .or(command.value(b'P').map(|ms| ms / 1000.0));
        let limit = time.filter(|time| *time > 0.0).map(seconds);
        let message = command.argument();
        if limit.is_none() && !message.is_empty() {
            let message = String::from_utf8_lossy(message);
            self.say(now, format_args!("echo:{message}"), outside);
        }
        Outcome::Takes(Job::Drain(After::AskUser(limit)))
    }

    /// M104, M109, M140 and M190.
    fn heat(
        &mut self,
        now: Duration,
        number: u32,
        command: &Command<'_>,
        outside: &mut Outside<'_>,
    ) -> Outcome {
        let (kind, heater) = match number {
            104 | 109 => (HeaterKind::Hotend, &mut self.hotend),
            _ => (HeaterKind::Bed, &mut self.bed),
        };
        if kind == HeaterKind::Hotend
            && let Some(tool) = command.value(b'T').filter(|tool| *tool != 0.0)
        {
            self.say(
                now,
                format_args!("echo:M{number} Invalid extruder {tool}"),
                outside,
            );
            return Outcome::Done;
        }
        let waits = matches!(number, 109 | 190);
        let (celsius, waits_for) = match (command.value(b'S'), command.value(b'R')) {
            (Some(celsius), _) => (celsius, WaitsFor::Heating),
            (None, Some(celsius)) if waits => (celsius, WaitsFor::HeatingAndCooling),
            _ => return Outcome::Done,
        };
        heater.set_target(now, celsius);
        if waits {
            return Outcome::Takes(Job::Heat(HeatWait::new(now, kind, waits_for)));
        }
        Outcome::Done
    }

    /// M108, M112 and M410 in their turn. With an emergency parser they acted when they came.
    fn urgent(&mut self, now: Duration, number: u32, outside: &mut Outside<'_>) -> Outcome {
        if self.options.emergency_parser == Switch::Off
            && let Some(urgent) = Emergency::from_code(number)
        {
            self.respond(now, urgent, outside);
            if urgent == Emergency::Kill {
                return Outcome::Answered;
            }
        }
        Outcome::Done
    }

    fn keepalive(&mut self, now: Duration, command: &Command<'_>, outside: &mut Outside<'_>) {
        match command.value(b'S') {
            Some(interval) => self.reports.keepalive = seconds(interval.clamp(0.0, 60.0).floor()),
            None => {
                let interval = self.reports.keepalive.as_secs();
                self.say(now, format_args!("echo:M113 S{interval}"), outside);
            }
        }
    }

    /// M154 and M155.
    fn interval(&mut self, now: Duration, report: Report, command: &Command<'_>) {
        if let Some(interval) = command.value(b'S') {
            self.reports.set_interval(now, report, interval);
        }
    }

    /// M118: `E1` puts `echo:` in front, `A1` puts `//`.
    fn echo(&mut self, now: Duration, command: &Command<'_>, outside: &mut Outside<'_>) {
        let mut text = command.argument();
        let (mut echo, mut action) = ("", "");
        while let [
            letter @ (b'A' | b'E' | b'P'),
            digit @ b'0'..=b'9',
            rest @ ..,
        ] = text
        {
            match (letter, digit) {
                (b'E', b'1') => echo = "echo:",
                (b'A', b'1') => action = "//",
                _ => {}
            }
            text = rest.trim_ascii_start();
        }
        let text = String::from_utf8_lossy(text);
        self.say(now, format_args!("{echo}{action}{text}"), outside);
    }

    /// M302.
    fn cold_moves(&mut self, now: Duration, command: &Command<'_>, outside: &mut Outside<'_>) {
        let least = command.value(b'S').map(|celsius| celsius.max(0.0));
        match (least, command.value(b'P')) {
            (_, Some(1.0)) | (Some(0.0), _) => self.cold_moves = ColdMoves::Allowed,
            (Some(least), _) => self.cold_moves = ColdMoves::Prevented(least),
            (None, Some(_)) => self.cold_moves = ColdMoves::Prevented(EXTRUDE_MINTEMP),
            (None, None) => {
                let (word, least) = match self.cold_moves {
                    ColdMoves::Allowed => ("en", 0.0),
                    ColdMoves::Prevented(least) => ("dis", least),
                };
                let text = format_args!("echo:Cold extrudes are {word}abled (min temp {least}C)");
                self.say(now, text, outside);
            }
        }
    }

    /// M500 to M503.
    fn settings(
        &mut self,
        now: Duration,
        number: u32,
        command: &Command<'_>,
        outside: &mut Outside<'_>,
    ) {
        match number {
            500 => {
                self.saved_limits = Some(self.limits.clone());
                self.say(
                    now,
                    format_args!("echo:Settings Stored (612 bytes; crc 30423)"),
                    outside,
                );
            }
            501 => {
                let text = if self.saved_limits.is_some() {
                    STORED
                } else {
                    HARDCODED
                };
                self.limits = self.saved_limits.clone().unwrap_or_default();
                self.resync();
                self.say(now, format_args!("{text}"), outside);
            }
            502 => {
                self.limits = Limits::default();
                self.resync();
                self.say(now, format_args!("{HARDCODED}"), outside);
            }
            _ if command.value(b'S') == Some(0.0) => {}
            _ => self.report_settings(now, outside),
        }
    }

    fn steps_per_mm(&mut self, command: &Command<'_>) {
        set_axes(&mut self.limits.steps_per_mm, command, Limits::set);
        self.resync();
    }

    /// The steps of the planner's end mean another place when their size changed.
    fn resync(&mut self) {
        for (axis, mm) in self.modal.position.into_iter().enumerate() {
            self.motions.planner.set_end(axis, mm, &self.limits);
        }
    }

    /// M204: `S` is the old way to say `P` and `T`.
    fn accelerations(&mut self, command: &Command<'_>) {
        let limits = &mut self.limits;
        if let Some(both) = command.value(b'S') {
            Limits::set(&mut limits.acceleration, both);
            Limits::set(&mut limits.travel_acceleration, both);
        }
        let places = [
            (b'P', &mut limits.acceleration),
            (b'R', &mut limits.retract_acceleration),
            (b'T', &mut limits.travel_acceleration),
        ];
        for (letter, place) in places {
            if let Some(value) = command.value(letter) {
                Limits::set(place, value);
            }
        }
    }

    /// M205: least feeds, least segment time (µs), junction deviation and jerk.
    fn advanced(&mut self, command: &Command<'_>) {
        let limits = &mut self.limits;
        set_axes(&mut limits.jerk, command, Limits::set_or_zero);
        let places = [
            (b'S', &mut limits.min_feed, 1.0),
            (b'T', &mut limits.min_travel_feed, 1.0),
            (b'B', &mut limits.min_segment_time, 1e-6),
            (b'J', &mut limits.junction_deviation, 1.0),
        ];
        for (letter, place, unit) in places {
            if let Some(value) = command.value(letter) {
                Limits::set_or_zero(place, value * unit);
            }
        }
    }

    /// M220 (`B` puts the value aside, `R` takes it back) and M221.
    fn percentage(
        &mut self,
        now: Duration,
        number: u32,
        command: &Command<'_>,
        outside: &mut Outside<'_>,
    ) {
        let is_feed = number == 220;
        if is_feed && command.has(b'B') {
            self.modal.kept_feed_percent = self.modal.feed_percent;
        }
        if is_feed && command.has(b'R') {
            self.modal.feed_percent = self.modal.kept_feed_percent;
        }
        let place = if is_feed {
            &mut self.modal.feed_percent
        } else {
            &mut self.modal.flow_percent
        };
        match command.value(b'S') {
            Some(percent) => *place = percent.clamp(0.0, 999.0),
            None if is_feed && (command.has(b'B') || command.has(b'R')) => {}
            None => {
                let (label, percent) = (if is_feed { "FR:" } else { "echo:E0 Flow: " }, *place);
                self.say(now, format_args!("{label}{percent}%"), outside);
            }
        }
    }
}

/// Takes the axis words of a command.
fn set_axes(places: &mut [f64; 4], command: &Command<'_>, set: fn(&mut f64, f64)) {
    for (place, letter) in places.iter_mut().zip(AXES) {
        if let Some(value) = command.value(letter) {
            set(place, value);
        }
    }
}
