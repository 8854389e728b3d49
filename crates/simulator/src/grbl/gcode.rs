use super::code::Error;
use super::modal::{
    Distance, FeedMode, Flood, Flow, HomeSlot, Modal, MotionMode, OneShot, ProbeMode, Spindle,
    ToolLength, Units,
};
use super::words::{AxisCommand, Words};
use crate::motion::ArcPath;

/// The parser's memory: modes, positions and offsets. Lost by a reset, but for `coordinates`.
#[derive(Clone, Debug)]
pub(super) struct Parser {
    pub(super) modal: Modal,
    /// mm/min, or 1/min in inverse time mode.
    pub(super) feed: f64,
    pub(super) spindle_rpm: f64,
    pub(super) tool: f64,
    /// Machine position at the end of everything accepted, mm.
    pub(super) position: [f64; 3],
    /// G92.
    pub(super) offset: [f64; 3],
    /// G43.1, on Z.
    pub(super) tool_length: f64,
    /// G54 to G59, G28, G30; the EEPROM keeps them.
    pub(super) coordinates: [[f64; 3]; 8],
}

/// What the machine has to do for a line, in order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    Spindle(Spindle, f64),
    Coolant(Flood),
    Dwell(f64),
    /// Stores one of the eight coordinate sets.
    Store(usize, [f64; 3]),
    Move(Move),
    Probe(Move, ProbeMode),
    Pause,
    Home,
    End,
}

/// A motion to be planned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    pub(super) target: [f64; 3],
    pub(super) shape: Shape,
    /// mm/min as programmed, or 1/min.
    pub(super) feed: f64,
    pub(super) feed_mode: FeedMode,
    pub(super) line: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Rapid,
    Line,
    Arc(ArcPath),
    Jog,
}

/// Most actions of one line: spindle, coolant, dwell, one-shot with two moves, motion, program flow.
pub(super) const MOST_ACTIONS: usize = 8;

/// Largest line number.
const MAX_LINE_NUMBER: f64 = 10_000_000.0;

impl Parser {
    pub(super) fn new(position: [f64; 3]) -> Self {
        Self {
            modal: Modal::default(),
            feed: 0.0,
            spindle_rpm: 0.0,
            tool: 0.0,
            position,
            offset: [0.0; 3],
            tool_length: 0.0,
            coordinates: [[0.0; 3]; 8],
        }
    }

    /// A reset: everything but the EEPROM's content is lost.
    pub(super) fn reset(&mut self, position: [f64; 3]) {
        let coordinates = self.coordinates;
        *self = Self {
            coordinates,
            ..Self::new(position)
        };
    }

    /// Work coordinates = machine coordinates minus this.
    pub(super) fn work_offset(&self) -> [f64; 3] {
        let wcs = self
            .coordinates
            .get(self.modal.wcs)
            .copied()
            .unwrap_or_default();
        let tool = [0.0, 0.0, self.tool_length];
        std::array::from_fn(|axis| wcs[axis] + self.offset[axis] + tool[axis])
    }

    /// Accepts or refuses a line of G-code. On success the modes are changed and `actions` says what
    /// the machine has to do; on failure nothing has changed.
    pub(super) fn execute(
        &mut self,
        line: &[u8],
        arc_tolerance: f64,
        actions: &mut impl Extend<Action>,
    ) -> Result<(), Error> {
        let words = Words::parse(line)?;
        let mut next = self.clone();
        let plan = next.check(words, arc_tolerance, JogOrNot::Program)?;
        actions.extend(plan.into_iter().flatten());
        *self = next;
        Ok(())
    }

    /// Accepts or refuses the G-code of a `$J=` line; only the position changes.
    pub(super) fn jog(&mut self, line: &[u8]) -> Result<Option<Move>, Error> {
        let words = Words::parse(line)?;
        let mut next = self.clone();
        let plan = next.check(words, 0.0, JogOrNot::Jog)?;
        let jog = plan.into_iter().flatten().find_map(|action| match action {
            Action::Move(jog) => Some(jog),
            _ => None,
        });
        self.position = next.position;
        Ok(jog)
    }

