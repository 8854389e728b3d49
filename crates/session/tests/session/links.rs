//! Links that break, controllers that fail, and coming back.

use std::time::Duration;

use feedhold_session::{Cause, Ending, Event, OpenError, State};
use feedhold_stream_core::{dialect::Dialect, retry::RetryPolicy, streamer};
use feedhold_transport::{Sequence, memory::duplex};

use crate::{
    controller::Machine,
    world::{Plan, World, finished, moves},
};

#[tokio::test(start_paused = true)]
async fn a_link_lost_in_mid_job_names_the_lines_in_doubt() {
    let mut world = Plan {
        links: 2,
        ..Plan::default()
    }
    .open()
    .await;
    world.bench(|bench| bench.line_time = Duration::from_millis(50));
    let running = world.start(world.job(&moves(60))).await;
    world.until(|| world.machine.bench().answered > 30).await;
    world.cutters[0].cut();
    let outcome = finished(running).await;
    let Ending::Failed {
        cause: Cause::Machine,
        message,
    } = &outcome.ending
    else {
        panic!("{outcome:?}");
    };
    let at = outcome.positions;
    assert!(at.executed > 0 && at.executed < at.acked && at.acked < at.sent);
    let doubt = format!("lines {} to {}", at.executed + 1, at.sent);
    assert!(message.contains(&doubt), "{message}");
    let arrived = world.machine.program().len() as u64;
    assert!(
        arrived <= at.sent,
        "everything that arrived is accounted for"
    );

    world.state(|state| state == State::Ready).await;
    let story = world.story();
    assert!(
        story.contains("Reconnecting { attempt: 1, after_ms: 500"),
        "{story}"
    );
    assert_eq!(
        world.machine.program().len() as u64,
        arrived,
        "no motion on connect"
    );
    let again = world
        .handle
        .run(world.job("G1 X1 F500\n"))
        .await
        .expect("ready again");
    assert_eq!(again.ending, Ending::Finished);
}

#[tokio::test(start_paused = true)]
async fn reconnecting_ends_with_the_policy() {
    let policy = RetryPolicy::flow().with_retries(3);
    let mut world = Plan::default()
        .config(|config| config.reconnect(policy))
        .open()
        .await;
    let _ = world.heard();
    world.cutters[0].cut();
    world
        .until(|| world.handle.snapshot().state == State::Disconnected)
        .await;
    let begun = tokio::time::Instant::now();
    let mut heard = Vec::new();
    while !heard
        .iter()
        .any(|event| matches!(event, Event::Disconnected { .. }))
    {
        tokio::time::sleep(Duration::from_millis(1)).await;
        heard.extend(world.heard());
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
    let waits: Vec<(u32, u64)> = heard
        .iter()
        .filter_map(|event| match event {
            Event::Reconnecting {
                attempt, after_ms, ..
            } => Some((*attempt, *after_ms)),
            _ => None,
        })
        .collect();
    assert_eq!(waits, [(1, 100), (2, 200), (3, 400)]);
    let gone = world
        .handle
        .reset()
        .await
        .expect_err("the session has ended");
    assert!(matches!(gone, feedhold_session::WishError::Gone), "{gone}");
}

/// A link that comes up and breaks before the controller has greeted must count as a failure, or the tries never end.
#[tokio::test(start_paused = true)]
async fn links_that_die_at_once_count_as_failures() {
    let mut world = Plan {
        links: 12,
        ..Plan::default()
    }
    .config(|config| config.reconnect(RetryPolicy::flow()))
    .open()
    .await;
    for cutter in &world.cutters {
        cutter.cut();
    }
    let mut heard = Vec::new();
    for _ in 0..10_000 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        heard.extend(world.heard());
    }
    assert!(
        heard
            .iter()
            .any(|event| matches!(event, Event::Disconnected { .. }))
    );
    let tries = heard
        .iter()
        .filter(|event| matches!(event, Event::Reconnecting { .. }))
        .count();
    assert_eq!(tries, 3);
}

