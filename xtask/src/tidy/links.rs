//! Links between the documents.

use std::collections::HashSet;

use crate::workspace::Text;

use super::Findings;

pub(super) fn check(texts: &[Text], findings: &mut Findings) {
    let files: HashSet<&str> = texts.iter().map(|text| text.path.as_str()).collect();
    for Text { path, text } in texts.iter().filter(|text| text.path.ends_with(".md")) {
        for (line, target) in links(text) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() {
                path.clone()
            } else {
                resolve(path, file)
            };
            let place = format!("{path}:{line}");
            let is_folder = || {
                texts
                    .iter()
                    .any(|text| text.path.starts_with(&format!("{file}/")))
            };
            if !files.contains(file.as_str()) && !is_folder() {
                findings.error(place, format!("link to `{target}`: there is no {file}"));
            } else if !anchor.is_empty() && file.ends_with(".md") {
                let headings = texts
                    .iter()
                    .find(|text| text.path == file)
                    .map(|text| anchors(&text.text));
                if !headings.is_some_and(|headings| headings.contains(anchor)) {
                    findings.error(
                        place,
                        format!("link to `{target}`: no such heading in {file}"),
                    );
                }
            }
        }
    }
}

/// Targets of `[text](target)` outside code, with their lines; links to the web are left out.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    for (number, line) in prose(text) {
        // Every other piece between backticks is code.
        for piece in line.split('`').step_by(2) {
            for (at, _) in piece.match_indices("](") {
                let rest = &piece[at + 2..];
                let target = rest.split([')', ' ']).next().unwrap_or_default();
                if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                    links.push((number, target));
                }
            }
        }
    }
    links
}

/// Numbered lines outside fenced code.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(i, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((i + 1, line))
    })
}

/// The names by which headings are linked: small letters, blanks as hyphens, no punctuation.
fn anchors(text: &str) -> HashSet<String> {
    let headings = prose(text).filter(|(_, line)| line.starts_with('#'));
    let slugs = headings.map(|(_, line)| {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    });
    slugs.collect()
}

/// The path from the root that `target` means in the document `from`.
fn resolve(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                // Beyond the root there is nothing of ours: keep the step so that it resolves to no file.
                if parts.pop().is_none() {
                    parts.push("..");
                }
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::Findings;
    use crate::workspace::Text;

    #[test]
    fn links_resolve_or_are_found() {
        let broken = |markdown: &str| {
            let text = |path: &str, text: &str| Text {
                path: path.to_owned(),
                text: text.to_owned(),
            };
            let texts = [
                text("docs/a.md", markdown),
                text(
                    "docs/b.md",
                    "# The `b` page, twice\n```\n# not a heading\n```\n",
                ),
                text("README.md", "# Top\n"),
            ];
            let mut findings = Findings::default();
            check(&texts, &mut findings);
            findings
                .list
                .into_iter()
                .map(|finding| finding.place)
                .collect::<Vec<_>>()
        };
        for (markdown, want) in [
            ("[b](b.md) and [top](../README.md)", None),
            ("[b](b.md#the-b-page-twice)", None),
            ("[docs](../docs)", None),
            ("[web](https://example.org/x.md)", None),
            ("`[code](gone.md)`", None),
            ("```\n[code](gone.md)\n```", None),
            ("# Here\n[self](#here)", None),
            ("[gone](gone.md)", Some("docs/a.md:1")),
            ("\n![picture](img/run.svg)", Some("docs/a.md:2")),
            ("[b](b.md#missing)", Some("docs/a.md:1")),
            ("[b](b.md#not-a-heading)", Some("docs/a.md:1")),
            ("[out](../../README.md)", Some("docs/a.md:1")),
        ] {
            assert_eq!(
                broken(markdown).first().map(String::as_str),
                want,
                "{markdown}"
            );
        }
    }
}
