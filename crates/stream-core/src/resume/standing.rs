//! The machine as the controller tells it, for following a program from there.

use feedhold_gcode_parse::{
    AXES, Axis, Block, CoordinateSystem, Flavor, Interpreter, Position, ToolLength,
};

use super::{Facts, SYSTEMS};
use crate::dialect::Dialect;

/// Words of `$G` that tell how the last program ended, not what is in force.
const PROGRAM_FLOW: [&str; 4] = ["M0", "M1", "M2", "M30"];

/// What is in force and where the machine is: in machine coordinates on grbl, in logical ones on Marlin.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// Modal state, offsets and position.
    pub(crate) machine: Interpreter,
    /// Whether the position on each axis is known.
    pub(crate) known: [bool; AXES],
}

impl Standing {
    /// The machine as the controller says it is. `None` when it did not say all that is needed.
    pub(crate) fn of(facts: &Facts) -> Option<Self> {
        match facts.dialect {
            Dialect::Grbl => grbl(facts),
            Dialect::Marlin => marlin(facts),
        }
    }
}

fn grbl(facts: &Facts) -> Option<Standing> {
    let reported = facts.machine_position?;
    let mut position = Position::ORIGIN;
    let mut known = [false; AXES];
    for (axis, value) in Axis::ALL.into_iter().zip(reported.as_slice()) {
        position[axis] = *value;
        known[axis as usize] = true;
    }
    let mut machine = Interpreter::new(Flavor::Grbl);
    for (system, origin) in CoordinateSystem::ALL
        .into_iter()
        .zip(facts.offsets.systems.get(..SYSTEMS)?)
    {
        machine.set_system_origin(system, on_xyz((*origin)?));
    }
    machine.set_g92_offset(on_xyz(facts.offsets.g92?));
    let length = facts.offsets.tool_length?;
    machine.set_tool_offset(on_xyz([0.0, 0.0, length]));
    put_in_force(&mut machine, facts, length)?;
    machine.set_position(position);
    Some(Standing { machine, known })
}

/// Puts the words of `$G` in force. F and S stand there in the units of reports, whatever the units of the program.
fn put_in_force(machine: &mut Interpreter, facts: &Facts, length: f64) -> Option<()> {
    let words = facts.words.as_deref()?;
    let (mut modes, mut feed, mut speed) = (String::new(), 0.0, 0.0);
    for word in words.split_ascii_whitespace() {
        if let Some(value) = word.strip_prefix('F') {
            feed = value.parse().ok()?;
        } else if let Some(value) = word.strip_prefix('S') {
            speed = value.parse().ok()?;
        } else if !PROGRAM_FLOW.contains(&word) && !matches!(word, "G43.1" | "G49") {
            modes.push_str(word);
        }
    }
    machine.apply(&Block::parse(Flavor::Grbl, modes.as_bytes()));
    let mut state = *machine.state();
    state.feed = if facts.reports_inches {
        feed * 25.4
    } else {
        feed
    };
    state.spindle_speed = speed;
    state.tool_length = if length == 0.0 {
        ToolLength::Off
    } else {
        ToolLength::Dynamic
    };
    machine.set_state(state);
    Some(())
}

fn marlin(facts: &Facts) -> Option<Standing> {
    let reported = facts.position?;
    let mut position = Position::ORIGIN;
    let mut known = [false; AXES];
    for axis in Axis::ALL {
        if let Some(value) = reported.get(axis.letter()) {
            position[axis] = value;
            known[axis as usize] = true;
        }
    }
    let mut machine = Interpreter::new(Flavor::Marlin);
    machine.set_position(position);
    Some(Standing { machine, known })
}

fn on_xyz([x, y, z]: [f64; 3]) -> Position {
    let mut position = Position::ORIGIN;
    (position[Axis::X], position[Axis::Y], position[Axis::Z]) = (x, y, z);
    position
}
