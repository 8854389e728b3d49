use super::path::{Frame, Turn};
use super::reading::{Letters, Reading, column_of};
use super::{Effect, Interpreter, Reference, Stop};
use crate::block::Block;
use crate::diagnostic::{Findings, Reason};
use crate::modal::{
    Coolant, CoordinateSystem, CutterCompensation, Distance, FeedMode, Group, MotionMode,
    Overrides, PathMode, Plane, Retract, Spindle, SpindleMode, ToolLength, Units,
};
use crate::motion::{MotionKind, Position};
use crate::number::Code;

/// Codes of a block whose effect has to wait for its other words.
#[derive(Default)]
struct Pending {
    seen: u32,
    motion: Option<MotionMode>,
    non_modal: Option<Code>,
    machine_frame: bool,
    tool_length: Option<ToolLength>,
    tool_change: bool,
    stop: Option<Stop>,
    feed_mode: Option<FeedMode>,
}

impl Interpreter {
    /// One block of RS-274/NGC, in the order of execution of NIST 6556, table 8.
    pub(super) fn apply_rs274(&mut self, block: &Block<'_>, effect: &mut Effect) {
        if let Some(setting) = block.setting() {
            return self.apply_setting(setting, effect);
        }
        if block.o_word().is_some() {
            effect.findings.push(1, Reason::FlowNotFollowed);
        }
        let mut reading = Reading::new();
        let mut pending = Pending::default();
        for word in block.words() {
            match word.letter {
                b'G' | b'M' => match word.code() {
                    Some(code) => {
                        self.note(word.letter, code, word.span.column(), &mut pending, effect)
                    }
                    None => effect
                        .findings
                        .push(word.span.column(), Reason::NotACode(word.letter)),
                },
                _ => reading.add(word, &mut effect.findings),
            }
        }
        self.set_feed(block, &mut reading, &pending, &mut effect.findings);
        self.set_speed_and_tool(block, &mut reading, &pending, effect);
        if pending.non_modal == Some(Code::new(4)) {
            dwell(block, &mut reading, effect);
        }
        self.set_tool_length(block, &mut reading, &mut pending, &mut effect.findings);
        self.move_or_set(block, &mut reading, &pending, effect);
        reading.report_unused(block, &mut effect.findings);
        effect.stop = effect.stop.or(pending.stop);
        if matches!(pending.stop, Some(Stop::End | Stop::EndRewind)) {
            self.end_program();
        }
    }

    /// Sets what a code sets at once, and keeps the rest for later.
    #[inline]
    fn note(
        &mut self,
        letter: u8,
        code: Code,
        column: usize,
        pending: &mut Pending,
        effect: &mut Effect,
    ) {
        let group = if letter == b'G' {
            Group::of_g(self.flavor, code)
        } else {
            Group::of_m(self.flavor, code)
        };
        let Some(group) = group else {
            return effect
                .findings
                .push(column, Reason::UnknownCode(letter, code));
        };
        let mark = 1_u32 << group as u32;
        let frame = code == Code::new(53) && letter == b'G';
        let together = frame || matches!(group, Group::Coolant | Group::InputOutput | Group::User);
        if pending.seen & mark != 0 && !together {
            effect.findings.push(column, Reason::SameGroup(group));
        }
        if !together {
            pending.seen |= mark;
        }
        if letter == b'G' {
            self.note_g(group, code, pending, column, &mut effect.findings);
        } else {
            self.note_m(group, code, pending, column, &mut effect.findings);
        }
    }

