//! Step 2: comments go, and with them every byte in them that the controller would act on.

use super::RefusalCode;
use crate::dialect::Dialect;

/// A line without its comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stripped<'a> {
    /// A part of the line as it stood; `at` is where it begins there.
    Part { at: usize, text: &'a [u8] },
    /// Comments stood between words: what is left lies in the scratch buffer.
    Pieces,
}

/// Cuts comments off. When there are some between words, what is left is written to `scratch`.
///
/// A `;` comments the rest of the line; in grbl `(` comments up to the next `)` or, as grbl reads it, to the end of
/// the line. In Marlin a `;` inside a quoted string is text, and a quote that nothing closes begins no string.
pub(super) fn strip<'a>(dialect: Dialect, line: &'a [u8], scratch: &mut Vec<u8>) -> Stripped<'a> {
    let Some(first) = comment_start(dialect, line, 0) else {
        return part(line, 0, line.len());
    };
    let next = after_comment(line, first);
    if line
        .get(next..)
        .is_none_or(|rest| rest.trim_ascii().is_empty())
    {
        return part(line, 0, first);
    }
    if line
        .get(..first)
        .is_none_or(|lead| lead.trim_ascii().is_empty())
        && comment_start(dialect, line, next).is_none()
    {
        return part(line, next, line.len());
    }
    scratch.clear();
    for_each_kept(dialect, line, |_, byte| scratch.push(byte));
    Stripped::Pieces
}

/// The byte begins a comment in some dialect.
pub(super) fn may_comment(byte: u8) -> bool {
    matches!(byte, b';' | b'(')
}

/// The index in `line` of byte `column` of what [`strip`] left of it.
pub(super) fn source_index(dialect: Dialect, line: &[u8], column: usize) -> usize {
    let mut seen = 0;
    let mut found = line.len();
    for_each_kept(dialect, line, |at, _| {
        if seen == column {
            found = at;
        }
        seen += 1;
    });
    found
}

/// The first byte outside comments that the controller would take out of the stream.
///
/// A quoted `;` is text only for a Marlin built with `GCODE_QUOTED_STRINGS`, which it does not tell. Any other cuts the line there,
/// with the checksum at its end, and asks for it for ever.
pub(super) fn fault(dialect: Dialect, text: &[u8]) -> Option<(usize, RefusalCode)> {
    text.iter().enumerate().find_map(|(at, &byte)| match byte {
        b';' if dialect == Dialect::Marlin => Some((at, RefusalCode::QuotedSemicolon)),
        _ => dialect
            .eats(byte)
            .then_some((at, RefusalCode::RealtimeByte)),
    })
}

/// The byte of what [`strip`] left that would go on with a number across a comment: `X1(a)5`. grbl reads 15 there, and nobody who
/// wrote it meant that.
pub(super) fn joined(dialect: Dialect, line: &[u8]) -> Option<usize> {
    let mut before: Option<(usize, u8)> = None;
    let (mut column, mut found) = (0, None);
    for_each_kept(dialect, line, |at, byte| {
        if !byte.is_ascii_whitespace() {
            let behind_comment = before.is_some_and(|(last, _)| {
                let between = line.get(last + 1..at).unwrap_or_default();
                between.iter().any(|byte| !byte.is_ascii_whitespace())
            });
            let goes_on = byte.is_ascii_digit() || byte == b'.';
            let is_open = before.is_some_and(|(_, last)| {
                last.is_ascii_alphanumeric() || matches!(last, b'.' | b'+' | b'-')
            });
            if behind_comment && goes_on && is_open {
                found.get_or_insert(column);
            }
            before = Some((at, byte));
        }
        column += 1;
    });
    found
}

fn part(line: &[u8], from: usize, to: usize) -> Stripped<'_> {
    let text = line.get(from..to).unwrap_or_default();
    let lead = text.len() - text.trim_ascii_start().len();
    Stripped::Part {
        at: from + lead,
        text: text.trim_ascii(),
    }
}

/// Where the next comment begins.
fn comment_start(dialect: Dialect, line: &[u8], from: usize) -> Option<usize> {
    let rest = line.get(from..)?;
    match dialect {
        Dialect::Grbl => rest
            .iter()
            .position(|byte| matches!(byte, b';' | b'('))
            .map(|at| from + at),
        Dialect::Marlin => {
            let mut at = from;
            loop {
                at = match line.get(at)? {
                    b';' => return Some(at),
                    b'"' => closing_quote(line, at).unwrap_or(at) + 1,
                    _ => at + 1,
                };
            }
        }
    }
}

