//! Stop trying for a while when too much has failed.

use std::collections::VecDeque;
use std::time::Duration;

/// A circuit breaker: lets everything pass until too many failures come close together, then
/// nothing for a while, then single trials until one succeeds.
///
/// Times are since an epoch of the caller's choice and must not run backwards; one that does is
/// taken for the latest seen.
#[derive(Clone, Debug)]
pub struct Breaker {
    config: BreakerConfig,
    state: State,
    /// Failures that still count while closed, oldest first; fewer than `config.failures`.
    recent: VecDeque<Duration>,
    latest: Duration,
}

/// When a [`Breaker`] opens and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BreakerConfig {
    /// It opens at this many failures; 0 is taken for 1.
    pub failures: u16,
    /// … within this time.
    pub within: Duration,
    /// How long it stays open before a trial may pass.
    pub open_for: Duration,
}

impl Default for BreakerConfig {
    /// 5 failures in 60 s, open for 30 s.
    fn default() -> Self {
        Self {
            failures: 5,
            within: Duration::from_secs(60),
            open_for: Duration::from_secs(30),
        }
    }
}

/// What a breaker does to the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Lets it pass.
    Closed,
    /// Turns it away.
    Open,
    /// Lets one pass at a time and watches how it ends.
    HalfOpen,
}

/// The breaker is open: nothing is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "too many failures lately; the next try is possible in {} s",
    .wait.as_secs_f64().ceil()
)]
pub struct Open {
    /// How long from now until a trial may pass.
    pub wait: Duration,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Open {
        until: Duration,
    },
    /// A trial passed. If its end is never told, another may pass at `until`.
    Trying {
        until: Duration,
    },
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(config: BreakerConfig) -> Self {
        Self {
            config,
            state: State::Closed,
            recent: VecDeque::new(),
            latest: Duration::ZERO,
        }
    }

    /// Asks to pass. Whoever passes tells the end by [`success`](Self::success) or
    /// [`failure`](Self::failure).
    ///
    /// # Errors
    /// [`Open`] with the wait until it is worth asking again.
    pub fn pass(&mut self, now: Duration) -> Result<(), Open> {
        let now = self.at(now);
        match self.state {
            State::Closed => Ok(()),
            State::Open { until } | State::Trying { until } if now < until => {
                Err(Open { wait: until - now })
            }
            State::Open { .. } | State::Trying { .. } => {
                self.state = State::Trying {
                    until: self.open_until(now),
                };
                Ok(())
            }
        }
    }

    /// What passed went well.
    pub fn success(&mut self, now: Duration) {
        self.at(now);
        // A late success from before it opened says nothing about now.
        if let State::Trying { .. } = self.state {
            self.state = State::Closed;
        }
    }

    /// What passed failed.
    pub fn failure(&mut self, now: Duration) {
        let now = self.at(now);
        match self.state {
            State::Closed => self.count(now),
            State::Trying { .. } => self.open(now),
            State::Open { .. } => {}
        }
    }

