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
    let doubt = Record {
        sent: 2,
        ceiling: 101,
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
        ceiling: 101,
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
