//! A world of one store, one disk and many power cuts, and the law that judges it.
//!
//! The law: what an open shows is either the newest acknowledged state or the one state that was
//! being committed when the power went; and once an open has shown a state, that state counts as
//! acknowledged. A crash alone never makes an open refuse.

mod play;

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use feedhold_checkpoint::backend::{Backend, Fault, Faulty};
use feedhold_checkpoint::{Config, IMAGE_LEN, OpenError, Opened, Store};
use serde::{Deserialize, Serialize};

pub(crate) use play::{Event, play};

pub(crate) type NoteStore = Store<Note, Disk>;

/// The record of this world: a number, and a filler that follows from it.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    number: u64,
    filler: Vec<u8>,
}

/// What a store shows to the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct State {
    pub(crate) number: Option<u64>,
    pub(crate) finished: bool,
}

/// What the next open may show.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Claim {
    pub(crate) acknowledged: State,
    pub(crate) attempted: Option<State>,
    /// Numbers given out in this world so far; none is used twice.
    pub(crate) issued: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Commits a note with that many bytes of filler.
    Commit {
        filler: usize,
    },
    Finish,
}

/// A mistake in the store, planted from below by a disk that leaves out what a mistaken store
/// would not have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// Commits do not sync.
    NoSync,
    /// A torn record is ignored but not erased.
    NoScrub,
    /// What is read back is trusted without writing it again.
    NoRewrite,
    /// The second copy is never written.
    OneCopy,
}

/// Why a course of events ended.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The law was broken, in this way.
    Law(String),
    /// An injected fault struck while opening: no verdict.
    Medium,
}

/// Counts of what was tried.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) power_cuts: u64,
    pub(crate) recoveries: u64,
}

/// A handle to the disk of this world, so that a test can reach below a store that is open.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    faulty: Rc<RefCell<Faulty>>,
    bug: Option<Bug>,
}

impl Note {
    pub(crate) fn new(number: u64, filler: usize) -> Self {
        // Never zero, so that no sector of a filler looks like padding.
        let byte = |i: u64| (number.wrapping_mul(37).wrapping_add(i * 14)) as u8 | 1;
        Self {
            number,
            filler: (0..filler as u64).map(byte).collect(),
        }
    }

    fn is_whole(&self) -> bool {
        *self == Self::new(self.number, self.filler.len())
    }
}

impl Broken {
    /// The same, seen from further away.
    pub(crate) fn at(self, place: String) -> Self {
        match self {
            Self::Law(what) => Self::Law(format!("{place}, {what}")),
            Self::Medium => Self::Medium,
        }
    }
}

impl Claim {
    /// Judges what an open showed; from then on only that counts.
    pub(crate) fn settle(&mut self, shown: State) -> Result<(), Broken> {
        if shown != self.acknowledged && Some(shown) != self.attempted {
            return Err(Broken::Law(format!("{shown:?} was shown, but {self:?}")));
        }
        self.acknowledged = shown;
        self.attempted = None;
        Ok(())
    }
}

impl Disk {
    pub(crate) fn new(seed: u64, bug: Option<Bug>) -> Self {
        Self {
            faulty: Rc::new(RefCell::new(Faulty::new(seed))),
            bug,
        }
    }

    /// Another disk with the same content, history and faults.
    pub(crate) fn copy(&self) -> Self {
        Self {
            faulty: Rc::new(RefCell::new(self.faulty.borrow().clone())),
            bug: self.bug,
        }
    }

    pub(crate) fn set_faults(&self, faults: &[Fault]) {
        let mut faulty = self.faulty.borrow_mut();
        let disk = std::mem::replace(&mut *faulty, Faulty::from_image(&[], 0));
        *faulty = disk.with_faults(faults);
    }

    /// Power off and on; the seed decides what is left.
    pub(crate) fn crash(&self) {
        self.faulty.borrow_mut().crash();
    }

    /// Flips one bit of what is durable.
    pub(crate) fn rot(&self, bit: usize) {
        self.faulty.borrow_mut().rot(bit);
    }

    /// Calls `check` with a copy of the disk after a crash, for every subset of the undecided
    /// sectors, or for `most` of them spread over all.
    fn for_each_crash(
        &self,
        most: u64,
        mut check: impl FnMut(&Self) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        let undecided = self.faulty.borrow().undecided().len();
        let subsets = 1_u64.checked_shl(undecided as u32).unwrap_or(u64::MAX);
        let stride = if subsets <= most {
            1
        } else {
            subsets.div_ceil(most) | 1
        };
        for keep in (0..subsets).step_by(stride as usize) {
            let disk = self.copy();
            disk.faulty.borrow_mut().crash_keeping(keep);
            check(&disk).map_err(|broken| {
                broken.at(format!("with {keep:#b} of {undecided} sectors kept"))
            })?;
        }
        Ok(())
    }

    /// Whether a crash of the one can leave exactly what a crash of the other can.
    pub(crate) fn shares_fate_with(&self, other: &Self) -> bool {
        self.faulty
            .borrow()
            .shares_fate_with(&other.faulty.borrow())
    }

    fn leaves_out(&self, offset: u64, bytes: &[u8]) -> bool {
        match self.bug {
            Some(Bug::NoScrub) => bytes.iter().all(|&byte| byte == 0),
            Some(Bug::OneCopy) => offset >= IMAGE_LEN as u64 / 2,
            Some(Bug::NoRewrite) => {
                let mut there = vec![0; bytes.len()];
                self.read_exact_at(offset, &mut there).is_ok() && there == bytes
            }
            Some(Bug::NoSync) | None => false,
        }
    }
}

