use std::process::ExitCode;

use anyhow::Result;

use crate::sh;

/// Kills the real command again and again, fills its disk, and judges what the machines did
///
/// `cargo xtask kill --help` shows what can be chosen.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// What `kill` takes: `--runs`, `--seed`, `--mode`, `--quick`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    // The judges need no optimisation; the command itself is built as its users get it, unless only a slice is wanted.
    let package = ["run", "--package", "feedhold-tests", "--bin", "kill", "--"];
    let good = sh::run(sh::cargo(package).args(&args.arguments))?;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
