use std::thread;

use proptest::prelude::*;

use super::*;

fn changes(budget: &Budget) -> Vec<(Level, Level)> {
    core::iter::from_fn(|| budget.poll_change().map(|change| (change.from, change.to))).collect()
}

#[test]
fn a_forced_fill_tells_warning_once_then_critical_once() {
    let budget = Budget::cnc();
    let step = budget.limit() / 100;
    let mut held = Vec::new();
    let mut told = Vec::new();
    for _ in 0..95 {
        held.extend(budget.try_acquire(step));
        told.extend(changes(&budget));
    }
    assert_eq!(
        told,
        [
            (Level::Normal, Level::Warning),
            (Level::Warning, Level::Critical)
        ]
    );
}

#[test]
fn a_jump_tells_every_level_on_the_way() {
    let budget = Budget::new(100);
    let permit = budget.try_acquire(100);
    assert_eq!(
        changes(&budget),
        [
            (Level::Normal, Level::Warning),
            (Level::Warning, Level::Critical),
            (Level::Critical, Level::Maximum)
        ]
    );
    drop(permit);
    assert_eq!(changes(&budget), [(Level::Maximum, Level::Normal)]);
}

#[test]
fn a_fill_that_trembles_on_a_threshold_is_told_once() {
    let budget = Budget::new(1000);
    let _base = budget.try_acquire(790);
    let mut told = Vec::new();
    for _ in 0..50 {
        let over = budget.try_acquire(15);
        told.extend(changes(&budget));
        drop(over);
        told.extend(changes(&budget));
    }
    assert_eq!(told, [(Level::Normal, Level::Warning)]);
}

#[test]
fn levels_of_the_presets() {
    let check = |thresholds: Thresholds, expected: [(usize, Level); 6]| {
        for (fill, level) in expected {
            let budget = Budget::with_thresholds(1000, thresholds);
            let _permit = budget.try_acquire(fill);
            assert_eq!(budget.level(), level, "{thresholds:?} at {fill}");
        }
    };
    use Level::{Critical, Maximum, Normal, Warning};
    check(
        Thresholds::CNC,
        [
            (0, Normal),
            (799, Normal),
            (800, Warning),
            (899, Warning),
            (900, Critical),
            (1000, Maximum),
        ],
    );
    check(
        Thresholds::FILE,
        [
            (599, Normal),
            (600, Warning),
            (749, Warning),
            (750, Critical),
            (849, Critical),
            (850, Maximum),
        ],
    );
    check(
        Thresholds::PRIME,
        [
            (699, Normal),
            (700, Warning),
            (899, Warning),
            (900, Critical),
            (949, Critical),
            (950, Maximum),
        ],
    );
}

#[test]
fn senseless_thresholds_are_refused() {
    for (warning, critical, maximum, hysteresis) in [
        (900, 800, 1000, 10),
        (800, 800, 1000, 10),
        (800, 900, 850, 10),
        (800, 900, 1001, 10),
        (100, 900, 1000, 100),
    ] {
        let error = Thresholds::new(warning, critical, maximum, hysteresis);
        assert!(
            error.is_err(),
            "{warning} {critical} {maximum} {hysteresis}"
        );
    }
    assert_eq!(Thresholds::new(800, 900, 1000, 50), Ok(Thresholds::CNC));
}

#[test]
fn permits_split_shrink_grow_and_merge() {
    let budget = Budget::new(100);
    let mut permit = budget.try_acquire(60).expect("room");
    let part = permit.split(20).expect("20 of 60");
    assert_eq!((permit.bytes(), part.bytes(), budget.used()), (40, 20, 60));
    assert!(permit.split(41).is_none());
    permit.shrink_to(10);
    assert_eq!((permit.bytes(), budget.used()), (10, 30));
    assert!(permit.try_grow(70));
    assert!(!permit.try_grow(1), "full");
    permit.merge(part);
    assert_eq!((permit.bytes(), budget.used()), (100, 100));
    permit.merge(Budget::new(5).try_acquire(5).expect("room"));
    assert_eq!(
        permit.bytes(),
        100,
        "bytes of another budget never count here"
    );
    drop(permit);
    assert_eq!((budget.used(), budget.high_water()), (0, 100));
}

#[test]
fn an_absurd_request_is_refused_without_overflow() {
    let budget = Budget::new(usize::MAX);
    let _one = budget.try_acquire(1).expect("room");
    assert!(budget.try_acquire(usize::MAX).is_none());
    assert_eq!(Budget::new(0).fraction(), 1.0);
}

#[test]
fn threads_never_overdraw() {
    let budget = Budget::new(10_000);
    thread::scope(|scope| {
        for worker in 0..4_usize {
            let budget = budget.clone();
            scope.spawn(move || {
                for round in 0..2_000_usize {
                    let permit = budget.try_acquire((round * 37 + worker * 911) % 4_000);
                    assert!(budget.used() <= budget.limit());
                    drop(permit);
                }
            });
        }
    });
    assert_eq!(budget.used(), 0);
    assert!(budget.high_water() <= budget.limit());
}

proptest! {
    #[test]
    fn used_is_the_sum_of_live_permits(requests in prop::collection::vec((0_usize..400, any::<bool>()), 0..64)) {
        let budget = Budget::new(1000);
        let mut held: Vec<Permit> = Vec::new();
        for (bytes, release) in requests {
            if release {
                held.pop();
            }
            held.extend(budget.try_acquire(bytes));
            prop_assert_eq!(budget.used(), held.iter().map(Permit::bytes).sum::<usize>());
            prop_assert!(budget.used() <= 1000);
        }
    }
}