    #[inline]
    fn note_g(
        &mut self,
        group: Group,
        code: Code,
        pending: &mut Pending,
        column: usize,
        findings: &mut Findings,
    ) {
        let state = &mut self.state;
        match (group, code.major, code.minor) {
            (Group::Motion, ..) => pending.motion = MotionMode::from_code(code),
            (Group::NonModal, 53, _) => pending.machine_frame = true,
            (Group::NonModal, ..) => pending.non_modal = Some(code),
            (Group::Plane, 17, 0) => state.plane = Plane::Xy,
            (Group::Plane, 18, 0) => state.plane = Plane::Zx,
            (Group::Plane, 19, 0) => state.plane = Plane::Yz,
            (Group::Plane, 17, _) => state.plane = Plane::Uv,
            (Group::Plane, 18, _) => state.plane = Plane::Wu,
            (Group::Plane, ..) => state.plane = Plane::Vw,
            (Group::Distance, 90, _) => state.distance = Distance::Absolute,
            (Group::Distance, ..) => state.distance = Distance::Incremental,
            (Group::ArcDistance, 90, _) => state.arc_distance = Distance::Absolute,
            (Group::ArcDistance, ..) => state.arc_distance = Distance::Incremental,
            (Group::FeedMode, 93, _) => pending.feed_mode = Some(FeedMode::InverseTime),
            (Group::FeedMode, 94, _) => pending.feed_mode = Some(FeedMode::PerMinute),
            (Group::FeedMode, ..) => pending.feed_mode = Some(FeedMode::PerRevolution),
            (Group::Units, 20, _) => state.units = Units::Inch,
            (Group::Units, ..) => state.units = Units::Millimetre,
            (Group::CutterCompensation, 40, _) => {
                state.cutter_compensation = CutterCompensation::Off
            }
            (Group::CutterCompensation, 41, 0) => {
                state.cutter_compensation = CutterCompensation::Left
            }
            (Group::CutterCompensation, 42, 0) => {
                state.cutter_compensation = CutterCompensation::Right
            }
            (Group::CutterCompensation, 41, _) => {
                state.cutter_compensation = CutterCompensation::DynamicLeft
            }
            (Group::CutterCompensation, ..) => {
                state.cutter_compensation = CutterCompensation::DynamicRight
            }
            (Group::ToolLength, 43, 0) => pending.tool_length = Some(ToolLength::Table),
            (Group::ToolLength, 43, 1) => pending.tool_length = Some(ToolLength::Dynamic),
            (Group::ToolLength, 43, _) => pending.tool_length = Some(ToolLength::Additional),
            (Group::ToolLength, ..) => pending.tool_length = Some(ToolLength::Off),
            (Group::Retract, 98, _) => state.retract = Retract::Initial,
            (Group::Retract, ..) => state.retract = Retract::Plane,
            (Group::PathMode, 61, 0) => state.path_mode = PathMode::ExactPath,
            (Group::PathMode, 61, _) => state.path_mode = PathMode::ExactStop,
            (Group::PathMode, ..) => state.path_mode = PathMode::Continuous,
            (Group::SpindleMode, 96, _) => state.spindle_mode = SpindleMode::SurfaceSpeed,
            (Group::SpindleMode, ..) => state.spindle_mode = SpindleMode::Rpm,
            (Group::CoordinateSystem, ..) => {
                if let Some(system) = CoordinateSystem::from_code(code) {
                    self.select_system(system);
                }
            }
            // Diameters (G7) double every X word of a lathe; nothing here turns.
            (Group::Lathe, 7, _) => findings.push(column, Reason::NotInterpreted(b'G', code)),
            _ => {}
        }
    }

    fn note_m(
        &mut self,
        group: Group,
        code: Code,
        pending: &mut Pending,
        column: usize,
        findings: &mut Findings,
    ) {
        let state = &mut self.state;
        match (group, code.major) {
            (Group::Stopping, 0) => pending.stop = Some(Stop::Pause),
            (Group::Stopping, 1) => pending.stop = Some(Stop::OptionalPause),
            (Group::Stopping, 2) => pending.stop = Some(Stop::End),
            (Group::Stopping, 30) => pending.stop = Some(Stop::EndRewind),
            (Group::Stopping, _) => pending.stop = Some(Stop::PalletChange),
            (Group::Spindle, 3) => state.spindle = Spindle::Clockwise,
            (Group::Spindle, 4) => state.spindle = Spindle::Counterclockwise,
            (Group::Spindle, 5) => state.spindle = Spindle::Off,
            (Group::Coolant, 7) => state.coolant.mist = true,
            (Group::Coolant, 8) => state.coolant.flood = true,
            (Group::Coolant, _) => state.coolant = Coolant::default(),
            (Group::Overrides, 48) => state.overrides = Overrides::Enabled,
            (Group::Overrides, 49) => state.overrides = Overrides::Disabled,
            (Group::ToolChange, 6) => pending.tool_change = true,
            (Group::SubProgram, _) => findings.push(column, Reason::FlowNotFollowed),
            (Group::ToolChange | Group::SavedState, _) => {
                findings.push(column, Reason::NotInterpreted(b'M', code))
            }
            _ => {}
        }
        if matches!(code.major, 19 | 50..=53 | 56 | 61..=68 | 98..=199) {
            // These take words of their own; which ones is the business of the code's owner.
            pending.seen |= OWN_WORDS;
        }
    }

