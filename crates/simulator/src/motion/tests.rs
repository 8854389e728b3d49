use std::time::Duration;

use proptest::prelude::*;

use super::planner::{Limits, Overrides, Planner, Rate};
use super::*;
use crate::log::{Coolant, Entry, Kind, LogMode, MotionLog};

const LIMITS: Limits = Limits {
    max_speed: [100.0, 100.0, 50.0, 50.0],
    acceleration: [500.0, 500.0, 200.0, 1000.0],
    junction_deviation: 0.01,
};

fn entry(target: Vector) -> Entry {
    Entry {
        start: Duration::ZERO,
        finish: Duration::ZERO,
        kind: Kind::Linear,
        target,
        feed_mm_per_min: 600.0,
        spindle_rpm: 0.0,
        coolant: Coolant::default(),
        line: None,
        fraction: 1.0,
    }
}

fn mover() -> Mover {
    Mover::new(MoverConfig {
        limits: LIMITS,
        blocks: 15,
        segments: 5,
        segment_time: 0.01,
        start: [0.0; 4],
    })
}

fn log() -> MotionLog {
    MotionLog::new(LogMode::Keep { limit: 10_000 })
}

fn push(mover: &mut Mover, now: Duration, target: Vector, rate: Rate, log: &mut MotionLog) {
    let length = norm(sub(target, mover.planned_position()));
    let tag = mover.begin(entry(target), length);
    mover.push(tag, target, rate);
    mover.complete(now, tag, log);
}

/// Runs to the end and returns when that was; `each` sees every segment's end.
fn run(mover: &mut Mover, log: &mut MotionLog, mut each: impl FnMut(&Mover, Duration)) -> Duration {
    let mut now = Duration::ZERO;
    while let Some(at) = mover.next_event() {
        now = at;
        mover.step(at, log);
        each(mover, at);
    }
    now
}

fn seconds(d: Duration) -> f64 {
    d.as_secs_f64()
}

#[test]
fn one_move_takes_the_time_of_its_trapezoid() {
    // (target x, feed mm/s, acceleration 500): long enough to cruise, and a triangle.
    let cases = [(100.0, 50.0), (1.0, 90.0), (0.01, 10.0), (30.0, 0.5)];
    for (x, feed) in cases {
        let (mut mover, mut log) = (mover(), log());
        push(
            &mut mover,
            Duration::ZERO,
            [x, 0.0, 0.0, 0.0],
            Rate::Feed(feed),
            &mut log,
        );
        mover.start(Duration::ZERO);
        let took = seconds(run(&mut mover, &mut log, |_, _| {}));
        let ramp = feed * feed / 500.0;
        let expected = if ramp <= x {
            2.0 * feed / 500.0 + (x - ramp) / feed
        } else {
            2.0 * (x / 500.0_f64).sqrt()
        };
        assert!(
            (took - expected).abs() < 1e-6,
            "{x} at {feed}: {took} instead of {expected}"
        );
        assert_eq!(log.len(), 1);
    }
}

#[test]
fn an_axis_limit_bounds_a_rapid() {
    let (mut mover, mut log) = (mover(), log());
    push(
        &mut mover,
        Duration::ZERO,
        [0.0, 0.0, 100.0, 0.0],
        Rate::Rapid,
        &mut log,
    );
    mover.start(Duration::ZERO);
    let took = seconds(run(&mut mover, &mut log, |_, _| {}));
    let expected = 2.0 * 50.0 / 200.0 + (100.0 - 12.5) / 50.0;
    assert!(
        (took - expected).abs() < 1e-6,
        "{took} instead of {expected}"
    );
}

#[test]
fn a_straight_line_in_pieces_is_as_fast_as_whole() {
    let time = |pieces: u32| {
        let (mut mover, mut log) = (mover(), log());
        for n in 1..=pieces {
            let x = 10.0 * f64::from(n) / f64::from(pieces);
            push(
                &mut mover,
                Duration::ZERO,
                [x, 0.0, 0.0, 0.0],
                Rate::Feed(40.0),
                &mut log,
            );
        }
        mover.start(Duration::ZERO);
        seconds(run(&mut mover, &mut log, |_, _| {}))
    };
    assert!((time(1) - time(15)).abs() < 1e-6);
}

