//! Step 7, `--pack lossless`: what a chunk itself established need not be said again.

use feedhold_gcode_parse::Code;

use super::{
    number::{Number, Value},
    pack::{separate, without_blanks, write_shortest, write_spaces},
    words::{Item, Kind},
};
use crate::{
    chunk::{Class, DistanceMode, FeedMode, Modes},
    dialect::Dialect,
};

/// What is certain before a line. `None` is always allowed and only costs bytes.
#[derive(Debug)]
pub(super) struct Known {
    dialect: Dialect,
    modes: Modes,
    /// `G0` to `G3`.
    motion: Option<Code>,
    /// `G17` to `G19`.
    plane: Option<Code>,
    /// The last `F`, and whether it stood on a rapid: some firmwares keep a feed of their own for rapids.
    feed: Option<(Value, bool)>,
    /// Where X, Y and Z were last sent in absolute coordinates.
    axes: [Option<Value>; 3],
    squeezed: Vec<u8>,
}

/// A line whose every word is understood here.
struct Plain {
    modes: Modes,
    motion: Option<Code>,
    plane: Option<Code>,
    /// Some axis is named. Without one, a motion word may be what makes the line move (`G2 I5`).
    names_axes: bool,
}

impl Known {
    /// What a chunk may take for granted at its start.
    pub(super) fn new(dialect: Dialect, modes: Modes) -> Self {
        Self {
            dialect,
            modes,
            motion: None,
            plane: None,
            feed: None,
            axes: [None; 3],
            squeezed: Vec::new(),
        }
    }

    /// Writes the line as short as it can be without changing anything, and takes note of it.
    pub(super) fn write(&mut self, text: &[u8], items: &[Item], class: Class, out: &mut Vec<u8>) {
        match self.plain(items) {
            Some(plain) => {
                self.write_plain(text, items, &plain, out);
                self.learn(text, items, &plain);
            }
            None => {
                self.write_other(text, items, out);
                self.forget(items, class);
            }
        }
    }

    /// The modes of a line of motion and modal words only, each letter once.
    fn plain(&self, items: &[Item]) -> Option<Plain> {
        let mut plain = Plain {
            modes: self.modes,
            motion: self.motion,
            plane: self.plane,
            names_axes: items.iter().any(|item| axis(item).is_some()),
        };
        if self.dialect == Dialect::Marlin {
            plain.modes.feed = Some(FeedMode::PerMinute);
        }
        let (mut letters, mut groups) = (0_u32, 0_u8);
        for item in items {
            match item.kind {
                Kind::Code { letter: b'G', code } => {
                    let group = match (code.major, code.minor) {
                        (0..=3, 0) => {
                            plain.motion = Some(code);
                            1
                        }
                        (17..=19, 0) => {
                            plain.plane = Some(code);
                            2
                        }
                        (90 | 91, 0) => {
                            plain.modes.set(code);
                            4
                        }
                        (93 | 94, 0) => {
                            plain.modes.set(code);
                            8
                        }
                        _ => return None,
                    };
                    // Two codes of one group are an error, and stay one.
                    if groups & group != 0 {
                        return None;
                    }
                    groups |= group;
                }
                Kind::Word { letter } => {
                    let bit = 1 << (letter - b'A');
                    // A letter alone names no place, so the words beside it have to stay.
                    let alone = item.value == item.end;
                    if alone || letters & bit != 0 || !b"XYZIJKRFES".contains(&letter) {
                        return None;
                    }
                    letters |= bit;
                }
                Kind::LineNumber | Kind::BlockDelete | Kind::Checksum => {}
                _ => return None,
            }
        }
        Some(plain)
    }

    fn write_plain(&mut self, text: &[u8], items: &[Item], plain: &Plain, out: &mut Vec<u8>) {
        let mut kept = 0_u64;
        let mut says_something = false;
        let (mut axis_words, mut spare_axis) = (0, None);
        for (at, item) in items.iter().enumerate() {
            let redundant = self.is_redundant(text, item, plain);
            let axis = axis(item).is_some();
            if axis && redundant {
                spare_axis.get_or_insert(at);
            }
            axis_words += u32::from(axis && !redundant);
            if !redundant {
                kept |= 1 << at;
                let command = self.dialect == Dialect::Marlin && item.g().is_some();
                says_something |=
                    !command && matches!(item.kind, Kind::Code { .. } | Kind::Word { .. });
            }
        }
        if let (0, Some(at)) = (axis_words, spare_axis) {
            kept |= 1 << at;
            says_something = true;
        }
        if !says_something {
            kept = u64::MAX;
        }
        let from = out.len();
        for (at, item) in items.iter().enumerate() {
            let sent = !matches!(item.kind, Kind::BlockDelete | Kind::Checksum);
            if sent && kept & (1 << at) != 0 {
                separate(self.dialect, item, from, out);
                write_shortest(self.dialect, text, item, &mut self.squeezed, out);
            }
        }
    }

