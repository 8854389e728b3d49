use std::collections::BTreeSet;

use super::*;

/// Programs that no approach can go on with, and the code that says why. The place is behind the last line but one.
const PROGRAMS: &[(Dialect, &str, &str)] = &[
    (Dialect::Grbl, "G91\nG1 X1 F100\nX1\n", "position-unknown"),
    (Dialect::Grbl, "G0 X1\nG91\nG1 Y1 F100\n", "incremental"),
    (
        Dialect::Grbl,
        "G91\nG0 X1\nG90\nG0 Y1\n",
        "position-unknown",
    ),
    (
        Dialect::Grbl,
        "G0 X1 Z1\nG38.2 Z-5 F10\nG0 Z1\n",
        "position-unknown",
    ),
    (
        Dialect::Grbl,
        "G54\nG0 X1\nG10 L2 P1 X5\nG0 X1\n",
        "position-unknown",
    ),
    (
        Dialect::Grbl,
        "G0 Z5\nG43.1 Z3\nG0 X1\n",
        "position-unknown",
    ),
    (Dialect::Grbl, "G92 X0\nG0 X1\nX1\n", "not-restorable"),
    (Dialect::Grbl, "G0 X1\nG68 R45\nX1\n", "not-restorable"),
    (Dialect::Grbl, "G0 X1\nM64 P1\nX1\n", "not-restorable"),
    (Dialect::Grbl, "G96 S100\nG0 X1\n", "not-restorable"),
    (
        Dialect::Grbl,
        "G1 X1 F100\nG2 X2 R5\nX3 R5\nX4 R5\n",
        "bare-arc",
    ),
    (Dialect::Grbl, "G41\nG0 X1\n", "cutter-compensation"),
    (
        Dialect::Grbl,
        "G0 X1\nG81 X2 Z-1 R1 F100\nX3\n",
        "canned-cycle",
    ),
    (Dialect::Grbl, "G0 X1\nG33 Z-5 K1\nG0 X3\n", "threading"),
    (
        Dialect::Grbl,
        "G0 X1 Y1\nG5 X2 Y2 I0 J1 P1 Q1 F9\nX3 Y3 P1 Q1\n",
        "spline",
    ),
    (Dialect::Grbl, "G0 X1\nG38.2 F10\nX3\n", "probing"),
    (Dialect::Grbl, "G43 H1\nG0 X1\n", "tool-length-unknown"),
    (Dialect::Grbl, "G95 F1\nG1 X1\n", "feed-per-revolution"),
    (Dialect::Grbl, "G0 X1\nM98 P100\nG0 X2\n", "subprogram"),
    (Dialect::Grbl, "G0 X[1+1]\nG0 X2\n", "computed"),
    (
        Dialect::Grbl,
        "G0 X1\no100 while [1 lt 2]\nG0 X2\n",
        "computed",
    ),
    (Dialect::Marlin, "G1 X1\nM808 L3\nG1 X2\n", "computed"),
    (Dialect::Marlin, "G1 X1 F100\nG10\nG1 X2\n", "retracted"),
    (Dialect::Marlin, "G28\nG29\nG1 X2\n", "position-unknown"),
];

#[test]
fn what_cannot_be_restored_is_refused() {
    for (dialect, program, code) in PROGRAMS {
        let done = program.lines().count() as u64 - 1;
        let refused = plan(*dialect, program, done, &Approach::new());
        let refusal = refused.expect_err(program);
        assert_eq!(refusal.code(), *code, "{program}: {refusal}");
        assert!(!refusal.remedy().is_empty());
    }
}

#[test]
fn what_is_over_is_no_obstacle() {
    for program in [
        "G1 X1 Y0 F100\nG2 X2 R5\nM8\nG1 X4\n",
        "G41\nG40\nG0 X1\n",
        "G0 X1\nG68 R45\nG69\nG0 X1\n",
        "G91\nG0 X1\nG90\nG0 X5\nY1\n",
        "G0 X1 Z1\nG38.2 Z-5 F10\nG10 L20 P1 Z0\nG0 Z5\n",
        "G0 X1\nG10 L2 P1 X5\nG0 X2\nG0 X1\n",
    ] {
        let done = program.lines().count() as u64 - 1;
        let planned = plan(Dialect::Grbl, program, done, &Approach::new());
        assert!(planned.is_ok(), "{program}: {planned:?}");
    }
}

#[test]
fn codes_are_unique_and_known() {
    let codes: BTreeSet<_> = Refusal::CODES.iter().collect();
    assert_eq!(codes.len(), Refusal::CODES.len());
    for (_, _, code) in PROGRAMS {
        assert!(Refusal::CODES.contains(code), "{code}");
    }
}