    /// The second pass: checks the line against the state, in RS-274's order of execution, and
    /// changes `self` as it goes (the caller throws `self` away on an error).
    fn check(
        &mut self,
        mut words: Words,
        arc_tolerance: f64,
        jog: JogOrNot,
    ) -> Result<[Option<Action>; MOST_ACTIONS], Error> {
        if words.has_axes() && words.axis_command.is_none() {
            words.axis_command = Some(AxisCommand::Motion);
        }
        let line = match words.n.get() {
            Some(n) if n > MAX_LINE_NUMBER => return Err(Error::InvalidLineNumber),
            n => n.map(|n| n as u64),
        };
        let mut motion_mode = words.motion.get().unwrap_or(self.modal.motion);
        if jog == JogOrNot::Jog {
            motion_mode = words.check_jog()?;
        }
        let units = words.units.get().unwrap_or(self.modal.units);
        let feed = self.feed_of(&words, units, motion_mode, jog)?;
        let dwell = match words.one_shot.get() {
            Some(OneShot::Dwell) => Some(words.p.take().ok_or(Error::ValueMissing)?),
            _ => None,
        };
        let old = self.modal;
        let old_rpm = self.spindle_rpm;
        self.take_modes(&words, units);
        let xyz: [Option<f64>; 3] = words.xyz.map(|word| word.get().map(|v| v * units.mm()));
        self.take_tool_length(&words, &xyz)?;
        if let Some(wcs) = words.wcs.get() {
            self.modal.wcs = wcs;
        }
        let stored = self.coordinate_command(&mut words, &xyz)?;
        let target = self.target(&words, &xyz);
        let home = self.home_command(&words, target, line);
        let feed_mode = match jog {
            JogOrNot::Jog => FeedMode::PerMinute,
            JogOrNot::Program => self.modal.feed_mode,
        };
        let plan = Plan {
            feed,
            feed_mode,
            line,
        };
        let motion = self.motion(&mut words, motion_mode, target, arc_tolerance, jog, plan)?;
        words.expect_all_used()?;

        // Everything is right; what is left is to do it.
        self.feed = feed;
        if let Some(t) = words.t.get() {
            self.tool = t.trunc();
        }
        if let Some(s) = words.s.get() {
            self.spindle_rpm = s;
        }
        self.modal.motion = motion_mode;
        if jog == JogOrNot::Jog {
            return Ok([motion, None, None, None, None, None, None, None]);
        }
        let spindle_changes = self.modal.spindle != old.spindle
            || (self.modal.spindle != Spindle::Off && self.spindle_rpm != old_rpm);
        let spindle =
            spindle_changes.then_some(Action::Spindle(self.modal.spindle, self.spindle_rpm));
        let coolant = (self.modal.flood != old.flood).then_some(Action::Coolant(self.modal.flood));
        let [home_via, home_to] = home;
        let flow = words.flow.get().and_then(|flow| self.flow(flow));
        let dwell = dwell.map(Action::Dwell);
        Ok([
            spindle, coolant, dwell, stored, home_via, home_to, motion, flow,
        ])
    }

    /// The feed that holds for this line and after it.
    fn feed_of(
        &self,
        words: &Words,
        units: Units,
        motion: MotionMode,
        jog: JogOrNot,
    ) -> Result<f64, Error> {
        let mode = words.feed_mode.get().unwrap_or(self.modal.feed_mode);
        let word = words.f.get();
        match (jog, mode) {
            (JogOrNot::Jog, _) => word.map(|f| f * units.mm()).ok_or(Error::UndefinedFeed),
            (JogOrNot::Program, FeedMode::InverseTime) => {
                let cuts = !matches!(motion, MotionMode::None | MotionMode::Rapid);
                if words.axis_command == Some(AxisCommand::Motion) && cuts && word.is_none() {
                    return Err(Error::UndefinedFeed);
                }
                Ok(word.unwrap_or(0.0))
            }
            (JogOrNot::Program, FeedMode::PerMinute) => Ok(match word {
                Some(f) => f * units.mm(),
                // A feed of the other mode means nothing here.
                None if self.modal.feed_mode == FeedMode::InverseTime => 0.0,
                None => self.feed,
            }),
        }
    }

