//! Kills the real command again and again and judges what the machines did. `cargo xtask kill` runs it; `docs/testing.md` tells
//! more.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use feedhold::stream_core::dialect::Dialect;
use feedhold_tests::{
    kill::{
        KillError, Rig,
        full_disk::{self, Room},
        power,
        rig::{Cable, Kind, OnOpen},
        rounds::{self, Blow, Mode, Played},
        strace::{self, CALLS, Errno, Point, STORE_CALLS, Strike},
        table::Row,
    },
    product::{Product, Profile},
};
use xtask::gcode::Rng;

/// Kills the real command again and again and judges what the machines did
#[derive(Parser)]
#[command(name = "kill", bin_name = "cargo xtask kill")]
struct Args {
    /// Processes to kill in each random mode [default: 2000, or 60 in the slice]
    #[arg(long)]
    runs: Option<u64>,

    /// What all random choices depend on.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// What to do.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "all")]
    mode: Vec<Part>,

    /// A slice of about twenty seconds, with a command that is built as tests are.
    #[arg(long)]
    quick: bool,

    /// Jobs at a time; most of their time is the machines'.
    #[arg(long, default_value_t = 8)]
    jobs: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The host is killed; the controller lives on.
    Alive,
    /// The host is killed; the next one that opens the port restarts the controller.
    Dtr,
    /// The machine is killed; the host lives on.
    MachineKilled,
    /// The host is killed at each system call that touches its records, while it begins and while it resumes.
    Points,
    /// Every write and sync of the store fails, as on a broken and on a full disk.
    Disk,
    /// File systems that are too small.
    Full,
    /// The power is cut at every write and sync of the records of a whole job.
    Power,
    /// Everything.
    All,
}

const RANDOM: [(Part, Mode, &str); 3] = [
    (Part::Alive, Mode::Alive, "alive"),
    (Part::Dtr, Mode::Dtr, "dtr"),
    (Part::MachineKilled, Mode::MachineKilled, "machine-killed"),
];

/// Kills of a random mode.
const RUNS: u64 = 2000;

/// Kills of a random mode in the quick slice.
const QUICK_RUNS: u64 = 60;

/// Of the enumerated points, the quick slice takes every so many.
const QUICK_STEP: usize = 12;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<bool, KillError> {
    let profile = if args.quick {
        Profile::Dev
    } else {
        Profile::Release
    };
    let session = Session {
        product: Product::build_as(profile)?,
        seed: args.seed,
        workers: args.jobs.max(1),
    };
    let usual = if args.quick { QUICK_RUNS } else { RUNS };
    let runs = args.runs.unwrap_or(usual);
    let step = if args.quick { QUICK_STEP } else { 1 };
    let wants = |part| {
        args.mode
            .iter()
            .any(|mode| *mode == part || *mode == Part::All)
    };
    println!("seed {}\n{}", args.seed, Row::heading());
    let mut good = true;
    for (_, mode, name) in RANDOM.into_iter().filter(|(part, ..)| wants(*part)) {
        good &= tell(&session.random(mode, name, runs)?);
    }
    if wants(Part::Points) || wants(Part::Disk) {
        if strace::is_there() {
            if wants(Part::Points) {
                good &= session.points(step)?;
            }
            if wants(Part::Disk) {
                good &= session.disk(step)?;
            }
        } else {
            println!("points, disk: skipped, there is no usable strace on this computer");
        }
    }
    if wants(Part::Full) {
        good &= session.full()?;
    }
    if wants(Part::Power) {
        for dialect in [Dialect::Grbl, Dialect::Marlin] {
            good &= power(dialect, args.seed)?;
        }
    }
    println!(
        "{}",
        if good {
            "every promise was kept"
        } else {
            "PROMISES WERE BROKEN"
        }
    );
    Ok(good)
}

/// Cuts the power everywhere in one job.
fn power(dialect: Dialect, seed: u64) -> Result<bool, KillError> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime
        .enable_all()
        .build()
        .map_err(|source| KillError::Io {
            what: "cannot start the runtime".to_owned(),
            source,
        })?;
    let cuts = runtime.block_on(power::cut_everywhere(dialect, seed))?;
    println!(
        "power, {}: cut at {} instants, {} disks opened: {} wrong, {} before the first record, {} with nothing in doubt, at most {} \
         lines in doubt",
        dialect.name(),
        cuts.instants,
        cuts.disks,
        cuts.wrong.len(),
        cuts.not_begun,
        cuts.clean,
        cuts.doubt
    );
    cuts.wrong
        .iter()
        .take(10)
        .for_each(|wrong| println!("  {wrong}"));
    Ok(cuts.wrong.is_empty() && cuts.disks > cuts.not_begun)
}

/// Prints a row and what is wrong with it.
fn tell(row: &Row) -> bool {
    println!("{row}");
    for (number, said) in row.said.values() {
        println!("  such as, round {number}: {said}");
    }
    for (number, wrong) in &row.wrong {
        println!("  round {number}: {wrong}");
    }
    row.is_good()
}

