//! Which motions certainly make a step, as far as the lines of one chunk tell.
//!
//! A planner gives no block to a motion without steps, so counting answered motions proves only as much as those that take a block
//! for certain. An axis moves when its word differs from the one before it, or, where the lines do not say that they are absolute,
//! when it also differs from zero.

use feedhold_gcode_parse::Code;

use super::words::{self, Item, Kind};
use crate::{chunk::Class, dialect::Dialect};

/// A way along one axis that is certainly made of steps, in the units of the program: also on a machine with 20 steps a millimetre.
const COARSE: f64 = 0.05;
/// The same on Marlin, which drops moves of less than six steps.
const COARSE_MARLIN: f64 = 0.3;
/// The same for axes that turn, degrees.
const COARSE_TURN: f64 = 1.0;

const LETTERS: [u8; 9] = *b"XYZABCUVW";

/// What the lines of a chunk have said so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Way {
    /// The last value of each axis, in the coordinates in force.
    at: [Option<f64>; LETTERS.len()],
    /// The codes last seen of those that change what a value means.
    distance: Option<Code>,
    units: Option<Code>,
    system: Option<Code>,
}

/// A [`Way`] of lines whose dialect is not known: what takes a block in every dialect.
#[derive(Debug, Default)]
pub(crate) struct LooseWay {
    grbl: Way,
    marlin: Way,
    items: Vec<Item>,
}

impl LooseWay {
    /// As [`Way::takes_block`].
    pub(crate) fn takes_block(&mut self, text: &[u8], class: Class) -> bool {
        let ways = [
            (Dialect::Grbl, &mut self.grbl),
            (Dialect::Marlin, &mut self.marlin),
        ];
        let mut all = true;
        for (dialect, way) in ways {
            if words::read(dialect, text, &mut self.items).is_err() {
                *way = Way::default();
                all = false;
                continue;
            }
            all &= way.takes_block(dialect, text, &self.items, class);
        }
        all
    }
}

/// What a code does to the values of axes.
enum Change {
    None,
    /// They mean something else from here on.
    Other,
    /// The values of this line mean something of their own.
    OwnLine,
}

impl Way {
    /// Follows one line. `true` when it certainly takes a block of the planner.
    pub(crate) fn takes_block(
        &mut self,
        dialect: Dialect,
        text: &[u8],
        items: &[Item],
        class: Class,
    ) -> bool {
        let mut own_line = false;
        for item in items {
            let change = match (item.kind, dialect) {
                (Kind::Code { letter: b'G', code }, _) => self.g(dialect, code),
                (Kind::Code { letter: b'M', code }, _) => m(dialect, code),
                (Kind::Code { .. }, Dialect::Marlin) | (Kind::Setting, _) => Change::OwnLine,
                _ => Change::None,
            };
            match change {
                Change::None => {}
                Change::Other => self.at = Default::default(),
                Change::OwnLine => own_line = true,
            }
        }
        if own_line {
            self.at = Default::default();
            return false;
        }
        class == Class::Motion && self.moves(dialect, text, items)
    }

    fn moves(&mut self, dialect: Dialect, text: &[u8], items: &[Item]) -> bool {
        let by_steps = self.distance == Some(Code::new(91));
        let absolute = self.distance == Some(Code::new(90));
        let mut moves = false;
        for item in items {
            let Kind::Word { letter } = item.kind else {
                continue;
            };
            let Some(axis) = LETTERS.iter().position(|known| *known == letter) else {
                continue;
            };
            let step = match (dialect, letter) {
                (_, b'A'..=b'C') => COARSE_TURN,
                (Dialect::Marlin, _) => COARSE_MARLIN,
                _ => COARSE,
            };
            let value = value(item.value_bytes(text));
            let before = core::mem::replace(&mut self.at[axis], value);
            let far = |way: f64| way.abs() >= step;
            moves |= match (value, before) {
                (Some(value), _) if by_steps => far(value),
                (Some(value), Some(before)) => far(value - before) && (absolute || far(value)),
                _ => false,
            };
        }
        moves
    }

