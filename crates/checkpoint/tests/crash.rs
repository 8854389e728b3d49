//! Power cuts at every write and sync, with every subset of what was not synced.

mod world;

use feedhold_checkpoint::backend::Fault;
use proptest::prelude::*;
use world::{Broken, Bug, Depth, Disk, Event, Step, Tally, aged, explore, open, play, take};

const SMALL: usize = 20;
const TWO_SECTORS: usize = 600;
const EIO: i32 = 5;

/// A store that has come once round the ring, so that every slot holds an older record.
fn round_the_ring(bug: Option<Bug>, old_filler: usize, step: Step, depth: Depth) -> Outcome {
    let disk = Disk::new(1, bug);
    let (_, claim) = aged(&disk, 70, old_filler);
    let mut tally = Tally::default();
    explore(&disk, claim, step, depth, &mut tally).map(|()| tally)
}

type Outcome = Result<Tally, Broken>;

#[test]
fn a_crash_in_a_commit_loses_nothing_that_was_acknowledged() {
    let depth = Depth {
        nested: 1,
        afterwards: 0,
        filler: SMALL,
        subsets: u64::MAX,
    };
    for commits in [0, 1, 62, 63, 64] {
        let disk = Disk::new(commits, None);
        let (_, claim) = aged(&disk, commits, SMALL);
        let mut tally = Tally::default();
        let step = Step::Commit { filler: SMALL };
        explore(&disk, claim, step, depth, &mut tally).expect("the law");
        assert!(
            tally.power_cuts > 3 && tally.recoveries > 16,
            "{tally:?} is no exploration"
        );
    }
}

#[test]
fn a_crash_in_finish_leaves_the_job_either_finished_or_not() {
    let depth = Depth {
        nested: 1,
        afterwards: 0,
        filler: SMALL,
        subsets: u64::MAX,
    };
    round_the_ring(None, SMALL, Step::Finish, depth).expect("the law");
}

#[test]
fn a_lost_record_never_comes_back() {
    // The old record is larger than the new ones, so that a torn record may lack a sector of
    // zeros only: the next write to the slot brings just that sector.
    let depth = Depth {
        nested: 0,
        afterwards: 1,
        filler: SMALL,
        subsets: u64::MAX,
    };
    round_the_ring(None, TWO_SECTORS, Step::Commit { filler: SMALL }, depth).expect("the law");
}

#[test]
fn planted_mistakes_are_caught() {
    let flat = Depth {
        nested: 0,
        afterwards: 1,
        filler: SMALL,
        subsets: u64::MAX,
    };
    for bug in [Bug::NoSync, Bug::NoScrub] {
        let outcome = round_the_ring(Some(bug), TWO_SECTORS, Step::Commit { filler: SMALL }, flat);
        assert!(outcome.is_err(), "{bug:?} went through: {outcome:?}");
    }
}

/// A sync fails, the process opens the store again, and then the power goes.
fn failed_sync_then_power_cut(seed: u64, bug: Option<Bug>) -> Result<(), Broken> {
    let disk = Disk::new(seed, bug);
    let (mut store, mut claim) = aged(&disk, 3, SMALL);
    disk.set_faults(&[Fault::Sync { nth: 0, errno: EIO }]);
    assert!(!take(
        &mut store,
        &mut claim,
        Step::Commit { filler: SMALL }
    ));
    drop(store);
    open(&disk, &mut claim)?;
    disk.crash();
    open(&disk, &mut claim).map(drop)
}

#[test]
fn a_record_shown_after_a_failed_sync_is_made_durable_first() {
    for seed in 0..64 {
        failed_sync_then_power_cut(seed, None).expect("the law");
    }
    let caught =
        (0..64).any(|seed| failed_sync_then_power_cut(seed, Some(Bug::NoRewrite)).is_err());
    assert!(caught, "trusting the cache went through");
}

/// Flips one bit of each of the two copies' headers, payloads and digests, one at a time.
fn one_rotten_bit(bug: Option<Bug>) -> Result<(), Broken> {
    let disk = Disk::new(1, bug);
    let (_, claim) = aged(&disk, 2, SMALL);
    // Sound opens repair nothing, so each bit starts from the same image.
    for copy in [8192, 8192 + 64 * 4096] {
        for byte in (0..120).chain(4080..4096).chain([500, 2000, 4079]) {
            for bit in 0..8 {
                let rotten = disk.copy();
                rotten.rot((copy + byte) * 8 + bit);
                open(&rotten, &mut claim.clone())?;
                if !rotten.shares_fate_with(&disk) {
                    return Err(Broken::Law(format!(
                        "bit {bit} of byte {byte} was not repaired"
                    )));
                }
            }
        }
    }
    Ok(())
}

#[test]
fn one_rotten_bit_neither_hides_the_newest_record_nor_stays() {
    one_rotten_bit(None).expect("the law");
    assert!(
        one_rotten_bit(Some(Bug::OneCopy)).is_err(),
        "a single copy went through"
    );
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => prop_oneof![Just(SMALL), Just(TWO_SECTORS), 0..3_900_usize]
            .prop_map(|filler| Event::Take(Step::Commit { filler })),
        1 => Just(Event::Take(Step::Finish)),
        2 => Just(Event::Reopen),
        2 => Just(Event::Crash),
        2 => (0..12_u64).prop_map(Event::PowerCut),
        1 => (0..6_u64).prop_map(Event::FailWrite),
        1 => (0..6_u64).prop_map(Event::FailSync),
        1 => Just(Event::ShortWrites),
        1 => (0..64 * 4096 * 8_usize).prop_map(Event::Rot),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_course_of_events_keeps_the_law(
        seed: u64,
        events in prop::collection::vec(event(), 1..60),
    ) {
        if let Err(broken) = play(seed, &events) {
            prop_assert!(false, "{broken:?}");
        }
    }
}
