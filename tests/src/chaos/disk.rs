//! The disk that records go to: it outlives the processes that write to it.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use feedhold::checkpoint::backend::{Backend, Fault, Faulty};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// A disk in the hands of a process, and of the world around it.
#[derive(Clone, Debug)]
pub(super) struct Disk(Rc<RefCell<Inner>>);

#[derive(Debug)]
struct Inner {
    faulty: Option<Faulty>,
    /// Calls that still reach the disk before the process is dead.
    left: Option<u32>,
}

/// What the next record meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// An input/output error while it is written.
    WriteError,
    /// An input/output error while it is synced.
    SyncError,
    /// No room.
    Full,
}

/// How far a record had come when its process died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Died {
    /// Nothing was written.
    Before,
    /// One copy was written.
    Between,
    /// Both copies were written and not synced.
    Written,
}

impl Disk {
    /// A copy of a blank disk, with a fate of its own.
    pub(super) fn new(blank: &Faulty, seed: u64) -> Self {
        Self(Rc::new(RefCell::new(Inner {
            faulty: Some(blank.clone().with_seed(seed)),
            left: None,
        })))
    }

    fn change(&self, change: impl FnOnce(Faulty) -> Faulty) {
        let mut inner = self.0.borrow_mut();
        inner.faulty = inner.faulty.take().map(change);
    }

    /// The next record fails.
    pub(super) fn trouble(&self, trouble: Trouble) {
        let fault = match trouble {
            Trouble::WriteError => Fault::Write { nth: 0, errno: EIO },
            Trouble::SyncError => Fault::Sync { nth: 0, errno: EIO },
            Trouble::Full => Fault::Write {
                nth: 1,
                errno: ENOSPC,
            },
        };
        self.change(|disk| disk.with_faults(&[fault]));
    }

    /// From now on syncs report success and save nothing, as if the store never synced.
    pub(super) fn never_sync(&self) {
        self.change(|disk| disk.with_faults(&[Fault::LyingSyncs]));
    }

    /// The process dies while a record is on its way.
    pub(super) fn die(&self, died: Died) {
        self.0.borrow_mut().left = Some(match died {
            Died::Before => 0,
            Died::Between => 1,
            Died::Written => 2,
        });
    }

    /// Nothing is wrong with it any more.
    pub(super) fn mend(&self) {
        self.change(|disk| disk.with_faults(&[]));
    }

    /// Another process takes over. What was written stays visible, synced or not.
    pub(super) fn take_over(&self) {
        self.0.borrow_mut().left = None;
    }

    /// The power goes: what was not synced is lost, kept or torn.
    pub(super) fn lose_power(&self) {
        self.change(|mut disk| {
            disk.crash();
            disk
        });
    }

    fn call<T>(&self, act: impl FnOnce(&mut Faulty) -> io::Result<T>) -> io::Result<T> {
        let mut inner = self.0.borrow_mut();
        if let Some(left) = &mut inner.left {
            match left.checked_sub(1) {
                Some(rest) => *left = rest,
                None => return Err(io::Error::other("the process is dead")),
            }
        }
        match &mut inner.faulty {
            Some(disk) => act(disk),
            None => Err(io::Error::other("the disk is gone")),
        }
    }
}

impl Backend for Disk {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        match &self.0.borrow().faulty {
            Some(disk) => disk.read_at(offset, buf),
            None => Err(io::Error::other("the disk is gone")),
        }
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.call(|disk| disk.write_at(offset, bytes))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.call(Faulty::sync)
    }

    fn len(&self) -> io::Result<u64> {
        match &self.0.borrow().faulty {
            Some(disk) => disk.len(),
            None => Err(io::Error::other("the disk is gone")),
        }
    }

    fn place(&self) -> String {
        "the disk".to_owned()
    }
}
