//! What is found in the bytes of a store: damage and foreign formats, which stop an open, and what
//! an open repairs.

use crate::frame::FormatVersion;
use crate::layout::{Generation, IMAGE_LEN, Region};

/// Damage that a crash alone does not explain. Slots are numbered from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The file is not as long as every store is.
    #[error("it is {found} bytes long instead of {IMAGE_LEN}")]
    Length {
        /// In bytes.
        found: u64,
    },
    /// Not one valid record.
    #[error("it holds no valid record")]
    NoRecord,
    /// Both copies of an acknowledged record are bad.
    #[error("both copies of generation {generation} (slot {slot}) are bad")]
    PairLost {
        /// The one that should be there.
        generation: Generation,
        /// Where it should be.
        slot: usize,
    },
    /// Two valid copies of one generation with different content.
    #[error("the copies of generation {generation} (slot {slot}) differ although both are valid")]
    TwinsDiffer {
        /// Of both copies.
        generation: Generation,
        /// Where they are.
        slot: usize,
    },
    /// A record does not follow from the one before it.
    #[error("generation {generation} does not continue the record before it")]
    ChainBroken {
        /// The later of the two.
        generation: Generation,
    },
    /// A valid record of another store lies in this file.
    #[error("generation {generation} (slot {slot}) belongs to another store")]
    OtherStore {
        /// Of the stray record.
        generation: Generation,
        /// Where it is.
        slot: usize,
    },
    /// Both copies of a slot that was never written hold something.
    #[error("slot {slot} was never written and yet both copies hold data")]
    Stray {
        /// Which slot.
        slot: usize,
    },
    /// A slot cannot be read and its twin does not help.
    #[error("slot {slot} cannot be read from the disk, and its copy does not help")]
    Unreadable {
        /// Which slot.
        slot: usize,
    },
}

impl Damage {
    /// The slot it was found in, if it is one.
    pub fn slot(&self) -> Option<usize> {
        match self {
            Self::Length { .. } | Self::NoRecord => None,
            Self::PairLost { slot, .. }
            | Self::TwinsDiffer { slot, .. }
            | Self::OtherStore { slot, .. }
            | Self::Stray { slot }
            | Self::Unreadable { slot } => Some(*slot),
            Self::ChainBroken { generation } => Some(generation.slot()),
        }
    }
}

/// A format this library cannot read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Unsupported {
    /// Needs a newer reader.
    #[error(
        "it has format {version} and needs a reader of format {reader}, this program reads up to {current}; update the \
         program", current = FormatVersion::CURRENT
    )]
    Newer {
        /// As written.
        version: FormatVersion,
        /// The least version of the reader.
        reader: FormatVersion,
    },
    /// No longer read.
    #[error(
        "it has format {version}, this program reads {oldest} and later; finish the job with the program that started \
         it", oldest = FormatVersion::OLDEST_READABLE
    )]
    Older {
        /// As written.
        version: FormatVersion,
    },
    /// Uses something of the format that this library does not know.
    #[error(
        "a record has kind {kind} and flags {flags:#04x}, which this program does not know; update the program"
    )]
    Feature {
        /// The byte as found.
        kind: u8,
        /// The byte as found.
        flags: u8,
    },
    /// Records are compressed, and this library was built without that.
    #[error(
        "its records are compressed and this program was built without compression; use one that was built with the \
         feature `compression` of feedhold-checkpoint"
    )]
    Compressed,
}

/// What was found wrong on open and did not stop it. All of it was repaired before open returned;
/// more than one torn record after each crash means a disk to be replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The record being written at the crash was lost, as expected: it was never acknowledged.
    #[error(
        "generation {generation} (slot {slot}) was torn by a crash before it was durable; the one before it counts"
    )]
    Torn {
        /// The lost one.
        generation: Generation,
        /// Where it was.
        slot: usize,
    },
    /// One copy of a record was bad and was rewritten from the other.
    #[error(
        "copy {region} of generation {generation} (slot {slot}) was bad and was rewritten from its twin"
    )]
    CopyLost {
        /// Of the record.
        generation: Generation,
        /// Which copy.
        region: Region,
        /// Where it is.
        slot: usize,
    },
    /// Data in one copy of a slot that was never written; erased.
    #[error("copy {region} of slot {slot} held data although it was never written; it was erased")]
    Stray {
        /// Which copy.
        region: Region,
        /// Where it was.
        slot: usize,
    },
    /// An older record is intact but not of the expected type; it is missing from the history.
    #[error(
        "the older record of generation {generation} is not of the expected form and is left out of the history"
    )]
    HistoryLost {
        /// Of the record.
        generation: Generation,
    },
}

impl Warning {
    /// The slot it was found in.
    pub fn slot(&self) -> usize {
        match self {
            Self::Torn { slot, .. } | Self::CopyLost { slot, .. } | Self::Stray { slot, .. } => {
                *slot
            }
            Self::HistoryLost { generation } => generation.slot(),
        }
    }
}
