//! Step 8: how a line may be sent.

use feedhold_gcode_parse::Code;

use super::words::{self, Item, Kind};
use crate::{
    chunk::{Class, Stop, Weight},
    dialect::Dialect,
};

/// The class of a line by its words alone.
///
/// A line that moves *and* does something synchronous (`M3 S1000 G0 X5`) is a motion: its answer proves only that the
/// motion was planned. Only what ends with its answer may count as more.
pub(super) fn class(dialect: Dialect, text: &[u8], items: &[Item]) -> Class {
    match dialect {
        Dialect::Grbl => grbl(text, items),
        Dialect::Marlin => marlin(items),
    }
}

/// The class of a line that comes from no file. What cannot be read goes alone, like a setting.
pub(crate) fn class_of(dialect: Dialect, text: &[u8]) -> Class {
    let mut items = Vec::new();
    match words::read(dialect, text, &mut items) {
        Ok(_) => class(dialect, text, &items),
        Err(_) => Class::Exclusive,
    }
}

fn grbl(text: &[u8], items: &[Item]) -> Class {
    if let Some(setting) = items.iter().find(|item| item.kind == Kind::Setting) {
        return grbl_command(setting.bytes(text));
    }
    let mut class = Class::Modal;
    let mut takes_axes = false;
    let mut moves = false;
    for item in items {
        match item.kind {
            Kind::Code { letter: b'M', code } => class = class.max(grbl_m(code)),
            Kind::Code { letter: b'T', .. } => class = class.max(Class::Sync),
            Kind::Code { code, .. } => match (code.major, code.minor) {
                (4, 0) | (38, _) => class = class.max(Class::Patient),
                (10, 0) | (28 | 30, 1) => {
                    class = class.max(Class::Exclusive);
                    takes_axes = true;
                }
                (28 | 30, 0) => moves = true,
                (92 | 43, _) => takes_axes = true,
                _ => {}
            },
            Kind::Word { letter: b'S' } => class = class.max(Class::Sync),
            Kind::Word {
                letter: b'A' | b'B' | b'C' | b'U' | b'V' | b'W' | b'X' | b'Y' | b'Z',
            } => moves |= !takes_axes,
            _ => {}
        }
    }
    let probes = items
        .iter()
        .filter_map(Item::g)
        .any(|code| code.major == 38);
    let moves = moves && !takes_axes && !probes;
    match class {
        Class::Stop(_) | Class::Exclusive => class,
        _ if moves => Class::Motion,
        _ => class,
    }
}

fn grbl_m(code: Code) -> Class {
    match code.major {
        0 => Class::Stop(Stop::Pause),
        1 => Class::Stop(Stop::OptionalPause),
        2 => Class::Stop(Stop::End),
        30 => Class::Stop(Stop::EndRewind),
        6 => Class::Stop(Stop::ToolChange),
        _ => Class::Sync,
    }
}

