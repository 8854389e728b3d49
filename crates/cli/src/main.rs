//! The `feedhold` command: streams G-code to machines and never loses its place.

mod analyze;
mod args;
mod ask;
mod check;
mod checkpoints;
mod console;
mod controller_check;
mod exit;
mod jobs;
mod out;
mod ports;
mod resume;
mod run;
mod sim;
mod term;
mod text;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::{
    args::{Command, LowArgs},
    exit::Exit,
};

fn main() -> ExitCode {
    let typed = LowArgs::parse();
    let terminal = term::Terminal::new(typed.verbose);
    let json = typed.command.wants_json();
    let exit = match dispatch(typed.command, &terminal) {
        Ok(exit) => exit,
        Err(error) => exit::report(&error, json),
    };
    exit.into()
}

fn dispatch(command: Command, terminal: &term::Terminal) -> anyhow::Result<Exit> {
    match command {
        Command::Run(typed) => run::run(&typed, terminal),
        Command::Check(typed) => check::run(&typed, terminal),
        Command::Analyze(typed) => analyze::run(&typed, terminal),
        Command::Resume(typed) => resume::run(&typed, terminal),
        Command::Jobs(typed) => jobs::run(&typed),
        Command::Checkpoints(typed) => checkpoints::run(&typed),
        Command::Ports(typed) => ports::run(&typed),
        Command::Sim(typed) => sim::run(&typed),
        Command::Console(typed) => console::run(&typed),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut LowArgs::command(), "feedhold", &mut script);
            out::bytes(&script);
            Ok(Exit::Done)
        }
    }
}

/// One thread runs everything that waits; the few that block have threads of their own: three chunks that are prepared ahead, and the
/// disk with the records. More would only cost memory, since each thread keeps a heap of its own.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .build()?)
}
