//! What a job shows: JSON for programs, a bar for people, lines for logs, or nothing.

use std::path::Path;

use feedhold::{
    session::{Event, Outcome, Snapshot, Vetted, Vetting},
    transport::Address,
};
use indicatif::ProgressBar;

use super::{screen::Screen, summary::Summary};
use crate::{args::ScreenArgs, exit::Exit, out, term::Terminal, text};

/// Where a job shows itself.
#[derive(Debug, Clone)]
pub(crate) enum View {
    /// One event a line.
    Json,
    /// Nothing but errors.
    Quiet(Terminal),
    /// People read along.
    Screen(Screen),
}

impl View {
    pub(crate) fn new(typed: &ScreenArgs, terminal: &Terminal) -> Self {
        match (typed.json, typed.quiet) {
            (true, _) => Self::Json,
            (_, true) => Self::Quiet(terminal.clone()),
            _ => Self::Screen(Screen::new(terminal)),
        }
    }

    /// Whether keys may be read: programs that read JSON do not type.
    pub(crate) fn is_for_people(&self) -> bool {
        !matches!(self, Self::Json)
    }

    /// A remark beside the job.
    pub(crate) fn note(&self, words: &str) {
        if let Self::Screen(screen) = self {
            screen.note(words);
        }
    }

    /// Something the operator has to know or decide.
    pub(crate) fn call(&self, words: &str) {
        match self {
            Self::Json => {}
            Self::Quiet(terminal) => terminal.warn(words),
            Self::Screen(screen) => screen.call(words),
        }
    }

    /// A line of result.
    pub(crate) fn result(&self, words: &str) {
        if let Self::Screen(_) = self {
            out::line(format_args!("{words}"));
        }
    }

    /// A bar for reading the file.
    pub(crate) fn vetting(&self) -> ProgressBar {
        match self {
            Self::Screen(screen) => screen.vetting(),
            _ => ProgressBar::hidden(),
        }
    }

    pub(crate) fn analysis(&self, at: &Vetting) {
        if let Self::Json = self {
            let percentage = if at.total_bytes == 0 {
                100.0
            } else {
                at.bytes as f64 * 100.0 / at.total_bytes as f64
            };
            out::json(&Event::AnalysisProgress {
                lines: at.lines,
                bytes: at.bytes,
                percentage,
            });
        }
    }

    pub(crate) fn vetted(&self, file: &Path, vetted: &Vetted) {
        let Self::Screen(screen) = self else { return };
        let identity = &vetted.identity;
        let packed = 100.0 * (1.0 - vetted.wire_bytes as f64 / identity.bytes.max(1) as f64);
        screen.note(&format!(
            "{}: {} lines, {}; {} lines for the wire with {} motions, {packed:.0} % shorter",
            file.display(),
            text::count(identity.lines),
            text::size(identity.bytes),
            text::count(vetted.wire_lines),
            text::count(vetted.motions),
        ));
        for note in &vetted.notes {
            screen.note(&format!("note: {note}"));
        }
    }

    pub(crate) fn connecting(&self, address: &Address) -> ProgressBar {
        match self {
            Self::Screen(screen) => screen.connecting(address),
            _ => ProgressBar::hidden(),
        }
    }

    pub(crate) fn event(&self, event: &Event, snapshot: &Snapshot) {
        match self {
            Self::Json => out::json(event),
            Self::Quiet(_) => {}
            Self::Screen(screen) => screen.event(event, snapshot),
        }
    }

    pub(crate) fn lagged(&self, missed: u64) {
        if let Self::Json = self {
            out::json(&serde_json::json!({ "event": "lagged", "missed": missed }));
        }
    }

    /// The job is over; the bar goes.
    pub(crate) fn over(&self) {
        if let Self::Screen(screen) = self {
            screen.over();
        }
    }

    pub(crate) fn summary(&self, outcome: &Outcome, snapshot: Snapshot, exit: Exit) {
        let summary = Summary::new(outcome, &snapshot, exit);
        match self {
            Self::Json => out::json(&summary),
            Self::Quiet(_) => {}
            Self::Screen(_) => summary
                .lines()
                .iter()
                .for_each(|line| out::line(format_args!("{line}"))),
        }
    }
}