    fn g(&mut self, dialect: Dialect, code: Code) -> Change {
        let slot = match (code.major, code.minor) {
            (0..=4, 0) => return Change::None,
            (17..=19 | 40 | 61 | 64 | 80 | 93 | 94, 0) if dialect == Dialect::Grbl => {
                return Change::None;
            }
            (90 | 91, 0) => &mut self.distance,
            (20 | 21, 0) => &mut self.units,
            (54..=59, _) => &mut self.system,
            _ => return Change::OwnLine,
        };
        if *slot == Some(code) {
            return Change::None;
        }
        *slot = Some(code);
        Change::Other
    }
}

fn m(dialect: Dialect, code: Code) -> Change {
    let harmless = match dialect {
        Dialect::Grbl => matches!(code.major, 0 | 1 | 3..=5 | 7..=9),
        Dialect::Marlin => matches!(
            code.major,
            0 | 1
                | 3..=5
                | 7..=9
                | 73
                | 82
                | 83
                | 104..=110
                | 117
                | 118
                | 140
                | 141
                | 190
                | 191
                | 204
                | 220
                | 221
                | 400
                | 900
        ),
    };
    if harmless {
        Change::None
    } else {
        Change::OwnLine
    }
}

/// The value of a word; blanks may stand in it.
fn value(bytes: &[u8]) -> Option<f64> {
    let text = core::str::from_utf8(bytes).ok()?;
    if text.contains([' ', '\t']) {
        let whole: String = text.split_ascii_whitespace().collect();
        return whole.parse().ok();
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::class_of;

    fn check(dialect: Dialect, lines: &[(&str, bool)]) {
        let mut way = Way::default();
        for (text, expected) in lines {
            let mut items = Vec::new();
            words::read(dialect, text.as_bytes(), &mut items).expect("words");
            let class = class_of(dialect, text.as_bytes());
            let found = way.takes_block(dialect, text.as_bytes(), &items, class);
            assert_eq!(found, *expected, "{text} of {lines:?}");
        }
    }

    #[test]
    fn only_what_certainly_moves_counts() {
        let grbl = |lines: &[(&str, bool)]| check(Dialect::Grbl, lines);
        grbl(&[
            ("G1 X1 F5", false),
            ("X2", true),
            ("X2", false),
            ("Y1", false),
            ("X2Y1.5", true),
        ]);
        grbl(&[
            ("G1 X1", false),
            ("X0", false),
            ("G90", false),
            ("X1", false),
            ("X0", true),
        ]);
        grbl(&[
            ("G91 G1 X1", true),
            ("X1", true),
            ("X0.01", false),
            ("G90 X1", false),
        ]);
        grbl(&[
            ("G90 G1 X1", false),
            ("G90 G1 X2", true),
            ("G20 X3", false),
            ("G20 X4", true),
        ]);
        grbl(&[
            ("G1 X1", false),
            ("G54 X2", false),
            ("G53 G0 X5", false),
            ("X6", false),
            ("X7", true),
        ]);
        grbl(&[
            ("X1", false),
            ("G92 X5", false),
            ("X5", false),
            ("M3 S5", false),
            ("X6", true),
        ]);
        grbl(&[
            ("X1", false),
            ("G28", false),
            ("X3", false),
            ("G2 X4 I1", true),
            ("G2 X4 I1", false),
        ]);
        grbl(&[("X1", false), ("$H", false), ("X3", false)]);
    }

    #[test]
    fn marlin_drops_short_moves() {
        let marlin = |lines: &[(&str, bool)]| check(Dialect::Marlin, lines);
        marlin(&[
            ("G1 X1", false),
            ("G1 X1.2", false),
            ("G1 X1.6 E5", true),
            ("G1 E9", false),
        ]);
        marlin(&[
            ("G1 X1", false),
            ("M106 S5", false),
            ("G1 X2", true),
            ("G28", false),
            ("G1 X3", false),
        ]);
        marlin(&[
            ("G1 X1", false),
            ("T1", false),
            ("G1 X2", false),
            ("M92 X100", false),
            ("G1 X3", false),
        ]);
    }
}
