//! Scripts of a conversation, one `check()` for all: what the streamer sends, what the controller says, what the driver hears.
//!
//! A script line starts with `> ` (the streamer sends exactly this), `< ` (the controller says this), `! ` (an operator's wish),
//! `* ` (these events come, in this order, reports left out), `@ ` (milliseconds pass) or `= ` (executed acked sent).

mod count;
mod rough;

use core::time::Duration;

use super::*;
use crate::{chunk::Class, dialect::OverrideStep, dialect::RealtimeCommand};

struct Scene {
    streamer: Streamer,
    now: Duration,
}

impl Scene {
    fn new(config: Config) -> Self {
        let mut streamer = Streamer::new(config);
        streamer.handle_connected(Duration::ZERO);
        Self {
            streamer,
            now: Duration::ZERO,
        }
    }

    fn greeted(dialect: Dialect) -> Self {
        Self::greeted_with(Config::new(dialect))
    }

    fn greeted_with(config: Config) -> Self {
        let dialect = config.dialect();
        let mut scene = Self::new(config);
        scene.play(match dialect {
            Dialect::Grbl => {
                "> ?
                 < <Idle|MPos:0.000,0.000,0.000|FS:0,0>
                 > $I\\n
                 < [VER:1.1h.20190830:]
                 < [OPT:V,15,128]
                 < ok
                 * Ready"
            }
            Dialect::Marlin => {
                "> M115*999\\n
                 < FIRMWARE_NAME:Marlin 2.1.2 PROTOCOL_VERSION:1.0
                 < ok
                 > N1000M110 N1000*93\\n
                 < ok
                 * Ready"
            }
        });
        scene
    }

    fn program(mut self, lines: &[(&str, Class)]) -> Self {
        self.streamer.begin(0).expect("the scene is ready");
        self.streamer
            .push(Prepared::from_lines(1, lines.iter().copied()));
        self.streamer.finish();
        self
    }

    /// Everything the streamer sends now, with line ends and bytes above ASCII escaped.
    fn sent(&mut self) -> String {
        let mut out = Vec::new();
        let _ = self.streamer.poll_realtime(&mut out);
        let _ = self.streamer.poll_transmit(self.now, &mut out);
        out.escape_ascii().to_string()
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(due) = self.streamer.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.streamer.handle_timeout(self.now);
            assert_ne!(
                self.streamer.poll_timeout(),
                Some(due),
                "a timer that fired is still set"
            );
        }
        self.now = until;
    }

    fn wish(&mut self, wish: &str) {
        let (now, streamer) = (self.now, &mut self.streamer);
        match wish {
            "hold" => streamer.hold(now, Pause::Immediate).unwrap(),
            "pause" => streamer.hold(now, Pause::Graceful).unwrap(),
            "resume" => streamer.resume(now).unwrap(),
            "cancel" => streamer.cancel(now).unwrap(),
            "reset" => streamer.reset(now).unwrap(),
            "skip" => streamer.proceed(now, Proceed::Skip).unwrap(),
            "send" => streamer.proceed(now, Proceed::Send).unwrap(),
            "pull the cable" => streamer.handle_disconnect(now),
            "feed up" => {
                let up = RealtimeCommand::FeedOverride(OverrideStep::CoarseUp);
                assert!(streamer.realtime(up));
            }
            _ => match wish.split_once(' ') {
                Some(("lease", line)) => streamer.lease(line.parse().unwrap()),
                Some(("command", line)) => {
                    streamer.command(line.as_bytes()).unwrap();
                }
                _ => panic!("unknown wish {wish:?}"),
            },
        }
    }

    fn heard(&mut self) -> String {
        let mut names = Vec::new();
        while let Some(event) = self.streamer.poll_event() {
            match event {
                Event::Status(_) | Event::ChunkStarted { .. } | Event::ChunkCompleted { .. } => {}
                Event::Fault(fault) => names.push(format!("Fault: {fault}")),
                Event::GreetingFailed(error) => names.push(format!("GreetingFailed: {error}")),
                Event::Message(text) => names.push(format!("Message: {text}")),
                Event::StopReached { stop, line } => {
                    names.push(format!("StopReached {stop} at {line}"))
                }
                Event::CommandDone { answer, .. } => {
                    names.push(format!("CommandDone {}", answer.is_ok()))
                }
                other => {
                    let name = format!("{other:?}");
                    names.push(name.split([' ', '(']).next().unwrap_or_default().to_owned());
                }
            }
        }
        names.join(", ")
    }

    fn play(&mut self, script: &str) {
        for step in script
            .lines()
            .map(str::trim)
            .filter(|step| !step.is_empty())
        {
            let (kind, text) = step.split_at(2.min(step.len()));
            match kind.trim() {
                ">" => assert_eq!(self.sent(), text.trim_start(), "sent at {step:?}"),
                "<" => self
                    .streamer
                    .handle_input(self.now, format!("{text}\r\n").as_bytes()),
                "!" => self.wish(text),
                "*" => assert_eq!(self.heard(), text, "heard at {step:?}"),
                "@" => self.pass(Duration::from_millis(text.parse().expect("milliseconds"))),
                "=" => {
                    let at = self.streamer.positions();
                    assert_eq!(
                        format!("{} {} {}", at.executed, at.acked, at.sent),
                        text,
                        "positions at {step:?}"
                    );
                }
                _ => panic!("unknown step {step:?}"),
            }
        }
    }
}

