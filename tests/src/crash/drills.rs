//! A disk that fails: EIO and ENOSPC at every write and every sync of a store's whole life.
//!
//! Each failure must be answered by an error that names the place and the cause, must end the store for good, and must leave a file
//! of which the next open tells the truth, at once or after a power cut.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use feedhold_checkpoint::{
    CommitError, Config, CreateError, OpenError, Opened, Store,
    backend::{Backend, Calls, Fault, Faulty},
};

use super::{
    Broken, Claim, Note, State, Step,
    bugs::{Bug, Doing, Planted},
    creation, open,
    report::{STORE, Tally},
};

/// Input/output error.
pub const EIO: i32 = 5;
/// No space left on device.
pub const ENOSPC: i32 = 28;

/// A disk that a test reaches while a store has it open.
#[derive(Debug, Clone)]
pub(crate) struct Shared(Rc<RefCell<Faulty>>);

impl Shared {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rc::new(RefCell::new(Faulty::new(seed))))
    }

    pub(crate) fn set_faults(&self, faults: &[Fault]) {
        let mut faulty = self.0.borrow_mut();
        let disk = std::mem::replace(&mut *faulty, Faulty::from_image(&[], 0));
        *faulty = disk.with_faults(faults);
    }

    pub(crate) fn calls(&self) -> Calls {
        self.0.borrow().calls()
    }

    /// Power off and on; the seed decides what is left.
    pub(crate) fn crash(&self) {
        self.0.borrow_mut().crash();
    }

    /// Flips one bit of what is durable.
    pub(crate) fn rot(&self, bit: usize) {
        self.0.borrow_mut().rot(bit);
    }
}

impl Backend for Shared {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.0.borrow().read_at(offset, buf)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write_at(offset, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.borrow_mut().sync()
    }

    fn len(&self) -> io::Result<u64> {
        self.0.borrow().len()
    }

    fn place(&self) -> String {
        self.0.borrow().place()
    }
}

/// How long the life is.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    /// Commits before the store is closed and opened again.
    pub before: u64,
    /// Commits after that; then the job is finished.
    pub after: u64,
}

/// Lives once without a fault to count the calls, then again for each write and each sync with that one failing.
///
/// # Errors
/// The first way in which the law was broken.
pub fn fail_everywhere(
    life: Life,
    seeds: u64,
    bug: Option<Bug>,
    tally: &mut Tally,
) -> Result<(), Broken> {
    let calls = {
        let disk = Planted::new(Shared::new(0), bug);
        let mut claim = Claim::default();
        live(&disk, life, &mut claim, None)?;
        disk.inner().calls()
    };
    for errno in [EIO, ENOSPC] {
        let write = |nth| Fault::Write { nth, errno };
        let sync = |nth| Fault::Sync { nth, errno };
        let faults = (0..calls.writes)
            .map(write)
            .chain((0..calls.syncs).map(sync));
        for fault in faults {
            tally.points += 1;
            for seed in 0..seeds {
                let at = |broken: Broken| broken.at(&format!("{fault:?}, seed {seed}"));
                fail_once(life, fault, errno, seed, bug, tally).map_err(at)?;
            }
        }
        if bug.is_none() {
            creation::fail_everywhere(errno, tally)?;
        }
    }
    short_writes(life, seeds, bug, tally)
}

fn fail_once(
    life: Life,
    fault: Fault,
    errno: i32,
    seed: u64,
    bug: Option<Bug>,
    tally: &mut Tally,
) -> Result<(), Broken> {
    let disk = Planted::new(Shared::new(seed), bug);
    disk.inner().set_faults(&[fault]);
    let mut claim = Claim::default();
    let failed = live(&disk, life, &mut claim, Some(errno))?;
    if !failed && bug.is_none() {
        return Err(Broken::Wrong("the failure was not reported".to_owned()));
    }
    tally.judged += 1;
    if !failed || seed.is_multiple_of(2) {
        // What the failed call wrote may still be in the cache.
        disk.inner().crash();
    }
    disk.inner().set_faults(&[]);
    disk.doing(Doing::Open);
    let mut store = match Store::<Note, _>::open_on(disk.clone(), &Config::new()) {
        // The creation failed: whatever lies there was never acknowledged.
        Err(_) if claim.issued == 0 => return Ok(()),
        Err(refusal) => return Err(Broken::Lost(format!("refused: {refusal}"))),
        Ok(Opened { store, .. }) => store,
    };
    claim.settle(State::of(&store)?)?;
    // What was shown has to last, and the job goes on.
    disk.doing(Doing::Step);
    if seed % 4 < 2 && !claim.acknowledged.finished {
        claim.take(&mut store, Step::Commit { filler: 600 });
    }
    drop(store);
    disk.inner().crash();
    disk.doing(Doing::Open);
    open(disk, &mut claim).map(drop)
}

