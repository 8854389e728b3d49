//! A disk that writes down what was done to it, so that every power cut on the way can be played afterwards.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use feedhold_checkpoint::{
    IMAGE_LEN, Region, SLOT_LEN, SLOTS,
    backend::Backend,
    inspect::{SlotCopy, slot_copy},
};

/// The bytes of one slot copy.
pub(crate) type Page = [u8; SLOT_LEN];
/// Copies in an image: those of region A, then those of region B.
pub(crate) const COPIES: usize = 2 * SLOTS;

/// Pages by number: equal bytes have the same number, so that images are compared and told apart quickly.
#[derive(Default)]
pub(crate) struct Pages {
    pages: Vec<Rc<Page>>,
    numbers: HashMap<[u8; 32], PageNo>,
    classes: HashMap<SlotCopy, ClassNo>,
    known: HashMap<(usize, PageNo), ClassNo>,
}

pub(crate) type PageNo = u32;
pub(crate) type ClassNo = u32;

impl Pages {
    pub(crate) fn number(&mut self, page: &Page) -> PageNo {
        let digest = *blake3::hash(page).as_bytes();
        let next = self.pages.len() as PageNo;
        *self.numbers.entry(digest).or_insert_with(|| {
            self.pages.push(Rc::new(*page));
            next
        })
    }

    pub(crate) fn page(&self, number: PageNo) -> &Rc<Page> {
        &self.pages[number as usize]
    }

    /// The number of what an open takes a copy for. Equal numbers: nothing in the verdict differs.
    pub(crate) fn class(&mut self, judged: SlotCopy) -> ClassNo {
        let next = self.classes.len() as ClassNo;
        *self.classes.entry(judged).or_insert(next)
    }

    /// What an open takes that page for in that slot.
    pub(crate) fn class_of(&mut self, slot: usize, number: PageNo) -> ClassNo {
        if let Some(known) = self.known.get(&(slot, number)) {
            return *known;
        }
        let class = self.class(slot_copy(slot, self.page(number)));
        self.known.insert((slot, number), class);
        class
    }
}

/// A whole image as page numbers.
pub(crate) type Image = Vec<PageNo>;

/// What a power cut may leave: durable pages, and those written since the last sync, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Medium {
    pub(crate) durable: Image,
    pub(crate) pending: Vec<(usize, PageNo)>,
}

/// One thing that was done to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Write(usize, PageNo),
    Sync,
}

impl Medium {
    pub(crate) fn sound(durable: Image) -> Self {
        Self {
            durable,
            pending: Vec::new(),
        }
    }

    pub(crate) fn do_it(&mut self, act: Act) {
        match act {
            Act::Write(copy, page) => self.pending.push((copy, page)),
            Act::Sync => {
                for (copy, page) in self.pending.drain(..) {
                    self.durable[copy] = page;
                }
            }
        }
    }

    fn visible(&self) -> Image {
        let mut image = self.durable.clone();
        for (copy, page) in &self.pending {
            image[*copy] = *page;
        }
        image
    }
}

/// A handle to such a disk.
#[derive(Clone)]
pub(crate) struct Recorder(Rc<RefCell<Recording>>);

struct Recording {
    visible: Vec<Rc<Page>>,
    acts: Vec<(usize, Option<Rc<Page>>)>,
}

impl Recorder {
    pub(crate) fn new(medium: &Medium, pages: &Pages) -> Self {
        let visible = medium.visible();
        Self(Rc::new(RefCell::new(Recording {
            visible: visible
                .iter()
                .map(|page| Rc::clone(pages.page(*page)))
                .collect(),
            acts: Vec::new(),
        })))
    }

    /// What was done since the last question.
    pub(crate) fn acts(&self, pages: &mut Pages) -> Vec<Act> {
        let acts = std::mem::take(&mut self.0.borrow_mut().acts);
        let act = |(copy, page): (usize, Option<Rc<Page>>)| match page {
            Some(page) => Act::Write(copy, pages.number(&page)),
            None => Act::Sync,
        };
        acts.into_iter().map(act).collect()
    }
}

/// The place of a copy in the file.
pub(crate) fn offset(copy: usize) -> usize {
    let region = if copy < SLOTS { Region::A } else { Region::B };
    region.offset(copy % SLOTS)
}

impl Backend for Recorder {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let recording = self.0.borrow();
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        let page = recording.visible.get(offset / SLOT_LEN);
        let rest = page.map_or(&[][..], |page| &page[offset % SLOT_LEN..]);
        let n = rest.len().min(buf.len());
        buf[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    /// The store writes whole slots; this disk takes nothing else, so that a point is a slot copy.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        let page = Page::try_from(bytes).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut recording = self.0.borrow_mut();
        let Some(to) = recording.visible.get_mut(offset / SLOT_LEN) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let page = Rc::new(page);
        *to = Rc::clone(&page);
        recording.acts.push((offset / SLOT_LEN, Some(page)));
        Ok(bytes.len())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.borrow_mut().acts.push((0, None));
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(IMAGE_LEN as u64)
    }

    fn place(&self) -> String {
        "recording disk".to_owned()
    }
}
