//! What lies where: each crate's README and example, one lock file.

use crate::workspace::{Text, Workspace};

use super::Findings;

/// Workspaces of their own, which have to have lock files of their own.
const OWN_LOCKS: &[&str] = &[
    "Cargo.lock",
    "crates/gcode-parse/nostd-check/Cargo.lock",
    "tests/fuzz/Cargo.lock",
];

pub(super) fn check(workspace: &Workspace, texts: &[Text], findings: &mut Findings) {
    let has = |path: &str| texts.iter().any(|text| text.path == path);
    for package in &workspace.packages {
        let folder = workspace.relative(package.folder());
        if !folder.starts_with("crates/") {
            continue;
        }
        if !has(&format!("{folder}/README.md")) {
            findings.error(
                &folder,
                "no README.md: what the crate is for, an example, links to the docs",
            );
        }
        if package.has("lib") && !package.has("example") {
            findings.error(&folder, "no examples/*.rs: show the crate used alone");
        }
    }
    let locks = texts
        .iter()
        .filter(|text| text.path.ends_with("Cargo.lock"));
    for lock in locks.filter(|lock| !OWN_LOCKS.contains(&lock.path.as_str())) {
        findings.error(
            &lock.path,
            "a second lock file: the workspace has one, at its root",
        );
    }
}
