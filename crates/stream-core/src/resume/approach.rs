//! The way back to the part.
//!
//! Up first, over the place, spindle and coolant on with time to spin up, down at feed, and only then the modes of the program: an
//! approach that sets the modes first moves by steps in programs that do.

mod check;
mod mill;
mod print;
mod steps;

use super::{Ahead, Refusal, Step, Tracker};
use crate::{dialect::Dialect, resume::RangeError};

pub(super) use steps::number;

/// Above the highest point of the program, mm.
const CLEARANCE_MM: f64 = 2.0;
/// Longest way that a setting of an approach may ask for, mm.
const MOST_MM: f64 = 1000.0;

/// How the machine is to be brought back to its place.
///
/// The defaults suit a mill or a printer that has lost its modal state and has been homed; nothing is primed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Approach {
    footing: Footing,
    tool: Tool,
    tool_table: ToolTable,
    homing: Homing,
    safe_z_machine: Option<f64>,
    clearance_mm: f64,
    prime_mm: f64,
}

/// What the controller still knows of what the program has set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Footing {
    /// It was switched off or reset since: offsets of G92, tool lengths, babysteps and modes are gone; what it keeps in its EEPROM
    /// is there, and the operator has homed it and set its zero as it was.
    #[default]
    Lost,
    /// It was never reset: offsets hold, and setting them again would shift them.
    Kept,
}

/// What cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tool {
    /// A spindle, which has to turn before it touches anything.
    #[default]
    Spindle,
    /// A beam, which has to be off until the program needs it.
    Laser,
}

/// Whether the controller has a table of tool lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ToolTable {
    /// grbl and FluidNC.
    #[default]
    Absent,
    /// grblHAL.
    Present,
}

/// What a printer homes on its way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Homing {
    /// Nothing: it has been homed, or was never lost.
    #[default]
    Nothing,
    /// X and Y. Z never: the part is in the way. The nozzle is taken to stand at the height of the place.
    XandY,
}

impl Approach {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            footing: Footing::Lost,
            tool: Tool::Spindle,
            tool_table: ToolTable::Absent,
            homing: Homing::Nothing,
            safe_z_machine: None,
            clearance_mm: CLEARANCE_MM,
            prime_mm: 0.0,
        }
    }

    /// What the controller still knows. Default: [`Footing::Lost`].
    #[must_use]
    pub const fn footing(mut self, footing: Footing) -> Self {
        self.footing = footing;
        self
    }

    /// What cuts. Default: [`Tool::Spindle`].
    #[must_use]
    pub const fn tool(mut self, tool: Tool) -> Self {
        self.tool = tool;
        self
    }

    /// Whether the controller has a tool table. Default: [`ToolTable::Absent`].
    #[must_use]
    pub const fn tool_table(mut self, table: ToolTable) -> Self {
        self.tool_table = table;
        self
    }

    /// What a printer homes. Default: [`Homing::Nothing`].
    #[must_use]
    pub const fn homing(mut self, homing: Homing) -> Self {
        self.homing = homing;
        self
    }

    /// A height in machine coordinates at which nothing is in the way, −1000 to 1000 mm. Default: the highest that the program goes
    /// to by G53; without one, the highest point of the program and the clearance.
    ///
    /// # Errors
    /// [`RangeError`].
    pub fn safe_z_machine(mut self, z: f64) -> Result<Self, RangeError> {
        if !(-MOST_MM..=MOST_MM).contains(&z) {
            return Err(RangeError::new("the safe height", -MOST_MM, MOST_MM));
        }
        self.safe_z_machine = Some(z);
        Ok(self)
    }

    /// How far above the highest point of the program a mill travels, 0 to 1000 mm. Default: 2. More may run into the upper limit of
    /// the machine.
    ///
    /// # Errors
    /// [`RangeError`].
    pub fn clearance_mm(mut self, clearance: f64) -> Result<Self, RangeError> {
        if !(0.0..=MOST_MM).contains(&clearance) {
            return Err(RangeError::new("the clearance", 0.0, MOST_MM));
        }
        self.clearance_mm = clearance;
        Ok(self)
    }

    /// Filament that a printer pushes out beside the part before it goes on, 0 to 200 mm. Default: 0, none.
    ///
    /// # Errors
    /// [`RangeError`].
    pub fn prime_mm(mut self, prime: f64) -> Result<Self, RangeError> {
        const MOST_PRIME_MM: f64 = 200.0;
        if !(0.0..=MOST_PRIME_MM).contains(&prime) {
            return Err(RangeError::new("priming", 0.0, MOST_PRIME_MM));
        }
        self.prime_mm = prime;
        Ok(self)
    }
}

impl Default for Approach {
    fn default() -> Self {
        Self::new()
    }
}

/// Plans the approach, or says what stands against it.
pub(super) fn plan(at: &Tracker, ahead: &Ahead, way: &Approach) -> Result<Vec<Step>, Refusal> {
    check::restorable(at, ahead, way)?;
    Ok(match at.dialect() {
        Dialect::Marlin => print::approach(at, way),
        Dialect::Grbl => mill::approach(at, ahead, way),
    })
}
