use proptest::prelude::*;

use super::*;
use crate::{
    chunk::{Bounds, ChunkSizer, Class, Cutter, MemoryRule},
    dialect::Dialect,
};

fn lossless(dialect: Dialect) -> ChainConfig {
    ChainConfig::new(dialect).with_pack(Pack::Lossless)
}

/// Cuts, packs and proves a program, starting from `machine`.
fn prove(config: &ChainConfig, program: &str, machine: Interpreter) -> Result<Vec<String>, String> {
    let strategy = crate::chunk::Strategy::Fixed(Bounds::ALIGN);
    let mut cutter = Cutter::new(
        ChunkSizer::new(strategy, Bounds::FILE, MemoryRule::File),
        machine.flavor(),
    );
    let chain = Chain::new(config.clone());
    let mut proof = Proof::starting_from(config, machine);
    let mut input = program.as_bytes();
    let mut wire = Vec::new();
    loop {
        let chunk = match cutter.next(&mut input).map_err(|error| error.to_string())? {
            Some(chunk) => chunk,
            None => match cutter.finish().map_err(|error| error.to_string())? {
                Some(chunk) => chunk,
                None => return Ok(wire),
            },
        };
        let packed = chain
            .prepare(&chunk)
            .map_err(|refusals| refusals.to_string())?;
        proof
            .check(&chunk, &packed)
            .map_err(|error| error.to_string())?;
        wire.extend(
            packed
                .lines()
                .map(|line| String::from_utf8_lossy(line.text).into_owned()),
        );
    }
}

/// A machine in which everything that a program may take for granted is otherwise.
fn contrary(flavor: Flavor) -> Interpreter {
    let mut machine = Interpreter::new(flavor);
    for line in [
        b"G20 G91 G93 G19 G55".as_slice(),
        b"G1 X3 Y-2 Z1 F7",
        b"G10 L2 P2 X5 Y6",
        b"G92 X1 Y1",
        b"M83",
    ] {
        machine.apply(&Block::parse(flavor, line));
    }
    machine
}

fn check_wrong(program: &str, wire: &[(&str, Class)], line: u64, difference: Difference) {
    let raw = RawChunk {
        first_line: 1,
        lines: program.lines().count() as u64,
        bytes: program.as_bytes().to_vec(),
        ..RawChunk::default()
    };
    let packed = Prepared::from_lines(1, wire.iter().copied());
    let error = Proof::new(&lossless(Dialect::Grbl))
        .check(&raw, &packed)
        .expect_err(wire.last().map_or("", |(text, _)| text));
    assert_eq!(
        (error.line, error.difference),
        (line, difference),
        "{error}"
    );
}

#[test]
fn planted_faults_are_found() {
    use Class::{Modal, Motion};
    let square = "G90\nG1 X1.5 Y2 F100\nG1 X3 Y2 F200\n";
    check_wrong(
        square,
        &[("G90", Modal), ("G1X15Y2F100", Motion), ("X3F200", Motion)],
        2,
        Difference::Motion,
    );
    check_wrong(
        square,
        &[("G90", Modal), ("G1X1.5Y2F100", Motion), ("X3", Motion)],
        3,
        Difference::Motion,
    );
    check_wrong(
        square,
        &[("G91", Modal), ("G1X1.5Y2F100", Motion), ("X3F200", Motion)],
        1,
        Difference::State,
    );
    check_wrong(
        square,
        &[("G90", Modal), ("G1X1.5Y2F100", Motion), ("", Motion)],
        3,
        Difference::Motion,
    );
    check_wrong(
        square,
        &[("G90", Modal), ("", Motion), ("G1X3Y2F200", Motion)],
        2,
        Difference::Motion,
    );
    check_wrong(
        square,
        &[
            ("G90", Modal),
            ("G1X1.5Y2F100", Motion),
            ("X3F200", Motion),
            ("M2", Motion),
        ],
        4,
        Difference::Order,
    );
    check_wrong(
        "G93\nG1 X1 F2\nG1 X2 F2\n",
        &[("G93", Modal), ("G1X1F2", Motion), ("X2", Motion)],
        3,
        Difference::Error,
    );
    check_wrong(
        "G4 P1.5\n",
        &[("G4P1", Class::Patient)],
        1,
        Difference::Effect,
    );
    check_wrong("M0\n", &[("M1", Modal)], 1, Difference::Effect);
    check_wrong(
        "M3 S1000\n",
        &[("M3S100", Class::Sync)],
        1,
        Difference::State,
    );
    check_wrong("G92 X1\n", &[("G92X2", Modal)], 1, Difference::Offsets);
    check_wrong(
        "G1 X1 F5\nX-0.0\n",
        &[("G1X1F5", Motion), ("X0.1", Motion)],
        2,
        Difference::Motion,
    );
}

