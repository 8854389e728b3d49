use std::time::Duration;

use crate::config::{Config, ControllerKind, OnOpen};
use crate::controller::{Controller, Outside, Snapshot, Touch, Transmit};
use crate::fault::{FaultInjector, Mishap};
use crate::grbl::Grbl;
use crate::log::MotionLog;
use crate::marlin::Marlin;
use crate::memory::Memory;
use crate::null::Null;
use crate::wire::{RxStats, Wire};

/// Most bytes that may lie delivered and unread at the host's end before the machine's end stops
/// taking more, as a pty or a socket would make it.
const UNREAD_LIMIT: usize = 256 * 1024;

/// Most bytes kept for a host that does not read at all, while the machine goes on talking; what
/// comes then is lost, as it is in the buffer of a real port.
const HOST_BUFFER: usize = 4 * 1024 * 1024;

/// A controller behind a wire, sans-IO and in virtual time.
///
/// Time is a [`Duration`] since an epoch of the caller's choice and never goes back. Drive it like
/// any sans-IO machine: [`receive`](Self::receive) what the host writes, [`advance`](Self::advance)
/// to the time reached, [`transmit`](Self::transmit) what has arrived at the host, and wait until
/// [`next_event`](Self::next_event) or the next byte.
pub struct Simulator {
    config: Config,
    now: Duration,
    controller: Box<dyn Controller>,
    to_machine: Wire,
    to_host: Wire,
    faults: FaultInjector,
    log: MotionLog,
    link: Link,
    hung: Hung,
    /// Bytes on their way from the wire into the controller; kept to spare allocations.
    scratch: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Up,
    Down,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hung {
    No,
    Yes,
}

impl Simulator {
    /// Powers the machine up at time zero; its banner is on the wire at once.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let log = MotionLog::new(config.log);
        Self::with_log(config, log)
    }

    /// Like [`Simulator::new`] with a log of the caller's (for one that writes to a file).
    #[must_use]
    pub fn with_log(config: Config, log: MotionLog) -> Self {
        let mut simulator = Self {
            now: Duration::ZERO,
            controller: build(&config),
            to_machine: Wire::new(config.baud, config.latency),
            to_host: Wire::new(config.baud, config.latency),
            faults: FaultInjector::new(&config.faults, config.seed),
            log,
            link: Link::Up,
            hung: Hung::No,
            scratch: Vec::new(),
            config,
        };
        simulator.with_controller(|controller, now, outside| controller.reboot(now, outside));
        simulator
    }

    /// The host writes `bytes` at `now`; returns how many the cable took (fewer when
    /// [`WIRE_CAPACITY`](crate::WIRE_CAPACITY) bytes are under way, when the host leaves answers
    /// unread, or 0 when the link is down). The rest is to be written again later.
    #[must_use = "bytes beyond the count were not taken"]
    pub fn receive(&mut self, now: Duration, bytes: &[u8]) -> usize {
        self.advance(now);
        if self.link == Link::Down || self.to_host.len() > UNREAD_LIMIT {
            return 0;
        }
        let taken = bytes.len().min(self.to_machine.space());
        let Some(bytes) = bytes.get(..taken) else {
            return 0;
        };
        if self.to_machine.is_direct() && self.to_machine.is_empty() && !self.faults.harms_input() {
            self.deliver(bytes);
        } else {
            self.faults
                .send_to_machine(self.now, bytes, &mut self.to_machine);
            self.advance(now);
        }
        taken
    }

    /// Does everything that is due by `now`, in order of time.
    pub fn advance(&mut self, now: Duration) {
        while let Some(at) = self.next_step().filter(|at| *at <= now) {
            self.now = self.now.max(at);
            self.step();
        }
        self.now = self.now.max(now);
    }

    /// Appends the bytes that have arrived at the host by `now`; returns how many.
    pub fn transmit(&mut self, now: Duration, out: &mut Vec<u8>) -> usize {
        self.advance(now);
        self.to_host.take(self.now, usize::MAX, out)
    }

