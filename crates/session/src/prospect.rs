//! What may have been executed behind a line, and where each line would have left the machine.

use feedhold_stream_core::{
    resume::{Baseline, Candidate, Interval, NumberAnchor},
    wire::Chain,
};

use crate::{Record, SourceError, Vetted, history::follow};

/// Lines in doubt, and what tells them apart.
#[derive(Debug, Clone, Copy)]
pub struct Doubtful<'a> {
    /// Last line executed for certain.
    pub executed: u64,
    /// Last line that may have run.
    pub last: u64,
    /// Which number on the wire stood for which line.
    pub anchor: Option<NumberAnchor>,
    /// How the machine was set up when the job began.
    pub baseline: Option<&'a Baseline>,
}

impl<'a> Doubtful<'a> {
    /// The lines that a record leaves in doubt; `baseline` is that of the record.
    #[must_use]
    pub fn of(record: &Record, baseline: Option<&'a Baseline>) -> Self {
        Self {
            executed: record.executed,
            last: record.ceiling.max(record.sent),
            anchor: record.anchor,
            baseline,
        }
    }
}

/// Reads the lines in doubt from the file and follows each. Blocks.
///
/// # Errors
/// [`SourceError::FileChanged`] when it is not the file any more that was vetted; [`SourceError::Read`] when it cannot be read.
pub fn prospect<'a>(
    vetted: &Vetted,
    chain: &Chain,
    doubtful: Doubtful<'a>,
) -> Result<Interval<'a>, SourceError> {
    let Doubtful {
        executed,
        last,
        anchor,
        baseline,
    } = doubtful;
    let mut behind = Vec::new();
    let at = follow(vetted, chain, executed, last, |followed| {
        behind.push(Candidate::behind(
            followed.line,
            followed.block,
            followed.effect,
            followed.behind,
            baseline,
        ));
    })?;
    let mut candidates = vec![Candidate::first(executed, &at, baseline)];
    candidates.append(&mut behind);
    Ok(Interval {
        done: executed,
        candidates,
        anchor,
        baseline,
    })
}
