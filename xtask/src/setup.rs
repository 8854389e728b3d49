use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::sh;

/// Looks for the tools of a developer and says in a line each what to install
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Install what cargo and rustup can install.
    #[arg(long)]
    install: bool,
}

/// A tool, how to see that it is there, and how to get it.
struct Tool {
    name: &'static str,
    need: Need,
    probe: (&'static str, &'static [&'static str]),
    source: Source,
    purpose: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// `cargo xtask test` fails without it.
    Required,
    /// Something is faster or better with it.
    Optional,
}

enum Source {
    Rustup(&'static str),
    Toolchain(&'static str),
    Cargo(&'static str),
    /// The package of the system, by the name most distributions give it.
    System(&'static str),
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "rustfmt",
        need: Need::Required,
        probe: ("cargo", &["fmt", "--version"]),
        source: Source::Rustup("rustfmt"),
        purpose: "cargo xtask test, first step",
    },
    Tool {
        name: "clippy",
        need: Need::Required,
        probe: ("cargo", &["clippy", "--version"]),
        source: Source::Rustup("clippy"),
        purpose: "cargo xtask test, lints",
    },
    Tool {
        name: "git",
        need: Need::Required,
        probe: ("git", &["--version"]),
        source: Source::System("git"),
        purpose: "the history",
    },
    Tool {
        name: "cargo-nextest",
        need: Need::Optional,
        probe: ("cargo", &["nextest", "--version"]),
        source: Source::Cargo("cargo-nextest"),
        purpose: "runs the tests in parallel; cargo test is used without it",
    },
    Tool {
        name: "cargo-deny",
        need: Need::Optional,
        probe: ("cargo", &["deny", "--version"]),
        source: Source::Cargo("cargo-deny"),
        purpose: "checks licences and advisories against deny.toml",
    },
    Tool {
        name: "nightly",
        need: Need::Optional,
        probe: ("rustup", &["run", "nightly", "cargo", "--version"]),
        source: Source::Toolchain("nightly"),
        purpose: "cargo xtask fuzz; the fuzzer's instrumentation is not stable",
    },
    Tool {
        name: "cargo-fuzz",
        need: Need::Optional,
        probe: ("cargo", &["fuzz", "--version"]),
        source: Source::Cargo("cargo-fuzz"),
        purpose: "cargo xtask fuzz",
    },
    Tool {
        name: "strace",
        need: Need::Optional,
        probe: ("strace", &["-V"]),
        source: Source::System("strace"),
        purpose: "kills and starves real processes at chosen system calls",
    },
    Tool {
        name: "tmux",
        need: Need::Optional,
        probe: ("tmux", &["-V"]),
        source: Source::System("tmux"),
        purpose: "shows a run's progress bar to a script, for the picture in the README",
    },
];

impl Tool {
    fn is_there(&self) -> bool {
        sh::answers(self.probe.0, self.probe.1)
    }

    fn how(&self) -> String {
        match self.source {
            Source::Rustup(component) => format!("rustup component add {component}"),
            Source::Toolchain(name) => format!("rustup toolchain install {name}"),
            Source::Cargo(name) => format!("cargo install --locked {name}"),
            Source::System(package) => format!("install the system's package `{package}`"),
        }
    }

    /// Installs it where that needs no rights of the system; false when it cannot.
    fn install(&self) -> Result<bool> {
        let mut command = match self.source {
            Source::Rustup(component) => {
                let mut command = std::process::Command::new("rustup");
                command.args(["component", "add", component]);
                command
            }
            Source::Toolchain(name) => {
                let mut command = std::process::Command::new("rustup");
                command.args(["toolchain", "install", name]);
                command
            }
            Source::Cargo(name) => sh::cargo(["install", "--locked", name]),
            Source::System(_) => return Ok(false),
        };
        sh::run(&mut command)
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut missing = Vec::new();
    for tool in TOOLS {
        let there = tool.is_there() || (args.install && tool.install()? && tool.is_there());
        if there {
            println!("ok       {:<14} {}", tool.name, tool.purpose);
        } else {
            let word = if tool.need == Need::Required {
                "MISSING"
            } else {
                "optional"
            };
            println!(
                "{word:<8} {:<14} {} — {}",
                tool.name,
                tool.how(),
                tool.purpose
            );
            missing.extend((tool.need == Need::Required).then_some(tool.name));
        }
    }
    if !missing.is_empty() {
        bail!("{} must be installed first", missing.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}
