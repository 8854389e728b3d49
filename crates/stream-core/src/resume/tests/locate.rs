use super::*;
use crate::{
    dialect::{AxisValues, Coordinates, MachineState, Response, ResponseReader},
    streamer::InDoubt,
};

const MILL: &str = "G21 G90\nM3 S1000\nG0 Z5\nG1 X1 F600\nX2\nX1\nY3\n";
const PRINT: &str = "M104 S200\nG28\nG0 X5 Y5 Z1\nG1 X6 E1 F600\n";

/// A machine whose work coordinates are its own, and that stood at its origin.
fn baseline() -> Baseline {
    Baseline {
        offsets: StoredOffsets {
            systems: [Some([0.0; 3]); SYSTEMS],
            g92: Some([0.0; 3]),
            tool_length: Some(0.0),
        },
        position: Some([0.0; 3]),
        ..Baseline::default()
    }
}

/// The lines behind `done` up to the last one of a program.
fn interval(dialect: Dialect, program: &str, done: u64) -> Interval<'static> {
    let mut running = Tracker::new(dialect);
    let (mut candidates, baseline) = (Vec::new(), baseline());
    let baseline = Some(&baseline);
    if done == 0 {
        candidates.push(Candidate::first(0, &running, baseline));
    }
    for (number, text) in (1..).zip(program.lines()) {
        let block = Block::parse(dialect.flavor(), text.as_bytes());
        let effect = running.apply(number, &block);
        if number == done {
            candidates.push(Candidate::first(done, &running, baseline));
        } else if number > done {
            candidates.push(Candidate::behind(
                number, &block, &effect, &running, baseline,
            ));
        }
    }
    Interval {
        done,
        candidates,
        anchor: None,
        baseline: None,
    }
}

fn mill(place: [f64; 3], words: &str) -> Facts {
    let mut facts = Facts::new(Dialect::Grbl);
    facts.state = Some(MachineState::Idle);
    facts.machine_position = Coordinates::new(&place);
    facts.words = Some(words.to_owned());
    facts
}

fn cutting(place: [f64; 3]) -> Facts {
    mill(place, "G1 G54 G17 G21 G90 G94 M3 M9 T0 F600 S1000")
}

/// What a printer says of its place.
fn print_at(text: &str) -> Option<AxisValues> {
    let line = format!("{text} Count X:0 Y:0 Z:0\n");
    let mut reader = ResponseReader::new(Dialect::Marlin);
    match reader.next(&mut line.as_bytes()) {
        Some(Response::Position(report)) => Some(report.position),
        other => panic!("{other:?} is no position"),
    }
}

#[track_caller]
fn check(interval: &Interval<'_>, facts: &Facts, expected: Result<u64, &str>) {
    let located = match locate(interval, facts) {
        Ok(Located::Exact { done, .. }) => Ok(done),
        Err(refusal) => Err(refusal.code()),
    };
    assert_eq!(located, expected);
}

#[test]
fn one_place_of_the_path_proves_its_line() {
    let interval = interval(Dialect::Grbl, MILL, 3);
    check(&interval, &cutting([2.0, 0.0, 5.0]), Ok(5));
    check(&interval, &cutting([1.0, 3.0, 5.0]), Ok(7));
    check(&interval, &cutting([1.5, 0.0, 5.0]), Err("moved"));
}

#[test]
fn two_places_are_no_proof() {
    let interval = interval(Dialect::Grbl, MILL, 3);
    check(&interval, &cutting([1.0, 0.0, 5.0]), Err("in-doubt"));
}

/// What it counts from since is not what it counted from before, wherever it says that it stands.
#[test]
fn a_controller_that_is_known_to_have_restarted_proves_nothing() {
    let mut facts = cutting([2.0, 0.0, 5.0]);
    facts.was_reset = true;
    check(&interval(Dialect::Grbl, MILL, 3), &facts, Err("restarted"));
}

/// A controller that restarts while nobody listens stands at its origin and has forgotten everything. Where lines may have run, that
/// is no proof that none did.
#[test]
fn a_controller_as_it_is_switched_on_proves_nothing() {
    let fresh = mill([0.0; 3], "G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0");
    let mut all = interval(Dialect::Grbl, MILL, 0);
    check(&all, &fresh, Err("in-doubt"));
    all.candidates.truncate(1);
    check(&all, &fresh, Ok(0));
}

/// An offset that somebody has changed is told even where the place is in doubt: a line that is chosen then would be cut elsewhere.
#[test]
fn a_changed_offset_goes_before_a_doubt() {
    let interval = interval(Dialect::Grbl, MILL, 3);
    let mut facts = cutting([1.0, 0.0, 5.0]);
    facts.offsets = baseline().offsets;
    check(&interval, &facts, Err("in-doubt"));
    facts.offsets.g92 = Some([2.0, 0.0, 0.0]);
    check(&interval, &facts, Err("offsets-differ"));
}

/// They are those of an earlier line in doubt, so somebody has set them back since.
#[test]
fn offsets_are_compared_with_those_of_the_line_that_was_found() {
    let interval = interval(Dialect::Grbl, &format!("{MILL}G92 X0\nX2\n"), 3);
    let mut facts = cutting([3.0, 3.0, 5.0]);
    facts.offsets = baseline().offsets;
    check(&interval, &facts, Err("offsets-differ"));
    facts.offsets.g92 = Some([1.0, 0.0, 0.0]);
    check(&interval, &facts, Ok(9));
}

/// Somebody changes tools by hand, and the controller hears nothing of it.
#[test]
fn a_tool_that_the_controller_was_never_told_of_is_none() {
    let text = format!("T2 M6\n{MILL}");
    let interval = interval(Dialect::Grbl, &text, 4);
    check(&interval, &cutting([2.0, 0.0, 5.0]), Ok(6));
    let other = mill(
        [2.0, 0.0, 5.0],
        "G1 G54 G17 G21 G90 G94 M3 M9 T3 F600 S1000",
    );
    check(&interval, &other, Err("tool-differs"));
}

#[test]
fn a_printer_that_counts_from_nothing_proves_nothing() {
    let mut all = interval(Dialect::Marlin, PRINT, 0);
    all.anchor = Some(NumberAnchor { number: 0, line: 0 });
    let mut facts = Facts::new(Dialect::Marlin);
    facts.position = print_at("X:0.00 Y:0.00 Z:0.00 E:0.00");
    facts.last_line = Some(0);
    check(&all, &facts, Err("restarted"));
    let mut last = interval(Dialect::Marlin, PRINT, 3);
    last.anchor = Some(NumberAnchor { number: 3, line: 3 });
    facts.position = print_at("X:6.00 Y:5.00 Z:1.00 E:1.00");
    facts.last_line = Some(4);
    check(&last, &facts, Ok(4));
}

#[test]
fn what_is_in_doubt_is_named() {
    let interval = interval(Dialect::Grbl, MILL, 3);
    assert_eq!(interval.in_doubt(), InDoubt { first: 4, last: 7 });
}

/// Homing ends where only the machine knows; a nozzle that has left it since would come down elsewhere.
#[test]
fn a_place_that_only_homing_has_set_is_no_place_to_go_back_to() {
    let kept = Approach::new().footing(Footing::Kept);
    let refused = plan(Dialect::Marlin, PRINT, 2, &kept).expect_err("nothing tells where home is");
    assert_eq!(refused.code(), "position-unknown");
    assert!(plan(Dialect::Marlin, PRINT, 2, &Approach::new()).is_ok());
    assert!(plan(Dialect::Marlin, PRINT, 3, &kept).is_ok());
}
