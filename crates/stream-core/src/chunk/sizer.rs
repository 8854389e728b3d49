//! How many bytes the next chunk should have.

use core::time::Duration;

use feedhold_gcode_parse::Flavor;

use crate::budget::Level;

const KIB: usize = 1 << 10;
const MIB: u64 = 1 << 20;

/// Decides the size of the next chunk from the file, the memory in use and how fast chunks went lately.
#[derive(Debug, Clone)]
pub struct ChunkSizer {
    strategy: Strategy,
    bounds: Bounds,
    memory_rule: MemoryRule,
    file_bytes: Option<u64>,
    history: History,
}

/// What decides where a chunk ends. It always ends at the end of a line, whatever the strategy.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strategy {
    /// The same number of bytes each time.
    Fixed(usize),
    /// By the size of the file and the throughput measured, starting at this many bytes for a file of unknown size.
    Adaptive(usize),
    /// About this many bytes, but rather at a tool change, a layer, a section comment or a blank line in the last
    /// quarter of them.
    Boundary(usize),
    /// This much motion at the programmed feed, read as `flavor`, within the bounds of the sizer.
    Time {
        /// Motion in one chunk. Rapids count at [`RAPID_MM_PER_MIN`].
        motion: Duration,
        /// How the program is read.
        flavor: Flavor,
    },
}

/// Speed at which a time-based chunk counts rapids, in mm/min: a middling mill. It shapes chunks, not estimates.
pub const RAPID_MM_PER_MIN: f64 = 3000.0;

/// Least and most bytes of a chunk and the step between sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    least: usize,
    most: usize,
    align: usize,
}

/// Why a pair of bounds makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "chunk bounds must be multiples of 4096 bytes with 4096 <= least <= most: got {least} and {most}"
)]
pub struct InvalidBounds {
    least: usize,
    most: usize,
}

impl Bounds {
    /// Sizes are multiples of this many bytes.
    pub const ALIGN: usize = 4 * KIB;
    /// 4 KiB to 1 MiB.
    pub const FILE: Self = Self {
        least: 4 * KIB,
        most: 1024 * KIB,
        align: Self::ALIGN,
    };
    /// 4 KiB to 256 KiB: what a job prepares ahead must stay small beside its budget.
    pub const CNC: Self = Self {
        least: 4 * KIB,
        most: 256 * KIB,
        align: Self::ALIGN,
    };

    /// Bounds in bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidBounds`] unless both are multiples of [`ALIGN`](Self::ALIGN) and `0 < least <= most`.
    pub fn new(least: usize, most: usize) -> Result<Self, InvalidBounds> {
        let aligned = |size: usize| size > 0 && size.is_multiple_of(Self::ALIGN);
        if aligned(least) && aligned(most) && least <= most {
            Ok(Self {
                least,
                most,
                align: Self::ALIGN,
            })
        } else {
            Err(InvalidBounds { least, most })
        }
    }

    /// The size inside the bounds, rounded down to the alignment, closest to `size`.
    fn clamp(self, size: f64) -> usize {
        let whole = if size.is_finite() {
            size.max(0.0) as usize
        } else {
            self.most
        };
        (whole.min(self.most) / self.align * self.align).max(self.least)
    }
}

/// How memory in use changes the size.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryRule {
    /// Half above 80 % of the budget, one and a half times below 40 %.
    File,
    /// Half at the critical level, three quarters at the warning level, five quarters below 50 %.
    Cnc,
}

/// Memory in use when a size is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemoryUse {
    /// Share of the budget in use, 0 to 1.
    pub fraction: f64,
    /// The level of the budget.
    pub level: Level,
}

impl MemoryUse {
    /// Of a budget, as it is now.
    pub fn of(budget: &crate::budget::Budget) -> Self {
        Self {
            fraction: budget.fraction(),
            level: budget.level(),
        }
    }
}

impl MemoryRule {
    fn factor(self, memory: MemoryUse) -> f64 {
        match self {
            Self::File if memory.fraction > 0.80 => 0.5,
            Self::File if memory.fraction < 0.40 => 1.5,
            Self::Cnc if memory.level >= Level::Critical => 0.5,
            Self::Cnc if memory.level == Level::Warning => 0.75,
            Self::Cnc if memory.fraction < 0.50 => 1.25,
            Self::File | Self::Cnc => 1.0,
        }
    }
}

/// Size that memory of this level leaves of a wanted one: half, at least 4 KiB, when critical; three quarters, at
/// least 8 KiB, at a warning.
pub fn memory_adjusted(wanted_bytes: usize, level: Level) -> usize {
    match level {
        Level::Critical | Level::Maximum => (wanted_bytes / 2).max(4 * KIB),
        Level::Warning => (wanted_bytes / 4 * 3).max(8 * KIB),
        Level::Normal => wanted_bytes,
    }
}