    /// The word says what is certain already.
    fn is_redundant(&mut self, text: &[u8], item: &Item, plain: &Plain) -> bool {
        match item.kind {
            Kind::Code { code, .. } if self.dialect == Dialect::Grbl => match code.major {
                0..=3 => plain.names_axes && self.motion == Some(code),
                17..=19 => self.plane == Some(code),
                90 | 91 => {
                    plain.modes.distance.is_some() && self.modes.distance == plain.modes.distance
                }
                94 => self.modes.feed == Some(FeedMode::PerMinute),
                _ => false,
            },
            Kind::Word { letter: b'F' } => {
                let steady = plain.modes.feed == Some(FeedMode::PerMinute);
                let said = self.feed_word(text, item, plain);
                steady && said.is_some() && self.feed == said
            }
            Kind::Word { .. } => axis(item).is_some_and(|axis| {
                let straight = plain.motion.is_some_and(|motion| motion.major <= 1);
                let absolute = plain.modes.distance == Some(DistanceMode::Absolute);
                let established = self.axes.get(axis).copied().flatten();
                straight
                    && absolute
                    && established.is_some()
                    && established == self.value(text, item)
            }),
            _ => false,
        }
    }

    fn learn(&mut self, text: &[u8], items: &[Item], plain: &Plain) {
        if plain.modes.feed != Some(FeedMode::PerMinute) {
            self.feed = None;
        }
        // An arc may be impossible and then moves nothing, so only straight lines prove a place.
        let straight = plain.motion.is_some_and(|motion| motion.major <= 1);
        let certain = straight && plain.modes.distance == Some(DistanceMode::Absolute);
        for item in items {
            if item.letter() == Some(b'F') && plain.modes.feed == Some(FeedMode::PerMinute) {
                self.feed = self.feed_word(text, item, plain);
            }
            if let Some(axis) = axis(item) {
                let place = if certain {
                    self.value(text, item)
                } else {
                    None
                };
                match (plain.motion, self.axes.get_mut(axis)) {
                    (Some(_), Some(known)) => *known = place,
                    _ => self.axes = [None; 3],
                }
            }
        }
        self.modes = plain.modes;
        self.motion = plain.motion;
        self.plane = plain.plane;
    }

    fn write_other(&mut self, text: &[u8], items: &[Item], out: &mut Vec<u8>) {
        if self.dialect == Dialect::Marlin || items.iter().any(|item| item.kind == Kind::Setting) {
            return write_spaces(self.dialect, text, items, out);
        }
        for item in items
            .iter()
            .filter(|item| !matches!(item.kind, Kind::BlockDelete | Kind::Checksum))
        {
            write_shortest(self.dialect, text, item, &mut self.squeezed, out);
        }
    }

    /// Keeps only what a line with other commands cannot have changed.
    fn forget(&mut self, items: &[Item], class: Class) {
        let harmless = items.iter().all(|item| match item.kind {
            Kind::Code { letter: b'G', code } => {
                matches!((code.major, code.minor), (4 | 40 | 61 | 94, 0))
            }
            Kind::Code { letter: b'M', code } => matches!(code.major, 3..=5 | 7..=9),
            Kind::Code { letter: b'T', .. } => true,
            Kind::Word { letter } => matches!(letter, b'S' | b'P'),
            Kind::LineNumber | Kind::BlockDelete | Kind::Checksum => true,
            _ => false,
        });
        let steady = harmless && self.dialect == Dialect::Grbl && !matches!(class, Class::Stop(_));
        if !steady {
            self.axes = [None; 3];
            self.motion = None;
            self.plane = None;
            self.feed = None;
        }
        let ends_program = items
            .iter()
            .filter_map(Item::m)
            .any(|code| matches!(code.major, 2 | 30));
        let unknown =
            items.iter().any(|item| item.kind == Kind::Setting) || class == Class::Patient;
        if ends_program || (unknown && !steady) {
            self.modes = Modes::default();
        }
        for code in items.iter().filter_map(Item::g) {
            self.modes.set(code);
        }
    }

    fn value(&mut self, text: &[u8], item: &Item) -> Option<Value> {
        Number::parse(without_blanks(item.value_bytes(text), &mut self.squeezed))?.value()
    }

    fn feed_word(&mut self, text: &[u8], item: &Item, plain: &Plain) -> Option<(Value, bool)> {
        let rapid = plain.motion?.major == 0;
        Some((self.value(text, item)?, rapid))
    }
}

