//! Step 5, by choice: words removed by name.

use feedhold_gcode_parse::Code;

use super::{
    RefusalCode, WordName,
    codes::is_named,
    words::{Fault, Item, Kind},
};

/// Letters that a code owns when it stands on a line.
enum Arguments {
    /// Exactly these, and no axis words.
    Letters(&'static [u8]),
    /// Axis words and anything else: the code owns the whole line.
    Line,
    /// Nobody knows.
    Unknown,
}

/// Removes the words that `names` name, and the arguments that are theirs alone.
pub(super) fn skip(names: &[WordName], items: &mut Vec<Item>) -> Result<(), Fault> {
    while let Some(at) = items.iter().position(|item| is_named(names, item)) {
        let item = items.remove(at);
        let Kind::Code { letter, code } = item.kind else {
            continue;
        };
        let arguments = arguments(letter, code);
        if !remove_arguments(&arguments, letter, items) {
            return Err(Fault {
                start: item.start,
                end: item.end,
                code: RefusalCode::AmbiguousSkip,
            });
        }
    }
    Ok(())
}

/// False when somebody else on the line may own them too.
fn remove_arguments(arguments: &Arguments, letter: u8, items: &mut Vec<Item>) -> bool {
    let others = items.iter().any(|item| {
        matches!(
            item.kind,
            Kind::Code {
                letter: b'G' | b'M',
                ..
            }
        )
    });
    match arguments {
        Arguments::Letters(letters) => {
            let owned = |item: &Item| matches!(item.kind, Kind::Word { letter } if letters.contains(&letter));
            let claimed = items.iter().any(owned) && items.iter().any(|item| claims(item, letters));
            items.retain(|item| !owned(item));
            !claimed
        }
        Arguments::Line if others => false,
        Arguments::Line => {
            items.clear();
            true
        }
        // An M code never owns axis words, so a lone motion beside it is safe.
        Arguments::Unknown => {
            let harmless: &[u8] = if letter == b'M' {
                b"FSXYZABCIJK"
            } else {
                b"FS"
            };
            let only_harmless = items.iter().all(
                |item| !matches!(item.kind, Kind::Word { letter } if !harmless.contains(&letter)),
            );
            if !only_harmless && !others {
                items.retain(|item| !matches!(item.kind, Kind::Word { .. } | Kind::Verbatim));
                return true;
            }
            only_harmless
        }
    }
}

/// What a code owns. Motions and canned cycles own the line: without them its axis words would mean another motion.
fn arguments(letter: u8, code: Code) -> Arguments {
    match (letter, code.major, code.minor) {
        (b'G', 64, 0) => Arguments::Letters(b"PQ"),
        (b'G', 4, 0) => Arguments::Letters(b"P"),
        (b'G', 43, 0) => Arguments::Letters(b"H"),
        (b'G', 41 | 42, 0) => Arguments::Letters(b"D"),
        (b'G', 41 | 42, 1) => Arguments::Letters(b"DL"),
        (b'G', 96, 0) => Arguments::Letters(b"DS"),
        (
            b'G',
            15 | 17..=21 | 40 | 49 | 50 | 53..=59 | 61 | 69 | 80 | 90 | 91 | 93..=95 | 97..=99,
            _,
        ) => Arguments::Letters(b""),
        (b'G', 0..=3 | 5 | 10 | 28 | 30 | 33 | 38 | 43 | 52 | 73..=76 | 81..=89 | 92, _) => {
            Arguments::Line
        }
        (b'M', 0..=9 | 30 | 60, 0) => Arguments::Letters(b""),
        (b'M', 48..=53, 0) => Arguments::Letters(b"P"),
        (b'T', ..) => Arguments::Letters(b""),
        _ => Arguments::Unknown,
    }
}

/// Another code on the line may own one of `letters`.
fn claims(item: &Item, letters: &[u8]) -> bool {
    let Kind::Code { letter, code } = item.kind else {
        return false;
    };
    match arguments(letter, code) {
        Arguments::Letters(own) => own.iter().any(|letter| letters.contains(letter)),
        // Motions take axis words, offsets and R, never P, Q, H or D.
        Arguments::Line => letter != b'G' || !matches!(code.major, 0..=3),
        Arguments::Unknown => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dialect::Dialect, wire::words};

    #[test]
    fn words_go_with_their_arguments() {
        let check = |names: &str, text: &str, expected: &str| {
            let names: Vec<WordName> = names
                .split(' ')
                .map(|name| name.parse().expect("a name"))
                .collect();
            let mut items = Vec::new();
            words::read(Dialect::Grbl, text.as_bytes(), &mut items).expect("words");
            let left = match skip(&names, &mut items) {
                Ok(()) => {
                    let kept = items
                        .iter()
                        .map(|item| item.bytes(text.as_bytes()).escape_ascii().to_string());
                    kept.collect::<Vec<_>>().join(" ")
                }
                Err(fault) => format!("{} at {}", fault.code, fault.start),
            };
            assert_eq!(left, expected, "{text} without {names:?}");
        };
        check("G64", "G1 X1", "G1 X1");
        check("G64", "G64", "");
        check("G64", "N10 G64", "N10");
        check("G64", "G64 P0.1", "");
        check("G64", "G64 P0.1 Q2 G1 X1 F5", "G1 X1 F5");
        check("G64", "G64 P1 G4 P2", "ambiguous-skip at 0");
        check("G64", "G61.1 G064", "G61.1");
        check("G64 M7", "G64 M7 G0 X1", "G0 X1");
        check("G43", "G43 H1 Z5", "Z5");
        check("H", "G43.1 H1 Z5", "G43.1 Z5");
        check("G81", "G81 X1 Y2 Z-1 R1 F50", "");
        check("G10", "G10 L2 P1 X0", "");
        check("G10", "G10 L2 P1 G1 X0", "ambiguous-skip at 0");
        check("M66", "M66 P1 L3 Q5", "");
        check("M66", "M66 P1 G0 X1", "ambiguous-skip at 0");
        check("M66", "M66 G0 X1", "G0 X1");
        check("G77", "G77 G1 X1", "ambiguous-skip at 0");
        check("G77", "G77 X1", "");
        check("T", "T1 M3 S5", "M3 S5");
    }
}
