use core::str;

use crate::line::Line;

/// What in a file is not plain ASCII or UTF-8 text.
///
/// G-code is ASCII; comments often are not. Bytes that are no UTF-8 in comments harm nobody but the screen; a
/// zero byte or UTF-16 means that this is no G-code at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// A byte order mark at the very front. That of UTF-8 is skipped.
    pub bom: Option<Bom>,
    /// Whether the text is UTF-16, by its mark or by the zero bytes of its first line.
    pub utf16: Option<Utf16>,
    /// Lines with a zero byte.
    pub nul_lines: u64,
    /// The first zero byte.
    pub first_nul: Option<Place>,
    /// Lines with bytes of 0x80 or more.
    pub non_ascii_lines: u64,
    /// Lines that are no UTF-8.
    pub invalid_lines: u64,
    /// The first byte that is no UTF-8.
    pub first_invalid: Option<Place>,
}

/// A byte of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// 1-based.
    pub line: u64,
    /// Byte column, 1-based.
    pub column: usize,
    /// From the front of the file, 0-based.
    pub offset: u64,
}

/// A byte order mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bom {
    /// EF BB BF.
    Utf8,
    /// FF FE.
    Utf16LittleEndian,
    /// FE FF.
    Utf16BigEndian,
}

/// Byte order of UTF-16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Utf16 {
    /// Low byte first, as Windows writes it.
    LittleEndian,
    /// High byte first.
    BigEndian,
}

impl Encoding {
    pub(super) const fn new() -> Self {
        Self {
            bom: None,
            utf16: None,
            nul_lines: 0,
            first_nul: None,
            non_ascii_lines: 0,
            invalid_lines: 0,
            first_invalid: None,
        }
    }

    /// Whether this cannot be G-code: UTF-16 or zero bytes.
    #[must_use]
    pub const fn is_binary(&self) -> bool {
        self.utf16.is_some() || self.nul_lines > 0
    }

    /// Looks at a line and gives what is to be read of it: all but a UTF-8 mark.
    #[inline]
    pub(super) fn check<'a>(&mut self, line: &Line<'a>) -> &'a [u8] {
        let text = if line.offset == 0 {
            self.check_front(line.text)
        } else {
            line.text
        };
        if !line.text.is_ascii() {
            self.check_utf8(line);
        }
        if let Some(at) = position_of_nul(line.text) {
            self.nul_lines += 1;
            self.first_nul.get_or_insert(place(line, at));
        }
        text
    }

    #[cold]
    fn check_front<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
        self.bom = match text {
            [0xEF, 0xBB, 0xBF, ..] => Some(Bom::Utf8),
            [0xFF, 0xFE, ..] => Some(Bom::Utf16LittleEndian),
            [0xFE, 0xFF, ..] => Some(Bom::Utf16BigEndian),
            _ => None,
        };
        self.utf16 = match (self.bom, text) {
            (Some(Bom::Utf16LittleEndian), _) => Some(Utf16::LittleEndian),
            (Some(Bom::Utf16BigEndian), _) => Some(Utf16::BigEndian),
            (None, [1..=255, 0, 1..=255, 0, ..]) => Some(Utf16::LittleEndian),
            (None, [0, 1..=255, 0, 1..=255, ..]) => Some(Utf16::BigEndian),
            _ => None,
        };
        match text {
            [0xEF, 0xBB, 0xBF, rest @ ..] => rest,
            _ => text,
        }
    }

    #[cold]
    fn check_utf8(&mut self, line: &Line<'_>) {
        self.non_ascii_lines += 1;
        let Err(error) = str::from_utf8(line.text) else {
            return;
        };
        // The reader may have cut an overlong line within a character.
        if error.error_len().is_none() && line.overlong.is_some() {
            return;
        }
        self.invalid_lines += 1;
        self.first_invalid
            .get_or_insert(place(line, error.valid_up_to()));
    }
}

const fn place(line: &Line<'_>, at: usize) -> Place {
    Place {
        line: line.number,
        column: at + 1,
        offset: line.offset + at as u64,
    }
}

/// Zero bytes are rare: one pass without branches says whether there is any.
fn position_of_nul(text: &[u8]) -> Option<usize> {
    if text.contains(&0) {
        text.iter().position(|byte| *byte == 0)
    } else {
        None
    }
}
