//! Steps of an approach while it is being written.

use feedhold_gcode_parse::{Axis, CoordinateSystem};

use super::{Approach, Footing};
use crate::resume::{Placed, Step, Tracker, tracker::AXES};

/// The steps so far, and what they have selected.
pub(super) struct Steps<'a> {
    pub(super) at: &'a Tracker,
    pub(super) way: &'a Approach,
    steps: Vec<Step>,
    system: Option<CoordinateSystem>,
}

impl<'a> Steps<'a> {
    pub(super) fn new(at: &'a Tracker, way: &'a Approach) -> Self {
        Self {
            at,
            way,
            steps: Vec::new(),
            system: None,
        }
    }

    pub(super) fn done(self) -> Vec<Step> {
        self.steps
    }

    pub(super) fn add(&mut self, line: impl Into<String>, purpose: impl Into<String>) {
        self.steps.push(Step {
            line: line.into(),
            purpose: purpose.into(),
        });
    }

    /// Selects a work coordinate system, unless it is selected.
    pub(super) fn select(&mut self, system: CoordinateSystem) {
        if self.system != Some(system) {
            self.system = Some(system);
            let active = self.at.machine().state().coordinate_system;
            let purpose = if system == active {
                "the work coordinates of the program"
            } else {
                "the work coordinates in which the place is known"
            };
            self.add(format!("G{}", system.code()), purpose);
        }
    }

    /// Where an axis has to be, in the work coordinates in which it was placed and with the offsets that are in force during the
    /// approach.
    pub(super) fn reading(&self, axis: Axis) -> f64 {
        let machine = self.at.machine();
        self.work(axis, machine.position()[axis] - machine.tool_offset()[axis])
    }

    /// The work coordinate of a point of the tool's tip.
    pub(super) fn work(&self, axis: Axis, tip: f64) -> f64 {
        let machine = self.at.machine();
        let system = self.at.places().system(axis);
        let shift = match self.way.footing {
            Footing::Kept => machine.g92_offset()[axis],
            Footing::Lost => 0.0,
        };
        tip - machine.system_origin(system)[axis] - shift
    }

    /// Sets the offsets of G92 again, where the controller has lost them. The machine stands at the place.
    pub(super) fn shifts(&mut self) {
        if self.way.footing == Footing::Kept {
            return;
        }
        let machine = self.at.machine();
        for system in self.systems() {
            let words: String = AXES
                .into_iter()
                .filter(|axis| {
                    machine.g92_offset()[*axis] != 0.0
                        && self.at.placed(*axis) == Placed::At
                        && self.at.places().system(*axis) == system
                })
                .map(|axis| word(axis, self.reading(axis) - machine.g92_offset()[axis]))
                .collect();
            if !words.is_empty() {
                self.select(system);
                self.add(format!("G92{words}"), "the offset of G92, as it was");
            }
        }
    }

    /// The work coordinate systems in which axes are placed, in order.
    pub(super) fn systems(&self) -> Vec<CoordinateSystem> {
        let mut systems: Vec<_> = AXES
            .into_iter()
            .filter(|axis| self.at.placed(*axis) == Placed::At)
            .map(|axis| self.at.places().system(axis))
            .collect();
        systems.sort();
        systems.dedup();
        systems
    }
}

/// A word of an axis, with the blank before it.
pub(super) fn word(axis: Axis, value: f64) -> String {
    format!(" {axis}{}", number(value))
}

/// At most six decimals, none that say nothing: a millionth of a millimetre is nothing to any machine.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}
