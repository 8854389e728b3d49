//! Judges inputs of a fuzz target again, on any toolchain: `cargo run -p feedhold-tests --bin fuzz-replay -- TARGET FILE…`.

use std::path::PathBuf;
use std::{fs, io};

use clap::Parser;
use feedhold_tests::fuzz::{TARGETS, judge};

/// Judges inputs of a fuzz target again, and panics at the first that breaks a law.
#[derive(Parser)]
struct Args {
    /// The target.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(TARGETS.iter().map(|target| target.name)))]
    target: String,
    /// Inputs, as the fuzzer wrote them.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

fn main() -> io::Result<()> {
    let args = Args::parse();
    for file in &args.files {
        let data = fs::read(file)?;
        println!("{}: {} bytes", file.display(), data.len());
        judge(&args.target, &data);
    }
    println!("{} inputs, every law holds", args.files.len());
    Ok(())
}