/// The quote that ends the string which begins at `open`; a backslash keeps the byte behind it.
fn closing_quote(line: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        match line.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Where the text goes on after the comment that begins at `start`.
fn after_comment(line: &[u8], start: usize) -> usize {
    let comment = line.get(start..).unwrap_or_default();
    match comment {
        [b'(', ..] => comment
            .iter()
            .position(|&byte| byte == b')')
            .map_or(line.len(), |at| start + at + 1),
        _ => line.len(),
    }
}

/// Visits what stands outside comments, without blanks at either end, as (index, byte).
fn for_each_kept(dialect: Dialect, line: &[u8], mut visit: impl FnMut(usize, u8)) {
    let ranges_from = |from: usize| {
        let end = comment_start(dialect, line, from).unwrap_or(line.len());
        (
            end,
            if end < line.len() {
                after_comment(line, end)
            } else {
                line.len()
            },
        )
    };
    let mut last = 0;
    let mut from = 0;
    while from < line.len() {
        let (end, next) = ranges_from(from);
        let piece = line.get(from..end).unwrap_or_default();
        if let Some(at) = piece.iter().rposition(|byte| !byte.is_ascii_whitespace()) {
            last = from + at + 1;
        }
        from = next.max(from + 1);
    }
    let mut begun = false;
    from = 0;
    while from < last {
        let (end, next) = ranges_from(from);
        for (at, &byte) in line.iter().enumerate().take(end.min(last)).skip(from) {
            begun |= !byte.is_ascii_whitespace();
            if begun {
                visit(at, byte);
            }
        }
        from = next.max(from + 1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stripped(dialect: Dialect, line: &[u8]) -> Vec<u8> {
        let mut scratch = Vec::new();
        match strip(dialect, line, &mut scratch) {
            Stripped::Part { text, .. } => text.to_vec(),
            Stripped::Pieces => scratch,
        }
    }

    #[test]
    fn comments_go() {
        let check = |dialect, line: &str, expected: &str| {
            assert_eq!(
                String::from_utf8_lossy(&stripped(dialect, line.as_bytes())),
                expected,
                "{line}"
            );
        };
        use Dialect::{Grbl, Marlin};
        check(Grbl, "G1 X1", "G1 X1");
        check(Grbl, "  G1 X1\t", "G1 X1");
        check(Grbl, "", "");
        check(Grbl, "(only)", "");
        check(Grbl, " ; only", "");
        check(Grbl, "G0 X1 (pause! here?)", "G0 X1");
        check(Grbl, "(a) G0 X1", "G0 X1");
        check(Grbl, "(a) G0 (b~) X1 (c) ; d", "G0  X1");
        check(Grbl, "G0 (a;b) X1", "G0  X1");
        check(Grbl, "G0 (a(b) X1", "G0  X1");
        check(Grbl, "G0 ; (a) X1", "G0");
        check(Grbl, "G0 (never closed X1", "G0");
        check(Grbl, "G0 X1 (\u{c4}nderung)", "G0 X1");
        check(Marlin, "G1 X1 ; go", "G1 X1");
        check(Marlin, "M117 (hi) ; bye", "M117 (hi)");
        check(Marlin, "M118 \"a;b\" ; c", "M118 \"a;b\"");
        check(Marlin, "M117 5\" disk ; c", "M117 5\" disk");
        check(Marlin, "M10\"g\";\"", "M10\"g\"");
        check(Marlin, "M118 \"a\" ;b\"", "M118 \"a\"");
        check(Marlin, "M118 \"a\\\";b\" ; c", "M118 \"a\\\";b\"");
        check(Marlin, "M118 \"a\\\";b ; c", "M118 \"a\\\"");
    }

    #[test]
    fn columns_lead_back_to_the_source() {
        let line = b"  (a) G0 (bb) X1! (c)";
        assert_eq!(stripped(Dialect::Grbl, line), b"G0  X1!");
        let text = stripped(Dialect::Grbl, line);
        let (column, code) = fault(Dialect::Grbl, &text).expect("a realtime byte");
        assert_eq!(code, RefusalCode::RealtimeByte);
        assert_eq!(source_index(Dialect::Grbl, line, column), 16);
        assert_eq!(line.get(16), Some(&b'!'));
    }

    #[test]
    fn numbers_do_not_go_on_behind_a_comment() {
        for (line, expected) in [
            ("G1 (a) X1 (b) Y2", None),
            ("X1 (a) -5", None),
            ("X1 5", None),
            ("(a) 5 (b) X1", None),
            ("X1(a)5", Some(2)),
            ("F300 (edge)0", Some(5)),
            ("Y(a) (b).5", Some(2)),
        ] {
            assert_eq!(joined(Dialect::Grbl, line.as_bytes()), expected, "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_is_left_holds_no_comment(line in "[GX1 ();\"!~\t]{0,24}") {
            let text = stripped(Dialect::Grbl, line.as_bytes());
            prop_assert!(!text.iter().any(|byte| matches!(byte, b'(' | b';')));
            prop_assert_eq!(text.trim_ascii(), text.as_slice());
        }

        #[test]
        fn every_kept_byte_is_found_again(line in "[GX1 ();]{0,24}") {
            let text = stripped(Dialect::Grbl, line.as_bytes());
            for (column, byte) in text.iter().enumerate() {
                let index = source_index(Dialect::Grbl, line.as_bytes(), column);
                prop_assert_eq!(line.as_bytes().get(index), Some(byte));
            }
        }
    }
}
