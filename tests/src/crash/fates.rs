//! What may become of one slot copy when the power goes.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

use feedhold_checkpoint::{
    SLOT_LEN, SLOTS,
    backend::SECTOR_LEN,
    inspect::{SlotCopy, slot_copy},
};

use super::disk::{ClassNo, Page, PageNo, Pages};

/// Sectors of one slot.
pub(crate) const SECTORS: usize = SLOT_LEN / SECTOR_LEN;

/// All contents that one copy may have afterwards.
pub(crate) struct Fates {
    /// Versions of each sector: the durable one, and each that was written since.
    versions: Vec<Vec<Sector>>,
    subsets: OnceCell<Vec<PageNo>>,
    /// All of them, and those with one sector torn in its middle or filled with garbage besides, by what an open takes them for: one
    /// content of each kind, and how many there are.
    pub(crate) kinds: Vec<Kind>,
    /// Contents among `kinds` altogether.
    pub(crate) contents: u64,
}

impl Fates {
    /// How many subsets of its unsynced sectors there are. Where a sector was written more than once, each version of it counts.
    pub(crate) fn subset_count(&self) -> u64 {
        self.versions.iter().map(|v| v.len() as u64).product()
    }

    /// The contents that the subsets leave, in the order of the subsets' numbers.
    pub(crate) fn subsets(&self, pages: &mut Pages) -> &[PageNo] {
        self.subsets.get_or_init(|| {
            let mut all = Vec::new();
            each_choice(&self.versions, |page| all.push(pages.number(page)));
            all
        })
    }
}

/// Contents that an open takes for the same.
pub(crate) struct Kind {
    pub(crate) class: ClassNo,
    pub(crate) example: PageNo,
    /// Another one, to check that it is indeed taken for the same.
    pub(crate) witness: PageNo,
}

/// Fates that were worked out before.
#[derive(Default)]
pub(crate) struct FateBook(HashMap<(usize, PageNo, Vec<PageNo>), Rc<Fates>>);

impl FateBook {
    /// What may become of the copy that durably holds `durable`, with `pending` written since.
    pub(crate) fn of(
        &mut self,
        pages: &mut Pages,
        copy: usize,
        durable: PageNo,
        pending: &[PageNo],
    ) -> Rc<Fates> {
        let key = (copy, durable, pending.to_vec());
        if let Some(known) = self.0.get(&key) {
            return Rc::clone(known);
        }
        let fates = Rc::new(work_out(pages, copy, durable, pending));
        self.0.insert(key, Rc::clone(&fates));
        fates
    }
}

type Sector = [u8; SECTOR_LEN];

fn work_out(pages: &mut Pages, copy: usize, durable: PageNo, pending: &[PageNo]) -> Fates {
    let old = **pages.page(durable);
    let versions: Vec<Vec<Sector>> = (0..SECTORS)
        .map(|sector| {
            let mut versions = vec![sector_of(&old, sector)];
            for page in pending {
                let version = sector_of(pages.page(*page), sector);
                if !versions.contains(&version) {
                    versions.push(version);
                }
            }
            versions
        })
        .collect();
    let mut kinds = Kinds::default();
    each_choice(&versions, |page| kinds.count(copy, page));
    // A write that is under way when the power goes may leave one sector half done or rubbish, even if old and new content are equal.
    for sector in 0..if pending.is_empty() { 0 } else { SECTORS } {
        let mut others = versions.clone();
        others[sector] = torn(&versions[sector]);
        each_choice(&others, |page| kinds.count(copy, page));
    }
    Fates {
        versions,
        subsets: OnceCell::new(),
        contents: kinds.0.iter().map(|(_, _, _, contents)| contents).sum(),
        kinds: kinds.numbered(pages),
    }
}

/// Contents by what they are taken for: the first, the last, and how many.
#[derive(Default)]
struct Kinds(Vec<(SlotCopy, Page, Page, u64)>);

impl Kinds {
    fn count(&mut self, copy: usize, page: &Page) {
        let judged = slot_copy(copy % SLOTS, page);
        match self.0.iter_mut().find(|(known, ..)| *known == judged) {
            Some((_, _, last, contents)) => {
                *last = *page;
                *contents += 1;
            }
            None => self.0.push((judged, *page, *page, 1)),
        }
    }

    fn numbered(self, pages: &mut Pages) -> Vec<Kind> {
        let kind = |(judged, example, witness, _)| Kind {
            class: pages.class(judged),
            example: pages.number(&example),
            witness: pages.number(&witness),
        };
        self.0.into_iter().map(kind).collect()
    }
}

/// What a sector may hold that was being written: front new and rear old, the other way round, garbage.
fn torn(versions: &[Sector]) -> Vec<Sector> {
    let (Some(old), Some(new)) = (versions.first(), versions.last()) else {
        return Vec::new();
    };
    let half = SECTOR_LEN / 2;
    let mix = |front: &Sector, rear: &Sector| {
        let mut mixed = *rear;
        mixed[..half].copy_from_slice(&front[..half]);
        mixed
    };
    let garbage = std::array::from_fn(|i| (i as u8).wrapping_mul(101) ^ 0x5a);
    if old == new {
        vec![garbage]
    } else {
        vec![mix(new, old), mix(old, new), garbage]
    }
}

/// Calls `take` with every page that is made of one version of each sector.
fn each_choice(versions: &[Vec<Sector>], mut take: impl FnMut(&Page)) {
    let mut page = [0; SLOT_LEN];
    let total: usize = versions.iter().map(Vec::len).product();
    for number in 0..total {
        let mut rest = number;
        for (to, versions) in page.chunks_exact_mut(SECTOR_LEN).zip(versions) {
            to.copy_from_slice(&versions[rest % versions.len()]);
            rest /= versions.len();
        }
        take(&page);
    }
}

fn sector_of(page: &Page, sector: usize) -> Sector {
    let mut bytes = [0; SECTOR_LEN];
    bytes.copy_from_slice(&page[sector * SECTOR_LEN..][..SECTOR_LEN]);
    bytes
}
