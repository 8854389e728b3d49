use std::time::Duration;

use super::{Config, ControllerKind, MotionModel, OnOpen, Pace};
use crate::log::LogMode;
use crate::{grbl, marlin};

/// Parameters that every controller knows.
const COMMON: &[&str] = &[
    "controller",
    "speed",
    "baud",
    "latency_ms",
    "rx",
    "seed",
    "motion",
    "log",
    "dtr",
    "fault",
];

/// An address parameter that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No controller of this name.
    #[error("there is no simulated controller `{name}`; choose grbl, marlin or null")]
    Controller {
        /// The name asked for.
        name: String,
    },
    /// No parameter of this name.
    #[error("the simulated {controller} has no parameter `{key}`; it knows {known}")]
    Key {
        /// The controller asked for.
        controller: &'static str,
        /// The parameter's name.
        key: String,
        /// All valid names.
        known: String,
    },
    /// A parameter's value is out of range or malformed.
    #[error("parameter {key}={value}: expected {expected}")]
    Value {
        /// The parameter's name.
        key: String,
        /// Its value.
        value: String,
        /// What would be right.
        expected: String,
    },
}

impl ControllerKind {
    /// The name in addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Grbl => "grbl",
            Self::Marlin => "marlin",
            Self::Null => "null",
        }
    }

    /// The controller of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Grbl, Self::Marlin, Self::Null]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    /// The parameters of this controller beyond the common ones.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Grbl => grbl::Options::KEYS,
            Self::Marlin => marlin::Options::KEYS,
            Self::Null => &[],
        }
    }
}

impl Config {
    /// Builds a configuration from key and value pairs.
    ///
    /// | key | value | default |
    /// |---|---|---|
    /// | `controller` | `grbl`, `marlin`, `null` | `grbl` |
    /// | `speed` | virtual seconds a second, or `max` | 1 |
    /// | `baud` | 300 to 10000000, or `unlimited` | `unlimited` |
    /// | `latency_ms` | 0 to 10000, each way | 0 |
    /// | `rx` | receive buffer in bytes, 16 to 65536 | the firmware's |
    /// | `seed` | any whole number | 0 |
    /// | `motion` | `planned`, `instant` | `planned` |
    /// | `log` | `off`, `digest`, `keep` (the newest million), or a number of entries | `digest` |
    /// | `dtr` | `on`: opening the port restarts the board; `off` | `off` |
    /// | `fault` | see [`FaultPlan`](crate::FaultPlan) | none |
    ///
    /// Each controller adds parameters of its own; an unknown one is answered with the whole list.
    ///
    /// # Errors
    /// [`ConfigError`] names the parameter and what it should be.
    pub fn from_params<'a>(
        params: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ConfigError> {
        let params: Vec<(&str, &str)> = params.into_iter().collect();
        let name = params
            .iter()
            .rfind(|(key, _)| *key == "controller")
            .map_or("grbl", |p| p.1);
        let kind = ControllerKind::from_name(name).ok_or_else(|| ConfigError::Controller {
            name: name.to_owned(),
        })?;
        let mut config = Self::new(kind);
        for (key, value) in params {
            config.set(key, value)?;
        }
        Ok(config)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), ConfigError> {
        let bad = |expected: String| ConfigError::Value {
            key: key.to_owned(),
            value: value.to_owned(),
            expected,
        };
        if COMMON.contains(&key) {
            return self.set_common(key, value).map_err(bad);
        }
        let taken = match self.controller {
            ControllerKind::Grbl => self.grbl.set(key, value),
            ControllerKind::Marlin => self.marlin.set(key, value),
            ControllerKind::Null => Ok(false),
        };
        match taken {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.unknown(key)),
            Err(expected) => Err(bad(expected.to_owned())),
        }
    }

    fn set_common(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "speed" => self.pace = pace(value)?,
            "baud" if value == "unlimited" => self.baud = None,
            "baud" => {
                self.baud = Some(within(
                    value,
                    300,
                    10_000_000,
                    "a baud rate or `unlimited`",
                )?);
            }
            "latency_ms" => {
                let ms: f64 = value
                    .parse()
                    .map_err(|_| "milliseconds, 0 to 10000".to_owned())?;
                if !(0.0..=10_000.0).contains(&ms) {
                    return Err("milliseconds, 0 to 10000".to_owned());
                }
                self.latency = Duration::from_secs_f64(ms / 1000.0);
            }
            "rx" => self.rx = Some(within(value, 16, 65_536, "bytes")?),
            "seed" => self.seed = value.parse().map_err(|_| "a whole number".to_owned())?,
            "motion" => {
                self.motion = match value {
                    "planned" => MotionModel::Planned,
                    "instant" => MotionModel::Instant,
                    _ => return Err("planned or instant".to_owned()),
                }
            }
            "log" => {
                self.log = match value {
                    "off" => LogMode::Off,
                    "digest" => LogMode::Digest,
                    "keep" => LogMode::Keep { limit: 1_000_000 },
                    number => LogMode::Keep {
                        limit: within(number, 1, 100_000_000, "off, digest, keep or a number")?,
                    },
                }
            }
            "dtr" => {
                self.on_open = match value {
                    "on" => OnOpen::Reset,
                    "off" => OnOpen::Keep,
                    _ => return Err("on or off".to_owned()),
                }
            }
            "fault" => {
                self.faults = value
                    .parse()
                    .map_err(|e: crate::ParseFaultError| e.to_string())?;
            }
            _ => {}
        }
        Ok(())
    }

    fn unknown(&self, key: &str) -> ConfigError {
        let known = [COMMON, self.controller.keys()].concat().join(", ");
        ConfigError::Key {
            controller: self.controller.name(),
            key: key.to_owned(),
            known,
        }
    }
}

fn pace(value: &str) -> Result<Pace, String> {
    if value == "max" {
        return Ok(Pace::Max);
    }
    match value.parse::<f64>() {
        Ok(factor) if (0.001..=1e6).contains(&factor) => Ok(Pace::Realtime(factor)),
        _ => Err("a factor between 0.001 and 1000000, or `max`".to_owned()),
    }
}

/// A whole number between `low` and `high`.
fn within<T>(value: &str, low: T, high: T, what: &str) -> Result<T, String>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    match value.parse::<T>() {
        Ok(number) if number >= low && number <= high => Ok(number),
        _ => Err(format!("{what}, {low} to {high}")),
    }
}
