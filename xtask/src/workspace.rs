//! The workspace as `cargo metadata` and the file system show it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::sh;

/// The workspace: where it is and which packages it has.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One package of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

/// One declared dependency.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Option<DependencyKind>,
    pub(crate) rename: Option<String>,
    /// Set for packages of the workspace.
    pub(crate) path: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DependencyKind {
    Dev,
    Build,
}

/// One library, program, example, test or benchmark.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
}

impl Package {
    /// Where its `Cargo.toml` is.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new(""))
    }

    pub(crate) fn has(&self, kind: &str) -> bool {
        self.targets.iter().any(|target| target.is(kind))
    }
}

impl Target {
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|k| k == kind)
    }
}

impl Dependency {
    /// The name by which the code says it.
    pub(crate) fn ident(&self) -> String {
        self.rename.as_ref().unwrap_or(&self.name).replace('-', "_")
    }
}

/// A file of the workspace and the text in it.
pub(crate) struct Text {
    /// Path from the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Workspace {
    /// Asks cargo about the workspace around the current folder.
    pub(crate) fn load() -> Result<Self> {
        let mut command = sh::cargo(["metadata", "--no-deps", "--format-version=1"]);
        let output = command.output().context("cannot start cargo")?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "cargo metadata failed: {}",
            complaint.trim()
        );
        serde_json::from_slice(&output.stdout).context("cannot read what cargo metadata printed")
    }

    /// A path of the workspace as it is typed from the root.
    pub(crate) fn relative(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.root).unwrap_or(path);
        path.to_string_lossy().replace('\\', "/")
    }

    /// Every file of ours, without build output and version control. What is no text (a picture) is
    /// there with its path alone.
    pub(crate) fn texts(&self) -> Result<Vec<Text>> {
        let mut paths = Vec::new();
        walk(&self.root, &mut paths)?;
        let mut texts = Vec::new();
        for path in paths {
            // Somebody may delete a file while we walk.
            if let Ok(bytes) = fs::read(&path) {
                let text = String::from_utf8(bytes).unwrap_or_default();
                texts.push(Text {
                    path: self.relative(&path),
                    text,
                });
            }
        }
        Ok(texts)
    }
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let list = || format!("cannot list {}", folder.display());
    let mut entries = fs::read_dir(folder)
        .with_context(list)?
        .collect::<Result<Vec<_>, _>>()
        .with_context(list)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let kind = entry.file_type().with_context(list)?;
        if kind.is_dir() && name != "target" && name != ".git" {
            walk(&entry.path(), paths)?;
        } else if kind.is_file() {
            paths.push(entry.path());
        }
    }
    Ok(())
}
