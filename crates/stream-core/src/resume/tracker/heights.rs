//! How high the program goes, and where it was out of the way.

use feedhold_gcode_parse::{Axis, Flavor, Interpreter, Motion, MotionKind};

use super::{AXES, Placed};
use crate::resume::bytes::fields;

/// Heights of the tip of the tool, in mm.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heights {
    highest: Option<f64>,
    /// In machine coordinates, by G53.
    machine: Option<f64>,
    /// Highest end of a motion that went sideways and cut.
    cut: Option<f64>,
    retract: Option<u64>,
    travel: Option<u64>,
    /// Where something was cut or printed: X and Y, least and most, in the coordinates of the interpreter.
    cut_x: Option<(f64, f64)>,
    cut_y: Option<(f64, f64)>,
}

fields!(Heights {
    highest,
    machine,
    cut,
    retract,
    travel,
    cut_x,
    cut_y,
});

impl Heights {
    pub(super) fn highest(&self) -> Option<f64> {
        self.highest
    }

    /// Highest machine coordinate that the program itself goes to.
    pub(crate) fn machine(&self) -> Option<f64> {
        self.machine
    }

    /// The X that was cut or printed at, from and to.
    pub(crate) fn cut_x(&self) -> Option<(f64, f64)> {
        self.cut_x
    }

    pub(super) fn retract(&self) -> Option<u64> {
        self.retract
    }

    pub(super) fn travel(&self) -> Option<u64> {
        self.travel
    }

    /// `z` is how that axis was placed behind the motion.
    pub(super) fn moved(&mut self, line: u64, motion: &Motion, z: Placed, machine: &Interpreter) {
        if matches!(
            motion.kind,
            MotionKind::Home { .. } | MotionKind::Jog | MotionKind::Probe(_)
        ) {
            return;
        }
        let tool = machine.tool_offset()[Axis::Z];
        let (from, to) = (motion.from[Axis::Z] - tool, motion.to[Axis::Z] - tool);
        match z {
            Placed::At | Placed::BySteps => self.highest = most(self.highest, to),
            Placed::Machine => self.machine = most(self.machine, motion.to[Axis::Z]),
            _ => {}
        }
        let sideways = AXES
            .into_iter()
            .any(|axis| axis != Axis::Z && motion.from[axis] != motion.to[axis]);
        let cuts = match machine.flavor() {
            Flavor::Marlin => motion.extrusion() > 0.0,
            _ => motion.kind != MotionKind::Rapid,
        };
        if !sideways {
            if to > from && self.cut.is_none_or(|cut| to >= cut) {
                self.retract = Some(line);
            }
        } else if cuts {
            self.cut = most(self.cut, from.max(to));
            for (range, axis) in [(&mut self.cut_x, Axis::X), (&mut self.cut_y, Axis::Y)] {
                let (one, other) = (motion.from[axis], motion.to[axis]);
                let (least, largest) = range.unwrap_or((one, one));
                *range = Some((least.min(one).min(other), largest.max(one).max(other)));
            }
        } else {
            self.travel = Some(line);
        }
    }
}

fn most(known: Option<f64>, new: f64) -> Option<f64> {
    Some(known.map_or(new, |known| known.max(new)))
}
