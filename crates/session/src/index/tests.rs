//! What an index says, and that nothing else is ever taken for one.

use feedhold_stream_core::chunk::{ChunkSizer, Cutter};
use tempfile::TempDir;

use super::{recorder::Recorder, *};
use crate::{content::ContentHasher, vet, vet_again};

fn chain() -> Chain {
    Chain::new(ChainConfig::new(Dialect::Grbl))
}

/// Moves with a comment or a blank line now and then.
fn program(lines: u32) -> String {
    (1..=lines)
        .map(|line| match line % 50 {
            0 => "\n".to_owned(),
            1 => format!("(part {line})\n"),
            2 => format!("G0 Z{}\n", line % 7),
            _ => format!("G1 X{}.5 Y{} F{}\n", line % 300, line % 200, 100 + line % 9),
        })
        .collect()
}

/// An index with few marks at most.
fn index_of(text: &str, most: usize) -> Index {
    let chain = chain();
    let mut recorder = Recorder::new(&chain).with_most(most);
    let mut content = ContentHasher::new();
    content.update(text.as_bytes());
    let mut stats = ChunkStats::new();
    let mut cutter = Cutter::new(ChunkSizer::cnc(), Dialect::Grbl.flavor());
    let mut input = text.as_bytes();
    let mut lines = 0;
    let mut chunks = Vec::new();
    while let Some(chunk) = cutter.next(&mut input).expect("short lines") {
        chunks.push(chunk);
    }
    while let Some(chunk) = cutter.finish().expect("short lines") {
        chunks.push(chunk);
    }
    for chunk in chunks {
        lines += chunk.lines;
        let prepared = chain.prepare(&chunk).expect("grbl takes it");
        stats.add(&prepared);
        recorder.take(&prepared);
    }
    recorder.finish(lines, content.finish(), stats)
}

#[test]
fn marks_are_thinned_out_and_stay_even() {
    let text = program(60_000);
    for (most, expected) in [(1024, 17), (8, 5), (4, 3), (2, 2), (1, 1)] {
        let index = index_of(&text, most);
        let at: Vec<u64> = index.marks.iter().map(|mark| mark.offset).collect();
        assert!(at.len() <= most && at[0] == 0, "{at:?}");
        assert_eq!(at.len(), expected, "{} bytes: {at:?}", text.len());
        let widest = at.windows(2).map(|pair| pair[1] - pair[0]).max();
        let narrowest = at.windows(2).map(|pair| pair[1] - pair[0]).min();
        assert!(
            widest.unwrap_or(0) <= narrowest.unwrap_or(0) * 2,
            "{most}: {at:?}"
        );
    }
}

#[test]
fn the_mark_before_a_line_is_found() {
    let index = index_of(&program(60_000), 1024);
    for (at, mark) in index.marks.iter().enumerate() {
        let line_at = |line| index.before(line, Dialect::Grbl).line;
        assert_eq!(line_at(mark.line), mark.line);
        let before = index.marks[at.saturating_sub(1)].line;
        assert_eq!(line_at((mark.line - 1).max(1)), before);
    }
    let last = index.marks.last().expect("a mark");
    assert_eq!(index.before(u64::MAX, Dialect::Grbl).line, last.line);
    assert_eq!(index.before(0, Dialect::Grbl).line, 1);
}

#[test]
fn an_index_comes_back_from_the_disk() {
    let dir = TempDir::new().expect("a directory");
    assert!(matches!(load(dir.path()), Ok(None)));
    let text = program(60_000);
    let index = index_of(&text, 1024);
    save(&index, dir.path()).expect("room on the disk");
    let read = load(dir.path()).expect("sound").expect("there");
    assert_eq!(read.to_bytes(), index.to_bytes());
    assert_eq!((read.lines(), read.bytes()), (60_000, text.len() as u64));
    assert!(read.is_of(&chain()));
    let packed = ChainConfig::new(Dialect::Grbl).with_pack(feedhold_stream_core::wire::Pack::Off);
    assert!(!read.is_of(&Chain::new(packed)));
    // A newer one takes its place.
    save(&index_of(&program(10), 1024), dir.path()).expect("room on the disk");
    let read = load(dir.path()).expect("sound").expect("there");
    assert_eq!(read.lines(), 10);
    remove(dir.path());
    assert!(matches!(load(dir.path()), Ok(None)));
}

