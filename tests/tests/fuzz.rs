//! The inputs that fuzzing has found, judged again, and small changes of them. `cargo xtask fuzz` looks for new ones.

use std::collections::BTreeSet;
use std::panic::catch_unwind;

use feedhold_tests::fuzz::{Corpus, TARGETS, Target, mutated, streamer_reaches};
use xtask::gcode::Rng;

/// Chooses the changes.
const SEED: u64 = 0xF00D;

fn target(name: &str) -> (&'static Target, Corpus) {
    let target = TARGETS
        .iter()
        .find(|target| target.name == name)
        .expect("a target of this name");
    let corpus = Corpus::of(name).expect("a folder of inputs");
    assert!(
        corpus.samples.len() >= 10,
        "{} inputs of {name}",
        corpus.samples.len()
    );
    (target, corpus)
}

fn replay(name: &str) {
    let (target, corpus) = target(name);
    for sample in &corpus.samples {
        let judged = catch_unwind(|| (target.judge)(&sample.bytes));
        assert!(judged.is_ok(), "{} breaks a law", sample.path.display());
    }
}

fn mutate(name: &str) {
    let (target, corpus) = target(name);
    let mut rng = Rng::new(SEED);
    for count in 0..target.mutations {
        let mut sample = || &corpus.samples[rng.below(corpus.samples.len() as u64) as usize].bytes;
        let (one, other) = (sample(), sample());
        let bytes = mutated(one, other, &mut rng);
        let judged = catch_unwind(|| (target.judge)(&bytes));
        assert!(
            judged.is_ok(),
            "seed {SEED:#x}, change {count}: {} breaks a law",
            bytes.escape_ascii()
        );
    }
}

/// Laws of states that no input reaches would prove nothing.
#[test]
fn the_streamer_is_brought_into_every_state() {
    let (_, corpus) = target("streamer");
    let reached: BTreeSet<String> = corpus
        .samples
        .iter()
        .flat_map(|sample| streamer_reaches(&sample.bytes))
        .collect();
    let all = [
        "Disconnected",
        "Greeting",
        "Ready",
        "Streaming",
        "Pausing",
        "Paused",
        "Resuming",
        "AtStop",
        "Cancelling",
        "Faulted",
        "Honest",
    ];
    for state in all {
        assert!(reached.contains(state), "{state} is not among {reached:?}");
    }
}

macro_rules! targets {
    ($($name:ident),+) => {$(
        mod $name {
            #[test]
            fn what_was_found_once_is_right() {
                super::replay(stringify!($name));
            }

            #[test]
            fn and_so_is_what_is_like_it() {
                super::mutate(stringify!($name));
            }
        }
    )+

        #[test]
        fn no_target_is_left_out() {
            let tested = [$(stringify!($name)),+];
            assert!(TARGETS.iter().map(|target| target.name).eq(tested));
        }
    };
}

targets!(
    lexer,
    interpret,
    wire,
    responses,
    address,
    files,
    kept,
    simulator,
    checkpoint_open,
    streamer
);
