use std::io::Read;

use clap::ValueEnum;

use super::{Kind, Program, Repeat};

fn text(mut program: impl Read) -> String {
    let mut text = String::new();
    program
        .read_to_string(&mut text)
        .expect("generated text is readable UTF-8");
    text
}

fn check_sample(committed: &[u8], kind: Kind) {
    let made = text(Program::whole(kind, 1));
    let same = committed == made.as_bytes();
    assert!(
        same,
        "examples/ differs from the generator: run `cargo xtask gen --kind …` as its head says"
    );
}

#[test]
fn the_committed_samples_are_what_the_generator_makes() {
    check_sample(include_bytes!("../../../examples/relief.nc"), Kind::Relief);
    check_sample(include_bytes!("../../../examples/vase.gcode"), Kind::Vase);
}

#[test]
fn endless_kinds_reach_their_size_and_end_like_a_program() {
    for kind in Kind::value_variants()
        .iter()
        .filter(|kind| kind.is_endless())
    {
        for size in [0, 1, 50_000, 300_000] {
            let text = text(Program::endless(*kind, 3, size).unwrap());
            let len = text.len() as u64;
            assert!(
                len >= size && len < size + 20_000,
                "{kind:?}: {len} bytes for {size}"
            );
            assert!(text.ends_with('\n'), "{kind:?}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    for kind in Kind::value_variants() {
        let make = |seed| {
            // The first layers of the vase are the same for every seed.
            let mut head = vec![0; 150_000];
            let read = Program::new(*kind, seed, 150_000).read_exact(&mut head);
            read.map(|()| head).unwrap()
        };
        assert!(make(5) == make(5), "{kind:?} is not the same twice");
        assert!(make(5) != make(6), "{kind:?} does not depend on its seed");
    }
}

#[test]
fn small_reads_give_the_same_program() {
    let whole = text(Program::endless(Kind::Mill, 9, 5_000).unwrap());
    let mut program = Program::endless(Kind::Mill, 9, 5_000).unwrap();
    let mut pieces = Vec::new();
    let mut buf = [0; 7];
    loop {
        match program.read(&mut buf).unwrap() {
            0 => break,
            n => pieces.extend_from_slice(&buf[..n]),
        }
    }
    assert_eq!(whole.as_bytes(), pieces);
}

#[test]
fn jobs_with_an_end_take_no_size() {
    for kind in [Kind::Relief, Kind::Vase] {
        assert!(Program::endless(kind, 1, 10).is_err());
    }
}

#[test]
fn every_line_is_short_enough_for_both_firmwares_and_free_of_odd_numbers() {
    for kind in Kind::value_variants() {
        let text = text(Program::new(*kind, 2, 200_000));
        for line in text.lines() {
            let code = line.split(['(', ';']).next().unwrap_or_default();
            assert!(code.len() < 70, "{kind:?}: {line}");
            assert!(
                line.is_ascii() && !code.contains("NaN") && !code.contains("inf"),
                "{kind:?}: {line}"
            );
        }
    }
}

#[test]
fn a_repeated_file_ends_with_a_whole_line_at_or_under_its_size() {
    for (file, size, want) in [
        ("G0 X1\nG1 X2\n", 12, "G0 X1\nG1 X2\n"),
        ("G0 X1\nG1 X2\n", 20, "G0 X1\nG1 X2\nG0 X1\n"),
        ("G0 X1\nG1 X2\n", 17, "G0 X1\nG1 X2\n"),
        ("G0 X1\nG1 X2\n", 5, ""),
        ("G0", 7, "G0\nG0\n"),
        ("\n", 3, "\n\n\n"),
    ] {
        assert_eq!(
            text(Repeat::new(file.into(), size).unwrap()),
            want,
            "{file:?} to {size}"
        );
    }
    assert!(Repeat::new(Vec::new(), 5).is_err());
}