const IDLE: &str = "< <Idle|MPos:0.000,0.000,0.000|FS:0,0>";

fn check(mut scene: Scene, script: &str) {
    scene.play(script);
}

fn moves(count: usize) -> Vec<(&'static str, Class)> {
    vec![("G1X1", Class::Motion); count]
}

#[test]
fn streams_to_grbl_and_proves_the_end() {
    check(
        Scene::greeted(Dialect::Grbl).program(&[("G21", Class::Modal), ("G1X1F99", Class::Motion)]),
        "> G21\\nG1X1F99\\n
         = 0 0 2
         < ok
         = 1 1 2
         < ok
         = 1 2 2
         > G4 P0.01\\n
         < ok
         = 2 2 2
         >
         * Finished",
    );
}

#[test]
fn counts_characters_up_to_the_window() {
    let line = "G1X1.00000Y2.00000Z3.0000"; // 25 bytes and a terminator: four fit into 127, the fifth does not
    let mut scene = Scene::greeted(Dialect::Grbl).program(&[(line, Class::Motion); 6]);
    assert_eq!(scene.sent().matches("\\n").count(), 4);
    assert_eq!(scene.streamer.window().used_bytes(), 104);
    scene.play("< ok\n< ok");
    assert_eq!(scene.sent().matches("\\n").count(), 2);
}

#[test]
fn numbers_lines_on_marlin() {
    check(
        Scene::greeted(Dialect::Marlin)
            .program(&[("G28", Class::Patient), ("G1 X1", Class::Motion)]),
        "> N1001G28*3\\nN1002G1 X1*114\\n
         < echo:busy: processing
         < ok
         < ok
         = 1 2 2
         > N1003M400*53\\n
         < ok
         > N1004M105*50\\n
         < ok T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0
         = 2 2 2
         >
         * Temperature, Finished",
    );
}

#[test]
fn resends_from_the_number_asked_for() {
    check(
        Scene::greeted(Dialect::Marlin).program(&moves(5)),
        "> N1001G1X1*81\\nN1002G1X1*82\\nN1003G1X1*83\\nN1004G1X1*84\\n
         < ok
         > N1005G1X1*85\\n
         < Error:checksum mismatch, Last Line: 1001
         < Resend: 1002
         < ok
         = 0 1 5
         >
         @ 100
         > N1002G1X1*82\\nN1003G1X1*83\\nN1004G1X1*84\\nN1005G1X1*85\\n
         < ok
         < ok
         < ok
         < ok
         = 0 5 5
         > N1006M400*48\\n
         < ok
         > N1007M105*49\\n
         < ok T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0
         >
         * Resend, Temperature, Finished",
    );
}

#[test]
fn late_resend_requests_are_not_answered_twice() {
    check(
        Scene::greeted(Dialect::Marlin).program(&moves(4)),
        "> N1001G1X1*81\\nN1002G1X1*82\\nN1003G1X1*83\\nN1004G1X1*84\\n
         < Error:checksum mismatch, Last Line: 1000
         < Resend: 1001
         < ok
         @ 50
         < Error:Line Number is not Last Line Number+1, Last Line: 1000
         < Resend: 1001
         < ok
         @ 60
         >
         @ 40
         > N1001G1X1*81\\nN1002G1X1*82\\nN1003G1X1*83\\nN1004G1X1*84\\n
         = 0 0 4",
    );
}

