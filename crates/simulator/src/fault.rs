use std::str::FromStr;
use std::time::Duration;

use crate::rng::Rng;
use crate::wire::Wire;

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
    Touch(crate::Touch),
}

/// A fault that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fault `{text}`: {reason}; write for example drop-ok:0.05, reset@line:400 or stall@3s:2")]
pub struct ParseFaultError {
    text: String,
    reason: &'static str,
}

impl FaultPlan {
    /// No faults.
    #[must_use]
    pub const fn none() -> Self {
        Self { random: Vec::new(), scheduled: Vec::new() }
    }
}

impl FromStr for FaultPlan {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Err(ParseFaultError { text: text.to_owned(), reason: "unknown" })
    }
}

/// Carries a [`FaultPlan`] out: sans-IO, with its own seeded randomness, so that the same seed and
/// the same traffic give the same faults.
#[derive(Debug)]
pub(crate) struct FaultInjector {
    plan: FaultPlan,
    rng: Rng,
    line: Vec<u8>,
}

impl FaultInjector {
    pub(crate) fn new(plan: FaultPlan, seed: u64) -> Self {
        Self { plan, rng: Rng::new(seed), line: Vec::new() }
    }

    /// Puts what the machine says on the wire to the host.
    pub(crate) fn to_host(&mut self, now: Duration, bytes: &[u8], wire: &mut Wire) {
        wire.send(now, bytes);
    }
}
