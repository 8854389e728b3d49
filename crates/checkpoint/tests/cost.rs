//! What a commit costs the medium: bytes, writes and syncs, counted.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use feedhold_checkpoint::backend::{Backend, Memory};
use feedhold_checkpoint::{Config, MAX_PAYLOAD, Store};

/// Most bytes that one commit may write.
const MOST: u64 = 10 * 1024;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    bytes: u64,
    writes: u64,
    syncs: u64,
}

/// Memory that counts.
struct Counting {
    memory: Memory,
    counts: Rc<Cell<Counts>>,
}

impl Backend for Counting {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.memory.read_at(offset, buf)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut counts = self.counts.get();
        counts.bytes += bytes.len() as u64;
        counts.writes += 1;
        self.counts.set(counts);
        self.memory.write_at(offset, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut counts = self.counts.get();
        counts.syncs += 1;
        self.counts.set(counts);
        self.memory.sync()
    }

    fn len(&self) -> io::Result<u64> {
        self.memory.len()
    }

    fn place(&self) -> String {
        self.memory.place()
    }
}

#[test]
fn a_commit_writes_at_most_ten_kibibytes_and_syncs_once() {
    let counts = Rc::new(Cell::new(Counts::default()));
    let backend = Counting {
        memory: Memory::new(),
        counts: Rc::clone(&counts),
    };
    let mut store = Store::create_on(backend, &Config::new()).expect("blank");
    let once = Counts {
        bytes: 8_192,
        writes: 2,
        syncs: 1,
    };
    assert!(once.bytes <= MOST);
    // The longest record has three bytes of length before it.
    for len in (0..=MAX_PAYLOAD - 3).step_by(333).chain([MAX_PAYLOAD - 3]) {
        counts.set(Counts::default());
        store.commit(&vec![7_u8; len]).expect("memory takes it");
        assert_eq!(counts.get(), once, "a record of {len} bytes");
    }
    counts.set(Counts::default());
    store.finish().expect("memory takes it");
    assert_eq!(counts.get(), once, "the finish");
    counts.set(Counts::default());
    store.finish().expect("done already");
    assert_eq!(
        counts.get(),
        Counts::default(),
        "done already costs nothing"
    );
}
