use std::fmt::Write as _;

use super::code::Error;
use super::options::Options;
use crate::motion::Limits;

/// The `$` settings of grbl 1.1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    values: [f64; TABLE.len()],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    Byte,
    Flag,
    Word,
    Float,
}

impl Stored {
    /// Bytes in the EEPROM.
    fn size(self) -> usize {
        match self {
            Self::Byte | Self::Flag => 1,
            Self::Word => 2,
            Self::Float => 4,
        }
    }
}

/// Number, default and form of every setting, in the order in which `$$` prints them.
const TABLE: [(u16, f64, Stored); 34] = [
    (0, 10.0, Stored::Byte),
    (1, 25.0, Stored::Byte),
    (2, 0.0, Stored::Byte),
    (3, 0.0, Stored::Byte),
    (4, 0.0, Stored::Flag),
    (5, 0.0, Stored::Flag),
    (6, 0.0, Stored::Flag),
    (10, 1.0, Stored::Byte),
    (11, 0.010, Stored::Float),
    (12, 0.002, Stored::Float),
    (13, 0.0, Stored::Flag),
    (20, 0.0, Stored::Flag),
    (21, 0.0, Stored::Flag),
    (22, 0.0, Stored::Flag),
    (23, 0.0, Stored::Byte),
    (24, 25.0, Stored::Float),
    (25, 500.0, Stored::Float),
    (26, 250.0, Stored::Word),
    (27, 1.0, Stored::Float),
    (30, 1000.0, Stored::Float),
    (31, 0.0, Stored::Float),
    (32, 0.0, Stored::Flag),
    (100, 250.0, Stored::Float),
    (101, 250.0, Stored::Float),
    (102, 250.0, Stored::Float),
    (110, 6000.0, Stored::Float),
    (111, 6000.0, Stored::Float),
    (112, 6000.0, Stored::Float),
    (120, 500.0, Stored::Float),
    (121, 500.0, Stored::Float),
    (122, 500.0, Stored::Float),
    (130, 800.0, Stored::Float),
    (131, 800.0, Stored::Float),
    (132, 800.0, Stored::Float),
];

/// Keeps divisions and square roots in range whatever a setting says.
const SMALLEST: f64 = 1e-3;

impl Settings {
    /// Factory settings of a machine built to `options`.
    pub(super) fn new(options: &Options) -> Self {
        let mut settings = Self {
            values: TABLE.map(|(_, default, _)| default),
        };
        for axis in 0..3 {
            settings.put(110 + axis, options.rate);
            settings.put(120 + axis, options.acceleration);
            settings.put(130 + axis, options.travel);
        }
        settings.put(
            10,
            if options.report_buffers.is_on() {
                3.0
            } else {
                1.0
            },
        );
        settings.put(22, f64::from(u8::from(options.homing.is_on())));
        let soft = options.homing.is_on() && options.soft_limits.is_on();
        settings.put(20, f64::from(u8::from(soft)));
        settings
    }

    fn put(&mut self, number: u16, value: f64) {
        if let Some(place) = index_of(number).and_then(|index| self.values.get_mut(index)) {
            *place = value;
        }
    }

    /// The value of a setting; 0 for a number that does not exist.
    pub(super) fn get(&self, number: u16) -> f64 {
        index_of(number)
            .and_then(|index| self.values.get(index))
            .copied()
            .unwrap_or(0.0)
    }

    pub(super) fn is_on(&self, number: u16) -> bool {
        self.get(number) != 0.0
    }

    /// `$10`, `$23` and other masks.
    pub(super) fn mask(&self, number: u16) -> u8 {
        self.get(number) as u8
    }

    /// Number and value of every setting.
    pub(super) fn all(&self) -> impl Iterator<Item = (u16, f64)> {
        TABLE
            .iter()
            .zip(self.values)
            .map(|((number, ..), value)| (*number, value))
    }

    /// One value for each axis from three settings in a row.
    pub(super) fn axes(&self, first: u16) -> [f64; 3] {
        [self.get(first), self.get(first + 1), self.get(first + 2)]
    }

