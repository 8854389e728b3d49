//! Power cuts at every write and sync of the records of a whole job.
//!
//! The session streams a job to a simulated machine, and its store lies on a disk that keeps *written* and *durable* apart. Before
//! and behind every call of the store the disk is copied, and beside it how far the machine has come. Afterwards each copy is what
//! a power cut at that instant could leave: with every sector that was not synced lost, with all of them kept, and with others at
//! random. What the store says then is held against what the machine had done.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use feedhold::{
    machine::simulated,
    session::{self, CheckpointInterval, Ending, Inquiry, Record},
    simulator::{Config as MachineConfig, MotionLog, Simulator},
    stream_core::{
        dialect::Dialect,
        streamer,
        wire::{Chain, ChainConfig},
    },
};
use feedhold_checkpoint::{
    Config as StoreConfig, Store,
    backend::{Backend, Faulty},
};
use xtask::gcode::Rng;

use super::{
    KillError,
    judge::{self, Named, Wrong},
    program,
};
use crate::oracle::{self, Motion};

/// Motions of a job.
const MOTIONS: u32 = 120;

/// Virtual seconds a second.
const SPEED: &str = "50";

/// Records come much more often than in a real job, so that there are many instants to cut at.
const OFTEN: CheckpointInterval = CheckpointInterval {
    lines: 4,
    time: Duration::from_millis(5),
};

/// Random choices of surviving sectors tried for each instant, beside none and all.
const CHOICES: usize = 6;

/// What all cuts of a job came to.
#[derive(Debug, Default)]
pub struct Cuts {
    /// Instants at which the power was cut.
    pub instants: usize,
    /// Disks that were opened afterwards.
    pub disks: usize,
    /// Disks on which the job had not begun yet.
    pub not_begun: usize,
    /// Disks whose record leaves nothing in doubt.
    pub clean: usize,
    /// Most lines in doubt.
    pub doubt: u64,
    /// What contradicts the promise.
    pub wrong: Vec<String>,
}

/// The disk and the machine at one instant.
struct Instant {
    disk: Faulty,
    /// Bytes of the machine's log.
    log: usize,
}

/// The machine's log, shared with whoever looks at it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Its beginning, as it was at some instant.
    fn up_to(&self, len: usize) -> Vec<u8> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.get(..len).unwrap_or(&log).to_vec()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A disk that is copied around every call.
struct Watched {
    disk: Faulty,
    log: Log,
    instants: Arc<Mutex<Vec<Instant>>>,
}

impl Watched {
    fn look(&self) {
        let instant = Instant {
            disk: self.disk.clone(),
            log: self.log.len(),
        };
        self.instants
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(instant);
    }
}

impl Backend for Watched {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.disk.read_at(offset, buf)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let written = self.disk.write_at(offset, bytes);
        self.look();
        written
    }

    fn sync(&mut self) -> io::Result<()> {
        self.look();
        let synced = self.disk.sync();
        self.look();
        synced
    }

    fn len(&self) -> io::Result<u64> {
        self.disk.len()
    }

    fn place(&self) -> String {
        self.disk.place()
    }
}

/// Streams a job and cuts the power at every instant of it. Must be called inside a tokio runtime.
///
/// # Errors
/// When the job cannot be streamed; what is wrong behind a cut is in the result.
pub async fn cut_everywhere(dialect: Dialect, seed: u64) -> Result<Cuts, KillError> {
    cut_everywhere_on(Faulty::new(seed), dialect, seed).await
}

