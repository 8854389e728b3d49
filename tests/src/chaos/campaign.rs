//! Many runs on several threads, what came of them, and how a run that failed is made small.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{Cell, End, Plant, Run, Schedule, Telling, Violation, When, run};

/// Every so many runs, one is played twice and must give the same trace.
const TWICE: u64 = 64;
/// Most violations that are kept.
const MAX_FOUND: usize = 20;

/// Which runs.
#[derive(Debug, Clone)]
pub enum Plan {
    /// Seeds of these cells, one after the other.
    Cells(Vec<Cell>),
    /// Free runs.
    Free,
}

/// When it is enough.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// So many runs of each cell, or so many free runs.
    Runs(u64),
    /// At this instant.
    Time(Instant),
}

/// What came of many runs.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Runs.
    pub runs: u64,
    /// Runs in which the whole program was executed.
    pub complete: u64,
    /// Runs that ended with a refusal, by its code, and one of them.
    pub refused: BTreeMap<&'static str, (u64, Schedule)>,
    /// Faults that struck.
    pub struck: u64,
    /// Faults that found no occasion.
    pub missed: u64,
    /// Processes that came to resume.
    pub resumes: u64,
    /// Motions that were compared.
    pub motions: u64,
    /// Runs that were played twice.
    pub twice: u64,
    /// What did not hold.
    pub found: Vec<(Schedule, Violation)>,
    /// Runs in which something did not hold.
    pub violations: u64,
    /// For each cell of the plan, in its order: runs, and runs in which its fault struck.
    pub cells: Vec<(u64, u64)>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.complete += other.complete;
        for (code, (count, example)) in other.refused {
            self.refused.entry(code).or_insert((0, example)).0 += count;
        }
        self.struck += other.struck;
        self.missed += other.missed;
        self.resumes += other.resumes;
        self.motions += other.motions;
        self.twice += other.twice;
        self.violations += other.violations;
        self.found.extend(other.found);
        self.found.truncate(MAX_FOUND);
        self.cells
            .resize(self.cells.len().max(other.cells.len()), (0, 0));
        for (ours, theirs) in self.cells.iter_mut().zip(other.cells) {
            ours.0 += theirs.0;
            ours.1 += theirs.1;
        }
    }

    fn note(&mut self, schedule: &Schedule, went: &Run) {
        self.runs += 1;
        self.struck += went.struck as u64;
        self.missed += (schedule.strikes.len() - went.struck) as u64;
        self.resumes += u64::from(went.resumes);
        self.motions += went.motions;
        match &went.end {
            Ok(End::Complete) => self.complete += 1,
            Ok(End::Refused(code)) => {
                self.refused
                    .entry(code)
                    .or_insert_with(|| (0, schedule.clone()))
                    .0 += 1;
            }
            Err(violation) => {
                self.violations += 1;
                if self.found.len() < MAX_FOUND {
                    self.found.push((schedule.clone(), violation.clone()));
                }
            }
        }
    }
}

/// Plays many runs. `seed` names them all: the same seed and number of runs give the same runs.
#[must_use]
pub fn play(
    plan: &Plan,
    until: Until,
    seed: u64,
    plant: Option<Plant>,
    stop_at_first: StopAtFirst,
) -> Tally {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicU64::new(0);
    let enough = AtomicBool::new(false);
    let total = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut tally = Tally::default();
                if let Plan::Cells(cells) = plan {
                    tally.cells = vec![(0, 0); cells.len()];
                }
                while !enough.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some((schedule, cell)) = plan.run(number, until, seed) else {
                        break;
                    };
                    one(&mut tally, number, &schedule, cell, plant);
                    if stop_at_first == StopAtFirst::Yes && tally.violations > 0 {
                        enough.store(true, Ordering::Relaxed);
                    }
                }
                if let Ok(mut total) = total.lock() {
                    total.add(tally);
                }
            });
        }
    });
    total.into_inner().unwrap_or_default()
}

