//! The arrows between the crates, as they are and as they are planned.

use std::fmt;

use crate::workspace::{DependencyKind, Package, Workspace};

use super::Findings;
use super::plan::{self, Floor, Outside, PLAN, Room, Uses};

/// The crates that stand, with what they use.
pub(super) struct House {
    crates: Vec<Crate>,
}

struct Crate {
    /// The name of its folder.
    name: String,
    manifest: String,
    /// Crates of the workspace it uses.
    arrows: Vec<Arrow>,
    /// Crates from outside that its library or program uses.
    outside: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Arrow {
    to: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// In the library, the program or a build script.
    Normal,
    /// In tests, examples and benchmarks only.
    Dev,
}

impl House {
    pub(super) fn of(workspace: &Workspace) -> Self {
        let crates = workspace
            .packages
            .iter()
            .map(|package| Crate::of(package, workspace));
        Self {
            crates: crates.collect(),
        }
    }

    /// Reports every arrow and every crate that is not in the plan.
    pub(super) fn check(&self, findings: &mut Findings) {
        for one in &self.crates {
            let Some(room) = plan::find(&one.name) else {
                findings.error(
                    &one.manifest,
                    format!("`{}` has no place in the plan; {DRAW}", one.name),
                );
                continue;
            };
            for arrow in &one.arrows {
                if let Err(why) = judge(room, arrow) {
                    findings.error(&one.manifest, format!("{} → {}: {why}", one.name, arrow.to));
                }
            }
            for name in one.outside.iter().filter(|name| !room.outside.allows(name)) {
                findings.error(&one.manifest, format!("{} may not use `{name}`", one.name));
            }
        }
    }
}

/// What to do when the plan itself has changed.
const DRAW: &str =
    "if the plan has changed, draw it in xtask/src/tidy/plan.rs and docs/architecture.md";

impl Crate {
    fn of(package: &Package, workspace: &Workspace) -> Self {
        let mut arrows: Vec<Arrow> = Vec::new();
        let mut outside = Vec::new();
        for dependency in &package.dependencies {
            let kind = match dependency.kind {
                None | Some(DependencyKind::Build) => Kind::Normal,
                Some(DependencyKind::Dev) => Kind::Dev,
            };
            if dependency.path.is_some() {
                let arrow = Arrow {
                    to: folder_of(&dependency.name).to_owned(),
                    kind,
                };
                if !arrows.contains(&arrow) {
                    arrows.push(arrow);
                }
            } else if kind == Kind::Normal {
                outside.push(dependency.name.clone());
            }
        }
        arrows.sort_by(|a, b| (a.kind, &a.to).cmp(&(b.kind, &b.to)));
        let manifest = workspace.relative(&package.manifest_path);
        Self {
            name: folder_of(&package.name).to_owned(),
            manifest,
            arrows,
            outside,
        }
    }
}

/// Packages are named `feedhold-<folder>`, but for the facade and the tasks.
fn folder_of(package: &str) -> &str {
    package.strip_prefix("feedhold-").unwrap_or(package)
}

impl Outside {
    fn allows(&self, name: &str) -> bool {
        match self {
            Self::Weighed => true,
            Self::Nothing => false,
            Self::Except(names) => !names.contains(&name),
        }
    }
}

/// Whether a crate may use another: in its own code only along a drawn arrow, in its tests and
/// examples any crate of a lower floor.
fn judge(from: &Room, arrow: &Arrow) -> Result<(), String> {
    let Some(to) = plan::find(&arrow.to) else {
        return Err(format!("`{}` has no place in the plan", arrow.to));
    };
    // The tests drive the generator of programs that lives beside the house too.
    if from.name == "tests" && to.name == "xtask" {
        return Ok(());
    }
    if to.floor >= from.floor {
        return Err(
            "a crate uses only crates of floors below its own, in tests and examples too"
                .to_owned(),
        );
    }
    match (&from.uses, arrow.kind) {
        (Uses::AllBelow, _) | (_, Kind::Dev) => Ok(()),
        (Uses::Only(names), Kind::Normal) if names.contains(&to.name) => Ok(()),
        (Uses::Only(names), Kind::Normal) => {
            let drawn = if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            };
            Err(format!("not an arrow of the plan (drawn: {drawn}); {DRAW}"))
        }
    }
}

