//! Any course of events, one after another, with every open judged.

use feedhold_checkpoint::{Config, Store, backend::Fault};

use super::{
    Broken, Claim, Note, Random, Step,
    bugs::{Bug, Doing, Planted},
    drills::{EIO, Shared},
    open,
    report::{STORE, Tally},
};

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The store is asked to do something.
    Take(Step),
    /// The process ends and another one opens the store.
    Reopen,
    /// Power off and on, between calls.
    Crash,
    /// The power goes at the n-th call from now on.
    PowerCut(u64),
    /// The n-th write from now on fails.
    FailWrite(u64),
    /// The n-th sync from now on fails.
    FailSync(u64),
    /// Writes take less than they are given from now on.
    ShortWrites,
    /// A bit of the first region rots while the store is closed.
    Rot(usize),
}

impl Event {
    /// Any of them.
    #[must_use]
    pub fn any(random: &mut Random) -> Self {
        let filler = random.below(3_900);
        match random.below(16) {
            0 => Self::Take(Step::Finish),
            1 => Self::Reopen,
            2 | 3 => Self::Crash,
            4 | 5 => Self::PowerCut(random.number() % 12),
            6 => Self::FailWrite(random.number() % 6),
            7 => Self::FailSync(random.number() % 6),
            8 => Self::ShortWrites,
            9 => Self::Rot(random.below(64 * 4096 * 8)),
            10 | 11 => Self::Take(Step::Commit { filler }),
            _ => Self::Take(Step::Commit {
                filler: filler % 30,
            }),
        }
    }
}

/// Plays `count` random courses, the first of them with this seed.
///
/// # Errors
/// The first way in which the law was broken, with the seed of its course.
pub fn courses(count: u64, seed: u64, bug: Option<Bug>, tally: &mut Tally) -> Result<(), Broken> {
    for seed in seed..seed.saturating_add(count) {
        let mut random = Random(seed);
        let length = 1 + random.below(60);
        let events: Vec<Event> = (0..length).map(|_| Event::any(&mut random)).collect();
        tally.points += events.len() as u64;
        play(seed, &events, bug, tally)
            .map_err(|broken| broken.at(&format!("course of seed {seed}")))?;
    }
    Ok(())
}

/// Plays `events` and judges every open. A store that failed is opened again, as its owner would.
///
/// # Errors
/// The first way in which the law was broken.
pub fn play(
    seed: u64,
    events: &[Event],
    bug: Option<Bug>,
    tally: &mut Tally,
) -> Result<(), Broken> {
    let disk = Planted::new(Shared::new(seed), None);
    let config = Config::new().store_id(STORE);
    let mut claim = Claim::default();
    let mut store = Store::<Note, _>::create_on_at(disk.clone(), &config, super::clock(0))
        .map_err(|error| Broken::Lost(error.to_string()))?;
    for _ in 0..seed % 70 {
        claim.take(&mut store, Step::Commit { filler: 20 });
    }
    let disk = Planted::new(disk.inner().clone(), bug);
    let mut store = open_at_last(&disk, &mut claim, tally)?;
    for event in events {
        let sound = match *event {
            Event::Take(step) => claim.acknowledged.finished || claim.take(&mut store, step),
            Event::Reopen => false,
            Event::Crash => {
                disk.inner().crash();
                false
            }
            Event::Rot(bit) => {
                // Rot meets durable data: what is unsynced has no place yet to rot in.
                disk.inner().crash();
                disk.inner().rot(bit);
                false
            }
            Event::PowerCut(nth) => arm(&disk, Fault::PowerCut { nth }),
            Event::FailWrite(nth) => arm(&disk, Fault::Write { nth, errno: EIO }),
            Event::FailSync(nth) => arm(&disk, Fault::Sync { nth, errno: EIO }),
            Event::ShortWrites => arm(&disk, Fault::ShortWrites),
        };
        if !sound {
            store = open_at_last(&disk, &mut claim, tally)?;
        }
    }
    Ok(())
}

fn arm(disk: &Planted<Shared>, fault: Fault) -> bool {
    disk.inner().set_faults(&[fault]);
    true
}

/// Opens; if an armed fault strikes in the open, cuts the power and opens again.
fn open_at_last(
    disk: &Planted<Shared>,
    claim: &mut Claim,
    tally: &mut Tally,
) -> Result<Store<Note, Planted<Shared>>, Broken> {
    for _ in 0..2 {
        tally.judged += 1;
        disk.doing(Doing::Open);
        let opened = open(disk.clone(), claim)?;
        disk.doing(Doing::Step);
        if let Some(store) = opened {
            return Ok(store);
        }
        disk.inner().crash();
    }
    Err(Broken::Lost("refused although no fault is left".to_owned()))
}
