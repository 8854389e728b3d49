//! What stays in force from block to block, by modal group.

mod group;

use crate::flavor::Flavor;
use crate::motion::Axis;
use crate::number::Code;

pub use group::Group;

/// Everything that earlier blocks have set and later ones rely on.
///
/// Two states are `==` exactly when their bits are: no field ever holds NaN or -0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModalState {
    /// What a block with axis words alone does.
    pub motion: MotionMode,
    /// The plane of arcs and canned cycles.
    pub plane: Plane,
    /// Whether axis words are positions or steps.
    pub distance: Distance,
    /// Whether I J K are positions or steps.
    pub arc_distance: Distance,
    /// Whether E words are positions or steps (Marlin: M82, M83, and set by G90, G91 as well).
    pub extrusion: Distance,
    /// What F means.
    pub feed_mode: FeedMode,
    /// What lengths are written in.
    pub units: Units,
    /// Cutter radius compensation.
    pub cutter_compensation: CutterCompensation,
    /// Tool length offset.
    pub tool_length: ToolLength,
    /// The work coordinate system.
    pub coordinate_system: CoordinateSystem,
    /// How corners are taken.
    pub path_mode: PathMode,
    /// Where canned cycles return to.
    pub retract: Retract,
    /// What S means.
    pub spindle_mode: SpindleMode,
    /// Whether the spindle turns, and how.
    pub spindle: Spindle,
    /// What flows.
    pub coolant: Coolant,
    /// Whether the operator's overrides apply.
    pub overrides: Overrides,
    /// The tool that is in use.
    pub tool: Option<u32>,
    /// The tool that the next M6 takes.
    pub selected_tool: Option<u32>,
    /// F: mm/min in [`FeedMode::PerMinute`], moves/min in inverse time, mm/rev per revolution. 0: not set.
    pub feed: f64,
    /// S: rpm, or as `spindle_mode` says; Marlin: the value of M3 and M4. 0: not set.
    pub spindle_speed: f64,
    /// M106, 0 to 255 (Marlin).
    pub fan: f64,
    /// Target of the hot end in °C (Marlin M104, M109).
    pub hotend_target: f64,
    /// Target of the bed in °C (Marlin M140, M190).
    pub bed_target: f64,
    /// M220 in percent (Marlin).
    pub feed_percent: f64,
    /// M221 in percent (Marlin).
    pub flow_percent: f64,
    /// What `M220 B` has put aside for `M220 R`, in percent (Marlin).
    pub feed_percent_kept: f64,
    /// Filament is pulled back by G10 (Marlin).
    pub retracted: bool,
}

impl ModalState {
    /// The state after power-up, before any block.
    ///
    /// grbl and LinuxCNC start in `G0 G17 G21 G90 G94 G54`; LinuxCNC in G61 or G64 as configured, taken as
    /// G64. Marlin starts with 1500 mm/min.
    #[must_use]
    pub const fn new(flavor: Flavor) -> Self {
        let marlin = matches!(flavor, Flavor::Marlin);
        Self {
            motion: MotionMode::Rapid,
            plane: Plane::Xy,
            distance: Distance::Absolute,
            arc_distance: Distance::Incremental,
            extrusion: Distance::Absolute,
            feed_mode: FeedMode::PerMinute,
            units: Units::Millimetre,
            cutter_compensation: CutterCompensation::Off,
            tool_length: ToolLength::Off,
            coordinate_system: CoordinateSystem::G54,
            path_mode: if matches!(flavor, Flavor::LinuxCnc) {
                PathMode::Continuous
            } else {
                PathMode::ExactPath
            },
            retract: Retract::Initial,
            spindle_mode: SpindleMode::Rpm,
            spindle: Spindle::Off,
            coolant: Coolant {
                mist: false,
                flood: false,
            },
            overrides: Overrides::Enabled,
            tool: if marlin { Some(0) } else { None },
            selected_tool: None,
            feed: if marlin { 1500.0 } else { 0.0 },
            spindle_speed: 0.0,
            fan: 0.0,
            hotend_target: 0.0,
            bed_target: 0.0,
            feed_percent: 100.0,
            flow_percent: 100.0,
            feed_percent_kept: 100.0,
            retracted: false,
        }
    }

