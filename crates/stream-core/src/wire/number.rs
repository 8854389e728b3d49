//! Numbers as text: compared and shortened without ever being printed again.

use crate::dialect::Dialect;

/// A number of the source: sign, digits before and after the point, as slices of the source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
}

/// The exact value of a number that is short enough to be compared.
///
/// Two numbers with the same value are the same to every reader that rounds correctly. grbl's reader does not: it
/// multiplies by `0.1` and `0.01` in single precision, so `1.50` and `1.5` may differ in the last bit. Its own
/// reading is therefore part of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    negative: bool,
    /// Digits without point and trailing zeros of the fraction.
    digits: u64,
    scale: u8,
    as_grbl: u32,
}

impl<'a> Number<'a> {
    /// Reads a whole text without blanks; `None` when it is not a decimal number.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let point = digits.iter().position(|&byte| byte == b'.');
        let (whole, fraction) = match point {
            Some(at) => (digits.get(..at)?, digits.get(at + 1..)?),
            None => (digits, [].as_slice()),
        };
        let decimal = whole.iter().chain(fraction).all(u8::is_ascii_digit);
        (decimal && !(whole.is_empty() && fraction.is_empty())).then_some(Self {
            negative,
            whole,
            fraction,
        })
    }

    /// The exact value; `None` beyond 18 significant digits.
    pub(super) fn value(&self) -> Option<Value> {
        let fraction = without_trailing_zeros(self.fraction);
        let mut digits = 0_u64;
        for byte in without_leading_zeros(self.whole).iter().chain(fraction) {
            digits = digits
                .checked_mul(10)?
                .checked_add(u64::from(byte - b'0'))?;
        }
        Some(Value {
            negative: self.negative,
            digits,
            scale: u8::try_from(fraction.len()).ok()?,
            as_grbl: self.as_grbl().to_bits(),
        })
    }

    /// Appends the shortest text that is a part of the source digits and that the dialect's firmware reads as the
    /// same value.
    pub(super) fn write_shortest(&self, dialect: Dialect, out: &mut Vec<u8>) {
        let target = self.as_grbl().to_bits();
        let short_whole = without_leading_zeros(self.whole);
        let zeros = self.fraction.len() - without_trailing_zeros(self.fraction).len();
        for kept_zeros in 0..=zeros {
            let kept = self.fraction.len() - zeros + kept_zeros;
            let fraction = self.fraction.get(..kept).unwrap_or(self.fraction);
            let candidate = Self {
                whole: short_whole,
                fraction,
                ..*self
            };
            if dialect != Dialect::Grbl || candidate.as_grbl().to_bits() == target {
                return candidate.write(out);
            }
        }
        self.write(out);
    }

    /// Appends the digits as they are, without a superfluous sign or point.
    fn write(&self, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
        if self.whole.is_empty() && self.fraction.is_empty() {
            out.push(b'0');
        }
        out.extend_from_slice(self.whole);
        if !self.fraction.is_empty() {
            out.push(b'.');
            out.extend_from_slice(self.fraction);
        }
    }

    /// The value in single precision, computed step by step as grbl 1.1 does: eight digits count, leading zeros
    /// among them, and the power of ten is applied by repeated multiplication.
    fn as_grbl(&self) -> f32 {
        const COUNTED: usize = 8;
        let mut digits = 0_u32;
        let mut exponent = 0_i32;
        let whole = self.whole.iter().map(|byte| (byte, 0));
        let fraction = self.fraction.iter().map(|byte| (byte, -1));
        for (count, (byte, shift)) in whole.chain(fraction).enumerate() {
            if count < COUNTED {
                digits = digits * 10 + u32::from(byte - b'0');
                exponent += shift;
            } else {
                exponent += 1 + shift;
            }
        }
        let mut value = digits as f32;
        if digits != 0 {
            while exponent <= -2 {
                value *= 0.01;
                exponent += 2;
            }
            if exponent < 0 {
                value *= 0.1;
            }
            for _ in 0..exponent {
                value *= 10.0;
            }
        }
        if self.negative { -value } else { value }
    }
}

fn without_leading_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&byte| byte == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

fn without_trailing_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits
        .iter()
        .rev()
        .take_while(|&&byte| byte == b'0')
        .count();
    digits.get(..digits.len() - zeros).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shortest(text: &str) -> String {
        let mut out = Vec::new();
        Number::parse(text.as_bytes())
            .expect("a number")
            .write_shortest(Dialect::Grbl, &mut out);
        String::from_utf8(out).expect("digits")
    }

    #[test]
    fn superfluous_characters_go_and_the_value_stays() {
        let table = [
            ("1", "1"),
            ("+1", "1"),
            ("01", "1"),
            ("1.", "1"),
            ("1.0", "1"),
            ("0.5", ".5"),
            ("-0.5", "-.5"),
            ("-0.0", "-0"),
            ("0", "0"),
            ("000.000", "0"),
            (".0", "0"),
            ("100", "100"),
            ("100.10", "100.1"),
            ("-52.3628", "-52.3628"),
            ("5.00000000", "5"),
        ];
        for (text, expected) in table {
            assert_eq!(shortest(text), expected, "{text}");
        }
    }

    #[test]
    fn zeros_stay_where_grbl_would_read_another_float() {
        let one = Number::parse(b"7.770").expect("a number");
        let other = Number::parse(b"7.77").expect("a number");
        let same = one.as_grbl().to_bits() == other.as_grbl().to_bits();
        assert_eq!(shortest("7.770") == "7.77", same);
        let differing = (1..2000)
            .map(|i| format!("{}.{:03}0", i / 100, i))
            .filter(|text| {
                Number::parse(text.as_bytes())
                    .expect("a number")
                    .as_grbl()
                    .to_string()
                    != "x"
            })
            .filter(|text| shortest(text) == *text)
            .count();
        assert!(
            differing > 0,
            "some numbers must keep a zero, or this test tests nothing"
        );
    }

    #[test]
    fn values_compare_by_digits_and_sign() {
        let value = |text: &str| Number::parse(text.as_bytes()).expect("a number").value();
        assert_eq!(value("1.0"), value("1"));
        assert_eq!(value("+01"), value("1"));
        assert_ne!(value("0"), value("-0"));
        assert_ne!(value("1"), value("10"));
        assert_eq!(value("123456789012345678901"), None);
    }

    #[test]
    fn what_is_no_number() {
        for text in [
            "", "-", "+", ".", "-.", "1.2.3", "1e5", "--1", "1-", "x", " 1",
        ] {
            assert!(Number::parse(text.as_bytes()).is_none(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn shortening_changes_no_reading(text in "[-+]?[0-9]{0,6}(\\.[0-9]{0,6})?") {
            let Some(number) = Number::parse(text.as_bytes()) else { return Ok(()) };
            let short = shortest(&text);
            prop_assert!(short.len() <= text.len());
            let again = Number::parse(short.as_bytes()).expect("still a number");
            prop_assert_eq!(again.value(), number.value());
            let exact = |text: &str| text.parse::<f64>().expect("a decimal number").to_bits();
            prop_assert_eq!(exact(&short), exact(&text));
        }
    }
}
