use std::process::ExitCode;

use anyhow::Result;

use crate::sh;

/// Streams whole jobs to simulated machines and compares what they did, motion by motion
///
/// Without files the sample jobs are streamed; `cargo xtask sim --help` shows what can be chosen.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// What `sim-jobs` takes: files and options.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let package = ["run", "--release", "--package", "feedhold-tests"];
    let mut command = sh::cargo(package.into_iter().chain(["--bin", "sim-jobs", "--"]));
    let good = sh::run(command.args(&args.arguments))?;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
