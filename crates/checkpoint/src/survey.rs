//! The judgement on open: which record is the newest, what to repair, or why nobody can tell.
//!
//! Pure: bytes in, verdict out. The rules follow from one fact: a generation is written to both
//! copies, and the next one is not begun before the sync of this one returned. So a power cut can
//! damage exactly one pair, the one that comes after the newest durable record, and any damage
//! elsewhere happened to durable data.

use crate::finding::{Damage, Unsupported, Warning};
use crate::frame::{self, EMPTY, FormatVersion, Frame, FrameFault, Slot};
use crate::layout::{Generation, Region, SLOTS};

/// Both copies of every slot, each judged by itself: a pure function of its bytes and its place.
///
/// What an open decides follows from these judgements alone ([`Survey::of`]).
#[derive(Clone)]
pub(crate) struct Slots<'a> {
    pairs: Vec<[Found<'a>; 2]>,
    /// The bytes a format of any age begins with.
    first: &'a Slot,
}

/// The verdict when there is one.
#[derive(Debug)]
pub(crate) struct Survey<'a> {
    /// All frames that still count, oldest first; never empty.
    frames: Vec<Frame<'a>>,
    pub(crate) repairs: Vec<Repair<'a>>,
    pub(crate) warnings: Vec<Warning>,
}

/// One slot copy to be rewritten before the store is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repair<'a> {
    pub(crate) region: Region,
    pub(crate) slot: usize,
    /// The twin of that copy, or zeros.
    pub(crate) with: &'a Slot,
}

/// Why there is no verdict.
#[derive(Debug)]
pub(crate) enum Refusal {
    Damage(Damage),
    Unsupported(Unsupported),
}

impl From<Damage> for Refusal {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

impl<'a> Survey<'a> {
    /// The verdict over a whole store.
    pub(crate) fn of(slots: &Slots<'a>) -> Result<Self, Refusal> {
        let (survey, damages) = Self::in_full(slots)?;
        match damages.into_iter().next() {
            Some(damage) => Err(damage.into()),
            None => Ok(survey),
        }
    }

    /// Goes on behind the first damage and names all of it.
    pub(crate) fn in_full(slots: &Slots<'a>) -> Result<(Self, Vec<Damage>), Refusal> {
        if let Some(reason) = slots.pairs.iter().flatten().find_map(Found::unsupported) {
            return Err(Refusal::Unsupported(reason.clone()));
        }
        let newest = slots.newest().ok_or_else(|| slots.no_record())?;
        let mut survey = Self {
            frames: Vec::with_capacity(SLOTS),
            repairs: Vec::new(),
            warnings: Vec::new(),
        };
        let mut damages = Vec::new();
        for (slot, pair) in slots.pairs.iter().enumerate() {
            let judged = match expected(newest, slot) {
                Expected::Next { before } => survey.next_pair(newest.next(), before, slot, pair),
                Expected::Written(generation) => survey.written_pair(generation, slot, pair),
                Expected::NeverWritten => survey.blank_pair(slot, pair),
            };
            damages.extend(judged.err());
        }
        survey.frames.sort_by_key(|frame| frame.header.generation);
        damages.extend(survey.check_chain().err());
        Ok((survey, damages))
    }

    /// The newest record that was ever durable.
    pub(crate) fn newest(&self) -> &Frame<'a> {
        // `of` found a newest generation and either kept a frame of it or refused.
        &self.frames[self.frames.len() - 1]
    }