    fn set_feed(
        &mut self,
        block: &Block<'_>,
        reading: &mut Reading,
        pending: &Pending,
        findings: &mut Findings,
    ) {
        if let Some(mode) = pending.feed_mode
            && mode != self.state.feed_mode
        {
            // A feed of one mode means nothing in another.
            self.state.feed_mode = mode;
            self.state.feed = 0.0;
        }
        let Some(feed) = reading.take(b'F') else {
            return;
        };
        if feed < 0.0 {
            return findings.push(column_of(block, b'F'), Reason::BadCount(b'F'));
        }
        self.state.feed = match self.state.feed_mode {
            FeedMode::InverseTime => feed,
            FeedMode::PerMinute | FeedMode::PerRevolution => feed * self.state.units.millimetres(),
        };
    }

    fn set_speed_and_tool(
        &mut self,
        block: &Block<'_>,
        reading: &mut Reading,
        pending: &Pending,
        effect: &mut Effect,
    ) {
        if let Some(speed) = reading.take(b'S') {
            if speed < 0.0 {
                effect
                    .findings
                    .push(column_of(block, b'S'), Reason::BadCount(b'S'));
            } else {
                self.state.spindle_speed = speed;
            }
        }
        if let Some(tool) = reading.take_count(b'T', block, &mut effect.findings) {
            self.state.selected_tool = Some(tool);
        }
        if pending.tool_change {
            self.state.tool = self.state.selected_tool.or(self.state.tool);
            effect.tool_change = Some(self.state.tool.unwrap_or(0));
            effect.stop = Some(Stop::ToolChange);
        }
    }

    fn set_tool_length(
        &mut self,
        block: &Block<'_>,
        reading: &mut Reading,
        pending: &mut Pending,
        findings: &mut Findings,
    ) {
        let Some(length) = pending.tool_length else {
            return;
        };
        self.state.tool_length = length;
        match length {
            ToolLength::Off => self.tool = Position::ORIGIN,
            ToolLength::Dynamic => {
                if pending.motion.is_some() {
                    findings.push(column_of(block, b'G'), Reason::AxisConflict);
                }
                let unit = self.state.units.millimetres();
                let mut tool = self.tool;
                reading.axes(Letters::AXES, |axis, value| {
                    tool[axis] = if axis.is_rotary() {
                        value
                    } else {
                        value * unit
                    };
                });
                self.tool = tool;
                pending.seen |= AXES_TAKEN;
            }
            ToolLength::Table | ToolLength::Additional => {
                reading.mark_used(Letters::of(b"H"));
                let code = if length == ToolLength::Table {
                    Code::new(43)
                } else {
                    Code::tenths(43, 2)
                };
                findings.push(column_of(block, b'G'), Reason::NotInterpreted(b'G', code));
            }
        }
        self.refresh_offset();
    }

    /// The one thing of a block that uses the axis words.
    fn move_or_set(
        &mut self,
        block: &Block<'_>,
        reading: &mut Reading,
        pending: &Pending,
        effect: &mut Effect,
    ) {
        if pending.seen & OWN_WORDS != 0 {
            reading.mark_used(Letters::of(b"ABCDEHIJKLPQRUVWXYZ"));
        }
        if let Some(mode) = pending.motion {
            self.state.motion = mode;
        }
        let axes = reading.any(Letters::AXES) && pending.seen & AXES_TAKEN == 0;
        if let Some(code) = pending.non_modal.filter(|code| code.major != 4) {
            if axes
                && pending
                    .motion
                    .is_some_and(|mode| mode != MotionMode::Cancelled)
            {
                effect
                    .findings
                    .push(column_of(block, b'G'), Reason::AxisConflict);
            }
            return self.non_modal(code, block, reading, effect);
        }
        let centre = pending.motion.is_some() && reading.any(Letters::of(b"IJK"));
        let user_words = pending.seen & OWN_WORDS != 0 && pending.motion.is_none();
        if (axes || centre) && !user_words {
            let frame = if pending.machine_frame {
                Frame::Machine
            } else {
                Frame::Work
            };
            self.perform(self.state.motion, frame, block, reading, effect);
        } else if !axes {
            self.mark_motion_words(pending.motion, reading);
        }
    }

    /// A canned cycle may be set up by a block without axis words.
    fn mark_motion_words(&self, motion: Option<MotionMode>, reading: &mut Reading) {
        if matches!(
            motion,
            Some(MotionMode::Canned(_) | MotionMode::Threading(_) | MotionMode::Spline(_))
        ) {
            reading.mark_used(Letters::of(b"DEHIJKLPQR"));
        }
    }

