use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Where mistakes are described.
const FILE: &str = "tests/mutants/mutants.txt";

/// A mistake that can be planted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mutant {
    pub(super) name: String,
    /// What it breaks.
    pub(super) breaks: String,
    /// The file it is planted in.
    pub(super) file: String,
    /// Arguments of the cargo command that has to fail.
    pub(super) check: Vec<String>,
    old: String,
    new: String,
}

impl Mutant {
    /// The text of the file with the mistake in it.
    pub(super) fn plant(&self, text: &str) -> Result<String> {
        let count = text.matches(&self.old).count();
        if count != 1 {
            bail!(
                "mistake {}: its text stands {count} times in {}; it has to stand there once",
                self.name,
                self.file
            );
        }
        Ok(text.replacen(&self.old, &self.new, 1))
    }
}

/// All mistakes of the repository at `root`.
pub(super) fn all(root: &Path) -> Result<Vec<Mutant>> {
    let path = root.join(FILE);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}; run this at the root", path.display()))?;
    parse(&text)
}

fn parse(text: &str) -> Result<Vec<Mutant>> {
    let mut lines = text
        .lines()
        .skip_while(|line| !line.starts_with("@ "))
        .peekable();
    let mut mutants = Vec::new();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let name = line
            .strip_prefix("@ ")
            .with_context(|| format!("`{line}` begins no mistake"))?;
        let mut field = |key: &str| {
            let line = lines.next().unwrap_or_default();
            let value = line.strip_prefix(key).map(str::trim);
            value
                .map(str::to_owned)
                .with_context(|| format!("mistake {name}: `{line}` is no `{key}`"))
        };
        let (breaks, file, check) = (field("breaks:")?, field("file:")?, field("check:")?);
        field("<<<")?;
        let mut until = |end: &str| -> Result<String> {
            let mut text = String::new();
            loop {
                match lines.next() {
                    Some(line) if line == end => return Ok(text.trim_end_matches('\n').to_owned()),
                    Some(line) => {
                        text.push_str(line);
                        text.push('\n');
                    }
                    None => bail!("mistake {name} has no `{end}`"),
                }
            }
        };
        mutants.push(Mutant {
            old: until("===")?,
            new: until(">>>")?,
            check: words(&check),
            name: name.to_owned(),
            breaks,
            file,
        });
    }
    Ok(mutants)
}

/// Arguments as a shell would split them, as far as blanks and quotation marks go.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in text.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_read() {
        let text = "A remark.\n\n@ one\nbreaks: this\nfile: a.rs\ncheck: nextest run -E \"a + b\"\n<<<\nold\n\n  old\n===\nnew\n>>>\n\n\
                    @ two\nbreaks: that\nfile: b.rs\ncheck: x\n<<<\nold\n===\n>>>\n";
        let mutants = parse(text).unwrap();
        assert_eq!(mutants.len(), 2);
        assert_eq!(mutants[0].check, ["nextest", "run", "-E", "a + b"]);
        assert_eq!(
            mutants[0].plant("<old\n\n  old>").unwrap(),
            "<new>",
            "{mutants:?}"
        );
        assert_eq!(mutants[1].plant("an old one").unwrap(), "an  one");
        for wrong in ["none here", "old and old"] {
            let error = mutants[1].plant(wrong).unwrap_err().to_string();
            assert!(
                error.starts_with("mistake two: its text stands "),
                "{error}"
            );
        }
        for wrong in [
            "@ one\nfile: a\n",
            "@ one\nbreaks: a\nfile: b\ncheck: c\n<<<\nold\n",
            "@ one\n\nx",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    /// So that no mistake rots silently when the product changes.
    #[test]
    fn every_mistake_of_the_repository_can_still_be_planted() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mutants = all(&root).unwrap();
        assert!(mutants.len() >= 20);
        for (index, mutant) in mutants.iter().enumerate() {
            assert!(
                mutants[..index]
                    .iter()
                    .all(|other| other.name != mutant.name),
                "{} stands there twice",
                mutant.name
            );
            let text = fs::read_to_string(root.join(&mutant.file)).unwrap();
            let planted = mutant.plant(&text).unwrap();
            assert_ne!(planted, text, "{}", mutant.name);
        }
    }
}
