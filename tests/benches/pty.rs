//! What the host costs when neither wire nor machine is a limit: the real command streams over a pty to a controller in another
//! process that takes every line at once.
//!
//! `cargo xtask bench pty` sends jobs of 4,000 and 40,000 short lines; `cargo xtask bench pty -- 4000 1000000` sends others.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

use feedhold_tests::product::Product;

const MB: f64 = 1e6;
/// Each job is sent so often, and its best run counts: other work on the computer only ever costs.
const RUNS: u32 = 5;
/// What is wanted of every job,
const LINES_PER_S: f64 = 55_000.0;
/// of its process's memory, in MB,
const PEAK_MB: f64 = 12.0;
/// and of its processor time for 4,000 lines, in seconds.
const CPU_S: f64 = 0.2;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let typed = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"));
    let mut jobs = typed
        .map(|lines| lines.parse())
        .collect::<Result<Vec<u32>, _>>()?;
    if jobs.is_empty() {
        jobs = vec![4_000, 40_000];
    }
    let product = Product::build()?;
    println!(
        "{:>9} {:>9} {:>12} {:>9} {:>8} {:>8}",
        "lines", "lines/s", "streaming s", "process s", "CPU s", "peak MB"
    );
    let mut good = true;
    for lines in jobs {
        good &= measure(&product, lines)?;
    }
    println!(
        "{}: at least {LINES_PER_S} lines/s, at most {PEAK_MB} MB, and {CPU_S} s for 4,000 lines",
        if good { "good" } else { "NOT GOOD" }
    );
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints a row; true when its figures are as wanted.
fn measure(product: &Product, lines: u32) -> Result<bool, Box<dyn Error>> {
    let place = tempfile::tempdir()?;
    let file = place.path().join("job.nc");
    std::fs::write(&file, program(lines))?;
    let mut best: Option<feedhold_tests::product::Ran> = None;
    for _ in 0..RUNS {
        let machine = product.simulator(&["--dialect", "null", "--pty", "speed=max"])?;
        let state = place.path().join("state");
        let ran = product.stream(&file, machine.address(), &state)?;
        if best
            .as_ref()
            .is_none_or(|best| ran.streaming < best.streaming)
        {
            best = Some(ran);
        }
    }
    let Some(ran) = best else { return Ok(false) };
    let (rate, peak) = (
        ran.lines as f64 / ran.streaming.as_secs_f64(),
        ran.cost.peak as f64 / MB,
    );
    let cpu = ran.cost.cpu.as_secs_f64();
    println!(
        "{:>9} {rate:>9.0} {:>12.3} {:>9.3} {cpu:>8.2} {peak:>8.1}",
        ran.lines,
        ran.streaming.as_secs_f64(),
        ran.cost.elapsed.as_secs_f64()
    );
    Ok(rate >= LINES_PER_S && peak <= PEAK_MB && (lines > 4_000 || cpu <= CPU_S))
}

/// Moves of 0.01 mm to and fro.
fn program(lines: u32) -> String {
    let mut text = String::from("G21 G90\nG1 F9000\n");
    for line in 2..lines {
        let step = (line % 1000).min(1000 - line % 1000);
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "G1 X0.0 Y{}.{:02}", step / 100, step % 100);
    }
    text
}
