//! A line parsed once.

use crate::flavor::Flavor;
use crate::number::{Code, Number};
use crate::token::{
    Assignment, Comment, Fault, FaultKind, OWord, Span, Token, Value, Word, checksum, tokens,
};

/// Words that one block holds.
pub const MAX_WORDS: usize = 32;

/// Faults that one block keeps; further ones are only counted.
pub const MAX_FAULTS: usize = 4;

/// A line as one flavor reads it: words and marks in place, nothing allocated.
///
/// Words that stand between faulty ones are kept, so a caller may refuse the line or go on with the rest.
///
/// ```
/// use feedhold_gcode_parse::{Block, Code, Flavor};
///
/// let block = Block::parse(Flavor::Grbl, b"N10 G01 X1.5 Yoops F300 (edge)");
/// assert!(block.has_g(Code::new(1)) && !block.has_g(Code::new(10)));
/// assert_eq!(block.word(b'X').unwrap().number().unwrap().text(), b"1.5");
/// assert_eq!(block.faults()[0].to_string(), "column 14: the word `Y` has no number");
/// assert_eq!(block.comments().count(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Block<'a> {
    flavor: Flavor,
    text: &'a [u8],
    contents: Contents,
    words: Words<'a>,
    line_number: Option<Number<'a>>,
    checksum: Option<(Number<'a>, usize)>,
    faults: [Fault; MAX_FAULTS],
    fault_count: usize,
}

impl<'a> Block<'a> {
    /// Parses one line without its terminator.
    #[inline]
    #[must_use]
    pub fn parse(flavor: Flavor, text: &'a [u8]) -> Self {
        let mut block = Self::empty(flavor, text);
        block.read();
        block
    }

    /// Parses one line and lends the block instead of giving it away.
    ///
    /// A block takes two kilobytes, and giving it away copies them: more work than reading the line. Loops
    /// over whole programs do without that.
    #[inline]
    pub fn with<R>(flavor: Flavor, text: &'a [u8], then: impl FnOnce(&Self) -> R) -> R {
        let mut block = Self::empty(flavor, text);
        block.read();
        then(&block)
    }

    #[inline]
    const fn empty(flavor: Flavor, text: &'a [u8]) -> Self {
        Self {
            flavor,
            text,
            contents: Contents(0),
            words: Words {
                len: 0,
                few: [NO_WORD; FEW],
                many: None,
            },
            line_number: None,
            checksum: None,
            faults: [NO_FAULT; MAX_FAULTS],
            fault_count: 0,
        }
    }

    fn read(&mut self) {
        let mut tokens = tokens(self.flavor, self.text);
        loop {
            if let Some(word) = tokens.plain_word() {
                self.push_word(word);
            } else if let Some(token) = tokens.next_unusual() {
                self.push_other(token);
            } else {
                break;
            }
        }
    }

    /// The flavor it was read in.
    #[must_use]
    pub const fn flavor(&self) -> Flavor {
        self.flavor
    }

