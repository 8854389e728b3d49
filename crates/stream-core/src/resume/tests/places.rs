//! The judge is an interpreter that was given the controller's offsets before the program began: whatever a candidate claims to know
//! has to be what that one computes.

use feedhold_gcode_parse::{Axis, CoordinateSystem, Flavor, Interpreter, Position};
use proptest::{prelude::*, strategy::Strategy};

use super::*;

/// Where the machine stood when the job began.
const START: [f64; 3] = [-17.0, -23.0, -5.0];

fn baseline(systems: [[f64; 3]; SYSTEMS], g92: [f64; 3], tool: f64) -> Baseline {
    Baseline {
        position: Some(START),
        offsets: StoredOffsets {
            systems: systems.map(Some),
            g92: Some(g92),
            tool_length: Some(tool),
        },
        words: "G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0".to_owned(),
        ..Baseline::default()
    }
}

fn position(values: [f64; 3]) -> Position {
    let mut position = Position::ORIGIN;
    for (axis, value) in [Axis::X, Axis::Y, Axis::Z].into_iter().zip(values) {
        position[axis] = value;
    }
    position
}

/// The controller as it was when the program began, standing somewhere.
fn controller(baseline: &Baseline) -> Interpreter {
    let mut machine = Interpreter::new(Flavor::Grbl);
    for (system, origin) in CoordinateSystem::ALL
        .into_iter()
        .zip(baseline.offsets.systems)
    {
        machine.set_system_origin(system, position(origin.expect("all are told")));
    }
    machine.set_g92_offset(position(baseline.offsets.g92.expect("told")));
    let tool = baseline.offsets.tool_length.expect("told");
    machine.set_tool_offset(position([0.0, 0.0, tool]));
    machine.set_position(position(START));
    machine
}

/// Runs a program on both.
fn check(program: &str, baseline: &Baseline) {
    let mut tracker = Tracker::new(Dialect::Grbl);
    let mut machine = controller(baseline);
    for (line, text) in (1..).zip(program.lines()) {
        let block = Block::parse(Flavor::Grbl, text.as_bytes());
        let effect = tracker.apply(line, &block);
        machine.apply(&block);
        let last = Candidate::behind(line, &block, &effect, &tracker, Some(baseline));
        for axis in Axis::ALL {
            let (claimed, real) = (last.place[axis], machine.position()[axis]);
            assert!(
                !last.placed[axis as usize] || (claimed - real).abs() < 1e-9,
                "line {line}: {axis} is at {real} and not at {claimed}\n{program}"
            );
        }
        for (at, system) in CoordinateSystem::ALL.into_iter().take(SYSTEMS).enumerate() {
            agrees(
                last.offsets.systems[at],
                machine.system_origin(system),
                program,
            );
        }
        agrees(last.offsets.g92, machine.g92_offset(), program);
        if let Some(tool) = last.offsets.tool_length {
            let real = machine.tool_offset()[Axis::Z];
            assert!(
                (tool - real).abs() < 1e-9,
                "{tool} and not {real}\n{program}"
            );
        }
    }
}

#[track_caller]
fn agrees(claimed: Option<[f64; 3]>, real: &Position, program: &str) {
    let axes = [Axis::X, Axis::Y, Axis::Z];
    for (axis, claimed) in axes.into_iter().zip(claimed.into_iter().flatten()) {
        assert!(
            (claimed - real[axis]).abs() < 1e-9,
            "{axis} {claimed} and not {}\n{program}",
            real[axis]
        );
    }
}

fn lines() -> impl Strategy<Value = String> {
    let axes = "([XYZ]-?[0-9]{1,2}(\\.5)?){1,3}";
    prop_oneof![
        6 => axes.prop_map(|words| format!("G0{words}")),
        3 => axes.prop_map(|words| format!("G53G0{words}")),
        2 => axes.prop_map(|words| format!("G92{words}")),
        2 => (1..7, axes).prop_map(|(system, words)| format!("G10L2P{system}{words}")),
        1 => (0..7, axes).prop_map(|(system, words)| format!("G10L20P{system}{words}")),
        3 => (54..60).prop_map(|system| format!("G{system}")),
        1 => Just("G43.1Z3".to_owned()),
        1 => Just("G49".to_owned()),
        2 => Just("G91".to_owned()),
        4 => Just("G90".to_owned()),
        1 => Just("G92.1".to_owned()),
        1 => Just("G92.2".to_owned()),
        1 => Just("G20".to_owned()),
        1 => Just("G28".to_owned()),
    ]
}

fn triple() -> impl Strategy<Value = [f64; 3]> {
    [-30_i32..30, -30_i32..30, -30_i32..30]
        .prop_map(|values| values.map(|value| f64::from(value) / 2.0))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Every word sets an axis once, or the interpreter and grbl would not agree which counts.
    #[test]
    fn a_place_that_is_claimed_is_the_place(
        program in proptest::collection::vec(lines(), 1..25),
        systems in proptest::array::uniform6(triple()),
        g92 in prop_oneof![Just([0.0; 3]), triple()],
        tool in prop_oneof![Just(0.0), (-9_i32..9).prop_map(f64::from)],
    ) {
        check(&program.join("\n"), &baseline(systems, g92, tool));
    }
}
