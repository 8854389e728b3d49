//! Takes jobs up again at random lines, on simulated machines after a power cut, and asks whether they go on as if nothing had
//! happened. `cargo xtask resume-check` runs it optimised; `docs/testing.md` tells more.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::Parser;
use feedhold::{
    guess,
    job::Settings,
    stream_core::{dialect::Dialect, wire::WordName},
};
use feedhold_tests::resume::{Checked, Choice, Program, check, wild};
use xtask::gcode::Rng;

/// Takes jobs up again at random lines and asks whether they go on as if nothing had happened
#[derive(Parser)]
#[command(name = "resume-check", bin_name = "cargo xtask resume-check")]
struct Args {
    /// G-code files; without any, the sample jobs of the repository and random programs.
    files: Vec<PathBuf>,

    /// Lines at which a job is taken up, over all files in proportion to their length.
    #[arg(long, default_value_t = 4_000)]
    lines: u64,

    /// Lines of each file from which the rest of the program is really run.
    #[arg(long, value_name = "N", default_value_t = 40)]
    rest: usize,

    /// Chooses the lines and the random programs.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// The firmware, `grbl` or `marlin`; what the file looks like by default.
    #[arg(long, value_parser = dialect)]
    dialect: Option<Dialect>,

    /// Codes or letters to leave out of the programs.
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    skip: Vec<WordName>,

    /// A line to put in front of each program of a mill, such as F500; may be given again.
    #[arg(long, value_name = "LINE")]
    before: Vec<String>,
}

/// A program with the lines chosen in it, in as many parts as there are threads.
struct Job {
    program: Program,
    parts: Vec<Choice>,
}

/// What came of a job so far.
#[derive(Default)]
struct Told {
    checked: Checked,
    failure: Option<String>,
    busy: Duration,
}

/// Random programs of each firmware when no file is named, and their lines.
const WILD: [(Dialect, u64); 2] = [(Dialect::Grbl, 8), (Dialect::Marlin, 8)];
const WILD_LINES: usize = 400;

fn main() -> ExitCode {
    let args = Args::parse();
    let programs = match args.programs() {
        Ok(programs) => programs,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("seed {}", args.seed);
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let jobs = args.choose(programs, threads);
    let begun = Instant::now();
    let told = run(&jobs, threads);
    report(&jobs, &told, begun.elapsed())
}

impl Args {
    fn programs(&self) -> Result<Vec<Program>, String> {
        let mut programs = Vec::new();
        for file in &self.files {
            let dialect = self.dialect.unwrap_or_else(|| guess::guess(file).dialect);
            programs.push(self.load(file, dialect)?);
        }
        if !programs.is_empty() {
            return Ok(programs);
        }
        let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples"));
        programs.push(self.load(&examples.join("relief.nc"), Dialect::Grbl)?);
        programs.push(self.load(&examples.join("vase.gcode"), Dialect::Marlin)?);
        for (dialect, count) in WILD {
            for seed in self.seed..self.seed + count {
                let name = format!("wild {seed}");
                let text = wild(dialect, seed, WILD_LINES);
                let program = Program::new(name, text.as_bytes(), self.settings(dialect));
                programs.push(program.map_err(|error| format!("wild {seed}: {error}"))?);
            }
        }
        Ok(programs)
    }

    fn load(&self, file: &Path, dialect: Dialect) -> Result<Program, String> {
        let before = match dialect {
            Dialect::Grbl => self.before.as_slice(),
            _ => &[],
        };
        Program::load(file, before, self.settings(dialect))
            .map_err(|error| format!("{}: {error}", file.display()))
    }

    fn settings(&self, dialect: Dialect) -> Settings {
        let mut settings = Settings::new(dialect);
        settings.skip.clone_from(&self.skip);
        settings
    }

    /// Spreads the lines over the programs in proportion to their length, and over the parts.
    fn choose(&self, programs: Vec<Program>, parts: usize) -> Vec<Job> {
        let mut rng = Rng::new(self.seed);
        let all: u64 = programs.iter().map(Program::lines).sum();
        let (mut seen, mut given) = (0, 0);
        let jobs = programs.into_iter().map(|program| {
            let length = program.lines();
            seen += length;
            let until = self.lines * seen / all.max(1);
            let mut lines: Vec<u64> = (given..until).map(|_| rng.below(length.max(1))).collect();
            given = until;
            lines.sort_unstable();
            let parts = (0..parts).map(|part| Choice {
                lines: lines.iter().copied().skip(part).step_by(parts).collect(),
                rests: (self.rest + part) / parts,
            });
            Job {
                parts: parts.collect(),
                program,
            }
        });
        jobs.collect()
    }
}

/// Asks at all lines of all jobs, part by part.
fn run(jobs: &[Job], threads: usize) -> Vec<Told> {
    let parts = jobs
        .iter()
        .enumerate()
        .flat_map(|(index, job)| job.parts.iter().map(move |part| (index, job, part)));
    let parts = Mutex::new(parts);
    let told = Mutex::new(jobs.iter().map(|_| Told::default()).collect::<Vec<_>>());
    let next = || parts.lock().ok()?.next();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, job, part)) = next() {
                    let begun = Instant::now();
                    let result = check(&job.program, part);
                    let Ok(mut all) = told.lock() else { return };
                    let Some(told) = all.get_mut(index) else {
                        return;
                    };
                    told.busy += begun.elapsed();
                    match result {
                        Ok(checked) => told.checked.add(checked),
                        Err(error) => told.failure = Some(error.to_string()),
                    }
                }
            });
        }
    });
    told.into_inner().unwrap_or_default()
}

fn report(jobs: &[Job], told: &[Told], elapsed: Duration) -> ExitCode {
    println!(
        "{:<24} {:<7} {:>8} {:>7} {:>7} {:>8} {:>6} {:>10} {:>7}  result",
        "file", "machine", "lines", "asked", "run", "refused", "rests", "motions", "seconds"
    );
    let mut sum = Checked::default();
    let mut good = true;
    for (job, told) in jobs.iter().zip(told) {
        let checked = &told.checked;
        let refused: u64 = checked.refused.values().map(|(count, _)| count).sum();
        let result = match (&told.failure, checked.found) {
            (Some(failure), _) => format!("FAILED: {failure}"),
            (None, 0) => "equal".to_owned(),
            (None, found) => format!("{found} FOUND"),
        };
        good &= told.failure.is_none() && checked.found == 0;
        println!(
            "{:<24} {:<7} {:>8} {:>7} {:>7} {refused:>8} {:>6} {:>10} {:>7.2}  {result}",
            job.program.name,
            job.program.settings.dialect.name(),
            job.program.lines(),
            checked.asked,
            checked.run,
            checked.rests,
            checked.motions,
            told.busy.as_secs_f64(),
        );
        for finding in &checked.findings {
            println!("    {}: {finding}", job.program.name);
        }
        sum.add(told.checked.clone());
    }
    println!(
        "{} lines asked, {} plans run, {} rests with {} motions compared, {} found, {:.1} s",
        sum.asked,
        sum.run,
        sum.rests,
        sum.motions,
        sum.found,
        elapsed.as_secs_f64()
    );
    for (code, (count, text)) in &sum.refused {
        let share = *count as f64 / sum.asked.max(1) as f64 * 100.0;
        println!("refused as {code:<20} {count:>8}  {share:>6.2} %  such as: {text}");
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn dialect(name: &str) -> Result<Dialect, String> {
    guess::dialect_named(name).ok_or_else(|| format!("`{name}` is neither grbl nor marlin"))
}
