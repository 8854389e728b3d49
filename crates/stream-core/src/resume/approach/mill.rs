//! Mills and lasers that speak grbl.

use feedhold_gcode_parse::{
    Axis, CoordinateSystem, Distance, FeedMode, ModalState, MotionMode, Overrides, PathMode, Plane,
    Retract, Spindle, ToolLength, Units,
};

use super::{
    Approach, Tool,
    steps::{Steps, number, word},
};
use crate::resume::{Ahead, Placed, Step, Tracker, tracker::AXES};

/// Feed of a plunge when the program has set none or a higher one, mm/min.
const PLUNGE_FEED: f64 = 100.0;
/// Time for a spindle to come up to speed, seconds.
const SPIN_UP_S: u32 = 3;

/// Where the approach travels.
#[derive(Clone, Copy, PartialEq)]
enum Up {
    /// The height that Z has: the program has never moved it.
    AsItIs,
    /// In work coordinates.
    Work(f64),
    /// In machine coordinates.
    Machine(f64),
    /// A stored position.
    Stored,
}

pub(super) fn approach(at: &Tracker, ahead: &Ahead, way: &Approach) -> Vec<Step> {
    let mut steps = Steps::new(at, way);
    let state = at.machine().state();
    if way.tool == Tool::Laser {
        steps.add("M5", "the beam is off until the program needs it");
    }
    steps.add(
        "G21 G90 G94 G17",
        "mm, absolute, so that the approach means what it says",
    );
    tool(&mut steps, state);
    let top = ahead
        .highest_z
        .map(|top| steps.work(Axis::Z, top) + way.clearance_mm);
    let up = rise(&mut steps, top);
    over(&mut steps);
    match way.tool {
        Tool::Spindle => spindle_and_coolant(&mut steps, state),
        Tool::Laser => coolant(&mut steps, state),
    }
    down(&mut steps, up, top);
    steps.shifts();
    modes(&mut steps, state);
    if way.tool == Tool::Laser {
        spindle(&mut steps, state, "the beam, as the program has it");
    }
    steps.done()
}

fn tool(steps: &mut Steps<'_>, state: &ModalState) {
    match (state.tool, state.selected_tool) {
        (Some(tool), selected) => {
            let purpose = format!("tool {tool} has to be in the spindle");
            steps.add(format!("T{}", selected.unwrap_or(tool)), purpose);
        }
        (None, Some(selected)) => steps.add(format!("T{selected}"), "the tool of the program"),
        (None, None) => {}
    }
    if !steps.at.places().sets_tool_length() {
        return;
    }
    match state.tool_length {
        ToolLength::Dynamic => {
            let length = steps.at.machine().tool_offset()[Axis::Z];
            steps.add(
                format!("G43.1{}", word(Axis::Z, length)),
                "the tool's length",
            );
        }
        ToolLength::Table => {
            let number = state.tool.or(state.selected_tool);
            let line = match steps.at.places().table_entry().or(number) {
                Some(number) => format!("G43 H{number}"),
                None => "G43".to_owned(),
            };
            steps.add(line, "the tool's length, from the controller's table");
        }
        _ => steps.add("G49", "no tool length"),
    }
}

/// Up, out of the way of everything.
fn rise(steps: &mut Steps<'_>, top: Option<f64>) -> Up {
    let by_program = steps.at.heights().machine();
    let safe = steps.way.safe_z_machine.or(by_program);
    let placed = steps.at.placed(Axis::Z);
    match (placed, safe, top) {
        (Placed::Never | Placed::BySteps | Placed::Home, ..) => Up::AsItIs,
        (_, Some(safe), _) => {
            let purpose = if steps.way.safe_z_machine.is_some() {
                "up to the safe height, in machine coordinates"
            } else {
                "up to the highest machine coordinate that the program uses"
            };
            steps.add(format!("G53 G0{}", word(Axis::Z, safe)), purpose);
            Up::Machine(safe)
        }
        (Placed::G28, ..) => stored(steps, "G28", " Z0"),
        (Placed::G30, ..) => stored(steps, "G30", " Z0"),
        (_, None, Some(top)) => {
            steps.select(steps.at.places().system(Axis::Z));
            steps.add(
                format!("G0{}", word(Axis::Z, top)),
                "up, above the highest point of the whole program",
            );
            Up::Work(top)
        }
        (_, None, None) => Up::AsItIs,
    }
}

fn stored(steps: &mut Steps<'_>, code: &str, axes: &str) -> Up {
    steps.add(
        format!("G91 {code}{axes}"),
        "to the stored position, as the program did",
    );
    steps.add("G90", "absolute again");
    Up::Stored
}

/// Over the place, with all axes but Z.
fn over(steps: &mut Steps<'_>) {
    let axes = |steps: &Steps<'_>, placed| {
        AXES.into_iter()
            .filter(move |axis| *axis != Axis::Z && steps.at.placed(*axis) == placed)
            .collect::<Vec<_>>()
    };
    for system in steps.systems() {
        let words: String = axes(steps, Placed::At)
            .into_iter()
            .filter(|axis| steps.at.places().system(*axis) == system)
            .map(|axis| word(axis, steps.reading(axis)))
            .collect();
        go(steps, system, &words);
    }
    let words: String = axes(steps, Placed::Machine)
        .into_iter()
        .map(|axis| word(axis, steps.at.machine().position()[axis]))
        .collect();
    if !words.is_empty() {
        steps.add(
            format!("G53 G0{words}"),
            "over the place, in machine coordinates",
        );
    }
    for (placed, code) in [(Placed::G28, "G28"), (Placed::G30, "G30")] {
        let words: String = axes(steps, placed)
            .into_iter()
            .map(|axis| format!(" {axis}0"))
            .collect();
        if !words.is_empty() {
            stored(steps, code, &words);
        }
    }
}

