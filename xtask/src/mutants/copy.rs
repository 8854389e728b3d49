use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Mutant;

/// A copy of the working tree with a target directory of its own.
pub(super) struct Copy {
    pub(super) tree: PathBuf,
    pub(super) target: PathBuf,
}

impl Copy {
    /// Brings the copy up to date. Files that are the same keep their times, so that cargo does not build them again.
    pub(super) fn refresh(root: &Path) -> Result<Self> {
        let root = root.canonicalize()?;
        let home = root.join("target/mutants");
        let copy = Self {
            tree: home.join("tree"),
            target: home.join("target"),
        };
        let files = files(&root)?;
        for file in &files {
            let bytes = fs::read(root.join(file))
                .with_context(|| format!("cannot read {}", file.display()))?;
            write_if_new(&copy.tree.join(file), &bytes)?;
        }
        copy.remove_others(&copy.tree, &files)?;
        Ok(copy)
    }

    /// Puts a mistake into the copy.
    pub(super) fn plant(&self, mutant: &Mutant) -> Result<()> {
        let path = self.tree.join(&mutant.file);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("mistake {}: no {}", mutant.name, mutant.file))?;
        fs::write(self.sound(), &text)?;
        fs::write(&path, mutant.plant(&text)?)?;
        Ok(())
    }

    /// Takes it out again.
    pub(super) fn restore(&self, mutant: &Mutant) -> Result<()> {
        let text = fs::read(self.sound())?;
        fs::write(self.tree.join(&mutant.file), text)?;
        Ok(())
    }

    /// Where the sound text lies while a mistake is planted.
    fn sound(&self) -> PathBuf {
        self.tree.with_file_name("sound")
    }

    /// Files that are gone from the working tree go from the copy.
    fn remove_others(&self, dir: &Path, files: &BTreeSet<PathBuf>) -> Result<()> {
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if path.is_dir() {
                self.remove_others(&path, files)?;
            } else if let Ok(file) = path.strip_prefix(&self.tree)
                && !files.contains(file)
            {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

/// The files of the working tree that are, or could be, under version control.
fn files(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let arguments = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let output = Command::new("git")
        .args(arguments)
        .current_dir(root)
        .output()
        .context("cannot start git")?;
    if !output.status.success() {
        bail!(
            "git cannot list the files: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let listed = String::from_utf8(output.stdout)?;
    let names = listed.split('\0').filter(|name| !name.is_empty());
    Ok(names
        .map(PathBuf::from)
        .filter(|file| root.join(file).is_file())
        .collect())
}

fn write_if_new(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|known| known == bytes) {
        return Ok(());
    }
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
