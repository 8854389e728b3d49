//! Commands that act at once, beside the queue.

use super::Dialect;

/// A command that the controller takes out of the byte stream and acts on immediately. It has no
/// answer and takes no place in the window.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RealtimeCommand {
    /// Ask for a status report.
    Status,
    /// Feed hold: slow down and stop without losing the place.
    Hold,
    /// Cycle start: go on after a hold.
    Resume,
    /// Reset the controller. grbl: what waits in buffers is lost; while moving also the position.
    SoftReset,
    /// Stop everything for good: grbl resets, Marlin halts until its board is reset (`M112`).
    EmergencyStop,
    /// Stop the motion and forget what was planned (`M410`). The position stays roughly known.
    QuickStop,
    /// End a wait for heat or for the user (`M108`).
    EndWait,
    /// Act as if the safety door was opened.
    SafetyDoor,
    /// Stop jogging and forget queued jogs.
    JogCancel,
    /// Change the feed override.
    FeedOverride(OverrideStep),
    /// Set the rapid override.
    RapidOverride(RapidRate),
    /// Change the spindle override.
    SpindleOverride(OverrideStep),
    /// Stop or restart the spindle; only in a hold.
    SpindleStop,
    /// Switch flood coolant over.
    FloodToggle,
    /// Switch mist coolant over, where the controller has it.
    MistToggle,
}

/// A step of the feed or spindle override, which grbl keeps within 10–200 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OverrideStep {
    /// Back to 100 %.
    Reset,
    /// 10 % up.
    CoarseUp,
    /// 10 % down.
    CoarseDown,
    /// 1 % up.
    FineUp,
    /// 1 % down.
    FineDown,
}

/// The three rapid rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RapidRate {
    /// 100 %.
    Full,
    /// 50 %.
    Half,
    /// 25 %.
    Quarter,
}

impl RealtimeCommand {
    /// Every realtime command there is, for tables and help texts.
    pub const ALL: [Self; 25] = [
        Self::Status,
        Self::Hold,
        Self::Resume,
        Self::SoftReset,
        Self::EmergencyStop,
        Self::QuickStop,
        Self::EndWait,
        Self::SafetyDoor,
        Self::JogCancel,
        Self::FeedOverride(OverrideStep::Reset),
        Self::FeedOverride(OverrideStep::CoarseUp),
        Self::FeedOverride(OverrideStep::CoarseDown),
        Self::FeedOverride(OverrideStep::FineUp),
        Self::FeedOverride(OverrideStep::FineDown),
        Self::RapidOverride(RapidRate::Full),
        Self::RapidOverride(RapidRate::Half),
        Self::RapidOverride(RapidRate::Quarter),
        Self::SpindleOverride(OverrideStep::Reset),
        Self::SpindleOverride(OverrideStep::CoarseUp),
        Self::SpindleOverride(OverrideStep::CoarseDown),
        Self::SpindleOverride(OverrideStep::FineUp),
        Self::SpindleOverride(OverrideStep::FineDown),
        Self::SpindleStop,
        Self::FloodToggle,
        Self::MistToggle,
    ];
}

pub(super) fn bytes(dialect: Dialect, command: RealtimeCommand) -> Option<&'static [u8]> {
    match dialect {
        Dialect::Grbl => grbl(command),
        Dialect::Marlin => marlin(command),
    }
}

fn grbl(command: RealtimeCommand) -> Option<&'static [u8]> {
    use OverrideStep::{CoarseDown, CoarseUp, FineDown, FineUp, Reset};
    use RealtimeCommand as C;
    Some(match command {
        C::Status => b"?",
        C::Hold => b"!",
        C::Resume => b"~",
        C::SoftReset | C::EmergencyStop => b"\x18",
        C::SafetyDoor => b"\x84",
        C::JogCancel => b"\x85",
        C::FeedOverride(Reset) => b"\x90",
        C::FeedOverride(CoarseUp) => b"\x91",
        C::FeedOverride(CoarseDown) => b"\x92",
        C::FeedOverride(FineUp) => b"\x93",
        C::FeedOverride(FineDown) => b"\x94",
        C::RapidOverride(RapidRate::Full) => b"\x95",
        C::RapidOverride(RapidRate::Half) => b"\x96",
        C::RapidOverride(RapidRate::Quarter) => b"\x97",
        C::SpindleOverride(Reset) => b"\x99",
        C::SpindleOverride(CoarseUp) => b"\x9A",
        C::SpindleOverride(CoarseDown) => b"\x9B",
        C::SpindleOverride(FineUp) => b"\x9C",
        C::SpindleOverride(FineDown) => b"\x9D",
        C::SpindleStop => b"\x9E",
        C::FloodToggle => b"\xA0",
        C::MistToggle => b"\xA1",
        C::QuickStop | C::EndWait => return None,
    })
}

fn marlin(command: RealtimeCommand) -> Option<&'static [u8]> {
    use RealtimeCommand as C;
    match command {
        C::EmergencyStop => Some(b"M112\n"),
        C::QuickStop => Some(b"M410\n"),
        C::EndWait => Some(b"M108\n"),
        _ => None,
    }
}
