//! What firmware a file was written for, by its first lines.

use std::{fmt, fs::File, io::Read, path::Path};

use feedhold_gcode_parse::{Block, Code, Flavor, LineReader};
use feedhold_stream_core::dialect::Dialect;

/// Bytes looked at.
const LOOK: u64 = 256 * 1024;

/// What a file looks like, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guess {
    /// The firmware family it was probably written for.
    pub dialect: Dialect,
    /// The sign that decided; `None` when nothing spoke against grbl.
    pub sign: Option<Sign>,
}

/// What only a printer's file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sign {
    /// The line, from 1.
    pub line: u64,
    /// A code, or the letter E.
    letter: char,
    code: Option<Code>,
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{}{code} in line {}", self.letter, self.line),
            None => write!(f, "{} words in line {}", self.letter, self.line),
        }
    }
}

/// Codes that heat, cool or feed plastic.
const PRINTER: &[u16] = &[82, 83, 104, 106, 107, 109, 140, 190, 600];

/// The dialect that users call by this name.
#[must_use]
pub fn dialect_named(name: &str) -> Option<Dialect> {
    [Dialect::Grbl, Dialect::Marlin]
        .into_iter()
        .find(|dialect| dialect.name() == name)
}

/// Looks at the beginning of a file. A file that cannot be read looks like nothing; whoever streams it will say why.
#[must_use]
pub fn guess(path: &Path) -> Guess {
    let mut bytes = Vec::new();
    // A directory or a missing file is reported by the step that needs the content.
    let _ = File::open(path).and_then(|file| file.take(LOOK).read_to_end(&mut bytes));
    guess_bytes(&bytes)
}

/// Looks at the beginning of a program.
#[must_use]
pub fn guess_bytes(mut bytes: &[u8]) -> Guess {
    let mut reader = <LineReader>::new();
    while let Some(line) = reader.next(&mut bytes) {
        if let Some(sign) = sign(line.number, line.text) {
            return Guess {
                dialect: Dialect::Marlin,
                sign: Some(sign),
            };
        }
    }
    let last = reader
        .finish()
        .and_then(|line| sign(line.number, line.text));
    let dialect = if last.is_some() {
        Dialect::Marlin
    } else {
        Dialect::Grbl
    };
    Guess {
        dialect,
        sign: last,
    }
}

fn sign(line: u64, text: &[u8]) -> Option<Sign> {
    // A mill's comment in brackets would be read as words by a printer, so brackets count for nothing here.
    if text.contains(&b'(') {
        return None;
    }
    let block = Block::parse(Flavor::Marlin, text);
    if let Some(code) = block
        .m_codes()
        .find(|code| code.minor == 0 && PRINTER.contains(&code.major))
    {
        return Some(Sign {
            line,
            letter: 'M',
            code: Some(code),
        });
    }
    let extrudes = block
        .g_codes()
        .any(|code| code.minor == 0 && code.major <= 3);
    let feeds = block.word(b'E').is_some_and(|word| word.number().is_some());
    (extrudes && feeds).then_some(Sign {
        line,
        letter: 'E',
        code: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printers_give_themselves_away() {
        for (text, want) in [
            ("", None),
            ("G21\nG1 X1 F100\nM3 S1000\nM30\n", None),
            ("(M104 heats)\nG1 X1\n", None),
            ("%\nO100\nN10 G0 X1 (E2)\n", None),
            ("; M104 S200\nG1 X1\n", None),
            ("G28\nM104 S200\n", Some("M104 in line 2")),
            ("G1 X1 Y1 E0.5", Some("E words in line 1")),
            ("\u{feff}G21\r\nM82\r\n", Some("M82 in line 2")),
        ] {
            let guess = guess_bytes(text.as_bytes());
            assert_eq!(
                guess.sign.map(|sign| sign.to_string()).as_deref(),
                want,
                "{text:?}"
            );
            assert_eq!(guess.dialect == Dialect::Marlin, want.is_some(), "{text:?}");
        }
    }
}
