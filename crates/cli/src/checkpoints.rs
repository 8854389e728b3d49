//! `feedhold checkpoints`: the records of a job, slot by slot if wanted, and what each finding means. Writes nothing,
//! unless damaged records are to be moved aside.

use std::time::{SystemTime, UNIX_EPOCH};

use feedhold::{
    checkpoint::{
        Entry, Inspection, OpenError, Region, Warning,
        inspect::{Finding, SlotCopy, SlotReport},
    },
    jobs::Jobs,
    session::Record,
};
use serde_json::{Value, json};

use crate::{
    args::{CheckpointsArgs, high},
    ask,
    exit::{Exit, coded},
    out, runtime, text,
};

/// Runs the command. A store that would be refused ends it with [`Exit::Records`].
pub(crate) fn run(typed: &CheckpointsArgs) -> anyhow::Result<Exit> {
    let jobs = high::jobs(typed.state_dir.as_deref())?;
    let name = match &typed.job {
        Some(name) => name.clone(),
        None => jobs.latest().map_err(feedhold::Error::Jobs)?,
    };
    let seen = jobs.inspect(&name).map_err(feedhold::Error::Jobs)?;
    let exit = match &seen.outcome {
        Ok(_) => Exit::Done,
        Err(_) => Exit::Records,
    };
    if typed.json {
        print_json(&name, &seen, typed.verify, exit);
    } else {
        print_text(&name, &seen, typed.verify);
    }
    if typed.quarantine {
        return quarantine(typed, &jobs, &name, &seen);
    }
    Ok(exit)
}

/// Moves damaged records aside when the operator agrees. What is damaged was shown before.
fn quarantine(
    typed: &CheckpointsArgs,
    jobs: &Jobs,
    name: &str,
    seen: &Inspection<Record>,
) -> anyhow::Result<Exit> {
    // Records that are not damaged are refused by the move itself; there is nothing to ask.
    let damaged = seen.outcome.as_ref().is_err_and(OpenError::is_damage);
    if damaged && !typed.yes {
        let question =
            format!("Move these records aside? The job {name} cannot be resumed from them.");
        if !runtime()?.block_on(ask::yes_soon(&question)) {
            return Err(coded(
                Exit::Cancelled,
                "nothing was moved; --yes moves without asking",
            ));
        }
    }
    let aside = jobs.quarantine(name).map_err(feedhold::Error::Jobs)?;
    if typed.json {
        out::json(&json!({ "event": "quarantined", "job": name, "aside": aside, "exit": 0 }));
    } else {
        out::line(format_args!(
            "moved to {}; nothing reads it any more, keep it while the job may have to be looked into. `feedhold run` with a file \
             that begins where the part needs it starts anew",
            aside.display()
        ));
    }
    Ok(Exit::Done)
}

fn print_text(name: &str, seen: &Inspection<Record>, verify: bool) {
    match &seen.outcome {
        Ok(peek) => {
            let newest = peek.history.first().map(|entry| &entry.record);
            match newest {
                Some(record) => out::line(format_args!(
                    "{name}: {} on {}, {} lines",
                    record.file.path.display(),
                    record.machine,
                    text::count(record.file.lines)
                )),
                None => out::line(format_args!("{name}: begun, nothing sent yet")),
            }
            peek.history.iter().for_each(print_record);
            if let Some(at) = peek.finished_at {
                out::line(format_args!(
                    "finished {}: this job is never resumed",
                    utc(at)
                ));
            }
        }
        Err(error) => out::line(format_args!("{name}: {error}")),
    }
    if verify {
        print_findings(name, seen);
    } else if seen.outcome.as_ref().is_err_and(OpenError::is_damage) {
        out::line(format_args!(
            "`feedhold checkpoints {name} --quarantine` moves the file aside; --verify looks at it slot by slot"
        ));
    } else if seen
        .outcome
        .as_ref()
        .is_ok_and(|peek| !peek.warnings.is_empty())
    {
        out::line(format_args!(
            "some copies are not as they should be; --verify explains them"
        ));
    }
    for (path, meaning) in beside(seen) {
        out::line(format_args!("{path}: {meaning}"));
    }
}

