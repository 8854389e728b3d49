mod computed;
mod extent;
mod mark;
mod marlin;

use extent::Extent;

use super::{Fault, FaultKind, Span, Token, Value, Word};
use crate::flavor::Flavor;
use crate::number::{Number, is_blank};

/// The tokens of one line, without its terminator, as `flavor` reads it.
///
/// Lazy and without memory of earlier lines: no flavor carries a comment or a quoted text over a line end.
///
/// ```
/// use feedhold_gcode_parse::{Flavor, Token, tokens};
///
/// let mut line = tokens(Flavor::Grbl, b"N5 G1 X1 0 (ten)");
/// assert!(matches!(line.next(), Some(Token::LineNumber(n)) if n.to_u64() == Some(5)));
/// assert!(matches!(line.next(), Some(Token::Word(w)) if w.letter == b'G'));
/// assert!(matches!(line.next(), Some(Token::Word(w)) if w.number().unwrap().to_f64() == 10.0));
/// assert!(matches!(line.next(), Some(Token::Comment(c)) if c.text == b"ten"));
/// assert!(line.next().is_none());
/// ```
#[inline]
#[must_use]
pub const fn tokens(flavor: Flavor, line: &[u8]) -> Tokens<'_> {
    Tokens {
        line,
        at: 0,
        flavor,
        stage: Stage::Start,
        text: FreeText::Never,
    }
}

/// Iterator over the tokens of a line; see [`tokens`].
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    line: &'a [u8],
    /// Column of the next byte to look at.
    at: usize,
    flavor: Flavor,
    stage: Stage,
    text: FreeText,
}

/// How much of the line has been seen; some marks count only at its front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Start,
    /// Behind a block delete: a line number may follow.
    Deleted,
    /// Behind a line number: the next word is the command.
    Numbered,
    Body,
}

/// Whether the rest of the line is text that Marlin does not split into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FreeText {
    Never,
    /// Behind `M117` and its like.
    Rest,
    /// Behind `M0` and `M1`: after `S` and `P` words.
    AfterWords,
    /// Behind the checksum, where Marlin has stopped reading.
    Ignored,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    #[inline]
    fn next(&mut self) -> Option<Token<'a>> {
        match self.plain_word() {
            Some(word) => Some(Token::Word(word)),
            None => self.next_unusual(),
        }
    }
}