#[tokio::test(start_paused = true)]
async fn wishes_are_heard_while_there_is_no_link() {
    let policy = RetryPolicy::file()
        .with_waits(Duration::from_secs(100), 1.0, Duration::from_secs(100))
        .expect("in range");
    let world = Plan {
        links: 2,
        ..Plan::default()
    }
    .config(|config| config.reconnect(policy))
    .open()
    .await;
    world.cutters[0].cut();
    world.state(|state| state == State::Disconnected).await;
    let asked = tokio::time::Instant::now();
    assert!(world.handle.cancel().await.is_err());
    assert!(world.handle.command("G0").await.is_err());
    assert!(world.handle.run(world.job("G1 X1\n")).await.is_err());
    assert!(asked.elapsed() < Duration::from_secs(1), "answered at once");
    world.state(|state| state == State::Ready).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_waits_for_the_operator_fails_with_its_link() {
    let world = Plan {
        links: 2,
        ..Plan::default()
    }
    .open()
    .await;
    world.bench(|bench| bench.refuse = vec![("G1X3", "error:20")]);
    let running = world.start(world.job(&moves(9))).await;
    world.state(|state| state == State::Faulted).await;
    world.bench(|bench| bench.state = None);
    world.cutters[0].cut();
    assert!(matches!(
        finished(running).await.ending,
        Ending::Failed {
            cause: Cause::Machine,
            ..
        }
    ));
    world.state(|state| state == State::Ready).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_line_holds_and_names_what_may_have_run() {
    let mut world = World::new().await;
    world.bench(|bench| {
        bench.refuse = vec![("G1X3F", "error:20")];
        bench.line_time = Duration::from_millis(10);
    });
    let running = world.start(world.job(&moves(9))).await;
    world.state(|state| state == State::Faulted).await;
    let fault = world.heard().into_iter().find_map(|event| match event {
        Event::Fault {
            message,
            first_in_doubt,
            last_in_doubt,
        } => Some((message, first_in_doubt, last_in_doubt)),
        _ => None,
    });
    let (message, first, last) = fault.expect("it is told");
    assert!(
        message.starts_with("line 3: the controller answered"),
        "{message}"
    );
    assert_eq!((first, last), (4, 9));
    assert_eq!(world.machine.bench().realtime, b"!");
    world.handle.resume().await.expect("the operator may go on");
    assert_eq!(finished(running).await.ending, Ending::Finished);
}

#[tokio::test(start_paused = true)]
async fn failures_of_the_machine_end_the_job() {
    for (dialect, said, words) in [
        (Dialect::Grbl, "ALARM:1", "in doubt"),
        (Dialect::Grbl, "Grbl 1.1h ['$' for help]", "reset itself"),
        (
            Dialect::Marlin,
            "Error:Heating failed, system stopped! Heater_ID: 0",
            "restarted",
        ),
    ] {
        let world = Plan::of(dialect).open().await;
        world.bench(|bench| bench.line_time = Duration::from_millis(50));
        let running = world.start(world.job(&moves(60))).await;
        world.until(|| world.machine.bench().answered > 10).await;
        world.bench(|bench| bench.say = vec![said]);
        let outcome = finished(running).await;
        let Ending::Failed {
            cause: Cause::Machine,
            message,
        } = outcome.ending
        else {
            panic!("{said}: {outcome:?}");
        };
        assert!(message.contains(words), "{message}");
        let sent = world.machine.program().len();
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(
            world.machine.program().len(),
            sent,
            "nothing leaves behind {said}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_stuck_controller_is_given_up_after_thirty_seconds() {
    let world = Plan::of(Dialect::Grbl).open().await;
    world.bench(|bench| bench.mute_from = Some("G1X5F"));
    let begun = tokio::time::Instant::now();
    let outcome = world
        .handle
        .run(world.job(&moves(60)))
        .await
        .expect("it begins");
    let Ending::Failed { message, .. } = outcome.ending else {
        panic!("{outcome:?}")
    };
    assert!(
        begun.elapsed() > Duration::from_secs(29) && begun.elapsed() < Duration::from_secs(31),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn sessions_that_cannot_be_opened_say_why() {
    let open = |machine: Machine, prepare: fn(&mut crate::controller::Bench)| async move {
        prepare(&mut machine.bench());
        let (link, peer) = duplex(4096);
        let dialect = machine.dialect;
        tokio::spawn(machine.serve(peer));
        let config = feedhold_session::Config::new(streamer::Config::new(dialect));
        feedhold_session::open(Box::new(Sequence::once(link)), config)
            .await
            .expect_err("it is unusable")
            .to_string()
    };
    let alarm = open(Machine::new(Dialect::Grbl), |bench| {
        bench.state = Some("Alarm")
    })
    .await;
    assert!(alarm.contains("$X") || alarm.contains("$H"), "{alarm}");
    let mute = open(Machine::new(Dialect::Marlin), |bench| {
        bench.mute_from = Some("M115")
    })
    .await;
    assert!(mute.starts_with("memory: "), "{mute}");

    let nothing = Sequence::new("memory", []);
    let config = feedhold_session::Config::new(streamer::Config::new(Dialect::Grbl));
    let absent = feedhold_session::open(Box::new(nothing), config.clone()).await;
    assert!(matches!(absent, Err(OpenError::Connect(_))));
    let (link, peer) = duplex(16);
    drop(peer);
    let closed = feedhold_session::open(Box::new(Sequence::once(link)), config).await;
    assert!(matches!(closed, Err(OpenError::Link(_))));
}
