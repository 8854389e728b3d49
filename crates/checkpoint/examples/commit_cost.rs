//! What a commit costs on this disk, beside the usual way of writing a new file and renaming it.
//!
//! ```text
//! cargo run --release -p feedhold-checkpoint --example commit_cost -- [directory] [commits]
//! ```

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use feedhold_checkpoint::backend::Memory;
use feedhold_checkpoint::{Config, Store};

const RECORD_LEN: usize = 500;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let commits: usize = arguments.next().map_or(Ok(1_000), |n| n.parse())?;
    let dir = dir.join(format!("commit-cost-{}", std::process::id()));
    let record = vec![7_u8; RECORD_LEN];

    println!(
        "{commits} records of {RECORD_LEN} bytes in {}",
        dir.display()
    );
    let mut store = Store::create(&dir, &Config::new())?;
    report("two-copy ring", commits, || {
        store.commit(&record)?;
        Ok(())
    })?;
    drop(store);
    report("open", 100, || {
        Store::<Vec<u8>>::open(&dir, &Config::new())?;
        Ok(())
    })?;
    report("temp + rename", commits, || {
        Ok(replace_file(&dir, &record)?)
    })?;
    let mut memory = Store::create_on(Memory::new(), &Config::new())?;
    report("ring in memory", commits, || {
        memory.commit(&record)?;
        Ok(())
    })?;

    fs::remove_dir_all(&dir)?;
    Ok(())
}

fn report(
    name: &str,
    times: usize,
    mut act: impl FnMut() -> Result<(), Box<dyn std::error::Error>>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let started = Instant::now();
        act()?;
        taken.push(started.elapsed());
    }
    taken.sort();
    let at = |percent: usize| {
        let i = (taken.len() * percent / 100).min(taken.len().saturating_sub(1));
        taken.get(i).map_or(0.0, Duration::as_secs_f64) * 1e3
    };
    println!("{name:>16}: p50 {:.3} ms, p99 {:.3} ms", at(50), at(99));
    Ok(())
}

fn replace_file(dir: &Path, record: &[u8]) -> io::Result<()> {
    let (new, old) = (dir.join("record.new"), dir.join("record"));
    let mut file = fs::File::create(&new)?;
    file.write_all(record)?;
    file.sync_all()?;
    fs::rename(&new, &old)?;
    fs::File::open(dir)?.sync_all()
}