impl<'a> Tokens<'a> {
    /// A letter and a number, which is what programs are made of; `None` leaves the cursor where it is.
    #[inline]
    pub(crate) fn plain_word(&mut self) -> Option<Word<'a>> {
        self.skip_blanks();
        let start = self.at;
        let letter = self.line.get(start)?.to_ascii_uppercase();
        // N, O, M and T may begin something else than a word.
        let plain = letter.is_ascii_uppercase() && !matches!(letter, b'M'..=b'O' | b'T');
        if !plain || self.text != FreeText::Never {
            return None;
        }
        self.at += 1;
        self.skip_blanks();
        match self.number() {
            Some(number) => {
                self.stage = Stage::Body;
                Some(Word {
                    letter,
                    value: Value::Number(number),
                    span: Span {
                        start,
                        end: self.at,
                    },
                })
            }
            None => {
                self.at = start;
                None
            }
        }
    }

    /// Whatever is not a plain word.
    pub(crate) fn next_unusual(&mut self) -> Option<Token<'a>> {
        self.skip_blanks();
        let byte = *self.line.get(self.at)?;
        if byte.is_ascii_alphabetic() && self.text == FreeText::Never {
            Some(self.special_letter(byte.to_ascii_uppercase()))
        } else {
            Some(self.other(byte))
        }
    }

    fn special_letter(&mut self, letter: u8) -> Token<'a> {
        match letter {
            b'N' if self.takes_line_number() => self.line_number(),
            b'O' if self.flavor != Flavor::Marlin => self.o_word(),
            b'M' | b'T' if self.flavor == Flavor::Marlin && self.stage != Stage::Body => {
                self.marlin_command(letter)
            }
            _ => self.word(letter),
        }
    }

    fn word(&mut self, letter: u8) -> Token<'a> {
        self.stage = Stage::Body;
        let start = self.at;
        self.at += 1;
        self.skip_blanks();
        let first = self.at;
        match self.number() {
            Some(number) => self.finish_word(letter, start, Value::Number(number)),
            None => self.other_value(letter, start, first),
        }
    }

    /// A value that does not begin as a number, or does so and is none.
    #[cold]
    fn other_value(&mut self, letter: u8, start: usize, first: usize) -> Token<'a> {
        match self.line.get(first) {
            Some(b'.' | b'+' | b'-') => self.value_after_sign(letter, start, first),
            _ => self.unusual_value(letter, start),
        }
    }

    #[inline]
    fn finish_word(&self, letter: u8, start: usize, value: Value<'a>) -> Token<'a> {
        Token::Word(Word {
            letter,
            value,
            span: Span {
                start,
                end: self.at,
            },
        })
    }

    /// Reads a sign, digits and one point. On failure the cursor stays where it is.
    #[inline]
    fn number(&mut self) -> Option<Number<'a>> {
        let rest = self.line.get(self.at..)?;
        let signed = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
        let Extent { length, digits } = Extent::of(rest.get(signed..)?);
        let end = signed + length;
        let joins = matches!(rest.get(end), Some(b' ' | b'\t')) && self.flavor != Flavor::Marlin;
        if joins && matches!(rest.get(end + 1), Some(b'0'..=b'9' | b'.' | b' ' | b'\t')) {
            return self.number_with_blanks();
        }
        if digits == 0 {
            return None;
        }
        self.at += end;
        rest.get(..end).map(Number::checked)
    }

    /// The same for firmwares that drop blanks before they look.
    #[cold]
    fn number_with_blanks(&mut self) -> Option<Number<'a>> {
        let start = self.at;
        let mut at = start;
        let mut end = at;
        let mut digits = 0_usize;
        let mut points = 0_usize;
        while let Some(&byte) = self.line.get(at) {
            at += 1;
            match byte {
                b'0'..=b'9' => digits += 1,
                b'.' if points == 0 => points = 1,
                b'+' | b'-' if at == start + 1 => {}
                b' ' | b'\t' => continue,
                _ => break,
            }
            end = at;
        }
        if digits == 0 {
            return None;
        }
        self.at = end;
        Some(Number::checked(self.slice(start, end)))
    }

    /// A sign that no digit follows: the sign of an expression, or a number gone wrong.
    #[cold]
    fn value_after_sign(&mut self, letter: u8, start: usize, first: usize) -> Token<'a> {
        let signed = matches!(self.line.get(first), Some(b'+' | b'-'));
        self.at = first + 1;
        self.skip_blanks();
        if signed
            && self.flavor != Flavor::Marlin
            && matches!(self.line.get(self.at), Some(b'#' | b'['))
        {
            return match self.computed() {
                Ok(_) => {
                    self.finish_word(letter, start, Value::Expression(self.slice(first, self.at)))
                }
                Err(fault) => Token::Invalid(fault),
            };
        }
        self.skip_number_bytes();
        fault(first, FaultKind::BadNumber)
    }

    /// A value that is not a number, or none.
    #[cold]
    fn unusual_value(&mut self, letter: u8, start: usize) -> Token<'a> {
        let first = self.at;
        let byte = self.line.get(first).copied();
        if self.flavor == Flavor::Marlin {
            if byte == Some(b'"') {
                return match self.quoted() {
                    Ok(text) => self.finish_word(letter, start, Value::Text(text)),
                    Err(fault) => Token::Invalid(fault),
                };
            }
            self.at = start + 1;
            return self.finish_word(letter, start, Value::None);
        }
        let computed = match byte {
            Some(b'#' | b'[') => Some(self.computed()),
            Some(b) if b.is_ascii_alphabetic() => self.function_call(),
            _ => None,
        };
        match computed {
            Some(Ok(value)) => self.finish_word(letter, start, value),
            Some(Err(fault)) => Token::Invalid(fault),
            None => {
                self.at = start + 1;
                fault(start, FaultKind::MissingValue(letter))
            }
        }
    }

    /// Marlin counts a line only by an `N` at its front: the `N` of `M110 N0` is a word.
    fn takes_line_number(&self) -> bool {
        match self.flavor {
            Flavor::Marlin => self.stage == Stage::Start,
            Flavor::Grbl | Flavor::LinuxCnc => true,
        }
    }

    #[cold]
    fn line_number(&mut self) -> Token<'a> {
        let start = self.at;
        if self.stage != Stage::Body {
            self.stage = Stage::Numbered;
        }
        self.at += 1;
        self.skip_blanks();
        let first = self.at;
        if !self
            .line
            .get(first)
            .is_some_and(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-'))
        {
            self.at = start + 1;
            return fault(start, FaultKind::MissingValue(b'N'));
        }
        match self.number() {
            Some(number) => Token::LineNumber(number),
            None => {
                self.skip_number_bytes();
                fault(first, FaultKind::BadNumber)
            }
        }
    }

    #[inline]
    fn skip_blanks(&mut self) {
        while self.line.get(self.at).is_some_and(|byte| is_blank(*byte)) {
            self.at += 1;
        }
    }

    fn skip_number_bytes(&mut self) {
        while self
            .line
            .get(self.at)
            .is_some_and(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-'))
        {
            self.at += 1;
        }
    }

    #[inline]
    fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        self.line.get(start..end).unwrap_or(&[])
    }
}

fn fault<'a>(start: usize, kind: FaultKind) -> Token<'a> {
    Token::Invalid(Fault {
        column: start + 1,
        kind,
    })
}