/// A `$` line. What is not known is treated as a write.
fn grbl_command(line: &[u8]) -> Class {
    let begins = |prefix: &[u8]| {
        line.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    if begins(b"$J=") {
        return Class::Motion;
    }
    if line.eq_ignore_ascii_case(b"$G") {
        return Class::Modal;
    }
    let homes = begins(b"$H") && !line.contains(&b'=');
    if homes
        || [b"$C".as_slice(), b"$X", b"$SLP"]
            .iter()
            .any(|command| line.eq_ignore_ascii_case(command))
    {
        return Class::Patient;
    }
    Class::Exclusive
}

fn marlin(items: &[Item]) -> Class {
    let Some(command) = items
        .iter()
        .find(|item| matches!(item.kind, Kind::Code { .. }))
    else {
        return Class::Modal;
    };
    let Kind::Code { letter, code } = command.kind else {
        return Class::Modal;
    };
    match (letter, code.major) {
        (b'G', 0..=3) => {
            let moves = items.iter().any(|item| {
                matches!(item.kind, Kind::Word { letter: b'A'..=b'C' | b'E' | b'I' | b'J' | b'P' | b'U'..=b'Z' })
            });
            if moves { Class::Motion } else { Class::Modal }
        }
        (b'G', 5 | 6 | 10 | 11) => Class::Motion,
        (b'G', 4 | 12 | 26..=35 | 38 | 42 | 60 | 61 | 76 | 425) => Class::Patient,
        (b'T', _) => Class::Patient,
        (b'M', 0) => Class::Stop(Stop::Pause),
        (b'M', 1) => Class::Stop(Stop::OptionalPause),
        (b'M', 6) => Class::Stop(Stop::ToolChange),
        (b'M', 600) => Class::Stop(Stop::FilamentChange),
        (b'M', 500..=504 | 710) => Class::Exclusive,
        (b'M', 3..=5 | 7..=9 | 18 | 84 | 280) => Class::Sync,
        (
            b'M',
            24
            | 28
            | 32
            | 48
            | 109
            | 116
            | 125
            | 190..=193
            | 226
            | 240
            | 303
            | 306
            | 360..=364
            | 400
            | 422..=425
            | 428
            | 603
            | 665
            | 666
            | 701
            | 702
            | 871
            | 997
            | 999,
        ) => Class::Patient,
        _ => Class::Modal,
    }
}

/// What a line adds to the complexity and motion count of its chunk. `motion` carries the last motion code on, for
/// lines that only name axes; a chunk that begins with such lines counts them as `G1`.
pub(super) fn weight(items: &[Item], class: Class, motion: &mut u16) -> Weight {
    let mut tenths = 0;
    let mut named = false;
    for item in items {
        match item.kind {
            Kind::Code {
                letter: b'G',
                code:
                    Code {
                        major: major @ 0..=3,
                        minor: 0,
                    },
            } => {
                *motion = major;
                named = true;
                tenths += motion_tenths(major);
            }
            Kind::Code {
                letter: b'G',
                code: Code { major: 54..=59, .. },
            } => tenths += 20,
            Kind::Code { letter: b'T', .. }
            | Kind::Code {
                letter: b'M',
                code: Code { major: 6, minor: 0 },
            } => tenths += 50,
            _ => {}
        }
    }
    if class == Class::Motion && !named {
        tenths += motion_tenths(*motion);
    }
    Weight {
        motions: u64::from(class == Class::Motion),
        tenths,
    }
}

fn motion_tenths(major: u16) -> u64 {
    match major {
        0 => 5,
        1 => 10,
        _ => 30,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::words;

    fn items(dialect: Dialect, text: &str) -> Vec<Item> {
        let mut items = Vec::new();
        words::read(dialect, text.as_bytes(), &mut items).expect("words");
        items
    }

    fn check(dialect: Dialect, expected: Class, lines: &[&str]) {
        for text in lines {
            assert_eq!(
                class(dialect, text.as_bytes(), &items(dialect, text)),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn grbl_lines() {
        let grbl = |expected, lines: &[&str]| check(Dialect::Grbl, expected, lines);
        grbl(
            Class::Modal,
            &[
                "G90", "G1 F100", "G54", "G92 X0", "G43.1 Z5", "G92.1", "N10", "$G", "G80", "F5",
            ],
        );
        grbl(
            Class::Motion,
            &[
                "G0 X1",
                "X1",
                "G2 X1 I1",
                "G28",
                "G30 Z0",
                "G53 G0 Z0",
                "$J=X1F5",
                "M3 S5 G1 X1",
            ],
        );
        grbl(
            Class::Sync,
            &["M3", "M5", "S1000", "M8", "M9", "T2", "M3 S1000"],
        );
        grbl(
            Class::Patient,
            &["G4 P1", "G38.2 Z-1 F5", "$H", "$HX", "$X", "$C", "$SLP"],
        );
        grbl(
            Class::Exclusive,
            &[
                "G10 L2 P1 X0",
                "G10 L20 P1 X0",
                "G28.1",
                "G30.1",
                "$10=1",
                "$N0=G54",
                "$I=x",
                "$RST=#",
                "$$",
            ],
        );
        grbl(Class::Stop(Stop::Pause), &["M0", "G1 X1 M0"]);
        grbl(Class::Stop(Stop::OptionalPause), &["M1"]);
        grbl(Class::Stop(Stop::End), &["M2"]);
        grbl(Class::Stop(Stop::EndRewind), &["M30", "M5 M30"]);
        grbl(Class::Stop(Stop::ToolChange), &["M6", "T1 M6"]);
    }

    #[test]
    fn marlin_lines() {
        let marlin = |expected, lines: &[&str]| check(Dialect::Marlin, expected, lines);
        marlin(
            Class::Modal,
            &[
                "G90",
                "G1 F1500",
                "M104 S200",
                "M106 S255",
                "M117 G28",
                "M82",
                "G92 E0",
                "M73 P1 R2",
            ],
        );
        marlin(
            Class::Motion,
            &["G1 X1", "G1 E-1 F300", "G2 X1 I1", "G10", "G11"],
        );
        marlin(Class::Sync, &["M3 S1", "M5", "M84"]);
        marlin(
            Class::Patient,
            &[
                "G4 P1",
                "G28",
                "G28 X",
                "G29",
                "G30",
                "G32",
                "M109 S200",
                "M190 S60",
                "M116",
                "M226 P1",
                "M303",
                "M400",
                "T1",
            ],
        );
        marlin(Class::Exclusive, &["M500", "M501", "M502", "M503", "M504"]);
        marlin(Class::Stop(Stop::Pause), &["M0", "M0 Click"]);
        marlin(Class::Stop(Stop::OptionalPause), &["M1"]);
        marlin(Class::Stop(Stop::ToolChange), &["M6"]);
        marlin(Class::Stop(Stop::FilamentChange), &["M600"]);
    }

    #[test]
    fn weights() {
        let check = |text: &str, tenths| {
            let items = items(Dialect::Grbl, text);
            let class = class(Dialect::Grbl, text.as_bytes(), &items);
            assert_eq!(weight(&items, class, &mut 1).tenths, tenths, "{text}");
        };
        check("G1 X1", 10);
        check("G01 X1", 10);
        check("G10 L2 P1 X1", 0);
        check("G0 X1", 5);
        check("G2 X1 I1", 30);
        check("G3 X1 I1", 30);
        check("G30", 10);
        check("T1", 50);
        check("T1 M6", 100);
        check("M60", 0);
        check("G54", 20);
        check("G59 G0 X1", 25);
        check("X1", 10);
        check("G4 P1", 0);
    }
}
