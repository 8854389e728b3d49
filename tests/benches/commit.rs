//! What a commit costs on a real file system, beside the usual way of writing a new file and renaming it.
//!
//! ```text
//! cargo xtask bench commit
//! cargo xtask bench commit -- DIRECTORY COMMITS
//! ```
//!
//! Prints bytes and syncs of one commit, as the store hands them to its file, and how long commits take. Ends with exit code 1 when a
//! commit writes more than 10 KiB or syncs other than once.

use std::{
    cell::Cell,
    error::Error,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
    time::{Duration, Instant},
};

use feedhold_checkpoint::{
    Config, IMAGE_LEN, Store,
    backend::{Backend, File},
};

/// Bytes of payload, about what the record of a job takes.
const RECORD: usize = 500;
/// Most bytes a commit may write.
const MOST: u64 = 10 * 1024;

#[derive(Clone, Copy, Default)]
struct Counts {
    bytes: u64,
    syncs: u64,
}

/// A file that counts what it is given.
struct Counting {
    file: File,
    counts: Rc<Cell<Counts>>,
}

impl Backend for Counting {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, buf)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut counts = self.counts.get();
        counts.bytes += bytes.len() as u64;
        self.counts.set(counts);
        self.file.write_at(offset, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut counts = self.counts.get();
        counts.syncs += 1;
        self.counts.set(counts);
        self.file.sync()
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn place(&self) -> String {
        self.file.place()
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"));
    let root = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let commits: u32 = arguments.next().map_or(Ok(1_000), |n| n.parse())?;
    let dir = tempfile::Builder::new()
        .prefix("commit")
        .tempdir_in(&root)?;
    println!("{commits} records of {RECORD} bytes in {}", root.display());

    let path = dir.path().join("store");
    fs::write(&path, vec![0; IMAGE_LEN])?;
    let file = fs::OpenOptions::new().read(true).write(true).open(&path)?;
    let counts = Rc::new(Cell::new(Counts::default()));
    let backend = Counting {
        file: File::new(file, path),
        counts: Rc::clone(&counts),
    };
    let record = vec![7_u8; RECORD];
    let mut store = Store::create_on(backend, &Config::new())?;
    counts.set(Counts::default());
    report("two-copy ring", commits, || {
        Ok(store.commit(&record).map(drop)?)
    })?;
    let spent = counts.get();
    println!(
        "{:>14}  {} bytes written and {} syncs for {commits} commits: {} bytes and {} sync each",
        "",
        spent.bytes,
        spent.syncs,
        spent.bytes / u64::from(commits),
        spent.syncs / u64::from(commits)
    );

    let job = dir.path().join("job");
    drop(Store::<Vec<u8>>::create(&job, &Config::new())?);
    report("open", commits.min(200), || {
        Ok(Store::<Vec<u8>>::open(&job, &Config::new()).map(drop)?)
    })?;
    report("temp + rename", commits, || {
        Ok(replace(dir.path(), &record)?)
    })?;

    let within = spent.bytes <= MOST * u64::from(commits) && spent.syncs == u64::from(commits);
    println!(
        "{}",
        if within {
            "within 10 KiB and 1 sync"
        } else {
            "TOO MUCH"
        }
    );
    Ok(if within {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn report(
    name: &str,
    times: u32,
    mut act: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut taken = Vec::with_capacity(times as usize);
    for _ in 0..times {
        let began = Instant::now();
        act()?;
        taken.push(began.elapsed());
    }
    taken.sort();
    let at = |percent: usize| {
        let at = (taken.len() * percent / 100).min(taken.len().saturating_sub(1));
        taken.get(at).map_or(0.0, Duration::as_secs_f64) * 1e3
    };
    println!("{name:>14}  p50 {:.3} ms, p99 {:.3} ms", at(50), at(99));
    Ok(())
}

fn replace(dir: &Path, record: &[u8]) -> io::Result<()> {
    let (new, old) = (dir.join("record.new"), dir.join("record"));
    let mut file = fs::File::create(&new)?;
    file.write_all(record)?;
    file.sync_all()?;
    fs::rename(&new, &old)?;
    fs::File::open(dir)?.sync_all()
}
