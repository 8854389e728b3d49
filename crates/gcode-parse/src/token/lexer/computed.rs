//! Parameters, expressions and O-words: what only RS-274/NGC computes.

use super::{Stage, Tokens, fault};
use crate::expr;
use crate::token::{Assignment, Fault, FaultKind, Keyword, Label, OWord, Span, Token, Value};

impl<'a> Tokens<'a> {
    #[cold]
    pub(super) fn o_word(&mut self) -> Token<'a> {
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

    pub(super) fn assignment(&mut self, start: usize) -> Token<'a> {
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

    /// `#…` or `[…]`.
    pub(super) fn computed(&mut self) -> Result<Value<'a>, Fault> {
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
    pub(super) fn function_call(&mut self) -> Option<Result<Value<'a>, Fault>> {
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
    pub(super) fn bracket(&mut self) -> Result<(), Fault> {
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
    pub(super) fn parameter(&mut self) -> Result<(), Fault> {
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
    pub(super) fn name(&mut self) -> Result<&'a [u8], Fault> {
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
}
