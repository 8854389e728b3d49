//! Whole jobs by the real program.

use std::{
    fs,
    io::{BufRead, Read},
    process::Stdio,
};

use crate::common::{Place, zigzag};

const FAST: &str = "sim:grbl?speed=max";

#[test]
fn a_job_ends_with_a_summary_and_a_log_of_every_motion() {
    let place = Place::new();
    place.file("part.nc", zigzag(500));
    let ran = place.run(&["run", "part.nc", "-m", FAST, "--sim-log", "log.jsonl"]);
    ran.expect(0, &["finished: 506 of 506 lines", "checkpoints"]);
    let log = fs::read_to_string(place.path("log.jsonl")).expect("a log");
    assert_eq!(
        log.lines()
            .filter(|line| line.contains("\"linear\""))
            .count(),
        500
    );
    place.run(&["jobs"]).expect(0, &["part-", "finished"]);
}

#[test]
fn json_is_one_event_a_line_and_nothing_else() {
    let place = Place::new();
    place.file("part.nc", zigzag(200));
    place.file("bad.nc", "G21\nG64\n");
    let ran = place.run(&["run", "part.nc", "-m", FAST, "--json"]);
    ran.expect(0, &[]);
    assert_eq!(ran.err(), "");
    let events: Vec<serde_json::Value> = ran
        .out()
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let names: Vec<_> = events
        .iter()
        .filter_map(|event| event["event"].as_str())
        .collect();
    assert_eq!(names.len(), events.len(), "every line is an event");
    for name in [
        "file_analyzed",
        "connected",
        "streaming_started",
        "checkpoint_created",
        "chunk_completed",
        "streaming_stopped",
    ] {
        assert!(names.contains(&name), "{name} is missing in {names:?}");
    }
    let summary = events.last().expect("a summary");
    assert_eq!(
        (&summary["event"], &summary["outcome"], &summary["exit"]),
        (&"summary".into(), &"finished".into(), &0.into())
    );

    let ran = place.run(&["run", "bad.nc", "--json"]);
    assert_eq!(ran.code(), 4);
    let lines: Vec<serde_json::Value> = ran
        .out()
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    assert_eq!(
        (&lines[0]["line"], &lines[0]["code"]),
        (&2.into(), &"unsupported-code".into())
    );
    assert_eq!(
        (&lines[1]["event"], &lines[1]["exit"]),
        (&"error".into(), &4.into())
    );
}

#[test]
fn skipped_codes_are_left_out_and_quiet_is_quiet() {
    let place = Place::new();
    place.file("part.nc", "G21\nG64 P0.1\nG0 X1\n");
    let ran = place.run(&["run", "part.nc", "-m", FAST, "--skip", "G64", "--quiet"]);
    ran.expect(0, &[]);
    assert_eq!((ran.out(), ran.err()), (String::new(), String::new()));
}

#[test]
fn the_dialect_follows_the_content() {
    let place = Place::new();
    place.file("print.gcode", "G28\nM104 S50\nG1 X10 E1 F1200\nG1 X20 E2\n");
    place
        .run(&["check", "print.gcode"])
        .expect(0, &["speaking marlin, because of M104 in line 2"]);
    place
        .run(&["check", "print.gcode", "--dialect", "grbl"])
        .expect(4, &["M104"]);
}

#[test]
fn a_stop_that_nobody_can_decide_ends_the_job() {
    let place = Place::new();
    place.file("part.nc", "G21\nG0 X1\nM0\nG0 X2\n");
    place.file("change.nc", "G0 Z10\n");
    place
        .run(&["run", "part.nc", "-m", FAST])
        .expect(7, &["line 3: M0", "--m0 skip"]);
    place
        .run(&["run", "part.nc", "-m", FAST, "--m0", "skip"])
        .expect(0, &["finished"]);
    let ran = place.run(&[
        "run",
        "part.nc",
        "-m",
        FAST,
        "--m0",
        "macro:change.nc",
        "--sim-log",
        "log.jsonl",
    ]);
    ran.expect(0, &["finished"]);
    let log = fs::read_to_string(place.path("log.jsonl")).expect("a log");
    let z: Vec<_> = log
        .lines()
        .filter(|line| line.contains("\"z\":10,"))
        .collect();
    assert!(!z.is_empty(), "the macro did not run: {log}");
}

#[test]
fn a_job_at_a_stop_is_resumed_where_it_stood() {
    let place = Place::new();
    place.file(
        "part.nc",
        "G21 G90\nG0 Z5\nG0 X1\nM3 S1000\nG1 Z-1 F100\nM0\nG1 X2\nG1 X3\n",
    );
    place
        .run(&["run", "part.nc", "-m", FAST])
        .expect(7, &["M0"]);
    place.run(&["jobs"]).expect(0, &["part-"]);
    place.run(&["resume", "--plan"]).expect(
        0,
        &[
            "G0 Z7",
            "G0 X1",
            "M3 S1000",
            "G1 Z-1 F100",
            "goes on with line 6",
        ],
    );
    place
        .run(&["resume"])
        .expect(8, &["(restarted)", "--homed"]);
    place.run(&["resume", "--homed"]).expect(7, &["--yes"]);
    place
        .run(&["resume", "--yes"])
        .expect(8, &["restarted", "--homed"]);
    // The stop was reached and not passed, so it is reached again.
    place
        .run(&["resume", "--yes", "--homed", "--m0", "skip"])
        .expect(0, &["finished"]);
    place.run(&["resume"]).expect(8, &["no unfinished job"]);
    place
        .run(&["resume", "none"])
        .expect(8, &["no job \"none\""]);
}

