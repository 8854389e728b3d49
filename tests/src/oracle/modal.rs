//! What is in force after any line of a program, told by the plainest interpreter there can be.
//!
//! It reads the lines as they stand in the file, splits them as strings, and follows the tables of the documents: RS-274 as grbl 1.1
//! has it ("Grbl v1.1 Commands") and Marlin's G-code index. Nothing of it comes from `gcode-parse`, `stream-core` or the simulator,
//! so that a misreading which those share shows here. It is slow and it allocates; that is its right.
//!
//! ```
//! use feedhold_tests::oracle::modal::{Firmware, Machine};
//!
//! let mut machine = Machine::new(Firmware::Grbl);
//! for line in ["G20 G91 F10 (inches)", "g1 x1 ; along", "M3 S8000"] {
//!     machine.read(line)?;
//! }
//! let fields = machine.fields();
//! assert_eq!(fields.number("x"), Some(25.4));
//! assert_eq!(fields.word("spindle"), Some("M3"));
//! # Ok::<(), feedhold_tests::oracle::modal::Refused>(())
//! ```

mod fields;
mod grbl;
mod marlin;
mod words;

use thiserror::Error;

pub use fields::{Difference, Fields, Value};

use grbl::Grbl;
use marlin::Marlin;

/// Whose rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// grbl 1.1.
    Grbl,
    /// Marlin 2.1.
    Marlin,
}

/// A machine that has read the lines of a program.
#[derive(Clone, Debug)]
pub struct Machine(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Grbl(Box<Grbl>),
    Marlin(Box<Marlin>),
}

/// A line that the firmware does not take, or of which this oracle cannot tell what it does.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{line}`: {why}")]
pub struct Refused {
    line: String,
    why: String,
}

impl Machine {
    /// After power-up: at the machine's zero, nothing shifted, nothing switched on.
    #[must_use]
    pub fn new(firmware: Firmware) -> Self {
        Self(match firmware {
            Firmware::Grbl => Kind::Grbl(Box::default()),
            Firmware::Marlin => Kind::Marlin(Box::default()),
        })
    }

    /// Reads one line of the file, comments and all.
    ///
    /// # Errors
    /// A line that the firmware answers with an error, or that is beyond this oracle. Nothing has changed then.
    pub fn read(&mut self, line: &str) -> Result<(), Refused> {
        let result = match &mut self.0 {
            Kind::Grbl(machine) => {
                let mut next = machine.clone();
                next.read(line).map(|()| *machine = next)
            }
            Kind::Marlin(machine) => machine.read(line),
        };
        result.map_err(|why| Refused {
            line: line.trim().to_owned(),
            why,
        })
    }

    /// Takes the place, the origins and the stored places of a machine over: the fields `x`, `g54 x`, `g28 x` and their like.
    pub fn stand(&mut self, fields: &Fields) {
        match &mut self.0 {
            Kind::Grbl(machine) => machine.stand(fields),
            Kind::Marlin(machine) => machine.stand(fields),
        }
    }

    /// Machine Z, mm.
    #[must_use]
    pub fn height(&self) -> f64 {
        match &self.0 {
            Kind::Grbl(machine) => machine.height(),
            Kind::Marlin(machine) => machine.height(),
        }
    }

    /// Machine Z of the zero that Z words count from, mm.
    #[must_use]
    pub fn shift_z(&self) -> f64 {
        match &self.0 {
            Kind::Grbl(machine) => machine.shift_z(),
            Kind::Marlin(machine) => machine.shift_z(),
        }
    }

    /// Everything in force, by name.
    #[must_use]
    pub fn fields(&self) -> Fields {
        match &self.0 {
            Kind::Grbl(machine) => machine.fields(),
            Kind::Marlin(machine) => machine.fields(),
        }
    }
}

#[cfg(test)]
mod tests;
