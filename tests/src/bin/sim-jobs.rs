//! Streams whole files to simulated machines over each kind of cable and compares what the machine did with the program, motion by
//! motion. `cargo xtask sim` runs it optimised; `docs/testing.md` tells more.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use feedhold::{
    guess,
    stream_core::{
        dialect::Dialect,
        wire::{Pack, WordName},
    },
};
use feedhold_tests::{
    jobs::{Cable, JobError, Judged, Motion, Setup},
    metrics::Resident,
};

/// Streams files to simulated machines and compares what the machines did with the programs
#[derive(Parser)]
#[command(name = "sim-jobs", bin_name = "cargo xtask sim")]
struct Args {
    /// G-code files; without any, the sample jobs of the repository.
    files: Vec<PathBuf>,

    /// The cables to take, such as `memory,tcp`.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "memory,pty,tcp"
    )]
    links: Vec<Cable>,

    /// The firmware, `grbl` or `marlin`; what the file looks like by default.
    #[arg(long, value_parser = dialect)]
    dialect: Option<Dialect>,

    /// Codes or letters to leave out of the programs.
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    skip: Vec<WordName>,

    /// What to take out of lines: off, spaces or lossless.
    #[arg(long, value_name = "HOW", default_value_t)]
    pack: Pack,

    /// How the machines move.
    #[arg(long, value_enum, default_value = "instant")]
    motion: Motion,

    /// A line to send by hand before each job, such as F500; may be given again.
    #[arg(long, value_name = "LINE")]
    before: Vec<String>,

    /// The files must be refused before anything is sent.
    #[arg(long)]
    refused: bool,
}

fn main() -> std::io::Result<ExitCode> {
    let mut args = Args::parse();
    if args.files.is_empty() {
        let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples"));
        args.files = ["relief.nc", "vase.gcode"]
            .map(|name| examples.join(name))
            .into();
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    println!(
        "{:<24} {:<7} {:<7} {:>9} {:>9} {:>9} {:>8} {:>8}",
        "file", "machine", "link", "motions", "lines", "lines/s", "seconds", "RSS MiB"
    );
    let mut good = true;
    for file in &args.files {
        let setup = args.setup(file);
        for cable in &args.links {
            let judged = runtime.block_on(setup.run(file, *cable));
            print!(
                "{:<24} {:<7} {:<7} ",
                name(file),
                setup.dialect.name(),
                link(*cable)
            );
            good &= args.tell(judged);
        }
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Args {
    fn setup(&self, file: &Path) -> Setup {
        Setup {
            motion: self.motion,
            pack: self.pack,
            skip: self.skip.clone(),
            before: self.before.clone(),
            ..Setup::new(self.dialect.unwrap_or_else(|| guess::guess(file).dialect))
        }
    }

    /// Ends the line of a job; true when it went as it should.
    fn tell(&self, judged: Result<Judged, JobError>) -> bool {
        match judged {
            Ok(judged) => {
                let seconds = judged.elapsed.as_secs_f64();
                println!(
                    "{:>9} {:>9} {:>9.0} {seconds:>8.2} {:>8.1}  {}",
                    judged.motions,
                    judged.lines,
                    judged.lines as f64 / seconds.max(1e-9),
                    resident_mib(),
                    if self.refused { "NOT REFUSED" } else { "equal" }
                );
                !self.refused
            }
            Err(JobError::Begin(feedhold::Error::Source(error))) if self.refused => {
                println!("refused as it should be: {error}");
                true
            }
            Err(error) => {
                println!("FAILED: {error}");
                false
            }
        }
    }
}

fn dialect(name: &str) -> Result<Dialect, String> {
    guess::dialect_named(name).ok_or_else(|| format!("`{name}` is neither grbl nor marlin"))
}

fn name(file: &Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str());
    name.to_string_lossy().into_owned()
}

fn link(cable: Cable) -> &'static str {
    match cable {
        Cable::Memory => "memory",
        Cable::Pty => "pty",
        Cable::Tcp => "tcp",
    }
}

/// Most memory that this process, host and machine and log together, ever had. Only Linux tells.
fn resident_mib() -> f64 {
    Resident::of_this_process().map_or(f64::NAN, |resident| {
        resident.peak as f64 / f64::from(1 << 20)
    })
}
