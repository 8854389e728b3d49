//! One record as it lies in a slot: the 80-byte header, the payload, zeros, and the digest over all
//! of it.
//!
//! `docs/checkpoint-format.md` gives the same bytes in prose; the golden test keeps the two
//! together.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::layout::{Generation, SLOT_LEN, StoreId, truncated};

/// One slot's bytes.
pub(crate) type Slot = [u8; SLOT_LEN];

/// The header of a frame, as far as it varies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) form: Form,
    pub(crate) record_version: u32,
    pub(crate) generation: Generation,
    pub(crate) store: StoreId,
    pub(crate) written_at: Timestamp,
    pub(crate) previous: Digest,
}

/// A frame whose digest is right and whose fields make sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) header: Header,
    pub(crate) payload: &'a [u8],
    pub(crate) digest: Digest,
    /// The whole slot it was read from.
    pub(crate) bytes: &'a Slot,
}

/// What a frame stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Generation 0: the store exists. No payload.
    Created,
    /// A committed record.
    Record,
    /// The job is done and must not be resumed. No payload.
    Finished,
}

/// How the payload of a record is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it was serialised.
    Plain,
    /// Compressed.
    #[cfg(feature = "compression")]
    Packed,
}

/// Which payloads a reader was built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    #[cfg_attr(
        all(feature = "compression", not(test)),
        expect(
            dead_code,
            reason = "a build with compression only tests what one without it does"
        )
    )]
    Plain,
    #[cfg(feature = "compression")]
    Unpacking,
}

/// A version of the file format. Versions are compared, never computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FormatVersion(pub(crate) u16);

impl FormatVersion {
    /// The version this library writes.
    pub const CURRENT: Self = Self(1);
    /// The oldest version this library reads.
    pub const OLDEST_READABLE: Self = Self(1);
}

impl fmt::Display for FormatVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The first 128 bits of a BLAKE3 hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest(pub(crate) [u8; 16]);

/// Milliseconds since 1970-01-01 UTC by the host's clock: a hint for people and for retention,
/// never proof of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timestamp(pub(crate) u64);

/// Why a slot that is not empty holds no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameFault {
    /// The digest does not match: a torn write or a rotten bit.
    Digest,
    /// The digest is right but the frame belongs to another slot or breaks a rule of the format.
    Field,
    /// Readable only by a newer library.
    Newer {
        version: FormatVersion,
        reader: FormatVersion,
    },
    /// Written before the oldest version this library reads.
    Older { version: FormatVersion },
    /// This version's frame with a kind or a flag this library does not know.
    Feature { kind: u8, flags: u8 },
    /// A compressed payload, and this library was built without compression.
    Packed,
}

/// Longest payload of one record in bytes.
pub const MAX_PAYLOAD: usize = DIGEST_AT - HEADER_LEN;

pub(crate) const EMPTY: Slot = [0; SLOT_LEN];

const MAGIC: [u8; 8] = *b"\x89FHCKPT\n";
const HEADER_LEN: usize = 80;
const DIGEST_AT: usize = SLOT_LEN - 16;
/// The flag of a compressed payload.
const PACKED: u8 = 1;

impl Timestamp {
    pub(crate) fn from_system(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// Saturates at the latest time the platform can name.
    pub(crate) fn to_system(self) -> SystemTime {
        UNIX_EPOCH
            .checked_add(Duration::from_millis(self.0))
            .unwrap_or(UNIX_EPOCH)
    }
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::Created => 0,
            Self::Record => 1,
            Self::Finished => 2,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Created),
            1 => Some(Self::Record),
            2 => Some(Self::Finished),
            _ => None,
        }
    }
}

impl Form {
    const fn flags(self) -> u8 {
        match self {
            Self::Plain => 0,
            #[cfg(feature = "compression")]
            Self::Packed => PACKED,
        }
    }
}

impl Reader {
    /// This library as it was built.
    #[cfg(feature = "compression")]
    const THIS: Self = Self::Unpacking;
    /// This library as it was built.
    #[cfg(not(feature = "compression"))]
    const THIS: Self = Self::Plain;

    const fn packed(self) -> Result<Form, FrameFault> {
        match self {
            Self::Plain => Err(FrameFault::Packed),
            #[cfg(feature = "compression")]
            Self::Unpacking => Ok(Form::Packed),
        }
    }
}

