use std::io::{self, Read};

/// A file read over and over: whole copies up to `size` bytes, the last one ending at a line's end.
///
/// Words that end a program (`M2`, `M30`, `%`) are copied like any other line, so a file that ends
/// itself is a bad choice for a long program.
#[derive(Debug)]
pub struct Repeat {
    text: Vec<u8>,
    at: usize,
    left: u64,
}

impl Repeat {
    /// Repeats `text` to at most `size` bytes; adds the last line's end when it is missing.
    ///
    /// # Errors
    /// `InvalidInput` for an empty text, which no repetition makes longer.
    pub fn new(mut text: Vec<u8>, size: u64) -> io::Result<Self> {
        if text.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "an empty file cannot be repeated",
            ));
        }
        if !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        let tail = (size % text.len() as u64) as usize;
        let whole_lines = text[..tail]
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        let left = size - tail as u64 + whole_lines as u64;
        Ok(Self { text, at: 0, left })
    }
}

impl Read for Repeat {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let rest = &self.text[self.at..];
        let n = rest.len().min(buf.len()).min(most);
        buf[..n].copy_from_slice(&rest[..n]);
        self.at = (self.at + n) % self.text.len();
        self.left -= n as u64;
        Ok(n)
    }
}
