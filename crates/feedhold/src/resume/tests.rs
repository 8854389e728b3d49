use std::path::PathBuf;

use feedhold_session::vet;
use feedhold_stream_core::dialect::{Coordinates, Dialect};
use tempfile::{TempDir, tempdir};

use super::*;

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

#[test]
fn a_chosen_line_names_what_it_repeats_and_leaves_out() {
    let part = part(Dialect::Grbl, SLOTS);
    let killed = killed(&part);
    let lines = |first, last| Some(InDoubt { first, last });
    let chosen = |choice| {
        let plan = part.chosen(&killed, choice).expect("a plan");
        (plan.done, plan.repeats, plan.skips)
    };
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
        Ok(vec!["G0Z20".to_owned(), "M3S5".to_owned()])
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
