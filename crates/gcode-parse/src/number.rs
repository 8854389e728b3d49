//! Numbers as they were written, converted only when somebody asks.

use core::fmt;

/// A decimal number in the source: an optional sign, digits, at most one point. No exponent, as no firmware
/// here reads one.
///
/// The text is kept as it stands. In [`Flavor::Grbl`](crate::Flavor::Grbl) and
/// [`Flavor::LinuxCnc`](crate::Flavor::LinuxCnc) it may hold blanks between the digits, as those firmwares
/// drop them before they look.
///
/// Two numbers are `==` when their text is; compare [`decimal`](Self::decimal) for equal values.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number<'a> {
    text: &'a [u8],
}

impl<'a> Number<'a> {
    /// Takes `text` when all of it is one number; blanks may stand anywhere in it.
    ///
    /// ```
    /// use feedhold_gcode_parse::Number;
    ///
    /// assert_eq!(Number::new(b"-.5").unwrap().to_f64(), -0.5);
    /// assert!(Number::new(b"1e3").is_none());
    /// ```
    #[must_use]
    pub fn new(text: &'a [u8]) -> Option<Self> {
        let mut digits = 0_usize;
        let mut points = 0_usize;
        for (index, byte) in text.iter().filter(|byte| !is_blank(**byte)).enumerate() {
            match byte {
                b'0'..=b'9' => digits += 1,
                b'.' => points += 1,
                b'+' | b'-' if index == 0 => {}
                _ => return None,
            }
        }
        (digits > 0 && points <= 1).then_some(Self { text })
    }

    /// For the lexer, which has looked at every byte already.
    #[inline]
    pub(crate) const fn checked(text: &'a [u8]) -> Self {
        Self { text }
    }

