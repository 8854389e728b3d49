//! What senders of today get wrong, one test for each mistake (those of whole sessions stand in `session_mistakes.rs`): the real streamer against the simulated machine, or against a controller
//! played by the test where no machine says such things on demand.

use std::time::Duration;

use feedhold_simulator::Config as Machine;
use feedhold_stream_core::{
    chunk::{Class, Prepared, Stop},
    dialect::{Alarm, Dialect},
    streamer::{CommandError, Config, Event, Fault, Pause, Proceed, State},
    wire::{Chain, ChainConfig},
};
use feedhold_tests::{
    talk::Talk,
    world::{End, World, assert_executed, assert_prefix, chunks},
};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// A simulated machine on a wire of 115,200 baud with a program on its way.
fn world(params: &[(&str, &str)], program: &str) -> World {
    let all = [("baud", "115200")].iter().chain(params).copied();
    let machine = Machine::from_params(all).expect("the parameters are good");
    let marlin = params.contains(&("controller", "marlin"));
    let dialect = if marlin {
        Dialect::Marlin
    } else {
        Dialect::Grbl
    };
    let mut world = World::new(Config::new(dialect), machine);
    world.load(chunks(dialect, program, 10));
    world
}

fn grbl(program: &str) -> World {
    world(&[], program).with_rx_limit(128)
}

/// `G1 X1 Y0`, `G1 X2 Y1`, …: moves long enough to fill the planner and then the receive buffer.
fn moves(count: usize) -> String {
    let mut text = String::from("G21\nG90\n");
    for line in 1..=count {
        text.push_str(&format!(
            "G1 X{}.{:03} Y{}.000 F1200\n",
            line % 40,
            line,
            line % 3
        ));
    }
    text
}

fn moved(world: &World) -> usize {
    world.machine.log().len() as usize
}

#[test]
fn a_resume_does_not_grow_the_window() {
    let mut talk = Talk::greeted(Config::new(Dialect::Grbl)).moves(100);
    let first = talk.sent_lines();
    let (bytes, lines) = (
        talk.streamer.window().used_bytes(),
        talk.streamer.window().used_lines(),
    );
    assert_eq!(bytes, first.len());
    for _ in 0..20 {
        talk.hold();
        talk.resume();
        assert_eq!(
            talk.sent_lines().replace(['!', '~'], ""),
            "",
            "a line left without an answer"
        );
        assert_eq!(talk.streamer.window().used_lines(), lines);
    }
}

#[test]
fn twenty_pauses_never_overrun_the_receive_buffer() {
    let program = moves(200);
    let mut world = grbl(&program);
    for part in 1..=20 {
        world.run_until(HOUR, |world| moved(world) >= part * 5);
        let now = world.now();
        world
            .streamer
            .hold(now, Pause::Immediate)
            .expect("the job is moving");
        world.run_until(HOUR, |world| world.streamer.state() == State::Paused);
        world.pass(SECOND);
        let now = world.now();
        world.streamer.resume(now).expect("the job is paused");
    }
    assert_eq!(world.run(HOUR), End::Finished);
    assert_eq!(world.streamer.stray_answers(), 0);
    let log = world.executed();
    assert_executed(Dialect::Grbl, &program, log, "twenty pauses");
}

#[test]
fn an_error_does_not_shrink_the_window() {
    let mut talk = Talk::greeted(Config::new(Dialect::Grbl)).moves(100);
    let line = "G1X10.000Y20.000F600\n";
    let full = talk.sent_lines().matches(line).count();
    assert_eq!(full, 127 / line.len());
    for _ in 0..20 {
        talk.say("error:20");
        assert_eq!(talk.streamer.state(), State::Faulted);
        assert_eq!(
            talk.sent_lines(),
            "!",
            "held at once, and nothing more leaves"
        );
        assert_eq!(talk.streamer.window().used_lines(), full - 1);
        talk.resume();
        assert_eq!(
            talk.sent_lines(),
            format!("~{line}"),
            "room for exactly one line"
        );
    }
}

#[test]
fn a_failed_probe_answers_its_line_once() {
    let program = format!("{}G38.2 Z-5 F100\n{}", moves(3), moves(40));
    let mut world = grbl(&program);
    let End::Fault(Fault::Alarm { alarm, in_doubt }) = world.run(HOUR) else {
        panic!(
            "a probe that touches nothing is an alarm; {:?}",
            world.streamer
        );
    };
    assert_eq!(alarm, Some(Alarm(5)));
    assert!(in_doubt.first <= 6 && in_doubt.last >= 6, "{in_doubt}");
    let sent = world.streamer.positions().sent;
    assert_eq!(world.pass(10 * SECOND), None);
    assert_eq!(
        world.streamer.stray_answers(),
        0,
        "an answer was counted twice"
    );
    assert_eq!(
        world.streamer.window().used_bytes(),
        0,
        "every line in flight was answered once"
    );
    assert_eq!(
        world.streamer.positions().sent,
        sent,
        "something left in the alarm"
    );
}

