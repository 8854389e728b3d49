//! Cuts the power, fails the disk and damages the bytes of the checkpoint store in every way there is, and judges what an open makes
//! of it. `cargo xtask crash` runs it optimised; `docs/testing.md` tells more.

use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use feedhold_tests::crash::{
    bugs::Bug,
    campaign::{Campaign, Scale},
    report::{Row, Tally},
};

/// Cuts the power, fails the disk and damages the bytes of the checkpoint store, and judges every open
#[derive(Parser)]
#[command(name = "crash-store", bin_name = "cargo xtask crash")]
struct Args {
    /// A sample of a few seconds instead of everything.
    #[arg(long)]
    quick: bool,

    /// Of whatever is random.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Plant this mistake in the store first: it has to be caught.
    #[arg(long, value_name = "NAME")]
    bug: Option<Bug>,

    /// Plant each mistake in turn and list what catches it; good when all are caught.
    #[arg(long, conflicts_with = "bug")]
    bugs: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let good = if args.bugs {
        plant_all(args.seed)
    } else {
        attack(&args)
    };
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn attack(args: &Args) -> bool {
    let began = Instant::now();
    println!("seed {}", args.seed);
    println!("{}", Row::heads());
    let scale = if args.quick || args.bug.is_some() {
        Scale::Sample
    } else {
        Scale::Full
    };
    let campaign = campaign(scale, args.seed, args.bug);
    let rows = campaign.run(|row| println!("{row}"));
    let mut total = Tally::default();
    rows.iter().for_each(|row| total.add(&row.tally));
    let broken: Vec<_> = rows.iter().filter(|row| row.broken.is_some()).collect();
    println!(
        "{} points, {} subsets and torn sectors, {} images opened and judged, {} more of a kind already judged, {} refused, {} within \
         the stated limits, {} rows broken, {:.0} s on {} threads",
        total.points,
        total.subsets,
        total.judged,
        total.sampled,
        total.refused,
        total.limits,
        broken.len(),
        began.elapsed().as_secs_f64(),
        campaign.threads
    );
    println!(
        "Equal images are judged once. Crashes inside an open, torn sectors, and points with more subsets than are opened one by one \
         (*) are judged by kind: one image for all whose slots an open takes for the same."
    );
    println!(
        "Limits: not one copy of the newest record is left and an older one is shown, as docs/checkpoint-format.md says."
    );
    for row in &broken {
        if let Some(broken) = &row.broken {
            println!("BROKEN {}: {broken}", row.what);
        }
    }
    broken.is_empty()
}

fn plant_all(seed: u64) -> bool {
    let mut caught = 0;
    for bug in Bug::value_variants() {
        let name = bug
            .to_possible_value()
            .map_or_else(String::new, |v| v.get_name().to_owned());
        let began = Instant::now();
        let rows = campaign(Scale::Sample, seed, Some(*bug)).run(|_| ());
        let by = rows
            .iter()
            .find_map(|row| Some((row, row.broken.as_ref()?)));
        let seconds = began.elapsed().as_secs_f64();
        match by {
            Some((row, broken)) => {
                caught += 1;
                println!("{name:<20} caught {seconds:>5.1} s  {}: {broken}", row.what);
            }
            None => println!("{name:<20} MISSED {seconds:>5.1} s"),
        }
    }
    println!(
        "{caught} of {} planted mistakes caught",
        Bug::value_variants().len()
    );
    caught == Bug::value_variants().len()
}

fn campaign(scale: Scale, seed: u64, bug: Option<Bug>) -> Campaign {
    Campaign {
        scale,
        seed,
        bug,
        threads: available_parallelism().map_or(1, usize::from),
    }
}
