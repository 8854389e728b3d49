//! Jobs that were begun: where their records lie, and finding them again.
//!
//! Every job has a directory of its own under one root, named after its file and the beginning of the file's digest. In it lie the
//! store of records (see [`checkpoint`]) and `job.json`, the settings under which the job was begun.

mod settings_file;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use feedhold_checkpoint::{
    self as checkpoint, CreateError, Entry, Inspection, KEEP_FINISHED, ListError, OpenError, Peek,
    QuarantineError, Store, Warning, expired, inspect, peek, quarantine,
};
use feedhold_session::{
    FileIdentity, Record,
    index::{self, Index, IndexError},
};
use thiserror::Error;

use crate::job::Settings;

/// Version of [`Record`] in the stores. Any change of that type needs a new one. Stores of another version are refused: their jobs
/// have to be finished with the program that began them.
const RECORD_VERSION: u32 = 3;
/// Characters of the file's name that go into the job's.
const STEM: usize = 40;
/// Digits of the file's digest that go into the job's name.
const DIGITS: usize = 8;
/// Unfinished jobs of the same file that can lie beside each other.
const SAME_FILE: u32 = 1000;

/// Where jobs are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jobs {
    root: PathBuf,
}

/// A job whose records are open for writing, locked against every other process.
#[derive(Debug)]
pub struct Begun {
    /// Its name.
    pub name: String,
    /// Its records.
    pub store: Store<Record>,
    /// What opening had to repair.
    pub warnings: Vec<Warning>,
}

/// A job as a list shows it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Known {
    /// What to call it.
    pub name: String,
    /// What its store says, or why it says nothing.
    pub found: Result<Found, OpenError>,
}

/// What the store of a job says without being locked.
#[derive(Debug)]
#[non_exhaustive]
pub struct Found {
    /// The newest record; `None` when the job ended before its first.
    pub record: Option<Record>,
    /// When it was written.
    pub written_at: Option<SystemTime>,
    /// When the whole program had been executed.
    pub finished_at: Option<SystemTime>,
}

