use super::gcodes::Retraction;
use super::limits::Limits;
use super::modal::Homed;
use super::{ColdMoves, Marlin};
use crate::memory::Memory;

const AXES: [char; 4] = ['X', 'Y', 'Z', 'E'];

impl Marlin {
    /// Modes, position, heat, fan, limits, and what else the firmware remembers.
    pub(super) fn memory(&self) -> Memory {
        let mut memory = Memory::default();
        self.modal.remember(&mut memory);
        let (steps, per_mm) = (self.motions.planner.end(), self.limits.steps_per_mm);
        memory.axes(
            "planned",
            std::array::from_fn(|axis| steps[axis] as f64 / per_mm[axis]),
        );
        memory.number("hotend 0", self.hotend.target());
        memory.number("bed", self.bed.target());
        memory.number("fan 0", f64::from(self.fan));
        memory.word(
            "retracted",
            match self.retraction {
                Retraction::In => "in",
                Retraction::Out => "out",
            },
        );
        memory.number(
            "cold moves",
            match self.cold_moves {
                ColdMoves::Allowed => 0.0,
                ColdMoves::Prevented(least) => least,
            },
        );
        for (axis, homed) in AXES.into_iter().zip(self.modal.homed) {
            memory.number(
                format!("homed {axis}"),
                f64::from(u8::from(homed == Homed::Yes)),
            );
        }
        self.limits.remember(&mut memory);
        self.kept.remember(&mut memory);
        memory
    }
}

impl Limits {
    /// Each value under the command and the letter that set it.
    fn remember(&self, memory: &mut Memory) {
        for (code, values) in [
            (92, self.steps_per_mm),
            (201, self.max_acceleration),
            (203, self.max_feed),
            (205, self.jerk),
        ] {
            for (axis, value) in AXES.into_iter().zip(values) {
                memory.number(format!("m{code} {axis}"), value);
            }
        }
        for (name, value) in [
            ("m204 P", self.acceleration),
            ("m204 R", self.retract_acceleration),
            ("m204 T", self.travel_acceleration),
            ("m205 J", self.junction_deviation),
            ("m205 B", self.min_segment_time * 1e6),
            ("m205 S", self.min_feed),
            ("m205 T", self.min_travel_feed),
        ] {
            memory.number(name, value);
        }
    }
}
