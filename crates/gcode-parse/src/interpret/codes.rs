//! The G and M words of an RS-274 block: what they set at once, and what has to wait for other words.

use super::{Effect, Interpreter, Stop};
use crate::diagnostic::{Findings, Reason};
use crate::modal::{
    Coolant, CoordinateSystem, CutterCompensation, Distance, FeedMode, Group, MotionMode,
    Overrides, PathMode, Plane, Retract, Spindle, SpindleMode, ToolLength, Units,
};
use crate::number::Code;

/// Codes of a block whose effect has to wait for its other words.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) seen: u32,
    pub(super) motion: Option<MotionMode>,
    pub(super) non_modal: Option<Code>,
    pub(super) machine_frame: bool,
    pub(super) tool_length: Option<ToolLength>,
    pub(super) tool_change: bool,
    pub(super) stop: Option<Stop>,
    pub(super) feed_mode: Option<FeedMode>,
}

/// Marks in [`Pending::seen`] above those of the groups.
pub(super) const AXES_TAKEN: u32 = 1 << 30;
pub(super) const OWN_WORDS: u32 = 1 << 31;

impl Interpreter {
    /// Sets what a code sets at once, and keeps the rest for later.
    #[inline]
    pub(super) fn note(
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
}
