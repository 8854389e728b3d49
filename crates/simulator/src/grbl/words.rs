use feedhold_gcode_parse::{FaultKind, Flavor, Token, tokens};

use super::code::Error;
use super::modal::{
    Distance, FeedMode, Flood, Flow, HomeSlot, MotionMode, Once, OneShot, Plane, ProbeMode,
    Spindle, ToolLength, Units,
};

/// The words of one line, sorted into their modal groups: grbl's first pass, in which everything is
/// refused that needs no knowledge of the machine's state.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Words {
    pub(super) one_shot: Once<OneShot>,
    pub(super) motion: Once<MotionMode>,
    pub(super) plane: Once<Plane>,
    pub(super) distance: Once<Distance>,
    pub(super) arc_distance: Once<()>,
    pub(super) feed_mode: Once<FeedMode>,
    pub(super) units: Once<Units>,
    pub(super) cutter: Once<()>,
    pub(super) tool_length: Once<ToolLength>,
    pub(super) wcs: Once<usize>,
    pub(super) path: Once<()>,
    pub(super) flow: Once<Flow>,
    pub(super) spindle: Once<Spindle>,
    pub(super) coolant: Once<Flood>,
    /// Who claims the axis words.
    pub(super) axis_command: Option<AxisCommand>,
    pub(super) xyz: [Once<f64>; 3],
    pub(super) ijk: [Once<f64>; 3],
    pub(super) f: Once<f64>,
    pub(super) l: Once<f64>,
    pub(super) n: Once<f64>,
    pub(super) p: Once<f64>,
    pub(super) r: Once<f64>,
    pub(super) s: Once<f64>,
    pub(super) t: Once<f64>,
}

/// The one command of a line that may use X, Y and Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AxisCommand {
    Motion,
    OneShot,
    ToolLength,
}

/// Largest tool number (T is a byte).
const MAX_TOOL: f64 = 255.0;

impl Words {
    /// Reads a line as the line buffer has it: upper case, without blanks and comments.
    pub(super) fn parse(line: &[u8]) -> Result<Self, Error> {
        let mut words = Self::default();
        for token in tokens(Flavor::Grbl, line) {
            match token {
                Token::Word(word) => {
                    let number = word.number().ok_or(Error::BadNumberFormat)?;
                    words.take(word.letter, number.to_f64())?;
                }
                Token::LineNumber(number) => words.take(b'N', number.to_f64())?,
                Token::OWord(_) => return Err(Error::UnsupportedCommand),
                Token::Invalid(fault) => {
                    let at = fault
                        .column
                        .checked_sub(1)
                        .and_then(|index| line.get(index));
                    return Err(fault_error(fault.kind, at.copied()));
                }
                _ => return Err(Error::ExpectedCommandLetter),
            }
        }
        Ok(words)
    }

    fn take(&mut self, letter: u8, value: f64) -> Result<(), Error> {
        // Codes are compared as whole part and hundredths, so that G01 is G1 and G38.20 is G38.2.
        let whole = value.trunc();
        let hundredths = ((value - whole) * 100.0).round();
        match letter {
            b'G' => self.take_g(whole, hundredths),
            b'M' if hundredths != 0.0 => Err(Error::NotAnInteger),
            b'M' => self.take_m(whole),
            _ => self.take_value(letter, value),
        }
    }

    fn take_g(&mut self, whole: f64, hundredths: f64) -> Result<(), Error> {
        const TWICE: Error = Error::ModalGroupViolation;
        let code = small(whole).ok_or(Error::UnsupportedCommand)?;
        let part = small(hundredths).ok_or(Error::UnsupportedCommand)?;
        if part % 10 != 0 {
            return Err(Error::UnsupportedCommand);
        }
        match (code, part / 10) {
            (10, 0) => self.one_shot_with_axes(OneShot::SetCoordinates),
            (28, 0) => self.one_shot_with_axes(OneShot::GoHome(HomeSlot::G28)),
            (30, 0) => self.one_shot_with_axes(OneShot::GoHome(HomeSlot::G30)),
            (92, 0) => self.one_shot_with_axes(OneShot::SetOffset),
            (4, 0) => self.one_shot.set(OneShot::Dwell, TWICE),
            (53, 0) => self.one_shot.set(OneShot::MachineCoordinates, TWICE),
            (28, 1) => self.one_shot.set(OneShot::SetHome(HomeSlot::G28), TWICE),
            (30, 1) => self.one_shot.set(OneShot::SetHome(HomeSlot::G30), TWICE),
            (92, 1) => self.one_shot.set(OneShot::ResetOffset, TWICE),
            (0, 0) => self.motion(MotionMode::Rapid),
            (1, 0) => self.motion(MotionMode::Linear),
            (2, 0) => self.motion(MotionMode::ArcClockwise),
            (3, 0) => self.motion(MotionMode::ArcCounterClockwise),
            (38, tenths) => {
                let probe = ProbeMode::from_tenths(tenths).ok_or(Error::UnsupportedCommand)?;
                self.motion(MotionMode::Probe(probe))
            }
            (80, 0) => self.motion.set(MotionMode::None, TWICE),
            (17, 0) => self.plane.set(Plane::Xy, TWICE),
            (18, 0) => self.plane.set(Plane::Zx, TWICE),
            (19, 0) => self.plane.set(Plane::Yz, TWICE),
            (90, 0) => self.distance.set(Distance::Absolute, TWICE),
            (91, 0) => self.distance.set(Distance::Incremental, TWICE),
            (91, 1) => self.arc_distance.set((), TWICE),
            (93, 0) => self.feed_mode.set(FeedMode::InverseTime, TWICE),
            (94, 0) => self.feed_mode.set(FeedMode::PerMinute, TWICE),
            (20, 0) => self.units.set(Units::Inch, TWICE),
            (21, 0) => self.units.set(Units::Mm, TWICE),
            (40, 0) => self.cutter.set((), TWICE),
            (43, 1) => self.tool_length(ToolLength::Dynamic),
            (49, 0) => self.tool_length(ToolLength::Cancel),
            (54..=59, 0) => self.wcs.set(usize::from(code - 54), TWICE),
            (61, 0) => self.path.set((), TWICE),
            _ => Err(Error::UnsupportedCommand),
        }
    }

