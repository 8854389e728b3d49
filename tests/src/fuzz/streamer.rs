//! The streamer as a state machine: any order of calls, any bytes from the controller, at any times.

mod controller;
mod laws;
mod program;

use std::collections::BTreeSet;
use std::time::Duration;

use feedhold_stream_core::{
    dialect::{Dialect, RealtimeCommand},
    streamer::{CommandId, Config, Expiry, Pause, Positions, Proceed, State, Streamer, Windowing},
};

use super::{Input, assert_shown};
use controller::Controller;
use program::Program;

/// Calls of one run.
const CALLS: u32 = 400;
/// What `State` reports may name.
const STATES: [&str; 12] = [
    "Idle", "Run", "Hold:0", "Hold:1", "Jog", "Home", "Alarm", "Check", "Door:0", "Door:1",
    "Sleep", "Tool",
];
/// What firmwares say besides answers, true or not.
const PHRASES: [&str; 34] = [
    "ok",
    "ok\nok\nok\nok\nok",
    "ok N3 P15 B3",
    "ok N18446744073709551615",
    "ok T:20 /0 B:20 /0",
    "error:20",
    "error:9",
    "error: something",
    "ALARM:1",
    "ALARM:9999999999",
    "start",
    "Grbl 1.1h ['$' for help]",
    "GrblHAL 1.1f ['$' for help]",
    "Resend: 1",
    "Resend: 2\nok",
    "Resend: 18446744073709551615",
    "rs N7",
    "wait",
    "Error:Line Number is not Last Line Number+1, Last Line: 3",
    "Error:checksum mismatch, Last Line: 18446744073709551615",
    "Error:Printer halted. kill() called!",
    "Error:Printer stopped due to errors. Fix the error and use M999 to restart.",
    "echo:busy: processing",
    "echo:busy: paused for user",
    "//action:pause",
    "//action:resume",
    "//action:cancel",
    " T:19.4 /0.00 B:21.0 /60.0 @:0 B@:127 W:9",
    "FIRMWARE_NAME:Marlin 2.1.2",
    "Cap:EMERGENCY_PARSER:0",
    "[VER:1.1h.20190830:]",
    "[OPT:V,65535,65535]",
    "[MSG:Caution: Unlocked]",
    "<Idle|MPos:0.000,0.000,0.000|Bf:15,128|FS:0,0>",
];
const COMMANDS: [&[u8]; 8] = [
    b"G0Y1",
    b"$H",
    b"M3 S100",
    b"G4 P0.1",
    b"M0",
    b"$100=80",
    b" ",
    b"M117 hello",
];

pub(super) fn judge(data: &[u8]) {
    reached(data);
}

/// Judges, and names the states that the streamer was in. `Honest` stands for a program that was executed by a controller which
/// nobody spoke for.
pub fn reached(data: &[u8]) -> BTreeSet<String> {
    let mut input = Input::new(data);
    let mut scene = Scene::new(&mut input);
    for _ in 0..CALLS {
        if input.is_empty() {
            break;
        }
        scene.call(&mut input);
        scene.laws();
        if !scene.lazy {
            scene.drain();
        }
    }
    scene.drain();
    scene.laws();
    scene.reached
}

struct Scene {
    streamer: Streamer,
    controller: Controller,
    program: Program,
    now: Duration,
    /// The driver does not poll for a while.
    lazy: bool,
    /// Events that may wait for a driver that does not poll.
    may_wait: usize,
    asked: BTreeSet<u64>,
    /// Since the program began, nobody has answered but the controller.
    told_the_truth: bool,
    /// Since the program began, no report has named a place where the machine was not.
    told_the_place: bool,
    before: Positions,
    reached: BTreeSet<String>,
}