fn go(steps: &mut Steps<'_>, system: CoordinateSystem, words: &str) {
    if !words.is_empty() {
        steps.select(system);
        steps.add(format!("G0{words}"), "over the place");
    }
}

fn spindle_and_coolant(steps: &mut Steps<'_>, state: &ModalState) {
    spindle(steps, state, "the spindle");
    coolant(steps, state);
    if state.spindle != Spindle::Off {
        steps.add(format!("G4 P{SPIN_UP_S}"), "time to come up to speed");
    }
}

fn spindle(steps: &mut Steps<'_>, state: &ModalState, purpose: &str) {
    let code = match state.spindle {
        Spindle::Off => "M5",
        Spindle::Clockwise => "M3",
        Spindle::Counterclockwise => "M4",
    };
    let speed = number(state.spindle_speed);
    match state.spindle {
        Spindle::Off if state.spindle_speed == 0.0 => steps.add(code, "nothing turns"),
        _ => steps.add(format!("{code} S{speed}"), purpose),
    }
}

fn coolant(steps: &mut Steps<'_>, state: &ModalState) {
    if !(state.coolant.mist || state.coolant.flood) {
        steps.add("M9", "no coolant");
    }
    if state.coolant.mist {
        steps.add("M7", "mist");
    }
    if state.coolant.flood {
        steps.add("M8", "flood");
    }
}

/// Down to the place: through the air as fast as it goes, and the rest at feed.
fn down(steps: &mut Steps<'_>, up: Up, top: Option<f64>) {
    let at = steps.at;
    let state = at.machine().state();
    let programmed =
        (state.feed_mode == FeedMode::PerMinute && state.feed > 0.0).then_some(state.feed);
    let feed = programmed.unwrap_or(PLUNGE_FEED).min(PLUNGE_FEED);
    let mut in_force = None;
    match (at.placed(Axis::Z), up) {
        (Placed::At, _) => {
            steps.select(at.places().system(Axis::Z));
            let z = steps.reading(Axis::Z);
            let air = top.filter(|_| !matches!(up, Up::Work(_)));
            if let Some(top) = air.filter(|top| *top > z) {
                steps.add(
                    format!("G0{}", word(Axis::Z, top)),
                    "down to above the part",
                );
            }
            if steps.way.tool == Tool::Laser {
                steps.add(
                    format!("G0{}", word(Axis::Z, z)),
                    "to the height of the place",
                );
            } else {
                let line = format!("G1{} F{}", word(Axis::Z, z), number(feed));
                steps.add(line, "down at feed");
                in_force = Some(feed);
            }
        }
        (Placed::Machine, Up::Machine(safe)) => {
            let z = at.machine().position()[Axis::Z];
            if z != safe {
                let line = format!("G53 G1{} F{}", word(Axis::Z, z), number(feed));
                steps.add(line, "down at feed, in machine coordinates");
                in_force = Some(feed);
            }
        }
        (Placed::G28, Up::Machine(_)) => {
            stored(steps, "G28", " Z0");
        }
        (Placed::G30, Up::Machine(_)) => {
            stored(steps, "G30", " Z0");
        }
        _ => {}
    }
    if let Some(programmed) = programmed.filter(|feed| in_force != Some(*feed)) {
        steps.add(
            format!("G1 F{}", number(programmed)),
            "the feed of the program",
        );
    }
}

/// Puts the modes of the program in force again, where they differ from those of the approach.
fn modes(steps: &mut Steps<'_>, state: &ModalState) {
    steps.select(state.coordinate_system);
    let mut mode = |differs, line: &str, purpose: &str| {
        if differs {
            steps.add(line, purpose);
        }
    };
    let of_the_program = |what: &str| format!("the {what} of the program");
    mode(state.plane == Plane::Zx, "G18", &of_the_program("plane"));
    mode(state.plane == Plane::Yz, "G19", &of_the_program("plane"));
    mode(
        state.arc_distance == Distance::Absolute,
        "G90.1",
        "centres of arcs are absolute in the program",
    );
    mode(
        state.path_mode == PathMode::ExactStop,
        "G61.1",
        &of_the_program("path mode"),
    );
    mode(
        state.path_mode == PathMode::Continuous,
        "G64",
        &of_the_program("path mode"),
    );
    mode(
        state.retract == Retract::Plane,
        "G99",
        &of_the_program("retract mode"),
    );
    mode(
        state.overrides == Overrides::Disabled,
        "M49",
        "the program has switched overrides off",
    );
    mode(
        state.units == Units::Inch,
        "G20",
        "the program is in inches",
    );
    mode(
        state.distance == Distance::Incremental,
        "G91",
        "the program moves by steps",
    );
    let motion = match state.motion {
        MotionMode::Rapid => "G0",
        MotionMode::Cancelled => "G80",
        // grbl takes no G1 without a feed; the program has to name one of its own before it cuts.
        _ if state.feed == 0.0 || state.feed_mode != FeedMode::PerMinute => "G1 F100",
        _ => "G1",
    };
    let leaves = !matches!(
        state.motion,
        MotionMode::Rapid | MotionMode::Linear | MotionMode::Cancelled
    );
    steps.add(
        motion,
        if leaves {
            "in place of the motion mode of the program, which the next motion names itself"
        } else {
            "the motion mode of the program"
        },
    );
    if state.feed_mode == FeedMode::InverseTime {
        steps.add("G93", "the program uses inverse time");
    }
}
