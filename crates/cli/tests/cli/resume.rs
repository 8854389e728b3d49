//! Going on with jobs, by the real program against machines that live on.

use std::{collections::BTreeMap, fs, io::BufRead};

use crate::common::{Place, Started, zigzag};

const FAST: &str = "sim:grbl?speed=max";
/// Motions of the program that is killed, cut long enough to be in the middle of it.
const MOTIONS: u32 = 300;

/// A simulated machine in a process of its own, its address, and its log.
fn machine(place: &Place, speed: &str) -> (Started, String) {
    let log = place.path("log.jsonl").display().to_string();
    let listen = ["sim", "--listen", "tcp:127.0.0.1:0", "--log", &log, speed];
    let sim = place.start(&listen, "ready");
    let address = sim.line.rsplit(' ').next().expect("an address").trim();
    let address = address.to_owned();
    (sim, address)
}

/// Starts a job and kills the program after some lines were answered.
fn killed_job(place: &Place, address: &str) {
    let mut running = place.start(&["run", "part.nc", "-m", address, "--json"], "\"progress\"");
    let mut line = String::new();
    let mut records = 0;
    while records < 2 {
        line.clear();
        assert!(
            running.lines.read_line(&mut line).expect("text") > 0,
            "it ended"
        );
        records += usize::from(line.contains("checkpoint_created"));
    }
    running.child.kill().expect("killed");
    running.child.wait().expect("ended");
}

/// How often each end of a cut stands in the machine's log.
fn cuts(place: &Place) -> BTreeMap<String, usize> {
    let log = fs::read_to_string(place.path("log.jsonl")).expect("a log");
    let mut ends = BTreeMap::new();
    for line in log.lines().filter(|line| line.contains("\"linear\"")) {
        let entry: serde_json::Value = serde_json::from_str(line).expect(line);
        let [x, y, z] = ["x", "y", "z"].map(|axis| entry[axis].as_f64().expect("a place"));
        *ends.entry(format!("{x:.3} {y:.3} {z:.3}")).or_default() += 1;
    }
    ends
}

/// A zigzag in which no place comes twice.
fn spread(motions: u32) -> String {
    let mut text = "G21 G90 G94\nG0 Z5\nG0 X0 Y0\nF3000\n".to_owned();
    for number in 1..=motions {
        let x = if number % 2 == 0 { 0 } else { 10 };
        text.push_str(&format!(
            "G1 X{x} Y{}.{:02} Z-1\n",
            number / 100,
            number % 100
        ));
    }
    text.push_str("G0 Z5\nM30\n");
    text
}

#[test]
fn a_killed_job_goes_on_exactly_on_a_machine_that_lives() {
    let place = Place::new();
    place.file("part.nc", spread(MOTIONS));
    let (_sim, address) = machine(&place, "speed=20");
    killed_job(&place, &address);
    let ran = place.run(&["resume", "--yes"]);
    ran.expect(0, &["the machine stands where line", "finished"]);
    let cuts = cuts(&place);
    assert_eq!(cuts.len(), MOTIONS as usize);
    let repeated: Vec<_> = cuts.iter().filter(|(_, times)| **times != 1).collect();
    assert!(repeated.is_empty(), "{repeated:?}");
    place.run(&["resume"]).expect(8, &["no unfinished job"]);
}

#[test]
fn a_job_whose_controller_was_reset_is_refused_until_somebody_chooses() {
    let place = Place::new();
    place.file("part.nc", spread(MOTIONS));
    killed_job(&place, "sim:grbl?speed=20");
    place
        .run(&["resume", "--yes"])
        .expect(8, &["(restarted)", "--homed"]);
    // The next process may find a controller that shows nothing of it.
    place
        .run(&["checkpoints", "--json"])
        .expect(0, &["\"position_lost\":true"]);
    place.run(&["resume", "--yes", "--homed"]).expect(
        8,
        &["(in-doubt)", "was executed for certain", "--from-retract"],
    );
    let ran = place.run(&["resume", "--yes", "--homed", "--json"]);
    let events: Vec<serde_json::Value> = ran
        .out()
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let doubt = events.iter().find(|event| event["event"] == "in_doubt");
    let doubt = doubt.expect("the lines in doubt");
    assert!(doubt["first"].as_u64() <= doubt["last"].as_u64(), "{doubt}");
    let error = events.last().expect("an error");
    assert_eq!(
        (&error["event"], &error["code"], &error["exit"]),
        (&"error".into(), &"in-doubt".into(), &8.into())
    );
    place
        .run(&["resume", "--plan"])
        .expect(0, &["may have run, and will run again"]);
    // Without somebody to ask, the machine moves only with --yes.
    place
        .run(&["resume", "--homed", "--from-retract"])
        .expect(7, &["nothing was moved"]);
    place
        .run(&["resume", "--homed", "--from-retract", "--yes"])
        .expect(0, &["will run again", "finished"]);
}

/// The rest of the way back would lead elsewhere, and so would the program.
#[test]
fn a_controller_that_restarts_on_the_way_back_ends_it() {
    let place = Place::new();
    place.file("part.nc", spread(MOTIONS));
    killed_job(&place, "sim:grbl?speed=20");
    // Four questions and two lines of the way back.
    let restarts = "sim:grbl?speed=20&fault=reset@line:6";
    let way = [
        "resume",
        "--homed",
        "--from-retract",
        "--yes",
        "-m",
        restarts,
    ];
    place.run(&way).expect(8, &["(restarted)", "--homed"]);
    let ran = place.run(&["checkpoints", "--json"]);
    let newest: serde_json::Value =
        serde_json::from_str(ran.out().lines().next().expect("a record")).expect("an object");
    assert_eq!(newest["reason"], "approach", "{newest}");
    assert_eq!(newest["position_lost"], true, "{newest}");
}

