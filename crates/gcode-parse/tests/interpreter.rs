//! Modal state, offsets, positions and motion: tables of programs and where they lead.

mod common;

use core::f64::consts::{FRAC_PI_2, PI, TAU};

use common::{code_like, flavors, pieces};
use feedhold_gcode_parse::{
    Axis, AxisOnlyLines, Block, Bounds, CoordinateSystem, Distance, Effect, FeedMode, Flavor,
    Interpreter, LineReader, MotionKind, MotionMode, Plane, Reference, Spindle, Stop, ToolLength,
    Units,
};
use proptest::prelude::*;

fn run(flavor: Flavor, program: &str) -> (Interpreter, Vec<Effect>) {
    let mut machine = Interpreter::new(flavor);
    let effects = program
        .lines()
        .map(|line| machine.apply(&Block::parse(flavor, line.as_bytes())))
        .collect();
    (machine, effects)
}

/// The effect of the last line.
fn last(flavor: Flavor, program: &str) -> Effect {
    run(flavor, program).1.pop().expect("a program has lines")
}

fn reasons(effect: &Effect) -> Vec<String> {
    effect
        .findings
        .as_slice()
        .iter()
        .map(|f| format!("{} {:?}", f.column, f.reason))
        .collect()
}

#[track_caller]
fn check_positions(flavor: Flavor, rows: &[(&str, &[(Axis, f64)])]) {
    for (program, expected) in rows {
        let (machine, _) = run(flavor, program);
        for (axis, value) in *expected {
            assert_eq!(
                machine.position()[*axis],
                *value,
                "{axis} after {program:?}"
            );
        }
    }
}

#[test]
fn positions_of_rs274() {
    use Axis::{A, E, X, Y, Z};
    check_positions(
        Flavor::Grbl,
        &[
            ("G0 X1 Y-2.5 Z.5", &[(X, 1.0), (Y, -2.5), (Z, 0.5)]),
            ("G0 X1\nX2\nG1 F1 Y3\nX4", &[(X, 4.0), (Y, 3.0)]),
            ("G91 X1\nX1\nX.5", &[(X, 2.5)]),
            ("G91\nX1\nG90 X1", &[(X, 1.0)]),
            ("G20 G0 X1 A90", &[(X, 25.4), (A, 90.0)]),
            ("X1 G20 Y1", &[(X, 25.4), (Y, 25.4)]),
            ("G0 X10\nG92 X0\nX5", &[(X, 15.0)]),
            ("G0 X10\nG92 X0\nX5\nG92.1\nX5", &[(X, 5.0)]),
            ("G0 X10\nG92 X0\nG92.2\nX5", &[(X, 5.0)]),
            ("G0 X10\nG92 X0\nG92.2\nG92.3\nX5", &[(X, 15.0)]),
            ("G0 X10\nG92 X0\nG92.2\nG92.2\nG92.3\nX5", &[(X, 15.0)]),
            ("G0 X10\nG92 X0\nG92.1\nG92.3\nX5", &[(X, 5.0)]),
            ("G10 L2 P1 X100\nG0 X5", &[(X, 105.0)]),
            ("G10 L2 P2 X100\nG0 X5", &[(X, 5.0)]),
            ("G10 L2 P2 X100\nG55 G0 X5", &[(X, 105.0)]),
            ("G10 L2 P0 X7\nX1", &[(X, 8.0)]),
            ("G10 L2 P9 X7\nG59.3\nX1", &[(X, 8.0)]),
            ("G0 X10\nG10 L20 P1 X3\nX4", &[(X, 11.0)]),
            ("G10 L2 P1 X100\nG53 G0 X5", &[(X, 5.0)]),
            ("G10 L2 P1 X100\nG91\nG53 G0 X5", &[(X, 5.0)]),
            ("G43.1 Z2\nG0 Z10", &[(Z, 12.0)]),
            ("G43.1 Z2\nG49\nG0 Z10", &[(Z, 10.0)]),
            ("G0 X1 Y2\nG28.1\nX5 Y6\nG28", &[(X, 1.0), (Y, 2.0)]),
            ("G0 X1 Y2\nG30.1\nX5 Y6\nG30 Y9", &[(X, 5.0), (Y, 2.0)]),
            ("G0 X1 Y2\nG91\nG28 Z5", &[(X, 1.0), (Y, 2.0), (Z, 0.0)]),
            ("$J=G91 X5 F100\nX3", &[(X, 3.0)]),
            ("$J=G91 X5 F100", &[(X, 5.0)]),
            ("$J=X5", &[(X, 5.0)]),
            ("G38.2 Z-5 F50", &[(Z, -5.0)]),
            ("G1 X5 E3 F1", &[(X, 5.0), (E, 0.0)]),
            ("G0 X-0", &[(X, 0.0)]),
            ("G80\nX5", &[(X, 0.0)]),
            ("G81 X5 Y5 Z-3 R1 F100", &[(X, 5.0), (Z, 0.0)]),
        ],
    );
    let machine = run(Flavor::Grbl, "G10 L2 P3 Y7\nG0 X2\nG28.1\nG43.1 Z1\nG92 X9").0;
    assert_eq!(machine.system_origin(CoordinateSystem::G56)[Y], 7.0);
    assert_eq!(machine.reference(Reference::G28)[X], 2.0);
    assert_eq!(machine.tool_offset()[Z], 1.0);
    assert_eq!(machine.g92_offset()[X], -7.0);
    assert_eq!(machine.axis_value(X), 9.0);
}

