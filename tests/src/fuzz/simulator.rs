//! The simulated machines: any bytes, at any times, with hands on the machine and the cable.

use std::time::Duration;

use feedhold_simulator::{Config, LogMode, OnOpen, Simulator, Touch};

use super::{Input, pieces};

/// Machines that differ in what bytes do to them.
const MACHINES: [&str; 10] = [
    "controller=grbl",
    "controller=grbl&motion=instant",
    "controller=grbl&baud=115200&homing=on&soft_limits=on&probe_z=-1&bf=on&ln=on",
    "controller=grbl&rx=32&line_us=500&fault=drop-ok:0.1,garble-line:0.1,dup-tx:0.05,reset@0.5s,stall@1s:0.5",
    "controller=grbl&latency_ms=3&fault=door@1s,door-closed@2s,hold@line:3,hard-limit@byte:200",
    "controller=marlin",
    "controller=marlin&emergency_parser=on&advanced_ok=on&heat=instant",
    "controller=marlin&baud=9600&jerk=junction&wait=on",
    "controller=marlin&motion=instant&heat=instant&queue=1&planner=4&fault=dup-line:0.2,delay-line:0.2,hang@2s",
    "controller=null",
];

/// What stands for something else than a byte on the wire: a hand on the machine, or time that passes. Both firmwares throw the
/// byte itself away.
const ESCAPE: u8 = 0xFF;
/// Longest time that passes at once.
const LONGEST: Duration = Duration::from_secs(4);
/// What passes in all.
const HORIZON: Duration = Duration::from_secs(40);

pub(super) fn judge(data: &[u8]) {
    let mut input = Input::new(data);
    let params = input.pick(&MACHINES);
    let cuts = input.byte();
    let script = input.rest();
    let whole = play(params, script, None);
    let split = play(params, script, Some(cuts));
    assert!(
        whole.heard == split.heard,
        "{params}: another cut, another answer"
    );
    assert_eq!(
        (whole.digest, whole.now),
        (split.digest, split.now),
        "{params}: another cut, other motions"
    );
}

struct Played {
    heard: Vec<u8>,
    digest: u64,
    now: Duration,
}

fn play(params: &str, script: &[u8], cuts: Option<u8>) -> Played {
    let pairs = params.split('&').filter_map(|pair| pair.split_once('='));
    let config = Config::from_params(pairs).expect("a good address");
    let mut machine = Simulator::new(config.with_log(LogMode::Keep { limit: 100 }));
    let mut heard = Vec::new();
    let mut written = 0;
    let mut parts = script.split(|byte| *byte == ESCAPE);
    let mut text = parts.next().unwrap_or_default();
    loop {
        written += write(&mut machine, text, cuts);
        laws(params, &mut machine, &mut heard, written);
        let Some(part) = parts.next() else { break };
        let mut part = Input::new(part);
        act(&mut machine, part.byte(), part.byte());
        laws(params, &mut machine, &mut heard, written);
        text = part.rest();
    }
    let end = machine.now() + LONGEST;
    machine.transmit(end, &mut heard);
    laws(params, &mut machine, &mut heard, written);
    Played {
        heard,
        digest: machine.log().digest(),
        now: machine.now(),
    }
}

/// Writes bytes of one instant; returns how many the cable took.
fn write(machine: &mut Simulator, text: &[u8], cuts: Option<u8>) -> usize {
    let now = machine.now();
    let parts = cuts.map_or_else(|| vec![text], |seed| pieces(text, seed));
    parts.iter().map(|part| machine.receive(now, part)).sum()
}

fn act(machine: &mut Simulator, what: u8, how: u8) {
    const TOUCHES: [Touch; 6] = [
        Touch::HardLimit,
        Touch::DoorOpen,
        Touch::DoorClosed,
        Touch::HoldButton,
        Touch::StartButton,
        Touch::Abort,
    ];
    let now = machine.now();
    match what % 8 {
        0..=3 if now < HORIZON => {
            // From a microsecond to seconds, with more choice among the short ones.
            let time = Duration::from_micros(u64::from(how) << (what % 4 * 5)).min(LONGEST);
            machine.advance(now + time);
        }
        4 => machine.touch(now, TOUCHES[usize::from(how) % TOUCHES.len()]),
        5 => machine.disconnect(now),
        6 => machine.reconnect(
            now,
            if how & 1 == 0 {
                OnOpen::Keep
            } else {
                OnOpen::Reset
            },
        ),
        7 => machine.power_cycle(now),
        _ => {}
    }
}

fn laws(params: &str, machine: &mut Simulator, heard: &mut Vec<u8>, written: usize) {
    let now = machine.now();
    machine.transmit(now, heard);
    assert!(
        heard.len() <= 64 * 1024 + 2048 * written,
        "{params}: {} bytes said to {written}",
        heard.len()
    );
    assert!(
        machine.next_event().is_none_or(|at| at >= now),
        "{params}: an event of the past"
    );
    let seen = machine.snapshot();
    assert!(
        seen.position.iter().all(|value| value.is_finite()),
        "{params}: {seen:?}"
    );
    assert!(
        machine.rx_high_water() <= 4096 && seen.rx_used <= machine.rx_high_water(),
        "{params}: {seen:?}"
    );
    assert!(
        seen.lines <= 2 * written as u64 + 8 && seen.planner_used <= 64,
        "{params}: {seen:?}"
    );
    let mut last = Duration::ZERO;
    for entry in machine.log_mut().take_entries() {
        assert!(
            entry.target.iter().all(|value| value.is_finite()),
            "{params}: {entry:?}"
        );
        assert!(
            entry.feed_mm_per_min.is_finite() && entry.spindle_rpm.is_finite(),
            "{params}: {entry:?}"
        );
        assert!((0.0..=1.0).contains(&entry.fraction), "{params}: {entry:?}");
        assert!(
            entry.start <= entry.finish && entry.finish <= now && last <= entry.finish,
            "{params}: {entry:?} behind {last:?} at {now:?}"
        );
        last = entry.finish;
    }
}
