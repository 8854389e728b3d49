//! The bytes of format version 1, as they lie in files that users have. If these tests fail, the
//! format has changed: give it a new version and keep reading this one.

use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

use feedhold_checkpoint::backend::Memory;
use feedhold_checkpoint::{Config, IMAGE_LEN, Opened, Store, StoreId};
use serde::{Deserialize, Serialize};

const VERSION_1: &str = include_str!("golden/version-1.txt");
/// Two compressed records and between them one that compression would not make smaller.
const VERSION_1_COMPRESSED: &str = include_str!("golden/version-1-compressed.txt");

/// One field of each shape that serialisers treat differently.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Record {
    executed: u64,
    ceiling: u64,
    position_mm: [f64; 3],
    file: String,
    tool: Option<u16>,
    mode: Mode,
    offsets: Vec<i32>,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
enum Mode {
    Absolute,
    Incremental { since_line: u32 },
}

fn records() -> [Record; 2] {
    let first = Record {
        executed: 4_200,
        ceiling: 10_000,
        position_mm: [0.1, -25.4, 0.0],
        file: "Gehäuse.ngc".to_owned(),
        tool: None,
        mode: Mode::Absolute,
        offsets: vec![],
    };
    let second = Record {
        executed: 70_000,
        ceiling: u64::MAX,
        tool: Some(300),
        mode: Mode::Incremental { since_line: 5 },
        offsets: vec![-1, 1_000_000],
        ..first.clone()
    };
    [first, second]
}

fn config() -> Config {
    let id = std::array::from_fn(|i| 0xa0 + i as u8);
    Config::new()
        .record_version(3)
        .store_id(StoreId::from_bytes(id))
}

/// The rows of 16 bytes that are not zero, each with its offset.
fn dump(image: &[u8]) -> String {
    let mut text = String::new();
    for (row, bytes) in image.chunks(16).enumerate() {
        if bytes.iter().any(|&byte| byte != 0) {
            write!(text, "{:05x}:", row * 16).expect("a string takes it");
            bytes
                .iter()
                .for_each(|byte| write!(text, " {byte:02x}").expect("a string takes it"));
            text.push('\n');
        }
    }
    text
}

fn undump(text: &str) -> Vec<u8> {
    let mut image = vec![0; IMAGE_LEN];
    let number = |hex| usize::from_str_radix(hex, 16).expect("a hexadecimal number");
    for line in text.lines() {
        let (offset, bytes) = line.split_once(':').expect("an offset and bytes");
        for (i, byte) in bytes.split_whitespace().enumerate() {
            image[number(offset) + i] = number(byte) as u8;
        }
    }
    image
}

#[test]
fn version_1_is_written_as_ever() {
    let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds);
    let mut store = Store::create_on_at(Memory::new(), &config(), at(0)).expect("blank");
    for (record, seconds) in records().iter().zip(1..) {
        store
            .commit_at(record, at(seconds))
            .expect("memory takes it");
    }
    store.finish_at(at(3)).expect("memory takes it");
    let written = dump(store.backend().image());
    assert!(written == VERSION_1, "the bytes are now:\n{written}");
}

#[test]
fn version_1_is_read_as_ever() {
    let image = Memory::from_image(undump(VERSION_1));
    let opened = Store::<Record, _>::open_on(image, &config()).expect("version 1");
    let Opened { store, warnings } = opened;
    assert_eq!(warnings, []);
    assert!(store.is_finished());
    assert_eq!(store.id().to_string(), "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");
    let history: Vec<_> = store.history().map(|entry| entry.record.clone()).collect();
    let [first, second] = records();
    assert_eq!(history, [second, first]);
}

#[cfg(feature = "compression")]
mod compressed {
    use std::f64::consts::{E, PI, SQRT_2};

    use super::*;

    /// The first would not fit into a slot as it is.
    fn long_records() -> [Record; 3] {
        let [first, second] = records();
        let long = Record {
            offsets: (0..9_000).map(|i| i % 50).collect(),
            ..first.clone()
        };
        let dull = Record {
            file: "Gehäuse ".repeat(30),
            ..second
        };
        let dense = Record {
            position_mm: [PI, E, SQRT_2],
            ..first
        };
        [long, dense, dull]
    }

    /// What the compressor makes of a record is its own affair, so the bytes are only read.
    #[test]
    fn version_1_compressed_is_read_as_ever() {
        let bytes = undump(VERSION_1_COMPRESSED);
        let image = Memory::from_image(bytes.clone());
        let Opened { store, warnings } =
            Store::<Record, _>::open_on(image, &config()).expect("version 1");
        assert_eq!(warnings, []);
        let history: Vec<_> = store.history().map(|entry| entry.record.clone()).collect();
        let [long, dense, dull] = long_records();
        assert_eq!(history, [dull, dense, long]);
        let flags: Vec<_> = (0..4).map(|slot| bytes[slot * 4096 + 13]).collect();
        assert_eq!(flags, [0, 1, 0, 1]);
    }

    #[test]
    fn what_is_written_now_has_the_same_shape() {
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds);
        let config = config().compressed();
        let mut store = Store::create_on_at(Memory::new(), &config, at(0)).expect("blank");
        for (record, seconds) in long_records().iter().zip(1..) {
            store
                .commit_at(record, at(seconds))
                .expect("it fits when compressed");
        }
        let written = store.backend().image();
        let golden = undump(VERSION_1_COMPRESSED);
        let now = format!("the bytes are now:\n{}", dump(written));
        // Up to the payload length, and the length that begins a compressed payload.
        for (slot, packed) in [(0, false), (1, true), (2, false), (3, true)] {
            let row = |image: &[u8], from: usize, to: usize| {
                image[slot * 4096 + from..slot * 4096 + to].to_vec()
            };
            assert_eq!(
                row(written, 0, 16),
                row(&golden, 0, 16),
                "slot {slot}; {now}"
            );
            if packed {
                assert_eq!(
                    row(written, 80, 82),
                    row(&golden, 80, 82),
                    "slot {slot}; {now}"
                );
            }
        }
    }
}

#[cfg(not(feature = "compression"))]
#[test]
fn version_1_compressed_is_refused_with_what_to_do() {
    let image = Memory::from_image(undump(VERSION_1_COMPRESSED));
    let error = Store::<Record, _>::open_on(image, &config()).expect_err("no compression");
    assert_eq!(
        error.to_string(),
        "memory cannot be read by this version: its records are compressed and this program was built without \
         compression; use one that was built with the feature `compression` of feedhold-checkpoint"
    );
}
