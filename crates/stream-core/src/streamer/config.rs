//! The knobs of a streamer, each with its default and its price.

use core::time::Duration;

use thiserror::Error;

use super::event::Expiry;
use crate::{dialect::Dialect, window::WindowKind};

/// A setting outside its range.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{name} must lie in {range}, not {given}")]
pub struct OutOfRange {
    name: &'static str,
    range: &'static str,
    given: String,
}

/// How lines wait for answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Windowing {
    /// Character counting on grbl, numbered lines on Marlin.
    #[default]
    Native,
    /// One line at a time.
    SendResponse,
}

/// Configuration of a [`Streamer`](super::Streamer).
#[derive(Debug, Clone)]
pub struct Config {
    pub(super) dialect: Dialect,
    pub(super) windowing: Windowing,
    pub(super) rx_bytes: Option<usize>,
    pub(super) lines_in_flight: usize,
    pub(super) status_interval: Duration,
    pub(super) greeting_timeout: Duration,
    pub(super) pause_timeout: Duration,
    pub(super) resume_timeout: Duration,
    pub(super) chunk_timeout: Duration,
    pub(super) max_pause: Duration,
    pub(super) expiry: Expiry,
}

impl Config {
    /// The defaults for a dialect.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            windowing: Windowing::default(),
            rx_bytes: None,
            lines_in_flight: 4,
            status_interval: Duration::from_millis(200),
            greeting_timeout: Duration::from_secs(10),
            pause_timeout: Duration::from_secs(5),
            resume_timeout: Duration::from_secs(5),
            chunk_timeout: Duration::from_secs(30),
            max_pause: Duration::from_secs(300),
            expiry: Expiry::default(),
        }
    }

    /// The firmware family spoken to.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How lines wait for answers. Default: [`Windowing::Native`].
    #[must_use]
    pub fn windowing(mut self, windowing: Windowing) -> Self {
        self.windowing = windowing;
        self
    }

    /// Size of the controller's receive buffer, 16 to 65,536 bytes. Default: what the controller tells, else what its firmware has
    /// (128). Too large a value makes the controller lose bytes silently.
    ///
    /// # Errors
    /// Outside the range.
    pub fn rx_bytes(mut self, bytes: usize) -> Result<Self, OutOfRange> {
        if !(16..=65_536).contains(&bytes) {
            return Err(OutOfRange {
                name: "rx_bytes",
                range: "16..=65536",
                given: bytes.to_string(),
            });
        }
        self.rx_bytes = Some(bytes);
        Ok(self)
    }

    /// Numbered lines that may wait for an answer, 1 to 64. Default: 4, the command slots of a stock Marlin; more costs resends.
    ///
    /// # Errors
    /// Outside the range.
    pub fn lines_in_flight(mut self, lines: usize) -> Result<Self, OutOfRange> {
        if !(1..=64).contains(&lines) {
            return Err(OutOfRange {
                name: "lines_in_flight",
                range: "1..=64",
                given: lines.to_string(),
            });
        }
        self.lines_in_flight = lines;
        Ok(self)
    }

    /// How often the machine is asked for its state, 100 ms to 10 s. Default: 200 ms; grbl's authors recommend no more than 5 a
    /// second, and each report costs the controller time.
    ///
    /// # Errors
    /// Outside the range.
    pub fn status_interval(mut self, interval: Duration) -> Result<Self, OutOfRange> {
        let range = Duration::from_millis(100)..=Duration::from_secs(10);
        if !range.contains(&interval) {
            return Err(OutOfRange {
                name: "status_interval",
                range: "100 ms to 10 s",
                given: format!("{} ms", interval.as_millis()),
            });
        }
        self.status_interval = interval;
        Ok(self)
    }

    /// How long a controller may take to prove itself alive after connecting. Default: 10 s, enough for a boot loader.
    #[must_use]
    pub fn greeting_timeout(mut self, timeout: Duration) -> Self {
        self.greeting_timeout = timeout;
        self
    }

    /// How long the machine may take to confirm a pause. Default: 5 s.
    #[must_use]
    pub fn pause_timeout(mut self, timeout: Duration) -> Self {
        self.pause_timeout = timeout;
        self
    }

    /// How long the machine may take to confirm a resume. Default: 5 s.
    #[must_use]
    pub fn resume_timeout(mut self, timeout: Duration) -> Self {
        self.resume_timeout = timeout;
        self
    }

    /// How long lines may wait without an answer or any sign of progress. Default: 30 s.
    #[must_use]
    pub fn chunk_timeout(mut self, timeout: Duration) -> Self {
        self.chunk_timeout = timeout;
        self
    }

    /// The longest pause, and what happens then. Default: 300 s, and the machine stays held.
    #[must_use]
    pub fn max_pause(mut self, longest: Duration, expiry: Expiry) -> Self {
        self.max_pause = longest;
        self.expiry = expiry;
        self
    }

    /// The window for a controller that told its receive buffer size, or did not.
    pub(super) fn window_kind(&self, told: Option<usize>) -> WindowKind {
        let rx_bytes = self.rx_bytes.or(told).unwrap_or(self.dialect.default_rx());
        match (self.windowing, self.dialect) {
            (Windowing::SendResponse, _) => WindowKind::SendResponse,
            (Windowing::Native, Dialect::Grbl) => WindowKind::CharacterCounting { rx_bytes },
            (Windowing::Native, Dialect::Marlin) => WindowKind::Numbered {
                lines: self.lines_in_flight,
                rx_bytes,
            },
        }
    }
}
