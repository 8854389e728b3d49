//! Every statement of both dialects from text files, and the laws of the reader.

use proptest::prelude::*;

use super::*;

/// Lines a statement means, in words short enough for a table.
fn describe(response: &Response<'_>) -> String {
    match response {
        Response::Ok(ack) => describe_ack(ack),
        Response::Error(MachineError::Marlin(error)) => {
            let last = error.last_line.map(|line| format!(" last={line}"));
            let class = class_of(&error.kind);
            format!(
                "Error {:?}{} | {class}",
                error.kind,
                last.unwrap_or_default()
            )
        }
        Response::Error(error) => {
            assert!(error.answers_line());
            format!("Error {error} | {} | answers", class_of(error))
        }
        Response::Alarm(alarm) => describe_alarm(*alarm),
        Response::Status(report) => describe_status(report),
        Response::Resend(line) => format!("Resend {line}"),
        Response::Busy(busy) => format!("Busy {busy:?}"),
        Response::Wait => "Wait".into(),
        Response::Started(banner) => {
            format!("Started {:?} {}", banner.variant, banner.version)
        }
        Response::Action(action) => format!("Action {action:?}"),
        Response::Temperature(temperatures) => describe_temperatures(temperatures),
        Response::Position(report) => {
            let count = report
                .count
                .map(|count| format!(" count{}", describe_axes(&count)));
            format!(
                "Position{}{}",
                describe_axes(&report.position),
                count.unwrap_or_default()
            )
        }
        Response::Setting(setting) => format!("Setting {} = {:?}", setting.key, setting.value),
        Response::ParserState(words) => format!("ParserState {words}"),
        Response::Offsets(offsets) => {
            format!("Offsets {:?} {:?}", offsets.kind, offsets.values.as_slice())
        }
        Response::Probe(probe) => {
            let end = if probe.touched { "touched" } else { "missed" };
            format!("Probe {:?} {end}", probe.position.as_slice())
        }
        Response::Version { version, note } => format!("Version {version:?} note {note:?}"),
        Response::Options {
            letters,
            planner_blocks,
            rx_bytes,
        } => {
            let planner = planner_blocks
                .map(|n| format!(" planner={n}"))
                .unwrap_or_default();
            let rx = rx_bytes.map(|n| format!(" rx={n}")).unwrap_or_default();
            format!("Options {letters}{planner}{rx}")
        }
        Response::Capability { name, on } => {
            format!("Capability {name} {}", if *on { "on" } else { "off" })
        }
        Response::Firmware(firmware) => format!("Firmware {:?}", firmware.name()),
        Response::Feedback(text) => format!("Feedback {text}"),
        Response::Help(text) => format!("Help {text}"),
        Response::Echo(text) => format!("Echo {text}"),
        Response::StartupLine {
            block,
            result: Ok(()),
        } => format!("StartupLine {block} ok"),
        Response::StartupLine {
            block,
            result: Err(error),
        } => {
            format!("StartupLine {block} {error}")
        }
        Response::UnknownCommand(command) => format!("UnknownCommand {command}"),
        Response::Fatal(fatal) => {
            assert_eq!(fatal.disposition(), Disposition::Abort);
            format!("Fatal {fatal}")
        }
        Response::Other(bytes) => format!("Other \"{}\"", bytes.escape_ascii()),
    }
}

fn class_of(failure: &impl Classify) -> &'static str {
    match failure.disposition() {
        Disposition::Retry => "retry",
        Disposition::Hold => "hold",
        Disposition::Abort => "abort",
    }
}

fn describe_ack(ack: &Ack) -> String {
    let mut text = String::from("Ok");
    let mut add = |name: &str, value: Option<u64>| {
        text.extend(value.map(|value| format!(" {name}={value}")));
    };
    add("line", ack.line);
    add("planner", ack.planner_free.map(u64::from));
    add("buffer", ack.buffer_free.map(u64::from));
    text.extend(ack.with_temperatures.then_some(" with temperatures"));
    text
}