#[test]
fn a_lost_ok_on_marlin_is_found_by_asking() {
    check(
        Scene::greeted(Dialect::Marlin).program(&moves(5)),
        "> N1001G1X1*81\\nN1002G1X1*82\\nN1003G1X1*83\\nN1004G1X1*84\\n
         @ 3000
         > M105\\n
         < ok T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0
         = 0 4 4
         > N1005G1X1*85\\n",
    );
}

#[test]
fn an_exact_ok_settles_the_lines_before_it() {
    check(
        Scene::greeted(Dialect::Marlin).program(&moves(4)),
        "> N1001G1X1*81\\nN1002G1X1*82\\nN1003G1X1*83\\nN1004G1X1*84\\n
         < ok N1003 P12 B1
         = 0 3 4
         < ok N1004 P12 B1
         = 0 4 4",
    );
}

#[test]
fn an_error_in_mid_window_holds_and_names_the_lines_behind() {
    check(
        Scene::greeted(Dialect::Grbl).program(&[
            ("G1X1", Class::Motion),
            ("G2X1", Class::Motion),
            ("G1X2", Class::Motion),
            ("G1X3", Class::Motion),
        ]),
        "> G1X1\\nG2X1\\nG1X2\\nG1X3\\n
         < ok
         < error:26
         > !
         = 0 2 4",
    );
    let mut scene = Scene::greeted(Dialect::Grbl).program(&moves(4));
    scene.play("> G1X1\\nG1X1\\nG1X1\\nG1X1\\n\n< ok\n< error:26");
    let heard = scene.heard();
    assert!(
        heard.contains("Fault: line 2: ") && heard.contains("lines 3 to 4, which may have run"),
        "{heard}"
    );
    scene.play("> !\n! resume\n> ~\n< <Run|MPos:0.000,0.000,0.000|FS:0,0>\n* Resumed\n< ok\n< ok\n> G4 P0.01\\n");
}

#[test]
fn an_alarm_and_the_ok_of_its_line_count_once() {
    let mut scene = Scene::greeted(Dialect::Grbl).program(&moves(2));
    scene.play("> G1X1\\nG1X1\\n\n< ALARM:5\n< ok");
    assert_eq!(scene.streamer.state(), State::Faulted);
    assert_eq!(scene.streamer.window().used_lines(), 1);
    scene.play("= 0 1 2\n>");
}

#[test]
fn a_lost_ok_on_grbl_is_found_by_idle_reports() {
    let mut scene = Scene::greeted(Dialect::Grbl).program(&moves(3));
    scene.play("> G1X1\\nG1X1\\nG1X1\\n\n< ok\n< ok");
    for _ in 0..5 {
        scene.play("@ 200\n> ?");
        scene.play(IDLE);
    }
    let heard = scene.heard();
    assert!(
        heard.starts_with("Fault: the machine is idle but never answered line 3"),
        "{heard}"
    );
    scene.play("> ");
}

#[test]
fn a_dwell_may_stand_idle_for_its_time() {
    let mut scene = Scene::greeted(Dialect::Grbl).program(&[("G4P20", Class::Patient)]);
    scene.play("> G4P20\\n");
    for _ in 0..100 {
        scene.play("@ 200\n> ?");
        scene.play(IDLE);
    }
    scene.play("* \n< ok\n> G4 P0.01\\n\n< ok\n>\n* Finished");
}

#[test]
fn feed_hold_and_resume() {
    check(
        Scene::greeted(Dialect::Grbl).program(&moves(2)),
        "> G1X1\\nG1X1\\n
         ! hold
         > !
         @ 100
         > ?
         < <Hold:1|MPos:0.100,0.000,0.000|FS:50,0>
         *
         @ 100
         > ?
         < <Hold:0|MPos:0.200,0.000,0.000|FS:0,0>
         * Paused
         @ 299000
         *
         @ 2000
         * PauseExpired
         ! resume
         > ?~
         < <Run|MPos:0.200,0.000,0.000|FS:50,0>
         * Resumed
         < ok
         < ok
         > G4 P0.01\\n",
    );
}

#[test]
fn an_ignored_hold_times_out_and_nothing_is_sent() {
    check(
        Scene::greeted(Dialect::Grbl).program(&moves(40)),
        "! hold
         > !
         @ 4900
         *
         @ 200
         * PauseTimeout",
    );
}