#[test]
fn a_line_too_long_for_the_controller_is_refused_before_the_job_starts() {
    let check = |config: ChainConfig, text: &str, line: u64| {
        let refusals = Chain::new(config)
            .program(text)
            .expect_err("it can never be sent");
        let first = refusals.iter().next().expect("one refusal at least");
        assert_eq!(first.line, line, "{refusals}");
    };
    let long = format!("G21\nG1 X{}1\n", "0".repeat(100));
    check(ChainConfig::new(Dialect::Grbl), &long, 2);
    check(ChainConfig::new(Dialect::Marlin), &long, 2);
    let small = ChainConfig::new(Dialect::Grbl)
        .with_rx(32)
        .expect("in range");
    check(small, "G1 X1\nG1 X1.00000001 Y2.00000001 Z3.00000001\n", 2);
}

#[test]
fn a_line_longer_than_the_window_does_not_hang() {
    let config = Config::new(Dialect::Grbl).rx_bytes(16).expect("in range");
    let mut talk = Talk::greeted(config.clone());
    talk.begin(Prepared::from_lines(
        7,
        [("G1X1.0000Y2.0000", Class::Motion)],
    ));
    assert_eq!(talk.sent_lines(), "");
    let fault = Fault::LineTooLong {
        line: 7,
        length: 17,
        limit: 15,
    };
    assert_eq!(talk.events(), [Event::Fault(fault)]);

    let mut talk = Talk::greeted(config);
    let refused = talk.streamer.command(b"G1X1.0000Y2.0000");
    assert!(
        matches!(refused, Err(CommandError::TooLong { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_restart_of_marlin_does_not_replay_the_job() {
    let program = moves(200);
    let mut world = world(
        &[("controller", "marlin"), ("fault", "reset@line:60")],
        &program,
    );
    let End::Fault(Fault::ControllerReset { in_doubt }) = world.run(HOUR) else {
        panic!("the restart was missed: {:?}", world.streamer);
    };
    assert!(!in_doubt.is_empty());
    let (before, lines) = (moved(&world), world.machine.snapshot().lines);
    assert_eq!(world.pass(60 * SECOND), None);
    assert_eq!(
        (moved(&world), world.machine.snapshot().lines),
        (before, lines),
        "something was sent"
    );
    assert_prefix(
        Dialect::Marlin,
        &program,
        world.executed(),
        "up to the restart",
    );
}

#[test]
fn a_resend_request_behind_a_restart_is_not_served() {
    let mut talk = Talk::greeted(Config::new(Dialect::Marlin)).moves(40);
    let _ = talk.sent();
    for line in ["ok", "ok", "start", "Resend: 1", "ok", "Resend: 1", "ok"] {
        talk.say(line);
        talk.pass(SECOND);
        if line != "ok" {
            assert_eq!(talk.sent(), "", "sent behind {line:?}");
        }
        let _ = talk.sent();
    }
    assert_eq!(talk.streamer.state(), State::Faulted);
}

#[test]
fn words_that_only_contain_ok_are_no_answers() {
    let check = |dialect: Dialect, said: &str| {
        let mut talk = Talk::greeted(Config::new(dialect)).moves(40);
        let _ = talk.sent();
        let used = talk.streamer.window().clone();
        talk.say(said);
        assert_eq!(
            talk.streamer.window(),
            &used,
            "{dialect}: {said:?} was counted"
        );
        assert_eq!(talk.sent(), "", "{dialect}: sent behind {said:?}");
        talk.say("ok");
        assert_eq!(
            talk.streamer.positions().acked,
            1,
            "{dialect}: behind {said:?}"
        );
    };
    let grbl = [
        "[MSG:ok]",
        "[echo:ok]",
        "[GC:ok]",
        "okay",
        "ok.",
        "ok ok",
        "book",
        "not ok",
        "OK",
        "ok?",
        "<ok>",
        "<Idle|ok>",
        ">G54:ok",
        "$N0=ok",
        "[PRB:1.000,2.000,3.000:ok]",
        "o",
        "k",
        "ok\x07",
    ];
    for said in grbl {
        check(Dialect::Grbl, said);
    }
    for said in [
        "echo:ok",
        "okay",
        "ok1",
        "okN1",
        "not ok",
        "//action:ok",
        "// ok",
        "echo:busy: ok",
        "T:ok",
        "Resent ok",
        "look",
    ] {
        check(Dialect::Marlin, said);
    }
}

#[test]
fn settings_of_a_program_do_not_meet_other_lines() {
    let program = format!(
        "{}G10 L2 P1 X1 Y2 Z3\n{}G28.1\n{}",
        moves(30),
        moves(20),
        moves(20)
    );
    let mut world = grbl(&program);
    assert_eq!(world.run(HOUR), End::Finished, "{:?}", world.streamer);
    assert_eq!(
        world.machine.rx_stats().deaf,
        0,
        "bytes arrived while the controller wrote its EEPROM"
    );
    let log = world.executed();
    assert_executed(Dialect::Grbl, &program, log, "with settings");
}

#[test]
fn settings_typed_beside_a_program_do_not_meet_other_lines() {
    for setting in ["G10 L20 P1 X0", "$100=250.5", "$N0=G54", "G28.1", "$RST=#"] {
        let mut talk = Talk::greeted(Config::new(Dialect::Grbl)).moves(40);
        let _ = talk.sent();
        talk.streamer
            .command(setting.as_bytes())
            .expect("it is taken");
        let lines = talk.streamer.window().used_lines();
        for answer in 1..=lines {
            assert_eq!(
                talk.sent_lines(),
                "",
                "{setting} left with {} lines in flight",
                lines + 1 - answer
            );
            talk.say("ok");
        }
        assert_eq!(
            talk.sent_lines(),
            format!("{setting}\n"),
            "alone, when everything was answered"
        );
        assert_eq!(
            talk.sent_lines(),
            "",
            "nothing leaves behind {setting} before its answer"
        );
        talk.say("ok");
        assert!(
            talk.sent_lines().starts_with("G1X10"),
            "the program goes on behind {setting}"
        );
    }
}

#[test]
fn questions_beside_a_program_are_counted() {
    let program = moves(150);
    let mut world = grbl(&program);
    let mut asked = 0;
    loop {
        match world.run(Duration::from_millis(50)) {
            End::OutOfTime if world.streamer.state() == State::Streaming => {
                asked += usize::from(world.streamer.command(b"$G").is_ok());
            }
            End::OutOfTime => {}
            End::Finished => break,
            other => panic!("{other:?}: {:?}", world.streamer),
        }
    }
    let answered = world
        .take_events()
        .into_iter()
        .filter(|event| matches!(event, Event::CommandDone { .. }))
        .count();
    assert!(asked > 20, "only {asked} questions in the whole job");
    assert_eq!(answered, asked);
    assert_eq!(world.streamer.stray_answers(), 0);
    let log = world.executed();
    assert_executed(Dialect::Grbl, &program, log, "with questions");
}

#[test]
fn status_requests_cost_no_credit_and_take_no_answer() {
    let mut talk = Talk::greeted(Config::new(Dialect::Grbl)).moves(40);
    let _ = talk.sent();
    let used = talk.streamer.window().clone();
    for tenth in 0..20 {
        talk.pass(Duration::from_millis(200));
        assert_eq!(talk.sent(), "?");
        talk.say(&format!("<Run|MPos:{tenth}.000,0.000,0.000|FS:600,0>"));
        assert_eq!(talk.streamer.window(), &used);
    }
}

#[test]
fn stops_wait_until_all_motion_before_them_has_finished() {
    let check = |params: &[(&str, &str)], stop: &str, expected: Stop| {
        let before = moves(40);
        let mut world = world(params, &format!("{before}{stop}\n{before}"));
        assert_eq!(world.pass(HOUR), None, "{stop}: {:?}", world.streamer);
        assert_eq!(world.streamer.stop(), Some((expected, 43)));
        assert_eq!(world.streamer.positions().executed, 42, "{stop}");
        let standing = world.machine.snapshot();
        assert_eq!(standing.planner_used, 0, "{stop}: {standing:?}");
        let still = (moved(&world), standing.position);
        assert_eq!(world.pass(100 * SECOND), None, "{stop}");
        assert_eq!(
            (moved(&world), world.machine.snapshot().position),
            still,
            "{stop}: the machine moved at its stop"
        );
        let done = world.executed();
        let dialect = world.streamer.dialect();
        assert_executed(dialect, &before, done, stop);
        let now = world.now();
        world
            .streamer
            .proceed(now, Proceed::Skip)
            .expect("it waits");
        assert_eq!(world.run(HOUR), End::Finished, "{stop}");
    };
    check(&[], "M0", Stop::Pause);
    check(&[], "M6 T1", Stop::ToolChange);
    let marlin = [("controller", "marlin"), ("heat", "instant")];
    check(&marlin, "M0", Stop::Pause);
    check(&marlin, "M600", Stop::FilamentChange);
}
