//! The whole state of an interpreter as bytes, and back, to the last bit.
//!
//! The form, all numbers little endian:
//!
//! | bytes | content |
//! |---|---|
//! | 1 | version, now 1 |
//! | 2 | flavor; reading of lines with axis words alone |
//! | 3 | motion mode: the code that sets it, whole part (2) and tenths (1) |
//! | 16 | plane, distance, arc distance, extrusion, feed mode, units, cutter compensation, tool length, coordinate system, path mode, retract, spindle mode, spindle, coolant (mist 1, flood 2), overrides, retracted: each the number of its variant in the order of declaration |
//! | 10 | tool and selected tool: 1 and the number (4), or 0 and zeros |
//! | 1 + 8 each | the reals of the state that are not 0: a bit each for feed, spindle speed, fan, hot end, bed, feed percent, flow percent, feed percent put aside; then their bits |
//! | 15 × (2 + 8 each) | position, G92, stored G92, tool, references of G28 and G30, origins of G54 to G59.3: a bit for each axis that is not 0, in the order of [`Axis::ALL`]; then their bits |
//! | 4 | CRC-32 (IEEE 802.3) of all bytes before |
//!
//! A number is left out exactly when all its bits are 0, so there is one form for each state. The sum of the offsets is not
//! stored; it follows from the rest.

use core::{fmt, ops::Deref};

use super::{AxisOnlyLines, Interpreter};
use crate::flavor::Flavor;
use crate::modal::{
    Coolant, CoordinateSystem, CutterCompensation, Distance, FeedMode, ModalState, MotionMode,
    Overrides, PathMode, Plane, Retract, Spindle, SpindleMode, ToolLength, Units,
};
use crate::motion::{AXES, Position};
use crate::number::Code;

const VERSION: u8 = 1;
/// Positions that are stored.
const POSITIONS: usize = 6 + CoordinateSystem::ALL.len();
const REALS: usize = 8;
const CRC: usize = 4;

/// An [`Interpreter`] as bytes; a slice of at most [`MAX`](Self::MAX) bytes, a hundred or so for most programs.
#[derive(Clone)]
pub struct InterpreterBytes {
    bytes: [u8; Self::MAX],
    len: usize,
}

impl InterpreterBytes {
    /// The most bytes that a state takes.
    pub const MAX: usize = 3 + 3 + 16 + 10 + 1 + 8 * REALS + POSITIONS * (2 + 8 * AXES) + CRC;

    const fn new() -> Self {
        Self {
            bytes: [0; Self::MAX],
            len: 0,
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + bytes.len()) {
            room.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }

    /// The number of a variant. A variant that no table names gets a number that no reader takes.
    fn variant<T: PartialEq>(&mut self, all: &[T], value: &T) {
        let at = all.iter().position(|known| known == value);
        self.put(&[at.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)]);
    }

    fn count(&mut self, value: Option<u32>) {
        self.put(&[u8::from(value.is_some())]);
        self.put(&value.unwrap_or(0).to_le_bytes());
    }

    fn mask(values: &[f64]) -> u16 {
        let set = values.iter().enumerate();
        set.filter(|(_, value)| value.to_bits() != 0)
            .fold(0, |mask, (at, _)| mask | 1 << at)
    }

    fn reals(&mut self, values: &[f64]) {
        for value in values.iter().filter(|value| value.to_bits() != 0) {
            self.put(&value.to_bits().to_le_bytes());
        }
    }
}

impl Deref for InterpreterBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for InterpreterBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InterpreterBytes").field(&&**self).finish()
    }
}

/// Why bytes are no state of an interpreter.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BytesError {
    /// Another version of this crate wrote them.
    Version(u8),
    /// They are damaged, cut short or something else.
    Damaged,
}

impl fmt::Display for BytesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(found) => write!(
                f,
                "the state of the interpreter is in version {found}, and {VERSION} is read; interpret the program again"
            ),
            Self::Damaged => {
                f.write_str("the state of the interpreter is damaged; interpret the program again")
            }
        }
    }
}

impl core::error::Error for BytesError {}

