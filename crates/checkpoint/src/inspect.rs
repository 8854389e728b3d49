//! Looking into a store without opening it: what each copy of each slot holds, and what an open
//! would make of it.
//!
//! Nothing here locks, syncs, repairs or writes. The verdict comes from the same functions that
//! [`Store::open`](crate::Store::open) uses.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::de::DeserializeOwned;

use crate::config::Config;
use crate::error::OpenError;
use crate::finding::{Damage, Unsupported, Warning};
use crate::frame::{Digest, Frame, Kind};
use crate::job_dir;
use crate::layout::{Generation, IMAGE_LEN, Region, SLOT_LEN, StoreId};
use crate::load::{self, Image, Loaded, Peek};
use crate::survey::{self, Found, Survey};

/// What a job directory holds.
#[derive(Debug)]
#[non_exhaustive]
pub struct Inspection<R> {
    /// The store file.
    pub path: PathBuf,
    /// What an open would show, or why it would refuse.
    pub outcome: Result<Peek<R>, OpenError>,
    /// All 64 slots; none when the file is missing, cannot be read, or has another length.
    pub slots: Vec<SlotReport>,
    /// Damaged stores that were moved aside, by number.
    pub aside: Vec<PathBuf>,
    /// A store whose creation was interrupted. Nothing in it was ever acknowledged.
    pub interrupted: Option<PathBuf>,
}

/// One slot: both copies, and what they mean together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotReport {
    /// Counted from 0.
    pub slot: usize,
    /// In region A and in region B.
    pub copies: [SlotCopy; 2],
    /// What they mean together.
    pub finding: Finding,
}

/// What one copy of one slot holds, judged by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SlotCopy {
    /// Nothing but zeros.
    Empty,
    /// A whole record that belongs here.
    Sound(Stamp),
    /// No record that belongs here: the digest is wrong, or right over fields that make no sense.
    Bad,
    /// The disk reports an error.
    Unreadable,
    /// A whole record of a form that this library does not read.
    Unsupported(Unsupported),
}

/// The outside of a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Stamp {
    /// Its number.
    pub generation: Generation,
    /// The store it belongs to.
    pub store: StoreId,
    /// What it stands for.
    pub kind: RecordKind,
    /// When it was written, by the host's clock.
    pub written_at: SystemTime,
    /// Version of the application's record type.
    pub record_version: u32,
    /// Bytes of its payload.
    pub payload_len: usize,
    /// The digest over all of its slot: equal digests, equal bytes.
    pub digest: [u8; 16],
}

/// What a record stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordKind {
    /// The store exists.
    Created,
    /// A committed record.
    Record,
    /// The job is done.
    Finished,
}

/// What the two copies of a slot mean together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Both copies are the record that belongs here.
    Sound,
    /// Nothing was written here yet.
    Unused,
    /// An open repairs it.
    Repairable(Warning),
    /// An open refuses the store because of it.
    Damaged(Damage),
    /// An open refuses the store: another version wrote it.
    Unsupported(Unsupported),
    /// No record is valid anywhere, so nothing can be said of this slot alone.
    Unknown,
}

/// Looks at the store in `dir`, whoever has it open. Writes nothing, takes no lock.
///
/// `config` says which records are expected and how many are wanted.
pub fn inspect<R: DeserializeOwned>(dir: &Path, config: &Config) -> Inspection<R> {
    let path = dir.join(job_dir::STORE);
    let mut seen = look(dir, config);
    // As for a peek: two commits while the slots are read one by one look like damage.
    for _ in 0..2 {
        if seen.0.as_ref().is_err_and(OpenError::is_damage) {
            seen = look(dir, config);
        }
    }
    let (outcome, slots) = seen;
    let interrupted = dir.join(job_dir::STAGED);
    Inspection {
        path,
        outcome,
        slots,
        aside: aside(dir),
        interrupted: interrupted.is_file().then_some(interrupted),
    }
}

type Seen<R> = (Result<Peek<R>, OpenError>, Vec<SlotReport>);

fn look<R: DeserializeOwned>(dir: &Path, config: &Config) -> Seen<R> {
    let image = job_dir::open_unguarded(dir).and_then(|file| Image::read(&file));
    match image {
        Err(error) => (Err(error), Vec::new()),
        Ok(image) => {
            let place = dir.join(job_dir::STORE).display().to_string();
            let slots = Slots(image.slots());
            (slots.verdict(&place, config), slots.reports())
        }
    }
}

