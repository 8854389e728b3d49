//! What goes wrong, when, and which of it cannot happen where.

use feedhold_stream_core::dialect::Dialect;

/// Names an enum's values as they stand in replays and tables.
macro_rules! named {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $value:ident = $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$doc])* $value,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$value,)*];

            /// The name in replays and tables.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $text,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|value| value.name() == text)
                    .ok_or_else(|| {
                        let known: Vec<_> = Self::ALL.iter().map(|value| value.name()).collect();
                        format!("there is no {text:?}; choose one of {}", known.join(", "))
                    })
            }
        }
    };
}
pub(super) use named;

named! {
    /// One thing that goes wrong.
    Fault {
        /// `kill -9`: the page cache survives.
        HostKilled = "host-killed",
        /// The host loses power: sectors that were not synced are lost, kept or torn.
        PowerCut = "power-cut",
        /// The cable is pulled; the controller goes on.
        LinkDropped = "link-dropped",
        /// The cable is pulled, and plugging it in resets the controller through DTR.
        LinkDroppedReset = "link-dropped-reset",
        /// The controller loses power for a moment, in the middle of what it does.
        BrownOut = "brown-out",
        /// The emergency stop: an alarm on grbl, `kill()` on Marlin.
        EmergencyStop = "emergency-stop",
        /// One bit of a byte to the machine flips.
        GarbledToMachine = "garbled-to-machine",
        /// One bit of a byte from the machine flips.
        GarbledFromMachine = "garbled-from-machine",
        /// An `ok` is lost.
        LostOk = "lost-ok",
        /// An `ok` comes twice.
        DoubledOk = "doubled-ok",
        /// An `ok`, and what comes behind it, is up to five seconds late.
        LateOk = "late-ok",
        /// A line from the machine comes in pieces.
        SplitLine = "split-line",
        /// Two lines from the machine lose the end between them.
        MergedLines = "merged-lines",
        /// A line of noise from the machine.
        GarbageLine = "garbage-line",
        /// The machine asks for a line again that it has long taken.
        ResendOld = "resend-old",
        /// The machine asks for a line that was never sent.
        ResendBeyond = "resend-beyond",
        /// The machine refuses a line while the window is full.
        RefusedLine = "refused-line",
        /// The link takes a byte at a time.
        ShortWrites = "short-writes",
        /// The host dies, and answers of the dead session wait in the port.
        StaleBytes = "stale-bytes",
        /// The host dies, and another device stands under the port's name.
        ForeignDevice = "foreign-device",
        /// The next record meets an input/output error.
        DiskError = "disk-eio",
        /// The next record meets a full disk.
        DiskFull = "disk-full",
        /// The next record takes five seconds.
        DiskStall = "disk-stall",
        /// The host dies, and the file has another digit in one place.
        FileChanged = "file-changed",
        /// The host dies, and the file has lost its end.
        FileTruncated = "file-truncated",
        /// The host dies, and another file stands under the name.
        FileReplaced = "file-replaced",
        /// The host dies, and the file is gone.
        FileDeleted = "file-deleted",
        /// Another program writes to the port.
        SecondProcess = "second-process",
        /// The host dies, and somebody moves the machine by hand.
        Jogged = "jogged",
        /// The host dies, and somebody sets the work zero anew.
        Rezeroed = "rezeroed",
        /// The host dies, and the controller restarts while nobody listens.
        RestartedUnseen = "restarted-unseen",
        /// The cable is pulled; plugging it in resets the controller, which runs its start-up blocks.
        StartupBlock = "startup-block",
        /// The operator pauses, and goes on after a while.
        OperatorPause = "operator-pause",
        /// Somebody presses hold at the machine, and start after a while.
        MachineHold = "machine-hold",
    }
}

named! {
    /// When it goes wrong.
    Moment {
        /// The job has begun and nothing of it was sent.
        BeforeFirstByte = "before-first-byte",
        /// A line is half written.
        MidLine = "mid-line",
        /// Lines are sent and not answered.
        Unanswered = "unanswered",
        /// The controller's receive buffer holds all that it may.
        RxFull = "rx-full",
        /// The planner is full.
        PlannerFull = "planner-full",
        /// An arc is being cut.
        InArc = "in-arc",
        /// A dwell or a heat-up is under way.
        InDwell = "in-dwell",
        /// The job waits at `M0` or a tool change.
        AtStop = "at-stop",
        /// A record is written and not synced.
        Written = "written",
        /// A record is synced, and what it allows was not sent.
        Synced = "synced",
        /// Inside a resume: while the controller is asked, or on the approach.
        InResume = "in-resume",
        /// The last line was sent.
        LastLine = "last-line",
    }
}

impl Fault {
    /// Why this cannot happen on a dialect, if so.
    #[must_use]
    pub const fn impossible_on(self, dialect: Dialect) -> Option<&'static str> {
        match (self, dialect) {
            (Self::ResendOld | Self::ResendBeyond, Dialect::Grbl) => {
                Some("grbl has no line numbers and never asks for a line again")
            }
            (Self::RefusedLine, Dialect::Marlin) => Some(
                "Marlin answers ok to every line that it has read, and asks again for one with a wrong checksum",
            ),
            (Self::MachineHold, Dialect::Marlin) => {
                Some("a hold at the printer only asks the host, which may go on")
            }
            (Self::ForeignDevice, Dialect::Marlin) => Some(
                "all simulated printers have one UUID, which is what tells printers from each other",
            ),
            (Self::StartupBlock, Dialect::Marlin) => {
                Some("Marlin has no start-up blocks without an SD card")
            }
            _ => None,
        }
    }

    /// Why this cannot strike at a moment, if so.
    #[must_use]
    pub const fn impossible_at(self, moment: Moment, dialect: Dialect) -> Option<&'static str> {
        if let Some(reason) = self.impossible_on(dialect) {
            return Some(reason);
        }
        match (self, moment) {
            (Self::OperatorPause, Moment::BeforeFirstByte | Moment::AtStop | Moment::InResume) => {
                Some("nothing moves that could be paused")
            }
            _ => None,
        }
    }

    /// The host's process ends with it.
    #[must_use]
    pub const fn ends_the_host(self) -> bool {
        matches!(
            self,
            Self::HostKilled
                | Self::PowerCut
                | Self::StaleBytes
                | Self::ForeignDevice
                | Self::FileChanged
                | Self::FileTruncated
                | Self::FileReplaced
                | Self::FileDeleted
                | Self::Jogged
                | Self::Rezeroed
                | Self::RestartedUnseen
        )
    }

    /// What reaches grbl may be another line than was sent, and nothing in its protocol could tell: there is no checksum.
    #[must_use]
    pub const fn may_change_lines(self) -> bool {
        matches!(self, Self::GarbledToMachine | Self::SecondProcess)
    }
}
