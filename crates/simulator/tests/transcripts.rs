//! Conversations with the simulated controllers, as text files.
//!
//! ```text
//! # a remark
//! config controller=grbl&bf=on     before anything else; the banner is heard at once
//! > G1 X10 F600                    the host writes a line, ended by \n
//! * \x18                           the host writes bytes as they are (escapes as in Rust)
//! < ok                             the next line heard must be this
//! @ +0.5                           time goes on by so many seconds
//! @ idle                           time goes on until nothing happens any more
//! = position 10 0 0                where the machine stands
//! = overflows 0                    bytes lost in the receive buffer
//! = log linear 10 0 -1             the oldest unread log entry: kind and target
//! ```
//!
//! Everything heard must be expected, and everything expected heard.

use std::collections::VecDeque;
use std::time::Duration;

use feedhold_simulator::{Config, Simulator};

struct Talk {
    machine: Simulator,
    now: Duration,
    bytes: Vec<u8>,
    heard: VecDeque<String>,
    log: VecDeque<String>,
}

impl Talk {
    fn new(params: &str) -> Self {
        let pairs = params
            .split('&')
            .filter(|p| !p.is_empty())
            .map(|p| p.split_once('=').unwrap());
        let pairs = pairs.chain([("log", "keep")]);
        let machine = Simulator::new(Config::from_params(pairs).unwrap());
        let mut talk = Self {
            machine,
            now: Duration::ZERO,
            bytes: Vec::new(),
            heard: VecDeque::new(),
            log: VecDeque::new(),
        };
        talk.listen();
        talk
    }

    fn listen(&mut self) {
        self.machine.transmit(self.now, &mut self.bytes);
        while let Some(end) = self.bytes.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.bytes.drain(..=end).collect();
            let line = String::from_utf8(line).unwrap();
            let line = line.trim_end();
            if !line.is_empty() {
                self.heard.push_back(line.to_owned());
            }
        }
        let entries = self.machine.log_mut().take_entries();
        self.log.extend(entries.iter().map(|entry| {
            let [x, y, z, e] = entry.target.map(|v| (v * 1e4).round() / 1e4 + 0.0);
            let part = match entry.fraction {
                1.0 => String::new(),
                part => format!(" part {part:.2}"),
            };
            let e = if e == 0.0 {
                String::new()
            } else {
                format!(" e {e}")
            };
            format!("{} {x} {y} {z}{e}{part}", entry.kind.name())
        }));
    }

    fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.machine.receive(self.now, bytes);
            assert!(taken > 0, "the wire takes nothing");
            bytes = &bytes[taken..];
        }
        self.listen();
    }

    fn wait(&mut self, word: &str) {
        if word == "idle" {
            // Bounded, so that a machine that never comes to rest is found.
            for _ in 0..2_000_000 {
                let Some(at) = self
                    .machine
                    .next_event()
                    .filter(|_| self.machine.is_working())
                else {
                    return;
                };
                self.now = self.now.max(at);
                self.machine.advance(self.now);
                self.listen();
            }
            panic!("never idle");
        }
        let seconds = |text: &str| Duration::from_secs_f64(text.parse().unwrap());
        self.now = match word.strip_prefix('+') {
            Some(more) => self.now + seconds(more),
            None => seconds(word),
        };
        self.listen();
    }

    fn assert(&mut self, what: &str) {
        let (name, wanted) = what.split_once(' ').unwrap();
        let is = match name {
            "position" => {
                let [x, y, z, _] = self
                    .machine
                    .snapshot()
                    .position
                    .map(|v| (v * 1e3).round() / 1e3 + 0.0);
                format!("{x} {y} {z}")
            }
            "state" => format!("{:?}", self.machine.snapshot().state),
            "planner" => self.machine.snapshot().planner_used.to_string(),
            "overflows" => self.machine.rx_overflows().to_string(),
            "deaf" => self.machine.rx_stats().deaf.to_string(),
            "lines" => self.machine.snapshot().lines.to_string(),
            "log" => self.log.pop_front().unwrap_or_else(|| "nothing".to_owned()),
            other => panic!("no such thing: {other}"),
        };
        assert_eq!(is, wanted, "{name}");
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend(c.to_string().bytes());
            continue;
        }
        match chars.next().unwrap() {
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            'x' => {
                let hex: String = chars.by_ref().take(2).collect();
                out.push(u8::from_str_radix(&hex, 16).unwrap());
            }
            other => panic!("escape {other}"),
        }
    }
    out
}

fn check(name: &str, script: &str) {
    let mut talk: Option<Talk> = None;
    for (number, line) in script.lines().enumerate() {
        let place = format!("{name} line {}: {line}", number + 1);
        let line = line.trim_end();
        let (sign, rest) = line.split_once(' ').unwrap_or((line, ""));
        if sign == "config" {
            finish(talk.take(), &place);
            talk = Some(Talk::new(rest));
            continue;
        }
        if sign.is_empty() || sign == "#" {
            continue;
        }
        let talk = talk.get_or_insert_with(|| Talk::new(""));
        match sign {
            ">" => talk.write(&[rest.as_bytes(), b"\n"].concat()),
            "*" => talk.write(&unescape(rest)),
            "@" => talk.wait(rest),
            "<" => {
                let heard = talk
                    .heard
                    .pop_front()
                    .unwrap_or_else(|| "nothing".to_owned());
                assert_eq!(heard, rest, "{place}");
            }
            "=" => {
                let caught =
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| talk.assert(rest)));
                assert!(caught.is_ok(), "{place}");
            }
            other => panic!("{place}: unknown sign {other}"),
        }
    }
    finish(talk, name);
}

fn finish(talk: Option<Talk>, place: &str) {
    let Some(talk) = talk else { return };
    assert!(
        talk.heard.is_empty(),
        "{place}: not expected: {:?}",
        talk.heard
    );
}

macro_rules! transcripts {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let file = concat!("transcripts/", stringify!($name), ".txt");
                check(file, include_str!(concat!("transcripts/", stringify!($name), ".txt")));
            }
        )*
    };
}

transcripts! {
    grbl_lines
    grbl_errors
    grbl_settings
    grbl_motion
    grbl_hold
    grbl_reset
    grbl_door
    grbl_alarms
    grbl_jog
    grbl_eeprom
    grbl_status
    grbl_check
    grbl_probe
}
