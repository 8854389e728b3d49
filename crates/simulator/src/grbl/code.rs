/// What grbl answers to a line that it does not accept: `error:N`.
///
/// Numbers and meanings after the "Grbl v1.1 Interface" and `error_codes` documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Error {
    ExpectedCommandLetter = 1,
    BadNumberFormat = 2,
    InvalidStatement = 3,
    NegativeValue = 4,
    SettingDisabled = 5,
    StepPulseTooShort = 6,
    NotIdle = 8,
    Locked = 9,
    SoftLimitNeedsHoming = 10,
    LineOverflow = 11,
    CheckDoor = 13,
    LineTooLong = 14,
    TravelExceeded = 15,
    InvalidJog = 16,
    UnsupportedCommand = 20,
    ModalGroupViolation = 21,
    UndefinedFeed = 22,
    NotAnInteger = 23,
    AxisCommandConflict = 24,
    WordRepeated = 25,
    NoAxisWords = 26,
    InvalidLineNumber = 27,
    ValueMissing = 28,
    UnsupportedCoordinateSystem = 29,
    G53NeedsMotion = 30,
    AxisWordsExist = 31,
    NoAxisWordsInPlane = 32,
    InvalidTarget = 33,
    ArcRadius = 34,
    NoOffsetsInPlane = 35,
    UnusedWords = 36,
    ToolLengthAxis = 37,
    ValueTooLarge = 38,
}

impl Error {
    pub(super) fn number(self) -> u8 {
        self as u8
    }
}

/// Why grbl locked itself: `ALARM:N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Alarm {
    HardLimit = 1,
    SoftLimit = 2,
    AbortInMotion = 3,
    ProbeAlreadyTouching = 4,
    ProbeMissed = 5,
    HomingReset = 6,
    HomingDoor = 7,
}

impl Alarm {
    pub(super) fn number(self) -> u8 {
        self as u8
    }

    /// Alarms after which only a reset is listened to.
    pub(super) fn is_critical(self) -> bool {
        matches!(self, Self::HardLimit | Self::SoftLimit)
    }
}