#[test]
fn every_damage_is_noticed() {
    let bytes = index_of(&program(3_000), 1024).to_bytes();
    assert!(Index::from_bytes(&bytes).is_ok());
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Index::from_bytes(&damaged).is_err(), "bit {bit}");
    }
    for len in 0..bytes.len() {
        assert!(Index::from_bytes(&bytes[..len]).is_err(), "{len} bytes");
    }
}

/// Not by chance but by somebody who knows how the digest is made: still an error, never a panic or much memory.
#[test]
fn nonsense_under_a_sound_digest_is_noticed() {
    let bytes = index_of(&program(3_000), 1024).to_bytes();
    let body = bytes.len() - blake3::OUT_LEN;
    let seal = |mut bytes: Vec<u8>| {
        bytes.truncate(body);
        let digest = *blake3::hash(&bytes).as_bytes();
        bytes.extend(digest);
        Index::from_bytes(&bytes)
    };
    assert!(seal(bytes.clone()).is_ok());
    let mut refused = 0;
    for at in 0..body {
        for byte in [0, 1, 0x7f, 0xff] {
            let mut other = bytes.clone();
            if other[at] == byte {
                continue;
            }
            other[at] = byte;
            match seal(other.clone()) {
                // What cannot be known to be wrong: settings, statistics, what a tracker remembers. It is taken as it stands.
                Ok(index) => assert_eq!(index.to_bytes()[..body], other[..body]),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 500, "{refused} refused");
}

#[test]
fn another_version_says_so() {
    let mut bytes = index_of("G1 X1 F100\n", 1024).to_bytes();
    bytes[8] = 2;
    let error = Index::from_bytes(&bytes).expect_err("version 2");
    assert!(matches!(error, IndexError::Version { found: 2 }));
    assert_eq!(
        error.to_string(),
        "the index of the file is in version 2, and 1 is read; the file is vetted again"
    );
}

#[test]
fn a_known_file_is_not_vetted_again_and_any_other_is() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("part.nc");
    let text = program(40_000);
    std::fs::write(&path, &text).expect("a file");
    let first = vet(&path, &chain(), |_| true).expect("a clean file");
    let known = Arc::clone(first.index());

    let again = vet_again(&path, &chain(), Some(&known), |_| true).expect("the same file");
    assert!(Arc::ptr_eq(again.index(), &known));
    assert_eq!(again.identity, first.identity);
    assert_eq!(again.chunks, first.chunks);
    assert_eq!(
        (again.wire_lines, again.wire_bytes, again.motions),
        (first.wire_lines, first.wire_bytes, first.motions)
    );

    // Other settings, another length, another byte: all vetted anew, and found good or bad for what they are.
    let off = ChainConfig::new(Dialect::Grbl).with_pack(feedhold_stream_core::wire::Pack::Off);
    let other = vet_again(&path, &Chain::new(off), Some(&known), |_| true).expect("a clean file");
    assert!(!Arc::ptr_eq(other.index(), &known));
    assert!(other.wire_bytes > first.wire_bytes);
    for (change, good) in [("G1 X1\n", true), ("G64\n", false)] {
        std::fs::write(&path, format!("{text}{change}")).expect("a file");
        let longer = vet_again(&path, &chain(), Some(&known), |_| true);
        assert_eq!(longer.is_ok(), good);
        let mut bytes = text.clone().into_bytes();
        let end = bytes.len() - change.len();
        bytes[end..].copy_from_slice(change.as_bytes());
        std::fs::write(&path, &bytes).expect("a file");
        let changed = vet_again(&path, &chain(), Some(&known), |_| true);
        assert_eq!(changed.is_ok(), good);
        if let Ok(changed) = changed {
            assert!(!Arc::ptr_eq(changed.index(), &known));
            assert!(!changed.identity.same_content(&first.identity));
        }
    }
}
