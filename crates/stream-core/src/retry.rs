//! When to try again, and when to stop trying.

/// What a failure calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// Trying again may help and cannot do harm.
    Retry,
    /// Stop sending, keep everything, ask the operator.
    Hold,
    /// The job cannot go on from here.
    Abort,
}

/// Failures that know what they call for.
pub trait Classify {
    /// What this failure calls for.
    fn disposition(&self) -> Disposition;
}
