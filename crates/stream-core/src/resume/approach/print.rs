//! Printers that speak Marlin.

use feedhold_gcode_parse::{Axis, CoordinateSystem, Distance, ModalState, Plane, Spindle, Units};

use super::{
    Approach, Footing, Homing, Tool,
    steps::{Steps, number, word},
};
use crate::resume::{
    Placed, Step, Tracker,
    tracker::{AXES, HeaterKind},
};

/// How far a printer lifts its nozzle above its print, mm.
const LIFT_MM: f64 = 5.0;
/// Feed of a printer's lift, mm/min.
const LIFT_FEED: f64 = 600.0;
/// Feed of a printer's way to the place, mm/min.
const TRAVEL_FEED: f64 = 3000.0;
/// Feed of the filament while it is primed, mm/min.
const PRIME_FEED: f64 = 300.0;
/// How far beside the print the nozzle is primed, mm.
const BESIDE_MM: f64 = 5.0;
/// Time for a spindle to come up to speed, seconds.
const SPIN_UP_S: u32 = 3;

pub(super) fn approach(at: &Tracker, way: &Approach) -> Vec<Step> {
    let mut steps = Steps::new(at, way);
    let state = at.machine().state();
    heat(&mut steps, state);
    steps.add("G21", "mm");
    steps.add("G90", "absolute");
    if state.coordinate_system != CoordinateSystem::G54 {
        steps.select(state.coordinate_system);
    }
    if way.homing == Homing::XandY {
        home(&mut steps);
    }
    let lifted = lift(&mut steps);
    if let Some(tool) = state.tool.filter(|tool| *tool > 0) {
        steps.add(format!("T{tool}"), "the tool of the program");
    }
    prime(&mut steps);
    over(&mut steps);
    if way.tool == Tool::Spindle {
        spindle(&mut steps, state);
    }
    if lifted {
        let line = format!(
            "G1{} F{}",
            word(Axis::Z, steps.reading(Axis::Z)),
            number(LIFT_FEED)
        );
        steps.add(line, "down at feed");
    }
    steps.shifts();
    let filament = at.machine().axis_value(Axis::E);
    steps.add(
        format!("G92{}", word(Axis::E, filament)),
        "the filament is where the program left it",
    );
    in_force(&mut steps, state);
    modes(&mut steps, state);
    if way.tool == Tool::Laser {
        beam(&mut steps, state);
    }
    steps.done()
}

/// Heat first: a nozzle that waits over its place while it heats leaves a blob there.
fn heat(steps: &mut Steps<'_>, state: &ModalState) {
    let heaters = steps.at.printer().heaters();
    let several = heaters
        .iter()
        .any(|(kind, number, _)| *kind == HeaterKind::Hotend && *number != 0);
    let words = |number: u32, target: &str| {
        if several {
            format!("T{number} S{target}")
        } else {
            format!("S{target}")
        }
    };
    for (kind, number, target) in &heaters {
        match kind {
            HeaterKind::Bed => steps.add(format!("M140 S{target}"), "warm the bed"),
            HeaterKind::Chamber => steps.add(format!("M141 S{target}"), "warm the chamber"),
            HeaterKind::Hotend => steps.add(
                format!("M104 {}", words(*number, target)),
                "heat the nozzle",
            ),
        }
    }
    for (kind, number, target) in &heaters {
        match kind {
            HeaterKind::Bed => steps.add(format!("M190 S{target}"), "wait for the bed"),
            HeaterKind::Chamber => steps.add(format!("M191 S{target}"), "wait for the chamber"),
            HeaterKind::Hotend => steps.add(
                format!("M109 {}", words(*number, target)),
                "wait for the nozzle",
            ),
        }
    }
    if let Some(tool) = state.tool.filter(|_| several) {
        let is_on = |(kind, number, _): &(HeaterKind, u32, &str)| {
            *kind == HeaterKind::Hotend && *number == tool
        };
        if !heaters.iter().any(is_on) {
            steps.add(
                format!("M104 T{tool} S0"),
                "this nozzle is cold in the program",
            );
        }
    }
}

/// X and Y find their ends; Z stays above the part.
fn home(steps: &mut Steps<'_>) {
    if steps.at.placed(Axis::Z) == Placed::At {
        let z = steps.reading(Axis::Z);
        steps.add(
            format!("G92{}", word(Axis::Z, z)),
            "the nozzle is taken to stand at the height of the place",
        );
        steps.add("G91", "by steps");
        steps.add(
            format!("G0 Z{} F{}", number(LIFT_MM), number(LIFT_FEED)),
            "up from the print",
        );
        steps.add("G90", "absolute again");
    }
    steps.add("G28 X Y", "home X and Y; never Z, the part is in the way");
}