#[test]
fn a_changed_file_is_not_resumed() {
    let place = Place::new();
    place.file("part.nc", "G21\nG0 X1\nM0\nG0 X2\n");
    place
        .run(&["run", "part.nc", "-m", FAST])
        .expect(7, &["M0"]);
    place.file("part.nc", "G21\nG0 X1\nM0\nG0 X3\n");
    place
        .run(&["resume", "--yes", "--homed"])
        .expect(8, &["is not the file"]);
}

#[test]
fn the_wire_is_shown_step_by_step() {
    let place = Place::new();
    place.file("part.nc", "G21\nG01 X10.000 (cut)\n; gone\n");
    let ran = place.run(&["check", "part.nc", "--wire", "--lines", "2-3"]);
    ran.expect(
        0,
        &[
            "     2  G01 X10.000 (cut)",
            "G01X10.000",
            "motion",
            "vanishes",
        ],
    );
    assert!(!ran.out().contains("     1  "), "{}", ran.out());
}

#[test]
fn the_controller_is_asked_in_its_check_mode() {
    let place = Place::new();
    place.file("part.nc", zigzag(300));
    place.file("arc.nc", "G21 G90\nG0 X0 Y0\nG2 X10 Y0 R1 F100\nG1 X1\n");
    place
        .run(&["check", "part.nc", "-m", FAST])
        .expect(0, &["can be sent"]);
    place.run(&["check", "arc.nc", "-m", FAST]).expect(
        4,
        &["line 3: error:34", "line 4: error:22", "refused 2 lines"],
    );
}

#[test]
fn analysis_tells_what_is_in_a_file() {
    let place = Place::new();
    place.file("part.nc", zigzag(10));
    place
        .run(&["analyze", "part.nc"])
        .expect(0, &["motions", "13, 3 rapids", "end (M30) in line 16"]);
    let ran = place.run(&["analyze", "part.nc", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out()).expect("one object");
    assert_eq!(
        (&json["motions"], &json["sendable"]),
        (&13.into(), &true.into())
    );
    place.run(&["analyze", "none.nc"]).expect(3, &["none.nc"]);
}

#[test]
fn every_byte_is_traced_with_v() {
    let place = Place::new();
    place.file("part.nc", "G21\nG0 X1\n");
    let ran = place.run(&["run", "part.nc", "-m", FAST, "-v"]);
    ran.expect(0, &["->", "<-", "G0X1\\n", "ok\\r\\n"]);
    assert!(
        !ran.err().contains('\u{1b}'),
        "colours without a terminal: {}",
        ran.err()
    );
}

#[test]
fn a_reader_that_leaves_breaks_nothing() {
    let place = Place::new();
    place.file("part.nc", zigzag(2000));
    let mut command = place.command(&["run", "part.nc", "-m", FAST, "--json"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    drop(child.stdout.take());
    let status = child.wait().expect("ended");
    let mut err = String::new();
    child
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut err)
        .expect("text");
    assert!(status.success() && err.is_empty(), "{status:?} {err}");
}

#[test]
fn completions_and_ports_are_there() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        place.run(&["completions", shell]).expect(0, &["feedhold"]);
    }
    place.run(&["ports"]).expect(0, &[]);
    place
        .run(&["--help"])
        .expect(0, &["Exit codes:", "5  no usable machine"]);
}

#[test]
fn a_simulator_is_offered_over_tcp() {
    let place = Place::new();
    place.file("part.nc", zigzag(100));
    let sim = place.start(
        &["sim", "--listen", "tcp:127.0.0.1:0", "speed=max"],
        "ready",
    );
    let address = sim
        .line
        .rsplit(' ')
        .next()
        .expect("an address")
        .trim()
        .to_owned();
    for _ in 0..2 {
        place
            .run(&["run", "part.nc", "-m", &address])
            .expect(0, &["finished"]);
    }
}

#[cfg(unix)]
#[test]
fn a_simulator_is_offered_over_a_pty() {
    let place = Place::new();
    place.file("part.nc", zigzag(100));
    let link = place.path("tty").display().to_string();
    let _sim = place.start(&["sim", "--pty", "--link", &link, "speed=max"], "ready");
    for _ in 0..2 {
        place
            .run(&["run", "part.nc", "-m", &link])
            .expect(0, &["finished"]);
    }
}

#[cfg(unix)]
#[test]
fn the_first_interrupt_holds_and_the_second_resets() {
    use rustix::process::{Pid, Signal, kill_process};
    let place = Place::new();
    place.file("part.nc", zigzag(5000));
    let mut started = place.start(
        &["run", "part.nc", "-m", "sim:grbl?speed=20", "--json"],
        "\"progress\"",
    );
    let pid = Pid::from_child(&started.child);
    kill_process(pid, Signal::INT).expect("sent");
    let mut line = String::new();
    while !line.contains("streaming_paused") {
        line.clear();
        assert!(
            started.lines.read_line(&mut line).expect("text") > 0,
            "it ended instead of holding"
        );
    }
    assert!(line.contains("immediate"), "{line}");
    kill_process(pid, Signal::INT).expect("sent");
    let mut rest = String::new();
    started.lines.read_to_string(&mut rest).expect("text");
    assert_eq!(
        started.child.wait().expect("ended").code(),
        Some(7),
        "{rest}"
    );
    assert!(rest.contains("\"in_doubt\":["), "{rest}");
}