    /// The bytes of the source.
    #[must_use]
    pub const fn text(&self) -> &'a [u8] {
        self.text
    }

    /// The nearest `f64`, ties to even: the very bits that `str::parse` gives for the same digits.
    ///
    /// Up to 19 characters it is one integer and one exact power of ten, so a single division rounds once.
    #[inline]
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        let (negative, digits) = match self.text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if digits.len() <= 19 {
            let mut mantissa = 0_u64;
            let mut bytes = digits.iter();
            let mut scale = 0;
            for byte in bytes.by_ref() {
                let digit = byte.wrapping_sub(b'0');
                if digit >= 10 {
                    if *byte != b'.' {
                        return self.to_f64_slowly();
                    }
                    scale = bytes.len();
                    break;
                }
                mantissa = mantissa * 10 + u64::from(digit);
            }
            for byte in bytes {
                let digit = byte.wrapping_sub(b'0');
                if digit >= 10 {
                    return self.to_f64_slowly();
                }
                mantissa = mantissa * 10 + u64::from(digit);
            }
            if mantissa <= 1 << 53
                && let Some(power) = POWERS.get(scale)
            {
                // The mantissa fits an i64 too, and that is the conversion which processors have.
                let value = mantissa as i64 as f64 / power;
                return if negative { -value } else { value };
            }
        }
        self.to_f64_slowly()
    }

    /// The exact value, when mantissa and scale fit. Trailing zeros of the fraction are dropped, so equal
    /// values give equal decimals.
    #[must_use]
    pub fn decimal(&self) -> Option<Decimal> {
        let mut mantissa = 0_i64;
        let mut scale = 0_u8;
        let mut zeros = 0_u8;
        let mut after_point = false;
        let mut negative = false;
        for &byte in self.text {
            match byte {
                b'0' if after_point => zeros = zeros.checked_add(1)?,
                b'0'..=b'9' => {
                    for _ in 0..zeros {
                        mantissa = mantissa.checked_mul(10)?;
                    }
                    let digit = i64::from(byte - b'0');
                    let digit = if negative { -digit } else { digit };
                    mantissa = mantissa.checked_mul(10)?.checked_add(digit)?;
                    scale = scale
                        .checked_add(zeros)?
                        .checked_add(u8::from(after_point))?;
                    zeros = 0;
                }
                b'.' => after_point = true,
                b'-' => negative = true,
                _ => {}
            }
        }
        Some(Decimal { mantissa, scale })
    }

    /// The number as that of a G or M code: not negative, below 65,536, whole tenths.
    ///
    /// ```
    /// use feedhold_gcode_parse::{Code, Number};
    ///
    /// assert_eq!(Number::new(b"01").unwrap().code(), Some(Code::new(1)));
    /// assert_eq!(Number::new(b"38.20").unwrap().code(), Some(Code { major: 38, minor: 2 }));
    /// assert_eq!(Number::new(b"38.25").unwrap().code(), None);
    /// ```
    #[inline]
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match *self.text {
            [ones @ b'0'..=b'9'] => Some(Code::new(u16::from(ones - b'0'))),
            [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some(Code::new(
                u16::from(tens - b'0') * 10 + u16::from(ones - b'0'),
            )),
            _ => self.long_code(),
        }
    }

    fn long_code(self) -> Option<Code> {
        let mut major = 0_u16;
        let mut minor = 0_u8;
        let mut place = 0_u32;
        for &byte in self.text {
            let digit = byte.wrapping_sub(b'0');
            match (byte, place) {
                (b'0'..=b'9', 0) => major = major.checked_mul(10)?.checked_add(u16::from(digit))?,
                (b'0'..=b'9', 1) => {
                    minor = digit;
                    place = 2;
                }
                (b'1'..=b'9', _) | (b'-', _) => return None,
                (b'.', _) => place = 1,
                _ => {}
            }
        }
        Some(Code { major, minor })
    }

    /// The number as a count: whole (a fraction of zeros is fine), not negative, below 2⁶⁴.
    #[must_use]
    pub fn to_u64(&self) -> Option<u64> {
        let mut value = 0_u64;
        let mut after_point = false;
        for &byte in self.text {
            match byte {
                b'0' if after_point => {}
                b'0'..=b'9' if after_point => return None,
                b'0'..=b'9' => {
                    value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?
                }
                b'.' => after_point = true,
                b'-' => return None,
                _ => {}
            }
        }
        Some(value)
    }

    /// More digits than the short way takes: the standard library rounds them, from a copy without blanks.
    ///
    /// 768 significant digits decide every `f64`; of what lies beyond only "is it all zeros" matters, and one
    /// further digit says that.
    #[cold]
    fn to_f64_slowly(self) -> f64 {
        const SIGNIFICANT: usize = 770;
        let mut copy = Ascii::<800>::new();
        let mut exponent = 0_i64;
        let mut kept = 0_usize;
        let mut after_point = false;
        let mut dropped_nonzero = false;
        for &byte in self.text {
            match byte {
                b'-' => copy.push(b'-'),
                b'.' => after_point = true,
                b'0' if kept == 0 => exponent -= i64::from(after_point),
                b'0'..=b'9' if kept < SIGNIFICANT => {
                    copy.push(byte);
                    kept += 1;
                    exponent -= i64::from(after_point);
                }
                b'0'..=b'9' => {
                    dropped_nonzero |= byte != b'0';
                    exponent += i64::from(!after_point);
                }
                _ => {}
            }
        }
        if kept == 0 {
            copy.push(b'0');
        }
        if dropped_nonzero {
            copy.push(b'1');
            exponent -= 1;
        }
        let _ = fmt::write(&mut copy, format_args!("e{exponent}"));
        copy.as_str().parse().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for Number<'_> {
    /// The source text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(core::str::from_utf8(self.text).unwrap_or(""))
    }
}

impl fmt::Debug for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// An exact decimal: `mantissa / 10^scale`.
///
/// Those that [`Number::decimal`] gives are in lowest terms, so `==` compares values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// All digits, with the sign.
    pub mantissa: i64,
    /// How many of them stand behind the point.
    pub scale: u8,
}

/// The number of a G or M code. Codes are equal when their numbers are: `G1`, `g01` and `G1.0` are one code,
/// `G10` is another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// 38 of `G38.2`.
    pub major: u16,
    /// 2 of `G38.2`, at most 9.
    pub minor: u8,
}

impl Code {
    /// A code without a fraction.
    #[must_use]
    pub const fn new(major: u16) -> Self {
        Self { major, minor: 0 }
    }

    /// A code with tenths: `Code::tenths(38, 2)` is the code of `G38.2`.
    #[must_use]
    pub const fn tenths(major: u16, minor: u8) -> Self {
        Self { major, minor }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            0 => write!(f, "{}", self.major),
            minor => write!(f, "{}.{minor}", self.major),
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Bytes that blanks may be: they separate words or are dropped.
#[inline]
pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The powers of ten that an `f64` holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// A short text on the stack.
struct Ascii<const CAP: usize> {
    bytes: [u8; CAP],
    len: usize,
}

impl<const CAP: usize> Ascii<CAP> {
    const fn new() -> Self {
        Self {
            bytes: [0; CAP],
            len: 0,
        }
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    fn as_str(&self) -> &str {
        self.bytes
            .get(..self.len)
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .unwrap_or("")
    }
}

impl<const CAP: usize> fmt::Write for Ascii<CAP> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.push(byte));
        Ok(())
    }
}