/// Above everything printed so far.
fn lift(steps: &mut Steps<'_>) -> bool {
    if steps.at.placed(Axis::Z) != Placed::At {
        return false;
    }
    let here = steps.reading(Axis::Z);
    let highest = steps
        .at
        .highest_z()
        .map_or(here, |tip| steps.work(Axis::Z, tip).max(here));
    steps.add(
        format!(
            "G0{} F{}",
            word(Axis::Z, highest + LIFT_MM),
            number(LIFT_FEED)
        ),
        "up from the print",
    );
    true
}

fn prime(steps: &mut Steps<'_>) {
    if steps.way.prime_mm <= 0.0 {
        return;
    }
    if let Some((least, most)) = steps.at.heights().cut_x() {
        let beside = steps.work(Axis::X, least) - BESIDE_MM;
        let beside = if beside >= 0.0 {
            beside
        } else {
            steps.work(Axis::X, most) + BESIDE_MM
        };
        steps.add(
            format!("G0{} F{}", word(Axis::X, beside), number(TRAVEL_FEED)),
            "beside the print",
        );
    }
    steps.add("M83", "the filament by steps");
    steps.add(
        format!("G1 E{} F{}", number(steps.way.prime_mm), number(PRIME_FEED)),
        "fill the nozzle; wipe off what comes out",
    );
}

fn over(steps: &mut Steps<'_>) {
    let words: String = AXES
        .into_iter()
        .filter(|axis| *axis != Axis::Z && steps.at.placed(*axis) == Placed::At)
        .map(|axis| word(axis, steps.reading(axis)))
        .collect();
    if !words.is_empty() {
        let line = format!("G0{words} F{}", number(TRAVEL_FEED));
        steps.add(line, "over the place");
    }
}

/// Fans, overrides, limits.
fn in_force(steps: &mut Steps<'_>, state: &ModalState) {
    let printer = steps.at.printer();
    let mut fans = 0;
    for (fan, speed) in printer.fans() {
        fans += 1;
        let line = match fan {
            0 => format!("M106 S{speed}"),
            fan => format!("M106 P{fan} S{speed}"),
        };
        steps.add(line, "the fan");
    }
    if fans == 0 {
        steps.add("M107", "the fan is off");
    }
    if state.feed_percent_kept != 100.0 {
        let kept = number(state.feed_percent_kept);
        steps.add(format!("M220 S{kept}"), "the feed override put aside");
        steps.add("M220 B", "put aside again");
        steps.add("M220 S100", "no feed override");
    }
    for (code, percent, what) in [
        ("M220", state.feed_percent, "feed override"),
        ("M221", state.flow_percent, "flow override"),
    ] {
        if percent != 100.0 {
            steps.add(format!("{code} S{}", number(percent)), what);
        }
    }
    let mut extras = printer.settings();
    if steps.way.footing == Footing::Lost {
        extras.extend(printer.lost());
    }
    for extra in extras {
        steps.add(extra.line, extra.purpose);
    }
    if state.feed > 0.0 {
        steps.add(
            format!("G1 F{}", number(state.feed)),
            "the feed of the program",
        );
    }
}

/// A printer's firmware may turn a spindle.
fn spindle(steps: &mut Steps<'_>, state: &ModalState) {
    if let Some(line) = turn(state) {
        steps.add(line, "the spindle");
        steps.add(format!("G4 S{SPIN_UP_S}"), "time to come up to speed");
    }
}

fn beam(steps: &mut Steps<'_>, state: &ModalState) {
    if let Some(line) = turn(state) {
        steps.add(line, "the beam, as the program has it");
    }
}

fn turn(state: &ModalState) -> Option<String> {
    let code = match state.spindle {
        Spindle::Off => return None,
        Spindle::Clockwise => "M3",
        Spindle::Counterclockwise => "M4",
    };
    Some(format!("{code} S{}", number(state.spindle_speed)))
}

fn modes(steps: &mut Steps<'_>, state: &ModalState) {
    match state.plane {
        Plane::Zx => steps.add("G18", "the plane of the program"),
        Plane::Yz => steps.add("G19", "the plane of the program"),
        _ => {}
    }
    if state.distance == Distance::Incremental {
        steps.add("G91", "the program moves by steps");
    }
    // Behind G91, which speaks of the filament as well.
    match state.extrusion {
        Distance::Absolute => steps.add("M82", "absolute extrusion"),
        Distance::Incremental => steps.add("M83", "the program extrudes by steps"),
    }
    if state.units == Units::Inch {
        steps.add("G20", "the program is in inches");
    }
}
