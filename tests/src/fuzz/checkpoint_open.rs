//! A store that is opened after anything happened to its bytes.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::{Duration, UNIX_EPOCH};
use std::{fs, io};

use feedhold::checkpoint::{
    Config, Generation, IMAGE_LEN, OpenError, SLOT_LEN, SLOTS, Store, StoreId,
    backend::{Backend, Memory},
    peek,
};

use tempfile::TempDir;

use super::{Input, assert_shown};

type Record = (u64, String);

pub(super) fn judge(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.byte();
    let mut damaged = Damaged::new(bases()[usize::from(choice) % COMMITS.len()]);
    // Writing a file takes longer than all the rest.
    damaged.is_looked_at = choice & 0x80 != 0;
    for _ in 0..64 {
        if input.is_empty() {
            break;
        }
        damaged.suffer(&mut input);
    }
    damaged.laws();
}

/// A job of the given length, and others that its bytes can be mixed with.
#[derive(Clone, Copy)]
struct Base {
    commits: u64,
    image: &'static [u8],
    /// The same store when it was younger, the same with other records at its end, and another job's.
    others: [&'static [u8]; 3],
}

/// Lengths of jobs: nothing committed, few, the ring just full, just around, and more than once around.
const COMMITS: [u64; 7] = [0, 1, 5, 62, 64, 70, 130];
/// In the fork of a job, records from this many before the end on are others.
const FORK: u64 = 3;

fn bases() -> &'static [Base] {
    static BASES: OnceLock<Vec<Base>> = OnceLock::new();
    BASES.get_or_init(|| {
        let leak = |image: Vec<u8>| -> &'static [u8] { image.leak() };
        let base = |commits: u64| Base {
            commits,
            image: leak(image(commits, commits, 1)),
            others: [
                leak(image(commits.saturating_sub(2), commits, 1)),
                leak(image(commits, commits.saturating_sub(FORK), 1)),
                leak(image(commits, commits, 2)),
            ],
        };
        COMMITS.into_iter().map(base).collect()
    })
}

/// The record with this number.
fn record(number: u64, fork: bool) -> Record {
    let label = "x".repeat((number % 50) as usize);
    (number + if fork { 1_000 } else { 0 }, label)
}

fn image(commits: u64, fork: u64, id: u8) -> Vec<u8> {
    let config = Config::new().store_id(StoreId::from_bytes([id; 16]));
    let mut store =
        Store::<Record, _>::create_on_at(Memory::new(), &config, UNIX_EPOCH).expect("blank");
    for number in 1..=commits {
        let now = UNIX_EPOCH + Duration::from_secs(number);
        store
            .commit_at(&record(number, number > fork), now)
            .expect("memory takes it");
    }
    store.into_backend().image().to_vec()
}

struct Damaged {
    base: Base,
    bytes: Vec<u8>,
    unreadable: BTreeSet<usize>,
    /// A frame was written with a digest of its own, as no accident does.
    forged: bool,
    /// From outside, while it lies in a file.
    is_looked_at: bool,
}

impl Damaged {
    fn new(base: Base) -> Self {
        Self {
            base,
            bytes: base.image.to_vec(),
            unreadable: BTreeSet::new(),
            forged: false,
            is_looked_at: false,
        }
    }

    /// One thing happens to the bytes.
    fn suffer(&mut self, input: &mut Input<'_>) {
        let what = input.byte();
        // Counted back from the newest, where most of the rules are.
        let back = usize::from(input.byte()) % SLOTS;
        let region = if what & 1 == 0 { 0 } else { IMAGE_LEN / 2 };
        let slot = (self.base.commits as usize + 1 + 2 * SLOTS - back) % SLOTS;
        let at = region + slot * SLOT_LEN;
        let Some(copy) = self.bytes.get_mut(at..at + SLOT_LEN) else {
            return;
        };
        match what >> 1 & 15 {
            0..=2 => copy[usize::from(input.word()) % SLOT_LEN] ^= 1 << (what >> 5),
            3 => copy.fill(0),
            4 => {
                // Torn: some sectors are those of another time.
                let (mask, other) = (
                    input.byte(),
                    &input.pick(&self.base.others)[at..at + SLOT_LEN],
                );
                for sector in (0..8).filter(|sector| mask >> sector & 1 == 1) {
                    let part = sector * 512..(sector + 1) * 512;
                    copy[part.clone()].copy_from_slice(&other[part]);
                }
            }
            5..=7 => copy.copy_from_slice(&input.pick(&self.base.others)[at..at + SLOT_LEN]),
            8 => {
                let from = usize::from(input.byte()) % SLOTS * SLOT_LEN;
                let end = (from + SLOT_LEN).min(self.bytes.len());
                self.bytes.copy_within(from.min(end)..end, at);
            }
            9 => {
                let start = usize::from(input.word()) % SLOT_LEN;
                let bytes = input.take(16);
                let end = SLOT_LEN.min(start + bytes.len());
                copy[start..end].copy_from_slice(&bytes[..end - start]);
            }
            10 | 11 => {
                let start = usize::from(input.byte());
                let length = usize::from(input.byte() % 16);
                let bytes = input.take(length);
                copy[start..start + bytes.len()].copy_from_slice(bytes);
                seal(copy);
                self.forged = true;
            }
            12 => {
                self.unreadable.insert(at / SLOT_LEN);
            }
            13 => {
                let other = input.pick(&self.base.others);
                let half = region..region + IMAGE_LEN / 2;
                if let Some(bytes) = self.bytes.get_mut(half.clone()) {
                    bytes.copy_from_slice(&other[half]);
                }
            }
            14 => self
                .bytes
                .truncate(IMAGE_LEN - usize::from(input.word()) % SLOT_LEN),
            _ => {
                let length = self.bytes.len() + usize::from(input.byte());
                self.bytes.resize(length, 0);
            }
        }
    }

