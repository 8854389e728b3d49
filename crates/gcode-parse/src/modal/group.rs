use core::fmt;

use super::{CoordinateSystem, MotionMode};
use crate::flavor::Flavor;
use crate::number::Code;

/// Codes of one group exclude each other: a block may hold one of each group.
///
/// As in RS-274/NGC (NIST 6556, table 4), with LinuxCNC's additions.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Group {
    /// Group 0: acts in its own block only.
    NonModal,
    /// Group 1.
    Motion,
    /// Group 2: G17 G18 G19.
    Plane,
    /// Group 3: G90 G91.
    Distance,
    /// Group 4: G90.1 G91.1.
    ArcDistance,
    /// Group 5: G93 G94 G95.
    FeedMode,
    /// Group 6: G20 G21.
    Units,
    /// Group 7: G40 to G42.1.
    CutterCompensation,
    /// Group 8: G43 to G49.
    ToolLength,
    /// Group 10: G98 G99.
    Retract,
    /// Group 12: G54 to G59.3.
    CoordinateSystem,
    /// Group 13: G61 G61.1 G64.
    PathMode,
    /// Group 14: G96 G97.
    SpindleMode,
    /// Group 15: G7 G8.
    Lathe,
    /// M group 4: M0 M1 M2 M30 M60.
    Stopping,
    /// M group 5: M62 to M68.
    InputOutput,
    /// M group 6: M6 M61.
    ToolChange,
    /// M group 7: M3 M4 M5 M19.
    Spindle,
    /// M group 8: M7 M8 M9. M7 and M8 may stand together.
    Coolant,
    /// M group 9: M48 to M53.
    Overrides,
    /// M70 to M73: the state saved and restored.
    SavedState,
    /// M98 M99: subprograms.
    SubProgram,
    /// M group 10: M100 to M199.
    User,
}

impl Group {
    /// The group of a G code; `None` when the flavor does not know the code.
    ///
    /// Marlin has no modal groups: every line is one command. Its codes outside of RS-274 are given as
    /// [`Group::NonModal`].
    #[must_use]
    pub fn of_g(flavor: Flavor, code: Code) -> Option<Self> {
        let group = Self::of_rs274_g(code);
        match flavor {
            Flavor::Grbl | Flavor::LinuxCnc => group,
            Flavor::Marlin if marlin_g(code) => Some(match (code.major, group) {
                (0..=3 | 5 | 17..=21 | 38 | 54..=59 | 80 | 90 | 91, Some(group)) => group,
                _ => Self::NonModal,
            }),
            Flavor::Marlin => None,
        }
    }

    fn of_rs274_g(code: Code) -> Option<Self> {
        if MotionMode::from_code(code).is_some() {
            return Some(Self::Motion);
        }
        if CoordinateSystem::from_code(code).is_some() {
            return Some(Self::CoordinateSystem);
        }
        Some(match (code.major, code.minor) {
            (4 | 10 | 52 | 53, 0) | (28 | 30, 0..=1) | (92, 0..=3) => Self::NonModal,
            (17..=19, 0..=1) => Self::Plane,
            (90 | 91, 0) => Self::Distance,
            (90 | 91, 1) => Self::ArcDistance,
            (93..=95, 0) => Self::FeedMode,
            (20 | 21, 0) => Self::Units,
            (40, 0) | (41 | 42, 0..=1) => Self::CutterCompensation,
            (43, 0..=2) | (49, 0) => Self::ToolLength,
            (98 | 99, 0) => Self::Retract,
            (61, 0..=1) | (64, 0) => Self::PathMode,
            (96 | 97, 0) => Self::SpindleMode,
            (7 | 8, 0) => Self::Lathe,
            _ => return None,
        })
    }

    /// The group of an M code; `None` when the flavor does not know the code.
    #[must_use]
    pub fn of_m(flavor: Flavor, code: Code) -> Option<Self> {
        let group = match (code.major, code.minor) {
            (0 | 1 | 2 | 30 | 60, 0) => Some(Self::Stopping),
            (62..=68, 0) => Some(Self::InputOutput),
            (6 | 61, 0) => Some(Self::ToolChange),
            (3 | 4 | 5 | 19, 0) => Some(Self::Spindle),
            (7..=9, 0) => Some(Self::Coolant),
            (48..=53 | 56, 0) => Some(Self::Overrides),
            (70..=73, 0) => Some(Self::SavedState),
            (98 | 99, 0) => Some(Self::SubProgram),
            (100..=199, 0) => Some(Self::User),
            _ => None,
        };
        match flavor {
            Flavor::Marlin => marlin_m(code).then(|| match code.major {
                0 | 1 | 3..=9 => group.unwrap_or(Self::NonModal),
                _ => Self::NonModal,
            }),
            Flavor::Grbl | Flavor::LinuxCnc => group,
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NonModal => "non-modal",
            Self::Motion => "motion",
            Self::Plane => "plane",
            Self::Distance => "distance",
            Self::ArcDistance => "arc distance",
            Self::FeedMode => "feed mode",
            Self::Units => "units",
            Self::CutterCompensation => "cutter compensation",
            Self::ToolLength => "tool length",
            Self::Retract => "retract",
            Self::CoordinateSystem => "coordinate system",
            Self::PathMode => "path mode",
            Self::SpindleMode => "spindle mode",
            Self::Lathe => "lathe",
            Self::Stopping => "stopping",
            Self::InputOutput => "input and output",
            Self::ToolChange => "tool change",
            Self::Spindle => "spindle",
            Self::Coolant => "coolant",
            Self::Overrides => "overrides",
            Self::SavedState => "saved state",
            Self::SubProgram => "subprogram",
            Self::User => "user-defined",
        })
    }
}

/// The G codes of Marlin 2.1's index, with Prusa's additions.
fn marlin_g(code: Code) -> bool {
    match code.minor {
        0 => matches!(
            code.major,
            0..=6 | 10..=12 | 17..=21 | 26..=35 | 42 | 53..=61 | 75 | 76 | 80 | 81 | 90..=92 | 425
        ),
        minor => matches!(
            (code.major, minor),
            (28 | 30, 1) | (38, 2..=5) | (59, 1..=3) | (92, 1..=9) | (80, 1..)
        ),
    }
}

/// The M codes of Marlin 2.1's index, with Prusa's and RepRapFirmware's that slicers write.
fn marlin_m(code: Code) -> bool {
    if code.minor != 0 {
        return matches!(
            code.major,
            115 | 569 | 862 | 900..=920 | 73 | 593 | 572 | 587 | 671
        );
    }
    matches!(
        code.major,
        0 | 1
            | 3..=12
            | 16..=39
            | 42..=44
            | 46
            | 48
            | 73
            | 75..=78
            | 80..=87
            | 92
            | 98..=129
            | 140..=145
            | 149..=155
            | 163..=166
            | 190..=193
            | 200..=226
            | 240..=261
            | 280..=309
            | 350..=364
            | 380..=382
            | 399..=430
            | 482..=513
            | 524
            | 540..=599
            | 600..=605
            | 665..=674
            | 700..=710
            | 808..=825
            | 851..=880
            | 900..=922
            | 928
            | 936
            | 951
            | 993..=1004
    )
}
