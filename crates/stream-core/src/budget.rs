//! A hard cap on owned bytes, shared between threads.
//!
//! Every buffer that can grow with the size of a file or the chatter of a device takes a [`Permit`] first. The cap
//! is therefore enforced, not observed: what has no permit is not allocated. Nothing here waits: a caller that
//! gets no permit stops admitting work and asks again when one was given back.
//!
//! ```
//! use feedhold_stream_core::budget::{Budget, Level};
//!
//! let budget = Budget::new(1000);
//! let chunk = budget.try_acquire(850).expect("850 of 1000 bytes are free");
//! assert_eq!(budget.level(), Level::Warning);
//! assert!(budget.try_acquire(200).is_none(), "the cap is hard");
//! drop(chunk);
//! assert_eq!((budget.used(), budget.level()), (0, Level::Normal));
//! ```

use core::{
    fmt,
    sync::atomic::{AtomicU8, AtomicUsize, Ordering},
};
use std::sync::Arc;

/// Bytes that may be held at once. Clones share one account.
#[derive(Clone)]
pub struct Budget {
    account: Arc<Account>,
}

struct Account {
    limit: usize,
    thresholds: Thresholds,
    used: AtomicUsize,
    high_water: AtomicUsize,
    /// The level last told by [`Budget::poll_change`].
    told: AtomicU8,
}

/// How full a budget is.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Plenty of room.
    Normal,
    /// Buffers should shrink.
    Warning,
    /// Prefetch stops.
    Critical,
    /// Nothing is left (or less than the maximum threshold leaves).
    Maximum,
}

/// Where the levels of a [`Budget`] begin, as a share of its limit in permille.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    warning: u16,
    critical: u16,
    maximum: u16,
    hysteresis: u16,
}

/// Why a set of thresholds makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "thresholds must rise from warning over critical to maximum, at most 1000 permille, and the hysteresis must be \
     smaller than the warning threshold: got {warning}, {critical}, {maximum} with hysteresis {hysteresis}"
)]
pub struct InvalidThresholds {
    warning: u16,
    critical: u16,
    maximum: u16,
    hysteresis: u16,
}

impl Thresholds {
    /// Job streaming: warning at 80 %, critical at 90 % of the limit.
    pub const CNC: Self = Self {
        warning: 800,
        critical: 900,
        maximum: 1000,
        hysteresis: 50,
    };
    /// Bulk file streaming: 60 % and 75 %, maximum at 85 %.
    pub const FILE: Self = Self {
        warning: 600,
        critical: 750,
        maximum: 850,
        hysteresis: 50,
    };
    /// Encoded streams: 70 % and 90 %, maximum at 95 %.
    pub const PRIME: Self = Self {
        warning: 700,
        critical: 900,
        maximum: 950,
        hysteresis: 50,
    };

    /// Thresholds in permille of the limit. A level that was told is left only when the fill has fallen
    /// `hysteresis` permille below its threshold, so a fill that trembles on a threshold tells it once.
    ///
    /// # Errors
    ///
    /// [`InvalidThresholds`] unless `hysteresis < warning < critical <= maximum <= 1000`.
    pub fn new(
        warning: u16,
        critical: u16,
        maximum: u16,
        hysteresis: u16,
    ) -> Result<Self, InvalidThresholds> {
        if hysteresis < warning && warning < critical && critical <= maximum && maximum <= 1000 {
            Ok(Self {
                warning,
                critical,
                maximum,
                hysteresis,
            })
        } else {
            Err(InvalidThresholds {
                warning,
                critical,
                maximum,
                hysteresis,
            })
        }
    }

    fn level(self, permille: u64) -> Level {
        match permille {
            fill if fill >= u64::from(self.maximum) => Level::Maximum,
            fill if fill >= u64::from(self.critical) => Level::Critical,
            fill if fill >= u64::from(self.warning) => Level::Warning,
            _ => Level::Normal,
        }
    }
}

/// A level that a budget moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelChange {
    /// The level before.
    pub from: Level,
    /// The level now.
    pub to: Level,
    /// Bytes in use at that moment.
    pub used: usize,
    /// The cap, in bytes.
    pub limit: usize,
}

impl Budget {
    /// A budget of `limit_bytes` with the thresholds of [`Thresholds::CNC`].
    pub fn new(limit_bytes: usize) -> Self {
        Self::with_thresholds(limit_bytes, Thresholds::CNC)
    }

    /// A budget of `limit_bytes` with thresholds of your own.
    pub fn with_thresholds(limit_bytes: usize, thresholds: Thresholds) -> Self {
        Self {
            account: Arc::new(Account {
                limit: limit_bytes,
                thresholds,
                used: AtomicUsize::new(0),
                high_water: AtomicUsize::new(0),
                told: AtomicU8::new(Level::Normal.to_bits()),
            }),
        }
    }

    /// 50 MiB for streaming a job.
    pub fn cnc() -> Self {
        Self::new(50 << 20)
    }

