//! How hard the host is pressed, as one score with levels.
//!
//! Three things press: memory in use, streams at once and the time a chunk takes. Each adds to a score of 0 to 100,
//! and cuts through the score give five levels. A level says how many chunks may be in work and how much of the
//! usual memory they may take. The critical level admits nothing new until the work in hand has drained; it is not
//! an error, because an error there would lose a job that only had to wait.
//!
//! ```
//! use core::time::Duration;
//! use feedhold_stream_core::pressure::{Load, Pressure, PressureLevel};
//!
//! let mut pressure = Pressure::new(7);
//! let busy = Load { memory: 0.85, streams: 9, chunk_time: Duration::from_millis(600) };
//! assert_eq!(busy.score(), 90);
//! let change = pressure.observe(Duration::ZERO, busy).expect("the level rose");
//! assert_eq!(change.to, PressureLevel::Critical);
//! assert!(!pressure.admits(0), "drain first");
//! ```

use core::{fmt, time::Duration};

/// What presses at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Load {
    /// Share of the byte budget in use, 0 to 1.
    pub memory: f64,
    /// Streams being worked on.
    pub streams: u32,
    /// Mean time that a chunk took lately.
    pub chunk_time: Duration,
}

/// Points for each threshold passed, highest first: a load counts when it lies *above* the threshold.
const MEMORY_PERCENT: [(f64, u8); 4] = [(80.0, 40), (70.0, 30), (60.0, 20), (50.0, 10)];
const STREAMS: [(u32, u8); 3] = [(8, 30), (5, 20), (3, 10)];
const CHUNK_MS: [(u128, u8); 3] = [(1000, 30), (500, 20), (200, 10)];

impl Load {
    /// 0 (idle) to 100: up to 40 points for memory, 30 for streams, 30 for the time of a chunk.
    pub fn score(&self) -> u8 {
        let percent = self.memory * 100.0;
        points(&MEMORY_PERCENT, |&above| percent > above)
            + points(&STREAMS, |&above| self.streams > above)
            + points(&CHUNK_MS, |&above| {
                self.chunk_time > Duration::from_millis(above as u64)
            })
    }
}

fn points<T>(table: &[(T, u8)], passed: impl Fn(&T) -> bool) -> u8 {
    table
        .iter()
        .find(|(above, _)| passed(above))
        .map_or(0, |&(_, points)| points)
}

/// What the score means for the work in hand.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PressureLevel {
    /// Score below 20.
    None,
    /// From 20.
    Light,
    /// From 40.
    Moderate,
    /// From 60.
    Heavy,
    /// From 80: nothing new is admitted until the level falls.
    Critical,
}

impl PressureLevel {
    const RISING: [Self; 5] = [
        Self::None,
        Self::Light,
        Self::Moderate,
        Self::Heavy,
        Self::Critical,
    ];

    /// The level of a score, without hysteresis.
    pub fn of(score: u8) -> Self {
        match score {
            0..20 => Self::None,
            20..40 => Self::Light,
            40..60 => Self::Moderate,
            60..80 => Self::Heavy,
            _ => Self::Critical,
        }
    }

    /// Factor on the usual chunk size and memory.
    pub fn multiplier(self) -> f64 {
        match self {
            Self::None => 1.0,
            Self::Light => 0.8,
            Self::Moderate => 0.5,
            Self::Heavy => 0.25,
            Self::Critical => 0.1,
        }
    }

    /// Chunks that may be in work at once.
    pub fn max_concurrent(self) -> u32 {
        match self {
            Self::None => 10,
            Self::Light => 6,
            Self::Moderate => 3,
            Self::Heavy => 1,
            Self::Critical => 0,
        }
    }

    /// Range of the pause between two chunks, in milliseconds.
    fn delay_ms(self) -> Option<(u64, u64)> {
        match self {
            Self::None | Self::Critical => None,
            Self::Light => Some((10, 30)),
            Self::Moderate => Some((50, 100)),
            Self::Heavy => Some((100, 200)),
        }
    }

    /// Lowest score of the level.
    fn cut(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Light => 20,
            Self::Moderate => 40,
            Self::Heavy => 60,
            Self::Critical => 80,
        }
    }
}

impl fmt::Display for PressureLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Light => "light",
            Self::Moderate => "moderate",
            Self::Heavy => "heavy",
            Self::Critical => "critical",
        })
    }
}