#[test]
fn a_hold_stands_in_the_middle_and_ends_where_it_would_have() {
    for after_ms in [0, 7, 20, 101, 350, 640, 900] {
        let (mut mover, mut log) = (mover(), log());
        for target in [
            [10.0, 0.0, 0.0, 0.0],
            [20.0, 1.0, 0.0, 0.0],
            [20.0, 20.0, 0.0, 0.0],
        ] {
            push(
                &mut mover,
                Duration::ZERO,
                target,
                Rate::Feed(40.0),
                &mut log,
            );
        }
        mover.start(Duration::ZERO);
        let at = Duration::from_millis(after_ms);
        while mover.step(at, &mut log) {}
        mover.hold();
        let stood = run(&mut mover, &mut log, |_, _| {});
        let there = mover.position(stood);
        assert_eq!(mover.speed(), 0.0);
        assert!(mover.blocks_used() > 0, "held after {after_ms} ms");
        assert_eq!(mover.position(stood + Duration::from_secs(300)), there);
        mover.resume(stood + Duration::from_secs(300));
        let end = run(&mut mover, &mut log, |_, _| {});
        assert_eq!(mover.position(end), [20.0, 20.0, 0.0, 0.0]);
        assert_eq!(log.entries().filter(|e| e.fraction == 1.0).count(), 3);
    }
}

#[test]
fn an_abort_tells_the_part_that_was_made() {
    let (mut mover, mut log) = (mover(), log());
    push(
        &mut mover,
        Duration::ZERO,
        [10.0, 0.0, 0.0, 0.0],
        Rate::Feed(10.0),
        &mut log,
    );
    push(
        &mut mover,
        Duration::ZERO,
        [20.0, 0.0, 0.0, 0.0],
        Rate::Feed(10.0),
        &mut log,
    );
    mover.start(Duration::ZERO);
    let at = Duration::from_millis(505);
    while mover.step(at, &mut log) {}
    let x = mover.position(at)[0];
    mover.abort(at, &mut log);
    let entries: Vec<_> = log.entries().collect();
    assert_eq!(entries.len(), 1);
    assert!((entries[0].fraction - x / 10.0).abs() < 1e-9);
    assert!(mover.is_drained());
    assert_eq!(mover.planned_position()[0], x);
}

#[test]
fn overrides_change_the_speed_within_the_segment_buffer() {
    let (mut mover, mut log) = (mover(), log());
    push(
        &mut mover,
        Duration::ZERO,
        [100.0, 0.0, 0.0, 0.0],
        Rate::Feed(10.0),
        &mut log,
    );
    mover.start(Duration::ZERO);
    let at = Duration::from_millis(500);
    while mover.step(at, &mut log) {}
    mover.set_overrides(2.0, 1.0);
    let later = Duration::from_millis(650);
    while mover.step(later, &mut log) {}
    assert_eq!(mover.speed(), 20.0);
    mover.set_overrides(0.1, 1.0);
    while mover.step(Duration::from_millis(800), &mut log) {}
    assert_eq!(mover.speed(), 1.0);
}

#[test]
fn a_motion_without_length_is_logged_in_its_place() {
    let (mut mover, mut log) = (mover(), log());
    for x in [1.0, 1.0, 2.0] {
        push(
            &mut mover,
            Duration::ZERO,
            [x, 0.0, 0.0, 0.0],
            Rate::Feed(10.0),
            &mut log,
        );
    }
    assert_eq!((log.len(), mover.blocks_used()), (0, 2));
    mover.start(Duration::ZERO);
    run(&mut mover, &mut log, |_, _| {});
    let entries: Vec<_> = log
        .entries()
        .map(|e| (e.target[0], e.start == e.finish))
        .collect();
    assert_eq!(entries, [(1.0, false), (1.0, true), (2.0, false)]);
}

