//! Bugs on purpose, at the seams between the driver and the product: a fault world that does not find them finds nothing.

use super::fault::named;

named! {
    /// One bug.
    Plant {
        /// The store never syncs.
        NoSync = "no-sync",
        /// An error of the disk counts as success.
        ErrorIsSuccess = "error-is-success",
        /// The window is larger than the controller's receive buffer.
        WindowTooBig = "window-too-big",
        /// Now and then an answer is counted that no line has asked for.
        BlankLineAnswered = "blank-line-answered",
        /// Lines leave before the record that allows them is durable.
        WriteAfterSend = "write-after-send",
        /// The lease is a line longer than the record says.
        LeaseOffByOne = "lease-off-by-one",
        /// The banner of a controller that restarts is not seen.
        IgnoredReset = "ignored-reset",
        /// Records say that what was answered was executed.
        AckedIsExecuted = "acked-is-executed",
        /// A resume goes on behind the last answered line.
        ResumeAtAcked = "resume-at-acked",
        /// A resume goes on a line too late.
        ResumeOffByOne = "resume-off-by-one",
        /// Of two places that fit, the first is taken.
        FirstOfTwo = "first-of-two",
        /// The machine is moved when the link comes up.
        MotionOnConnect = "motion-on-connect",
        /// A pause ends when its time is over.
        PauseEndsByItself = "pause-ends-by-itself",
        /// A resume does not ask the controller, and takes the record's word.
        FactsIgnored = "facts-ignored",
        /// What a resume repeats is not announced.
        RepeatsUntold = "repeats-untold",
        /// A resume starts the program without its approach.
        NoApproach = "no-approach",
        /// A job whose records fail goes on without them.
        RecordsGivenUp = "records-given-up",
    }
}
