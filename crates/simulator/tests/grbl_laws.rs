//! What must hold for the simulated grbl whatever it is told: by example and at random.

use std::time::Duration;

use feedhold_simulator::{Config, Simulator};
use proptest::prelude::*;

fn machine(params: &str) -> Simulator {
    let pairs = params
        .split('&')
        .filter(|p| !p.is_empty())
        .map(|p| p.split_once('=').unwrap());
    let pairs = pairs.chain([("log", "keep")]);
    let mut machine = Simulator::new(Config::from_params(pairs).unwrap());
    run(&mut machine, &mut Vec::new());
    machine
}

/// Runs until nothing happens any more.
fn run(machine: &mut Simulator, heard: &mut Vec<u8>) {
    for _ in 0..2_000_000 {
        let Some(at) = machine.next_event().filter(|_| machine.is_working()) else {
            return;
        };
        machine.transmit(at.max(machine.now()), heard);
    }
    panic!("never comes to rest");
}

fn answers(heard: &[u8]) -> (usize, usize) {
    let lines = || heard.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end);
    let oks = lines().filter(|line| *line == b"ok").count();
    (
        oks,
        lines().filter(|line| line.starts_with(b"error:")).count(),
    )
}

/// Sends a program as a host does that counts characters against a receive buffer of `rx`: the next
/// line leaves when it fits. Realtime bytes go out before the line of the same index.
fn count_characters(
    machine: &mut Simulator,
    lines: &[String],
    realtime: &[(usize, &[u8])],
    rx: usize,
) -> Vec<u8> {
    let mut heard = Vec::new();
    let mut in_flight = std::collections::VecDeque::new();
    let mut counted = 0;
    let mut sent = 0;
    for _ in 0..3_000_000 {
        let new = heard.get(counted..).unwrap_or(&[]);
        if let Some(end) = new.iter().rposition(|b| *b == b'\n') {
            let (oks, errors) = answers(&new[..end]);
            in_flight.drain(..oks + errors);
            counted += end;
        }
        if let Some(line) = lines.get(sent)
            && in_flight.iter().sum::<usize>() + line.len() < rx
        {
            for (_, bytes) in realtime.iter().filter(|(at, _)| *at == sent) {
                assert_eq!(machine.receive(machine.now(), bytes), bytes.len());
            }
            let bytes = [line.as_bytes(), b"\n"].concat();
            assert_eq!(machine.receive(machine.now(), &bytes), bytes.len());
            in_flight.push_back(bytes.len());
            sent += 1;
            continue;
        }
        match machine.next_event() {
            Some(at) => machine.transmit(at.max(machine.now()), &mut heard),
            None if sent == lines.len() && in_flight.is_empty() => return heard,
            // Held: somebody has to press start.
            None => machine.receive(machine.now(), b"~"),
        };
    }
    panic!("the job does not end");
}

#[test]
fn sixty_lines_sent_blind_lose_bytes() {
    let mut machine = machine("baud=115200");
    let lines: String = (0..60)
        .map(|n| format!("G1X{:03}.00Y000.0F300\n", n))
        .collect();
    assert_eq!(lines.len(), 60 * 20);
    assert_eq!(
        machine.receive(machine.now(), lines.as_bytes()),
        lines.len()
    );
    let mut heard = Vec::new();
    run(&mut machine, &mut heard);
    let (oks, errors) = answers(&heard);
    assert!(machine.rx_overflows() > 0);
    assert_eq!(machine.rx_high_water(), 128);
    assert!(oks + errors < 60, "{oks} ok, {errors} errors");
}

#[test]
fn counting_characters_fills_the_buffer_and_never_overflows_it() {
    for (params, rx) in [
        ("baud=115200", 128),
        ("baud=115200&latency_ms=4&rx=1024", 1024),
    ] {
        let mut machine = machine(params);
        let lines: Vec<String> = (0..400).map(|n| format!("G1X{}F3000", n % 7)).collect();
        let heard = count_characters(&mut machine, &lines, &[], rx);
        assert_eq!(answers(&heard), (400, 0), "{params}");
        assert_eq!(machine.rx_overflows(), 0, "{params}");
        assert!(
            machine.rx_high_water() > rx / 2,
            "{params}: {}",
            machine.rx_high_water()
        );
        assert_eq!(machine.log().len(), 400);
    }
}

