//! Flow control as a pure credit type.
//!
//! Every protocol in this field limits the same two things: how many bytes and how many lines may wait for an answer. The three
//! windows people name are three settings of those limits, so one type with one rule serves them all.

use thiserror::Error;

/// How much may be in flight, in the words of the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WindowKind {
    /// One line, then its answer. Always safe, and never faster than the round trip.
    SendResponse,
    /// As many bytes as the controller's receive buffer holds, counted with every terminator. `rx_bytes` is the *usable* size that
    /// the controller reports (128 on grbl 1.1); one byte is always left free, because a ring that is exactly full cannot be told
    /// from an empty one on every firmware.
    CharacterCounting {
        /// Size of the receive buffer in bytes.
        rx_bytes: usize,
    },
    /// Numbered lines with checksums: at most `lines` unanswered, and never more bytes than the receive buffer holds.
    Numbered {
        /// Command slots of the controller (`BUFSIZE`, 4 on a stock Marlin).
        lines: usize,
        /// Size of the receive buffer in bytes.
        rx_bytes: usize,
    },
}

/// A line that no window of this size can ever carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a line of {length} bytes with its terminator can never fit a window of {capacity} bytes; shorten it or split it"
)]
pub struct NeverFits {
    /// Bytes of the line on the wire, terminator included.
    pub length: usize,
    /// Bytes the window may hold.
    pub capacity: usize,
}

/// Credit for lines in flight: [`admits`](Self::admits), [`take`](Self::take), [`release`](Self::release).
///
/// ```
/// use feedhold_stream_core::window::{Window, WindowKind};
///
/// let mut window = Window::new(WindowKind::CharacterCounting { rx_bytes: 128 });
/// window.take(100);
/// assert!(window.admits(27) && !window.admits(28));
/// window.release(100);
/// assert_eq!(window.used_bytes(), 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    max_bytes: usize,
    max_lines: usize,
    bytes: usize,
    lines: usize,
}

impl Window {
    /// An empty window of this kind.
    #[must_use]
    pub fn new(kind: WindowKind) -> Self {
        let (max_bytes, max_lines) = match kind {
            WindowKind::SendResponse => (usize::MAX, 1),
            WindowKind::CharacterCounting { rx_bytes } => (rx_bytes.saturating_sub(1), usize::MAX),
            WindowKind::Numbered { lines, rx_bytes } => (rx_bytes.saturating_sub(1), lines.max(1)),
        };
        Self {
            max_bytes,
            max_lines,
            bytes: 0,
            lines: 0,
        }
    }

    /// Whether a line of `length` bytes, terminator included, may leave now.
    #[must_use]
    pub fn admits(&self, length: usize) -> bool {
        self.lines < self.max_lines && length <= self.max_bytes - self.bytes
    }

    /// Fails for a line that would wait for ever.
    ///
    /// # Errors
    /// [`NeverFits`] with both sizes.
    pub fn check(&self, length: usize) -> Result<(), NeverFits> {
        if length <= self.max_bytes {
            Ok(())
        } else {
            Err(NeverFits {
                length,
                capacity: self.max_bytes,
            })
        }
    }

    /// Spends the credit of one line of `length` bytes.
    ///
    /// # Panics
    /// When the line was not admitted: sending it would overrun the controller, so this assertion stays on in release builds.
    pub fn take(&mut self, length: usize) {
        assert!(
            self.admits(length),
            "a line of {length} bytes left without credit: {self:?}"
        );
        self.bytes += length;
        self.lines += 1;
    }

    /// Gives back the credit of one answered line of `length` bytes.
    ///
    /// # Panics
    /// When more is given back than was taken: a window that grows by itself overruns the controller later.
    pub fn release(&mut self, length: usize) {
        assert!(
            self.lines > 0 && length <= self.bytes,
            "{length} bytes released that were never taken: {self:?}"
        );
        self.bytes -= length;
        self.lines -= 1;
    }

    /// Forgets everything in flight, after a controller reset or a lost link.
    pub fn clear(&mut self) {
        self.bytes = 0;
        self.lines = 0;
    }

    /// Bytes waiting for an answer.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.bytes
    }

    /// Lines waiting for an answer.
    #[must_use]
    pub fn used_lines(&self) -> usize {
        self.lines
    }

    /// Most bytes that may wait; `None` when only lines are limited.
    #[must_use]
    pub fn max_bytes(&self) -> Option<usize> {
        (self.max_bytes != usize::MAX).then_some(self.max_bytes)
    }

    /// Share of the window in use, 0 to 1: by bytes or by lines, whichever is fuller.
    #[must_use]
    pub fn fill(&self) -> f64 {
        let share = |used: usize, max: usize| {
            if max == 0 {
                1.0
            } else {
                used as f64 / max as f64
            }
        };
        share(self.bytes, self.max_bytes).max(share(self.lines, self.max_lines))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(kind: WindowKind, taken: &[usize], next: usize, admitted: bool) {
        let mut window = Window::new(kind);
        for &length in taken {
            window.take(length);
        }
        assert_eq!(
            window.admits(next),
            admitted,
            "{kind:?} after {taken:?} with {next}"
        );
    }

    #[test]
    fn admits_up_to_the_limits() {
        let counting = WindowKind::CharacterCounting { rx_bytes: 128 };
        let numbered = WindowKind::Numbered {
            lines: 4,
            rx_bytes: 128,
        };
        check(WindowKind::SendResponse, &[], 4000, true);
        check(WindowKind::SendResponse, &[1], 1, false);
        check(counting, &[], 127, true);
        check(counting, &[], 128, false);
        check(counting, &[20, 20, 20, 20, 20], 27, true);
        check(counting, &[20, 20, 20, 20, 20], 28, false);
        check(numbered, &[10, 10, 10], 10, true);
        check(numbered, &[10, 10, 10, 10], 10, false);
        check(numbered, &[60, 60], 8, false);
        check(WindowKind::CharacterCounting { rx_bytes: 0 }, &[], 1, false);
    }

    #[test]
    fn says_when_a_line_can_never_fit() {
        let window = Window::new(WindowKind::CharacterCounting { rx_bytes: 128 });
        assert_eq!(window.check(127), Ok(()));
        assert_eq!(
            window.check(128),
            Err(NeverFits {
                length: 128,
                capacity: 127
            })
        );
    }

    #[test]
    #[should_panic(expected = "never taken")]
    fn refuses_credit_that_was_never_taken() {
        Window::new(WindowKind::SendResponse).release(1);
    }

    proptest! {
        #[test]
        fn never_holds_more_than_it_may(lengths in proptest::collection::vec(1usize..90, 0..400), rx in 90usize..300) {
            let mut window = Window::new(WindowKind::CharacterCounting { rx_bytes: rx });
            let mut flight = std::collections::VecDeque::new();
            for length in lengths {
                while !window.admits(length) {
                    window.release(flight.pop_front().expect("a line is in flight when the window is full"));
                }
                window.take(length);
                flight.push_back(length);
                prop_assert!(window.used_bytes() < rx);
                prop_assert_eq!(window.used_bytes(), flight.iter().sum::<usize>());
                prop_assert_eq!(window.used_lines(), flight.len());
            }
        }
    }
}
