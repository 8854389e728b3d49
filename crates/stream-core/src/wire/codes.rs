//! Step 5: codes and words that the dialect does not have.

use feedhold_gcode_parse::Code;

use super::{
    RefusalCode, WordName,
    words::{Fault, Item, Kind},
};
use crate::dialect::Dialect;

/// What a dialect makes of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Known,
    /// Not in the firmware's list, but harmless to try.
    Unlisted,
    Refused(RefusalCode),
}

/// Checks every word. The first refusal ends it; `unlisted` is told each code that is only not listed.
pub(super) fn check(
    dialect: Dialect,
    items: &[Item],
    allow: &[WordName],
    mut unlisted: impl FnMut(u8, Code),
) -> Result<(), Fault> {
    for item in items {
        match verdict(dialect, item.kind) {
            Verdict::Known => {}
            Verdict::Unlisted => {
                if let Kind::Code { letter, code } = item.kind {
                    unlisted(letter, code);
                }
            }
            Verdict::Refused(_) if is_named(allow, item) => {}
            Verdict::Refused(code) => {
                return Err(Fault {
                    start: item.start,
                    end: item.end,
                    code,
                });
            }
        }
    }
    match dialect {
        Dialect::Grbl => check_tool_change(items),
        Dialect::Marlin => check_single_command(items),
    }
}

/// One of `names` names the word.
pub(super) fn is_named(names: &[WordName], item: &Item) -> bool {
    !names.is_empty()
        && match item.kind {
            Kind::Code { letter, code } => names.iter().any(|name| name.names(letter, Some(code))),
            Kind::Word { letter } => names.iter().any(|name| name.names(letter, None)),
            _ => false,
        }
}

fn verdict(dialect: Dialect, kind: Kind) -> Verdict {
    match (dialect, kind) {
        (Dialect::Grbl, Kind::Code { letter, code }) if grbl_has(letter, code) => Verdict::Known,
        (Dialect::Grbl, Kind::Code { .. }) => Verdict::Refused(RefusalCode::UnsupportedCode),
        (Dialect::Grbl, Kind::Word { letter }) if !b"FIJKLPRSXYZ".contains(&letter) => {
            Verdict::Refused(RefusalCode::UnsupportedWord)
        }
        (
            Dialect::Marlin,
            Kind::Code {
                letter: b'M',
                code: Code { major: 112, .. },
            },
        ) => Verdict::Refused(RefusalCode::EmergencyStop),
        (Dialect::Marlin, Kind::Code { letter, code }) if !marlin_lists(letter, code) => {
            Verdict::Unlisted
        }
        _ => Verdict::Known,
    }
}

/// What grbl 1.1 executes in its stock build; `M6` is listed because the streamer acts on it and never sends it.
fn grbl_has(letter: u8, code: Code) -> bool {
    matches!(
        (letter, code.major, code.minor),
        (b'G', 0..=4 | 10 | 17..=21 | 28 | 30 | 40 | 49 | 53..=59 | 61 | 80 | 90..=94, 0)
            | (b'G', 28 | 30 | 43 | 91 | 92, 1)
            | (b'G', 38, 2..=5)
            | (b'M', 0..=6 | 8 | 9 | 30, 0)
            | (b'T', _, 0)
    )
}

/// What the command reference of Marlin 2 lists.
fn marlin_lists(letter: u8, code: Code) -> bool {
    matches!(
        (letter, code.major),
        (b'G', 0..=6 | 10..=12 | 17..=21 | 26..=35 | 38 | 42 | 53..=61 | 76 | 80 | 90..=92 | 425)
            | (b'M', 0..=11 | 16..=34 | 42 | 43 | 48 | 72..=87 | 92 | 100..=129 | 140 | 141 | 143 | 145 | 149 | 150)
            | (b'M', 154 | 155 | 163..=166 | 190..=193 | 200..=211 | 217 | 218 | 220 | 221 | 226 | 240 | 250 | 255 | 256)
            | (b'M', 260 | 261 | 280..=282 | 290 | 300..=310 | 350 | 351 | 355 | 360..=364 | 380 | 381 | 400..=413)
            | (b'M', 420..=430 | 486 | 493 | 500..=512 | 524 | 540 | 552..=554 | 569 | 575 | 592 | 593 | 600 | 603)
            | (b'M', 605 | 665 | 666 | 672 | 701 | 702 | 710 | 808..=819 | 851 | 852 | 860..=869 | 871 | 876 | 900)
            | (b'M', 906..=919 | 928 | 936 | 951 | 993..=999 | 7219)
            | (b'T', _)
    )
}

