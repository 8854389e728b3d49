//! What a printer was told besides motion: heat, fans, limits, and what else stays in force.

use feedhold_gcode_parse::{Block, Code, Word};

use crate::resume::bytes::{fields, variants};

/// What stays in force on a printer, beside the modal state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Printer {
    /// Kind, number of the hot end, and the text of its target.
    heaters: Vec<(HeaterKind, u32, String)>,
    /// Number and text of the speed.
    fans: Vec<(u32, String)>,
    /// Code, number of the tool if one was named, letter, and text of the value: limits, pressure advance, mesh and the like.
    settings: Vec<(u32, Option<u32>, u8, String)>,
    /// Sum of the steps of M290 by axis letter, mm.
    babysteps: Vec<(u8, f64)>,
    /// The objects of M486: how many, which one is being printed, which were cancelled.
    objects: Option<u32>,
    object: Option<String>,
    cancelled: Vec<u32>,
    /// The bed was measured (G29).
    mesh: bool,
    /// What E means has been said, by G92 or by an absolute motion.
    filament: bool,
}

/// What a heater heats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HeaterKind {
    /// M140, M190.
    Bed,
    /// M141, M191.
    Chamber,
    /// M104, M109.
    Hotend,
}

fields!(Printer {
    heaters,
    fans,
    settings,
    babysteps,
    objects,
    object,
    cancelled,
    mesh,
    filament,
});
variants!(HeaterKind {
    Bed,
    Chamber,
    Hotend
});

/// One line that puts something of a printer in force again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extra {
    pub(crate) line: String,
    pub(crate) purpose: &'static str,
}

/// Codes whose words stay in force each by itself, what they are, and the letter that picks a tool or a hot end.
const SETTINGS: [(u16, &str, u8); 20] = [
    (92, "steps a millimetre", b'T'),
    (200, "the diameter of the filament", b'T'),
    (201, "limits of acceleration", b'T'),
    (202, "limits of travel acceleration", b'T'),
    (203, "limits of speed", b'T'),
    (204, "acceleration", 0),
    (205, "jerk and junction deviation", 0),
    (206, "home offsets", 0),
    (207, "lengths of a firmware retraction", 0),
    (208, "lengths of a firmware recovery", 0),
    (209, "automatic retraction", 0),
    (211, "soft end stops", 0),
    (218, "offsets of the tool", b'T'),
    (301, "control of the nozzle's heat", b'E'),
    (302, "cold extrusion", 0),
    (304, "control of the bed's heat", 0),
    (420, "the bed's mesh", 0),
    (572, "pressure advance", b'D'),
    (593, "input shaping", 0),
    (900, "pressure advance", b'T'),
];

impl Printer {
    /// Follows an M code.
    pub(super) fn apply(&mut self, code: Code, block: &Block<'_>, tool: Option<u32>) {
        if !super::is_plain(code) {
            return;
        }
        let tool = tool.unwrap_or(0);
        match code.major {
            104 | 109 => {
                let hotend = count(block, b'T').unwrap_or(tool);
                self.heat(HeaterKind::Hotend, hotend, block);
            }
            140 | 190 => self.heat(HeaterKind::Bed, 0, block),
            141 | 191 => self.heat(HeaterKind::Chamber, 0, block),
            106 => {
                let speed = text(block, b'S').unwrap_or_else(|| "255".to_owned());
                set(&mut self.fans, count(block, b'P').unwrap_or(0), speed);
            }
            107 => {
                let fan = count(block, b'P').unwrap_or(0);
                set(&mut self.fans, fan, "0".to_owned());
            }
            290 => self.babystep(block),
            486 => self.object(block),
            // The firmware's own values are in force again.
            501 | 502 => self.settings.clear(),
            major => self.setting(major, block),
        }
    }

    /// A line has said where the filament is.
    pub(super) fn set_filament(&mut self) {
        self.filament = true;
    }

    /// Whether the coordinate of the filament is known.
    pub(crate) fn knows_filament(&self) -> bool {
        self.filament
    }

    /// A G code has measured the bed, and what was measured is in force, whatever M420 said before.
    pub(super) fn measured(&mut self, code: Code) {
        if code != Code::new(29) {
            return;
        }
        self.mesh = true;
        for (setting, _, letter, value) in &mut self.settings {
            if (*setting, *letter) == (420, b'S') {
                *value = "1".to_owned();
            }
        }
    }

    /// Heaters that are on, the bed first: kind, number, target.
    pub(crate) fn heaters(&self) -> Vec<(HeaterKind, u32, &str)> {
        let mut on: Vec<_> = self
            .heaters
            .iter()
            .filter(|(_, _, target)| !is_zero(target))
            .map(|(kind, number, target)| (*kind, *number, target.as_str()))
            .collect();
        on.sort_by_key(|(kind, number, _)| (*kind, *number));
        on
    }

    /// Fans that were ever set: number and speed.
    pub(crate) fn fans(&self) -> impl Iterator<Item = (u32, &str)> {
        self.fans.iter().map(|(fan, speed)| (*fan, speed.as_str()))
    }

