//! Files that cannot be sent, change, or do not fit into memory.

use std::{path::Path, time::Duration};

use feedhold_session::{Cause, Ending, RunError, SourceError, Vetted, vet};
use feedhold_stream_core::{
    budget::Budget,
    dialect::Dialect,
    wire::{Chain, ChainConfig, Pack},
};
use tempfile::TempDir;

use crate::world::{Plan, World, finished, moves};

fn vetted(path: &Path) -> Result<Vetted, SourceError> {
    vet(path, &Chain::new(ChainConfig::new(Dialect::Grbl)), |_| true)
}

#[test]
fn bad_files_are_refused_with_place_and_remedy() {
    let dir = TempDir::new().expect("a directory");
    let long = vec![b'('; 1 << 20];
    for (name, content, words) in [
        ("missing", None, "check that it exists"),
        ("empty", Some(b"".as_slice()), "holds no line"),
        ("comments", Some(b"(nothing)\n; to do\n\n"), "holds no line"),
        ("unknown", Some(b"G1 X1 F100\nG64 P0.1\n"), "line 2"),
        ("nul", Some(b"G1 X1\0\n"), "line 1"),
        ("utf16", Some(b"\xff\xfeG\x001\x00\n\x00"), "UTF-16"),
        ("number", Some(b"G1 X1..2\n"), "line 1"),
        ("endless", Some(&long), "line 1"),
        ("realtime", Some(b"G1 X1\nG1 X2 !\n"), "line 2"),
    ] {
        let path = dir.path().join(name);
        if let Some(content) = content {
            std::fs::write(&path, content).expect("a file");
        }
        let error = vetted(&path).expect_err(name).to_string();
        assert!(
            error.contains(words) && error.contains(name),
            "{name}: {error}"
        );
    }
    let error = vetted(dir.path()).expect_err("a directory");
    assert!(matches!(error, SourceError::NotAFile { .. }), "{error}");
}

#[test]
fn odd_files_that_say_the_same_are_the_same_job() {
    let dir = TempDir::new().expect("a directory");
    for (name, content) in [
        ("lf", b"G21\nG1 X1 F100\n".as_slice()),
        ("crlf", b"G21\r\nG1 X1 F100\r\n"),
        ("cr", b"G21\rG1 X1 F100\r"),
        ("no end", b"G21\nG1 X1 F100"),
        ("bom", b"\xef\xbb\xbfG21\nG1 X1 F100\n"),
        ("blanks", b"  G21\nG1   X1 F100 (to the left)\n"),
    ] {
        let path = dir.path().join(name);
        std::fs::write(&path, content).expect("a file");
        let vetted = vetted(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            (vetted.identity.lines, vetted.wire_lines, vetted.motions),
            (2, 2, 1),
            "{name}"
        );
        assert_eq!(vetted.wire_bytes, 13, "{name}");
        assert_eq!(vetted.identity.digest, *blake3::hash(content).as_bytes());
    }
}

#[test]
fn vetting_can_be_given_up() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("long");
    std::fs::write(&path, moves(50_000)).expect("a file");
    let chain = Chain::new(ChainConfig::new(Dialect::Grbl));
    let mut reports = 0;
    let error = vet(&path, &chain, |_| {
        reports += 1;
        reports < 2
    });
    assert!(matches!(error, Err(SourceError::Stopped)));
    assert_eq!(reports, 2);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changes_before_the_job_is_not_begun() {
    let world = World::new().await;
    for change in [moves(9), "G1X1F500\nG1X2F500\nG1X4F500\n".to_owned()] {
        let job = world.job(&moves(3));
        let later = std::time::SystemTime::now() + Duration::from_secs(5);
        std::fs::write(world.file(), change).expect("a file");
        let file = std::fs::File::options()
            .write(true)
            .open(world.file())
            .expect("a file");
        file.set_modified(later).expect("a time");
        let error = world.handle.run(job).await.expect_err("another file");
        assert!(
            matches!(error, RunError::Source(SourceError::FileChanged { .. })),
            "{error}"
        );
    }
    assert!(world.machine.program().is_empty());
    let job = world.job(&moves(3));
    assert_eq!(
        world.handle.run(job).await.expect("it begins").ending,
        Ending::Finished
    );
}