fn describe_alarm(alarm: Alarm) -> String {
    let mut text = format!("Alarm {alarm}");
    let notes = [
        (alarm.loses_position(), " | position lost"),
        (alarm.needs_reset(), " | needs reset"),
        (alarm.answers_its_line(), " | line answered too"),
    ];
    text.extend(
        notes
            .iter()
            .filter(|(holds, _)| *holds)
            .map(|(_, note)| *note),
    );
    text
}

fn describe_status(report: &StatusReport) -> String {
    let mut text = format!("Status {}", report.state);
    if let Some(sub) = report.substate
        && !matches!(report.state, MachineState::Hold(_) | MachineState::Door(_))
    {
        text += &format!(" sub={sub}");
    }
    let positions = [
        ("mpos", report.machine_position),
        ("wpos", report.work_position),
        ("wco", report.work_offset),
    ];
    for (name, position) in positions {
        text.extend(position.map(|position| format!(" {name}={:?}", position.as_slice())));
    }
    let buffers = report.planner_free.zip(report.rx_free);
    text.extend(buffers.map(|(planner, rx)| format!(" bf={planner},{rx}")));
    text.extend(report.line.map(|line| format!(" ln={line}")));
    text.extend(report.feed.map(|feed| format!(" feed={feed}")));
    text.extend(report.spindle.map(|spindle| format!(" spindle={spindle}")));
    if !report.pins.is_empty() {
        text += &format!(" pins={}", report.pins.iter().collect::<String>());
    }
    text.extend(report.overrides.map(|ov| {
        format!(
            " ov={},{},{}",
            ov.feed_percent, ov.rapid_percent, ov.spindle_percent
        )
    }));
    let accessories = report
        .accessories
        .map(|letters| letters.iter().collect::<String>());
    text.extend(accessories.map(|letters| format!(" acc={letters}")));
    text
}

fn describe_temperatures(temperatures: &Temperatures) -> String {
    let mut text = String::from("Temperature");
    for reading in temperatures.readings() {
        text += &format!(" {:?}={}", reading.heater, reading.current_celsius);
        text.extend(reading.target_celsius.map(|target| format!("/{target}")));
    }
    match temperatures.waiting {
        None => {}
        Some(Waiting::ForTarget) => text += " waiting",
        Some(Waiting::Settling(seconds)) => text += &format!(" settling {seconds} s"),
    }
    text
}

fn describe_axes(axes: &AxisValues) -> String {
    axes.iter()
        .map(|(letter, value)| format!(" {}{value}", letter as char))
        .collect()
}

/// Everything a reader gives for bytes that arrive in these pieces.
fn read_all<'a>(
    dialect: Dialect,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<String>, Tally) {
    let mut reader = ResponseReader::new(dialect);
    let mut all = Vec::new();
    for mut input in pieces {
        while let Some(response) = reader.next(&mut input) {
            all.push(describe(&response));
        }
        assert!(
            input.is_empty(),
            "a reader takes everything before it gives up"
        );
    }
    (all, reader.tally())
}

/// `\xNN` to bytes.
fn unescape(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}

/// Checks every entry of a script: a line at the left edge and, indented by four, what it means.
fn check(dialect: Dialect, script: &str) {
    let mut lines = script.lines().enumerate().peekable();
    let mut entries = 0;
    while let Some((at, line)) = lines.next() {
        if line.is_empty() || line.starts_with("# ") {
            continue;
        }
        let mut want = Vec::new();
        while let Some((_, meaning)) = lines.next_if(|(_, next)| next.starts_with("    ")) {
            want.push(meaning[4..].trim_end().to_owned());
        }
        let mut bytes = unescape(line);
        bytes.push(b'\n');
        let (mut got, tally) = read_all(dialect, [bytes.as_slice()]);
        if tally.garbled > 0 {
            got.iter_mut()
                .for_each(|response| response.push_str(" | garbled"));
        }
        got.iter_mut()
            .for_each(|response| response.truncate(response.trim_end().len()));
        assert_eq!(got, want, "script line {}: {line}", at + 1);
        entries += 1;
    }
    assert!(entries > 50, "only {entries} entries were read");
}