/// Whether one violation is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopAtFirst {
    /// It is: a planted bug is found.
    Yes,
    /// All of them are counted.
    No,
}

impl Plan {
    /// Run number `number`, and the cell it belongs to.
    fn run(&self, number: u64, until: Until, seed: u64) -> Option<(Schedule, Option<usize>)> {
        let over = match until {
            // The clock is looked at now and then.
            Until::Time(until) => number.is_multiple_of(16) && Instant::now() >= until,
            Until::Runs(runs) => match self {
                Self::Cells(cells) => number >= runs * cells.len() as u64,
                Self::Free => number >= runs,
            },
        };
        if over {
            return None;
        }
        match self {
            Self::Cells(cells) => {
                let cell = number as usize % cells.len().max(1);
                let round = number / cells.len().max(1) as u64;
                let schedule = cells.get(cell)?.schedule(seed.wrapping_add(round));
                Some((schedule, Some(cell)))
            }
            Self::Free => Some((Schedule::free(seed.wrapping_add(number)), None)),
        }
    }
}

fn one(
    tally: &mut Tally,
    number: u64,
    schedule: &Schedule,
    cell: Option<usize>,
    plant: Option<Plant>,
) {
    let went = run(schedule, plant, Telling::Digest);
    tally.note(schedule, &went);
    if let Some(at) = cell.and_then(|cell| tally.cells.get_mut(cell)) {
        at.0 += 1;
        at.1 += u64::from(went.struck == schedule.strikes.len());
    }
    if number.is_multiple_of(TWICE) {
        tally.twice += 1;
        let again = run(schedule, plant, Telling::Digest);
        if again.digest != went.digest {
            tally.violations += 1;
            tally.found.push((
                schedule.clone(),
                Violation {
                    invariant: 9,
                    what: format!("{:x} and then {:x}", went.digest, again.digest),
                },
            ));
        }
    }
}

/// Makes a run that failed smaller, as long as it fails in the same way, for at most `time`.
#[must_use]
pub fn shrink(
    schedule: &Schedule,
    violation: &Violation,
    plant: Option<Plant>,
    time: Duration,
) -> Schedule {
    let until = Instant::now() + time;
    let fails = |schedule: &Schedule| match run(schedule, plant, Telling::Digest).end {
        Err(other) => other.invariant == violation.invariant,
        Ok(_) => false,
    };
    let mut best = schedule.clone();
    loop {
        let smaller = smaller(&best);
        let Some(found) = smaller
            .into_iter()
            .take_while(|_| Instant::now() < until)
            .find(|schedule| fails(schedule))
        else {
            return best;
        };
        best = found;
    }
}

/// Runs a little smaller than this one, the most promising first.
fn smaller(schedule: &Schedule) -> Vec<Schedule> {
    let mut all = Vec::new();
    for at in 0..schedule.strikes.len() {
        let mut fewer = schedule.clone();
        fewer.strikes.remove(at);
        all.push(fewer);
    }
    for lines in [
        schedule.lines / 2,
        schedule.lines * 3 / 4,
        schedule.lines.saturating_sub(4),
        schedule.lines.saturating_sub(1),
    ] {
        if lines > 0 && lines < schedule.lines {
            all.push(Schedule {
                lines,
                ..schedule.clone()
            });
        }
    }
    for at in 0..schedule.strikes.len() {
        let whens = match schedule.strikes[at].when {
            When::At(_, 0) => Vec::new(),
            When::At(moment, let_go) => {
                vec![
                    When::At(moment, 0),
                    When::At(moment, let_go / 2),
                    When::At(moment, let_go - 1),
                ]
            }
            When::After(time) if time < Duration::from_millis(1) => Vec::new(),
            When::After(time) => vec![When::After(time / 2), When::After(time * 7 / 8)],
        };
        for when in whens {
            let mut earlier = schedule.clone();
            earlier.strikes[at].when = when;
            if earlier != *schedule {
                all.push(earlier);
            }
        }
    }
    all
}
