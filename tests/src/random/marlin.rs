use std::fmt::Write as _;

use xtask::gcode::Rng;

use super::{ROOM, arc_end, spell, word};

/// Writes for Marlin 2 and keeps account of what its modal state makes of the lines.
pub(super) struct Writer {
    rng: Rng,
    at: [f64; 3],
    extruded: f64,
    distance: Mode,
    extrusion: Mode,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Absolute,
    Relative,
}

const AXES: [char; 3] = ['X', 'Y', 'Z'];

impl Writer {
    pub(super) fn new(rng: Rng) -> Self {
        Self {
            rng,
            at: [0.0; 3],
            extruded: 0.0,
            distance: Mode::Absolute,
            extrusion: Mode::Absolute,
        }
    }

    pub(super) fn write(mut self, lines: usize, text: &mut String) {
        text.push_str("G21\nG90\nM82\nG28\nM109 S200\nG92 E0\nG1 F1800\n");
        for _ in 0..lines {
            let mut line = self.line();
            if !line.is_empty() && line.len() < 60 && self.rng.one_in(10) {
                line.push_str(" ; remark");
            }
            text.push_str(&line);
            text.push('\n');
        }
    }

    fn line(&mut self) -> String {
        match self.rng.below(100) {
            0..=19 => self.straight("G0"),
            20..=74 => self.straight("G1"),
            75..=84 => self.arc(),
            85..=93 => self.modal(),
            94..=95 => format!("G4 P{}", self.rng.below(30)),
            96..=97 => String::new(),
            _ => ";TYPE:WALL-OUTER".to_owned(),
        }
    }

    fn straight(&mut self, code: &str) -> String {
        let mut line = code.to_owned();
        let must = self.rng.below(3) as usize;
        for axis in 0..3 {
            if axis == must || self.rng.one_in(3) {
                let goal = self.rng.between(0.0, ROOM);
                let goal = if self.rng.one_in(4) {
                    goal
                } else {
                    self.at[axis] + (goal - self.at[axis]) * 0.02
                };
                self.move_axis(&mut line, axis, goal);
            }
        }
        if code == "G1" && !self.rng.one_in(4) {
            self.extrude(&mut line);
        }
        if self.rng.one_in(5) {
            let feed = self.rng.between(300.0, 9000.0);
            let _ = write!(line, " F{feed:.0}");
        }
        line
    }

    fn move_axis(&mut self, line: &mut String, axis: usize, goal: f64) {
        let from = match self.distance {
            Mode::Absolute => 0.0,
            Mode::Relative => self.at[axis],
        };
        let spelled = spell(&mut self.rng, goal - from, 3);
        self.at[axis] = from + spelled.value;
        word(line, AXES[axis], &spelled.text);
    }

    fn extrude(&mut self, line: &mut String) {
        let more = if self.rng.one_in(15) {
            -0.8
        } else {
            self.rng.between(0.0, 0.6)
        };
        let from = match self.extrusion {
            Mode::Absolute => 0.0,
            Mode::Relative => self.extruded,
        };
        let spelled = spell(&mut self.rng, self.extruded + more - from, 5);
        self.extruded = from + spelled.value;
        word(line, 'E', &spelled.text);
    }

    fn arc(&mut self) -> String {
        let mut line = self.rng.pick(&["G2", "G3"]).to_owned();
        let start = [self.at[0], self.at[1]];
        let center = [
            start[0] + self.rng.between(2.0, 12.0),
            start[1] + self.rng.between(-8.0, 8.0),
        ];
        let end = arc_end(&mut self.rng, start, center);
        self.move_axis(&mut line, 0, end[0]);
        self.move_axis(&mut line, 1, end[1]);
        for (letter, (center, start)) in ['I', 'J'].into_iter().zip(center.into_iter().zip(start)) {
            let text = spell(&mut self.rng, center - start, 3).text;
            word(&mut line, letter, &text);
        }
        if self.rng.one_in(2) {
            self.extrude(&mut line);
        }
        line
    }

    fn modal(&mut self) -> String {
        match self.rng.below(7) {
            0 => {
                // G90 and G91 set both modes.
                let (code, mode) = self.rng.pick(&[
                    ("G90", Mode::Absolute),
                    ("G90", Mode::Absolute),
                    ("G91", Mode::Relative),
                ]);
                self.distance = mode;
                self.extrusion = mode;
                code.to_owned()
            }
            1 => {
                let (code, mode) = self
                    .rng
                    .pick(&[("M82", Mode::Absolute), ("M83", Mode::Relative)]);
                self.extrusion = mode;
                code.to_owned()
            }
            2 => {
                self.extruded = 0.0;
                "G92 E0".to_owned()
            }
            3 => format!("M106 S{}", self.rng.below(256)),
            4 => "M107".to_owned(),
            5 => format!("M104 S{}", 190 + self.rng.below(30)),
            _ => "M117 Layer (half) done; go on".to_owned(),
        }
    }
}
