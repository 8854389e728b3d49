use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::sh;

mod copy;
mod mutant;

use copy::Copy;
use mutant::Mutant;

/// Plants mistakes in a copy of the product, one by one, and shows that a check catches each
///
/// First every check has to pass without a mistake. The copy lies in `target/mutants` and is kept, so that only what a mistake
/// changes is built anew.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Names of mistakes; without any, all of them.
    names: Vec<String>,

    /// Lists the mistakes and plants none.
    #[arg(long)]
    list: bool,

    /// How many things cargo does at once.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

/// Longest time for a check; a mistake that makes it hang is caught too.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// What cargo ends with when it cannot build what was asked for.
const DOES_NOT_BUILD: i32 = 101;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Passed,
    Failed,
    Hung,
    NotBuilt,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let root = Path::new(".");
    let all = mutant::all(root)?;
    for name in &args.names {
        if all.iter().all(|mutant| mutant.name != *name) {
            bail!("there is no mistake `{name}`; `cargo xtask mutants --list` shows them");
        }
    }
    let chosen: Vec<&Mutant> = all
        .iter()
        .filter(|mutant| args.names.is_empty() || args.names.contains(&mutant.name))
        .collect();
    if args.list {
        for mutant in &chosen {
            println!("{:<32} {} ({})", mutant.name, mutant.breaks, mutant.file);
        }
        println!("{} mistakes", chosen.len());
        return Ok(ExitCode::SUCCESS);
    }
    let copy = Copy::refresh(root)?;
    let mut checks: Vec<&[String]> = Vec::new();
    for mutant in &chosen {
        if !checks.contains(&mutant.check.as_slice()) {
            checks.push(&mutant.check);
        }
    }
    for check in checks {
        let begun = Instant::now();
        let end = run_check(&copy, check, args.jobs)?;
        if end != End::Passed {
            bail!("`cargo {}` fails without any mistake", check.join(" "));
        }
        println!(
            "passes without a mistake, {:>4} s: cargo {}",
            begun.elapsed().as_secs(),
            check.join(" ")
        );
    }
    let mut caught = 0;
    for mutant in &chosen {
        let begun = Instant::now();
        copy.plant(mutant)?;
        let end = run_check(&copy, &mutant.check, args.jobs);
        copy.restore(mutant)?;
        let told = match end? {
            End::Failed => "caught",
            End::Hung => "caught (it hangs)",
            End::Passed => "NOT CAUGHT",
            End::NotBuilt => "DOES NOT BUILD",
        };
        caught += usize::from(told.starts_with("caught"));
        println!(
            "{:<32} {told:<14} {:>4} s  {} | cargo {}",
            mutant.name,
            begun.elapsed().as_secs(),
            mutant.breaks,
            mutant.check.join(" ")
        );
    }
    println!("{} planted, {caught} caught", chosen.len());
    Ok(if caught == chosen.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs cargo in the copy, without its output.
fn run_check(copy: &Copy, check: &[String], jobs: Option<usize>) -> Result<End> {
    let mut command: Command = sh::cargo(check);
    command
        .current_dir(&copy.tree)
        .env("CARGO_TARGET_DIR", &copy.target)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(jobs) = jobs {
        command.env("CARGO_BUILD_JOBS", jobs.to_string());
    }
    let typed = sh::typed(&command);
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {typed}"))?;
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(match status.code() {
                Some(0) => End::Passed,
                Some(DOES_NOT_BUILD) => End::NotBuilt,
                _ => End::Failed,
            });
        }
        if begun.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok(End::Hung);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
