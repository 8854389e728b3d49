//! How often and after what wait.

use std::time::Duration;

use super::{Classify, Disposition};

/// Waits that grow by a factor from try to try, up to a cap, for a limited number of tries.
///
/// | preset | tries | first wait | factor | longest wait |
/// |---|---|---|---|---|
/// | [`cnc`](Self::cnc) | 1 + 3 | 1 s | 2 | 30 s |
/// | [`file`](Self::file) | 5 | 500 ms | 1.5 | 10 s |
/// | [`flow`](Self::flow) | 1 + 3 | 100 ms | 2 | 5 s |
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    retries: u32,
    base: Duration,
    factor: f64,
    longest: Duration,
    jitter: Option<Jitter>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Jitter {
    percent: u8,
    seed: u64,
}

/// What is tried again, where that decides how often.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A motion.
    Movement,
    /// A homing cycle.
    Homing,
    /// A probing cycle: the workpiece may have moved, so it is never repeated.
    Probe,
    /// Spindle on, off or speed.
    Spindle,
    /// Coolant on or off.
    Coolant,
}

/// A knob of a [`RetryPolicy`] is out of range.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPolicy {
    /// Waits must not shrink and must stay finite.
    #[error("the retry factor is {0}; it must be a number from 1 to 100")]
    Factor(f64),
    /// Waits must not become negative.
    #[error("the jitter is {0} %; it must be 0 to 100")]
    Jitter(u8),
}

impl RetryPolicy {
    /// No second try.
    pub const NEVER: Self = Self::of(0, Duration::ZERO, 1.0, Duration::ZERO);

    const fn of(retries: u32, base: Duration, factor: f64, longest: Duration) -> Self {
        Self {
            retries,
            base,
            factor,
            longest,
            jitter: None,
        }
    }

    /// For chunks on their way to a machine.
    #[must_use]
    pub const fn cnc() -> Self {
        Self::of(3, Duration::from_secs(1), 2.0, Duration::from_secs(30))
    }

    /// For reading files and byte streams.
    #[must_use]
    pub const fn file() -> Self {
        Self::of(4, Duration::from_millis(500), 1.5, Duration::from_secs(10))
    }

    /// For edges between nodes of a stream graph.
    #[must_use]
    pub const fn flow() -> Self {
        Self::of(3, Duration::from_millis(100), 2.0, Duration::from_secs(5))
    }

    /// For one command of a machine that was proven not to have been taken: movement 2 more tries
    /// after 1 s each, homing 1 after 2 s, spindle and coolant 3 after 300 ms each, probing none.
    #[must_use]
    pub const fn operation(operation: Operation) -> Self {
        let (retries, wait_ms) = match operation {
            Operation::Movement => (2, 1_000),
            Operation::Homing => (1, 2_000),
            Operation::Probe => return Self::NEVER,
            Operation::Spindle | Operation::Coolant => (3, 300),
        };
        let wait = Duration::from_millis(wait_ms);
        Self::of(retries, wait, 1.0, wait)
    }

    /// The same waits, for this many tries after the first.
    #[must_use]
    pub const fn with_retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// The same tries, with other waits: `base` after the first failure, `factor` times more after
    /// each further one, never more than `longest`.
    ///
    /// # Errors
    /// [`InvalidPolicy::Factor`] unless `factor` is from 1 to 100.
    pub fn with_waits(
        mut self,
        base: Duration,
        factor: f64,
        longest: Duration,
    ) -> Result<Self, InvalidPolicy> {
        if !(1.0..=100.0).contains(&factor) {
            return Err(InvalidPolicy::Factor(factor));
        }
        (self.base, self.factor, self.longest) = (base, factor, longest);
        Ok(self)
    }

    /// Spreads every wait evenly over ± `percent`, so that many that failed together do not come
    /// back together. The same seed gives the same waits; the longest wait still holds.
    ///
    /// # Errors
    /// [`InvalidPolicy::Jitter`] above 100 %.
    pub fn with_jitter(mut self, percent: u8, seed: u64) -> Result<Self, InvalidPolicy> {
        if percent > 100 {
            return Err(InvalidPolicy::Jitter(percent));
        }
        self.jitter = Some(Jitter { percent, seed });
        Ok(self)
    }

    /// Tries in all, the first included.
    #[must_use]
    pub const fn tries(&self) -> u32 {
        self.retries.saturating_add(1)
    }

    /// The wait after failure number `failed` (1 is the first), `None` when that was the last try.
    #[must_use]
    pub fn delay(&self, failed: u32) -> Option<Duration> {
        if failed == 0 || failed > self.retries {
            return None;
        }
        // Beyond this the factor has long met the cap, or is 1 and changes nothing.
        let steps = (failed - 1).min(10_000) as i32;
        let seconds = self.base.as_secs_f64() * self.factor.powi(steps);
        let seconds = seconds * self.jitter.map_or(1.0, |jitter| jitter.scale(failed));
        let wait = Duration::try_from_secs_f64(seconds).unwrap_or(self.longest);
        Some(wait.min(self.longest))
    }

    /// The wait after `failure`, which was number `failed`: `None` also when the failure does not
    /// call for another try.
    #[must_use]
    pub fn delay_after(&self, failure: &impl Classify, failed: u32) -> Option<Duration> {
        match failure.disposition() {
            Disposition::Retry => self.delay(failed),
            Disposition::Hold | Disposition::Abort => None,
        }
    }
}

