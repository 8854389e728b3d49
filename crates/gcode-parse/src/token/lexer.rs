use super::{
    Active, Assignment, Comment, CommentKind, Fault, FaultKind, Keyword, Label, OWord, Span, Token,
    Value, Word,
};
use crate::expr;
use crate::flavor::Flavor;
use crate::number::{Code, Number, is_blank};

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
        self.skip_blanks();
        let byte = *self.line.get(self.at)?;
        if byte.is_ascii_alphabetic() && self.text == FreeText::Never {
            let letter = byte.to_ascii_uppercase();
            // N, O, M and T may begin something else; all other letters begin words.
            if matches!(letter, b'M'..=b'O' | b'T') {
                Some(self.special_letter(letter))
            } else {
                Some(self.word(letter))
            }
        } else {
            Some(self.other(byte))
        }
    }
}

impl<'a> Tokens<'a> {
    #[cold]
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

    #[inline]
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

    /// `#…` or `[…]`.
    fn computed(&mut self) -> Result<Value<'a>, Fault> {
        let start = self.at;
        match self.line.get(start) {
            Some(b'#') => {
                self.parameter()?;
                Ok(Value::Parameter(self.slice(start, self.at)))
            }
            _ => {
                self.bracket()?;
                Ok(Value::Expression(self.slice(start, self.at)))
            }
        }
    }

    /// `sin[30]`, `atan[1]/[2]` where a number could stand.
    fn function_call(&mut self) -> Option<Result<Value<'a>, Fault>> {
        let start = self.at;
        let function = expr::Function::at_front(self.slice(start, self.line.len()))?;
        self.at += function.name().len();
        self.skip_blanks();
        let mut result = self.bracket();
        if result.is_ok() && function == expr::Function::Atan {
            self.skip_blanks();
            if self.line.get(self.at) == Some(&b'/') {
                self.at += 1;
                self.skip_blanks();
                result = self.bracket();
            }
        }
        Some(result.map(|()| Value::Expression(self.slice(start, self.at))))
    }

    /// From `[` to its `]`; on failure to the end of the line.
    fn bracket(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(byte) = self.line.get(self.at) {
            self.at += 1;
            match byte {
                b'[' => depth += 1,
                b']' if depth <= 1 => return Ok(()),
                b']' => depth -= 1,
                _ if depth == 0 => {
                    self.at -= 1;
                    break;
                }
                _ => {}
            }
        }
        Err(Fault {
            column: start + 1,
            kind: FaultKind::UnclosedBracket,
        })
    }

    /// `#5`, `#<name>`, `##5`, `#[…]`.
    fn parameter(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.line.get(self.at) == Some(&b'#') {
            self.at += 1;
            self.skip_blanks();
        }
        match self.line.get(self.at) {
            Some(b'<') => self.name().map(|_| ()),
            Some(b'[') => self.bracket(),
            Some(b'0'..=b'9') => {
                self.number();
                Ok(())
            }
            _ => Err(Fault {
                column: start + 1,
                kind: FaultKind::BadParameter,
            }),
        }
    }

    /// `<name>`, given without its brackets.
    fn name(&mut self) -> Result<&'a [u8], Fault> {
        let start = self.at;
        let rest = self.slice(start, self.line.len());
        match rest.iter().position(|byte| *byte == b'>') {
            Some(length) => {
                self.at = start + length + 1;
                Ok(self.slice(start + 1, start + length))
            }
            None => {
                self.at = self.line.len();
                Err(Fault {
                    column: start + 1,
                    kind: FaultKind::UnclosedName,
                })
            }
        }
    }

    /// `"text"`, given without its quotes; a backslash keeps the quote behind it.
    fn quoted(&mut self) -> Result<&'a [u8], Fault> {
        let start = self.at;
        let mut at = start + 1;
        while let Some(byte) = self.line.get(at) {
            match byte {
                b'"' => {
                    self.at = at + 1;
                    return Ok(self.slice(start + 1, at));
                }
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        self.at = self.line.len();
        Err(Fault {
            column: start + 1,
            kind: FaultKind::UnclosedQuote,
        })
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

    /// The first `M` or `T` word of a Marlin line: it decides how the rest is read.
    #[cold]
    fn marlin_command(&mut self, letter: u8) -> Token<'a> {
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

    #[cold]
    fn o_word(&mut self) -> Token<'a> {
        let start = self.at;
        self.stage = Stage::Body;
        self.at += 1;
        self.skip_blanks();
        let first = self.at;
        let label = match self.line.get(first) {
            Some(b'0'..=b'9') => self.number().map(Label::Number).ok_or(Fault {
                column: first + 1,
                kind: FaultKind::BadNumber,
            }),
            Some(b'<') => self.name().map(Label::Name),
            Some(b'#' | b'[') => self
                .computed()
                .map(|_| Label::Expression(self.slice(first, self.at))),
            _ => {
                self.at = start + 1;
                return fault(start, FaultKind::MissingValue(b'O'));
            }
        };
        let label = match label {
            Ok(label) => label,
            Err(fault) => return Token::Invalid(fault),
        };
        self.skip_blanks();
        let rest = self.slice(self.at, self.line.len());
        let letters = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        let keyword = Keyword::from_name(self.slice(self.at, self.at + letters));
        let mut arguments: &[u8] = &[];
        let mut end = self.at;
        if keyword.is_some() {
            self.at += letters;
            let open = self.at;
            while self
                .line
                .get(self.at)
                .is_some_and(|byte| !matches!(byte, b';' | b'('))
            {
                self.at += 1;
            }
            arguments = self.slice(open, self.at).trim_ascii();
            end = self.at;
        }
        let end = self.slice(0, end).trim_ascii_end().len();
        Token::OWord(OWord {
            label,
            keyword,
            arguments,
            span: Span { start, end },
        })
    }

    /// Everything that does not begin with a letter, and free text.
    #[cold]
    fn other(&mut self, byte: u8) -> Token<'a> {
        let start = self.at;
        let marlin = self.flavor == Flavor::Marlin;
        match self.text {
            FreeText::Ignored if byte != b';' => return self.after_checksum(),
            FreeText::Rest | FreeText::AfterWords if !matches!(byte, b';' | b'*') => {
                return self.free_text(byte);
            }
            _ => {}
        }
        self.at += 1;
        let stage = self.stage;
        if byte != b';' && (byte != b'(' || marlin) {
            self.stage = Stage::Body;
        }
        match byte {
            b';' => {
                self.at = self.line.len();
                self.comment(CommentKind::Semicolon, start, start + 1, self.at, true)
            }
            b'(' if !marlin => self.paren(start),
            b'/' if !marlin && stage == Stage::Start => {
                self.stage = Stage::Deleted;
                Token::BlockDelete
            }
            b'%' if !marlin && stage == Stage::Start => Token::TapeMark,
            b'$' if self.flavor == Flavor::Grbl && stage == Stage::Start => self.setting(start),
            b'#' if !marlin => self.assignment(start),
            b'[' if !marlin => {
                self.at = start;
                match self.bracket() {
                    Ok(()) => fault(start, FaultKind::StrayByte(byte)),
                    Err(unclosed) => Token::Invalid(unclosed),
                }
            }
            b'*' if marlin => self.checksum_mark(start),
            b'@' | b'^' if self.flavor == Flavor::LinuxCnc => {
                self.at = start;
                self.word(byte)
            }
            b'0'..=b'9' | b'.' | b'+' | b'-' => {
                self.skip_number_bytes();
                fault(start, FaultKind::StrayNumber)
            }
            0 => self.run(start, 0, FaultKind::Nul),
            0x80.. => {
                let rest = self.slice(self.at, self.line.len());
                self.at += rest.iter().take_while(|byte| !byte.is_ascii()).count();
                fault(start, FaultKind::NonAscii(byte))
            }
            _ => self.run(start, byte, FaultKind::StrayByte(byte)),
        }
    }

    /// One fault for a run of the same byte, so that a page of noise does not become thousands of faults.
    fn run(&mut self, start: usize, byte: u8, kind: FaultKind) -> Token<'a> {
        while self.line.get(self.at) == Some(&byte) {
            self.at += 1;
        }
        fault(start, kind)
    }

    fn free_text(&mut self, byte: u8) -> Token<'a> {
        let start = self.at;
        if self.text == FreeText::AfterWords
            && matches!(byte.to_ascii_uppercase(), b'S' | b'P')
            && self.line.get(start + 1).is_some_and(u8::is_ascii_digit)
        {
            return self.word(byte.to_ascii_uppercase());
        }
        self.text = FreeText::Never;
        let rest = self.slice(start, self.line.len());
        let end = rest
            .iter()
            .position(|byte| *byte == b';')
            .unwrap_or(rest.len());
        let end = checksum_at_end(rest.get(..end).unwrap_or(rest)).unwrap_or(end);
        self.at = start + end;
        Token::Text(self.slice(start, self.at).trim_ascii_end())
    }

    fn paren(&mut self, start: usize) -> Token<'a> {
        let inner = start + 1;
        let rest = self.slice(inner, self.line.len());
        let (end, closed) = match rest.iter().position(|byte| *byte == b')') {
            Some(length) => (inner + length, true),
            None => (self.line.len(), false),
        };
        self.at = end + usize::from(closed);
        match active(self.slice(inner, end)) {
            Some((kind, skip)) => {
                self.comment(CommentKind::Active(kind), start, inner + skip, end, closed)
            }
            None => self.comment(CommentKind::Paren, start, inner, end, closed),
        }
    }

    fn comment(
        &self,
        kind: CommentKind,
        start: usize,
        from: usize,
        to: usize,
        closed: bool,
    ) -> Token<'a> {
        Token::Comment(Comment {
            kind,
            text: self.slice(from, to),
            span: Span {
                start,
                end: self.at,
            },
            closed,
        })
    }

    /// A `$` line. A comment counts as one only at its end: inside, grbl's own rules for the command decide.
    fn setting(&mut self, start: usize) -> Token<'a> {
        let rest = self.slice(start, self.line.len());
        let mut length = rest.len();
        if let Some(mark) = rest.iter().position(|byte| matches!(byte, b';' | b'(')) {
            let semicolon = rest.get(mark) == Some(&b';');
            let closing = rest.iter().position(|byte| *byte == b')');
            let behind = closing.map_or(&[][..], |at| rest.get(at + 1..).unwrap_or(&[]));
            if semicolon || behind.trim_ascii().is_empty() {
                length = mark;
            }
        }
        self.at = start + length;
        Token::Setting(self.slice(start, self.at).trim_ascii_end())
    }

    fn assignment(&mut self, start: usize) -> Token<'a> {
        self.at = start;
        if let Err(fault) = self.parameter() {
            return Token::Invalid(fault);
        }
        let target = self.slice(start, self.at);
        self.skip_blanks();
        if self.line.get(self.at) != Some(&b'=') {
            return fault(start, FaultKind::MissingEquals);
        }
        // The value is read as that of a word whose letter is the equals sign.
        match self.word(b'=') {
            Token::Word(word) => Token::Assignment(Assignment {
                target,
                value: word.value,
                span: Span {
                    start,
                    end: word.span.end,
                },
            }),
            other => other,
        }
    }

    fn checksum_mark(&mut self, start: usize) -> Token<'a> {
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

    fn after_checksum(&mut self) -> Token<'a> {
        let start = self.at;
        let rest = self.slice(start, self.line.len());
        self.at += rest
            .iter()
            .position(|byte| *byte == b';')
            .unwrap_or(rest.len());
        fault(start, FaultKind::AfterChecksum)
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

