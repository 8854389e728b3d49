//! Controllers that misbehave: each gets a clear word for what is wrong, and nothing is sent that should not be.

use std::time::Duration;

use feedhold_simulator::{Config as Machine, Touch};
use feedhold_stream_core::{
    dialect::{Alarm, Dialect, RealtimeCommand},
    streamer::{Config, Event, Fault, GreetingError, MachineAction, Pause, Proceed, State},
};
use feedhold_tests::{
    talk::Talk,
    world::{End, World, assert_executed, assert_prefix, chunks},
};
use proptest::prelude::*;

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// Moves of about a second each, so that a fault at three seconds strikes in the middle.
fn moves(count: usize) -> String {
    let mut text = String::from("G21\nG90\n");
    for line in 1..=count {
        text.push_str(&format!("G1 X{} Y{} F1200\n", line % 2 * 20, line % 3));
    }
    text
}

fn world(params: &[(&str, &str)]) -> (String, World) {
    let program = moves(60);
    let all = [("baud", "115200"), ("heat", "instant")];
    let marlin = params.contains(&("controller", "marlin"));
    let all = all
        .iter()
        .filter(|(key, _)| marlin || *key != "heat")
        .chain(params)
        .copied();
    let all = params
        .iter()
        .filter(|(key, _)| *key == "controller")
        .copied()
        .chain(all);
    let machine = Machine::from_params(all).expect("the parameters are good");
    let dialect = if marlin {
        Dialect::Marlin
    } else {
        Dialect::Grbl
    };
    let mut world = World::new(Config::new(dialect), machine);
    world.load(chunks(dialect, &program, 10));
    (program, world)
}

/// Lines the machine has read and motions it has made.
fn work(world: &World) -> (u64, u64) {
    (world.machine.snapshot().lines, world.machine.log().len())
}

/// Runs into a fault; afterwards the machine hears nothing that moves it.
fn fault(params: &[(&str, &str)]) -> (Fault, World) {
    let (program, mut world) = world(params);
    let End::Fault(fault) = world.run(HOUR) else {
        panic!("{params:?}: no fault but {:?}", world.streamer);
    };
    let sent = world.streamer.positions().sent;
    assert!(sent < 62, "{params:?}: the job was through already");
    // What is on the wire still arrives.
    world.pass(SECOND / 10);
    let lines = world.machine.snapshot().lines;
    world.pass(60 * SECOND);
    // Behind a pulled cable the machine still reads what it holds.
    let reads_on = matches!(fault, Fault::LinkLost { .. });
    assert!(
        reads_on || world.machine.snapshot().lines == lines,
        "{params:?}: a line left behind {fault}"
    );
    assert_eq!(
        world.streamer.positions().sent,
        sent,
        "{params:?}: a line left behind {fault}"
    );
    // Behind a restart, what was on the wire runs in a world that has forgotten what led up to it; those lines are in doubt.
    let mut log = world.executed();
    let cut = log
        .iter()
        .position(|entry| entry.fraction < 1.0)
        .map_or(log.len(), |at| at + 1);
    log.truncate(cut);
    let dialect = world.streamer.dialect();
    assert_prefix(dialect, &program, log, &format!("{params:?}"));
    (fault, world)
}

#[test]
fn a_silent_controller_is_named() {
    for controller in ["grbl", "marlin"] {
        let (_, mut world) = world(&[("controller", controller), ("fault", "hang@0s")]);
        let End::Refused(words) = world.run(HOUR) else {
            panic!("{:?}", world.streamer)
        };
        assert!(
            words.starts_with("no answer from the controller"),
            "{words}"
        );
        assert!(world.now() < 11 * SECOND);
        assert_eq!(world.pass(60 * SECOND), None);
        assert_eq!(work(&world), (0, 0));
        assert_eq!(world.streamer.state(), State::Disconnected);
    }
}

