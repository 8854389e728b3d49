use super::command::Command;
use crate::memory::Memory;

/// Letters of the four axes, in the order of every array here.
pub(super) const AXES: [u8; 4] = *b"XYZE";
/// mm/s that holds before the first `F`.
const FIRST_FEED: f64 = 25.0;

/// What earlier commands left behind for the meaning of later ones.
///
/// `position` is where the program has got to, in machine mm; X, Y and Z of the program lie `offset`
/// beside it (G92), and so does E, which in the machine is the total of filament since power-up.
#[derive(Clone, Debug)]
pub(super) struct Modal {
    pub(super) position: [f64; 4],
    pub(super) offset: [f64; 4],
    distance: Distance,
    extruder: Option<Distance>,
    /// mm in a unit of the program.
    unit: f64,
    pub(super) plane: [u8; 2],
    /// mm/s as programmed.
    pub(super) feed: f64,
    pub(super) feed_percent: f64,
    /// What `M220 B` put aside.
    pub(super) kept_feed_percent: f64,
    pub(super) flow_percent: f64,
    pub(super) homed: [Homed; 3],
}

/// What coordinates mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Distance {
    Absolute,
    Relative,
}

/// Whether an axis knows where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Homed {
    No,
    Yes,
}

impl Modal {
    pub(super) const fn new() -> Self {
        Self {
            position: [0.0; 4],
            offset: [0.0; 4],
            distance: Distance::Absolute,
            extruder: None,
            unit: 1.0,
            plane: [0, 1],
            feed: FIRST_FEED,
            feed_percent: 100.0,
            kept_feed_percent: 100.0,
            flow_percent: 100.0,
            homed: [Homed::No; 3],
        }
    }

    /// G90 and G91: for all axes, also ending what M82 or M83 said of the extruder.
    pub(super) const fn set_distance(&mut self, distance: Distance) {
        self.distance = distance;
        self.extruder = None;
    }

    /// M82 and M83.
    pub(super) const fn set_extruder(&mut self, distance: Distance) {
        self.extruder = Some(distance);
    }

    /// G20 and G21: mm in a unit.
    pub(super) const fn set_unit(&mut self, mm: f64) {
        self.unit = mm;
    }

    /// A length in the command, in mm.
    pub(super) fn length(&self, command: &Command<'_>, letter: u8) -> Option<f64> {
        command.value(letter).map(|value| value * self.unit)
    }

    /// Takes the `F` of a command; a feed that is not above zero changes nothing.
    pub(super) fn take_feed(&mut self, command: &Command<'_>) {
        if let Some(feed) = self.length(command, b'F').filter(|feed| *feed > 0.0) {
            self.feed = feed / 60.0;
        }
    }

    /// Where a command's axis words lead, machine mm.
    pub(super) fn target(&self, command: &Command<'_>) -> [f64; 4] {
        std::array::from_fn(|axis| {
            let here = self.position[axis];
            match self.length(command, AXES[axis]) {
                None => here,
                Some(way) if self.distance_of(axis) == Distance::Relative => here + way,
                Some(place) => place + self.offset[axis],
            }
        })
    }

    fn distance_of(&self, axis: usize) -> Distance {
        match self.extruder {
            Some(distance) if axis == 3 => distance,
            _ => self.distance,
        }
    }

    /// G92: the machine stays, its coordinates change.
    pub(super) fn set_logical(&mut self, command: &Command<'_>) {
        for (axis, letter) in AXES.into_iter().enumerate() {
            if let Some(place) = self.length(command, letter) {
                self.offset[axis] = self.position[axis] - place;
            }
        }
    }

    /// Coordinates as the program and M114 know them.
    pub(super) fn logical(&self, machine: [f64; 4]) -> [f64; 4] {
        std::array::from_fn(|axis| machine[axis] - self.offset[axis])
    }

    /// Notes everything but whether axes are homed.
    pub(super) fn remember(&self, memory: &mut Memory) {
        let units = if self.unit == 1.0 { "G21" } else { "G20" };
        let plane = match self.plane {
            [0, _] => "G17",
            [2, _] => "G18",
            _ => "G19",
        };
        let distance = match self.distance {
            Distance::Absolute => "G90",
            Distance::Relative => "G91",
        };
        let extruder = match self.distance_of(3) {
            Distance::Absolute => "M82",
            Distance::Relative => "M83",
        };
        for (name, word) in [
            ("units", units),
            ("plane", plane),
            ("distance", distance),
            ("extruder", extruder),
        ] {
            memory.word(name, word);
        }
        memory.number("feed", self.feed * 60.0);
        memory.number("feed percent", self.feed_percent);
        memory.number("feed percent kept", self.kept_feed_percent);
        memory.number("flow percent", self.flow_percent);
        let [x, y, z, _] = self.position;
        memory.axes("", [x, y, z]);
        let [x, y, z, e] = self.logical(self.position);
        memory.axes("work", [x, y, z]);
        memory.number("e", e);
    }

    /// Feed rate of a move in mm/s with M220 in it.
    pub(super) fn effective_feed(&self) -> f64 {
        self.feed * self.feed_percent / 100.0
    }
}
