//! Program stops, which act when they are reached.

use std::time::Duration;

use feedhold_session::{Ending, State, StopAction, StopPolicy};
use feedhold_stream_core::{dialect::Dialect, streamer::Proceed, wire::ChainConfig};

use crate::world::{Plan, World, finished};

fn stops(pause: StopAction) -> Plan {
    let policy = StopPolicy {
        pause,
        ..StopPolicy::default()
    };
    Plan::default().config(|config| config.stops(policy))
}

const PROGRAM: &str = "G1 X1 F500\nM0\nG1 X2\n";

#[tokio::test(start_paused = true)]
async fn a_policy_decides_what_reaches_the_machine() {
    let lines =
        |lines: &[&str]| StopAction::Macro(lines.iter().map(|&line| line.to_owned()).collect());
    let many: Vec<String> = (0..100).map(|line| format!("G0 Z{line}")).collect();
    let mut long = vec!["G1X1F500".to_owned()];
    long.extend(many.clone());
    long.push("G1X2".to_owned());
    for (action, expected) in [
        (StopAction::Skip, vec!["G1X1F500", "G1X2"]),
        (StopAction::Send, vec!["G1X1F500", "M0", "G1X2"]),
        (
            lines(&["G0 Z5", "M5"]),
            vec!["G1X1F500", "G0 Z5", "M5", "G1X2"],
        ),
        (lines(&[]), vec!["G1X1F500", "G1X2"]),
        (
            StopAction::Macro(many),
            long.iter().map(String::as_str).collect(),
        ),
    ] {
        let mut world = stops(action.clone()).open().await;
        let outcome = world
            .handle
            .run(world.job(PROGRAM))
            .await
            .expect("it begins");
        assert_eq!(outcome.ending, Ending::Finished, "{action:?}");
        assert_eq!(world.machine.program(), expected, "{action:?}");
        assert!(
            world
                .story()
                .contains("StopReached { code: \"M0\", line: 2, asks: false }")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_operator_decides_when_asked() {
    for (proceed, expected) in [
        (Proceed::Skip, vec!["G1X1F500", "G1X2"]),
        (Proceed::Send, vec!["G1X1F500", "M0", "G1X2"]),
    ] {
        let mut world = World::new().await;
        world.bench(|bench| bench.line_time = Duration::from_secs(3));
        let running = world.start(world.job(PROGRAM)).await;
        world.state(|state| state == State::AtStop).await;
        assert_eq!(
            world.machine.bench().lines.first().map(String::as_str),
            Some("$I")
        );
        assert_eq!(
            world.machine.program(),
            ["G1X1F500"],
            "nothing behind a stop leaves before it is reached"
        );
        assert!(
            world
                .story()
                .contains("StopReached { code: \"M0\", line: 2, asks: true }")
        );
        tokio::time::sleep(Duration::from_secs(1000)).await;
        world.handle.proceed(proceed).await.expect("it waits");
        assert_eq!(finished(running).await.ending, Ending::Finished);
        assert_eq!(world.machine.program(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_macro_whose_line_is_refused_stays_at_its_stop() {
    let lines = ["G0 Z5", "G38.2 Z-5", "G0 Z0"].map(str::to_owned).to_vec();
    let mut world = stops(StopAction::Macro(lines)).open().await;
    world.bench(|bench| bench.refuse = vec![("G38", "error:9")]);
    let running = world.start(world.job(PROGRAM)).await;
    world.until(|| world.machine.program().len() == 3).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(
        world.machine.program(),
        ["G1X1F500", "G0 Z5", "G38.2 Z-5"],
        "nothing behind the refused line"
    );
    assert_eq!(world.handle.snapshot().state, State::AtStop);
    assert!(
        world
            .story()
            .contains("the macro stopped at \\\"G38.2 Z-5\\\"")
    );
    world.handle.proceed(Proceed::Skip).await.expect("it waits");
    assert_eq!(finished(running).await.ending, Ending::Finished);
}

#[tokio::test(start_paused = true)]
async fn the_program_end_ends_the_program() {
    for (dialect, text, expected) in [
        (
            Dialect::Grbl,
            "G1 X1 F500\nM30\nG1 X2\n",
            vec!["G1X1F500", "M30"],
        ),
        (
            Dialect::Grbl,
            "G1 X1 F500\nM2\nG1 X2\n",
            vec!["G1X1F500", "M2"],
        ),
    ] {
        let world = Plan::of(dialect).open().await;
        let job = world.job_with(text, ChainConfig::new(dialect));
        let outcome = world.handle.run(job).await.expect("it begins");
        assert_eq!(outcome.ending, Ending::Finished);
        assert_eq!(world.machine.program(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_can_be_cancelled_at_a_stop() {
    for dialect in [Dialect::Grbl, Dialect::Marlin] {
        let world = Plan::of(dialect).open().await;
        let running = world.start(world.job(PROGRAM)).await;
        world.state(|state| state == State::AtStop).await;
        world.handle.cancel().await.expect("it waits");
        assert_eq!(
            finished(running).await.ending,
            Ending::Cancelled,
            "{dialect:?}"
        );
        assert_eq!(world.machine.program(), ["G1X1F500"]);
    }
}