#[test]
fn every_response_of_grbl() {
    check(
        Dialect::Grbl,
        include_str!("../../tests/data/grbl_responses.txt"),
    );
}

#[test]
fn every_response_of_marlin() {
    check(
        Dialect::Marlin,
        include_str!("../../tests/data/marlin_responses.txt"),
    );
}

#[test]
fn line_ends_and_blank_lines() {
    let table: [(&[u8], usize); 6] = [
        (b"ok\nok\n", 2),
        (b"ok\r\nok\r\n", 2),
        (b"ok\rok\r", 2),
        (b"\r\n\r\n \t\r\nok\r\n\n\r", 1),
        (b"ok", 0),
        (b"ok \nok\t\r\n", 2),
    ];
    for (bytes, want) in table {
        for dialect in [Dialect::Grbl, Dialect::Marlin] {
            let whole = read_all(dialect, [bytes]).0;
            assert_eq!(
                whole,
                vec!["Ok"; want],
                "{dialect}: {}",
                bytes.escape_ascii()
            );
            let single = read_all(dialect, bytes.chunks(1)).0;
            assert_eq!(single, whole, "{dialect}: {}", bytes.escape_ascii());
        }
    }
}

#[test]
fn a_line_of_512_bytes_is_read_and_of_513_is_cut() {
    let line = |len: usize| format!("[MSG:{}]\r\nok\r\n", "x".repeat(len - 6));
    let (fits, tally) = read_all(Dialect::Grbl, [line(512).as_bytes()]);
    assert_eq!(fits[0].len(), "Feedback ".len() + 506);
    assert_eq!((fits.len(), tally.overlong), (2, 0));

    let (cut, tally) = read_all(Dialect::Grbl, [line(513).as_bytes()]);
    assert!(cut[0].starts_with("Other \"[MSG:xxx"), "{}", cut[0]);
    assert_eq!(cut[1], "Ok", "the next line is read as ever");
    let want = Tally {
        lines: 2,
        overlong: 1,
        garbled: 0,
        dropped_bytes: 1,
    };
    assert_eq!(tally, want);
}

#[test]
fn endless_garbage_costs_no_memory_and_does_not_hide_what_follows() {
    let mut reader = ResponseReader::new(Dialect::Marlin);
    let noise = [0xA5_u8; 4096];
    for _ in 0..1_000 {
        assert_eq!(reader.next(&mut noise.as_slice()), None);
    }
    let mut input = b"\nok\n".as_slice();
    assert!(
        matches!(reader.next(&mut input), Some(Response::Other(bytes)) if bytes.len() == MAX_RESPONSE)
    );
    assert_eq!(reader.next(&mut input), Some(Response::Ok(Ack::default())));
    assert_eq!(
        reader.tally().dropped_bytes,
        4096 * 1_000 - MAX_RESPONSE as u64
    );
}

#[test]
fn reset_forgets_the_partial_line_of_a_lost_link() {
    let mut reader = ResponseReader::new(Dialect::Grbl);
    assert_eq!(reader.next(&mut b"erro".as_slice()), None);
    reader.reset();
    assert_eq!(
        reader.next(&mut b"ok\n".as_slice()),
        Some(Response::Ok(Ack::default()))
    );
}

#[test]
fn what_answers_a_line_and_what_does_not() {
    let table: [(Dialect, &[u8], bool); 10] = [
        (Dialect::Grbl, b"ok", true),
        (Dialect::Grbl, b"error:1", true),
        (Dialect::Grbl, b"ALARM:5", false),
        (Dialect::Grbl, b">G54:ok", false),
        (Dialect::Grbl, b"<Idle>", false),
        (Dialect::Marlin, b"ok T:20.0 /0.0", true),
        (
            Dialect::Marlin,
            b"Error:checksum mismatch, Last Line: 1",
            false,
        ),
        (Dialect::Marlin, b"Resend: 2", false),
        (Dialect::Marlin, b"echo:Unknown command: \"X\"", false),
        (Dialect::Marlin, b"start", false),
    ];
    for (dialect, line, want) in table {
        let response = dialect.read_line(line);
        assert_eq!(response.answers_line(), want, "{}", line.escape_ascii());
    }
}

