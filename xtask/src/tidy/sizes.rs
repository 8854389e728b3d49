//! File sizes: what a reader can hold.

use crate::workspace::Text;

use super::{Findings, code};

/// A file above this many lines (tests not counted) is a smell.
const SMELL: usize = 400;
/// A file above this many lines is an error.
const MOST: usize = 800;

pub(super) fn check(texts: &[Text], findings: &mut Findings) {
    for Text { path, text } in texts.iter().filter(|text| is_counted(&text.path)) {
        let lines = code::lines_without_tests(text);
        if lines > MOST {
            findings.error(
                path,
                format!("{lines} lines without tests, at most {MOST}: find the seam and split it"),
            );
        } else if lines > SMELL {
            findings.warn(
                path,
                format!("{lines} lines without tests; {SMELL} are easier to hold"),
            );
        }
    }
}

/// Sources of crates, tasks and the test library; files and folders of tests may be long.
fn is_counted(path: &str) -> bool {
    let Some((_, source)) = path.split_once("/src/") else {
        return false;
    };
    let is_test = source == "tests.rs" || source.ends_with("/tests.rs");
    let in_tests = source.starts_with("tests/") || source.contains("/tests/");
    source.ends_with(".rs") && !is_test && !in_tests
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::{Findings, Weight};
    use crate::workspace::Text;

    #[test]
    fn long_files_are_found_and_long_tests_are_not() {
        let weight = |path: &str, lines: usize| {
            let mut findings = Findings::default();
            check(
                &[Text {
                    path: path.to_owned(),
                    text: "x\n".repeat(lines),
                }],
                &mut findings,
            );
            findings.list.first().map(|finding| finding.weight)
        };
        for (path, lines, want) in [
            ("crates/a/src/lib.rs", 400, None),
            ("crates/a/src/lib.rs", 401, Some(Weight::Warning)),
            ("crates/a/src/lib.rs", 800, Some(Weight::Warning)),
            ("crates/a/src/lib.rs", 801, Some(Weight::Error)),
            ("crates/a/src/b/tests.rs", 2000, None),
            ("crates/a/src/b/tests/parts.rs", 2000, None),
            ("crates/a/tests/all.rs", 2000, None),
            ("docs/long.md", 2000, None),
        ] {
            assert_eq!(weight(path, lines), want, "{path} with {lines} lines");
        }
    }
}
