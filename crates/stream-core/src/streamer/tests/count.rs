//! Where lines are counted from, and what the count proves.

use super::{
    rough::{PLACE_AND_HEAT, asked_for_its_last_line, tell_twice},
    *,
};

const HEAT: &str = "< ok T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0";

/// A printer that has told how far it has counted.
fn counted(last: u64) -> Scene {
    let mut scene = asked_for_its_last_line();
    let told = format!(
        "< Error:Line Number is not Last Line Number+1, Last Line: {last}\n< Resend: {}",
        last + 1
    );
    tell_twice(&mut scene, &told);
    scene.play(PLACE_AND_HEAT);
    scene.play(">\n* Ready");
    scene
}

/// The same, with a program that has begun behind a count of its own: `N1002` comes next.
fn begun(moves: &[(&str, Class)]) -> Scene {
    let mut scene = counted(0).program(moves);
    scene.play("> N1000M110 N1000*93\\n\n>\n< ok\n> N1001M105*55\\n\n>");
    scene.play(HEAT);
    scene
}

#[test]
fn a_printer_that_has_just_started_is_told_where_to_count_from() {
    check(begun(&moves(1)), "> N1002G1X1*82\\n");
}

#[test]
fn a_printer_that_counts_further_than_a_restart_is_left_to_count_on() {
    check(counted(4_007).program(&moves(1)), "> N4008G1X1*93\\n");
}

#[test]
fn a_printer_that_has_not_heard_it_is_told_again() {
    let mut scene = counted(7).program(&moves(1));
    scene.play(
        "> N1000M110 N1000*93\\n\n< Error:checksum mismatch, Last Line: 7\n< Resend: 8\n< ok",
    );
    scene.play("> N1000M110 N1000*93\\n\n< ok\n> N1001M105*55\\n");
    // The question is garbled, and nothing else.
    scene.play("< Error:checksum mismatch, Last Line: 1000\n< Resend: 1001\n< ok");
    scene.play("> N1000M110 N1000*93\\n\n< ok\n> N1001M105*55\\n");
    scene.play(HEAT);
    scene.play("> N1002G1X1*82\\n");
}

#[test]
fn a_printer_that_restarts_while_it_is_told_is_not_given_the_program() {
    let mut scene = counted(0).program(&moves(1));
    scene.play("> N1000M110 N1000*93\\n\n< ok\n> N1001M105*55\\n");
    scene.play("< Error:Line Number is not Last Line Number+1, Last Line: 0\n< Resend: 1\n< ok\n>");
    assert!(
        scene
            .heard()
            .starts_with("Fault: the controller has reset itself")
    );
}

#[test]
fn a_restart_in_the_first_lines_shows_by_the_number_that_is_asked_for() {
    let mut scene = begun(&moves(2));
    let _ = scene.sent();
    scene.play(
        "< Error:Line Number is not Last Line Number+1, Last Line: 0\n< Resend: 1\n< ok\n@ 500\n>",
    );
    let heard = scene.heard();
    let restart = "Fault: the controller has reset itself; its position and state are lost. In doubt: lines 1 to 2";
    assert!(heard.contains(restart), "{heard}");
}

#[test]
fn one_ok_too_many_proves_nothing_and_is_found_by_the_next_question() {
    let texts: Vec<String> = (1..=100).map(|x| format!("G1 X{x} F600")).collect();
    let lines: Vec<(&str, Class)> = texts
        .iter()
        .map(|text| (text.as_str(), Class::Motion))
        .collect();
    let mut scene = begun(&lines);
    let mut answered = 0;
    scene.play("< ok");
    let _ = (scene.heard(), scene.sent());
    scene.play("< ok\n< ok");
    let mut asked = String::new();
    while asked.is_empty() {
        answered += 1;
        assert!(answered < 40, "no question came");
        scene.play("< ok");
        asked.push_str(scene.sent().split_once("M105").map_or("", |(_, rest)| rest));
    }
    let at = scene.streamer.positions();
    assert_eq!(at.executed, 0, "nothing was proved");
    // Those in front of the question are answered by so many, and one was too many before.
    scene.play("< ok\n< ok\n< ok\n< ok\n* StrayAnswer");
    scene.play(HEAT);
    let at = scene.streamer.positions();
    let proved = at.acked - Dialect::Marlin.lag_blocks() as u64;
    assert_eq!((at.acked, at.executed), (32, proved), "{at:?}");
}

#[test]
fn lost_answers_are_made_up_for_by_the_next_question() {
    let mut scene = begun(&moves(100));
    let _ = scene.sent();
    scene.play("< ok\n@ 1000");
    assert!(scene.sent().contains("M105"), "a second is over");
    let sent = scene.streamer.positions().sent;
    scene.play(HEAT);
    assert_eq!(scene.streamer.positions().acked, sent);
}
