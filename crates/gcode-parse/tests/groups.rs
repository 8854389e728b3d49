//! Modal groups: every code of RS-274/NGC stands in one, and no other code in any.

use feedhold_gcode_parse::{Code, CoordinateSystem, Flavor, Group, MotionMode, Number};

fn code(text: &str) -> Code {
    Number::new(text.as_bytes())
        .and_then(|number| number.code())
        .expect("a code")
}

const G: [(Group, &str); 14] = [
    (
        Group::NonModal,
        "4 10 28 28.1 30 30.1 52 53 92 92.1 92.2 92.3",
    ),
    (
        Group::Motion,
        "0 1 2 3 5 5.1 5.2 5.3 33 33.1 38.2 38.3 38.4 38.5 73 76 80 81 82 83 84 85 86 87 88 89",
    ),
    (Group::Plane, "17 18 19 17.1 18.1 19.1"),
    (Group::Distance, "90 91"),
    (Group::ArcDistance, "90.1 91.1"),
    (Group::FeedMode, "93 94 95"),
    (Group::Units, "20 21"),
    (Group::CutterCompensation, "40 41 42 41.1 42.1"),
    (Group::ToolLength, "43 43.1 43.2 49"),
    (Group::Retract, "98 99"),
    (Group::CoordinateSystem, "54 55 56 57 58 59 59.1 59.2 59.3"),
    (Group::PathMode, "61 61.1 64"),
    (Group::SpindleMode, "96 97"),
    (Group::Lathe, "7 8"),
];

const M: [(Group, &str); 8] = [
    (Group::Stopping, "0 1 2 30 60"),
    (Group::InputOutput, "62 63 64 65 66 67 68"),
    (Group::ToolChange, "6 61"),
    (Group::Spindle, "3 4 5 19"),
    (Group::Coolant, "7 8 9"),
    (Group::Overrides, "48 49 50 51 52 53 56"),
    (Group::SavedState, "70 71 72 73"),
    (Group::SubProgram, "98 99"),
];

#[track_caller]
fn check(table: &[(Group, &str)], below: u16, group_of: fn(Flavor, Code) -> Option<Group>) {
    let listed = |wanted: Code| {
        table
            .iter()
            .find(|(_, codes)| codes.split(' ').any(|text| code(text) == wanted))
            .map(|(group, _)| *group)
    };
    for major in 0..below {
        for minor in 0..10 {
            let code = Code { major, minor };
            for flavor in [Flavor::Grbl, Flavor::LinuxCnc] {
                assert_eq!(group_of(flavor, code), listed(code), "{flavor} {code}");
            }
        }
    }
}

#[test]
fn g_codes() {
    check(&G, 1000, Group::of_g);
}

#[test]
fn m_codes() {
    check(&M, 100, Group::of_m);
    assert_eq!(
        Group::of_m(Flavor::LinuxCnc, code("150")),
        Some(Group::User)
    );
    assert_eq!(Group::of_m(Flavor::LinuxCnc, code("200")), None);
}

#[test]
fn modes_know_their_codes() {
    for (group, codes) in G {
        for code in codes.split(' ').map(code) {
            let mode = MotionMode::from_code(code);
            assert_eq!(
                mode.map(MotionMode::code),
                (group == Group::Motion).then_some(code)
            );
            let system = CoordinateSystem::from_code(code);
            let expected = (group == Group::CoordinateSystem).then_some(code);
            assert_eq!(system.map(CoordinateSystem::code), expected);
        }
    }
}

#[test]
fn marlin_has_codes_of_its_own() {
    for known in [
        "0", "1", "10", "11", "12", "29", "34", "60", "92", "92.9", "425",
    ] {
        assert!(
            Group::of_g(Flavor::Marlin, code(known)).is_some(),
            "G{known}"
        );
    }
    for unknown in ["7", "40", "43.1", "64", "93", "98", "999"] {
        assert_eq!(
            Group::of_g(Flavor::Marlin, code(unknown)),
            None,
            "G{unknown}"
        );
    }
    for known in ["0", "82", "104", "117", "221", "600", "862.3", "999"] {
        assert!(
            Group::of_m(Flavor::Marlin, code(known)).is_some(),
            "M{known}"
        );
    }
    for unknown in ["2", "6.1", "130", "2000"] {
        assert_eq!(
            Group::of_m(Flavor::Marlin, code(unknown)),
            None,
            "M{unknown}"
        );
    }
}
