use proptest::prelude::*;

use super::*;
use crate::wire::WordName;

fn grbl() -> ChainConfig {
    ChainConfig::new(Dialect::Grbl)
}

fn marlin() -> ChainConfig {
    ChainConfig::new(Dialect::Marlin)
}

/// The wire lines of a program with their numbers, or its refusals, one a line.
fn shown(config: &ChainConfig, program: &[u8]) -> String {
    let raw = RawChunk {
        first_line: 1,
        bytes: program.to_vec(),
        ..RawChunk::default()
    };
    match Chain::new(config.clone()).prepare(&raw) {
        Ok(chunk) => {
            let lines = chunk.lines().map(|line| {
                format!(
                    "{} {}",
                    line.source_line,
                    String::from_utf8_lossy(line.text)
                )
            });
            lines.collect::<Vec<_>>().join("\n")
        }
        Err(refusals) => refusals
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

#[track_caller]
fn check(config: &ChainConfig, program: impl AsRef<[u8]>, expected: &str) {
    let program = program.as_ref();
    assert_eq!(
        shown(config, program),
        expected,
        "{}",
        program.escape_ascii()
    );
}

fn skipping(config: ChainConfig, names: &[&str]) -> ChainConfig {
    config.with_skip(
        names
            .iter()
            .map(|name| name.parse::<WordName>().expect("a name")),
    )
}

#[test]
fn blank_and_comment_lines_vanish_and_numbers_stay() {
    let program = "%\n( start )\nG21\n\n   \n; note\nG0 X1 ; go\n%\n";
    check(&grbl(), program, "3 G21\n7 G0X1");
    check(
        &marlin(),
        "; start\nG21\n\n   \nG0 X1 ; go",
        "2 G21\n5 G0X1",
    );
}

#[test]
fn every_line_end_is_one_line() {
    for ending in ["\n", "\r\n", "\r"] {
        check(
            &grbl(),
            ["G21", "G90", "M2"].join(ending),
            "1 G21\n2 G90\n3 M2",
        );
    }
    check(&grbl(), "G21\r\rG90", "1 G21\n3 G90");
}

#[test]
fn bytes_that_grbl_would_take_go_with_their_comment() {
    check(
        &grbl(),
        "G0 X2 (pause! here?)\nG1 X1 F5 ; \u{c4}\u{d1} ~\n",
        "1 G0X2\n2 G1X1F5",
    );
}

#[test]
fn bytes_that_grbl_would_take_are_refused_outside_comments() {
    let remedy = "as a realtime command or swallows it, even in the middle of a line; remove it";
    for (program, column, byte) in [
        ("G0 X2!", 6, "!"),
        ("G0 (a) ~X2", 8, "~"),
        ("?", 1, "?"),
        ("G0 X1 \u{c4}", 7, "\\xc3"),
        ("$N0=?", 5, "?"),
    ] {
        check(
            &grbl(),
            program,
            &format!("line 1, column {column}: grbl 1.1 takes the byte {byte} {remedy}"),
        );
    }
    check(
        &grbl(),
        "G0\nX1\x18",
        &format!("line 2, column 3: grbl 1.1 takes the byte \\x18 {remedy}"),
    );
}

#[test]
fn files_that_are_no_programs_are_refused_at_once() {
    let utf16: Vec<u8> = "G21\nG90\n"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    let refused = "line 1, column 1: the file is UTF-16 text; save it as UTF-8";
    check(&grbl(), [b"\xFE\xFF".as_slice(), &utf16].concat(), refused);
    check(&grbl(), utf16, refused);
    check(
        &marlin(),
        b"\x7FELF\x01\x01\x01\x00\x00\x00\x00",
        "line 1, column 1: the file is not text; choose a G-code file",
    );
    check(
        &grbl(),
        b"G21 (a comment long enough)\nG1\x00 X1\n",
        "line 2, column 3: a NUL byte; the file is damaged or is not text, make it anew",
    );
    check(
        &marlin(),
        "G1 X1 ; fine so far\nG1\x07 X1",
        "line 2, column 3: the control byte \\x07; remove it",
    );
}

#[test]
fn a_byte_order_mark_goes_with_a_note() {
    let chunk = Chain::new(grbl())
        .program("\u{feff}G21\n")
        .expect("a program");
    assert_eq!(chunk.line(0).text, b"G21");
    let notes: Vec<_> = chunk.notes().iter().map(ToString::to_string).collect();
    assert_eq!(notes, ["line 1: dropped the UTF-8 byte order mark"]);
}

#[test]
fn block_delete_lines_run_or_not() {
    let program = "/G0 X1\n / N5 G0 X2\nG0 X3";
    check(&grbl(), program, "1 G0X1\n2 G0X2\n3 G0X3");
    check(
        &grbl().with_block_delete(BlockDelete::Drop),
        program,
        "3 G0X3",
    );
    check(&marlin(), program, "1 G0X1\n2 G0X2\n3 G0X3");
}

#[test]
fn line_numbers_stay_or_go() {
    check(&grbl(), "N10 G0 X1\nN20", "1 G0X1");
    check(
        &grbl().with_line_numbers(LineNumbers::Keep),
        "N10 G0 X1\nN20",
        "1 N10G0X1",
    );
    check(
        &marlin().with_line_numbers(LineNumbers::Keep),
        "N10 G0 X1",
        "1 G0X1",
    );
}

#[test]
fn checksums_are_verified_and_go() {
    let sum = checksum(b"N3 G0 X1");
    check(&marlin(), format!("N3 G0 X1*{sum}"), "1 G0X1");
    check(&grbl(), format!("N3 G0 X1*{sum}"), "1 G0X1");
    check(
        &marlin(),
        format!("N3 G0 X1*{}", sum ^ 1),
        &format!(
            "line 1, column 9: the checksum *{} does not fit the line: the file is damaged, make it anew",
            sum ^ 1
        ),
    );
    check(
        &marlin(),
        "G0 X1*5",
        "line 1, column 6: the checksum *5 stands on a line without number; remove it",
    );
    check(
        &marlin(),
        "N1 N2 M1",
        "line 1, column 4: Marlin needs a command in front of N2; write G0, G1, G2 or G3 on every motion line",
    );
    let sum = checksum(b"N4 M117 5*5 ");
    check(&marlin(), format!("N4 M117 5*5 *{sum}"), "1 M117 5");
}

#[test]
fn texts_of_marlin_are_kept() {
    check(
        &marlin(),
        "M117 Hello  \u{c4}pfel! ; done",
        "1 M117 Hello  \u{c4}pfel!",
    );
    check(&marlin(), "m117 X1 Y2", "1 M117 X1 Y2");
    check(&marlin(), "M118 A1 \"a b\" ; c", "1 M118 A1 \"a b\"");
    check(&marlin(), "M117 a ; C:\\jobs", "1 M117 a");
    check(
        &marlin(),
        "G1 X1 \u{c4}",
        "line 1, column 7: the byte \\xc3\\x84 is not ASCII; write it in a comment or remove it",
    );
    let chunk = Chain::new(marlin()).program("M117 5*5").expect("a text");
    assert_eq!(chunk.line(0).text, b"M117 5");
    assert_eq!(
        chunk
            .notes()
            .iter()
            .map(|note| note.kind)
            .collect::<Vec<_>>(),
        [NoteKind::TextCut]
    );
}

#[test]
fn texts_that_marlin_would_cut_are_refused() {
    check(
        &marlin(),
        "M118 A1 \"a;b\"\nM117 C:\\jobs",
        "line 1, column 11: most builds of Marlin end a line at ; even inside quotes, its checksum lost; remove it\n\
         line 2, column 8: Marlin takes the byte \\\\ as a realtime command or swallows it, even in the middle of a line; remove it",
    );
}

#[test]
fn codes_that_the_dialect_lacks_are_refused_or_skipped() {
    let g64 = "line 2, column 5: G64 is not supported by grbl 1.1 (error:20); remove it or run with --skip G64";
    check(&grbl(), "G21\nG90 G64 P0.1", g64);
    check(
        &skipping(grbl(), &["G64"]),
        "G21\nG90 G64 P0.1\nG64",
        "1 G21\n2 G90",
    );
    check(
        &grbl(),
        "G43 H1\nG0 A5\nO100\n#1=2\nG1 X[#1]",
        "line 1, column 1: G43 is not supported by grbl 1.1 (error:20); remove it or run with --skip G43\n\
         line 2, column 4: grbl 1.1 has no A words (A5) (error:20); remove it or run with --skip A\n\
         line 3, column 1: grbl 1.1 has no program numbers, subprograms or loops (O100); post-process the file for grbl 1.1\n\
         line 4, column 1: grbl 1.1 has no parameters (#1=2); post-process the file for grbl 1.1\n\
         line 5, column 4: grbl 1.1 cannot evaluate expressions (X[#1]); post-process the file for grbl 1.1",
    );
    check(
        &grbl().with_allowed(["M7".parse().expect("a code")]),
        "M7",
        "1 M7",
    );
    check(
        &marlin(),
        "M112",
        "line 1, column 1: M112 would stop Marlin until it is reset; remove it, or allow it for this job",
    );
    check(
        &marlin(),
        "X5",
        "line 1, column 1: Marlin needs a command in front of X5; write G0, G1, G2 or G3 on every motion line",
    );
}

#[test]
fn places_are_those_of_the_source() {
    check(
        &grbl(),
        "  (one) G0 (two) X1 (three) G64 (four)",
        "line 1, column 29: G64 is not supported by grbl 1.1 (error:20); remove it or run with --skip G64",
    );
}

#[test]
fn a_number_does_not_go_on_behind_a_comment() {
    check(
        &grbl(),
        "G1 X1 F300 (edge)0",
        "line 1, column 18: 0 is not part of a word; remove it",
    );
    check(&grbl(), "G1 (to) X1 (edge) F300", "1 G1X1F300");
}

#[test]
fn long_lines_lose_their_blanks_and_nothing_else() {
    let words =
        "G1 X-123.456789 Y-123.456789 Z-123.456789 I1.2345678 J1.2345678 K1.2345678 F1000.55555 N1";
    let squeezed = words.replace(' ', "").replace("N1", "");
    assert!(
        words.len() > 79 && squeezed.len() == 79,
        "{}",
        squeezed.len()
    );
    check(&grbl(), words, &format!("1 {squeezed}"));
    check(
        &grbl(),
        format!("{words}\n{words}5").replace("N1", "R1"),
        "line 1, column 1: the line needs 81 bytes without its blanks where grbl 1.1 takes 79; split the line\n\
         line 2, column 1: the line needs 82 bytes without its blanks where grbl 1.1 takes 79; split the line",
    );
    let text = "x".repeat(90);
    check(
        &marlin(),
        format!("M117 {text}"),
        "line 1, column 1: the line needs 95 bytes without its blanks where Marlin takes 79; split the line",
    );
    let small = grbl().with_rx(20).expect("enough");
    check(
        &small,
        "G1 X123.4567 Y123.4567",
        "line 1, column 1: the line needs 20 bytes without its blanks where grbl 1.1 takes 18; split the line",
    );
    check(&small, "$N0=G1 X1 Y2 Z3 F4", "1 $N0=G1 X1 Y2 Z3 F4");
    check(
        &small,
        "$N0=G1 X1 Y2 Z3 F40",
        "line 1, column 1: the line needs 19 bytes with its blanks where the receive buffer of grbl 1.1 takes 18; split the line",
    );
}

#[test]
fn packing_off_keeps_blanks_while_they_fit() {
    let off = grbl().with_pack(Pack::Off);
    check(&off, "  G1  X1 (edge) Y2 ; go", "1 G1  X1  Y2");
    check(&off, "/N5 G1 X1", "1 G1 X1");
    let wide = format!("G1{}X1", " ".repeat(200));
    check(&off, wide, "1 G1X1");
}

#[test]
fn an_overlong_line_is_refused_with_its_number() {
    let program = format!("G21\n({})\nG90", "x".repeat(5000));
    check(
        &grbl(),
        program,
        "line 2, column 1: the line is 5002 bytes long; split the line",
    );
}

#[test]
fn lossless_uses_the_modes_before_the_chunk() {
    let chain = Chain::new(grbl().with_pack(Pack::Lossless));
    let mut modes = Modes::default();
    let prepare = |modes| {
        let bytes = b"G1 X1 Y2\nG1 X1 Y3\n".to_vec();
        let raw = RawChunk {
            index: 4,
            offset: 100,
            first_line: 30,
            bytes,
            modes,
            ..RawChunk::default()
        };
        let chunk = chain.prepare(&raw).expect("a program");
        assert_eq!(
            (chunk.index(), chunk.source_lines(), chunk.source_bytes()),
            (4, 30..32, 100..118)
        );
        chunk.line(1).to_string()
    };
    assert_eq!(prepare(modes), "31: X1Y3 (motion)");
    modes.read(feedhold_gcode_parse::Flavor::Grbl, b"G90");
    assert_eq!(prepare(modes), "31: Y3 (motion)");
}

#[test]
fn buffers_are_used_again() {
    let chain = Chain::new(grbl());
    let bytes: Vec<u8> = (0..500)
        .flat_map(|i| format!("G1 X{i} Y{i}\n").into_bytes())
        .collect();
    let raw = RawChunk {
        first_line: 1,
        bytes,
        ..RawChunk::default()
    };
    let first = chain.prepare(&raw).expect("a program");
    let (memory, place) = (first.memory(), first.line(0).text.as_ptr());
    let second = chain
        .prepare_into(&raw, first.recycle())
        .expect("a program");
    assert_eq!(
        (second.memory(), second.line(0).text.as_ptr()),
        (memory, place)
    );
    assert_eq!(second.len(), 500);
}

#[test]
fn complexity_of_a_chunk() {
    let chunk = Chain::new(grbl())
        .program("G0 X1\nG1 X2\nG2 X3 I1\nT1 M6\nG54\n(end)\n")
        .expect("a program");
    assert_eq!(chunk.total_complexity(), 0.5 + 1.0 + 3.0 + 10.0 + 2.0);
    assert_eq!(chunk.complexity(), 2.8);
    assert_eq!(chunk.motions(), 3);
}

proptest! {
    #[test]
    fn no_bytes_panic_and_what_is_sent_is_clean(bytes in prop::collection::vec(any::<u8>(), 0..200), lossless: bool) {
        let pack = if lossless { Pack::Lossless } else { Pack::Off };
        for config in [grbl().with_pack(pack), marlin().with_pack(pack)] {
            let dialect = config.dialect();
            let raw = RawChunk { first_line: 1, bytes: bytes.clone(), offset: 9, ..RawChunk::default() };
            if let Ok(chunk) = Chain::new(config).prepare(&raw) {
                for line in chunk.lines() {
                    prop_assert!(!line.text.is_empty());
                    prop_assert!(line.text.len() <= 126);
                    prop_assert!(!line.text.iter().any(|&byte| dialect.eats(byte) || matches!(byte, 0 | b'\n' | b'\r')));
                }
            }
        }
    }

    #[test]
    fn likely_bytes_neither(text in "[GMTNXYZIFSP$/%*();. 0-9\\-\n!~]{0,120}") {
        for config in [grbl(), marlin()] {
            let dialect = config.dialect();
            if let Ok(chunk) = Chain::new(config).program(&text) {
                for line in chunk.lines() {
                    prop_assert!(!line.text.iter().any(|&byte| dialect.eats(byte)));
                    prop_assert!(dialect != Dialect::Grbl || line.text.len() <= 79 || line.text.contains(&b' '));
                }
            }
        }
    }
}
