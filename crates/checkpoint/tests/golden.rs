//! The bytes of format version 1, as they lie in files that users have. If these tests fail, the
//! format has changed: give it a new version and keep reading this one.

use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

use feedhold_checkpoint::backend::Memory;
use feedhold_checkpoint::{Config, IMAGE_LEN, Opened, Store, StoreId};
use serde::{Deserialize, Serialize};

const VERSION_1: &str = include_str!("golden/version-1.txt");

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
