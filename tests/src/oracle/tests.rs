use feedhold_gcode_parse::Flavor;
use feedhold_simulator::{Arc, Coolant, Entry, Kind};

use super::{Motion, Program, compare, entries};

fn motions(flavor: Flavor, program: &str) -> Vec<Motion> {
    Program::new(flavor, program.as_bytes())
        .collect::<Result<_, _>>()
        .expect("a slice can be read")
}

/// What a machine that does just this would log.
fn obey(motion: &Motion) -> Entry {
    Entry {
        start: std::time::Duration::ZERO,
        finish: std::time::Duration::ZERO,
        kind: motion.kind,
        target: motion.target.0,
        feed_mm_per_min: motion.feed_mm_per_min.unwrap_or(0.0),
        spindle_rpm: 0.0,
        coolant: Coolant::default(),
        line: None,
        fraction: 1.0,
    }
}

fn log_of(flavor: Flavor, program: &str) -> Vec<Entry> {
    motions(flavor, program).iter().map(obey).collect()
}

const SQUARE: &str =
    "G21 G90\n(a square)\nG0 X1 Y1\nG1 X11 F600\nY11\nG3 X1 Y1 I-5 J-5\nG4 P0.5\nG1 Z-1\n";

#[test]
fn a_program_is_told_motion_by_motion() {
    let check = |flavor: Flavor, program: &str, want: &[&str]| {
        let told: Vec<String> = motions(flavor, program)
            .iter()
            .map(|motion| format!("{}: {motion}", motion.line))
            .collect();
        assert_eq!(told, want, "{program}");
    };
    check(
        Flavor::Grbl,
        SQUARE,
        &[
            "3: rapid to X1 Y1 Z0 E0",
            "4: linear to X11 Y1 Z0 E0",
            "5: linear to X11 Y11 Z0 E0",
            "6: arc to X1 Y1 Z0 E0",
            "7: dwell to X1 Y1 Z0 E0",
            "8: linear to X1 Y1 Z-1 E0",
        ],
    );
    check(
        Flavor::Grbl,
        "G20 G91 F10\nG1 X1\nX1\nG21\nX1",
        &[
            "2: linear to X25.4 Y0 Z0 E0",
            "3: linear to X50.8 Y0 Z0 E0",
            "5: linear to X51.8 Y0 Z0 E0",
        ],
    );
    check(Flavor::Grbl, "", &[]);
    check(Flavor::Grbl, "F100\nM3 S1000\n\n(nothing)\n", &[]);
    check(
        Flavor::Marlin,
        "G90\nM83\nG1 X5 E0.5 F1200\nG1 E-0.25\nG92 E0\nG1 Y2 E0.5\nM117 G1 X9\nG1 F600\nG4 ; drain\n",
        &[
            "3: linear to X5 Y0 Z0 E0.5",
            "4: linear to X5 Y0 Z0 E0.25",
            "6: linear to X5 Y2 Z0 E0.75",
            "9: dwell to X5 Y2 Z0 E0.75",
        ],
    );
}

#[test]
fn a_machine_that_obeys_agrees() {
    let program = Program::new(Flavor::Grbl, SQUARE.as_bytes());
    assert_eq!(compare(program, log_of(Flavor::Grbl, SQUARE)).unwrap(), 6);
}