#[test]
fn setting_an_origin_makes_the_axis_read_what_was_said() {
    let before = "G10 L2 P1 Z10\nG43.1 Z2\nG0 Z7\nG92 Z3\n";
    for line in ["G92 Z5", "G10 L20 P1 Z5", "G10 L20 P0 Z5"] {
        let (machine, _) = run(Flavor::Grbl, &format!("{before}{line}"));
        assert_eq!(machine.axis_value(Axis::Z), 5.0, "{line}");
        assert_eq!(machine.position()[Axis::Z], 19.0, "{line} moves nothing");
    }
}

#[test]
fn minus_zero_is_zero_to_the_bit() {
    for (with, without) in [
        ("G53 G0 X-0", "G53 G0 X0"),
        ("F-0", "F0"),
        ("G10 L2 P1 X-0.00", "G10 L2 P1 X0"),
        ("G91 X-0", "G91 X0"),
    ] {
        let (with, without) = (run(Flavor::Grbl, with).0, run(Flavor::Grbl, without).0);
        assert!(with.same_bits(&without), "{with:?}");
    }
}

#[test]
fn positions_of_marlin() {
    use Axis::{E, X, Y, Z};
    check_positions(
        Flavor::Marlin,
        &[
            ("G1 X1 E1\nG1 X2 E2", &[(X, 2.0), (E, 2.0)]),
            ("M83\nG1 X1 E1\nG1 X2 E2", &[(X, 2.0), (E, 3.0)]),
            ("G91\nG1 X1 E1\nG1 X1 E1", &[(X, 2.0), (E, 2.0)]),
            ("G91\nM82\nG1 X1 E1\nG1 X1 E1", &[(X, 2.0), (E, 1.0)]),
            ("M83\nG90\nG1 E1\nG1 E1", &[(E, 1.0)]),
            ("G1 E5\nG92 E0\nG1 E1", &[(E, 6.0)]),
            ("G1 X5\nG92 X0\nG28 X\nG1 X3", &[(X, 3.0)]),
            ("G1 X5 Y5 Z5\nG28", &[(X, 0.0), (Y, 0.0), (Z, 0.0)]),
            ("G1 X5 Y5 Z5\nG28 Y0", &[(X, 5.0), (Y, 0.0), (Z, 5.0)]),
            ("G1 X5\nX9", &[(X, 5.0)]),
            ("N1 G1 X5*0", &[(X, 0.0)]),
            ("G1 X5 G0", &[(X, 5.0)]),
            ("M117 G1 X5", &[(X, 0.0)]),
        ],
    );
    let mut machine =
        Interpreter::new(Flavor::Marlin).with_axis_only_lines(AxisOnlyLines::RepeatMotion);
    machine.apply(&Block::parse(Flavor::Marlin, b"G1 X5"));
    machine.apply(&Block::parse(Flavor::Marlin, b"X9"));
    assert_eq!(machine.position()[X], 9.0);
}