/// The picture: floors from the roof down, arrows to the right; crates to be built in parentheses,
/// arrows of tests and examples dashed, arrows that are not in the plan crossed.
impl fmt::Display for House {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut floor = None;
        for room in PLAN {
            let label = match room.floor {
                _ if floor == Some(room.floor) => String::new(),
                Floor::Number(0) => "ground".to_owned(),
                Floor::Number(number) => format!("floor {number}"),
                Floor::Beside => "beside".to_owned(),
            };
            floor = Some(room.floor);
            match self.crates.iter().find(|one| one.name == room.name) {
                Some(one) => row(f, &label, &one.name, &picture(room, &one.arrows))?,
                None => row(f, &label, &format!("({})", room.name), "")?,
            }
        }
        let homeless = self
            .crates
            .iter()
            .filter(|one| plan::find(&one.name).is_none());
        for one in homeless {
            row(f, "nowhere", &one.name, "")?;
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, label: &str, name: &str, arrows: &str) -> fmt::Result {
    let row = format!("{label:<9} {name:<14} {arrows}");
    writeln!(f, "{}", row.trim_end())
}

fn picture(room: &Room, arrows: &[Arrow]) -> String {
    let group = |kind: Kind, shaft: &str| {
        let names: Vec<String> = arrows
            .iter()
            .filter(|arrow| arrow.kind == kind)
            .map(|arrow| {
                if judge(room, arrow).is_ok() {
                    arrow.to.clone()
                } else {
                    format!("✗{}", arrow.to)
                }
            })
            .collect();
        if names.is_empty() {
            String::new()
        } else {
            format!("{shaft}► {}  ", names.join(", "))
        }
    };
    group(Kind::Normal, "──") + &group(Kind::Dev, "╌╌")
}

#[cfg(test)]
mod tests {
    use super::{Arrow, House, Kind, judge};
    use crate::tidy::{Findings, plan};
    use crate::workspace::Workspace;

    #[test]
    fn arrows_are_judged_by_the_plan() {
        use Kind::{Dev, Normal};
        for (from, to, kind, allowed) in [
            ("session", "stream-core", Normal, true),
            ("session", "simulator", Normal, false),
            ("session", "simulator", Dev, true),
            ("session", "pipeline", Dev, false),
            ("simulator", "stream-core", Normal, false),
            ("simulator", "stream-core", Dev, false),
            ("stream-core", "simulator", Dev, false),
            ("gcode-parse", "checkpoint", Normal, false),
            ("feedhold", "simulator", Normal, true),
            ("feedhold", "cli", Normal, false),
            ("cli", "session", Normal, false),
            ("transport", "feedhold", Dev, false),
            ("tests", "cli", Normal, true),
            ("tests", "xtask", Normal, true),
            ("xtask", "feedhold", Normal, false),
            ("cli", "tests", Dev, false),
            ("cli", "attic", Normal, false),
        ] {
            let room = plan::find(from).unwrap();
            let arrow = Arrow {
                to: to.to_owned(),
                kind,
            };
            assert_eq!(
                judge(room, &arrow).is_ok(),
                allowed,
                "{from} → {to} ({kind:?})"
            );
        }
    }

    /// A workspace as cargo would describe it, with these packages: (name, [(dependency, kind)]).
    fn house(packages: &[(&str, &[(&str, &str)])]) -> House {
        let packages: Vec<_> = packages
            .iter()
            .map(|(name, dependencies)| {
                let dependencies: Vec<_> = dependencies
                    .iter()
                    .map(|(name, kind)| {
                        let kind = Some(*kind).filter(|kind| !kind.is_empty());
                        let path = Some("/r/crates/x").filter(|_| name.starts_with("feedhold"));
                        serde_json::json!({"name": name, "kind": kind, "rename": null, "path": path})
                    })
                    .collect();
                serde_json::json!({
                    "name": name,
                    "manifest_path": format!("/r/{name}/Cargo.toml"),
                    "dependencies": dependencies,
                    "targets": [],
                })
            })
            .collect();
        let metadata = serde_json::json!({
            "workspace_root": "/r", "target_directory": "/r/target", "packages": packages,
        });
        House::of(&serde_json::from_value::<Workspace>(metadata).unwrap())
    }

    #[test]
    fn what_is_not_in_the_plan_is_found_and_crossed_in_the_picture() {
        let house = house(&[
            (
                "feedhold-simulator",
                &[("feedhold-gcode-parse", ""), ("feedhold-stream-core", "")],
            ),
            (
                "feedhold-session",
                &[("feedhold-stream-core", ""), ("feedhold-simulator", "dev")],
            ),
            (
                "feedhold-stream-core",
                &[("thiserror", ""), ("tokio", ""), ("serde", "dev")],
            ),
            (
                "feedhold-gcode-parse",
                &[("memchr", ""), ("proptest", "dev")],
            ),
            ("feedhold-attic", &[]),
        ]);
        let mut findings = Findings::default();
        house.check(&mut findings);
        let found: Vec<_> = findings
            .list
            .iter()
            .map(|finding| finding.what.as_str())
            .collect();
        for (found, begin) in found.iter().zip([
            "simulator → stream-core: a crate uses only",
            "stream-core may not use `tokio`",
            "gcode-parse may not use `memchr`",
            "`attic` has no place",
        ]) {
            assert!(found.starts_with(begin), "{found}");
        }
        assert_eq!(found.len(), 4, "{found:#?}");

        let picture = house.to_string();
        for row in [
            "floor 2   session        ──► stream-core  ╌╌► simulator\n",
            "          simulator      ──► gcode-parse, ✗stream-core\n",
            "floor 7   (cli)\n",
            "nowhere   attic\n",
        ] {
            assert!(picture.contains(row), "{picture}");
        }
    }
}