#[test]
fn errors_beyond_those_that_are_kept_prove_nothing() {
    let marlin = Interpreter::new(Flavor::Marlin);
    let wire = prove(&lossless(Dialect::Marlin), "/M3:/@3\n", marlin);
    assert_eq!(wire, Ok(vec!["M3 :/@3".to_owned()]));
}

#[test]
fn a_place_beyond_all_machines_is_a_place() {
    let grbl = Interpreter::new(Flavor::Grbl);
    let wire = prove(&lossless(Dialect::Grbl), "G1 F5\nG1 X1011111111111\n", grbl);
    let expected = ["G1F5", "X1011111111111"].map(str::to_owned);
    assert_eq!(wire, Ok(expected.to_vec()));
}

#[test]
fn a_message_shows_both_texts() {
    let raw = RawChunk {
        first_line: 1,
        lines: 1,
        bytes: b"G1 X2 F5".to_vec(),
        ..RawChunk::default()
    };
    let packed = Prepared::from_lines(1, [("G1X20F5", Class::Motion)]);
    let error = Proof::new(&lossless(Dialect::Grbl))
        .check(&raw, &packed)
        .expect_err("2 is not 20");
    assert_eq!(
        error.to_string(),
        "line 1: packed as \"G1X20F5\" it has another motion than as \"G1 X2 F5\"; nothing of it was sent; run with \
         --pack spaces and report this"
    );
}

#[test]
fn chunks_out_of_order_are_found() {
    let mut proof = Proof::new(&lossless(Dialect::Grbl));
    let raw = |index, first_line| RawChunk {
        index,
        first_line,
        lines: 1,
        bytes: b"G21\n".to_vec(),
        offset: index * 4,
        ..RawChunk::default()
    };
    let packed = |line| Prepared::from_lines(line, [("G21", Class::Modal)]);
    assert_eq!(proof.check(&raw(0, 1), &packed(1)), Ok(()));
    let error = proof
        .check(&raw(2, 3), &packed(3))
        .expect_err("chunk 1 is missing");
    assert_eq!(error.difference, Difference::Order);
}

#[test]
fn choices_are_not_differences() {
    let config = lossless(Dialect::Grbl)
        .with_skip(["G91".parse().expect("a code")])
        .with_block_delete(BlockDelete::Drop);
    let wire = prove(
        &config,
        "G91 G0 X1\n/G0 X5\nG1 X2 F10\n",
        Interpreter::new(Flavor::Grbl),
    );
    assert_eq!(wire, Ok(vec!["G0X1".to_owned(), "G1X2F10".to_owned()]));
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        "[-+]?[0-9]{1,2}",
        "-?0{0,2}[0-9]{0,2}\\.[0-9]{1,4}0{0,3}",
        "-?[0-3]\\.?0?",
        Just("0.0".to_owned()),
        Just("-0".to_owned()),
    ]
}

fn axes() -> impl Strategy<Value = String> {
    let word = |letter: &'static str| {
        prop::option::of(number().prop_map(move |number| format!("{letter}{number} ")))
    };
    let feed = prop::option::weighted(
        0.3,
        prop::sample::select(vec!["F100 ", "F100.0 ", "F250 ", "F0.5 "]),
    );
    (word("X"), word("Y"), word("Z"), feed).prop_map(|(x, y, z, f)| {
        [x, y, z, f.map(str::to_owned)]
            .into_iter()
            .flatten()
            .collect()
    })
}