    /// The line as it stands in the source.
    #[must_use]
    pub const fn source(&self) -> &'a [u8] {
        self.text
    }

    /// The words in their order, without line number and checksum.
    #[inline]
    #[must_use]
    pub fn words(&self) -> &[Word<'a>] {
        self.words.as_slice()
    }

    /// The first word with this letter, given in upper case.
    #[inline]
    #[must_use]
    pub fn word(&self, letter: u8) -> Option<&Word<'a>> {
        self.words().iter().find(|word| word.letter == letter)
    }

    /// Whether one of the G words has this code.
    #[inline]
    #[must_use]
    pub fn has_g(&self, code: Code) -> bool {
        self.g_codes().any(|found| found == code)
    }

    /// Whether one of the M words has this code.
    #[inline]
    #[must_use]
    pub fn has_m(&self, code: Code) -> bool {
        self.m_codes().any(|found| found == code)
    }

    /// The codes of all G words.
    #[inline]
    pub fn g_codes(&self) -> impl Iterator<Item = Code> + use<'_, 'a> {
        self.codes(b'G')
    }

    /// The codes of all M words.
    #[inline]
    pub fn m_codes(&self) -> impl Iterator<Item = Code> + use<'_, 'a> {
        self.codes(b'M')
    }

    #[inline]
    fn codes(&self, letter: u8) -> impl Iterator<Item = Code> + use<'_, 'a> {
        self.words()
            .iter()
            .filter(move |word| word.letter == letter)
            .filter_map(Word::code)
    }

    /// The number behind `N`.
    #[must_use]
    pub const fn line_number(&self) -> Option<Number<'a>> {
        self.line_number
    }

    /// The number behind `*`.
    #[must_use]
    pub fn checksum(&self) -> Option<Number<'a>> {
        self.checksum.map(|(number, _)| number)
    }

    /// Whether the checksum is right; `None` when the line has none.
    ///
    /// Marlin counts from the first byte that is not a blank to the one before the asterisk.
    #[must_use]
    pub fn checksum_ok(&self) -> Option<bool> {
        let (number, star) = self.checksum?;
        let summed = self.text.get(..star).unwrap_or(&[]).trim_ascii_start();
        Some(number.to_u64() == Some(u64::from(checksum(summed))))
    }

    /// Whether the line begins with `/`.
    #[must_use]
    pub const fn block_delete(&self) -> bool {
        self.contents.has(Contents::BLOCK_DELETE)
    }

    /// Whether the line is a `%` mark.
    #[must_use]
    pub const fn tape_mark(&self) -> bool {
        self.contents.has(Contents::TAPE_MARK)
    }

    /// The comments in their order.
    pub fn comments(&self) -> impl Iterator<Item = Comment<'a>> + use<'a> {
        self.again(Contents::COMMENT)
            .filter_map(|token| match token {
                Token::Comment(comment) => Some(comment),
                _ => None,
            })
    }

    /// Whether the line holds a comment.
    #[must_use]
    pub const fn has_comment(&self) -> bool {
        self.contents.has(Contents::COMMENT)
    }

    /// The control word.
    #[must_use]
    pub fn o_word(&self) -> Option<OWord<'a>> {
        self.again(Contents::O_WORD).find_map(|token| match token {
            Token::OWord(word) => Some(word),
            _ => None,
        })
    }

    /// The parameters that the line sets.
    pub fn assignments(&self) -> impl Iterator<Item = Assignment<'a>> + use<'a> {
        self.again(Contents::ASSIGNMENT)
            .filter_map(|token| match token {
                Token::Assignment(assignment) => Some(assignment),
                _ => None,
            })
    }

    /// The `$…` of a grbl setting line.
    #[must_use]
    pub fn setting(&self) -> Option<&'a [u8]> {
        self.again(Contents::SETTING).find_map(|token| match token {
            Token::Setting(setting) => Some(setting),
            _ => None,
        })
    }

    /// The free text argument.
    #[must_use]
    pub fn text(&self) -> Option<&'a [u8]> {
        self.again(Contents::TEXT).find_map(|token| match token {
            Token::Text(text) => Some(text),
            _ => None,
        })
    }

    /// The first faults, at most [`MAX_FAULTS`].
    #[inline]
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        self.faults
            .get(..self.fault_count.min(MAX_FAULTS))
            .unwrap_or(&[])
    }

    /// All faults of the line, those that were not kept included.
    #[must_use]
    pub const fn fault_count(&self) -> usize {
        self.fault_count
    }

    /// Whether the line holds nothing but blanks and comments.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words().is_empty()
            && self.fault_count == 0
            && self.line_number.is_none()
            && self.checksum.is_none()
            && self.contents.without(Contents::COMMENT).is_none()
    }

    /// Rare things are not stored but read again; most lines have none and pay nothing.
    fn again(&self, wanted: u8) -> crate::token::Tokens<'a> {
        let text = if self.contents.has(wanted) {
            self.text
        } else {
            &[]
        };
        tokens(self.flavor, text)
    }

    #[inline]
    fn push_word(&mut self, word: Word<'a>) {
        if !self.words.push(word) {
            self.push_fault(Fault {
                column: word.span.column(),
                kind: FaultKind::TooManyWords,
            });
        }
        if !matches!(word.value, Value::Number(_)) {
            self.check_support(word.value, word.span.column());
        }
    }

    #[cold]
    fn push_other(&mut self, token: Token<'a>) {
        let mark = match token {
            Token::BlockDelete => Contents::BLOCK_DELETE,
            Token::TapeMark => Contents::TAPE_MARK,
            Token::Comment(comment) => {
                if !comment.closed && self.flavor == Flavor::LinuxCnc {
                    self.push_fault(Fault {
                        column: comment.span.column(),
                        kind: FaultKind::UnclosedComment,
                    });
                }
                Contents::COMMENT
            }
            Token::OWord(word) => {
                if self.flavor == Flavor::Grbl {
                    self.push_fault(Fault {
                        column: word.span.column(),
                        kind: FaultKind::OWordUnsupported,
                    });
                }
                Contents::O_WORD
            }
            Token::Assignment(assignment) => {
                self.check_support(
                    Value::Parameter(assignment.target),
                    assignment.span.column(),
                );
                Contents::ASSIGNMENT
            }
            Token::Setting(_) => Contents::SETTING,
            Token::Text(_) => Contents::TEXT,
            Token::LineNumber(number) => return self.set_line_number(number),
            Token::Checksum(number) => return self.set_checksum(number),
            Token::Invalid(fault) => return self.push_fault(fault),
            Token::Word(word) => return self.push_word(word),
        };
        self.contents = self.contents.with(mark);
    }

    /// grbl has neither parameters nor expressions: the word is kept, and reported.
    #[cold]
    fn check_support(&mut self, value: Value<'a>, column: usize) {
        let kind = match value {
            Value::Parameter(_) => FaultKind::ParameterUnsupported,
            Value::Expression(_) => FaultKind::ExpressionUnsupported,
            _ => return,
        };
        if self.flavor != Flavor::LinuxCnc {
            self.push_fault(Fault { column, kind });
        }
    }

    fn set_line_number(&mut self, number: Number<'a>) {
        if self.line_number.is_some() {
            let column = self.column_of(number);
            self.push_fault(Fault {
                column,
                kind: FaultKind::RepeatedLineNumber,
            });
        } else {
            self.line_number = Some(number);
        }
    }

    fn set_checksum(&mut self, number: Number<'a>) {
        let column = self.column_of(number);
        let star = self
            .text
            .get(..column)
            .and_then(|front| front.iter().rposition(|byte| *byte == b'*'));
        self.checksum = Some((number, star.unwrap_or(0)));
    }

    /// 1-based column of a piece of this line.
    fn column_of(&self, number: Number<'a>) -> usize {
        number
            .text()
            .as_ptr()
            .addr()
            .saturating_sub(self.text.as_ptr().addr())
            + 1
    }

    #[cold]
    fn push_fault(&mut self, fault: Fault) {
        if let Some(place) = self.faults.get_mut(self.fault_count) {
            *place = fault;
        }
        self.fault_count += 1;
    }
}

