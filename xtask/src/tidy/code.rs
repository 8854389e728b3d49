//! Just enough of Rust's surface to look for words in it.

/// The line without its `//` comment. A `//` after a colon or inside a string stays: addresses do
/// not begin comments.
pub(super) fn without_comment(line: &str) -> &str {
    let mut from = 0;
    while let Some(at) = line[from..].find("//").map(|at| from + at) {
        let before = &line[..at];
        let in_string = before.matches('"').count() % 2 == 1;
        if !before.ends_with(':') && !in_string {
            return before;
        }
        from = at + 2;
    }
    line
}

/// True when `word` stands in `text` with no letter, digit or underscore beside it.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(joins) && !after.is_some_and(joins)
    })
}

/// Lines of a source file that are not in an inline `#[cfg(test)] mod … { … }`.
pub(super) fn lines_without_tests(text: &str) -> usize {
    let mut count = 0;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let inline_tests = line == "#[cfg(test)]"
            && lines
                .peek()
                .is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'));
        if inline_tests {
            let _ = lines.by_ref().find(|line| *line == "}");
        } else {
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::{has_word, lines_without_tests, without_comment};

    #[test]
    fn comments_are_cut_off() {
        for (line, want) in [
            ("let a = 1; // why", "let a = 1; "),
            ("/// doc", ""),
            ("let a = \"tcp://host\"; // b", "let a = \"tcp://host\"; "),
            ("let a = \"x // y\";", "let a = \"x // y\";"),
            ("plain", "plain"),
        ] {
            assert_eq!(without_comment(line), want, "{line}");
        }
    }

    #[test]
    fn words_are_whole() {
        for (text, word, want) in [
            ("use tokio::sync", "tokio", true),
            ("use tokio_serial::X", "tokio", false),
            ("my_serde", "serde", false),
            ("(serde)", "serde", true),
            ("serde_x serde", "serde", true),
        ] {
            assert_eq!(has_word(text, word), want, "{word} in {text}");
        }
    }

    #[test]
    fn inline_tests_do_not_count() {
        let text = "a\nb\n#[cfg(test)]\nmod tests {\n    c\n}\nd\n#[cfg(test)]\nmod tests;\n";
        assert_eq!(lines_without_tests(text), 5);
    }
}
