//! Everything on a line that no letter begins: comments, marks, settings and noise.

use super::{FreeText, Stage, Tokens, fault};
use crate::flavor::Flavor;
use crate::token::{Active, Comment, CommentKind, FaultKind, Span, Token};

impl<'a> Tokens<'a> {
    /// Everything that does not begin with a letter, and free text.
    #[cold]
    pub(super) fn other(&mut self, byte: u8) -> Token<'a> {
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
            // grbl drops the slash of a block delete before it looks at the line.
            b'$' if self.flavor == Flavor::Grbl
                && matches!(stage, Stage::Start | Stage::Deleted) =>
            {
                self.setting(start)
            }
            b'#' if !marlin => self.assignment(start),
            b'[' if !marlin => {
                self.at = start;
                match self.bracket() {
                    Ok(()) => fault(start, FaultKind::StrayByte(byte)),
                    Err(unclosed) => Token::Invalid(unclosed),
                }
            }
            b'*' if marlin => self.checksum_mark(start),
            // No word takes it, and still no comment begins between its quotes.
            b'"' if marlin => {
                self.at = start;
                match self.quoted() {
                    Ok(_) => fault(start, FaultKind::StrayByte(byte)),
                    Err(unclosed) => Token::Invalid(unclosed),
                }
            }
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
    pub(super) fn run(&mut self, start: usize, byte: u8, kind: FaultKind) -> Token<'a> {
        while self.line.get(self.at) == Some(&byte) {
            self.at += 1;
        }
        fault(start, kind)
    }

    pub(super) fn paren(&mut self, start: usize) -> Token<'a> {
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

    pub(super) fn comment(
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
    pub(super) fn setting(&mut self, start: usize) -> Token<'a> {
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
