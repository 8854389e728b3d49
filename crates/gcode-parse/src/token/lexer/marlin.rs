//! What Marlin alone reads: commands with free text, quotes, checksums.

use super::{FreeText, Stage, Tokens, fault};
use crate::number::{Code, Number};
use crate::token::{Fault, FaultKind, Token, Value};

impl<'a> Tokens<'a> {
    /// The first `M` or `T` word of a Marlin line: it decides how the rest is read.
    #[cold]
    pub(super) fn marlin_command(&mut self, letter: u8) -> Token<'a> {
        let start = self.at;
        if letter == b'T'
            && matches!(
                self.line.get(start + 1),
                Some(b'?' | b'x' | b'X' | b'c' | b'C')
            )
        {
            self.stage = Stage::Body;
            self.at = start + 2;
            return self.finish_word(letter, start, Value::Text(self.slice(start + 1, start + 2)));
        }
        let token = self.word(letter);
        if let Token::Word(word) = token
            && letter == b'M'
            && let Some(code) = word.code()
        {
            self.text = free_text(code);
        }
        token
    }

    pub(super) fn free_text(&mut self, byte: u8) -> Token<'a> {
        let start = self.at;
        if self.text == FreeText::AfterWords
            && matches!(byte.to_ascii_uppercase(), b'S' | b'P')
            && self.line.get(start + 1).is_some_and(u8::is_ascii_digit)
        {
            return self.word(byte.to_ascii_uppercase());
        }
        self.text = FreeText::Never;
        let rest = self.slice(start, self.comment_start(start));
        self.at = start + checksum_at_end(rest).unwrap_or(rest.len());
        Token::Text(self.slice(start, self.at).trim_ascii_end())
    }

    pub(super) fn after_checksum(&mut self) -> Token<'a> {
        let start = self.at;
        self.at = self.comment_start(start);
        fault(start, FaultKind::AfterChecksum)
    }

    /// The words end at the first `*`, the checksum stands behind the last one.
    pub(super) fn checksum_mark(&mut self, start: usize) -> Token<'a> {
        let rest = self.slice(self.at, self.comment_start(start));
        if let Some(last) = rest.iter().rposition(|byte| *byte == b'*') {
            self.at += last;
            return fault(start, FaultKind::AfterChecksum);
        }
        self.text = FreeText::Ignored;
        self.skip_blanks();
        let digits = self
            .slice(self.at, self.line.len())
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits == 0 {
            return fault(start, FaultKind::BadChecksum);
        }
        let number = Number::checked(self.slice(self.at, self.at + digits));
        self.at += digits;
        self.skip_blanks();
        if number.to_u64().is_none_or(|sum| sum > 255) {
            return fault(start, FaultKind::BadChecksum);
        }
        Token::Checksum(number)
    }

    /// `"text"`, given without its quotes; a backslash keeps the quote behind it. Without a second quote the rest of the line up to
    /// its comment is skipped.
    pub(super) fn quoted(&mut self) -> Result<&'a [u8], Fault> {
        let start = self.at;
        if let Some(end) = closing_quote(self.line, start) {
            self.at = end + 1;
            return Ok(self.slice(start + 1, end));
        }
        self.at = self.comment_start(start);
        Err(Fault {
            column: start + 1,
            kind: FaultKind::UnclosedQuote,
        })
    }

    /// Where the comment begins, or the end of the line, seen from a place outside of quotes. A `;` between two quotes is text, as
    /// in a Marlin built with `GCODE_QUOTED_STRINGS`; behind a quote that nothing closes it is a comment, as in any other.
    fn comment_start(&self, from: usize) -> usize {
        let mut at = from;
        while let Some(byte) = self.line.get(at) {
            match byte {
                b';' => break,
                b'"' => at = closing_quote(self.line, at).unwrap_or(at) + 1,
                _ => at += 1,
            }
        }
        at
    }
}

fn closing_quote(line: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        match line.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Codes whose argument Marlin and RepRapFirmware hand on as text.
const fn free_text(code: Code) -> FreeText {
    match code {
        Code {
            major: 0 | 1,
            minor: 0,
        } => FreeText::AfterWords,
        Code {
            major: 16 | 23 | 28 | 30 | 32 | 33 | 36 | 38 | 115 | 117 | 118 | 550..=553 | 928,
            minor: 0,
        } => FreeText::Rest,
        _ => FreeText::Never,
    }
}

/// Where `*` begins when the text ends in `*` and digits.
fn checksum_at_end(text: &[u8]) -> Option<usize> {
    let star = text.iter().rposition(|byte| *byte == b'*')?;
    let digits = text.get(star + 1..)?.trim_ascii();
    (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then_some(star)
}
