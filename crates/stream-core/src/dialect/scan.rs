//! Small readers of numbers and words that refuse instead of guessing.

use std::str::FromStr;

/// A whole number of plain digits: no sign, no blank, nothing behind it, no overflow.
pub(super) fn unsigned<T: FromStr>(text: &str) -> Option<T> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// A plain decimal as firmware prints it: sign, digits, point, digits. No exponent, `nan` or `inf`.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !plain || !digits.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// `text` without `prefix`, compared without regard to ASCII case.
pub(super) fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

/// Whether `text` contains `needle`, without regard to ASCII case.
pub(super) fn contains_ignore_case(text: &str, needle: &str) -> bool {
    text.as_bytes()
        .windows(needle.len().max(1))
        .any(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

/// Whole words the way people separate them: no empty ones.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_ascii_whitespace()
}

/// Splits `KEY:rest` off the front of a list of `KEY:value` pairs.
pub(super) fn next_key(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let (key, after) = text.split_once(':')?;
    is_key(key).then_some((key, after))
}

/// Where in `text` the next ` KEY:` begins, or its length.
pub(super) fn next_key_start(text: &str) -> usize {
    let starts_key = |at: &usize| text.get(at + 1..).and_then(next_key_here).is_some();
    let mut blanks = text.match_indices(' ').map(|(at, _)| at);
    blanks.find(starts_key).unwrap_or(text.len())
}

fn next_key_here(text: &str) -> Option<()> {
    let (key, _) = text.split_once(':')?;
    is_key(key).then_some(())
}

/// Keys are capitals, digits and underscores and begin with a capital: `12:30:00` is no key.
fn is_key(key: &str) -> bool {
    let part = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    key.starts_with(|c: char| c.is_ascii_uppercase()) && key.bytes().all(part)
}
