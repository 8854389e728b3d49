//! What an application chooses about its store.

use crate::error::ConfigError;
use crate::frame::Form;
use crate::layout::{SLOTS, StoreId};

/// Settings of a store. The defaults suit a streamed job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub(crate) record_version: u32,
    pub(crate) history: usize,
    pub(crate) store_id: Option<StoreId>,
    pub(crate) form: Form,
}

impl Config {
    /// Most records the history can be asked for: what a full ring keeps in every state.
    pub const MAX_HISTORY: usize = SLOTS - 1;

    /// Version 0 of the application's record, a history of 10, a fresh identity, no compression.
    pub const fn new() -> Self {
        Self {
            record_version: 0,
            history: 10,
            store_id: None,
            form: Form::Plain,
        }
    }

    /// Version of the application's record type. Payloads carry no field names, so *any* change of
    /// the type needs a new number; a store of another number is refused on open instead of
    /// misread. Default 0.
    #[must_use]
    pub const fn record_version(mut self, version: u32) -> Self {
        self.record_version = version;
        self
    }

    /// How many of the newest records [`Store::history`](crate::Store::history) offers. Each costs
    /// one decoded record of memory; the file keeps 63 in any case. Default 10.
    ///
    /// # Errors
    /// Outside 1 to [`MAX_HISTORY`](Self::MAX_HISTORY).
    pub const fn history(mut self, records: usize) -> Result<Self, ConfigError> {
        if records == 0 || records > Self::MAX_HISTORY {
            return Err(ConfigError { asked: records });
        }
        self.history = records;
        Ok(self)
    }

    /// Identity of a store to be created, for tests that need the same bytes twice. Default: a
    /// fresh one ([`StoreId::generate`]). Ignored on open.
    #[must_use]
    pub const fn store_id(mut self, id: StoreId) -> Self {
        self.store_id = Some(id);
        self
    }

    /// Compresses the records that become smaller by it, so that records of up to
    /// [`MAX_UNPACKED`](crate::MAX_UNPACKED) bytes are taken as long as they are small enough when
    /// compressed. It saves neither space nor writes, since a slot is written in full anyway, and
    /// only programs that were built with the feature `compression` read the file. Costs each
    /// commit two buffers of 64 KB and some microseconds. Default: records lie as they were
    /// serialised. On open this decides about commits to come only: either kind is read.
    #[cfg(feature = "compression")]
    #[must_use]
    pub const fn compressed(mut self) -> Self {
        self.form = Form::Packed;
        self
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}
