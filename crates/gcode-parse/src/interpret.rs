//! What blocks do: modal state, offsets, position and motion, carried from block to block.

mod bytes;
mod codes;
mod marlin;
mod offsets;
mod path;
mod reading;
mod rs274;

use core::fmt;

pub use bytes::{BytesError, InterpreterBytes};

use crate::block::Block;
use crate::diagnostic::{Findings, Reason};
use crate::flavor::Flavor;
use crate::modal::{CoordinateSystem, ModalState};
use crate::motion::{AXES, Axis, Motion, Position};

/// Reads blocks one after the other and knows where the machine is after each.
///
/// Everything is computed in `f64` from the source digits, in one fixed order, with functions that give the
/// same bits everywhere: two programs that say the same thing end in [`same_bits`](Self::same_bits), and
/// a packed program is proved equal to its source that way.
///
/// A block is never refused. What a code does not do here, or a block says wrongly, is a finding of its
/// [`Effect`]; the other words count. Firmwares differ in this: grbl drops the whole line.
///
/// * **Block delete** lines are applied; a caller that drops them does not call [`apply`](Self::apply).
/// * **Axis words alone** repeat the motion in force in `Grbl` and `LinuxCnc`. Marlin knows no such line
///   unless it was built with `GCODE_MOTION_MODES`: [`AxisOnlyLines`].
/// * **Parameters, expressions and O-words** are not computed; a motion that needs one is left out.
///
/// ```
/// use feedhold_gcode_parse::{Axis, Block, Flavor, Interpreter};
///
/// let mut machine = Interpreter::new(Flavor::Grbl);
/// machine.apply(&Block::parse(Flavor::Grbl, b"G91 G1 X3 F600"));
/// let effect = machine.apply(&Block::parse(Flavor::Grbl, b"Y4 X0"));
/// assert_eq!(effect.motion.unwrap().length(), 4.0);
/// assert_eq!(machine.position()[Axis::X], 3.0);
/// ```
#[derive(Clone, Debug)]
pub struct Interpreter {
    flavor: Flavor,
    axis_only: AxisOnlyLines,
    state: ModalState,
    position: Position,
    /// Machine position of the origin of each coordinate system.
    systems: [Position; CoordinateSystem::ALL.len()],
    g92: Position,
    /// What G92 has set last: G92.2 leaves it alone, G92.3 puts it back in force.
    g92_stored: Position,
    tool: Position,
    references: [Position; 2],
    /// Sum of the offsets in force, kept so that a motion adds one number an axis.
    offset: Position,
}

/// What one block did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// Where it moved the machine.
    pub motion: Option<Motion>,
    /// How long it waits, in seconds.
    pub dwell_s: Option<f64>,
    /// Where the program stops when this block is reached.
    pub stop: Option<Stop>,
    /// The tool that it takes: the number that M6 finds selected, or Marlin's T.
    pub tool_change: Option<u32>,
    /// What is wrong or doubtful.
    pub findings: Findings,
}

impl Effect {
    const fn none() -> Self {
        Self {
            motion: None,
            dwell_s: None,
            stop: None,
            tool_change: None,
            findings: Findings::new(),
        }
    }
}

/// Why a program stops.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stop {
    /// M0.
    Pause,
    /// M1.
    OptionalPause,
    /// M2.
    End,
    /// M30.
    EndRewind,
    /// M60.
    PalletChange,
    /// M6.
    ToolChange,
    /// M600 (Marlin).
    FilamentChange,
    /// M112 (Marlin).
    Emergency,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pause => "pause (M0)",
            Self::OptionalPause => "optional pause (M1)",
            Self::End => "end (M2)",
            Self::EndRewind => "end (M30)",
            Self::PalletChange => "pallet change (M60)",
            Self::ToolChange => "tool change (M6)",
            Self::FilamentChange => "filament change (M600)",
            Self::Emergency => "emergency stop (M112)",
        })
    }
}

/// What Marlin does with a line that begins with an axis word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AxisOnlyLines {
    /// "Unknown command": the default build.
    #[default]
    Unknown,
    /// Repeats the last G0 to G3: built with `GCODE_MOTION_MODES`.
    RepeatMotion,
}

/// The two stored positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// G28 goes there, G28.1 sets it.
    G28,
    /// G30 goes there, G30.1 sets it.
    G30,
}

impl Interpreter {
    /// A machine after power-up, at the origin, all offsets 0.
    #[must_use]
    pub const fn new(flavor: Flavor) -> Self {
        Self {
            flavor,
            axis_only: AxisOnlyLines::Unknown,
            state: ModalState::new(flavor),
            position: Position::ORIGIN,
            systems: [Position::ORIGIN; CoordinateSystem::ALL.len()],
            g92: Position::ORIGIN,
            g92_stored: Position::ORIGIN,
            tool: Position::ORIGIN,
            references: [Position::ORIGIN; 2],
            offset: Position::ORIGIN,
        }
    }

