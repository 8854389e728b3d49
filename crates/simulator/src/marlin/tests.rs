use std::time::Duration;

use crate::{Config, Simulator};

mod laws;
mod motion;
mod protocol;

/// Plays a transcript and compares it with what happened, line by line.
///
/// `> text` sends a line (`*?` at its end becomes the right checksum), `>> text` sends it without line
/// end (`\n`, `\r` and `\s` in it stand for line ends and a blank), `@ seconds` lets time pass,
/// `# press` and `# kill` are the buttons at the machine, `# reset` is the power switch, and `< text`
/// is what the printer says. Everything it says must stand there. The greeting is left out.
fn check(params: &str, transcript: &str) {
    let mut printer = printer(params);
    let mut now = Duration::ZERO;
    let mut heard = Vec::new();
    printer.transmit(now, &mut heard);
    let mut seen = String::new();
    for line in transcript
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        if line.starts_with('<') {
            continue;
        }
        seen.push_str(line);
        seen.push('\n');
        let (order, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (order, rest) {
            (">", text) => send(&mut printer, now, format!("{}\n", summed(text)).as_bytes()),
            (">>", text) => {
                let text = text
                    .replace("\\r", "\r")
                    .replace("\\n", "\n")
                    .replace("\\s", " ");
                send(&mut printer, now, text.as_bytes());
            }
            ("@", time) => now += Duration::from_secs_f64(time.parse().unwrap()),
            ("#", "press") => printer.touch(now, crate::Touch::StartButton),
            ("#", text) if text.starts_with("panel ") => printer.panel(now, &text[6..]),
            ("#", "kill") => printer.touch(now, crate::Touch::Abort),
            ("#", "reset") => printer.power_cycle(now),
            _ => panic!("unknown order in the transcript: {line}"),
        }
        heard.clear();
        printer.transmit(now, &mut heard);
        for line in String::from_utf8_lossy(&heard).lines() {
            seen.push_str("< ");
            seen.push_str(line);
            seen.push('\n');
        }
    }
    let expected: String = transcript
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .fold(String::new(), |all, line| all + line + "\n");
    assert!(
        seen == expected,
        "with {params}, expected:\n{expected}\nseen:\n{seen}"
    );
}

fn summed(text: &str) -> String {
    match text.strip_suffix("*?") {
        Some(line) => format!("{line}*{}", feedhold_gcode_parse::checksum(line.as_bytes())),
        None => text.to_owned(),
    }
}

/// A printer with address parameters like `heat=instant&rx=64`, its log kept.
fn printer(params: &str) -> Simulator {
    let own = params.split('&').filter_map(|pair| pair.split_once('='));
    let all = [("controller", "marlin"), ("log", "keep")]
        .into_iter()
        .chain(own);
    Simulator::new(Config::from_params(all).unwrap())
}

fn send(printer: &mut Simulator, now: Duration, bytes: &[u8]) {
    assert_eq!(printer.receive(now, bytes), bytes.len());
}

/// `N` and checksum around a line.
fn framed(number: u64, line: &str) -> String {
    let line = format!("N{number} {line}");
    format!(
        "{line}*{}\n",
        feedhold_gcode_parse::checksum(line.as_bytes())
    )
}

/// Lets everything that is under way end; returns when.
fn settle(printer: &mut Simulator) -> Duration {
    while printer.is_working() {
        let Some(next) = printer.next_event() else {
            break;
        };
        printer.advance(next);
        // What arrived at the host is read, as a host would.
        printer.transmit(next, &mut Vec::new());
    }
    printer.now()
}

/// Sends a program as the simplest host does: a line, its `ok`, the next line. Returns everything the
/// printer said.
fn ping_pong(printer: &mut Simulator, program: &str) -> String {
    let mut said = Vec::new();
    let mut now = printer.now();
    printer.transmit(now, &mut said);
    for line in program.lines().filter(|line| !line.trim().is_empty()) {
        let before = said.len();
        send(printer, now, format!("{line}\n").as_bytes());
        loop {
            printer.transmit(now, &mut said);
            if said[before..]
                .split(|byte| *byte == b'\n')
                .any(|line| line.starts_with(b"ok"))
            {
                break;
            }
            let next = printer
                .next_event()
                .unwrap_or_else(|| panic!("{line:?} is never answered"));
            now = now.max(next);
            printer.advance(now);
        }
    }
    settle(printer);
    let now = printer.now();
    printer.transmit(now, &mut said);
    String::from_utf8(said).unwrap()
}
