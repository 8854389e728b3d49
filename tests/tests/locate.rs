//! The cable is pulled at any moment and put back in with the controller alive: the line is found for certain, or the job is refused.
//! What was found is put to the test: the program goes on from there, and the machine's log has to be the whole program, each motion
//! once.

use std::time::Duration;

use feedhold_gcode_parse::Block;
use feedhold_simulator::{Config, Kind, OnOpen};
use feedhold_stream_core::{
    chunk::{Prepared, RawChunk},
    dialect::Dialect,
    resume::{Baseline, Candidate, Interval, Located, Refusal, Tracker, locate},
    streamer::{self, Positions, State},
    wire::{Chain, ChainConfig},
};
use feedhold_tests::{
    oracle,
    random::Recipe,
    world::{End, World, chunks},
};
use xtask::gcode::Rng;

const HOUR: Duration = Duration::from_secs(3600);

/// Seeds of the sweep; `FEEDHOLD_SEEDS` asks for more, `FEEDHOLD_SEED` for one.
fn seeds(default: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    match number("FEEDHOLD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("FEEDHOLD_SEEDS").unwrap_or(default),
    }
}

/// The lines behind `done`.
fn rest(dialect: Dialect, program: &str, done: u64) -> Prepared {
    let skipped = usize::try_from(done).expect("a small program");
    let text: String = program.split_inclusive('\n').skip(skipped).collect();
    let raw = RawChunk {
        first_line: done + 1,
        lines: text.lines().count() as u64,
        bytes: text.into_bytes(),
        ..RawChunk::default()
    };
    let chain = Chain::new(ChainConfig::new(dialect));
    chain.prepare(&raw).expect("the program is good")
}

/// What may have been executed when so much was known.
fn interval<'a>(
    world: &World,
    dialect: Dialect,
    program: &str,
    known: Positions,
    baseline: &'a Baseline,
) -> Interval<'a> {
    let mut tracker = Tracker::new(dialect);
    let mut candidates = Vec::new();
    let whole = rest(dialect, program, 0);
    for line in whole.lines() {
        if line.source_line > known.sent {
            break;
        }
        if candidates.is_empty() && line.source_line > known.executed {
            candidates.push(Candidate::first(known.executed, &tracker, Some(baseline)));
        }
        let block = Block::parse(dialect.flavor(), line.text);
        let effect = tracker.apply(line.source_line, &block);
        if line.source_line > known.executed {
            candidates.push(Candidate::behind(
                line.source_line,
                &block,
                &effect,
                &tracker,
                Some(baseline),
            ));
        }
    }
    if candidates.is_empty() {
        candidates.push(Candidate::first(known.executed, &tracker, Some(baseline)));
    }
    Interval {
        done: known.executed,
        candidates,
        anchor: world.streamer.number_anchor(),
        baseline: Some(baseline),
    }
}

/// Streams a random program, pulls the cable somewhere, and goes on. `Err` when it was refused.
fn pulled(dialect: Dialect, seed: u64, params: &[(&str, &str)]) -> Result<(), Refusal> {
    let context = format!("FEEDHOLD_SEED={seed} {dialect} {params:?}");
    let mut rng = Rng::new(seed ^ 0xcab1e);
    let program = Recipe {
        flavor: dialect.flavor(),
        seed,
        lines: 60,
    }
    .program();
    let seed_text = seed.to_string();
    let mut all = vec![("controller", dialect.name()), ("seed", &seed_text)];
    all.extend(params);
    let config = Config::from_params(all).expect("the parameters are good");
    let mut world = World::new(streamer::Config::new(dialect), config).with_facts();
    world.load(chunks(dialect, &program, 10));
    let mut log = Vec::new();
    let mut pulls = rng.below(3) + 1;
    loop {
        let more = Duration::from_millis(rng.below(20_000) + 1);
        let begun = world.now();
        let end = world.watch(HOUR, |world| {
            pulls > 0 && world.streamer.state() == State::Streaming && world.now() >= begun + more
        });
        log.extend(world.executed());
        match end {
            None => {}
            Some(End::Finished) => break,
            Some(other) => panic!("{context}: {other:?} {:?}", world.streamer),
        }
        pulls -= 1;
        let baseline = world.streamer.facts().expect("facts").baseline();
        world.unplug();
        let known = world.streamer.positions();
        let interval = interval(&world, dialect, &program, known, &baseline);
        world.plug(OnOpen::Keep, 0);
        world.run_until(HOUR, |world| world.streamer.state() == State::Ready);
        log.extend(world.executed());
        let facts = world.streamer.facts().expect("facts").clone();
        let Located::Exact { done, .. } = locate(&interval, &facts)? else {
            unreachable!("there is no other outcome");
        };
        world.go_on(done, [rest(dialect, &program, done)]);
    }
    // A wait may be repeated: it moves nothing.
    log.retain(|entry| !matches!(entry.kind, Kind::Dwell { .. }));
    let motions = oracle::Program::new(dialect.flavor(), program.as_bytes()).filter(
        |motion| !matches!(motion, Ok(motion) if matches!(motion.kind, Kind::Dwell { .. })),
    );
    if let Err(mismatch) = oracle::compare(motions, log) {
        panic!("{context}: {mismatch}");
    }
    Ok(())
}

fn sweep(dialect: Dialect, params: &[(&str, &str)], count: u64, least_percent: usize) {
    let mut refused = std::collections::BTreeMap::new();
    let mut runs = 0;
    for seed in seeds(count) {
        runs += 1;
        if let Err(refusal) = pulled(dialect, seed, params) {
            *refused.entry(refusal.code()).or_insert(0) += 1;
        }
    }
    let all: usize = refused.values().sum();
    let share = 100 - all * 100 / runs;
    println!("{dialect} {params:?}: {share} % of {runs} went on exactly, refused: {refused:?}");
    assert!(
        share >= least_percent,
        "{share} % is too little to be of use"
    );
}

#[test]
fn grbl_goes_on_exactly_or_refuses() {
    sweep(Dialect::Grbl, &[("baud", "115200")], 150, 30);
}

#[test]
fn marlin_goes_on_exactly_or_refuses() {
    let params = [("baud", "250000"), ("heat", "instant")];
    sweep(Dialect::Marlin, &params, 150, 30);
}
