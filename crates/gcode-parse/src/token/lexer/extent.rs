//! Where a number ends.

/// The digits and the one point at the front of a text.
pub(super) struct Extent {
    pub(super) length: usize,
    pub(super) digits: usize,
}

impl Extent {
    /// Most numbers end within eight bytes, and those are looked at in one word.
    #[inline]
    pub(super) fn of(text: &[u8]) -> Self {
        if let Some(front) = text.first_chunk::<8>() {
            let word = u64::from_le_bytes(*front);
            // A digit becomes 0 to 9, and only what is more reaches the high bit.
            let value = word ^ 0x3030_3030_3030_3030;
            let others =
                (value.wrapping_add(0x7676_7676_7676_7676) | value) & 0x8080_8080_8080_8080;
            if others != 0 {
                let first = others.trailing_zeros() / 8;
                if (word >> (8 * first)) as u8 != b'.' {
                    let length = first as usize;
                    return Self {
                        length,
                        digits: length,
                    };
                }
                let others = others & (others - 1);
                if others != 0 {
                    let length = (others.trailing_zeros() / 8) as usize;
                    return Self {
                        length,
                        digits: length - 1,
                    };
                }
            }
        }
        Self::byte_by_byte(text)
    }

    fn byte_by_byte(text: &[u8]) -> Self {
        let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let whole = digits(text);
        match text.get(whole..) {
            Some([b'.', rest @ ..]) => {
                let fraction = digits(rest);
                Self {
                    length: whole + 1 + fraction,
                    digits: whole + fraction,
                }
            }
            _ => Self {
                length: whole,
                digits: whole,
            },
        }
    }
}
