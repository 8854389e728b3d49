//! Step 1: is it text at all?

use super::{NoteKind, RefusalCode};

/// What the first bytes of a file say about all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// Text from the first byte on.
    Text,
    /// A UTF-8 byte order mark of this many bytes, then text.
    Marked(usize),
    /// Not readable as a program.
    Unreadable(RefusalCode),
}

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";
/// Bytes looked at to tell text from other files.
const SAMPLE: usize = 1024;
/// Fewer control bytes than this are faults of a text, told by their place, and make no binary file.
const FEW: usize = 4;

/// Judges a file by its first bytes.
pub(super) fn opening(bytes: &[u8]) -> Opening {
    let sample = bytes.get(..SAMPLE).unwrap_or(bytes);
    match sample {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => return Opening::Unreadable(RefusalCode::Utf16),
        marked if marked.starts_with(UTF8_MARK) => return Opening::Marked(UTF8_MARK.len()),
        _ => {}
    }
    let nul_at = |parity: usize| {
        sample
            .iter()
            .skip(parity)
            .step_by(2)
            .filter(|&&byte| byte == 0)
            .count()
    };
    let (even, odd) = (nul_at(0), nul_at(1));
    let half = sample.len() / 2;
    if half >= 2 && (even.min(odd) == 0) && even.max(odd) * 10 >= half * 9 {
        return Opening::Unreadable(RefusalCode::Utf16);
    }
    let odd_bytes = sample.iter().filter(|&&byte| is_forbidden(byte)).count();
    if odd_bytes >= FEW && odd_bytes * 20 > sample.len() {
        Opening::Unreadable(RefusalCode::Binary)
    } else {
        Opening::Text
    }
}

impl Opening {
    /// What to tell the operator when the file is read all the same.
    pub(super) fn note(self) -> Option<NoteKind> {
        matches!(self, Self::Marked(_)).then_some(NoteKind::ByteOrderMark)
    }
}

/// A control byte that no program may hold, comments included.
pub(super) fn is_forbidden(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0x0B | 0x0C | 0x0E..=0x1F | 0x7F)
}

/// The first forbidden byte of a line, as (index, reason).
pub(super) fn fault(line: &[u8]) -> Option<(usize, RefusalCode)> {
    let at = line.iter().position(|&byte| is_forbidden(byte))?;
    let code = match line.get(at) {
        Some(0) => RefusalCode::Nul,
        Some(0x18) => RefusalCode::RealtimeByte,
        _ => RefusalCode::ControlByte,
    };
    Some((at, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn files_are_told_by_their_first_bytes() {
        let check = |bytes: &[u8], expected| {
            assert_eq!(opening(bytes), expected, "{}", bytes.escape_ascii())
        };
        check(b"", Opening::Text);
        check(b"G1 X1\n", Opening::Text);
        check("(\u{c4}\u{d6}\u{dc})\nG1".as_bytes(), Opening::Text);
        check(b"\xEF\xBB\xBFG1", Opening::Marked(3));
        check(
            b"\xFF\xFEG\x001\x00",
            Opening::Unreadable(RefusalCode::Utf16),
        );
        check(
            b"\xFE\xFF\x00G\x001",
            Opening::Unreadable(RefusalCode::Utf16),
        );
        check(
            &utf16("G21\nG90\n"),
            Opening::Unreadable(RefusalCode::Utf16),
        );
        check(
            b"\x7FELF\x02\x01\x01\x00\x00\x00\x00\x00",
            Opening::Unreadable(RefusalCode::Binary),
        );
        check(&[0x00; 64], Opening::Unreadable(RefusalCode::Binary));
        check(
            b"G1 X1\x00\nG1 X2 Y3 Z4 F500 (one bad byte)\n",
            Opening::Text,
        );
    }

    #[test]
    fn forbidden_bytes_have_a_place_and_a_reason() {
        let check =
            |line: &[u8], expected| assert_eq!(fault(line), expected, "{}", line.escape_ascii());
        check(b"G1\tX1", None);
        check(b"G1 X\x001", Some((4, RefusalCode::Nul)));
        check(b"(\x18)", Some((1, RefusalCode::RealtimeByte)));
        check(b"G1\x07", Some((2, RefusalCode::ControlByte)));
    }
}