    fn laws(self) {
        let config = Config::new()
            .history(Config::MAX_HISTORY)
            .expect("in range");
        let disk = Disk {
            memory: Memory::from_image(self.bytes.clone()),
            unreadable: self.unreadable.clone(),
        };
        let opened = Store::<Record, _>::open_on(disk, &config);
        if self.is_looked_at && self.unreadable.is_empty() {
            self.peek_laws(&config, opened.as_ref().map(|opened| &opened.store));
        }
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => return self.refusal_laws(&error),
        };
        for warning in &opened.warnings {
            assert_shown(&warning.to_string(), 300);
        }
        let mut store = opened.store;
        let history: Vec<(Generation, Record)> = store
            .history()
            .map(|entry| (entry.generation, entry.record.clone()))
            .collect();
        if !self.forged {
            self.twins_laws(store.generation());
            self.history_laws(store.id(), store.generation(), &history);
        }
        if store.is_finished() {
            assert!(self.forged, "a job that was not finished is finished");
            return;
        }
        // What was opened goes on, and is found again without a remark.
        let next = record(7_777, false);
        let committed = store
            .commit_at(&next, UNIX_EPOCH)
            .expect("an open store takes records");
        assert_eq!(committed.get(), store.generation().get());
        let mended = store.into_backend().memory;
        let again = Store::<Record, _>::open_on(mended, &config)
            .unwrap_or_else(|error| panic!("after mending: {error}"));
        assert!(
            again.warnings.is_empty(),
            "after mending: {:?}",
            again.warnings
        );
        assert_eq!(
            (again.store.latest(), again.store.generation()),
            (Some(&next), committed)
        );
        let kept: Vec<_> = again
            .store
            .history()
            .skip(1)
            .map(|entry| (entry.generation, entry.record.clone()))
            .collect();
        assert_eq!(kept, history[..kept.len()], "mending changed the history");
    }

    /// A look from outside sees what opening sees, and changes nothing.
    fn peek_laws(&self, config: &Config, opened: Result<&Store<Record, Disk>, &OpenError>) {
        thread_local! {
            static JOB: TempDir = TempDir::new().expect("a folder");
        }
        JOB.with(|job| {
            let file = job.path().join(STORE);
            fs::write(&file, &self.bytes).expect("room for a store");
            match (peek::<Record>(job.path(), config), opened) {
                (Ok(seen), Ok(store)) => {
                    assert_eq!(
                        (seen.id, seen.generation, seen.finished_at),
                        (store.id(), store.generation(), store.finished_at())
                    );
                    assert!(
                        seen.history.iter().eq(store.history()),
                        "{:?}",
                        seen.history
                    );
                }
                (Err(seen), Err(error)) => assert_eq!(seen.is_damage(), error.is_damage()),
                (seen, opened) => panic!("{seen:?} from outside, {opened:?} from inside"),
            }
            assert!(
                fs::read(&file).is_ok_and(|bytes| bytes == self.bytes),
                "a look has changed the store"
            );
        });
    }

    /// Only what was committed, in the order in which it was, and nothing forgotten of which a copy is left.
    fn history_laws(&self, id: StoreId, newest: Generation, history: &[(Generation, Record)]) {
        let fork = self.base.commits.saturating_sub(FORK);
        let told = |forked: bool| {
            history.iter().all(|(generation, found)| {
                let number = generation.get();
                number <= self.base.commits && *found == record(number, forked && number > fork)
            })
        };
        assert!(
            told(false) || told(true),
            "records that were never committed: {history:?}"
        );
        let descending = history
            .windows(2)
            .all(|pair| pair[0].0.get() == pair[1].0.get() + 1);
        assert!(descending, "a gap in the history: {history:?}");
        let first = history
            .first()
            .map_or(0, |(generation, _)| generation.get());
        assert_eq!(first, newest.get());
        for number in newest.get() + 1..=self.base.commits {
            let left = (0..2).any(|region| self.is_left(region, number, id));
            assert!(!left, "generation {number} is forgotten, {newest} offered");
        }
    }

    /// Of a generation that was acknowledged there are no two valid copies that differ.
    fn twins_laws(&self, newest: Generation) {
        let next = (newest.get() + 1) % SLOTS as u64;
        let (a, b) = self.bytes.split_at(IMAGE_LEN / 2);
        for (slot, (a, b)) in (0..).zip(a.chunks(SLOT_LEN).zip(b.chunks(SLOT_LEN))) {
            let same = a[GENERATION] == b[GENERATION];
            let read =
                [0, SLOTS].map(|region| !self.unreadable.contains(&(slot as usize + region)));
            let twins = slot != next && same && is_sealed(a) && is_sealed(b) && read == [true; 2];
            assert!(!twins || a == b, "slot {slot}: two truths are accepted");
        }
    }

    /// A copy of this generation of our own store is as it was written.
    fn is_left(&self, region: usize, number: u64, id: StoreId) -> bool {
        let at = region * IMAGE_LEN / 2 + number as usize % SLOTS * SLOT_LEN;
        let copy = at..at + SLOT_LEN;
        id == StoreId::from_bytes([1; 16])
            && !self.unreadable.contains(&(at / SLOT_LEN))
            && self.bytes.get(copy.clone()) == self.base.image.get(copy)
    }

    /// A refusal says what to do, and is never the answer to what a crash or one bad copy explains.
    fn refusal_laws(&self, error: &OpenError) {
        assert_shown(&error.to_string(), 600);
        let whole = self.bytes.len() == IMAGE_LEN && self.unreadable.is_empty();
        let untouched = whole && self.bytes == self.base.image;
        assert!(!untouched, "a sound store is refused: {error}");
        let sound = |region: usize| {
            let half = region * IMAGE_LEN / 2..(region + 1) * IMAGE_LEN / 2;
            self.bytes.get(half.clone()) == self.base.image.get(half)
        };
        // One region as it was, and of the other only flipped or lost bytes: nothing that could be somebody else's.
        let accidents = whole && !self.forged && (0..2).any(sound) && !self.has_foreign_slots();
        assert!(!accidents, "one sound region is refused: {error}");
    }

    /// Some slot holds a valid frame that our store did not write there.
    fn has_foreign_slots(&self) -> bool {
        let slots = self
            .bytes
            .chunks(SLOT_LEN)
            .zip(self.base.image.chunks(SLOT_LEN));
        slots
            .filter(|(found, written)| found != written)
            .any(|(found, _)| is_sealed(found))
    }
}

