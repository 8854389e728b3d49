use proptest::prelude::*;

use super::*;

/// Executes targets one after the other as soon as there is room; returns when it ends.
fn execute(planner: &mut Planner, moves: &[([f64; 4], f64)], limits: &Limits) -> Duration {
    let mut now = Duration::ZERO;
    for (target, feed) in moves {
        while planner.free() == 0 {
            now = planner.next_event().unwrap();
            planner.advance(now);
        }
        planner.push(now, *target, *feed, 1.0, limits);
    }
    drain(planner, now)
}

fn drain(planner: &mut Planner, mut now: Duration) -> Duration {
    while let Some(next) = planner.next_event() {
        now = next;
        planner.advance(now);
    }
    now
}

#[test]
fn a_single_move_takes_the_time_of_the_textbook() {
    // 100 mm at 100 mm/s with 3000 mm/s²: begins at the jerk of 10 mm/s, ends at a stand.
    let limits = Limits::default();
    let mut planner = Planner::new(16, Jerk::Classic);
    let end = execute(&mut planner, &[([100.0, 0.0, 0.0, 0.0], 100.0)], &limits);
    let (v, a, v0, v1) = (100.0, 3000.0, 10.0, MINIMUM_SPEED);
    let ramps = (2.0 * v * v - v0 * v0 - v1 * v1) / (2.0 * a);
    let expected = (v - v0) / a + (v - v1) / a + (100.0 - ramps) / v;
    let took = (end - FIRST_BLOCK_DELAY).as_secs_f64();
    assert!((took - expected).abs() < 1e-6, "{took} {expected}");
}

#[test]
fn limits_of_axes_bound_a_move() {
    // direction, feed -> speed and acceleration along the move
    let cases = [
        ([100.0, 0.0, 0.0, 0.0], 1000.0, 300.0, 3000.0),
        ([0.0, 0.0, 10.0, 0.0], 50.0, 5.0, 100.0),
        ([0.0, 0.0, 0.0, 10.0], 50.0, 25.0, 3000.0),
        ([30.0, 40.0, 0.0, 0.0], 1000.0, 375.0, 3000.0),
        ([3.0, 0.0, 4.0, 0.0], 100.0, 6.25, 125.0),
        ([10.0, 0.0, 0.0, 5.0], 100.0, 50.0, 3000.0),
    ];
    for (target, feed, speed, acceleration) in cases {
        let mut planner = Planner::new(16, Jerk::Classic);
        planner.push(Duration::ZERO, target, feed, 1.0, &Limits::default());
        let block = planner.blocks[0];
        assert!(
            (block.nominal - speed).abs() < 1e-9,
            "{target:?}: {block:?}"
        );
        assert!(
            (block.acceleration - acceleration).abs() < 1e-9,
            "{target:?}: {block:?}"
        );
    }
}

#[test]
fn corners_are_taken_at_the_speed_that_jerk_allows() {
    let limits = Limits::default();
    // second target -> entry speed of the second move at 50 mm/s
    let cases = [
        ([200.0, 0.0, 0.0, 0.0], 50.0),
        ([100.0, 100.0, 0.0, 0.0], 10.0),
        ([0.0, 0.0, 0.0, 0.0], 10.0),
        ([200.0, 10.0, 0.0, 0.0], 10.0 / (10.0 / 10_100.0_f64.sqrt())),
    ];
    for (second, expected) in cases {
        let mut planner = Planner::new(16, Jerk::Classic);
        for target in [[100.0, 0.0, 0.0, 0.0], second] {
            planner.push(Duration::ZERO, target, 50.0, 1.0, &limits);
        }
        let entry = planner.blocks[1].entry_sqr.sqrt();
        assert!(
            (entry - expected.min(50.0)).abs() < 1e-6,
            "{second:?}: {entry}"
        );
    }
}