impl Scene {
    fn new(input: &mut Input<'_>) -> Self {
        let dialect = input.pick(&[Dialect::Grbl, Dialect::Marlin]);
        let choices = input.byte();
        let rx_bytes = if choices & 1 == 0 {
            128
        } else {
            64 + usize::from(input.byte())
        };
        let mut config = Config::new(dialect);
        if choices & 1 != 0 {
            config = config.rx_bytes(rx_bytes).expect("in range");
        }
        if choices & 2 != 0 {
            config = config.windowing(Windowing::SendResponse);
        }
        if choices & 4 != 0 {
            config = config.max_pause(Duration::from_secs(2), Expiry::Cancel);
        }
        if choices & 8 != 0 {
            config = config
                .lines_in_flight(1 + usize::from(input.byte() % 64))
                .expect("in range");
        }
        let mut scene = Self {
            streamer: Streamer::new(config),
            controller: Controller::new(dialect, rx_bytes),
            program: Program::default(),
            now: Duration::from_secs(u64::from(choices >> 6) << 20),
            lazy: false,
            may_wait: 0,
            asked: BTreeSet::new(),
            told_the_truth: true,
            told_the_place: true,
            before: Positions::default(),
            reached: BTreeSet::new(),
        };
        if choices & 16 == 0 {
            scene.streamer.handle_connected(scene.now);
            scene.drain();
            scene.greet();
        }
        if choices & 48 == 0 && scene.streamer.state() == State::Ready {
            scene.begin(0);
        }
        scene
    }

    fn call(&mut self, input: &mut Input<'_>) {
        self.may_wait += 4;
        let what = input.byte();
        match what % 32 {
            0..=4 => self.answer(1 + usize::from(what >> 5), None),
            5 => {
                let refuse = input.byte();
                self.answer(1, Some(refuse));
            }
            6..=8 => self.pass(Duration::from_millis(
                u64::from(input.byte()) << (what >> 5),
            )),
            9 => {
                // A driver that slept for long: one call, whatever was due meanwhile.
                self.now += Duration::from_millis(u64::from(input.word()) << (what >> 5));
                self.streamer.handle_timeout(self.now);
            }
            10 | 11 => self.report(input.pick(&STATES), what >> 5),
            12 => {
                let phrase = input.pick(&PHRASES);
                self.say(phrase.as_bytes(), b"\n");
            }
            13 => {
                let length = usize::from(input.byte() % 64);
                let bytes = input.take(length);
                self.say(bytes, b"");
            }
            14..=17 => self.program.push(&mut self.streamer, what >> 5, input),
            18 => {
                self.streamer.finish();
                self.program.finish(&self.streamer);
            }
            19 => self.begin(if what >> 5 == 0 {
                0
            } else {
                u64::from(input.word())
            }),
            20 => {
                let _ = self.streamer.hold(
                    self.now,
                    [Pause::Graceful, Pause::Immediate][usize::from(what >> 5 & 1)],
                );
            }
            21 | 22 => {
                let _ = self.streamer.resume(self.now);
            }
            23 => self.proceed([Proceed::Skip, Proceed::Send][usize::from(what >> 5 & 1)]),
            24 => {
                let _ = self.streamer.cancel(self.now);
            }
            25 => {
                let _ = self.streamer.reset(self.now);
            }
            26 => {
                let ahead = u64::from(input.byte());
                self.streamer.lease(self.before.sent.saturating_add(ahead));
            }
            27 => self.command(input, what >> 5),
            28 => {
                let _ = self.streamer.realtime(input.pick(&RealtimeCommand::ALL));
            }
            29 => self.lazy = what >> 5 & 1 == 1,
            30 => self.cable(what >> 5),
            _ => self.greet(),
        }
    }

    fn begin(&mut self, done: u64) {
        if self.streamer.begin(done).is_ok() {
            self.program = Program::starting_behind(done);
            self.controller.begin(done);
            self.told_the_truth = self.controller.is_honest();
            self.told_the_place = true;
            self.before = self.streamer.positions();
            assert_eq!((self.before.executed, self.before.sent), (done, done));
        }
    }

    fn proceed(&mut self, proceed: Proceed) {
        let stop = self.streamer.stop();
        let done = self.streamer.proceed(self.now, proceed).is_ok();
        assert_eq!(done, stop.is_some());
        if let (Some((_, line)), Proceed::Skip) = (stop, proceed) {
            self.program.skip(line);
        }
    }

