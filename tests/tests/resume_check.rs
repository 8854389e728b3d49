//! A small slice of `cargo xtask resume-check`: jobs taken up at many lines after a power cut go on as if nothing had happened.

use feedhold::job::Settings;
use feedhold::stream_core::dialect::Dialect;
use feedhold_tests::resume::{Checked, Choice, Program, check, wild};

/// Takes the program up behind every `step`-th line.
fn taken_up(dialect: Dialect, name: &str, text: &[u8], step: usize, rests: usize) -> Checked {
    let program = Program::new(name.to_owned(), text, Settings::new(dialect));
    let program = program.unwrap_or_else(|error| panic!("{name}: {error}"));
    let choice = Choice {
        lines: (0..program.lines()).step_by(step).collect(),
        rests,
    };
    let checked = check(&program, &choice).unwrap_or_else(|error| panic!("{name}: {error}"));
    let found: Vec<String> = checked.findings.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{name}: {found:#?}");
    checked
}

#[test]
fn the_sample_jobs_go_on_from_anywhere() {
    let relief = include_bytes!("../../examples/relief.nc");
    let vase = include_bytes!("../../examples/vase.gcode");
    for (dialect, name, text) in [
        (Dialect::Grbl, "relief.nc", &relief[..]),
        (Dialect::Marlin, "vase.gcode", &vase[..]),
    ] {
        let checked = taken_up(dialect, name, text, 97, 3);
        let refused: u64 = checked.refused.values().map(|(count, _)| count).sum();
        assert!(
            refused * 50 <= checked.asked,
            "{name}: {:?}",
            checked.refused
        );
        assert!(
            checked.rests >= 3 && checked.motions > 5_000,
            "{name}: {checked:?}"
        );
    }
}

/// Most places in these are refused, and have to be; what is not refused has to be right.
#[test]
fn programs_that_change_everything_go_on_or_are_refused() {
    for dialect in [Dialect::Grbl, Dialect::Marlin] {
        let mut run = 0;
        for seed in 100..104 {
            let text = wild(dialect, seed, 250);
            run += taken_up(dialect, &format!("wild {seed}"), text.as_bytes(), 3, 5).run;
        }
        assert!(run > 20, "{dialect:?}: only {run} plans were run");
    }
}

/// The check can fail: a program that the product reads otherwise than the machine is found.
#[test]
fn a_machine_that_does_otherwise_is_found() {
    // Marlin drives an arc whose ends do not fit its radius; the product says that there is none.
    let text = b"G28\nG1 X10 Y10 Z1 F900\nG2 X50 Y10 I1 J0\nG4 P1\n";
    let program =
        Program::new("bad arc".into(), text, Settings::new(Dialect::Marlin)).expect("sent");
    let choice = Choice {
        lines: vec![2, 3],
        rests: 0,
    };
    let checked = check(&program, &choice).expect("a machine");
    assert!(checked.found > 0 && checked.findings.iter().all(|finding| finding.line == 3));
}
