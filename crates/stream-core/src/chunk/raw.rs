//! A piece of a file, cut at line boundaries.

use core::ops::Range;

use super::Modes;
use crate::budget::Permit;

/// Bytes of a file between two line boundaries, with the place they came from.
#[derive(Debug, Default)]
pub struct RawChunk {
    /// Number of the chunk, from 0 in file order.
    pub index: u64,
    /// Where its first byte stands in the file.
    pub offset: u64,
    /// Its first line, from 1.
    pub first_line: u64,
    /// Lines in it. A last line without terminator counts.
    pub lines: u64,
    /// The bytes, exactly as in the file.
    pub bytes: Vec<u8>,
    /// What the lines before it established.
    pub modes: Modes,
    /// The permit its bytes were read under.
    pub permit: Option<Permit>,
}

impl RawChunk {
    /// Bytes of the file that it covers.
    pub fn source_bytes(&self) -> Range<u64> {
        self.offset..self.offset + self.bytes.len() as u64
    }

    /// Lines of the file that it covers.
    pub fn source_lines(&self) -> Range<u64> {
        self.first_line..self.first_line + self.lines
    }

    /// The same chunk, holding `permit`.
    #[must_use]
    pub fn with_permit(mut self, permit: Permit) -> Self {
        self.permit = Some(permit);
        self
    }
}

/// Checks that chunks follow each other without hole or overlap.
#[derive(Debug, Clone, Default)]
pub struct Continuity {
    expected: Option<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    index: u64,
    offset: u64,
    line: u64,
}

/// Two chunks that do not touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "chunk {found_index} begins at line {found_line} (byte {found_offset}) where chunk {expected_index} should begin \
     at line {expected_line} (byte {expected_offset}): nothing of it was sent; read the file again from there"
)]
pub struct Gap {
    /// The chunk that should have come.
    pub expected_index: u64,
    /// Where it should have begun.
    pub expected_offset: u64,
    /// Its first line.
    pub expected_line: u64,
    /// The chunk that came.
    pub found_index: u64,
    /// Where it began.
    pub found_offset: u64,
    /// Its first line.
    pub found_line: u64,
}

impl Continuity {
    /// Accepts any chunk first.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    ///
    /// [`Gap`] when it does not begin exactly where the one before it ended; the expectation stays.
    pub fn check(&mut self, chunk: &RawChunk) -> Result<(), Gap> {
        let found = Place {
            index: chunk.index,
            offset: chunk.offset,
            line: chunk.first_line,
        };
        if let Some(expected) = self.expected.filter(|&expected| expected != found) {
            return Err(Gap {
                expected_index: expected.index,
                expected_offset: expected.offset,
                expected_line: expected.line,
                found_index: found.index,
                found_offset: found.offset,
                found_line: found.line,
            });
        }
        self.expected = Some(Place {
            index: chunk.index + 1,
            offset: chunk.source_bytes().end,
            line: chunk.source_lines().end,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(index: u64, offset: u64, first_line: u64) -> RawChunk {
        RawChunk {
            index,
            offset,
            first_line,
            lines: 2,
            bytes: b"G0\nG1\n".to_vec(),
            ..RawChunk::default()
        }
    }

    #[test]
    fn chunks_that_touch_pass() {
        let mut continuity = Continuity::new();
        assert_eq!(continuity.check(&chunk(4, 100, 20)), Ok(()));
        assert_eq!(continuity.check(&chunk(5, 106, 22)), Ok(()));
    }

    #[test]
    fn holes_overlaps_and_repeats_are_errors() {
        for wrong in [
            chunk(6, 106, 22),
            chunk(4, 100, 20),
            chunk(5, 107, 22),
            chunk(5, 105, 22),
            chunk(5, 106, 23),
        ] {
            let mut continuity = Continuity::new();
            continuity
                .check(&chunk(4, 100, 20))
                .expect("the first chunk is always right");
            let gap = continuity.check(&wrong).expect_err("does not touch");
            assert_eq!(
                (gap.expected_index, gap.expected_offset, gap.expected_line),
                (5, 106, 22)
            );
            assert_eq!(
                continuity.check(&chunk(5, 106, 22)),
                Ok(()),
                "the right one is still welcome"
            );
        }
    }
}
