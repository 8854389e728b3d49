use std::time::Duration;

use super::*;
use crate::wire::Wire;

fn through(plan: &str, seed: u64, lines: usize) -> Vec<u8> {
    let plan: FaultPlan = plan.parse().unwrap();
    let mut injector = FaultInjector::new(&plan, seed);
    let mut wire = Wire::new(None, Duration::ZERO);
    for n in 0..lines {
        injector.send_to_host(Duration::ZERO, b"o", &mut wire);
        injector.send_to_host(Duration::ZERO, b"k\r\n", &mut wire);
        injector.send_to_host(Duration::ZERO, format!("<{n}>\r\n").as_bytes(), &mut wire);
    }
    let mut out = Vec::new();
    wire.take(Duration::from_secs(100_000), usize::MAX, &mut out);
    out
}

fn count(out: &[u8], line: &[u8]) -> usize {
    out.split(|b| *b == b'\n').filter(|l| *l == line).count()
}

#[test]
fn text_form_reads_back() {
    let cases = [
        "",
        "drop-ok:0.05",
        "garble-line:1",
        "dup-tx:0.001,drop-rx:0.5",
        "reset@12.5s",
        "reset@line:400,disconnect@byte:4096",
        "stall@3s:2",
        "stall@line:3:0.25",
        "hang@1s,hard-limit@2s,door@3s,door-closed@4s,hold@5s,start@6s,abort@7s",
    ];
    for text in cases {
        let plan: FaultPlan = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(plan.to_string(), text);
    }
}

#[test]
fn nonsense_is_refused_with_the_entry() {
    let cases = [
        "drop",
        "drop-ok",
        "drop-ok:2",
        "drop-ok:x",
        "drop-all:0.1",
        "eat-ok:0.1",
        "delay-tx:0.1",
        "stall@3s",
        "reset@3s:1",
        "reset@line:x",
        "reset@-1s",
        "boom@1s",
        "reset@1e300s",
    ];
    for text in cases {
        let error = text.parse::<FaultPlan>().expect_err(text).to_string();
        assert!(error.contains(text), "{error}");
    }
}

#[test]
fn the_rate_is_the_one_asked_for() {
    let oks = count(&through("drop-ok:0.2", 1, 10_000), b"ok\r");
    assert!((7_700..8_300).contains(&oks), "{oks}");
    let out = through("drop-ok:1", 1, 100);
    assert_eq!((count(&out, b"ok\r"), count(&out, b"<7>\r")), (0, 1));
    assert_eq!(count(&through("dup-ok:1", 1, 100), b"ok\r"), 200);
}

#[test]
fn a_garbled_line_keeps_its_length_and_its_end() {
    let out = through("garble-line:1", 5, 50);
    assert_eq!(out.len(), through("", 5, 50).len());
    assert!(out.iter().filter(|b| **b == b'\n').count() >= 100);
    assert_eq!(count(&out, b"ok\r"), 0);
}

#[test]
fn same_seed_same_faults() {
    let plan = "drop-ok:0.1,garble-line:0.1,dup-ok:0.1,delay-line:0.1,drop-tx:0.01";
    assert_eq!(through(plan, 7, 500), through(plan, 7, 500));
    assert_ne!(through(plan, 7, 500), through(plan, 8, 500));
}

#[test]
fn counted_faults_strike_at_their_byte() {
    let plan: FaultPlan = "disconnect@byte:5,reset@line:2".parse().unwrap();
    let mut injector = FaultInjector::new(&plan, 0);
    assert_eq!(injector.until_counted_fault(b"ab\ncdef\n"), 5);
    assert_eq!(injector.due(Duration::ZERO), Some(Mishap::Disconnect));
    assert_eq!(injector.due(Duration::ZERO), None);
    assert_eq!(injector.until_counted_fault(b"ef\nxyz"), 3);
    assert_eq!(injector.due(Duration::ZERO), Some(Mishap::Reset));
    assert_eq!(injector.until_counted_fault(b"xyz"), 3);
}
