use feedhold_gcode_parse::Axis;

use super::*;

fn baseline() -> Baseline {
    let mut baseline = Baseline {
        position: Some([7.0, 8.0, 9.0]),
        ..Baseline::default()
    };
    baseline.offsets.systems = [Some([-100.0, -50.0, -30.0]); SYSTEMS];
    baseline.offsets.systems[1] = Some([-10.0, -5.0, -3.0]);
    baseline.offsets.g92 = Some([1.0, 0.0, 0.0]);
    baseline.offsets.tool_length = Some(2.0);
    baseline
}

/// X, Y and Z behind the last line of a program, `None` where nothing tells.
fn place(program: &str) -> [Option<f64>; 3] {
    let (at, _) = read(Dialect::Grbl, program, u64::MAX);
    let candidate = Candidate::first(1, &at, Some(&baseline()));
    [Axis::X, Axis::Y, Axis::Z]
        .map(|axis| candidate.placed[axis as usize].then_some(candidate.place[axis]))
}

#[test]
fn places_are_told_in_machine_coordinates_where_the_set_up_tells() {
    let (x, y, z) = (Some(-94.0), Some(-48.0), Some(-27.0));
    for (program, expected) in [
        ("G0 X5 Y2 Z1\n", [x, y, z]),
        // Where it stood when the job began.
        ("G0 X5\n", [x, Some(8.0), Some(9.0)]),
        ("G53 G0 X-5 Y-2 Z-1\n", [Some(-5.0), Some(-2.0), Some(-1.0)]),
        ("G0 X5 Y2 Z1\nG55\nG0 X5\n", [Some(-4.0), y, z]),
        // What the program sets is known, and what was there before it no longer counts.
        ("G10 L2 P1 X-20\nG0 X5 Y2 Z1\n", [Some(-14.0), y, z]),
        ("G43.1 Z4\nG0 X5 Y2 Z1\n", [x, y, Some(-25.0)]),
        ("G0 X5 Y2 Z1\nG92 X0\nG0 X1\n", [Some(-93.0), y, z]),
        // Nobody knows.
        ("G92 X0\nG0 X5 Y2 Z1\n", [None, y, z]),
        ("G10 L20 P1 X0\nG0 X5 Y2 Z1\n", [None, y, z]),
        ("G28\n", [None, None, None]),
        ("G91\nG0 X5\n", [None, Some(8.0), Some(9.0)]),
        ("G0 X5 Y2 Z1\nG38.2 Z-9 F10\n", [x, y, None]),
    ] {
        assert_eq!(place(program), expected, "{program}");
    }
    let (at, _) = read(Dialect::Grbl, "G0 X5\nG53 G0 Z1\n", 2);
    let without = Candidate::first(2, &at, None);
    assert_eq!(without.placed[..3], [false, false, true]);
}

#[test]
fn offsets_are_those_of_the_beginning_and_what_the_program_made_of_them() {
    let offsets = |program| {
        let (at, _) = read(Dialect::Grbl, program, u64::MAX);
        Candidate::first(1, &at, Some(&baseline())).offsets
    };
    assert_eq!(offsets("G0 X1\n"), baseline().offsets);
    assert_eq!(
        offsets("G10 L2 P1 X-20\n").systems[0],
        Some([-20.0, -50.0, -30.0])
    );
    assert_eq!(offsets("G0 X1\nG10 L20 P1 X0\n").systems[0], None);
    assert_eq!(offsets("G92 X0\n").g92, None);
    assert_eq!(offsets("G0 X5\nG92 X0\n").g92, Some([6.0, 0.0, 0.0]));
    assert_eq!(offsets("G43.1 Z4\n").tool_length, Some(4.0));
    assert_eq!(offsets("G43.1 Z4\nG49\n").tool_length, Some(0.0));
}

