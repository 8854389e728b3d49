//! Figures about all chunks of a program.

use super::Prepared;

/// Sums over the chunks seen so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ChunkStats {
    chunks: u64,
    source_bytes: u64,
    wire_bytes: u64,
    wire_lines: u64,
    motions: u64,
    largest_bytes: u64,
    smallest_bytes: Option<u64>,
    complexity: f64,
}

impl ChunkStats {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a chunk.
    pub fn add(&mut self, chunk: &Prepared) {
        let range = chunk.source_bytes();
        let bytes = range.end.saturating_sub(range.start);
        self.chunks += 1;
        self.source_bytes += bytes;
        self.wire_bytes += chunk.wire_bytes();
        self.wire_lines += chunk.len() as u64;
        self.motions += chunk.motions();
        self.largest_bytes = self.largest_bytes.max(bytes);
        self.smallest_bytes = Some(self.smallest_bytes.map_or(bytes, |least| least.min(bytes)));
        self.complexity += chunk.total_complexity();
    }

    /// The sums as bytes, for [`from_bytes`](Self::from_bytes): eight numbers of eight bytes, little endian.
    pub fn to_bytes(&self) -> [u8; 64] {
        let numbers = [
            self.chunks,
            self.source_bytes,
            self.wire_bytes,
            self.wire_lines,
            self.motions,
            self.largest_bytes,
            self.smallest_bytes.unwrap_or(u64::MAX),
            self.complexity.to_bits(),
        ];
        let mut bytes = [0; 64];
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    /// The sums that these bytes are.
    pub fn from_bytes(bytes: &[u8; 64]) -> Self {
        let mut numbers = [0; 8];
        for (number, bytes) in numbers.iter_mut().zip(bytes.as_chunks().0) {
            *number = u64::from_le_bytes(*bytes);
        }
        let [
            chunks,
            source_bytes,
            wire_bytes,
            wire_lines,
            motions,
            largest_bytes,
            smallest_bytes,
            complexity,
        ] = numbers;
        Self {
            chunks,
            source_bytes,
            wire_bytes,
            wire_lines,
            motions,
            largest_bytes,
            smallest_bytes: (smallest_bytes != u64::MAX).then_some(smallest_bytes),
            complexity: f64::from_bits(complexity),
        }
    }

    /// Chunks.
    pub fn total_chunks(&self) -> u64 {
        self.chunks
    }

    /// Mean bytes of the file in a chunk; 0 before the first.
    pub fn average_bytes(&self) -> u64 {
        self.source_bytes.checked_div(self.chunks).unwrap_or(0)
    }

    /// Bytes of the file in the largest chunk.
    pub fn largest_bytes(&self) -> u64 {
        self.largest_bytes
    }

    /// Bytes of the file in the smallest chunk; 0 before the first.
    pub fn smallest_bytes(&self) -> u64 {
        self.smallest_bytes.unwrap_or(0)
    }

    /// Sum of the complexity of all lines.
    pub fn total_complexity(&self) -> f64 {
        self.complexity
    }

    /// Lines for the wire.
    pub fn wire_lines(&self) -> u64 {
        self.wire_lines
    }

    /// Bytes for the wire, one terminator a line.
    pub fn wire_bytes(&self) -> u64 {
        self.wire_bytes
    }

    /// Bytes of the file.
    pub fn source_bytes(&self) -> u64 {
        self.source_bytes
    }

    /// Lines that move the machine.
    pub fn motions(&self) -> u64 {
        self.motions
    }

    /// Bytes on the wire a line, terminator included; 0 before the first.
    pub fn bytes_per_line(&self) -> f64 {
        if self.wire_lines == 0 {
            0.0
        } else {
            self.wire_bytes as f64 / self.wire_lines as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::Class;

    #[test]
    fn sums_averages_and_extremes() {
        let mut stats = ChunkStats::new();
        assert_eq!(
            (
                stats.average_bytes(),
                stats.smallest_bytes(),
                stats.bytes_per_line()
            ),
            (0, 0, 0.0)
        );
        stats.add(&Prepared::from_lines(
            1,
            [("G1X1", Class::Motion), ("M3", Class::Sync)],
        ));
        stats.add(&Prepared::from_lines(3, [("G1X22", Class::Motion)]));
        assert_eq!((stats.total_chunks(), stats.average_bytes()), (2, 7));
        assert_eq!((stats.largest_bytes(), stats.smallest_bytes()), (8, 6));
        assert_eq!((stats.wire_lines(), stats.motions()), (3, 2));
        assert!((stats.bytes_per_line() - 14.0 / 3.0).abs() < 1e-12);
        for stats in [stats, ChunkStats::new()] {
            assert_eq!(ChunkStats::from_bytes(&stats.to_bytes()), stats);
        }
    }
}
