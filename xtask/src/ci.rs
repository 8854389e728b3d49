use std::process::ExitCode;

use anyhow::Result;

use crate::test;

/// Everything that has to hold before a change lands: what `.ci/run` calls
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<ExitCode> {
    test::run_steps(test::EVERYTHING, test::Build::FreshClone)
}
