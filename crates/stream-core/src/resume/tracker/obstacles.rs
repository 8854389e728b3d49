//! What a program has done that no approach can do again.

use feedhold_gcode_parse::{Block, Code, Effect, FaultKind, Reason};

use crate::resume::bytes::fields;

/// Lines behind which something cannot be known or restored any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Obstacles {
    /// The first line that calls or ends a subprogram.
    pub(crate) subprogram: Option<u64>,
    /// The first line that computes something.
    pub(crate) computed: Option<u64>,
    /// What the approach has no words for, with its line, until it is ended.
    pub(crate) unfollowed: Vec<(u64, String)>,
}

fields!(Obstacles {
    subprogram,
    computed,
    unfollowed,
});

impl Obstacles {
    /// A code that nothing else here follows.
    pub(super) fn note_code(&mut self, line: u64, letter: u8, code: Code) {
        match (letter, code.major) {
            (b'M', 98 | 99) => self.subprogram = self.subprogram.or(Some(line)),
            (b'M', 808 | 810..=819) => self.computed = self.computed.or(Some(line)),
            // Scaling, mirror, rotation and polar coordinates, and their ends.
            (b'G', 51 | 68 | 16) => self.add(line, letter, code),
            (b'G', 50) => self.end(&["G51", "G51.1"]),
            (b'G', 69) => self.end(&["G68"]),
            (b'G', 15) => self.end(&["G16"]),
            (b'G', 7) => self.add(line, letter, code),
            (b'G', 8) => self.end(&["G7"]),
            // Outputs, and modes that were saved and brought back.
            (b'M', 50..=53 | 56 | 62..=68 | 70..=73) => self.add(line, letter, code),
            _ => {}
        }
    }

    pub(super) fn note_findings(&mut self, line: u64, block: &Block<'_>, effect: &Effect) {
        for finding in effect.findings.as_slice() {
            match finding.reason {
                Reason::FlowNotFollowed if block.o_word().is_some() => {
                    self.computed = self.computed.or(Some(line));
                }
                Reason::Fault(FaultKind::OWordUnsupported)
                | Reason::Fault(FaultKind::ParameterUnsupported)
                | Reason::Fault(FaultKind::ExpressionUnsupported)
                | Reason::NotComputed(_) => self.computed = self.computed.or(Some(line)),
                Reason::UnknownCode(b'G', code) => self.add(line, b'G', code),
                _ => {}
            }
        }
    }

    fn add(&mut self, line: u64, letter: u8, code: Code) {
        let name = format!("{}{code}", char::from(letter));
        if matches!(name.as_str(), "G50" | "G50.1" | "G69" | "G15") {
            return;
        }
        if self.unfollowed.iter().all(|(_, known)| *known != name) {
            self.unfollowed.push((line, name));
        }
    }

    fn end(&mut self, names: &[&str]) {
        self.unfollowed
            .retain(|(_, known)| !names.contains(&known.as_str()));
    }
}
