//! Devices that say anything at all, in every state of a job, while an operator wishes anything at all.

use std::time::Duration;

use feedhold_stream_core::{
    dialect::{Dialect, RealtimeCommand},
    streamer::{Config, Pause, Proceed, State},
};
use feedhold_tests::talk::Talk;
use proptest::prelude::*;

/// States that a job can be in, and how to get there.
const STATES: [(Dialect, State); 15] = [
    (Dialect::Grbl, State::Greeting),
    (Dialect::Grbl, State::Ready),
    (Dialect::Grbl, State::Streaming),
    (Dialect::Grbl, State::Pausing),
    (Dialect::Grbl, State::Paused),
    (Dialect::Grbl, State::Resuming),
    (Dialect::Grbl, State::AtStop),
    (Dialect::Grbl, State::Cancelling),
    (Dialect::Grbl, State::Faulted),
    (Dialect::Marlin, State::Greeting),
    (Dialect::Marlin, State::Ready),
    (Dialect::Marlin, State::Streaming),
    (Dialect::Marlin, State::Pausing),
    (Dialect::Marlin, State::Cancelling),
    (Dialect::Marlin, State::Faulted),
];

fn talk_in(dialect: Dialect, state: State) -> Talk {
    if state == State::Greeting {
        return Talk::plugged(Config::new(dialect));
    }
    let mut talk = Talk::greeted(Config::new(dialect));
    match state {
        State::Ready => {}
        State::AtStop => talk = talk.program("M0\nG1X1F100\n"),
        _ => talk = talk.moves(400),
    }
    let _ = talk.sent();
    let now = talk.now();
    match state {
        State::Pausing => talk.streamer.hold(now, Pause::Immediate).expect("it moves"),
        State::Paused => talk.hold(),
        State::Resuming => {
            talk.hold();
            talk.streamer.resume(now).expect("it waits");
        }
        State::Cancelling => talk.streamer.cancel(now).expect("it runs"),
        State::Faulted if dialect == Dialect::Marlin => talk.say("Resend: 4000000000"),
        State::Faulted => talk.say("error:20"),
        _ => {}
    }
    assert_eq!(talk.streamer.state(), state);
    let _ = (talk.events(), talk.sent());
    talk
}

/// Words of every firmware, with numbers from the edges, and noise.
fn babble() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "ok",
        "ok\r",
        "ok N3 P15 B3",
        "ok N18446744073709551615",
        "ok T:20 /0 B:20 /0",
        "error:20",
        "error:9",
        "error:",
        "ALARM:1",
        "ALARM:9999999999",
        "start",
        "Grbl 1.1h ['$' for help]",
        "Resend: 1",
        "Resend: 18446744073709551615",
        "rs N7",
        "wait",
        "Error:Line Number is not Last Line Number+1, Last Line: 18446744073709551615",
        "Error:checksum mismatch, Last Line: 3",
        "Error:Printer halted. kill() called!",
        "echo:busy: processing",
        "//action:pause",
        "//action:resume",
        "//action:cancel",
        "<Idle|MPos:0,0,0|FS:0,0>",
        "<Run|MPos:1e300,0,0|FS:0,0>",
        "<Hold:0|MPos:0,0,0|Bf:65535,65535>",
        "<Hold:1|MPos:0,0,0>",
        "<Door:0|MPos:0,0,0>",
        "<Alarm|MPos:0,0,0>",
        "<Alarm>",
        "<",
        "[OPT:V,65535,65535]",
        "[OPT:V,0,0]",
        "[VER:1.1h:]",
        "Cap:EMERGENCY_PARSER:1",
        "FIRMWARE_NAME:Marlin",
        "T:nan /inf",
        "\0",
    ]);
    let word = words.prop_map(|word| format!("{word}\n").into_bytes());
    let noise = prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![6 => word, 1 => noise]
}

/// One thing that happens to a job.
#[derive(Debug, Clone)]
enum Step {
    Hear(Vec<u8>),
    Pass(u64),
    Operator(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => babble().prop_map(Step::Hear),
        2 => (0_u64..4_000).prop_map(Step::Pass),
        1 => (0_u8..9).prop_map(Step::Operator),
    ];
    prop::collection::vec(step, 1..60)
}

/// Whatever the operator wishes; most wishes do not fit and are refused.
fn wish(talk: &mut Talk, which: u8) {
    let now = talk.now();
    let streamer = &mut talk.streamer;
    let _ = match which {
        0 => streamer.hold(now, Pause::Immediate).is_ok(),
        1 => streamer.hold(now, Pause::Graceful).is_ok(),
        2 => streamer.resume(now).is_ok(),
        3 => streamer.cancel(now).is_ok(),
        4 => streamer.proceed(now, Proceed::Skip).is_ok(),
        5 => streamer.reset(now).is_ok(),
        6 => streamer.command(b"G4 P1").is_ok(),
        7 => streamer.command(b"$100=250").is_ok(),
        _ => streamer.realtime(RealtimeCommand::Status),
    };
}

fn moves_something(sent: &str) -> bool {
    sent.contains("G1X")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// No panic, bounded events, the four positions in order, and no line of the program while the machine should stand.
    #[test]
    fn babble_never_moves_a_machine_that_stands(place in 0..STATES.len(), steps in steps()) {
        let (dialect, state) = STATES[place];
        let mut talk = talk_in(dialect, state);
        for step in steps {
            let before = talk.streamer.state();
            match &step {
                Step::Hear(bytes) => talk.hear(bytes),
                Step::Pass(ms) => talk.pass(Duration::from_millis(*ms)),
                Step::Operator(which) => wish(&mut talk, *which),
            }
            let sent = talk.sent();
            let after = talk.streamer.state();
            let stands = |state| matches!(state, State::Disconnected | State::Greeting | State::Ready | State::Paused | State::Faulted | State::AtStop);
            prop_assert!(!(stands(before) && stands(after) && moves_something(&sent)), "{before:?} to {after:?} at {step:?} sent {sent:?}");
            let at = talk.streamer.positions();
            prop_assert!(at.executed <= at.acked && at.acked <= at.sent && at.sent <= at.ceiling, "{at:?} at {step:?}");
            prop_assert!(talk.events().len() < 1_000);
        }
    }

    /// A device that says the same two things for ever fills nothing, even when nobody collects the events.
    #[test]
    fn endless_babble_stays_in_bounded_memory(place in 0..STATES.len(), one in babble(), two in babble()) {
        let (dialect, state) = STATES[place];
        let mut talk = talk_in(dialect, state);
        for _ in 0..400 {
            talk.hear(&one);
            talk.hear(&two);
        }
        prop_assert!(talk.events().len() < 600);
    }
}

#[test]
fn megabytes_without_a_line_end_change_nothing() {
    for (dialect, state) in STATES {
        let mut talk = talk_in(dialect, state);
        let at = talk.streamer.positions();
        for _ in 0..64 {
            talk.hear(&[b'o'; 16 * 1024]);
        }
        assert_eq!(talk.streamer.positions(), at);
        assert_eq!(talk.streamer.state(), state, "{dialect}");
        assert!(talk.events().is_empty(), "{dialect} {state:?}");
    }
}
