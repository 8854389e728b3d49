use std::time::Duration;

use crate::Touch;

mod injector;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use injector::FaultInjector;
pub use text::ParseFaultError;

/// What goes wrong on the way and when; the text form is what addresses carry.
///
/// Entries are joined by commas. Random faults are `name:probability`, scheduled ones `name@when`
/// with an optional `:seconds`:
///
/// | text | what happens |
/// |---|---|
/// | `drop-ok:0.05` `garble-ok:` `dup-ok:` `delay-ok:` | to lines from the machine that begin with `ok` |
/// | `drop-line:` `garble-line:` `dup-line:` `delay-line:` | to any line from the machine |
/// | `drop-tx:` `garble-tx:` `dup-tx:` | to single bytes from the machine |
/// | `drop-rx:` `garble-rx:` `dup-rx:` | to single bytes to the machine |
/// | `reset@12.5s` `reset@line:400` `reset@byte:9000` | the controller restarts (brown-out) |
/// | `stall@3s:2` | for 2 s nothing reaches the host; it all comes afterwards |
/// | `hang@3s` | the firmware stops for ever; bytes to it are lost |
/// | `disconnect@byte:4096` | the cable is pulled |
/// | `hard-limit@2s` `door@2s` `hold@2s` `abort@2s` | a switch or button at the machine |
///
/// `line` and `byte` count what went **to** the machine. A delay is 50 to 500 ms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultPlan {
    random: Vec<(RandomFault, f64)>,
    scheduled: Vec<Scheduled>,
}

/// A fault that strikes with a probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RandomFault {
    /// What is struck.
    pub to: Struck,
    /// What happens to it.
    pub harm: Harm,
}

/// What a random fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Struck {
    /// A line from the machine that begins with `ok`.
    Ok,
    /// Any line from the machine.
    Line,
    /// One byte from the machine.
    Tx,
    /// One byte to the machine.
    Rx,
}

/// What a random fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Harm {
    /// It never arrives.
    Drop,
    /// One bit of it is flipped.
    Garble,
    /// It arrives twice.
    Duplicate,
    /// It arrives 50 to 500 ms late (lines only; what follows it waits behind it).
    Delay,
}

/// One scheduled fault.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scheduled {
    /// When it strikes.
    pub when: When,
    /// What happens.
    pub what: Mishap,
}

/// The moment of a scheduled fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum When {
    /// At a virtual time.
    Time(Duration),
    /// When this many line ends have reached the machine.
    Line(u64),
    /// When this many bytes have reached the machine.
    Byte(u64),
}

/// A scheduled fault's effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mishap {
    /// The controller restarts.
    Reset,
    /// Nothing reaches the host for this long.
    Stall(Duration),
    /// The firmware stops until power-up.
    Hang,
    /// The link goes down.
    Disconnect,
    /// Somebody or something touched the machine.
    Touch(Touch),
}

impl FaultPlan {
    /// No faults.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            random: Vec::new(),
            scheduled: Vec::new(),
        }
    }

    /// Adds a fault that strikes with `probability` (clamped to 0 to 1).
    #[must_use]
    pub fn with_random(mut self, fault: RandomFault, probability: f64) -> Self {
        self.random.push((fault, probability.clamp(0.0, 1.0)));
        self
    }

    /// Adds a scheduled fault.
    #[must_use]
    pub fn with_scheduled(mut self, fault: Scheduled) -> Self {
        self.scheduled.push(fault);
        self
    }

    /// The random faults with their probabilities.
    #[must_use]
    pub fn random(&self) -> &[(RandomFault, f64)] {
        &self.random
    }

    /// The scheduled faults in the order given.
    #[must_use]
    pub fn scheduled(&self) -> &[Scheduled] {
        &self.scheduled
    }

    /// The probability that `harm` comes to one thing of the kind `to`.
    fn probability(&self, to: Struck, harm: Harm) -> f64 {
        self.random
            .iter()
            .filter(|(fault, _)| fault.to == to && fault.harm == harm)
            .map(|(_, probability)| *probability)
            .sum()
    }
}
