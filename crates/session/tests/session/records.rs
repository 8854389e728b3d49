//! Records and the send lease.

use std::{path::Path, time::Duration};

use feedhold_checkpoint::{
    Config, Store,
    backend::{Fault, Faulty},
    peek,
};
use feedhold_session::{Cause, Ending, Event, Reason, Record, State};
use feedhold_stream_core::{dialect::Dialect, retry::RetryPolicy, streamer::Pause};

use crate::world::{Plan, World, finished, moves, number};

/// What the disk holds now, newest first.
fn records(dir: &Path) -> Vec<Record> {
    let peeked = peek::<Record>(dir, &Config::default()).expect("a store");
    peeked
        .history
        .into_iter()
        .map(|entry| entry.record)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn no_line_leaves_beyond_the_last_durable_ceiling() {
    for dialect in [Dialect::Grbl, Dialect::Marlin] {
        let world = Plan::of(dialect).open().await;
        let dir = world.dir.path().join("job");
        let (seen, mut ceiling) = (std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0)), 0);
        let count = seen.clone();
        world.bench(|bench| {
            bench.on_line = Some(Box::new(move |line| {
                let Some(number) = number(line) else { return };
                count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if number > ceiling {
                    let newest = records(&dir)
                        .into_iter()
                        .next()
                        .expect("a record before the first byte");
                    ceiling = newest.ceiling;
                    assert!(newest.executed <= newest.acked && newest.acked <= newest.sent);
                }
                assert!(
                    number <= ceiling,
                    "line {number} left under a ceiling of {ceiling}"
                );
            }));
        });
        let job = world
            .job(&moves(3000))
            .store(world.store())
            .machine("the mill");
        let outcome = world.handle.run(job).await.expect("it begins");
        assert_eq!(outcome.ending, Ending::Finished, "{dialect:?}");
        assert_eq!(seen.load(std::sync::atomic::Ordering::Relaxed), 3000);

        let dir = world.dir.path().join("job");
        let history = records(&dir);
        let last = &history[0];
        assert_eq!(
            (last.reason, last.executed, last.ceiling),
            (Reason::Finished, 3000, 3000)
        );
        assert_eq!(last.machine, "the mill");
        let opened =
            Store::<Record>::open(&dir, &Config::default()).expect("the lock is free again");
        assert!(opened.store.is_finished());
    }
}

#[tokio::test(start_paused = true)]
async fn records_are_written_before_the_first_byte_and_at_every_turn() {
    let mut world = World::new().await;
    world.bench(|bench| bench.line_time = Duration::from_millis(50));
    let text = format!("{}M0\nG1X99\n", moves(60));
    let running = world.start(world.job(&text).store(world.store())).await;
    world.until(|| world.machine.bench().answered > 10).await;
    world.handle.pause(Pause::Graceful).await.expect("it moves");
    world.state(|state| state == State::Paused).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let dir = world.dir.path().join("job");
    let newest = &records(&dir)[0];
    assert_eq!(newest.reason, Reason::Paused);
    assert!(newest.is_clean(), "{newest:?}");
    assert_eq!(newest.ceiling, newest.executed, "the lease is taken back");
    let paused_at = newest.executed;
    world.handle.resume().await.expect("it is paused");
    world
        .until(|| world.machine.bench().answered as u64 > paused_at + 5)
        .await;
    let newest = &records(&dir)[0];
    assert!(
        newest.ceiling > paused_at && !newest.is_clean(),
        "a crash now would leave lines in doubt: {newest:?}"
    );
    world.state(|state| state == State::AtStop).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let newest = &records(&dir)[0];
    assert_eq!((newest.reason, newest.executed), (Reason::Stop, 60));
    world.handle.cancel().await.expect("it waits");
    assert_eq!(finished(running).await.ending, Ending::Cancelled);
    let history = records(&dir);
    assert_eq!(
        (history[0].reason, history[0].executed, history[0].sent),
        (Reason::Cancelled, 60, 60)
    );
    assert!(history[0].is_clean());
    let reasons: Vec<Reason> = history.iter().map(|record| record.reason).collect();
    assert!(
        reasons.contains(&Reason::Interval),
        "a record each second: {reasons:?}"
    );

    let heard = world.heard();
    let first = heard.iter().find_map(|event| match event {
        Event::CheckpointCreated {
            executed, ceiling, ..
        } => Some((*executed, *ceiling)),
        _ => None,
    });
    assert_eq!(
        first,
        Some((0, 62)),
        "a lease never reaches beyond the file"
    );
}

