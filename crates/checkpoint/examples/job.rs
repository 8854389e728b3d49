//! A job that survives being killed: run it, stop it with Ctrl-C or `kill -9`, run it again.
//!
//! ```text
//! cargo run -p feedhold-checkpoint --example job -- /tmp/my-job
//! ```

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use feedhold_checkpoint::{Config, OpenError, Opened, Store};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Debug)]
struct Progress {
    /// Lines below this one are done.
    done: u64,
}

const LINES: u64 = 100;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("give me a job directory")?;
    let config = Config::new().record_version(1);
    let mut store = match Store::open(&dir, &config) {
        Ok(Opened { store, warnings }) => {
            warnings
                .iter()
                .for_each(|warning| eprintln!("warning: {warning}"));
            store
        }
        // Only a missing store means a new job; a damaged one must never lead to a fresh start.
        Err(OpenError::NotFound { .. }) => Store::create(&dir, &config)?,
        Err(error) => return Err(error.into()),
    };
    if store.is_finished() {
        println!("the job in {} is done", dir.display());
        return Ok(());
    }
    let start = store
        .latest()
        .map_or(0, |progress: &Progress| progress.done);
    println!(
        "going on at line {start} (generation {})",
        store.generation()
    );
    for line in start..LINES {
        std::thread::sleep(Duration::from_millis(50));
        store.commit(&Progress { done: line + 1 })?;
        println!("line {line} is done and will stay so");
    }
    store.finish()?;
    Ok(())
}
