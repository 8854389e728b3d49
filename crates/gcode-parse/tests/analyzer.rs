//! The analyzer: counts, lengths, times and faults of whole programs.

mod common;

use common::{code_like, flavors, pieces};
use feedhold_gcode_parse::analyze::{Bom, MAX_CODES, Place, Utf16};
use feedhold_gcode_parse::diagnostic::check;
use feedhold_gcode_parse::{
    Analyzer, Axis, Block, Code, Complexity, Flavor, MAX_LINE, Metadata, Severity, Stop,
};
use proptest::prelude::*;

fn analyze(flavor: Flavor, program: &[u8], cuts: &[usize]) -> Metadata {
    let mut analyzer = Analyzer::new(flavor);
    for piece in pieces(program, cuts) {
        analyzer.push(piece);
    }
    analyzer.finish()
}

fn grbl(program: &str) -> Metadata {
    analyze(Flavor::Grbl, program.as_bytes(), &[])
}

#[test]
fn a_milling_program() {
    let metadata = grbl(
        "%\r\n(pocket)\r\nG21 G90 G54\r\nT2 M6\r\nS8000 M3\r\nG0 X10 Y0\r\n\r\nG1 Z-1 F100\r\nG3 X-10 Y0 I-10 F600\r\n\
         /M8\r\nG4 P2\r\nG55\r\nS12000\r\nM5\r\nM1\r\nM30",
    );
    assert_eq!((metadata.lines, metadata.empty_lines), (16, 2));
    assert_eq!(
        (
            metadata.endings.crlf,
            metadata.endings.missing,
            metadata.endings.mixed()
        ),
        (15, true, false)
    );
    assert!(metadata.has_comments && !metadata.has_sub_programs);
    assert_eq!(
        (
            metadata.tool_changes,
            metadata.coordinate_system_changes,
            metadata.block_deletes
        ),
        (1, 2, 1)
    );
    assert_eq!(metadata.spindle_speed.ends(), Some((8000.0, 12_000.0)));
    assert_eq!(metadata.feed_mm_per_min.ends(), Some((100.0, 600.0)));
    let motions = &metadata.motions;
    assert_eq!((motions.count, motions.rapids, motions.arcs), (3, 1, 1));
    let half_turn = core::f64::consts::PI * 10.0;
    assert!((motions.cutting_mm - 1.0 - half_turn).abs() < 1e-9);
    assert_eq!(
        (motions.rapid_mm, motions.rapid_s, motions.dwell_s),
        (10.0, 0.0, 2.0)
    );
    assert!((motions.cutting_s - 0.6 - half_turn / 10.0).abs() < 1e-9);
    assert!((motions.programmed_s() - motions.cutting_s - 2.0).abs() < 1e-9);
    assert_eq!(motions.bounds.range(Axis::Y), Some((0.0, 10.0)));
    assert_eq!(motions.bounds.range(Axis::X), Some((-10.0, 10.0)));
    let stops: Vec<_> = metadata
        .stop_lines
        .iter()
        .flatten()
        .map(|stop| (stop.line, stop.stop))
        .collect();
    assert_eq!(
        stops,
        [
            (4, Stop::ToolChange),
            (15, Stop::OptionalPause),
            (16, Stop::EndRewind)
        ]
    );
    assert_eq!(
        (metadata.longest_line.line, metadata.longest_line.bytes),
        (9, 20)
    );
    assert_eq!(metadata.diagnostics.as_slice(), []);
    assert_eq!(metadata.bytes, 127);
}

#[test]
fn a_printed_program() {
    let program = "M83\nG1 X10 E1 F600\nG1 E-2\nG0 X0 F6000 ; travel\nG1 E2 F600\nT1\nM600\n";
    let metadata = analyze(Flavor::Marlin, program.as_bytes(), &[]);
    let motions = &metadata.motions;
    assert_eq!((motions.extruded_mm, motions.retracted_mm), (3.0, 2.0));
    assert_eq!((motions.cutting_mm, motions.rapid_mm), (14.0, 10.0));
    assert!(
        (motions.rapid_s - 0.1).abs() < 1e-12,
        "Marlin's G0 has a feed"
    );
    assert_eq!((metadata.tool_changes, metadata.stops), (1, 1));
}

