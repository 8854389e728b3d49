use proptest::prelude::*;

use super::{Strategy, *};
use crate::chunk::{Bounds, Continuity, DistanceMode, MemoryRule};

const SMALL: usize = Bounds::ALIGN;

fn sizer(strategy: Strategy) -> ChunkSizer {
    ChunkSizer::new(strategy, Bounds::FILE, MemoryRule::File)
}

/// Cuts `file` given in pieces that end at `splits`.
fn cut(sizer: ChunkSizer, file: &[u8], splits: &[usize]) -> Result<Vec<RawChunk>, CutError> {
    let mut cutter = Cutter::new(sizer, Flavor::Grbl);
    let mut chunks = Vec::new();
    let mut from = 0;
    for &to in splits.iter().chain([&file.len()]) {
        let mut input = &file[from.min(to)..to];
        from = from.max(to);
        while let Some(chunk) = cutter.next(&mut input)? {
            chunks.push(chunk);
        }
        assert!(input.is_empty());
    }
    while let Some(chunk) = cutter.finish()? {
        chunks.push(chunk);
    }
    assert!(cutter.finish()?.is_none());
    Ok(chunks)
}

/// How the lexer counts lines.
fn lines(bytes: &[u8]) -> u64 {
    let mut reader = <feedhold_gcode_parse::LineReader>::new();
    let mut input = bytes;
    let mut count = 0;
    while reader.next(&mut input).is_some() {
        count += 1;
    }
    count + u64::from(reader.finish().is_some())
}

fn program(lines: usize) -> String {
    (0..lines)
        .map(|i| format!("G1 X{i}.125 Y-{i}.5 F300\n"))
        .collect()
}

#[test]
fn every_chunk_is_a_slice_of_the_file_at_line_boundaries() {
    let file = program(2000);
    let chunks = cut(sizer(Strategy::Fixed(SMALL)), file.as_bytes(), &[]).expect("a program");
    assert!(chunks.len() > 10);
    for chunk in &chunks {
        assert!(chunk.bytes.len() <= SMALL, "{}", chunk.bytes.len());
        assert!(chunk.bytes.ends_with(b"\n"));
    }
}

#[test]
fn nothing_gives_no_chunk() {
    assert!(
        cut(sizer(Strategy::Fixed(SMALL)), b"", &[])
            .expect("nothing")
            .is_empty()
    );
}

#[test]
fn a_line_without_end_is_refused_in_bounded_memory() {
    let mut cutter = Cutter::new(sizer(Strategy::Fixed(SMALL)), Flavor::Grbl);
    let mut head: &[u8] = b"G21\nG90\n";
    assert!(cutter.next(&mut head).expect("two lines").is_none());
    let block = [b'X'; 1000];
    let mut outcome = Ok(None);
    for _ in 0..1_000_000 {
        let mut input = block.as_slice();
        outcome = cutter.next(&mut input);
        assert!(cutter.buffer.capacity() < 64 << 10);
        if outcome.is_err() {
            break;
        }
    }
    let error = outcome.expect_err("a line without end");
    assert_eq!(error, CutError::LineTooLong { line: 3, offset: 8 });
    assert_eq!(
        error.to_string(),
        "line 3 (byte 8 of the file) is longer than 4096 bytes: this is not G-code text, or its line ends were lost; \
         nothing of it was sent"
    );
    assert_eq!(
        cutter.next(&mut b"\n".as_slice()).expect_err("for good"),
        error
    );
}

#[test]
fn the_longest_line_passes() {
    for ending in ["\n", "\r\n", "\r", ""] {
        let file = format!("G1\n({}){ending}", "x".repeat(MAX_LINE - 2));
        let chunks =
            cut(sizer(Strategy::Fixed(SMALL)), file.as_bytes(), &[]).expect("long, not too long");
        assert_eq!(
            chunks.iter().map(|chunk| chunk.lines).sum::<u64>(),
            2,
            "{ending:?}"
        );
    }
}

#[test]
fn a_chunk_rather_ends_at_a_border() {
    let target = SMALL;
    let check = |border: &str, at_fraction: f64, expected: bool| {
        let filler = "G1 X1 Y1 Z1\n";
        let before = filler.repeat((target as f64 * at_fraction) as usize / filler.len());
        let file = format!("{before}{border}\n{}", filler.repeat(target / filler.len()));
        let chunks = cut(
            ChunkSizer::new(Strategy::Boundary(target), Bounds::FILE, MemoryRule::Cnc),
            file.as_bytes(),
            &[],
        )
        .expect("a program");
        let start = format!("{border}\n");
        let at_border = chunks
            .get(1)
            .is_some_and(|chunk| chunk.bytes.starts_with(start.as_bytes()));
        assert_eq!(at_border, expected, "{border:?} at {at_fraction}");
    };
    for border in ["T2 M6", ";LAYER:5", "(next pocket)", ""] {
        check(border, 0.9, true);
    }
    for border in ["T2 M6", ";LAYER:5", "(next pocket)"] {
        check(border, 0.2, false);
    }
}

