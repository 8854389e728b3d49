//! How a store comes to be: on a blank backend, in a directory, as a job's own.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, write_pair};
use crate::backend::{Backend, Directory};
use crate::config::Config;
use crate::error::CreateError;
use crate::frame::{Digest, EMPTY, Form, Header, Kind, Timestamp};
use crate::job_dir::{self, JobDir};
use crate::layout::{Generation, IMAGE_LEN, Region, SLOT_LEN, SLOTS, StoreId};
use crate::load::Head;

impl<R: Serialize + DeserializeOwned> Store<R> {
    /// Creates the store of a new job in `dir` (made if missing, with its parents) and locks the
    /// directory.
    ///
    /// When this returns, the store survives a power cut: the file was written in full under
    /// another name, synced, renamed, and each directory it depends on was synced.
    ///
    /// # Errors
    /// [`CreateError::Exists`] if there is a store already; a lock held elsewhere; anything the
    /// file system refuses.
    pub fn create(dir: &Path, config: &Config) -> Result<Self, CreateError> {
        let mut job_dir = JobDir::make(dir)?;
        let store = Self::create_in(&mut job_dir, config)?;
        Ok(store.map_backend(|file| job_dir.guard(file)))
    }
}

impl<R: Serialize + DeserializeOwned, B: Backend> Store<R, B> {
    /// Formats a blank backend of [`IMAGE_LEN`](crate::IMAGE_LEN) zero bytes.
    ///
    /// # Errors
    /// [`CreateError::NotBlank`] if it is not, [`CreateError::Io`] if the medium fails.
    pub fn create_on(backend: B, config: &Config) -> Result<Self, CreateError> {
        Self::create_on_at(backend, config, SystemTime::now())
    }

    /// [`create_on`](Self::create_on) with the time of day as a parameter.
    ///
    /// # Errors
    /// As [`create_on`](Self::create_on).
    pub fn create_on_at(
        mut backend: B,
        config: &Config,
        now: SystemTime,
    ) -> Result<Self, CreateError> {
        let place = backend.place();
        let failed = |step| {
            let place = place.clone();
            move |source| CreateError::Io {
                step,
                place,
                source,
            }
        };
        if !is_blank(&backend).map_err(failed("read"))? {
            return Err(CreateError::NotBlank { place });
        }
        let header = Header {
            kind: Kind::Created,
            form: Form::Plain,
            record_version: config.record_version,
            generation: Generation(0),
            store: config.store_id.unwrap_or_else(StoreId::generate),
            written_at: Timestamp::from_system(now),
            previous: Digest([0; 16]),
        };
        let mut slot = Box::new(EMPTY);
        let digest = header.seal(0, &mut slot);
        write_pair(&mut backend, header.generation, &slot).map_err(failed("write"))?;
        backend.sync().map_err(failed("sync"))?;
        Ok(Self {
            backend,
            id: header.store,
            record_version: config.record_version,
            form: config.form,
            history_len: config.history,
            head: Head {
                generation: header.generation,
                digest,
                finished_at: None,
            },
            history: VecDeque::with_capacity(config.history + 1),
            slot,
            poison: None,
        })
    }

    /// Creates the store of a new job in a directory: fills a file under a provisional name with
    /// zeros, formats and syncs it, gives it its name, syncs the directory. Takes no lock.
    ///
    /// The zeros are written, not implied: a sparse file would be allocated piece by piece during
    /// the job, and each piece could fail for want of space.
    ///
    /// # Errors
    /// [`CreateError::Exists`] if there is a store already; anything the file system refuses.
    pub fn create_in<D: Directory<File = B>>(
        directory: &mut D,
        config: &Config,
    ) -> Result<Self, CreateError> {
        Self::create_in_at(directory, config, SystemTime::now())
    }

    /// [`create_in`](Self::create_in) with the time of day as a parameter.
    ///
    /// # Errors
    /// As [`create_in`](Self::create_in).
    pub fn create_in_at<D: Directory<File = B>>(
        directory: &mut D,
        config: &Config,
        now: SystemTime,
    ) -> Result<Self, CreateError> {
        let (staged, place) = (
            directory.place(job_dir::STAGED),
            directory.place(job_dir::STORE),
        );
        let failed = |step, place: &str| {
            let place = place.to_owned();
            move |source| CreateError::Io {
                step,
                place,
                source,
            }
        };
        let exists = directory.exists(job_dir::STORE);
        if exists.map_err(failed("look for", &place))? {
            return Err(CreateError::Exists { path: place.into() });
        }
        let file = directory.create(job_dir::STAGED);
        let mut file = file.map_err(failed("create", &staged))?;
        for at in (0..IMAGE_LEN).step_by(SLOT_LEN) {
            let filled = file.write_all_at(at as u64, &EMPTY);
            filled.map_err(failed("fill", &staged))?;
        }
        let mut store = Self::create_on_at(file, config, now)?;
        let synced = directory.sync_file(&mut store.backend);
        synced.map_err(failed("sync", &staged))?;
        let renamed = directory.rename(job_dir::STAGED, job_dir::STORE);
        renamed.map_err(failed("rename", &staged))?;
        directory
            .sync()
            .map_err(failed("sync the directory of", &place))?;
        Ok(store)
    }
}

fn is_blank<B: Backend>(backend: &B) -> io::Result<bool> {
    if backend.len()? != IMAGE_LEN as u64 {
        return Ok(false);
    }
    let mut bytes = Box::new(EMPTY);
    for region in Region::BOTH {
        for slot in 0..SLOTS {
            backend.read_exact_at(region.offset(slot) as u64, bytes.as_mut_slice())?;
            if *bytes != EMPTY {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