    fn command(&mut self, input: &mut Input<'_>, how: u8) {
        let line = match how {
            0 => {
                let length = usize::from(input.byte());
                input
                    .take(length)
                    .iter()
                    .map(|&byte| if byte == b'X' { b'Y' } else { byte })
                    .collect()
            }
            _ => input.pick(&COMMANDS).to_vec(),
        };
        match self.streamer.command(&line) {
            Ok(CommandId(id)) => assert!(self.asked.insert(id), "two commands have one name"),
            Err(error) => assert_shown(&error.to_string(), 200),
        }
    }

    fn cable(&mut self, how: u8) {
        if how & 1 == 0 {
            self.streamer.handle_disconnect(self.now);
            assert_eq!(self.streamer.state(), State::Disconnected);
        } else {
            self.streamer.handle_connected(self.now);
            assert_eq!(self.streamer.state(), State::Greeting);
        }
        self.controller.replaced();
    }

    /// The controller says who it is, as often as it is asked.
    fn greet(&mut self) {
        if self.streamer.dialect() == Dialect::Grbl && self.streamer.state() == State::Greeting {
            self.hear(b"<Idle|MPos:0.000,0.000,0.000|FS:0,0>\n");
        }
        for _ in 0..3 {
            self.drain();
            self.answer(4, None);
        }
    }

    /// The controller answers up to so many lines.
    fn answer(&mut self, lines: usize, refuse: Option<u8>) {
        for _ in 0..lines {
            let Some(answer) = self.controller.answer(refuse) else {
                return;
            };
            self.may_wait += 4;
            self.hear(answer.as_bytes());
        }
    }

    /// The machine tells its state. Standing idle over unanswered lines, it has lost some.
    fn report(&mut self, state: &str, place: u8) {
        match (state, self.controller.owes()) {
            ("Idle", 0) => self.controller.comes_to_rest(),
            ("Idle", _) => self.lie(),
            // The place is made up.
            _ => self.told_the_place = false,
        }
        self.hear(format!("<{state}|MPos:{place}.000,0.000,0.000|FS:0,0>\n").as_bytes());
    }

    /// Something is said that the controller has not said.
    fn say(&mut self, bytes: &[u8], end: &[u8]) {
        self.lie();
        self.hear(&[bytes, end].concat());
    }

    fn lie(&mut self) {
        self.controller.lies();
        self.told_the_truth = false;
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.streamer.handle_input(self.now, bytes);
    }

    /// Time passes, and everything is done when it is due.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        for _ in 0..64 {
            let Some(due) = self.streamer.poll_timeout().filter(|due| *due <= until) else {
                break;
            };
            self.now = self.now.max(due);
            for round in 0.. {
                assert!(
                    round < 16,
                    "what is due at {:?} is due for ever: {:?}",
                    self.now,
                    self.streamer
                );
                self.streamer.handle_timeout(self.now);
                if self
                    .streamer
                    .poll_timeout()
                    .is_none_or(|due| due > self.now)
                {
                    break;
                }
            }
            self.laws();
            if !self.lazy {
                self.drain();
            }
        }
        self.now = until.max(self.now);
    }

    /// Polls for everything, in the order that the streamer asks for.
    fn drain(&mut self) {
        let mut out = Vec::new();
        let realtime = self.streamer.poll_realtime(&mut out);
        assert_eq!(realtime, out.len());
        assert!(
            realtime == 0 || self.streamer.state() != State::Disconnected,
            "realtime bytes without a link"
        );
        self.controller.act(&out);
        for round in 0.. {
            assert!(
                round < 64,
                "there is always more to send: {:?}",
                self.streamer
            );
            out.clear();
            let state = self.streamer.state();
            let ceiling = self.streamer.positions().ceiling;
            if self.streamer.poll_transmit(self.now, &mut out) == 0 {
                break;
            }
            self.sent(state, ceiling, &out);
        }
        self.collect();
        self.laws();
    }
}