/// The content is what counts: even a change that keeps length and time is found when the file was read to its end.
#[tokio::test(start_paused = true)]
async fn a_file_that_changes_during_the_job_stops_it() {
    for quietly in [false, true] {
        let mut world = World::new().await;
        world.bench(|bench| bench.line_time = Duration::from_millis(20));
        let text = moves(60_000);
        let running = world.start(world.job(&text)).await;
        world.until(|| world.machine.bench().answered > 100).await;
        let before = std::fs::metadata(world.file())
            .expect("a file")
            .modified()
            .expect("a time");
        let mut changed = text.clone();
        changed.replace_range(text.len() - 5.., "F900\n");
        std::fs::write(world.file(), changed).expect("a file");
        let time = if quietly {
            before
        } else {
            before + Duration::from_secs(7)
        };
        let file = std::fs::File::options()
            .write(true)
            .open(world.file())
            .expect("a file");
        file.set_modified(time).expect("a time");
        world.bench(|bench| bench.line_time = Duration::ZERO);
        let outcome = finished(running).await;
        let Ending::Failed {
            cause: Cause::Source,
            message,
        } = &outcome.ending
        else {
            panic!("{outcome:?}");
        };
        assert!(message.contains("has changed"), "{message}");
        assert_eq!(
            outcome.positions.executed, outcome.positions.sent,
            "the machine finished what it had"
        );
        let story = world.story();
        assert!(
            story.contains("ChunkFailed") && story.contains("ProcessingStopped"),
            "{story}"
        );
        assert!(
            !world
                .machine
                .program()
                .iter()
                .any(|line| line.ends_with("F900"))
        );
        let again = world
            .handle
            .run(world.job("G1 X1 F500\n"))
            .await
            .expect("ready again");
        assert_eq!(again.ending, Ending::Finished);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_beside_the_machine_cannot_be_resumed() {
    let world = World::new().await;
    world.bench(|bench| bench.line_time = Duration::from_millis(20));
    let running = world.start(world.job(&moves(60_000))).await;
    world.until(|| world.machine.bench().answered > 100).await;
    std::fs::write(world.file(), "G1 X1\n").expect("a file");
    world.bench(|bench| bench.line_time = Duration::from_millis(1));
    world
        .state(|state| state == feedhold_session::State::Pausing)
        .await;
    let error = world.handle.resume().await.expect_err("it fails");
    assert!(error.to_string().contains("has changed"), "{error}");
    assert!(matches!(
        finished(running).await.ending,
        Ending::Failed { .. }
    ));
}

#[tokio::test(start_paused = true)]
async fn small_budgets_are_kept_and_too_small_ones_refused() {
    for dialect in [Dialect::Grbl, Dialect::Marlin] {
        for kib in [33, 40, 64, 256] {
            let budget = Budget::new(kib << 10);
            let world = Plan::of(dialect)
                .config(|config| config.budget(budget.clone()))
                .open()
                .await;
            let outcome = world
                .handle
                .run(world.job(&moves(5000)))
                .await
                .expect("it begins");
            assert_eq!(outcome.ending, Ending::Finished, "{kib} KiB on {dialect:?}");
            assert_eq!(world.machine.program().len(), 5000);
            assert!(budget.high_water() <= budget.limit());
        }
        let world = Plan::of(dialect)
            .config(|config| config.budget(Budget::new(5000)))
            .open()
            .await;
        let outcome = world
            .handle
            .run(world.job(&moves(5000)))
            .await
            .expect("it begins");
        let Ending::Failed {
            cause: Cause::Source,
            message,
        } = outcome.ending
        else {
            panic!("{outcome:?}");
        };
        assert!(
            message.contains("the budget is 5000; give the job a larger budget"),
            "{message}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_no_line_start_is_refused() {
    let world = World::new().await;
    let text = "G1X1F500\r\nG1X2F500\nG1X3F500";
    for (done, offset, fits) in [
        (0, 0, true),
        (1, 10, true),
        (2, 19, true),
        (3, 27, true),
        (1, 9, false),
        (1, 11, false),
        (1, 0, false),
        (0, 10, false),
        (9, 1000, false),
    ] {
        let job = world.job(text).starting_behind(done, offset);
        let ran = world.handle.run(job).await;
        match ran {
            Ok(outcome) => assert!(
                fits && outcome.ending == Ending::Finished,
                "{done} {offset}"
            ),
            Err(error) => {
                assert!(!fits, "{error}");
                assert!(
                    matches!(error, RunError::Source(SourceError::NoLineStart { .. })),
                    "{error}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lossless_packing_is_proved_and_streamed() {
    let world = World::new().await;
    let text: String = (1..9000)
        .map(|at| format!("G1 X{at}.000 Y0.500 F500.0\n"))
        .collect();
    let packed = ChainConfig::new(Dialect::Grbl).with_pack(Pack::Lossless);
    let job = world.job_with(&text, packed.clone());
    assert_eq!(
        world.handle.run(job).await.expect("it begins").ending,
        Ending::Finished
    );
    let whole = world.machine.program();
    assert!(
        whole.iter().filter(|line| line.starts_with('X')).count() > 8900,
        "{:?}",
        &whole[..5]
    );

    // Behind a place in the middle nothing is known about the lines before, so only spaces go.
    let offset: usize = text.lines().take(100).map(|line| line.len() + 1).sum();
    let resumed = World::new().await;
    let job = resumed
        .job_with(&text, packed)
        .starting_behind(100, offset as u64);
    assert_eq!(
        resumed.handle.run(job).await.expect("it begins").ending,
        Ending::Finished
    );
    assert!(
        resumed
            .machine
            .program()
            .iter()
            .all(|line| line.starts_with("G1X"))
    );
}
