use feedhold_session::Reason;
use feedhold_stream_core::dialect::Dialect;
use tempfile::{TempDir, tempdir};

use super::*;

fn jobs() -> (TempDir, Jobs) {
    let dir = tempdir().expect("a directory");
    let jobs = Jobs::at(dir.path().join("state"));
    (dir, jobs)
}

fn file(path: &str) -> FileIdentity {
    FileIdentity {
        path: path.into(),
        bytes: 3,
        lines: 1,
        digest: [0xab; 32],
    }
}

fn record(path: &str, executed: u64) -> Record {
    Record {
        file: file(path),
        machine: "sim:grbl".into(),
        dialect: "grbl".into(),
        executed,
        acked: executed,
        sent: executed,
        ceiling: executed,
        elapsed: Duration::ZERO,
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

fn settings() -> Settings {
    Settings::new(Dialect::Grbl)
}

#[test]
fn names_are_plain_and_never_leave_the_root() {
    for (path, want) in [
        ("/a/part.nc", "part-abababab"),
        ("Nut M8 (v2).gcode", "Nut-M8--v2-abababab"),
        ("/a/\u{e9}\u{e9}.nc", "job-abababab"),
        ("..", "job-abababab"),
        ("/a/.hidden", "hidden-abababab"),
    ] {
        assert_eq!(base_name(&file(path)), want, "{path}");
    }
    let (_dir, jobs) = jobs();
    jobs.begin(&file("a.nc"), &settings()).expect("begun");
    for name in ["", ".", "..", "../state", "/", "a-abababab/", "none"] {
        assert!(
            matches!(jobs.open(name), Err(JobsError::Unknown { .. })),
            "{name:?}"
        );
    }
}

#[test]
fn unfinished_jobs_of_one_file_lie_beside_each_other_and_finished_ones_make_room() {
    let (_dir, jobs) = jobs();
    let mut first = jobs.begin(&file("a.nc"), &settings()).expect("begun");
    first.store.commit(&record("a.nc", 5)).expect("written");
    let second = jobs
        .begin(&file("a.nc"), &settings())
        .expect("begun beside it");
    assert_eq!(
        (first.name.as_str(), second.name.as_str()),
        ("a-abababab", "a-abababab-2")
    );
    first.store.finish().expect("finished");
    drop((first, second));
    let third = jobs.begin(&file("a.nc"), &settings()).expect("begun");
    assert_eq!(third.name, "a-abababab");
}

#[test]
fn the_list_tells_what_the_records_say() {
    let (_dir, jobs) = jobs();
    assert!(jobs.list().expect("an empty list").is_empty());
    assert!(matches!(
        jobs.latest_unfinished(),
        Err(JobsError::NoneUnfinished { .. })
    ));
    for (name, executed) in [("a.nc", 1), ("b.nc", 2)] {
        let mut begun = jobs.begin(&file(name), &settings()).expect("begun");
        begun
            .store
            .commit(&record(name, executed))
            .expect("written");
        if name == "b.nc" {
            begun.store.finish().expect("finished");
        }
    }
    fs::create_dir(jobs.root().join("no-job")).expect("a directory");
    let mut names: Vec<_> = jobs
        .list()
        .expect("a list")
        .into_iter()
        .map(|known| known.name)
        .collect();
    names.sort();
    assert_eq!(names, ["a-abababab", "b-abababab"]);
    assert_eq!(jobs.latest_unfinished().expect("one is left"), "a-abababab");
    let opened = jobs.open("a-abababab").expect("opened");
    assert_eq!(opened.store.latest().map(|record| record.executed), Some(1));
    assert_eq!(jobs.settings("a-abababab").expect("written"), settings());
}

#[test]
fn missing_settings_are_named() {
    let (_dir, jobs) = jobs();
    let begun = jobs.begin(&file("a.nc"), &settings()).expect("begun");
    fs::remove_file(jobs.root().join(&begun.name).join("job.json")).expect("removed");
    let error = jobs.settings(&begun.name).expect_err("gone").to_string();
    assert!(
        error.contains("job.json") && error.contains("start the job anew"),
        "{error}"
    );
}
