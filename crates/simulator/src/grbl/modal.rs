use super::code::Error;

/// G-code state of the parser: what RS-274 calls the modes, as far as grbl has them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Modal {
    pub(super) motion: MotionMode,
    pub(super) plane: Plane,
    pub(super) distance: Distance,
    pub(super) units: Units,
    pub(super) feed_mode: FeedMode,
    /// 0 for G54 to 5 for G59.
    pub(super) wcs: usize,
    pub(super) spindle: Spindle,
    pub(super) flood: Flood,
    pub(super) flow: Flow,
}

impl Default for Modal {
    fn default() -> Self {
        Self {
            motion: MotionMode::Rapid,
            plane: Plane::Xy,
            distance: Distance::Absolute,
            units: Units::Mm,
            feed_mode: FeedMode::PerMinute,
            wcs: 0,
            spindle: Spindle::Off,
            flood: Flood::Off,
            flow: Flow::Running,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MotionMode {
    Rapid,
    Linear,
    ArcClockwise,
    ArcCounterClockwise,
    Probe(ProbeMode),
    None,
}

impl MotionMode {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Rapid => "G0",
            Self::Linear => "G1",
            Self::ArcClockwise => "G2",
            Self::ArcCounterClockwise => "G3",
            Self::Probe(probe) => probe.word(),
            Self::None => "G80",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProbeMode {
    pub(super) direction: ProbeDirection,
    pub(super) miss: ProbeMiss,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProbeDirection {
    Toward,
    Away,
}

/// What a probe that finds nothing does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProbeMiss {
    Alarms,
    GoesOn,
}

impl ProbeMode {
    /// G38.2 to G38.5.
    pub(super) fn from_tenths(tenths: u8) -> Option<Self> {
        let (direction, miss) = match tenths {
            2 => (ProbeDirection::Toward, ProbeMiss::Alarms),
            3 => (ProbeDirection::Toward, ProbeMiss::GoesOn),
            4 => (ProbeDirection::Away, ProbeMiss::Alarms),
            5 => (ProbeDirection::Away, ProbeMiss::GoesOn),
            _ => return None,
        };
        Some(Self { direction, miss })
    }

    fn word(self) -> &'static str {
        match (self.direction, self.miss) {
            (ProbeDirection::Toward, ProbeMiss::Alarms) => "G38.2",
            (ProbeDirection::Toward, ProbeMiss::GoesOn) => "G38.3",
            (ProbeDirection::Away, ProbeMiss::Alarms) => "G38.4",
            (ProbeDirection::Away, ProbeMiss::GoesOn) => "G38.5",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plane {
    Xy,
    Zx,
    Yz,
}

impl Plane {
    /// The two axes of the plane and the one across it.
    pub(super) fn axes(self) -> ([usize; 2], usize) {
        match self {
            Self::Xy => ([0, 1], 2),
            Self::Zx => ([2, 0], 1),
            Self::Yz => ([1, 2], 0),
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Xy => "G17",
            Self::Zx => "G18",
            Self::Yz => "G19",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Distance {
    Absolute,
    Incremental,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Units {
    Mm,
    Inch,
}

impl Units {
    pub(super) fn mm(self) -> f64 {
        match self {
            Self::Mm => 1.0,
            Self::Inch => 25.4,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FeedMode {
    PerMinute,
    InverseTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spindle {
    Off,
    Clockwise,
    CounterClockwise,
}

impl Spindle {
    /// Signed speed for the log.
    pub(super) fn signed(self, rpm: f64) -> f64 {
        match self {
            Self::Off => 0.0,
            Self::Clockwise => rpm,
            Self::CounterClockwise => -rpm,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flood {
    Off,
    On,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Running,
    Paused,
    End,
    EndRewind,
}

/// One-shot commands of group 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OneShot {
    Dwell,
    SetCoordinates,
    GoHome(HomeSlot),
    SetHome(HomeSlot),
    MachineCoordinates,
    SetOffset,
    ResetOffset,
}

/// The two stored positions, with their places behind the six coordinate systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HomeSlot {
    G28,
    G30,
}

impl HomeSlot {
    pub(super) fn index(self) -> usize {
        match self {
            Self::G28 => 6,
            Self::G30 => 7,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ToolLength {
    Cancel,
    Dynamic,
}

/// A value that may be given once in a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Once<T>(Option<T>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Copy> Once<T> {
    /// Sets it; a second time is `error`.
    pub(super) fn set(&mut self, value: T, error: Error) -> Result<(), Error> {
        match self.0 {
            Some(_) => Err(error),
            None => {
                self.0 = Some(value);
                Ok(())
            }
        }
    }

    pub(super) fn get(&self) -> Option<T> {
        self.0
    }

    /// The value, which is used up thereby.
    pub(super) fn take(&mut self) -> Option<T> {
        self.0.take()
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.is_some()
    }
}
