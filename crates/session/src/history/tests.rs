//! From an index or from the first line: the same history.

use feedhold_stream_core::{dialect::Dialect, wire::ChainConfig};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::vet;

/// A program of some hundred kilobytes that sets something new all the time.
fn program(lines: u64, end: &str) -> String {
    let line = |line: u64| match line % 40 {
        0 => String::new(),
        1 => format!("; part {line}"),
        2 => format!("G0 Z{}", line % 7 + 1),
        3 => format!("G{} G{}", 54 + line % 6, 17 + line % 3),
        4 => format!("G10 L2 P{} X{} Y-{}", line % 6 + 1, line % 11, line % 13),
        5 => format!("M3 S{}", 1000 + line % 900),
        6 => "G91".to_owned(),
        7 => format!("G1 X0.{} Z-0.1 F{}", line % 10, 100 + line % 300),
        8 => "G90 G17".to_owned(),
        9 => format!("M{}", 7 + line % 3),
        10 => format!("G92 X{}", line % 5),
        _ => format!("G1 X{}.{} Y{}", line % 300, line % 10, line % 200),
    };
    let lines: Vec<_> = (1..=lines).map(line).collect();
    lines.join(end) + end
}

struct Bed {
    text: String,
    chain: Chain,
    vetted: Vetted,
    _dir: TempDir,
}

fn bed(text: String, pack: Pack) -> Bed {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("part.nc");
    std::fs::write(&path, &text).expect("a file");
    let config = ChainConfig::new(Dialect::Grbl).with_allowed(["M7".parse().expect("a code")]);
    let chain = Chain::new(config.with_pack(pack));
    let vetted = vet(&path, &chain, |_| true).expect("a clean file");
    Bed {
        text,
        chain,
        vetted,
        _dir: dir,
    }
}

/// The program from its first line, without any chunk or mark.
fn plainly(bed: &Bed, done: u64) -> (Tracker, u64, Option<Next>) {
    let prepared = bed.chain.program(&bed.text).expect("a clean file");
    let mut tracker = Tracker::new(Dialect::Grbl);
    let mut lines = prepared.lines().peekable();
    while let Some(line) = lines.next_if(|line| line.source_line <= done) {
        tracker.apply(line.source_line, &Block::parse(Flavor::Grbl, line.text));
    }
    let mut running = tracker.clone();
    let next = lines.find_map(|line| {
        let block = Block::parse(Flavor::Grbl, line.text);
        let effect = running.apply(line.source_line, &block);
        Tracker::moves(&block, &effect).then_some(Next {
            line: line.source_line,
            names_mode: block.g_codes().any(|code| code.major <= 3),
        })
    });
    let mut reader = <LineReader>::new();
    let mut input = bed.text.as_bytes();
    let mut offset = bed.text.len() as u64;
    while let Some(line) = reader.next(&mut input) {
        if line.number == done + 1 {
            offset = line.offset;
            break;
        }
    }
    if let Some(line) = reader.finish().filter(|line| line.number == done + 1) {
        offset = line.offset;
    }
    (tracker, offset, next)
}

#[track_caller]
fn check(bed: &Bed, done: u64) {
    let history = History::read(&bed.vetted, &bed.chain, done).expect("the same file");
    let (tracker, offset, next) = plainly(bed, done);
    assert!(
        history.at.machine().same_bits(tracker.machine()),
        "line {done}: {:?} and not {:?}",
        history.at,
        tracker
    );
    assert_eq!(history.at.to_bytes(), tracker.to_bytes(), "line {done}");
    assert_eq!(history.offset, offset, "line {done}");
    assert_eq!(history.ahead.next, next, "line {done}");
    assert_eq!(
        history.ahead.highest_z,
        bed.vetted.index().end().highest_z()
    );
}

