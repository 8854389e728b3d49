//! Words that must not stand in the sources.

use std::path::Path;

use crate::workspace::{Text, Workspace};

use super::{Findings, code};

/// Left-overs of work in progress. Written in two pieces, or this file would find itself.
const LEFT_OVERS: &[(&str, &str)] = &[
    (concat!("todo", "!("), "finish it or leave it out"),
    (concat!("unimplemented", "!("), "finish it or leave it out"),
    (concat!("dbg", "!("), "use tracing, or remove it"),
    (
        concat!("#[", "ignore"),
        "a test that is not run proves nothing: make it quick or remove it",
    ),
];

/// Crates without clocks, files or a runtime, and the words that would bring them in.
const PURE: &[&str] = &["crates/gcode-parse/src/", "crates/stream-core/src/"];
const IMPURE: &[&str] = &[
    "tokio",
    "serde",
    "std::fs",
    "std::net",
    "std::thread::sleep",
    "Instant",
    "SystemTime",
];

/// Paths of the machine that runs the check; they mean nothing on another one.
pub(super) struct Places(Vec<String>);

impl Places {
    pub(super) fn of(workspace: &Workspace) -> Self {
        let mut places = Vec::new();
        let home = std::env::var("HOME").unwrap_or_default();
        let parents = [
            Some(workspace.root.as_path()),
            workspace.root.parent(),
            workspace.target.parent(),
        ];
        for place in parents.into_iter().flatten().chain([Path::new(&home)]) {
            let place = place.to_string_lossy().into_owned();
            // The root of the file system is in every path.
            if place.len() > 1 && !places.contains(&place) {
                places.push(place);
            }
        }
        Self(places)
    }

    /// The place that the line names, if any: as a whole path, not as a part of another one.
    fn in_line(&self, line: &str) -> Option<&str> {
        let joins = |c: char| c.is_alphanumeric() || "._-/".contains(c);
        let named = self.0.iter().find(|place| {
            line.match_indices(place.as_str()).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                let after = line[at + place.len()..].chars().next();
                !before.is_some_and(joins) && after == Some('/')
            })
        });
        named.map(String::as_str)
    }
}

pub(super) fn check(places: &Places, texts: &[Text], findings: &mut Findings) {
    for Text { path, text } in texts {
        let is_rust = path.ends_with(".rs");
        let is_pure = PURE.iter().any(|folder| path.starts_with(folder));
        for (i, line) in text.lines().enumerate() {
            let mut found = |what: String| findings.error(format!("{path}:{}", i + 1), what);
            if let Some(place) = places.in_line(line) {
                found(format!("names `{place}`, a folder of this machine"));
            }
            let code = if is_rust {
                code::without_comment(line)
            } else {
                ""
            };
            for (word, remedy) in LEFT_OVERS.iter().filter(|(word, _)| code.contains(word)) {
                found(format!("`{word}`: {remedy}"));
            }
            for word in IMPURE
                .iter()
                .filter(|word| is_pure && code::has_word(code, word))
            {
                found(format!(
                    "`{word}`: this crate has no clock, no file and no runtime; take it as a parameter"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Places, check};
    use crate::tidy::Findings;
    use crate::workspace::Text;

    #[test]
    fn unwanted_words_are_found_in_code_and_not_in_comments() {
        let places = Places(vec!["/build/me".to_owned()]);
        let count = |path: &str, text: &str| {
            let mut findings = Findings::default();
            check(
                &places,
                &[Text {
                    path: path.to_owned(),
                    text: text.to_owned(),
                }],
                &mut findings,
            );
            findings.errors()
        };
        let core = "crates/stream-core/src/lib.rs";
        let other = "crates/session/src/lib.rs";
        for (path, text, want) in [
            (other, concat!("todo", "!()"), 1),
            (other, concat!("// todo", "!()"), 0),
            (other, concat!("#[", "ignore = \"slow\"]"), 1),
            (other, "use tokio::time::Instant;", 0),
            (core, "use core::time::Duration;", 0),
            (core, "use std::time::{Duration, Instant};", 1),
            (core, "/// never an Instant, never tokio", 0),
            (core, "std::fs::read(path)", 1),
            ("docs/x.md", "see /build/me/project", 1),
            (
                "docs/x.md",
                "see /other/build/me/project and /build/mecca/",
                0,
            ),
        ] {
            assert_eq!(count(path, text), want, "{path}: {text}");
        }
    }
}
