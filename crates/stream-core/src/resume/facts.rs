//! What a controller says of itself when a link comes up.

use crate::dialect::{AxisValues, Coordinates, Dialect, MachineState, StatusReport, Temperatures};

/// Work coordinate systems that every grbl keeps: G54 to G59.
pub const SYSTEMS: usize = 6;

/// Who a controller says it is. Two controllers with different identities are never taken for the same; two with the same may
/// still be two of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ControllerIdentity {
    /// Firmware and version in its own words: `1.1h.20190830`, `Marlin 2.1.2 (Sep  1 2023 12:00:00)`.
    pub firmware: String,
    /// What its owner wrote into it: the note of `$I=` on grbl, `MACHINE_TYPE` on Marlin. Usually the same on every board.
    pub note: String,
    /// Marlin's `UUID`, where one was set.
    pub uuid: Option<String>,
}

impl ControllerIdentity {
    /// What differs between two controllers, in words; `None` when nothing does.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let texts = |name, ours: &str, theirs: &str| {
            (ours != theirs).then(|| format!("{name} {theirs:?} instead of {ours:?}"))
        };
        texts("firmware", &self.firmware, &other.firmware)
            .or_else(|| texts("note", &self.note, &other.note))
            .or_else(|| {
                let uuid = |one: &Option<String>| one.clone().unwrap_or_default();
                texts("UUID", &uuid(&self.uuid), &uuid(&other.uuid))
            })
    }
}

/// What `$#` of grbl lists, in millimetres. A value is `None` when the controller did not name it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StoredOffsets {
    /// Machine positions of the origins of G54 to G59.
    pub systems: [Option<[f64; 3]>; SYSTEMS],
    /// What G92 has shifted.
    pub g92: Option<[f64; 3]>,
    /// Tool length offset along Z.
    pub tool_length: Option<f64>,
}

/// How the machine was set up when a job began. What the program does not change itself has to be the same when it goes on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Baseline {
    /// Offsets.
    pub offsets: StoredOffsets,
    /// The parser's words (`$G`); empty where the firmware tells none.
    pub words: String,
    /// Steps a millimetre of X, Y and Z.
    pub steps_per_mm: Option<[f64; 3]>,
    /// Machine position when the job began, in millimetres.
    pub position: Option<[f64; 3]>,
}

/// What a controller says of itself when a link comes up and [facts were wished for](crate::Streamer::wish_facts). It stood still
/// when it said so, and nothing was sent that moves.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// How it is spoken to.
    pub dialect: Dialect,
    /// It showed a start-up banner: position, offsets that are not stored, and modal state are gone.
    pub was_reset: bool,
    /// Who it is.
    pub identity: ControllerIdentity,
    /// Its state (grbl).
    pub state: Option<MachineState>,
    /// Machine position in millimetres and degrees (grbl), exact.
    pub machine_position: Option<Coordinates>,
    /// Machine position less work position, in the same units (grbl).
    pub work_offset: Option<Coordinates>,
    /// The words of the parser's state (grbl, `$G`).
    pub words: Option<String>,
    /// Offsets (grbl, `$#`).
    pub offsets: StoredOffsets,
    /// Steps a millimetre of X, Y and Z (grbl `$100` to `$102`).
    pub steps_per_mm: Option<[f64; 3]>,
    /// Whether the spindle is a laser (grbl `$32`), whose power changes without waiting for the planner.
    pub laser_mode: Option<bool>,
    /// It reports inches (grbl `$13`); everything here is converted.
    pub reports_inches: bool,
    /// Number of the last line that it accepted (Marlin).
    pub last_line: Option<u64>,
    /// Where the planner ends (Marlin `M114`), in logical millimetres. Behind `M400` the machine stands there.
    pub position: Option<AxisValues>,
    /// Where the motors stand (Marlin `M114 R`), where the build can say it.
    pub real_position: Option<AxisValues>,
    /// Temperatures (Marlin).
    pub temperatures: Option<Temperatures>,
}

impl Facts {
    /// Facts that say nothing yet.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            was_reset: false,
            identity: ControllerIdentity::default(),
            state: None,
            machine_position: None,
            work_offset: None,
            words: None,
            offsets: StoredOffsets::default(),
            steps_per_mm: None,
            laser_mode: None,
            reports_inches: false,
            last_line: None,
            position: None,
            real_position: None,
            temperatures: None,
        }
    }

    /// What a record keeps of them.
    #[must_use]
    pub fn baseline(&self) -> Baseline {
        Baseline {
            offsets: self.offsets,
            words: self.words.clone().unwrap_or_default(),
            steps_per_mm: self.steps_per_mm,
            position: self.xyz(),
        }
    }

    pub(crate) fn to_mm(&self, reported: Coordinates) -> Coordinates {
        if self.reports_inches {
            reported.to_mm_from_inches()
        } else {
            reported
        }
    }

    /// The machine position that a report tells, in mm: also one that tells the work position only (grbl `$10`).
    #[must_use]
    pub fn machine_position_in(&self, report: &StatusReport) -> Option<Coordinates> {
        if let Some(position) = report.machine_position {
            return Some(self.to_mm(position));
        }
        let offset = match report.work_offset {
            Some(offset) => self.to_mm(offset),
            None => self.work_offset.or_else(|| self.offset_in_force())?,
        };
        Some(self.to_mm(report.work_position?).plus(&offset))
    }

    /// The work offset by what `$G` and `$#` tell; a report tells it only now and then.
    fn offset_in_force(&self) -> Option<Coordinates> {
        let mut words = self.words.as_deref()?.split_ascii_whitespace();
        let systems = ["G54", "G55", "G56", "G57", "G58", "G59"];
        let system = words.find_map(|word| systems.iter().position(|name| *name == word))?;
        let origin = self.offsets.systems[system]?;
        let (shift, length) = (self.offsets.g92?, self.offsets.tool_length?);
        Coordinates::new(&[
            origin[0] + shift[0],
            origin[1] + shift[1],
            origin[2] + shift[2] + length,
        ])
    }

    /// Where the machine stands on X, Y and Z: in machine coordinates on grbl, in logical ones on Marlin.
    #[must_use]
    pub fn xyz(&self) -> Option<[f64; 3]> {
        match self.dialect {
            Dialect::Grbl => self.machine_position?.xyz(),
            Dialect::Marlin => {
                let at = self.position?;
                Some([at.get(b'X')?, at.get(b'Y')?, at.get(b'Z')?])
            }
        }
    }
}
