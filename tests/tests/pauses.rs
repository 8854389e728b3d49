//! Pause, resume, cancel, reset and overrides against both simulators: the place is kept.

use std::time::Duration;

use feedhold_gcode_parse::Flavor;
use feedhold_simulator::Config;
use feedhold_stream_core::{
    dialect::{Dialect, OverrideStep, RealtimeCommand},
    streamer::{self, Event, Pause, State},
};
use feedhold_tests::{
    random::Recipe,
    world::{End, World, assert_executed, assert_prefix, chunks},
};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

fn world(dialect: Dialect, seed: u64) -> (String, World) {
    let flavor = if dialect == Dialect::Marlin {
        Flavor::Marlin
    } else {
        Flavor::Grbl
    };
    let program = Recipe {
        flavor,
        seed,
        lines: 80,
    }
    .program();
    let params: &[(&str, &str)] = match dialect {
        Dialect::Marlin => &[("controller", "marlin"), ("heat", "instant")],
        _ => &[("controller", "grbl"), ("baud", "115200")],
    };
    let machine = Config::from_params(params.iter().copied()).expect("the parameters are good");
    let mut world = World::new(streamer::Config::new(dialect), machine);
    world.load(chunks(dialect, &program, 10));
    (program, world)
}

fn moved(world: &World) -> usize {
    world.machine.log().len() as usize
}

/// Pauses a job in the middle, lets time pass, resumes it: the log must be the program as if nothing had happened.
fn pause_and_resume(dialect: Dialect, pause: Pause) {
    for seed in 0..10 {
        let (program, mut world) = world(dialect, seed);
        let context = format!("{dialect:?} {pause:?} seed {seed}");
        for part in 1..=3 {
            world.run_until(HOUR, |world| moved(world) >= part * 15);
            let now = world.now();
            world.streamer.hold(now, pause).expect("the job is moving");
            world.run_until(HOUR, |world| world.streamer.state() == State::Paused);
            let before = (moved(&world), world.machine.snapshot().position);
            assert_eq!(world.pass(100 * SECOND), None, "{context}");
            let after = (moved(&world), world.machine.snapshot().position);
            assert_eq!(before, after, "{context}: the machine moved in a pause");
            let now = world.now();
            world.streamer.resume(now).expect("the job is paused");
        }
        assert_eq!(world.run(HOUR), End::Finished, "{context}");
        let log = world.executed();
        assert_executed(dialect, &program, log, &context);
    }
}

#[test]
fn graceful_pauses_keep_the_place_on_grbl() {
    pause_and_resume(Dialect::Grbl, Pause::Graceful);
}

#[test]
fn immediate_pauses_keep_the_place_on_grbl() {
    pause_and_resume(Dialect::Grbl, Pause::Immediate);
}

#[test]
fn graceful_pauses_keep_the_place_on_marlin() {
    pause_and_resume(Dialect::Marlin, Pause::Graceful);
}

#[test]
fn immediate_pauses_keep_the_place_on_marlin() {
    pause_and_resume(Dialect::Marlin, Pause::Immediate);
}

#[test]
fn an_expired_pause_moves_nothing() {
    for dialect in [Dialect::Grbl, Dialect::Marlin] {
        let (_, mut world) = world(dialect, 1);
        world.run_until(HOUR, |world| moved(world) >= 20);
        let now = world.now();
        world
            .streamer
            .hold(now, Pause::Immediate)
            .expect("the job is moving");
        world.run_until(HOUR, |world| world.streamer.state() == State::Paused);
        let (motions, position) = (moved(&world), world.machine.snapshot().position);
        world.take_events();
        assert_eq!(world.pass(400 * SECOND), None);
        let expired = world
            .take_events()
            .into_iter()
            .filter(|event| matches!(event, Event::PauseExpired(_)))
            .count();
        assert_eq!(expired, 1, "{dialect:?}");
        assert_eq!(
            (moved(&world), world.machine.snapshot().position),
            (motions, position),
            "{dialect:?}"
        );
    }
}

#[test]
fn cancelling_leaves_a_prefix_of_the_program() {
    for dialect in [Dialect::Grbl, Dialect::Marlin] {
        for seed in 0..10 {
            let (program, mut world) = world(dialect, seed);
            world.run_until(HOUR, |world| moved(world) >= 30);
            let now = world.now();
            world.streamer.cancel(now).expect("a job runs");
            assert_eq!(world.run(HOUR), End::Cancelled, "{dialect:?} seed {seed}");
            let still = moved(&world);
            world.pass(10 * SECOND);
            assert_eq!(
                moved(&world),
                still,
                "{dialect:?} seed {seed}: moved after the cancellation"
            );
            assert_prefix(
                dialect,
                &program,
                world.executed(),
                &format!("{dialect:?} seed {seed}"),
            );
            assert_eq!(
                world.streamer.state(),
                State::Ready,
                "{dialect:?} seed {seed}: {:?}",
                world.take_events().last()
            );
        }
    }
}

#[test]
fn a_reset_stops_grbl_at_once() {
    let (_, mut world) = world(Dialect::Grbl, 3);
    world.run_until(HOUR, |world| moved(world) >= 30);
    let now = world.now();
    world.streamer.reset(now).expect("the link is up");
    assert_eq!(world.run(10 * SECOND), End::Cancelled);
    assert!(world.now() - now < SECOND);
    assert!(world.take_events().contains(&Event::ResetDone));
}

#[test]
fn overrides_change_the_time_and_nothing_else() {
    let duration = |percent_up: usize| {
        let (program, mut world) = world(Dialect::Grbl, 5);
        world.run_until(HOUR, |world| moved(world) >= 5);
        for _ in 0..percent_up {
            assert!(
                world
                    .streamer
                    .realtime(RealtimeCommand::FeedOverride(OverrideStep::CoarseUp))
            );
        }
        assert_eq!(world.run(HOUR), End::Finished);
        let took = world.now();
        let log = world.executed();
        assert_executed(Dialect::Grbl, &program, log, "overrides");
        took
    };
    assert!(duration(10) < duration(0), "200 % is not faster than 100 %");
}
