//! A disk that fails on command.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::Backend;
use super::sectors::{SECTOR_LEN, Sector, Sectors};
use crate::layout::IMAGE_LEN;

const EIO: i32 = 5;

/// Bytes in memory that keep *written* and *durable* apart, with seeded faults.
///
/// Until a sync returns, each sector that was written may survive a [`crash`](Self::crash) or not,
/// whatever its neighbours do: that covers dropped, torn and reordered writes. After a failed sync
/// the lost sectors stay visible to reads and are not written by the next sync, as Linux does it.
///
/// Same seed and same calls, same result.
#[derive(Clone, Debug)]
pub struct Faulty {
    visible: Sectors,
    durable: Sectors,
    /// What each sector was made to hold since it was last durable, oldest first.
    pending: BTreeMap<usize, Vec<Arc<Sector>>>,
    faults: Vec<Fault>,
    calls: Calls,
    random: u64,
    powered: bool,
}

/// One thing to go wrong. Calls are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Reads that touch this sector fail with EIO until it is written, as on a drive that then maps
    /// in a spare.
    BadSector {
        /// Counted from 0, in units of [`SECTOR_LEN`].
        sector: usize,
    },
    /// That write fails with this `errno`; a part of it may have been taken.
    Write {
        /// Which one.
        nth: u64,
        /// For example 28, ENOSPC.
        errno: i32,
    },
    /// That sync fails with this `errno`; each sector it should have saved is saved or lost for
    /// good.
    Sync {
        /// Which one.
        nth: u64,
        /// For example 5, EIO.
        errno: i32,
    },
    /// Writes take fewer bytes than offered.
    ShortWrites,
    /// Syncs report success and save nothing: the disk this crate cannot protect from, for tests
    /// that must fail.
    LyingSyncs,
    /// At that write or sync (counted together) the power goes: the call and all later ones fail
    /// until [`crash`](Faulty::crash). A write is pending by then, a sync has saved nothing.
    PowerCut {
        /// Which one.
        nth: u64,
    },
}

/// How often each operation was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Writes.
    pub writes: u64,
    /// Syncs.
    pub syncs: u64,
}

impl Faulty {
    /// A blank disk of a store's size without faults.
    pub fn new(seed: u64) -> Self {
        Self::from_image(&[0; IMAGE_LEN], seed)
    }

    /// A disk on which `image` is durable. Its length should be a multiple of [`SECTOR_LEN`]; a
    /// shorter last sector is lost or kept as a whole.
    pub fn from_image(image: &[u8], seed: u64) -> Self {
        let image = Sectors::from_bytes(image);
        Self {
            visible: image.clone(),
            durable: image,
            pending: BTreeMap::new(),
            faults: Vec::new(),
            calls: Calls::default(),
            random: seed,
            powered: true,
        }
    }

