//! `cargo xtask`: the development tasks of the workspace. `docs/testing.md` says what each proves.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod bench;
mod chaos;
mod ci;
mod crash;
mod fuzz;
mod generate;
mod kill;
mod mutants;
mod resume_check;
mod setup;
mod sh;
mod sim;
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
    Sim(sim::Args),
    Chaos(chaos::Args),
    Crash(crash::Args),
    Kill(kill::Args),
    Fuzz(fuzz::Args),
    ResumeCheck(resume_check::Args),
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
        Command::Sim(args) => sim::run(&args),
        Command::Chaos(args) => chaos::run(&args),
        Command::Crash(args) => crash::run(&args),
        Command::Kill(args) => kill::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::ResumeCheck(args) => resume_check::run(&args),
        Command::Mutants(args) => mutants::run(&args),
    }
}
