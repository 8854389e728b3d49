//! What is kept on disk beside the records: the state of an interpreter and of a tracker as bytes, and the index of a vetted file.

use std::cell::RefCell;
use std::sync::OnceLock;

use feedhold::session::{index, vet};
use feedhold_gcode_parse::{Block, Flavor, Interpreter};
use feedhold_stream_core::{
    dialect::Dialect,
    resume::Tracker,
    wire::{Chain, ChainConfig},
};
use tempfile::TempDir;

use super::{Input, assert_shown, interpret};

pub(super) fn judge(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() % 3 {
        0 => interpreters(&mut input),
        1 => trackers(&mut input),
        _ => indexes(&mut input),
    }
}

/// Some bytes become others; true when they are not what they were.
fn damage(bytes: &mut Vec<u8>, input: &mut Input<'_>) -> bool {
    let before = bytes.clone();
    for _ in 0..input.byte() % 8 {
        let (what, at, value) = (
            input.byte(),
            usize::from(input.word()) % (bytes.len() + 1),
            input.byte(),
        );
        match what % 4 {
            0 if at < bytes.len() => bytes[at] = value,
            1 if at < bytes.len() => bytes[at] ^= 1 << (value % 8),
            2 => bytes.insert(at, value),
            _ => {
                let end = bytes.len().min(at + usize::from(value % 16));
                bytes.drain(at..end);
            }
        }
    }
    *bytes != before
}

/// The machine after the lines of a text.
fn machine(flavor: Flavor, text: &[u8]) -> Interpreter {
    let mut machine = Interpreter::new(flavor);
    for line in text.split(|byte| *byte == b'\n') {
        machine.apply(&Block::parse(flavor, line));
    }
    machine
}

fn interpreters(input: &mut Input<'_>) {
    let (flavor, forge) = (input.pick(&Flavor::ALL), input.byte() & 1 == 1);
    let mut damages = Input::new(input.take(40));
    let text = input.rest();
    let machine = machine(flavor, text);
    let written = machine.to_bytes();
    let mut bytes = written.to_vec();
    let again = Interpreter::from_bytes(&bytes).expect("just written");
    assert!(
        again.same_bits(&machine),
        "what was written is read as something else"
    );
    let damaged = damage(&mut bytes, &mut damages);
    if forge && bytes.len() > 4 {
        let body = bytes.len() - 4;
        let crc = crc32(&bytes[..body]);
        bytes[body..].copy_from_slice(&crc.to_le_bytes());
    }
    match Interpreter::from_bytes(&bytes) {
        Ok(mut read) => {
            assert_eq!(&*read.to_bytes(), &bytes[..], "a state has two forms");
            // A state that is read can be gone on with, whoever wrote it.
            for line in text.split(|byte| *byte == b'\n') {
                interpret::apply(&mut read, line);
            }
        }
        Err(error) => {
            assert!(damaged, "{error}");
            assert_shown(&error.to_string(), 200);
        }
    }
}

/// CRC-32 of IEEE 802.3, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| {
        if crc & 1 == 1 {
            crc >> 1 ^ 0xEDB8_8320
        } else {
            crc >> 1
        }
    };
    let all = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc))
    });
    !all
}

fn trackers(input: &mut Input<'_>) {
    let dialect = input.pick(&[Dialect::Grbl, Dialect::Marlin]);
    let mut damages = Input::new(input.take(40));
    let text = input.rest();
    let mut tracker = Tracker::new(dialect);
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        tracker.apply(number, &Block::parse(dialect.flavor(), line));
    }
    let mut bytes = tracker.to_bytes();
    let again = Tracker::from_bytes(&bytes).expect("just written");
    assert_eq!(again.to_bytes(), bytes);
    assert!(again.machine().same_bits(tracker.machine()) && again.line() == tracker.line());
    damage(&mut bytes, &mut damages);
    if let Some(read) = Tracker::from_bytes(&bytes) {
        // Damage is noticed by whoever keeps it; here it must only make sense.
        assert_eq!(
            Tracker::from_bytes(&read.to_bytes()).map(|again| again.to_bytes()),
            Some(read.to_bytes())
        );
    }
}

/// A vetted file and its index as it lies on the disk.
struct Vetted {
    dir: TempDir,
    chain: Chain,
    image: Vec<u8>,
}

/// Name of the index in its folder (`docs/index-format.md`).
const INDEX: &str = "index.fhi";
const PROGRAM: &str = "program.nc";

impl Vetted {
    fn new(program: &str) -> Self {
        let dir = TempDir::new().expect("a folder");
        let path = dir.path().join(PROGRAM);
        std::fs::write(&path, program).expect("a file");
        let chain = Chain::new(ChainConfig::new(Dialect::Grbl));
        let vetted = vet(&path, &chain, |_| true).expect("a good program");
        index::save(vetted.index(), dir.path()).expect("an index");
        let image = std::fs::read(dir.path().join(INDEX)).expect("the index");
        Self { dir, chain, image }
    }

    fn laws(&self, input: &mut Input<'_>) {
        let mut bytes = self.image.clone();
        let forge = input.byte() & 1 == 1;
        let damaged = damage(&mut bytes, input);
        if forge && bytes.len() > 32 {
            let body = bytes.len() - 32;
            let digest = blake3::hash(&bytes[..body]);
            bytes[body..].copy_from_slice(digest.as_bytes());
        }
        std::fs::write(self.dir.path().join(INDEX), &bytes).expect("room for an index");
        match index::load(self.dir.path()) {
            Ok(found) => {
                let found = found.expect("there is an index");
                assert!(forge || !damaged, "a damaged index is read");
                if found.digest() == blake3::hash(&self.program()).as_bytes() && !damaged {
                    assert_eq!(found.bytes(), self.program().len() as u64);
                    assert!(found.is_of(&self.chain));
                }
            }
            Err(error) => {
                assert!(damaged, "{error}");
                assert_shown(&error.to_string(), 200);
            }
        }
    }

    fn program(&self) -> Vec<u8> {
        std::fs::read(self.dir.path().join(PROGRAM)).expect("the file")
    }
}

fn indexes(input: &mut Input<'_>) {
    static PROGRAMS: OnceLock<[String; 3]> = OnceLock::new();
    let programs = PROGRAMS.get_or_init(|| {
        let long = (0..20_000)
            .map(|line| format!("G1 X{}.{} F600\n", line % 90, line % 10))
            .collect();
        [
            "G21\n".to_owned(),
            "G90 G21\nG1 X1 Y2 F100\nG55\nM3 S100\nX5\n".to_owned(),
            long,
        ]
    });
    thread_local! {
        static VETTED: RefCell<[Option<Vetted>; 3]> = const { RefCell::new([None, None, None]) };
    }
    let which = usize::from(input.byte()) % programs.len();
    VETTED.with_borrow_mut(|all| {
        let vetted = all[which].get_or_insert_with(|| Vetted::new(&programs[which]));
        vetted.laws(input);
    });
}
