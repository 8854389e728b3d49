use std::io::{self, BufRead};
use std::time::Duration;

use feedhold_simulator::{Arc, Coolant, Entry, Kind};
use serde_json::Value;
use thiserror::Error;

/// Why a line of a log file is no entry.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file could not be read.
    #[error("cannot read the log: {0}")]
    Read(#[from] io::Error),
    /// The line is no JSON.
    #[error("line {line} of the log is no JSON: {source}")]
    Json {
        /// Line of the log file, from 1.
        line: u64,
        /// What the reader of JSON said.
        source: serde_json::Error,
    },
    /// A field is missing or of another type.
    #[error("line {line} of the log has no `{field}`")]
    Field {
        /// Line of the log file, from 1.
        line: u64,
        /// The field.
        field: &'static str,
    },
}

/// Reads the log that a simulator in another process wrote, one JSON object a line.
pub fn entries(log: impl BufRead) -> impl Iterator<Item = Result<Entry, LogError>> {
    (1..).zip(log.lines()).map(|(line, text)| {
        let value =
            serde_json::from_str(&text?).map_err(|source| LogError::Json { line, source })?;
        entry(&value).map_err(|field| LogError::Field { line, field })
    })
}

fn entry(value: &Value) -> Result<Entry, &'static str> {
    let number = |field| number(value, field);
    let flag = |field| value.get(field).and_then(Value::as_bool).ok_or(field);
    Ok(Entry {
        start: seconds(value, "start")?,
        finish: seconds(value, "finish")?,
        kind: kind(value)?,
        target: [number("x")?, number("y")?, number("z")?, number("e")?],
        feed_mm_per_min: number("feed")?,
        spindle_rpm: number("spindle")?,
        coolant: Coolant {
            flood: flag("flood")?,
            mist: flag("mist")?,
        },
        line: value.get("line").and_then(Value::as_u64),
        fraction: number("fraction")?,
    })
}

fn kind(value: &Value) -> Result<Kind, &'static str> {
    Ok(match value.get("kind").and_then(Value::as_str) {
        Some("rapid") => Kind::Rapid,
        Some("linear") => Kind::Linear,
        Some("arc") => Kind::Arc(arc(value)?),
        Some("dwell") => Kind::Dwell {
            seconds: number(value, "seconds")?,
        },
        Some("home") => Kind::Home,
        Some("probe") => Kind::Probe,
        Some("jog") => Kind::Jog,
        _ => return Err("kind"),
    })
}

fn arc(value: &Value) -> Result<Arc, &'static str> {
    let pair = |field| {
        value
            .get(field)
            .and_then(Value::as_array)
            .filter(|pair| pair.len() == 2)
            .ok_or(field)
    };
    let plane = pair("plane")?;
    let center = pair("center")?;
    let axis = |i: usize| {
        plane
            .get(i)
            .and_then(Value::as_u64)
            .and_then(|axis| u8::try_from(axis).ok())
            .ok_or("plane")
    };
    let coordinate = |i: usize| center.get(i).and_then(Value::as_f64).ok_or("center");
    Ok(Arc {
        axis_0: axis(0)?,
        axis_1: axis(1)?,
        center: [coordinate(0)?, coordinate(1)?],
        radius: number(value, "radius")?,
        sweep: number(value, "sweep")?,
    })
}

fn number(value: &Value, field: &'static str) -> Result<f64, &'static str> {
    value.get(field).and_then(Value::as_f64).ok_or(field)
}

fn seconds(value: &Value, field: &'static str) -> Result<Duration, &'static str> {
    Duration::try_from_secs_f64(number(value, field)?).map_err(|_| field)
}
