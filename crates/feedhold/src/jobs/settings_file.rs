//! `job.json`: the settings of a job beside its records.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use super::JobsError;
use crate::job::Settings;

const NAME: &str = "job.json";

/// Writes them durably: the store beside them is durable as well.
pub(super) fn write(dir: &Path, settings: &Settings) -> Result<(), JobsError> {
    let path = dir.join(NAME);
    let failed = |reason: String| JobsError::Settings {
        path: path.clone(),
        reason,
    };
    let write = || -> io::Result<()> {
        let mut file = File::create(&path)?;
        file.write_all(&settings.to_json())?;
        file.sync_all()
    };
    write().map_err(|error| failed(error.to_string()))
}

pub(super) fn read(dir: &Path) -> Result<Settings, JobsError> {
    let path = dir.join(NAME);
    let failed = |reason: String| JobsError::Settings {
        path: path.clone(),
        reason,
    };
    let json = fs::read(&path).map_err(|error| failed(error.to_string()))?;
    Settings::from_json(&json).map_err(failed)
}

/// Removes what is left of a job whose store is gone.
pub(super) fn remove(dir: &Path) {
    // What cannot be removed lies there without a store and is no job any more.
    let _ = fs::remove_file(dir.join(NAME));
    let _ = fs::remove_dir(dir);
}