    fn perform(
        &mut self,
        mode: MotionMode,
        frame: Frame,
        block: &Block<'_>,
        reading: &mut Reading,
        effect: &mut Effect,
    ) {
        if reading.any_computed(Letters::of(b"XYZABCUVWIJKR")) {
            // Where this leads only the controller knows; the words have findings of their own.
            return reading.mark_used(Letters::of(b"ABCDEHIJKLPQRUVWXYZ"));
        }
        let to = self.target(reading, Letters::AXES, frame);
        if !matches!(
            mode,
            MotionMode::Rapid | MotionMode::Cancelled | MotionMode::Canned(_)
        ) {
            self.check_feed(block, effect);
        }
        match mode {
            MotionMode::Rapid => self.go(effect, MotionKind::Rapid, to),
            MotionMode::Linear => self.go(effect, MotionKind::Linear, to),
            MotionMode::Probe(probe) => self.go(effect, MotionKind::Probe(probe), to),
            MotionMode::ArcClockwise | MotionMode::ArcCounterclockwise => {
                let turns = reading
                    .take_count(b'P', block, &mut effect.findings)
                    .unwrap_or(1);
                let turn = Turn {
                    clockwise: mode == MotionMode::ArcClockwise,
                    further: turns.saturating_sub(1),
                };
                self.go_arc(block, reading, effect, to, turn);
            }
            MotionMode::Cancelled => effect.findings.push(1, Reason::NoMotionMode),
            MotionMode::Spline(code) => {
                reading.mark_used(Letters::of(b"IJPQRL"));
                effect
                    .findings
                    .push(column_of(block, b'G'), Reason::NotInterpreted(b'G', code));
                self.go(effect, MotionKind::Spline, to);
            }
            MotionMode::Threading(code) => {
                reading.mark_used(Letters::of(b"DEHIJKLPQR"));
                effect
                    .findings
                    .push(column_of(block, b'G'), Reason::NotInterpreted(b'G', code));
                if code == Code::new(33) {
                    self.position = to;
                }
            }
            MotionMode::Canned(code) => {
                reading.mark_used(Letters::of(b"IJKLPQR"));
                effect
                    .findings
                    .push(column_of(block, b'G'), Reason::NotInterpreted(b'G', code));
                // A cycle ends above its last hole, whatever it did on the way.
                let (_, _, depth) = self.state.plane.axes();
                let height = self.position[depth];
                self.position = to;
                self.position[depth] = height;
            }
        }
    }

    fn check_feed(&self, block: &Block<'_>, effect: &mut Effect) {
        match self.state.feed_mode {
            FeedMode::InverseTime if block.word(b'F').is_none() => {
                effect.findings.push(1, Reason::NoInverseTime)
            }
            _ if self.state.feed == 0.0 => effect.findings.push(1, Reason::NoFeed),
            _ => {}
        }
    }

    fn non_modal(
        &mut self,
        code: Code,
        block: &Block<'_>,
        reading: &mut Reading,
        effect: &mut Effect,
    ) {
        if reading.any_computed(Letters::of(b"XYZABCUVWLPR")) {
            return reading.mark_used(Letters::of(b"ABCLPRUVWXYZ"));
        }
        match (code.major, code.minor) {
            (10, _) => self.set_system(code, block, reading, effect),
            (28, 0) => self.go_home(Reference::G28, reading, effect),
            (30, 0) => self.go_home(Reference::G30, reading, effect),
            (28, _) => self.references[Reference::G28 as usize] = self.position,
            (30, _) => self.references[Reference::G30 as usize] = self.position,
            (92, 0) => self.shift_to(reading, Letters::AXES),
            (92, 1) => {
                self.g92 = Position::ORIGIN;
                self.g92_suspended = Position::ORIGIN;
            }
            (92, 2) => {
                self.g92_suspended = self.g92;
                self.g92 = Position::ORIGIN;
            }
            (92, _) => self.g92 = self.g92_suspended,
            _ => {
                reading.mark_used(Letters::AXES);
                effect
                    .findings
                    .push(column_of(block, b'G'), Reason::NotInterpreted(b'G', code));
            }
        }
        self.refresh_offset();
    }

    /// G92: the axes named get the value given, without motion.
    pub(super) fn shift_to(&mut self, reading: &mut Reading, axes: Letters) {
        let system = self.systems[self.state.coordinate_system as usize];
        let unit = self.state.units.millimetres();
        let (position, tool) = (self.position, self.tool);
        let g92 = &mut self.g92;
        reading.axes(axes, |axis, value| {
            let value = if axis.is_rotary() {
                value
            } else {
                value * unit
            };
            g92[axis] = position[axis] - value - system[axis] - tool[axis];
        });
        self.refresh_offset();
    }