#[test]
fn codes_are_counted_by_their_number() {
    let metadata = grbl("G1 X1 F1\nG01 X2\nG10 L2 P1 X0\nG1.0 X3\nM03 S1\nM30\n");
    let use_of = |letter, code| {
        metadata
            .codes
            .get(letter, code)
            .map(|found| (found.count, found.first_line))
    };
    assert_eq!(use_of(b'G', Code::new(1)), Some((3, 1)));
    assert_eq!(use_of(b'G', Code::new(10)), Some((1, 3)));
    assert_eq!(use_of(b'G', Code::new(0)), None);
    let order: Vec<_> = metadata
        .codes
        .as_slice()
        .iter()
        .map(|u| format!("{}{}", char::from(u.letter), u.code))
        .collect();
    assert_eq!(order, ["G1", "G10", "M3", "M30"]);
    let many: String = (0..200).map(|code| format!("M{code}\n")).collect();
    let metadata = grbl(&many);
    assert_eq!(
        (metadata.codes.as_slice().len(), metadata.codes.lost()),
        (MAX_CODES, 200 - MAX_CODES as u64)
    );
}

#[test]
fn the_longest_line_is_the_first_of_equals() {
    let longest = grbl("G0\nG0 X1\n\nG0 X2\n").longest_line;
    assert_eq!((longest.line, longest.bytes), (2, 5));
}

#[test]
fn sub_programs() {
    for (flavor, line, found) in [
        (Flavor::LinuxCnc, "o100 call", true),
        (Flavor::Grbl, "O100", true),
        (Flavor::Grbl, "M98 P100", true),
        (Flavor::Grbl, "M99", true),
        (Flavor::Grbl, "M980", false),
        (Flavor::Grbl, "(o100 call)", false),
    ] {
        assert_eq!(
            analyze(flavor, line.as_bytes(), &[]).has_sub_programs,
            found,
            "{line}"
        );
    }
}

#[test]
fn encodings() {
    let plain = grbl("G0 X1\n").encoding;
    assert!(!plain.is_binary() && plain.bom.is_none() && plain.non_ascii_lines == 0);

    let bom = analyze(Flavor::Grbl, b"\xEF\xBB\xBFG0 X1\n", &[1, 2]);
    assert_eq!(
        (bom.encoding.bom, bom.diagnostics.errors),
        (Some(Bom::Utf8), 0)
    );
    assert_eq!(bom.motions.count, 1, "the mark is skipped");

    let wide = analyze(Flavor::Grbl, b"\xFF\xFEG\x000\x00", &[]);
    assert_eq!(
        (wide.encoding.bom, wide.encoding.utf16),
        (Some(Bom::Utf16LittleEndian), Some(Utf16::LittleEndian))
    );
    let bare = analyze(Flavor::Grbl, b"\x00G\x000\x00 \x00X", &[]);
    assert_eq!(
        (bare.encoding.bom, bare.encoding.utf16),
        (None, Some(Utf16::BigEndian))
    );
    assert!(bare.encoding.is_binary());

    let nul = analyze(Flavor::Grbl, b"G0 X1\n(a\0b)\n", &[]);
    assert_eq!(
        nul.encoding.first_nul,
        Some(Place {
            line: 2,
            column: 3,
            offset: 8
        })
    );
    assert!(nul.encoding.is_binary());

    let latin = analyze(Flavor::Grbl, b"G0\r\n(\xE9)\n(\xC3\xA9)\n", &[]);
    assert_eq!(
        (latin.encoding.non_ascii_lines, latin.encoding.invalid_lines),
        (2, 1)
    );
    assert_eq!(
        latin.encoding.first_invalid,
        Some(Place {
            line: 2,
            column: 2,
            offset: 5
        })
    );
    assert_eq!(latin.diagnostics.errors, 0, "comments may hold anything");

    let broken_off = analyze(Flavor::Grbl, b"(\xC3\nG0\n", &[]);
    assert_eq!(broken_off.encoding.invalid_lines, 1);
    let long = [&b";"[..], "\u{e9}".repeat(MAX_LINE).as_bytes()].concat();
    let cut = analyze(Flavor::Grbl, &long, &[]);
    assert_eq!(
        (cut.encoding.invalid_lines, cut.overlong_lines),
        (0, 1),
        "cut within a character by the reader"
    );
}

#[test]
fn overlong_lines_are_reported_and_counted() {
    let mut program = b"G0 X1\n".to_vec();
    program.extend(core::iter::repeat_n(b' ', MAX_LINE * 3));
    program.extend(b"G0 X5\nG0 X2\n");
    for cuts in [&[][..], &[100, 5000, 9000]] {
        let metadata = analyze(Flavor::Grbl, &program, cuts);
        assert_eq!(
            (
                metadata.lines,
                metadata.overlong_lines,
                metadata.longest_line.bytes
            ),
            (3, 1, 12_293)
        );
        assert_eq!(
            metadata.diagnostics.as_slice()[0].to_string(),
            "line 2, column 1: the line is 12293 bytes long and only the first 4096 were read; does the file have \
             line ends?"
        );
        assert_eq!(metadata.motions.count, 2);
    }
}

