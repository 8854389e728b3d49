use std::path::PathBuf;

use feedhold_session::vet;
use feedhold_stream_core::dialect::{Coordinates, Dialect, Response, ResponseReader};
use tempfile::{TempDir, tempdir};

use super::*;
use crate::jobs::Jobs;

struct Part {
    _dir: TempDir,
    path: PathBuf,
    settings: Settings,
}

fn part(dialect: Dialect, text: &str) -> Part {
    let dir = tempdir().expect("a directory");
    let path = dir.path().join("part.nc");
    std::fs::write(&path, text).expect("written");
    Part {
        _dir: dir,
        path,
        settings: Settings::new(dialect),
    }
}

impl Part {
    fn vetted(&self) -> Vetted {
        vet(&self.path, &self.settings.chain().expect("a chain"), |_| {
            true
        })
        .expect("a sound file")
    }

    fn record(&self, executed: u64) -> Record {
        Record {
            file: self.vetted().identity,
            machine: "sim:grbl".into(),
            dialect: self.settings.dialect.name().into(),
            executed,
            acked: executed,
            sent: executed,
            ceiling: executed,
            elapsed: std::time::Duration::ZERO,
            written_at_ms: 0,
            reason: Reason::Paused,
            controller: None,
            baseline: None,
            position: None,
            anchor: None,
            decided: None,
            position_lost: false,
        }
    }

    fn stopped(&self, record: &Record) -> Result<Stopped, Error> {
        Stopped::new(record.clone(), self.vetted(), &self.settings)
    }

    fn chosen(&self, record: &Record, choice: Choice) -> Result<Plan, Error> {
        self.stopped(record)?.plan(choice, Approach::new())
    }

    fn plan(&self, record: &Record) -> Result<Plan, Error> {
        self.chosen(record, Choice::Executed)
    }

    /// What the controller allows by itself, as a code or as what the plan does.
    fn decide(&self, record: &Record, facts: &Facts, homed: Homed) -> String {
        let stopped = self.stopped(record).expect("a job to go on with");
        match stopped.decide(facts, homed, Approach::new()) {
            Ok(plan) if plan.seamless => format!("seamless behind {}", plan.done),
            Ok(plan) => format!("approach behind {}", plan.done),
            Err(Error::Resume(refusal)) => refusal.code().to_owned(),
            Err(other) => panic!("{other:?} is no refusal"),
        }
    }

    fn refusal(&self, record: &Record) -> Refusal {
        match self.plan(record) {
            Err(Error::Resume(refusal)) => refusal,
            other => panic!("{other:?} is no refusal"),
        }
    }
}

#[test]
fn the_place_is_found_in_the_file() {
    let text = "G20 G90 G55\r\n(a comment)\n\nG0 Z1\nX1 Y2\nG1 Z-0.1 F10\nX3 F20\nG0 Z2\n";
    let part = part(Dialect::Grbl, text);
    let plan = part.plan(&part.record(7)).expect("a plan");
    assert_eq!(plan.offset, text.find("G0 Z2").expect("there") as u64);
    assert_eq!(plan.done, 7);
    let over = plan
        .approach
        .iter()
        .find(|step| step.purpose == "over the place");
    assert_eq!(over.map(|step| step.line.as_str()), Some("G0 X76.2 Y50.8"));
}

#[test]
fn what_cannot_be_restored_is_refused() {
    let part = part(Dialect::Grbl, "G1 X1 F100\nG2 X2 R5\nX3 R5\nX4 R5\n");
    assert_eq!(part.refusal(&part.record(3)), Refusal::BareArc { line: 4 });
}

#[test]
fn records_that_do_not_fit_are_refused() {
    let part = part(Dialect::Grbl, "G0 X1\nX2\nX3\n");
    let clean = part.record(1);
    let finished = Record {
        reason: Reason::Finished,
        ..clean.clone()
    };
    assert_eq!(part.refusal(&finished), Refusal::Finished);
    assert_eq!(
        part.refusal(&part.record(3)),
        Refusal::NothingLeft { lines: 3 }
    );
    std::fs::write(&part.path, "G0 X1\nX2\nX4\n").expect("written");
    assert_eq!(
        part.refusal(&clean),
        Refusal::FileChanged {
            path: part.path.clone()
        }
    );
}

