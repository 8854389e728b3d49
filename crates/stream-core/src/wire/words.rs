//! The words of a stripped line, as spans of its text.
//!
//! With comments gone, what a dialect takes is letters with numbers and little else; anything else is a refusal.
//! This reader shares nothing with the interpreter that proves packed lines, so the two check each other.

use feedhold_gcode_parse::Code;

use super::RefusalCode;
use crate::dialect::Dialect;

/// Something on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) kind: Kind,
    /// Where it begins in the stripped text.
    pub(super) start: usize,
    /// Where its value begins.
    pub(super) value: usize,
    /// Where it ends.
    pub(super) end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `/` at the start.
    BlockDelete,
    /// `N` and its number.
    LineNumber,
    /// `*` and its number.
    Checksum,
    /// `G`, `M` or `T` with a number that can be a code.
    Code { letter: u8, code: Code },
    /// Any other letter with a number, or in Marlin without one.
    Word { letter: u8 },
    /// Bytes that the firmware takes as they stand: a text, or the arguments of a Marlin command.
    Verbatim,
    /// A `$` line of grbl.
    Setting,
    /// A line of nothing but `%`.
    TapeMark,
}

/// A place in the stripped text that is no word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) code: RefusalCode,
}

/// Most words on a line: more than fit into the line of any dialect.
const MOST: usize = 64;

impl Item {
    pub(super) fn bytes<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(self.start..self.end).unwrap_or_default()
    }

    pub(super) fn value_bytes<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(self.value..self.end).unwrap_or_default()
    }

    /// The letter of a word.
    pub(super) fn letter(&self) -> Option<u8> {
        match self.kind {
            Kind::Code { letter, .. } | Kind::Word { letter } => Some(letter),
            Kind::LineNumber => Some(b'N'),
            _ => None,
        }
    }

    pub(super) fn g(&self) -> Option<Code> {
        match self.kind {
            Kind::Code { letter: b'G', code } => Some(code),
            _ => None,
        }
    }

    pub(super) fn m(&self) -> Option<Code> {
        match self.kind {
            Kind::Code { letter: b'M', code } => Some(code),
            _ => None,
        }
    }
}

/// Reads the words of `text` into `items`.
pub(super) fn read(dialect: Dialect, text: &[u8], items: &mut Vec<Item>) -> Result<(), Fault> {
    items.clear();
    let mut reader = Reader {
        dialect,
        text,
        at: 0,
    };
    while let Some(item) = reader.item(items)? {
        if items.len() == MOST {
            return Err(Fault {
                start: item.start,
                end: item.end,
                code: RefusalCode::TooManyWords,
            });
        }
        items.push(item);
    }
    Ok(())
}

