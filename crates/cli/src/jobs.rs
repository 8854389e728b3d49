//! `feedhold jobs`: what was begun, and how it stands.

use std::time::{Duration, SystemTime};

use feedhold::{
    jobs::{Found, Known},
    session::{Reason, Record},
};
use serde_json::json;

use crate::{
    args::{JsonArgs, high},
    exit::Exit,
    out, text,
};

/// Runs the command.
pub(crate) fn run(typed: &JsonArgs) -> anyhow::Result<Exit> {
    let jobs = high::jobs(typed.state_dir.as_deref())?;
    let list = jobs.list().map_err(feedhold::Error::Jobs)?;
    if typed.json {
        list.iter().for_each(|known| out::json(&as_json(known)));
    } else if list.is_empty() {
        out::line(format_args!("no jobs in {}", jobs.root().display()));
    } else {
        list.iter().for_each(print);
    }
    Ok(Exit::Done)
}

fn print(known: &Known) {
    match &known.found {
        Ok(Found {
            record: Some(record),
            written_at,
            finished_at,
            ..
        }) => out::line(format_args!(
            "{:<32} {:<18} line {} of {}, {} ago, {} on {}",
            known.name,
            state(record, finished_at.is_some()),
            text::count(record.executed),
            text::count(record.file.lines),
            age(*written_at),
            record.file.path.display(),
            record.machine,
        )),
        Ok(_) => out::line(format_args!("{:<32} not begun", known.name)),
        Err(error) => out::line(format_args!("{:<32} {error}", known.name)),
    }
}

fn state(record: &Record, finished: bool) -> &'static str {
    match record.reason {
        _ if finished => "finished",
        _ if !record.is_clean() => "running or lost",
        Reason::Cancelled => "cancelled",
        Reason::Stop => "at a program stop",
        _ => "paused",
    }
}

fn age(written_at: Option<SystemTime>) -> String {
    let age = written_at
        .and_then(|at| SystemTime::now().duration_since(at).ok())
        .unwrap_or_default();
    if age < Duration::from_secs(60) {
        return format!("{} s", age.as_secs());
    }
    let minutes = age.as_secs() / 60;
    match (minutes / 1440, minutes / 60) {
        (0, 0) => format!("{minutes} min"),
        (0, hours) => format!("{hours} h"),
        (days, _) => format!("{days} d"),
    }
}

fn as_json(known: &Known) -> serde_json::Value {
    match &known.found {
        Ok(Found {
            record: Some(record),
            finished_at,
            ..
        }) => json!({
            "job": known.name,
            "state": state(record, finished_at.is_some()),
            "clean": record.is_clean(),
            "file": record.file.path,
            "digest": record.file.digest_hex(),
            "lines": record.file.lines,
            "executed": record.executed,
            "acked": record.acked,
            "sent": record.sent,
            "ceiling": record.ceiling,
            "machine": record.machine,
            "dialect": record.dialect,
            "written_at_ms": record.written_at_ms,
        }),
        Ok(_) => json!({ "job": known.name, "state": "not begun" }),
        Err(error) => {
            json!({ "job": known.name, "state": "unreadable", "message": error.to_string() })
        }
    }
}
