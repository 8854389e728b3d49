//! What a session tells while it works, event by event.

use std::time::Duration;

use feedhold_session::{Ending, Event, State};
use feedhold_stream_core::{budget::Budget, dialect::Dialect, streamer::Pause};

use crate::world::{Plan, World, finished, moves};

#[tokio::test(start_paused = true)]
async fn a_job_from_its_first_line_to_its_last() {
    let mut world = World::new().await;
    world.bench(|bench| bench.line_time = Duration::from_millis(50));
    let job = world.job("G21\n\n(a comment)\nG1 X1 F500\nG1 X2\nM2\n");
    let outcome = world.handle.run(job).await.expect("the job begins");
    assert_eq!(outcome.ending, Ending::Finished);
    assert_eq!((outcome.lines, outcome.resends), (6, 0));
    assert_eq!(outcome.positions.executed, 6);
    assert_eq!(world.machine.program(), ["G21", "G1X1F500", "G1X2", "M2"]);
    insta::assert_snapshot!(world.story(), @r#"
    StreamingStarted { first_line: 1, total_lines: 6 }
    ProcessingCompleted { chunks: 1 }
    StopReached { code: "M2", line: 6, asks: false }
    ChunkCompleted { chunk_index: 0, first_line: 1, last_line: 6, total_progress: 100.0, processing_time_ms: 100 }
    StreamingStopped { outcome: "finished", executed: 6, elapsed_ms: 100 }
    "#);
}

#[tokio::test(start_paused = true)]
async fn what_the_file_is_told_before_it_moves() {
    let world = World::new().await;
    std::fs::write(world.file(), moves(25_000)).expect("a file");
    let chain = feedhold_stream_core::wire::Chain::new(
        feedhold_stream_core::wire::ChainConfig::new(Dialect::Grbl),
    );
    let mut told = Vec::new();
    let vetted = feedhold_session::vet(&world.file(), &chain, |progress| {
        told.push(Event::from(progress));
        true
    })
    .expect("a clean file");
    told.push(Event::from(&vetted));
    let [
        Event::AnalysisProgress { percentage, .. },
        ..,
        Event::FileAnalyzed {
            total_lines,
            motions,
            digest,
            ..
        },
    ] = told.as_slice()
    else {
        panic!("{told:?}");
    };
    assert!(*percentage > 0.0 && *percentage < 100.0);
    assert_eq!((*total_lines, *motions), (25_000, 25_000));
    assert_eq!(
        *digest,
        blake3::hash(moves(25_000).as_bytes()).to_hex().to_string()
    );
}

#[tokio::test(start_paused = true)]
async fn a_pause_and_a_resume_are_told_with_their_times() {
    let mut world = World::new().await;
    world.bench(|bench| bench.line_time = Duration::from_millis(100));
    let running = world.start(world.job(&moves(30))).await;
    world
        .until(|| world.handle.snapshot().progress.acked > 5)
        .await;
    world
        .handle
        .pause(Pause::Immediate)
        .await
        .expect("it moves");
    world.state(|state| state == State::Paused).await;
    world.handle.resume().await.expect("it is paused");
    finished(running).await;
    let heard = world.heard();
    let paused = heard.iter().find_map(|event| match event {
        Event::StreamingPaused { mode, took_ms, .. } => Some((*mode, *took_ms)),
        _ => None,
    });
    let resumed = heard.iter().find_map(|event| match event {
        Event::StreamingResumed { took_ms } => Some(*took_ms),
        _ => None,
    });
    let (mode, paused) = paused.expect("the pause is told");
    assert_eq!(mode, "immediate");
    assert!(paused <= 200 && resumed.expect("the resume is told") <= 200);
}

#[tokio::test(start_paused = true)]
async fn statistics_are_set_back_and_told() {
    let mut world = World::new().await;
    world.bench(|bench| bench.line_time = Duration::from_millis(100));
    let running = world.start(world.job(&moves(30))).await;
    world
        .handle
        .pause(Pause::Immediate)
        .await
        .expect("it moves");
    world.state(|state| state == State::Paused).await;
    world.handle.reset_statistics().await.expect("always");
    world.handle.resume().await.expect("it is paused");
    finished(running).await;
    assert_eq!(world.handle.snapshot().pauses.count, 0);
    assert!(world.heard().contains(&Event::StatisticsReset));
}

#[tokio::test(start_paused = true)]
async fn memory_that_runs_short_is_told_and_stops_nothing() {
    let budget = Budget::new(36 << 10);
    let plan = Plan::default().config(|config| config.budget(budget.clone()));
    let mut world = plan.open().await;
    world.bench(|bench| bench.line_time = Duration::from_millis(1));
    let job = world.job(&moves(4000));
    let outcome = world.handle.run(job).await.expect("the job begins");
    assert_eq!(outcome.ending, Ending::Finished);
    assert_eq!(world.machine.program().len(), 4000);
    assert!(budget.high_water() <= budget.limit());
    assert_eq!(budget.used(), 0, "all permits came back");
    let heard = world.heard();
    let count = |wanted: fn(&Event) -> bool| heard.iter().filter(|event| wanted(event)).count();
    assert!(count(|event| matches!(event, Event::ProcessingPaused { .. })) > 0);
    assert!(count(|event| matches!(event, Event::ProcessingResumed { .. })) > 0);
}

#[tokio::test(start_paused = true)]
async fn each_threshold_of_memory_is_told_once() {
    let budget = Budget::new(1 << 20);
    let plan = Plan::default().config(|config| config.budget(budget.clone()));
    let mut world = plan.open().await;
    let elsewhere = budget.try_acquire(950_000).expect("it is free");
    tokio::time::sleep(Duration::from_secs(3)).await;
    drop(elsewhere);
    tokio::time::sleep(Duration::from_secs(3)).await;
    insta::assert_snapshot!(world.story(), @r#"
    MemoryWarning { level: "warning", used_bytes: 950000, limit_bytes: 1048576 }
    MemoryWarning { level: "critical", used_bytes: 950000, limit_bytes: 1048576 }
    MemoryWarning { level: "normal", used_bytes: 0, limit_bytes: 1048576 }
    "#);
}

#[tokio::test(start_paused = true)]
async fn lines_asked_for_again_are_told() {
    let mut world = Plan::of(Dialect::Marlin).open().await;
    world.bench(|bench| {
        bench.resend = Some(1_007);
        bench.line_time = Duration::from_millis(10);
    });
    let outcome = world
        .handle
        .run(world.job(&moves(20)))
        .await
        .expect("the job begins");
    assert_eq!((&outcome.ending, outcome.resends), (&Ending::Finished, 1));
    let texts: Vec<String> = moves(20).lines().map(str::to_owned).collect();
    assert_eq!(world.machine.program(), texts, "each line once, in order");
    let asked = |event: &Event| matches!(event, Event::ChunkRetryQueued { number: 1_007 });
    assert!(world.heard().iter().any(asked));
}

#[tokio::test(start_paused = true)]
async fn what_the_machine_says_is_passed_on() {
    let mut world = World::new().await;
    world.bench(|bench| {
        bench.say = vec!["[MSG:Pgm End]", "ok"];
        bench.state = Some("Hold:0");
    });
    let stray = |event: &Event| matches!(event, Event::StrayAnswer);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let heard = world.heard();
    assert!(heard.iter().any(stray));
    let said = Event::Message {
        text: "Pgm End".to_owned(),
    };
    assert!(heard.contains(&said), "{heard:?}");
    assert!(heard.iter().any(|event| matches!(event, Event::Status(status) if status.state == "Hold:0" || status.state == "Hold")));
    assert_eq!(world.handle.snapshot().stray_answers, 1);
}

#[tokio::test(start_paused = true)]
async fn a_button_at_the_machine_and_its_heat_are_told() {
    let mut world = Plan::of(Dialect::Marlin).open().await;
    world.bench(|bench| bench.say = vec!["//action:pause", " T:20.5 /200.0 B:21.0 /60.0 @:0"]);
    let job = world.job(&moves(3));
    world.handle.run(job).await.expect("it begins");
    let heard = world.heard();
    assert!(heard.contains(&Event::MachineAction { action: "pause" }));
    let heat = heard.iter().find_map(|event| match event {
        Event::Temperature { heaters } => Some(heaters.clone()),
        _ => None,
    });
    let heat = heat.expect("the heat is told");
    assert_eq!(
        (heat[0].name.as_str(), heat[0].current, heat[0].target),
        ("active hotend", 20.5, Some(200.0))
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_listener_is_told_that_it_missed_something_and_slows_nothing() {
    use tokio::sync::broadcast::error::RecvError;
    let world = World::new().await;
    let (link, peer) = feedhold_transport::memory::duplex(4096);
    tokio::spawn(world.machine.clone().serve(peer));
    let config =
        feedhold_session::Config::new(feedhold_stream_core::streamer::Config::new(Dialect::Grbl))
            .event_capacity(4);
    let connect = Box::new(feedhold_transport::Sequence::once(link));
    let handle = feedhold_session::open(connect, config)
        .await
        .expect("it greets");
    let mut slow = handle.events();
    let outcome = handle
        .run(world.job(&moves(500)))
        .await
        .expect("the job begins");
    assert_eq!(outcome.ending, Ending::Finished);
    assert!(matches!(slow.recv().await, Err(RecvError::Lagged(_))));
    assert!(slow.recv().await.is_ok(), "and it hears the newest events");
}

#[tokio::test(start_paused = true)]
async fn every_event_is_one_json_object_with_its_name() {
    let mut world = World::new().await;
    world
        .handle
        .run(world.job(&moves(3)))
        .await
        .expect("the job begins");
    for event in world.heard() {
        let json = serde_json::to_value(&event).expect("plain data");
        assert!(json["event"].is_string(), "{json}");
    }
}
