//! One line as a block: its words in place, nothing allocated.

use crate::{
    Assignment, Code, Comment, Fault, FaultKind, Flavor, Number, OWord, Span, Token, Tokens, Value, Word, checksum, tokens,
};

/// Most words a block holds; RS-274/NGC has fewer letters than that.
pub const MAX_WORDS: usize = 32;
/// Most faults a block names.
const MAX_FAULTS: usize = 4;

/// A parsed line. Words are in the order of the line; everything else can be asked for.
#[derive(Debug, Clone)]
pub struct Block<'a> {
    flavor: Flavor,
    text: &'a [u8],
    words: [Word<'a>; MAX_WORDS],
    word_count: usize,
    faults: [Fault; MAX_FAULTS],
    fault_count: usize,
    line_number: Option<Number<'a>>,
    checksum: Option<Number<'a>>,
    setting: Option<&'a [u8]>,
    free_text: Option<&'a [u8]>,
    o_word: Option<OWord<'a>>,
    block_delete: bool,
    tape_mark: bool,
    has_comments: bool,
    has_assignments: bool,
}

impl<'a> Block<'a> {
    /// Parses a line without its terminator. Never fails: what cannot be read is in [`faults`](Self::faults), the rest is there.
    #[must_use]
    pub fn parse(flavor: Flavor, text: &'a [u8]) -> Self {
        const NO_WORD: Word<'static> = Word { letter: 0, value: Value::None, span: Span { start: 0, end: 0 } };
        const NO_FAULT: Fault = Fault { column: 0, kind: FaultKind::BadNumber };
        let mut block = Self {
            flavor,
            text,
            words: [NO_WORD; MAX_WORDS],
            word_count: 0,
            faults: [NO_FAULT; MAX_FAULTS],
            fault_count: 0,
            line_number: None,
            checksum: None,
            setting: None,
            free_text: None,
            o_word: None,
            block_delete: false,
            tape_mark: false,
            has_comments: false,
            has_assignments: false,
        };
        for token in tokens(flavor, text) {
            block.add(token);
        }
        block
    }

    fn add(&mut self, token: Token<'a>) {
        match token {
            Token::Word(word) => match self.words.get_mut(self.word_count) {
                Some(slot) => {
                    *slot = word;
                    self.word_count += 1;
                }
                None => self.add_fault(Fault { column: word.span.start + 1, kind: FaultKind::TooManyWords }),
            },
            Token::Invalid(fault) => self.add_fault(fault),
            Token::Comment(comment) => {
                self.has_comments = true;
                if !comment.closed {
                    self.add_fault(Fault { column: comment.span.start + 1, kind: FaultKind::UnclosedComment });
                }
            }
            Token::LineNumber(number) => self.line_number = Some(number),
            Token::Checksum(number) => self.checksum = Some(number),
            Token::Setting(setting) => self.setting = Some(setting),
            Token::Text(text) => self.free_text = Some(text),
            Token::OWord(o_word) => self.o_word = Some(o_word),
            Token::Assignment(_) => self.has_assignments = true,
            Token::BlockDelete => self.block_delete = true,
            Token::TapeMark => self.tape_mark = true,
        }
    }

    fn add_fault(&mut self, fault: Fault) {
        if let Some(slot) = self.faults.get_mut(self.fault_count) {
            *slot = fault;
            self.fault_count += 1;
        }
    }

    /// The rules it was read by.
    #[must_use]
    pub const fn flavor(&self) -> Flavor {
        self.flavor
    }

    /// The whole line.
    #[must_use]
    pub const fn source(&self) -> &'a [u8] {
        self.text
    }

    /// Its words, in order.
    #[must_use]
    pub fn words(&self) -> &[Word<'a>] {
        self.words.get(..self.word_count).unwrap_or_default()
    }

    /// The first word with this upper-case letter.
    #[must_use]
    pub fn word(&self, letter: u8) -> Option<&Word<'a>> {
        self.words().iter().find(|word| word.letter == letter)
    }

    /// The number of the first word with this upper-case letter, as f64.
    #[must_use]
    pub fn value(&self, letter: u8) -> Option<f64> {
        Some(self.word(letter)?.number()?.to_f64())
    }

    /// The codes of its G words.
    pub fn g_codes(&self) -> impl Iterator<Item = Code> {
        self.codes(b'G')
    }

    /// The codes of its M words.
    pub fn m_codes(&self) -> impl Iterator<Item = Code> {
        self.codes(b'M')
    }

    fn codes(&self, letter: u8) -> impl Iterator<Item = Code> {
        self.words().iter().filter(move |word| word.letter == letter).filter_map(Word::code)
    }

    /// Whether it has this G word.
    #[must_use]
    pub fn has_g(&self, code: Code) -> bool {
        self.g_codes().any(|found| found == code)
    }

    /// Whether it has this M word.
    #[must_use]
    pub fn has_m(&self, code: Code) -> bool {
        self.m_codes().any(|found| found == code)
    }

    /// The number behind `N`.
    #[must_use]
    pub const fn line_number(&self) -> Option<Number<'a>> {
        self.line_number
    }

    /// The number behind `*`.
    #[must_use]
    pub const fn checksum(&self) -> Option<Number<'a>> {
        self.checksum
    }

    /// Whether the checksum fits the bytes in front of the last `*`; `None` without a checksum.
    #[must_use]
    pub fn checksum_ok(&self) -> Option<bool> {
        let given = self.checksum?.to_u64()?;
        let star = self.text.iter().rposition(|&byte| byte == b'*')?;
        Some(u64::from(checksum(self.text.get(..star)?)) == given)
    }

    /// Whether a `/` stands in front.
    #[must_use]
    pub const fn block_delete(&self) -> bool {
        self.block_delete
    }

    /// Whether it is a `%` line.
    #[must_use]
    pub const fn tape_mark(&self) -> bool {
        self.tape_mark
    }

    /// A whole `$…` line.
    #[must_use]
    pub const fn setting(&self) -> Option<&'a [u8]> {
        self.setting
    }

    /// The free text of a command that takes one.
    #[must_use]
    pub const fn text(&self) -> Option<&'a [u8]> {
        self.free_text
    }

    /// Its O-word.
    #[must_use]
    pub const fn o_word(&self) -> Option<OWord<'a>> {
        self.o_word
    }

    /// Its comments, in order.
    pub fn comments(&self) -> impl Iterator<Item = Comment<'a>> + use<'a> {
        let all = if self.has_comments { self.text } else { &[] };
        tokens(self.flavor, all).filter_map(|token| match token {
            Token::Comment(comment) => Some(comment),
            _ => None,
        })
    }

    /// Its assignments to parameters, in order.
    pub fn assignments(&self) -> impl Iterator<Item = Assignment<'a>> + use<'a> {
        let all: Tokens<'a> = tokens(self.flavor, if self.has_assignments { self.text } else { &[] });
        all.filter_map(|token| match token {
            Token::Assignment(assignment) => Some(assignment),
            _ => None,
        })
    }

    /// What could not be read; the first few when there are many.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        self.faults.get(..self.fault_count).unwrap_or_default()
    }

    /// Whether nothing is left without blanks, comments and a line number.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.word_count == 0
            && self.fault_count == 0
            && self.setting.is_none()
            && self.free_text.is_none()
            && self.o_word.is_none()
            && !self.has_assignments
            && !self.tape_mark
    }
}
