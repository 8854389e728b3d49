use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use xtask::gcode::{Kind, Program, Repeat};

/// Writes a G-code file made by rule, of any size and the same for the same seed
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to write.
    #[arg(
        long,
        value_enum,
        required_unless_present = "repeat",
        conflicts_with = "repeat"
    )]
    kind: Option<Kind>,

    /// Repeat this file instead; the last copy ends at a line's end.
    #[arg(long, value_name = "FILE", requires = "size")]
    repeat: Option<PathBuf>,

    /// How long the file shall be: bytes, or with kB, MB, GB, KiB, MiB, GiB.
    #[arg(long, value_parser = parse_size)]
    size: Option<u64>,

    /// Chooses among the programs of a kind.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// The file to write, or `-` for standard output.
    out: PathBuf,
}

/// Bytes copied at a time.
const BLOCK: usize = 256 * 1024;

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let began = Instant::now();
    let mut program = program(args)?;
    let copied = if args.out == Path::new("-") {
        copy(&mut program, &mut io::stdout().lock())
    } else {
        File::create(&args.out).and_then(|mut file| copy(&mut program, &mut file))
    };
    let copied = copied.with_context(|| format!("cannot write {}", args.out.display()))?;
    let seconds = began.elapsed().as_secs_f64();
    let rate = copied.bytes as f64 / 1e6 / seconds.max(1e-9);
    eprintln!(
        "{} bytes, {} lines in {seconds:.2} s ({rate:.0} MB/s)",
        copied.bytes, copied.lines
    );
    Ok(ExitCode::SUCCESS)
}

fn program(args: &Args) -> Result<Box<dyn Read>> {
    Ok(match (&args.repeat, args.kind, args.size) {
        (Some(path), _, Some(size)) => {
            let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            Box::new(Repeat::new(text, size)?)
        }
        (None, Some(kind), Some(size)) => Box::new(Program::endless(kind, args.seed, size)?),
        (None, Some(kind), None) if kind.is_endless() => {
            bail!("say how long it shall be: --size 1MB");
        }
        (None, Some(kind), None) => Box::new(Program::whole(kind, args.seed)),
        (Some(_), _, None) | (None, None, _) => {
            bail!("say what to write: --kind, or --repeat with --size")
        }
    })
}

struct Copied {
    bytes: u64,
    lines: u64,
}

fn copy(from: &mut dyn Read, to: &mut dyn Write) -> io::Result<Copied> {
    let mut to = BufWriter::with_capacity(BLOCK, to);
    let mut block = vec![0; BLOCK];
    let mut copied = Copied { bytes: 0, lines: 0 };
    loop {
        let n = from.read(&mut block)?;
        if n == 0 {
            to.flush()?;
            return Ok(copied);
        }
        to.write_all(&block[..n])?;
        copied.bytes += n as u64;
        copied.lines += block[..n].iter().filter(|b| **b == b'\n').count() as u64;
    }
}

fn parse_size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 9] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("kB", 1_000),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
        ("", 1),
    ];
    let unit = UNITS
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
    let size =
        unit.and_then(|(number, factor)| number.trim().parse::<u64>().ok()?.checked_mul(*factor));
    size.ok_or_else(|| format!("`{text}` is no size: write 500kB, 1GB, 64MiB or plain bytes"))
}

#[cfg(test)]
mod tests {
    use super::parse_size;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, want) in [
            ("1GB", Some(1_000_000_000)),
            ("64MiB", Some(64 << 20)),
            ("500 kB", Some(500_000)),
            ("12", Some(12)),
            ("7B", Some(7)),
            ("1.5GB", None),
            ("-1", None),
            ("", None),
            ("99999999999GB", None),
        ] {
            assert_eq!(parse_size(text).ok(), want, "{text}");
        }
    }
}
