//! Lines and bytes a second, over the last seconds.

use std::{collections::VecDeque, time::Duration};

/// How far back a rate looks.
const SPAN: Duration = Duration::from_secs(3);
/// Most samples kept.
const SAMPLES: usize = 32;

/// Counters seen at instants of the last seconds.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    samples: VecDeque<(Duration, u64, u64)>,
}

impl Rates {
    /// Notes the counters at `now`; ten times a second is enough.
    pub(crate) fn note(&mut self, now: Duration, lines: u64, bytes: u64) {
        let old = |samples: &VecDeque<(Duration, u64, u64)>| {
            samples.len() > 2 && samples.front().is_some_and(|first| first.0 + SPAN < now)
        };
        while self.samples.len() >= SAMPLES || old(&self.samples) {
            self.samples.pop_front();
        }
        self.samples.push_back((now, lines, bytes));
    }

    /// Lines and bytes a second.
    pub(crate) fn per_second(&self) -> (f64, f64) {
        let (Some(first), Some(last)) = (self.samples.front(), self.samples.back()) else {
            return (0.0, 0.0);
        };
        let seconds = last.0.saturating_sub(first.0).as_secs_f64();
        if seconds <= 0.0 {
            return (0.0, 0.0);
        }
        let rate = |from: u64, to: u64| to.saturating_sub(from) as f64 / seconds;
        (rate(first.1, last.1), rate(first.2, last.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_follow_the_last_seconds() {
        let mut rates = Rates::default();
        assert_eq!(rates.per_second(), (0.0, 0.0));
        for tenth in 0..100_u64 {
            let lines = if tenth < 50 { 0 } else { (tenth - 50) * 10 };
            rates.note(Duration::from_millis(tenth * 100), lines, lines * 20);
        }
        let (lines, bytes) = rates.per_second();
        assert!(
            (lines - 100.0).abs() < 1.0 && (bytes - 2000.0).abs() < 20.0,
            "{lines} {bytes}"
        );
        assert!(rates.samples.len() <= SAMPLES);
    }
}
