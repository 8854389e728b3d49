use super::*;
use crate::{Entry, Kind};

/// Runs a program and shows its log: kind, target and feed, `!fraction` if cut short.
fn check_log(params: &str, program: &str, expected: &[&str]) {
    let mut printer = printer(params);
    ping_pong(&mut printer, program);
    assert_eq!(shown(&printer), expected, "{program}");
}

fn shown(printer: &Simulator) -> Vec<String> {
    printer.log().entries().map(show).collect()
}

fn show(entry: &Entry) -> String {
    let [x, y, z, e] = entry.target.map(|mm| (mm * 1e6).round() / 1e6 + 0.0);
    let mut text = format!(
        "{} {x} {y} {z} {e} F{}",
        entry.kind.name(),
        entry.feed_mm_per_min.round()
    );
    match entry.kind {
        Kind::Dwell { seconds } => text += &format!(" {seconds}s"),
        Kind::Arc(arc) => text += &format!(" r{:.3} {:.4}", arc.radius, arc.sweep),
        _ => {}
    }
    if entry.fraction < 1.0 {
        text += &format!(" !{:.3}", entry.fraction);
    }
    text
}

#[test]
fn one_entry_for_each_motion_of_the_program() {
    check_log(
        "heat=instant",
        "G28\nM109 S200\nG21\nG90\nM82\nG1 F1800\nG1 X10 E1\nG0 Y5 F6000\nG91\nG1 X1 Y1 E0.5\nG90\nG92 X0 E0\nG1 X2 E2 F600\nG1 X2\nG20\nG1 Z0.1\nG4 P100",
        &[
            "home 0 0 0 0 F0",
            "linear 10 0 0 1 F1800",
            "rapid 10 5 0 1 F0",
            "linear 11 6 0 1.5 F6000",
            "linear 13 6 0 3.5 F600",
            "linear 13 6 0 3.5 F600",
            "linear 13 6 2.54 3.5 F600",
            "dwell 13 6 2.54 3.5 F0 0.1s",
        ],
    );
}

#[test]
fn extruder_modes() {
    // G90 and G91 take the extruder with them, M82 and M83 set it alone.
    check_log(
        "heat=instant",
        "M109 S200\nM83\nG1 E1\nG1 E1\nM82\nG1 E1\nG91\nG1 E1 X1\nG90\nM83\nG1 E1 X1\nG90\nG1 E1",
        &[
            "linear 0 0 0 1 F1500",
            "linear 0 0 0 2 F1500",
            "linear 0 0 0 1 F1500",
            "linear 1 0 0 2 F1500",
            "linear 1 0 0 3 F1500",
            "linear 1 0 0 1 F1500",
        ],
    );
}

#[test]
fn retraction_is_not_a_motion_of_the_program() {
    let program = "M109 S200\nM83\nG1 E5\nG10\nG10\nG1 X5\nG11\nG1 E1";
    let log = &[
        "linear 0 0 0 5 F1500",
        "linear 5 0 0 5 F1500",
        "linear 5 0 0 6 F1500",
    ];
    check_log("heat=instant", program, log);
    check_log("heat=instant&motion=instant", program, log);
    let took = |program: &str| {
        let mut printer = printer("heat=instant");
        ping_pong(&mut printer, program);
        printer.now()
    };
    let extra = took(program) - took(&program.replace("G10\n", "").replace("G11\n", ""));
    assert!(
        extra > Duration::from_millis(100),
        "the filament moves all the same: {extra:?}"
    );
}

#[test]
fn arcs_are_one_entry() {
    check_log(
        "",
        "G1 X0 Y0\nG2 X10 Y0 I5 J0 F3000\nG3 X0 Y0 R5\nG2 I-5\nG2 X0 Y0\nG18\nG3 X10 Z0 I5",
        &[
            "linear 0 0 0 0 F1500",
            "arc 10 0 0 0 F3000 r5.000 -3.1416",
            "arc 0 0 0 0 F3000 r5.000 3.1416",
            "arc 0 0 0 0 F3000 r5.000 -6.2832",
            "arc 10 0 0 0 F3000 r5.000 3.1416",
        ],
    );
}

#[test]
fn homing_takes_the_time_of_the_way() {
    let mut printer = printer("");
    ping_pong(&mut printer, "G28 X\nG1 X50 F6000\nG28 X");
    let times: Vec<f64> = printer
        .log()
        .entries()
        .filter(|entry| entry.kind == Kind::Home)
        .map(|entry| (entry.finish - entry.start).as_secs_f64())
        .collect();
    assert_eq!(
        times,
        [(100.0 + 5.0 + 10.0) / 50.0, (50.0 + 5.0 + 10.0) / 50.0]
    );
}

