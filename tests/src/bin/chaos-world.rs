//! Plays the fault world: cells of the matrix, free runs, single runs from their text, and planted bugs. `cargo xtask chaos` runs it
//! optimised; `docs/testing.md` tells more.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use feedhold_tests::chaos::{
    self, Cell, End, Plan, Plant, Run, Schedule, StopAtFirst, Tally, Telling, Until, Violation,
};
use feedhold_tests::metrics::Resident;

/// Runs of each cell, and free runs, that count as all.
const FULL_CELL: u64 = 1_000;
const FULL_FREE: u64 = 1_000_000;
/// Time to make a failed run smaller.
const SHRINKING: Duration = Duration::from_secs(5);
/// Share of free runs that must complete.
const LEAST_COMPLETE: f64 = 0.3;

/// Lets everything go wrong, in virtual time, and looks whether the place is lost
#[derive(Parser)]
#[command(name = "chaos-world", bin_name = "cargo xtask chaos")]
struct Args {
    /// 1,000 seeds of each cell and a million free runs.
    #[arg(long)]
    full: bool,

    /// How long: half of it cells, half of it free runs.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,

    /// Names the runs.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,

    /// Only this cell.
    #[arg(long, value_name = "FAULT/MOMENT/DIALECT")]
    cell: Option<Cell>,

    /// So many free runs, and no cells.
    #[arg(long, value_name = "N")]
    free: Option<u64>,

    /// Plays one run as it was printed, and tells what happened.
    #[arg(long, value_name = "TEXT")]
    replay: Option<Schedule>,

    /// Plants a bug.
    #[arg(long, value_name = "BUG")]
    plant: Option<Plant>,

    /// Plants each bug in turn, and fails when one is not found within the seconds.
    #[arg(long)]
    plants: bool,

