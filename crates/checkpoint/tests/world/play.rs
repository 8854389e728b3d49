//! Any course of events, one after another, with every open judged.

use feedhold_checkpoint::backend::Fault;

use super::{Broken, Claim, Disk, NoteStore, Step, aged, open, take};

/// What the injected failures of writes and syncs report.
const EIO: i32 = 5;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Take(Step),
    Reopen,
    /// Power off and on, between calls.
    Crash,
    /// The n-th call from now on goes wrong in this way.
    PowerCut(u64),
    FailWrite(u64),
    FailSync(u64),
    ShortWrites,
    /// A bit of the first region rots while the store is closed.
    Rot(usize),
}

/// Plays `events` and judges every open. A store that failed is opened again, as its owner would.
pub(crate) fn play(seed: u64, events: &[Event]) -> Result<(), Broken> {
    let disk = Disk::new(seed, None);
    let (mut store, mut claim) = aged(&disk, seed % 70, 20);
    for event in events {
        let sound = match *event {
            Event::Take(step) => claim.acknowledged.finished || take(&mut store, &mut claim, step),
            Event::Reopen => false,
            Event::Crash => {
                disk.crash();
                false
            }
            Event::Rot(bit) => {
                // Rot meets durable data: what is unsynced has no place yet to rot in.
                disk.crash();
                disk.rot(bit);
                false
            }
            Event::PowerCut(nth) => arm(&disk, Fault::PowerCut { nth }),
            Event::FailWrite(nth) => arm(&disk, Fault::Write { nth, errno: EIO }),
            Event::FailSync(nth) => arm(&disk, Fault::Sync { nth, errno: EIO }),
            Event::ShortWrites => arm(&disk, Fault::ShortWrites),
        };
        if !sound {
            store = open_at_last(&disk, &mut claim)?;
        }
    }
    Ok(())
}

fn arm(disk: &Disk, fault: Fault) -> bool {
    disk.set_faults(&[fault]);
    true
}

/// Opens; if an armed fault strikes in the open, cuts the power and opens again.
fn open_at_last(disk: &Disk, claim: &mut Claim) -> Result<NoteStore, Broken> {
    match open(disk, claim) {
        Err(Broken::Medium) => {
            disk.crash();
            open(disk, claim)
        }
        verdict => verdict,
    }
}