#[test]
fn modal_groups_of_rs274() {
    let state = |program: &str| *run(Flavor::LinuxCnc, program).0.state();
    assert_eq!(state("G18").plane, Plane::Zx);
    assert_eq!(state("G19.1").plane, Plane::Vw);
    assert_eq!(state("G20").units, Units::Inch);
    assert_eq!(state("G91").distance, Distance::Incremental);
    assert_eq!(state("G90.1").arc_distance, Distance::Absolute);
    assert_eq!(state("G93").feed_mode, FeedMode::InverseTime);
    assert_eq!(
        state("F10\nG93").feed,
        0.0,
        "a feed of one mode means nothing in another"
    );
    assert_eq!(state("G20 F10").feed, 254.0);
    assert_eq!(state("G59.2").coordinate_system, CoordinateSystem::G59_2);
    assert_eq!(state("G43 H1").tool_length, ToolLength::Table);
    assert_eq!(state("M4 S100").spindle, Spindle::Counterclockwise);
    assert_eq!(state("M4 S100").spindle_speed, 100.0);
    assert!(state("M7 M8").coolant.mist && state("M7 M8").coolant.flood);
    assert!(!state("M7\nM8\nM9").coolant.mist);
    assert_eq!(state("T5").selected_tool, Some(5));
    assert_eq!(
        (state("T5").tool, state("T5 M6").tool, state("M6 T5").tool),
        (None, Some(5), Some(5))
    );
    assert_eq!(state("G38.3 Z1 F1").motion.code().to_string(), "38.3");
    let ended = state("G18 G91 G41 G55 G2 M3 M8 M49 G20 S5 F7\nM30");
    assert_eq!((ended.plane, ended.motion), (Plane::Xy, MotionMode::Linear));
    assert_eq!(
        (ended.units, ended.feed),
        (Units::Inch, 7.0 * 25.4),
        "M30 keeps units and feed"
    );
    let ended = state("G93 G1 X1 F2\nM2");
    assert_eq!(
        (ended.feed_mode, ended.feed),
        (FeedMode::PerMinute, 0.0),
        "2 a minute are no 2 mm a minute"
    );
}

#[test]
fn stops_dwells_and_tools() {
    for (flavor, line, stop) in [
        (Flavor::Grbl, "M0", Some(Stop::Pause)),
        (Flavor::Grbl, "M01", Some(Stop::OptionalPause)),
        (Flavor::Grbl, "M2", Some(Stop::End)),
        (Flavor::Grbl, "M30", Some(Stop::EndRewind)),
        (Flavor::Grbl, "T1 M6", Some(Stop::ToolChange)),
        (Flavor::Grbl, "M3", None),
        (Flavor::Marlin, "M0 wait", Some(Stop::Pause)),
        (Flavor::Marlin, "M600", Some(Stop::FilamentChange)),
        (Flavor::Marlin, "M112", Some(Stop::Emergency)),
        (Flavor::Marlin, "M30 file.gco", None),
        (Flavor::Marlin, "T1", None),
    ] {
        assert_eq!(last(flavor, line).stop, stop, "{flavor} {line}");
    }
    assert_eq!(last(Flavor::Grbl, "G4 P1.5").dwell_s, Some(1.5));
    assert_eq!(last(Flavor::Marlin, "G4 P1500").dwell_s, Some(1.5));
    assert_eq!(last(Flavor::Marlin, "G4 S2 P1500").dwell_s, Some(2.0));
    assert_eq!(last(Flavor::Marlin, "T3").tool_change, Some(3));
    assert_eq!(last(Flavor::Grbl, "T3").tool_change, None);
    assert_eq!(last(Flavor::Grbl, "T3\nM6").tool_change, Some(3));
}

