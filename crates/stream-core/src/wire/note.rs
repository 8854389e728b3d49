//! Things worth telling that stop nothing.

use core::fmt;

use feedhold_gcode_parse::Code;

/// Something the chain did or saw that an operator may want to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// The line of the file, from 1.
    pub line: u64,
    /// What it is.
    pub kind: NoteKind,
}

/// What a [`Note`] is about.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// A UTF-8 byte order mark was dropped.
    ByteOrderMark,
    /// A line of nothing but `%` was dropped.
    TapeMark,
    /// A code that is not in the firmware's list is sent all the same.
    Unlisted {
        /// `G` or `M`.
        letter: char,
        /// Its number.
        code: Code,
    },
    /// A text argument was cut at a `*`, where the firmware ends it anyway.
    TextCut,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match self.kind {
            NoteKind::ByteOrderMark => f.write_str("dropped the UTF-8 byte order mark"),
            NoteKind::TapeMark => f.write_str("dropped a tape mark (%)"),
            NoteKind::Unlisted { letter, code } => {
                write!(
                    f,
                    "{letter}{code} is not in the firmware's list; it may answer with an unknown command"
                )
            }
            NoteKind::TextCut => f.write_str("cut a text at its asterisk, as the firmware does"),
        }
    }
}

/// The notes of one chunk: the first of each kind, and how many there were in all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    list: Vec<Note>,
    total: u64,
}

impl Notes {
    /// Notes kept of one chunk.
    pub const KEPT: usize = 32;

    /// The first note of each kind, in the order of the lines.
    pub fn iter(&self) -> core::slice::Iter<'_, Note> {
        self.list.iter()
    }

    /// How often something was noted, repeats included.
    pub fn total(&self) -> u64 {
        self.total
    }

    pub(crate) fn push(&mut self, note: Note) {
        self.total += 1;
        if self.list.len() < Self::KEPT && !self.list.iter().any(|known| known.kind == note.kind) {
            self.list.push(note);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_note_is_kept_once_and_counted_each_time() {
        let mut notes = Notes::default();
        for line in 1..=3 {
            notes.push(Note {
                line,
                kind: NoteKind::TapeMark,
            });
            notes.push(Note {
                line,
                kind: NoteKind::Unlisted {
                    letter: 'M',
                    code: Code {
                        major: 999,
                        minor: 0,
                    },
                },
            });
        }
        assert_eq!(notes.iter().len(), 2);
        assert_eq!(notes.total(), 6);
        assert_eq!(
            notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "line 1: dropped a tape mark (%)",
                "line 1: M999 is not in the firmware's list; it may answer with an unknown command"
            ]
        );
    }
}
