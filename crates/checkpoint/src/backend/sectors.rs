//! Bytes in sectors that copies share until one of them writes.

use std::sync::Arc;

/// Unit of loss at a power cut, in bytes.
pub const SECTOR_LEN: usize = 512;

pub(super) type Sector = [u8; SECTOR_LEN];

/// An array of bytes that is cheap to copy: exploring crashes takes a copy for each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sectors {
    sectors: Vec<Arc<Sector>>,
    len: usize,
}

impl Sectors {
    pub(super) fn blank(len: usize) -> Self {
        let zeros = Arc::new([0; SECTOR_LEN]);
        Self {
            sectors: vec![zeros; len.div_ceil(SECTOR_LEN)],
            len,
        }
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let mut sectors = Self::blank(bytes.len());
        sectors.write(0, bytes);
        sectors
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len];
        self.read(0, &mut bytes);
        bytes
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, sector: usize) -> Option<&Arc<Sector>> {
        self.sectors.get(sector)
    }

    pub(super) fn set(&mut self, sector: usize, bytes: Arc<Sector>) {
        if let Some(to) = self.sectors.get_mut(sector) {
            *to = bytes;
        }
    }

    /// Reads up to the end; returns how many bytes.
    pub(super) fn read(&self, offset: usize, buf: &mut [u8]) -> usize {
        let n = buf.len().min(self.len.saturating_sub(offset));
        let mut at = offset;
        let mut rest = buf.get_mut(..n).unwrap_or_default();
        while let Some(from) = self
            .get(at / SECTOR_LEN)
            .and_then(|sector| sector.get(at % SECTOR_LEN..))
        {
            let (to, after) = rest.split_at_mut(rest.len().min(from.len()));
            if to.is_empty() {
                break;
            }
            to.copy_from_slice(&from[..to.len()]);
            at += to.len();
            rest = after;
        }
        n
    }

    /// Writes up to the end; returns how many bytes.
    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.len.saturating_sub(offset));
        let mut at = offset;
        let mut rest = bytes.get(..n).unwrap_or_default();
        while let Some(sector) = self
            .sectors
            .get_mut(at / SECTOR_LEN)
            .filter(|_| !rest.is_empty())
        {
            let (from, after) = rest.split_at(rest.len().min(SECTOR_LEN - at % SECTOR_LEN));
            let to = Arc::make_mut(sector).iter_mut().skip(at % SECTOR_LEN);
            to.zip(from).for_each(|(to, from)| *to = *from);
            at += from.len();
            rest = after;
        }
        n
    }
}