    /// The same with another reading of lines that begin with an axis word; only Marlin asks.
    #[must_use]
    pub const fn with_axis_only_lines(mut self, axis_only: AxisOnlyLines) -> Self {
        self.axis_only = axis_only;
        self
    }

    /// The flavor whose rules apply.
    #[must_use]
    pub const fn flavor(&self) -> Flavor {
        self.flavor
    }

    /// What is in force.
    #[must_use]
    pub const fn state(&self) -> &ModalState {
        &self.state
    }

    /// Where the machine is, in machine coordinates.
    #[must_use]
    pub const fn position(&self) -> &Position {
        &self.position
    }

    /// Where it is on one axis in the coordinates that a program would use now, in mm or degrees.
    #[must_use]
    pub fn axis_value(&self, axis: Axis) -> f64 {
        self.position[axis] - self.offset[axis]
    }

    /// The sum of all offsets in force: machine position minus work position.
    #[must_use]
    pub const fn offset(&self) -> &Position {
        &self.offset
    }

    /// Machine position of the origin of a coordinate system.
    #[must_use]
    pub fn system_origin(&self, system: CoordinateSystem) -> &Position {
        &self.systems[system as usize]
    }

    /// What G92 has set.
    #[must_use]
    pub const fn g92_offset(&self) -> &Position {
        &self.g92
    }

    /// What G43.1 has set.
    #[must_use]
    pub const fn tool_offset(&self) -> &Position {
        &self.tool
    }

    /// Where G28 or G30 goes.
    #[must_use]
    pub fn reference(&self, reference: Reference) -> &Position {
        &self.references[reference as usize]
    }

    /// Puts the machine where it reports to be.
    pub fn set_position(&mut self, position: Position) {
        self.position = clean(position);
    }

    /// Puts something else in force: what the controller reports.
    pub fn set_state(&mut self, state: ModalState) {
        self.state = state;
        self.refresh_offset();
    }

    /// Sets the origin of a coordinate system to what the controller reports.
    pub fn set_system_origin(&mut self, system: CoordinateSystem, origin: Position) {
        self.systems[system as usize] = clean(origin);
        self.refresh_offset();
    }

    /// Sets the G92 offset to what the controller reports.
    pub fn set_g92_offset(&mut self, offset: Position) {
        self.g92 = clean(offset);
        self.refresh_offset();
    }

    /// Sets the tool offset to what the controller reports.
    pub fn set_tool_offset(&mut self, offset: Position) {
        self.tool = clean(offset);
        self.refresh_offset();
    }

    /// Sets where G28 or G30 goes.
    pub fn set_reference(&mut self, reference: Reference, position: Position) {
        self.references[reference as usize] = clean(position);
    }

    /// Does what the block says.
    ///
    /// The block should have been parsed in the interpreter's own flavor.
    pub fn apply(&mut self, block: &Block<'_>) -> Effect {
        let mut effect = Effect::none();
        for fault in block.faults() {
            effect
                .findings
                .push(fault.column, Reason::Fault(fault.kind));
        }
        match self.flavor {
            Flavor::Marlin => self.apply_marlin(block, &mut effect),
            Flavor::Grbl | Flavor::LinuxCnc => self.apply_rs274(block, &mut effect),
        }
        effect
    }

    /// Whether both are the same to the last bit: state, position and every offset.
    #[must_use]
    pub fn same_bits(&self, other: &Self) -> bool {
        self.flavor == other.flavor
            && self.axis_only == other.axis_only
            && self.state.same_bits(&other.state)
            && self
                .positions()
                .zip(other.positions())
                .all(|(a, b)| a.same_bits(b))
    }

    fn positions(&self) -> impl Iterator<Item = &Position> {
        [
            &self.position,
            &self.g92,
            &self.g92_stored,
            &self.tool,
            &self.offset,
        ]
        .into_iter()
        .chain(&self.references)
        .chain(&self.systems)
    }

    /// After any change of an offset or of the coordinate system.
    fn refresh_offset(&mut self) {
        let system = &self.systems[self.state.coordinate_system as usize];
        for axis in Axis::ALL {
            self.offset[axis] = system[axis] + self.g92[axis] + self.tool[axis];
        }
    }

    fn select_system(&mut self, system: CoordinateSystem) {
        self.state.coordinate_system = system;
        self.refresh_offset();
    }
}

/// Adding 0 turns -0 into 0, so that equal positions have equal bits; what is no number becomes 0.
fn clean(position: Position) -> Position {
    let mut values = [0.0; AXES];
    for (to, from) in values.iter_mut().zip(position.0) {
        *to = if from.is_finite() { from + 0.0 } else { 0.0 };
    }
    Position(values)
}
