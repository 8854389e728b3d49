/// A letter and what stands behind it, as text.
pub(super) type Word<'a> = (char, &'a str);

/// The line without comments: nothing from `;` on, and nothing in parentheses where those are comments.
pub(super) fn without_comments(line: &str, parentheses: bool) -> String {
    let line = line.split(';').next().unwrap_or_default();
    if !parentheses {
        return line.to_owned();
    }
    let mut kept = String::new();
    let mut rest = line;
    while let Some((before, comment)) = rest.split_once('(') {
        kept.push_str(before);
        rest = comment.split_once(')').map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

/// Splits text before every letter. What stands before the first one is an error.
pub(super) fn words(text: &str) -> Result<Vec<Word<'_>>, String> {
    let starts: Vec<usize> = text
        .char_indices()
        .filter(|(_, c)| c.is_ascii_alphabetic())
        .map(|(at, _)| at)
        .collect();
    let before = &text[..starts.first().copied().unwrap_or(text.len())];
    if !before.trim().is_empty() {
        return Err(format!("`{before}` stands before the first word"));
    }
    let ends = starts.iter().copied().skip(1).chain([text.len()]);
    Ok(starts
        .iter()
        .zip(ends)
        .filter_map(|(start, end)| {
            let mut chars = text[*start..end].chars();
            let letter = chars.next()?.to_ascii_uppercase();
            Some((letter, chars.as_str().trim()))
        })
        .collect())
}

/// The number of a word.
pub(super) fn number((letter, text): Word<'_>) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| format!("`{letter}{text}` has no number"))
}

/// `G01` as `G1`, `g91.10` as `G91.1`.
pub(super) fn code(word: Word<'_>) -> Result<String, String> {
    Ok(format!("{}{}", word.0, number(word)?))
}

/// The number of the only word with this letter.
pub(super) fn value(words: &[Word<'_>], letter: char) -> Result<Option<f64>, String> {
    let mut found = words.iter().filter(|word| word.0 == letter);
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(word), None) => number(*word).map(Some),
        (Some(_), Some(_)) => Err(format!("{letter} stands there twice")),
    }
}