#[test]
fn chords_stay_within_the_tolerance_and_end_exactly() {
    let (from, to) = ([10.0, 0.0, 0.0, 0.0], [0.0, 10.0, 5.0, 0.0]);
    let path = ArcPath::new(from, to, [0.0, 0.0], [0, 1], Turn::CounterClockwise, 0.002);
    assert!((path.shape().sweep - std::f64::consts::FRAC_PI_2).abs() < 1e-12);
    let mut before = from;
    let points: Vec<_> = path.collect();
    for point in &points {
        let middle = [
            f64::midpoint(before[0], point[0]),
            f64::midpoint(before[1], point[1]),
        ];
        assert!((10.0 - middle[0].hypot(middle[1])).abs() < 0.002 * 1.2);
        before = *point;
    }
    assert_eq!(points.last(), Some(&to));
    let full = ArcPath::new(from, from, [0.0, 0.0], [0, 1], Turn::Clockwise, 0.002);
    assert!((full.shape().sweep + std::f64::consts::TAU).abs() < 1e-12);
}

fn paths() -> impl Strategy<Value = Vec<(f64, f64, f64, f64)>> {
    prop::collection::vec(
        (-20.0..20.0f64, -20.0..20.0f64, -5.0..5.0f64, 0.1..150.0f64),
        1..15,
    )
}

proptest! {
    /// No block is entered or left faster than its corner, its feed or its length allow.
    #[test]
    fn the_plan_keeps_every_limit(path in paths(), overrides in prop::option::of(0.1..2.0f64)) {
        let mut planner = Planner::new(15, LIMITS);
        let mut at = [0.0; 4];
        for (x, y, z, feed) in path {
            let target = [x, y, z, 0.0];
            planner.push(0, target, sub(target, at), Rate::Feed(feed));
            at = target;
        }
        if let Some(feed) = overrides {
            planner.set_overrides(Overrides { feed, rapid: 1.0 });
        }
        let blocks: Vec<_> = planner.blocks().copied().collect();
        for (n, block) in blocks.iter().enumerate() {
            let exit_sqr = blocks.get(n + 1).map_or(0.0, |next| next.entry_sqr);
            let change = (exit_sqr - block.entry_sqr).abs();
            prop_assert!(change <= 2.0 * block.acceleration * block.length + 1e-6);
            let nominal = block.nominal(planner.overrides());
            prop_assert!(block.entry_sqr <= nominal * nominal + 1e-9);
            prop_assert!(block.unit.iter().zip(LIMITS.acceleration)
                .all(|(part, limit)| (part * block.acceleration).abs() <= limit + 1e-9));
            if let Some(next) = blocks.get(n + 1) {
                // The circle that junction deviation draws into the corner, at the hardest
                // acceleration that any direction allows.
                let cos = block.unit.iter().zip(next.unit).map(|(a, b)| a * b).sum::<f64>();
                if cos < 0.999 {
                    let half = (f64::midpoint(1.0, cos)).max(0.0).sqrt();
                    let radius = LIMITS.junction_deviation * half / (1.0 - half);
                    prop_assert!(exit_sqr <= norm([500.0, 500.0, 200.0, 0.0]) * radius + 1e-6);
                }
            }
        }
    }

    /// What is stepped never jumps: speed along the path and its change stay within the limits, and
    /// everything ends where the program says, whatever holds come between.
    #[test]
    fn stepping_keeps_the_plan(path in paths(), holds in prop::collection::vec(0u64..4000, 0..4)) {
        let (mut mover, mut log) = (mover(), log());
        let mut last = [0.0; 4];
        for (x, y, z, feed) in &path {
            last = [*x, *y, *z, 0.0];
            push(&mut mover, Duration::ZERO, last, Rate::Feed(*feed), &mut log);
        }
        mover.start(Duration::ZERO);
        for hold in holds {
            let at = Duration::from_millis(hold);
            while mover.step(at, &mut log) {}
            mover.hold();
            let stood = run(&mut mover, &mut log, |_, _| {}).max(at);
            mover.resume(stood);
        }
        let mut before = (Duration::ZERO, mover.position(Duration::ZERO));
        run(&mut mover, &mut log, |mover, at| {
            let here = mover.position(at);
            let time = seconds(at.saturating_sub(before.0));
            if before.0 > Duration::ZERO && time > 1e-6 {
                let delta = sub(here, before.1);
                for (axis, part) in delta.iter().enumerate() {
                    assert!(part.abs() <= LIMITS.max_speed[axis] * time * 1.001 + 1e-6, "axis {axis}");
                }
            }
            before = (at, here);
        });
        prop_assert_eq!(before.1, last);
        prop_assert_eq!(log.len(), path.len() as u64);
    }
}