impl Interpreter {
    /// The whole state as bytes, in the form that [`from_bytes`](Self::from_bytes) takes.
    ///
    /// ```
    /// use feedhold_gcode_parse::{Block, Flavor, Interpreter};
    ///
    /// let mut machine = Interpreter::new(Flavor::Grbl);
    /// machine.apply(&Block::parse(Flavor::Grbl, b"G20 G91 G1 X0.1 F7"));
    /// let bytes = machine.to_bytes();
    /// let again = Interpreter::from_bytes(&bytes).unwrap();
    /// assert!(again.same_bits(&machine));
    /// ```
    #[must_use]
    pub fn to_bytes(&self) -> InterpreterBytes {
        let mut out = InterpreterBytes::new();
        out.put(&[VERSION]);
        out.variant(&Flavor::ALL, &self.flavor);
        out.variant(&AXIS_ONLY, &self.axis_only);
        put_state(&mut out, &self.state);
        for position in self.stored() {
            out.put(&InterpreterBytes::mask(&position.0).to_le_bytes());
            out.reals(&position.0);
        }
        let crc = crc32(&out);
        out.put(&crc.to_le_bytes());
        out
    }

    /// The interpreter that [`to_bytes`](Self::to_bytes) was called on, to the last bit.
    ///
    /// # Errors
    ///
    /// [`BytesError`] for anything that `to_bytes` does not write: a damaged byte is never taken for a state.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BytesError> {
        let (body, crc) = bytes.split_last_chunk::<CRC>().ok_or(BytesError::Damaged)?;
        if crc32(body) != u32::from_le_bytes(*crc) {
            return Err(BytesError::Damaged);
        }
        match body.first() {
            Some(&VERSION) => {}
            Some(&other) => return Err(BytesError::Version(other)),
            None => return Err(BytesError::Damaged),
        }
        let mut rest = Bytes(body.get(1..).unwrap_or_default());
        let read = rest.interpreter().ok_or(BytesError::Damaged)?;
        if rest.0.is_empty() {
            Ok(read)
        } else {
            Err(BytesError::Damaged)
        }
    }

    fn stored(&self) -> impl Iterator<Item = &Position> {
        [&self.position, &self.g92, &self.g92_stored, &self.tool]
            .into_iter()
            .chain(&self.references)
            .chain(&self.systems)
    }

    fn stored_mut(&mut self) -> impl Iterator<Item = &mut Position> {
        [
            &mut self.position,
            &mut self.g92,
            &mut self.g92_stored,
            &mut self.tool,
        ]
        .into_iter()
        .chain(&mut self.references)
        .chain(&mut self.systems)
    }
}

fn put_state(out: &mut InterpreterBytes, state: &ModalState) {
    let Code { major, minor } = state.motion.code();
    out.put(&major.to_le_bytes());
    out.put(&[minor]);
    out.variant(&PLANES, &state.plane);
    out.variant(&DISTANCES, &state.distance);
    out.variant(&DISTANCES, &state.arc_distance);
    out.variant(&DISTANCES, &state.extrusion);
    out.variant(&FEED_MODES, &state.feed_mode);
    out.variant(&UNITS, &state.units);
    out.variant(&COMPENSATIONS, &state.cutter_compensation);
    out.variant(&TOOL_LENGTHS, &state.tool_length);
    out.variant(&CoordinateSystem::ALL, &state.coordinate_system);
    out.variant(&PATH_MODES, &state.path_mode);
    out.variant(&RETRACTS, &state.retract);
    out.variant(&SPINDLE_MODES, &state.spindle_mode);
    out.variant(&SPINDLES, &state.spindle);
    out.variant(&COOLANTS, &state.coolant);
    out.variant(&OVERRIDES, &state.overrides);
    out.put(&[u8::from(state.retracted)]);
    out.count(state.tool);
    out.count(state.selected_tool);
    let reals = reals(state);
    out.put(&InterpreterBytes::mask(&reals).to_le_bytes()[..1]);
    out.reals(&reals);
}

