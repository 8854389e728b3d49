//! The way back to the part.
//!
//! Up first, over the place, spindle and coolant on with time to spin up, down at feed, and only then the modes of the program: an
//! approach that sets the modes first moves by steps in programs that do.

use super::{Ahead, Placed, Refusal, Step, Tracker, tracker::AXES};
use crate::dialect::Dialect;
use feedhold_gcode_parse::{
    Axis, CutterCompensation, Distance, FeedMode, Interpreter, ModalState, MotionMode, Plane,
    Spindle, ToolLength, Units,
};

/// Feed of a plunge when the program has set none, mm/min.
const PLUNGE_FEED: f64 = 100.0;
/// Time for a spindle to come up to speed, seconds.
const SPIN_UP_S: u32 = 3;
/// How far a printer lifts its nozzle above its print, mm.
const LIFT_MM: f64 = 5.0;
/// Feed of a printer's lift, mm/min.
const LIFT_FEED: f64 = 600.0;
/// Feed of a printer's way to the place, mm/min.
const TRAVEL_FEED: f64 = 3000.0;

/// Plans the approach, or says what stands against it.
pub(super) fn plan(at: &Tracker, ahead: &Ahead) -> Result<Vec<Step>, Refusal> {
    check(at, ahead)?;
    let mut steps = Steps(Vec::new());
    match at.dialect() {
        Dialect::Marlin => print(&mut steps, at),
        _ => mill(&mut steps, at, ahead),
    }
    Ok(steps.0)
}

fn check(at: &Tracker, ahead: &Ahead) -> Result<(), Refusal> {
    let (state, line) = (at.machine().state(), at.line());
    if state.distance == Distance::Incremental {
        return Err(Refusal::Incremental { line });
    }
    for axis in AXES {
        if at.placed(axis) == Placed::BySteps {
            return Err(Refusal::PositionUnknown {
                axis: char::from(axis.letter()),
                line,
            });
        }
    }
    if AXES
        .into_iter()
        .any(|axis| at.machine().g92_offset()[axis] != 0.0)
    {
        return Err(Refusal::NotRestorable {
            what: "an offset set by G92".to_owned(),
            line,
        });
    }
    if state.cutter_compensation != CutterCompensation::Off {
        return Err(Refusal::CutterCompensation { line });
    }
    if !matches!(state.tool_length, ToolLength::Off | ToolLength::Dynamic) {
        return Err(Refusal::ToolLengthUnknown { line });
    }
    if state.feed_mode == FeedMode::PerRevolution {
        return Err(Refusal::FeedPerRevolution { line });
    }
    if state.retracted {
        return Err(Refusal::Retracted { line });
    }
    check_motion(state.motion, line, ahead)
}

/// Of the motion modes only G0, G1 and G80 can be set without moving.
fn check_motion(mode: MotionMode, line: u64, ahead: &Ahead) -> Result<(), Refusal> {
    let code = format!("G{}", mode.code());
    match mode {
        MotionMode::Rapid | MotionMode::Linear | MotionMode::Cancelled => Ok(()),
        MotionMode::ArcClockwise | MotionMode::ArcCounterclockwise => match ahead.next {
            Some(next) if !next.names_mode => Err(Refusal::BareArc { line: next.line }),
            _ => Ok(()),
        },
        MotionMode::Canned(_) => Err(Refusal::CannedCycle { code, line }),
        MotionMode::Probe(_) => Err(Refusal::Probing { line }),
        MotionMode::Threading(_) => Err(Refusal::Threading { code, line }),
        _ => Err(Refusal::Spline { code, line }),
    }
}

struct Steps(Vec<Step>);

impl Steps {
    fn add(&mut self, line: impl Into<String>, purpose: &str) {
        self.0.push(Step {
            line: line.into(),
            purpose: purpose.to_owned(),
        });
    }
}

fn mill(steps: &mut Steps, at: &Tracker, ahead: &Ahead) {
    let machine = at.machine();
    let state = machine.state();
    steps.add(
        "G21 G90 G94 G17",
        "mm, absolute, so that the approach means what it says",
    );
    steps.add(
        format!("G{}", state.coordinate_system.code()),
        "the work coordinates of the program",
    );
    if state.tool_length == ToolLength::Dynamic {
        steps.add(
            format!("G43.1 Z{}", number(machine.tool_offset()[Axis::Z])),
            "the tool's length",
        );
    }
    if let Some(top) = ahead.highest_z {
        steps.add(
            format!("G0 Z{}", number(top)),
            "up to the highest point of the whole program",
        );
    }
    over(steps, at, "G0", "");
    spindle_and_coolant(steps, state);
    let feed = if state.feed_mode == FeedMode::PerMinute && state.feed > 0.0 {
        state.feed
    } else {
        PLUNGE_FEED
    };
    if at.placed(Axis::Z) == Placed::At {
        let z = number(machine.axis_value(Axis::Z));
        steps.add(
            format!("G1 Z{z} F{}", number(feed.min(PLUNGE_FEED))),
            "down at feed",
        );
    }
    let plunged_at_it = at.placed(Axis::Z) == Placed::At && state.feed <= PLUNGE_FEED;
    if state.feed_mode == FeedMode::PerMinute && state.feed > 0.0 && !plunged_at_it {
        steps.add(
            format!("G1 F{}", number(state.feed)),
            "the feed of the program",
        );
    }
    modes(steps, state);
}