#[test]
fn a_locked_machine_is_not_unlocked_by_anybody_but_its_operator() {
    let (_, mut world) = world(&[("homing", "on")]);
    let End::Refused(words) = world.run(HOUR) else {
        panic!("{:?}", world.streamer)
    };
    assert!(words.contains("$H") && words.contains("$X"), "{words}");
    assert_eq!(world.pass(60 * SECOND), None);
    assert_eq!(
        work(&world),
        (0, 0),
        "no line, not even a question, reached the locked machine"
    );
}

#[test]
fn a_machine_that_moves_for_somebody_else_is_left_alone() {
    for (state, word) in [
        ("Run", "Run"),
        ("Hold:0", "Hold"),
        ("Door:1", "Door"),
        ("Jog", "Jog"),
        ("Home", "Home"),
        ("Sleep", "Sleep"),
    ] {
        let mut talk = Talk::plugged(Config::new(Dialect::Grbl));
        for _ in 0..50 {
            talk.say(&format!("<{state}|MPos:0.000,0.000,0.000|FS:0,0>"));
            talk.pass(SECOND / 4);
        }
        let told = talk.events();
        let [Event::GreetingFailed(GreetingError::NotIdle { state })] = told.as_slice() else {
            panic!("{state}: {told:?}");
        };
        assert!(state.contains(word), "{state}");
        assert_eq!(talk.sent_lines(), "", "{state}");
    }
}

#[test]
fn another_device_is_quoted() {
    let check = |dialect: Dialect, said: &[&str]| {
        let mut talk = Talk::plugged(Config::new(dialect));
        for line in said {
            talk.say(line);
        }
        talk.pass(11 * SECOND);
        let told = talk.events();
        let [Event::GreetingFailed(GreetingError::Foreign { heard, .. })] = told.as_slice() else {
            panic!("{said:?}: {told:?}");
        };
        assert!(
            heard.len() <= 240 && said.iter().any(|line| line.starts_with(heard.as_str())),
            "{heard:?}"
        );
        let questions: String = talk.sent_lines().replace("M115\n", "").replace("$I\n", "");
        assert_eq!(questions, "", "only questions are asked of {said:?}");
        assert_eq!(talk.streamer.poll_timeout(), None);
    };
    check(
        Dialect::Grbl,
        &[
            "HTTP/1.1 400 Bad Request",
            "Content-Length: 0",
            "Connection: close",
        ],
    );
    check(Dialect::Marlin, &["HTTP/1.1 400 Bad Request"]);
    check(Dialect::Grbl, &["SSH-2.0-OpenSSH_9.6"]);
    check(Dialect::Grbl, &["raspberrypi login: "]);
    check(Dialect::Marlin, &["error:20"]);
    check(Dialect::Marlin, &["[ESP_ERR] brownout"]);
    check(Dialect::Grbl, &["start", "echo:Marlin 2.1.2"]);
}

#[test]
fn a_wrong_baud_rate_looks_foreign() {
    for dialect in [Dialect::Grbl, Dialect::Marlin] {
        let mut talk = Talk::plugged(Config::new(dialect));
        for round in 0..60_u8 {
            talk.hear(&[0xF8, 0x00, 0x9E ^ round, 0xFE, b'\r', 0x80 | round, b'\n']);
            talk.pass(SECOND / 5);
        }
        let told = talk.events();
        let [Event::GreetingFailed(error)] = told.as_slice() else {
            panic!("{told:?}")
        };
        assert!(error.to_string().contains("baud rate"), "{error}");
        assert!(matches!(error, GreetingError::Foreign { .. }), "{error}");
    }
}

