//! One line to tokens.

use core::fmt;

use crate::{Code, Flavor, Number};

/// Where something stands in its line: byte columns from 0, the end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Behind the last byte.
    pub end: usize,
}

/// A piece of a line. The source text is kept; nothing is converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Token<'a> {
    /// `/` in front of a block.
    BlockDelete,
    /// `%` alone.
    TapeMark,
    /// `N` and its number.
    LineNumber(Number<'a>),
    /// A letter and its value.
    Word(Word<'a>),
    /// `O100 sub`, `o<name> call [1]`: the rest of the line.
    OWord(OWord<'a>),
    /// `#1 = 2`.
    Assignment(Assignment<'a>),
    /// A comment.
    Comment(Comment<'a>),
    /// `*` and its number.
    Checksum(Number<'a>),
    /// A whole `$…` line.
    Setting(&'a [u8]),
    /// The free text of a command that takes one (`M117 Hello`).
    Text(&'a [u8]),
    /// Something that is none of these.
    Invalid(Fault),
}

/// A letter and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// Upper case.
    pub letter: u8,
    /// What stands behind it.
    pub value: Value<'a>,
    /// From the letter to the end of the value.
    pub span: Span,
}

/// What stands behind a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// `1.5`
    Number(Number<'a>),
    /// `#1`, `#<name>`, with the `#`.
    Parameter(&'a [u8]),
    /// `[1 + 2]`, `sin[30]`, brackets included.
    Expression(&'a [u8]),
    /// `"text"`, without the quotes.
    Text(&'a [u8]),
    /// Nothing (`G28 X`).
    None,
}

impl<'a> Word<'a> {
    /// The number behind the letter.
    #[must_use]
    pub const fn number(&self) -> Option<Number<'a>> {
        match self.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The code of a G or M word.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        if matches!(self.letter, b'G' | b'M') { self.number()?.code() } else { None }
    }
}

/// The rest of a line that begins with `O`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OWord<'a> {
    /// Everything from the `O` on, without a comment.
    pub text: &'a [u8],
    /// Where it stands.
    pub span: Span,
}

/// `#name = value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment<'a> {
    /// The parameter, with the `#`.
    pub parameter: &'a [u8],
    /// What it is set to.
    pub value: Value<'a>,
    /// Where it stands.
    pub span: Span,
}

/// A comment without its marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment<'a> {
    /// Which marks it has.
    pub kind: CommentKind,
    /// What it says.
    pub text: &'a [u8],
    /// Where it stands, marks included.
    pub span: Span,
    /// A parenthesis was closed; always true for `;`.
    pub closed: bool,
}

/// The three kinds of comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommentKind {
    /// `(…)`
    Paren,
    /// `; …`
    Semicolon,
    /// `(MSG, …)`, `(DEBUG, …)` and their like, which some controllers act on.
    Active,
}

/// Something in a line that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Byte column, from 1.
    pub column: usize,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What can be wrong in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// A letter without a value where one is needed.
    MissingValue,
    /// Signs, points and digits that make no number.
    BadNumber,
    /// A byte that begins nothing.
    StrayByte(u8),
    /// `(` without `)`.
    UnclosedComment,
    /// `[` without `]`.
    UnclosedExpression,
    /// `"` without its partner.
    UnclosedText,
    /// A zero byte.
    Nul,
    /// `#` without a name or number.
    BadParameter,
    /// More words than a block holds.
    TooManyWords,
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingValue => f.write_str("a letter without a value"),
            Self::BadNumber => f.write_str("not a number"),
            Self::StrayByte(byte) if byte.is_ascii_graphic() => write!(f, "unexpected '{}'", *byte as char),
            Self::StrayByte(byte) => write!(f, "unexpected byte 0x{byte:02x}"),
            Self::UnclosedComment => f.write_str("a comment is not closed"),
            Self::UnclosedExpression => f.write_str("a bracket is not closed"),
            Self::UnclosedText => f.write_str("a quotation mark is not closed"),
            Self::Nul => f.write_str("a zero byte; the file is damaged or not text"),
            Self::BadParameter => f.write_str("'#' without a parameter"),
            Self::TooManyWords => f.write_str("too many words in one block"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.kind)
    }
}

/// The tokens of one line, without its terminator.
#[must_use]
pub const fn tokens(flavor: Flavor, line: &[u8]) -> Tokens<'_> {
    Tokens { flavor, line, at: 0, begun: false, free_text: false }
}

/// XOR over all bytes: the checksum behind `*`.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}

/// Iterator over the tokens of a line.
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    flavor: Flavor,
    line: &'a [u8],
    at: usize,
    /// A token other than a line number was found.
    begun: bool,
    /// The rest of the line is the text of a command.
    free_text: bool,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_blanks();
        let &byte = self.line.get(self.at)?;
        let start = self.at;
        let first = !core::mem::replace(&mut self.begun, true);
        if core::mem::take(&mut self.free_text)
            && let Some(text) = self.text()
        {
            return Some(text);
        }
        Some(match byte {
            b';' => self.rest_as_comment(),
            b'(' if self.flavor.has_paren_comments() => self.paren_comment(),
            b'/' if first => self.single(Token::BlockDelete),
            b'%' if first => self.single(Token::TapeMark),
            b'$' if first && self.flavor == Flavor::Grbl => self.setting(),
            b'*' => self.checksum(),
            b'#' => self.assignment(),
            b'O' | b'o' if self.flavor == Flavor::LinuxCnc => self.o_word(),
            b'N' | b'n' if first => self.line_number(),
            b'A'..=b'Z' | b'a'..=b'z' => self.word(byte.to_ascii_uppercase()),
            0 => self.invalid(start, FaultKind::Nul),
            _ => self.invalid(start, FaultKind::StrayByte(byte)),
        })
    }
}