#[test]
fn a_block_that_comes_late_begins_where_the_running_one_was_to_stop() {
    let limits = Limits::default();
    let mut planner = Planner::new(16, Jerk::Classic);
    planner.push(Duration::ZERO, [50.0, 0.0, 0.0, 0.0], 50.0, 1.0, &limits);
    planner.advance(FIRST_BLOCK_DELAY);
    planner.push(
        FIRST_BLOCK_DELAY,
        [100.0, 0.0, 0.0, 0.0],
        50.0,
        1.0,
        &limits,
    );
    assert!((planner.blocks[1].entry_sqr.sqrt() - MINIMUM_SPEED).abs() < 1e-12);
}

#[test]
fn limits_near_zero_slow_it_down_and_break_nothing() {
    let near_zero = Limits {
        jerk: [0.0; 4],
        max_feed: [0.001; 4],
        junction_deviation: 0.0,
        ..Limits::default()
    };
    for rule in [Jerk::Classic, Jerk::Junction] {
        let mut planner = Planner::new(16, rule);
        let corner = [
            [1.0, 0.0, 0.0, 0.0],
            [1.0, 1.0, 0.0, 9.0],
            [0.0, 0.0, 0.0, 0.0],
        ];
        let moves = corner.map(|target| (target, 100.0));
        let end = execute(&mut planner, &moves, &near_zero);
        assert!(end > Duration::from_secs(9000), "{rule:?}: {end:?}");
    }
}

#[test]
fn moves_shorter_than_a_step_are_not_lost() {
    let limits = Limits::default();
    let mut planner = Planner::new(16, Jerk::Classic);
    let blocks = (1..=100)
        .filter(|n| {
            planner
                .push(
                    Duration::ZERO,
                    [f64::from(*n) * 0.001, 0.0, 0.0, 0.0],
                    10.0,
                    1.0,
                    &limits,
                )
                .is_some()
        })
        .count();
    assert_eq!((blocks, planner.end()), (8, [8, 0, 0, 0]));
}

#[test]
fn short_segments_last_longer_while_the_planner_runs_low() {
    let limits = Limits::default();
    let times = |segment_time: f64| {
        let limits = Limits {
            min_segment_time: segment_time,
            ..limits.clone()
        };
        let mut planner = Planner::new(16, Jerk::Classic);
        let nominal = |planner: &mut Planner, n: u32| {
            planner.push(
                Duration::ZERO,
                [f64::from(n), 0.0, 0.0, 0.0],
                250.0,
                1.0,
                &limits,
            );
            planner
                .blocks
                .back()
                .map_or(0.0, |block| block.length / block.nominal)
        };
        (1..=12)
            .map(|n| nominal(&mut planner, n))
            .collect::<Vec<f64>>()
    };
    let short = 1.0 / 250.0;
    assert!(times(0.0).iter().all(|time| (time - short).abs() < 1e-9));
    let stretched = times(0.02);
    // The first two have no company yet; from seven waiting on, the planner is half full.
    for (waiting, time) in stretched.iter().enumerate() {
        let expected = if (2..=7).contains(&waiting) {
            short + 2.0 * (0.02 - short) / waiting as f64
        } else {
            short
        };
        assert!((time - expected).abs() < 1e-9, "{waiting} waiting: {time}");
    }
}

#[test]
fn the_first_block_waits_for_company() {
    let limits = Limits::default();
    let mut planner = Planner::new(16, Jerk::Classic);
    planner.push(Duration::ZERO, [1.0, 0.0, 0.0, 0.0], 10.0, 1.0, &limits);
    assert_eq!(planner.next_event(), Some(FIRST_BLOCK_DELAY));
    planner.push(
        Duration::from_millis(10),
        [2.0, 0.0, 0.0, 0.0],
        10.0,
        1.0,
        &limits,
    );
    planner.push(
        Duration::from_millis(20),
        [3.0, 0.0, 0.0, 0.0],
        10.0,
        1.0,
        &limits,
    );
    assert_eq!(planner.next_event(), Some(Duration::from_millis(20)));
}

