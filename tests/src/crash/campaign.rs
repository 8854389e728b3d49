//! Everything there is to try, on all processors, as one table.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};
use std::time::Instant;

use super::{
    Broken, Step,
    bugs::Bug,
    creation,
    damage::{self, BITS, Bases},
    disk::COPIES,
    drills, play,
    points::{self, Course, Limits, Ring},
    report::{Row, Tally},
};

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Campaign {
    /// How much of it.
    pub scale: Scale,
    /// Of whatever is random.
    pub seed: u64,
    /// The planted mistake.
    pub bug: Option<Bug>,
    /// Threads.
    pub threads: usize,
}

/// How much of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// What a test without optimisation can do.
    Test,
    /// A sample of seconds.
    Sample,
    /// Everything.
    Full,
}

/// A piece of a row that runs by itself.
struct Piece<'a> {
    row: usize,
    run: Box<Run<'a>>,
}

type Run<'a> = dyn Fn(&mut Tally) -> Result<(), Broken> + Send + Sync + 'a;

/// The rows of the table, and the work they are made of.
#[derive(Default)]
struct Plan<'a> {
    rows: Vec<String>,
    pieces: Vec<Piece<'a>>,
}

const RINGS: [Ring; 7] = [
    ring("fresh", 0, 0),
    ring("young", 3, 20),
    ring("nearly full", 62, 20),
    ring("full", 63, 20),
    ring("wrapped", 70, 20),
    ring("wrapped, 2 sectors", 70, 600),
    ring("wrapped, 8 sectors", 70, 3_900),
];

/// The rings of [`Scale::Test`].
const TESTED: [&str; 3] = ["fresh", "full", "wrapped, 2 sectors"];

const fn ring(name: &'static str, commits: u64, filler: usize) -> Ring {
    Ring {
        name,
        commits,
        filler,
    }
}

impl Campaign {
    /// Tries it all. Each row is shown as soon as it is complete.
    pub fn run(&self, show: impl Fn(&Row) + Sync) -> Vec<Row> {
        let bases = Bases::default();
        let mut plan = Plan::default();
        self.names(&mut plan);
        self.failures(&mut plan);
        if self.bug.is_some() {
            // A mistake needs to be caught once: what is quick comes first.
            self.mutations(&mut plan, &bases);
            self.points(&mut plan);
            self.bits(&mut plan, &bases);
        } else {
            self.points(&mut plan);
            self.bits(&mut plan, &bases);
            self.mutations(&mut plan, &bases);
        }
        plan.run(self.threads, self.bug, show)
    }

