//! Lines: terminators, numbers, offsets, and that no cut of the input changes them.

mod common;

use common::pieces;
use feedhold_gcode_parse::{Ending, LineReader, MAX_LINE};
use proptest::prelude::*;

#[derive(Debug, PartialEq)]
struct Seen {
    number: u64,
    offset: u64,
    text: Vec<u8>,
    ending: Ending,
    overlong: Option<u64>,
}

fn read<const CAP: usize>(input: &[u8], cuts: &[usize]) -> Vec<Seen> {
    let mut reader = LineReader::<CAP>::new();
    let mut seen = Vec::new();
    let mut note = |line: feedhold_gcode_parse::Line<'_>| {
        seen.push(Seen {
            number: line.number,
            offset: line.offset,
            text: line.text.to_vec(),
            ending: line.ending,
            overlong: line.overlong,
        });
    };
    for mut piece in pieces(input, cuts) {
        while let Some(line) = reader.next(&mut piece) {
            note(line);
        }
        assert!(piece.is_empty(), "all of a piece is taken in before None");
    }
    if let Some(line) = reader.finish() {
        note(line);
    }
    assert!(reader.finish().is_none(), "the last line comes once");
    assert_eq!(reader.offset(), input.len() as u64);
    seen
}

#[track_caller]
fn check(input: &[u8], expected: &[(&[u8], Ending)]) {
    let seen = read::<MAX_LINE>(input, &[]);
    let found: Vec<_> = seen
        .iter()
        .map(|line| (&line.text[..], line.ending))
        .collect();
    assert_eq!(found, expected);
    for cut in 0..=input.len() {
        assert_eq!(read::<MAX_LINE>(input, &[cut]), seen, "cut at {cut}");
    }
}

#[test]
fn terminators() {
    use Ending::{Cr, CrLf, Lf, None};
    check(b"", &[]);
    check(b"G0", &[(b"G0", None)]);
    check(b"G0\n", &[(b"G0", Lf)]);
    check(b"\n\n", &[(b"", Lf), (b"", Lf)]);
    check(b"a\r\nb\r\n", &[(b"a", CrLf), (b"b", CrLf)]);
    check(b"a\rb\r", &[(b"a", Cr), (b"b", Cr)]);
    check(
        b"a\r\rb\n\r\n",
        &[(b"a", Cr), (b"", Cr), (b"b", Lf), (b"", CrLf)],
    );
    check(b"\r\n\n\r", &[(b"", CrLf), (b"", Lf), (b"", Cr)]);
    check(
        b"tab\there \x0b\x0c\x00\n",
        &[(b"tab\there \x0b\x0c\x00", Lf)],
    );
    check(
        b"a long line, longer than a machine word or two\r\nnext",
        &[
            (b"a long line, longer than a machine word or two", CrLf),
            (b"next", None),
        ],
    );
}

#[test]
fn numbers_and_offsets_go_on_from_where_the_caller_says() {
    let mut reader = LineReader::<16>::starting_at(100, 5_000);
    let mut input = &b"G0\r\nG1\n"[..];
    let places: Vec<_> = core::iter::from_fn(|| {
        reader
            .next(&mut input)
            .map(|l| (l.number, l.offset, l.source_len()))
    })
    .collect();
    assert_eq!(places, [(100, 5_000, 4), (101, 5_004, 3)]);
}

#[test]
fn an_overlong_line_keeps_its_front_and_its_length() {
    let input = [&b"0123456789"[..], b"\nG0\n"].concat();
    for cuts in [&[][..], &[4], &[9], &[10], &[2, 5, 8]] {
        let seen = read::<8>(&input, cuts);
        assert_eq!(seen[0].text, b"01234567");
        assert_eq!(seen[0].overlong, Some(10));
        assert_eq!(
            (seen[1].number, seen[1].offset, seen[1].overlong),
            (2, 11, None)
        );
    }
    assert_eq!(
        read::<10>(&input, &[3])[0].overlong,
        None,
        "a line of exactly CAP bytes is whole"
    );
}

#[test]
fn a_gigantic_line_takes_no_memory() {
    let mut reader = <LineReader>::new();
    let block = [b'x'; 8192];
    for _ in 0..1024 {
        assert!(reader.next(&mut &block[..]).is_none());
    }
    let line = reader.finish().expect("the line ends with the input");
    assert_eq!(
        (line.text.len(), line.overlong),
        (MAX_LINE, Some(8 * 1024 * 1024))
    );
}

fn programs() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![3 => Just(b'\n'), 3 => Just(b'\r'), 1 => Just(b'\t'), 12 => any::<u8>(), 6 => b'0'..=b'Z'];
    proptest::collection::vec(byte, 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_cut_gives_the_same_lines(input in programs(), cuts in proptest::collection::vec(0_usize..200, 0..12)) {
        prop_assert_eq!(read::<16>(&input, &cuts), read::<16>(&input, &[]));
    }

    #[test]
    fn lines_are_those_of_a_plain_reading(input in programs()) {
        let mut plain = Vec::new();
        let mut start = 0;
        let mut at = 0;
        while at < input.len() {
            let length = match (input[at], input.get(at + 1)) {
                (b'\r', Some(b'\n')) => 2,
                (b'\r' | b'\n', _) => 1,
                _ => 0,
            };
            if length > 0 {
                plain.push((start as u64, input[start..at].to_vec()));
                start = at + length;
            }
            at += length.max(1);
        }
        if start < input.len() {
            plain.push((start as u64, input[start..].to_vec()));
        }
        let seen: Vec<_> = read::<MAX_LINE>(&input, &[]).into_iter().map(|l| (l.offset, l.text)).collect();
        prop_assert_eq!(seen, plain);
    }
}
