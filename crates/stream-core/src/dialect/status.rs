//! grbl's realtime status report, `<State|field|field…>`.

use std::fmt;

use super::position::Coordinates;
use super::scan::{decimal, unsigned};

/// A parsed status report.
///
/// Fields come in any order and any of them may be missing; fields of relatives (grblHAL, FluidNC)
/// that are not listed here are passed over. A *known* field that does not parse makes the whole
/// report [`Response::Other`](super::Response::Other): a garbled position must not prove anything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StatusReport {
    /// The state, always first.
    pub state: MachineState,
    /// The number behind the state, `1` of `Hold:1`.
    pub substate: Option<u8>,
    /// Machine position (`MPos`): exact at the time of the report.
    pub machine_position: Option<Coordinates>,
    /// Work position (`WPos`), if `$10` asks for it instead.
    pub work_position: Option<Coordinates>,
    /// Work offset (`WCO`), in every 10th (idle) to 30th (busy) report: `MPos = WPos + WCO`.
    pub work_offset: Option<Coordinates>,
    /// Free planner blocks (first of `Bf`); off by default in grbl 1.1.
    pub planner_free: Option<u16>,
    /// Free bytes of the receive buffer (second of `Bf`).
    pub rx_free: Option<u16>,
    /// Line number of the block being *prepared* (`Ln`): may lead the motion by 5 blocks.
    pub line: Option<u64>,
    /// Realtime feed (`F` or first of `FS`), mm/min, overrides included.
    pub feed: Option<f64>,
    /// Realtime spindle speed (second of `FS`), rpm.
    pub spindle: Option<f64>,
    /// Inputs that are triggered (`Pn`): `X Y Z A B C` limits, `P` probe, `D` door, `H` hold,
    /// `R` reset, `S` start. grbl leaves the field out when there is none.
    pub pins: Letters,
    /// Override percentages (`Ov`).
    pub overrides: Option<Overrides>,
    /// What is switched on (`A`): `S` spindle clockwise, `C` counter-clockwise, `F` flood, `M`
    /// mist. `None` in reports that do not speak of it; grbl sends it together with `Ov`.
    pub accessories: Option<Letters>,
}

impl StatusReport {
    /// A report that says nothing but the state.
    #[must_use]
    pub fn of(state: MachineState) -> Self {
        Self {
            state,
            substate: None,
            machine_position: None,
            work_position: None,
            work_offset: None,
            planner_free: None,
            rx_free: None,
            line: None,
            feed: None,
            spindle: None,
            pins: Letters::default(),
            overrides: None,
            accessories: None,
        }
    }

    /// Reads what stands between `<` and `>`.
    pub(super) fn parse(inner: &str) -> Option<Self> {
        let mut fields = inner.split('|');
        let mut report = Self::state(fields.next()?)?;
        for field in fields {
            let (name, value) = field.split_once(':').unwrap_or((field, ""));
            report.field(name, value)?;
        }
        if report.overrides.is_some() && report.accessories.is_none() {
            report.accessories = Some(Letters::default());
        }
        Some(report)
    }

    fn state(text: &str) -> Option<Self> {
        let (name, sub) = match text.split_once(':') {
            Some((name, sub)) => (name, Some(unsigned(sub)?)),
            None => (text, None),
        };
        let mut report = Self::of(MachineState::named(name, sub.unwrap_or(0))?);
        report.substate = sub;
        Some(report)
    }

    fn field(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "MPos" => self.machine_position = Some(Coordinates::parse(value)?),
            "WPos" => self.work_position = Some(Coordinates::parse(value)?),
            "WCO" => self.work_offset = Some(Coordinates::parse(value)?),
            "Bf" => {
                let (planner, rx) = value.split_once(',')?;
                self.planner_free = Some(unsigned(planner)?);
                self.rx_free = Some(unsigned(rx)?);
            }
            "Ln" => self.line = Some(unsigned(value)?),
            "F" => self.feed = Some(decimal(value)?),
            "FS" => {
                // grblHAL adds the measured speed as a third number.
                let mut numbers = value.split(',');
                self.feed = Some(decimal(numbers.next()?)?);
                self.spindle = Some(decimal(numbers.next()?)?);
            }
            "Pn" => self.pins = Letters::parse(value)?,
            "Ov" => self.overrides = Some(Overrides::parse(value)?),
            "A" => self.accessories = Some(Letters::parse(value)?),
            _ => {}
        }
        Some(())
    }
}

