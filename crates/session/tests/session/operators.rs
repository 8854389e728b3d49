//! Pause, resume, cancel, reset, overrides and single commands.

use std::time::Duration;

use feedhold_session::{Ending, Event, RunError, State, WishError};
use feedhold_stream_core::{
    dialect::{Dialect, OverrideStep, RealtimeCommand},
    streamer::{self, Expiry, Pause},
};

use crate::world::{Plan, World, finished, moves, number};

/// A job of 60 moves of 50 ms each that has come to about its tenth line.
async fn moving(
    plan: Plan,
) -> (
    World,
    tokio::task::JoinHandle<Result<feedhold_session::Outcome, RunError>>,
) {
    let world = plan.open().await;
    world.bench(|bench| bench.line_time = Duration::from_millis(50));
    let running = world.start(world.job(&moves(60))).await;
    world.until(|| world.machine.bench().answered > 10).await;
    (world, running)
}

/// All 60 lines arrived, each once and in order.
fn assert_complete(world: &World) {
    let arrived: Vec<u64> = world
        .machine
        .program()
        .iter()
        .filter_map(|line| number(line))
        .collect();
    assert_eq!(arrived, (1..=60).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_graceful_pause_lets_the_machine_finish_and_sends_nothing_more() {
    for dialect in [Dialect::Grbl, Dialect::Marlin] {
        let (mut world, running) = moving(Plan::of(dialect)).await;
        world.handle.pause(Pause::Graceful).await.expect("it moves");
        let sent = world.machine.program().len();
        world.state(|state| state == State::Paused).await;
        let progress = world.handle.snapshot().progress;
        assert!(
            world.machine.program().len() - sent <= 16,
            "what the cable held"
        );
        assert_eq!(world.machine.bench().realtime, b"", "no feed hold");
        let sent = world.machine.program().len();
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(world.machine.program().len(), sent);
        world.handle.resume().await.expect("it is paused");
        assert_eq!(
            finished(running).await.ending,
            Ending::Finished,
            "{dialect:?}"
        );
        assert_complete(&world);
        let told = world.heard().into_iter().find_map(|event| match event {
            Event::StreamingPaused {
                mode: "graceful",
                executed,
                ..
            } => Some(executed),
            _ => None,
        });
        assert_eq!(
            told,
            Some(sent as u64),
            "everything sent was executed; {progress:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_immediate_pause_is_a_feed_hold() {
    let (world, running) = moving(Plan::default()).await;
    world
        .handle
        .pause(Pause::Immediate)
        .await
        .expect("it moves");
    world.state(|state| state == State::Paused).await;
    assert_eq!(world.machine.bench().realtime, b"!");
    assert!(
        world.handle.command("G0 X0").await.is_err(),
        "a held grbl does not read lines"
    );
    world.handle.resume().await.expect("it is paused");
    assert_eq!(finished(running).await.ending, Ending::Finished);
    assert_eq!(world.machine.bench().realtime, b"!~");
    assert_complete(&world);
}

#[tokio::test(start_paused = true)]
async fn a_pause_before_the_first_line_and_at_once_stands() {
    for dialect in [Dialect::Grbl, Dialect::Marlin] {
        let world = Plan::of(dialect).open().await;
        let store = world.store();
        let job = world.job(&moves(5)).store(store);
        let handle = world.handle.clone();
        let running = tokio::spawn(async move { handle.run(job).await });
        while world.handle.pause(Pause::Graceful).await.is_err() {
            assert!(
                !running.is_finished(),
                "it was over before it could be paused"
            );
            tokio::task::yield_now().await;
        }
        world.state(|state| state == State::Paused).await;
        world.handle.resume().await.expect("it is paused");
        assert_eq!(
            finished(running).await.ending,
            Ending::Finished,
            "{dialect:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_ignores_pause_and_resume_is_told_of_after_five_seconds() {
    let (mut world, running) = moving(Plan::default()).await;
    world.bench(|bench| bench.ignores_hold = true);
    let begun = tokio::time::Instant::now();
    world
        .handle
        .pause(Pause::Immediate)
        .await
        .expect("it moves");
    let mut heard = Vec::new();
    while !heard.contains(&Event::PauseTimeout) {
        tokio::time::sleep(Duration::from_millis(10)).await;
        heard.extend(world.heard());
        assert!(begun.elapsed() < Duration::from_secs(6));
    }
    assert!(begun.elapsed() >= Duration::from_secs(5));
    world
        .until(|| world.handle.snapshot().pauses.failed == 1)
        .await;
    world.bench(|bench| bench.state = Some("Hold:0"));
    world.state(|state| state == State::Paused).await;
    world.handle.resume().await.expect("it is paused");
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(world.heard().contains(&Event::ResumeTimeout));
    world.bench(|bench| bench.state = None);
    assert_eq!(finished(running).await.ending, Ending::Finished);
}

#[tokio::test(start_paused = true)]
async fn three_hundred_seconds_of_pause_move_nothing() {
    let (mut world, running) = moving(Plan::default()).await;
    world
        .handle
        .pause(Pause::Immediate)
        .await
        .expect("it moves");
    world.state(|state| state == State::Paused).await;
    let lines = world.machine.bench().lines.len();
    let realtime = world.machine.bench().realtime.clone();
    let _ = world.heard();
    tokio::time::sleep(Duration::from_secs(299)).await;
    assert!(!world.story().contains("PauseExpired"));
    tokio::time::sleep(Duration::from_secs(301)).await;
    assert!(world.story().contains("PauseExpired { policy: \"hold\" }"));
    assert_eq!(world.machine.bench().lines.len(), lines);
    assert_eq!(world.machine.bench().realtime, realtime);
    assert_eq!(world.handle.snapshot().state, State::Paused);
    world.handle.resume().await.expect("it is still paused");
    assert_eq!(finished(running).await.ending, Ending::Finished);
}

#[tokio::test(start_paused = true)]
async fn an_expired_pause_may_cancel_the_job() {
    let config =
        streamer::Config::new(Dialect::Grbl).max_pause(Duration::from_secs(10), Expiry::Cancel);
    let plan = Plan {
        config: feedhold_session::Config::new(config),
        ..Plan::default()
    };
    let (world, running) = moving(plan).await;
    world
        .handle
        .pause(Pause::Immediate)
        .await
        .expect("it moves");
    assert_eq!(finished(running).await.ending, Ending::Cancelled);
    assert_eq!(world.machine.bench().realtime, b"!\x18");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_job_leaves_the_machine_ready_for_the_next() {
    for dialect in [Dialect::Grbl, Dialect::Marlin] {
        for paused in [false, true] {
            let (world, running) = moving(Plan::of(dialect)).await;
            if paused {
                world.handle.pause(Pause::Graceful).await.expect("it moves");
                world.state(|state| state == State::Paused).await;
            }
            world.handle.cancel().await.expect("it runs");
            let outcome = finished(running).await;
            assert_eq!(
                outcome.ending,
                Ending::Cancelled,
                "{dialect:?}, paused: {paused}"
            );
            assert!(outcome.positions.sent < 60);
            let again = world
                .handle
                .run(world.job("G1 X7\n"))
                .await
                .expect("it is ready");
            assert_eq!(again.ending, Ending::Finished);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_stops_everything_and_nothing_leaves_behind_it() {
    // A cable that holds three bytes, so that most of the window waits in the session.
    let plan = Plan {
        cable_bytes: 3,
        ..Plan::default()
    };
    let (world, running) = moving(plan).await;
    world.bench(|bench| bench.state = Some("Hold:0"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.handle.reset().await.expect("there is a link");
    let outcome = finished(running).await;
    assert_eq!(outcome.ending, Ending::Cancelled);
    let lines = world.machine.bench().lines.len();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(world.machine.bench().lines.len(), lines);
}

#[tokio::test(start_paused = true)]
async fn bytes_that_wait_for_the_cable_are_dropped_by_a_reset() {
    use bytes::BytesMut;
    use feedhold_transport::{Exchanged, Link, LinkError};

    /// Writes nothing more once it is clogged, but realtime bytes.
    struct Clogged {
        link: feedhold_transport::memory::MemoryLink,
        clogged: std::sync::Arc<std::sync::atomic::AtomicBool>,
    }

    #[async_trait::async_trait]
    impl Link for Clogged {
        async fn exchange(
            &mut self,
            out: &[u8],
            inbox: &mut BytesMut,
        ) -> Result<Exchanged, LinkError> {
            let clogged = self.clogged.load(std::sync::atomic::Ordering::Relaxed);
            let out = if clogged
                && out
                    .first()
                    .is_some_and(|&byte| byte != 0x18 && byte != b'?' && byte != b'!')
            {
                &[]
            } else {
                out
            };
            self.link.exchange(out, inbox).await
        }

        fn describe(&self) -> String {
            "clogged".to_owned()
        }
    }

    let world = World::new().await;
    world.bench(|bench| bench.line_time = Duration::from_millis(50));
    let (link, peer) = feedhold_transport::memory::duplex(4096);
    tokio::spawn(world.machine.clone().serve(peer));
    let clogged = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let link = Clogged {
        link,
        clogged: clogged.clone(),
    };
    let config = feedhold_session::Config::new(streamer::Config::new(Dialect::Grbl));
    let handle = feedhold_session::open(Box::new(feedhold_transport::Sequence::once(link)), config)
        .await
        .expect("it greets");
    let job = world.job(&moves(60));
    let runner = handle.clone();
    let running = tokio::spawn(async move { runner.run(job).await });
    world.until(|| world.machine.bench().answered > 10).await;
    clogged.store(true, std::sync::atomic::Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let lines = world.machine.program().len();
    handle.reset().await.expect("there is a link");
    assert_eq!(finished(running).await.ending, Ending::Cancelled);
    clogged.store(false, std::sync::atomic::Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(
        world.machine.program().len(),
        lines,
        "no line of the job left behind the reset"
    );
}

#[tokio::test(start_paused = true)]
async fn overrides_pass_the_queue() {
    let (world, running) = moving(Plan::default()).await;
    let up = RealtimeCommand::FeedOverride(OverrideStep::CoarseUp);
    world.handle.realtime(up).await.expect("grbl has overrides");
    world
        .until(|| world.machine.bench().realtime == [0x91])
        .await;
    assert!(world.machine.program().len() < 60);
    finished(running).await;
    let marlin = Plan::of(Dialect::Marlin).open().await;
    let refused = marlin.handle.realtime(up).await;
    assert!(matches!(refused, Err(WishError::NotRealtime)));
}

#[tokio::test(start_paused = true)]
async fn a_command_brings_its_answer() {
    let mut world = World::new().await;
    world.bench(|bench| bench.refuse = vec![("G38", "error:9")]);
    world
        .handle
        .command("G0 X1")
        .await
        .expect("the controller takes it");
    let refused = world
        .handle
        .command("G38.2 Z-5")
        .await
        .expect_err("it is refused");
    assert!(
        matches!(&refused, WishError::Refused(answer) if answer.contains("error:9")),
        "{refused}"
    );
    assert!(matches!(
        world.handle.command("").await,
        Err(WishError::Command(_))
    ));
    assert!(matches!(
        world.handle.command("G0\nG1").await,
        Err(WishError::Command(_))
    ));
    let story = world.story();
    assert!(
        story.contains("CommandDone { id: 0, error: None }"),
        "{story}"
    );
}

#[tokio::test(start_paused = true)]
async fn commands_that_nobody_will_answer_resolve() {
    for pull in [true, false] {
        let world = World::new().await;
        world.bench(|bench| bench.mute_from = Some("G0"));
        let handle = world.handle.clone();
        let asked = tokio::spawn(async move { handle.command("G0 X1").await });
        world.until(|| world.machine.program().len() == 1).await;
        if pull {
            world.cutters[0].cut();
        } else {
            world.handle.reset().await.expect("there is a link");
        }
        let answer = asked.await.expect("no panic");
        assert!(matches!(answer, Err(WishError::Unanswered)), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn wishes_that_do_not_fit_are_refused_with_words() {
    let world = World::new().await;
    world.bench(|bench| bench.line_time = Duration::from_millis(100));
    for refused in [
        world.handle.pause(Pause::Graceful).await,
        world.handle.resume().await,
        world.handle.cancel().await,
        world.handle.proceed(streamer::Proceed::Skip).await,
    ] {
        let refused = refused.expect_err("no job runs");
        assert!(matches!(refused, WishError::WrongState(_)), "{refused}");
    }
    let first = world.start(world.job(&moves(9))).await;
    assert!(
        world.handle.run(world.job("G1 X1\n")).await.is_err(),
        "one job at a time"
    );
    finished(first).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_goes_on_when_its_handles_are_gone() {
    let (world, running) = moving(Plan::default()).await;
    running.abort();
    let World {
        handle,
        machine,
        dir: _dir,
        ..
    } = world;
    drop(handle);
    while machine.program().len() < 60 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_without_handles_is_given_up_where_somebody_should_decide() {
    let mut world = World::new().await;
    let running = world.start(world.job("G1 X1 F500\nM0\nG1 X2\n")).await;
    running.abort();
    world.state(|state| state == State::AtStop).await;
    let machine = world.machine.clone();
    let told = world.story();
    // The directory stays until the end.
    let World {
        handle, dir: _dir, ..
    } = world;
    drop(handle);
    while !machine.bench().realtime.contains(&0x18) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(machine.program(), ["G1X1F500"]);
    assert!(told.contains("StopReached"));
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_on_in_a_controller_that_has_restarted_since_it_was_asked() {
    // An alarm that loses steps is as good as a restart.
    for says in ["Grbl 1.1h ['$' for help]", "ALARM:1"] {
        let world = World::new().await;
        world
            .handle
            .approach("G0Z5")
            .await
            .expect("it stands ready");
        world.bench(|bench| bench.say.push(says));
        let unknown = world.handle.approach("G0X1").await;
        assert!(matches!(unknown, Err(WishError::Unanswered)), "{unknown:?}");
        let refused = world.handle.approach("G0X2").await;
        assert!(matches!(refused, Err(WishError::Restarted)), "{refused:?}");
        let text = moves(10);
        let rest = world.job(&text).starting_behind(5, 5 * 10);
        let refused = world.handle.run(rest).await;
        assert!(matches!(refused, Err(RunError::Restarted)), "{refused:?}");
        assert!(!world.machine.program().contains(&"G0X2".to_owned()));
        // A console works, and a program from its first line takes the machine as it is.
        world.handle.command("G0X0").await.expect("it stands ready");
        let outcome = world.handle.run(world.job(&text)).await.expect("it begins");
        assert_eq!(outcome.ending, Ending::Finished);
    }
}

#[tokio::test(start_paused = true)]
async fn the_way_back_to_a_part_is_not_gone_beside_a_job_or_in_a_fault() {
    let (world, running) = moving(Plan::of(Dialect::Marlin)).await;
    let beside = world.handle.approach("G0X1").await;
    assert!(
        matches!(beside, Err(WishError::NotReady(State::Streaming))),
        "{beside:?}"
    );
    world.handle.cancel().await.expect("it moves");
    finished(running).await;
    // A request that makes no sense, between the greeting and the way back.
    world.bench(|bench| bench.say.push("Resend: 70000"));
    let _ = world.handle.command("M105").await;
    world.state(|state| state == State::Faulted).await;
    let faulted = world.handle.approach("G0X1").await;
    assert!(
        matches!(faulted, Err(WishError::NotReady(State::Faulted))),
        "{faulted:?}"
    );
}
