//! The simulators and the interpreter read the firmware documents independently: whatever program the
//! simplest host sends, the machine's log and the oracle tell the same motions.

use std::io::BufReader;

use feedhold_gcode_parse::Flavor;
use feedhold_simulator::{Config, ControllerKind, MotionModel};
use feedhold_tests::oracle::{Comparison, Program};
use feedhold_tests::ping_pong;
use feedhold_tests::random::Recipe;
use xtask::gcode::{self, Kind};

const fn controller(flavor: Flavor) -> ControllerKind {
    match flavor {
        Flavor::Marlin => ControllerKind::Marlin,
        _ => ControllerKind::Grbl,
    }
}

/// Runs the program on the machine and compares every motion as it is made.
fn check(name: &str, flavor: Flavor, motion: MotionModel, program: &[u8]) -> ping_pong::Run {
    let mut comparison = Comparison::new(Program::new(flavor, program));
    let mut first = None;
    let config = Config::new(controller(flavor)).with_motion(motion);
    let run = ping_pong::run(config, BufReader::new(program), |entry| {
        if first.is_none() {
            first = comparison.check(&entry).err();
        }
    });
    let run = run.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(run.errors, [], "{name}");
    if let Some(mismatch) = first {
        panic!("{name}: {mismatch}");
    }
    comparison
        .finish()
        .unwrap_or_else(|mismatch| panic!("{name}: {mismatch}"));
    run
}

#[test]
fn random_programs_are_executed_as_the_oracle_says() {
    for flavor in [Flavor::Grbl, Flavor::Marlin] {
        for seed in 0..40 {
            let recipe = Recipe {
                flavor,
                seed,
                lines: 150,
            };
            check(
                &format!("{recipe:?}"),
                flavor,
                MotionModel::Instant,
                recipe.program().as_bytes(),
            );
        }
    }
}

#[test]
fn planned_motion_makes_the_same_motions() {
    for flavor in [Flavor::Grbl, Flavor::Marlin] {
        for seed in 100..104 {
            let recipe = Recipe {
                flavor,
                seed,
                lines: 100,
            };
            check(
                &format!("{recipe:?}"),
                flavor,
                MotionModel::Planned,
                recipe.program().as_bytes(),
            );
        }
    }
}

#[test]
fn generated_programs_are_executed_as_the_oracle_says() {
    for (kind, flavor) in [
        (Kind::Print, Flavor::Marlin),
        (Kind::Mill, Flavor::Grbl),
        (Kind::Stress, Flavor::Grbl),
    ] {
        let mut program = Vec::new();
        let mut source = gcode::Program::endless(kind, 1, 60_000).unwrap();
        std::io::copy(&mut source, &mut program).unwrap();
        check(kind.name(), flavor, MotionModel::Instant, &program);
    }
}

/// The sample job is a real one: thousands of motions, a quarter of an hour of machine time.
#[test]
fn the_relief_takes_a_machine_a_quarter_of_an_hour() {
    let run = check(
        "relief.nc",
        Flavor::Grbl,
        MotionModel::Planned,
        include_bytes!("../../examples/relief.nc"),
    );
    let minutes = run.took.as_secs_f64() / 60.0;
    assert!((15.0..25.0).contains(&minutes), "{minutes} minutes");
}

#[test]
fn the_vase_is_printed_as_the_oracle_says() {
    let run = check(
        "vase.gcode",
        Flavor::Marlin,
        MotionModel::Planned,
        include_bytes!("../../examples/vase.gcode"),
    );
    let minutes = run.took.as_secs_f64() / 60.0;
    assert!((5.0..60.0).contains(&minutes), "{minutes} minutes");
}
