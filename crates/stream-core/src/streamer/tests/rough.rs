//! Controllers and operators that do not keep to the script.

use core::time::Duration;

use super::{IDLE, Scene, check, moves};
use crate::{
    chunk::Class,
    dialect::Dialect,
    streamer::{CommandError, Config, State, Streamer},
};

#[test]
fn nothing_is_resent_in_a_fault() {
    let mut scene = Scene::greeted(Dialect::Marlin).program(&moves(4));
    let _ = scene.sent();
    scene.play("< Resend: 1002\n< ok\n< Resend: 4000000000\n@ 500\n>\n< Resend: 1003\n@ 500\n>");
    assert_eq!(scene.streamer.state(), State::Faulted);
}

#[test]
fn numbers_from_the_edge_of_the_world_are_no_numbers() {
    let max = u64::MAX;
    let mut scene = Scene::greeted(Dialect::Marlin).program(&moves(4));
    let _ = scene.sent();
    scene.play(&format!("< ok N{max} P15 B3\n= 0 0 4\n* StrayAnswer"));
    scene.play(&format!(
        "< Error:checksum mismatch, Last Line: {max}\n@ 500\n>"
    ));
    assert_eq!(scene.streamer.state(), State::Faulted);
}

#[test]
fn a_refused_barrier_is_asked_once() {
    let mut scene = Scene::greeted(Dialect::Grbl).program(&moves(1));
    scene.play("> G1X1\\n\n< ok\n> G4 P0.01\\n\n< error:9\n> !\n>");
    let heard = scene.heard();
    assert!(
        heard.starts_with("Fault: line 1: the controller answered error:9"),
        "{heard}"
    );
}

#[test]
fn a_printer_that_restarted_is_counted_from_the_start_again() {
    let mut scene = Scene::greeted(Dialect::Marlin).program(&moves(9));
    let _ = scene.sent();
    scene.play("< ok\n< start\n! cancel\n> N1000M110 N1000*93\\n\n< ok");
    scene
        .program(&moves(1))
        .play("> N1001G1X1*81\\n\n< ok\n> N1002M400*52\\n");
}

#[test]
fn late_answers_to_a_job_that_was_given_up_settle_nothing_of_the_next() {
    let mut scene = Scene::greeted(Dialect::Marlin).program(&moves(4));
    let _ = scene.sent();
    scene.play("< ok\n< Resend: 4000000000\n! cancel\n>");
    scene.program(&moves(1)).play(
        "< ok
         < ok
         < ok
         >
         = 0 0 0
         < ok
         > N1004M110 N1004*93\\n
         < ok
         > N1005G1X1*85\\n
         = 0 0 1
         < ok
         = 0 1 1",
    );
}

#[test]
fn a_program_that_begins_behind_a_silent_line_is_watched() {
    let mut scene = Scene::greeted(Dialect::Marlin);
    scene.play("! command M17\n> N1001M17*5\\n\n@ 31000");
    let mut scene = scene.program(&moves(1));
    scene.play("@ 61000");
    assert_eq!(scene.streamer.state(), State::Faulted);
}

#[test]
fn a_machine_held_by_hand_never_times_out() {
    let mut scene = Scene::greeted(Dialect::Grbl).program(&moves(40));
    let _ = scene.sent();
    for _ in 0..600 {
        scene.play("@ 200\n> ?\n< <Hold:0|MPos:1.000,0.000,0.000|FS:0,0>");
    }
    scene.play("* MachineAction");
}

#[test]
fn a_resume_during_the_deceleration_is_repeated() {
    check(
        Scene::greeted(Dialect::Grbl).program(&moves(2)),
        "> G1X1\\nG1X1\\n
         ! hold
         > !
         ! resume
         > ~
         @ 100
         > ?
         < <Hold:1|MPos:0.100,0.000,0.000|FS:50,0>
         >
         @ 100
         > ?
         < <Hold:0|MPos:0.200,0.000,0.000|FS:0,0>
         > ~
         @ 100
         > ?
         < <Run|MPos:0.200,0.000,0.000|FS:50,0>
         * Resumed",
    );
}

#[test]
fn a_machine_held_by_a_fault_reads_no_commands() {
    let mut scene = Scene::greeted(Dialect::Grbl).program(&moves(4));
    let _ = scene.sent();
    scene.play("< error:20\n> !");
    let refused = scene.streamer.command(b"G0Z5");
    assert!(
        matches!(refused, Err(CommandError::WrongState(_))),
        "{refused:?}"
    );
}