/// A grbl that stands still at a place, with every offset 0.
fn facts(place: [f64; 3]) -> Facts {
    let mut facts = Facts::new(Dialect::Grbl);
    facts.identity.firmware = "1.1h.20190830".into();
    facts.machine_position = Some(Coordinates::new(&place).expect("three axes"));
    facts.offsets = baseline().offsets;
    facts
}

fn baseline() -> Baseline {
    let mut baseline = Baseline::default();
    baseline.offsets.systems = [Some([0.0; 3]); 6];
    baseline.offsets.g92 = Some([0.0; 3]);
    baseline.offsets.tool_length = Some(0.0);
    baseline
}

const SLOTS: &str = "G0 Z5\nG0 X1 Y1\nG1 Z-1 F100\nG1 X2\nG1 X3\nG0 Z5\nG0 X9\nG1 Z-1\nG1 X8\n";

/// Killed while lines 4 to 8 were on their way.
fn killed(part: &Part) -> Record {
    Record {
        ceiling: 8,
        sent: 6,
        acked: 5,
        reason: Reason::Interval,
        controller: Some((&facts([0.0; 3]).identity).into()),
        baseline: Some((&baseline()).into()),
        ..part.record(3)
    }
}

#[test]
fn a_controller_that_lives_tells_where_the_job_stands() {
    let part = part(Dialect::Grbl, SLOTS);
    let (killed, paused) = (killed(&part), part.record(4));
    let paused = Record {
        baseline: killed.baseline.clone(),
        ..paused
    };
    let unknown = |record, facts: Facts| part.decide(record, &facts, Homed::Unknown);
    assert_eq!(
        unknown(&killed, facts([3.0, 1.0, -1.0])),
        "seamless behind 5"
    );
    assert_eq!(unknown(&killed, facts([2.5, 1.0, -1.0])), "moved");
    assert_eq!(
        unknown(&paused, facts([2.0, 1.0, -1.0])),
        "seamless behind 4"
    );
    // Jogged away: everything that was sent has run, so the approach brings it back.
    assert_eq!(
        unknown(&paused, facts([50.0, 1.0, 20.0])),
        "approach behind 4"
    );
    let mut elsewhere = facts([3.0, 1.0, -1.0]);
    elsewhere.offsets.systems[0] = Some([0.0, 0.0, 0.5]);
    assert_eq!(unknown(&killed, elsewhere), "offsets-differ");
    let mut other = facts([3.0, 1.0, -1.0]);
    other.identity.note = "the other mill".into();
    assert_eq!(unknown(&killed, other), "foreign-device");
    let mut reset = facts([0.0; 3]);
    reset.was_reset = true;
    assert_eq!(unknown(&killed, reset.clone()), "restarted");
    assert_eq!(part.decide(&killed, &reset, Homed::Confirmed), "in-doubt");
    assert_eq!(
        part.decide(&paused, &reset, Homed::Confirmed),
        "approach behind 4"
    );
}

/// What ran in a controller that had restarted ran from another place, and its position looks as if nothing had been.
#[test]
fn where_a_machine_stands_proves_nothing_once_its_controller_was_seen_to_restart() {
    let part = part(Dialect::Grbl, SLOTS);
    let lost = |record: Record| Record {
        position_lost: true,
        ..record
    };
    let killed = lost(killed(&part));
    let paused = lost(Record {
        baseline: killed.baseline.clone(),
        ..part.record(4)
    });
    for (record, place) in [(&killed, [3.0, 1.0, -1.0]), (&paused, [2.0, 1.0, -1.0])] {
        let decided = part.decide(record, &facts(place), Homed::Unknown);
        assert_eq!(decided, "restarted");
    }
    let there = facts([3.0, 1.0, -1.0]);
    assert_eq!(part.decide(&killed, &there, Homed::Confirmed), "in-doubt");
    assert_eq!(
        part.decide(&paused, &there, Homed::Confirmed),
        "approach behind 4"
    );
    // Whoever goes on says that it was homed; what the restart took away is not what the job began with any more.
    let stopped = part.stopped(&killed).expect("a job to go on with");
    let plan = stopped.plan_beside(Choice::Retract, &there, Approach::new());
    let plan = plan.expect("a plan");
    assert!(!stopped.record(&plan, Some(&there)).position_lost);
    assert_eq!(
        stopped.set_up(&plan, Some(&there)),
        Some(Setup::from(&there.baseline()))
    );
}

