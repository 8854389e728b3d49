use std::fmt;
use std::process::ExitCode;

use anyhow::Result;

use crate::workspace::Workspace;

mod arrows;
mod code;
mod layout;
mod links;
mod manifests;
mod plan;
mod sizes;
mod words;

/// Draws floors and arrows of the crates and checks them, file sizes, docs and manifests
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<ExitCode> {
    let good = check(&Workspace::load()?)?;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Checks everything and prints the picture and what was found; true when nothing is wrong.
pub(crate) fn check(workspace: &Workspace) -> Result<bool> {
    let mut findings = Findings::default();
    let texts = workspace.texts()?;
    let house = arrows::House::of(workspace);
    house.check(&mut findings);
    layout::check(workspace, &texts, &mut findings);
    manifests::check(workspace, &texts, &mut findings);
    links::check(&texts, &mut findings);
    words::check(&words::Places::of(workspace), &texts, &mut findings);
    sizes::check(&texts, &mut findings);
    print!("{house}");
    print!("{findings}");
    Ok(findings.errors() == 0)
}

/// What the checks found.
#[derive(Debug, Default)]
struct Findings {
    list: Vec<Finding>,
}

#[derive(Debug)]
struct Finding {
    weight: Weight,
    /// A path from the root, with `:line` where there is one.
    place: String,
    /// What is wrong and what to do.
    what: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    Error,
    Warning,
}

impl Findings {
    fn error(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.list.push(Finding {
            weight: Weight::Error,
            place: place.into(),
            what: what.into(),
        });
    }

    fn warn(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.list.push(Finding {
            weight: Weight::Warning,
            place: place.into(),
            what: what.into(),
        });
    }

    fn errors(&self) -> usize {
        self.list
            .iter()
            .filter(|finding| finding.weight == Weight::Error)
            .count()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding {
            weight,
            place,
            what,
        } in &self.list
        {
            let weight = if *weight == Weight::Error {
                "error"
            } else {
                "warning"
            };
            writeln!(f, "{weight}: {place}: {what}")?;
        }
        let errors = self.errors();
        writeln!(
            f,
            "tidy: {errors} errors, {} warnings",
            self.list.len() - errors
        )
    }
}