    /// G10 L2 and L20.
    fn set_system(
        &mut self,
        code: Code,
        block: &Block<'_>,
        reading: &mut Reading,
        effect: &mut Effect,
    ) {
        let kind = reading.take_count(b'L', block, &mut effect.findings);
        let Some(number) = reading.take_count(b'P', block, &mut effect.findings) else {
            return effect
                .findings
                .push(column_of(block, b'G'), Reason::MissingWord(b'P'));
        };
        let system = match number {
            0 => Some(self.state.coordinate_system),
            number => CoordinateSystem::ALL.get(number as usize - 1).copied(),
        };
        let Some(system) = system else {
            return effect
                .findings
                .push(column_of(block, b'P'), Reason::BadCount(b'P'));
        };
        let unit = self.state.units.millimetres();
        let (position, g92, tool) = (self.position, self.g92, self.tool);
        let origin = &mut self.systems[system as usize];
        match kind {
            Some(2) => reading.axes(Letters::AXES, |axis, value| {
                origin[axis] = if axis.is_rotary() {
                    value
                } else {
                    value * unit
                };
            }),
            Some(20) => reading.axes(Letters::AXES, |axis, value| {
                let value = if axis.is_rotary() {
                    value
                } else {
                    value * unit
                };
                origin[axis] = position[axis] - value - g92[axis] - tool[axis];
            }),
            Some(1 | 10 | 11) => {
                reading.mark_used(Letters::of(b"ABCIJQRUVWXYZ"));
                effect
                    .findings
                    .push(column_of(block, b'G'), Reason::NotInterpreted(b'G', code));
            }
            Some(_) => effect
                .findings
                .push(column_of(block, b'L'), Reason::BadCount(b'L')),
            None => effect
                .findings
                .push(column_of(block, b'G'), Reason::MissingWord(b'L')),
        }
        if reading.take(b'R').is_some() {
            effect
                .findings
                .push(column_of(block, b'R'), Reason::NotInterpreted(b'G', code));
        }
    }

    /// G28 and G30: through the point that the axis words name, then those axes to the stored position;
    /// all axes when none is named.
    fn go_home(&mut self, reference: Reference, reading: &mut Reading, effect: &mut Effect) {
        let stored = self.references[reference as usize];
        if !reading.any(Letters::AXES) {
            return self.go(effect, MotionKind::Home { via: None }, stored);
        }
        let via = self.target(reading, Letters::AXES, Frame::Work);
        let mut to = via;
        reading.axes(Letters::AXES, |axis, _| to[axis] = stored[axis]);
        self.go(effect, MotionKind::Home { via: Some(via) }, to);
    }

    /// `$J=…` moves without touching the modal state; other settings move nothing that is known here.
    fn apply_setting(&mut self, setting: &[u8], effect: &mut Effect) {
        let Some(line) = setting
            .strip_prefix(b"$J=")
            .or_else(|| setting.strip_prefix(b"$j="))
        else {
            return;
        };
        let block = Block::parse(self.flavor, line);
        let state = self.state;
        self.state.motion = MotionMode::Linear;
        self.state.feed_mode = FeedMode::PerMinute;
        self.apply_rs274(&block, effect);
        self.state = state;
        if let Some(motion) = &mut effect.motion {
            motion.kind = MotionKind::Jog;
        }
    }

    /// What M2 and M30 reset, as grbl 1.1 documents it.
    fn end_program(&mut self) {
        let state = &mut self.state;
        state.motion = MotionMode::Linear;
        state.plane = Plane::Xy;
        state.distance = Distance::Absolute;
        state.feed_mode = FeedMode::PerMinute;
        state.cutter_compensation = CutterCompensation::Off;
        state.overrides = Overrides::Enabled;
        state.spindle = Spindle::Off;
        state.coolant = Coolant::default();
        self.select_system(CoordinateSystem::G54);
    }
}

/// Marks in [`Pending::seen`] above those of the groups.
const AXES_TAKEN: u32 = 1 << 30;
const OWN_WORDS: u32 = 1 << 31;

/// G4: P in seconds.
fn dwell(block: &Block<'_>, reading: &mut Reading, effect: &mut Effect) {
    match reading.take(b'P') {
        Some(seconds) if seconds >= 0.0 => effect.dwell_s = Some(seconds),
        Some(_) => effect
            .findings
            .push(column_of(block, b'P'), Reason::BadCount(b'P')),
        None if reading.names(b'P') => {}
        None => effect
            .findings
            .push(column_of(block, b'G'), Reason::MissingWord(b'P')),
    }
}