#[test]
fn an_index_tells_the_same_as_the_whole_program() {
    for (end, pack) in [
        ("\n", Pack::Spaces),
        ("\r\n", Pack::Off),
        ("\r", Pack::Spaces),
    ] {
        let bed = bed(program(20_000, end), pack);
        for done in [0, 1, 39, 40, 41, 4_000, 12_345, 19_999, 20_000] {
            check(&bed, done);
        }
        // Around every mark.
        let index = bed.vetted.index();
        let mut line = 1;
        loop {
            let mark = index.before(line, Dialect::Grbl).line;
            if mark == line {
                (line.saturating_sub(2)..line + 2).for_each(|done| check(&bed, done));
            }
            line += 1;
            if line > 20_000 {
                break;
            }
        }
    }
}

/// Lossless packing leaves words out where chunks begin elsewhere; the machine behind every line is the same.
#[test]
fn packing_without_loss_changes_no_history() {
    let text = program(20_000, "\n");
    let (packed, plain) = (bed(text.clone(), Pack::Lossless), bed(text, Pack::Spaces));
    for done in (0..=20_000).step_by(1_371) {
        let read = |bed: &Bed| History::read(&bed.vetted, &bed.chain, done).expect("the same file");
        let (packed, plain) = (read(&packed), read(&plain));
        assert!(packed.at.machine().same_bits(plain.at.machine()), "{done}");
        assert_eq!(packed.offset, plain.offset);
    }
}

#[test]
fn lines_in_doubt_are_followed_one_by_one() {
    let bed = bed(program(20_000, "\n"), Pack::Spaces);
    for (done, last) in [
        (0, 50),
        (9_990, 10_400),
        (19_990, 20_000),
        (7, 7),
        (20_000, 20_010),
    ] {
        let mut seen = Vec::new();
        let at = follow(&bed.vetted, &bed.chain, done, last, |line| {
            seen.push((line.line, line.behind.to_bytes()));
        });
        assert_eq!(
            at.expect("the same file").to_bytes(),
            plainly(&bed, done).0.to_bytes()
        );
        let prepared = bed.chain.program(&bed.text).expect("a clean file");
        let expected: Vec<u64> = prepared
            .lines()
            .map(|line| line.source_line)
            .filter(|line| (done + 1..=last).contains(line))
            .collect();
        let lines: Vec<u64> = seen.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, expected);
        if let Some((line, tracker)) = seen.last() {
            assert_eq!(*tracker, plainly(&bed, *line).0.to_bytes());
        }
    }
}

#[test]
fn a_file_that_changed_has_no_history() {
    for at in [0.2, 0.9] {
        for quietly in [false, true] {
            let bed = bed(program(60_000, "\n"), Pack::Spaces);
            let path = &bed.vetted.identity.path;
            let before = std::fs::metadata(path).and_then(|data| data.modified());
            let mut changed = bed.text.clone().into_bytes();
            let byte = (changed.len() as f64 * at) as usize;
            let digit = (byte..).find(|&at| changed[at].is_ascii_digit());
            let place = digit.expect("a digit");
            changed[place] = if changed[place] == b'7' { b'8' } else { b'7' };
            std::fs::write(path, &changed).expect("a file");
            let time = if quietly {
                before.expect("a time")
            } else {
                std::time::SystemTime::now() + std::time::Duration::from_secs(9)
            };
            let file = std::fs::File::options().write(true).open(path);
            file.expect("a file").set_modified(time).expect("a time");
            let line = bed.text[..place].lines().count() as u64;
            let error = History::read(&bed.vetted, &bed.chain, line - 1);
            assert!(
                matches!(error, Err(SourceError::FileChanged { .. })),
                "{error:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn any_line_has_its_history(lines in 1_u64..9_000, done in prop::collection::vec(any::<prop::sample::Index>(), 4)) {
        let bed = bed(program(lines + 10, "\n"), Pack::Spaces);
        for done in done {
            check(&bed, done.index(lines as usize + 11) as u64);
        }
    }
}
