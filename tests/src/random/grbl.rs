use xtask::gcode::Rng;

use super::{ROOM, Spelled, arc_end, spell, word};

/// Writes for grbl 1.1 and keeps account of what its modal state makes of the lines.
pub(super) struct Writer {
    rng: Rng,
    /// Where the lines so far have led, mm in the work coordinate system in force.
    at: [f64; 3],
    motion: Motion,
    plane: Plane,
    units: Units,
    distance: Distance,
    number: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Motion {
    Rapid,
    Linear,
    Arc,
}

/// The plane of arcs, by its axes in the order in which angles are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plane {
    Xy,
    Zx,
    Yz,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Units {
    Millimetres,
    Inches,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Distance {
    Absolute,
    Incremental,
}

impl Plane {
    const fn axes(self) -> [usize; 2] {
        match self {
            Self::Xy => [0, 1],
            Self::Zx => [2, 0],
            Self::Yz => [1, 2],
        }
    }
}

const AXES: [char; 3] = ['X', 'Y', 'Z'];
const OFFSETS: [char; 3] = ['I', 'J', 'K'];

impl Writer {
    pub(super) fn new(rng: Rng) -> Self {
        Self {
            rng,
            at: [0.0; 3],
            motion: Motion::Rapid,
            plane: Plane::Xy,
            units: Units::Millimetres,
            distance: Distance::Absolute,
            number: 10,
        }
    }

    pub(super) fn write(mut self, lines: usize, text: &mut String) {
        text.push_str("G17 G21 G90 G94 G54\nF1200 S800\n");
        for _ in 0..lines {
            let line = self.line();
            let line = self.dress(line);
            text.push_str(&line);
            text.push('\n');
        }
    }

    fn line(&mut self) -> String {
        match self.rng.below(100) {
            0..=24 => self.straight(Motion::Rapid),
            25..=69 => self.straight(Motion::Linear),
            70..=84 => self.arc(),
            85..=91 => self.modal(),
            92..=95 => self.wait(),
            96..=97 => String::new(),
            _ => "(nothing to do here)".to_owned(),
        }
    }

    fn straight(&mut self, motion: Motion) -> String {
        let mut line = match motion {
            _ if motion == self.motion && self.rng.one_in(2) => String::new(),
            Motion::Rapid => self.rng.pick(&["G0", "G00"]).to_owned(),
            _ => self.rng.pick(&["G1", "G01"]).to_owned(),
        };
        self.motion = motion;
        let must = self.rng.below(3) as usize;
        for axis in 0..3 {
            if axis == must || self.rng.one_in(3) {
                self.axis(&mut line, axis);
            }
        }
        if self.rng.one_in(6) {
            self.feed(&mut line);
        }
        line
    }

    /// Adds the word of one axis that leads somewhere in the room.
    fn axis(&mut self, line: &mut String, axis: usize) {
        let goal = if axis == 2 {
            self.rng.between(-ROOM, 0.0)
        } else {
            self.rng.between(0.0, ROOM)
        };
        // Most lines of real programs are short.
        let goal = if self.rng.one_in(4) {
            goal
        } else {
            self.at[axis] + (goal - self.at[axis]) * 0.02
        };
        self.move_axis(line, axis, goal);
    }

    /// Adds the word that leads to `goal`, and follows the machine to where the text really says.
    fn move_axis(&mut self, line: &mut String, axis: usize, goal: f64) {
        let from = match self.distance {
            Distance::Absolute => 0.0,
            Distance::Incremental => self.at[axis],
        };
        let spelled = self.length(goal - from);
        self.at[axis] = from + spelled.value;
        word(line, AXES[axis], &spelled.text);
    }

    /// A length in the units in force; the value is in mm.
    fn length(&mut self, millimetres: f64) -> Spelled {
        let (unit, places) = match self.units {
            Units::Millimetres => (1.0, 3),
            Units::Inches => (25.4, 4),
        };
        let spelled = spell(&mut self.rng, millimetres / unit, places);
        Spelled {
            value: spelled.value * unit,
            ..spelled
        }
    }

    /// Adds a feed rate to the line, in the units in force.
    fn feed(&mut self, line: &mut String) {
        let feed = self.rng.between(200.0, 3000.0);
        let feed = if self.units == Units::Inches {
            feed / 25.4
        } else {
            feed
        };
        word(line, 'F', &format!("{feed:.1}"));
    }

    fn arc(&mut self) -> String {
        let mut line = self.rng.pick(&["G2", "G3", "G02", "G03"]).to_owned();
        self.motion = Motion::Arc;
        let [first, second] = self.plane.axes();
        let center = [
            self.at[first] + self.rng.between(1.0, 15.0) * self.rng.pick(&[-1.0, 1.0]),
            self.at[second] + self.rng.between(-10.0, 10.0),
        ];
        let start = [self.at[first], self.at[second]];
        let end = arc_end(&mut self.rng, start, center);
        let chord = (end[0] - start[0]).hypot(end[1] - start[1]);
        // An arc given by its radius needs ends that rounding cannot bring together.
        let by_radius = chord > 1.0 && self.rng.one_in(3);
        let full = !by_radius && self.rng.one_in(8);
        // A full circle ends where it starts, and has to say so: an arc without an axis is error:26.
        let end = if full { start } else { end };
        self.move_axis(&mut line, first, end[0]);
        self.move_axis(&mut line, second, end[1]);
        if by_radius {
            let radius = chord * self.rng.between(0.55, 1.5) * self.rng.pick(&[1.0, 1.0, -1.0]);
            let text = self.length(radius).text;
            word(&mut line, 'R', &text);
            return line;
        }
        // The offset is told from the start, in full places: the radius has to be the same at both ends.
        for (axis, (center, start)) in [first, second]
            .into_iter()
            .zip(center.into_iter().zip(start))
        {
            let text = self.length(center - start).text;
            word(&mut line, OFFSETS[axis], &text);
        }
        line
    }

    /// A line that changes modal state and moves nothing.
    fn modal(&mut self) -> String {
        match self.rng.below(8) {
            0 => {
                let (code, plane) =
                    self.rng
                        .pick(&[("G17", Plane::Xy), ("G18", Plane::Zx), ("G19", Plane::Yz)]);
                self.plane = plane;
                code.to_owned()
            }
            1 => {
                let (code, units) = self.rng.pick(&[
                    ("G20", Units::Inches),
                    ("G21", Units::Millimetres),
                    ("G21", Units::Millimetres),
                ]);
                self.units = units;
                code.to_owned()
            }
            2 => {
                let (code, distance) = self
                    .rng
                    .pick(&[("G90", Distance::Absolute), ("G91", Distance::Incremental)]);
                self.distance = distance;
                code.to_owned()
            }
            3 => format!("M3 S{}", self.rng.below(1000)),
            4 => "M5".to_owned(),
            5 => self.rng.pick(&["M8", "M9"]).to_owned(),
            6 => format!("S{}", self.rng.below(1000)),
            _ => {
                let mut line = String::new();
                self.feed(&mut line);
                line
            }
        }
    }

    fn wait(&mut self) -> String {
        format!("G4 P0.{:02}", self.rng.below(20))
    }

    /// Gives the line the looks of one or another source of programs.
    fn dress(&mut self, line: String) -> String {
        let mut line = line.trim_start().to_owned();
        if line.is_empty() || line.starts_with('(') {
            return line;
        }
        match self.rng.below(12) {
            0 => line = line.replace(' ', ""),
            1 => line = line.to_ascii_lowercase(),
            2 => line = line.replace(' ', "  "),
            3 if line.len() < 60 => {
                line = format!("N{} {line}", self.number);
                self.number += 10;
            }
            _ => {}
        }
        let remark = self.rng.pick(&["", "", "", "", "", "", " (cut)", " ; cut"]);
        if line.len() + remark.len() <= 79 {
            line.push_str(remark);
        }
        line
    }
}
