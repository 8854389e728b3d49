//! What was tried, as a table.

use feedhold_checkpoint::StoreId;

use super::Broken;

/// The identity of the stores of this world.
pub(crate) const STORE: StoreId = StoreId::from_bytes([7; 16]);

/// What was tried in one row of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Moments at which the power went, or at which the disk failed.
    pub points: u64,
    /// Images that could be left: subsets of unsynced sectors over all points, torn sectors included.
    pub subsets: u64,
    /// Images that were opened and judged.
    pub judged: u64,
    /// Images of a kind already judged that were opened nevertheless.
    pub sampled: u64,
    /// Refusals, where refusing is right.
    pub refused: u64,
    /// Older records shown within the limits that the format states.
    pub limits: u64,
    /// Some subsets were too many for opening each, and were judged by kind.
    pub by_kind: bool,
}

impl Tally {
    /// Adds another row.
    pub fn add(&mut self, other: &Self) {
        self.points += other.points;
        self.subsets += other.subsets;
        self.judged += other.judged;
        self.sampled += other.sampled;
        self.refused += other.refused;
        self.limits += other.limits;
        self.by_kind |= other.by_kind;
    }
}

/// One line of the report.
#[derive(Debug)]
pub struct Row {
    /// What was done.
    pub what: String,
    /// What was tried.
    pub tally: Tally,
    /// How the law was broken, if it was.
    pub broken: Option<Broken>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl Row {
    /// The heads of the columns.
    #[must_use]
    pub fn heads() -> String {
        format!(
            "{:<44} {:>9} {:>15} {:>10} {:>8} {:>9} {:>8} {:>5} {:>6} {:>7}",
            "what",
            "points",
            "subsets",
            "judged",
            "sampled",
            "refused",
            "limits",
            "lost",
            "wrong",
            "seconds"
        )
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Tally {
            points,
            subsets,
            judged,
            sampled,
            refused,
            limits,
            by_kind,
        } = self.tally;
        let lost = u8::from(matches!(self.broken, Some(Broken::Lost(_))));
        let wrong = u8::from(matches!(self.broken, Some(Broken::Wrong(_))));
        write!(
            f,
            "{:<44} {points:>9} {subsets:>14}{} {judged:>10} {sampled:>8} {refused:>9} {limits:>8} {lost:>5} {wrong:>6} {:>7.1}",
            self.what,
            if by_kind { '*' } else { ' ' },
            self.seconds
        )
    }
}