    /// What it would do to a try at `now`.
    #[must_use]
    pub fn state(&self, now: Duration) -> BreakerState {
        let now = now.max(self.latest);
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open { until } if now < until => BreakerState::Open,
            State::Open { .. } | State::Trying { .. } => BreakerState::HalfOpen,
        }
    }

    /// When the state changes by itself: an open breaker lets a trial pass.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        match self.state {
            State::Closed => None,
            State::Open { until } | State::Trying { until } => Some(until),
        }
    }

    fn count(&mut self, now: Duration) {
        let within = self.config.within;
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|&at| now - at >= within) {
            self.recent.pop_front();
        }
        if self.recent.len() >= usize::from(self.config.failures.max(1)) {
            self.open(now);
        }
    }

    fn open(&mut self, now: Duration) {
        self.recent.clear();
        self.state = State::Open {
            until: self.open_until(now),
        };
    }

    fn open_until(&self, now: Duration) -> Duration {
        now.saturating_add(self.config.open_for)
    }

    fn at(&mut self, now: Duration) -> Duration {
        self.latest = self.latest.max(now);
        self.latest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Runs `3 fail`, `4 ok`, `5 pass`, `6 turned away` and compares the state after each step.
    fn check(script: &str) {
        let mut breaker = Breaker::new(BreakerConfig::default());
        for line in script
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let (step, want) = line.split_once("->").unwrap();
            let (at, what) = step.trim().split_once(' ').unwrap();
            let now = s(at.parse().unwrap());
            match what.trim() {
                "fail" => breaker.failure(now),
                "ok" => breaker.success(now),
                "pass" => assert_eq!(breaker.pass(now), Ok(()), "{line}"),
                "turned away" => assert!(breaker.pass(now).is_err(), "{line}"),
                other => panic!("no step {other:?}"),
            }
            assert_eq!(format!("{:?}", breaker.state(now)), want.trim(), "{line}");
        }
    }

    #[test]
    fn five_failures_in_a_minute_open_it_for_half_a_minute() {
        check(
            "0 fail -> Closed
             10 fail -> Closed
             20 fail -> Closed
             30 fail -> Closed
             59 pass -> Closed
             59 fail -> Open
             60 turned away -> Open
             88 turned away -> Open
             89 pass -> HalfOpen
             89 turned away -> HalfOpen
             90 ok -> Closed
             90 pass -> Closed",
        );
    }

    #[test]
    fn old_failures_do_not_count() {
        check(
            "0 fail -> Closed
             1 fail -> Closed
             2 fail -> Closed
             3 fail -> Closed
             60 fail -> Closed
             61 fail -> Closed
             62 fail -> Closed
             63 fail -> Closed
             64 fail -> Open",
        );
    }

    #[test]
    fn a_failed_trial_opens_it_again() {
        check(
            "0 fail -> Closed
             0 fail -> Closed
             0 fail -> Closed
             0 fail -> Closed
             0 fail -> Open
             30 pass -> HalfOpen
             31 fail -> Open
             60 turned away -> Open
             61 pass -> HalfOpen
             61 ok -> Closed
             61 fail -> Closed",
        );
    }

    #[test]
    fn a_success_from_before_it_opened_does_not_close_it() {
        check(
            "0 fail -> Closed
             0 fail -> Closed
             0 fail -> Closed
             0 fail -> Closed
             0 fail -> Open
             1 ok -> Open
             2 turned away -> Open",
        );
    }

    #[test]
    fn a_trial_whose_end_is_never_told_does_not_block_for_ever() {
        check(
            "0 fail -> Closed
             0 fail -> Closed
             0 fail -> Closed
             0 fail -> Closed
             0 fail -> Open
             30 pass -> HalfOpen
             59 turned away -> HalfOpen
             60 pass -> HalfOpen",
        );
    }

    #[test]
    fn it_says_how_long_to_wait() {
        let mut breaker = Breaker::new(BreakerConfig {
            failures: 1,
            ..BreakerConfig::default()
        });
        breaker.failure(s(100));
        assert_eq!(breaker.poll_timeout(), Some(s(130)));
        let open = breaker.pass(s(104)).unwrap_err();
        assert_eq!(open.wait, s(26));
        assert_eq!(
            open.to_string(),
            "too many failures lately; the next try is possible in 26 s"
        );
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Fail,
        Ok,
        Pass,
    }

    /// The same rules told with the whole history kept.
    #[derive(Default)]
    struct Model {
        failures: Vec<u64>,
        closed_until: Option<u64>,
        trying: bool,
    }

    impl Model {
        fn step(&mut self, now: u64, step: Step) -> Option<bool> {
            match (step, self.closed_until) {
                (Step::Pass, None) => Some(true),
                (Step::Pass, Some(until)) if now < until => Some(false),
                (Step::Pass, Some(_)) => {
                    self.trying = true;
                    self.closed_until = Some(now + 30);
                    Some(true)
                }
                (Step::Fail, None) => {
                    self.failures.push(now);
                    let recent = self.failures.iter().filter(|&&at| at + 60 > now).count();
                    if recent >= 5 {
                        self.open(now);
                    }
                    None
                }
                (Step::Fail, Some(_)) if self.trying => {
                    self.open(now);
                    None
                }
                (Step::Ok, Some(_)) if self.trying => {
                    *self = Self::default();
                    None
                }
                (Step::Fail | Step::Ok, _) => None,
            }
        }

        fn open(&mut self, now: u64) {
            *self = Self {
                closed_until: Some(now + 30),
                ..Self::default()
            };
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn it_does_what_the_rules_say(
            steps in prop::collection::vec(
                (0_u64..20, prop_oneof![3 => Just(Step::Fail), 1 => Just(Step::Ok), 3 => Just(Step::Pass)]),
                0..200,
            )
        ) {
            let mut breaker = Breaker::new(BreakerConfig::default());
            let mut model = Model::default();
            let mut now = 0;
            for (after, step) in steps {
                now += after;
                let want = model.step(now, step);
                let got = match step {
                    Step::Fail => { breaker.failure(s(now)); None }
                    Step::Ok => { breaker.success(s(now)); None }
                    Step::Pass => Some(breaker.pass(s(now)).is_ok()),
                };
                prop_assert_eq!(got, want, "{:?} at {}", step, now);
                prop_assert!(breaker.recent.len() < 5);
            }
        }
    }
}
