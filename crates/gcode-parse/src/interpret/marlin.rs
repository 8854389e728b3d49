use super::path::{Frame, Turn};
use super::reading::{Letters, Reading, column_of};
use super::{AxisOnlyLines, Effect, Interpreter, Stop};
use crate::block::Block;
use crate::diagnostic::Reason;
use crate::modal::{Coolant, CoordinateSystem, Distance, Group, MotionMode, Plane, Spindle, Units};
use crate::motion::{Axis, MotionKind, Position};
use crate::number::Code;
use crate::token::Word;

impl Interpreter {
    /// One line of Marlin: the first G, M or T word is the command, all others are its parameters.
    pub(super) fn apply_marlin(&mut self, block: &Block<'_>, effect: &mut Effect) {
        if block.line_number().is_some() && block.checksum_ok() == Some(false) {
            // The firmware asks for the line again instead of running it. Without a number it does not look at the checksum.
            return effect.findings.push(1, Reason::WrongChecksum);
        }
        let Some((first, rest)) = block.words().split_first() else {
            return;
        };
        let mut reading = Reading::new();
        match first.letter {
            b'G' | b'M' | b'T' => {
                rest.iter()
                    .for_each(|word| reading.add(word, &mut effect.findings));
                self.command(first, block, &mut reading, effect);
            }
            _ if self.axis_only == AxisOnlyLines::RepeatMotion => {
                block
                    .words()
                    .iter()
                    .for_each(|word| reading.add(word, &mut effect.findings));
                self.move_as(self.state.motion, block, &mut reading, effect);
            }
            _ => effect.findings.push(first.span.column(), Reason::NoCommand),
        }
    }

    fn command(
        &mut self,
        first: &Word<'_>,
        block: &Block<'_>,
        reading: &mut Reading,
        effect: &mut Effect,
    ) {
        if first.letter == b'T' {
            return self.take_tool(first, effect);
        }
        let Some(code) = first.code() else {
            return effect
                .findings
                .push(first.span.column(), Reason::NotACode(first.letter));
        };
        let group = match first.letter {
            b'G' => Group::of_g(self.flavor, code),
            _ => Group::of_m(self.flavor, code),
        };
        match (group, first.letter) {
            (None, letter) => effect
                .findings
                .push(first.span.column(), Reason::UnknownCode(letter, code)),
            (Some(Group::Motion), _) => match MotionMode::from_code(code) {
                Some(mode) => self.move_as(mode, block, reading, effect),
                None => effect
                    .findings
                    .push(first.span.column(), Reason::NotInterpreted(b'G', code)),
            },
            (Some(_), b'G') => self.g_command(code, block, reading, effect),
            (Some(_), _) => self.m_command(code, block, reading, effect),
        }
    }

    fn move_as(
        &mut self,
        mode: MotionMode,
        block: &Block<'_>,
        reading: &mut Reading,
        effect: &mut Effect,
    ) {
        if let Some(feed) = reading.take(b'F')
            && feed > 0.0
        {
            self.state.feed = feed * self.state.units.millimetres();
        }
        self.state.motion = mode;
        let axes = reading.any(Letters::PRINTER_AXES);
        let arc = matches!(
            mode,
            MotionMode::ArcClockwise | MotionMode::ArcCounterclockwise
        );
        let centre = arc && reading.any(Letters::of(b"IJKR"));
        if !(axes || centre) {
            return;
        }
        let to = self.target(reading, Letters::PRINTER_AXES, Frame::Work);
        match mode {
            MotionMode::Rapid => self.go(effect, MotionKind::Rapid, to),
            MotionMode::Linear => self.go(effect, MotionKind::Linear, to),
            MotionMode::Probe(probe) => self.go(effect, MotionKind::Probe(probe), to),
            MotionMode::ArcClockwise | MotionMode::ArcCounterclockwise => {
                let further = reading
                    .take_count(b'P', block, &mut effect.findings)
                    .unwrap_or(0);
                let turn = Turn {
                    clockwise: mode == MotionMode::ArcClockwise,
                    further,
                };
                self.go_arc(block, reading, effect, to, turn);
            }
            MotionMode::Spline(code) => {
                effect
                    .findings
                    .push(column_of(block, b'G'), Reason::NotInterpreted(b'G', code));
                self.go(effect, MotionKind::Spline, to);
            }
            MotionMode::Threading(code) | MotionMode::Canned(code) => {
                effect
                    .findings
                    .push(column_of(block, b'G'), Reason::NotInterpreted(b'G', code));
            }
            MotionMode::Cancelled => {}
        }
    }