/// Words that most lines do with. A new block has to write its empty places, and 32 of them would cost more
/// than reading the line.
const FEW: usize = 8;

const NO_WORD: Word<'static> = Word {
    letter: 0,
    value: Value::None,
    span: Span { start: 0, end: 0 },
};

const NO_FAULT: Fault = Fault {
    column: 0,
    kind: FaultKind::Nul,
};

/// The words of a block in place: there is no heap.
#[derive(Clone, Debug)]
struct Words<'a> {
    len: usize,
    few: [Word<'a>; FEW],
    /// All words, once there are more than a few.
    many: Option<[Word<'a>; MAX_WORDS]>,
}

impl<'a> Words<'a> {
    #[inline]
    fn as_slice(&self) -> &[Word<'a>] {
        match &self.many {
            None => self.few.get(..self.len),
            Some(many) => many.get(..self.len),
        }
        .unwrap_or(&[])
    }

    /// False when there is no room.
    #[inline]
    fn push(&mut self, word: Word<'a>) -> bool {
        match self.few.get_mut(self.len) {
            Some(place) => {
                *place = word;
                self.len += 1;
                true
            }
            None => self.push_many(word),
        }
    }

    #[cold]
    fn push_many(&mut self, word: Word<'a>) -> bool {
        let few = &self.few;
        let many = self.many.get_or_insert_with(|| {
            let mut many = [NO_WORD; MAX_WORDS];
            many.iter_mut().zip(few).for_each(|(to, from)| *to = *from);
            many
        });
        let Some(place) = many.get_mut(self.len) else {
            return false;
        };
        *place = word;
        self.len += 1;
        true
    }
}

/// Which of the rarer things a line holds.
#[derive(Clone, Copy, Debug)]
struct Contents(u8);

impl Contents {
    const BLOCK_DELETE: u8 = 1;
    const TAPE_MARK: u8 = 1 << 1;
    const COMMENT: u8 = 1 << 2;
    const O_WORD: u8 = 1 << 3;
    const ASSIGNMENT: u8 = 1 << 4;
    const SETTING: u8 = 1 << 5;
    const TEXT: u8 = 1 << 6;

    const fn has(self, mark: u8) -> bool {
        self.0 & mark != 0
    }

    const fn with(self, mark: u8) -> Self {
        Self(self.0 | mark)
    }

    const fn without(self, mark: u8) -> Self {
        Self(self.0 & !mark)
    }

    const fn is_none(self) -> bool {
        self.0 == 0
    }
}