fn moves() -> impl Strategy<Value = Vec<([f64; 4], f64)>> {
    let step = prop_oneof![3 => -0.5_f64..0.5, 2 => -30.0_f64..30.0, 1 => Just(0.0)];
    let way = [
        step.clone().boxed(),
        step.clone().boxed(),
        (-0.2_f64..0.2).boxed(),
        (-1.0_f64..1.0).boxed(),
    ];
    proptest::collection::vec((way, 1.0_f64..400.0), 1..60).prop_map(|ways| {
        let mut at = [0.0; 4];
        ways.into_iter()
            .map(|(way, feed)| {
                at = std::array::from_fn(|axis| at[axis] + way[axis]);
                (at, feed)
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_limit_is_ever_exceeded(moves in moves(), rule in prop_oneof![Just(Jerk::Classic), Just(Jerk::Junction)]) {
        let limits = Limits::default();
        let mut planner = Planner::new(16, rule);
        execute(&mut planner, &moves, &limits);
        let trace = std::mem::take(&mut planner.trace);
        for run in &trace {
            let (block, duration) = (run.block, run.profile.duration());
            for step in 0..=16_u32 {
                let (_, speed) = run.profile.at(duration * f64::from(step) / 16.0);
                for axis in 0..4 {
                    let most = limits.max_feed[axis] * (1.0 + 1e-9);
                    prop_assert!(speed * block.direction[axis].abs() <= most, "{run:?}");
                }
            }
            for axis in 0..4 {
                let most = limits.max_acceleration[axis] * (1.0 + 1e-9);
                prop_assert!(block.acceleration * block.direction[axis].abs() <= most);
            }
            // The end speed can be reached, and is.
            let end = run.profile.at(duration).1;
            prop_assert!((end - run.exit_sqr.sqrt()).abs() < 1e-4, "{run:?}");
        }
        for pair in trace.windows(2) {
            let [before, after] = pair else { continue };
            prop_assert!((before.exit_sqr - after.block.entry_sqr).abs() < 1e-6);
            if rule == Jerk::Classic {
                check_jerk(&before.block, &after.block, &limits)?;
            }
        }
    }

    #[test]
    fn a_fuller_planner_is_never_slower_by_much(moves in moves()) {
        let limits = Limits { min_segment_time: 0.0, ..Limits::default() };
        let time = |blocks: usize| execute(&mut Planner::new(blocks, Jerk::Classic), &moves, &limits).as_secs_f64();
        prop_assert!(time(64) <= time(8) * 1.02 + 0.001);
    }

    #[test]
    fn it_ends_where_it_was_told(moves in moves()) {
        let limits = Limits::default();
        let mut planner = Planner::new(16, Jerk::Classic);
        let end = execute(&mut planner, &moves, &limits);
        let target = moves.last().unwrap().0;
        for (axis, (is, told)) in planner.position(end, &limits).into_iter().zip(target).enumerate() {
            prop_assert!((is - told).abs() <= 0.5 / limits.steps_per_mm[axis] + 1e-9);
        }
    }
}

/// No axis jumps by more than its jerk, or turns round faster than its jerk; corners at the least speed
/// are always allowed.
fn check_jerk(before: &Block, after: &Block, limits: &Limits) -> Result<(), TestCaseError> {
    let speed = after.entry_sqr.sqrt();
    if speed <= MINIMUM_SPEED {
        return Ok(());
    }
    for axis in 0..4 {
        let (out, into) = (
            before.direction[axis] * speed,
            after.direction[axis] * speed,
        );
        let most = limits.jerk[axis] * (1.0 + 1e-9);
        let stops = out.abs() <= most && into.abs() <= most;
        prop_assert!(
            stops || (out - into).abs() <= most,
            "axis {axis}: {out} to {into}"
        );
    }
    Ok(())
}