    fn points<'a>(&self, plan: &mut Plan<'a>) {
        let limits = Limits {
            exact: match self.scale {
                Scale::Full => 1 << 16,
                Scale::Sample | Scale::Test => 1 << 10,
            },
        };
        let (bug, scale) = (self.bug, self.scale);
        let long = move |filler| filler > 3_000 && (bug.is_some() || scale == Scale::Test);
        let tested = |ring: &Ring| scale != Scale::Test || TESTED.contains(&ring.name);
        for ring in RINGS
            .into_iter()
            .filter(|ring| !long(ring.filler) && tested(ring))
        {
            let steps = [
                ("commit, 1 sector", Step::Commit { filler: 20 }),
                ("commit, 2 sectors", Step::Commit { filler: 600 }),
                ("commit, 8 sectors", Step::Commit { filler: 3_900 }),
                ("finish", Step::Finish),
            ];
            for (name, step) in steps {
                if matches!(step, Step::Commit { filler } if long(filler)) {
                    continue;
                }
                plan.row(format!("{}: {name}", ring.name), move |tally| {
                    points::explore(ring, Course::Step(step), bug, limits, tally)
                });
            }
            for region in 0..2 {
                for back in [0, 1].into_iter().filter(|back| *back <= ring.commits) {
                    let name = ["A", "B"][region];
                    let what = format!("{}: repair of copy {name}, {back} back", ring.name);
                    let course = Course::Repair { back, region };
                    plan.row(what, move |tally| {
                        points::explore(ring, course, bug, limits, tally)
                    });
                }
            }
        }
    }

    fn names<'a>(&self, plan: &mut Plan<'a>) {
        let bug = self.bug;
        plan.row("creation in a directory".to_owned(), move |tally| {
            creation::explore(bug, tally)
        });
    }

    fn bits<'a>(&self, plan: &mut Plan<'a>, bases: &'a Bases) {
        let bug = self.bug;
        for (name, subject) in [("full", bases.fullest()), ("young", bases.youngest())] {
            let row = plan.heading(format!("single bits of a {name} image"));
            let stride = match self.scale {
                Scale::Full => 1,
                Scale::Sample => 61,
                Scale::Test => 1_999,
            };
            for copy in 0..COPIES {
                plan.piece(row, move |tally| match bug {
                    None => damage::flip_bits(subject, copy..copy + 1, stride, tally),
                    Some(_) => (copy..BITS).step_by(4_001).try_for_each(|bit| {
                        tally.points += 1;
                        tally.judged += 1;
                        damage::flip_really(subject, copy, bit, bug)
                    }),
                });
            }
        }
    }

    fn mutations<'a>(&self, plan: &mut Plan<'a>, bases: &'a Bases) {
        let (bug, seed) = (self.bug, self.seed);
        let (batches, each) = match (bug, self.scale) {
            (Some(_), _) | (None, Scale::Test) => (8, 200),
            (None, Scale::Sample) => (8, 5_000),
            (None, Scale::Full) => (200, 50_000),
        };
        let row = plan.heading(format!("{} random mutations", batches * each));
        for batch in 0..batches as u64 {
            let seed = seed.wrapping_add(batch.wrapping_mul(0x1_0000_0001));
            plan.piece(row, move |tally| {
                damage::mutate(bases, each, seed, bug, tally)
            });
        }
    }

    fn failures<'a>(&self, plan: &mut Plan<'a>) {
        let (bug, seed) = (self.bug, self.seed);
        let (before, after, seeds) = match self.scale {
            Scale::Test => (3, 2, 4),
            Scale::Sample => (3, 2, 16),
            Scale::Full => (5, 62, 16),
        };
        let life = drills::Life { before, after };
        plan.row(
            "EIO and ENOSPC at every call of a life".to_owned(),
            move |tally| drills::fail_everywhere(life, seeds, bug, tally),
        );
        let (batches, each) = match self.scale {
            Scale::Test => (2, 20),
            Scale::Sample => (4, 50),
            Scale::Full => (20, 500),
        };
        let row = plan.heading(format!("{} random courses", batches * each));
        for batch in 0..batches {
            let seed = seed.wrapping_add(batch * each);
            plan.piece(row, move |tally| play::courses(each, seed, bug, tally));
        }
    }
}

impl<'a> Plan<'a> {
    fn heading(&mut self, what: String) -> usize {
        self.rows.push(what);
        self.rows.len() - 1
    }

    fn piece(
        &mut self,
        row: usize,
        run: impl Fn(&mut Tally) -> Result<(), Broken> + Send + Sync + 'a,
    ) {
        self.pieces.push(Piece {
            row,
            run: Box::new(run),
        });
    }

    fn row(
        &mut self,
        what: String,
        run: impl Fn(&mut Tally) -> Result<(), Broken> + Send + Sync + 'a,
    ) {
        let row = self.heading(what);
        self.piece(row, run);
    }

    /// Runs the pieces in their order on so many threads. A planted mistake needs to be caught once; the rest is left out then.
    fn run(self, threads: usize, bug: Option<Bug>, show: impl Fn(&Row) + Sync) -> Vec<Row> {
        let next = AtomicUsize::new(0);
        let open = self.rows.iter().map(|what| Row {
            what: what.clone(),
            tally: Tally::default(),
            broken: None,
            seconds: 0.0,
        });
        let rows = Mutex::new((open.collect::<Vec<_>>(), self.left()));
        std::thread::scope(|scope| {
            for _ in 0..threads.max(1) {
                scope.spawn(|| {
                    while let Some(piece) = self.pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let began = Instant::now();
                        let mut tally = Tally::default();
                        let outcome = (piece.run)(&mut tally);
                        let Ok(mut rows) = rows.lock() else { return };
                        if bug.is_some() && outcome.is_err() {
                            next.store(self.pieces.len(), Ordering::Relaxed);
                        }
                        let (rows, left) = &mut *rows;
                        let row = &mut rows[piece.row];
                        row.tally.add(&tally);
                        row.seconds += began.elapsed().as_secs_f64();
                        row.broken = row.broken.take().or(outcome.err());
                        left[piece.row] -= 1;
                        if left[piece.row] == 0 {
                            show(row);
                        }
                    }
                });
            }
        });
        rows.into_inner().map(|(rows, _)| rows).unwrap_or_default()
    }

    fn left(&self) -> Vec<usize> {
        let mut left = vec![0; self.rows.len()];
        for piece in &self.pieces {
            left[piece.row] += 1;
        }
        left
    }
}