#[test]
fn a_graceful_pause_waits_for_the_motion() {
    check(
        Scene::greeted(Dialect::Grbl).program(&moves(2)),
        "> G1X1\\nG1X1\\n
         ! pause
         >
         < ok
         < ok
         > G4 P0.01\\n
         *
         < ok
         * Paused
         = 2 2 2
         ! resume
         >
         * Resumed, Finished",
    );
}

#[test]
fn cancelling_holds_then_resets() {
    check(
        Scene::greeted(Dialect::Grbl).program(&moves(2)),
        "> G1X1\\nG1X1\\n
         ! cancel
         > !
         < <Hold:0|MPos:0.200,0.000,0.000|FS:0,0>
         > \\x18
         < Grbl 1.1h ['$' for help]
         * ResetDone, Cancelled",
    );
}

#[test]
fn a_reset_of_the_controller_stops_everything() {
    let mut scene = Scene::greeted(Dialect::Grbl).program(&moves(40));
    let _ = scene.sent();
    scene.play("< ok\n< ok\n< Grbl 1.1h ['$' for help]\n>");
    let heard = scene.heard();
    assert!(
        heard.starts_with("Fault: the controller has reset itself"),
        "{heard}"
    );
    assert!(heard.contains("lines 1 to "), "{heard}");
}

#[test]
fn start_on_marlin_is_not_an_ok_and_never_replays_the_job() {
    let mut scene = Scene::greeted(Dialect::Marlin).program(&moves(40));
    let _ = scene.sent();
    scene.play("< start\n>\n< Resend: 1\n< ok\n>\n@ 200\n>");
    assert_eq!(scene.streamer.state(), State::Faulted);
}

#[test]
fn a_stop_acts_when_it_is_reached() {
    check(
        Scene::greeted(Dialect::Grbl).program(&[
            ("G1X1", Class::Motion),
            ("M0", Class::Stop(Stop::Pause)),
            ("G1X2", Class::Motion),
        ]),
        "> G1X1\\n
         < ok
         *
         > G4 P0.01\\n
         *
         < ok
         >
         * StopReached pause (M0) at 2
         = 1 1 1
         ! command G0Z5
         > G0Z5\\n
         < ok
         * CommandDone true
         ! skip
         = 2 2 2
         > G1X2\\n",
    );
}

#[test]
fn settings_go_alone() {
    check(
        Scene::greeted(Dialect::Grbl).program(&[
            ("G1X1", Class::Motion),
            ("G10L2P1X0", Class::Exclusive),
            ("G1X2", Class::Motion),
        ]),
        "> G1X1\\n
         < ok
         > G4 P0.01\\n
         < ok
         > G10L2P1X0\\n
         >
         < ok
         > G1X2\\n",
    );
}

#[test]
fn nothing_leaves_beyond_the_lease() {
    let mut scene = Scene::greeted(Dialect::Grbl);
    scene.streamer.lease(2);
    check(
        scene.program(&moves(4)),
        "> G1X1\\nG1X1\\n
         * LeaseReached
         >
         *
         ! lease 3
         > G1X1\\n
         * LeaseReached",
    );
}

#[test]
fn silence_ends_in_a_timeout_and_no_byte_afterwards() {
    let mut scene = Scene::greeted(Dialect::Grbl).program(&moves(2));
    scene.play("> G1X1\\nG1X1\\n\n@ 29000\n*");
    let _ = scene.sent();
    scene.play("@ 2000");
    assert!(scene.heard().starts_with("Fault: no answer for 30 s"));
    let _ = scene.sent();
    scene.play("@ 60000\n>");
    assert_eq!(scene.streamer.poll_timeout(), None);
}

#[test]
fn a_long_move_is_no_timeout() {
    let mut scene = Scene::greeted(Dialect::Grbl).program(&moves(2));
    scene.play("> G1X1\\nG1X1\\n");
    for tenth in 0..600 {
        scene.play("@ 200\n> ?");
        scene.play(&format!("< <Run|MPos:{tenth}.000,0.000,0.000|FS:50,0>"));
    }
    scene.play("*");
}

#[test]
fn stray_answers_change_nothing() {
    check(
        Scene::greeted(Dialect::Grbl).program(&moves(1)),
        "> G1X1\\n
         < ok
         < ok
         = 0 1 1
         * StrayAnswer
         > G4 P0.01\\n",
    );
}

#[test]
fn realtime_commands_pass_a_full_window() {
    let mut scene = Scene::greeted(Dialect::Grbl).program(&moves(100));
    let _ = scene.sent();
    scene.play("! feed up\n> \\x91");
}