#[test]
fn feeds() {
    for (flavor, program, feed) in [
        (Flavor::Grbl, "G1 X10 F600", 600.0),
        (Flavor::Grbl, "G0 X10 F600", 0.0),
        (Flavor::Marlin, "G0 X10 F600", 600.0),
        (Flavor::Marlin, "G0 X10", 1500.0),
        (Flavor::Grbl, "G20\nG1 X10 F10", 254.0),
        (Flavor::Grbl, "G93\nG1 X10 F6", 60.0),
        (Flavor::LinuxCnc, "G95 M3 S100\nG1 X10 F0.5", 50.0),
        (Flavor::Grbl, "G28", 0.0),
    ] {
        let motion = last(flavor, program).motion.expect("it moves");
        assert_eq!(motion.feed_mm_per_min, feed, "{program}");
    }
    let motion = last(Flavor::Grbl, "G93\nG1 X10 F6")
        .motion
        .expect("it moves");
    assert_eq!(motion.minutes(), Some(1.0 / 6.0));
}

#[test]
fn findings() {
    for (flavor, program, expected) in [
        (Flavor::Grbl, "G1 X1", &["1 NoFeed"][..]),
        (Flavor::Grbl, "G93 F1\nX1\nG1 X2", &["1 NoInverseTime"]),
        (Flavor::Grbl, "G0 G1 X1 F1", &["4 SameGroup(Motion)"]),
        (Flavor::Grbl, "G90 G91", &["5 SameGroup(Distance)"]),
        (Flavor::Grbl, "M7 M8", &[]),
        (Flavor::Grbl, "G53 G0 X1 G4 P1", &[]),
        (Flavor::Grbl, "G0 X1 X2", &["7 RepeatedWord(88)"]),
        (Flavor::Grbl, "G0 X1 Q2", &["7 UnusedWord(81)"]),
        (Flavor::Grbl, "G999", &["1 UnknownCode(71, 999)"]),
        (Flavor::Grbl, "M999", &["1 UnknownCode(77, 999)"]),
        (Flavor::Grbl, "G1.25", &["1 NotACode(71)"]),
        (Flavor::Grbl, "G4", &["1 MissingWord(80)"]),
        (Flavor::Grbl, "G4 P-1", &["4 BadCount(80)"]),
        (Flavor::Grbl, "F-1", &["1 BadCount(70)"]),
        (Flavor::Grbl, "T1.5", &["1 BadCount(84)"]),
        (
            Flavor::Grbl,
            "G10 L2 P10 X1",
            &["8 BadCount(80)", "12 UnusedWord(88)"],
        ),
        (Flavor::Grbl, "G10 L3 P1", &["5 BadCount(76)"]),
        (Flavor::Grbl, "G80\nX1", &["1 NoMotionMode"]),
        (Flavor::Grbl, "G1 G92 X1 F1", &["1 AxisConflict"]),
        (Flavor::Grbl, "G28 G91 Z0", &[]),
        (Flavor::Grbl, "G0 X9999999999999", &["4 OutOfRange(88)"]),
        (Flavor::Grbl, "G1 X9999999999999 Y1", &["4 OutOfRange(88)"]),
        (Flavor::Grbl, "F1 G2 X1", &["4 Arc(NoCenter)"]),
        (Flavor::Grbl, "G17 F1 G2 I0 J0", &["1 Arc(NoRadius)"]),
        (Flavor::Grbl, "G2 X10 I1 F1", &["1 Arc(UnequalRadii)"]),
        (Flavor::Grbl, "G2 X10 R4 F1", &["1 Arc(RadiusTooSmall)"]),
        (Flavor::Grbl, "G2 X0 R4 F1", &["1 Arc(RadiusForFullCircle)"]),
        (
            Flavor::Grbl,
            "G83 X1 Z-1 R1 Q1 F1",
            &["1 NotInterpreted(71, 83)"],
        ),
        (
            Flavor::Grbl,
            "G1 Xa F1",
            &["4 Fault(MissingValue(88))", "5 Fault(MissingValue(65))"],
        ),
        (Flavor::LinuxCnc, "G0 X#1", &["4 NotComputed(88)"]),
        (Flavor::LinuxCnc, "O1 sub", &["1 FlowNotFollowed"]),
        (Flavor::LinuxCnc, "M98 P5", &["1 FlowNotFollowed"]),
        (Flavor::Marlin, "X1", &["1 NoCommand"]),
        (Flavor::Marlin, "G999", &["1 UnknownCode(71, 999)"]),
        (Flavor::Marlin, "M9999", &["1 UnknownCode(77, 9999)"]),
        (Flavor::Marlin, "N1 G0*1", &["1 WrongChecksum"]),
        (Flavor::Marlin, "M117 a*1", &[]),
        (Flavor::Marlin, "G29", &["1 NotInterpreted(71, 29)"]),
        (Flavor::Marlin, "M73 P5 R10", &[]),
    ] {
        assert_eq!(
            reasons(&last(flavor, program)),
            expected,
            "{flavor}: {program}"
        );
    }
    let effect = last(Flavor::Grbl, "G0 X1\nG1 X2");
    let shown: Vec<_> = effect.findings.at_line(2).map(|d| d.to_string()).collect();
    assert_eq!(
        shown,
        ["line 2, column 1: a motion at feed zero; program F before"]
    );
}

