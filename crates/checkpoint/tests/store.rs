//! What a store does on a medium that works, and how it stops on one that does not.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use feedhold_checkpoint::backend::{Backend, Fault, Faulty, Memory};
use feedhold_checkpoint::{
    CommitError, Config, ConfigError, CreateError, MAX_PAYLOAD, OpenError, Opened, Store,
};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const ENOSPC: i32 = 28;

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Progress {
    executed: u64,
    acked: u64,
    position_mm: [f64; 3],
    file: String,
    tool: Option<u16>,
}

fn progress(executed: u64) -> Progress {
    Progress {
        executed,
        acked: executed + 15,
        position_mm: [0.1, -(executed as f64), f64::MIN_POSITIVE],
        file: "Gehäuse 7.ngc".to_owned(),
        tool: executed.is_multiple_of(2).then_some(3),
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn memory<R: Serialize + DeserializeOwned>() -> Store<R, Memory> {
    Store::create_on(Memory::new(), &Config::new()).expect("a blank memory")
}

fn reopen<R: Serialize + DeserializeOwned>(store: Store<R, Memory>) -> Store<R, Memory> {
    let Opened { store, warnings } =
        Store::open_on(store.into_backend(), &Config::new()).expect("a sound store");
    assert_eq!(warnings, [], "a clean stop needs no repair");
    store
}

#[test]
fn a_new_store_has_nothing_to_offer() {
    let store = reopen(memory::<Progress>());
    assert_eq!(store.latest(), None);
    assert_eq!(store.history().len(), 0);
    assert_eq!(store.generation().get(), 0);
    assert!(!store.is_finished());
}

#[test]
fn the_newest_record_and_the_history_are_the_same_before_and_after_opening() {
    for commits in [1_u64, 9, 10, 11, 62, 63, 64, 65, 127, 128, 200] {
        let mut store = memory();
        for n in 1..=commits {
            let generation = store
                .commit_at(&progress(n), at(n))
                .expect("memory takes it");
            assert_eq!(generation.get(), n);
        }
        let expected: Vec<_> = (1..=commits)
            .rev()
            .take(10)
            .map(|n| (n, at(n), progress(n)))
            .collect();
        for store in [&store, &reopen(copy(&store))] {
            let history: Vec<_> = store
                .history()
                .map(|entry| {
                    (
                        entry.generation.get(),
                        entry.written_at,
                        entry.record.clone(),
                    )
                })
                .collect();
            assert_eq!(history, expected);
            assert_eq!(store.latest(), Some(&progress(commits)));
        }
    }
}

fn copy(store: &Store<Progress, Memory>) -> Store<Progress, Memory> {
    Store::open_on(store.backend().clone(), &Config::new())
        .expect("a sound store")
        .store
}

#[test]
fn opening_changes_no_byte_of_a_sound_store() {
    let mut store = memory();
    for n in 0..70 {
        store.commit(&progress(n)).expect("memory takes it");
    }
    let before = store.backend().clone();
    assert_eq!(reopen(store).into_backend(), before);
}

#[test]
fn the_history_is_as_long_as_asked() {
    let config = Config::new().history(63).expect("in range");
    let mut store = Store::create_on(Memory::new(), &config).expect("blank");
    for n in 0..300_u64 {
        store.commit(&n).expect("memory takes it");
    }
    let store = Store::<u64, _>::open_on(store.into_backend(), &config)
        .expect("sound")
        .store;
    let numbers: Vec<u64> = store.history().map(|entry| entry.record).collect();
    assert_eq!(numbers, (237..300).rev().collect::<Vec<_>>());
    assert_eq!(Config::new().history(0), Err(ConfigError { asked: 0 }));
    assert_eq!(Config::new().history(64), Err(ConfigError { asked: 64 }));
}

#[test]
fn a_finished_job_stays_finished_and_keeps_its_last_record() {
    let mut store = memory();
    store
        .commit_at(&progress(1), at(1))
        .expect("memory takes it");
    let generation = store.finish_at(at(2)).expect("memory takes it");
    assert_eq!(generation.get(), 2);
    let mut store = reopen(store);
    assert_eq!(store.finished_at(), Some(at(2)));
    assert_eq!(store.latest(), Some(&progress(1)));
    assert!(matches!(
        store.commit(&progress(2)),
        Err(CommitError::Finished { .. })
    ));
    assert_eq!(store.finish().expect("done already"), generation);
}

#[test]
fn a_job_without_a_record_can_be_finished() {
    let mut store = memory::<Progress>();
    store.finish().expect("memory takes it");
    let store = reopen(store);
    assert!(store.is_finished());
    assert_eq!(store.latest(), None);
}

#[test]
fn a_record_of_any_size_fits_exactly_or_is_refused_before_a_byte_is_written() {
    // A byte vector of this length takes three bytes for its length.
    let most = MAX_PAYLOAD - 3;
    let mut store = memory();
    store.commit(&vec![7_u8; most]).expect("exactly fits");
    let before = store.backend().clone();
    for (len, expected) in [(most + 1, MAX_PAYLOAD + 1), (100_000, 100_005)] {
        match store.commit(&vec![7; len]) {
            Err(CommitError::TooLarge { needed }) => assert_eq!(needed, expected),
            other => panic!("{len} bytes gave {other:?}"),
        }
    }
    assert_eq!(store.backend(), &before);
    store.commit(&vec![8; 5]).expect("the store goes on");
    assert_eq!(reopen(store).latest(), Some(&vec![8; 5]));
}

#[test]
fn a_record_may_be_larger_in_memory_than_on_the_disk() {
    let mut store = memory();
    store
        .commit(&vec![7_u128; MAX_PAYLOAD - 3])
        .expect("one byte for each number");
    assert_eq!(reopen(store).latest().map(Vec::len), Some(MAX_PAYLOAD - 3));
}

#[test]
fn a_record_that_could_not_be_read_back_is_refused_before_a_byte_is_written() {
    #[derive(Serialize, Deserialize, Debug)]
    struct Skipping {
        #[serde(skip_serializing_if = "Option::is_none")]
        tool: Option<u16>,
        line: u64,
    }
    let mut store = memory();
    let before = store.backend().clone();
    let outcome = store.commit(&Skipping {
        tool: None,
        line: 300,
    });
    assert!(
        matches!(outcome, Err(CommitError::Asymmetric(_))),
        "{outcome:?}"
    );
    assert_eq!(store.backend(), &before);
    store
        .commit(&Skipping {
            tool: Some(1),
            line: 1,
        })
        .expect("this one reads back");
}

#[test]
fn records_of_another_version_or_form_are_refused_with_what_to_do() {
    let mut store = memory();
    store.commit(&"text".to_owned()).expect("memory takes it");
    let image = store.into_backend();

    let other = Config::new().record_version(3);
    let error = Store::<String, _>::open_on(image.clone(), &other).expect_err("another version");
    assert_eq!(
        error.to_string(),
        "memory holds records of version 0, this program reads version 3: finish the job with the \
         program that started it"
    );
    let error = Store::<[u64; 9], _>::open_on(image, &Config::new()).expect_err("another form");
    assert!(matches!(error, OpenError::Codec { .. }), "{error}");
}

#[test]
fn a_store_is_created_only_on_a_blank_image_of_its_size() {
    let used = memory::<u8>().into_backend();
    let short = Memory::from_image(vec![0; 4096]);
    for backend in [used, short] {
        let outcome = Store::<u8, _>::create_on(backend, &Config::new());
        assert!(
            matches!(outcome, Err(CreateError::NotBlank { .. })),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_store_may_live_on_a_thread_of_its_own() {
    fn check<T: Send + 'static>() {}
    check::<Store<Progress>>();
    check::<CommitError>();
    check::<OpenError>();
}

#[test]
fn stores_get_different_identities() {
    assert_ne!(memory::<u8>().id(), memory::<u8>().id());
}

#[test]
fn a_failure_of_the_medium_ends_the_store_for_good() {
    let cases = [
        (
            Fault::Write {
                nth: 0,
                errno: ENOSPC,
            },
            "write",
        ),
        (
            Fault::Write {
                nth: 1,
                errno: ENOSPC,
            },
            "write",
        ),
        (
            Fault::Sync {
                nth: 0,
                errno: ENOSPC,
            },
            "sync",
        ),
    ];
    for (fault, step) in cases {
        let fresh = Store::create_on(Faulty::new(1), &Config::new()).expect("no faults yet");
        let image = Store::<u64, _>::into_backend(fresh);
        // Opening writes the newest record twice and syncs three times before the commit.
        let fault = later(fault, 2, 3);
        let opened = Store::<u64, _>::open_on(image.with_faults(&[fault]), &Config::new());
        let mut store = opened.expect("the fault comes later").store;

        let failure = store.commit(&1).expect_err("the medium fails");
        let expected = format!(
            "cannot {step} generation 1 in faulty disk: No space left on device (os error 28); \
             hold the machine, make the disk usable and open the job again"
        );
        assert_eq!(failure.to_string(), expected);
        let calls = store.backend().calls();
        for outcome in [store.commit(&2), store.finish()] {
            assert!(
                matches!(outcome, Err(CommitError::Poisoned(_))),
                "{outcome:?}"
            );
        }
        assert_eq!(
            store.backend().calls(),
            calls,
            "the medium was touched again"
        );
        assert_eq!(
            store.latest(),
            None,
            "what was not acknowledged is not shown"
        );
        assert!(store.poison().is_some());
    }
}

fn later(fault: Fault, writes: u64, syncs: u64) -> Fault {
    match fault {
        Fault::Write { nth, errno } => Fault::Write {
            nth: nth + writes,
            errno,
        },
        Fault::Sync { nth, errno } => Fault::Sync {
            nth: nth + syncs,
            errno,
        },
        other => other,
    }
}

#[test]
fn short_writes_are_completed() {
    let disk = Faulty::new(3).with_faults(&[Fault::ShortWrites]);
    let mut store = Store::create_on(disk, &Config::new()).expect("short is not failed");
    store
        .commit(&vec![5_u8; 3_000])
        .expect("short is not failed");
    let mut disk = store.into_backend();
    assert!(disk.calls().writes > 4, "no write was short");
    disk.crash();
    let store = Store::<Vec<u8>, _>::open_on(disk, &Config::new())
        .expect("sound")
        .store;
    assert_eq!(store.latest(), Some(&vec![5; 3_000]));
}

#[test]
fn a_bad_sector_costs_one_copy_and_is_repaired_from_the_other() {
    let mut store = Store::create_on(Faulty::new(3), &Config::new()).expect("no faults");
    store.commit(&1_u64).expect("no faults");
    let disk = store
        .into_backend()
        .with_faults(&[Fault::BadSector { sector: 8 }]);
    let Opened { store, warnings } = Store::<u64, _>::open_on(disk, &Config::new()).expect("twin");
    assert_eq!(store.latest(), Some(&1));
    assert_eq!(
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["copy A of generation 1 (slot 1) was bad and was rewritten from its twin"]
    );
    let disk = store.into_backend();
    let Opened { warnings, .. } = Store::<u64, _>::open_on(disk, &Config::new()).expect("repaired");
    assert_eq!(warnings, []);
}

/// Sectors of a store of 70 records that cannot be read, and what an open makes of them.
#[test]
fn a_disk_error_is_never_taken_for_a_torn_write() {
    // Eight sectors for a slot, 512 for a region.
    let (newest, next) = (6 * 8, 7 * 8);
    let lost = "cannot be read from the disk, and its copy does not help";
    let cases: &[(&[usize], Result<u64, &str>)] = &[
        (&[newest], Ok(70)),
        (&[newest + 512 + 3], Ok(70)),
        (&[next], Ok(70)),
        (&[newest, newest + 512], Err("slot 6")),
        (&[newest + 1, newest + 512 + 7], Err("slot 6")),
        (&[next, next + 512], Err("slot 7")),
    ];
    for (sectors, expected) in cases {
        let mut store = Store::create_on(Faulty::new(3), &Config::new()).expect("no faults");
        for n in 1..=70_u64 {
            store.commit(&n).expect("no faults");
        }
        let faults: Vec<_> = sectors
            .iter()
            .map(|&sector| Fault::BadSector { sector })
            .collect();
        let disk = store.into_backend().with_faults(&faults);
        let outcome = Store::<u64, _>::open_on(disk, &Config::new());
        match (outcome, expected) {
            (Ok(Opened { store, warnings }), Ok(newest)) => {
                assert_eq!((store.latest(), warnings.len()), (Some(newest), 1));
            }
            (Err(error), Err(slot)) => {
                assert!(
                    error.to_string().contains(&format!("{slot} {lost}")),
                    "{error}"
                );
            }
            (outcome, _) => panic!("{sectors:?} gave {outcome:?}"),
        }
    }
}

#[test]
fn a_boxed_backend_is_a_backend() {
    let boxed: Box<dyn Backend> = Box::new(Memory::new());
    let mut store = Store::create_on(boxed, &Config::new()).expect("blank");
    store.commit(&1_u8).expect("memory takes it");
    let opened = Store::<u8, _>::open_on(store.into_backend(), &Config::new()).expect("sound");
    assert_eq!(opened.store.latest(), Some(&1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_records_come_back(texts in prop::collection::vec(".{0,900}", 1..20)) {
        let mut store = memory();
        for text in &texts {
            store.commit(text).expect("at most 3,600 bytes of UTF-8");
        }
        let store = reopen(store);
        let back: Vec<_> = store.history().map(|entry| entry.record.clone()).collect();
        let expected: Vec<_> = texts.iter().rev().take(10).cloned().collect();
        prop_assert_eq!(back, expected);
    }

    #[test]
    fn no_image_makes_open_panic(
        seed: u64,
        patches in prop::collection::vec((0..512 * 1024_usize, prop::collection::vec(any::<u8>(), 1..64)), 0..40),
        len in prop_oneof![4 => Just(512 * 1024), 1 => 0..600 * 1024_usize],
    ) {
        let mut store = memory();
        for n in 0..seed % 80 {
            store.commit(&n).expect("memory takes it");
        }
        let mut memory = store.into_backend();
        let image = memory.image_mut();
        for (at, bytes) in patches {
            image.iter_mut().skip(at).zip(bytes).for_each(|(to, from)| *to = from);
        }
        image.resize(len, 0);
        // Either outcome will do: many patches leave damage that must be refused.
        let _ = Store::<u64, _>::open_on(memory, &Config::new());
    }
}
