//! From a backend's bytes to records: read all, judge, decode; and the mending that makes the
//! judgement durable.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use serde::de::DeserializeOwned;

use crate::backend::{Backend, File};
use crate::config::Config;
use crate::error::OpenError;
use crate::finding::{Damage, Warning};
use crate::frame::{Digest, Kind, Slot, Timestamp};
use crate::job_dir;
use crate::layout::{Generation, IMAGE_LEN, Region, SLOT_LEN, SLOTS, StoreId};
use crate::payload;
use crate::store::Entry;
use crate::survey::{Refusal, Repair, Slots, Survey};

/// What a store tells without being opened: for listings while the job runs elsewhere.
#[derive(Debug)]
#[non_exhaustive]
pub struct Peek<R> {
    /// Identity of the store.
    pub id: StoreId,
    /// Number of the newest frame.
    pub generation: Generation,
    /// When the job was marked as done; `None` while it is not.
    pub finished_at: Option<SystemTime>,
    /// The newest records, newest first.
    pub history: Vec<Entry<R>>,
    /// What opening would repair.
    pub warnings: Vec<Warning>,
}

/// Reads the store in `dir` without locking, syncing or repairing: safe beside a running job, and
/// nothing to resume from, since the newest record may not be durable yet.
///
/// # Errors
/// As [`Store::open`](crate::Store::open), except for the lock.
pub fn peek<R: DeserializeOwned>(dir: &Path, config: &Config) -> Result<Peek<R>, OpenError> {
    let file = job_dir::open_unguarded(dir)?;
    let mut loaded = Loaded::read(&file, config);
    // A writer that commits twice while the slots are read one by one looks like damage; it is gone
    // on a second look.
    for _ in 0..2 {
        if loaded.as_ref().is_err_and(OpenError::is_damage) {
            loaded = Loaded::read(&file, config);
        }
    }
    Ok(loaded?.into())
}

/// When the job in `file` was finished, without looking at its records.
pub(crate) fn finished_at(file: &File) -> Result<Option<SystemTime>, OpenError> {
    let image = Image::read(file)?;
    let slots = image.slots();
    let survey = Survey::of(&slots).map_err(|refusal| refused(&file.place(), refusal))?;
    Ok(Head::of(&survey).finished_at.map(Timestamp::to_system))
}

/// The end of the chain.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) generation: Generation,
    pub(crate) digest: Digest,
    pub(crate) finished_at: Option<Timestamp>,
}

/// A judged and decoded image, not yet mended.
#[derive(Debug)]
pub(crate) struct Loaded<R> {
    pub(crate) id: StoreId,
    pub(crate) head: Head,
    /// Newest first.
    pub(crate) history: VecDeque<Entry<R>>,
    pub(crate) warnings: Vec<Warning>,
    mending: Vec<Mend>,
    newest: Box<Slot>,
}

/// Bytes to be written to one slot copy.
#[derive(Debug)]
struct Mend {
    offset: u64,
    bytes: Box<Slot>,
}

impl Head {
    fn of(survey: &Survey<'_>) -> Self {
        let newest = survey.newest();
        Self {
            generation: newest.header.generation,
            digest: newest.digest,
            finished_at: (newest.header.kind == Kind::Finished).then_some(newest.header.written_at),
        }
    }
}

impl<R: DeserializeOwned> Loaded<R> {
    pub(crate) fn read<B: Backend>(backend: &B, config: &Config) -> Result<Self, OpenError> {
        let image = Image::read(backend)?;
        Self::judge(&image.slots(), config, &backend.place())
    }

    /// The verdict over slots that were judged one by one, with the records decoded.
    pub(crate) fn judge(
        slots: &Slots<'_>,
        config: &Config,
        place: &str,
    ) -> Result<Self, OpenError> {
        let mut survey = Survey::of(slots).map_err(|refusal| refused(place, refusal))?;
        let mut warnings = std::mem::take(&mut survey.warnings);
        let history = decode_history(&survey, config, place, &mut warnings)?;
        let newest = survey.newest();
        Ok(Self {
            id: newest.header.store,
            head: Head::of(&survey),
            history,
            warnings,
            mending: survey.repairs.iter().map(Mend::from).collect(),
            newest: Box::new(*newest.bytes),
        })
    }
}