impl<'a> Tokens<'a> {
    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    fn span(&self, start: usize) -> Span {
        Span { start, end: self.at }
    }

    fn since(&self, start: usize) -> &'a [u8] {
        self.line.get(start..self.at).unwrap_or_default()
    }

    fn single(&mut self, token: Token<'a>) -> Token<'a> {
        self.at += 1;
        self.begun = false;
        token
    }

    /// Steps over one byte that cannot be read.
    fn invalid(&mut self, at: usize, kind: FaultKind) -> Token<'a> {
        self.at = self.at.max(at + 1);
        Token::Invalid(Fault { column: at + 1, kind })
    }

    /// Moves to the next comment mark or the end.
    fn skip_to_comment(&mut self) {
        let paren = self.flavor.has_paren_comments();
        while self.peek().is_some_and(|byte| byte != b';' && !(paren && byte == b'(')) {
            self.at += 1;
        }
    }

    fn rest_as_comment(&mut self) -> Token<'a> {
        let start = self.at;
        self.at = self.line.len();
        let text = self.line.get(start + 1..).unwrap_or_default();
        Token::Comment(Comment { kind: CommentKind::Semicolon, text, span: self.span(start), closed: true })
    }

    fn paren_comment(&mut self) -> Token<'a> {
        let start = self.at;
        let rest = self.line.get(start + 1..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte == b')');
        let text = end.map_or(rest, |end| &rest[..end]);
        self.at = start + 1 + text.len() + usize::from(end.is_some());
        let kind = if is_active(text) { CommentKind::Active } else { CommentKind::Paren };
        Token::Comment(Comment { kind, text, span: self.span(start), closed: end.is_some() })
    }

    fn setting(&mut self) -> Token<'a> {
        let start = self.at;
        self.at = self.line.len();
        Token::Setting(self.since(start).trim_ascii_end())
    }

    /// The free text of a command, up to a comment. `None` when there is none.
    fn text(&mut self) -> Option<Token<'a>> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte != b';') {
            self.at += 1;
        }
        let text = self.since(start).trim_ascii_end();
        (!text.is_empty()).then_some(Token::Text(text))
    }

    fn checksum(&mut self) -> Token<'a> {
        let start = self.at;
        self.at += 1;
        self.skip_blanks();
        match self.number() {
            Some(number) => Token::Checksum(number),
            None => self.invalid(start, FaultKind::BadNumber),
        }
    }

    fn line_number(&mut self) -> Token<'a> {
        let start = self.at;
        self.at += 1;
        self.begun = false;
        if self.flavor.blanks_in_numbers() {
            self.skip_blanks();
        }
        match self.number() {
            Some(number) => Token::LineNumber(number),
            None => self.invalid(start, FaultKind::BadNumber),
        }
    }

    fn o_word(&mut self) -> Token<'a> {
        let start = self.at;
        self.skip_to_comment();
        let text = self.since(start).trim_ascii_end();
        Token::OWord(OWord { text, span: Span { start, end: start + text.len() } })
    }

    fn assignment(&mut self) -> Token<'a> {
        let start = self.at;
        let Some(parameter) = self.parameter() else {
            return self.invalid(start, FaultKind::BadParameter);
        };
        self.skip_blanks();
        if self.peek() != Some(b'=') {
            return self.invalid(start, FaultKind::StrayByte(b'#'));
        }
        self.at += 1;
        self.skip_blanks();
        match self.value() {
            Ok(Value::None) => self.invalid(start, FaultKind::MissingValue),
            Ok(value) => Token::Assignment(Assignment { parameter, value, span: self.span(start) }),
            Err(kind) => self.invalid(start, kind),
        }
    }

    fn word(&mut self, letter: u8) -> Token<'a> {
        let start = self.at;
        self.at += 1;
        if self.flavor.blanks_in_numbers() {
            self.skip_blanks();
        }
        let value = match self.value() {
            Ok(value) => value,
            Err(kind) => return self.invalid(start, kind),
        };
        if matches!(value, Value::None) && self.flavor != Flavor::Marlin {
            return Token::Invalid(Fault { column: start + 1, kind: FaultKind::MissingValue });
        }
        let span = self.span(start);
        let word = Word { letter, value, span };
        self.free_text = self.flavor == Flavor::Marlin && letter == b'M' && word.code().is_some_and(takes_text);
        Token::Word(word)
    }

    fn value(&mut self) -> Result<Value<'a>, FaultKind> {
        let start = self.at;
        match self.peek() {
            Some(b'0'..=b'9' | b'.' | b'-' | b'+') => {
                self.number().map(Value::Number).ok_or(FaultKind::BadNumber)
            }
            Some(b'[') => self.expression(start),
            Some(b'#') => self.parameter().map(Value::Parameter).ok_or(FaultKind::BadParameter),
            Some(b'"') if self.flavor == Flavor::Marlin => self.quoted(),
            Some(byte) if byte.is_ascii_alphabetic() && self.flavor == Flavor::LinuxCnc => self.function(start),
            _ => Ok(Value::None),
        }
    }

    /// `[-]? digits [. digits]`; steps over it also when it is none.
    fn number(&mut self) -> Option<Number<'a>> {
        let start = self.at;
        let blanks = self.flavor.blanks_in_numbers();
        let mut end = start;
        let (mut digits, mut points) = (0_usize, 0_usize);
        if matches!(self.peek(), Some(b'-' | b'+')) {
            self.at += 1;
            end = self.at;
        }
        while let Some(byte) = self.peek() {
            match byte {
                b'0'..=b'9' => digits += 1,
                b'.' => points += 1,
                b' ' | b'\t' if blanks => {
                    self.at += 1;
                    continue;
                }
                _ => break,
            }
            self.at += 1;
            end = self.at;
        }
        self.at = end;
        (digits > 0 && points <= 1).then(|| Number::new(self.since(start)))
    }

    /// `#1`, `##1`, `#<name>`, `#[…]`.
    fn parameter(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        while self.peek() == Some(b'#') {
            self.at += 1;
            self.skip_blanks();
        }
        match self.peek()? {
            b'<' => {
                let rest = self.line.get(self.at..)?;
                self.at += rest.iter().position(|&byte| byte == b'>')? + 1;
            }
            b'[' => {
                self.expression(self.at).ok()?;
            }
            _ => {
                self.number()?;
            }
        }
        Some(self.since(start))
    }

    /// From the bracket at hand to its partner; the value begins at `start`.
    fn expression(&mut self, start: usize) -> Result<Value<'a>, FaultKind> {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'[' => depth += 1,
                b']' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(Value::Expression(self.since(start)));
            }
        }
        Err(FaultKind::UnclosedExpression)
    }

    /// `sin[30]`, `atan[1]/[2]`.
    fn function(&mut self, start: usize) -> Result<Value<'a>, FaultKind> {
        while self.peek().is_some_and(|byte| byte.is_ascii_alphabetic()) {
            self.at += 1;
        }
        if self.peek() != Some(b'[') {
            self.at = start;
            return Ok(Value::None);
        }
        let value = self.expression(start)?;
        if self.peek() == Some(b'/') && self.line.get(self.at + 1) == Some(&b'[') {
            self.at += 1;
            return self.expression(start);
        }
        Ok(value)
    }

    fn quoted(&mut self) -> Result<Value<'a>, FaultKind> {
        self.at += 1;
        let start = self.at;
        let rest = self.line.get(start..).unwrap_or_default();
        let Some(length) = rest.iter().position(|&byte| byte == b'"') else {
            self.at = self.line.len();
            return Err(FaultKind::UnclosedText);
        };
        self.at = start + length + 1;
        Ok(Value::Text(&rest[..length]))
    }
}

/// Commands of Marlin whose argument is free text.
fn takes_text(code: Code) -> bool {
    matches!(code.major, 16 | 23 | 28 | 30 | 32 | 33 | 117 | 118 | 550..=554 | 587 | 588 | 928) && code.minor == 0
}

/// `(MSG, …)` and its like.
fn is_active(text: &[u8]) -> bool {
    const NAMES: [&[u8]; 9] =
        [b"MSG", b"DEBUG", b"PRINT", b"LOG", b"LOGOPEN", b"LOGAPPEND", b"LOGCLOSE", b"PROBEOPEN", b"PROBECLOSE"];
    let text = text.trim_ascii();
    let name = text.split(|&byte| byte == b',').next().unwrap_or_default();
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}