fn axis(item: &Item) -> Option<usize> {
    match item.kind {
        Kind::Word {
            letter: letter @ b'X'..=b'Z',
        } => Some(usize::from(letter - b'X')),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{classify, words};

    fn packed(dialect: Dialect, program: &str) -> String {
        let mut known = Known::new(dialect, Modes::default());
        let mut items = Vec::new();
        let lines = program.split(" | ").map(|text| {
            words::read(dialect, text.as_bytes(), &mut items).expect("words");
            let class = classify::class(dialect, text.as_bytes(), &items);
            let mut out = Vec::new();
            known.write(text.as_bytes(), &items, class, &mut out);
            String::from_utf8(out).expect("ASCII")
        });
        lines.collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn what_was_said_goes() {
        let check =
            |program, expected| assert_eq!(packed(Dialect::Grbl, program), expected, "{program}");
        check("G1 X1.0 | G1 X2.0 | G01 Y0.5", "G1X1 | X2 | Y.5");
        check("G0 X1 | G1 X2 | G0 X3", "G0X1 | G1X2 | G0X3");
        check("G1 F100 | G1 F100", "G1F100 | G1F100");
        check("G94 | G1 X1 F100 | G1 X2 F100.0", "G94 | G1X1F100 | X2");
        check("G1 X1 F100 | G1 X2 F100", "G1X1F100 | X2F100");
        check("G93 | G1 X1 F2 | G1 X2 F2", "G93 | G1X1F2 | X2F2");
        check("G94 | G0 X1 F100 | G1 X2 F100", "G94 | G0X1F100 | G1X2F100");
        check("G90 | G90 G1 X1 | G90 X2", "G90 | G1X1 | X2");
        check("G17 | G17 G2 X1 I1 | G17 G2 X1 I1", "G17 | G2X1I1 | X1I1");
        check("G17 | G18 G17 | G90 G91", "G17 | G18G17 | G90G91");
    }

    #[test]
    fn places_go_only_where_they_are_certain() {
        let check =
            |program, expected| assert_eq!(packed(Dialect::Grbl, program), expected, "{program}");
        check("G90 | G1 X1 Y2 | G1 X1.0 Y3", "G90 | G1X1Y2 | Y3");
        check("G1 X1 Y2 | G1 X1 Y3", "G1X1Y2 | X1Y3");
        check("G91 | G1 X1 Y2 | G1 X1 Y3", "G91 | G1X1Y2 | X1Y3");
        check("G90 | G1 X1 Y2 | G1 X1 Y2", "G90 | G1X1Y2 | X1");
        check("G90 | G1 X0 | G1 X-0 Y1", "G90 | G1X0 | X-0Y1");
        check(
            "G90 | G1 X1 Y2 | G92 X0 | G1 X1 Y2",
            "G90 | G1X1Y2 | G92X0 | G1X1Y2",
        );
        check(
            "G90 | G1 X1 Y2 | G28 | G1 X1 Y2",
            "G90 | G1X1Y2 | G28 | G1X1Y2",
        );
        check(
            "G90 | G1 X1 Y2 | G20 | G1 X1 Y2",
            "G90 | G1X1Y2 | G20 | G1X1Y2",
        );
        check(
            "G90 | G1 X1 Y2 | G55 | G1 X1 Y3",
            "G90 | G1X1Y2 | G55 | G1X1Y3",
        );
        check(
            "G90 | G1 X1 Y2 | G53 G0 X1 | G1 X1 Y3",
            "G90 | G1X1Y2 | G53G0X1 | G1X1Y3",
        );
        check(
            "G90 | G1 X1 Y2 | M6 | G1 X1 Y3",
            "G90 | G1X1Y2 | M6 | G1X1Y3",
        );
        check(
            "G90 | G1 X1 Y2 | M3 S0100 | G1 X1 Y3",
            "G90 | G1X1Y2 | M3S100 | Y3",
        );
        check(
            "G90 | G1 X1 Y2 | G2 X1 Y2 I5 | G1 X1 Y3",
            "G90 | G1X1Y2 | G2X1Y2I5 | G1X1Y3",
        );
        check(
            "G90 | G1 X1 Y2 | M2 | G1 X1 Y2",
            "G90 | G1X1Y2 | M2 | G1X1Y2",
        );
        check("G90 | X1 Y2 | G1 X1 Y3", "G90 | X1Y2 | G1X1Y3");
        check(
            "G90 | G38.2 Z-5 F10 | X1 | X1 Y1",
            "G90 | G38.2Z-5F10 | X1 | X1Y1",
        );
    }

    #[test]
    fn marlin_keeps_its_commands_and_its_filament() {
        let check =
            |program, expected| assert_eq!(packed(Dialect::Marlin, program), expected, "{program}");
        check("G1 X1.0 E0.5 | G1 X2.0 E0.5", "G1X1 E.5 | G1X2 E.5");
        check(
            "G90 | G1 X1 Y2 F300 | G1 X1 Y3 E1 F300",
            "G90 | G1X1Y2F300 | G1Y3 E1",
        );
        check("G1 F300 | G1 F300", "G1F300 | G1F300");
        check("G90 | G1 X1 | G1 X1 Y", "G90 | G1X1 | G1X1Y");
        check("G90 | G1 X1 Y2 | G1 X1 Y2 E1", "G90 | G1X1Y2 | G1X1 E1");
        check("M104 S200.0", "M104 S200.0");
    }
}
