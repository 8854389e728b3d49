//! Temperature lines: ` T:19.4 /0.00 B:21.0 /60.0 @:0 B@:127 W:9`.

use std::fmt;

use super::scan::{decimal, unsigned};

/// Most heaters one line may name.
const MAX_READINGS: usize = 12;

/// The readings of one temperature line.
#[derive(Clone, Copy, Debug)]
pub struct Temperatures {
    readings: [Reading; MAX_READINGS],
    len: u8,
    /// Set while `M109` or `M190` waits: how long the target must still be held.
    pub waiting: Option<Waiting>,
}

/// One heater or sensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Which one.
    pub heater: Heater,
    /// Measured, °C.
    pub current_celsius: f64,
    /// Wanted, °C; 0 is off, `None` for a bare sensor.
    pub target_celsius: Option<f64>,
}

/// A heater or temperature sensor.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heater {
    /// The active hotend (`T`).
    Active,
    /// Hotend by number (`T0`, `T1` …).
    Hotend(u8),
    /// Heated bed (`B`).
    Bed,
    /// Chamber (`C`).
    Chamber,
    /// Probe (`P`).
    Probe,
    /// Laser cooler (`L`).
    Cooler,
    /// Controller board (`M`).
    Board,
    /// Processor (`S`).
    Processor,
    /// The spare sensor of a hotend (`R`).
    Redundant,
    /// The line does not say which.
    Unknown,
}

/// The `W:` mark of a waiting heat-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// `W:?`: the target is not reached.
    ForTarget,
    /// `W:n`: reached; seconds it must still stay there.
    Settling(u16),
}

impl Temperatures {
    const EMPTY: Self = Self {
        readings: [Reading {
            heater: Heater::Unknown,
            current_celsius: 0.0,
            target_celsius: None,
        }; MAX_READINGS],
        len: 0,
        waiting: None,
    };

    /// The readings in the order they were printed.
    #[must_use]
    pub fn readings(&self) -> &[Reading] {
        self.readings
            .get(..usize::from(self.len))
            .unwrap_or_default()
    }

    /// The reading of one heater.
    #[must_use]
    pub fn get(&self, heater: Heater) -> Option<Reading> {
        self.readings()
            .iter()
            .copied()
            .find(|reading| reading.heater == heater)
    }

    /// Reads a temperature line. `None` if it is not one, or if a reading is garbled.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut all = Self::EMPTY;
        for word in super::scan::words(text) {
            if let Some(target) = word.strip_prefix('/') {
                all.set_target(decimal(target)?)?;
            } else if word.starts_with('(') && word.ends_with(')') {
                // A raw converter value, printed by some builds.
            } else {
                let (name, value) = word.split_once(':')?;
                all.item(name, value)?;
            }
        }
        (all.len > 0).then_some(all)
    }

    fn item(&mut self, name: &str, value: &str) -> Option<()> {
        if name.contains('@') || name == "E" {
            // Heater power (`@:64`, `B@:127`) and the extruder index of older waiting lines.
            decimal(value)?;
            return Some(());
        }
        if name == "W" {
            self.waiting = Some(if value == "?" {
                Waiting::ForTarget
            } else {
                Waiting::Settling(unsigned(value)?)
            });
            return Some(());
        }
        let heater = Heater::named(name)?;
        let (current, target) = match value.split_once('/') {
            Some((current, target)) => (current, Some(decimal(target)?)),
            None => (value, None),
        };
        let reading = Reading {
            heater,
            current_celsius: decimal(current)?,
            target_celsius: target,
        };
        *self.readings.get_mut(usize::from(self.len))? = reading;
        self.len += 1;
        Some(())
    }

    fn set_target(&mut self, target: f64) -> Option<()> {
        let last = usize::from(self.len).checked_sub(1)?;
        self.readings.get_mut(last)?.target_celsius = Some(target);
        Some(())
    }
}

impl PartialEq for Temperatures {
    fn eq(&self, other: &Self) -> bool {
        self.readings() == other.readings() && self.waiting == other.waiting
    }
}

impl Heater {
    /// Whether every answer about temperatures has a reading under this name or one like it:
    /// hotends and the bed. Single letters such as `C` also stand for other things.
    pub(super) fn is_common_name(name: &str) -> bool {
        matches!(
            Self::named(name),
            Some(Self::Active | Self::Hotend(_) | Self::Bed)
        )
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "T" => Self::Active,
            "B" => Self::Bed,
            "C" => Self::Chamber,
            "P" => Self::Probe,
            "L" => Self::Cooler,
            "M" => Self::Board,
            "S" => Self::Processor,
            "R" => Self::Redundant,
            _ => Self::Hotend(unsigned(name.strip_prefix('T')?)?),
        })
    }

    /// The heater a firmware message names: `Heater_ID: E0`, `0`, `bed`, `chamber` …
    pub(super) fn mentioned(text: &str) -> Self {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric());
        words
            .filter_map(Self::word)
            .next_back()
            .unwrap_or(Self::Unknown)
    }

    fn word(word: &str) -> Option<Self> {
        const NAMES: [(&str, Heater); 6] = [
            ("bed", Heater::Bed),
            ("chamber", Heater::Chamber),
            ("cooler", Heater::Cooler),
            ("probe", Heater::Probe),
            ("motherboard", Heater::Board),
            ("redundant", Heater::Redundant),
        ];
        let named = NAMES
            .iter()
            .find(|(name, _)| word.eq_ignore_ascii_case(name));
        if let Some((_, heater)) = named {
            return Some(*heater);
        }
        let number = word.strip_prefix(['E', 'T']).unwrap_or(word);
        unsigned(number).map(Self::Hotend)
    }
}

impl fmt::Display for Heater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active => f.write_str("active hotend"),
            Self::Hotend(number) => write!(f, "hotend {number}"),
            Self::Bed => f.write_str("bed"),
            Self::Chamber => f.write_str("chamber"),
            Self::Probe => f.write_str("probe"),
            Self::Cooler => f.write_str("cooler"),
            Self::Board => f.write_str("board"),
            Self::Processor => f.write_str("processor"),
            Self::Redundant => f.write_str("redundant sensor"),
            Self::Unknown => f.write_str("heater not named"),
        }
    }
}