#[test]
fn complaints_that_nobody_collects_fill_nothing() {
    for dialect in [Dialect::Grbl, Dialect::Marlin] {
        let mut scene = Scene::greeted(dialect).program(&moves(4));
        let _ = scene.sent();
        let complaint: &[u8] = match dialect {
            Dialect::Grbl => b"ALARM:1\nGrbl 1.1h ['$' for help]\n",
            Dialect::Marlin => b"start\nError:Printer halted. kill() called!\n//action:pause\n",
        };
        for _ in 0..1_000 {
            scene.streamer.handle_input(scene.now, complaint);
        }
        let events = std::iter::from_fn(|| scene.streamer.poll_event()).count();
        assert!(events < 300, "{events} events");
    }
}

#[test]
fn a_dwell_for_ever_overflows_nothing() {
    let mut scene =
        Scene::greeted(Dialect::Grbl).program(&[("G4P18446744073709549568", Class::Patient)]);
    let _ = scene.sent();
    scene.play("@ 3000000\n> ?");
    scene.play(IDLE);
    assert_eq!(scene.streamer.state(), State::Streaming);
}

#[test]
fn a_reset_while_greeting_greets_anew() {
    let mut scene = Scene::new(Config::new(Dialect::Grbl));
    scene.play("> ?\n< <Alarm|MPos:0.000,0.000,0.000|FS:0,0>\n! reset\n> \\x18");
    assert_eq!(scene.streamer.state(), State::Greeting);
    scene.play("< Grbl 1.1h ['$' for help]\n> ?");
    scene.play(IDLE);
    scene.play("> $I\\n\n< [OPT:V,15,128]\n< ok\n* Ready");
}

#[test]
fn a_lost_answer_of_a_command_is_told_and_gives_its_credit_back() {
    let mut scene = Scene::greeted(Dialect::Grbl);
    scene.play("! command G1X1F100\n> G1X1F100\\n");
    for _ in 0..5 {
        scene.play("@ 200\n> ?");
        scene.play(IDLE);
    }
    scene.play("* CommandDone false");
    assert_eq!(scene.streamer.window().used_lines(), 0);
    scene.play("! command $H\n> $H\\n");
    for _ in 0..20 {
        scene.play("@ 200\n> ?");
        scene.play(IDLE);
    }
    scene.play("*\n< ok\n* CommandDone true");
}

#[test]
fn a_heat_up_that_only_counts_degrees_never_times_out() {
    let mut scene = Scene::greeted(Dialect::Marlin).program(&[("M109 S200", Class::Patient)]);
    let _ = scene.sent();
    let mut questions = 0;
    for _ in 0..300 {
        scene.play("@ 1000\n< T:100.0 /200.0 B:20.0 /0.0");
        questions += scene.sent().matches("M105").count();
        assert_eq!(scene.heard(), "Temperature");
    }
    assert!(
        questions <= 4,
        "{questions} questions in the receive buffer of a busy printer"
    );
}

#[test]
fn questions_without_an_answer_do_not_use_up_the_patience() {
    let mut scene = Scene::greeted(Dialect::Marlin).program(&moves(40));
    let _ = scene.sent();
    for round in 0..10 {
        // The answer of the oldest line and that of the question are lost.
        scene.play("@ 3100");
        assert_eq!(scene.sent(), "M105\\n", "round {round}");
        scene.play("< ok\n< ok\n< ok\n< ok");
        let _ = scene.sent();
        scene.play("< ok");
        let _ = scene.sent();
    }
}

#[test]
fn a_printer_that_has_stopped_is_sent_nothing_more() {
    let mut scene = Scene::greeted(Dialect::Marlin).program(&moves(40));
    let _ = scene.sent();
    scene.play(
        "< Error:Printer stopped due to errors. Fix the error and use M999 to restart.\n< ok\n>",
    );
    let heard = scene.heard();
    assert!(
        heard.starts_with("Fault: the controller said Error:Printer stopped"),
        "{heard}"
    );
    assert!(heard.contains("M999"), "{heard}");
}

#[test]
fn an_ok_without_a_name_is_not_asked_about_without_pause() {
    check(
        Scene::new(Config::new(Dialect::Marlin)),
        "> M115*999\\n
         < ok
         >
         @ 1500
         > M115\\n
         < ok
         >",
    );
}

