//! The geometry of the store file: two regions of 64 slots of 4 KiB, and the names of what lies in
//! them.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

/// Number of one committed record, counted from 0 (the record of the creation itself) without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub(crate) u64);

impl Generation {
    /// Numbers above this are not accepted from a file, so that counting on can never overflow.
    pub(crate) const MAX: Self = Self(u64::MAX >> 1);

    /// The bare number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The one after it. Never overflows: every generation at hand is at most `MAX`.
    pub(crate) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The slot this generation lives in, in both regions.
    pub(crate) const fn slot(self) -> usize {
        (self.0 % SLOTS as u64) as usize
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Identity of one store, the same in each of its records: tells a record of this job from one of
/// another job that a file system, a backup or a hand copied into its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoreId(pub(crate) [u8; 16]);

impl StoreId {
    /// The given bytes, for tests and for tools that need the same file twice.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes as stored.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// A new identity: BLAKE3 of two keys the operating system gave to this process (through the
    /// standard library's hasher), the time and the process number. It must be unique; it need not
    /// be secret.
    pub fn generate() -> Self {
        let nanos = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |t| t.as_nanos());
        let mut hasher = blake3::Hasher::new();
        hasher.update(&RandomState::new().hash_one("store").to_le_bytes());
        hasher.update(&RandomState::new().hash_one("id").to_le_bytes());
        hasher.update(&nanos.to_le_bytes());
        hasher.update(&std::process::id().to_le_bytes());
        Self(truncated(hasher.finalize()))
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreId({self})")
    }
}

/// One of the two places each generation is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Region {
    /// The first half of the file.
    A,
    /// The second half of the file.
    B,
}

impl Region {
    /// In the order they are written.
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    /// Byte offset of `slot` (counted from 0) in the file.
    pub const fn offset(self, slot: usize) -> usize {
        let base = match self {
            Self::A => 0,
            Self::B => REGION_LEN,
        };
        base + slot * SLOT_LEN
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::B => "B",
        })
    }
}

/// Slots in each region. One of them is always the next to be overwritten, so 63 records are kept.
pub const SLOTS: usize = 64;

/// Bytes of one slot: one page on the file systems that matter, so a write never has to read first.
pub const SLOT_LEN: usize = 4096;

pub(crate) const REGION_LEN: usize = SLOTS * SLOT_LEN;

/// Bytes of the whole file (512 KiB), from its creation to its end.
pub const IMAGE_LEN: usize = 2 * REGION_LEN;

/// The first 128 bits of a BLAKE3 hash.
pub(crate) fn truncated(hash: blake3::Hash) -> [u8; 16] {
    let mut out = [0; 16];
    let full: &[u8; 32] = hash.as_bytes();
    for (to, from) in out.iter_mut().zip(full) {
        *to = *from;
    }
    out
}
