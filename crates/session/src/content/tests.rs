//! Blocks say the same as BLAKE3 of the whole, and every changed byte is found.

use std::{io::Write, sync::Arc};

use proptest::prelude::*;

use super::*;

fn bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut out = vec![0; len];
    Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut out);
    out
}

fn content_of(bytes: &[u8], piece: usize) -> Content {
    let mut hasher = ContentHasher::new();
    bytes
        .chunks(piece.max(1))
        .for_each(|piece| hasher.update(piece));
    hasher.finish()
}

fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("room on the disk");
    file
}

const MIB: usize = 1 << 20;

#[test]
fn the_digest_is_that_of_blake3() {
    let all = bytes(9 * MIB + 5, 1);
    for len in [
        0,
        1,
        1024,
        MIB - 1,
        MIB,
        MIB + 1,
        2 * MIB,
        3 * MIB,
        4 * MIB + 7,
        7 * MIB,
        8 * MIB,
        9 * MIB + 5,
    ] {
        let content = content_of(&all[..len], 300_000);
        assert_eq!(
            content.digest(),
            blake3::hash(&all[..len]).as_bytes(),
            "{len} bytes"
        );
        assert_eq!(content.bytes(), len as u64);
        let again = Content::from_parts(
            content.bytes(),
            *content.digest(),
            content.block(),
            content.blocks().to_vec(),
        );
        assert_eq!(again, Some(content), "{len} bytes");
    }
}

#[test]
fn many_blocks_become_fewer_larger_ones() {
    let text = bytes(21 * MIB + 3, 2);
    let mut hasher = ContentHasher::new();
    hasher.most = 4;
    text.chunks(MIB / 2).for_each(|piece| hasher.update(piece));
    let content = hasher.finish();
    assert_eq!((content.block(), content.blocks().len()), (8 * BLOCK, 3));
    assert_eq!(content.digest(), blake3::hash(&text).as_bytes());
    let file = file_of(&text);
    assert_eq!(
        content.is_in(file.path(), |_| true).expect("readable"),
        Some(true)
    );
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let content = content_of(&bytes(3 * MIB, 3), MIB);
    let parts = |digest: [u8; 32], bytes, block, blocks: &[ChainingValue]| {
        Content::from_parts(bytes, digest, block, blocks.to_vec())
    };
    let (digest, block, blocks) = (*content.digest(), content.block(), content.blocks());
    assert!(parts(digest, content.bytes(), block, blocks).is_some());
    assert!(parts([0; 32], content.bytes(), block, blocks).is_none());
    assert!(parts(digest, content.bytes() + 1, block, blocks).is_none());
    assert!(parts(digest, content.bytes(), block, &blocks[1..]).is_none());
    assert!(parts(digest, content.bytes(), block * 2, blocks).is_none());
    assert!(parts(digest, content.bytes(), 0, blocks).is_none());
    assert!(parts(digest, content.bytes(), 3 * block, &[]).is_none());
}

#[test]
fn a_file_is_checked_against_it() {
    let text = bytes(5 * MIB + 11, 4);
    let content = content_of(&text, MIB);
    let same = |bytes: &[u8]| {
        let file = file_of(bytes);
        content.is_in(file.path(), |_| true).expect("readable")
    };
    assert_eq!(same(&text), Some(true));
    assert_eq!(same(&text[..text.len() - 1]), Some(false));
    for at in [0, MIB - 1, MIB, 3 * MIB + 5, text.len() - 1] {
        let mut changed = text.clone();
        changed[at] ^= 1;
        assert_eq!(same(&changed), Some(false), "byte {at}");
    }
    let file = file_of(&text);
    let given_up = content.is_in(file.path(), |_| false);
    assert_eq!(given_up.expect("readable"), None);
    assert!(content.is_in(&file.path().join("none"), |_| true).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// From anywhere in the file, in any pieces, with any byte changed or none.
    #[test]
    fn a_changed_byte_is_noticed_at_the_end_of_its_block(
        len in 1_usize..3 * MIB, from in any::<prop::sample::Index>(),
        change in proptest::option::of(any::<prop::sample::Index>()), piece in 1_usize..2 * MIB,
    ) {
        let mut text = bytes(len, 5);
        let content = Arc::new(content_of(&text, MIB));
        let (mut watch, start) = Watch::new(Arc::clone(&content), from.index(len) as u64);
        prop_assert!(start <= from.index(len) as u64 && start.is_multiple_of(BLOCK));
        let change = change.map(|at| at.index(len));
        if let Some(at) = change {
            text[at] = !text[at];
        }
        let start = usize::try_from(start).expect("small");
        let (mut seen, mut told) = (start, false);
        for piece in text[start..].chunks(piece) {
            seen += piece.len();
            if !watch.sees(piece) {
                told = true;
                break;
            }
        }
        match change.filter(|at| *at >= start) {
            Some(at) => {
                let end = (at / MIB + 1) * MIB;
                prop_assert!(told && seen >= end.min(len) && seen < end + piece.max(MIB));
            }
            None => prop_assert!(!told && watch.ends()),
        }
    }
}

#[test]
fn an_end_too_early_or_too_late_is_noticed() {
    let text = bytes(MIB + 9, 6);
    let content = Arc::new(content_of(&text, MIB));
    let (mut watch, _) = Watch::new(Arc::clone(&content), 0);
    assert!(watch.sees(&text[..MIB]) && !watch.ends());
    assert!(watch.sees(&text[MIB..]) && watch.ends());
    assert!(!watch.sees(b" "));
}
