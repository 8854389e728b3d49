//! Cuts the power at every write and sync of a commit, with every subset of the sectors that were
//! not synced, again inside the recovery, and again in the commit after it; then plays random
//! courses of events; then flips every bit. The tests do a sample of this, here it runs in full:
//!
//! ```text
//! cargo run --release -p feedhold-checkpoint --example crash_world
//! cargo run --release -p feedhold-checkpoint --example crash_world -- filler=600 nested=2 plays=100000
//! ```
//!
//! Parameters, each `name=number`: `filler` (bytes of the new records), `old` (bytes of the records
//! they overwrite), `commits` (age of the store), `nested` (depth of crashes inside recoveries),
//! `afterwards` (commits after a recovery, each with all its crashes), `subsets` (most subsets of
//! lost sectors for one power cut), `plays` (random courses of events), `seed` (of the first one),
//! `flips` (every n-th bit of the used slots; 0 for none).

use std::process::ExitCode;
use std::time::Instant;

use world::{Broken, Depth, Disk, Event, Step, Tally, aged, explore, open, play};

#[expect(dead_code, reason = "the tests also plant mistakes in the store")]
#[path = "../tests/world/mod.rs"]
mod world;

struct Parameters {
    filler: u64,
    old: u64,
    commits: u64,
    nested: u64,
    afterwards: u64,
    subsets: u64,
    plays: u64,
    seed: u64,
    flips: u64,
}

fn main() -> ExitCode {
    let parameters = match Parameters::parse(std::env::args().skip(1)) {
        Ok(parameters) => parameters,
        Err(problem) => {
            eprintln!("{problem}; see the top of the example for the parameters");
            return ExitCode::from(2);
        }
    };
    match run(&parameters) {
        Ok(()) => ExitCode::SUCCESS,
        Err(broken) => {
            eprintln!("BROKEN: {broken:?}");
            ExitCode::FAILURE
        }
    }
}

fn run(parameters: &Parameters) -> Result<(), Broken> {
    cut_the_power(parameters)?;
    play_at_random(parameters)?;
    flip_bits(parameters)
}

fn cut_the_power(parameters: &Parameters) -> Result<(), Broken> {
    let depth = Depth {
        nested: parameters.nested as u32,
        afterwards: parameters.afterwards as u32,
        filler: parameters.filler as usize,
        subsets: parameters.subsets,
    };
    for step in [
        Step::Commit {
            filler: depth.filler,
        },
        Step::Finish,
    ] {
        let started = Instant::now();
        let disk = Disk::new(parameters.seed, None);
        let (_, claim) = aged(&disk, parameters.commits, parameters.old as usize);
        let mut tally = Tally::default();
        explore(&disk, claim, step, depth, &mut tally)?;
        println!(
            "{step:?}: {} power cuts, {} recoveries, all lawful ({:.1} s)",
            tally.power_cuts,
            tally.recoveries,
            started.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

fn play_at_random(parameters: &Parameters) -> Result<(), Broken> {
    let started = Instant::now();
    let mut events_played = 0;
    for seed in (parameters.seed..).take(parameters.plays as usize) {
        let mut random = seed;
        let count = 1 + next(&mut random) % 60;
        let events: Vec<Event> = (0..count).map(|_| any_event(&mut random)).collect();
        events_played += events.len();
        play(seed, &events).map_err(|broken| broken.at(format!("play with seed={seed}")))?;
    }
    println!(
        "{} plays of {events_played} events, all lawful ({:.1} s)",
        parameters.plays,
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

fn any_event(random: &mut u64) -> Event {
    let filler = (next(random) % 3_900) as usize;
    match next(random) % 16 {
        0 => Event::Take(Step::Finish),
        1 => Event::Reopen,
        2 | 3 => Event::Crash,
        4 | 5 => Event::PowerCut(next(random) % 12),
        6 => Event::FailWrite(next(random) % 6),
        7 => Event::FailSync(next(random) % 6),
        8 => Event::ShortWrites,
        9 => Event::Rot((next(random) % (64 * 4096 * 8)) as usize),
        10 | 11 => Event::Take(Step::Commit { filler }),
        _ => Event::Take(Step::Commit {
            filler: filler % 30,
        }),
    }
}

/// Each bit of both copies of a young store, one at a time: the newest record is always found.
fn flip_bits(parameters: &Parameters) -> Result<(), Broken> {
    let Some(stride) = std::num::NonZeroUsize::new(parameters.flips as usize) else {
        return Ok(());
    };
    let started = Instant::now();
    let disk = Disk::new(parameters.seed, None);
    let (_, claim) = aged(&disk, 3, parameters.filler as usize);
    let mut flips = 0;
    for copy in [0, 64 * 4096 * 8] {
        for bit in (0..5 * 4096 * 8).step_by(stride.get()) {
            let rotten = disk.copy();
            rotten.rot(copy + bit);
            open(&rotten, &mut claim.clone()).map_err(|broken| broken.at(format!("bit {bit}")))?;
            flips += 1;
        }
    }
    println!(
        "{flips} flipped bits, all lawful ({:.1} s)",
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

impl Parameters {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parameters = Self {
            filler: 20,
            old: 600,
            commits: 70,
            nested: 1,
            afterwards: 1,
            subsets: 64,
            plays: 2_000,
            seed: 1,
            flips: 1,
        };
        for argument in arguments {
            let (name, value) = argument
                .split_once('=')
                .ok_or_else(|| format!("`{argument}` is not of the form name=number"))?;
            let value = value
                .parse()
                .map_err(|error| format!("`{argument}`: {error}"))?;
            *parameters
                .named(name)
                .ok_or_else(|| format!("there is no `{name}`"))? = value;
        }
        Ok(parameters)
    }

    fn named(&mut self, name: &str) -> Option<&mut u64> {
        Some(match name {
            "filler" => &mut self.filler,
            "old" => &mut self.old,
            "commits" => &mut self.commits,
            "nested" => &mut self.nested,
            "afterwards" => &mut self.afterwards,
            "subsets" => &mut self.subsets,
            "plays" => &mut self.plays,
            "seed" => &mut self.seed,
            "flips" => &mut self.flips,
            _ => return None,
        })
    }
}

/// SplitMix64.
fn next(random: &mut u64) -> u64 {
    *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *random;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