    /// The same disk with another seed, for many runs from one image.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.random = seed;
        self
    }

    /// Replaces the faults to come and counts calls from 0 again.
    #[must_use]
    pub fn with_faults(mut self, faults: &[Fault]) -> Self {
        self.faults = faults.to_vec();
        self.calls = Calls::default();
        self
    }

    /// Calls since the faults were set.
    pub fn calls(&self) -> Calls {
        self.calls
    }

    /// What would be left if every pending sector were lost.
    pub fn durable(&self) -> Vec<u8> {
        self.durable.to_bytes()
    }

    /// Sectors whose fate a crash would decide: written, not synced, and different from what is
    /// durable.
    pub fn undecided(&self) -> Vec<usize> {
        let changed = |(&sector, versions): (&usize, &Vec<Arc<Sector>>)| {
            let durable = self.durable.get(sector);
            versions
                .iter()
                .any(|version| Some(version) != durable)
                .then_some(sector)
        };
        self.pending.iter().filter_map(changed).collect()
    }

    /// Flips one bit of the medium, durably; reads see it unless the sector is pending.
    pub fn rot(&mut self, bit: usize) {
        let sector = bit / 8 / SECTOR_LEN;
        let Some(mut rotten) = self.durable.get(sector).cloned() else {
            return;
        };
        if let Some(byte) = Arc::make_mut(&mut rotten).get_mut(bit / 8 % SECTOR_LEN) {
            *byte ^= 1 << (bit % 8);
        }
        if !self.pending.contains_key(&sector) {
            self.visible.set(sector, Arc::clone(&rotten));
        }
        self.durable.set(sector, rotten);
    }

    /// Whether a crash of the one can leave exactly what a crash of the other can.
    pub fn shares_fate_with(&self, other: &Self) -> bool {
        self.durable == other.durable && self.pending == other.pending
    }

    /// Power off and on. Each pending sector keeps its durable content or one of the versions
    /// written since, or, one time in sixteen, holds garbage; the seed decides. Faults are cleared.
    pub fn crash(&mut self) {
        for (sector, mut versions) in std::mem::take(&mut self.pending) {
            let survivor = self.below(versions.len() as u64 + 1) as usize;
            if self.below(16) == 0 {
                let garbage = Arc::new(self.garbage());
                self.durable.set(sector, garbage);
            } else if survivor < versions.len() {
                self.durable.set(sector, versions.swap_remove(survivor));
            }
        }
        self.power_on();
    }

    /// Power off and on, keeping of the [`undecided`](Self::undecided) sectors the newest version
    /// of exactly those whose index has its bit set in `keep`, for going through all subsets.
    pub fn crash_keeping(&mut self, keep: u64) {
        let undecided = self.undecided();
        let mut pending = std::mem::take(&mut self.pending);
        for (bit, sector) in undecided.into_iter().enumerate() {
            let kept = keep.checked_shr(bit as u32).unwrap_or(0) & 1 == 1;
            let newest = pending
                .remove(&sector)
                .and_then(|mut versions| versions.pop());
            if let Some(newest) = newest.filter(|_| kept) {
                self.durable.set(sector, newest);
            }
        }
        self.power_on();
    }

    fn power_on(&mut self) {
        self.pending.clear();
        self.visible.clone_from(&self.durable);
        self.faults.clear();
        self.calls = Calls::default();
        self.powered = true;
    }

    /// Takes `bytes` into the visible image and notes the touched sectors as pending.
    fn take(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + self.visible.write(offset, bytes);
        for sector in offset / SECTOR_LEN..end.div_ceil(SECTOR_LEN) {
            self.pending
                .entry(sector)
                .or_default()
                .extend(self.visible.get(sector).cloned());
            self.faults
                .retain(|fault| *fault != Fault::BadSector { sector });
        }
    }

    fn garbage(&mut self) -> Sector {
        std::array::from_fn(|_| self.next_random() as u8)
    }

    fn check_power(&self) -> io::Result<()> {
        if self.powered {
            Ok(())
        } else {
            Err(io::Error::other("the power is off"))
        }
    }

    /// Cuts the power if this write or sync is the one.
    fn maybe_cut_power(&mut self) {
        let nth = self.calls.writes + self.calls.syncs;
        self.powered = !self.faults.contains(&Fault::PowerCut { nth });
    }

    fn errno(&self, matching: impl Fn(&Fault) -> Option<i32>) -> Option<io::Error> {
        self.faults
            .iter()
            .find_map(matching)
            .map(io::Error::from_raw_os_error)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next_random() % bound.max(1)
    }

    /// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Backend for Faulty {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.check_power()?;
        let bad = self.faults.iter().any(|fault| match fault {
            Fault::BadSector { sector } => {
                let at = (sector * SECTOR_LEN) as u64;
                offset < at + SECTOR_LEN as u64 && at < offset + buf.len() as u64
            }
            _ => false,
        });
        if bad {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(self.visible.read(offset, buf))
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.check_power()?;
        self.maybe_cut_power();
        let nth = self.calls.writes;
        self.calls.writes += 1;
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut n = bytes.len().min(self.visible.len().saturating_sub(offset));
        let failure = self.errno(|fault| match fault {
            Fault::Write { nth: at, errno } if *at == nth => Some(*errno),
            _ => None,
        });
        if failure.is_some() {
            n = self.below(n as u64 + 1) as usize;
        } else if n > 1 && self.faults.contains(&Fault::ShortWrites) {
            n = 1 + self.below(n as u64) as usize;
        }
        self.take(offset, bytes.get(..n).unwrap_or_default());
        self.check_power()?;
        failure.map_or(Ok(n), Err)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.check_power()?;
        self.maybe_cut_power();
        let nth = self.calls.syncs;
        self.calls.syncs += 1;
        self.check_power()?;
        if self.faults.contains(&Fault::LyingSyncs) {
            return Ok(());
        }
        let failure = self.errno(|fault| match fault {
            Fault::Sync { nth: at, errno } if *at == nth => Some(*errno),
            _ => None,
        });
        for (sector, mut versions) in std::mem::take(&mut self.pending) {
            let lost = failure.is_some() && self.below(2) == 0;
            if let Some(newest) = versions.pop().filter(|_| !lost) {
                self.durable.set(sector, newest);
            }
        }
        failure.map_or(Ok(()), Err)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.visible.len() as u64)
    }

    fn place(&self) -> String {
        "faulty disk".to_owned()
    }
}