    fn one_shot_with_axes(&mut self, command: OneShot) -> Result<(), Error> {
        self.claim_axes(AxisCommand::OneShot)?;
        self.one_shot.set(command, Error::ModalGroupViolation)
    }

    fn motion(&mut self, mode: MotionMode) -> Result<(), Error> {
        self.claim_axes(AxisCommand::Motion)?;
        self.motion.set(mode, Error::ModalGroupViolation)
    }

    fn tool_length(&mut self, command: ToolLength) -> Result<(), Error> {
        self.claim_axes(AxisCommand::ToolLength)?;
        self.tool_length.set(command, Error::ModalGroupViolation)
    }

    fn claim_axes(&mut self, command: AxisCommand) -> Result<(), Error> {
        if self.axis_command.is_some() {
            return Err(Error::AxisCommandConflict);
        }
        self.axis_command = Some(command);
        Ok(())
    }

    fn take_m(&mut self, whole: f64) -> Result<(), Error> {
        const TWICE: Error = Error::ModalGroupViolation;
        match small(whole).ok_or(Error::UnsupportedCommand)? {
            0 => self.flow.set(Flow::Paused, TWICE),
            // Optional stop: grbl has no such switch and goes on.
            1 => self.flow.set(Flow::Running, TWICE),
            2 => self.flow.set(Flow::End, TWICE),
            30 => self.flow.set(Flow::EndRewind, TWICE),
            3 => self.spindle.set(Spindle::Clockwise, TWICE),
            4 => self.spindle.set(Spindle::CounterClockwise, TWICE),
            5 => self.spindle.set(Spindle::Off, TWICE),
            8 => self.coolant.set(Flood::On, TWICE),
            9 => self.coolant.set(Flood::Off, TWICE),
            // M7 too: mist is a build option that a stock grbl has not.
            _ => Err(Error::UnsupportedCommand),
        }
    }

    fn take_value(&mut self, letter: u8, value: f64) -> Result<(), Error> {
        let place = match letter {
            b'X' => &mut self.xyz[0],
            b'Y' => &mut self.xyz[1],
            b'Z' => &mut self.xyz[2],
            b'I' => &mut self.ijk[0],
            b'J' => &mut self.ijk[1],
            b'K' => &mut self.ijk[2],
            b'F' => &mut self.f,
            b'L' => &mut self.l,
            b'N' => &mut self.n,
            b'P' => &mut self.p,
            b'R' => &mut self.r,
            b'S' => &mut self.s,
            b'T' => &mut self.t,
            _ => return Err(Error::UnsupportedCommand),
        };
        place.set(value, Error::WordRepeated)?;
        if letter == b'T' && value > MAX_TOOL {
            return Err(Error::ValueTooLarge);
        }
        if value < 0.0 && matches!(letter, b'F' | b'N' | b'P' | b'T' | b'S') {
            return Err(Error::NegativeValue);
        }
        Ok(())
    }

    pub(super) fn has_axes(&self) -> bool {
        self.xyz.iter().any(Once::is_set)
    }

    /// A jog may say units, distance mode, machine coordinates, feed and axes; nothing else.
    pub(super) fn check_jog(&self) -> Result<MotionMode, Error> {
        let one_shot_fits = matches!(
            self.one_shot.get(),
            None | Some(OneShot::MachineCoordinates)
        );
        let other = self.motion.is_set()
            || self.plane.is_set()
            || self.arc_distance.is_set()
            || self.feed_mode.is_set()
            || self.cutter.is_set()
            || self.tool_length.is_set()
            || self.wcs.is_set()
            || self.path.is_set()
            || self.flow.is_set()
            || self.spindle.is_set()
            || self.coolant.is_set();
        if other || !one_shot_fits {
            return Err(Error::InvalidJog);
        }
        if !self.has_axes() {
            return Err(Error::NoAxisWords);
        }
        Ok(MotionMode::Linear)
    }

    /// An error if a value was given that no command of the line uses.
    pub(super) fn expect_all_used(&self) -> Result<(), Error> {
        let axes_left = self.axis_command.is_none() && self.has_axes();
        let values = [&self.l, &self.p, &self.r];
        if axes_left || self.ijk.iter().chain(values).any(Once::is_set) {
            return Err(Error::UnusedWords);
        }
        Ok(())
    }
}

/// A code number; `None` for what no code has.
fn small(value: f64) -> Option<u8> {
    (0.0..=255.0).contains(&value).then_some(value as u8)
}

/// grbl wants a letter where a word begins, and a number after it.
fn fault_error(kind: FaultKind, at: Option<u8>) -> Error {
    match (kind, at) {
        // A checksum is nothing that grbl knows.
        (_, Some(b'*')) => Error::ExpectedCommandLetter,
        (FaultKind::MissingValue(_) | FaultKind::BadNumber | FaultKind::BadParameter, _) => {
            Error::BadNumberFormat
        }
        _ => Error::ExpectedCommandLetter,
    }
}
