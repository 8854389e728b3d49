//! Response lines of Marlin 2.

use super::error::{Fatal, MachineError, MarlinError, MarlinErrorKind};
use super::position::AxisValues;
use super::response::{Ack, Banner, Busy, Firmware, HostAction, PositionReport, Response, Variant};
use super::scan::{contains_ignore_case, decimal, strip_prefix_ignore_case, unsigned, words};
use super::temperature::{Heater, Temperatures};

/// Reads a line that has no noise and no blanks at its ends.
pub(super) fn read(line: &str) -> Response<'_> {
    ok(line)
        .map(Response::Ok)
        .or_else(|| known(line))
        .unwrap_or_else(|| unexplained(line))
}

/// The temperatures behind an `ok`, unless they are garbled.
pub(super) fn temperatures_of_ok(line: &str) -> Option<Temperatures> {
    Temperatures::parse(line.strip_prefix("ok")?)
}

/// `start`, or `start` glued to the end of a line that the restart cut off.
pub(super) fn banner(line: &str) -> Option<Banner<'_>> {
    let before = line.strip_suffix("start")?;
    let cut_off = !before.ends_with(|c: char| c.is_ascii_alphabetic() || c == ' ' || c == '_');
    cut_off.then_some(Banner {
        variant: Variant::Marlin,
        version: "",
    })
}

fn known(line: &str) -> Option<Response<'_>> {
    if line == "start" {
        return banner(line).map(Response::Started);
    }
    if line == "wait" {
        return Some(Response::Wait);
    }
    if let Some(action) = line.strip_prefix("//action:") {
        return Some(Response::Action(host_action(action.trim())));
    }
    if let Some(text) = line.strip_prefix("echo:") {
        return Some(echo(text));
    }
    if let Some(text) = line
        .strip_prefix("Error:")
        .or_else(|| line.strip_prefix("!!"))
    {
        return Some(error(text.trim()));
    }
    if line.starts_with("Printer halted") || line.starts_with("Printer stopped") {
        return Some(error(line));
    }
    if let Some(text) = line.strip_prefix("//") {
        return Some(Response::Echo(text.trim_start()));
    }
    if line.starts_with("Marlin ") {
        // Comes right behind `start`, which has said already what matters.
        return Some(Response::Echo(line));
    }
    resend(line)
        .or_else(|| capability(line))
        .or_else(|| {
            line.starts_with("FIRMWARE_NAME:")
                .then_some(Response::Firmware(Firmware { text: line }))
        })
        .or_else(|| position(line))
        .or_else(|| Temperatures::parse(line).map(Response::Temperature))
}

fn unexplained(line: &str) -> Response<'_> {
    banner(line).map_or(Response::Other(line.as_bytes()), Response::Started)
}

/// `ok` as a token: alone, with `N P B`, with temperatures, or with words we do not know.
fn ok(line: &str) -> Option<Ack> {
    let rest = line.strip_prefix("ok")?;
    if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
        return None;
    }
    let mut ack = Ack::default();
    for word in words(rest) {
        if let Some((name, _)) = word.split_once(':') {
            // Also where the number is garbled: what was asked for is told by the name.
            ack.with_temperatures |= Heater::is_common_name(name);
            continue;
        }
        match word.split_at_checked(1) {
            Some(("N", number)) => ack.line = Some(unsigned(number)?),
            Some(("P", number)) => ack.planner_free = Some(unsigned(number)?),
            Some(("B", number)) => ack.buffer_free = Some(unsigned(number)?),
            _ => {}
        }
    }
    Some(ack)
}

fn resend(line: &str) -> Option<Response<'_>> {
    let rest = strip_prefix_ignore_case(line, "resend:").or_else(|| line.strip_prefix("rs "))?;
    let number = rest.trim();
    let number = number.strip_prefix('N').unwrap_or(number);
    unsigned(number.trim_start_matches(':')).map(Response::Resend)
}

fn capability(line: &str) -> Option<Response<'_>> {
    let (name, flag) = line.strip_prefix("Cap:")?.rsplit_once(':')?;
    let on = match flag {
        "1" => true,
        "0" => false,
        _ => return None,
    };
    Some(Response::Capability { name, on })
}

fn echo(text: &str) -> Response<'_> {
    if let Some(reason) = text.trim_start().strip_prefix("busy:") {
        return Response::Busy(match reason.trim() {
            "processing" => Busy::Processing,
            "paused for user" => Busy::PausedForUser,
            "paused for input" => Busy::PausedForInput,
            _ => Busy::Unknown,
        });
    }
    if let Some(command) = text.strip_prefix("Unknown command:") {
        return Response::UnknownCommand(command.trim().trim_matches('"'));
    }
    match not_executed(text) {
        Some(kind) => Response::Error(MachineError::Marlin(MarlinError {
            kind,
            last_line: None,
            text: text.trim(),
        })),
        None => Response::Echo(text),
    }
}

