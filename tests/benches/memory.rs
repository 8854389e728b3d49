//! What a file's size costs: a small and a large milling job go through the real command to a controller that takes every line at once,
//! and the two peaks of resident memory are compared.
//!
//! `cargo xtask bench memory` takes 10 MB and 1 GB; `cargo xtask bench memory -- 10 100` takes other sizes, in MB. The files are
//! made for the occasion and deleted again.

use std::error::Error;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use feedhold_tests::product::{Cost, Product};
use xtask::gcode::{Kind, Program};

const MIB: f64 = 1024.0 * 1024.0;
/// What is wanted: resident memory at most, in MiB,
const PEAK_MIB: f64 = 32.0;
/// how much of it may hang on the file's size, in MiB,
const DIFFERENCE_MIB: f64 = 2.0;
/// and bytes of the file a second, vetting included, in MB.
const MB_PER_S: f64 = 25.0;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let typed = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"));
    let mut sizes_mb = typed
        .map(|size| size.parse())
        .collect::<Result<Vec<u64>, _>>()?;
    if sizes_mb.is_empty() {
        sizes_mb = vec![10, 1000];
    }
    let product = Product::build()?;
    let place = tempfile::tempdir()?;
    println!(
        "{:>8} {:>10} {:>8} {:>8} {:>10}",
        "MB", "seconds", "MB/s", "CPU s", "peak MiB"
    );
    let mut peaks_mib = Vec::new();
    let mut slowest = f64::INFINITY;
    for size_mb in sizes_mb {
        let file = place.path().join("mill.nc");
        let program = Program::endless(Kind::Mill, 1, size_mb * 1_000_000)?;
        let bytes = io::copy(&mut { program }, &mut File::create(&file)?)?;
        let cost = stream(&product, &file, place.path())?;
        let (seconds, peak) = (cost.elapsed.as_secs_f64(), cost.peak as f64 / MIB);
        let rate = bytes as f64 / 1e6 / seconds;
        println!(
            "{size_mb:>8} {seconds:>10.2} {rate:>8.1} {:>8.2} {peak:>10.2}",
            cost.cpu.as_secs_f64()
        );
        peaks_mib.push(peak);
        // A small file takes no time, and a process that begins takes some.
        if size_mb >= 100 {
            slowest = slowest.min(rate);
        }
    }
    Ok(verdict(&peaks_mib, slowest))
}

fn stream(product: &Product, file: &Path, place: &Path) -> Result<Cost, Box<dyn Error>> {
    let state = place.join("state");
    let (file, state) = (file.to_string_lossy(), state.to_string_lossy());
    let run = ["run", &file, "-m", "sim:null", "--quiet"];
    Ok(product.run(&[&run[..], &["--state-dir", &state]].concat())?)
}

fn verdict(peaks_mib: &[f64], slowest_mb_per_s: f64) -> ExitCode {
    let highest = peaks_mib.iter().copied().fold(0.0, f64::max);
    let lowest = peaks_mib.iter().copied().fold(f64::INFINITY, f64::min);
    let difference = highest - lowest;
    let good = highest <= PEAK_MIB && difference < DIFFERENCE_MIB && slowest_mb_per_s >= MB_PER_S;
    println!(
        "{}: peak {highest:.2} MiB (at most {PEAK_MIB}), difference {difference:.2} MiB (below {DIFFERENCE_MIB}), from 100 MB on \
         {slowest_mb_per_s:.1} MB/s (at least {MB_PER_S})",
        if good { "good" } else { "NOT GOOD" }
    );
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
