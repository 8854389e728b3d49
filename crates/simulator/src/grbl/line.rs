/// Characters of a line that are kept (80 with the terminating zero).
const USABLE: usize = 79;

/// Longest start-up line or `$` line argument that the buffer can give.
pub(super) const LINE_BUFFER: usize = USABLE;

/// Puts a line together from single characters as the main program's loop does: blanks, comments
/// and `/` are thrown away before they count, letters become capitals.
#[derive(Clone, Debug)]
pub(super) struct LineBuffer {
    text: [u8; USABLE],
    len: usize,
    overflow: Overflow,
    comment: InComment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overflow {
    No,
    Yes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InComment {
    No,
    Paren,
    Semicolon,
}

/// What a character brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fed {
    /// The line goes on.
    More,
    /// The line is complete: [`LineBuffer::text`] has it.
    Complete,
    /// The line is complete and was longer than the buffer.
    TooLong,
}

impl LineBuffer {
    pub(super) fn new() -> Self {
        Self {
            text: [0; USABLE],
            len: 0,
            overflow: Overflow::No,
            comment: InComment::No,
        }
    }

    pub(super) fn text(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or(&[])
    }

    /// Begins a new line.
    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.overflow = Overflow::No;
        self.comment = InComment::No;
    }

    pub(super) fn feed(&mut self, byte: u8) -> Fed {
        match (byte, self.comment) {
            (b'\n' | b'\r', _) if self.overflow == Overflow::Yes => return Fed::TooLong,
            (b'\n' | b'\r', _) => return Fed::Complete,
            (b')', InComment::Paren) => self.comment = InComment::No,
            (_, InComment::Paren | InComment::Semicolon) => {}
            (..=b' ' | b'/', InComment::No) => {}
            (b'(', InComment::No) => self.comment = InComment::Paren,
            (b';', InComment::No) => self.comment = InComment::Semicolon,
            (other, InComment::No) => match self.text.get_mut(self.len) {
                Some(place) => {
                    *place = other.to_ascii_uppercase();
                    self.len += 1;
                }
                None => self.overflow = Overflow::Yes,
            },
        }
        Fed::More
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_thrown_away_does_not_count() {
        let cases: [(&[u8], Fed, &[u8]); 7] = [
            (b"g0 x1\n", Fed::Complete, b"G0X1"),
            (b"g0(a;b)x1;(c)\r", Fed::Complete, b"G0X1"),
            (b"/g0 x1\n", Fed::Complete, b"G0X1"),
            (b"(open\n", Fed::Complete, b""),
            (b"\n", Fed::Complete, b""),
            (&[b'x'; 80], Fed::More, &[b'X'; 79]),
            (b"\t g 1 \x7f\n", Fed::Complete, b"G1\x7f"),
        ];
        for (input, last, text) in cases {
            let mut line = LineBuffer::new();
            let fed = input.iter().map(|byte| line.feed(*byte)).last();
            assert_eq!(
                (fed, line.text()),
                (Some(last), text),
                "{}",
                input.escape_ascii()
            );
        }
    }

    #[test]
    fn seventy_nine_fit_and_eighty_do_not() {
        for (n, fed) in [(79, Fed::Complete), (80, Fed::TooLong)] {
            let mut line = LineBuffer::new();
            (0..n).for_each(|_| assert_eq!(line.feed(b'X'), Fed::More));
            assert_eq!(line.feed(b'\n'), fed);
        }
    }
}