#[test]
fn a_window_one_line_too_big_overflows() {
    let mut machine = machine("baud=115200");
    let lines: Vec<String> = (0..400)
        .map(|n| format!("G1X{}F30000Y1.0", n % 7))
        .collect();
    let mut heard = Vec::new();
    // A sender that does not count at all but stays some lines ahead.
    for chunk in lines.chunks(25) {
        let bytes: String = chunk.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(
            machine.receive(machine.now(), bytes.as_bytes()),
            bytes.len()
        );
        let later = machine.now() + Duration::from_millis(30);
        machine.transmit(later, &mut heard);
    }
    assert!(machine.rx_overflows() > 0);
}

#[test]
fn the_wire_s_time_is_ten_bits_a_byte() {
    let mut machine = machine("baud=9600&motion=instant");
    let start = machine.now();
    let line = b"G1X1F100\n".repeat(10);
    assert_eq!(machine.receive(start, &line), 90);
    let mut heard = Vec::new();
    run(&mut machine, &mut heard);
    let took = (machine.now() - start).as_secs_f64();
    // 90 bytes there, and the last answer's four back.
    assert!((took - 94.0 / 960.0).abs() < 1e-4, "{took}");
}

#[test]
fn a_processor_that_takes_time_slows_the_answers() {
    let mut machine = machine("line_us=1000&motion=instant");
    let start = machine.now();
    assert_eq!(machine.receive(start, &b"G1X1F100\n".repeat(10)), 90);
    run(&mut machine, &mut Vec::new());
    assert_eq!(machine.now() - start, Duration::from_millis(10));
}

#[test]
fn dead_and_late_links_behave_as_planned() {
    let mut machine = machine("fault=stall@1s:2,hang@5s,disconnect@8s");
    let second = Duration::from_secs(1);
    let mut heard = Vec::new();
    let mut ask = |machine: &mut Simulator, at: Duration| {
        machine.advance(at);
        let taken = machine.receive(at, b"?");
        heard.clear();
        machine.transmit(at, &mut heard);
        (taken, heard.len() > 3)
    };
    assert_eq!(ask(&mut machine, second / 2), (1, true));
    assert_eq!(ask(&mut machine, second * 2), (1, false));
    assert_eq!(ask(&mut machine, second * 4), (1, true));
    assert_eq!(ask(&mut machine, second * 6), (1, false));
    assert_eq!(ask(&mut machine, second * 9), (0, false));
    assert!(!machine.link_up());
    machine.reconnect(second * 10, feedhold_simulator::OnOpen::Reset);
    assert_eq!(ask(&mut machine, second * 11), (1, true));
}

/// Lines of a program that grbl accepts.
fn program() -> impl Strategy<Value = Vec<String>> {
    let number = || (-2000i32..2000).prop_map(|n| f64::from(n) / 100.0);
    let line = prop_oneof![
        6 => (number(), number(), 1u32..6000).prop_map(|(x, y, f)| format!("G1X{x}Y{y}F{f}")),
        2 => (number(), number()).prop_map(|(x, z)| format!("G0X{x}Z{z}")),
        2 => (1i32..1000, prop::bool::ANY).prop_map(|(r, ccw)| {
            let r = f64::from(r) / 100.0;
            format!("G{}I{r}J0X0F1500", if ccw { 3 } else { 2 })
        }).prop_map(|arc| format!("G91{arc}")),
        1 => Just("G90".to_owned()),
        1 => Just("M3S1000".to_owned()),
        1 => Just("G4P0.05".to_owned()),
        1 => Just("M5".to_owned()),
        1 => Just("G0".to_owned()),
        1 => Just("G21".to_owned()),
    ];
    prop::collection::vec(line, 1..25)
}