    /// `$x=value`, checked as grbl checks it. Returns the EEPROM bytes that were written.
    pub(super) fn store(&mut self, number: u16, value: f64) -> Result<usize, Error> {
        if value < 0.0 {
            return Err(Error::NegativeValue);
        }
        let index = index_of(number).ok_or(Error::InvalidStatement)?;
        let Some((_, _, form)) = TABLE.get(index) else {
            return Err(Error::InvalidStatement);
        };
        if number == 0 && value < 3.0 {
            return Err(Error::StepPulseTooShort);
        }
        if number == 20 && value != 0.0 && !self.is_on(22) {
            return Err(Error::SoftLimitNeedsHoming);
        }
        let value = match form {
            Stored::Byte => f64::from(value.min(255.0).trunc() as u8),
            Stored::Flag => f64::from(u8::from(value.trunc() != 0.0)),
            Stored::Word => f64::from(value.min(65_535.0).trunc() as u16),
            Stored::Float => value,
        };
        let before = self.get(number);
        self.put(number, value);
        if number == 22 && value == 0.0 {
            // Soft limits make no sense on a machine that does not know where it is.
            self.put(20, 0.0);
        }
        Ok(changed_bytes(*form, before, value))
    }

    pub(super) fn print(&self, out: &mut String) {
        for ((number, _, form), value) in TABLE.iter().zip(self.values) {
            // Writing to a `String` cannot fail.
            let _ = match form {
                Stored::Float => write!(out, "${number}={value:.3}\r\n"),
                _ => write!(out, "${number}={value:.0}\r\n"),
            };
        }
    }

    /// What the axes can do, in mm and seconds.
    pub(super) fn limits(&self) -> Limits {
        let speed = self.axes(110).map(|rate| (rate / 60.0).max(SMALLEST));
        let acceleration = self.axes(120).map(|value| value.max(SMALLEST));
        Limits {
            max_speed: with_e(speed),
            acceleration: with_e(acceleration),
            junction_deviation: self.get(11),
        }
    }
}

/// A mill has no E; its part of every direction is zero.
fn with_e([x, y, z]: [f64; 3]) -> [f64; 4] {
    [x, y, z, f64::INFINITY]
}

fn index_of(number: u16) -> Option<usize> {
    TABLE.iter().position(|(known, _, _)| *known == number)
}

/// Bytes that differ in the EEPROM, and the checksum byte if any does: grbl writes no others.
fn changed_bytes(form: Stored, before: f64, after: f64) -> usize {
    let bytes = |value: f64| match form {
        Stored::Float => (value as f32).to_le_bytes(),
        _ => (value as u32).to_le_bytes(),
    };
    let (old, new) = (bytes(before), bytes(after));
    let changed = old
        .iter()
        .zip(new)
        .take(form.size())
        .filter(|(old, new)| **old != *new)
        .count();
    changed + usize::from(changed > 0)
}

/// EEPROM bytes that storing a coordinate system writes.
pub(super) fn coordinate_bytes(before: [f64; 3], after: [f64; 3]) -> usize {
    let changed: usize = before
        .iter()
        .zip(after)
        .map(|(old, new)| changed_bytes(Stored::Float, *old, new).saturating_sub(1))
        .sum();
    changed + usize::from(changed > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changed_bytes_cost_time() {
        // 1.0, 2.0 and 3.0 as floats differ from zero in two, one and two bytes; one checksum.
        assert_eq!(coordinate_bytes([0.0; 3], [1.0, 2.0, 3.0]), 6);
        assert_eq!(coordinate_bytes([1.0; 3], [1.0; 3]), 0);
        let mut settings = Settings::new(&Options::default());
        assert_eq!(settings.store(10, 3.0), Ok(2));
        assert_eq!(settings.store(10, 3.0), Ok(0));
    }

    #[test]
    fn settings_are_checked() {
        let cases = [
            (0, 2.0, Error::StepPulseTooShort),
            (20, 1.0, Error::SoftLimitNeedsHoming),
            (100, -1.0, Error::NegativeValue),
            (7, 1.0, Error::InvalidStatement),
            (133, 1.0, Error::InvalidStatement),
        ];
        for (number, value, error) in cases {
            let mut settings = Settings::new(&Options::default());
            assert_eq!(
                settings.store(number, value),
                Err(error),
                "${number}={value}"
            );
        }
    }
}