/// Notices that look harmless but mean that a command did not do its work.
fn not_executed(text: &str) -> Option<MarlinErrorKind> {
    if contains_ignore_case(text, "cold extrusion prevented")
        || contains_ignore_case(text, "too long extrusion prevented")
    {
        return Some(MarlinErrorKind::ColdExtrusion);
    }
    let text = text.trim();
    let homes =
        strip_prefix_ignore_case(text, "home ").is_some() && contains_ignore_case(text, " first");
    homes.then_some(MarlinErrorKind::NotHomed)
}

fn error(text: &str) -> Response<'_> {
    if let Some(fatal) = fatal(text) {
        return Response::Fatal(fatal);
    }
    let last_line = text
        .rsplit_once("Last Line:")
        .and_then(|(_, number)| unsigned(number.trim()));
    Response::Error(MachineError::Marlin(MarlinError {
        kind: error_kind(text),
        last_line,
        text,
    }))
}

/// Words that only a dying firmware says, and what they make of the heater it names.
type LastWords = (&'static str, fn(Heater) -> Fatal);

fn fatal(text: &str) -> Option<Fatal> {
    const LAST_WORDS: [LastWords; 10] = [
        ("heating failed", Fatal::HeatingFailed),
        ("thermal runaway", Fatal::ThermalRunaway),
        ("maxtemp", Fatal::MaxTemp),
        ("mintemp", Fatal::MinTemp),
        ("thermal malfunction", Fatal::Malfunction),
        ("system stopped", Fatal::Malfunction),
        ("kill() called", |_| Fatal::Halted),
        ("kill caused", |_| Fatal::Halted),
        ("printer halted", |_| Fatal::Halted),
        ("reset required", |_| Fatal::Halted),
    ];
    let (_, fatal) = LAST_WORDS
        .iter()
        .find(|(needle, _)| contains_ignore_case(text, needle))?;
    Some(fatal(Heater::mentioned(text)))
}

fn error_kind(text: &str) -> MarlinErrorKind {
    use MarlinErrorKind as K;
    const KINDS: [(&str, MarlinErrorKind); 14] = [
        ("line number is not", K::LineNumber),
        ("checksum mismatch", K::ChecksumMismatch),
        ("no checksum", K::NoChecksum),
        ("no line number", K::NoLineNumber),
        ("printer stopped", K::Stopped),
        ("stop called", K::Stopped),
        ("homing failed", K::Homing),
        ("probing failed", K::Probing),
        ("bad parameters", K::Arc),
        ("filament", K::Filament),
        ("sd ", K::SdCard),
        ("file", K::SdCard),
        ("eeprom", K::Eeprom),
        ("cold extrusion", K::ColdExtrusion),
    ];
    KINDS
        .iter()
        .find(|(needle, _)| contains_ignore_case(text, needle))
        .map_or(K::Other, |(_, kind)| *kind)
}

fn position(line: &str) -> Option<Response<'_>> {
    if !line.starts_with("X:") {
        return None;
    }
    let (position, count) = match line.split_once("Count") {
        Some((position, count)) => (position, Some(axis_values(count)?)),
        None => (line, None),
    };
    Some(Response::Position(PositionReport {
        position: axis_values(position)?,
        count,
    }))
}

/// Reads `X:1.00 Y:2.00`, also with a blank behind the colon.
fn axis_values(text: &str) -> Option<AxisValues> {
    let mut all = AxisValues::default();
    let mut parts = words(text);
    while let Some(word) = parts.next() {
        let (letter, value) = word.split_once(':')?;
        let value = if value.is_empty() {
            parts.next()?
        } else {
            value
        };
        let [letter] = letter.as_bytes() else {
            return None;
        };
        all.push(*letter, decimal(value)?)?;
    }
    (!all.is_empty()).then_some(all)
}

fn host_action(text: &str) -> HostAction<'_> {
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim();
    if let Some(step) = verb.strip_prefix("prompt_") {
        return HostAction::Prompt {
            verb: step,
            text: rest,
        };
    }
    match verb {
        "pause" => HostAction::Pause,
        "paused" => HostAction::Paused,
        "resume" => HostAction::Resume,
        "resumed" => HostAction::Resumed,
        "cancel" => HostAction::Cancel,
        "start" => HostAction::Start,
        "poweroff" => HostAction::PowerOff,
        "out_of_filament" => HostAction::FilamentOut(rest),
        "notification" => HostAction::Notification(rest),
        _ => HostAction::Other(text),
    }
}
