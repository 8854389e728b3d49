//! How a job ended: exit code, complaint, figures.

use feedhold::session::{Cause, Ending, Outcome, Snapshot};
use serde::Serialize;

use super::pilot::Verdict;
use crate::{exit::Exit, text};

/// The exit code of a job.
pub(crate) fn exit(outcome: &Outcome, verdict: &Verdict) -> Exit {
    match (&outcome.ending, verdict) {
        (Ending::Finished, _) => Exit::Done,
        (_, Verdict::Operator | Verdict::Unattended(_)) => Exit::Cancelled,
        (_, Verdict::Fault(_)) => Exit::Machine,
        (Ending::Failed { cause, .. }, _) => match cause {
            Cause::Source => Exit::File,
            Cause::Records => Exit::Records,
            _ => Exit::Machine,
        },
        _ => Exit::Cancelled,
    }
}

/// What to say about a job that did not finish; `None` when the operator knows.
pub(crate) fn complaint(outcome: &Outcome, verdict: &Verdict) -> Option<String> {
    match (&outcome.ending, verdict) {
        (Ending::Finished, _) | (_, Verdict::Operator) => None,
        (_, Verdict::Unattended(message) | Verdict::Fault(message)) => Some(message.clone()),
        (Ending::Failed { message, .. }, _) => Some(message.clone()),
        _ => None,
    }
}

/// The figures of a job that is over.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    event: &'static str,
    outcome: &'static str,
    exit: u8,
    lines: u64,
    total_lines: u64,
    bytes_sent: u64,
    elapsed_ms: u64,
    lines_per_s: f64,
    executed: u64,
    in_doubt: Option<[u64; 2]>,
    pauses: u64,
    resends: u64,
    checkpoints: u64,
}

impl Summary {
    pub(crate) fn new(outcome: &Outcome, snapshot: &Snapshot, exit: Exit) -> Self {
        let seconds = outcome.elapsed.as_secs_f64();
        let at = outcome.positions;
        Self {
            event: "summary",
            outcome: outcome.ending.name(),
            exit: exit.code(),
            lines: outcome.lines,
            total_lines: snapshot.progress.total_lines,
            bytes_sent: outcome.bytes_sent,
            elapsed_ms: outcome.elapsed.as_millis().try_into().unwrap_or(u64::MAX),
            lines_per_s: if seconds > 0.0 {
                outcome.lines as f64 / seconds
            } else {
                0.0
            },
            executed: at.executed,
            in_doubt: (at.executed < at.sent).then_some([at.executed + 1, at.sent]),
            pauses: snapshot.pauses.count,
            resends: outcome.resends,
            checkpoints: snapshot.checkpoints,
        }
    }

    /// For people.
    pub(crate) fn lines(&self) -> Vec<String> {
        let elapsed = std::time::Duration::from_millis(self.elapsed_ms);
        let mut lines = vec![
            format!(
                "{}: {} of {} lines, {} in {}, {} lines/s",
                self.outcome,
                text::count(self.lines),
                text::count(self.total_lines),
                text::size(self.bytes_sent),
                text::duration(elapsed),
                text::rate(self.lines_per_s)
            ),
            format!(
                "{} checkpoints, {} pauses, {} resends",
                text::count(self.checkpoints),
                self.pauses,
                text::count(self.resends)
            ),
        ];
        match self.in_doubt {
            Some([first, last]) => lines.push(format!(
                "executed for certain up to line {}; in doubt: lines {first} to {last}",
                self.executed
            )),
            None if self.outcome == "finished" => {}
            None => lines.push(format!(
                "stopped behind line {}; nothing is in doubt",
                self.executed
            )),
        }
        lines
    }
}
