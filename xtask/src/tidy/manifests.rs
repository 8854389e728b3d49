//! Manifests: shared lints, and no dependency that nobody uses.

use crate::workspace::{Dependency, DependencyKind, Package, Text, Workspace};

use super::{Findings, code};

/// Dependencies that no source names, each with its reason: (package, dependency).
const UNNAMED: &[(&str, &str)] = &[];

pub(super) fn check(workspace: &Workspace, texts: &[Text], findings: &mut Findings) {
    for package in &workspace.packages {
        let manifest = workspace.relative(&package.manifest_path);
        let manifest_text = texts.iter().find(|text| text.path == manifest);
        if !manifest_text.is_some_and(|text| inherits_lints(&text.text)) {
            findings.error(
                &manifest,
                "does not share the lints: add `[lints]` with `workspace = true`",
            );
        }
        let folder = format!("{}/", workspace.relative(package.folder()));
        let own: Vec<&Text> = texts
            .iter()
            .filter(|text| text.path.starts_with(&folder))
            .collect();
        for dependency in unused(package, &folder, &own) {
            findings.error(
                &manifest,
                format!(
                    "`{}` is declared and no source names it: remove it",
                    dependency.name
                ),
            );
        }
    }
}

fn inherits_lints(manifest: &str) -> bool {
    let section = manifest
        .lines()
        .skip_while(|line| line.trim() != "[lints]")
        .skip(1);
    section
        .take_while(|line| !line.starts_with('['))
        .any(|line| line.trim() == "workspace = true")
}

/// Dependencies whose name does not appear where it could be used: for a normal one in the code of
/// `src/`, for others anywhere in the package (an example, a test, a documented snippet).
fn unused<'a>(package: &'a Package, folder: &str, texts: &[&Text]) -> Vec<&'a Dependency> {
    let source = format!("{folder}src/");
    let is_used = |dependency: &Dependency| {
        let ident = dependency.ident();
        texts.iter().any(|text| match dependency.kind {
            None => {
                text.path.starts_with(&source)
                    && text
                        .text
                        .lines()
                        .any(|line| code::has_word(code::without_comment(line), &ident))
            }
            Some(DependencyKind::Dev | DependencyKind::Build) => {
                text.path.ends_with(".rs") && code::has_word(&text.text, &ident)
            }
        })
    };
    let excused = |dependency: &Dependency| {
        UNNAMED.contains(&(package.name.as_str(), dependency.name.as_str()))
    };
    package
        .dependencies
        .iter()
        .filter(|dependency| !excused(dependency) && !is_used(dependency))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{inherits_lints, unused};
    use crate::workspace::{Package, Text};

    #[test]
    fn lints_are_shared_only_by_their_own_section() {
        for (manifest, want) in [
            ("[package]\n\n[lints]\nworkspace = true\n", true),
            ("[lints]\n# why\nworkspace = true\n[features]\n", true),
            ("[package]\nworkspace = true\n", false),
            ("[lints]\n[other]\nworkspace = true\n", false),
            ("[lints.rust]\nunsafe_code = \"warn\"\n", false),
        ] {
            assert_eq!(inherits_lints(manifest), want, "{manifest}");
        }
    }

    #[test]
    fn a_dependency_is_used_where_its_kind_allows() {
        let package: Package = serde_json::from_value(serde_json::json!({
            "name": "p", "manifest_path": "/r/p/Cargo.toml", "targets": [],
            "dependencies": [
                {"name": "in-code"}, {"name": "in-comment"}, {"name": "in-test-only"},
                {"name": "renamed", "rename": "other"},
                {"name": "dev-used", "kind": "dev"}, {"name": "dev-unused", "kind": "dev"},
            ],
        }))
        .unwrap();
        let text = |path: &str, text: &str| Text {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let lib = text(
            "p/src/lib.rs",
            "use in_code::X;\n// in_comment\nother::go();\n",
        );
        let test = text("p/tests/t.rs", "use in_test_only::X;\nuse dev_used;\n");
        let names: Vec<_> = unused(&package, "p/", &[&lib, &test])
            .iter()
            .map(|dependency| dependency.name.clone())
            .collect();
        assert_eq!(names, ["in-comment", "in-test-only", "dev-unused"]);
    }
}