impl Jitter {
    /// A factor from `1 - percent` to `1 + percent`.
    fn scale(self, failed: u32) -> f64 {
        let random = split_mix(self.seed.wrapping_add(u64::from(failed)));
        let unit = (random >> 11) as f64 / (1_u64 << 53) as f64;
        1.0 + (unit * 2.0 - 1.0) * f64::from(self.percent) / 100.0
    }
}

/// One step of SplitMix64 (Steele, Lea, Flood 2014): well mixed even for seeds in a row.
fn split_mix(seed: u64) -> u64 {
    let z = seed
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dialect::{Alarm, GrblError, MarlinErrorKind};

    /// Every wait of a policy in milliseconds, tenths kept.
    fn check(policy: RetryPolicy, want_ms: &[f64]) {
        let waits: Vec<f64> = (1..=policy.tries())
            .map_while(|failed| policy.delay(failed))
            .map(|wait| (wait.as_secs_f64() * 10_000.0).round() / 10.0)
            .collect();
        assert_eq!(waits, want_ms, "{policy:?}");
        assert_eq!(
            policy.delay(policy.tries()),
            None,
            "the last try has no successor"
        );
        assert_eq!(policy.delay(u32::MAX), None);
    }

    #[test]
    fn waits_of_the_presets() {
        check(RetryPolicy::cnc(), &[1_000.0, 2_000.0, 4_000.0]);
        check(RetryPolicy::file(), &[500.0, 750.0, 1_125.0, 1_687.5]);
        check(RetryPolicy::flow(), &[100.0, 200.0, 400.0]);
        check(
            RetryPolicy::operation(Operation::Movement),
            &[1_000.0, 1_000.0],
        );
        check(RetryPolicy::operation(Operation::Homing), &[2_000.0]);
        check(RetryPolicy::operation(Operation::Probe), &[]);
        check(RetryPolicy::operation(Operation::Spindle), &[300.0; 3]);
        check(RetryPolicy::operation(Operation::Coolant), &[300.0; 3]);
        check(RetryPolicy::NEVER, &[]);
    }

    #[test]
    fn the_longest_wait_holds() {
        let long = RetryPolicy::file().with_retries(100_000);
        assert_eq!(
            long.delay(8),
            Some(Duration::from_millis(8_542).saturating_add(Duration::from_nanos(968_750)))
        );
        assert_eq!(long.delay(9), Some(Duration::from_secs(10)));
        assert_eq!(long.delay(100_000), Some(Duration::from_secs(10)));
    }

    #[test]
    fn only_what_calls_for_it_is_retried() {
        let policy = RetryPolicy::cnc();
        let first = policy.delay(1);
        assert_eq!(
            policy.delay_after(&MarlinErrorKind::ChecksumMismatch, 1),
            first
        );
        assert_eq!(
            policy.delay_after(&GrblError(8), 1),
            first,
            "idle comes by waiting"
        );
        for syntax in [1, 2, 20, 21, 25, 31] {
            assert_eq!(
                policy.delay_after(&GrblError(syntax), 1),
                None,
                "error:{syntax}"
            );
        }
        for alarm in 0..=20 {
            assert_eq!(policy.delay_after(&Alarm(alarm), 1), None, "ALARM:{alarm}");
        }
    }

    #[test]
    fn knobs_out_of_range_are_refused() {
        let second = Duration::from_secs(1);
        let policy = RetryPolicy::cnc();
        for factor in [0.0, 0.99, -1.0, 101.0, f64::NAN, f64::INFINITY] {
            assert!(
                policy.with_waits(second, factor, second).is_err(),
                "{factor}"
            );
        }
        assert!(policy.with_waits(second, 1.0, second).is_ok());
        assert_eq!(policy.with_jitter(101, 0), Err(InvalidPolicy::Jitter(101)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn jitter_stays_in_its_band_and_repeats(seed: u64, percent in 0_u8..=100, failed in 1_u32..=4) {
            let plain = RetryPolicy::file();
            let spread = plain.with_jitter(percent, seed).unwrap();
            let wait = spread.delay(failed).unwrap().as_secs_f64();
            let middle = plain.delay(failed).unwrap().as_secs_f64();
            let reach = middle * f64::from(percent) / 100.0 + 1e-6;
            prop_assert!((wait - middle).abs() <= reach);
            prop_assert_eq!(spread.delay(failed), spread.delay(failed));
        }

        #[test]
        fn waits_never_shrink_nor_pass_the_cap(
            base_ms in 0_u64..100_000,
            factor in 1.0..100.0_f64,
            longest_ms in 0_u64..1_000_000,
            retries in 0_u32..2_000,
        ) {
            let longest = Duration::from_millis(longest_ms);
            let policy = RetryPolicy::cnc()
                .with_retries(retries)
                .with_waits(Duration::from_millis(base_ms), factor, longest)
                .unwrap();
            let waits: Vec<_> = (1..=retries).map(|failed| policy.delay(failed).unwrap()).collect();
            prop_assert!(waits.is_sorted());
            prop_assert!(waits.iter().all(|wait| *wait <= longest));
        }
    }

    #[test]
    fn jitter_really_spreads() {
        let waits: std::collections::BTreeSet<_> = (0..100)
            .map(|seed| RetryPolicy::file().with_jitter(50, seed).unwrap().delay(1))
            .collect();
        assert!(waits.len() > 90, "{} different waits of 100", waits.len());
    }
}
