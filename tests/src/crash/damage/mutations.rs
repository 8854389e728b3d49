//! Random mutations of whole images.

use feedhold_checkpoint::{IMAGE_LEN, SLOTS, backend::SECTOR_LEN, inspect::Slots};

use super::{BITS, Life, Subject, is_sound_of, one_record, really, region};
use crate::crash::{
    Broken, Note, Random, State,
    bugs::Bug,
    disk::{COPIES, Page},
    report::Tally,
};

/// Sectors of one slot.
const SECTORS: usize = super::SLOT_LEN / SECTOR_LEN;
/// One in so many mutations is opened by the real store as well.
const SAMPLE: usize = 2048;

/// Images to be mutated, each with others that parts are taken from.
#[derive(Debug)]
pub struct Bases(Vec<Base>);

#[derive(Debug)]
struct Base {
    subject: Subject,
    /// Older images of the same file, another course of the same file, another store.
    donors: Vec<Subject>,
}

/// A mutated image: the copies that were touched.
#[derive(Default)]
struct Mutant {
    touched: Vec<(usize, Box<Page>)>,
    /// Shorter than it should be, in bytes.
    length: Option<usize>,
}

impl Default for Bases {
    fn default() -> Self {
        let base = |name, commits, filler, finished| {
            let life = Life {
                id: 7,
                commits,
                filler,
                fork: u64::MAX,
                finished,
            };
            let younger = |by: u64| Life {
                commits: commits.saturating_sub(by),
                finished: false,
                ..life
            };
            let fork = Life {
                fork: commits.saturating_sub(2),
                ..life
            };
            let donors = vec![
                Subject::new("one older", younger(1)),
                Subject::new("five older", younger(5)),
                Subject::new("a round older", younger(SLOTS as u64)),
                Subject::new("another course", fork),
                Subject::new("another store", Life { id: 8, ..life }),
            ];
            Base {
                subject: Subject::new(name, life),
                donors,
            }
        };
        Self(vec![
            base("young", 3, 20, false),
            base("nearly full", 62, 600, false),
            base("wrapped", 70, 20, false),
            base("wrapped, long records", 200, 3_900, false),
            base("wrapped, finished", 100, 600, true),
        ])
    }
}

impl Bases {
    /// The image whose bits are flipped one by one: every slot in use, every sector of it.
    #[must_use]
    pub fn fullest(&self) -> &Subject {
        &self.0[3].subject
    }

    /// The image with the fewest slots in use.
    #[must_use]
    pub fn youngest(&self) -> &Subject {
        &self.0[0].subject
    }
}

/// Mutates images at random and judges what an open makes of them.
///
/// With a planted mistake every mutant is opened by the real store on a disk with that mistake.
///
/// # Errors
/// The first way in which the law was broken.
pub fn mutate(
    bases: &Bases,
    count: usize,
    seed: u64,
    bug: Option<Bug>,
    tally: &mut Tally,
) -> Result<(), Broken> {
    let mut random = Random(seed);
    let mut sound = Vec::with_capacity(bases.0.len());
    for base in &bases.0 {
        let judged = Slots::of(&base.subject.image);
        sound.push(judged.map_err(|damage| Broken::Lost(damage.to_string()))?);
    }
    for number in 0..count {
        let at = |broken: Broken| broken.at(&format!("mutation {number} of seed {seed}"));
        let which = random.below(bases.0.len());
        let base = &bases.0[which];
        let mut mutant = Mutant::default();
        for _ in 0..1 + random.below(8) / 6 {
            mutant.mutate(base, &mut random);
        }
        tally.points += 1;
        tally.judged += 1;
        if let Some(length) = mutant.length {
            let shorter = &base.subject.image[..length];
            if Slots::of(shorter).is_ok() || really(shorter.to_vec(), bug)?.is_some() {
                return Err(at(Broken::Wrong(format!("taken at {length} bytes"))));
            }
            tally.refused += 1;
        } else {
            let really_too = bug.is_some() || number % SAMPLE == 0;
            mutant
                .judge(base, &sound[which], bug, really_too, tally)
                .map_err(at)?;
        }
    }
    Ok(())
}

