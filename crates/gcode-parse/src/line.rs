//! Bytes to lines, for any split of the input.

/// Longest line that is kept whole, in bytes without its terminator.
pub const MAX_LINE: usize = 4096;

/// How a line ends. A lone CR ends a line as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// `\n`
    Lf,
    /// `\r\n`, which is one end, not two.
    CrLf,
    /// `\r`
    Cr,
    /// The file ends without one.
    None,
}

/// One line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Number in the file, from 1.
    pub number: u64,
    /// Where its first byte stands in the file, from 0.
    pub offset: u64,
    /// Its bytes without the terminator; the first bytes only when it is overlong.
    pub text: &'a [u8],
    /// How it ends.
    pub ending: Ending,
    /// True length in bytes of a line that is longer than the reader keeps.
    pub overlong: Option<u64>,
}

/// Splits bytes into lines, pushed in pieces of any size.
///
/// A line that lies wholly in one piece is lent from it; only the rest of a piece is copied, into a buffer of `CAP` bytes. Nothing
/// is allocated, and a line longer than `CAP` keeps its first bytes and its true length.
///
/// ```
/// use feedhold_gcode_parse::LineReader;
///
/// let mut reader = LineReader::<4096>::new();
/// let mut lines = 0;
/// for mut piece in [&b"G21\r"[..], b"\nG0 X", b"1\nM2"] {
///     while let Some(line) = reader.next(&mut piece) {
///         lines += 1;
///         assert_eq!(line.number, lines);
///     }
/// }
/// assert_eq!(reader.finish().unwrap().text, b"M2");
/// assert_eq!(lines, 2);
/// ```
#[derive(Debug, Clone)]
pub struct LineReader<const CAP: usize = MAX_LINE> {
    carry: [u8; CAP],
    /// Bytes of the open line seen so far; more than `CAP` when it is overlong.
    length: u64,
    /// The open line ended with a CR that stood last in its piece.
    after_cr: bool,
    /// A line was lent from the carry and has to be forgotten.
    lent: bool,
    number: u64,
    offset: u64,
}

impl<const CAP: usize> Default for LineReader<CAP> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const CAP: usize> LineReader<CAP> {
    /// A reader at the first byte of a file.
    #[must_use]
    pub const fn new() -> Self {
        Self::starting_at(1, 0)
    }

    /// A reader in the middle of a file: the next byte is byte `offset` of the file and the first of line `line`.
    #[must_use]
    pub const fn starting_at(line: u64, offset: u64) -> Self {
        Self { carry: [0; CAP], length: 0, after_cr: false, lent: false, number: line, offset }
    }

    /// Number of the line that comes next.
    #[must_use]
    pub const fn next_number(&self) -> u64 {
        self.number
    }

    /// Takes bytes from the front of `input` up to the end of the next line and gives the line, or takes all of them and gives
    /// `None`.
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Line<'a>> {
        self.forget_lent();
        if self.after_cr {
            let &first = input.first()?;
            self.after_cr = false;
            let ending = if first == b'\n' { Ending::CrLf } else { Ending::Cr };
            if first == b'\n' {
                *input = &input[1..];
            }
            return Some(self.lend_carry(ending));
        }
        let bytes = *input;
        let Some(at) = find_line_end(bytes) else {
            self.keep(bytes);
            *input = &[];
            return None;
        };
        let (text, rest) = bytes.split_at(at);
        let (ending, taken) = match rest {
            [b'\n', ..] => (Ending::Lf, 1),
            [_, b'\n', ..] => (Ending::CrLf, 2),
            [_, _, ..] => (Ending::Cr, 1),
            _ => {
                // Whether an LF follows is in the next piece.
                self.keep(text);
                self.after_cr = true;
                *input = &[];
                return None;
            }
        };
        *input = &rest[taken..];
        if self.length > 0 {
            self.keep(text);
            return Some(self.lend_carry(ending));
        }
        let line = Line {
            number: self.number,
            offset: self.offset,
            text: text.get(..CAP).unwrap_or(text),
            ending,
            overlong: (text.len() > CAP).then_some(text.len() as u64),
        };
        self.number += 1;
        self.offset += (at + taken) as u64;
        Some(line)
    }

    /// The last line, when the file does not end with a terminator.
    pub fn finish(&mut self) -> Option<Line<'_>> {
        self.forget_lent();
        if self.after_cr {
            self.after_cr = false;
            return Some(self.lend_carry(Ending::Cr));
        }
        (self.length > 0).then(|| self.lend_carry(Ending::None))
    }

    fn keep(&mut self, bytes: &[u8]) {
        let from = usize::try_from(self.length).map_or(CAP, |length| length.min(CAP));
        let count = bytes.len().min(CAP - from);
        self.carry[from..from + count].copy_from_slice(&bytes[..count]);
        self.length += bytes.len() as u64;
    }

    fn lend_carry(&mut self, ending: Ending) -> Line<'_> {
        self.lent = true;
        let kept = usize::try_from(self.length).map_or(CAP, |length| length.min(CAP));
        let (number, offset) = (self.number, self.offset);
        let terminator = match ending {
            Ending::Lf | Ending::Cr => 1,
            Ending::CrLf => 2,
            Ending::None => 0,
        };
        self.number += 1;
        self.offset += self.length + terminator;
        Line {
            number,
            offset,
            text: &self.carry[..kept],
            ending,
            overlong: (self.length > CAP as u64).then_some(self.length),
        }
    }

    fn forget_lent(&mut self) {
        if self.lent {
            self.lent = false;
            self.length = 0;
        }
    }
}

/// Position of the first CR or LF, eight bytes at a time.
fn find_line_end(bytes: &[u8]) -> Option<usize> {
    let mut chunks = bytes.chunks_exact(8);
    let mut at = 0;
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        let word = u64::from_le_bytes(word);
        let found = has_byte(word, b'\n') | has_byte(word, b'\r');
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    chunks.remainder().iter().position(|&byte| byte == b'\n' || byte == b'\r').map(|rest| at + rest)
}

/// A word whose lowest set bit marks the first occurrence of `byte` (bits above it may be set in error).
const fn has_byte(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zeroed = word ^ (LOW * byte as u64);
    zeroed.wrapping_sub(LOW) & !zeroed & HIGH
}
