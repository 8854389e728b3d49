//! Controllers that misbehave: each gets a clear word for what is wrong, and nothing is sent that should not be.

use std::time::Duration;

use feedhold_simulator::{Config as Machine, Touch};
use feedhold_stream_core::{
    dialect::{Alarm, Dialect},
    streamer::{Config, Event, Fault, GreetingError, MachineAction, Pause, State},
};
use feedhold_tests::{
    talk::Talk,
    world::{End, World, assert_executed, assert_prefix, chunks},
};

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
        let questions = ["M115*999\n", "M115\n", "$I\n"]
            .iter()
            .fold(talk.sent_lines(), |rest, asked| rest.replace(asked, ""));
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
            sent.lines()
                .all(|line| matches!(line, "$I" | "M115" | "M115*999")),
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