    /// Whether both states are the same to the last bit.
    #[must_use]
    pub fn same_bits(&self, other: &Self) -> bool {
        self == other && self.reals().map(f64::to_bits) == other.reals().map(f64::to_bits)
    }

    const fn reals(&self) -> [f64; 8] {
        [
            self.feed,
            self.spindle_speed,
            self.fan,
            self.hotend_target,
            self.bed_target,
            self.feed_percent,
            self.flow_percent,
            self.feed_percent_kept,
        ]
    }
}

/// Group 1 of the G codes.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MotionMode {
    /// G0.
    Rapid,
    /// G1.
    Linear,
    /// G2.
    ArcClockwise,
    /// G3.
    ArcCounterclockwise,
    /// G5, G5.1: splines. G5.2, G5.3: NURBS.
    Spline(Code),
    /// G33, G33.1, G76: in step with the spindle.
    Threading(Code),
    /// G38.2 to G38.5.
    Probe(Probe),
    /// G80: axis words alone are an error.
    Cancelled,
    /// G73 and G81 to G89.
    Canned(Code),
}

impl MotionMode {
    /// The mode that a code of group 1 sets.
    #[must_use]
    pub const fn from_code(code: Code) -> Option<Self> {
        Some(match (code.major, code.minor) {
            (0, 0) => Self::Rapid,
            (1, 0) => Self::Linear,
            (2, 0) => Self::ArcClockwise,
            (3, 0) => Self::ArcCounterclockwise,
            (5, 0..=3) => Self::Spline(code),
            (33, 0..=1) | (76, 0) => Self::Threading(code),
            (38, 2) => Self::Probe(Probe::TowardOrAlarm),
            (38, 3) => Self::Probe(Probe::Toward),
            (38, 4) => Self::Probe(Probe::AwayOrAlarm),
            (38, 5) => Self::Probe(Probe::Away),
            (73 | 81..=89, 0) => Self::Canned(code),
            (80, 0) => Self::Cancelled,
            _ => return None,
        })
    }

    /// The code that sets it.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Rapid => Code::new(0),
            Self::Linear => Code::new(1),
            Self::ArcClockwise => Code::new(2),
            Self::ArcCounterclockwise => Code::new(3),
            Self::Probe(Probe::TowardOrAlarm) => Code::tenths(38, 2),
            Self::Probe(Probe::Toward) => Code::tenths(38, 3),
            Self::Probe(Probe::AwayOrAlarm) => Code::tenths(38, 4),
            Self::Probe(Probe::Away) => Code::tenths(38, 5),
            Self::Cancelled => Code::new(80),
            Self::Spline(code) | Self::Threading(code) | Self::Canned(code) => code,
        }
    }
}

/// What a probing motion waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Probe {
    /// G38.2: contact, else an alarm.
    TowardOrAlarm,
    /// G38.3: contact.
    Toward,
    /// G38.4: loss of contact, else an alarm.
    AwayOrAlarm,
    /// G38.5: loss of contact.
    Away,
}

/// Group 2: the plane of arcs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plane {
    /// G17.
    Xy,
    /// G18.
    Zx,
    /// G19.
    Yz,
    /// G17.1.
    Uv,
    /// G18.1.
    Wu,
    /// G19.1.
    Vw,
}

impl Plane {
    /// First, second and third axis, right-handed.
    #[must_use]
    pub const fn axes(self) -> (Axis, Axis, Axis) {
        match self {
            Self::Xy => (Axis::X, Axis::Y, Axis::Z),
            Self::Zx => (Axis::Z, Axis::X, Axis::Y),
            Self::Yz => (Axis::Y, Axis::Z, Axis::X),
            Self::Uv => (Axis::U, Axis::V, Axis::W),
            Self::Wu => (Axis::W, Axis::U, Axis::V),
            Self::Vw => (Axis::V, Axis::W, Axis::U),
        }
    }

