//! What records cost the stream: the same job through the real session without records, with a record a second on a real disk, and on a
//! disk that takes 100 ms for every sync.
//!
//! Once to a machine that takes every line at once, where the host is the limit, and once to a grbl behind 115,200 baud in real time,
//! where the wire is. The kinds take turns, so that whatever else the computer does hits all of them; the best run of each counts, as
//! other work only ever costs. `cargo xtask bench checkpoints -- 9` takes 9 rounds instead of 5.

use std::error::Error;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use feedhold::checkpoint::{
    Config as StoreConfig, Store,
    backend::{Backend, Memory},
};
use feedhold::machine::{Machine, MotionLog};
use feedhold::session::{CheckpointInterval, Config, Ending, Job as SessionJob, Vetted, open};
use feedhold::stream_core::{streamer::Windowing, wire::Chain};
use feedhold::{Job, job::Settings};
use feedhold_tests::metrics::cpu_time;
use xtask::gcode::{Kind, Program};

/// What is wanted: of the lines a second without records, at most so much less with them, in percent.
const COST_PERCENT: f64 = 1.0;
/// Rounds, when none are named.
const ROUNDS: usize = 5;
/// Time that the slow disk takes to sync.
const STALL: Duration = Duration::from_millis(100);
/// Once a second, however many lines that are.
const INTERVAL: CheckpointInterval = CheckpointInterval {
    lines: u64::MAX,
    time: Duration::from_secs(1),
};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let typed = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with("--"));
    let rounds = typed.map_or(Ok(ROUNDS), |rounds| rounds.parse())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let place = tempfile::tempdir()?;
    println!(
        "{:<30} {:<28} {:>10} {:>9} {:>8} {:>8} {:>8}",
        "machine", "records", "lines/s", "spread", "records", "CPU s", "cost"
    );
    let mut worst = f64::NEG_INFINITY;
    for (machine, bytes) in [
        ("sim:null", 200_000_000),
        ("sim:grbl?baud=115200&motion=instant", 120_000),
    ] {
        let file = place.path().join("job.nc");
        let kind = if machine == "sim:null" {
            Kind::Mill
        } else {
            Kind::Stress
        };
        let program = Program::endless(kind, 1, bytes)?;
        io::copy(&mut { program }, &mut File::create(&file)?)?;
        let bench = Bench::new(&file, machine, place.path())?;
        let kinds = runtime.block_on(bench.rounds(rounds))?;
        worst = worst.max(report(machine, &kinds));
    }
    let good = worst <= COST_PERCENT;
    println!(
        "{}: records cost at most {worst:.2} % of the lines a second (wanted {COST_PERCENT})",
        if good { "good" } else { "NOT GOOD" }
    );
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints a row a kind of record; gives the highest cost in percent.
fn report(machine: &str, kinds: &[(Records, Vec<Run>)]) -> f64 {
    let without = kinds.first().map_or(f64::NAN, |(_, runs)| best(runs));
    let mut worst = f64::NEG_INFINITY;
    for (records, runs) in kinds {
        let slowest = runs.iter().map(Run::rate).fold(f64::INFINITY, f64::min);
        let cost = 100.0 * (1.0 - best(runs) / without);
        let cpu = runs.iter().map(|run| run.cpu.as_secs_f64());
        println!(
            "{machine:<30} {:<28} {:>10.0} {:>8.1}% {:>8} {:>8.2} {cost:>7.2}%",
            records.name(),
            best(runs),
            100.0 * (1.0 - slowest / best(runs)),
            runs.last().map_or(0, |run| run.records),
            cpu.fold(f64::INFINITY, f64::min),
        );
        worst = worst.max(cost);
    }
    worst
}

fn best(runs: &[Run]) -> f64 {
    runs.iter().map(Run::rate).fold(0.0, f64::max)
}

/// Where the records of a run go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Records {
    Nowhere,
    OnDisk,
    OnSlowDisk,
}

impl Records {
    const ALL: [Self; 3] = [Self::Nowhere, Self::OnDisk, Self::OnSlowDisk];

    fn name(self) -> &'static str {
        match self {
            Self::Nowhere => "none",
            Self::OnDisk => "1 Hz, disk",
            Self::OnSlowDisk => "1 Hz, 100 ms a sync",
        }
    }
}

/// One run of the job.
#[derive(Debug)]
struct Run {
    lines: u64,
    elapsed: Duration,
    cpu: Duration,
    records: u64,
}

impl Run {
    fn rate(&self) -> f64 {
        self.lines as f64 / self.elapsed.as_secs_f64()
    }
}

struct Bench<'a> {
    vetted: Vetted,
    chain: Arc<Chain>,
    settings: Settings,
    machine: &'a str,
    place: &'a Path,
}

impl<'a> Bench<'a> {
    fn new(file: &Path, machine: &'a str, place: &'a Path) -> Result<Self, Box<dyn Error>> {
        let job = Job::new(file, machine.parse()?).windowing(Windowing::Native);
        let settings = job.settings();
        Ok(Self {
            vetted: job.vet(|_| true)?,
            chain: Arc::new(settings.chain()?),
            settings,
            machine,
            place,
        })
    }

    async fn rounds(&self, rounds: usize) -> Result<Vec<(Records, Vec<Run>)>, Box<dyn Error>> {
        let mut kinds: Vec<_> = Records::ALL.map(|records| (records, Vec::new())).into();
        // The first run of a process finds nothing in memory.
        self.run(Records::Nowhere).await?;
        for round in 0..rounds {
            let count = kinds.len();
            for turn in 0..count {
                if let Some((records, runs)) = kinds.get_mut((round + turn) % count) {
                    runs.push(self.run(*records).await?);
                }
            }
        }
        Ok(kinds)
    }

    async fn run(&self, records: Records) -> Result<Run, Box<dyn Error>> {
        let machine = Machine::open(&self.machine.parse()?, &MotionLog::default())?;
        let config = Config::new(self.settings.streamer()?).checkpoints(INTERVAL);
        let session = open(machine.connect, config).await?;
        let job = SessionJob::new(self.vetted.clone(), Arc::clone(&self.chain));
        let directory = tempfile::tempdir_in(self.place)?;
        let store = StoreConfig::new();
        let job = match records {
            Records::Nowhere => job,
            Records::OnDisk => job.store(Store::create(directory.path(), &store)?),
            Records::OnSlowDisk => job.store(Store::create_on(Slow(Memory::new()), &store)?),
        };
        let began = cpu_time();
        let outcome = session.run(job).await?;
        let cpu = cpu_time() - began;
        if outcome.ending != Ending::Finished {
            return Err(format!("the job ended as {:?}", outcome.ending).into());
        }
        Ok(Run {
            lines: outcome.lines,
            elapsed: outcome.elapsed,
            cpu,
            records: session.snapshot().checkpoints,
        })
    }
}

/// A disk in memory that takes its time to sync.
struct Slow(Memory);

impl Backend for Slow {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buf)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_at(offset, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        std::thread::sleep(STALL);
        self.0.sync()
    }

    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn place(&self) -> String {
        "a slow disk".to_owned()
    }
}
