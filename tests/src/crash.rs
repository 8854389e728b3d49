//! The checkpoint store under power cuts, damage and failing disks, judged by one law.
//!
//! The law: what an open shows is the newest acknowledged state, or the one state that was being written when the power went; and
//! once an open has shown a state, that one counts as acknowledged. A crash alone never makes an open refuse. Damage may make it
//! refuse; it never makes it show anything else, within the limits that `docs/checkpoint-format.md` states.
//!
//! - [`points`]: every point of a step or an open at which the power can go, times every subset of unsynced sectors, nested;
//! - [`creation`]: the same for the names in a directory;
//! - [`damage`]: every single bit, and millions of random mutations;
//! - [`drills`]: a disk that fails at every write and every sync of a store's life;
//! - [`play`]: random courses of all of this one after another;
//! - [`campaign`]: all of it as one table;
//! - [`bugs`]: mistakes planted in the store from below, to prove that all this can fail.

pub mod bugs;
pub mod campaign;
pub mod creation;
pub mod damage;
mod disk;
pub mod drills;
mod fates;
pub mod play;
pub mod points;
pub mod report;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use feedhold_checkpoint::{Config, OpenError, Opened, Store, backend::Backend};
use serde::{Deserialize, Serialize};

/// The record of this world: a number, and a filler that follows from it, so that a record which nobody wrote is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    number: u64,
    filler: Vec<u8>,
}

/// What a store shows to the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct State {
    /// The number of its newest note.
    pub number: Option<u64>,
    /// Whether the job is done.
    pub finished: bool,
}

/// What the next open may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Claim {
    /// The newest state that was acknowledged or shown.
    pub acknowledged: State,
    /// The state that was being written when the store failed or the power went.
    pub attempted: Option<State>,
    /// Numbers given out in this world so far; none is used twice.
    pub issued: u64,
}

/// One thing a store is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Commits a note with that many bytes of filler.
    Commit {
        /// In bytes.
        filler: usize,
    },
    /// Marks the job as done.
    Finish,
}

/// How the law was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// An acknowledged record is not offered any more: an older one is, or the store is refused.
    Lost(String),
    /// A record is offered that is neither acknowledged nor being written.
    Wrong(String),
}

impl Note {
    /// The note of that number.
    #[must_use]
    pub fn new(number: u64, filler: usize) -> Self {
        // Never zero, so that no sector of a filler looks like padding.
        let byte = |i: u64| (number.wrapping_mul(37).wrapping_add(i * 14)) as u8 | 1;
        Self {
            number,
            filler: (0..filler as u64).map(byte).collect(),
        }
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether it is a note that somebody wrote.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        *self == Self::new(self.number, self.filler.len())
    }
}

impl Broken {
    /// The same, seen from further away.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        match self {
            Self::Lost(what) => Self::Lost(format!("{place}: {what}")),
            Self::Wrong(what) => Self::Wrong(format!("{place}: {what}")),
        }
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lost(what) => write!(f, "acknowledged record lost: {what}"),
            Self::Wrong(what) => write!(f, "wrong record accepted: {what}"),
        }
    }
}

impl State {
    /// What an open store shows; its note must be whole.
    ///
    /// # Errors
    /// [`Broken::Wrong`] for a note that nobody wrote.
    pub fn of<B>(store: &Store<Note, B>) -> Result<Self, Broken> {
        Self::shown(store.latest(), store.is_finished())
    }

    fn shown(note: Option<&Note>, finished: bool) -> Result<Self, Broken> {
        if let Some(note) = note.filter(|note| !note.is_whole()) {
            return Err(Broken::Wrong(format!(
                "a note that nobody wrote, numbered {}",
                note.number
            )));
        }
        Ok(Self {
            number: note.map(Note::number),
            finished,
        })
    }

    fn is_older_than(self, other: Self) -> bool {
        (self.number, self.finished) < (other.number, other.finished)
    }
}

impl Claim {
    /// Judges what an open showed; from then on only that counts.
    ///
    /// # Errors
    /// How the law was broken.
    pub fn settle(&mut self, shown: State) -> Result<(), Broken> {
        if shown != self.acknowledged && Some(shown) != self.attempted {
            let what = format!("{shown:?} was shown, but {self:?}");
            return Err(if shown.is_older_than(self.acknowledged) {
                Broken::Lost(what)
            } else {
                Broken::Wrong(what)
            });
        }
        self.acknowledged = shown;
        self.attempted = None;
        Ok(())
    }

    /// What comes of the next step: the state it leads to, and the note it commits.
    fn next(&mut self, step: Step) -> (State, Option<Note>) {
        match step {
            Step::Commit { filler } => {
                self.issued += 1;
                let state = State {
                    number: Some(self.issued),
                    ..self.acknowledged
                };
                (state, Some(Note::new(self.issued, filler)))
            }
            Step::Finish => {
                let state = State {
                    finished: true,
                    ..self.acknowledged
                };
                (state, None)
            }
        }
    }

    /// Takes one step and keeps the claim in line with the answer. False when the medium failed.
    pub fn take<B: Backend>(&mut self, store: &mut Store<Note, B>, step: Step) -> bool {
        let (after, note) = self.next(step);
        let now = clock(self.issued);
        let done = match note {
            Some(note) => store.commit_at(&note, now).is_ok(),
            None => store.finish_at(now).is_ok(),
        };
        if done {
            self.acknowledged = after;
        } else if store.poison().is_some() && self.attempted.is_none() {
            self.attempted = Some(after);
        }
        done
    }
}

/// The time of day in this world: everything that is done in the same order has the same bytes.
fn clock(number: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000 + number)
}

/// Opens and judges. `None` when the medium failed, which is no verdict.
///
/// # Errors
/// How the law was broken; a refusal breaks it, since nothing but crashes happened.
pub fn open<B: Backend>(backend: B, claim: &mut Claim) -> Result<Option<Store<Note, B>>, Broken> {
    match Store::<Note, B>::open_on(backend, &Config::new()) {
        Ok(Opened { store, .. }) => {
            claim.settle(State::of(&store)?)?;
            Ok(Some(store))
        }
        Err(OpenError::Io { .. }) => Ok(None),
        Err(refusal) => Err(Broken::Lost(format!("refused: {refusal}"))),
    }
}

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One below `bound`, which is at least 1.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.number() % bound.max(1) as u64) as usize
    }
}
