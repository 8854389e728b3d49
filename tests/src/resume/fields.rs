use feedhold::gcode_parse::{
    Axis, CoordinateSystem, CutterCompensation, Distance, FeedMode, Flavor, Interpreter, PathMode,
    Position, Reference, Spindle, ToolLength, Units,
};
use feedhold::stream_core::{dialect::Dialect, resume::Tracker};
use feedhold_simulator::{Held, Memory};

use crate::oracle::modal::{self, Fields, Firmware};

const NAMES: [&str; 3] = ["x", "y", "z"];

/// What the simulated machine remembers.
#[must_use]
pub fn of_machine(memory: &Memory) -> Fields {
    let mut fields = Fields::new();
    for (name, held) in memory.fields() {
        match held {
            Held::Word(word) => fields.set_word(name.to_owned(), word),
            Held::Number(number) => fields.set_number(name.to_owned(), number),
        }
    }
    fields
}

/// What the product has rebuilt: modes and place from its interpreter, and what else a printer was told from the lines that would say it
/// anew.
#[must_use]
pub fn of_product(tracker: &Tracker) -> Fields {
    let mut fields = of_interpreter(tracker.machine());
    if tracker.dialect() != Dialect::Marlin {
        return fields;
    }
    let mut plain = modal::Machine::new(Firmware::Marlin);
    for line in tracker.printer_lines() {
        if let Err(refused) = plain.read(&line) {
            fields.set_word(refused.to_string(), "not understood");
        }
    }
    for (name, value) in plain.fields().iter() {
        if fields.word(name).is_none() && fields.number(name).is_none() {
            fields.set(name.to_owned(), value.clone());
        }
    }
    fields
}

/// What the product's interpreter believes to be in force.
#[must_use]
pub fn of_interpreter(machine: &Interpreter) -> Fields {
    let state = machine.state();
    let mut fields = Fields::new();
    fields.set_word("motion", format!("G{}", state.motion.code()));
    let (first, ..) = state.plane.axes();
    fields.set_word(
        "plane",
        match first {
            Axis::X => "G17",
            Axis::Z => "G18",
            _ => "G19",
        },
    );
    fields.set_word(
        "units",
        match state.units {
            Units::Inch => "G20",
            Units::Millimetre => "G21",
        },
    );
    fields.set_word("distance", distance(state.distance, "G90", "G91"));
    fields.set_word(
        "spindle",
        match state.spindle {
            Spindle::Off => "M5",
            Spindle::Clockwise => "M3",
            Spindle::Counterclockwise => "M4",
        },
    );
    fields.set_number("speed", state.spindle_speed);
    fields.set_numbers("", NAMES, xyz(machine.position()));
    let work = [Axis::X, Axis::Y, Axis::Z].map(|axis| machine.axis_value(axis));
    fields.set_numbers("work", NAMES, work);
    match machine.flavor() {
        Flavor::Marlin => of_printer(machine, &mut fields),
        _ => of_mill(machine, &mut fields),
    }
    fields
}

fn of_mill(machine: &Interpreter, fields: &mut Fields) {
    let state = machine.state();
    fields.set_word(
        "arc distance",
        distance(state.arc_distance, "G90.1", "G91.1"),
    );
    fields.set_word(
        "path mode",
        match state.path_mode {
            PathMode::ExactPath => "G61",
            PathMode::ExactStop => "G61.1",
            PathMode::Continuous => "G64",
        },
    );
    fields.set_word(
        "cutter compensation",
        match state.cutter_compensation {
            CutterCompensation::Off => "G40",
            CutterCompensation::Left | CutterCompensation::DynamicLeft => "G41",
            CutterCompensation::Right | CutterCompensation::DynamicRight => "G42",
        },
    );
    fields.set_word(
        "feed mode",
        match state.feed_mode {
            FeedMode::InverseTime => "G93",
            FeedMode::PerMinute => "G94",
            FeedMode::PerRevolution => "G95",
        },
    );
    // In inverse time a feed holds for its own line alone.
    if state.feed_mode == FeedMode::PerMinute {
        fields.set_number("feed", state.feed);
    }
    fields.set_word(
        "coordinate system",
        format!("G{}", state.coordinate_system.code()),
    );
    fields.set_word("mist", if state.coolant.mist { "on" } else { "off" });
    fields.set_word("flood", if state.coolant.flood { "on" } else { "off" });
    if let Some(tool) = state.selected_tool {
        fields.set_number("tool", f64::from(tool));
    }
    fields.set_word(
        "tool length mode",
        match state.tool_length {
            ToolLength::Off => "G49",
            ToolLength::Dynamic => "G43.1",
            _ => "G43",
        },
    );
    fields.set_number("tool length", machine.tool_offset()[Axis::Z]);
    fields.set_numbers("g92", NAMES, xyz(machine.g92_offset()));
    let systems = ["g54", "g55", "g56", "g57", "g58", "g59"];
    for (name, system) in systems.into_iter().zip(CoordinateSystem::ALL) {
        fields.set_numbers(name, NAMES, xyz(machine.system_origin(system)));
    }
    fields.set_numbers("g28", NAMES, xyz(machine.reference(Reference::G28)));
    fields.set_numbers("g30", NAMES, xyz(machine.reference(Reference::G30)));
}

fn of_printer(machine: &Interpreter, fields: &mut Fields) {
    let state = machine.state();
    fields.set_word("extruder", distance(state.extrusion, "M82", "M83"));
    fields.set_word("retracted", if state.retracted { "in" } else { "out" });
    for (name, number) in [
        ("e", machine.axis_value(Axis::E)),
        ("feed", state.feed),
        ("feed percent", state.feed_percent),
        ("feed percent kept", state.feed_percent_kept),
        ("flow percent", state.flow_percent),
        ("tool", f64::from(state.tool.unwrap_or(0))),
        ("bed", state.bed_target),
        ("hotend 0", state.hotend_target),
        // The firmware takes whole numbers.
        ("fan 0", state.fan.trunc()),
    ] {
        fields.set_number(name, number);
    }
}

const fn distance(
    distance: Distance,
    absolute: &'static str,
    incremental: &'static str,
) -> &'static str {
    match distance {
        Distance::Absolute => absolute,
        Distance::Incremental => incremental,
    }
}

fn xyz(position: &Position) -> [f64; 3] {
    [Axis::X, Axis::Y, Axis::Z].map(|axis| position[axis])
}
