//! Mistakes of a store, planted from below: a disk that leaves out, delays or changes what a mistaken store would not have done or
//! would have overlooked. The store itself is the product as it is.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;

use feedhold_checkpoint::{
    IMAGE_LEN, MAX_PAYLOAD, Region, SLOT_LEN, SLOTS,
    backend::{Backend, Directory},
    inspect::{SlotCopy, Slots},
};

const HALF: u64 = IMAGE_LEN as u64 / 2;
const DIGEST_AT: usize = SLOT_LEN - 16;
const HEADER_LEN: usize = DIGEST_AT - MAX_PAYLOAD;

/// A planted mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Bug {
    /// Nothing is ever synced
    NoSync,
    /// The sync comes before the writes it should save
    SyncFirst,
    /// The sync comes between the two copies
    SyncBetweenCopies,
    /// What an open writes is not synced
    NoSyncInRecovery,
    /// An open writes both copies of the newest record before it syncs
    RewriteTogether,
    /// What is read back after a failed sync is trusted without writing it again
    NoRewrite,
    /// A torn record is ignored but not erased
    NoScrub,
    /// One copy of a torn record is erased
    ScrubOneCopy,
    /// The second copy is never written
    OneCopy,
    /// The second copy is never read
    ReadsOneCopy,
    /// A record with a wrong digest is taken
    DigestUnchecked,
    /// The digest is not over the padding
    PaddingUnchecked,
    /// The digest of the record before is not compared
    ChainUnchecked,
    /// An error of the disk is taken for a success
    ErrorsSwallowed,
    /// A sync that failed is tried again
    SyncRetried,
    /// What a write takes is not looked at
    ShortWriteTaken,
    /// A new file gets its name before it is synced
    RenameFirst,
    /// The directory of a new file is not synced
    NoDirectorySync,
    /// A new file is written under its final name
    CreatedInPlace,
}

/// What the store above is doing, which a disk cannot know and a planted mistake has to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Doing {
    #[default]
    Step,
    Open,
}

/// Offset and bytes of a write that a mistake delays.
type HeldWrite = (u64, Vec<u8>);

/// A disk with at most one mistake in the store above it.
#[derive(Debug, Clone)]
pub(crate) struct Planted<B> {
    inner: B,
    bug: Option<Bug>,
    doing: Rc<Cell<Doing>>,
    held: Rc<RefCell<Vec<HeldWrite>>>,
    rewrote: Rc<Cell<bool>>,
    /// The image as a store sees it that compares no chain, until something is written.
    chained: Rc<RefCell<Vec<u8>>>,
}

impl<B: Backend> Planted<B> {
    pub(crate) fn new(inner: B, bug: Option<Bug>) -> Self {
        Self {
            inner,
            bug,
            doing: Rc::default(),
            held: Rc::default(),
            rewrote: Rc::default(),
            chained: Rc::default(),
        }
    }

    pub(crate) fn inner(&self) -> &B {
        &self.inner
    }

    pub(crate) fn doing(&self, what: Doing) {
        self.chained.borrow_mut().clear();
        self.doing.set(what);
    }

    fn is_there(&self, offset: u64, bytes: &[u8]) -> bool {
        let mut there = vec![0; bytes.len()];
        self.inner.read_exact_at(offset, &mut there).is_ok() && there == bytes
    }

    fn leaves_out(&self, offset: u64, bytes: &[u8]) -> bool {
        let zeros = || bytes.iter().all(|&byte| byte == 0);
        match self.bug {
            Some(Bug::NoScrub) => zeros(),
            Some(Bug::ScrubOneCopy) => offset >= HALF && zeros(),
            Some(Bug::OneCopy) => offset >= HALF,
            Some(Bug::NoRewrite) => self.is_there(offset, bytes),
            _ => false,
        }
    }

    /// What a mistaken store would see instead of the bytes that were read.
    fn seen(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let Ok(slot) = <&mut [u8; SLOT_LEN]>::try_from(buf) else {
            return Ok(());
        };
        match self.bug {
            Some(Bug::DigestUnchecked) if slot.starts_with(b"\x89FHCKPT\n") => seal(slot),
            Some(Bug::PaddingUnchecked) => {
                let len = u32::from_le_bytes([slot[16], slot[17], slot[18], slot[19]]) as usize;
                if let Some(padding) = slot[..DIGEST_AT].get_mut(HEADER_LEN.saturating_add(len)..) {
                    padding.fill(0);
                }
            }
            Some(Bug::ChainUnchecked) => {
                if self.chained.borrow().is_empty() {
                    *self.chained.borrow_mut() = self.with_a_chain()?;
                }
                let at = usize::try_from(offset).unwrap_or_default();
                slot.copy_from_slice(&self.chained.borrow()[at..at + SLOT_LEN]);
            }
            _ => {}
        }
        Ok(())
    }