struct Reader<'a> {
    dialect: Dialect,
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn item(&mut self, before: &[Item]) -> Result<Option<Item>, Fault> {
        self.skip_blanks();
        let start = self.at;
        let Some(byte) = self.peek() else {
            return Ok(None);
        };
        if let Some(command) = self.verbatim_command(before) {
            return self.verbatim(command, start, before).map(Some);
        }
        let letter = byte.to_ascii_uppercase();
        match letter {
            b'/' if before.is_empty() => Ok(Some(self.sign(Kind::BlockDelete))),
            b'%' if before.is_empty() && self.text.len() == 1 => {
                Ok(Some(self.sign(Kind::TapeMark)))
            }
            b'$' if before.iter().all(is_delete) => self.setting(start).map(Some),
            b'*' => self.number(start, Kind::Checksum).map(Some),
            b'O' if self.dialect == Dialect::Grbl => Err(self.fault(start, RefusalCode::OWord)),
            b'#' => Err(self.fault(start, RefusalCode::Parameter)),
            b'[' => Err(self.fault(start, RefusalCode::Expression)),
            // In Marlin a line is numbered by its front alone: any other N is a word.
            b'N' if self.dialect == Dialect::Grbl || before.iter().all(is_delete) => {
                self.number(start, Kind::LineNumber).map(Some)
            }
            b'A'..=b'Z' => self.word(start, letter, before).map(Some),
            0x80.. => Err(self.fault(start, RefusalCode::NotAscii)),
            _ => Err(self.fault(start, RefusalCode::StrayByte)),
        }
    }

    fn word(&mut self, start: usize, letter: u8, before: &[Item]) -> Result<Item, Fault> {
        let mut item = self.number(start, Kind::Word { letter })?;
        if matches!(letter, b'G' | b'M' | b'T') {
            let value = item.value_bytes(self.text);
            match code(value) {
                Some(code) => item.kind = Kind::Code { letter, code },
                None if letter == b'T' && self.dialect == Dialect::Marlin => {}
                None => {
                    return Err(Fault {
                        start,
                        end: item.end,
                        code: RefusalCode::UnsupportedCode,
                    });
                }
            }
        }
        if self.dialect == Dialect::Marlin && item.value == item.end && !has_command(before) {
            return Err(Fault {
                start,
                end: item.end,
                code: RefusalCode::BadNumber,
            });
        }
        Ok(item)
    }

    /// A letter and the number behind it. Only Marlin takes a letter alone.
    fn number(&mut self, start: usize, kind: Kind) -> Result<Item, Fault> {
        self.at += 1;
        self.skip_blanks();
        match self.peek() {
            Some(b'#') => return Err(self.fault(start, RefusalCode::Parameter)),
            Some(b'[') => return Err(self.fault(start, RefusalCode::Expression)),
            _ => {}
        }
        let value = self.at;
        let mut end = value;
        let (mut digits, mut points) = (0, 0);
        while let Some(byte) = self.peek() {
            match byte {
                b'+' | b'-' if end == value => {}
                b'0'..=b'9' => digits += 1,
                b'.' => points += 1,
                b' ' | b'\t' if self.dialect == Dialect::Grbl => {
                    self.at += 1;
                    continue;
                }
                _ => break,
            }
            self.at += 1;
            end = self.at;
        }
        let flag =
            end == value && self.dialect == Dialect::Marlin && matches!(kind, Kind::Word { .. });
        if flag {
            self.at = start + 1;
            return Ok(Item {
                kind,
                start,
                value: self.at,
                end: self.at,
            });
        }
        if digits == 0 || points > 1 {
            return Err(Fault {
                start,
                end: end.max(start + 1),
                code: RefusalCode::BadNumber,
            });
        }
        Ok(Item {
            kind,
            start,
            value,
            end,
        })
    }

    /// The Marlin command whose arguments are not read as words: every one but plain motion and G92.
    fn verbatim_command(&self, before: &[Item]) -> Option<Item> {
        if self.dialect != Dialect::Marlin
            || before
                .last()
                .is_some_and(|item| matches!(item.kind, Kind::Verbatim | Kind::Checksum))
        {
            return None;
        }
        let command = before
            .iter()
            .copied()
            .find(|item| matches!(item.kind, Kind::Code { .. }))?;
        let plain = command
            .g()
            .is_some_and(|code| matches!((code.major, code.minor), (0..=3 | 92, 0)));
        (!plain).then_some(command)
    }

    /// The rest of the line up to its checksum. A text ends at its first `*`, because Marlin ends it there too.
    fn verbatim(&mut self, command: Item, start: usize, before: &[Item]) -> Result<Item, Fault> {
        let rest = self.text.get(start..).unwrap_or_default();
        let numbered = before.iter().any(|item| item.kind == Kind::LineNumber);
        // Whatever it is that stands behind the last `*` of a numbered line, Marlin takes it for the checksum.
        let checksum = rest
            .iter()
            .rposition(|&byte| byte == b'*')
            .filter(|_| numbered);
        let argument = rest.get(..checksum.unwrap_or(rest.len())).unwrap_or(rest);
        let star = argument.iter().position(|&byte| byte == b'*');
        let argument = argument
            .get(..star.unwrap_or(argument.len()))
            .unwrap_or(argument);
        let end = start + argument.trim_ascii_end().len();
        self.at = match (checksum, star) {
            (Some(at), _) => start + at,
            (None, Some(at)) if !takes_text(command) => start + at,
            _ => self.text.len(),
        };
        if !takes_text(command) {
            self.vet_arguments(command, start, end)?;
        }
        Ok(Item {
            kind: Kind::Verbatim,
            start,
            value: start,
            end,
        })
    }

    /// Arguments that no Marlin command can mean.
    fn vet_arguments(&self, command: Item, start: usize, end: usize) -> Result<(), Fault> {
        let mut quoted = false;
        let mut previous = b' ';
        for at in start..end {
            let byte = self.text.get(at).copied().unwrap_or(b' ');
            let next = self.text.get(at + 1).copied().unwrap_or(b' ');
            let fault = |code| {
                Err(Fault {
                    start: at,
                    end: (at + 2).min(end),
                    code,
                })
            };
            match byte {
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b'#' => return fault(RefusalCode::Parameter),
                b'[' | b'{' => return fault(RefusalCode::Expression),
                0x80.. => return fault(RefusalCode::NotAscii),
                b'G' | b'M' | b'g' | b'm'
                    if command.g().is_some() && previous == b' ' && next.is_ascii_digit() =>
                {
                    return fault(RefusalCode::SecondCommand);
                }
                _ => {}
            }
            previous = byte;
        }
        if quoted {
            return Err(Fault {
                start,
                end,
                code: RefusalCode::UnclosedString,
            });
        }
        Ok(())
    }

    fn setting(&mut self, start: usize) -> Result<Item, Fault> {
        if self.dialect == Dialect::Marlin {
            return Err(self.fault(start, RefusalCode::ForeignSetting));
        }
        self.at = self.text.len();
        Ok(Item {
            kind: Kind::Setting,
            start,
            value: start + 1,
            end: self.at,
        })
    }

    fn sign(&mut self, kind: Kind) -> Item {
        let start = self.at;
        self.at += 1;
        Item {
            kind,
            start,
            value: self.at,
            end: self.at,
        }
    }

    /// A fault over everything up to the next blank.
    fn fault(&self, start: usize, code: RefusalCode) -> Fault {
        let rest = self.text.get(start..).unwrap_or_default();
        let length = rest
            .iter()
            .position(u8::is_ascii_whitespace)
            .unwrap_or(rest.len());
        Fault {
            start,
            end: start + length.max(1),
            code,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }
}

