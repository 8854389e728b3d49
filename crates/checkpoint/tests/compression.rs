//! Stores that compress their records: what is taken, what is refused, and what a reader makes of it.

use feedhold_checkpoint::backend::Memory;
use feedhold_checkpoint::inspect::{SlotCopy, slot_copy};
use feedhold_checkpoint::{
    CommitError, Config, MAX_PAYLOAD, MAX_UNPACKED, OpenError, Opened, SLOT_LEN, Store, Warning,
};
use proptest::prelude::*;

type Bytes = Vec<u8>;

fn memory(config: &Config) -> Store<Bytes, Memory> {
    Store::create_on(Memory::new(), config).expect("a blank image")
}

fn open(image: Memory) -> Result<Opened<Bytes, Memory>, OpenError> {
    Store::open_on(image, &Config::new())
}

fn flags(store: &Store<Bytes, Memory>) -> u8 {
    let slot = (store.generation().get() % 64) as usize;
    store.backend().image()[slot * SLOT_LEN + 13]
}

/// Bytes without any order, from a seed.
fn noise(seed: u64, len: usize) -> Bytes {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// Changes the payload of the newest record in both copies and makes the digests right again, as
/// only a program could.
fn forge(store: Store<Bytes, Memory>, change: impl Fn(&mut [u8])) -> Memory {
    let slot = (store.generation().get() % 64) as usize;
    let mut image = store.into_backend().image().to_vec();
    for region in [0, 64 * SLOT_LEN] {
        let copy = &mut image[region + slot * SLOT_LEN..][..SLOT_LEN];
        change(&mut copy[80..80 + MAX_PAYLOAD]);
        let digest = blake3::hash(&copy[..SLOT_LEN - 16]);
        copy[SLOT_LEN - 16..].copy_from_slice(&digest.as_bytes()[..16]);
    }
    Memory::from_image(image)
}

#[test]
fn a_record_is_compressed_only_where_that_was_asked_for_and_helps() {
    let dull = vec![7; 2_000];
    for (config, record, expected) in [
        (Config::new(), &dull, 0),
        (Config::new().compressed(), &dull, 1),
        (Config::new().compressed(), &noise(1, 2_000), 0),
        (Config::new().compressed(), &vec![], 0),
    ] {
        let mut store = memory(&config);
        store.commit(record).expect("memory takes it");
        assert_eq!(flags(&store), expected);
        let Opened {
            mut store,
            warnings,
        } = open(store.into_backend()).expect("a sound store");
        assert_eq!((store.latest(), warnings), (Some(record), vec![]));
        // Whoever opened it did not ask.
        store.commit(&dull).expect("memory takes it");
        assert_eq!(flags(&store), 0);
        store.finish().expect("memory takes it");
        assert_eq!(flags(&store), 0);
    }
}

#[test]
fn a_record_fits_or_is_refused_before_a_byte_is_written() {
    let mut store = memory(&Config::new().compressed());
    // Before the bytes lies their number, in three bytes.
    let longest = vec![7; MAX_UNPACKED - 3];
    store.commit(&longest).expect("small when compressed");
    let before = store.backend().clone();
    let long = store.commit(&vec![7; MAX_UNPACKED - 2]);
    assert!(
        matches!(long, Err(CommitError::TooLong { needed }) if needed == MAX_UNPACKED + 1),
        "{long:?}"
    );
    let words = long.expect_err("too long").to_string();
    assert!(
        words.contains("64001 bytes before it is compressed, 64000 are allowed"),
        "{words}"
    );
    let large = store.commit(&noise(2, MAX_PAYLOAD - 2));
    assert!(
        matches!(large, Err(CommitError::TooLarge { needed }) if needed == MAX_PAYLOAD + 1),
        "{large:?}"
    );
    assert_eq!(store.backend(), &before);
    store
        .commit(&noise(3, MAX_PAYLOAD - 3))
        .expect("exactly fits");
    let opened = open(store.into_backend()).expect("a sound store");
    let history: Vec<_> = opened
        .store
        .history()
        .map(|entry| entry.record.clone())
        .collect();
    assert_eq!(history, [noise(3, MAX_PAYLOAD - 3), longest]);
}

#[test]
fn a_payload_that_cannot_be_unpacked_is_refused_as_the_newest_and_missed_as_an_older_one() {
    let store = || {
        let mut store = memory(&Config::new().compressed());
        store.commit(&vec![7; 2_000]).expect("memory takes it");
        store
    };
    for (what, bytes) in [
        ("claims 65535 bytes, 64000 are allowed", [0xff, 0xff]),
        ("claims 3000 bytes and holds 2002", 3_000_u16.to_le_bytes()),
    ] {
        let image = forge(store(), |payload| payload[..2].copy_from_slice(&bytes));
        let words = open(image.clone()).expect_err("forged").to_string();
        let expected = format!(
            "memory: the record of generation 1 is intact but not of the expected form (its compressed payload {what}): \
             finish the job with the program that started it"
        );
        // The number of bytes a vector of 2,000 takes as it is serialised: three more.
        assert_eq!(words, expected.replace("2002", "2003"));
    }
    let image = forge(store(), |payload| payload[2..].fill(0xff));
    assert!(matches!(open(image), Err(OpenError::Codec { .. })));
}

#[test]
fn a_flag_on_one_bad_copy_does_not_hide_its_twin() {
    let mut store = memory(&Config::new().compressed());
    store.commit(&vec![7; 2_000]).expect("memory takes it");
    let mut image = store.into_backend().image().to_vec();
    image[SLOT_LEN + 13] = 0;
    let first: &[u8; SLOT_LEN] = image[SLOT_LEN..].first_chunk().expect("a slot");
    assert_eq!(slot_copy(1, first), SlotCopy::Bad);
    let Opened { store, warnings } = open(Memory::from_image(image)).expect("one good copy");
    assert_eq!(store.latest(), Some(&vec![7; 2_000]));
    assert!(
        matches!(warnings[..], [Warning::CopyLost { .. }]),
        "{warnings:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_committed_is_read_back(
        records in prop::collection::vec((any::<u64>(), 0_usize..3_000, 1_usize..40), 1..8)
    ) {
        let record = |(seed, len, times): (u64, usize, usize)| noise(seed, len / times).repeat(times);
        let mut store = memory(&Config::new().compressed());
        for spec in &records {
            store.commit(&record(*spec)).expect("within a slot");
        }
        let opened = open(store.into_backend()).expect("a sound store");
        let history = opened.store.history().map(|entry| entry.record.clone());
        let expected = records.iter().rev().map(|spec| record(*spec));
        prop_assert!(history.eq(expected));
    }
}
