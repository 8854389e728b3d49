//! Response lines of grbl 1.1 and its relatives.

use super::error::{Alarm, GrblError, MachineError};
use super::position::Coordinates;
use super::response::{
    Banner, Firmware, OffsetKind, Offsets, ProbeResult, Response, Setting, Variant,
};
use super::scan::unsigned;
use super::status::StatusReport;

/// Reads a line that has no noise and no blanks at its end.
pub(super) fn read(line: &str) -> Response<'_> {
    let known = match line.as_bytes().first() {
        Some(b'<') => status(line),
        Some(b'[') => bracketed(line),
        Some(b'$') => setting(line),
        Some(b'>') => startup_line(line),
        _ => plain(line),
    };
    known.unwrap_or(Response::Other(line.as_bytes()))
}

/// A greeting: `Grbl 1.1h ['$' for help]`, `GrblHAL 1.1f […]`, `Grbl 3.7 [FluidNC v3.7.16 …]`.
pub(super) fn banner(line: &str) -> Option<Banner<'_>> {
    let (name, rest) = line.split_once(' ')?;
    let version = rest
        .split(' ')
        .next()
        .filter(|v| v.starts_with(|c: char| c.is_ascii_digit()))?;
    let variant = match name {
        "GrblHAL" | "grblHAL" => Variant::GrblHal,
        "Grbl" if rest.contains("FluidNC") => Variant::FluidNc,
        "Grbl" => Variant::Grbl,
        _ => return None,
    };
    Some(Banner { variant, version })
}

fn plain(line: &str) -> Option<Response<'_>> {
    if line == "ok" {
        return Some(Response::Ok(Default::default()));
    }
    if let Some(code) = line.strip_prefix("error:") {
        return error(code.trim_start());
    }
    if let Some(code) = line.strip_prefix("ALARM:") {
        return alarm(code.trim_start());
    }
    banner(line).map(Response::Started)
}

fn error(text: &str) -> Option<Response<'_>> {
    if let Some(code) = unsigned(text) {
        return Some(Response::Error(MachineError::Grbl(GrblError(code))));
    }
    // Words, not a garbled number: those would not be worth the trust of an answer.
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        .then_some(Response::Error(MachineError::Unnumbered(text)))
}

fn alarm(text: &str) -> Option<Response<'_>> {
    if let Some(code) = unsigned(text) {
        return Some(Response::Alarm(Alarm(code)));
    }
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        .then_some(Response::Alarm(Alarm::UNNUMBERED))
}

fn status(line: &str) -> Option<Response<'_>> {
    let inner = line.strip_prefix('<')?.strip_suffix('>')?;
    StatusReport::parse(inner).map(Response::Status)
}

fn setting(line: &str) -> Option<Response<'_>> {
    let (key, value) = line.strip_prefix('$')?.split_once('=')?;
    (!key.is_empty()).then_some(Response::Setting(Setting {
        key,
        value: value.trim(),
    }))
}

fn startup_line(line: &str) -> Option<Response<'_>> {
    let text = line.strip_prefix('>')?;
    if let Some(block) = text.strip_suffix(":ok") {
        return Some(Response::StartupLine {
            block,
            result: Ok(()),
        });
    }
    let (block, code) = text.rsplit_once(":error:")?;
    Some(Response::StartupLine {
        block,
        result: Err(GrblError(unsigned(code)?)),
    })
}

fn bracketed(line: &str) -> Option<Response<'_>> {
    let inner = line.strip_prefix('[')?.strip_suffix(']')?;
    let Some((tag, value)) = inner.split_once(':') else {
        return Some(Response::Feedback(inner));
    };
    if let Some(kind) = offset_kind(tag) {
        return Some(Response::Offsets(Offsets {
            kind,
            values: Coordinates::parse(value)?,
        }));
    }
    Some(match tag {
        "MSG" => Response::Feedback(value),
        "GC" => Response::ParserState(value),
        "PRB" => Response::Probe(probe(value)?),
        "VER" => {
            let (version, note) = value.split_once(':').unwrap_or((value, ""));
            Response::Version { version, note }
        }
        "OPT" => options(value),
        "echo" => Response::Echo(value),
        "HLP" => Response::Help(value),
        "FIRMWARE" => Response::Firmware(Firmware { text: inner }),
        _ => Response::Feedback(inner),
    })
}

fn offset_kind(tag: &str) -> Option<OffsetKind> {
    Some(match tag {
        "G54" => OffsetKind::WorkCoordinates(1),
        "G55" => OffsetKind::WorkCoordinates(2),
        "G56" => OffsetKind::WorkCoordinates(3),
        "G57" => OffsetKind::WorkCoordinates(4),
        "G58" => OffsetKind::WorkCoordinates(5),
        "G59" => OffsetKind::WorkCoordinates(6),
        "G59.1" => OffsetKind::WorkCoordinates(7),
        "G59.2" => OffsetKind::WorkCoordinates(8),
        "G59.3" => OffsetKind::WorkCoordinates(9),
        "G28" => OffsetKind::G28,
        "G30" => OffsetKind::G30,
        "G92" => OffsetKind::G92,
        "TLO" => OffsetKind::ToolLength,
        _ => return None,
    })
}

fn probe(text: &str) -> Option<ProbeResult> {
    let (position, flag) = text.rsplit_once(':')?;
    let touched = match flag {
        "1" => true,
        "0" => false,
        _ => return None,
    };
    Some(ProbeResult {
        position: Coordinates::parse(position)?,
        touched,
    })
}

fn options(text: &str) -> Response<'_> {
    let mut parts = text.split(',');
    let letters = parts.next().unwrap_or_default();
    let mut number = || parts.next().and_then(unsigned);
    Response::Options {
        letters,
        planner_blocks: number(),
        rx_bytes: number(),
    }
}