#[test]
fn diagnostics_are_bounded_and_all_counted() {
    let program: String = (0..100).map(|i| format!("G0 X{i} Q1\nG999\n")).collect();
    let metadata = grbl(&program);
    assert_eq!(
        (metadata.diagnostics.warnings, metadata.diagnostics.errors),
        (100, 100)
    );
    let kept = metadata.diagnostics.as_slice();
    assert_eq!(kept.len(), 32);
    assert_eq!(
        kept[1].to_string(),
        "line 2, column 1: G999 is not a code of this firmware"
    );
    assert_eq!(
        (kept[0].severity, kept[1].severity),
        (Severity::Warning, Severity::Error)
    );
    assert_eq!(check(Flavor::Grbl, program.as_bytes()).len(), 200);
    assert_eq!(
        grbl("G0 !1@2{3}4~5\n").diagnostics.uncounted,
        0,
        "a block with few findings loses none"
    );
}

#[test]
fn weights_of_lines() {
    for (flavor, line, weight) in [
        (Flavor::Grbl, "G1 X1", 1.0),
        (Flavor::Grbl, "g01x1", 1.0),
        (Flavor::Grbl, "G0 X1", 0.5),
        (Flavor::Grbl, "G00 X1", 0.5),
        (Flavor::Grbl, "G2 X1 I1", 3.0),
        (Flavor::Grbl, "G03 X1 I1", 3.0),
        (Flavor::Grbl, "G10 L2 P1", 0.0),
        (Flavor::Grbl, "G20", 0.0),
        (Flavor::Grbl, "G30", 0.0),
        (Flavor::Grbl, "G1.1", 0.0),
        (Flavor::Grbl, "T1", 5.0),
        (Flavor::Grbl, "M6", 5.0),
        (Flavor::Grbl, "M06 T2", 5.0),
        (Flavor::Grbl, "M60", 0.0),
        (Flavor::Grbl, "G54", 2.0),
        (Flavor::Grbl, "G59", 2.0),
        (Flavor::Grbl, "G53 G0 X1", 0.5),
        (Flavor::Grbl, "G1 G55 X1", 3.0),
        (Flavor::Grbl, "(G1)", 0.0),
        (Flavor::Marlin, "M117 G1", 0.0),
    ] {
        let mut complexity = Complexity::new();
        complexity.add(&Block::parse(flavor, line.as_bytes()));
        assert_eq!(complexity.total(), weight, "{line}");
    }
    assert_eq!(grbl("G1 X1\n\n\n").complexity.average(), 0.3);
    assert_eq!(
        grbl("G1 X1\n\n\n\n").complexity.average(),
        0.3,
        "a half is rounded up"
    );
    assert_eq!(Complexity::new().average(), 0.0);
}

#[test]
fn an_analyzer_is_a_writer() {
    let mut analyzer = Analyzer::new(Flavor::Grbl);
    let copied =
        std::io::copy(&mut &b"G0 X1\nG0 X2\n"[..], &mut analyzer).expect("it takes everything");
    assert_eq!(
        (
            copied,
            analyzer.so_far().lines,
            analyzer.machine().position()[Axis::X]
        ),
        (12, 2, 2.0)
    );
}

#[test]
fn memory_is_bounded() {
    assert!(
        size_of::<Analyzer>() < 24 * 1024,
        "{}",
        size_of::<Analyzer>()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_cut_gives_the_same_metadata(
        program in code_like(), flavor in flavors(), cuts in proptest::collection::vec(0_usize..400, 0..8),
    ) {
        prop_assert_eq!(analyze(flavor, &program, &cuts), analyze(flavor, &program, &[]));
    }

    #[test]
    fn arbitrary_bytes_never_panic(program in proptest::collection::vec(any::<u8>(), 0..300), flavor in flavors()) {
        let metadata = analyze(flavor, &program, &[]);
        prop_assert_eq!(metadata.bytes, program.len() as u64);
        let valid = program.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&program);
        let valid = core::str::from_utf8(valid).is_ok();
        prop_assert_eq!(metadata.encoding.invalid_lines == 0, valid);
    }
}
