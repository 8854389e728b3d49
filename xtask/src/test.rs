use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::judges::Judge;
use crate::sh;
use crate::tidy;
use crate::workspace::Workspace;

mod tally;

use tally::{Runner, Tally};

/// Everything that has to be green: format, lints, the no_std proof, docs, tidy, tests, doctests, examples
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only the tests and doctests.
    #[arg(long)]
    quick: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    run_steps(if args.quick { QUICK } else { EVERYTHING }, Build::WorkTree)
}

/// What is being built, and so how cargo is called by all steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// Somebody's work tree, built again and again.
    WorkTree,
    /// A fresh clone, built once: `Cargo.lock` has to be true as it stands, and incremental build
    /// files would only cost time and disk.
    FreshClone,
}

/// One thing that has to be green.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Format,
    Lints,
    NoStd,
    Docs,
    Tidy,
    Tests,
    Doctests,
    Examples,
    Kill,
    Chaos,
}

/// All steps, the quickest to fail first.
pub(crate) const EVERYTHING: &[Step] = &[
    Step::Format,
    Step::Tidy,
    Step::Lints,
    Step::NoStd,
    Step::Docs,
    Step::Tests,
    Step::Doctests,
    Step::Examples,
    Step::Kill,
    Step::Chaos,
];

const QUICK: &[Step] = &[Step::Tests, Step::Doctests];

/// The binary that links gcode-parse without the standard library; a workspace of its own, so that
/// no other crate can switch features on.
const NO_STD_CHECK: &str = "crates/gcode-parse/nostd-check/Cargo.toml";

/// How many free runs the fault world plays: always the same ones, so that the step tells of a change, not of the day or the machine.
const CHAOS_RUNS: &str = "30000";

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Lints => "lints",
            Self::NoStd => "no_std",
            Self::Docs => "docs",
            Self::Tidy => "tidy",
            Self::Tests => "tests",
            Self::Doctests => "doctests",
            Self::Examples => "examples",
            Self::Kill => "kill",
            Self::Chaos => "chaos",
        }
    }

    fn run(self, workspace: &Workspace, build: Build) -> Result<Outcome> {
        match self {
            Self::Format => plain(&mut sh::cargo(["fmt", "--all", "--check"])),
            Self::Tidy => Ok(Outcome::of(tidy::check(workspace)?)),
            Self::Lints => {
                let mut command = build.cargo(&["clippy", "--workspace", "--all-targets"]);
                plain(command.args(["--", "-D", "warnings"]))
            }
            Self::NoStd => {
                let own_target = workspace.target.join("nostd-check");
                let mut command = build.cargo(&["build", "--manifest-path", NO_STD_CHECK]);
                plain(command.arg("--target-dir").arg(own_target))
            }
            Self::Docs => {
                // Libraries only: the command and the facade share a name, and so a page.
                let mut command = build.cargo(&["doc", "--workspace", "--no-deps", "--lib"]);
                plain(command.env("RUSTDOCFLAGS", "-D warnings"))
            }
            Self::Tests => {
                if sh::answers("cargo-nextest", &["nextest", "--version"]) {
                    let arguments = ["nextest", "run", "--workspace", "--no-fail-fast"];
                    counted(&mut build.cargo(&arguments), Runner::Nextest)
                } else {
                    let arguments = [
                        "test",
                        "--workspace",
                        "--no-fail-fast",
                        "--lib",
                        "--bins",
                        "--tests",
                    ];
                    counted(&mut build.cargo(&arguments), Runner::Libtest)
                }
            }
            Self::Doctests => {
                let arguments = ["test", "--workspace", "--no-fail-fast", "--doc"];
                counted(&mut build.cargo(&arguments), Runner::Libtest)
            }
            Self::Examples => plain(&mut build.cargo(&["build", "--workspace", "--examples"])),
            Self::Kill => {
                let mut command = build.cargo(&["run", "--package", "feedhold-tests"]);
                plain(command.args(["--bin", "kill", "--", "--quick"]))
            }
            Self::Chaos => plain(Judge::Chaos.command().args(["--free", CHAOS_RUNS])),
        }
    }
}

impl Build {
    fn cargo(self, arguments: &[&str]) -> Command {
        let mut command = sh::cargo(arguments);
        if self == Self::FreshClone {
            command.arg("--locked").env("CARGO_INCREMENTAL", "0");
        }
        command
    }
}

/// How a step ended.
struct Outcome {
    good: bool,
    tests: Option<Tally>,
}

impl Outcome {
    const fn of(good: bool) -> Self {
        Self { good, tests: None }
    }
}

fn plain(command: &mut Command) -> Result<Outcome> {
    println!("$ {}", sh::typed(command));
    Ok(Outcome::of(sh::run(command)?))
}

fn counted(command: &mut Command, runner: Runner) -> Result<Outcome> {
    println!("$ {}", sh::typed(command));
    let mut tally = Tally::default();
    let good = sh::run_watched(command, |line| tally.read(runner, line))?;
    Ok(Outcome {
        good,
        tests: Some(tally),
    })
}

/// Runs the steps, all of them even when one fails, and closes with `N passed, N failed`.
///
/// A step that fails without a failed test (a lint, a test that does not compile) counts as one
/// failure, so that the closing line is never better than the truth.
pub(crate) fn run_steps(steps: &[Step], build: Build) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let mut total = Tally::default();
    let mut rows = Vec::new();
    for step in steps {
        println!("\n== {} ==", step.name());
        let began = Instant::now();
        let outcome = step.run(&workspace, build).unwrap_or_else(|error| {
            println!("error: {error:#}");
            Outcome::of(false)
        });
        let tests = outcome.tests.unwrap_or_default();
        total.add(tests);
        if !outcome.good && tests.failed == 0 {
            total.failed += 1;
        }
        rows.push(row(*step, &outcome, began.elapsed()));
    }
    println!("\n{}", rows.join("\n"));
    if total == Tally::default() {
        bail!("no test was run");
    }
    println!("{total}");
    Ok(if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn row(step: Step, outcome: &Outcome, took: Duration) -> String {
    let verdict = if outcome.good { "ok" } else { "FAILED" };
    let tests = outcome
        .tests
        .map_or_else(String::new, |tally| format!("  {tally}"));
    format!(
        "{:<9} {verdict:<6} {:>6.1} s{tests}",
        step.name(),
        took.as_secs_f64()
    )
}