    fn take_modes(&mut self, words: &Words, units: Units) {
        let modal = &mut self.modal;
        modal.units = units;
        modal.plane = words.plane.get().unwrap_or(modal.plane);
        modal.distance = words.distance.get().unwrap_or(modal.distance);
        modal.feed_mode = words.feed_mode.get().unwrap_or(modal.feed_mode);
        modal.spindle = words.spindle.get().unwrap_or(modal.spindle);
        modal.flood = words.coolant.get().unwrap_or(modal.flood);
    }

    fn take_tool_length(&mut self, words: &Words, xyz: &[Option<f64>; 3]) -> Result<(), Error> {
        match (words.tool_length.get(), xyz) {
            (Some(ToolLength::Dynamic), [None, None, Some(z)]) => self.tool_length = *z,
            (Some(ToolLength::Dynamic), _) => return Err(Error::ToolLengthAxis),
            (Some(ToolLength::Cancel), _) => self.tool_length = 0.0,
            (None, _) => {}
        }
        Ok(())
    }

    /// G10, G92, G92.1, G28.1 and G30.1.
    fn coordinate_command(
        &mut self,
        words: &mut Words,
        xyz: &[Option<f64>; 3],
    ) -> Result<Option<Action>, Error> {
        match words.one_shot.get() {
            Some(OneShot::SetCoordinates) => {
                if !words.has_axes() {
                    return Err(Error::NoAxisWords);
                }
                self.set_coordinates(words, xyz).map(Some)
            }
            Some(OneShot::SetOffset) => {
                if !words.has_axes() {
                    return Err(Error::NoAxisWords);
                }
                let base = self.work_offset();
                for (axis, value) in xyz.iter().enumerate() {
                    if let Some(value) = value {
                        let without = base[axis] - self.offset[axis];
                        self.offset[axis] = self.position[axis] - without - value;
                    }
                }
                Ok(None)
            }
            Some(OneShot::ResetOffset) => {
                self.offset = [0.0; 3];
                Ok(None)
            }
            Some(OneShot::SetHome(slot)) => Ok(Some(Action::Store(slot.index(), self.position))),
            _ => Ok(None),
        }
    }

    fn set_coordinates(&self, words: &mut Words, xyz: &[Option<f64>; 3]) -> Result<Action, Error> {
        let (Some(p), Some(l)) = (words.p.take(), words.l.take()) else {
            return Err(Error::ValueMissing);
        };
        if p.trunc() > 6.0 {
            return Err(Error::UnsupportedCoordinateSystem);
        }
        // P0 means the active system.
        let slot = (p as usize).checked_sub(1).unwrap_or(self.modal.wcs);
        let relative = match l.trunc() as i64 {
            20 => true,
            2 if !words.r.is_set() => false,
            _ => return Err(Error::UnsupportedCommand),
        };
        let mut set = self.coordinates.get(slot).copied().unwrap_or_default();
        for (axis, value) in xyz.iter().enumerate() {
            let Some(value) = value else { continue };
            set[axis] = if relative {
                let tool = if axis == 2 { self.tool_length } else { 0.0 };
                self.position[axis] - self.offset[axis] - tool - value
            } else {
                *value
            };
        }
        Ok(Action::Store(slot, set))
    }

    /// Where the axis words point, in machine coordinates.
    fn target(&self, words: &Words, xyz: &[Option<f64>; 3]) -> [f64; 3] {
        let uses = matches!(
            words.axis_command,
            Some(AxisCommand::Motion) | Some(AxisCommand::OneShot)
        );
        if !uses {
            return self.position;
        }
        let machine = matches!(words.one_shot.get(), Some(OneShot::MachineCoordinates));
        let offset = self.work_offset();
        std::array::from_fn(|axis| match (xyz[axis], self.modal.distance) {
            (None, _) => self.position[axis],
            (Some(value), _) if machine => value,
            (Some(value), Distance::Absolute) => value + offset[axis],
            (Some(value), Distance::Incremental) => value + self.position[axis],
        })
    }