#[test]
fn a_motion_that_needs_an_unknown_value_is_left_out() {
    let (machine, effects) = run(Flavor::LinuxCnc, "G0 X1\nG0 X#1 Y5\nG0 Y2");
    assert!(effects[1].motion.is_none() && effects[2].motion.is_some());
    assert_eq!(
        (machine.position()[Axis::X], machine.position()[Axis::Y]),
        (1.0, 2.0)
    );
}

/// Length, sweep and centre of the arc that the last line makes.
#[track_caller]
fn check_arc(program: &str, length: f64, sweep: f64, center: [f64; 2]) {
    let effect = last(Flavor::LinuxCnc, program);
    let motion = effect
        .motion
        .unwrap_or_else(|| panic!("{program}: {:?}", reasons(&effect)));
    let MotionKind::Arc(arc) = motion.kind else {
        panic!("{program} makes {:?}", motion.kind)
    };
    assert!(
        (motion.length() - length).abs() < 1e-9,
        "{program}: length {}",
        motion.length()
    );
    assert!(
        (arc.sweep - sweep).abs() < 1e-9,
        "{program}: sweep {}",
        arc.sweep
    );
    let off = (arc.center[0] - center[0]).abs() + (arc.center[1] - center[1]).abs();
    assert!(off < 1e-9, "{program}: centre {:?}", arc.center);
}