/// Numbered stores that were moved aside.
fn aside(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let number = |path: &PathBuf| -> Option<u32> { job_dir::damaged_number(path.file_name()?) };
    let mut found: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| number(path).is_some())
        .collect();
    found.sort_by_key(number);
    found
}

/// A whole image, judged slot by slot, of which single copies can be judged again.
///
/// Opening a store judges each copy of each slot by itself and decides by these judgements alone.
/// So an image that differs in one copy from one that was judged needs that copy judged, no more:
/// this is how millions of damaged images are told apart in seconds.
#[derive(Clone)]
pub struct Slots<'a>(survey::Slots<'a>);

impl<'a> Slots<'a> {
    /// Judges all copies of an image.
    ///
    /// # Errors
    /// [`Damage::Length`], unless it has [`IMAGE_LEN`] bytes.
    pub fn of(image: &'a [u8]) -> Result<Self, Damage> {
        if image.len() != IMAGE_LEN {
            return Err(Damage::Length {
                found: image.len() as u64,
            });
        }
        let judged = survey::Slots::judge(|region, slot| load::slot_of(image, region, slot));
        Ok(Self(judged))
    }

    /// Judges one copy again, which holds these bytes now. A slot beyond the last is ignored.
    pub fn put(&mut self, region: Region, slot: usize, bytes: &'a [u8; SLOT_LEN]) {
        self.0.put(region, slot, bytes);
    }

    /// What an open would show, or why it would refuse. `place` is named in errors.
    ///
    /// # Errors
    /// As [`Store::open`](crate::Store::open).
    pub fn verdict<R: DeserializeOwned>(
        &self,
        place: &str,
        config: &Config,
    ) -> Result<Peek<R>, OpenError> {
        Loaded::judge(&self.0, config, place).map(Peek::from)
    }

    /// What each slot holds.
    pub fn reports(&self) -> Vec<SlotReport> {
        let judged = Survey::in_full(&self.0);
        let report = |(slot, pair): (usize, &[Found<'_>; 2])| SlotReport {
            slot,
            copies: pair.each_ref().map(SlotCopy::from),
            finding: match &judged {
                Err(_) => without_verdict(pair),
                Ok((survey, damages)) => finding(slot, pair, survey, damages),
            },
        };
        self.0.pairs().iter().enumerate().map(report).collect()
    }
}

/// What `bytes` would be in that slot.
pub fn slot_copy(slot: usize, bytes: &[u8; SLOT_LEN]) -> SlotCopy {
    SlotCopy::from(&survey::judge(slot, Some(bytes)))
}

fn without_verdict(pair: &[Found<'_>; 2]) -> Finding {
    match pair.iter().find_map(Found::unsupported) {
        Some(reason) => Finding::Unsupported(reason.clone()),
        None if pair.iter().all(Found::is_empty) => Finding::Unused,
        None => Finding::Unknown,
    }
}

fn finding(slot: usize, pair: &[Found<'_>; 2], survey: &Survey<'_>, damages: &[Damage]) -> Finding {
    let mut damages = damages.iter();
    let mut warnings = survey.warnings.iter();
    if let Some(damage) = damages.find(|damage| damage.slot() == Some(slot)) {
        Finding::Damaged(damage.clone())
    } else if let Some(warning) = warnings.find(|warning| warning.slot() == slot) {
        Finding::Repairable(warning.clone())
    } else if pair.iter().all(Found::is_empty) {
        Finding::Unused
    } else {
        Finding::Sound
    }
}

impl From<&Found<'_>> for SlotCopy {
    fn from(found: &Found<'_>) -> Self {
        match found {
            Found::Empty => Self::Empty,
            Found::Frame(frame) => Self::Sound(Stamp::from(frame)),
            Found::Bad => Self::Bad,
            Found::Unreadable => Self::Unreadable,
            Found::Unsupported(reason) => Self::Unsupported(reason.clone()),
        }
    }
}

impl From<&Frame<'_>> for Stamp {
    fn from(frame: &Frame<'_>) -> Self {
        let Digest(digest) = frame.digest;
        Self {
            generation: frame.header.generation,
            store: frame.header.store,
            kind: match frame.header.kind {
                Kind::Created => RecordKind::Created,
                Kind::Record => RecordKind::Record,
                Kind::Finished => RecordKind::Finished,
            },
            written_at: frame.header.written_at.to_system(),
            record_version: frame.header.record_version,
            payload_len: frame.payload.len(),
            digest,
        }
    }
}