#[test]
fn positions_planned_and_real() {
    check(
        "",
        "> G1 X100 F6000
         < ok
         @ 0.6
         > M114
         < X:100.00 Y:0.00 Z:0.00 E:0.00 Count X:8000 Y:0 Z:0
         < ok
         > M114 R
         < X:48.65 Y:0.00 Z:0.00 E:0.00 Count X:3892 Y:0 Z:0
         < ok
         > G92 X0
         < ok
         > M400
         @ 1
         < ok
         > M114
         < X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:8000 Y:0 Z:0
         < ok",
    );
}

#[test]
fn a_quick_stop_drops_what_is_planned_and_keeps_the_place() {
    let mut printer = printer("");
    let start = Duration::ZERO;
    send(&mut printer, start, b"G1 X100 F6000\nG1 X100 Y50\nG1 X0\n");
    let stop = Duration::from_millis(500);
    send(&mut printer, stop, b"M410\nG91\nG1 X1\n");
    settle(&mut printer);
    let log: Vec<Entry> = printer.log().entries().cloned().collect();
    let stopped = log[0].fraction * 100.0;
    assert!(log.len() == 2 && (40.0..60.0).contains(&stopped), "{log:?}");
    assert_eq!(log[0].finish, stop);
    assert!((log[1].target[0] - stopped - 1.0).abs() < 0.02, "{log:?}");
    assert_eq!(printer.log().aborted(), 1);
}

#[test]
fn a_motion_that_never_began_is_not_in_the_log() {
    let mut printer = printer("");
    send(&mut printer, Duration::ZERO, b"G1 X100 F6000\n");
    send(&mut printer, Duration::from_millis(50), b"M410\n");
    settle(&mut printer);
    assert!(printer.log().is_empty());
    assert_eq!(printer.snapshot().position, [0.0; 4]);
}

#[test]
fn a_reset_in_motion_is_in_the_log_and_nothing_moves_after_it() {
    let mut printer = printer("fault=reset@0.5s");
    send(&mut printer, Duration::ZERO, b"G1 X100 F6000\nG1 Y100\n");
    printer.advance(Duration::from_secs(100));
    let log: Vec<Entry> = printer.log().entries().cloned().collect();
    assert_eq!(log.len(), 1);
    assert!((0.3..0.5).contains(&log[0].fraction), "{log:?}");
    assert_eq!(printer.snapshot().position, [0.0; 4]);
}

#[test]
fn a_kill_in_homing_and_in_a_dwell_is_in_the_log() {
    for (command, kind) in [("G28", "home"), ("G4 S10", "dwell")] {
        let mut printer = printer("");
        send(
            &mut printer,
            Duration::ZERO,
            format!("{command}\n").as_bytes(),
        );
        printer.touch(Duration::from_secs(1), crate::Touch::Abort);
        let log: Vec<Entry> = printer.log().entries().cloned().collect();
        assert_eq!(log.len(), 1, "{command}");
        assert_eq!(log[0].kind.name(), kind);
        assert!(log[0].fraction > 0.0 && log[0].fraction < 1.0, "{log:?}");
    }
}

#[test]
fn cold_and_endless_extrusion_are_prevented_with_a_word() {
    let mut printer = printer("heat=instant");
    let said = ping_pong(
        &mut printer,
        "M83\nG1 X1 E1\nM109 S200\nG1 E1\nG1 E201\nM302 P1\nM109 S0\nG1 E1",
    );
    let warnings: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("prevented"))
        .collect();
    assert_eq!(
        warnings,
        [
            "echo: cold extrusion prevented",
            "echo: too long extrusion prevented"
        ]
    );
    assert_eq!(printer.log().len(), 4);
}

#[test]
fn instant_motion_makes_the_same_log_in_no_time() {
    let program = "G28\nG1 X10 F60\nG2 X20 I5\nG1 X20\nG1 Z3\nM400";
    let run = |params: &str| {
        let mut printer = printer(params);
        ping_pong(&mut printer, program);
        (printer.log().digest(), printer.now())
    };
    let (planned, time) = run("");
    let (instant, no_time) = run("motion=instant");
    assert_eq!(planned, instant);
    assert!(
        time > Duration::from_secs(20) && no_time.is_zero(),
        "{time:?} {no_time:?}"
    );
}