struct Session {
    product: Product,
    seed: u64,
    workers: usize,
}

impl Session {
    fn random(&self, mode: Mode, name: &str, runs: u64) -> Result<Row, KillError> {
        self.row(name, |number, row| {
            (row.kills < runs).then(|| {
                let seed = self.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                move |product: &Product| {
                    rounds::play(product, mode, kind(mode, number), number, seed)
                }
            })
        })
    }

    /// Kills at every call, in a host that begins and in one that resumes.
    fn points(&self, step: usize) -> Result<bool, KillError> {
        let mut good = true;
        for (name, resumes) in [("at calls, run", false), ("at calls, resume", true)] {
            let points: Vec<Point> = self
                .calls(CALLS, Strike::Kill)?
                .into_iter()
                .step_by(step)
                .collect();
            let row = self.row(name, |number, _| {
                let point = *points.get(usize::try_from(number).ok()?)?;
                let mut rng = Rng::new(self.seed ^ number);
                let first = resumes.then(|| Blow::random(&mut rng));
                let blows: Vec<Blow> = first.into_iter().chain([Blow::At(point)]).collect();
                Some(move |product: &Product| {
                    rounds::strike(product, plain(number), number, &blows)
                })
            })?;
            good &= tell(&row);
        }
        Ok(good)
    }

    /// Errors at every write and sync of the store.
    fn disk(&self, step: usize) -> Result<bool, KillError> {
        let mut good = true;
        for (name, errno) in [("EIO", Errno::Eio), ("ENOSPC", Errno::Enospc)] {
            let points = self.calls(STORE_CALLS, Strike::Error(errno))?;
            let points: Vec<Point> = points.into_iter().step_by(step.div_ceil(4)).collect();
            let row = self.row(name, |number, _| {
                let point = *points.get(usize::try_from(number).ok()?)?;
                Some(move |product: &Product| {
                    rounds::strike(product, plain(number), number, &[Blow::At(point)])
                })
            })?;
            good &= tell(&row);
        }
        Ok(good)
    }

    fn full(&self) -> Result<bool, KillError> {
        let mut good = true;
        for room in [Room::TooSmall, Room::JustEnough] {
            match full_disk::play(&self.product, plain(0), room)? {
                None => println!(
                    "{}: skipped, this user may not mount file systems",
                    room.name()
                ),
                Some(played) => {
                    let mut row = Row::new(room.name());
                    row.add(0, played);
                    good &= tell(&row);
                }
            }
        }
        Ok(good)
    }

    /// The points of a whole job that nobody disturbs.
    fn calls(&self, calls: &[&'static str], strike: Strike) -> Result<Vec<Point>, KillError> {
        let rig = Rig::new(&self.product, plain(0), 0)?;
        let counts = strace::count(calls, &rig.run())?;
        let points = counts.into_iter().flat_map(|(call, times)| {
            (1..=times).map(move |number| Point {
                call,
                number,
                strike,
            })
        });
        Ok(points.collect())
    }

    /// Plays rounds, several at a time, as long as `next` gives one.
    fn row<R>(
        &self,
        name: &str,
        next: impl Fn(u64, &Row) -> Option<R> + Sync,
    ) -> Result<Row, KillError>
    where
        R: FnOnce(&Product) -> Result<Played, KillError>,
    {
        let began = Instant::now();
        let numbers = AtomicU64::new(0);
        let row = Mutex::new(Row::new(name));
        let work = || -> Result<(), KillError> {
            loop {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                // A worker that panicked has counted nothing by halves.
                let round = next(
                    number,
                    &row.lock().unwrap_or_else(|error| error.into_inner()),
                );
                let Some(round) = round else { return Ok(()) };
                let played = round(&self.product)?;
                row.lock()
                    .unwrap_or_else(|error| error.into_inner())
                    .add(number, played);
            }
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..self.workers).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().unwrap_or(Ok(())))
        })?;
        let mut row = row.into_inner().unwrap_or_else(|error| error.into_inner());
        row.took = began.elapsed();
        Ok(row)
    }
}

/// Both firmwares over both cables in turn; nobody sees a pty being opened, so DTR needs TCP.
fn kind(mode: Mode, number: u64) -> Kind {
    let kind = plain(number);
    match mode {
        Mode::Dtr => Kind {
            cable: Cable::Tcp,
            ..kind
        },
        Mode::Alive | Mode::MachineKilled => kind,
    }
}

fn plain(number: u64) -> Kind {
    Kind {
        dialect: if number.is_multiple_of(2) {
            Dialect::Grbl
        } else {
            Dialect::Marlin
        },
        cable: if (number / 2).is_multiple_of(2) {
            Cable::Tcp
        } else {
            Cable::Pty
        },
        on_open: OnOpen::Keep,
    }
}