/// A whole life; true when a failure ended it. With `errno` the answer to the failure is checked.
fn live(
    disk: &Planted<Shared>,
    life: Life,
    claim: &mut Claim,
    errno: Option<i32>,
) -> Result<bool, Broken> {
    let config = Config::new().store_id(STORE);
    disk.doing(Doing::Step);
    let mut store = match Store::<Note, _>::create_on_at(disk.clone(), &config, super::clock(0)) {
        Ok(store) => store,
        Err(CreateError::Io { place, source, .. }) => {
            return named(&place, &source, errno).map(|()| true);
        }
        Err(error) => return Err(Broken::Wrong(error.to_string())),
    };
    for number in 0..life.before + life.after {
        if number == life.before {
            disk.doing(Doing::Open);
            drop(store);
            store = match Store::<Note, _>::open_on(disk.clone(), &config) {
                Ok(Opened { store, .. }) => store,
                Err(OpenError::Io { place, source, .. }) => {
                    return named(&place, &source, errno).map(|()| true);
                }
                Err(refusal) => return Err(Broken::Lost(format!("refused: {refusal}"))),
            };
            claim.settle(State::of(&store)?)?;
            disk.doing(Doing::Step);
        }
        let filler = if number % 3 == 0 { 600 } else { 20 };
        if !claim.take(&mut store, Step::Commit { filler }) {
            return poisoned(&mut store, disk, errno).map(|()| true);
        }
    }
    if !claim.take(&mut store, Step::Finish) {
        return poisoned(&mut store, disk, errno).map(|()| true);
    }
    Ok(false)
}

/// After a failure: the error names place and cause, the store takes nothing more, and the disk is not touched again.
fn poisoned(
    store: &mut Store<Note, Planted<Shared>>,
    disk: &Planted<Shared>,
    errno: Option<i32>,
) -> Result<(), Broken> {
    let before = disk.inner().calls();
    let Some(poison) = store.poison().cloned() else {
        return Err(Broken::Wrong("a failed store is not poisoned".to_owned()));
    };
    named(&poison.place, &poison.source, errno)?;
    for again in [store.commit(&Note::new(9, 9)), store.finish()] {
        if !matches!(again, Err(CommitError::Poisoned(_))) {
            return Err(Broken::Wrong(format!(
                "a poisoned store answered {again:?}"
            )));
        }
    }
    if disk.inner().calls() != before {
        return Err(Broken::Wrong(
            "a poisoned store touched the disk".to_owned(),
        ));
    }
    Ok(())
}

fn named(place: &str, source: &io::Error, errno: Option<i32>) -> Result<(), Broken> {
    if place != "faulty disk" || source.raw_os_error() != errno {
        return Err(Broken::Wrong(format!("the error names {place}: {source}")));
    }
    Ok(())
}

/// Writes that take less than they were given are gone on with.
fn short_writes(life: Life, seeds: u64, bug: Option<Bug>, tally: &mut Tally) -> Result<(), Broken> {
    for seed in 0..seeds {
        tally.points += 1;
        tally.judged += 1;
        let disk = Planted::new(Shared::new(seed), bug);
        disk.inner().set_faults(&[Fault::ShortWrites]);
        let mut claim = Claim::default();
        if live(&disk, life, &mut claim, None)? {
            return Err(Broken::Wrong("a short write ended the store".to_owned()));
        }
        disk.inner().crash();
        open(disk, &mut claim)
            .map_err(|broken| broken.at(&format!("short writes, seed {seed}")))?;
    }
    Ok(())
}
