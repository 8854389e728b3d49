/// Single bytes that the receive interrupt acts on wherever they stand; they use no buffer space and
/// have no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Realtime {
    Reset,
    Status,
    Hold,
    Start,
    Door,
    JogCancel,
    Feed(Change),
    Rapid(u8),
    Spindle(Change),
    SpindleStop,
    Flood,
    /// A byte of 0x80 or more without meaning is thrown away.
    Nothing,
}

/// How an override changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    To100,
    By(i8),
}

impl Change {
    /// The override in percent after the change, kept within 10 to 200.
    pub(super) fn apply(self, percent: u8) -> u8 {
        match self {
            Self::To100 => 100,
            Self::By(step) => percent.saturating_add_signed(step).clamp(10, 200),
        }
    }
}

impl Realtime {
    /// What the interrupt takes the byte for; `None`: an ordinary character for the buffer.
    pub(super) fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            0x18 => Self::Reset,
            b'?' => Self::Status,
            b'!' => Self::Hold,
            b'~' => Self::Start,
            0x84 => Self::Door,
            0x85 => Self::JogCancel,
            0x90 => Self::Feed(Change::To100),
            0x91 => Self::Feed(Change::By(10)),
            0x92 => Self::Feed(Change::By(-10)),
            0x93 => Self::Feed(Change::By(1)),
            0x94 => Self::Feed(Change::By(-1)),
            0x95 => Self::Rapid(100),
            0x96 => Self::Rapid(50),
            0x97 => Self::Rapid(25),
            0x99 => Self::Spindle(Change::To100),
            0x9A => Self::Spindle(Change::By(10)),
            0x9B => Self::Spindle(Change::By(-10)),
            0x9C => Self::Spindle(Change::By(1)),
            0x9D => Self::Spindle(Change::By(-1)),
            0x9E => Self::SpindleStop,
            0xA0 => Self::Flood,
            0x80.. => Self::Nothing,
            _ => return None,
        })
    }
}
