use super::codes::{AXES_TAKEN, OWN_WORDS, Pending};
use super::path::{Frame, Turn};
use super::reading::{Letters, Reading, column_of};
use super::{Effect, Interpreter, Stop};
use crate::block::Block;
use crate::diagnostic::{Findings, Reason};
use crate::modal::{
    Coolant, CoordinateSystem, CutterCompensation, Distance, FeedMode, MotionMode, Overrides,
    Plane, Spindle,
};
use crate::motion::MotionKind;
use crate::number::Code;

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
        if state.feed_mode != FeedMode::PerMinute {
            // A feed of one mode means nothing in another.
            state.feed_mode = FeedMode::PerMinute;
            state.feed = 0.0;
        }
        state.cutter_compensation = CutterCompensation::Off;
        state.overrides = Overrides::Enabled;
        state.spindle = Spindle::Off;
        state.coolant = Coolant::default();
        self.select_system(CoordinateSystem::G54);
    }
}

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