async fn cut_everywhere_on(disk: Faulty, dialect: Dialect, seed: u64) -> Result<Cuts, KillError> {
    let failed = |what: &str, error: String| KillError::io(what)(io::Error::other(error));
    let dir = tempfile::tempdir().map_err(KillError::io("cannot make a directory"))?;
    let path = dir.path().join("part.nc");
    let text = program::spiral(dialect, MOTIONS, seed);
    std::fs::write(&path, &text).map_err(KillError::io("cannot write the program"))?;
    let motions =
        program::motions(dialect, &text).map_err(KillError::io("cannot read the program"))?;

    let log = Log::default();
    let params = [("controller", dialect.name()), ("speed", SPEED)];
    let config = MachineConfig::from_params(params)
        .map_err(|error| failed("no machine", error.to_string()))?;
    let machine = Simulator::with_log(config, MotionLog::writing_to(Box::new(log.clone())));
    let (connect, machine) = simulated::switch_on("the machine".to_owned(), machine);

    let instants = Arc::<Mutex<Vec<Instant>>>::default();
    let watched = Watched {
        disk,
        log: log.clone(),
        instants: Arc::clone(&instants),
    };
    let store = Store::<Record, _>::create_on(watched, &StoreConfig::new());
    let store = store.map_err(|error| failed("no store", error.to_string()))?;
    // A store gets its name when it is whole; what a power cut leaves before that is no store.
    take(&instants);
    let chain = Arc::new(Chain::new(ChainConfig::new(dialect)));
    let vetted = session::vet(&path, &chain, |_| true)
        .map_err(|error| failed("refused", error.to_string()))?;
    let config = session::Config::new(streamer::Config::new(dialect))
        .checkpoints(OFTEN)
        .inquiry(Inquiry::Facts);
    let handle = session::open(connect, config)
        .await
        .map_err(|error| failed("no link", error.to_string()))?;
    let outcome = handle
        .run(session::Job::new(vetted, chain).store(store))
        .await;
    drop(handle);
    let outcome = outcome.map_err(|error| failed("not begun", error.to_string()))?;
    if outcome.ending != Ending::Finished {
        return Err(failed("the job", format!("{:?}", outcome.ending)));
    }
    machine
        .switched_off()
        .await
        .map_err(|error| failed("the machine", error.to_string()))?;
    judge_all(&motions, &log, &take(&instants), seed)
}

fn take(instants: &Mutex<Vec<Instant>>) -> Vec<Instant> {
    std::mem::take(&mut *instants.lock().unwrap_or_else(PoisonError::into_inner))
}

fn judge_all(
    motions: &[Motion],
    log: &Log,
    instants: &[Instant],
    seed: u64,
) -> Result<Cuts, KillError> {
    let mut rng = Rng::new(seed);
    let mut cuts = Cuts {
        instants: instants.len(),
        ..Cuts::default()
    };
    for (number, instant) in instants.iter().enumerate() {
        let entries = oracle::entries(io::Cursor::new(log.up_to(instant.log)));
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let reached = match judge::reached(motions, entries) {
            Ok(reached) => reached,
            Err(wrong) => {
                cuts.wrong.push(format!("instant {number}: {wrong}"));
                continue;
            }
        };
        let choices = (0..CHOICES).map(|_| rng.bits());
        for keep in [0, u64::MAX].into_iter().chain(choices) {
            let mut disk = instant.disk.clone();
            disk.crash_keeping(keep);
            cuts.disks += 1;
            let record = match Store::<Record, _>::open_on(disk, &StoreConfig::new()) {
                Ok(opened) => opened.store.latest().cloned(),
                Err(error) => {
                    cuts.wrong
                        .push(format!("instant {number}, sectors {keep:#x}: {error}"));
                    continue;
                }
            };
            let named = record.as_ref().map(|record| Named {
                executed: record.executed,
                ceiling: record.ceiling,
            });
            let is_clean = record.as_ref().is_some_and(Record::is_clean);
            cuts.not_begun += usize::from(record.is_none());
            cuts.clean += usize::from(is_clean);
            cuts.doubt = cuts
                .doubt
                .max(named.map_or(0, |named| named.ceiling - named.executed));
            let judged = judge::within(motions, named, &reached, &reached).and_then(|()| {
                let executed = named.map_or(0, |named| named.executed);
                match is_clean && reached.line > executed {
                    true => Err(Wrong::OverTheCeiling {
                        reached: reached.line,
                        ceiling: executed,
                    }),
                    false => Ok(()),
                }
            });
            if let Err(wrong) = judged {
                cuts.wrong
                    .push(format!("instant {number}, sectors {keep:#x}: {wrong}"));
            }
        }
    }
    Ok(cuts)
}

#[cfg(test)]
mod tests {
    use feedhold_checkpoint::backend::Fault;

    use super::*;

    #[tokio::test]
    async fn a_sound_disk_keeps_the_promise_and_one_that_lies_is_caught() {
        let sound = cut_everywhere(Dialect::Grbl, 3).await.expect("a job");
        assert_eq!(sound.wrong, Vec::<String>::new());
        assert!(sound.instants > 20 && sound.disks > sound.not_begun);
        let lies = Faulty::new(3).with_faults(&[Fault::LyingSyncs]);
        let lied = cut_everywhere_on(lies, Dialect::Grbl, 3).await;
        let wrong = lied.expect("a job").wrong;
        assert!(!wrong.is_empty(), "syncs that save nothing lose records");
    }
}
