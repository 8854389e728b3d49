//! Choices out of bytes.

use xtask::gcode::Rng;

/// Reads choices from the front of an input. Behind its end every choice is the first one, so that shorter inputs are simpler ones.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    /// All of an input.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Whether every byte was taken.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next byte, 0 behind the end.
    pub fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// The next two bytes as a number, low byte first.
    pub fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// One of several.
    ///
    /// # Panics
    /// When there is no choice.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    /// Up to `count` bytes.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (front, rest) = self.bytes.split_at(count.min(self.bytes.len()));
        self.bytes = rest;
        front
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }
}

/// The bytes cut at places that `seed` chooses: 0 cuts behind every byte, others into pieces of up to 40 bytes, some of them empty.
#[must_use]
pub fn pieces(bytes: &[u8], seed: u8) -> Vec<&[u8]> {
    if seed == 0 {
        return bytes.chunks(1).collect();
    }
    let mut rng = Rng::new(u64::from(seed));
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let most = if rng.one_in(3) { 3 } else { 41 };
        let length = rng.below(most) as usize;
        let (piece, behind) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::{Input, pieces};

    #[test]
    fn choices_come_from_the_front_and_end_in_zeros() {
        let mut input = Input::new(&[5, 1, 2, 9, 9]);
        assert_eq!((input.pick(&[10, 20, 30]), input.word()), (30, 0x0201));
        assert_eq!((input.take(1), input.rest()), (&[9][..], &[9][..]));
        assert_eq!(
            (input.byte(), input.pick(&[7, 8]), input.is_empty()),
            (0, 7, true)
        );
    }

    #[test]
    fn pieces_are_the_whole() {
        let bytes: Vec<u8> = (0..200).collect();
        for seed in 0..=255 {
            assert_eq!(pieces(&bytes, seed).concat(), bytes);
        }
    }
}