/// A level that the pressure moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PressureChange {
    /// The level before.
    pub from: PressureLevel,
    /// The level now.
    pub to: PressureLevel,
    /// The score that caused it.
    pub score: u8,
}

/// The pressure over time: levels with hysteresis, admission and jittered pauses.
#[derive(Debug, Clone)]
pub struct Pressure {
    level: PressureLevel,
    score: u8,
    critical_since: Option<Duration>,
    deadline: Duration,
    jitter: SplitMix,
}

impl Pressure {
    /// Points that the score must fall below a cut before its level is left. The score moves in steps of ten, so
    /// this is one step.
    pub const HYSTERESIS: u8 = 10;

    /// No pressure yet; `seed` drives the jitter of [`delay`](Self::delay). The critical level counts as stuck after
    /// 30 s.
    pub fn new(seed: u64) -> Self {
        Self {
            level: PressureLevel::None,
            score: 0,
            critical_since: None,
            deadline: Duration::from_secs(30),
            jitter: SplitMix(seed),
        }
    }

    /// Sets how long the critical level may last before [`is_stuck`](Self::is_stuck) says so.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Takes a new load at time `now` and tells the level it moved to, if it moved.
    pub fn observe(&mut self, now: Duration, load: Load) -> Option<PressureChange> {
        self.score = load.score();
        let from = self.level;
        let risen = PressureLevel::of(self.score);
        self.level = if risen >= from { risen } else { self.fallen() };
        if self.level != PressureLevel::Critical {
            self.critical_since = None;
        } else {
            self.critical_since.get_or_insert(now);
        }
        (self.level != from).then_some(PressureChange {
            from,
            to: self.level,
            score: self.score,
        })
    }

    /// The highest level, not above the present one, that the score has not left by the hysteresis.
    fn fallen(&self) -> PressureLevel {
        PressureLevel::RISING
            .into_iter()
            .rev()
            .find(|&level| {
                level <= self.level && self.score.saturating_add(Self::HYSTERESIS) >= level.cut()
            })
            .unwrap_or(PressureLevel::None)
    }

    /// The level now.
    pub fn level(&self) -> PressureLevel {
        self.level
    }

    /// The score last observed.
    pub fn score(&self) -> u8 {
        self.score
    }

    /// One more chunk may be taken on while `active` are in work.
    pub fn admits(&self, active: u32) -> bool {
        active < self.level.max_concurrent()
    }

    /// The critical level has lasted for longer than its deadline: only now is it an error.
    pub fn is_stuck(&self, now: Duration) -> bool {
        self.critical_since
            .is_some_and(|since| now.saturating_sub(since) > self.deadline)
    }

    /// A pause before the next chunk: none without pressure, then 10 to 30, 50 to 100 and 100 to 200 ms, drawn from
    /// the seed. The critical level has no pause because it admits nothing.
    pub fn delay(&mut self) -> Duration {
        let Some((least, most)) = self.level.delay_ms() else {
            return Duration::ZERO;
        };
        let span_us = (most - least) * 1000 + 1;
        Duration::from_micros(least * 1000 + self.jitter.next() % span_us)
    }
}