/// How a whole file should be read.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadMode {
    /// In one piece.
    Whole,
    /// In chunks.
    Chunked,
}

impl ReadMode {
    /// Chunks from 1 MiB on, and from 256 KiB on when memory is critical.
    pub fn choose(file_bytes: u64, level: Level) -> Self {
        let trigger = if level >= Level::Critical {
            MIB / 4
        } else {
            MIB
        };
        if file_bytes >= trigger {
            Self::Chunked
        } else {
            Self::Whole
        }
    }
}

impl ChunkSizer {
    /// Bulk files: adaptive from 64 KiB, 4 KiB to 1 MiB.
    pub fn file() -> Self {
        Self::new(Strategy::Adaptive(64 * KIB), Bounds::FILE, MemoryRule::File)
    }

    /// Jobs on a machine: about 64 KiB, cut where the program has a natural border.
    pub fn cnc() -> Self {
        Self::new(Strategy::Boundary(64 * KIB), Bounds::CNC, MemoryRule::Cnc)
    }

    /// Encoded streams: 32 KiB, so that an encoded chunk of many times that still fits its budget.
    pub fn prime() -> Self {
        Self::new(Strategy::Adaptive(32 * KIB), Bounds::CNC, MemoryRule::Cnc)
    }

    /// A sizer of your own.
    pub fn new(strategy: Strategy, bounds: Bounds, memory_rule: MemoryRule) -> Self {
        Self {
            strategy,
            bounds,
            memory_rule,
            file_bytes: None,
            history: History::default(),
        }
    }

    /// Tells the size of the file, which picks the size class of an adaptive chunk: 32 KiB below 1 MiB, 64 KiB below
    /// 10 MiB, 128 KiB below 100 MiB, else 256 KiB.
    #[must_use]
    pub fn for_file(mut self, file_bytes: u64) -> Self {
        self.file_bytes = Some(file_bytes);
        self
    }

    /// The strategy.
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// Notes that a chunk of `bytes` took `took` from reading to prepared.
    pub fn record(&mut self, bytes: usize, took: Duration) {
        self.history.record(bytes, took);
    }

    /// Bytes that the next chunk should have at most.
    pub fn next_size(&self, memory: MemoryUse) -> usize {
        let factor = self.memory_rule.factor(memory);
        match self.strategy {
            Strategy::Fixed(bytes) => self.bounds.clamp(bytes as f64),
            Strategy::Boundary(bytes) => self.bounds.clamp(bytes as f64 * factor),
            Strategy::Adaptive(unknown) => {
                let base = self.file_bytes.map_or(unknown, size_class);
                let slow = self
                    .history
                    .throughput()
                    .is_some_and(|rate| rate < SLOW_BYTES_PER_S);
                let boost = if slow { SLOW_FACTOR } else { 1.0 };
                self.bounds.clamp(base as f64 * factor * boost)
            }
            Strategy::Time { .. } => self.bounds.clamp(self.bounds.most as f64 * factor),
        }
    }
}

/// Below this throughput fixed costs of a chunk weigh, so chunks grow.
const SLOW_BYTES_PER_S: f64 = 5.0 * MIB as f64;
const SLOW_FACTOR: f64 = 1.2;

fn size_class(file_bytes: u64) -> usize {
    match file_bytes / MIB {
        0 => 32 * KIB,
        1..10 => 64 * KIB,
        10..100 => 128 * KIB,
        _ => 256 * KIB,
    }
}

/// The last ten chunks, of which the newest five give the throughput.
#[derive(Debug, Clone, Default)]
struct History {
    samples: [(usize, Duration); 10],
    count: usize,
}

impl History {
    const RECENT: usize = 5;

    fn record(&mut self, bytes: usize, took: Duration) {
        let place = self.count % self.samples.len();
        if let Some(sample) = self.samples.get_mut(place) {
            *sample = (bytes, took);
        }
        self.count += 1;
    }

    /// Mean throughput of the newest chunks in bytes per second.
    fn throughput(&self) -> Option<f64> {
        let recent = self.count.min(Self::RECENT);
        let rates = (1..=recent).filter_map(|back| {
            let (bytes, took) = *self.samples.get((self.count - back) % self.samples.len())?;
            (!took.is_zero()).then(|| bytes as f64 / took.as_secs_f64())
        });
        let (sum, count) = rates.fold((0.0, 0_u32), |(sum, count), rate| (sum + rate, count + 1));
        (count > 0).then(|| sum / f64::from(count))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Strategy, *};

    fn memory(percent: u32) -> MemoryUse {
        let level = match percent {
            0..80 => Level::Normal,
            80..90 => Level::Warning,
            90..100 => Level::Critical,
            _ => Level::Maximum,
        };
        MemoryUse {
            fraction: f64::from(percent) / 100.0,
            level,
        }
    }