    /// 50 MiB for bulk file streaming.
    pub fn file() -> Self {
        Self::with_thresholds(50 << 20, Thresholds::FILE)
    }

    /// 100 MiB for encoded streams.
    pub fn prime() -> Self {
        Self::with_thresholds(100 << 20, Thresholds::PRIME)
    }

    /// Takes `bytes` if they fit under the cap. Never waits and never overdraws, whoever else takes at the same time.
    #[must_use]
    pub fn try_acquire(&self, bytes: usize) -> Option<Permit> {
        let account = &self.account;
        let taken = account
            .used
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                used.checked_add(bytes).filter(|&sum| sum <= account.limit)
            });
        let before = taken.ok()?;
        account
            .high_water
            .fetch_max(before + bytes, Ordering::AcqRel);
        Some(Permit {
            budget: self.clone(),
            bytes,
        })
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.account.used.load(Ordering::Acquire)
    }

    /// The cap, in bytes.
    pub fn limit(&self) -> usize {
        self.account.limit
    }

    /// Bytes that are free.
    pub fn available(&self) -> usize {
        self.limit().saturating_sub(self.used())
    }

    /// The most bytes that were ever in use at once.
    pub fn high_water(&self) -> usize {
        self.account.high_water.load(Ordering::Acquire)
    }

    /// Share in use, 0 to 1. A budget of nothing counts as full.
    pub fn fraction(&self) -> f64 {
        self.permille() as f64 / 1000.0
    }

    /// The level of this instant, without hysteresis.
    pub fn level(&self) -> Level {
        self.account.thresholds.level(self.permille())
    }

    /// The level change not told yet, if there is one. Ask after every acquire and release that matters.
    ///
    /// Rising skips nothing: a jump from normal to critical is told as warning first, then critical on the next
    /// call. Falling is told once, when the fill has left the hysteresis band.
    #[must_use]
    pub fn poll_change(&self) -> Option<LevelChange> {
        let used = self.used();
        let from = Level::from_bits(self.account.told.load(Ordering::Acquire));
        let to = self.next_level(from)?;
        self.account
            .told
            .compare_exchange(
                from.to_bits(),
                to.to_bits(),
                Ordering::AcqRel,
                Ordering::Acquire,
            )
            .is_ok()
            .then_some(LevelChange {
                from,
                to,
                used,
                limit: self.limit(),
            })
    }

    fn next_level(&self, told: Level) -> Option<Level> {
        let fill = self.permille();
        let thresholds = self.account.thresholds;
        if thresholds.level(fill) > told {
            return told.above();
        }
        let held = thresholds.level(fill + u64::from(thresholds.hysteresis));
        (held < told).then_some(held)
    }

    fn permille(&self) -> u64 {
        match self.limit() as u64 {
            0 => 1000,
            limit => (self.used() as u64).saturating_mul(1000) / limit,
        }
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget")
            .field("used", &self.used())
            .field("limit", &self.limit())
            .field("high_water", &self.high_water())
            .finish_non_exhaustive()
    }
}

/// Bytes taken from a [`Budget`]; given back on drop.
#[must_use = "a permit that is dropped at once guards nothing"]
#[derive(Debug)]
pub struct Permit {
    budget: Budget,
    bytes: usize,
}

impl Permit {
    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Moves `bytes` of this permit into one of their own; `None` when there are not that many.
    pub fn split(&mut self, bytes: usize) -> Option<Self> {
        self.bytes = self.bytes.checked_sub(bytes)?;
        Some(Self {
            budget: self.budget.clone(),
            bytes,
        })
    }

    /// Gives back everything above `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        if let Some(surplus) = self.bytes.checked_sub(bytes) {
            drop(self.split(surplus));
        }
    }

    /// Takes `bytes` more; false, and nothing changes, when they do not fit under the cap.
    #[must_use]
    pub fn try_grow(&mut self, bytes: usize) -> bool {
        match self.budget.try_acquire(bytes) {
            Some(more) => {
                self.merge(more);
                true
            }
            None => false,
        }
    }

    /// Joins another permit into this one. One of another budget stays whole there and is given back at once.
    pub fn merge(&mut self, mut other: Self) {
        if Arc::ptr_eq(&self.budget.account, &other.budget.account) {
            self.bytes += core::mem::take(&mut other.bytes);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget
            .account
            .used
            .fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

impl Level {
    fn above(self) -> Option<Self> {
        match self {
            Self::Normal => Some(Self::Warning),
            Self::Warning => Some(Self::Critical),
            Self::Critical => Some(Self::Maximum),
            Self::Maximum => None,
        }
    }

    fn to_bits(self) -> u8 {
        self as u8
    }

    fn from_bits(bits: u8) -> Self {
        match bits {
            0 => Self::Normal,
            1 => Self::Warning,
            2 => Self::Critical,
            _ => Self::Maximum,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Normal => "normal",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Maximum => "maximum",
        })
    }
}

#[cfg(test)]
mod tests;
