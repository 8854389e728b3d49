//! Real files: creation, the lock, moving aside, looking from outside, and forgetting.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use feedhold_checkpoint::{
    Config, CreateError, Expired, IMAGE_LEN, KEEP_FINISHED, LockError, OpenError, QuarantineError,
    RemoveError, Removed, Store, expired, peek, quarantine,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn create(dir: &Path) -> Store<u64> {
    Store::create(dir, &Config::new()).expect("a fresh directory")
}

fn open(dir: &Path) -> Result<Store<u64>, OpenError> {
    Store::open(dir, &Config::new()).map(|opened| opened.store)
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("a directory").flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_job_survives_being_closed_and_opened() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let dir = root.path().join("jobs").join("first");
    let mut store = create(&dir);
    store.commit(&1).expect("room on the disk");
    drop(store);
    let mut store = open(&dir).expect("a sound store");
    assert_eq!(store.latest(), Some(&1));
    store.commit(&2).expect("room on the disk");
    drop(store);
    assert_eq!(open(&dir).expect("a sound store").latest(), Some(&2));
    assert_eq!(names(&dir), ["checkpoint.fhc", "checkpoint.lock"]);
}

#[test]
fn the_file_has_its_full_size_from_the_start_and_never_grows() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut store = create(dir.path());
    let file = dir.path().join("checkpoint.fhc");
    let len = || fs::metadata(&file).expect("the store").len();
    assert_eq!(len(), IMAGE_LEN as u64);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let allocated = fs::metadata(&file).expect("the store").blocks() * 512;
        assert!(
            allocated >= IMAGE_LEN as u64,
            "only {allocated} bytes are allocated"
        );
    }
    for n in 0..130 {
        store.commit(&n).expect("room on the disk");
    }
    assert_eq!(len(), IMAGE_LEN as u64);
}

#[test]
fn a_store_is_never_created_over_another() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    drop(create(dir.path()));
    let outcome = Store::<u64>::create(dir.path(), &Config::new());
    assert!(
        matches!(outcome, Err(CreateError::Exists { .. })),
        "{outcome:?}"
    );
}

#[test]
fn what_an_interrupted_creation_left_is_no_store() {
    for left in [0, 100, IMAGE_LEN] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::write(dir.path().join("checkpoint.new"), vec![0x55; left]).expect("room");
        assert!(matches!(open(dir.path()), Err(OpenError::NotFound { .. })));
        create(dir.path()).commit(&1).expect("room on the disk");
        assert_eq!(open(dir.path()).expect("a sound store").latest(), Some(&1));
    }
}

#[test]
fn looking_for_a_job_that_is_not_there_leaves_no_trace() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for dir in [dir.path().to_owned(), dir.path().join("missing")] {
        assert!(matches!(open(&dir), Err(OpenError::NotFound { .. })));
        let moved = quarantine(&dir);
        assert!(
            matches!(moved, Err(QuarantineError::NotFound { .. })),
            "{moved:?}"
        );
    }
    assert!(!dir.path().join("missing").exists());
    assert!(!dir.path().join("checkpoint.fhc").exists());
}

#[test]
fn one_owner_at_a_time() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = create(dir.path());
    let message = open(dir.path()).expect_err("locked").to_string();
    let lock = dir.path().join("checkpoint.lock");
    let expected = format!(
        "{} is locked by process {}: the job is open elsewhere; stop it there first",
        lock.display(),
        std::process::id()
    );
    assert_eq!(message, expected);
    let outcome = Store::<u64>::create(dir.path(), &Config::new());
    assert!(
        matches!(outcome, Err(CreateError::Lock(LockError::Held { .. }))),
        "{outcome:?}"
    );
    let outcome = quarantine(dir.path());
    assert!(
        matches!(outcome, Err(QuarantineError::Lock(LockError::Held { .. }))),
        "{outcome:?}"
    );
    drop(store);
    open(dir.path()).expect("free again");
}

#[test]
fn a_damaged_store_is_refused_and_moved_aside_unchanged() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("checkpoint.fhc");
    for number in 1..=2 {
        drop(create(dir.path()));
        let damaged = vec![number; 1_000];
        fs::write(&path, &damaged).expect("room");
        let error = open(dir.path()).expect_err("damaged");
        assert!(error.is_damage(), "{error}");
        assert!(
            error.to_string().contains(&path.display().to_string()),
            "{error}"
        );
        assert_eq!(
            fs::read(&path).expect("still there"),
            damaged,
            "opening changed it"
        );

        let aside = quarantine(dir.path()).expect("a rename");
        assert_eq!(
            aside,
            dir.path().join(format!("checkpoint.damaged-{number}.fhc"))
        );
        assert_eq!(fs::read(aside).expect("moved"), damaged);
        assert!(matches!(open(dir.path()), Err(OpenError::NotFound { .. })));
    }
}