#[test]
fn a_cancelled_job_comes_back_with_everything_that_the_reset_took_away() {
    let place = Place::new();
    place.file(
        "part.nc",
        "G21 G90\nG0 Z5\nG0 X1 Y0\nG92 X0\nM3 S1000\nG1 Z-1 F100\nM0\nG1 X2\nG1 X3\nG0 Z5\n",
    );
    let (_sim, address) = machine(&place, "speed=max");
    place
        .run(&["run", "part.nc", "-m", &address])
        .expect(7, &["M0"]);
    // Giving up at the stop has reset the controller, and with it the offset of G92.
    place
        .run(&["resume", "--yes", "--m0", "skip"])
        .expect(0, &["G0 X1 Y0", "M3 S1000", "G92 X0", "finished"]);
    let cuts = cuts(&place);
    assert_eq!(
        (cuts["3.000 0.000 -1.000"], cuts["4.000 0.000 -1.000"]),
        (1, 1)
    );
}

#[test]
fn a_plan_is_written_edited_and_given_back() {
    let place = Place::new();
    let program = "G21 G90\nG0 Z5\nG0 X1 Y0\nM3 S1000\nG1 Z-1 F100\nM0\nG1 X2\nG1 X3\nG0 Z5\n";
    place.file("part.nc", program);
    place
        .run(&["run", "part.nc", "-m", FAST])
        .expect(7, &["M0"]);
    place
        .run(&["resume", "--plan", "--output", "way.nc"])
        .expect(0, &[]);
    let plan = fs::read_to_string(place.path("way.nc")).expect("a plan");
    assert!(
        plan.contains("G0 Z7") && plan.ends_with("line 6\n"),
        "{plan}"
    );
    let resume = |file: &str| {
        place.run(&[
            "resume",
            "--homed",
            "--yes",
            "--m0",
            "skip",
            "--approach",
            file,
        ])
    };
    resume("none.nc").expect(3, &["none.nc", "--plan --output"]);
    place.file("bad.nc", plan.replace("M3 S1000", "M6 T1"));
    resume("bad.nc").expect(8, &["(plan-unusable)"]);
    place.file("other.nc", plan.replace("with line 6", "with line 7"));
    resume("other.nc").expect(8, &["(plan-unusable)", "line 7"]);
    // A line that the controller refuses: the machine is on its way, and the place is not lost.
    place.file("arc.nc", plan.replace("G0 Z7", "G2 X50 Y50 R1 F100"));
    resume("arc.nc").expect(6, &["approach line G2X50Y50R1F100", "error:"]);
    place.file("way.nc", plan.replace("G0 Z7", "G0 Z9"));
    resume("way.nc").expect(0, &["G0 Z9", "finished"]);
}

#[test]
fn lines_are_chosen_from_those_that_move() {
    let place = Place::new();
    place.file("part.nc", "G21 G90\nG0 Z5\nG0 X1\nM0\nM8\nG0 X2\nM9\n");
    place
        .run(&["run", "part.nc", "-m", FAST])
        .expect(7, &["M0"]);
    let plan = |line: &str| place.run(&["resume", "--plan", "--from-line", line]);
    plan("5").expect(0, &["M8", "goes on with line 6", "will not run"]);
    plan("2").expect(0, &["lines 2 to 3 may have run, and will run again"]);
    plan("7").expect(8, &["(not-a-motion)", "choose an earlier line"]);
    plan("8").expect(8, &["(line-out-of-range)", "choose a line from 1 to 7"]);
    place
        .run(&["resume", "--plan", "--clearance", "-1"])
        .expect(2, &["the clearance has to be between 0 and 1000 mm"]);
    place
        .run(&["resume", "--plan", "--safe-z-machine", "-1.5"])
        .expect(0, &["G53 G0 Z-1.5"]);
}

#[test]
fn a_laser_and_a_printer_come_back_in_their_own_way() {
    let place = Place::new();
    place.file(
        "laser.nc",
        "G21 G90\nG0 X1 Y1\nM4 S300\nG1 X5 F900\nM0\nG1 X9\nM5\n",
    );
    place
        .run(&["run", "laser.nc", "-m", FAST])
        .expect(7, &["M0"]);
    let ran = place.run(&["resume", "--plan", "--laser"]);
    ran.expect(0, &["the beam is off until", "M4 S300"]);
    assert!(!ran.out().contains("G4 P"), "{}", ran.out());
    let print = "G28\nM140 S60\nM104 S205\nM190 S60\nM109 S205\nG92 E0\nG1 X10 Y10 Z0.3 F1200\nG1 X20 E1\nM0\nG1 X30 E2\n";
    place.file("print.gcode", print);
    place
        .run(&[
            "run",
            "print.gcode",
            "-m",
            "sim:marlin?speed=max",
            "--m0",
            "ask",
        ])
        .expect(7, &["M0"]);
    place.run(&["resume", "--plan", "--prime", "5"]).expect(
        0,
        &[
            "M190 S60",
            "M109 S205",
            "G0 Z5.3",
            "G1 E5",
            "G92 E1",
            "goes on with line 9",
        ],
    );
    place
        .run(&["resume", "--homed", "--yes", "--m0", "skip"])
        .expect(0, &["finished"]);
}

#[test]
fn a_job_killed_before_its_first_motion_is_planned_from_its_beginning() {
    let place = Place::new();
    place.file("part.nc", zigzag(20));
    place.run(&["resume"]).expect(8, &["no unfinished job"]);
    place
        .run(&["resume", "nothing", "--from-line", "1", "--from-retract"])
        .expect(2, &["--from-retract"]);
}