#[test]
fn every_error_of_grbl_has_text_remedy_and_class() {
    use Disposition::{Abort, Hold, Retry};
    let codes: Vec<u16> = (1..=17).chain(20..=38).collect();
    for &code in &codes {
        let error = GrblError(code);
        let want = match code {
            7 | 9 => Abort,
            8 => Retry,
            _ => Hold,
        };
        assert_eq!(error.disposition(), want, "{error}");
        assert_ne!(error.text(), GrblError(999).text(), "{error}");
        assert_ne!(error.remedy(), GrblError(999).remedy(), "{error}");
        let line = format!("error:{code}");
        let read = Dialect::Grbl.read_line(line.as_bytes());
        assert_eq!(read, Response::Error(MachineError::Grbl(error)));
    }
    let texts: std::collections::BTreeSet<_> = codes.iter().map(|&c| GrblError(c).text()).collect();
    assert_eq!(texts.len(), codes.len(), "no two errors read the same");
    for gap in [0, 18, 19, 39, 253, u16::MAX] {
        assert_eq!(GrblError(gap).text(), GrblError(999).text(), "error:{gap}");
    }
}

#[test]
fn every_alarm_of_grbl_has_text_remedy_and_consequences() {
    // code, loses the position, needs a reset
    let table = [
        (1, true, true),
        (2, false, true),
        (3, true, false),
        (4, false, false),
        (5, false, false),
        (6, true, false),
        (7, true, false),
        (8, true, false),
        (9, true, false),
    ];
    let unknown = Alarm(999);
    for (code, loses_position, needs_reset) in table {
        let alarm = Alarm(code);
        assert_eq!(alarm.loses_position(), loses_position, "{alarm}");
        assert_eq!(alarm.needs_reset(), needs_reset, "{alarm}");
        assert_eq!(alarm.disposition(), Disposition::Abort, "{alarm}");
        assert_ne!(alarm.text(), unknown.text(), "{alarm}");
        assert_ne!(alarm.remedy(), unknown.remedy(), "{alarm}");
    }
    assert!(
        unknown.loses_position(),
        "when in doubt the machine is homed"
    );
}

#[test]
fn realtime_bytes() {
    let grbl: Vec<_> = RealtimeCommand::ALL
        .iter()
        .filter_map(|&command| Dialect::Grbl.realtime(command))
        .collect();
    assert!(
        grbl.iter()
            .all(|bytes| bytes.len() == 1 && Dialect::Grbl.eats(bytes[0]))
    );
    let mut distinct = grbl.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(
        distinct.len(),
        grbl.len() - 1,
        "only reset and emergency stop share a byte"
    );

    use OverrideStep::{CoarseDown, CoarseUp, FineDown, FineUp, Reset};
    let table = [
        (RealtimeCommand::SoftReset, 0x18),
        (RealtimeCommand::Status, b'?'),
        (RealtimeCommand::Hold, b'!'),
        (RealtimeCommand::Resume, b'~'),
        (RealtimeCommand::SafetyDoor, 0x84),
        (RealtimeCommand::JogCancel, 0x85),
        (RealtimeCommand::FeedOverride(Reset), 0x90),
        (RealtimeCommand::FeedOverride(CoarseUp), 0x91),
        (RealtimeCommand::FeedOverride(CoarseDown), 0x92),
        (RealtimeCommand::FeedOverride(FineUp), 0x93),
        (RealtimeCommand::FeedOverride(FineDown), 0x94),
        (RealtimeCommand::RapidOverride(RapidRate::Full), 0x95),
        (RealtimeCommand::RapidOverride(RapidRate::Half), 0x96),
        (RealtimeCommand::RapidOverride(RapidRate::Quarter), 0x97),
        (RealtimeCommand::SpindleOverride(Reset), 0x99),
        (RealtimeCommand::SpindleOverride(CoarseUp), 0x9A),
        (RealtimeCommand::SpindleOverride(CoarseDown), 0x9B),
        (RealtimeCommand::SpindleOverride(FineUp), 0x9C),
        (RealtimeCommand::SpindleOverride(FineDown), 0x9D),
        (RealtimeCommand::SpindleStop, 0x9E),
        (RealtimeCommand::FloodToggle, 0xA0),
        (RealtimeCommand::MistToggle, 0xA1),
    ];
    for (command, byte) in table {
        assert_eq!(
            Dialect::Grbl.realtime(command),
            Some([byte].as_slice()),
            "{command:?}"
        );
    }

    let marlin: Vec<_> = RealtimeCommand::ALL
        .iter()
        .filter_map(|&command| Dialect::Marlin.realtime(command))
        .collect();
    assert_eq!(marlin, [b"M112\n", b"M410\n", b"M108\n"]);
    assert_eq!(
        Dialect::Marlin.realtime_capability(),
        Some("EMERGENCY_PARSER")
    );
}

