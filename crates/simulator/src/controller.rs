use std::time::Duration;

use crate::digest::Digest;
use crate::log::MotionLog;
use crate::memory::Memory;
use crate::wire::RxStats;

/// A firmware behind the wire. Sans-IO and in virtual time: it acts only inside these calls, and
/// `now` never goes back.
///
/// The [`Simulator`](crate::Simulator) calls `receive` when bytes reach the receive pin and
/// `advance` at (or after) `next_event`. Both must first do everything that was due before `now`, in
/// order of time.
pub(crate) trait Controller: Send {
    /// Bytes that reached the receive pin at `now`, oldest first.
    fn receive(&mut self, now: Duration, bytes: &[u8], outside: &mut Outside<'_>);

    /// Does everything that is due by `now`.
    fn advance(&mut self, now: Duration, outside: &mut Outside<'_>);

    /// The earliest instant at which `advance` would do something without a further byte.
    fn next_event(&self) -> Option<Duration>;

    /// True while the machine has work of its own: motion, a dwell, a heater somebody waits for, a
    /// line being parsed. Periodic reports of an idle machine are not work; at `speed=max` time
    /// stands still without work.
    fn is_working(&self) -> bool;

    /// The reset pin or the power: everything volatile is lost, the start-up messages come again.
    fn reboot(&mut self, now: Duration, outside: &mut Outside<'_>);

    /// A switch or a person at the machine did something.
    fn touch(&mut self, now: Duration, touch: Touch, outside: &mut Outside<'_>);

    /// Somebody chooses a command in the menu of the machine's own panel. Most controllers have none.
    fn panel(&mut self, _now: Duration, _command: &[u8], _outside: &mut Outside<'_>) {}

    /// What the machine is doing at `now`.
    fn snapshot(&self, now: Duration) -> Snapshot;

    /// The receive buffer's counters.
    fn rx_stats(&self) -> RxStats;

    /// What earlier lines have left behind.
    fn memory(&self) -> Memory;

    /// The same controller again.
    fn fork(&self) -> Box<dyn Controller>;
}

/// What a controller reaches besides time and its own memory.
pub(crate) struct Outside<'a> {
    /// The transmit pin.
    pub(crate) tx: &'a mut dyn Transmit,
    /// Where executed motions are written down.
    pub(crate) log: &'a mut MotionLog,
}

/// The controller's transmit pin: the way to the host with its faults.
pub(crate) trait Transmit {
    /// Sends `bytes` (one call may be part of a line or many lines).
    fn write(&mut self, now: Duration, bytes: &[u8]);

    /// When a transmit ring of `ring` bytes has room again, if it is over-full at `now`: the
    /// firmware's main program stands still until then.
    fn blocked_until(&self, now: Duration, ring: usize) -> Option<Duration>;
}

/// Things that happen at the machine and not on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Touch {
    /// A limit switch closed.
    HardLimit,
    /// The safety door's pin opened.
    DoorOpen,
    /// The safety door's pin closed again.
    DoorClosed,
    /// The hold button was pressed.
    HoldButton,
    /// The cycle start or continue button was pressed.
    StartButton,
    /// The emergency stop (or the reset button of a controller) was pressed.
    Abort,
}

/// A machine at one instant, as somebody standing beside it sees it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// What it is doing.
    pub state: State,
    /// Where it is: machine coordinates of X, Y, Z in mm, and E in mm of filament (0 on a mill).
    pub position: [f64; 4],
    /// Planner blocks in use.
    pub planner_used: usize,
    /// Bytes waiting in the receive buffer.
    pub rx_used: usize,
    /// Lines the controller has read to their end, good or bad.
    pub lines: u64,
    /// Motions completed since power-up (by `null`: lines that name an axis).
    pub motions: u64,
    /// Digest of the bytes taken from the receive buffer since power-up, line ends included and
    /// realtime commands not.
    pub input: Digest,
}

/// What a machine is doing, over all controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Nothing to do.
    Idle,
    /// Executing motion, a dwell or a long command.
    Run,
    /// Feed hold: slowing down (`complete` false) or standing.
    Hold {
        /// The machine stands.
        complete: bool,
    },
    /// Executing a jog.
    Jog,
    /// Looking for its limit switches.
    Home,
    /// Locked until unlocked, homed or reset.
    Alarm,
    /// Checks lines and moves nothing.
    Check,
    /// The safety door's state, 0 to 3 as grbl numbers it.
    Door(u8),
    /// Asleep until reset.
    Sleep,
    /// Waits for a person (a printer's M0, or a filament change).
    WaitingForUser,
    /// Dead until reset or power-up.
    Halted,
}
