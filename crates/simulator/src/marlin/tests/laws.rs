use proptest::prelude::*;

use super::*;
use crate::rng::Rng;

/// Lines of a program that touch every part of the model.
fn program() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => (-50.0_f64..50.0, -50.0_f64..50.0, 60.0_f64..12_000.0).prop_map(|(x, y, f)| format!("G1 X{x:.3} Y{y:.3} F{f:.0}")),
        2 => (-5.0_f64..5.0).prop_map(|e| format!("G1 E{e:.4}")),
        2 => (-0.01_f64..0.01).prop_map(|x| format!("G1 X{x:.4}")),
        1 => (-9.0_f64..9.0, 1.0_f64..9.0).prop_map(|(x, j)| format!("G3 X{x:.3} Y5 I3 J{j:.2}")),
        1 => Just("G92 X1 E0".to_owned()),
        1 => Just("G91".to_owned()),
        1 => Just("G90".to_owned()),
        1 => Just("M400".to_owned()),
        1 => Just("M105".to_owned()),
        1 => Just("G28 X".to_owned()),
        1 => Just("G4 P50".to_owned()),
    ];
    proptest::collection::vec(line, 1..40).prop_map(|lines| lines.join("\n"))
}

/// Machines that differ in what bytes do to them.
const PARAMS: [&str; 4] = [
    "",
    "emergency_parser=on&advanced_ok=on&heat=instant",
    "baud=9600&jerk=junction&wait=on",
    "motion=instant&heat=instant&queue=1",
];

/// Text made of what the firmware looks for, in any order, so that odd numbers reach every command.
fn scraps() -> impl Strategy<Value = Vec<u8>> {
    const SCRAPS: [&str; 44] = [
        "\n", "\n", "\n", "\n", " ", " ", "G0", "G1", "G2", "G3", "G4", "G10", "G11", "G20", "G28",
        "G91", "G92", "M92", "M104", "M109", "M110", "M112", "M114R", "M201", "M203", "M204",
        "M205", "M220", "M302", "M410", "X", "Y", "Z", "E", "F", "I", "R", "P", "S", "N1", "*",
        "-", ".", "T",
    ];
    let scrap = prop_oneof![
        5 => proptest::sample::select(&SCRAPS[..]).prop_map(str::to_owned),
        2 => (0_u32..300).prop_map(|number| number.to_string()),
        1 => Just("9".repeat(60)),
        1 => Just(".000000001".to_owned()),
    ];
    proptest::collection::vec(scrap, 0..400).prop_map(|scraps| scraps.concat().into_bytes())
}

/// What a run left: the log's digest and number of entries, when it ended, and what the host saw.
fn run(params: &str, program: &str) -> (u64, u64, Duration, String) {
    let mut printer = printer(params);
    let said = ping_pong(&mut printer, program);
    (
        printer.log().digest(),
        printer.log().len(),
        printer.now(),
        said,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_same_seed_and_traffic_give_the_same_run(program in program(), seed in any::<u32>()) {
        let params = format!("heat=instant&seed={seed}&fault=dup-line:0.2,delay-line:0.2&baud=115200");
        prop_assert_eq!(run(&params, &program), run(&params, &program));
    }

    #[test]
    fn every_motion_line_is_one_entry_whatever_the_buffers(program in program()) {
        let motions = program.lines().filter(|line| line.contains("G1 ") || line.starts_with("G3") || line.starts_with("G28") || line.starts_with("G4 ")).count();
        let (digest, len, ..) = run("heat=instant", &program);
        prop_assert_eq!(len, motions as u64);
        for params in ["heat=instant&planner=4", "heat=instant&queue=1", "heat=instant&jerk=junction", "heat=instant&motion=instant"] {
            prop_assert_eq!(run(params, &program).0, digest, "{}", params);
        }
    }

    #[test]
    fn any_input_leaves_it_standing(
        bytes in prop_oneof![proptest::collection::vec(any::<u8>(), 0..2000), scraps()],
        times in proptest::collection::vec(0_u64..3_000_000, 1..8),
        params in proptest::sample::select(&PARAMS[..]),
    ) {
        let mut printer = printer(params);
        let part = bytes.len() / times.len() + 1;
        let mut now = Duration::ZERO;
        for (bytes, time) in bytes.chunks(part).zip(&times) {
            send(&mut printer, now, bytes);
            now += Duration::from_micros(*time);
            printer.advance(now);
        }
        let stats = printer.rx_stats();
        prop_assert!(stats.high_water <= stats.capacity);
        let planned = printer.snapshot().planner_used;
        prop_assert!(planned < 16, "{planned} blocks");
    }

    #[test]
    fn a_host_that_resends_gets_every_line_done_once(count in 5_u64..60, seed in any::<u64>()) {
        let mut printer = printer("motion=instant");
        send_with_resends(&mut printer, count, &mut Rng::new(seed))?;
        let xs: Vec<f64> = printer.log().entries().map(|entry| entry.target[0]).collect();
        let expected: Vec<f64> = (1..=count).map(|n| n as f64).collect();
        prop_assert_eq!(xs, expected);
    }
}

/// Sends `G1 X1`, `G1 X2` … numbered, one at a time, a third of them harmed; on `Resend` goes back, on
/// silence sends a line with a number from the future, which makes the printer say which one it wants.
fn send_with_resends(
    printer: &mut Simulator,
    count: u64,
    rng: &mut Rng,
) -> Result<(), TestCaseError> {
    let now = Duration::ZERO;
    let mut said = Vec::new();
    printer.transmit(now, &mut said);
    let mut next = 1;
    for _ in 0..100 * count {
        if next > count {
            return Ok(());
        }
        said.clear();
        let mut line = framed(next, &format!("G1 X{next}")).into_bytes();
        harm(&mut line, rng);
        send(printer, now, &line);
        printer.transmit(now, &mut said);
        // A garbled `N` makes an unknown command of a line, and that is answered with `ok` too.
        let is_unknown = said.windows(15).any(|text| text == b"Unknown command");
        if said.is_empty() || is_unknown {
            let probe = framed(next + 1000, "M105");
            send(printer, now, format!("\n{probe}").as_bytes());
            printer.transmit(now, &mut said);
        }
        let text = String::from_utf8_lossy(&said);
        let mut asked = text
            .lines()
            .filter_map(|line| line.strip_prefix("Resend: "));
        match asked.next_back() {
            Some(number) => {
                next = number
                    .parse()
                    .map_err(|_| TestCaseError::fail(number.to_owned()))?;
            }
            None if text.lines().any(|line| line == "ok") => next += 1,
            None => {}
        }
    }
    Err(TestCaseError::fail("never came to an end"))
}

/// Drops a byte of the line or flips a bit in it, a third of the time. Never twice in a line: two
/// faults may cancel out in an 8-bit XOR, and then the printer takes the line for good.
fn harm(line: &mut Vec<u8>, rng: &mut Rng) {
    if !rng.chance(1.0 / 3.0) {
        return;
    }
    let at = (rng.unit() * line.len() as f64) as usize;
    if rng.chance(0.3) {
        line.remove(at);
    } else {
        line[at] ^= 1 << (rng.next_u64() % 8);
    }
}
