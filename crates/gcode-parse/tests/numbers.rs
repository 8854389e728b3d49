//! Numbers: the same `f64` as the standard library, exact decimals, codes.

use feedhold_gcode_parse::{Code, Decimal, Number};
use proptest::prelude::*;

fn number(text: &str) -> Number<'_> {
    Number::new(text.as_bytes()).unwrap_or_else(|| panic!("{text} is a number"))
}

#[track_caller]
fn check_bits(text: &str) {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let expected: f64 = plain.parse().expect("std reads it");
    assert_eq!(
        number(text).to_f64().to_bits(),
        expected.to_bits(),
        "{text}"
    );
}

#[test]
fn values_are_those_of_the_standard_library() {
    for text in [
        "0",
        "-0",
        "+0",
        "-0.0",
        "1",
        "+1",
        ".5",
        "5.",
        "-.5",
        "00012.50",
        "1 2 . 5",
        "- 3",
        "0.1",
        "0.2",
        "0.3",
        "123456789.123456789",
        "9007199254740992",
        "9007199254740993",
        "9007199254740993.0",
        "18446744073709551615",
        "99999999999999999999",
        "0.00000000000000000000000000000000000001",
        "2.2250738585072011",
        "25.4",
        "1797693134862315700000000000000000000000",
        "0.30000000000000004",
    ] {
        check_bits(text);
    }
    let halfway = format!("{}.5{}1", 1_u64 << 52, "0".repeat(900));
    check_bits(&halfway);
    check_bits(&halfway[..halfway.len() - 1]);
    // Exactly half way between two floats, where only the last of 53 digits says so.
    let tie = format!("1.{:053}", 3 * 5_u128.pow(53));
    check_bits(&tie);
    check_bits(&format!("{tie}{}", "0".repeat(800)));
    check_bits(&format!("{tie}{}1", "0".repeat(800)));
    check_bits(&"9".repeat(400));
    check_bits(&format!("0.{}1", "0".repeat(400)));
    check_bits(&"1234567890".repeat(200));
}

#[test]
fn what_is_not_a_number() {
    for text in [
        "", "-", "+", ".", "-.", "1.2.3", "1-2", "--1", "1e5", "0x1", "nan", "inf", "1,5", " ",
    ] {
        assert!(Number::new(text.as_bytes()).is_none(), "{text:?}");
    }
}

#[test]
fn decimals_are_exact_and_in_lowest_terms() {
    for (text, mantissa, scale) in [
        ("0", 0, 0),
        ("-0.00", 0, 0),
        ("1.500", 15, 1),
        ("-12.25", -1225, 2),
        ("100", 100, 0),
        ("0.001", 1, 3),
        ("9223372036854775807", i64::MAX, 0),
        ("-9223372036854775808", i64::MIN, 0),
        ("1 0.2 0", 102, 1),
        ("1.0200", 102, 2),
    ] {
        assert_eq!(
            number(text).decimal(),
            Some(Decimal { mantissa, scale }),
            "{text}"
        );
    }
    assert_eq!(number("9223372036854775808").decimal(), None);
    assert_eq!(number(&format!("0.{}1", "0".repeat(300))).decimal(), None);
}

#[test]
fn codes_compare_as_numbers() {
    for (text, code) in [
        ("1", Some(Code::new(1))),
        ("01", Some(Code::new(1))),
        ("1.0", Some(Code::new(1))),
        ("1.", Some(Code::new(1))),
        ("10", Some(Code::new(10))),
        ("38.2", Some(Code::tenths(38, 2))),
        ("59.30", Some(Code::tenths(59, 3))),
        ("38.25", None),
        ("-1", None),
        ("65535", Some(Code::new(65_535))),
        ("65536", None),
        ("3 8.2", Some(Code::tenths(38, 2))),
    ] {
        assert_eq!(number(text).code(), code, "{text}");
    }
    assert_eq!(Code::tenths(38, 2).to_string(), "38.2");
    assert_eq!(Code::new(1).to_string(), "1");
}

#[test]
fn counts_are_whole() {
    for (text, count) in [
        ("0", Some(0)),
        ("12", Some(12)),
        ("12.00", Some(12)),
        ("12.5", None),
        ("-1", None),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", None),
    ] {
        assert_eq!(number(text).to_u64(), count, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_form_has_the_bits_of_the_standard_library(text in "[+-]?([0-9]{1,25}\\.?[0-9]{0,25}|\\.[0-9]{1,25})") {
        check_bits(&text);
    }

    #[test]
    fn short_forms_too(text in "-?[0-9]{1,4}\\.[0-9]{1,6}") {
        check_bits(&text);
    }

    #[test]
    fn a_float_survives_its_own_text(value in -1e9..1e9f64) {
        let text = format!("{value}");
        prop_assert_eq!(number(&text).to_f64().to_bits(), value.to_bits());
    }

    #[test]
    fn a_decimal_is_the_number(text in "-?[0-9]{1,9}\\.[0-9]{1,8}") {
        let Decimal { mantissa, scale } = number(&text).decimal().expect("it fits");
        let again = format!("{mantissa}e-{scale}").parse::<f64>().expect("std reads it");
        prop_assert_eq!(again, text.parse::<f64>().expect("std reads it"));
        prop_assert!(scale == 0 || mantissa % 10 != 0, "lowest terms");
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Some(number) = Number::new(&bytes) {
            let _ = (number.to_f64(), number.decimal(), number.code(), number.to_u64());
        }
    }
}