impl From<&Repair<'_>> for Mend {
    fn from(repair: &Repair<'_>) -> Self {
        Self {
            offset: repair.region.offset(repair.slot) as u64,
            bytes: Box::new(*repair.with),
        }
    }
}

impl<R> From<Loaded<R>> for Peek<R> {
    fn from(loaded: Loaded<R>) -> Self {
        Self {
            id: loaded.id,
            generation: loaded.head.generation,
            finished_at: loaded.head.finished_at.map(Timestamp::to_system),
            history: loaded.history.into(),
            warnings: loaded.warnings,
        }
    }
}

impl<R> Loaded<R> {
    /// Writes what the survey found bad, then the newest record again, copy by copy with a sync
    /// after each: at no moment is the only sound copy of it in flight.
    pub(crate) fn mend<B: Backend>(&self, backend: &mut B) -> io::Result<()> {
        for mend in &self.mending {
            backend.write_all_at(mend.offset, mend.bytes.as_slice())?;
        }
        if !self.mending.is_empty() {
            backend.sync()?;
        }
        for region in Region::BOTH {
            backend.write_all_at(
                region.offset(self.head.generation.slot()) as u64,
                self.newest.as_slice(),
            )?;
            backend.sync()?;
        }
        Ok(())
    }
}

/// The whole file as read.
pub(crate) struct Image {
    bytes: Vec<u8>,
    /// Copies for which the disk reports an error.
    unreadable: Vec<(Region, usize)>,
}

impl Image {
    pub(crate) fn read<B: Backend>(backend: &B) -> Result<Self, OpenError> {
        let place = backend.place();
        let len = backend.len().map_err(|source| OpenError::Io {
            step: "measure",
            place: place.clone(),
            source,
        })?;
        if len != IMAGE_LEN as u64 {
            return Err(OpenError::Damaged {
                place,
                damage: Damage::Length { found: len },
            });
        }
        let mut bytes = vec![0; IMAGE_LEN];
        let mut unreadable = Vec::new();
        let places = Region::BOTH
            .into_iter()
            .flat_map(|region| (0..SLOTS).map(move |slot| (region, slot)));
        for (copy, (region, slot)) in bytes.chunks_exact_mut(SLOT_LEN).zip(places) {
            if backend
                .read_exact_at(region.offset(slot) as u64, copy)
                .is_err()
            {
                unreadable.push((region, slot));
            }
        }
        Ok(Self { bytes, unreadable })
    }

    pub(crate) fn slots(&self) -> Slots<'_> {
        Slots::judge(|region, slot| {
            (!self.unreadable.contains(&(region, slot)))
                .then(|| slot_of(&self.bytes, region, slot))
                .flatten()
        })
    }
}

/// The bytes of one copy in a whole image.
pub(crate) fn slot_of(image: &[u8], region: Region, slot: usize) -> Option<&Slot> {
    image.get(region.offset(slot)..)?.first_chunk()
}

pub(crate) fn refused(place: &str, refusal: Refusal) -> OpenError {
    let place = place.to_owned();
    match refusal {
        Refusal::Damage(damage) => OpenError::Damaged { place, damage },
        Refusal::Unsupported(reason) => OpenError::Unsupported { place, reason },
    }
}

/// The newest record must decode; an older one that does not is only missed.
fn decode_history<R: DeserializeOwned>(
    survey: &Survey<'_>,
    config: &Config,
    place: &str,
    warnings: &mut Vec<Warning>,
) -> Result<VecDeque<Entry<R>>, OpenError> {
    let found = survey.newest().header.record_version;
    if found != config.record_version {
        return Err(OpenError::RecordVersion {
            place: place.to_owned(),
            found,
            expected: config.record_version,
        });
    }
    let mut history = VecDeque::with_capacity(config.history + 1);
    let records = survey
        .newest_first()
        .filter(|frame| frame.header.kind == Kind::Record);
    for (age, frame) in records.take(config.history).enumerate() {
        let generation = frame.header.generation;
        match payload::read(frame.header.form, frame.payload) {
            Ok(record) => {
                let written_at = frame.header.written_at.to_system();
                history.push_back(Entry {
                    generation,
                    written_at,
                    record,
                });
            }
            Err(source) if age == 0 => {
                return Err(OpenError::Codec {
                    place: place.to_owned(),
                    generation,
                    source,
                });
            }
            Err(_) => warnings.push(Warning::HistoryLost { generation }),
        }
    }
    Ok(history)
}
