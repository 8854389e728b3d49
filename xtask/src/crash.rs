use std::process::ExitCode;

use anyhow::Result;

use crate::sh;

/// Cuts the power, fails the disk and damages the bytes of the checkpoint store, and judges every open
///
/// Takes minutes; `--quick` takes seconds. `cargo xtask crash --help` shows what can be chosen.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// What `crash-store` takes.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let package = ["run", "--release", "--package", "feedhold-tests"];
    let mut command = sh::cargo(package.into_iter().chain(["--bin", "crash-store", "--"]));
    let good = sh::run(command.args(&args.arguments))?;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