/// The digits and the one point at the front of a text.
struct Extent {
    length: usize,
    digits: usize,
}

impl Extent {
    /// Most numbers end within eight bytes, and those are looked at in one word.
    #[inline]
    fn of(text: &[u8]) -> Self {
        if let Some(front) = text.first_chunk::<8>() {
            let word = u64::from_le_bytes(*front);
            // A digit becomes 0 to 9, and only what is more reaches the high bit.
            let value = word ^ 0x3030_3030_3030_3030;
            let others =
                (value.wrapping_add(0x7676_7676_7676_7676) | value) & 0x8080_8080_8080_8080;
            if others != 0 {
                let first = others.trailing_zeros() / 8;
                if (word >> (8 * first)) as u8 != b'.' {
                    let length = first as usize;
                    return Self {
                        length,
                        digits: length,
                    };
                }
                let others = others & (others - 1);
                if others != 0 {
                    let length = (others.trailing_zeros() / 8) as usize;
                    return Self {
                        length,
                        digits: length - 1,
                    };
                }
            }
        }
        Self::byte_by_byte(text)
    }

    fn byte_by_byte(text: &[u8]) -> Self {
        let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let whole = digits(text);
        match text.get(whole..) {
            Some([b'.', rest @ ..]) => {
                let fraction = digits(rest);
                Self {
                    length: whole + 1 + fraction,
                    digits: whole + fraction,
                }
            }
            _ => Self {
                length: whole,
                digits: whole,
            },
        }
    }
}