fn spindle_and_coolant(steps: &mut Steps, state: &ModalState) {
    let turn = match state.spindle {
        Spindle::Off => None,
        Spindle::Clockwise => Some("M3"),
        Spindle::Counterclockwise => Some("M4"),
    };
    match turn {
        Some(turn) => steps.add(
            format!("{turn} S{}", number(state.spindle_speed)),
            "the spindle",
        ),
        None if state.spindle_speed > 0.0 => steps.add(
            format!("S{}", number(state.spindle_speed)),
            "the spindle's speed",
        ),
        None => {}
    }
    if state.coolant.mist {
        steps.add("M7", "mist");
    }
    if state.coolant.flood {
        steps.add("M8", "flood");
    }
    if turn.is_some() {
        steps.add(format!("G4 P{SPIN_UP_S}"), "time to come up to speed");
    }
}

/// Puts the modes of the program in force again, where they differ from those of the approach.
fn modes(steps: &mut Steps, state: &ModalState) {
    let plane = match state.plane {
        Plane::Zx => Some("G18"),
        Plane::Yz => Some("G19"),
        _ => None,
    };
    if let Some(plane) = plane {
        steps.add(plane, "the plane of the program");
    }
    if state.units == Units::Inch {
        steps.add("G20", "the program is in inches");
    }
    if state.feed_mode == FeedMode::InverseTime {
        steps.add("G93", "the program uses inverse time");
    }
    match state.motion {
        MotionMode::Rapid => steps.add("G0", "the motion mode of the program"),
        MotionMode::Cancelled => steps.add("G80", "the motion mode of the program"),
        _ => steps.add(
            "G1",
            "the motion mode of the program, or the one it leaves at once",
        ),
    }
}

fn print(steps: &mut Steps, at: &Tracker) {
    let machine = at.machine();
    let state = machine.state();
    heat(steps, state);
    steps.add("G21", "mm");
    steps.add("G90", "absolute");
    steps.add("M82", "absolute extrusion");
    steps.add(
        format!("G92 E{}", number(machine.axis_value(Axis::E))),
        "the filament is where the program left it",
    );
    if let Some(tool) = state.tool.filter(|tool| *tool > 0) {
        steps.add(format!("T{tool}"), "the tool of the program");
    }
    if at.placed(Axis::Z) == Placed::At {
        let lifted = machine.axis_value(Axis::Z) + LIFT_MM;
        steps.add(
            format!("G0 Z{} F{}", number(lifted), number(LIFT_FEED)),
            "up from the print",
        );
    }
    over(steps, at, "G0", &format!(" F{}", number(TRAVEL_FEED)));
    if at.placed(Axis::Z) == Placed::At {
        let z = number(machine.axis_value(Axis::Z));
        steps.add(format!("G1 Z{z} F{}", number(LIFT_FEED)), "down at feed");
    }
    if state.feed > 0.0 {
        steps.add(
            format!("G1 F{}", number(state.feed)),
            "the feed of the program",
        );
    }
    if state.extrusion == Distance::Incremental {
        steps.add("M83", "the program extrudes by steps");
    }
    if state.units == Units::Inch {
        steps.add("G20", "the program is in inches");
    }
}

/// Heat first: a nozzle that waits over its place while it heats leaves a blob there.
fn heat(steps: &mut Steps, state: &ModalState) {
    let (bed, hotend) = (number(state.bed_target), number(state.hotend_target));
    if state.bed_target > 0.0 {
        steps.add(format!("M140 S{bed}"), "warm the bed");
    }
    if state.hotend_target > 0.0 {
        steps.add(format!("M104 S{hotend}"), "heat the nozzle");
    }
    if state.bed_target > 0.0 {
        steps.add(format!("M190 S{bed}"), "wait for the bed");
    }
    if state.hotend_target > 0.0 {
        steps.add(format!("M109 S{hotend}"), "wait for the nozzle");
    }
    steps.add(format!("M106 S{}", number(state.fan)), "the fan");
    for (code, percent, what) in [
        ("M220", state.feed_percent, "feed override"),
        ("M221", state.flow_percent, "flow override"),
    ] {
        if percent != 100.0 {
            steps.add(format!("{code} S{}", number(percent)), what);
        }
    }
}

/// Over the place, in X and Y at once.
fn over(steps: &mut Steps, at: &Tracker, code: &str, feed: &str) {
    let words: String = AXES
        .into_iter()
        .filter(|axis| *axis != Axis::Z && at.placed(*axis) == Placed::At)
        .map(|axis| coordinate(at.machine(), axis))
        .collect();
    if !words.is_empty() {
        steps.add(format!("{code}{words}{feed}"), "over the place");
    }
}

fn coordinate(machine: &Interpreter, axis: Axis) -> String {
    format!(
        " {}{}",
        char::from(axis.letter()),
        number(machine.axis_value(axis))
    )
}

/// At most four decimals, none that say nothing.
fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}
