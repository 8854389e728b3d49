//! What many rounds came to, in one table.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::{judge::Wrong, rounds::Played};

/// A row: what all rounds of a mode came to.
#[derive(Debug, Default)]
pub struct Row {
    name: String,
    /// Processes killed.
    pub kills: u64,
    resumes: u64,
    jobs: u64,
    completed: u64,
    refused: BTreeMap<String, u64>,
    /// The first words with each code, and the round in which they fell.
    pub said: BTreeMap<String, (u64, String)>,
    lost: u64,
    repeated: u64,
    held_after: Option<Duration>,
    /// Everything that contradicts the promise, with the round's number.
    pub wrong: Vec<(u64, String)>,
    /// Time it took.
    pub took: Duration,
}

impl Row {
    /// An empty row.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Counts a round.
    pub fn add(&mut self, number: u64, played: Played) {
        self.jobs += 1;
        self.kills += played.kills;
        self.resumes += played.resumes;
        self.completed += u64::from(played.completed);
        self.held_after = self.held_after.max(played.held_after);
        if let Some(code) = played.refused {
            let said = || (number, played.said);
            self.said.entry(code.clone()).or_insert_with(said);
            *self.refused.entry(code).or_default() += 1;
        }
        if let Some(wrong) = played.wrong {
            self.lost += u64::from(matches!(wrong, Wrong::Lost { .. }));
            self.repeated += u64::from(matches!(wrong, Wrong::Repeated { .. }));
            let place = played
                .left_in
                .map(|dir| format!("; everything is in {}", dir.display()));
            self.wrong
                .push((number, format!("{wrong}{}", place.unwrap_or_default())));
        }
    }

    /// Nothing contradicts the promise.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.wrong.is_empty()
    }

    /// The heading of the table.
    #[must_use]
    pub fn heading() -> String {
        format!(
            "{:<16} {:>6} {:>8} {:>6} {:>18} {:>5} {:>9} {:>6} {:>8}  refused by code",
            "mode",
            "kills",
            "resumes",
            "jobs",
            "completed exactly",
            "lost",
            "repeated",
            "other",
            "kills/s"
        )
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let other = self.wrong.len() as u64 - self.lost - self.repeated;
        let rate = self.kills as f64 / self.took.as_secs_f64().max(1e-9);
        write!(
            f,
            "{:<16} {:>6} {:>8} {:>6} {:>18} {:>5} {:>9} {other:>6} {rate:>8.1}  ",
            self.name,
            self.kills,
            self.resumes,
            self.jobs,
            self.completed,
            self.lost,
            self.repeated
        )?;
        let refused: Vec<String> = self
            .refused
            .iter()
            .map(|(code, times)| format!("{code} {times}"))
            .collect();
        if refused.is_empty() {
            f.write_str("none")?;
        }
        f.write_str(&refused.join(", "))?;
        if let Some(after) = self.held_after {
            write!(f, "; held within {} ms", after.as_millis())?;
        }
        Ok(())
    }
}