impl Mutant {
    fn page<'m>(&'m mut self, subject: &Subject, copy: usize) -> &'m mut Page {
        let known = self
            .touched
            .iter()
            .position(|(touched, _)| *touched == copy);
        let at = known.unwrap_or_else(|| {
            self.touched.push((copy, Box::new(*subject.page(copy))));
            self.touched.len() - 1
        });
        &mut self.touched[at].1
    }

    fn peek<'m>(&'m self, subject: &'m Subject, copy: usize) -> &'m Page {
        let touched = self.touched.iter().find(|(touched, _)| *touched == copy);
        touched.map_or_else(|| subject.page(copy), |(_, page)| page)
    }

    fn mutate(&mut self, base: &Base, random: &mut Random) {
        let subject = &base.subject;
        // Half of the damage strikes where it hurts: near the newest record.
        let near = |random: &mut Random| {
            let newest = subject.newest[random.below(2)];
            let slot = (newest % SLOTS + SLOTS + random.below(3) - 1) % SLOTS;
            newest / SLOTS * SLOTS + slot
        };
        let place = |random: &mut Random| match random.below(2) {
            0 => near(random),
            _ => random.below(COPIES),
        };
        let donor = &base.donors[random.below(base.donors.len())];
        match random.below(400) {
            0..100 => {
                for _ in 0..2 + random.below(15) {
                    let bit = random.below(BITS);
                    self.page(subject, place(random))[bit / 8] ^= 1 << (bit % 8);
                }
            }
            100..150 => {
                let (here, there) = (
                    (place(random), random.below(SECTORS)),
                    (place(random), random.below(SECTORS)),
                );
                let (a, b) = (
                    *sector(self.peek(subject, here.0), here.1),
                    *sector(self.peek(subject, there.0), there.1),
                );
                *sector_mut(self.page(subject, here.0), here.1) = b;
                *sector_mut(self.page(subject, there.0), there.1) = a;
            }
            150..190 => {
                let from = *self.peek(subject, place(random));
                *self.page(subject, place(random)) = from;
            }
            190..192 => {
                // A whole region, from the other one or from another image.
                let to = random.below(2) * SLOTS;
                let own = random.below(2) == 0;
                for slot in 0..SLOTS {
                    let from = if own {
                        subject.page((to + slot + SLOTS) % COPIES)
                    } else {
                        donor.page(to + slot)
                    };
                    *self.page(subject, to + slot) = *from;
                }
            }
            192..200 => self.length = Some(random.below(IMAGE_LEN)),
            200..250 => {
                let first = random.below(SECTORS);
                let copy = place(random);
                for at in first..(first + 1 + random.below(SECTORS)).min(SECTORS) {
                    *sector_mut(self.page(subject, copy), at) = [0; SECTOR_LEN];
                }
            }
            250..280 => {
                // Whole pairs, the newest ones first or anywhere.
                let slot = if random.below(2) == 0 {
                    subject.newest[0]
                } else {
                    random.below(SLOTS)
                };
                for back in 0..1 + random.below(3) {
                    for side in [0, SLOTS] {
                        *self.page(subject, side + (slot + SLOTS - back) % SLOTS) =
                            [0; super::SLOT_LEN];
                    }
                }
            }
            280..340 => {
                for _ in 0..1 + random.below(16) {
                    let (copy, at) = (place(random), random.below(SECTORS));
                    *sector_mut(self.page(subject, copy), at) = *sector(donor.page(copy), at);
                }
            }
            340..380 => {
                let slot = near(random) % SLOTS;
                let sides: &[usize] = match random.below(4) {
                    0 => &[0],
                    1 => &[SLOTS],
                    _ => &[0, SLOTS],
                };
                for back in 0..1 + random.below(3) {
                    for side in sides {
                        let copy = side + (slot + SLOTS - back) % SLOTS;
                        *self.page(subject, copy) = *donor.page(copy);
                    }
                }
            }
            _ => {
                let (copy, at) = (place(random), random.below(SECTORS));
                sector_mut(self.page(subject, copy), at)
                    .iter_mut()
                    .for_each(|byte| *byte = random.number() as u8);
            }
        }
    }

    fn judge(
        &self,
        base: &Base,
        sound: &Slots<'_>,
        bug: Option<Bug>,
        really_too: bool,
        tally: &mut Tally,
    ) -> Result<(), Broken> {
        let mut slots: Slots<'_> = sound.clone();
        for (copy, page) in &self.touched {
            slots.put(region(*copy), copy % SLOTS, page);
        }
        let seen = slots.verdict::<Note>("mutant", &one_record());
        let mut shown = match &seen {
            Err(_) => None,
            Ok(seen) => {
                let note = seen.history.first().map(|entry| &entry.record);
                Some(State::shown(note, seen.finished_at.is_some())?)
            }
        };
        if really_too {
            tally.sampled += 1;
            let opened = really(self.image(&base.subject), bug)?.map(|(state, _)| state);
            if bug.is_none() && opened != shown {
                return Err(Broken::Wrong(format!(
                    "{opened:?} was opened where {shown:?} was expected"
                )));
            }
            shown = opened;
        }
        match shown {
            None => tally.refused += 1,
            Some(shown) if shown == base.subject.claim.acknowledged => {}
            Some(shown) => {
                self.within_limits(base, shown)?;
                tally.limits += 1;
            }
        }
        Ok(())
    }

    /// An older record was shown. That is within the limits of the format only if not one copy of the newest record is left; or if
    /// all that is sound and of one store belongs to another file, which somebody put in this one's place.
    fn within_limits(&self, base: &Base, shown: State) -> Result<(), Broken> {
        let subject = &base.subject;
        let acknowledged = subject.claim.acknowledged;
        let intact = |copy: &usize| self.peek(subject, *copy) == subject.page(*copy);
        let what = || format!("{shown:?} was shown, but {acknowledged:?} was acknowledged");
        if subject.newest.iter().any(intact) {
            return Err(Broken::Lost(format!("{} and is there", what())));
        }
        let is_replaced = base.donors.iter().any(|donor| {
            (0..COPIES).all(|copy| {
                let page = self.peek(subject, copy);
                page == donor.page(copy) || !is_sound_of(donor.id, copy, page)
            }) && !donor.claim.acknowledged.is_older_than(shown)
        });
        let is_ours = shown.number.is_none_or(|number| {
            Some(number) <= acknowledged.number && number > subject.first_number()
        });
        if !is_replaced && (!is_ours || !shown.is_older_than(acknowledged)) {
            return Err(Broken::Wrong(what()));
        }
        Ok(())
    }

    fn image(&self, subject: &Subject) -> Vec<u8> {
        let mut image = subject.image.clone();
        for (copy, page) in &self.touched {
            image[super::offset(*copy)..][..super::SLOT_LEN].copy_from_slice(page.as_slice());
        }
        image
    }
}

fn sector(page: &Page, at: usize) -> &[u8; SECTOR_LEN] {
    page[at * SECTOR_LEN..]
        .first_chunk()
        .expect("a sector of the slot")
}

fn sector_mut(page: &mut Page, at: usize) -> &mut [u8; SECTOR_LEN] {
    page[at * SECTOR_LEN..]
        .first_chunk_mut()
        .expect("a sector of the slot")
}
