//! How fast each layer reads: `cargo run --release -p feedhold-gcode-parse --example throughput [FLAVOR FILE [LAYER]]`.
//!
//! Without a file a print of 20 MB is made up. Wall times differ from run to run; instruction counts do not: name
//! one layer as it is printed and run the program under `valgrind --tool=cachegrind` or `perf stat -e instructions:u`.

use std::hint::black_box;
use std::time::Instant;

use feedhold_gcode_parse::{Analyzer, Block, Flavor, Interpreter, Line, LineReader, tokens};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (flavor, program) = match (arguments.next(), arguments.next()) {
        (None, _) => (Flavor::Marlin, print_of(20_000_000)),
        (Some(flavor), Some(path)) => (flavor.parse()?, std::fs::read(path)?),
        (Some(_), None) => return Err("write both the flavor and the file, or neither".into()),
    };
    println!("{} bytes as {flavor}", program.len());
    measure("lines", &program, |line| line.text.len());
    measure("lines + tokens", &program, |line| {
        tokens(flavor, line.text).count()
    });
    measure("lines + blocks", &program, |line| {
        Block::with(flavor, line.text, |block| block.words().len())
    });
    measure("lines + blocks + values", &program, |line| {
        Block::with(flavor, line.text, |block| {
            let values = block.words().iter().filter_map(|word| word.number());
            values.map(|number| number.to_f64()).sum::<f64>() as usize
        })
    });
    let mut machine = Interpreter::new(flavor);
    measure("lines + blocks + interpreter", &program, |line| {
        let effect = Block::with(flavor, line.text, |block| machine.apply(block));
        usize::from(effect.motion.is_some())
    });
    report("analyzer", &program, || {
        let mut analyzer = Analyzer::new(flavor);
        program
            .chunks(64 * 1024)
            .for_each(|piece| analyzer.push(piece));
        black_box(analyzer.finish());
    });
    Ok(())
}

/// Runs over the program in pieces of 64 KiB, as a file would be read.
fn measure(name: &str, program: &[u8], mut each: impl FnMut(&Line<'_>) -> usize) {
    report(name, program, || {
        let mut reader = <LineReader>::new();
        let mut sum = 0;
        for mut piece in program.chunks(64 * 1024) {
            while let Some(line) = reader.next(&mut piece) {
                sum += each(&line);
            }
        }
        if let Some(line) = reader.finish() {
            sum += each(&line);
        }
        black_box(sum);
    });
}

/// The best of five runs, unless the command line names another layer.
fn report(name: &str, program: &[u8], mut run: impl FnMut()) {
    if std::env::args().nth(3).is_some_and(|only| only != name) {
        return;
    }
    let best = (0..5)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .min()
        .unwrap_or_default();
    println!(
        "{name:>30}: {:8.1} MB/s",
        program.len() as f64 / 1e6 / best.as_secs_f64()
    );
}

/// Lines as slicers write them.
fn print_of(bytes: usize) -> Vec<u8> {
    let mut program = Vec::with_capacity(bytes + 64);
    let mut step = 0_u32;
    while program.len() < bytes {
        step = step.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (x, y, e) = (step >> 8 & 0xFFFF, step >> 12 & 0xFFFF, step >> 24);
        let line = match step >> 28 {
            0 => ";TYPE:External perimeter\n".to_string(),
            1 => format!(
                "G1 X{}.{:03} Y{}.{:03} F7800\n",
                x / 300,
                x % 1000,
                y / 300,
                y % 1000
            ),
            _ => format!(
                "G1 X{}.{:03} Y{}.{:03} E.{e:05}\n",
                x / 300,
                x % 1000,
                y / 300,
                y % 1000
            ),
        };
        program.extend_from_slice(line.as_bytes());
    }
    program
}
