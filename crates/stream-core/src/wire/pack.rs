//! Steps 6 and 7: writes the words that are left, as long as they were or shorter.

use super::{
    number::Number,
    words::{Item, Kind},
};
use crate::dialect::Dialect;

/// Writes the line as it stood: words with the blanks between them.
pub(super) fn write_off(dialect: Dialect, text: &[u8], items: &[Item], out: &mut Vec<u8>) {
    let from = out.len();
    let mut previous: Option<&Item> = None;
    for item in items.iter().filter(|item| is_sent(item)) {
        if out.len() > from {
            let gap = previous
                .and_then(|previous| text.get(previous.end..item.start))
                .unwrap_or_default();
            let blank = gap.iter().all(u8::is_ascii_whitespace);
            out.extend_from_slice(if blank { gap } else { b" " });
        }
        write_word(dialect, item.bytes(text), out);
        previous = Some(item);
    }
}

/// Writes the line without blanks between words.
pub(super) fn write_spaces(dialect: Dialect, text: &[u8], items: &[Item], out: &mut Vec<u8>) {
    let from = out.len();
    for item in items.iter().filter(|item| is_sent(item)) {
        separate(dialect, item, from, out);
        write_compact(dialect, text, item, out);
    }
}

/// Writes one word without blanks, number as it stood.
pub(super) fn write_compact(dialect: Dialect, text: &[u8], item: &Item, out: &mut Vec<u8>) {
    let bytes = item.bytes(text);
    match (dialect, item.kind) {
        (_, Kind::Verbatim | Kind::Setting) => out.extend_from_slice(bytes),
        (Dialect::Marlin, _) => write_word(dialect, bytes, out),
        (Dialect::Grbl, _) if bytes.contains(&b' ') || bytes.contains(&b'\t') => {
            out.extend(bytes.iter().filter(|byte| !matches!(byte, b' ' | b'\t')));
        }
        (Dialect::Grbl, _) => out.extend_from_slice(bytes),
    }
}

/// Writes one word with the shortest text of its number. `squeezed` is scratch for numbers with blanks inside.
pub(super) fn write_shortest(
    dialect: Dialect,
    text: &[u8],
    item: &Item,
    squeezed: &mut Vec<u8>,
    out: &mut Vec<u8>,
) {
    let numbered = matches!(item.kind, Kind::Code { .. } | Kind::Word { .. });
    match (
        item.letter(),
        Number::parse(without_blanks(item.value_bytes(text), squeezed)),
    ) {
        (Some(letter), Some(number)) if numbered => {
            out.push(letter);
            number.write_shortest(dialect, out);
        }
        _ => write_compact(dialect, text, item, out),
    }
}

/// The blank that must stay before a word. Only Marlin needs any: before the text of a command, and before an `E`,
/// which some of its forks would read as the exponent of the number in front of it.
pub(super) fn separate(dialect: Dialect, item: &Item, from: usize, out: &mut Vec<u8>) {
    if dialect == Dialect::Marlin
        && out.len() > from
        && (item.kind == Kind::Verbatim
            || (item.letter() == Some(b'E') && out.last().is_some_and(is_of_number)))
    {
        out.push(b' ');
    }
}

/// Numbers of grbl may hold blanks.
pub(super) fn without_blanks<'a>(value: &'a [u8], squeezed: &'a mut Vec<u8>) -> &'a [u8] {
    if !value.iter().any(u8::is_ascii_whitespace) {
        return value;
    }
    squeezed.clear();
    squeezed.extend(value.iter().filter(|byte| !byte.is_ascii_whitespace()));
    squeezed
}

/// `/` and `%` say something to this chain only, and checksums are the streamer's business.
fn is_sent(item: &Item) -> bool {
    !matches!(
        item.kind,
        Kind::BlockDelete | Kind::TapeMark | Kind::Checksum
    ) && item.start < item.end
}

/// Marlin knows its letters in upper case only.
fn write_word(dialect: Dialect, bytes: &[u8], out: &mut Vec<u8>) {
    match (dialect, bytes.split_first()) {
        (Dialect::Marlin, Some((letter, rest))) => {
            out.push(letter.to_ascii_uppercase());
            out.extend_from_slice(rest);
        }
        _ => out.extend_from_slice(bytes),
    }
}

fn is_of_number(byte: &u8) -> bool {
    byte.is_ascii_digit() || *byte == b'.'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::words;

    fn written(dialect: Dialect, text: &str) -> [String; 3] {
        let mut items = Vec::new();
        words::read(dialect, text.as_bytes(), &mut items).expect("words");
        let mut out = [const { Vec::new() }; 3];
        let [off, spaces, shortest] = &mut out;
        write_off(dialect, text.as_bytes(), &items, off);
        write_spaces(dialect, text.as_bytes(), &items, spaces);
        for item in &items {
            write_shortest(dialect, text.as_bytes(), item, &mut Vec::new(), shortest);
        }
        out.map(|bytes| String::from_utf8(bytes).expect("ASCII"))
    }

    #[test]
    fn three_ways_to_write_a_line() {
        let check = |dialect, text, expected: [&str; 3]| {
            assert_eq!(written(dialect, text), expected, "{text}")
        };
        use Dialect::{Grbl, Marlin};
        check(
            Grbl,
            "G01 X1.50  Y-0.25",
            ["G01 X1.50  Y-0.25", "G01X1.50Y-0.25", "G1X1.5Y-.25"],
        );
        check(Grbl, "g1 x 1 0 .0", ["g1 x 1 0 .0", "g1x10.0", "G1X10"]);
        check(
            Grbl,
            "$N0=G54 G20",
            ["$N0=G54 G20", "$N0=G54 G20", "$N0=G54 G20"],
        );
        check(
            Marlin,
            "G1 X1.00 E0.050",
            ["G1 X1.00 E0.050", "G1X1.00 E0.050", "G1X1E.05"],
        );
        check(Marlin, "g1 f1500", ["G1 F1500", "G1F1500", "G1F1500"]);
        check(
            Marlin,
            "M104 S200.0",
            ["M104 S200.0", "M104 S200.0", "M104S200.0"],
        );
        check(Marlin, "G28 X Y", ["G28 X Y", "G28 X Y", "G28X Y"]);
    }
}
