use std::time::Duration;

use feedhold::{
    simulator::{Coolant, Kind},
    stream_core::dialect::Dialect,
};

use super::*;
use crate::kill::program;

/// Lines 2 to 5 move to X1 to X4.
fn four() -> Vec<Motion> {
    let text = "G21 G90\nG1 X1 F60\nG1 X2\nG1 X3\nG1 X4\n";
    program::motions(Dialect::Grbl, text).expect("a program")
}

/// Motions to these places; a place with a fraction is cut short there.
fn log(places: &[f64]) -> Vec<Entry> {
    let entry = |x: &f64| Entry {
        start: Duration::ZERO,
        finish: Duration::from_secs(1),
        kind: Kind::Linear,
        target: [x.ceil(), 0.0, 0.0, 0.0],
        feed_mm_per_min: 60.0,
        spindle_rpm: 0.0,
        coolant: Coolant::default(),
        line: None,
        fraction: if x.fract() > 0.0 { x.fract() } else { 1.0 },
    };
    places.iter().map(entry).collect()
}

#[test]
fn mistakes_have_names() {
    for (places, expected) in [
        (&[][..], Ok((0, None, false))),
        (&[1.0, 2.0], Ok((3, None, false))),
        (&[1.0, 2.0, 2.5], Ok((3, Some(4), false))),
        (&[1.0, 2.0, 3.0, 4.0], Ok((5, None, true))),
        (
            &[1.0, 2.0, 2.0],
            Err(Wrong::Repeated { line: 3, behind: 3 }),
        ),
        (
            &[1.0, 2.0, 1.0],
            Err(Wrong::Repeated { line: 2, behind: 3 }),
        ),
        (&[1.0, 3.0], Err(Wrong::Lost { first: 3, last: 3 })),
        (&[3.0], Err(Wrong::Lost { first: 2, last: 3 })),
        (&[0.5, 1.0], Err(Wrong::CutShort { line: 2 })),
    ] {
        let got = reached(&four(), log(places)).map(|at| (at.line, at.cut_short, at.is_all));
        assert_eq!(got, expected, "{places:?}");
    }
    let foreign = reached(&four(), log(&[1.0, 9.0])).expect_err("no line says that");
    assert!(
        matches!(foreign, Wrong::Foreign { behind: 2, .. }),
        "{foreign}"
    );
}

#[test]
fn the_truth_lies_in_the_named_interval() {
    let at = |places: &[f64]| reached(&four(), log(places)).expect("a beginning");
    let named = |executed, ceiling| Some(Named { executed, ceiling });
    for (named, at_kill, at_rest, expected) in [
        (None, &[][..], &[][..], Ok(())),
        (None, &[], &[1.0], Err(Wrong::Unrecorded { reached: 2 })),
        (named(0, 5), &[], &[1.0, 2.0], Ok(())),
        (named(3, 5), &[1.0, 2.0], &[1.0, 2.0], Ok(())),
        (
            named(4, 5),
            &[1.0, 2.0],
            &[1.0, 2.0, 3.0],
            Err(Wrong::Beyond {
                executed: 4,
                reached: 4,
            }),
        ),
        (
            named(0, 3),
            &[1.0],
            &[1.0, 2.0, 2.5],
            Err(Wrong::OverTheCeiling {
                reached: 4,
                ceiling: 3,
            }),
        ),
    ] {
        assert_eq!(
            within(&four(), named, &at(at_kill), &at(at_rest)),
            expected,
            "{named:?}"
        );
    }
}