    /// When something will happen without a further byte from the host: a byte reaching either
    /// end, motion, a timer, a scheduled fault. `None`: nothing until the host writes.
    #[must_use]
    pub fn next_event(&self) -> Option<Duration> {
        earliest(self.next_step(), self.to_host.next_arrival())
    }

    /// True while time has to go on for something to be finished: bytes on the wire, motion, a
    /// dwell, a heater. Periodic reports of an idle machine do not count.
    #[must_use]
    pub fn is_working(&self) -> bool {
        !self.to_machine.is_empty()
            || !self.to_host.is_empty()
            || (self.hung == Hung::No && self.controller.is_working())
    }

    /// True when something lies delivered at the host's end and nothing more follows on the wire.
    #[cfg(feature = "serve")]
    pub(crate) fn is_answer_out(&self) -> bool {
        self.to_host.last_arrival().is_some_and(|at| at <= self.now)
    }

    /// The latest time this machine has seen.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// What the machine executed.
    #[must_use]
    pub fn log(&self) -> &MotionLog {
        &self.log
    }

    /// Hands the log out (to read or to empty it).
    pub fn log_mut(&mut self) -> &mut MotionLog {
        &mut self.log
    }

    /// How this machine was made.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The machine as somebody standing beside it sees it now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.controller.snapshot(self.now)
    }

    /// What earlier lines have left behind in the controller.
    #[must_use]
    pub fn memory(&self) -> Memory {
        self.controller.memory()
    }

    /// The same machine at the same instant once more, with a log of its own: both go on apart.
    #[must_use]
    pub fn fork(&self, log: MotionLog) -> Self {
        Self {
            config: self.config.clone(),
            now: self.now,
            controller: self.controller.fork(),
            to_machine: self.to_machine.clone(),
            to_host: self.to_host.clone(),
            faults: self.faults.clone(),
            log,
            link: self.link,
            hung: self.hung,
            scratch: Vec::new(),
        }
    }

    /// Counters of the controller's receive buffer.
    #[must_use]
    pub fn rx_stats(&self) -> RxStats {
        self.controller.rx_stats()
    }

    /// Most bytes that ever waited in the controller's receive buffer.
    #[must_use]
    pub fn rx_high_water(&self) -> usize {
        self.rx_stats().high_water
    }

    /// Bytes lost because the controller's receive buffer was full.
    #[must_use]
    pub fn rx_overflows(&self) -> u64 {
        self.rx_stats().overflows
    }

    /// False after a `disconnect` fault or [`Simulator::disconnect`].
    #[must_use]
    pub fn link_up(&self) -> bool {
        self.link == Link::Up
    }

    /// Pulls the cable at `now`: what is under way is lost, the machine goes on.
    pub fn disconnect(&mut self, now: Duration) {
        self.advance(now);
        self.cut();
    }

    /// Plugs the cable in again.
    pub fn reconnect(&mut self, now: Duration, on_open: OnOpen) {
        self.advance(now);
        self.to_machine.cut();
        self.to_host.cut();
        self.link = Link::Up;
        if on_open == OnOpen::Reset {
            self.power_cycle(now);
        }
    }

    /// Switches the machine off and on: also ends a `hang`.
    pub fn power_cycle(&mut self, now: Duration) {
        self.advance(now);
        self.hung = Hung::No;
        self.with_controller(|controller, now, outside| controller.reboot(now, outside));
    }

    /// A switch or a button at the machine, at `now`.
    pub fn touch(&mut self, now: Duration, touch: Touch) {
        self.advance(now);
        if self.hung == Hung::No {
            self.with_controller(|controller, now, outside| controller.touch(now, touch, outside));
        }
    }

    /// Somebody chooses a command in the menu of the machine's own panel, at `now`. It does not pass
    /// the link: what of a line waits in the receive buffer stays there, and nothing answers `ok`. A
    /// controller without a panel (grbl) takes no notice.
    pub fn panel(&mut self, now: Duration, command: &str) {
        self.advance(now);
        if self.hung == Hung::No {
            self.with_controller(|controller, now, outside| {
                controller.panel(now, command.as_bytes(), outside);
            });
        }
    }

    /// The next instant at which [`Simulator::step`] has something to do.
    pub(crate) fn next_step(&self) -> Option<Duration> {
        let controller = match self.hung {
            Hung::No => self.controller.next_event(),
            Hung::Yes => None,
        };
        let wires = earliest(self.to_machine.next_arrival(), self.faults.next_event());
        earliest(controller, wires).map(|at| at.max(self.now))
    }

    /// Does what is due at `self.now`: mishaps first, then bytes, then the controller's own events.
    fn step(&mut self) {
        while let Some(mishap) = self.faults.due(self.now) {
            self.suffer(mishap);
        }
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        if self.to_machine.take(self.now, usize::MAX, &mut bytes) > 0 {
            self.deliver(&bytes);
        }
        self.scratch = bytes;
        if self.hung == Hung::No {
            self.with_controller(|controller, now, outside| controller.advance(now, outside));
        }
    }

    /// Puts bytes on the controller's receive pin, stopping where a counted fault strikes.
    fn deliver(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.link == Link::Up {
            let n = self.faults.until_counted_fault(bytes);
            let (part, rest) = bytes.split_at(n);
            bytes = rest;
            if self.hung == Hung::No {
                self.with_controller(|controller, now, outside| {
                    controller.receive(now, part, outside)
                });
            }
            while let Some(mishap) = self.faults.due(self.now) {
                self.suffer(mishap);
            }
        }
    }

    fn suffer(&mut self, mishap: Mishap) {
        match mishap {
            Mishap::Reset => {
                self.hung = Hung::No;
                self.with_controller(|controller, now, outside| controller.reboot(now, outside));
            }
            Mishap::Stall(time) => self.to_host.hold_until(self.now + time),
            Mishap::Hang => self.hung = Hung::Yes,
            Mishap::Disconnect => self.cut(),
            Mishap::Touch(touch) => {
                if self.hung == Hung::No {
                    self.with_controller(|c, now, outside| c.touch(now, touch, outside));
                }
            }
        }
    }

    fn cut(&mut self) {
        self.link = Link::Down;
        self.to_machine.cut();
        self.to_host.cut();
    }

    fn with_controller(
        &mut self,
        act: impl FnOnce(&mut dyn Controller, Duration, &mut Outside<'_>),
    ) {
        let mut tx = HostWay {
            wire: &mut self.to_host,
            faults: &mut self.faults,
            link: self.link,
        };
        let mut outside = Outside {
            tx: &mut tx,
            log: &mut self.log,
        };
        act(&mut *self.controller, self.now, &mut outside);
    }
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator")
            .field("now", &self.now)
            .field("snapshot", &self.snapshot())
            .field("link", &self.link)
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}

fn build(config: &Config) -> Box<dyn Controller> {
    match config.controller {
        ControllerKind::Grbl => Box::new(Grbl::new(config)),
        ControllerKind::Marlin => Box::new(Marlin::new(config)),
        ControllerKind::Null => Box::new(Null::new()),
    }
}

fn earliest(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// The controller's transmit pin, seen through the faults.
struct HostWay<'a> {
    wire: &'a mut Wire,
    faults: &'a mut FaultInjector,
    link: Link,
}

impl Transmit for HostWay<'_> {
    fn write(&mut self, now: Duration, bytes: &[u8]) {
        if self.link == Link::Up && self.wire.len() < HOST_BUFFER {
            self.faults.send_to_host(now, bytes, self.wire);
        }
    }

    fn blocked_until(&self, now: Duration, ring: usize) -> Option<Duration> {
        self.wire.blocked_until(now, ring)
    }
}
