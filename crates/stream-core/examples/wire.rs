//! Prepares a program for the wire without sending it, and shows what each packing is worth.
//!
//! ```text
//! cargo run -p feedhold-stream-core --example wire                       a built-in program, line by line
//! cargo run -p feedhold-stream-core --example wire -- part.gcode [marlin] a file, as figures
//! ```

use std::{
    env,
    error::Error,
    fs::File,
    io::{self, Read},
    process::ExitCode,
    time::Instant,
};

use feedhold_stream_core::{
    chunk::{ChunkSizer, ChunkStats, Continuity, Cutter, RawChunk},
    dialect::Dialect,
    wire::{Chain, ChainConfig, Pack, Proof, Refusals},
};

const PROGRAM: &str = "\
(a small square)
G21 G90 G94
G0 X0.000 Y0.000 Z5.000
M3 S8000 ; spindle! on
G1 Z-1.000 F120
G1 X10.000 Y0.000 F600
G1 X10.000 Y10.000 F600
G1 X0.000 Y10.000 F600
G1 X0.000 Y0.000 F600
G0 Z5.000
M2
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let Some(path) = arguments.next() else {
        return Ok(show_lines()?);
    };
    let dialect = arguments
        .next()
        .map_or(Ok(Dialect::Grbl), |name| name.parse())?;
    println!("packing    lines     bytes  bytes/line  MB/s of source (lossless with its proof)");
    for pack in [Pack::Off, Pack::Spaces, Pack::Lossless] {
        let config = ChainConfig::new(dialect)
            .with_pack(pack)
            .with_skip(["G64".parse()?]);
        let begun = Instant::now();
        let stats = measure(&Chain::new(config), &path)?;
        let rate = stats.source_bytes() as f64 / 1e6 / begun.elapsed().as_secs_f64();
        println!(
            "{:<9} {:>7} {:>9} {:>11.3} {rate:>15.0}",
            pack.to_string(),
            stats.wire_lines(),
            stats.wire_bytes(),
            stats.bytes_per_line(),
        );
    }
    Ok(())
}

fn show_lines() -> Result<(), Refusals> {
    let chain = Chain::new(ChainConfig::new(Dialect::Grbl).with_pack(Pack::Lossless));
    for line in chain.program(PROGRAM)?.lines() {
        println!("{line}");
    }
    Ok(())
}

/// Reads, cuts, prepares and proves a whole file in bounded memory.
fn measure(chain: &Chain, path: &str) -> Result<ChunkStats, Box<dyn Error>> {
    let mut file = File::open(path)?;
    let mut cutter = Cutter::new(ChunkSizer::cnc(), chain.config().dialect().flavor());
    let mut continuity = Continuity::new();
    let mut stats = ChunkStats::new();
    let mut proof = Proof::new(chain.config());
    let mut take = |chunk: &RawChunk| -> Result<(), Box<dyn Error>> {
        continuity.check(chunk)?;
        let prepared = chain.prepare(chunk)?;
        if chain.config().pack() == Pack::Lossless {
            proof.check(chunk, &prepared)?;
        }
        stats.add(&prepared);
        Ok(())
    };
    let mut block = vec![0; 64 << 10];
    loop {
        let count = match file.read(&mut block) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        let mut input = block.get(..count).unwrap_or_default();
        while let Some(chunk) = cutter.next(&mut input)? {
            take(&chunk)?;
            cutter.reuse(chunk.bytes);
        }
    }
    while let Some(chunk) = cutter.finish()? {
        take(&chunk)?;
    }
    Ok(stats)
}