#[test]
fn arcs() {
    let quarter = 10.0 * FRAC_PI_2;
    check_arc("F1 G0 X10\nG3 X0 Y10 I-10", quarter, FRAC_PI_2, [0.0, 0.0]);
    check_arc(
        "F1 G0 X10\nG2 X0 Y10 I-10",
        3.0 * quarter,
        3.0 * FRAC_PI_2,
        [0.0, 0.0],
    );
    check_arc("F1 G0 X10\nG2 I-10", 10.0 * TAU, TAU, [0.0, 0.0]);
    check_arc("F1 G0 X10\nG3 X10 Y0 I-10", 10.0 * TAU, TAU, [0.0, 0.0]);
    check_arc("F1 G0 X10\nG3 X0 Y10 R10", quarter, FRAC_PI_2, [0.0, 0.0]);
    check_arc(
        "F1 G0 X10\nG3 X0 Y10 R-10",
        3.0 * quarter,
        3.0 * FRAC_PI_2,
        [10.0, 10.0],
    );
    check_arc("F1 G0 X10\nG2 X0 Y10 R10", quarter, FRAC_PI_2, [10.0, 10.0]);
    check_arc(
        "F1 G0 X10\nG2 X0 Y10 R-10",
        3.0 * quarter,
        3.0 * FRAC_PI_2,
        [0.0, 0.0],
    );
    check_arc("F1 G0 X10\nG2 X-10 R10", 10.0 * PI, PI, [0.0, 0.0]);
    check_arc("F1 G0 X10\nG2 X-10 R9.9999", 10.0 * PI, PI, [0.0, 0.0]);
    check_arc("F1 G0 X10\nG3 I-10 P3", 30.0 * TAU, 3.0 * TAU, [0.0, 0.0]);
    check_arc(
        "F1 G90.1 G0 X10 Y5\nG3 X0 Y15 I0 J5",
        quarter,
        FRAC_PI_2,
        [0.0, 5.0],
    );
    check_arc(
        "F1 G92 X-10\nG90.1 G0 X0\nG3 X-10 Y10 I-10 J0",
        quarter,
        FRAC_PI_2,
        [0.0, 0.0],
    );
    check_arc(
        "F1 G18 G0 Z10\nG3 Z0 X10 K-10",
        quarter,
        FRAC_PI_2,
        [0.0, 0.0],
    );
    check_arc(
        "F1 G18 G0 X10\nG2 X0 Z10 I-10",
        quarter,
        FRAC_PI_2,
        [0.0, 0.0],
    );
    check_arc(
        "F1 G19 G0 Y10\nG3 Y0 Z10 J-10",
        quarter,
        FRAC_PI_2,
        [0.0, 0.0],
    );
    check_arc(
        "F1 G20 G0 X1\nG3 X0 Y1 I-1",
        25.4 * FRAC_PI_2,
        FRAC_PI_2,
        [0.0, 0.0],
    );
    let turn = 10.0 * TAU;
    check_arc(
        "F1 G0 X10\nG3 I-10 Z5",
        (turn * turn + 25.0).sqrt(),
        TAU,
        [0.0, 0.0],
    );
    let marlin = last(Flavor::Marlin, "G0 X10\nG3 I-10 P1")
        .motion
        .expect("it moves");
    assert!(
        (marlin.length() - 2.0 * turn).abs() < 1e-9,
        "Marlin's P counts further circles"
    );
}

#[track_caller]
fn check_bounds(program: &str, x: (f64, f64), y: (f64, f64)) {
    let mut bounds = Bounds::EMPTY;
    last(Flavor::Grbl, program)
        .motion
        .expect("it moves")
        .extend(&mut bounds);
    for (axis, expected) in [(Axis::X, x), (Axis::Y, y)] {
        let found = bounds.range(axis).expect("it has bounds");
        let off = (found.0 - expected.0).abs() + (found.1 - expected.1).abs();
        assert!(off < 1e-9, "{program}: {axis} {found:?}");
    }
}

#[test]
fn bounds_hold_the_extremes_of_arcs() {
    check_bounds("F1 G0 X10\nG3 X0 Y10 I-10", (0.0, 10.0), (0.0, 10.0));
    check_bounds("F1 G0 X10\nG2 X0 Y10 I-10", (-10.0, 10.0), (-10.0, 10.0));
    check_bounds("F1 G0 X10\nG3 X-10 I-10", (-10.0, 10.0), (0.0, 10.0));
    check_bounds("F1 G0 X10\nG2 X-10 I-10", (-10.0, 10.0), (-10.0, 0.0));
    check_bounds("F1 G0 X10\nG2 I-10", (-10.0, 10.0), (-10.0, 10.0));
    check_bounds("F1 G0 X-10\nG3 X0 Y-10 I10", (-10.0, 0.0), (-10.0, 0.0));
    check_bounds("F1 G0 X6 Y8\nG3 X-6 Y8 R10", (-6.0, 6.0), (8.0, 10.0));
}

#[test]
fn lengths() {
    for (program, length) in [
        ("G0 X3 Y4", 5.0),
        ("G0 X2 Y3 Z6", 7.0),
        ("G0 A90", 90.0),
        ("G0 X3 A90", 3.0),
        ("G0 U3 V4 A5", 5.0),
        ("G0 X10\nG28.1\nG0 X0\nG28 Y5", 10.0),
    ] {
        assert_eq!(
            last(Flavor::Grbl, program)
                .motion
                .expect("it moves")
                .length(),
            length,
            "{program}"
        );
    }
    let motion = last(Flavor::Marlin, "G1 E5\nG1 E-1")
        .motion
        .expect("it moves");
    assert_eq!((motion.length(), motion.extrusion()), (6.0, -6.0));
}

