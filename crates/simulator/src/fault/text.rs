use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{FaultPlan, Harm, Mishap, RandomFault, Scheduled, Struck, When};
use crate::Touch;

/// A fault's text that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fault `{text}`: {reason}; write for example drop-ok:0.05, reset@line:400 or stall@3s:2")]
pub struct ParseFaultError {
    text: String,
    reason: &'static str,
}

const HARMS: &[(&str, Harm)] = &[
    ("drop", Harm::Drop),
    ("garble", Harm::Garble),
    ("dup", Harm::Duplicate),
    ("delay", Harm::Delay),
];

const STRUCK: &[(&str, Struck)] = &[
    ("ok", Struck::Ok),
    ("line", Struck::Line),
    ("tx", Struck::Tx),
    ("rx", Struck::Rx),
];

const MISHAPS: &[(&str, Mishap)] = &[
    ("reset", Mishap::Reset),
    ("hang", Mishap::Hang),
    ("disconnect", Mishap::Disconnect),
    ("hard-limit", Mishap::Touch(Touch::HardLimit)),
    ("door", Mishap::Touch(Touch::DoorOpen)),
    ("door-closed", Mishap::Touch(Touch::DoorClosed)),
    ("hold", Mishap::Touch(Touch::HoldButton)),
    ("start", Mishap::Touch(Touch::StartButton)),
    ("abort", Mishap::Touch(Touch::Abort)),
];

/// Longest time a scheduled fault may name: a year, so that sums of times never overflow.
const LONGEST_S: f64 = 366.0 * 86_400.0;

impl FromStr for FaultPlan {
    type Err = ParseFaultError;

    /// Reads faults joined by commas; an empty text is no faults.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut plan = Self::none();
        for entry in text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
        {
            let fault = match entry.split_once('@') {
                Some((name, rest)) => scheduled(name, rest).map(|s| plan.scheduled.push(s)),
                None => random(entry).map(|r| plan.random.push(r)),
            };
            fault.map_err(|reason| ParseFaultError {
                text: entry.to_owned(),
                reason,
            })?;
        }
        Ok(plan)
    }
}

fn random(entry: &str) -> Result<(RandomFault, f64), &'static str> {
    let (name, probability) = entry
        .split_once(':')
        .ok_or("a probability or a time is missing")?;
    let (harm, to) = name.split_once('-').ok_or("no such fault")?;
    let harm = find(HARMS, harm).ok_or("no such fault (drop, garble, dup, delay)")?;
    let to = find(STRUCK, to).ok_or("no such target (ok, line, tx, rx)")?;
    if harm == Harm::Delay && matches!(to, Struck::Tx | Struck::Rx) {
        return Err("only lines (ok, line) can be delayed");
    }
    let probability: f64 = probability
        .parse()
        .map_err(|_| "the probability is not a number")?;
    if !(0.0..=1.0).contains(&probability) {
        return Err("a probability lies between 0 and 1");
    }
    Ok((RandomFault { to, harm }, probability))
}

fn scheduled(name: &str, rest: &str) -> Result<Scheduled, &'static str> {
    let (when, argument) = when(rest)?;
    let what = match (name, argument) {
        ("stall", Some(time)) => Mishap::Stall(seconds(time)?),
        ("stall", None) => return Err("a stall needs its length, as in stall@3s:2"),
        (name, None) => find(MISHAPS, name).ok_or("no such scheduled fault")?,
        (_, Some(_)) => return Err("only a stall takes a length"),
    };
    Ok(Scheduled { when, what })
}

/// `line:400`, `byte:4096` or `12.5s`, and what follows after a colon.
fn when(text: &str) -> Result<(When, Option<&str>), &'static str> {
    let (counted, count): (fn(u64) -> When, &str) = if let Some(rest) = text.strip_prefix("line:") {
        (When::Line, rest)
    } else if let Some(rest) = text.strip_prefix("byte:") {
        (When::Byte, rest)
    } else {
        let (time, argument) = split_argument(text);
        return Ok((When::Time(seconds(time)?), argument));
    };
    let (count, argument) = split_argument(count);
    let count = count
        .parse()
        .map_err(|_| "the count is not a whole number")?;
    Ok((counted(count), argument))
}

fn split_argument(text: &str) -> (&str, Option<&str>) {
    text.split_once(':')
        .map_or((text, None), |(first, rest)| (first, Some(rest)))
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let number = text.strip_suffix('s').unwrap_or(text);
    match number.parse::<f64>() {
        Ok(value) if (0.0..=LONGEST_S).contains(&value) => Ok(Duration::from_secs_f64(value)),
        _ => Err("a time is a number of seconds such as 12.5s, or line:400, or byte:4096"),
    }
}

fn find<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| *value)
}

fn name_of<T: Copy + PartialEq>(table: &[(&'static str, T)], value: T) -> &'static str {
    table
        .iter()
        .find(|(_, known)| *known == value)
        .map_or("?", |(key, _)| *key)
}

impl fmt::Display for FaultPlan {
    /// The text that [`FromStr`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for (fault, probability) in &self.random {
            let (harm, to) = (name_of(HARMS, fault.harm), name_of(STRUCK, fault.to));
            write!(f, "{comma}{harm}-{to}:{probability}")?;
            comma = ",";
        }
        for Scheduled { when, what } in &self.scheduled {
            let name = match what {
                Mishap::Stall(_) => "stall",
                other => name_of(MISHAPS, *other),
            };
            write!(f, "{comma}{name}@")?;
            match when {
                When::Time(at) => write!(f, "{}s", at.as_secs_f64())?,
                When::Line(n) => write!(f, "line:{n}")?,
                When::Byte(n) => write!(f, "byte:{n}")?,
            }
            if let Mishap::Stall(time) = what {
                write!(f, ":{}", time.as_secs_f64())?;
            }
            comma = ",";
        }
        Ok(())
    }
}