    /// The letters of the centre on the first and the second axis.
    #[must_use]
    pub const fn center_letters(self) -> (u8, u8) {
        match self {
            Self::Xy | Self::Uv => (b'I', b'J'),
            Self::Zx | Self::Wu => (b'K', b'I'),
            Self::Yz | Self::Vw => (b'J', b'K'),
        }
    }
}

/// Groups 3 and 4: what a coordinate counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distance {
    /// From the origin: G90, G90.1, M82.
    Absolute,
    /// From where the machine is: G91, G91.1, M83.
    Incremental,
}

/// Group 5: what F means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FeedMode {
    /// G93: how many such moves a minute.
    InverseTime,
    /// G94: length a minute.
    PerMinute,
    /// G95: length a turn of the spindle.
    PerRevolution,
}

/// Group 6: what lengths are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Units {
    /// G20.
    Inch,
    /// G21.
    Millimetre,
}

impl Units {
    /// Millimetres of one unit.
    #[must_use]
    pub const fn millimetres(self) -> f64 {
        match self {
            Self::Inch => 25.4,
            Self::Millimetre => 1.0,
        }
    }
}

/// Group 7: on which side of the path the tool runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CutterCompensation {
    /// G40.
    Off,
    /// G41.
    Left,
    /// G42.
    Right,
    /// G41.1.
    DynamicLeft,
    /// G42.1.
    DynamicRight,
}

/// Group 8: where the tool length comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ToolLength {
    /// G49.
    Off,
    /// G43: the tool table.
    Table,
    /// G43.1: the block itself.
    Dynamic,
    /// G43.2: the tool table, on top of what is in force.
    Additional,
}

/// Group 12: work coordinate systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "named by their codes: G59_1 is G59.1")]
pub enum CoordinateSystem {
    G54,
    G55,
    G56,
    G57,
    G58,
    G59,
    G59_1,
    G59_2,
    G59_3,
}

impl CoordinateSystem {
    /// All of them, in the order of `G10 L2 P1` to `P9`.
    pub const ALL: [Self; 9] = [
        Self::G54,
        Self::G55,
        Self::G56,
        Self::G57,
        Self::G58,
        Self::G59,
        Self::G59_1,
        Self::G59_2,
        Self::G59_3,
    ];

    /// The code that selects it.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::G59_1 => Code::tenths(59, 1),
            Self::G59_2 => Code::tenths(59, 2),
            Self::G59_3 => Code::tenths(59, 3),
            other => Code::new(54 + other as u16),
        }
    }

    /// The system that a code selects.
    #[must_use]
    pub fn from_code(code: Code) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.code() == code)
    }
}

/// Group 13: how the machine goes from one move to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PathMode {
    /// G61.
    ExactPath,
    /// G61.1.
    ExactStop,
    /// G64.
    Continuous,
}

/// Group 10: where canned cycles return to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retract {
    /// G98: where the axis was before.
    Initial,
    /// G99: the R of the cycle.
    Plane,
}

/// Group 14: what S means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpindleMode {
    /// G97: turns a minute.
    Rpm,
    /// G96: surface speed.
    SurfaceSpeed,
}

/// M group 7: the spindle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spindle {
    /// M5.
    Off,
    /// M3.
    Clockwise,
    /// M4.
    Counterclockwise,
}

/// M group 8: coolant. M7 and M8 may be on together; M9 ends both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Coolant {
    /// M7.
    pub mist: bool,
    /// M8.
    pub flood: bool,
}

/// M group 9: whether the operator's overrides apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overrides {
    /// M48.
    Enabled,
    /// M49.
    Disabled,
}