/// grbl cannot change tools, so the streamer must be able to keep an `M6` line to itself.
fn check_tool_change(items: &[Item]) -> Result<(), Fault> {
    let is_change = |item: &Item| item.m() == Some(Code { major: 6, minor: 0 });
    let Some(change) = items.iter().find(|item| is_change(item)) else {
        return Ok(());
    };
    let alone = items.iter().all(|item| {
        is_change(item)
            || matches!(
                item.kind,
                Kind::Code { letter: b'T', .. } | Kind::LineNumber | Kind::BlockDelete
            )
    });
    let fault = Fault {
        start: change.start,
        end: change.end,
        code: RefusalCode::MixedToolChange,
    };
    if alone { Ok(()) } else { Err(fault) }
}

/// Marlin runs the first command of a line, and only that.
fn check_single_command(items: &[Item]) -> Result<(), Fault> {
    let mut words = items
        .iter()
        .filter(|item| matches!(item.kind, Kind::Code { .. } | Kind::Word { .. }));
    let fault = |item: &Item, code| {
        Err(Fault {
            start: item.start,
            end: item.end,
            code,
        })
    };
    match words.next() {
        Some(first) if !matches!(first.kind, Kind::Code { .. }) && first.letter() != Some(b'T') => {
            return fault(first, RefusalCode::NoCommand);
        }
        _ => {}
    }
    match words.find(|item| matches!(item.letter(), Some(b'G' | b'M'))) {
        Some(second) => fault(second, RefusalCode::SecondCommand),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::words;

    fn verdicts(dialect: Dialect, text: &str, allow: &[&str]) -> String {
        let mut items = Vec::new();
        words::read(dialect, text.as_bytes(), &mut items).expect("words");
        let allow: Vec<WordName> = allow
            .iter()
            .map(|name| name.parse().expect("a name"))
            .collect();
        let mut seen = String::new();
        match check(dialect, &items, &allow, |letter, code| {
            seen += &format!("{}{code} unlisted ", letter as char)
        }) {
            Ok(()) => seen + "ok",
            Err(fault) => format!("{seen}{} at {}", fault.code, fault.start),
        }
    }

    #[test]
    fn grbl_takes_exactly_its_own_codes() {
        let known = "0 1 2 3 4 10 17 18 19 20 21 28 28.1 30 30.1 38.2 38.3 38.4 38.5 40 43.1 49 53 54 55 56 57 58 59 61 \
                     80 90 91 91.1 92 92.1 93 94";
        let known: Vec<&str> = known.split(' ').collect();
        for major in 0..130 {
            for minor in 0..10 {
                let number = if minor == 0 {
                    major.to_string()
                } else {
                    format!("{major}.{minor}")
                };
                let expected = if known.contains(&number.as_str()) {
                    "ok"
                } else {
                    "unsupported-code at 0"
                };
                assert_eq!(
                    verdicts(Dialect::Grbl, &format!("G{number}"), &[]),
                    expected,
                    "G{number}"
                );
            }
        }
        for code in 0..130 {
            let expected = if [0, 1, 2, 3, 4, 5, 6, 8, 9, 30].contains(&code) {
                "ok"
            } else {
                "unsupported-code at 0"
            };
            assert_eq!(
                verdicts(Dialect::Grbl, &format!("M{code}"), &[]),
                expected,
                "M{code}"
            );
        }
    }

    #[test]
    fn grbl_takes_exactly_its_own_letters() {
        for letter in b'A'..=b'Z' {
            let text = format!("{}1", letter as char);
            let expected = match letter {
                b'O' => continue,
                b'F' | b'G' | b'I'..=b'N' | b'P' | b'R'..=b'T' | b'X'..=b'Z' => "ok",
                _ => "unsupported-word at 0",
            };
            assert_eq!(verdicts(Dialect::Grbl, &text, &[]), expected, "{text}");
        }
    }

    #[test]
    fn a_tool_change_on_grbl_stands_alone() {
        assert_eq!(verdicts(Dialect::Grbl, "N10 T1 M6", &[]), "ok");
        assert_eq!(
            verdicts(Dialect::Grbl, "T1 M6 G0 X1", &[]),
            "mixed-tool-change at 3"
        );
    }

    #[test]
    fn allowed_words_pass() {
        assert_eq!(verdicts(Dialect::Grbl, "M7", &["M7"]), "ok");
        assert_eq!(verdicts(Dialect::Grbl, "G0 A5", &["A"]), "ok");
        assert_eq!(
            verdicts(Dialect::Marlin, "M112", &[]),
            "emergency-stop at 0"
        );
        assert_eq!(verdicts(Dialect::Marlin, "M112", &["M112"]), "ok");
    }

    #[test]
    fn marlin_wants_one_command_a_line() {
        let check =
            |text, expected| assert_eq!(verdicts(Dialect::Marlin, text, &[]), expected, "{text}");
        check("G1 X1 E2", "ok");
        check("T0", "ok");
        check("X1 Y2", "no-command at 0");
        check("G1 X1 M5", "second-command at 6");
        check("M6789", "M6789 unlisted ok");
        check("G64", "G64 unlisted ok");
    }
}