/// What the machine is doing.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MachineState {
    /// Nothing runs and nothing is planned.
    Idle,
    /// Executing motion or a dwell.
    Run,
    /// Feed hold: 0 stopped and ready to resume, 1 still slowing down (a reset would alarm).
    Hold(u8),
    /// Jogging.
    Jog,
    /// Homing.
    Home,
    /// Locked; g-code is refused.
    Alarm,
    /// Check mode: lines are judged, nothing moves.
    Check,
    /// Safety door: 0 closed and ready to resume, 1 open, 2 parking, 3 resuming.
    Door(u8),
    /// Asleep: only a reset wakes it, lines get no answer.
    Sleep,
    /// Waiting for a tool change (grblHAL).
    Tool,
    /// A state of a later firmware.
    Unknown,
}

impl fmt::Display for MachineState {
    /// The name grbl uses, with the number behind it where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "Idle",
            Self::Run => "Run",
            Self::Hold(sub) => return write!(f, "Hold:{sub}"),
            Self::Jog => "Jog",
            Self::Home => "Home",
            Self::Alarm => "Alarm",
            Self::Check => "Check",
            Self::Door(sub) => return write!(f, "Door:{sub}"),
            Self::Sleep => "Sleep",
            Self::Tool => "Tool",
            Self::Unknown => "unknown state",
        })
    }
}

impl MachineState {
    fn named(name: &str, sub: u8) -> Option<Self> {
        Some(match name {
            "Idle" => Self::Idle,
            "Run" => Self::Run,
            "Hold" => Self::Hold(sub),
            "Jog" => Self::Jog,
            "Home" => Self::Home,
            "Alarm" => Self::Alarm,
            "Check" => Self::Check,
            "Door" => Self::Door(sub),
            "Sleep" => Self::Sleep,
            "Tool" => Self::Tool,
            _ if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic()) => Self::Unknown,
            _ => return None,
        })
    }

    /// Whether axes move or may be moving: an unknown state counts.
    #[must_use]
    pub fn may_move(self) -> bool {
        match self {
            Self::Run | Self::Jog | Self::Home | Self::Unknown => true,
            Self::Hold(sub) => sub != 0,
            Self::Door(sub) => sub > 1,
            Self::Idle | Self::Alarm | Self::Check | Self::Sleep | Self::Tool => false,
        }
    }

    /// Whether the machine waits for the operator before it goes on with the program.
    #[must_use]
    pub fn is_held(self) -> bool {
        matches!(self, Self::Hold(_) | Self::Door(_) | Self::Tool)
    }
}

/// Override percentages of the programmed values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Overrides {
    /// Feed, 10–200 %.
    pub feed_percent: u16,
    /// Rapids, 25, 50 or 100 %.
    pub rapid_percent: u16,
    /// Spindle, 10–200 %.
    pub spindle_percent: u16,
}

impl Overrides {
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(',');
        let all = Self {
            feed_percent: unsigned(numbers.next()?)?,
            rapid_percent: unsigned(numbers.next()?)?,
            spindle_percent: unsigned(numbers.next()?)?,
        };
        numbers.next().is_none().then_some(all)
    }
}

/// A set of upper-case letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Letters(u32);

impl Letters {
    /// Reads `XYP`. `None` for anything but letters and digits; digits (a relative's numbered
    /// input) are passed over.
    fn parse(text: &str) -> Option<Self> {
        let mut all = Self::default();
        for byte in text.bytes() {
            match byte {
                b'A'..=b'Z' => all.0 |= 1 << (byte - b'A'),
                b'a'..=b'z' | b'0'..=b'9' | b',' | b':' => {}
                _ => return None,
            }
        }
        Some(all)
    }

    /// Whether the letter is in the set; only `A`–`Z` ever are.
    #[must_use]
    pub fn contains(self, letter: u8) -> bool {
        letter.is_ascii_uppercase() && self.0 & (1 << (letter - b'A')) != 0
    }

    /// Whether no letter is in the set.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The letters in alphabetical order.
    pub fn iter(self) -> impl Iterator<Item = char> {
        ('A'..='Z').filter(move |&letter| self.contains(letter as u8))
    }
}
