//! What operators read.

use std::fmt::Write as _;

use super::*;

/// One of each.
fn every_refusal() -> Vec<Refusal> {
    let line = 42;
    let code = |code: &str| code.to_owned();
    vec![
        Refusal::FileChanged {
            path: "part.nc".into(),
        },
        Refusal::Finished,
        Refusal::NothingLeft { lines: 90 },
        Refusal::NotBegun,
        Refusal::RecordAmbiguous {
            reason: "both copies of generation 7 are bad".into(),
        },
        Refusal::RecordVersion {
            reason: "it holds records of version 3, this program reads version 2".into(),
        },
        Refusal::InDoubt {
            executed: 40,
            last: 55,
            why: Doubt::TwoPlaces { one: 44, other: 50 },
        },
        Refusal::Restarted,
        Refusal::NotHomed,
        Refusal::ForeignDevice {
            expected: "1.1h.20190830 (the big mill)".into(),
            found: "1.1h.20190830 (the small mill)".into(),
        },
        Refusal::Moved {
            reported: [1.0, 2.0, 3.5],
            nearest_line: 44,
            nearest: [1.0, 2.0, 3.0],
            distance: 0.5,
            lines: InDoubt {
                first: 41,
                last: 55,
            },
        },
        Refusal::OffsetsDiffer {
            what: code("G54"),
            expected: [-100.0, -50.0, -30.0],
            found: [-100.0, -50.0, -29.5],
        },
        Refusal::ModalDiffers {
            expected: code("F600"),
            found: code("F0"),
        },
        Refusal::ToolDiffers {
            expected: 3,
            found: 1,
        },
        Refusal::SettingsDiffer {
            setting: code("$100"),
            expected: code("250"),
            found: code("80"),
        },
        Refusal::Held,
        Refusal::Alarm {
            alarm: "it is locked".into(),
        },
        Refusal::DoorOpen,
        Refusal::Busy { state: code("Jog") },
        Refusal::Subprogram { line },
        Refusal::Computed { line },
        Refusal::Incremental { line },
        Refusal::CutterCompensation { line },
        Refusal::CannedCycle {
            code: code("G81"),
            line,
        },
        Refusal::Threading {
            code: code("G33"),
            line,
        },
        Refusal::Spline {
            code: code("G5"),
            line,
        },
        Refusal::Probing { line },
        Refusal::ToolLengthUnknown { line },
        Refusal::FeedPerRevolution { line },
        Refusal::PositionUnknown { axis: 'Z', line },
        Refusal::NotRestorable {
            what: "G68 of line 12".into(),
            line,
        },
        Refusal::BareArc { line },
        Refusal::Retracted { line },
        Refusal::BedCooled {
            target: 60.0,
            now: 31.4,
        },
        Refusal::LineOutOfRange {
            line: 99,
            lines: 90,
        },
        Refusal::NotAMotion { line: 88 },
        Refusal::PlanUnusable {
            line: 3,
            reason: "it stops: pause (M0)".into(),
        },
    ]
}

#[test]
fn every_refusal_says_what_happened_and_what_to_do() {
    let mut text = String::new();
    let mut codes = Vec::new();
    for refusal in every_refusal() {
        codes.push(refusal.code());
        let _ = writeln!(
            text,
            "{}\n  {refusal}\n  {}",
            refusal.code(),
            refusal.remedy()
        );
    }
    assert_eq!(codes, Refusal::CODES);
    insta::assert_snapshot!(text);
}

#[test]
fn the_document_explains_every_code_and_no_other() {
    let document = include_str!("../../../../../docs/resume.md");
    let explained: Vec<_> = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(code, _)| code)
        .collect();
    assert_eq!(explained, Refusal::CODES);
}
