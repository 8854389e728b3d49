//! The state of a session at one instant, for whoever looks in.

use serde::Serialize;

use crate::event::{Progress, Status};

/// A copy of everything an observer may want to know; renewed at most ten times a second.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Snapshot {
    /// What the session is doing.
    pub state: State,
    /// Where the job stands.
    pub progress: Progress,
    /// The machine's last state report.
    pub status: Option<Status>,
    /// Pauses so far.
    pub pauses: PauseStats,
    /// Answers nobody waited for.
    pub stray_answers: u64,
    /// Records made durable.
    pub checkpoints: u64,
    /// How often the controller asked for lines again.
    pub resends: u64,
}

/// What a session is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// No link yet, or none any more.
    #[default]
    Disconnected,
    /// The controller is proving itself alive.
    Connecting,
    /// Connected; no job runs.
    Ready,
    /// A job runs.
    Streaming,
    /// A pause was asked for.
    Pausing,
    /// The job waits.
    Paused,
    /// A resume was asked for.
    Resuming,
    /// A program stop waits for somebody to decide.
    AtStop,
    /// The job is being cancelled.
    Cancelling,
    /// A fault waits for somebody to decide.
    Faulted,
    /// The link of a job is lost and tried again, or the controller that came back is being compared with the job.
    Reconnecting,
}

impl From<feedhold_stream_core::streamer::State> for State {
    fn from(state: feedhold_stream_core::streamer::State) -> Self {
        use feedhold_stream_core::streamer::State as S;
        match state {
            S::Greeting => Self::Connecting,
            S::Ready => Self::Ready,
            S::Streaming => Self::Streaming,
            S::Pausing => Self::Pausing,
            S::Paused => Self::Paused,
            S::Resuming => Self::Resuming,
            S::AtStop => Self::AtStop,
            S::Cancelling => Self::Cancelling,
            S::Faulted => Self::Faulted,
            _ => Self::Disconnected,
        }
    }
}

/// How the pauses of a job went. Times are from the wish to the standstill.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct PauseStats {
    /// Pauses the machine confirmed.
    pub count: u64,
    /// Pauses it did not confirm in time.
    pub failed: u64,
    /// Shortest, ms.
    pub min_ms: Option<u64>,
    /// Longest, ms.
    pub max_ms: Option<u64>,
    total_ms: u64,
}

impl PauseStats {
    pub(crate) fn confirmed(&mut self, took_ms: u64) {
        self.count += 1;
        self.total_ms += took_ms;
        self.min_ms = Some(self.min_ms.map_or(took_ms, |least| least.min(took_ms)));
        self.max_ms = Some(self.max_ms.map_or(took_ms, |most| most.max(took_ms)));
    }

    pub(crate) fn timed_out(&mut self) {
        self.failed += 1;
    }

    /// Average, ms.
    #[must_use]
    pub fn average_ms(&self) -> Option<f64> {
        (self.count > 0).then(|| self.total_ms as f64 / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_summed_up() {
        let mut stats = PauseStats::default();
        assert_eq!(stats.average_ms(), None);
        for took in [30, 10, 80] {
            stats.confirmed(took);
        }
        stats.timed_out();
        assert_eq!((stats.count, stats.failed), (3, 1));
        assert_eq!(
            (stats.min_ms, stats.max_ms, stats.average_ms()),
            (Some(10), Some(80), Some(40.0))
        );
    }
}
