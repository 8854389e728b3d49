/// What can be chosen about the grbl machine beyond what all machines share.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Options {
    /// Status reports carry `Bf:` (sets bit 1 of `$10`, off in a fresh grbl).
    pub(super) report_buffers: Switch,
    /// Built with line numbers: `Ln:` is reported and one planner block fewer is there.
    pub(super) line_numbers: Switch,
    /// `$22`: homing enabled, so that the machine is locked at power-up.
    pub(super) homing: Switch,
    /// `$20`: soft limits (take effect with homing only, as in grbl).
    pub(super) soft_limits: Switch,
    /// `$110`–`$112` in mm/min.
    pub(super) rate: f64,
    /// `$120`–`$122` in mm/s².
    pub(super) acceleration: f64,
    /// `$130`–`$132` in mm.
    pub(super) travel: f64,
    /// Machine Z at which the probe touches something.
    pub(super) probe_z: Option<f64>,
    /// Time the processor takes to parse and plan a line, in microseconds.
    pub(super) line_us: f64,
}

/// On or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Switch {
    #[default]
    Off,
    On,
}

impl Switch {
    pub(super) fn is_on(self) -> bool {
        self == Self::On
    }

    fn parse(value: &str) -> Result<Self, &'static str> {
        match value {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err("on or off"),
        }
    }
}

impl Default for Options {
    /// A hobby mill: 6 m/min, 500 mm/s², 800 mm of travel on each axis, no switches.
    fn default() -> Self {
        Self {
            report_buffers: Switch::Off,
            line_numbers: Switch::Off,
            homing: Switch::Off,
            soft_limits: Switch::Off,
            rate: 6000.0,
            acceleration: 500.0,
            travel: 800.0,
            probe_z: None,
            line_us: 0.0,
        }
    }
}

impl Options {
    /// Address parameters that this controller knows.
    pub(crate) const KEYS: &'static [&'static str] = &[
        "bf",
        "ln",
        "homing",
        "soft_limits",
        "rate",
        "accel",
        "travel",
        "probe_z",
        "line_us",
    ];

    /// Takes one address parameter: `Ok(false)` for a key that is not in `KEYS`, `Err` with what a
    /// value must look like.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<bool, &'static str> {
        match key {
            "bf" => self.report_buffers = Switch::parse(value)?,
            "ln" => self.line_numbers = Switch::parse(value)?,
            "homing" => self.homing = Switch::parse(value)?,
            "soft_limits" => self.soft_limits = Switch::parse(value)?,
            "rate" => self.rate = number(value, 1.0, 1e6, "mm/min, 1 to 1000000")?,
            "accel" => self.acceleration = number(value, 1.0, 1e6, "mm/s², 1 to 1000000")?,
            "travel" => self.travel = number(value, 1.0, 1e5, "mm, 1 to 100000")?,
            "probe_z" => {
                self.probe_z = Some(number(
                    value,
                    -1e5,
                    1e5,
                    "machine Z in mm, -100000 to 100000",
                )?);
            }
            "line_us" => self.line_us = number(value, 0.0, 1e6, "microseconds, 0 to 1000000")?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Usable planner blocks.
    pub(super) fn blocks(&self) -> usize {
        match self.line_numbers {
            Switch::On => 14,
            Switch::Off => 15,
        }
    }
}

fn number(value: &str, low: f64, high: f64, what: &'static str) -> Result<f64, &'static str> {
    value
        .parse()
        .ok()
        .filter(|number| (low..=high).contains(number))
        .ok_or(what)
}