#[test]
fn a_restart_is_written_down_once() {
    let part = part(Dialect::Grbl, SLOTS);
    let stopped = part.stopped(&killed(&part)).expect("a job to go on with");
    let lost = stopped.record_of_restart().expect("it is new");
    assert!(lost.position_lost);
    let before = killed(&part);
    assert_eq!(
        (lost.executed, lost.ceiling, lost.reason),
        (before.executed, before.ceiling, before.reason)
    );
    let again = part.stopped(&lost).expect("a job to go on with");
    assert_eq!(again.record_of_restart(), None);
}

#[test]
fn a_chosen_line_names_what_it_repeats_and_leaves_out() {
    let part = part(Dialect::Grbl, SLOTS);
    let killed = killed(&part);
    let lines = |first, last| Some(InDoubt { first, last });
    let chosen = |choice| {
        let plan = part.chosen(&killed, choice).expect("a plan");
        (plan.done, plan.repeats, plan.skips)
    };
    assert_eq!(chosen(Choice::Executed), (3, lines(4, 8), None));
    assert_eq!(chosen(Choice::Retract), (1, lines(2, 8), None));
    assert_eq!(chosen(Choice::Line(5)), (4, lines(5, 8), lines(4, 4)));
    assert_eq!(chosen(Choice::Line(9)), (8, None, lines(4, 8)));
    let refused = |choice| match part.chosen(&killed, choice) {
        Err(Error::Resume(refusal)) => refusal.code(),
        other => panic!("{other:?} is no refusal"),
    };
    assert_eq!(refused(Choice::Line(0)), "line-out-of-range");
    assert_eq!(refused(Choice::Line(10)), "line-out-of-range");
}

#[test]
fn behind_the_last_motion_there_is_nothing_to_begin_with() {
    let part = part(Dialect::Grbl, "G0 Z5\nG0 X1\nM5\nM2\n");
    let begun = part.chosen(&part.record(1), Choice::Line(3));
    assert!(matches!(
        begun,
        Err(Error::Resume(Refusal::NotAMotion { line: 3 }))
    ));
}

#[test]
fn what_is_decided_is_written_down_before_anything_moves() {
    let part = part(Dialect::Grbl, SLOTS);
    let killed = killed(&part);
    let stopped = part.stopped(&killed).expect("a job to go on with");
    let plan = stopped
        .plan(Choice::Line(5), Approach::new())
        .expect("a plan");
    let record = stopped.record(&plan, Some(&facts([0.0; 3])));
    assert_eq!(record.reason, Reason::Approach);
    assert_eq!((record.executed, record.sent, record.ceiling), (4, 4, 4));
    assert_eq!(record.decided, Some(InDoubt { first: 4, last: 8 }));
    let again = part.stopped(&record).expect("a job to go on with");
    assert_eq!(again.in_doubt(), None);
    // Lines that were executed for certain and are run again were decided about as well.
    let plan = stopped
        .plan(Choice::Line(2), Approach::new())
        .expect("a plan");
    let record = stopped.record(&plan, Some(&facts([0.0; 3])));
    assert_eq!(record.decided, plan.repeats);
}

#[test]
fn lines_of_an_edited_plan_are_vetted() {
    let part = part(Dialect::Grbl, SLOTS);
    let stopped = part.stopped(&part.record(4)).expect("a job to go on with");
    let plan = stopped
        .plan(Choice::Executed, Approach::new())
        .expect("a plan");
    let wire = |text: &str| {
        let edited = plan.clone().edited(text).expect("for this place");
        stopped.wire(&edited)
    };
    assert_eq!(
        wire("G0 Z20 (higher)\n(nothing)\nM3 S5 ; slowly\n"),
        Ok(["G0Z20", "M3S5", "G4 P0.01", "G4 P0.01"]
            .map(str::to_owned)
            .to_vec())
    );
    for (text, line) in [("G0 Z20\nG64\n", 2), ("M0\n", 1), ("G0 Z5 !\n", 1)] {
        match wire(text) {
            Err(Refusal::PlanUnusable { line: at, .. }) => assert_eq!(at, line, "{text}"),
            other => panic!("{other:?} is no refusal of {text}"),
        }
    }
}