    /// From the newest to the oldest.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Frame<'a>> {
        self.frames.iter().rev()
    }

    /// A pair whose generation was acknowledged: one sound copy is enough, none is damage.
    fn written_pair(
        &mut self,
        generation: Generation,
        slot: usize,
        pair: &[Found<'a>; 2],
    ) -> Result<(), Damage> {
        let unreadable = pair.iter().any(Found::is_unreadable);
        let [a, b] = pair.each_ref().map(|copy| copy.frame_of(generation));
        let (frame, lost) = match (a, b) {
            (Some(a), Some(b)) if a.digest == b.digest => (a, None),
            (Some(_), Some(_)) => return Err(Damage::TwinsDiffer { generation, slot }),
            (Some(a), None) => (a, Some(Region::B)),
            (None, Some(b)) => (b, Some(Region::A)),
            (None, None) if unreadable => return Err(Damage::Unreadable { slot }),
            (None, None) => return Err(Damage::PairLost { generation, slot }),
        };
        self.frames.push(frame.clone());
        if let Some(region) = lost {
            self.warnings.push(Warning::CopyLost {
                generation,
                region,
                slot,
            });
            self.repairs.push(Repair {
                region,
                slot,
                with: frame.bytes,
            });
        }
        Ok(())
    }

    /// The pair that a commit may have been writing when the power went. Whatever lies there is not
    /// acknowledged. What is left of it is erased, not only ignored: a later write to the slot that
    /// is torn in turn could complete the old half into a valid record of the same generation that
    /// was given up long ago.
    fn next_pair(
        &mut self,
        generation: Generation,
        before: Option<Generation>,
        slot: usize,
        pair: &[Found<'a>; 2],
    ) -> Result<(), Damage> {
        let is_old = |copy: &Found<'_>| copy.generation().is_some() && copy.generation() == before;
        if pair.iter().all(Found::is_empty) || pair.iter().all(is_old) {
            let [copy, _] = pair;
            self.frames
                .extend(before.and_then(|before| copy.frame_of(before)).cloned());
            return Ok(());
        }
        let untouched = |copy: &Found<'_>| copy.is_empty() || is_old(copy);
        if pair.iter().any(Found::is_unreadable) && !pair.iter().any(untouched) {
            return Err(Damage::Unreadable { slot });
        }
        self.warnings.push(Warning::Torn { generation, slot });
        self.repairs.extend(Region::BOTH.map(|region| Repair {
            region,
            slot,
            with: &EMPTY,
        }));
        Ok(())
    }

    /// A pair that no commit has reached yet.
    fn blank_pair(&mut self, slot: usize, pair: &[Found<'a>; 2]) -> Result<(), Damage> {
        let [a, b] = pair.each_ref().map(Found::is_empty);
        let region = match (a, b) {
            (true, true) => return Ok(()),
            (true, false) => Region::B,
            (false, true) => Region::A,
            (false, false) => return Err(Damage::Stray { slot }),
        };
        self.warnings.push(Warning::Stray { region, slot });
        self.repairs.push(Repair {
            region,
            slot,
            with: &EMPTY,
        });
        Ok(())
    }

    /// Every record names the digest of the one before it, and all belong to one store.
    fn check_chain(&self) -> Result<(), Damage> {
        for (before, after) in self.frames.iter().zip(self.frames.iter().skip(1)) {
            let generation = after.header.generation;
            if before.header.store != after.header.store {
                return Err(Damage::OtherStore {
                    generation,
                    slot: generation.slot(),
                });
            }
            if before.header.generation.next() == generation
                && before.digest != after.header.previous
            {
                return Err(Damage::ChainBroken { generation });
            }
        }
        Ok(())
    }
}

impl<'a> Slots<'a> {
    /// Judges all copies; `copy` gives the bytes of one, or `None` where the disk reports an error.
    pub(crate) fn judge(copy: impl Fn(Region, usize) -> Option<&'a Slot>) -> Self {
        let pairs = (0..SLOTS).map(|slot| judge_pair(slot, Region::BOTH.map(|r| copy(r, slot))));
        Self {
            pairs: pairs.collect(),
            first: copy(Region::A, 0).unwrap_or(&EMPTY),
        }
    }

    /// Judges one copy again that holds other bytes now.
    pub(crate) fn put(&mut self, region: Region, slot: usize, bytes: &'a Slot) {
        if let Some([a, b]) = self.pairs.get_mut(slot) {
            let copy = if region == Region::A { a } else { b };
            *copy = judge(slot, Some(bytes));
        }
        if (region, slot) == (Region::A, 0) {
            self.first = bytes;
        }
    }

    pub(crate) fn pairs(&self) -> &[[Found<'a>; 2]] {
        &self.pairs
    }

    fn newest(&self) -> Option<Generation> {
        self.pairs
            .iter()
            .flatten()
            .filter_map(Found::generation)
            .max()
    }

    /// Nothing valid anywhere. A format so new that even its digest lies elsewhere still says its
    /// version up front.
    fn no_record(&self) -> Refusal {
        if let Some((version, reader)) = frame::versions(self.first)
            && reader > FormatVersion::CURRENT
        {
            return Refusal::Unsupported(Unsupported::Newer { version, reader });
        }
        let unreadable = |pair: &[Found<'_>; 2]| pair.iter().any(Found::is_unreadable);
        match self.pairs.iter().position(unreadable) {
            Some(slot) => Damage::Unreadable { slot }.into(),
            None => Damage::NoRecord.into(),
        }
    }
}

/// Twins are nearly always equal, so a second digest is computed only where they differ.
fn judge_pair<'a>(slot: usize, [a, b]: [Option<&'a Slot>; 2]) -> [Found<'a>; 2] {
    let first = judge(slot, a);
    let second = match (a, b) {
        (Some(a), Some(b)) if a == b => first.clone(),
        _ => judge(slot, b),
    };
    [first, second]
}

pub(crate) fn judge(slot: usize, bytes: Option<&Slot>) -> Found<'_> {
    let Some(bytes) = bytes else {
        return Found::Unreadable;
    };
    match frame::parse(bytes, slot) {
        Ok(None) => Found::Empty,
        Ok(Some(frame)) => Found::Frame(frame),
        Err(FrameFault::Digest | FrameFault::Field) => Found::Bad,
        Err(FrameFault::Newer { version, reader }) => {
            Found::Unsupported(Unsupported::Newer { version, reader })
        }
        Err(FrameFault::Older { version }) => Found::Unsupported(Unsupported::Older { version }),
        Err(FrameFault::Feature { kind, flags }) => {
            Found::Unsupported(Unsupported::Feature { kind, flags })
        }
        Err(FrameFault::Packed) => Found::Unsupported(Unsupported::Compressed),
    }
}

/// One copy of one slot as judged.
#[derive(Clone, Debug)]
pub(crate) enum Found<'a> {
    /// Nothing but zeros.
    Empty,
    Frame(Frame<'a>),
    Bad,
    /// The disk reports an error.
    Unreadable,
    /// Whole, and not for this library.
    Unsupported(Unsupported),
}

impl<'a> Found<'a> {
    fn generation(&self) -> Option<Generation> {
        match self {
            Self::Frame(frame) => Some(frame.header.generation),
            _ => None,
        }
    }

    fn frame_of(&self, generation: Generation) -> Option<&Frame<'a>> {
        match self {
            Self::Frame(frame) if frame.header.generation == generation => Some(frame),
            _ => None,
        }
    }

    pub(crate) fn unsupported(&self) -> Option<&Unsupported> {
        match self {
            Self::Unsupported(reason) => Some(reason),
            _ => None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable)
    }
}

/// What a slot holds in a store whose newest generation is known.
enum Expected {
    Written(Generation),
    NeverWritten,
    /// The slot the next commit goes to, and what it holds until then.
    Next {
        before: Option<Generation>,
    },
}

fn expected(newest: Generation, slot: usize) -> Expected {
    let slots = SLOTS as u64;
    if slot == newest.next().slot() {
        return Expected::Next {
            before: newest.next().0.checked_sub(slots).map(Generation),
        };
    }
    let back = (newest.slot() as u64 + slots - slot as u64) % slots;
    newest
        .0
        .checked_sub(back)
        .map_or(Expected::NeverWritten, |g| Expected::Written(Generation(g)))
}