#[test]
fn the_late_answer_to_a_question_asked_twice_belongs_to_no_line() {
    check(
        Scene::new(Config::new(Dialect::Marlin)),
        "> M115*999\\n
         @ 1500
         > M115\\n
         < FIRMWARE_NAME:Marlin 2.1.2 PROTOCOL_VERSION:1.0
         < ok
         >
         @ 100
         < FIRMWARE_NAME:Marlin 2.1.2 PROTOCOL_VERSION:1.0
         < ok
         > N1000M110 N1000*93\\n
         < ok
         * Ready",
    );
}

#[test]
fn a_command_that_is_asked_for_again_is_answered_once() {
    let mut scene = Scene::greeted(Dialect::Marlin);
    scene.play("! command M17\n> N1001M17*5\\n\n< ok\n* CommandDone true");
    scene.play("< Resend: 1001\n@ 100\n> N1001M17*5\\n\n< ok\n< ok\n* Resend");
}

#[test]
fn temperatures_that_a_line_asked_for_are_not_the_answer_to_a_question_behind_it() {
    let mut scene = Scene::greeted(Dialect::Marlin).program(&[
        ("M105", Class::Modal),
        ("G1X1", Class::Motion),
        ("G1X2", Class::Motion),
    ]);
    let _ = scene.sent();
    scene.play("@ 3100");
    assert_eq!(scene.sent(), "M105\\n");
    scene.play("< ok T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0\n= 1 1 3");
    scene.play("< ok\n< ok T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0\n= 1 3 3");
}

/// A printer that is asked what it knows, up to the number of its last line.
pub(super) fn asked_for_its_last_line() -> Scene {
    let mut streamer = Streamer::new(Config::new(Dialect::Marlin));
    streamer.wish_facts();
    streamer.handle_connected(Duration::ZERO);
    let mut scene = Scene {
        streamer,
        now: Duration::ZERO,
    };
    scene.play(
        "> M115*999\\n
         < FIRMWARE_NAME:Marlin 2.1.2 PROTOCOL_VERSION:1.0
         < ok
         > M400\\n
         < ok
         > N2000000000M105*53\\n",
    );
    scene
}

pub(super) const PLACE_AND_HEAT: &str = "< ok
     > M114\\n
     < X:1.00 Y:2.00 Z:3.00 E:0.00 Count X:80 Y:160 Z:1200
     < ok
     > M114 R\\n
     < X:1.00 Y:2.00 Z:3.00 E:0.00 Count X:80 Y:160 Z:1200
     < ok
     > M105\\n
     < ok T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0";

/// The last line is asked twice.
pub(super) fn tell_twice(scene: &mut Scene, told: &str) {
    scene.play(told);
    scene.play("< ok\n> N2000000000M105*53\\n");
    scene.play(told);
}

#[test]
fn a_count_that_was_garbled_is_begun_anew() {
    for told in [
        "< Error:Line Number is not Last Line Number+1, Last Line: 70\n< Resend: 8",
        "< Error:Line Number is not Last Line Number+1, Last Line: 7",
    ] {
        let mut scene = asked_for_its_last_line();
        tell_twice(&mut scene, told);
        scene.play(PLACE_AND_HEAT);
        scene.play("> N1000M110 N1000*93\\n\n< ok\n* Ready");
    }
}

#[test]
fn an_alarm_takes_the_answers_of_commands_with_it() {
    let mut scene = Scene::greeted(Dialect::Grbl);
    scene.play("! command G0X1\n> G0X1\\n\n< ALARM:2\n* Alarm");
    for _ in 0..4 {
        scene.play("@ 200\n> ?\n< <Alarm|MPos:0.000,0.000,0.000|FS:0,0>");
    }
    scene.play("* CommandDone false\n! command $X\n> $X\\n\n< ok\n* CommandDone true");
}

#[test]
fn a_printer_that_dies_while_it_is_asked_is_not_ready() {
    let mut scene = asked_for_its_last_line();
    scene.play("< Error:Printer halted. kill() called!");
    for _ in 0..2 {
        scene.play("@ 1500\n> N2000000000M105*53\\n");
    }
    scene.play("@ 1500");
    let heard = scene.heard();
    assert!(heard.starts_with("GreetingFailed: no answer"), "{heard}");
}

#[test]
fn a_refusal_that_no_line_waits_for_is_not_kept_silent() {
    let mut scene = Scene::greeted(Dialect::Grbl).program(&moves(2));
    scene.play("! lease 1\n> G1X1\\n\n< ok\n* LeaseReached\n< error:20");
    let heard = scene.heard();
    assert!(
        heard.starts_with("StrayAnswer, Fault: the controller said error:20")
            && heard.ends_with("in doubt: line 1"),
        "{heard}"
    );
}
