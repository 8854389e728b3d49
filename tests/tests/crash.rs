//! The checkpoint store under power cuts, damage and failing disks: the sample of `cargo xtask crash`, and random courses.

use clap::ValueEnum;
use feedhold_tests::crash::{
    Step,
    bugs::Bug,
    campaign::{Campaign, Scale},
    play::{self, Event},
    report::Tally,
};
use proptest::prelude::*;

fn campaign(bug: Option<Bug>) -> Campaign {
    Campaign {
        scale: Scale::Test,
        seed: 1,
        bug,
        threads: 2,
    }
}

/// Nothing acknowledged is lost and nothing wrong is taken, and as much is tried as the sample says.
#[test]
fn what_a_test_can_try_breaks_nothing() {
    let rows = campaign(None).run(|_| ());
    let mut total = Tally::default();
    for row in &rows {
        assert_eq!(row.broken, None, "{}", row.what);
        assert!(row.tally.points > 0, "{} tried nothing", row.what);
        total.add(&row.tally);
    }
    assert!(
        total.subsets > 500_000 && total.judged > 5_000,
        "{total:?} is no exploration"
    );
    assert!(total.refused > 0 && total.limits > 0 && total.sampled > 0);
}

#[test]
fn every_planted_mistake_is_caught() {
    for bug in Bug::value_variants() {
        let rows = campaign(Some(*bug)).run(|_| ());
        assert!(
            rows.iter().any(|row| row.broken.is_some()),
            "{bug:?} went through"
        );
    }
}

fn event() -> impl Strategy<Value = Event> {
    let filler = prop_oneof![Just(20), Just(600), 0..3_900_usize];
    prop_oneof![
        12 => filler.prop_map(|filler| Event::Take(Step::Commit { filler })),
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
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_course_of_events_keeps_the_law(
        seed: u64,
        events in prop::collection::vec(event(), 1..60),
    ) {
        let broken = play::play(seed, &events, None, &mut Tally::default()).err();
        prop_assert!(broken.is_none(), "{broken:?}");
    }
}