/// Name of the store in its folder.
const STORE: &str = "checkpoint.fhc";
/// Bytes of the digest at the end of a slot, over everything before it (`docs/checkpoint-format.md`).
const DIGEST: usize = 16;
/// Where a slot names its generation.
const GENERATION: std::ops::Range<usize> = 24..32;

fn seal(slot: &mut [u8]) {
    let (content, digest) = slot.split_at_mut(SLOT_LEN - DIGEST);
    digest.copy_from_slice(&blake3::hash(content).as_bytes()[..DIGEST]);
}

fn is_sealed(slot: &[u8]) -> bool {
    let (content, digest) = slot.split_at(SLOT_LEN - DIGEST);
    blake3::hash(content).as_bytes()[..DIGEST] == *digest
}

/// A disk that cannot read some of its slots until they are written again.
#[derive(Debug)]
struct Disk {
    memory: Memory,
    unreadable: BTreeSet<usize>,
}

impl Backend for Disk {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        if self.unreadable.contains(&(offset as usize / SLOT_LEN)) {
            return Err(io::Error::other("a bad sector"));
        }
        self.memory.read_at(offset, buf)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.unreadable.remove(&(offset as usize / SLOT_LEN));
        self.memory.write_at(offset, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.memory.sync()
    }

    fn len(&self) -> io::Result<u64> {
        self.memory.len()
    }

    fn place(&self) -> String {
        "a disk".to_owned()
    }
}