/// Steele and others' SplitMix64: one word of state, every seed is good.
#[derive(Debug, Clone)]
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(memory: f64, streams: u32, chunk_ms: u64) -> Load {
        Load {
            memory,
            streams,
            chunk_time: Duration::from_millis(chunk_ms),
        }
    }

    /// A load whose score is `score`, for any multiple of ten up to 100.
    fn scoring(score: u8) -> Load {
        let memory = score.min(40);
        let streams = (score - memory).min(30);
        let time = score - memory - streams;
        let load = load(
            f64::from(memory) / 100.0 + if memory == 0 { 0.0 } else { 0.41 },
            [0, 4, 6, 9][usize::from(streams / 10)],
            [0, 201, 501, 1001][usize::from(time / 10)],
        );
        assert_eq!(load.score(), score);
        load
    }

    #[test]
    fn every_combination_scores_the_sum_of_its_parts() {
        let memories = [
            (0.0, 0),
            (0.50, 0),
            (0.51, 10),
            (0.60, 10),
            (0.61, 20),
            (0.71, 30),
            (0.80, 30),
            (0.81, 40),
            (1.0, 40),
        ];
        let streams = [
            (0, 0),
            (3, 0),
            (4, 10),
            (5, 10),
            (6, 20),
            (8, 20),
            (9, 30),
            (10, 30),
        ];
        let times = [
            (0, 0),
            (200, 0),
            (201, 10),
            (500, 10),
            (501, 20),
            (1000, 20),
            (1001, 30),
        ];
        for (memory, a) in memories {
            for (count, b) in streams {
                for (ms, c) in times {
                    assert_eq!(
                        load(memory, count, ms).score(),
                        a + b + c,
                        "{memory} {count} {ms}"
                    );
                }
            }
        }
    }

    #[test]
    fn levels_permits_and_pauses() {
        use PressureLevel::{Critical, Heavy, Light, Moderate, None};
        let table = [
            (0, None, 1.0, 10, 0..=0),
            (10, None, 1.0, 10, 0..=0),
            (20, Light, 0.8, 6, 10..=30),
            (30, Light, 0.8, 6, 10..=30),
            (40, Moderate, 0.5, 3, 50..=100),
            (60, Heavy, 0.25, 1, 100..=200),
            (80, Critical, 0.1, 0, 0..=0),
            (100, Critical, 0.1, 0, 0..=0),
        ];
        for (score, level, multiplier, concurrent, delay_ms) in table {
            let mut pressure = Pressure::new(1);
            pressure.observe(Duration::ZERO, scoring(score));
            assert_eq!(pressure.level(), level, "score {score}");
            assert_eq!(
                (level.multiplier(), level.max_concurrent()),
                (multiplier, concurrent)
            );
            for _ in 0..200 {
                assert!(
                    delay_ms.contains(&(pressure.delay().as_millis() as u64)),
                    "score {score}"
                );
            }
        }
    }

    #[test]
    fn a_level_is_left_only_below_its_hysteresis() {
        let mut pressure = Pressure::new(1);
        let levels: Vec<_> = [0, 80, 70, 80, 70, 60, 50, 40, 30, 20, 10, 0]
            .into_iter()
            .map(|score| {
                pressure.observe(Duration::ZERO, scoring(score));
                pressure.level().to_string()
            })
            .collect();
        assert_eq!(
            levels.join(" "),
            "none critical critical critical critical heavy heavy moderate moderate light light none"
        );
    }

    #[test]
    fn pauses_repeat_with_their_seed() {
        let draw = |seed| {
            let mut pressure = Pressure::new(seed);
            pressure.observe(Duration::ZERO, scoring(60));
            [pressure.delay(), pressure.delay(), pressure.delay()]
        };
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
    }

    #[test]
    fn critical_is_an_error_only_after_its_deadline() {
        let mut pressure = Pressure::new(1).with_deadline(Duration::from_secs(10));
        pressure.observe(Duration::from_secs(5), scoring(90));
        pressure.observe(Duration::from_secs(9), scoring(100));
        assert!(!pressure.is_stuck(Duration::from_secs(15)));
        assert!(pressure.is_stuck(Duration::from_secs(16)));
        pressure.observe(Duration::from_secs(16), scoring(0));
        assert!(!pressure.is_stuck(Duration::from_secs(60)));
    }

    /// Ten streams share a budget that holds two of their chunks: all finish, none is lost, none waits for ever.
    #[test]
    fn pressure_on_a_small_budget_drains_instead_of_deadlocking() {
        use crate::budget::Budget;
        const CHUNK: usize = 512 << 10;
        let budget = Budget::new(5 << 20);
        let mut pressure = Pressure::new(3);
        let mut remaining = [20_u32; 10];
        let mut active = std::collections::VecDeque::new();
        for tick in 0..100_000_u64 {
            let now = Duration::from_millis(tick);
            let streams = active.len() as u32;
            pressure.observe(
                now,
                Load {
                    memory: budget.fraction(),
                    streams,
                    chunk_time: Duration::from_millis(600),
                },
            );
            assert!(!pressure.is_stuck(now));
            for left in remaining.iter_mut().filter(|left| **left > 0) {
                if pressure.admits(active.len() as u32)
                    && let Some(permit) = budget.try_acquire(CHUNK)
                {
                    *left -= 1;
                    active.push_back(permit);
                }
            }
            if tick % 3 == 0 {
                active.pop_front();
            }
            if active.is_empty() && remaining.iter().all(|&left| left == 0) {
                return;
            }
        }
        panic!("streams left behind: {remaining:?}");
    }
}
