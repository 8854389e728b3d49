//! Damage to a store at rest: every single bit, and random mutations by the million.
//!
//! A damaged image may be refused. If it is not, the newest record must be shown, for as long as one intact copy of it is left. When
//! none is left, the format cannot always tell damage from a write that never happened, and says so ("What this format does not
//! protect from"): what is shown within those limits is an older record of this very store, and is counted apart.
//!
//! Slots that a mutation did not touch are not judged again ([`Slots::put`]): opening decides by the judgements of the slots alone.
//! A sample is really opened, repaired, and opened again.

mod mutations;

use feedhold_checkpoint::{
    Config, Opened, Region, SLOT_LEN, SLOTS, Store, StoreId, Warning,
    backend::Memory,
    inspect::{SlotCopy, Slots, slot_copy},
};

use super::{
    Broken, Claim, Note, State, Step,
    bugs::{Bug, Planted},
    disk::{COPIES, Page, offset},
    report::Tally,
};

pub use mutations::{Bases, mutate};

/// Bits of one slot.
pub(crate) const BITS: usize = SLOT_LEN * 8;

/// A sound image and what an open of it shows.
#[derive(Debug, Clone)]
pub struct Subject {
    /// What to call it.
    pub name: &'static str,
    id: StoreId,
    image: Vec<u8>,
    claim: Claim,
    newest: Vec<usize>,
}

/// Which records a subject holds.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    /// Identity of its store.
    pub id: u8,
    /// How many records.
    pub commits: u64,
    /// Bytes of filler in each.
    pub filler: usize,
    /// Number of the first record that belongs to another course of events, which numbers its records otherwise.
    pub fork: u64,
    /// Whether the job is done.
    pub finished: bool,
}

impl Subject {
    /// A store that lived like this.
    ///
    /// # Panics
    /// Never: memory takes every record.
    #[must_use]
    pub fn new(name: &'static str, life: Life) -> Self {
        let id = StoreId::from_bytes([life.id; 16]);
        let config = Config::new().store_id(id);
        let mut claim = Claim {
            issued: u64::from(life.id) << 32,
            ..Claim::default()
        };
        let mut store = Store::<Note, _>::create_on_at(Memory::new(), &config, super::clock(0))
            .expect("a blank memory takes a store");
        for number in 0..life.commits {
            if number == life.fork {
                claim.issued += 1 << 16;
            }
            // The newest is short: reading it again and again is most of the work.
            let filler = if number + 1 == life.commits {
                life.filler.min(20)
            } else {
                life.filler
            };
            let step = Step::Commit { filler };
            assert!(claim.take(&mut store, step), "memory takes every record");
        }
        if life.finished {
            assert!(claim.take(&mut store, Step::Finish), "memory takes it");
        }
        let slot = store.generation().get() as usize % SLOTS;
        Self {
            name,
            id,
            image: store.into_backend().image().to_vec(),
            claim,
            newest: vec![slot, slot + SLOTS],
        }
    }

    /// Numbers of its notes are greater than this.
    pub(crate) fn first_number(&self) -> u64 {
        self.claim.issued >> 32 << 32
    }

    pub(crate) fn page(&self, copy: usize) -> &Page {
        self.image[offset(copy)..]
            .first_chunk()
            .expect("the copy lies inside the image")
    }
}

/// Opens the image with the real store, on a disk with that mistake in between; repairs; opens again, which must show the same
/// without a warning. `None` when it is refused.
fn really(image: Vec<u8>, bug: Option<Bug>) -> Result<Option<(State, Vec<Warning>)>, Broken> {
    let open = |image| {
        let disk = Planted::new(Memory::from_image(image), bug);
        Store::<Note, _>::open_on(disk, &Config::new())
    };
    let Ok(Opened { store, warnings }) = open(image) else {
        return Ok(None);
    };
    let shown = State::of(&store)?;
    let repaired = store.into_backend().inner().image().to_vec();
    match open(repaired) {
        Ok(again) if State::of(&again.store)? != shown => Err(Broken::Wrong(format!(
            "{shown:?} at first, after the repair {:?}",
            State::of(&again.store)?
        ))),
        Ok(again) if !again.warnings.is_empty() => {
            Err(Broken::Lost(format!("not repaired: {}", again.warnings[0])))
        }
        Ok(_) => Ok(Some((shown, warnings))),
        Err(error) => Err(Broken::Lost(format!("refused after the repair: {error}"))),
    }
}

/// Flips each bit of some copies of the subject, one at a time; every `stride`-th of the image's bits only.
///
/// One bit is never enough to refuse: the newest record must be shown with exactly one warning.
///
/// # Errors
/// The first way in which the law was broken.
pub fn flip_bits(
    subject: &Subject,
    copies: impl Iterator<Item = usize>,
    stride: usize,
    tally: &mut Tally,
) -> Result<(), Broken> {
    let sound = Slots::of(&subject.image).map_err(|damage| Broken::Lost(damage.to_string()))?;
    let config = one_record();
    for copy in copies.filter(|copy| *copy < COPIES) {
        tally.points += 1;
        let mut page = *subject.page(copy);
        for bit in (copy % stride..BITS).step_by(stride) {
            page[bit / 8] ^= 1 << (bit % 8);
            let mut slots: Slots<'_> = sound.clone();
            slots.put(region(copy), copy % SLOTS, &page);
            let seen = slots.verdict::<Note>("damaged", &config);
            tally.subsets += 1;
            tally.judged += 1;
            let at = |broken: Broken| broken.at(&format!("copy {copy}, bit {bit}"));
            let seen = seen.map_err(|error| at(Broken::Lost(format!("refused: {error}"))))?;
            let note = seen.history.first().map(|entry| &entry.record);
            let shown = State::shown(note, seen.finished_at.is_some()).map_err(at)?;
            subject.claim.clone().settle(shown).map_err(at)?;
            if seen.warnings.len() != 1 {
                return Err(at(Broken::Lost(format!(
                    "{} warnings instead of one",
                    seen.warnings.len()
                ))));
            }
            if bit % 4099 == copy {
                tally.sampled += 1;
                flip_really(subject, copy, bit, None)?;
            }
            page[bit / 8] ^= 1 << (bit % 8);
        }
    }
    Ok(())
}

/// Flips one bit and opens with the real store, on a disk with that mistake in between.
///
/// # Errors
/// How the law was broken.
pub fn flip_really(
    subject: &Subject,
    copy: usize,
    bit: usize,
    bug: Option<Bug>,
) -> Result<(), Broken> {
    let at = |broken: Broken| broken.at(&format!("copy {copy}, bit {bit}"));
    let mut image = subject.image.clone();
    image[offset(copy) + bit / 8] ^= 1 << (bit % 8);
    let Some((shown, warnings)) = really(image, bug).map_err(at)? else {
        return Err(at(Broken::Lost("refused".to_owned())));
    };
    subject.claim.clone().settle(shown).map_err(at)?;
    if warnings.len() != 1 {
        return Err(at(Broken::Lost(format!(
            "{} warnings instead of one",
            warnings.len()
        ))));
    }
    Ok(())
}

fn region(copy: usize) -> Region {
    if copy < SLOTS { Region::A } else { Region::B }
}

fn one_record() -> Config {
    Config::new().history(1).expect("one is in range")
}

/// The copy holds a whole record of the store `id`; others do not count.
fn is_sound_of(id: StoreId, copy: usize, page: &Page) -> bool {
    matches!(slot_copy(copy % SLOTS, page), SlotCopy::Sound(stamp) if stamp.store == id)
}
