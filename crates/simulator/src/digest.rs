/// A running 64-bit digest of bytes; the same for any split of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    state: u64,
    carry: u64,
    len: u64,
}

impl Default for Digest {
    fn default() -> Self {
        Self {
            state: 0xCBF2_9CE4_8422_2325,
            carry: 0,
            len: 0,
        }
    }
}

impl Digest {
    /// Adds bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !self.len.is_multiple_of(8) {
            let Some((first, rest)) = bytes.split_first() else {
                return;
            };
            self.push(*first);
            bytes = rest;
        }
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let mut eight = [0; 8];
            eight.copy_from_slice(word);
            self.mix(u64::from_le_bytes(eight));
            self.len += 8;
        }
        for byte in words.remainder() {
            self.push(*byte);
        }
    }

    fn push(&mut self, byte: u8) {
        self.carry |= u64::from(byte) << (8 * (self.len % 8));
        self.len += 1;
        if self.len.is_multiple_of(8) {
            let word = std::mem::take(&mut self.carry);
            self.mix(word);
        }
    }

    const fn mix(&mut self, word: u64) {
        let mixed = (self.state ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.state = mixed ^ (mixed >> 29);
    }

    /// The digest of everything added so far.
    #[must_use]
    pub const fn value(&self) -> u64 {
        let mut end = *self;
        end.mix(self.carry);
        end.mix(self.len);
        end.state
    }

    /// Bytes added so far.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// True before the first byte.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_split_gives_the_same_value(bytes: Vec<u8>, cut in 0usize..64) {
            let (a, b) = bytes.split_at(cut.min(bytes.len()));
            let (mut whole, mut parts) = (Digest::default(), Digest::default());
            whole.update(&bytes);
            parts.update(a);
            parts.update(b);
            prop_assert_eq!(whole.value(), parts.value());
        }
    }

    #[test]
    fn length_counts() {
        let (mut a, mut b) = (Digest::default(), Digest::default());
        a.update(&[0]);
        b.update(&[0, 0]);
        assert_ne!(a.value(), b.value());
    }
}
