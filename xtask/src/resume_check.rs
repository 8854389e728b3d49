use std::process::ExitCode;

use anyhow::Result;

use crate::sh;

/// Takes jobs up again at random lines and asks whether they go on as if nothing had happened
///
/// Without files the sample jobs and random programs are taken; `cargo xtask resume-check --help` shows what can be chosen.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// What `resume-check` takes: files and options.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let package = ["run", "--release", "--package", "feedhold-tests"];
    let mut command = sh::cargo(package.into_iter().chain(["--bin", "resume-check", "--"]));
    let good = sh::run(command.args(&args.arguments))?;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
