//! Codes that move the origin or go to a stored place instead of along a path.

use super::codes::{AXES_TAKEN, Pending};
use super::path::Frame;
use super::reading::{Letters, Reading, column_of};
use super::{Effect, Interpreter, Reference};
use crate::block::Block;
use crate::diagnostic::{Findings, Reason};
use crate::modal::{CoordinateSystem, ToolLength};
use crate::motion::{MotionKind, Position};
use crate::number::Code;

impl Interpreter {
    pub(super) fn set_tool_length(
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

    pub(super) fn non_modal(
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
                self.g92_stored = Position::ORIGIN;
            }
            (92, 2) => self.g92 = Position::ORIGIN,
            (92, _) => self.g92 = self.g92_stored,
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
        self.g92_stored = *g92;
        self.refresh_offset();
    }

    /// G10 L2 and L20.
    pub(super) fn set_system(
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
    pub(super) fn go_home(
        &mut self,
        reference: Reference,
        reading: &mut Reading,
        effect: &mut Effect,
    ) {
        let stored = self.references[reference as usize];
        if !reading.any(Letters::AXES) {
            return self.go(effect, MotionKind::Home { via: None }, stored);
        }
        let via = self.target(reading, Letters::AXES, Frame::Work);
        let mut to = via;
        reading.axes(Letters::AXES, |axis, _| to[axis] = stored[axis]);
        self.go(effect, MotionKind::Home { via: Some(via) }, to);
    }
}