impl Backend for Disk {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.faulty.borrow().read_at(offset, buf)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        if self.leaves_out(offset, bytes) {
            return Ok(bytes.len());
        }
        self.faulty.borrow_mut().write_at(offset, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.bug == Some(Bug::NoSync) {
            Ok(())
        } else {
            self.faulty.borrow_mut().sync()
        }
    }

    fn len(&self) -> io::Result<u64> {
        self.faulty.borrow().len()
    }

    fn place(&self) -> String {
        self.faulty.borrow().place()
    }
}

/// A new store, `commits` of `filler` bytes old, and what may be said about it.
pub(crate) fn aged(disk: &Disk, commits: u64, filler: usize) -> (NoteStore, Claim) {
    let mut store = Store::create_on(disk.clone(), &Config::new()).expect("a disk without faults");
    let mut claim = Claim::default();
    for _ in 0..commits {
        assert!(take(&mut store, &mut claim, Step::Commit { filler }));
    }
    (store, claim)
}

/// Takes one step and keeps the claim in line with the answer. False when the medium failed.
pub(crate) fn take(store: &mut NoteStore, claim: &mut Claim, step: Step) -> bool {
    let before = claim.acknowledged;
    let (after, done) = match step {
        Step::Commit { filler } => {
            claim.issued += 1;
            let done = store.commit(&Note::new(claim.issued, filler)).is_ok();
            (
                State {
                    number: Some(claim.issued),
                    ..before
                },
                done,
            )
        }
        Step::Finish => (
            State {
                finished: true,
                ..before
            },
            store.finish().is_ok(),
        ),
    };
    if done {
        claim.acknowledged = after;
    } else if store.poison().is_some() && claim.attempted.is_none() {
        claim.attempted = Some(after);
    }
    done
}

/// Opens and judges.
pub(crate) fn open(disk: &Disk, claim: &mut Claim) -> Result<NoteStore, Broken> {
    let Opened { store, .. } = Store::<Note, Disk>::open_on(disk.clone(), &Config::new()).map_err(
        |error| match error {
            OpenError::Io { .. } => Broken::Medium,
            refusal => Broken::Law(format!("a crash alone made open refuse: {refusal}")),
        },
    )?;
    claim.settle(shown(&store)?)?;
    Ok(store)
}

/// What a store shows; its note must be whole.
pub(crate) fn shown(store: &NoteStore) -> Result<State, Broken> {
    if let Some(note) = store.latest().filter(|note| !note.is_whole()) {
        return Err(Broken::Law(format!("a note that nobody wrote: {note:?}")));
    }
    let number = store.latest().map(|note| note.number);
    Ok(State {
        number,
        finished: store.is_finished(),
    })
}

/// How far [`explore`] goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Depth {
    /// Crashes inside a recovery, inside a recovery in a recovery, and so on.
    pub(crate) nested: u32,
    /// Steps tried after a recovery that was not itself cut, each with all its crashes.
    pub(crate) afterwards: u32,
    /// Filler of those steps in bytes.
    pub(crate) filler: usize,
    /// Most subsets of unsynced sectors for one power cut.
    pub(crate) subsets: u64,
}

/// Takes `step` on copies of `disk` with a power cut at each of its writes and syncs, and for each
/// of these with every subset of the unsynced sectors; then recovers, as deep as asked.
pub(crate) fn explore(
    disk: &Disk,
    claim: Claim,
    step: Step,
    depth: Depth,
    tally: &mut Tally,
) -> Result<(), Broken> {
    let mut before: Option<Disk> = None;
    for nth in 0.. {
        let (disk, mut claim) = (disk.copy(), claim);
        let mut store = open(&disk, &mut claim)?;
        disk.set_faults(&[Fault::PowerCut { nth }]);
        if take(&mut store, &mut claim, step) {
            break;
        }
        tally.power_cuts += 1;
        if before.is_some_and(|before| before.shares_fate_with(&disk)) {
            before = Some(disk);
            continue;
        }
        disk.for_each_crash(depth.subsets, |disk| recover(disk, claim, depth, tally))
            .map_err(|broken| broken.at(format!("{step:?} cut at {nth}")))?;
        before = Some(disk);
    }
    Ok(())
}

/// Opens what a crash left, with power cuts in that as deep as asked, and goes on from there.
fn recover(disk: &Disk, claim: Claim, depth: Depth, tally: &mut Tally) -> Result<(), Broken> {
    tally.recoveries += 1;
    if depth.nested > 0 {
        cut_recoveries(disk, claim, depth, tally)?;
    }
    let mut claim = claim;
    open(disk, &mut claim)?;
    if depth.afterwards > 0 && !claim.acknowledged.finished {
        let later = Depth {
            afterwards: depth.afterwards - 1,
            nested: 0,
            ..depth
        };
        explore(
            disk,
            claim,
            Step::Commit {
                filler: depth.filler,
            },
            later,
            tally,
        )?;
    }
    Ok(())
}

fn cut_recoveries(
    disk: &Disk,
    claim: Claim,
    depth: Depth,
    tally: &mut Tally,
) -> Result<(), Broken> {
    let deeper = Depth {
        nested: depth.nested - 1,
        ..depth
    };
    let mut before: Option<Disk> = None;
    for nth in 0.. {
        let cut = disk.copy();
        cut.set_faults(&[Fault::PowerCut { nth }]);
        match open(&cut, &mut claim.clone()) {
            Ok(_) => break,
            Err(Broken::Medium) => tally.power_cuts += 1,
            Err(broken) => return Err(broken),
        }
        if before.is_some_and(|before| before.shares_fate_with(&cut)) {
            before = Some(cut);
            continue;
        }
        cut.for_each_crash(depth.subsets, |disk| recover(disk, claim, deeper, tally))
            .map_err(|broken| broken.at(format!("open cut at {nth}")))?;
        before = Some(cut);
    }
    Ok(())
}
