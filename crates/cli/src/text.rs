//! Figures and findings in the form people read.

use std::{path::Path, time::Duration};

use feedhold::stream_core::wire::{Refusal, RefusalCode, Refusals};
use serde::Serialize;

use crate::out;

/// Refusals shown in full; the rest is counted.
const SHOWN: usize = 20;

/// `7,220`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `193.5 KiB`.
pub(crate) fn size(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or_default();
    if unit == 0 {
        format!("{bytes} {name}")
    } else {
        format!("{value:.1} {name}")
    }
}

/// `1:02:03`, or `2:03`.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// `0.42 s`, `12.3 s`, `4:05`.
pub(crate) fn duration(time: Duration) -> String {
    match time.as_secs_f64() {
        short if short < 1.0 => format!("{short:.2} s"),
        short if short < 60.0 => format!("{short:.1} s"),
        _ => clock(time),
    }
}

/// A rate with three figures that say something.
pub(crate) fn rate(per_second: f64) -> String {
    match per_second {
        few if few < 10.0 => format!("{few:.1}"),
        many => count(many.round() as u64),
    }
}

/// Whether the file is no text at all, rather than text with lines that cannot be sent.
pub(crate) fn is_no_text(refusals: &Refusals) -> bool {
    refusals
        .first()
        .is_some_and(|first| matches!(first.code, RefusalCode::Utf16 | RefusalCode::Binary))
}

/// Tells each refused place in the form editors jump to.
pub(crate) fn print_refusals(path: &Path, refusals: &Refusals) {
    for refusal in refusals.iter().take(SHOWN) {
        let message = refusal.to_string();
        let place = format!("line {}, column {}: ", refusal.line, refusal.column);
        let message = message.strip_prefix(&place).unwrap_or(&message);
        out::note(format_args!(
            "{}:{}:{}: {message}",
            path.display(),
            refusal.line,
            refusal.column
        ));
    }
    let total = refusals.total();
    let rest = total.saturating_sub(refusals.iter().len().min(SHOWN) as u64);
    if rest > 0 {
        out::note(format_args!("… and {} more", count(rest)));
    }
    let reasons: Vec<_> = refusals
        .counts()
        .iter()
        .map(|(code, count)| format!("{count} {code}"))
        .collect();
    let places = if total == 1 { "place" } else { "places" };
    out::note(format_args!(
        "feedhold: {}: {} {places} that the controller cannot take ({}); nothing was sent",
        path.display(),
        count(total),
        reasons.join(", ")
    ));
}

/// A refused place as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct RefusedLine<'a> {
    event: &'static str,
    line: u64,
    column: usize,
    code: &'static str,
    excerpt: &'a str,
    message: String,
}

impl<'a> From<&'a Refusal> for RefusedLine<'a> {
    fn from(refusal: &'a Refusal) -> Self {
        Self {
            event: "refused",
            line: refusal.line,
            column: refusal.column,
            code: refusal.code.name(),
            excerpt: &refusal.excerpt,
            message: refusal.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        for (number, want) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(number), want);
        }
        for (bytes, want) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.0 KiB"),
            (198_195, "193.5 KiB"),
            (1 << 30, "1.0 GiB"),
        ] {
            assert_eq!(size(bytes), want);
        }
        for (ms, want) in [
            (0, "0.00 s"),
            (12_340, "12.3 s"),
            (65_000, "1:05"),
            (3_723_000, "1:02:03"),
        ] {
            assert_eq!(duration(Duration::from_millis(ms)), want);
        }
        for (per_second, want) in [(0.0, "0.0"), (9.96, "10.0"), (55_123.4, "55,123")] {
            assert_eq!(rate(per_second), want);
        }
    }
}
