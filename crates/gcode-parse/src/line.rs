//! Lines out of bytes that arrive in pieces.

/// Bytes of one line that are kept; what lies beyond is counted but not stored.
pub const MAX_LINE: usize = 4096;

/// Finds the lines of a program that is pushed in slices of any size.
///
/// How the input is cut never changes what comes out: not in the middle of a line, not between CR and LF.
/// A line that lies whole in one slice is lent from that slice; only a line that straddles a cut is copied,
/// into a buffer of `CAP` bytes inside the reader. There is no allocation and no way to grow.
///
/// A CR that is the very last byte of a slice keeps its line back until the next byte tells whether LF
/// follows, or until [`finish`](Self::finish).
///
/// ```
/// use feedhold_gcode_parse::{Ending, LineReader};
///
/// let mut reader = <LineReader>::new();
/// let mut first = &b"G0 X1\nG1 X"[..];
/// assert_eq!(reader.next(&mut first).unwrap().text, b"G0 X1");
/// assert!(reader.next(&mut first).is_none());
///
/// let mut second = &b"2\r\n"[..];
/// let line = reader.next(&mut second).unwrap();
/// assert_eq!((line.number, line.offset, line.text, line.ending), (2, 6, &b"G1 X2"[..], Ending::CrLf));
/// ```
#[derive(Clone, Debug)]
pub struct LineReader<const CAP: usize = MAX_LINE> {
    /// Number of the line that is being collected.
    number: u64,
    /// Offset of its first byte.
    offset: u64,
    /// Bytes of it seen in earlier slices; only the first `CAP` of them are in `carry`.
    length: u64,
    /// Its CR was the last byte of the slice before.
    after_cr: bool,
    carry: [u8; CAP],
}

/// One line, lent until the reader is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// 1-based.
    pub number: u64,
    /// Offset of the first byte of the line in the whole input, 0-based.
    pub offset: u64,
    /// The line without its terminator; the first `CAP` bytes of an overlong line.
    pub text: &'a [u8],
    /// How the line ended.
    pub ending: Ending,
    /// The true length in bytes of a line longer than the reader keeps.
    pub overlong: Option<u64>,
}

impl Line<'_> {
    /// Bytes that the line takes in the source, terminator included.
    #[must_use]
    pub const fn source_len(&self) -> u64 {
        let text = match self.overlong {
            Some(length) => length,
            None => self.text.len() as u64,
        };
        text + self.ending.len()
    }
}

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// `\n`
    Lf,
    /// `\r\n`, one line end and not two.
    CrLf,
    /// `\r` that no `\n` follows.
    Cr,
    /// The end of the input.
    None,
}

impl Ending {
    /// Bytes of the terminator.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "a terminator is not a collection"
    )]
    pub const fn len(self) -> u64 {
        match self {
            Self::Lf | Self::Cr => 1,
            Self::CrLf => 2,
            Self::None => 0,
        }
    }
}

impl<const CAP: usize> LineReader<CAP> {
    /// A reader at the start of a program: line 1, offset 0.
    #[must_use]
    pub const fn new() -> Self {
        Self::starting_at(1, 0)
    }

    /// A reader that begins in the middle of a program, at the first byte of `line`.
    #[must_use]
    pub const fn starting_at(line: u64, offset: u64) -> Self {
        Self {
            number: line,
            offset,
            length: 0,
            after_cr: false,
            carry: [0; CAP],
        }
    }

    /// The number of the line that comes next or is being collected.
    #[must_use]
    pub const fn line_number(&self) -> u64 {
        self.number
    }

