use std::path::PathBuf;

use feedhold_session::vet;
use feedhold_stream_core::dialect::Dialect;
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
            ceiling: executed + 100,
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

    fn plan(&self, record: &Record) -> Result<Plan, Error> {
        plan(record, &self.vetted(), &self.settings)
    }

    fn refusal(&self, record: &Record) -> Refusal {
        match self.plan(record) {
            Err(Error::Resume(refusal)) => refusal,
            other => panic!("{other:?} is no refusal"),
        }
    }
}

fn lines(plan: &Plan) -> Vec<&str> {
    plan.approach
        .iter()
        .map(|step| step.line.as_str())
        .collect()
}

#[test]
fn a_mill_goes_up_over_on_and_down_before_the_modes_come_back() {
    let text = "G20 G90 G55\nM3 S8000\nM8\nG0 Z1\nX1 Y2\nG1 Z-0.1 F10\nX3 F20\nG0 Z2\n";
    let part = part(Dialect::Grbl, text);
    let plan = part.plan(&part.record(7)).expect("a plan");
    assert_eq!(plan.offset, text.find("G0 Z2").expect("there") as u64);
    assert_eq!(
        lines(&plan),
        [
            "G21 G90 G94 G17",
            "G55",
            "G0 Z50.8",
            "G0 X76.2 Y50.8",
            "M3 S8000",
            "M8",
            "G4 P3",
            "G1 Z-2.54 F100",
            "G1 F508",
            "G20",
            "G1",
        ]
    );
    assert!(
        plan.to_string().ends_with("the job goes on with line 8\n"),
        "{plan}"
    );
}

#[test]
fn a_printer_heats_before_it_moves() {
    let text = "G28\nM140 S60\nM104 S205\nM83\nG92 E0\nM106 S128\nG1 X10 Y20 Z0.3 F1200\nG1 X20 E0.5\nG1 X30 E0.5\n";
    let part = part(Dialect::Marlin, text);
    let plan = part.plan(&part.record(8)).expect("a plan");
    assert_eq!(
        lines(&plan),
        [
            "M140 S60",
            "M104 S205",
            "M190 S60",
            "M109 S205",
            "M106 S128",
            "G21",
            "G90",
            "M82",
            "G92 E0.5",
            "G0 Z5.3 F600",
            "G0 X20 Y20 F3000",
            "G1 Z0.3 F600",
            "G1 F1200",
            "M83",
        ]
    );
}

#[test]
fn what_cannot_be_restored_is_refused_with_its_line() {
    let line = 3;
    for (text, want) in [
        (
            "G0 X1\nG91\nG1 X1 F100\nX1\n",
            Refusal::Incremental { line },
        ),
        (
            "G91\nG0 X1\nG90\nG0 Y1\n",
            Refusal::PositionUnknown { axis: 'X', line },
        ),
        (
            "G0 X1\nG92 X0\nG0 X1\nX1\n",
            Refusal::NotRestorable {
                what: "an offset set by G92".into(),
                line,
            },
        ),
        (
            "G1 X1 F100\nG2 X2 R5\nX3 R5\nX4 R5\n",
            Refusal::BareArc { line: 4 },
        ),
    ] {
        let part = part(Dialect::Grbl, text);
        assert_eq!(part.refusal(&part.record(line)), want, "{text:?}");
    }
}

#[test]
fn an_arc_mode_that_the_next_motion_leaves_is_no_obstacle() {
    let part = part(Dialect::Grbl, "G1 X1 Y0 F100\nG2 X2 R5\nM8\nG1 X4\n");
    assert!(part.plan(&part.record(3)).is_ok());
}

#[test]
fn records_that_do_not_fit_are_refused() {
    let part = part(Dialect::Grbl, "G0 X1\nX2\nX3\n");
    let clean = part.record(1);
    let doubt = Record {
        sent: 2,
        ..clean.clone()
    };
    assert_eq!(
        part.refusal(&doubt),
        Refusal::InDoubt {
            executed: 1,
            last: 101,
            why: Doubt::Unproved
        }
    );
    let crashed = Record {
        reason: Reason::Interval,
        ..clean.clone()
    };
    assert_eq!(
        part.refusal(&crashed),
        Refusal::InDoubt {
            executed: 1,
            last: 101,
            why: Doubt::Unproved
        }
    );
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