#[test]
fn a_running_job_can_be_looked_at() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut store = create(dir.path());
    for n in 1..=12 {
        store.commit(&n).expect("room on the disk");
    }
    let seen = peek::<u64>(dir.path(), &Config::new()).expect("no lock needed");
    assert_eq!((seen.id, seen.generation), (store.id(), store.generation()));
    assert_eq!(seen.finished_at, None);
    let numbers: Vec<_> = seen.history.iter().map(|entry| entry.record).collect();
    assert_eq!(numbers, (3..=12).rev().collect::<Vec<_>>());
    store.finish().expect("room on the disk");
    assert!(
        peek::<u64>(dir.path(), &Config::new())
            .expect("sound")
            .finished_at
            .is_some()
    );
}

fn day(n: u32) -> SystemTime {
    UNIX_EPOCH + DAY * n
}

fn dirs(list: &[Expired]) -> Vec<&str> {
    list.iter()
        .filter_map(|job| job.dir().file_name()?.to_str())
        .collect()
}

/// Jobs finished on the days 1, 5 and 100, one not finished, one damaged, and what is no job.
fn jobs() -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a temporary directory");
    for n in [1, 5, 100] {
        let mut store = create(&root.path().join(format!("day {n}")));
        store
            .commit_at(&u64::from(n), day(n))
            .expect("room on the disk");
        store.finish_at(day(n)).expect("room on the disk");
    }
    create(&root.path().join("running"))
        .commit_at(&1, day(1))
        .expect("room on the disk");
    fs::create_dir(root.path().join("damaged")).expect("room");
    fs::write(root.path().join("damaged/checkpoint.fhc"), "?").expect("room");
    fs::create_dir(root.path().join("photos")).expect("room");
    fs::write(root.path().join("a file"), "text").expect("room");
    root
}

#[test]
fn only_finished_jobs_expire_and_only_after_the_time_given() {
    let root = jobs();
    let at = |n, keep| expired(root.path(), keep, day(n)).expect("a directory");
    assert_eq!(dirs(&at(7, KEEP_FINISHED)), Vec::<&str>::new());
    assert_eq!(dirs(&at(8, KEEP_FINISHED)), ["day 1"]);
    assert_eq!(dirs(&at(12, KEEP_FINISHED)), ["day 1", "day 5"]);
    assert_eq!(dirs(&at(5, Duration::ZERO)), ["day 1", "day 5"]);
    let missing = expired(&root.path().join("missing"), KEEP_FINISHED, day(8));
    assert_eq!(missing.expect("nothing there is nothing to do"), []);
    assert!(expired(&root.path().join("a file"), KEEP_FINISHED, day(8)).is_err());
}

#[test]
fn an_expired_job_goes_and_what_others_put_there_stays() {
    let root = jobs();
    fs::write(
        root.path().join("day 5/checkpoint.damaged-1.fhc"),
        "evidence",
    )
    .expect("room");
    let list = expired(root.path(), KEEP_FINISHED, day(20)).expect("a directory");
    let removed: Vec<_> = list
        .into_iter()
        .map(|job| job.remove().expect("free"))
        .collect();
    assert_eq!(removed, [Removed::Directory, Removed::StoreOnly]);
    assert!(!root.path().join("day 1").exists());
    assert_eq!(
        names(&root.path().join("day 5")),
        ["checkpoint.damaged-1.fhc"]
    );
    assert_eq!(
        names(root.path()),
        ["a file", "damaged", "day 100", "day 5", "photos", "running"]
    );
}

#[test]
fn a_job_in_use_or_started_anew_is_not_removed() {
    let root = jobs();
    let list = || {
        expired(root.path(), KEEP_FINISHED, day(8))
            .expect("a directory")
            .remove(0)
    };
    let dir = root.path().join("day 1");

    let job = list();
    let open_elsewhere = open(&dir).expect("a sound store");
    let outcome = job.remove();
    assert!(
        matches!(outcome, Err(RemoveError::Open(OpenError::Lock(_)))),
        "{outcome:?}"
    );
    drop(open_elsewhere);

    let job = list();
    fs::remove_file(dir.join("checkpoint.fhc")).expect("there");
    drop(create(&dir));
    let outcome = job.remove();
    assert!(
        matches!(outcome, Err(RemoveError::NotFinished { .. })),
        "{outcome:?}"
    );
    open(&dir).expect("the new job is untouched");
}