/// A store whose record number `nth` cannot be synced.
fn store_that_fails_at(nth: u64) -> Store<Record, Faulty> {
    let create = |disk| Store::<Record, _>::create_on(disk, &Config::default());
    let creation = create(Faulty::new(1)).expect("a store").backend().calls();
    let fault = Fault::Sync {
        nth: creation.syncs + nth,
        errno: 5,
    };
    create(Faulty::new(1).with_faults(&[fault])).expect("the fault comes later")
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_brings_the_machine_to_rest() {
    for (nth, least) in [(0, 0), (3, 1)] {
        for dialect in [Dialect::Grbl, Dialect::Marlin] {
            let mut world = Plan::of(dialect).open().await;
            world.bench(|bench| bench.line_time = Duration::from_millis(100));
            let store = store_that_fails_at(nth);
            let outcome = world
                .handle
                .run(world.job(&moves(100)).store(store))
                .await
                .expect("it begins");
            let Ending::Failed {
                cause: Cause::Records,
                message,
            } = &outcome.ending
            else {
                panic!("{outcome:?}");
            };
            assert!(!message.is_empty());
            let at = outcome.positions;
            assert!(at.sent >= least && at.sent < 100);
            assert_eq!(at.executed, at.sent, "it finished what it was sent");
            let sent = world.machine.program().len();
            tokio::time::sleep(Duration::from_secs(10)).await;
            assert_eq!(world.machine.program().len(), sent);
            assert!(world.story().contains("CheckpointFailed"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_resumed_job_goes_on_behind_what_is_done() {
    let world = World::new().await;
    let text = moves(2000);
    let offset: usize = text.lines().take(1200).map(|line| line.len() + 1).sum();
    let job = world
        .job(&text)
        .starting_behind(1200, offset as u64)
        .store(world.store());
    let outcome = world.handle.run(job).await.expect("it begins");
    assert_eq!((&outcome.ending, outcome.lines), (&Ending::Finished, 800));
    let arrived: Vec<u64> = world
        .machine
        .program()
        .iter()
        .filter_map(|line| number(line))
        .collect();
    assert_eq!(arrived, (1201..=2000).collect::<Vec<_>>());
    let history = records(&world.dir.path().join("job"));
    let first = history.last().expect("a record");
    assert_eq!(
        (first.reason, first.executed, first.sent, first.ceiling),
        (Reason::Start, 1200, 1200, 1456)
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_done_already_ends_at_once() {
    let world = World::new().await;
    let text = moves(10);
    let job = world.job(&text).starting_behind(10, text.len() as u64);
    let outcome = world.handle.run(job).await.expect("it begins");
    assert_eq!((&outcome.ending, outcome.lines), (&Ending::Finished, 0));
    assert!(world.machine.program().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_last_record_is_written_also_without_a_link() {
    let policy = RetryPolicy::flow().with_retries(0);
    for plan in [
        Plan::default(),
        Plan::default().config(|config| config.reconnect(policy)),
    ] {
        let world = plan.open().await;
        world.bench(|bench| bench.line_time = Duration::from_millis(50));
        let job = world.job(&moves(60)).store(world.store());
        let running = world.start(job).await;
        world.until(|| world.machine.bench().answered > 30).await;
        world.cutters[0].cut();
        let at = finished(running).await.positions;
        let newest = &records(&world.dir.path().join("job"))[0];
        assert_eq!(newest.reason, Reason::Fault);
        assert_eq!(
            (newest.executed, newest.acked, newest.sent, newest.ceiling),
            (at.executed, at.acked, at.sent, at.sent)
        );
        assert!(!newest.is_clean());
    }
}

/// Whoever comes later finds a controller that answers as if nothing had been, and lines that have run in it.
#[tokio::test(start_paused = true)]
async fn a_lost_position_is_on_record() {
    const BANNER: &str = "Grbl 1.1h ['$' for help]";
    for (dialect, says, lost) in [
        (Dialect::Grbl, BANNER, true),
        (Dialect::Grbl, "ALARM:1", true),
        // The soft limit stops before it is reached.
        (Dialect::Grbl, "ALARM:2", false),
        (Dialect::Marlin, "start", true),
        (
            Dialect::Marlin,
            "Error:Printer halted. kill() called!",
            true,
        ),
    ] {
        let world = Plan::of(dialect).open().await;
        world.bench(|bench| bench.line_time = Duration::from_millis(50));
        let running = world
            .start(world.job(&moves(60)).store(world.store()))
            .await;
        world.until(|| world.machine.bench().answered > 10).await;
        world.bench(|bench| bench.say.push(says));
        finished(running).await;
        let newest = &records(&world.dir.path().join("job"))[0];
        assert_eq!(
            (newest.reason, newest.position_lost),
            (Reason::Fault, lost),
            "{says}"
        );
    }
    for (stands, lost) in [(true, false), (false, true)] {
        let world = World::new().await;
        world.bench(|bench| bench.line_time = Duration::from_millis(50));
        let running = world
            .start(world.job(&moves(60)).store(world.store()))
            .await;
        world.until(|| world.machine.bench().answered > 10).await;
        if stands {
            let paused = world.handle.pause(Pause::Graceful).await;
            paused.expect("it moves");
            world.state(|state| state == State::Paused).await;
        }
        world.handle.reset().await.expect("there is a link");
        finished(running).await;
        let newest = &records(&world.dir.path().join("job"))[0];
        assert_eq!(
            (newest.reason, newest.position_lost),
            (Reason::Cancelled, lost),
            "a reset loses steps in mid-motion"
        );
    }
}