    /// Lines that put limits, pressure advance, mesh and objects in force again.
    pub(crate) fn settings(&self) -> Vec<Extra> {
        let mut extras: Vec<Extra> = Vec::new();
        for (code, purpose, index) in SETTINGS {
            let mut numbers: Vec<Option<u32>> = Vec::new();
            for (known, number, ..) in &self.settings {
                if *known == u32::from(code) && !numbers.contains(number) {
                    numbers.push(*number);
                }
            }
            for number in numbers {
                let mut line = format!("M{code}");
                if let Some(number) = number {
                    line += &format!(" {}{number}", char::from(index));
                }
                for (_, _, letter, value) in self
                    .settings
                    .iter()
                    .filter(|(known, of, ..)| *known == u32::from(code) && *of == number)
                {
                    line += &format!(" {}{value}", char::from(*letter));
                }
                extras.push(Extra { line, purpose });
            }
        }
        if let Some(objects) = self.objects {
            let purpose = "the objects on the bed";
            extras.push(Extra {
                line: format!("M486 T{objects}"),
                purpose,
            });
        }
        for object in &self.cancelled {
            extras.push(Extra {
                line: format!("M486 P{object}"),
                purpose: "an object that was cancelled",
            });
        }
        if let Some(object) = &self.object {
            extras.push(Extra {
                line: format!("M486 S{object}"),
                purpose: "the object being printed",
            });
        }
        extras
    }

    /// What is lost only when the printer restarts, because it is not set to a value but moved by steps, or measured.
    pub(crate) fn lost(&self) -> Vec<Extra> {
        let mut extras = Vec::new();
        let has_mesh = self
            .settings
            .iter()
            .any(|(code, _, letter, _)| (*code, *letter) == (420, b'S'));
        if self.mesh && !has_mesh {
            extras.push(Extra {
                line: "M420 S1".to_owned(),
                purpose: "the mesh that was measured, if it was saved",
            });
        }
        let words: String = self
            .babysteps
            .iter()
            .filter(|(_, sum)| *sum != 0.0)
            .map(|(letter, sum)| format!(" {}{}", char::from(*letter), crate::resume::number(*sum)))
            .collect();
        if !words.is_empty() {
            extras.push(Extra {
                line: format!("M290{words}"),
                purpose: "the babysteps so far",
            });
        }
        extras
    }

    /// Everything it holds, as lines that say it anew.
    pub(super) fn lines(&self) -> Vec<String> {
        let heat = self
            .heaters
            .iter()
            .map(|(kind, number, target)| match kind {
                HeaterKind::Bed => format!("M140 S{target}"),
                HeaterKind::Chamber => format!("M141 S{target}"),
                HeaterKind::Hotend => format!("M104 T{number} S{target}"),
            });
        let fans = self.fans();
        let fans = fans.map(|(fan, speed)| format!("M106 P{fan} S{speed}"));
        let extras = self.settings().into_iter().chain(self.lost());
        heat.chain(fans)
            .chain(extras.map(|extra| extra.line))
            .collect()
    }

    fn heat(&mut self, kind: HeaterKind, number: u32, block: &Block<'_>) {
        let Some(target) = text(block, b'S').or_else(|| text(block, b'R')) else {
            return;
        };
        let known = self
            .heaters
            .iter_mut()
            .find(|(of, at, _)| (*of, *at) == (kind, number));
        match known {
            Some((_, _, known)) => *known = target,
            None => self.heaters.push((kind, number, target)),
        }
    }

    fn babystep(&mut self, block: &Block<'_>) {
        for word in block.words().iter().skip(1) {
            let letter = match word.letter {
                b'S' => b'Z',
                letter @ (b'X' | b'Y' | b'Z') => letter,
                _ => continue,
            };
            let Some(way) = word.number().map(|number| number.to_f64()) else {
                continue;
            };
            match self.babysteps.iter_mut().find(|(of, _)| *of == letter) {
                Some((_, sum)) => *sum += way,
                None => self.babysteps.push((letter, way)),
            }
        }
    }

    fn object(&mut self, block: &Block<'_>) {
        if let Some(objects) = count(block, b'T') {
            (self.objects, self.object) = (Some(objects), None);
            self.cancelled.clear();
        }
        if let Some(object) = text(block, b'S') {
            self.object = Some(object);
        }
        let current = || self.object.as_deref()?.parse().ok();
        let cancelled = if block.word(b'C').is_some() {
            current()
        } else {
            count(block, b'P')
        };
        if let Some(object) = cancelled.filter(|object| !self.cancelled.contains(object)) {
            self.cancelled.push(object);
        }
        if let Some(object) = count(block, b'U') {
            self.cancelled.retain(|known| *known != object);
        }
    }

    fn setting(&mut self, major: u16, block: &Block<'_>) {
        let Some((_, _, index)) = SETTINGS.iter().find(|(code, ..)| *code == major) else {
            return;
        };
        let number = count(block, *index);
        for word in block.words().iter().skip(1) {
            if word.letter == *index {
                continue;
            }
            let Some(value) = value(word) else { continue };
            let known = self.settings.iter_mut().find(|(code, of, letter, _)| {
                *code == u32::from(major) && *of == number && *letter == word.letter
            });
            match known {
                Some((.., known)) => *known = value,
                None => self
                    .settings
                    .push((u32::from(major), number, word.letter, value)),
            }
        }
        // The old way to say both accelerations.
        if major == 204 && block.word(b'S').is_some() {
            self.settings.retain(|(code, _, letter, _)| {
                *code != 204 || !matches!(*letter, b'P' | b'T') || block.word(*letter).is_some()
            });
        }
    }
}

fn set(list: &mut Vec<(u32, String)>, key: u32, value: String) {
    match list.iter_mut().find(|(known, _)| *known == key) {
        Some((_, known)) => *known = value,
        None => list.push((key, value)),
    }
}

/// The text of a value, as the source has it.
fn text(block: &Block<'_>, letter: u8) -> Option<String> {
    block.word(letter).and_then(value)
}

fn value(word: &Word<'_>) -> Option<String> {
    let text = word.number()?;
    Some(String::from_utf8_lossy(text.text()).into_owned())
}

fn count(block: &Block<'_>, letter: u8) -> Option<u32> {
    let number = block.word(letter)?.number()?.to_u64()?;
    u32::try_from(number).ok()
}

fn is_zero(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(|value| value <= 0.0)
}