#[test]
fn a_device_that_never_stops_talking_is_given_up() {
    for (dialect, said) in [
        (Dialect::Grbl, "temperature 21.5"),
        (Dialect::Grbl, "ok"),
        (Dialect::Grbl, "error:2"),
        (Dialect::Marlin, "ok"),
        (Dialect::Marlin, "start"),
        (Dialect::Marlin, "T:20.0 /0.0"),
    ] {
        let mut talk = Talk::plugged(Config::new(dialect));
        for _ in 0..120 {
            talk.say(said);
            talk.pass(SECOND / 10);
        }
        let told = talk.events();
        assert!(
            matches!(told.as_slice(), [Event::GreetingFailed(_)]),
            "{dialect} {said:?}: {told:?}"
        );
        let sent = talk.sent_lines();
        assert!(
            sent.lines().all(|line| matches!(line, "$I" | "M115")),
            "{dialect} {said:?}: {sent}"
        );
        assert!(
            sent.len() < 1_000,
            "{dialect} {said:?}: {} bytes of questions",
            sent.len()
        );
    }
}

#[test]
fn reports_that_come_by_themselves_do_not_spoil_the_greeting() {
    let mut talk = Talk::plugged(Config::new(Dialect::Grbl));
    let idle = "<Idle|MPos:0.000,0.000,0.000|FS:0,0>";
    talk.say(idle);
    assert!(talk.sent().contains("$I\n"));
    // The first question drowned in the start of the board; the second one is answered.
    for _ in 0..40 {
        talk.pass(SECOND / 5);
        talk.say(idle);
        if talk.sent().contains("$I\n") {
            talk.say("[VER:1.1h.20190830:]");
            talk.say("[OPT:V,15,128]");
            talk.say("ok");
        }
    }
    assert_eq!(talk.streamer.state(), State::Ready, "{:?}", talk.events());
}

#[test]
fn a_reset_in_mid_job_ends_it() {
    for controller in ["grbl", "marlin"] {
        for when in ["reset@line:9", "reset@line:20", "reset@3s"] {
            let (fault, world) = fault(&[("controller", controller), ("fault", when)]);
            assert!(
                matches!(fault, Fault::ControllerReset { .. }),
                "{controller} {when}: {fault}"
            );
            let Fault::ControllerReset { in_doubt } = fault else {
                return;
            };
            assert_eq!(
                in_doubt.last,
                world.streamer.positions().sent,
                "{controller} {when}"
            );
        }
    }
}

#[test]
fn a_hard_limit_ends_the_job() {
    let (fault, mut world) = fault(&[("fault", "hard-limit@3s")]);
    assert!(
        matches!(
            fault,
            Fault::Alarm {
                alarm: Some(Alarm(1)),
                ..
            }
        ),
        "{fault}"
    );
    assert!(fault.to_string().contains("in doubt: lines"), "{fault}");
    // It answers nothing but a reset, which the operator can give.
    let now = world.now();
    world
        .streamer
        .cancel(now)
        .expect("a faulted job can be cancelled");
    assert_eq!(world.run(10 * SECOND), End::Cancelled);
}

#[test]
fn an_emergency_stop_ends_the_job() {
    let (fault, _) = fault(&[("controller", "marlin"), ("fault", "abort@3s")]);
    assert!(
        matches!(fault, Fault::Fatal { .. } | Fault::ControllerReset { .. }),
        "{fault}"
    );
    let (fault, _) = self::fault(&[("fault", "abort@3s")]);
    assert!(
        matches!(fault, Fault::Alarm { .. } | Fault::ControllerReset { .. }),
        "{fault}"
    );
}

#[test]
fn a_controller_that_hangs_is_given_up() {
    for controller in ["grbl", "marlin"] {
        let (fault, mut world) = fault(&[("controller", controller), ("fault", "hang@3s")]);
        assert!(
            matches!(fault, Fault::ChunkTimeout { .. }),
            "{controller}: {fault}"
        );
        assert!(world.now() < 100 * SECOND, "{controller}");
        assert_eq!(
            world.streamer.poll_timeout(),
            None,
            "{controller}: a timer was left running"
        );
        let told = world.take_events();
        let faults = told
            .iter()
            .filter(|event| matches!(event, Event::Fault(_)))
            .count();
        assert_eq!(faults, 1, "{controller}");
    }
}