#[test]
fn bytes_that_firmwares_eat_wherever_they_stand() {
    for byte in 0..=u8::MAX {
        let want = match byte {
            b'\t' | b'\n' | b'\r' => false,
            b'?' | b'!' | b'~' => true,
            0..=0x1F | 0x80.. => true,
            _ => false,
        };
        assert_eq!(Dialect::Grbl.eats(byte), want, "{byte:#04x}");
        assert_eq!(Dialect::Marlin.eats(byte), byte == b'\\', "{byte:#04x}");
    }
}

#[test]
fn figures_of_the_firmwares() {
    // firmware, longest line, lag of a stock build, lag with a planner of 35 blocks
    let table = [
        (Variant::Grbl, 79, 20, 40),
        (Variant::GrblHal, 255, 110, 45),
        (Variant::FluidNc, 254, 26, 46),
        (Variant::Marlin, 95, 15, 35),
    ];
    for (variant, max_line, stock, larger) in table {
        assert_eq!(variant.max_line(), max_line, "{variant:?}");
        assert_eq!(variant.lag_blocks(None), stock, "{variant:?}");
        assert_eq!(variant.lag_blocks(Some(35)), larger, "{variant:?}");
    }
    assert_eq!(Dialect::Grbl.lag_blocks(), 20);
    assert_eq!(Dialect::Marlin.lag_blocks(), 15);
    for dialect in [Dialect::Grbl, Dialect::Marlin] {
        assert!(dialect.window_bytes(dialect.default_rx()) < dialect.default_rx());
        assert!(dialect.barrier().len() <= dialect.max_line());
    }
}

#[test]
fn names_parse_back() {
    for dialect in [Dialect::Grbl, Dialect::Marlin] {
        assert_eq!(dialect.to_string().parse(), Ok(dialect));
    }
    let error = "smoothie".parse::<Dialect>().unwrap_err();
    assert!(error.to_string().contains("use grbl"), "{error}");
}

#[test]
fn firmware_fields_may_hold_blanks() {
    let text = "FIRMWARE_NAME:Marlin 2.1 (May 3 12:10:00) MACHINE_TYPE:Shop printer UUID:cede-1";
    let Response::Firmware(firmware) = Dialect::Marlin.read_line(text.as_bytes()) else {
        panic!("not firmware");
    };
    assert_eq!(
        firmware.field("FIRMWARE_NAME"),
        Some("Marlin 2.1 (May 3 12:10:00)")
    );
    assert_eq!(firmware.field("MACHINE_TYPE"), Some("Shop printer"));
    assert_eq!(firmware.field("UUID"), Some("cede-1"));
    assert_eq!(firmware.field("EXTRUDER_COUNT"), None);
}