const fn reals(state: &ModalState) -> [f64; REALS] {
    [
        state.feed,
        state.spindle_speed,
        state.fan,
        state.hotend_target,
        state.bed_target,
        state.feed_percent,
        state.flow_percent,
        state.feed_percent_kept,
    ]
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn variant<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        let [number] = self.take()?;
        all.get(usize::from(number)).copied()
    }

    fn count(&mut self) -> Option<Option<u32>> {
        let [known] = self.take()?;
        let value = u32::from_le_bytes(self.take()?);
        match (known, value) {
            (0, 0) => Some(None),
            (1, value) => Some(Some(value)),
            _ => None,
        }
    }

    /// Fills in the values whose bit is set; each must be finite and not all zeros.
    fn reals(&mut self, mask: u16, values: &mut [f64]) -> Option<()> {
        if u32::from(mask) >> values.len() != 0 {
            return None;
        }
        for (at, value) in values.iter_mut().enumerate() {
            *value = 0.0;
            if mask >> at & 1 == 1 {
                *value = f64::from_bits(u64::from_le_bytes(self.take()?));
                if !value.is_finite() || value.to_bits() == 0 {
                    return None;
                }
            }
        }
        Some(())
    }

    fn interpreter(&mut self) -> Option<Interpreter> {
        let flavor = self.variant(&Flavor::ALL)?;
        let axis_only = self.variant(&AXIS_ONLY)?;
        let mut read = Interpreter::new(flavor).with_axis_only_lines(axis_only);
        read.state = self.state()?;
        for position in read.stored_mut() {
            let mask = u16::from_le_bytes(self.take()?);
            self.reals(mask, &mut position.0)?;
        }
        read.refresh_offset();
        Some(read)
    }

    fn state(&mut self) -> Option<ModalState> {
        let [low, high, minor] = self.take()?;
        let major = u16::from_le_bytes([low, high]);
        let mut state = ModalState {
            motion: MotionMode::from_code(Code { major, minor })?,
            plane: self.variant(&PLANES)?,
            distance: self.variant(&DISTANCES)?,
            arc_distance: self.variant(&DISTANCES)?,
            extrusion: self.variant(&DISTANCES)?,
            feed_mode: self.variant(&FEED_MODES)?,
            units: self.variant(&UNITS)?,
            cutter_compensation: self.variant(&COMPENSATIONS)?,
            tool_length: self.variant(&TOOL_LENGTHS)?,
            coordinate_system: self.variant(&CoordinateSystem::ALL)?,
            path_mode: self.variant(&PATH_MODES)?,
            retract: self.variant(&RETRACTS)?,
            spindle_mode: self.variant(&SPINDLE_MODES)?,
            spindle: self.variant(&SPINDLES)?,
            coolant: self.variant(&COOLANTS)?,
            overrides: self.variant(&OVERRIDES)?,
            retracted: self.variant(&[false, true])?,
            tool: self.count()?,
            selected_tool: self.count()?,
            feed: 0.0,
            spindle_speed: 0.0,
            fan: 0.0,
            hotend_target: 0.0,
            bed_target: 0.0,
            feed_percent: 0.0,
            flow_percent: 0.0,
            feed_percent_kept: 0.0,
        };
        let [mask] = self.take()?;
        let mut values = [0.0; REALS];
        self.reals(u16::from(mask), &mut values)?;
        [
            state.feed,
            state.spindle_speed,
            state.fan,
            state.hotend_target,
            state.bed_target,
            state.feed_percent,
            state.flow_percent,
            state.feed_percent_kept,
        ] = values;
        Some(state)
    }
}