#[test]
fn a_stronger_border_wins() {
    let filler = "G1 X1 Y1 Z1\n";
    let lead = filler.repeat(SMALL * 8 / 10 / filler.len());
    let file = format!("{lead}T1 M6\nG1 X1\n(section)\n{}", filler.repeat(400));
    let chunks = cut(
        ChunkSizer::new(Strategy::Boundary(SMALL), Bounds::FILE, MemoryRule::File),
        file.as_bytes(),
        &[],
    )
    .expect("a program");
    assert!(chunks[1].bytes.starts_with(b"T1 M6"));
}

#[test]
fn a_chunk_knows_the_modes_before_it() {
    let file = format!("G91\n{}G90 G94\n{}", program(400), program(400));
    let chunks = cut(sizer(Strategy::Fixed(SMALL)), file.as_bytes(), &[]).expect("a program");
    let modes: Vec<_> = chunks.iter().map(|chunk| chunk.modes.distance).collect();
    assert_eq!(modes.first(), Some(&None));
    assert_eq!(modes.get(1), Some(&Some(DistanceMode::Incremental)));
    assert_eq!(modes.last(), Some(&Some(DistanceMode::Absolute)));
}

#[test]
fn a_chunk_can_be_so_much_motion() {
    let moves: String = (1..=100)
        .map(|i| format!("G1 X{} F600\n", i * 10))
        .collect();
    let motion = Duration::from_secs(2);
    let file = format!("G90\n{moves}");
    let strategy = Strategy::Time {
        motion,
        flavor: Flavor::Grbl,
    };
    let chunks = cut(sizer(strategy), file.as_bytes(), &[]).expect("a program");
    let lines: Vec<_> = chunks.iter().map(|chunk| chunk.lines).collect();
    assert_eq!(lines.first(), Some(&3), "G90 moves nothing");
    assert!(lines[1..].iter().all(|&lines| lines == 2), "{lines:?}");
    let still = "G92 X0\n".repeat(200_000);
    let chunks = cut(sizer(strategy), still.as_bytes(), &[]).expect("a program");
    assert!(
        chunks.len() > 1 && chunks.iter().all(|chunk| chunk.bytes.len() <= 1 << 20),
        "bytes are bounded too"
    );
}

#[test]
fn buffers_are_reused() {
    let mut cutter = Cutter::new(sizer(Strategy::Fixed(SMALL)), Flavor::Grbl);
    let file = program(4000);
    let mut input = file.as_bytes();
    let mut capacities = Vec::new();
    while let Some(chunk) = cutter.next(&mut input).expect("a program") {
        capacities.push(chunk.bytes.as_ptr());
        cutter.reuse(chunk.bytes);
    }
    capacities.sort_unstable();
    capacities.dedup();
    assert!(
        capacities.len() <= 3,
        "{} buffers for one chunk at a time",
        capacities.len()
    );
}

#[test]
fn a_cutter_can_begin_in_the_middle() {
    let mut cutter = Cutter::starting_at(sizer(Strategy::Fixed(SMALL)), Flavor::Grbl, 7, 100, 5000);
    let mut input: &[u8] = b"G1 X1\nG1 X2\n";
    assert!(cutter.next(&mut input).expect("lines").is_none());
    let chunk = cutter.finish().expect("lines").expect("a chunk");
    assert_eq!(
        (chunk.index, chunk.first_line, chunk.offset, chunk.lines),
        (7, 100, 5000, 2)
    );
}

fn any_file() -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
    use proptest::strategy::Strategy as _;
    let line = prop_oneof![
        4 => "G[0-3] X[0-9]{1,3}\\.[0-9]{3}",
        1 => "\\([a-z ]{0,300}\\)",
        1 => Just(String::new()),
        1 => "T[0-9] M6",
        1 => ";LAYER:[0-9]",
    ];
    let ending = prop::sample::select(vec!["\n", "\r\n", "\r"]);
    (
        prop::collection::vec((line, ending), 0..400),
        "[GX1 ]{0,10}",
    )
        .prop_map(|(lines, last)| {
            let mut file: String = lines
                .into_iter()
                .map(|(line, ending)| line + ending)
                .collect();
            file += &last;
            file.into_bytes()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn chunks_are_the_file_however_it_arrives(
        file in any_file(),
        mut splits in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        border: bool,
    ) {
        let strategy = if border { Strategy::Boundary(SMALL) } else { Strategy::Fixed(SMALL) };
        let mut places: Vec<usize> = splits.drain(..).map(|split| split.index(file.len() + 1)).collect();
        places.sort_unstable();
        let chunks = cut(sizer(strategy), &file, &places).expect("no line is too long");
        let whole = cut(sizer(strategy), &file, &[]).expect("no line is too long");
        prop_assert_eq!(chunks.len(), whole.len());
        let mut continuity = Continuity::new();
        let mut joined = Vec::new();
        for (chunk, other) in chunks.iter().zip(&whole) {
            prop_assert_eq!(&chunk.bytes, &other.bytes);
            prop_assert_eq!(continuity.check(chunk), Ok(()));
            let range = chunk.offset as usize..chunk.source_bytes().end as usize;
            prop_assert_eq!(file.get(range), Some(chunk.bytes.as_slice()));
            prop_assert_eq!(chunk.lines, lines(&chunk.bytes));
            prop_assert_eq!(chunk.first_line, 1 + lines(&joined));
            joined.extend_from_slice(&chunk.bytes);
        }
        prop_assert_eq!(joined, file);
    }
}