    /// G28 and G30: to the intermediate point if there is one, then to the stored place.
    fn home_command(
        &mut self,
        words: &Words,
        via: [f64; 3],
        line: Option<u64>,
    ) -> [Option<Action>; 2] {
        let Some(OneShot::GoHome(slot)) = words.one_shot.get() else {
            return [None, None];
        };
        let stored = self.stored(slot);
        // With a point on the way, only the axes that name it go on to the stored place.
        let to = std::array::from_fn(|axis| {
            if words.has_axes() && !words.xyz[axis].is_set() {
                via[axis]
            } else {
                stored[axis]
            }
        });
        let plan = Plan {
            feed: 0.0,
            feed_mode: FeedMode::PerMinute,
            line,
        };
        let via = words
            .has_axes()
            .then(|| Action::Move(plan.to(via, Shape::Rapid)));
        self.position = to;
        [via, Some(Action::Move(plan.to(to, Shape::Rapid)))]
    }

    fn stored(&self, slot: HomeSlot) -> [f64; 3] {
        self.coordinates
            .get(slot.index())
            .copied()
            .unwrap_or_default()
    }

    fn motion(
        &mut self,
        words: &mut Words,
        mode: MotionMode,
        target: [f64; 3],
        arc_tolerance: f64,
        jog: JogOrNot,
        plan: Plan,
    ) -> Result<Option<Action>, Error> {
        let machine = matches!(words.one_shot.get(), Some(OneShot::MachineCoordinates));
        if machine && !matches!(mode, MotionMode::Rapid | MotionMode::Linear) {
            return Err(Error::G53NeedsMotion);
        }
        if words.axis_command != Some(AxisCommand::Motion) {
            return Ok(None);
        }
        if mode == MotionMode::None {
            return if words.has_axes() {
                Err(Error::AxisWordsExist)
            } else {
                Ok(None)
            };
        }
        if mode != MotionMode::Rapid && plan.feed == 0.0 {
            return Err(Error::UndefinedFeed);
        }
        let moves = words.has_axes();
        let action = match mode {
            MotionMode::Rapid | MotionMode::Linear if !moves => {
                words.axis_command = None;
                return Ok(None);
            }
            MotionMode::Linear if jog == JogOrNot::Jog => Action::Move(plan.to(target, Shape::Jog)),
            MotionMode::Rapid => Action::Move(plan.to(target, Shape::Rapid)),
            MotionMode::Linear => Action::Move(plan.to(target, Shape::Line)),
            MotionMode::ArcClockwise | MotionMode::ArcCounterClockwise => {
                let arc = self.arc(words, mode, target, arc_tolerance)?;
                Action::Move(plan.to(target, Shape::Arc(arc)))
            }
            MotionMode::Probe(probe) => {
                if !moves {
                    return Err(Error::NoAxisWords);
                }
                if target == self.position {
                    return Err(Error::InvalidTarget);
                }
                Action::Probe(plan.to(target, Shape::Line), probe)
            }
            MotionMode::None => return Ok(None),
        };
        self.position = target;
        Ok(Some(action))
    }

    fn flow(&mut self, flow: Flow) -> Option<Action> {
        match flow {
            Flow::Running => None,
            Flow::Paused => Some(Action::Pause),
            Flow::End | Flow::EndRewind => {
                // What the end of a program sets back, after the line's own work is done.
                let end = Modal {
                    motion: MotionMode::Linear,
                    units: self.modal.units,
                    ..Modal::default()
                };
                self.modal = end;
                Some(Action::End)
            }
        }
    }
}

/// Whether a line is a jog, which is checked by rules of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JogOrNot {
    Program,
    Jog,
}

/// What all motions of a line share.
#[derive(Clone, Copy, Debug)]
struct Plan {
    feed: f64,
    feed_mode: FeedMode,
    line: Option<u64>,
}

impl Plan {
    fn to(&self, target: [f64; 3], shape: Shape) -> Move {
        Move {
            target,
            shape,
            feed: self.feed,
            feed_mode: self.feed_mode,
            line: self.line,
        }
    }
}

pub(super) fn with_e([x, y, z]: [f64; 3]) -> [f64; 4] {
    [x, y, z, 0.0]
}
