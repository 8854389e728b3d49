/// Appends ` <letter><value>` with `decimals` places, rounded, in fixed notation.
///
/// Values are rounded to an integer number of units in the last place first, so that the text is the
/// same on every machine.
pub(super) fn word(out: &mut Vec<u8>, letter: u8, value: f64, decimals: u32) {
    out.push(b' ');
    out.push(letter);
    number(out, value, decimals);
}

/// Appends `value` with `decimals` places; never `-0.000`.
pub(super) fn number(out: &mut Vec<u8>, value: f64, decimals: u32) {
    let scale = 10_u64.pow(decimals);
    let units = (value * scale as f64).round() as i64;
    if units < 0 {
        out.push(b'-');
    }
    let units = units.unsigned_abs();
    let mut digits = [0_u8; 24];
    let mut at = digits.len();
    let mut rest = units;
    let mut place = 0;
    while rest > 0 || place <= decimals {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        place += 1;
        if place == decimals {
            at -= 1;
            digits[at] = b'.';
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a line of fixed text.
pub(super) fn line(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_written_with_their_places() {
        for (value, decimals, want) in [
            (0.0, 3, "0.000"),
            (1.5, 3, "1.500"),
            (-0.0004, 3, "0.000"),
            (-0.0006, 3, "-0.001"),
            (123.4567, 2, "123.46"),
            (9.999_96, 4, "10.0000"),
            (1500.0, 0, "1500"),
            (0.0, 0, "0"),
            (-12.0, 0, "-12"),
            (0.05, 5, "0.05000"),
        ] {
            let mut out = Vec::new();
            number(&mut out, value, decimals);
            assert_eq!(
                String::from_utf8(out).unwrap(),
                want,
                "{value} with {decimals} places"
            );
        }
    }
}
