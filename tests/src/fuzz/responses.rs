//! What controllers say: any bytes in any split.

use feedhold_stream_core::dialect::{
    Dialect, MAX_RESPONSE, Response, ResponseReader, StatusReport, Tally,
};

use super::{Input, pieces};

pub(super) fn judge(data: &[u8]) {
    let mut input = Input::new(data);
    let dialect = input.pick(&[Dialect::Grbl, Dialect::Marlin]);
    let cuts = input.byte();
    let bytes = input.rest();
    let (whole, tally) = read(dialect, &[bytes]);
    let split = read(dialect, &pieces(bytes, cuts));
    assert_eq!(
        (&whole, tally),
        (&split.0, split.1),
        "another cut, other responses"
    );
    assert!(tally.lines >= tally.overlong + tally.garbled);
    let ends = bytes
        .iter()
        .filter(|byte| matches!(byte, b'\n' | b'\r'))
        .count() as u64;
    assert!(
        tally.lines <= ends,
        "{} lines with {ends} ends",
        tally.lines
    );
    assert!(
        whole.len() as u64 <= 2 * tally.lines,
        "{} responses of {} lines",
        whole.len(),
        tally.lines
    );
    let mut reader = ResponseReader::new(dialect);
    let mut rest = bytes;
    while let Some(response) = reader.next(&mut rest) {
        response_laws(dialect, &response);
    }
    answers_are_lines_of_their_own(dialect, bytes);
    the_past_is_forgotten(dialect, bytes);
}

fn read(dialect: Dialect, pieces: &[&[u8]]) -> (Vec<String>, Tally) {
    let mut reader = ResponseReader::new(dialect);
    let mut responses = Vec::new();
    for piece in pieces {
        let mut input = *piece;
        while let Some(response) = reader.next(&mut input) {
            responses.push(format!("{response:?}"));
        }
        assert!(input.is_empty(), "bytes were left without a response");
    }
    (responses, reader.tally())
}

fn response_laws(dialect: Dialect, response: &Response<'_>) {
    match response {
        Response::Status(report) => status_laws(report),
        Response::Temperature(report) => {
            for reading in report.readings() {
                assert!(
                    reading.current_celsius.is_finite()
                        && reading.target_celsius.is_none_or(f64::is_finite)
                );
            }
        }
        Response::Position(report) => {
            for (_, value) in report
                .position
                .iter()
                .chain(report.count.iter().flat_map(|count| count.iter()))
            {
                assert!(value.is_finite());
            }
        }
        Response::Offsets(offsets) => assert!(
            offsets
                .values
                .as_slice()
                .iter()
                .all(|value| value.is_finite())
        ),
        Response::Probe(probe) => assert!(
            probe
                .position
                .as_slice()
                .iter()
                .all(|value| value.is_finite())
        ),
        Response::Other(text) => assert!(text.len() <= MAX_RESPONSE),
        Response::Firmware(firmware) => {
            assert!(firmware.text.contains(firmware.name()));
            assert_shown(firmware.text);
        }
        Response::Feedback(text)
        | Response::Help(text)
        | Response::Echo(text)
        | Response::ParserState(text)
        | Response::UnknownCommand(text) => {
            assert_shown(text);
        }
        Response::Setting(setting) => assert_shown(setting.value),
        Response::Error(error) => assert_shown(&format!("{error}; {}", error.remedy())),
        Response::Alarm(alarm) => assert_shown(&format!("{alarm}; {}", alarm.remedy())),
        Response::Fatal(fatal) => assert_shown(&fatal.to_string()),
        Response::Started(banner) => assert_eq!(banner.variant.dialect(), dialect),
        _ => {}
    }
    let never_grbl = matches!(
        response,
        Response::Resend(_) | Response::Busy(_) | Response::Wait | Response::Temperature(_)
    );
    assert!(
        dialect == Dialect::Marlin || !never_grbl,
        "grbl never says {response:?}"
    );
    let never_marlin = matches!(
        response,
        Response::Status(_) | Response::Alarm(_) | Response::Setting(_)
    );
    assert!(
        dialect == Dialect::Grbl || !never_marlin,
        "Marlin never says {response:?}"
    );
}

/// Text for people may hold a tab and nothing else that a terminal acts on.
#[track_caller]
fn assert_shown(text: &str) {
    super::assert_shown(&text.replace('\t', " "), 2 * MAX_RESPONSE);
}

fn status_laws(report: &StatusReport) {
    let positions = [
        report.machine_position,
        report.work_position,
        report.work_offset,
    ];
    let values = positions
        .iter()
        .flatten()
        .flat_map(|position| position.as_slice().iter().copied());
    assert!(
        values
            .chain(report.feed)
            .chain(report.spindle)
            .all(f64::is_finite),
        "{report:?}"
    );
    if let (Some(work), Some(offset)) = (report.work_position, report.work_offset) {
        assert!(work.plus(&offset).as_slice().len() <= work.as_slice().len());
    }
}

/// An answer gives credit back, so nothing but a line that begins as one may count, and a line counts once.
fn answers_are_lines_of_their_own(dialect: Dialect, bytes: &[u8]) {
    for line in bytes.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let mut reader = ResponseReader::new(dialect);
        let mut input = line;
        assert!(
            reader.next(&mut input).is_none(),
            "a response without the end of its line"
        );
        let mut end = &b"\n"[..];
        let mut answers = 0;
        while let Some(response) = reader.next(&mut end) {
            answers += usize::from(response.answers_line());
        }
        let begins = line.trim_ascii_start();
        let looks = begins.starts_with(b"ok")
            || (dialect == Dialect::Grbl && begins.starts_with(b"error:"));
        assert!(
            answers <= usize::from(looks),
            "{answers} answers in {}",
            line.escape_ascii()
        );
        if line.len() <= MAX_RESPONSE {
            assert_eq!(
                usize::from(dialect.read_line(line).answers_line()),
                answers,
                "{}",
                line.escape_ascii()
            );
        }
    }
}

/// After a reset nothing of a half line is left.
fn the_past_is_forgotten(dialect: Dialect, bytes: &[u8]) {
    let mut reader = ResponseReader::new(dialect);
    let mut input = bytes;
    while reader.next(&mut input).is_some() {}
    reader.reset();
    let mut again = &b"ok\n"[..];
    assert!(matches!(reader.next(&mut again), Some(Response::Ok(_))));
    assert!(reader.next(&mut again).is_none());
}