fn is_delete(item: &Item) -> bool {
    item.kind == Kind::BlockDelete
}

fn has_command(items: &[Item]) -> bool {
    items
        .iter()
        .any(|item| matches!(item.kind, Kind::Code { .. }))
}

/// Marlin commands whose whole rest of line is text.
fn takes_text(command: Item) -> bool {
    command.m().is_some_and(|code| {
        matches!(code.major, 16 | 23 | 28 | 30 | 32 | 33 | 117 | 118 | 486 | 550..=553 | 587..=589 | 810..=819 | 928)
    })
}

/// The code that a number names; `None` for more than one digit behind the point, a sign, or a huge number.
pub(super) fn code(value: &[u8]) -> Option<Code> {
    let mut code = Code { major: 0, minor: 0 };
    let mut behind_point = None;
    for &byte in value.iter().filter(|byte| !matches!(byte, b' ' | b'\t')) {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'.' if behind_point.is_none() => {
                behind_point = Some(0_u8);
                continue;
            }
            _ => return None,
        };
        match &mut behind_point {
            None => code.major = code.major.checked_mul(10)?.checked_add(u16::from(digit))?,
            Some(places) => {
                if *places == 0 {
                    code.minor = digit;
                } else if digit != 0 {
                    return None;
                }
                *places = places.saturating_add(1);
            }
        }
    }
    Some(code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(dialect: Dialect, text: &str) -> String {
        let mut items = Vec::new();
        match read(dialect, text.as_bytes(), &mut items) {
            Ok(()) => {
                let names = items.iter().map(|item| {
                    let bytes = String::from_utf8_lossy(item.bytes(text.as_bytes()));
                    match item.kind {
                        Kind::Code { letter, code } => {
                            format!("<{}{}.{}>", letter as char, code.major, code.minor)
                        }
                        Kind::Word { .. } => format!("{bytes}"),
                        Kind::Verbatim => format!("'{bytes}'"),
                        other => format!("{other:?}({bytes})"),
                    }
                });
                names.collect::<Vec<_>>().join(" ")
            }
            Err(fault) => format!("{} at {}..{}", fault.code, fault.start, fault.end),
        }
    }

    #[test]
    fn grbl_words() {
        let check =
            |text: &str, expected: &str| assert_eq!(shown(Dialect::Grbl, text), expected, "{text}");
        check("G1 X1", "<G1.0> X1");
        check("g01x-1.5y+.5", "<G1.0> x-1.5 y+.5");
        check("G 3 8.2 Z - 1 0", "<G38.2> Z - 1 0");
        check("/N10 G0", "BlockDelete(/) LineNumber(N10) <G0.0>");
        check("N1 G0*71", "LineNumber(N1) <G0.0> Checksum(*71)");
        check("$10=1", "Setting($10=1)");
        check("/ $H", "BlockDelete(/) Setting($H)");
        check("%", "TapeMark(%)");
        check("T1 M6", "<T1.0> <M6.0>");
        check("G1 X", "bad-number at 3..4");
        check("G1 X1.2.3", "bad-number at 3..9");
        check("G1 X-", "bad-number at 3..5");
        check("G1 X[1+2]", "expression at 3..9");
        check("G1 X#1", "parameter at 3..6");
        check("#1=5", "parameter at 0..4");
        check("O100 sub", "o-word at 0..4");
        check("G1 @", "stray-byte at 3..4");
        check("G1 % X1", "stray-byte at 3..4");
        check("G59.11", "unsupported-code at 0..6");
        check("G99999999", "unsupported-code at 0..9");
        check("G-1", "unsupported-code at 0..3");
    }

    #[test]
    fn marlin_words() {
        let check = |text: &str, expected: &str| {
            assert_eq!(shown(Dialect::Marlin, text), expected, "{text}")
        };
        check("G1 X1 E.5", "<G1.0> X1 E.5");
        check("G1 X 10", "<G1.0> X 10");
        check("G28 X Y", "<G28.0> 'X Y'");
        check("M117 50% (done) [x] #1", "<M117.0> '50% (done) [x] #1'");
        check(
            "N7 M117 hi*33",
            "LineNumber(N7) <M117.0> 'hi' Checksum(*33)",
        );
        check("N7 M117 hi*33!", "stray-byte at 13..14");
        check("N7 M117 5*x", "bad-number at 9..10");
        check("M117 5*x", "<M117.0> '5'");
        check("M104 S200 T0", "<M104.0> 'S200 T0'");
        check("M862.3 P \"MK3S;\"", "<M862.3> 'P \"MK3S;\"'");
        check("T0", "<T0.0>");
        check("G92 E0", "<G92.0> E0");
        check("/N1 N2 M1", "BlockDelete(/) LineNumber(N1) N2 <M1.0>");
        check("G1 N5 X1", "<G1.0> N5 X1");
        check("G21 G90", "second-command at 4..6");
        check("M104 S[temp]", "expression at 6..8");
        check("M862.3 P \"MK3S", "unclosed-string at 7..14");
        check("$H", "foreign-setting at 0..2");
        check("X", "bad-number at 0..1");
        check("G1 (go) X1", "stray-byte at 3..7");
    }

    #[test]
    fn a_line_of_words_without_end_is_a_fault() {
        assert_eq!(
            shown(Dialect::Grbl, &"X1".repeat(65)),
            "too-many-words at 128..130"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_give_spans_in_order(text in prop::collection::vec(any::<u8>(), 0..64)) {
            for dialect in [Dialect::Grbl, Dialect::Marlin] {
                let mut items = Vec::new();
                if read(dialect, &text, &mut items).is_ok() {
                    let mut end = 0;
                    for item in &items {
                        prop_assert!(end <= item.start && item.start < item.end.max(item.start + 1));
                        prop_assert!(item.value <= item.end && item.end <= text.len());
                        end = item.end;
                    }
                }
            }
        }
    }
}
