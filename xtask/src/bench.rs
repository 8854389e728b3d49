use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::sh;
use crate::workspace::Workspace;

/// Lists the workspace's benchmarks, or runs the ones named (`all` for all)
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Names of benchmarks; none lists them.
    names: Vec<String>,

    /// What the benchmark itself takes.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// A benchmark target and the package that has it.
struct Bench<'a> {
    package: &'a str,
    name: &'a str,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let benches = benches(&workspace);
    if args.names.is_empty() {
        for bench in &benches {
            println!("{:<20} {}", bench.name, bench.package);
        }
        println!(
            "{} benchmarks; run one by its name, or `all`",
            benches.len()
        );
        return Ok(ExitCode::SUCCESS);
    }
    let mut good = true;
    for bench in chosen(&benches, &args.names)? {
        println!("\n== {} ({}) ==", bench.name, bench.package);
        let mut command = sh::cargo(["bench", "--package", bench.package, "--bench", bench.name]);
        good &= sh::run(command.arg("--").args(&args.arguments))?;
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn benches(workspace: &Workspace) -> Vec<Bench<'_>> {
    let all = workspace.packages.iter().flat_map(|package| {
        let benches = package.targets.iter().filter(|target| target.is("bench"));
        benches.map(|target| Bench {
            package: &package.name,
            name: &target.name,
        })
    });
    all.collect()
}

fn chosen<'a>(benches: &'a [Bench<'a>], names: &[String]) -> Result<Vec<&'a Bench<'a>>> {
    if names.iter().any(|name| name == "all") {
        return Ok(benches.iter().collect());
    }
    let mut chosen = Vec::new();
    for name in names {
        let found = benches.iter().filter(|bench| bench.name == name);
        let before = chosen.len();
        chosen.extend(found);
        if chosen.len() == before {
            bail!("there is no benchmark `{name}`; `cargo xtask bench` lists them");
        }
    }
    Ok(chosen)
}
