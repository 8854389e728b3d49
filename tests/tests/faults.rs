//! Lost, garbled and late answers, in virtual time: every motion exactly once, or a clear stop.

use std::time::Duration;

use feedhold_gcode_parse::Flavor;
use feedhold_simulator::Config;
use feedhold_stream_core::{
    dialect::Dialect,
    streamer::{self, Fault},
};
use feedhold_tests::{
    random::Recipe,
    world::{End, World, assert_executed, chunks},
};

const HOUR: Duration = Duration::from_secs(3600);

/// Seeds of the sweep; `FEEDHOLD_SEEDS` asks for more, `FEEDHOLD_SEED` for one.
fn seeds(default: u64) -> std::ops::Range<u64> {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse::<u64>().ok())
    };
    match number("FEEDHOLD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("FEEDHOLD_SEEDS").unwrap_or(default),
    }
}

fn marlin(seed: u64, faults: &str) -> (String, World) {
    let program = Recipe {
        flavor: Flavor::Marlin,
        seed,
        lines: 60,
    }
    .program();
    let seed = seed.to_string();
    let params = [
        ("controller", "marlin"),
        ("heat", "instant"),
        ("baud", "250000"),
        ("seed", &seed),
        ("fault", faults),
    ];
    let machine = Config::from_params(params).expect("the parameters are good");
    let mut world = World::new(streamer::Config::new(Dialect::Marlin), machine);
    world.load(chunks(Dialect::Marlin, &program, 10));
    (program, world)
}

/// Streams one random program under faults; the machine must execute it exactly once.
fn exactly_once(seed: u64, faults: &str) {
    let (program, mut world) = marlin(seed, faults);
    let context = format!("FEEDHOLD_SEED={seed}, faults {faults}");
    let end = world.run(HOUR);
    assert_eq!(
        end,
        End::Finished,
        "{context}: at {:?} {:?}",
        world.now(),
        world.streamer
    );
    let log = world.executed();
    assert_executed(Dialect::Marlin, &program, log, &context);
}

#[test]
fn marlin_without_faults() {
    for seed in seeds(20) {
        exactly_once(seed, "");
    }
}

#[test]
fn dropped_answers_of_marlin_cost_nothing_but_time() {
    for seed in seeds(334) {
        exactly_once(seed, "drop-ok:0.05");
    }
}

#[test]
fn garbled_answers_of_marlin_cost_nothing_but_time() {
    for seed in seeds(333) {
        exactly_once(seed, "garble-ok:0.05");
    }
}

#[test]
fn late_answers_of_marlin_cost_nothing_but_time() {
    for seed in seeds(333) {
        exactly_once(seed, "delay-ok:0.05");
    }
}

/// Rarely lost bytes only: a garbled one can turn a digit of the number into a line end, and two equal bytes lost from one line leave
/// its checksum as it was. No firmware can tell either.
#[test]
fn bytes_lost_on_the_way_to_marlin_are_sent_again() {
    for seed in seeds(100) {
        exactly_once(seed, "drop-rx:0.0005");
    }
}

#[test]
fn doubled_answers_of_marlin_do_no_harm() {
    for seed in seeds(100) {
        exactly_once(seed, "dup-ok:0.05");
    }
}

fn grbl(seed: u64, faults: &str) -> (String, World) {
    let program = Recipe {
        flavor: Flavor::Grbl,
        seed,
        lines: 60,
    }
    .program();
    let seed = seed.to_string();
    let params = [
        ("controller", "grbl"),
        ("baud", "115200"),
        ("seed", &seed),
        ("fault", faults),
    ];
    let machine = Config::from_params(params).expect("the parameters are good");
    let mut world = World::new(streamer::Config::new(Dialect::Grbl), machine).with_rx_limit(128);
    world.load(chunks(Dialect::Grbl, &program, 10));
    (program, world)
}

#[test]
fn grbl_without_faults() {
    for seed in seeds(50) {
        let (program, mut world) = grbl(seed, "");
        let context = format!("FEEDHOLD_SEED={seed}");
        assert_eq!(
            world.run(HOUR),
            End::Finished,
            "{context}: {:?}",
            world.streamer
        );
        let log = world.executed();
        assert_executed(Dialect::Grbl, &program, log, &context);
    }
}

#[test]
fn a_lost_ok_of_grbl_is_found_within_five_seconds() {
    let mut found = 0;
    for seed in seeds(200) {
        let (program, mut world) = grbl(seed, "drop-ok:0.02");
        let context = format!("FEEDHOLD_SEED={seed}");
        match world.run(HOUR) {
            End::Finished => {
                let log = world.executed();
                assert_executed(Dialect::Grbl, &program, log, &context);
            }
            End::Fault(Fault::LostAnswer { unanswered }) => {
                found += 1;
                assert!(!unanswered.is_empty(), "{context}");
                let still = world
                    .machine
                    .log()
                    .entries()
                    .last()
                    .map(|entry| entry.finish)
                    .unwrap_or_default();
                let waited = world.now().saturating_sub(still);
                assert!(
                    waited <= Duration::from_secs(5),
                    "{context}: found only after {waited:?}"
                );
            }
            // The greeting itself lost its answer often enough.
            End::Refused(_) => {}
            other => panic!("{context}: {other:?}"),
        }
    }
    assert!(found > 50, "only {found} lost answers in the sweep");
}