/// Every way in which a log can be wrong is found, and told with line and field.
#[test]
fn a_machine_that_does_otherwise_is_found() {
    let check = |spoil: &dyn Fn(&mut Vec<Entry>), want: &str| {
        let mut log = log_of(Flavor::Grbl, SQUARE);
        spoil(&mut log);
        let error = compare(Program::new(Flavor::Grbl, SQUARE.as_bytes()), log).unwrap_err();
        assert_eq!(error.to_string(), want);
    };
    let arc = |entry: &mut Entry, change: &dyn Fn(&mut Arc)| match &mut entry.kind {
        Kind::Arc(arc) => change(arc),
        other => panic!("{other:?} is no arc"),
    };
    let told = "(arc to X1 Y1 Z0 E0)";
    check(
        &|log| log[1].target[0] = 11.000_01,
        "motion 2, line 4: X is 11.00001, the program says 11 (linear to X11 Y1 Z0 E0)",
    );
    check(
        &|log| log[1].target[3] = 0.1,
        "motion 2, line 4: E is 0.1, the program says 0 (linear to X11 Y1 Z0 E0)",
    );
    check(
        &|log| log[1].target[1] = f64::NAN,
        "motion 2, line 4: Y is NaN, the program says 1 (linear to X11 Y1 Z0 E0)",
    );
    check(
        &|log| log[2].feed_mm_per_min = 601.0,
        "motion 3, line 5: the feed rate is 601, the program says 600 (linear to X11 Y11 Z0 E0)",
    );
    check(
        &|log| log[0].kind = Kind::Linear,
        "motion 1, line 3: the kind is linear, the program says rapid (rapid to X1 Y1 Z0 E0)",
    );
    check(
        &|log| log[4].kind = Kind::Dwell { seconds: 0.25 },
        "motion 5, line 7: the time is 0.25, the program says 0.5 (dwell to X1 Y1 Z0 E0)",
    );
    check(
        &|log| arc(&mut log[3], &|arc| arc.axis_1 = 2),
        &format!("motion 4, line 6: the plane is (0, 2), the program says (0, 1) {told}"),
    );
    check(
        &|log| arc(&mut log[3], &|arc| arc.center[0] = 6.5),
        &format!("motion 4, line 6: the centre is 6.5, the program says 6 {told}"),
    );
    check(
        &|log| arc(&mut log[3], &|arc| arc.radius = 7.0),
        &format!(
            "motion 4, line 6: the radius is 7, the program says {} {told}",
            50_f64.sqrt()
        ),
    );
    check(
        &|log| log[3].fraction = 0.25,
        &format!("motion 4, line 6: cut short at 25.0 % of its way {told}"),
    );
    check(
        &|log| {
            log.pop();
        },
        "the machine made 5 motions; line 8 (linear to X1 Y1 Z-1 E0) is missing",
    );
    check(
        &|log| log.extend_from_within(5..),
        "motion 7 (linear to X1 Y1 Z-1 E0) is not in the program",
    );
    check(
        &|log| log.swap(1, 2),
        "motion 2, line 4: Y is 11, the program says 1 (linear to X11 Y1 Z0 E0)",
    );
}

#[test]
fn the_sweep_of_an_arc_counts() {
    let program = "G90 G21 F100\nG2 X10 Y10 R10\n";
    let mut log = log_of(Flavor::Grbl, program);
    let Kind::Arc(arc) = &mut log[0].kind else {
        panic!("no arc")
    };
    // The other way round: the same ends, centre and radius.
    arc.sweep += std::f64::consts::TAU;
    let error = compare(Program::new(Flavor::Grbl, program.as_bytes()), log).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("motion 1, line 2: the angle is 4.71"),
        "{error}"
    );
}

#[test]
fn a_log_file_is_read_back() {
    let read = |text: &str| entries(text.as_bytes()).collect::<Result<Vec<_>, _>>();
    let line = r#"{"start":0.5,"finish":1.25,"kind":"arc","x":10,"y":0,"z":-1,"e":0,"feed":600,"spindle":1000,"flood":true,"mist":false,"line":7,"plane":[0,1],"center":[1.5,2],"radius":3,"sweep":-0.5,"fraction":1}"#;
    let entry = read(line).unwrap().remove(0);
    let arc = Arc {
        axis_0: 0,
        axis_1: 1,
        center: [1.5, 2.0],
        radius: 3.0,
        sweep: -0.5,
    };
    assert_eq!(
        (entry.kind, entry.line, entry.target),
        (Kind::Arc(arc), Some(7), [10.0, 0.0, -1.0, 0.0])
    );
    assert_eq!(entry.finish.as_millis(), 1250);
    assert!(entry.coolant.flood && !entry.coolant.mist);

    let dwell = line.replace("\"arc\"", "\"dwell\"");
    for (text, want) in [
        (
            format!("{line}\n{{\"x\":1}}"),
            "line 2 of the log has no `start`",
        ),
        (
            line.replace("\"arc\"", "\"dance\""),
            "line 1 of the log has no `kind`",
        ),
        (
            line.replace("[0,1]", "[0]"),
            "line 1 of the log has no `plane`",
        ),
        (dwell, "line 1 of the log has no `seconds`"),
    ] {
        assert_eq!(read(&text).unwrap_err().to_string(), want, "{text}");
    }
    assert!(
        read("{")
            .unwrap_err()
            .to_string()
            .starts_with("line 1 of the log is no JSON")
    );
}