    /// Lists the cells, and why some cannot be.
    #[arg(long)]
    cells: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    // A panic in a run is a finding, and is told with its run.
    std::panic::set_hook(Box::new(|_| {}));
    let good = if args.cells {
        list();
        true
    } else if let Some(schedule) = &args.replay {
        replay(schedule, args.plant)
    } else if args.plants {
        plants(&args)
    } else {
        world(&args)
    };
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn possible() -> Vec<Cell> {
    Cell::all()
        .filter(|cell| cell.impossible().is_none())
        .collect()
}

fn list() {
    for cell in Cell::all() {
        match cell.impossible() {
            None => println!("{cell}"),
            Some(reason) => println!("{cell}: impossible, {reason}"),
        }
    }
}

fn replay(schedule: &Schedule, plant: Option<Plant>) -> bool {
    let Run {
        end,
        struck,
        resumes,
        motions,
        digest,
        trace,
    } = chaos::run(schedule, plant, Telling::Text);
    for line in trace {
        println!("{line}");
    }
    println!("{struck} faults struck, {resumes} resumes, {motions} motions, trace {digest:016x}");
    match end {
        Ok(End::Complete) => println!("complete"),
        Ok(End::Refused(code)) => println!("refused: {code}"),
        Err(violation) => {
            println!("VIOLATED: {violation}");
            return false;
        }
    }
    true
}

fn world(args: &Args) -> bool {
    let begun = Instant::now();
    let cells = match args.cell {
        Some(cell) => vec![cell],
        None => possible(),
    };
    let impossible = Cell::all().count() - possible().len();
    let half = Duration::from_secs(args.seconds) / 2;
    let mut good = true;
    if args.free.is_none() {
        let until = match (args.full, args.cell) {
            (true, _) => Until::Runs(FULL_CELL),
            (false, Some(_)) => Until::Time(begun + half * 2),
            (false, None) => Until::Time(begun + half),
        };
        println!(
            "{} cells ({impossible} impossible: see --cells), seed {}",
            cells.len(),
            args.seed
        );
        let began = Instant::now();
        let tally = chaos::play(
            &Plan::Cells(cells.clone()),
            until,
            args.seed,
            args.plant,
            StopAtFirst::No,
        );
        tell("cells", &tally, began.elapsed());
        good &= tally.violations == 0 && every_cell_strikes(&cells, &tally);
        report(&tally, args.plant);
    }
    if args.cell.is_none() {
        let until = match (args.full, args.free) {
            (_, Some(runs)) => Until::Runs(runs),
            (true, None) => Until::Runs(FULL_FREE),
            (false, None) => Until::Time(Instant::now() + half),
        };
        let began = Instant::now();
        let tally = chaos::play(&Plan::Free, until, args.seed, args.plant, StopAtFirst::No);
        tell("free runs", &tally, began.elapsed());
        let share = tally.complete as f64 / tally.runs.max(1) as f64;
        if share < LEAST_COMPLETE {
            println!(
                "FAILED: only {:.1} % of the free runs completed",
                share * 100.0
            );
            good = false;
        }
        good &= tally.violations == 0;
        report(&tally, args.plant);
    }
    let rss = Resident::of_this_process().map_or(f64::NAN, |resident| {
        resident.peak as f64 / f64::from(1 << 20)
    });
    println!(
        "{:.1} s, peak memory {rss:.0} MiB",
        begun.elapsed().as_secs_f64()
    );
    good
}

fn tell(what: &str, tally: &Tally, took: Duration) {
    let share = |count: u64| count as f64 * 100.0 / tally.runs.max(1) as f64;
    println!(
        "{what}: {} runs, {:.0} a second; {} faults struck, {} found no occasion; {} resumes; {} motions compared; {} runs twice",
        tally.runs,
        tally.runs as f64 / took.as_secs_f64().max(1e-9),
        tally.struck,
        tally.missed,
        tally.resumes,
        tally.motions,
        tally.twice,
    );
    println!("  {:>5.1} %  complete", share(tally.complete));
    for (code, (count, example)) in &tally.refused {
        println!(
            "  {:>5.1} %  refused: {code:<18} such as {example}",
            share(*count)
        );
    }
    println!("  violations: {}", tally.violations);
}

/// A cell whose fault never strikes proves nothing.
fn every_cell_strikes(cells: &[Cell], tally: &Tally) -> bool {
    let mut good = true;
    for (cell, (runs, struck)) in cells.iter().zip(&tally.cells) {
        // A handful of seeds may miss a rare moment.
        if *struck == 0 && *runs >= 40 {
            println!("FAILED: {cell} never struck in {runs} runs");
            good = false;
        }
    }
    good
}

fn report(tally: &Tally, plant: Option<Plant>) {
    for (schedule, violation) in tally.found.iter().take(5) {
        let small = chaos::shrink(schedule, violation, plant, SHRINKING);
        let told = match chaos::run(&small, plant, Telling::Digest).end {
            Err(violation) => violation,
            Ok(_) => violation.clone(),
        };
        println!("VIOLATED: {told}");
        reproduction(&small, plant);
    }
}

fn reproduction(schedule: &Schedule, plant: Option<Plant>) {
    let plant = plant.map_or_else(String::new, |plant| format!(" --plant {plant}"));
    println!("  cargo xtask chaos{plant} --replay '{schedule}'");
}

fn plants(args: &Args) -> bool {
    let mut missed = 0;
    for plant in Plant::ALL {
        let begun = Instant::now();
        let time = Duration::from_secs(args.seconds);
        let found = find(*plant, begun + time, args.seed);
        let took = begun.elapsed().as_secs_f64();
        match found {
            Some((schedule, violation)) => {
                println!(
                    "{:<22} caught in {took:>5.1} s by invariant {}: {schedule}",
                    plant.name(),
                    violation.invariant
                );
            }
            None => {
                println!("{:<22} NOT CAUGHT in {took:.1} s", plant.name());
                missed += 1;
            }
        }
    }
    println!("{} planted bugs, {missed} not caught", Plant::ALL.len());
    missed == 0
}

/// Looks for a planted bug in slices of cells and of free runs, in turn.
fn find(plant: Plant, until: Instant, seed: u64) -> Option<(Schedule, Violation)> {
    let plans = [Plan::Free, Plan::Cells(possible())];
    for slice in 0.. {
        let plan = &plans[slice % 2];
        let now = Instant::now();
        if now >= until {
            return None;
        }
        let slice_end = until.min(now + Duration::from_secs(3));
        let seed = seed.wrapping_add(slice as u64 * 1_000_003);
        let tally = chaos::play(
            plan,
            Until::Time(slice_end),
            seed,
            Some(plant),
            StopAtFirst::Yes,
        );
        if let Some(found) = tally.found.into_iter().next() {
            return Some(found);
        }
    }
    None
}
