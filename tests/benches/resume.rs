//! How long it takes to plan a resume: the real command, as a process that has just started, with a job that stopped at 90 % of a large
//! file.
//!
//! `cargo xtask bench resume` takes a milling job of 1 GB; `cargo xtask bench resume -- 100 10000` takes other sizes, in MB. The files
//! are made for the occasion and deleted again. The job is begun by the same code that `feedhold run` uses: the file is vetted, its
//! index kept, and a record committed that the machine was paused there.

use std::error::Error;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use feedhold::Job;
use feedhold::jobs::Jobs;
use feedhold::session::{Reason, Record, Vetted};
use feedhold_tests::product::{Cost, Product};
use xtask::gcode::{Kind, Program};

const MIB: f64 = 1024.0 * 1024.0;
/// What is wanted: from the start of the process to its end, in seconds,
const SECONDS: f64 = 3.0;
/// and resident memory at most, in MiB.
const PEAK_MIB: f64 = 64.0;
/// Each is measured so often; the slowest counts.
const RUNS: usize = 3;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let typed = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"));
    let mut sizes_mb = typed
        .map(|size| size.parse())
        .collect::<Result<Vec<u64>, _>>()?;
    if sizes_mb.is_empty() {
        sizes_mb = vec![1000];
    }
    let product = Product::build()?;
    println!(
        "{:>8} {:<36} {:>10} {:>8} {:>10}",
        "MB", "", "seconds", "CPU s", "peak MiB"
    );
    let (mut slowest, mut highest) = (0.0_f64, 0.0_f64);
    for size_mb in sizes_mb {
        let place = tempfile::tempdir()?;
        let file = place.path().join("mill.nc");
        let program = Program::endless(Kind::Mill, 1, size_mb * 1_000_000)?;
        io::copy(&mut { program }, &mut File::create(&file)?)?;
        let bed = Bed::begin(&file, &place.path().join("state"))?;
        println!(
            "{size_mb:>8} {:<36} {:>10.2}",
            "vetted with an index",
            bed.vetting.as_secs_f64()
        );
        for (cold, name) in [
            (true, "planned, file not in memory"),
            (false, "planned, file in memory"),
        ] {
            for _ in 0..RUNS {
                if cold {
                    forget(&file)?;
                }
                let cost = bed.plan(&product)?;
                let (seconds, peak) = (cost.elapsed.as_secs_f64(), cost.peak as f64 / MIB);
                row(size_mb, name, &cost);
                slowest = slowest.max(seconds);
                highest = highest.max(peak);
            }
        }
        std::fs::remove_file(bed.jobs.root().join(&bed.name).join("index.fhi"))?;
        row(size_mb, "planned, index lost", &bed.plan(&product)?);
        row(size_mb, "planned, index made anew", &bed.plan(&product)?);
    }
    let good = slowest <= SECONDS && highest <= PEAK_MIB;
    println!(
        "{}: with an index at most {slowest:.2} s (wanted {SECONDS}) and {highest:.2} MiB (wanted {PEAK_MIB})",
        if good { "good" } else { "NOT GOOD" }
    );
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn row(size_mb: u64, name: &str, cost: &Cost) {
    println!(
        "{size_mb:>8} {name:<36} {:>10.2} {:>8.2} {:>10.2}",
        cost.elapsed.as_secs_f64(),
        cost.cpu.as_secs_f64(),
        cost.peak as f64 / MIB
    );
}

/// A job that was paused at 90 % of its lines.
struct Bed {
    jobs: Jobs,
    name: String,
    vetting: Duration,
}

impl Bed {
    fn begin(file: &Path, state: &Path) -> Result<Self, Box<dyn Error>> {
        let jobs = Jobs::at(state);
        let job = Job::new(file, "sim:grbl".parse()?);
        let began = Instant::now();
        let vetted = job.vet(|_| true)?;
        let vetting = began.elapsed();
        let mut begun = jobs.begin(&vetted.identity, &job.settings())?;
        jobs.keep_index(&begun.name, vetted.index())?;
        begun.store.commit(&paused(&vetted))?;
        Ok(Self {
            jobs,
            name: begun.name,
            vetting,
        })
    }

    fn plan(&self, product: &Product) -> Result<Cost, Box<dyn Error>> {
        let state = self.jobs.root().to_string_lossy();
        let plan = ["resume", &self.name, "--plan", "--state-dir", &state];
        let cost = product.run(&plan)?;
        if !cost.last_line.contains("the job goes on with line") {
            return Err(format!("no plan came: {}", cost.last_line).into());
        }
        Ok(cost)
    }
}

/// The machine stands at 90 % with everything executed that was sent.
fn paused(vetted: &Vetted) -> Record {
    let done = vetted.identity.lines / 10 * 9;
    Record {
        file: vetted.identity.clone(),
        machine: "sim:grbl".to_owned(),
        dialect: "grbl".to_owned(),
        executed: done,
        acked: done,
        sent: done,
        ceiling: done,
        elapsed: Duration::from_secs(3600),
        written_at_ms: 0,
        reason: Reason::Paused,
        controller: None,
        baseline: None,
        position: None,
        anchor: None,
        decided: None,
        position_lost: false,
    }
}

/// The operating system keeps nothing of the file in memory.
fn forget(file: &Path) -> io::Result<()> {
    let file = File::open(file)?;
    file.sync_all()?;
    #[cfg(target_os = "linux")]
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}