#[test]
fn a_stall_shorter_than_the_patience_costs_nothing_but_time() {
    for controller in ["grbl", "marlin"] {
        let (program, mut world) = world(&[("controller", controller), ("fault", "stall@3s:20")]);
        assert_eq!(
            world.run(HOUR),
            End::Finished,
            "{controller}: {:?}",
            world.streamer
        );
        let log = world.executed();
        assert_executed(world.streamer.dialect(), &program, log, controller);
    }
}

#[test]
fn a_pulled_cable_ends_the_job() {
    for controller in ["grbl", "marlin"] {
        let (fault, world) = fault(&[("controller", controller), ("fault", "disconnect@byte:400")]);
        let Fault::LinkLost { in_doubt } = fault else {
            panic!("{controller}: {fault}")
        };
        let executed = world.machine.log().len();
        assert!(
            in_doubt.first <= executed + 2 && in_doubt.last >= executed,
            "{controller}: {in_doubt} with {executed} executed"
        );
        assert_eq!(
            world.streamer.poll_timeout(),
            None,
            "{controller}: a timer was left running"
        );
    }
}

/// A hand at the machine stops it for longer than any timeout; the job waits, and goes on when the hand lets it.
#[test]
fn a_stop_at_the_machine_is_no_fault() {
    for (touch, undo) in [("hold@3s", None), ("door@3s", Some(Touch::DoorClosed))] {
        let (program, mut world) = world(&[("fault", touch)]);
        assert_eq!(
            world.run(100 * SECOND),
            End::OutOfTime,
            "{touch}: {:?}",
            world.streamer
        );
        let told = world.take_events();
        assert!(
            told.contains(&Event::MachineAction(MachineAction::Pause)),
            "{touch}: nobody was told"
        );
        let moved = work(&world).1;
        world.pass(10 * SECOND);
        assert_eq!(work(&world).1, moved, "{touch}: the machine moved");
        let now = world.now();
        if let Some(undo) = undo {
            world.machine.touch(now, undo);
            world.pass(SECOND);
        }
        let now = world.now();
        world.machine.touch(now, Touch::StartButton);
        assert_eq!(
            world.run(HOUR),
            End::Finished,
            "{touch}: {:?}",
            world.streamer
        );
        let log = world.executed();
        assert_executed(Dialect::Grbl, &program, log, touch);
    }
}

/// The same, let go from the keyboard.
#[test]
fn a_hold_at_the_machine_can_be_taken_over() {
    let (program, mut world) = world(&[("fault", "hold@3s")]);
    assert_eq!(world.run(50 * SECOND), End::OutOfTime);
    let now = world.now();
    world
        .streamer
        .hold(now, Pause::Immediate)
        .expect("the job is moving, as far as it knows");
    world.run_until(HOUR, |world| world.streamer.state() == State::Paused);
    let now = world.now();
    world.streamer.resume(now).expect("it is paused");
    assert_eq!(world.run(HOUR), End::Finished);
    let log = world.executed();
    assert_executed(Dialect::Grbl, &program, log, "taken over");
}

/// grbl ignores a cycle start while it is still slowing down.
#[test]
fn a_resume_before_the_machine_stands_is_not_lost() {
    for delay in [0, 5, 20, 50, 120] {
        let (program, mut world) = world(&[("accel", "20")]);
        world.run_until(HOUR, |world| world.machine.log().len() >= 5);
        world.pass(SECOND / 3);
        let now = world.now();
        world
            .streamer
            .hold(now, Pause::Immediate)
            .expect("the job is moving");
        world.pass(Duration::from_millis(delay));
        let now = world.now();
        world.streamer.resume(now).expect("it is about to pause");
        assert_eq!(
            world.run(HOUR),
            End::Finished,
            "after {delay} ms: {:?}",
            world.streamer
        );
        let log = world.executed();
        assert_executed(Dialect::Grbl, &program, log, "resumed early");
    }
}

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