#[test]
fn commands_wait_for_credit_and_are_counted() {
    let mut scene = Scene::greeted(Dialect::Grbl).program(&moves(100));
    let _ = scene.sent();
    assert_eq!(scene.streamer.window().used_bytes(), 125);
    scene.play("! command $G\n>\n< ok\n> $G\\n");
    assert_eq!(scene.streamer.window().used_bytes(), 123);
}

#[test]
fn refuses_commands_that_are_not_one_plain_line() {
    let mut scene = Scene::greeted(Dialect::Grbl);
    let mut refused = |line: &[u8]| scene.streamer.command(line).unwrap_err().to_string();
    assert!(refused(b"G0X1\nG0X2").contains("column 5"));
    assert!(refused(b"G0X1 (\xc3\x84)").contains("0xc3"));
    assert!(refused(b"G0X1!").contains("0x21"));
    assert!(refused(b"   ").contains("empty"));
    assert!(refused(&[b'G'; 200]).contains("200 bytes"));
    let mut scene = Scene::greeted(Dialect::Marlin);
    let mut refused = |line: &[u8]| scene.streamer.command(line).unwrap_err().to_string();
    assert!(refused(b"M104 S200 ; warm").contains("0x3b at column 11"));
    assert!(refused(b"M117 C:\\jobs").contains("0x5c at column 8"));
}

#[test]
fn a_locked_machine_is_not_used() {
    let mut scene = Scene::new(Config::new(Dialect::Grbl));
    scene
        .play("> ?\n< [MSG:'$H'|'$X' to unlock]\n< <Alarm|MPos:0.000,0.000,0.000|FS:0,0>\n@ 11000");
    let heard = scene.heard();
    assert!(
        heard.starts_with("GreetingFailed: the machine is in alarm"),
        "{heard}"
    );
}

#[test]
fn a_silent_or_foreign_device_is_named() {
    let mut scene = Scene::new(Config::new(Dialect::Grbl));
    scene.play("@ 11000");
    assert!(scene.heard().starts_with("GreetingFailed: no answer"));
    let mut scene = Scene::new(Config::new(Dialect::Grbl));
    scene.play("< Login:\n@ 11000");
    let heard = scene.heard();
    assert!(
        heard.contains("not like a grbl controller") && heard.contains("Login:"),
        "{heard}"
    );
}

#[test]
fn stale_bytes_of_an_earlier_session_do_no_harm() {
    check(
        Scene::new(Config::new(Dialect::Grbl)),
        "> ?
         < ok
         < ok
         < <Idle|MPos:0.000,0.000,0.000|FS:0,0>
         > $I\\n
         < error:2
         > $I\\n
         < [VER:1.1h.20190830:]
         < [OPT:V,15,254]
         < ok
         * Ready",
    );
}

#[test]
fn a_pulled_cable_leaves_the_lines_in_doubt() {
    let mut scene = Scene::greeted(Dialect::Grbl).program(&moves(4));
    scene.play("> G1X1\\nG1X1\\nG1X1\\nG1X1\\n\n< ok\n! pull the cable\n>");
    assert!(
        scene
            .heard()
            .ends_with("Fault: the link was lost; in doubt: lines 1 to 4")
    );
    assert_eq!(scene.streamer.poll_timeout(), None);
}

#[test]
fn nothing_is_sent_behind_the_end_of_the_program() {
    check(
        Scene::greeted(Dialect::Grbl).program(&[
            ("G1X1", Class::Motion),
            ("M30", Class::Stop(Stop::EndRewind)),
            ("G1X2", Class::Motion),
        ]),
        "> G1X1\\n
         < ok
         > G4 P0.01\\n
         < ok
         >
         * StopReached end and rewind (M30) at 2
         ! send
         > M30\\n
         < ok
         > G4 P0.01\\n
         < ok
         >
         * Finished
         = 2 2 2",
    );
}

#[test]
fn a_doubled_ok_proves_nothing_about_the_end() {
    let mut scene = Scene::greeted(Dialect::Marlin).program(&moves(1));
    scene.play(
        "> N1001G1X1*81\\n
         < ok
         < ok
         > N1002M400*52\\n
         < ok
         > N1003M105*53\\n
         < ok
         < ok
         = 0 1 1
         * StrayAnswer, StrayAnswer, StrayAnswer
         < ok T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0
         = 1 1 1
         >
         * Temperature, Finished",
    );
}