/// A line that may come over the wire: real ones, damaged ones, noise.
fn wire_line() -> impl Strategy<Value = Vec<u8>> {
    let scripts = [
        include_str!("../../tests/data/grbl_responses.txt"),
        include_str!("../../tests/data/marlin_responses.txt"),
    ];
    let real: Vec<Vec<u8>> = scripts
        .iter()
        .flat_map(|script| script.lines())
        .filter(|line| !line.starts_with("    ") && !line.starts_with("# "))
        .map(unescape)
        .collect();
    let damaged = (
        prop::sample::select(real.clone()),
        any::<prop::sample::Index>(),
        any::<u8>(),
    );
    prop_oneof![
        6 => prop::sample::select(real),
        3 => damaged.prop_map(|(mut line, at, byte)| {
            if !line.is_empty() {
                let at = at.index(line.len());
                line[at] = byte;
            }
            line
        }),
        1 => prop::collection::vec(any::<u8>(), 0..80),
        1 => (500_usize..600, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ]
}

/// Lines with random ends, as one run of bytes.
fn wire_bytes() -> impl Strategy<Value = Vec<u8>> {
    let end = prop::sample::select(vec!["\r\n", "\n", "\r", "\n\n", "\r\r\n"]);
    prop::collection::vec((wire_line(), end), 0..20).prop_map(|lines| {
        let ended = lines
            .into_iter()
            .map(|(line, end)| [line, end.as_bytes().to_vec()].concat());
        ended.collect::<Vec<_>>().concat()
    })
}

fn dialects() -> impl Strategy<Value = Dialect> {
    prop::sample::select(vec![Dialect::Grbl, Dialect::Marlin])
}

/// Cuts bytes at the given places.
fn pieces<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_split_gives_the_same_responses(
        dialect in dialects(),
        bytes in wire_bytes(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let whole = read_all(dialect, [bytes.as_slice()]);
        prop_assert_eq!(&read_all(dialect, pieces(&bytes, &cuts)), &whole);
        prop_assert_eq!(&read_all(dialect, bytes.chunks(1)), &whole);
    }

    #[test]
    fn ok_comes_only_from_lines_whose_first_word_is_ok(dialect in dialects(), bytes in wire_bytes()) {
        let acks = read_all(dialect, [bytes.as_slice()]).0.iter().filter(|r| r.starts_with("Ok")).count();
        let lines = bytes.split(|&b| b == b'\n' || b == b'\r');
        let candidates = lines.filter(|line| line.trim_ascii().split(|b| b" \t".contains(b)).next() == Some(b"ok"));
        prop_assert!(acks <= candidates.count());
    }

    #[test]
    fn a_line_says_at_most_two_things(dialect in dialects(), bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let ends = bytes.iter().filter(|&&b| b == b'\n' || b == b'\r').count();
        let (responses, tally) = read_all(dialect, [bytes.as_slice()]);
        prop_assert!(responses.len() <= 2 * ends);
        prop_assert!(tally.lines as usize <= ends);
    }

    #[test]
    fn a_status_report_reads_back_in_any_order(
        position in prop::collection::vec(-10_000_i32..10_000, 1..=MAX_AXES),
        planner: u16, rx: u16, line: u64, feed in 0_u32..100_000, spindle in 0_u32..100_000,
        order in Just(vec![0, 1, 2, 3, 4]).prop_shuffle(),
    ) {
        let values: Vec<f64> = position.iter().map(|&thousandths| f64::from(thousandths) / 1_000.0).collect();
        let printed: Vec<String> = values.iter().map(|value| format!("{value:.3}")).collect();
        let fields = [
            format!("MPos:{}", printed.join(",")),
            format!("Bf:{planner},{rx}"),
            format!("Ln:{line}"),
            format!("FS:{feed},{spindle}"),
            "Later:1,2|x".into(),
        ];
        let shuffled: Vec<&str> = order.iter().map(|&at: &usize| fields[at].as_str()).collect();
        let text = format!("<Run|{}>", shuffled.join("|"));
        let want = StatusReport {
            machine_position: Coordinates::new(&values),
            planner_free: Some(planner),
            rx_free: Some(rx),
            line: Some(line),
            feed: Some(f64::from(feed)),
            spindle: Some(f64::from(spindle)),
            ..StatusReport::of(MachineState::Run)
        };
        prop_assert_eq!(Dialect::Grbl.read_line(text.as_bytes()), Response::Status(want));
    }
}