fn print_record(entry: &Entry<Record>) {
    let record = &entry.record;
    out::line(format_args!(
        "{:>8}  {}  {:<11} executed {}, answered {}, sent {}, allowed to {}; {}",
        entry.generation.get(),
        utc(entry.written_at),
        reason(record),
        text::count(record.executed),
        text::count(record.acked),
        text::count(record.sent),
        text::count(record.ceiling),
        match in_doubt(record) {
            Some((first, last)) => format!(
                "after a crash lines {} to {} would be in doubt",
                text::count(first),
                text::count(last)
            ),
            None => "nothing in doubt".to_owned(),
        }
    ));
}

fn print_findings(name: &str, seen: &Inspection<Record>) {
    let mut counts = [0_usize; 3];
    for report in &seen.slots {
        match explain(report) {
            Some(meaning) => {
                counts[2] += 1;
                out::line(format_args!("slot {:>2}: {meaning}", report.slot));
            }
            None if report.finding == Finding::Unused => counts[1] += 1,
            None => counts[0] += 1,
        }
    }
    let [sound, unused, found] = counts;
    out::line(format_args!(
        "{} slots, two copies each: {sound} sound, {unused} not used yet, {found} with a finding",
        seen.slots.len()
    ));
    let advice = match &seen.outcome {
        Ok(_) if found == 0 => "everything is as it should be",
        Ok(_) => {
            "the newest record is safe, and the next resume repairs what is listed; nothing has to be done"
        }
        Err(OpenError::Damaged { .. }) => &format!(
            "the records cannot be trusted and no job is resumed from them: look where the machine stands, move the file aside \
             without deleting it (`feedhold checkpoints {name} --quarantine`), and start the job at a line of your choice"
        ),
        Err(
            OpenError::Unsupported { .. }
            | OpenError::RecordVersion { .. }
            | OpenError::Codec { .. },
        ) => "the records are whole, and another version of this program wrote them: use that one",
        Err(OpenError::NotFound { .. }) => "there are no records here",
        Err(_) => "the disk or its permissions stand in the way: nothing is known to be lost",
    };
    out::line(format_args!("{advice}"));
}

/// What a finding means and what to do; `None` where all is well.
fn explain(report: &SlotReport) -> Option<String> {
    Some(match &report.finding {
        Finding::Sound | Finding::Unused => return None,
        Finding::Repairable(Warning::Torn { generation, .. }) => format!(
            "record {generation} was being written when the power or the program went (or is being written now). Nobody relied on \
             it yet: the one before it counts. Nothing to do"
        ),
        Finding::Repairable(Warning::CopyLost {
            generation, region, ..
        }) => format!(
            "copy {region} of record {generation} is {}, the other copy is good. Nothing is lost, and the next resume writes it \
             again. If this comes back, replace the disk",
            state_of(report, *region)
        ),
        Finding::Repairable(Warning::Stray { region, .. }) => format!(
            "copy {region} holds data where nothing was written yet. The next resume erases it. If this comes back, replace the disk"
        ),
        Finding::Repairable(warning) => format!("{warning}. Nothing to do"),
        Finding::Damaged(damage) => format!(
            "{damage}. A crash does not do this; the disk, a copy or a hand did. The store is refused"
        ),
        Finding::Unsupported(reason) => format!("{reason}"),
        Finding::Unknown => format!(
            "copy A is {}, copy B is {}; with no valid record anywhere nobody can tell what belongs here",
            state_of(report, Region::A),
            state_of(report, Region::B)
        ),
        other => format!("{other:?}"),
    })
}

fn state_of(report: &SlotReport, region: Region) -> &'static str {
    let [a, b] = &report.copies;
    copy_name(if region == Region::A { a } else { b })
}

fn copy_name(copy: &SlotCopy) -> &'static str {
    match copy {
        SlotCopy::Empty => "empty",
        SlotCopy::Sound(_) => "sound",
        SlotCopy::Bad => "bad",
        SlotCopy::Unreadable => "unreadable",
        SlotCopy::Unsupported(_) => "of another version",
    }
}