fn grbl_line() -> impl Strategy<Value = String> {
    let motion = prop::sample::select(vec!["", "G0 ", "G1 ", "G01 ", "G1 ", "G1 "]);
    let modal = prop::sample::select(vec![
        "G90", "G90", "G91", "G93", "G94", "G94", "G20", "G21", "G17", "G18", "G19",
    ]);
    let other = prop::sample::select(vec![
        "G54",
        "G55",
        "G92 X0 Y1",
        "G92.1",
        "G28",
        "G30 Z1",
        "G28.1",
        "G10 L2 P1 X1.50",
        "G53 G0 X1",
        "M3 S01000",
        "M5",
        "M8",
        "G4 P0.50",
        "T1 M6",
        "M0",
        "M2",
        "M30",
        "G80",
        "G43.1 Z1.0",
        "G49",
        "G38.2 Z-5 F10",
        "G61",
        "G40",
        "%",
        "",
        "(note)",
        "$H",
        "N5",
    ]);
    prop_oneof![
        8 => (motion, axes()).prop_map(|(motion, axes)| format!("{motion}{axes}")),
        2 => modal.prop_map(str::to_owned),
        1 => (prop::sample::select(vec!["G90 ", "G91 ", "G94 ", "G17 "]), axes()).prop_map(|(modal, axes)| format!("{modal}G1 {axes}")),
        1 => (prop::sample::select(vec!["G2 ", "G3 ", "G02 "]), axes(), number(), number())
            .prop_map(|(arc, axes, i, j)| format!("{arc}{axes}I{i} J{j}")),
        1 => (axes(), number()).prop_map(|(axes, r)| format!("G2 {axes}R{r}")),
        2 => other.prop_map(str::to_owned),
    ]
}

fn marlin_line() -> impl Strategy<Value = String> {
    let extrusion = prop::option::of(number().prop_map(|number| format!("E{number}")));
    let other = prop::sample::select(vec![
        "G90",
        "G90",
        "G91",
        "M82",
        "M83",
        "G92 E0",
        "G92 X1.0",
        "G28",
        "G28 X",
        "G29",
        "M104 S200.0",
        "M117 G91 X1",
        "T0",
        "T1",
        "M106 S255",
        "G20",
        "G21",
        "M400",
        ";LAYER:1",
        "",
        "M73 P1 R2",
        "G10",
        "M600",
    ]);
    prop_oneof![
        4 => (prop::sample::select(vec!["G0 ", "G1 ", "G1 ", "g1 "]), axes(), extrusion)
            .prop_map(|(motion, axes, e)| format!("{motion}{axes}{}", e.unwrap_or_default())),
        1 => other.prop_map(str::to_owned),
    ]
}

/// What grbl would answer with an error has no motion to be kept.
fn is_refused(outcome: &Result<Vec<String>, String>) -> bool {
    outcome
        .as_ref()
        .is_err_and(|error| !error.contains("packed as"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn packed_grbl_programs_equal_their_source(lines in prop::collection::vec(grbl_line(), 1..150)) {
        let program = lines.join("\n");
        for pack in [Pack::Off, Pack::Spaces, Pack::Lossless] {
            let config = ChainConfig::new(Dialect::Grbl).with_pack(pack);
            for machine in [Interpreter::new(Flavor::Grbl), contrary(Flavor::Grbl)] {
                let outcome = prove(&config, &program, machine);
                prop_assert!(outcome.is_ok(), "{:?}\n{program}", outcome);
            }
        }
    }

    #[test]
    fn packed_marlin_programs_equal_their_source(lines in prop::collection::vec(marlin_line(), 1..150)) {
        let program = lines.join("\n");
        for pack in [Pack::Off, Pack::Spaces, Pack::Lossless] {
            let config = ChainConfig::new(Dialect::Marlin).with_pack(pack);
            for machine in [Interpreter::new(Flavor::Marlin), contrary(Flavor::Marlin)] {
                let outcome = prove(&config, &program, machine);
                prop_assert!(outcome.is_ok() || is_refused(&outcome), "{:?}\n{program}", outcome);
            }
        }
    }

    #[test]
    fn lossless_is_never_longer(lines in prop::collection::vec(grbl_line(), 1..100)) {
        let program = lines.join("\n");
        let bytes = |pack| {
            let chunk = Chain::new(ChainConfig::new(Dialect::Grbl).with_pack(pack)).program(&program).expect("grbl takes it");
            chunk.lines().map(|line| (line.source_line, line.text.len())).collect::<Vec<_>>()
        };
        for (short, long) in bytes(Pack::Lossless).into_iter().zip(bytes(Pack::Spaces)) {
            prop_assert!(short.0 == long.0 && short.1 <= long.1, "line {}", short.0);
        }
    }
}
