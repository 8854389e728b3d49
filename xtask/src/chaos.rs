use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::sh;

/// Lets everything go wrong, in virtual time, and looks whether the place is lost
///
/// A minute of cells and free runs by default; `cargo xtask chaos --help` shows what can be chosen.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// What `chaos-world` takes.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut command = world(&[]);
    Ok(if sh::run(command.args(&args.arguments))? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The fault world, optimised, to be run with these arguments.
pub(crate) fn world(arguments: &[&str]) -> Command {
    let package = ["run", "--release", "--package", "feedhold-tests"];
    let mut command = sh::cargo(package.into_iter().chain(["--bin", "chaos-world", "--"]));
    command.args(arguments);
    command
}