fn finding_name(finding: &Finding) -> &'static str {
    match finding {
        Finding::Sound => "sound",
        Finding::Unused => "unused",
        Finding::Repairable(Warning::Torn { .. }) => "torn",
        Finding::Repairable(Warning::CopyLost { .. }) => "copy-lost",
        Finding::Repairable(Warning::Stray { .. }) => "stray",
        Finding::Repairable(_) => "repairable",
        Finding::Damaged(_) => "damaged",
        Finding::Unsupported(_) => "unsupported",
        _ => "unknown",
    }
}

/// Files beside the store, and what they are.
fn beside(seen: &Inspection<Record>) -> Vec<(String, &'static str)> {
    let aside = seen.aside.iter().map(|path| {
        let meaning = "a damaged store that was moved aside; nothing reads it, keep it while the job may have to be looked into";
        (path.display().to_string(), meaning)
    });
    let interrupted = seen.interrupted.iter().map(|path| {
        let meaning = "a store whose creation was interrupted; nothing in it counts, and the next run writes it anew";
        (path.display().to_string(), meaning)
    });
    aside.chain(interrupted).collect()
}

fn print_json(name: &str, seen: &Inspection<Record>, verify: bool, exit: Exit) {
    if let Ok(peek) = &seen.outcome {
        for entry in &peek.history {
            out::json(&record_json(name, entry));
        }
    }
    if verify {
        for report in &seen.slots {
            let [a, b] = &report.copies;
            out::json(&json!({
                "event": "slot",
                "slot": report.slot,
                "generation": generation(a).or(generation(b)),
                "a": copy_name(a),
                "b": copy_name(b),
                "finding": finding_name(&report.finding),
                "message": explain(report),
            }));
        }
    }
    out::json(&json!({
        "event": "verdict",
        "job": name,
        "exit": exit.code(),
        "generation": seen.outcome.as_ref().ok().map(|peek| peek.generation.get()),
        "finished": seen.outcome.as_ref().is_ok_and(|peek| peek.finished_at.is_some()),
        "warnings": seen.outcome.as_ref().map_or(0, |peek| peek.warnings.len()),
        "message": seen.outcome.as_ref().err().map(ToString::to_string),
        "aside": seen.aside,
        "interrupted": seen.interrupted,
    }));
}

fn record_json(name: &str, entry: &Entry<Record>) -> Value {
    let record = &entry.record;
    json!({
        "event": "record",
        "job": name,
        "generation": entry.generation.get(),
        "written_at_ms": record.written_at_ms,
        "reason": reason(record),
        "executed": record.executed,
        "acked": record.acked,
        "sent": record.sent,
        "ceiling": record.ceiling,
        "in_doubt": in_doubt(record).map(|(first, last)| [first, last]),
        "position_lost": record.position_lost,
    })
}

fn generation(copy: &SlotCopy) -> Option<u64> {
    match copy {
        SlotCopy::Sound(stamp) => Some(stamp.generation.get()),
        _ => None,
    }
}

/// The lines that may or may not have run, if this were the newest record after a crash.
fn in_doubt(record: &Record) -> Option<(u64, u64)> {
    let clean = record.is_clean() || record.executed >= record.ceiling;
    (!clean).then_some((record.executed + 1, record.ceiling))
}

fn reason(record: &Record) -> String {
    let name = serde_json::to_value(record.reason).unwrap_or_default();
    name.as_str().unwrap_or_default().to_lowercase()
}

/// `2026-11-26 04:51:35 UTC`. The civil date is worked out as Howard Hinnant describes in "chrono-Compatible Low-Level Date
/// Algorithms".
fn utc(time: SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_told_as_the_calendar_has_them() {
        for (seconds, want) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_700_000_000, "2023-11-14 22:13:20 UTC"),
            (4_107_542_399, "2100-02-28 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(seconds)), want);
        }
    }
}