/// Interprets a program that arrives in pieces.
fn interpret(flavor: Flavor, program: &[u8], cuts: &[usize]) -> Interpreter {
    let mut machine = Interpreter::new(flavor);
    let mut reader = <LineReader>::new();
    for mut piece in pieces(program, cuts) {
        while let Some(line) = reader.next(&mut piece) {
            machine.apply(&Block::parse(flavor, line.text));
        }
    }
    if let Some(line) = reader.finish() {
        machine.apply(&Block::parse(flavor, line.text));
    }
    machine
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_cut_leads_to_the_same_machine(
        program in code_like(), flavor in flavors(), cuts in proptest::collection::vec(0_usize..400, 0..8),
    ) {
        let whole = interpret(flavor, &program, &[]);
        prop_assert!(whole.same_bits(&interpret(flavor, &program, &cuts)));
        prop_assert!(whole.state().same_bits(whole.state()), "no NaN gets into the state");
    }

    #[test]
    fn arbitrary_bytes_never_panic(program in proptest::collection::vec(any::<u8>(), 0..200), flavor in flavors()) {
        let machine = interpret(flavor, &program, &[]);
        prop_assert!(machine.position().0.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn equal_states_have_equal_bits(a in code_like(), b in code_like(), flavor in flavors()) {
        let (a, b) = (interpret(flavor, &a, &[]), interpret(flavor, &b, &[]));
        prop_assert_eq!(a.state() == b.state(), a.state().same_bits(b.state()));
        prop_assert_eq!(a.position() == b.position(), a.position().same_bits(b.position()));
    }

    #[test]
    fn spelling_does_not_matter(x in -99_999..99_999_i32, y in 0..9_999_u32) {
        let long = format!("g01 x{:+} Y+00.{y:04}000 f0100.\n", f64::from(x) / 1000.0);
        let short = format!("G1X{}Y.{y:04}F100\n", f64::from(x) / 1000.0);
        let a = interpret(Flavor::Grbl, long.as_bytes(), &[]);
        prop_assert!(a.same_bits(&interpret(Flavor::Grbl, short.as_bytes(), &[])));
    }

    #[test]
    fn both_ways_round_make_a_circle(angle in 0.01..TAU - 0.01, start in 0.0..TAU, radius in 0.1..500.0_f64) {
        let end: f64 = start + angle;
        let program = |g| format!(
            "F1 G0 X{:.9} Y{:.9}\n{g} X{:.9} Y{:.9} I{:.9} J{:.9}",
            radius * start.cos(), radius * start.sin(), radius * end.cos(), radius * end.sin(),
            -radius * start.cos(), -radius * start.sin(),
        );
        let length = |g| last(Flavor::Grbl, &program(g)).motion.expect("it moves").length();
        let (left, right) = (length("G3"), length("G2"));
        prop_assert!((left - radius * angle).abs() < 1e-6, "{left} for {}", radius * angle);
        prop_assert!((left + right - radius * TAU).abs() < 1e-6);
    }

    #[test]
    fn a_radius_finds_the_centre(angle in 0.01..3.1_f64, start in 0.0..TAU, radius in 0.1..500.0_f64) {
        let end: f64 = start + angle;
        let arc = |r: f64| {
            let program = format!(
                "F1 G0 X{:.12} Y{:.12}\nG3 X{:.12} Y{:.12} R{r:.12}",
                radius * start.cos(), radius * start.sin(), radius * end.cos(), radius * end.sin(),
            );
            last(Flavor::Grbl, &program).motion.expect("it moves")
        };
        let MotionKind::Arc(short) = arc(radius).kind else { panic!("an arc") };
        prop_assert!(short.center[0].abs() + short.center[1].abs() < 1e-4 * radius, "{:?}", short.center);
        prop_assert!((arc(-radius).length() - radius * (TAU - angle)).abs() < 1e-4 * radius);
    }
}