/// Why jobs cannot be kept or found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JobsError {
    /// Nothing says where the user's files are.
    #[error(
        "there is no place for the records of jobs: set FEEDHOLD_STATE to a directory, or HOME"
    )]
    NoHome,
    /// No store could be made.
    #[error("the records of this job cannot be kept: {0}")]
    Create(#[from] CreateError),
    /// The store of a job cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The root cannot be read.
    #[error(transparent)]
    List(#[from] ListError),
    /// There is no such job.
    #[error("there is no job {name:?} in {}; `feedhold jobs` lists them", root.display())]
    Unknown {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        root: PathBuf,
    },
    /// Nothing was begun and left.
    #[error("there is no unfinished job in {}", root.display())]
    NoneUnfinished {
        /// Where it was looked for.
        root: PathBuf,
    },
    /// No job was ever begun, or all were forgotten.
    #[error("there is no job in {}", root.display())]
    None {
        /// Where it was looked for.
        root: PathBuf,
    },
    /// Too many jobs of one file were begun and left.
    #[error("{SAME_FILE} unfinished jobs of this file lie in {}; remove some", root.display())]
    TooMany {
        /// Where they are.
        root: PathBuf,
    },
    /// The records of a job cannot be moved aside.
    #[error(transparent)]
    Quarantine(#[from] QuarantineError),
    /// The records of a job are not damaged, so they stay where they are.
    #[error("the records of {name} are {}: they stay where they are", found.as_ref().map_or_else(|| "sound".to_owned(), |error| format!("not damaged ({error})")))]
    NotDamaged {
        /// The job.
        name: String,
        /// What stands in the way of opening them, if anything does.
        found: Option<OpenError>,
    },
    /// What the vetting has found out cannot be kept.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The settings of a job cannot be written or read.
    #[error("{}: {reason}; start the job anew with `feedhold run`", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl Jobs {
    /// Jobs under this directory, which is made when the first job begins.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The jobs of this user: under `$FEEDHOLD_STATE`, else `$XDG_STATE_HOME/feedhold`, else `~/.local/state/feedhold`, on Windows
    /// `%LOCALAPPDATA%\feedhold`.
    ///
    /// # Errors
    /// [`JobsError::NoHome`] when none of these is set.
    pub fn of_user() -> Result<Self, JobsError> {
        let set = |name: &str| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        set("FEEDHOLD_STATE")
            .or_else(|| set("XDG_STATE_HOME").map(|home| home.join("feedhold")))
            .or_else(|| set("HOME").map(|home| home.join(".local/state/feedhold")))
            .or_else(|| set("LOCALAPPDATA").map(|home| home.join("feedhold")))
            .map(Self::at)
            .ok_or(JobsError::NoHome)
    }

    /// Where they are.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the place for the records of a new job, and forgets jobs that were finished more than seven days ago. Blocks.
    ///
    /// # Errors
    /// [`JobsError::Create`] when the disk does not take it.
    pub fn begin(&self, file: &FileIdentity, settings: &Settings) -> Result<Begun, JobsError> {
        let base = base_name(file);
        self.forget(|name, finished| finished >= KEEP_FINISHED || is_name_of(name, &base));
        for number in 1..=SAME_FILE {
            let name = if number == 1 {
                base.clone()
            } else {
                format!("{base}-{number}")
            };
            let dir = self.root.join(&name);
            match Store::create(&dir, &config()) {
                Ok(store) => {
                    settings_file::write(&dir, settings)?;
                    return Ok(Begun {
                        name,
                        store,
                        warnings: Vec::new(),
                    });
                }
                Err(CreateError::Exists { .. } | CreateError::Lock(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(JobsError::TooMany {
            root: self.root.clone(),
        })
    }

    /// Opens the records of a job that was begun before, for going on with it. Blocks.
    ///
    /// # Errors
    /// [`JobsError::Open`] when it is in use, damaged, or written by another version; [`JobsError::Unknown`].
    pub fn open(&self, name: &str) -> Result<Begun, JobsError> {
        let opened = Store::open(&self.dir(name)?, &config())?;
        Ok(Begun {
            name: name.to_owned(),
            store: opened.store,
            warnings: opened.warnings,
        })
    }

    /// The settings under which a job was begun.
    ///
    /// # Errors
    /// [`JobsError::Settings`] when they are missing or damaged.
    pub fn settings(&self, name: &str) -> Result<Settings, JobsError> {
        settings_file::read(&self.dir(name)?)
    }

    /// What the vetting of a job's file has found out, as it was kept; `None` when it was not, or is damaged.
    ///
    /// # Errors
    /// [`JobsError::Unknown`].
    pub fn index(&self, name: &str) -> Result<Option<Index>, JobsError> {
        Ok(index::load(&self.dir(name)?).unwrap_or_default())
    }

    /// Keeps what the vetting of a job's file has found out, so that a resume need not vet the file again. Blocks.
    ///
    /// # Errors
    /// [`JobsError::Index`] when the disk does not take it, [`JobsError::Unknown`].
    pub fn keep_index(&self, name: &str, index: &Index) -> Result<(), JobsError> {
        Ok(index::save(index, &self.dir(name)?)?)
    }

    /// All jobs, the one written last first.
    ///
    /// # Errors
    /// [`JobsError::List`] when the root cannot be read; a missing one is an empty list.
    pub fn list(&self) -> Result<Vec<Known>, JobsError> {
        let mut list: Vec<_> = self
            .names()?
            .into_iter()
            .filter_map(|name| self.look(name))
            .collect();
        list.sort_by_key(|known| std::cmp::Reverse(known.written_at()));
        Ok(list)
    }

    /// The name of the unfinished job that was written last.
    ///
    /// # Errors
    /// [`JobsError::NoneUnfinished`].
    pub fn latest_unfinished(&self) -> Result<String, JobsError> {
        let unfinished = |known: &Known| {
            known
                .found
                .as_ref()
                .is_ok_and(|found| found.finished_at.is_none())
        };
        let latest = self.list()?.into_iter().find(unfinished);
        latest
            .map(|known| known.name)
            .ok_or_else(|| JobsError::NoneUnfinished {
                root: self.root.clone(),
            })
    }

    /// The name of the job that was written last, finished or not.
    ///
    /// # Errors
    /// [`JobsError::None`].
    pub fn latest(&self) -> Result<String, JobsError> {
        let latest = self.list()?.into_iter().next();
        latest
            .map(|known| known.name)
            .ok_or_else(|| JobsError::None {
                root: self.root.clone(),
            })
    }

    /// Looks at the records of a job slot by slot, whoever has it open. Writes nothing and takes no lock. Blocks.
    ///
    /// # Errors
    /// [`JobsError::Unknown`]; what is wrong with the records is part of the answer.
    pub fn inspect(&self, name: &str) -> Result<Inspection<Record>, JobsError> {
        Ok(inspect(&self.dir(name)?, &config()))
    }

    /// Moves the damaged records of a job aside and tells where they are now. Nothing is deleted, and the job is none any more until
    /// its file is run again. Records that can be opened, or that another version of this program can open, are left alone. Blocks.
    ///
    /// # Errors
    /// [`JobsError::NotDamaged`]; [`JobsError::Quarantine`] when the job is open elsewhere or the disk does not take it;
    /// [`JobsError::Unknown`].
    pub fn quarantine(&self, name: &str) -> Result<PathBuf, JobsError> {
        let dir = self.dir(name)?;
        let found = peek::<Record>(&dir, &config()).err();
        if !found.as_ref().is_some_and(OpenError::is_damage) {
            let name = name.to_owned();
            return Err(JobsError::NotDamaged { name, found });
        }
        Ok(quarantine(&dir)?)
    }

    /// The directory of a job. A name is a name and no path.
    fn dir(&self, name: &str) -> Result<PathBuf, JobsError> {
        let is_name = !name.starts_with('.') && name.chars().all(is_plain) && !name.is_empty();
        let dir = self.root.join(name);
        if is_name && dir.is_dir() {
            return Ok(dir);
        }
        Err(JobsError::Unknown {
            name: name.to_owned(),
            root: self.root.clone(),
        })
    }

    fn names(&self) -> Result<Vec<String>, ListError> {
        let failed = |source| ListError {
            path: self.root.clone(),
            source,
        };
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry.map_err(failed)?.file_name().into_string());
        }
        Ok(names)
    }

    /// `None` for a directory that is no job.
    fn look(&self, name: String) -> Option<Known> {
        match peek(&self.root.join(&name), &config()) {
            Err(OpenError::NotFound { .. }) => None,
            found => Some(Known {
                name,
                found: found.map(Found::from),
            }),
        }
    }

    /// Removes finished jobs that `old` names. A job that cannot be removed stays; it will be tried again.
    fn forget(&self, old: impl Fn(&str, Duration) -> bool) {
        let now = SystemTime::now();
        let Ok(finished) = expired(&self.root, Duration::ZERO, now) else {
            return;
        };
        for job in finished {
            let dir = job.dir().to_owned();
            let age = now.duration_since(job.finished_at()).unwrap_or_default();
            let named = dir
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| old(name, age));
            if named && job.remove().is_ok() {
                index::remove(&dir);
                settings_file::remove(&dir);
            }
        }
    }
}

impl Known {
    fn written_at(&self) -> Option<SystemTime> {
        self.found.as_ref().ok().and_then(|found| found.written_at)
    }
}

impl From<Peek<Record>> for Found {
    fn from(peek: Peek<Record>) -> Self {
        let newest: Option<Entry<Record>> = peek.history.into_iter().next();
        Self {
            written_at: newest.as_ref().map(|entry| entry.written_at),
            record: newest.map(|entry| entry.record),
            finished_at: peek.finished_at,
        }
    }
}

fn config() -> checkpoint::Config {
    checkpoint::Config::new().record_version(RECORD_VERSION)
}

fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_')
}

/// The file's name without its end, in letters that every file system and shell takes, and the beginning of its digest.
fn base_name(file: &FileIdentity) -> String {
    let stem = file
        .path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let plain: String = stem
        .chars()
        .map(|c| if is_plain(c) { c } else { '-' })
        .take(STEM)
        .collect();
    let plain = plain.trim_matches(['.', '-']);
    let digest = file.digest_hex();
    let digits = digest.get(..DIGITS).unwrap_or(&digest);
    if plain.is_empty() {
        format!("job-{digits}")
    } else {
        format!("{plain}-{digits}")
    }
}

/// Whether a job's name is `base` or `base-2` and so on.
fn is_name_of(name: &str, base: &str) -> bool {
    name.strip_prefix(base).is_some_and(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix('-')
                .is_some_and(|number| number.parse::<u32>().is_ok())
    })
}

#[cfg(test)]
mod tests;
