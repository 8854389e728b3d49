//! The commands that judge the whole house: binaries of the tests crate, with arguments of their own.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::sh;

/// What is handed on; each binary explains its own with `--help`.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// What the binary takes: files and options.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// A binary of the tests crate.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Judge {
    /// Whole jobs on simulated machines.
    Sim,
    /// The fault world.
    Chaos,
    /// The store under power cuts and damage.
    Crash,
    /// Real processes, killed.
    Kill,
    /// Jobs taken up at random lines.
    ResumeCheck,
}

impl Judge {
    /// The call, up to the arguments of its own.
    pub(crate) fn command(self) -> Command {
        let (binary, optimised) = match self {
            Self::Sim => ("sim-jobs", true),
            Self::Chaos => ("chaos-world", true),
            Self::Crash => ("crash-store", true),
            // It needs no optimisation itself, and builds the command that it kills as its users get it.
            Self::Kill => ("kill", false),
            Self::ResumeCheck => ("resume-check", true),
        };
        let mut command = sh::cargo(["run", "--package", "feedhold-tests"]);
        command.args(optimised.then_some("--release"));
        command.args(["--bin", binary, "--"]);
        command
    }

    pub(crate) fn run(self, args: &Args) -> Result<ExitCode> {
        let good = sh::run(self.command().args(&args.arguments))?;
        Ok(if good {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