    fn at_rate(mut sizer: ChunkSizer, mib_per_s: u32) -> ChunkSizer {
        for _ in 0..5 {
            sizer.record(mib_per_s as usize * MIB as usize, Duration::from_secs(1));
        }
        sizer
    }

    #[test]
    fn adaptive_sizes() {
        let check = |file_mib: u64, percent: u32, rate: u32, expected_kib: usize| {
            let sizer = at_rate(ChunkSizer::file().for_file(file_mib * MIB), rate);
            let size = sizer.next_size(memory(percent));
            assert_eq!(
                size,
                expected_kib * KIB,
                "{file_mib} MiB at {percent} %, {rate} MiB/s"
            );
        };
        check(0, 50, 50, 32);
        check(1, 50, 50, 64);
        check(9, 50, 50, 64);
        check(10, 50, 50, 128);
        check(99, 50, 50, 128);
        check(100, 50, 50, 256);
        check(100, 81, 50, 128);
        check(100, 80, 50, 256);
        check(100, 39, 50, 384);
        check(100, 40, 50, 256);
        check(1, 50, 4, 76);
        check(1, 50, 5, 64);
        check(100, 20, 1, 460);
        check(0, 90, 1, 16);
    }

    #[test]
    fn only_the_last_five_throughputs_count() {
        let slow = at_rate(ChunkSizer::file(), 1);
        assert_eq!(slow.next_size(memory(50)), 76 * KIB);
        let recovered = at_rate(at_rate(slow, 100), 100);
        assert_eq!(recovered.next_size(memory(50)), 64 * KIB);
    }

    #[test]
    fn cnc_memory_rule() {
        for (percent, expected_kib) in [
            (0, 80),
            (49, 80),
            (50, 64),
            (79, 64),
            (80, 48),
            (89, 48),
            (90, 32),
            (100, 32),
        ] {
            assert_eq!(
                ChunkSizer::cnc().next_size(memory(percent)),
                expected_kib * KIB,
                "{percent} %"
            );
        }
    }

    #[test]
    fn fixed_sizes_ignore_the_weather() {
        let sizer = at_rate(
            ChunkSizer::new(Strategy::Fixed(10_000), Bounds::FILE, MemoryRule::File),
            1,
        );
        assert_eq!(sizer.next_size(memory(99)), 8192);
        assert_eq!(sizer.next_size(memory(1)), 8192);
    }

    #[test]
    fn memory_adjusted_keeps_a_floor() {
        let table = [
            (65_536, Level::Normal, 65_536),
            (65_536, Level::Warning, 49_152),
            (65_536, Level::Critical, 32_768),
            (65_536, Level::Maximum, 32_768),
            (8_000, Level::Warning, 8_192),
            (5_000, Level::Critical, 4_096),
        ];
        for (wanted, level, expected) in table {
            assert_eq!(
                memory_adjusted(wanted, level),
                expected,
                "{wanted} at {level}"
            );
        }
    }

    #[test]
    fn read_mode_boundaries() {
        let table = [
            (1_048_575, Level::Normal, ReadMode::Whole),
            (1_048_576, Level::Normal, ReadMode::Chunked),
            (1_048_575, Level::Warning, ReadMode::Whole),
            (262_143, Level::Critical, ReadMode::Whole),
            (262_144, Level::Critical, ReadMode::Chunked),
        ];
        for (bytes, level, expected) in table {
            assert_eq!(
                ReadMode::choose(bytes, level),
                expected,
                "{bytes} at {level}"
            );
        }
    }

    #[test]
    fn senseless_bounds_are_refused() {
        for (least, most) in [(0, 4096), (8192, 4096), (5000, 8192), (4096, 10_000)] {
            assert!(Bounds::new(least, most).is_err(), "{least}..{most}");
        }
        assert_eq!(Bounds::new(4096, 1 << 20), Ok(Bounds::FILE));
    }

    proptest! {
        #[test]
        fn sizes_stay_in_bounds_and_aligned(
            file_bytes: Option<u64>,
            percent in 0_u32..=100,
            samples in prop::collection::vec((0_usize..1 << 30, 0_u64..10_000_000_000), 0..20),
        ) {
            for mut sizer in [ChunkSizer::file(), ChunkSizer::cnc(), ChunkSizer::prime()] {
                sizer.file_bytes = file_bytes;
                for &(bytes, nanos) in &samples {
                    sizer.record(bytes, Duration::from_nanos(nanos));
                }
                let size = sizer.next_size(memory(percent));
                prop_assert!(size >= sizer.bounds.least && size <= sizer.bounds.most);
                prop_assert_eq!(size % Bounds::ALIGN, 0);
            }
        }
    }
}