fn targets(machine: &Simulator) -> Vec<(&'static str, [f64; 4])> {
    machine
        .log()
        .entries()
        .map(|entry| (entry.kind.name(), entry.target))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// One answer a line, and the same motions however fast the machine is, wherever the holds,
    /// doors and overrides fall.
    #[test]
    fn interruptions_change_no_motion(
        program in program(),
        interruptions in prop::collection::vec((0usize..25, prop::sample::select(
            vec![&b"!"[..], &b"\x84"[..], &b"\x92\x96"[..], &b"?"[..]])), 0..4),
    ) {
        let mut plain = machine("");
        let heard = count_characters(&mut plain, &program, &[], 128);
        prop_assert_eq!(answers(&heard), (program.len(), 0));
        let mut instant = machine("motion=instant");
        count_characters(&mut instant, &program, &[], 128);
        prop_assert_eq!(targets(&plain), targets(&instant));
        let mut disturbed = machine("baud=115200");
        count_characters(&mut disturbed, &program, &interruptions, 128);
        prop_assert_eq!(targets(&plain), targets(&disturbed));
        prop_assert_eq!(plain.log().digest(), disturbed.log().digest());
        let (a, b) = (plain.snapshot().position, disturbed.snapshot().position);
        prop_assert_eq!(a, b);
        let orderly = plain.log().entries().zip(plain.log().entries().skip(1))
            .all(|(a, b)| a.start <= a.finish && a.finish <= b.start);
        prop_assert!(orderly, "motions overlap");
    }

    /// Garbage is answered line by line and never stops the machine from being reset.
    #[test]
    fn garbage_does_no_harm(garbage in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut machine = machine("probe_z=-1&homing=on&soft_limits=on");
        let ends = garbage.iter().filter(|b| matches!(b, b'\n' | b'\r')).count();
        let mut heard = Vec::new();
        prop_assert_eq!(machine.receive(machine.now(), &garbage), garbage.len());
        run(&mut machine, &mut heard);
        let (oks, errors) = answers(&heard);
        prop_assert!(oks + errors <= ends);
        heard.clear();
        prop_assert_eq!(machine.receive(machine.now(), b"\x18$X\n?"), 5);
        run(&mut machine, &mut heard);
        let text = String::from_utf8_lossy(&heard);
        prop_assert!(text.contains("Grbl 1.1h") && text.contains("<Idle|"), "{}", text);
    }

    /// Words at random reach every corner of the parser.
    #[test]
    fn random_words_get_one_answer_a_line(
        lines in prop::collection::vec("([GMXYZIJKRFSPLNT\\$#=]-?[0-9]{0,3}(\\.[0-9])?){1,6}", 1..30),
    ) {
        let mut machine = machine("motion=instant");
        let mut heard = Vec::new();
        let mut silent = false;
        for line in &lines {
            silent |= line.starts_with("$SLP");
            let bytes = [line.as_bytes(), b"\n"].concat();
            prop_assert_eq!(machine.receive(machine.now(), &bytes), bytes.len());
            run(&mut machine, &mut heard);
            // M0 waits for a start; it does no harm otherwise.
            prop_assert_eq!(machine.receive(machine.now(), b"~"), 1);
            run(&mut machine, &mut heard);
        }
        let (oks, errors) = answers(&heard);
        prop_assert!(silent || oks + errors == lines.len(), "{} of {}", oks + errors, lines.len());
    }

    /// Same seed, same trace; and the bytes of one instant may come in any split.
    #[test]
    fn same_seed_same_trace(seed: u64, cut in 0usize..200) {
        let params = format!(
            "baud=115200&seed={seed}&fault=drop-ok:0.1,garble-line:0.1,dup-tx:0.01,drop-rx:0.01,reset@0.3s"
        );
        let program: Vec<u8> = (0..20).flat_map(|n| format!("G1X{n}F2000\n").into_bytes()).collect();
        let trace = |cut: usize| {
            let mut machine = machine(&params);
            let (a, b) = program.split_at(cut.min(program.len()));
            let mut heard = Vec::new();
            let now = machine.now();
            assert_eq!(machine.receive(now, a) + machine.receive(now, b), program.len());
            run(&mut machine, &mut heard);
            (heard, machine.log().digest(), machine.now())
        };
        prop_assert_eq!(trace(0), trace(cut));
    }
}
