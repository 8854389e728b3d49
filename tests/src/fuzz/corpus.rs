//! Inputs that are kept, and small changes of them.

use std::path::{Path, PathBuf};
use std::{fs, io};

use xtask::gcode::Rng;

/// The inputs of one target, as they lie in `tests/fuzz/corpus`: those that reach different code, and those that once broke a law
/// (in `findings`).
#[derive(Debug)]
pub struct Corpus {
    /// In the order of their paths.
    pub samples: Vec<Sample>,
}

/// One input.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Where it lies.
    pub path: PathBuf,
    /// What it is.
    pub bytes: Vec<u8>,
}

impl Corpus {
    /// Reads the committed inputs of a target.
    ///
    /// # Errors
    /// What the file system says.
    pub fn of(target: &str) -> io::Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        let mut samples = Vec::new();
        collect(&folder.join(target), &mut samples)?;
        samples.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { samples })
    }
}

fn collect(folder: &Path, samples: &mut Vec<Sample>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, samples)?;
        } else {
            let bytes = fs::read(&path)?;
            samples.push(Sample { path, bytes });
        }
    }
    Ok(())
}

/// Bytes that stand at the edges of ranges.
const EDGES: [u8; 10] = [0, 1, b'\n', b'\r', b' ', b'-', b'.', 0x7F, 0x80, 0xFF];

/// `bytes` with one to eight small changes; `other` lends parts of itself.
#[must_use]
pub fn mutated(bytes: &[u8], other: &[u8], rng: &mut Rng) -> Vec<u8> {
    const MOST: usize = 4096;
    let mut out = bytes.to_vec();
    for _ in 0..=rng.below(8) {
        let at = rng.below(out.len() as u64 + 1) as usize;
        match rng.below(6) {
            0 if at < out.len() => out[at] ^= 1 << rng.below(8),
            1 if at < out.len() => out[at] = rng.pick(&EDGES),
            2 => out.insert(at, rng.bits() as u8),
            3 => {
                let end = out.len().min(at + rng.below(8) as usize);
                out.drain(at..end);
            }
            4 => {
                let end = out.len().min(at + rng.below(32) as usize);
                let again = out[at..end].to_vec();
                out.splice(at..at, again);
            }
            _ => {
                let from = rng.below(other.len() as u64 + 1) as usize;
                let end = other.len().min(from + rng.below(64) as usize);
                out.splice(at..at, other[from..end].iter().copied());
            }
        }
    }
    out.truncate(MOST);
    out
}
