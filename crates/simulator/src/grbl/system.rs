use std::time::Duration;

use super::code::Error;
use super::gcode::Action;
use super::line::LINE_BUFFER;
use super::settings::Settings;
use super::{AfterAnswer, Door, Grbl, Sys};
use crate::controller::Outside;

const HELP: &str = "[HLP:$$ $# $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H ~ ! ? ctrl-x]\r\n";

impl Grbl {
    /// Carries out the rest of a line that began with `$`.
    pub(super) fn system(
        &mut self,
        now: Duration,
        command: &[u8],
        outside: &mut Outside<'_>,
    ) -> Result<(), Error> {
        match command {
            [] => {
                self.print_str(now, HELP, outside);
                Ok(())
            }
            b"$" => {
                if matches!(self.sys, Sys::Run | Sys::Hold(_)) {
                    return Err(Error::NotIdle);
                }
                self.print_settings(now, outside);
                Ok(())
            }
            b"G" => {
                self.print_modes(now, outside);
                Ok(())
            }
            b"C" => self.toggle_check_mode(now, outside),
            b"X" => self.unlock(now, outside),
            [b'$' | b'G' | b'C' | b'X', ..] => Err(Error::InvalidStatement),
            [b'J', b'=', jog @ ..] => self.jog(jog),
            [b'J', ..] => Err(Error::InvalidStatement),
            _ if !matches!(self.sys, Sys::Idle | Sys::Alarm) => Err(Error::NotIdle),
            b"#" => {
                self.print_parameters(now, outside);
                Ok(())
            }
            b"H" => self.begin_homing(),
            b"SLP" => {
                self.after_answer = AfterAnswer::Sleep;
                Ok(())
            }
            b"I" => {
                self.print_build_info(now, outside);
                Ok(())
            }
            [b'I', b'=', info @ ..] => self.store_build_info(now, info),
            [b'R', b'S', b'T', b'=', what] => self.restore(now, *what, outside),
            b"N" => {
                self.print_startup_lines(now, outside);
                Ok(())
            }
            [b'N', index @ (b'0' | b'1'), b'=', line @ ..] => {
                self.store_startup_line(now, usize::from(index - b'0'), line)
            }
            [b'0'..=b'9', ..] => self.store_setting(now, command),
            [b'#' | b'H' | b'S' | b'I' | b'R' | b'N', ..] => Err(Error::InvalidStatement),
            _ => Err(Error::BadNumberFormat),
        }
    }

    fn toggle_check_mode(&mut self, now: Duration, outside: &mut Outside<'_>) -> Result<(), Error> {
        match self.sys {
            Sys::Check => {
                self.print_message(now, "Disabled", outside);
                // Leaving it resets, so that the modes of the checked file are forgotten.
                self.after_answer = AfterAnswer::Reset;
            }
            Sys::Idle => {
                self.print_message(now, "Enabled", outside);
                self.sys = Sys::Check;
            }
            _ => return Err(Error::NotIdle),
        }
        Ok(())
    }

    fn unlock(&mut self, now: Duration, outside: &mut Outside<'_>) -> Result<(), Error> {
        if self.sys == Sys::Alarm {
            if self.door == Door::Open {
                return Err(Error::CheckDoor);
            }
            self.print_message(now, "Caution: Unlocked", outside);
            self.sys = Sys::Idle;
        }
        Ok(())
    }

    fn jog(&mut self, line: &[u8]) -> Result<(), Error> {
        if !matches!(self.sys, Sys::Idle | Sys::Jog) {
            return Err(Error::NotIdle);
        }
        let before = self.parser.position;
        let Some(jog) = self.parser.jog(line)? else {
            return Ok(());
        };
        let travel = self.settings.axes(130);
        let leaves = jog
            .target
            .iter()
            .zip(travel)
            .any(|(to, max)| *to > 0.0 || *to < -max);
        if self.settings.is_on(20) && leaves {
            self.parser.position = before;
            return Err(Error::TravelExceeded);
        }
        self.actions.push_back(Action::Move(jog));
        Ok(())
    }

    fn begin_homing(&mut self) -> Result<(), Error> {
        if !self.settings.is_on(22) {
            return Err(Error::SettingDisabled);
        }
        if self.door == Door::Open {
            return Err(Error::CheckDoor);
        }
        self.actions.push_back(Action::Home);
        Ok(())
    }

    fn store_build_info(&mut self, now: Duration, info: &[u8]) -> Result<(), Error> {
        let bytes = changed_text(&self.build_info, info);
        self.build_info = info.to_vec();
        self.write_eeprom(now, bytes);
        Ok(())
    }

    fn print_startup_lines(&mut self, now: Duration, outside: &mut Outside<'_>) {
        for (index, line) in self.startup_lines.iter().enumerate() {
            let digit = [b'0' + index as u8];
            for part in [&b"$N"[..], &digit, b"=", line, b"\r\n"] {
                outside.tx.write(now, part);
            }
        }
    }

    /// A start-up line must be right; it is checked here, and run at the next start.
    fn store_startup_line(
        &mut self,
        now: Duration,
        index: usize,
        line: &[u8],
    ) -> Result<(), Error> {
        if line.len() >= LINE_BUFFER - 3 {
            return Err(Error::LineTooLong);
        }
        let mut actions = Vec::new();
        self.parser
            .clone()
            .execute(line, self.settings.get(12), &mut actions)?;
        let Some(place) = self.startup_lines.get_mut(index) else {
            return Err(Error::InvalidStatement);
        };
        let bytes = changed_text(place, line);
        *place = line.to_vec();
        self.write_eeprom(now, bytes);
        Ok(())
    }

    fn store_setting(&mut self, now: Duration, command: &[u8]) -> Result<(), Error> {
        let text = std::str::from_utf8(command).map_err(|_| Error::BadNumberFormat)?;
        let (number, value) = text.split_once('=').ok_or(Error::InvalidStatement)?;
        let number: u16 = number.parse().map_err(|_| Error::InvalidStatement)?;
        let value: f64 = value.parse().map_err(|_| Error::BadNumberFormat)?;
        if !value.is_finite() {
            return Err(Error::BadNumberFormat);
        }
        let bytes = self.settings.store(number, value)?;
        self.mover.set_limits(self.settings.limits());
        self.write_eeprom(now, bytes);
        Ok(())
    }

    /// `$RST=`: settings (`$`), coordinates (`#`) or everything (`*`), then a reset.
    fn restore(&mut self, now: Duration, what: u8, outside: &mut Outside<'_>) -> Result<(), Error> {
        if !matches!(what, b'$' | b'#' | b'*') {
            return Err(Error::InvalidStatement);
        }
        if matches!(what, b'$' | b'*') {
            self.settings = Settings::new(&self.options);
            self.mover.set_limits(self.settings.limits());
        }
        if matches!(what, b'#' | b'*') {
            self.parser.coordinates = Default::default();
        }
        if what == b'*' {
            self.startup_lines = Default::default();
            self.build_info.clear();
        }
        self.print_message(now, "Restoring defaults", outside);
        self.after_answer = AfterAnswer::Reset;
        Ok(())
    }
}

/// EEPROM bytes that storing a text writes: those that differ, its end, a checksum.
fn changed_text(before: &[u8], after: &[u8]) -> usize {
    let padded = |text: &[u8], index: usize| text.get(index).copied().unwrap_or(0);
    let longest = before.len().max(after.len());
    let changed = (0..longest)
        .filter(|i| padded(before, *i) != padded(after, *i))
        .count();
    changed + usize::from(changed > 0)
}