    fn g_command(
        &mut self,
        code: Code,
        block: &Block<'_>,
        reading: &mut Reading,
        effect: &mut Effect,
    ) {
        let state = &mut self.state;
        match (code.major, code.minor) {
            (4, _) => effect.dwell_s = dwell_s(reading),
            (10, _) => state.retracted = true,
            (11, _) => state.retracted = false,
            (17, _) => state.plane = Plane::Xy,
            (18, _) => state.plane = Plane::Zx,
            (19, _) => state.plane = Plane::Yz,
            (20, _) => state.units = Units::Inch,
            (21, _) => state.units = Units::Millimetre,
            // Marlin's G90 and G91 reach the extruder too; M82 and M83 then differ for it alone.
            (90, _) => (state.distance, state.extrusion) = (Distance::Absolute, Distance::Absolute),
            (91, _) => {
                (state.distance, state.extrusion) = (Distance::Incremental, Distance::Incremental)
            }
            (28, 0) => self.home(reading, effect),
            (92, 0) => self.shift_to(reading, Letters::PRINTER_AXES),
            (92, _) => {
                // G92.1 takes the workspace's shift back; the filament has none.
                let mut g92 = Position::ORIGIN;
                g92[Axis::E] = self.g92[Axis::E];
                self.g92 = g92;
                self.refresh_offset();
            }
            (54..=59, _) => {
                if let Some(system) = CoordinateSystem::from_code(code) {
                    self.select_system(system);
                }
            }
            (31 | 32 | 60 | 80, _) => {}
            _ => effect
                .findings
                .push(column_of(block, b'G'), Reason::NotInterpreted(b'G', code)),
        }
    }

    /// G28: the axes named, or X Y Z, go to 0 and lose what G92 has shifted.
    fn home(&mut self, reading: &mut Reading, effect: &mut Effect) {
        const HOMED: [Axis; 9] = [
            Axis::X,
            Axis::Y,
            Axis::Z,
            Axis::A,
            Axis::B,
            Axis::C,
            Axis::U,
            Axis::V,
            Axis::W,
        ];
        let mut to = self.position;
        let mut named = false;
        for axis in HOMED {
            if reading.names(axis.letter()) {
                named = true;
                to[axis] = 0.0;
                self.g92[axis] = 0.0;
            }
        }
        if !named {
            for axis in [Axis::X, Axis::Y, Axis::Z] {
                to[axis] = 0.0;
                self.g92[axis] = 0.0;
            }
        }
        self.refresh_offset();
        self.go(effect, MotionKind::Home { via: None }, to);
    }

    fn m_command(
        &mut self,
        code: Code,
        block: &Block<'_>,
        reading: &mut Reading,
        effect: &mut Effect,
    ) {
        let column = column_of(block, b'M');
        let state = &mut self.state;
        let speed = reading.take(b'S');
        match code.major {
            0 => effect.stop = Some(Stop::Pause),
            1 => effect.stop = Some(Stop::OptionalPause),
            3 | 4 => {
                state.spindle = if code.major == 3 {
                    Spindle::Clockwise
                } else {
                    Spindle::Counterclockwise
                };
                state.spindle_speed = speed.unwrap_or(state.spindle_speed);
            }
            5 => state.spindle = Spindle::Off,
            7 => state.coolant.mist = true,
            8 => state.coolant.flood = true,
            9 => state.coolant = Coolant::default(),
            82 => state.extrusion = Distance::Absolute,
            83 => state.extrusion = Distance::Incremental,
            // Only the first fan is followed; P names others.
            106 if reading.take(b'P').is_none_or(|fan| fan == 0.0) => {
                state.fan = speed.unwrap_or(255.0)
            }
            107 if reading.take(b'P').is_none_or(|fan| fan == 0.0) => state.fan = 0.0,
            104 => state.hotend_target = speed.unwrap_or(state.hotend_target),
            109 => {
                state.hotend_target = speed
                    .or_else(|| reading.take(b'R'))
                    .unwrap_or(state.hotend_target)
            }
            140 => state.bed_target = speed.unwrap_or(state.bed_target),
            190 => {
                state.bed_target = speed
                    .or_else(|| reading.take(b'R'))
                    .unwrap_or(state.bed_target)
            }
            220 => {
                if reading.names(b'B') {
                    state.feed_percent_kept = state.feed_percent;
                }
                if reading.names(b'R') {
                    state.feed_percent = state.feed_percent_kept;
                }
                state.feed_percent = speed.unwrap_or(state.feed_percent);
            }
            221 => state.flow_percent = speed.unwrap_or(state.flow_percent),
            112 => effect.stop = Some(Stop::Emergency),
            600 => effect.stop = Some(Stop::FilamentChange),
            // Volumes instead of lengths, stored moves and offsets that shift every coordinate.
            200 if reading.take(b'D').is_some_and(|diameter| diameter > 0.0) => {
                effect
                    .findings
                    .push(column, Reason::NotInterpreted(b'M', code));
            }
            98 | 99 | 206 | 218 | 428 | 810..=819 | 125 | 701..=704 => {
                effect
                    .findings
                    .push(column, Reason::NotInterpreted(b'M', code));
            }
            _ => {}
        }
    }

    fn take_tool(&mut self, word: &Word<'_>, effect: &mut Effect) {
        let Some(number) = word.number() else { return };
        match number.to_u64().map(u32::try_from) {
            Some(Ok(tool)) => {
                self.state.tool = Some(tool);
                self.state.selected_tool = Some(tool);
                effect.tool_change = Some(tool);
            }
            _ => effect
                .findings
                .push(word.span.column(), Reason::BadCount(b'T')),
        }
    }
}

/// G4: S in seconds, or P in milliseconds; S wins, and neither is no wait.
fn dwell_s(reading: &mut Reading) -> Option<f64> {
    let milliseconds = reading.take(b'P').map(|p| p / 1000.0);
    reading
        .take(b'S')
        .or(milliseconds)
        .filter(|seconds| *seconds >= 0.0)
}