fn fault<'a>(start: usize, kind: FaultKind) -> Token<'a> {
    Token::Invalid(Fault {
        column: start + 1,
        kind,
    })
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

/// The kind of an active comment and the length of what announces it.
fn active(text: &[u8]) -> Option<(Active, usize)> {
    const WITH_COMMA: [(&[u8], Active); 8] = [
        (b"MSG", Active::Message),
        (b"DEBUG", Active::Debug),
        (b"PRINT", Active::Print),
        (b"LOG", Active::Log),
        (b"LOGOPEN", Active::LogOpen),
        (b"LOGAPPEND", Active::LogAppend),
        (b"ABORT", Active::Abort),
        (b"PY", Active::Python),
    ];
    const WITHOUT: [(&[u8], Active); 3] = [
        (b"PROBEOPEN", Active::ProbeOpen),
        (b"PROBECLOSE", Active::ProbeClose),
        (b"LOGCLOSE", Active::LogClose),
    ];
    let front = text.len() - text.trim_ascii_start().len();
    let body = text.get(front..)?;
    let letters = body
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let name = body.get(..letters)?;
    let rest = body.get(letters..)?;
    let blanks = rest.len() - rest.trim_ascii_start().len();
    let named = |(known, _): &&(&[u8], Active)| known.eq_ignore_ascii_case(name);
    if rest.get(blanks) == Some(&b',') {
        return WITH_COMMA
            .iter()
            .find(named)
            .map(|(_, kind)| (*kind, front + letters + blanks + 1));
    }
    (blanks > 0 || rest.is_empty()).then_some(())?;
    WITHOUT
        .iter()
        .find(named)
        .map(|(_, kind)| (*kind, front + letters + blanks))
}