#[test]
fn what_may_run_twice_is_told_from_what_may_not() {
    for (dialect, line, expected) in [
        (Dialect::Grbl, "G1 X1 F100", LineEffect::Motion),
        (Dialect::Grbl, "G2 X0 Y0 I5 F100", LineEffect::Motion),
        (Dialect::Grbl, "M3 S1000", LineEffect::Setting),
        (Dialect::Grbl, "G4 P1", LineEffect::Setting),
        (Dialect::Grbl, "T2", LineEffect::Setting),
        (Dialect::Grbl, "T2 M6", LineEffect::Once),
        (Dialect::Grbl, "M0", LineEffect::Once),
        (Dialect::Grbl, "G38.2 Z-5 F10", LineEffect::Once),
        (Dialect::Marlin, "G1 E-2 F1800", LineEffect::Motion),
        (Dialect::Marlin, "M106 S128", LineEffect::Setting),
        (Dialect::Marlin, "M109 S200", LineEffect::Setting),
        (Dialect::Marlin, "G92 E0", LineEffect::Setting),
        (Dialect::Marlin, "M290 Z0.1", LineEffect::Once),
        (Dialect::Marlin, "T1", LineEffect::Once),
        (Dialect::Marlin, "G10", LineEffect::Once),
        (Dialect::Marlin, "M600", LineEffect::Once),
    ] {
        let mut tracker = Tracker::new(dialect);
        let block = Block::parse(dialect.flavor(), line.as_bytes());
        let effect = tracker.apply(1, &block);
        let candidate = Candidate::behind(1, &block, &effect, &tracker, None);
        assert_eq!(candidate.effect, expected, "{line}");
    }
}

#[test]
fn a_printer_tells_logical_places() {
    let (at, _) = read(
        Dialect::Marlin,
        "G28\nG92 E0\nG1 X1 Y2 F900\nG1 X3 E1.5\n",
        4,
    );
    let candidate = Candidate::first(4, &at, None);
    let known = |axis: Axis| candidate.placed[axis as usize].then_some(candidate.place[axis]);
    let axes = [Axis::X, Axis::Y, Axis::Z, Axis::E].map(known);
    assert_eq!(axes, [Some(3.0), Some(2.0), None, Some(1.5)]);
}

#[test]
fn a_reset_between_two_connections_shows_in_the_offsets() {
    let footing_with = |program, change: fn(&mut Facts)| {
        let (at, _) = read(Dialect::Grbl, program, u64::MAX);
        let baseline = Baseline {
            offsets: StoredOffsets {
                g92: Some([0.0; 3]),
                ..baseline().offsets
            },
            ..baseline()
        };
        let candidate = Candidate::first(1, &at, Some(&baseline));
        let mut facts = Facts::new(Dialect::Grbl);
        facts.offsets = candidate.offsets;
        change(&mut facts);
        footing(&candidate, &at, &facts).map_err(|refusal| refusal.code())
    };
    let shifted = "G0 X5 Y2 Z1\nG92 X0\nG0 X1\n";
    let plain = "G0 X5 Y2 Z1\n";
    let cleared: fn(&mut Facts) = |facts| facts.offsets.g92 = Some([0.0; 3]);
    assert_eq!(footing_with(shifted, |_| {}), Ok(Footing::Kept));
    assert_eq!(footing_with(shifted, cleared), Ok(Footing::Lost));
    assert_eq!(footing_with(plain, cleared), Ok(Footing::Kept));
    assert_eq!(
        footing_with(plain, |facts| facts.was_reset = true),
        Ok(Footing::Lost)
    );
    let zeroed: fn(&mut Facts) = |facts| facts.offsets.systems[0] = Some([0.0; 3]);
    assert_eq!(footing_with(plain, zeroed), Err("offsets-differ"));
    let no_length: fn(&mut Facts) = |facts| facts.offsets.tool_length = Some(0.0);
    assert_eq!(footing_with(plain, no_length), Err("offsets-differ"));
    let sets_length = "G43.1 Z4\nG0 X5 Y2 Z1\n";
    assert_eq!(footing_with(sets_length, no_length), Ok(Footing::Kept));
}