impl Header {
    /// Completes a slot whose payload (`payload_len` bytes) was already written by way of
    /// [`payload_area`]. Returns the digest, which the next frame names as its predecessor.
    pub(crate) fn seal(&self, payload_len: usize, slot: &mut Slot) -> Digest {
        let mut at = Cursor { slot, at: 0 };
        at.put(&MAGIC);
        at.put(&FormatVersion::CURRENT.0.to_le_bytes());
        at.put(&FormatVersion::OLDEST_READABLE.0.to_le_bytes());
        at.put(&[self.kind.byte(), self.form.flags()]);
        at.put(&(self.generation.slot() as u16).to_le_bytes());
        at.put(&(payload_len as u32).to_le_bytes());
        at.put(&self.record_version.to_le_bytes());
        at.put(&self.generation.0.to_le_bytes());
        at.put(&self.store.0);
        at.put(&self.written_at.0.to_le_bytes());
        at.put(&self.previous.0);
        at.put(&[0; 8]);
        slot[HEADER_LEN + payload_len..DIGEST_AT].fill(0);
        let digest = digest(slot);
        slot[DIGEST_AT..].copy_from_slice(&digest.0);
        digest
    }
}

/// Where the payload goes, at its greatest length.
pub(crate) fn payload_area(slot: &mut Slot) -> &mut [u8] {
    &mut slot[HEADER_LEN..DIGEST_AT]
}

/// Reads the frame that should lie in slot number `index`; `None` for a slot of nothing but zeros.
pub(crate) fn parse(slot: &Slot, index: usize) -> Result<Option<Frame<'_>>, FrameFault> {
    parse_as(Reader::THIS, slot, index)
}

fn parse_as(reader: Reader, slot: &Slot, index: usize) -> Result<Option<Frame<'_>>, FrameFault> {
    if slot == &EMPTY {
        return Ok(None);
    }
    let digest = digest(slot);
    if slot[DIGEST_AT..] != digest.0 {
        return Err(FrameFault::Digest);
    }
    let (version, least) = versions(slot).ok_or(FrameFault::Field)?;
    if least > FormatVersion::CURRENT {
        return Err(FrameFault::Newer {
            version,
            reader: least,
        });
    }
    if version < FormatVersion::OLDEST_READABLE {
        return Err(FrameFault::Older { version });
    }
    let [kind_byte, flags] = take(slot, 12);
    let Some(kind) = Kind::from_byte(kind_byte).filter(|_| flags & !PACKED == 0) else {
        return Err(FrameFault::Feature {
            kind: kind_byte,
            flags,
        });
    };
    let form = match flags {
        0 => Form::Plain,
        _ => reader.packed()?,
    };
    let generation = Generation(u64::from_le_bytes(take(slot, 24)));
    let home = usize::from(u16::from_le_bytes(take(slot, 14)));
    let len = u32::from_le_bytes(take(slot, 16)) as usize;
    let payload = slot[HEADER_LEN..DIGEST_AT]
        .get(..len)
        .ok_or(FrameFault::Field)?;
    if home != index || generation.slot() != index || generation > Generation::MAX {
        return Err(FrameFault::Field);
    }
    let bare = len == 0 && form == Form::Plain;
    if (kind == Kind::Created) != (generation.0 == 0) || (kind != Kind::Record && !bare) {
        return Err(FrameFault::Field);
    }
    Ok(Some(Frame {
        header: Header {
            kind,
            form,
            record_version: u32::from_le_bytes(take(slot, 20)),
            generation,
            store: StoreId(take(slot, 32)),
            written_at: Timestamp(u64::from_le_bytes(take(slot, 48))),
            previous: Digest(take(slot, 56)),
        },
        payload,
        digest,
        bytes: slot,
    }))
}

/// The format version and the minimum reader version a slot claims, without proof by digest; `None`
/// without the magic. These twelve bytes never move in any version.
pub(crate) fn versions(slot: &Slot) -> Option<(FormatVersion, FormatVersion)> {
    (take(slot, 0) == MAGIC).then(|| {
        (
            FormatVersion(u16::from_le_bytes(take(slot, 8))),
            FormatVersion(u16::from_le_bytes(take(slot, 10))),
        )
    })
}

fn digest(slot: &Slot) -> Digest {
    Digest(truncated(blake3::hash(&slot[..DIGEST_AT])))
}

/// `N` bytes at a constant offset of the header; every caller stays inside the slot by its own
/// constants.
fn take<const N: usize>(slot: &Slot, at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&slot[at..at + N]);
    out
}

/// Writes header fields one after another.
struct Cursor<'a> {
    slot: &'a mut Slot,
    at: usize,
}

impl Cursor<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.slot[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }
}

#[cfg(test)]
mod tests;
