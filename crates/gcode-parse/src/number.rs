//! Numbers as the file wrote them, converted only on demand.

use core::fmt;

use crate::MAX_LINE;

/// Digits that a `u64` mantissa holds for certain.
const EXACT_DIGITS: usize = 19;

/// A number in a line: its source text and, on demand, its value.
///
/// The text is `[+-]? digits [. digits]` with at least one digit; in flavors that allow it, blanks may stand between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number<'a> {
    text: &'a [u8],
}

/// An exact decimal: `mantissa / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// All digits with their sign.
    pub mantissa: i64,
    /// How many of them stand behind the point.
    pub scale: u8,
}

/// The number of a G or M word: `G1`, `G38.2`. `G01` and `G1` are equal, `G1` and `G10` are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// In front of the point.
    pub major: u16,
    /// The first digit behind the point.
    pub minor: u8,
}

impl Code {
    /// A code without a digit behind the point.
    #[must_use]
    pub const fn new(major: u16) -> Self {
        Self { major, minor: 0 }
    }

    /// A code like `38.2`.
    #[must_use]
    pub const fn with_minor(major: u16, minor: u8) -> Self {
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

/// Sign, digits and point of a number.
struct Digits {
    negative: bool,
    /// The first digits, as many as fit.
    mantissa: u64,
    /// Digits behind the point among them.
    scale: usize,
    /// All digits are in the mantissa.
    complete: bool,
}

impl<'a> Number<'a> {
    /// Takes a text that has the form of a number.
    pub(crate) const fn new(text: &'a [u8]) -> Self {
        Self { text }
    }

    /// The bytes in the file.
    #[must_use]
    pub const fn text(&self) -> &'a [u8] {
        self.text
    }

    fn digits(&self) -> Digits {
        let mut digits = Digits { negative: false, mantissa: 0, scale: 0, complete: true };
        let (mut count, mut behind_point) = (0, false);
        for &byte in self.text {
            match byte {
                b'0'..=b'9' if count < EXACT_DIGITS => {
                    digits.mantissa = digits.mantissa * 10 + u64::from(byte - b'0');
                    count += usize::from(digits.mantissa != 0);
                    digits.scale += usize::from(behind_point);
                }
                b'0'..=b'9' => digits.complete = false,
                b'.' => behind_point = true,
                b'-' => digits.negative = true,
                _ => {}
            }
        }
        digits
    }

    /// The value, rounded to the nearest f64 exactly as [`str::parse`] rounds.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        // Up to 10^22, powers of ten are f64s without error, and so is a mantissa below 2^53: one division rounds once.
        const POWERS: [f64; 23] = [
            1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
            1e20, 1e21, 1e22,
        ];
        let digits = self.digits();
        if digits.complete
            && digits.mantissa < 1 << 53
            && let Some(power) = POWERS.get(digits.scale)
        {
            let value = digits.mantissa as f64 / power;
            return if digits.negative { -value } else { value };
        }
        self.parse_slowly()
    }

    fn parse_slowly(&self) -> f64 {
        let parse = |text: &[u8]| core::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
        if let Some(value) = parse(self.text) {
            return value;
        }
        let mut text = [0; MAX_LINE];
        let mut length = 0;
        for (&byte, slot) in self.text.iter().filter(|byte| !byte.is_ascii_whitespace()).zip(&mut text) {
            *slot = byte;
            length += 1;
        }
        parse(&text[..length]).unwrap_or(0.0)
    }

    /// The value as an exact decimal; `None` when it has more than 18 digits.
    #[must_use]
    pub fn decimal(&self) -> Option<Decimal> {
        let digits = self.digits();
        let mantissa = i64::try_from(digits.mantissa).ok().filter(|_| digits.complete)?;
        let mantissa = if digits.negative { -mantissa } else { mantissa };
        Some(Decimal { mantissa, scale: u8::try_from(digits.scale).ok()? })
    }

    /// The value as the number of a G or M word: at most one digit behind the point that is not 0.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        let Decimal { mut mantissa, mut scale } = self.decimal()?;
        while scale > 1 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        let tenths = match scale {
            0 => mantissa.checked_mul(10)?,
            1 => mantissa,
            _ => return None,
        };
        let tenths = u64::try_from(tenths).ok()?;
        Some(Code { major: u16::try_from(tenths / 10).ok()?, minor: (tenths % 10) as u8 })
    }

    /// The value as a whole number that is not negative.
    #[must_use]
    pub fn to_u64(&self) -> Option<u64> {
        let Decimal { mut mantissa, mut scale } = self.decimal()?;
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        if scale == 0 { u64::try_from(mantissa).ok() } else { None }
    }
}
