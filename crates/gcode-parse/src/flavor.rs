//! Which firmware's reading of the bytes applies.

use core::fmt;
use core::str::FromStr;

/// A family of firmwares that read the same bytes the same way.
///
/// | | `Grbl` | `Marlin` | `LinuxCnc` |
/// |---|---|---|---|
/// | comments | `(…)` and `;…` | `;…` | `(…)` and `;…` |
/// | blanks inside a number | joined | end it | joined |
/// | word without a number | fault | allowed (`G28 X`) | fault |
/// | `/` first on the line | block delete | stray byte | block delete |
/// | `$…` | a setting line | stray byte | stray byte |
/// | `*` | stray byte | checksum | stray byte |
/// | `#…`, `[…]`, `O…` | read, then reported | stray byte or word | parameters, expressions, O-words |
/// | free text after some codes | no | yes (`M117 Hello`) | no |
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flavor {
    /// grbl 1.1 and its descendants (grblHAL, FluidNC).
    Grbl,
    /// Marlin 2.x and other printer firmwares that speak its language.
    Marlin,
    /// RS-274/NGC in full as LinuxCNC reads it.
    LinuxCnc,
}

impl Flavor {
    /// Every flavor, in the order of declaration.
    pub const ALL: [Self; 3] = [Self::Grbl, Self::Marlin, Self::LinuxCnc];

    /// The name that [`FromStr`] takes back: `grbl`, `marlin` or `linuxcnc`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grbl => "grbl",
            Self::Marlin => "marlin",
            Self::LinuxCnc => "linuxcnc",
        }
    }
}

impl fmt::Display for Flavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text names no flavor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownFlavor;

impl fmt::Display for UnknownFlavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown flavor of G-code; write grbl, marlin or linuxcnc")
    }
}

impl core::error::Error for UnknownFlavor {}

impl FromStr for Flavor {
    type Err = UnknownFlavor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|flavor| flavor.name().eq_ignore_ascii_case(text))
            .ok_or(UnknownFlavor)
    }
}