const AXIS_ONLY: [AxisOnlyLines; 2] = [AxisOnlyLines::Unknown, AxisOnlyLines::RepeatMotion];
const PLANES: [Plane; 6] = [
    Plane::Xy,
    Plane::Zx,
    Plane::Yz,
    Plane::Uv,
    Plane::Wu,
    Plane::Vw,
];
const DISTANCES: [Distance; 2] = [Distance::Absolute, Distance::Incremental];
const FEED_MODES: [FeedMode; 3] = [
    FeedMode::InverseTime,
    FeedMode::PerMinute,
    FeedMode::PerRevolution,
];
const UNITS: [Units; 2] = [Units::Inch, Units::Millimetre];
const COMPENSATIONS: [CutterCompensation; 5] = [
    CutterCompensation::Off,
    CutterCompensation::Left,
    CutterCompensation::Right,
    CutterCompensation::DynamicLeft,
    CutterCompensation::DynamicRight,
];
const TOOL_LENGTHS: [ToolLength; 4] = [
    ToolLength::Off,
    ToolLength::Table,
    ToolLength::Dynamic,
    ToolLength::Additional,
];
const PATH_MODES: [PathMode; 3] = [
    PathMode::ExactPath,
    PathMode::ExactStop,
    PathMode::Continuous,
];
const RETRACTS: [Retract; 2] = [Retract::Initial, Retract::Plane];
const SPINDLE_MODES: [SpindleMode; 2] = [SpindleMode::Rpm, SpindleMode::SurfaceSpeed];
const SPINDLES: [Spindle; 3] = [Spindle::Off, Spindle::Clockwise, Spindle::Counterclockwise];
const COOLANTS: [Coolant; 4] = [
    coolant(false, false),
    coolant(true, false),
    coolant(false, true),
    coolant(true, true),
];
const OVERRIDES: [Overrides; 2] = [Overrides::Enabled, Overrides::Disabled];

const fn coolant(mist: bool, flood: bool) -> Coolant {
    Coolant { mist, flood }
}

/// The CRC of Ethernet and zip: finds every burst of up to 32 damaged bits.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        CRC_TABLE[usize::from(crc as u8 ^ byte)] ^ crc >> 8
    })
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0xEDB8_8320
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn the_crc_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn the_fullest_state_fits() {
        let mut machine = Interpreter::new(Flavor::LinuxCnc);
        for position in machine.stored_mut() {
            *position = Position([0.1; AXES]);
        }
        machine.refresh_offset();
        machine.state.tool = Some(u32::MAX);
        machine.state.selected_tool = Some(0);
        machine.state.feed = 1.0;
        machine.state.spindle_speed = 2.0;
        machine.state.fan = 3.0;
        machine.state.hotend_target = 4.0;
        machine.state.bed_target = 5.0;
        let bytes = machine.to_bytes();
        assert_eq!(bytes.len(), InterpreterBytes::MAX);
        let read = Interpreter::from_bytes(&bytes).expect("just written");
        assert!(read.same_bits(&machine));
    }

    /// The form of version 1, so that a change of it cannot go unnoticed.
    #[test]
    fn the_bytes_of_version_1_are_these() {
        let mut machine = Interpreter::new(Flavor::Grbl);
        let line = b"G20 G91 G18 G83 G55 M4 S9000 M8 T7 M6";
        machine.apply(&crate::Block::parse(Flavor::Grbl, line));
        machine.set_g92_offset(Position([
            1.5, 0.0, -2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
        ]));
        let mut want = Vec::new();
        want.extend([1, 0, 0, 83, 0, 0]);
        want.extend([1, 1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 2, 0, 0]);
        want.extend([1, 7, 0, 0, 0, 1, 7, 0, 0, 0]);
        want.push(0b1110_0010);
        want.extend(
            [9000.0_f64, 100.0, 100.0, 100.0]
                .into_iter()
                .flat_map(f64::to_le_bytes),
        );
        want.extend([0, 0, 0b101, 0]);
        want.extend([1.5_f64, -2.0].into_iter().flat_map(f64::to_le_bytes));
        want.extend([0; 13 * 2]);
        want.extend(crc32(&want).to_le_bytes());
        assert_eq!(*machine.to_bytes(), *want);
    }

    #[test]
    fn another_version_is_named() {
        let mut bytes = Interpreter::new(Flavor::Marlin).to_bytes();
        let body = bytes.len - CRC;
        bytes.bytes[0] = 2;
        let crc = crc32(&bytes.bytes[..body]).to_le_bytes();
        bytes.bytes[body..body + CRC].copy_from_slice(&crc);
        let error = Interpreter::from_bytes(&bytes).expect_err("version 2");
        assert_eq!(error, BytesError::Version(2));
        assert!(std::string::ToString::to_string(&error).contains("version 2"));
    }
}