    /// The image with every record naming the one before it, whatever it named.
    fn with_a_chain(&self) -> io::Result<Vec<u8>> {
        let mut image = vec![0; IMAGE_LEN];
        self.inner.read_exact_at(0, &mut image)?;
        let reports = Slots::of(&image)
            .map(|slots| slots.reports())
            .unwrap_or_default();
        let mut sound = Vec::new();
        for report in &reports {
            for (region, copy) in Region::BOTH.into_iter().zip(&report.copies) {
                if let SlotCopy::Sound(stamp) = copy {
                    sound.push((stamp.generation.get(), region.offset(report.slot)));
                }
            }
        }
        sound.sort_unstable();
        let mut before: Option<(u64, [u8; 16])> = None;
        let mut current: Option<(u64, [u8; 16])> = None;
        for (generation, at) in sound {
            if current.is_some_and(|(number, _)| number != generation) {
                before = current;
            }
            let Some(slot) = image[at..].first_chunk_mut::<SLOT_LEN>() else {
                continue;
            };
            if let Some((_, digest)) = before.filter(|(number, _)| number + 1 == generation) {
                slot[56..72].copy_from_slice(&digest);
                seal(slot);
            }
            let mut digest = [0; 16];
            digest.copy_from_slice(&slot[DIGEST_AT..]);
            current = Some((generation, digest));
        }
        Ok(image)
    }
}

/// Makes the digest right.
pub(crate) fn seal(slot: &mut [u8; SLOT_LEN]) {
    let digest = blake3::hash(&slot[..DIGEST_AT]);
    slot[DIGEST_AT..].copy_from_slice(&digest.as_bytes()[..16]);
}

impl<B: Backend> Backend for Planted<B> {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let reads_other = self.bug == Some(Bug::ReadsOneCopy) && offset >= HALF;
        let n = self
            .inner
            .read_at(if reads_other { offset - HALF } else { offset }, buf)?;
        self.seen(offset, buf)?;
        Ok(n)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        if self.leaves_out(offset, bytes) {
            return Ok(bytes.len());
        }
        let is_held = match self.bug {
            Some(Bug::SyncFirst) => true,
            Some(Bug::SyncBetweenCopies) => offset >= HALF,
            _ => false,
        };
        if is_held {
            self.held.borrow_mut().push((offset, bytes.to_vec()));
            return Ok(bytes.len());
        }
        self.chained.borrow_mut().clear();
        let is_first_rewrite = offset < HALF && self.is_there(offset, bytes);
        self.rewrote.set(is_first_rewrite);
        match self.inner.write_at(offset, bytes) {
            Err(_) if self.bug == Some(Bug::ErrorsSwallowed) => Ok(bytes.len()),
            Ok(_) if self.bug == Some(Bug::ShortWriteTaken) => Ok(bytes.len()),
            answer => answer,
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let opening = self.doing.get() == Doing::Open;
        let left_out = match self.bug {
            Some(Bug::NoSync) => true,
            Some(Bug::NoSyncInRecovery) => opening,
            Some(Bug::RewriteTogether) => opening && self.rewrote.get(),
            _ => false,
        };
        if left_out {
            return Ok(());
        }
        let mut answer = self.inner.sync();
        if answer.is_err() && self.bug == Some(Bug::SyncRetried) {
            answer = self.inner.sync();
        }
        for (offset, bytes) in self.held.take() {
            self.inner.write_all_at(offset, &bytes)?;
        }
        match answer {
            Err(_) if self.bug == Some(Bug::ErrorsSwallowed) => Ok(()),
            answer => answer,
        }
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn place(&self) -> String {
        self.inner.place()
    }
}

/// A directory with at most one mistake in the creation above it.
pub(crate) struct PlantedDirectory<D> {
    inner: D,
    bug: Option<Bug>,
}

impl<D: Directory> PlantedDirectory<D> {
    pub(crate) fn new(inner: D, bug: Option<Bug>) -> Self {
        Self { inner, bug }
    }
}

impl<D: Directory> Directory for PlantedDirectory<D> {
    type File = Planted<D::File>;

    fn exists(&self, name: &str) -> io::Result<bool> {
        self.inner.exists(name)
    }

    fn create(&mut self, name: &str) -> io::Result<Self::File> {
        let name = match self.bug {
            Some(Bug::CreatedInPlace) => FINAL_NAME,
            _ => name,
        };
        Ok(Planted::new(self.inner.create(name)?, self.file_bug()))
    }

    fn sync_file(&mut self, file: &mut Self::File) -> io::Result<()> {
        if matches!(self.bug, Some(Bug::NoSync | Bug::RenameFirst)) {
            return Ok(());
        }
        self.inner.sync_file(&mut file.inner)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        if self.bug == Some(Bug::CreatedInPlace) {
            return Ok(());
        }
        self.inner.rename(from, to)
    }

    fn sync(&mut self) -> io::Result<()> {
        match self.bug {
            Some(Bug::NoSync | Bug::NoDirectorySync) => Ok(()),
            _ => self.inner.sync(),
        }
    }

    fn place(&self, name: &str) -> String {
        self.inner.place(name)
    }
}

/// The store's name in its directory, as `docs/checkpoint-format.md` has it.
pub(crate) const FINAL_NAME: &str = "checkpoint.fhc";

impl<D> PlantedDirectory<D> {
    /// A file that is renamed first is synced by nobody before that. Mistakes of commits and opens are none of the creation.
    fn file_bug(&self) -> Option<Bug> {
        match self.bug {
            Some(Bug::RenameFirst | Bug::NoSync) => Some(Bug::NoSync),
            _ => None,
        }
    }
}

const _: () = assert!(SLOTS == 64 && HEADER_LEN == 80, "the layout of format 1");