    /// The offset of the first byte of that line.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes bytes from the front of `input` until a line is complete.
    ///
    /// Gives the line with `input` advanced past its terminator, or `None` with all of `input` taken in.
    #[inline]
    #[must_use]
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Line<'a>> {
        let bytes: &'i [u8] = input;
        if self.length != 0 || self.after_cr {
            return self.next_carried(input);
        }
        let end = terminator(bytes);
        let (text, rest) = bytes.split_at(end);
        match rest {
            [b'\n', rest @ ..] => {
                *input = rest;
                Some(self.emit(text, end as u64, Ending::Lf))
            }
            [b'\r', b'\n', rest @ ..] => {
                *input = rest;
                Some(self.emit(text, end as u64, Ending::CrLf))
            }
            [b'\r', rest @ ..] if !rest.is_empty() => {
                *input = rest;
                Some(self.emit(text, end as u64, Ending::Cr))
            }
            _ => {
                *input = &[];
                self.keep(text);
                self.after_cr = !rest.is_empty();
                None
            }
        }
    }

    /// The last line, when the input ended without a terminator (or with a CR nobody followed up).
    ///
    /// Afterwards the reader stands at the next line, so a second call gives `None`.
    #[must_use]
    pub fn finish(&mut self) -> Option<Line<'_>> {
        if self.after_cr {
            Some(self.emit_carry(Ending::Cr))
        } else if self.length != 0 {
            Some(self.emit_carry(Ending::None))
        } else {
            None
        }
    }

    /// Goes on with a line whose beginning came in an earlier slice.
    #[cold]
    fn next_carried<'a>(&'a mut self, input: &mut &[u8]) -> Option<Line<'a>> {
        if !self.after_cr {
            let (text, rest) = input.split_at(terminator(input));
            self.keep(text);
            *input = rest;
        } else if input.is_empty() {
            return None;
        }
        match *input {
            [b'\n', rest @ ..] => {
                let ending = if self.after_cr {
                    Ending::CrLf
                } else {
                    Ending::Lf
                };
                *input = rest;
                Some(self.emit_carry(ending))
            }
            _ if self.after_cr => Some(self.emit_carry(Ending::Cr)),
            [b'\r', rest @ ..] => {
                *input = rest;
                self.after_cr = true;
                self.next_carried(input)
            }
            _ => None,
        }
    }

    fn keep(&mut self, text: &[u8]) {
        let held = self.held();
        for (to, from) in self.carry.iter_mut().skip(held).zip(text) {
            *to = *from;
        }
        self.length += text.len() as u64;
    }

    /// Bytes of the current line that are in `carry`.
    fn held(&self) -> usize {
        usize::try_from(self.length).map_or(CAP, |length| length.min(CAP))
    }

    fn emit_carry(&mut self, ending: Ending) -> Line<'_> {
        let length = self.length;
        let held = self.held();
        let (number, offset) = self.advance(length, ending);
        let text = self.carry.get(..held).unwrap_or(&[]);
        Line {
            number,
            offset,
            text,
            ending,
            overlong: (length > CAP as u64).then_some(length),
        }
    }

    #[inline]
    fn emit<'a>(&mut self, text: &'a [u8], length: u64, ending: Ending) -> Line<'a> {
        let (number, offset) = self.advance(length, ending);
        match text.get(..CAP) {
            Some(first) if text.len() > CAP => Line {
                number,
                offset,
                text: first,
                ending,
                overlong: Some(length),
            },
            _ => Line {
                number,
                offset,
                text,
                ending,
                overlong: None,
            },
        }
    }

    #[inline]
    fn advance(&mut self, length: u64, ending: Ending) -> (u64, u64) {
        let place = (self.number, self.offset);
        self.number += 1;
        self.offset += length + ending.len();
        self.length = 0;
        self.after_cr = false;
        place
    }
}

impl<const CAP: usize> Default for LineReader<CAP> {
    fn default() -> Self {
        Self::new()
    }
}

/// Index of the first LF or CR, or the length when there is none.
///
/// Eight bytes at a time: a word is looked at closer only when it holds a byte below 0x0E, and in G-code that
/// is the terminator itself or, rarely, a tab.
#[inline]
fn terminator(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    let (words, tail) = bytes.as_chunks::<8>();
    for word in words {
        let value = u64::from_le_bytes(*word);
        let mut low = value.wrapping_sub(ONES * 0x0E) & !value & HIGHS;
        while low != 0 {
            let index = (low.trailing_zeros() / 8) as usize;
            // The subtraction borrows upwards, so a mark may be false; the byte itself decides.
            if matches!(word.get(index), Some(b'\n' | b'\r')) {
                return at + index;
            }
            low &= low - 1;
        }
        at += 8;
    }
    at + tail
        .iter()
        .position(|byte| matches!(byte, b'\n' | b'\r'))
        .unwrap_or(tail.len())
}