#[test]
fn states_and_records_that_stand_against_it_have_codes() {
    let greeting = |error: &GreetingError, homed| {
        refusal_of_greeting(error, homed).map(|refusal| refusal.code())
    };
    let busy = |state: &str| GreetingError::NotIdle {
        state: state.into(),
    };
    assert_eq!(
        greeting(&GreetingError::Locked, Homed::Unknown),
        Some("alarm")
    );
    assert_eq!(
        greeting(&GreetingError::Locked, Homed::Confirmed),
        Some("not-homed")
    );
    assert_eq!(greeting(&busy("Hold:0"), Homed::Unknown), Some("held"));
    assert_eq!(greeting(&busy("Door:1"), Homed::Unknown), Some("door-open"));
    assert_eq!(greeting(&busy("Jog"), Homed::Unknown), Some("busy"));
    assert_eq!(greeting(&GreetingError::Silent, Homed::Unknown), None);
    let records = |error| refusal_of_records(&JobsError::Open(error)).map(|refusal| refusal.code());
    let place = || "a store".to_owned();
    assert_eq!(
        records(OpenError::RecordVersion {
            place: place(),
            found: 9,
            expected: 2
        }),
        Some("record-version")
    );
}

/// Every code of the closed list, and how it comes about.
#[test]
fn every_code_is_reached() {
    let mut reached = std::collections::BTreeSet::new();
    let refused = |result: Result<Plan, Error>| match result {
        Err(Error::Resume(refusal)) => refusal.code(),
        other => panic!("{other:?} is no refusal"),
    };

    // Records and files.
    let slots = part(Dialect::Grbl, SLOTS);
    let killed = killed(&slots);
    let begun = |record: Record| match slots.stopped(&record) {
        Err(Error::Resume(refusal)) => refusal.code(),
        other => panic!("{other:?} is no refusal"),
    };
    let kept = tempdir().expect("a directory");
    let unbegun = Jobs::at(kept.path())
        .begin(&killed.file, &slots.settings)
        .expect("a place for records");
    reached.insert(newest(&unbegun).expect_err("no record").code());
    reached.insert(begun(slots.record(9)));
    reached.insert(begun(Record {
        reason: Reason::Finished,
        ..killed.clone()
    }));
    let mut other_file = killed.clone();
    other_file.file.digest = [7; 32];
    reached.insert(begun(other_file));
    for error in [
        OpenError::Damaged {
            place: "a store".into(),
            damage: feedhold_checkpoint::Damage::NoRecord,
        },
        OpenError::RecordVersion {
            place: "a store".into(),
            found: 9,
            expected: 2,
        },
    ] {
        let refusal = refusal_of_records(&JobsError::Open(error)).expect("a refusal");
        reached.insert(refusal.code());
    }

    // What a controller says of itself.
    let fits = || facts([3.0, 1.0, -1.0]);
    let changes: [fn(&mut Facts); 7] = [
        |facts| facts.was_reset = true,
        |facts| facts.identity.note = "another".into(),
        |facts| facts.machine_position = Coordinates::new(&[70.0, 0.0, 0.0]),
        |facts| facts.offsets.systems[0] = Some([1.0; 3]),
        |facts| facts.words = Some("G1 F999".into()),
        |facts| facts.words = Some("G1 T7".into()),
        |facts| facts.steps_per_mm = Some([80.0; 3]),
    ];
    let mut record = killed.clone();
    if let Some(before) = &mut record.baseline {
        before.steps_per_mm = Some([250.0; 3]);
    }
    let stopped = slots.stopped(&record).expect("a job to go on with");
    for change in changes {
        let mut facts = fits();
        change(&mut facts);
        let decided = stopped.decide(&facts, Homed::Unknown, Approach::new());
        reached.insert(refused(decided));
    }
    let mut reset = fits();
    reset.was_reset = true;
    let decided = stopped.decide(&reset, Homed::Confirmed, Approach::new());
    reached.insert(refused(decided));
    let states = ["Hold:0", "Door:0", "Jog"].map(|state| GreetingError::NotIdle {
        state: state.into(),
    });
    for error in states.iter().chain([&GreetingError::Locked]) {
        for homed in [Homed::Unknown, Homed::Confirmed] {
            reached.extend(refusal_of_greeting(error, homed).map(|refusal| refusal.code()));
        }
    }
    let print = part(
        Dialect::Marlin,
        "M140 S60\nG1 X1 Y1 Z1 F900\nG1 X2\nG1 X3\n",
    );
    reached.insert(refused(Err(cooled(&print))));

    // What the program does.
    let allow = [
        "G41", "G81", "G33", "G5", "G43", "G95", "G68", "M98", "H", "R", "P", "I", "J", "K", "Q",
    ];
    for (dialect, program, done) in [
        (Dialect::Grbl, "M98 P1\nG0 X1\n", 1),
        (Dialect::Marlin, "M808 L2\nG1 X1\n", 1),
        (Dialect::Grbl, "G0 X1\nG91\nG0 Y1\n", 2),
        (Dialect::Grbl, "G41\nG0 X1\n", 1),
        (Dialect::Grbl, "G81 X1 Z-1 R1 F9\nX2\n", 1),
        (Dialect::Grbl, "G0 X1\nG33 Z-1 K1\nX2\n", 2),
        (
            Dialect::Grbl,
            "G0 X1 Y1\nG5 X2 Y2 I1 J1 P1 Q1 F9\nX3 Y3 P1 Q1\n",
            2,
        ),
        (Dialect::Grbl, "G0 X1\nG38.2 F10\nX3\n", 2),
        (Dialect::Grbl, "G43 H1\nG0 X1\n", 1),
        (Dialect::Grbl, "G95\nG0 X1\n", 1),
        (Dialect::Grbl, "G91\nG0 X1\nG0 X1\n", 2),
        (Dialect::Grbl, "G68 R5\nG0 X1\n", 1),
        (Dialect::Grbl, "G1 X1 F9\nG2 X2 R5\nX3 R5\n", 2),
        (Dialect::Marlin, "G1 X1 F9\nG10\nG1 X2\n", 2),
    ] {
        let mut part = part(dialect, program);
        part.settings.allow = allow
            .iter()
            .map(|word| word.parse().expect("a word"))
            .collect();
        reached.insert(refused(part.plan(&part.record(done))));
    }
    reached.insert(refused(slots.chosen(&killed, Choice::Line(99))));
    let ends = part(Dialect::Grbl, "G0 X1\nM5\n");
    reached.insert(refused(ends.chosen(&ends.record(1), Choice::Line(2))));
    let stopped = slots
        .stopped(&slots.record(4))
        .expect("a job to go on with");
    let plan = stopped
        .plan(Choice::Executed, Approach::new())
        .expect("a plan");
    let edited = plan.edited("M0\n").expect("for this place");
    reached.insert(stopped.wire(&edited).expect_err("a stop").code());

    let all: std::collections::BTreeSet<_> = Refusal::CODES.iter().copied().collect();
    let missing: Vec<_> = all.difference(&reached).collect();
    assert!(missing.is_empty(), "not reached: {missing:?}");
}

/// The refusal of a print whose bed has gone cold.
fn cooled(print: &Part) -> Error {
    let mut facts = Facts::new(Dialect::Marlin);
    let mut reader = ResponseReader::new(Dialect::Marlin);
    let mut input = b"X:2.00 Y:1.00 Z:1.00 E:0.00 Count X:160 Y:80 Z:400\nok T:20.0 /0.0 B:31.4 /60.0 @:0 B@:0\n".as_slice();
    while let Some(response) = reader.next(&mut input) {
        match response {
            Response::Temperature(found) => facts.temperatures = Some(found),
            Response::Position(found) => facts.position = Some(found.position),
            _ => {}
        }
    }
    let record = Record {
        ceiling: 4,
        sent: 4,
        reason: Reason::Interval,
        ..print.record(2)
    };
    let stopped = print.stopped(&record).expect("a job to go on with");
    stopped
        .decide(&facts, Homed::Unknown, Approach::new())
        .expect_err("a cold bed")
}
