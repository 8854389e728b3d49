//! Where the job stands: four positions, never one.

/// How far a program has come, as source line numbers (1-based; 0 means nothing yet).
///
/// `executed ≤ acked ≤ sent ≤ ceiling` holds at every instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Positions {
    /// Motion up to this line is proven finished.
    pub executed: u64,
    /// The controller has taken every line up to this one.
    pub acked: u64,
    /// Lines up to this one were handed to the link, wholly or in part.
    pub sent: u64,
    /// No line beyond this one may leave (the send lease).
    pub ceiling: u64,
}

impl Positions {
    /// The lines that may or may not have run.
    #[must_use]
    pub fn in_doubt(&self) -> InDoubt {
        InDoubt {
            first: self.executed + 1,
            last: self.sent,
        }
    }
}

/// An interval of source lines, both ends included; empty when `first > last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InDoubt {
    /// First line that may not have finished.
    pub first: u64,
    /// Last line that may have started.
    pub last: u64,
}

impl InDoubt {
    /// Whether nothing is in doubt.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first > self.last
    }
}

impl core::fmt::Display for InDoubt {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.is_empty() {
            write!(f, "no line")
        } else if self.first == self.last {
            write!(f, "line {}", self.first)
        } else {
            write!(f, "lines {} to {}", self.first, self.last)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_read_as_people_say_them() {
        let show = |first, last| InDoubt { first, last }.to_string();
        assert_eq!(show(5, 4), "no line");
        assert_eq!(show(5, 5), "line 5");
        assert_eq!(show(5, 9), "lines 5 to 9");
    }
}
