//! `cargo xtask`: the development tasks of the workspace. `docs/testing.md` says what each proves.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use judges::Judge;

mod bench;
mod ci;
mod fuzz;
mod generate;
mod judges;
mod mutants;
mod setup;
mod sh;
mod test;
mod tidy;
mod workspace;

/// Development tasks of the Feedhold workspace.
#[derive(Parser)]
#[command(
    name = "xtask",
    bin_name = "cargo xtask",
    version,
    max_term_width = 100
)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Test(test::Args),
    Ci(ci::Args),
    Tidy(tidy::Args),
    Setup(setup::Args),
    Bench(bench::Args),
    Gen(generate::Args),
    /// Streams whole jobs to simulated machines and compares what they did, motion by motion
    ///
    /// Without files the sample jobs are streamed.
    Sim(judges::Args),
    /// Lets everything go wrong, in virtual time, and looks whether the place is lost
    ///
    /// A minute of cells and free runs by default.
    Chaos(judges::Args),
    /// Cuts the power, fails the disk and damages the bytes of the checkpoint store, and judges every open
    ///
    /// Takes minutes; `--quick` takes seconds.
    Crash(judges::Args),
    /// Kills the real command again and again, fills its disk, and judges what the machines did
    Kill(judges::Args),
    Fuzz(fuzz::Args),
    /// Takes jobs up again at random lines and asks whether they go on as if nothing had happened
    ///
    /// Without files the sample jobs and random programs are taken.
    ResumeCheck(judges::Args),
    Mutants(mutants::Args),
}

fn main() -> ExitCode {
    match run(Args::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Test(args) => test::run(&args),
        Command::Ci(args) => ci::run(&args),
        Command::Tidy(args) => tidy::run(&args),
        Command::Setup(args) => setup::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Gen(args) => generate::run(&args),
        Command::Sim(args) => Judge::Sim.run(&args),
        Command::Chaos(args) => Judge::Chaos.run(&args),
        Command::Crash(args) => Judge::Crash.run(&args),
        Command::Kill(args) => Judge::Kill.run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::ResumeCheck(args) => Judge::ResumeCheck.run(&args),
        Command::Mutants(args) => mutants::run(&args),
    }
}
