use std::f64::consts::TAU;

use super::rng::Rng;
use super::text::{line, number, word};
use super::{Next, Source};

const WIDTH: f64 = 200.0;
const HEIGHT: f64 = 120.0;
const SAFE_Z: f64 = 5.0;
/// What roughing leaves for finishing, in mm.
const ALLOWANCE: f64 = 0.3;
/// Depth of each roughing level, in mm.
const LEVELS: [f64; 3] = [-1.4, -2.8, -4.2];
const ROUGH_ROW: f64 = 3.0;
const FINISH_ROW: f64 = 1.5;
/// Places at which the surface is looked at along a row, in mm.
const SAMPLE: f64 = 1.0;
/// How far a line may run beside the surface, in mm.
const TOLERANCE: f64 = 0.015;
const CORNER: f64 = 12.0;
const BORE: f64 = 4.0;

/// A rippled relief in a plate of 200 × 120 mm: roughed in three levels, finished across, with a
/// border of lines and arcs and four bored holes.
pub(super) struct Relief {
    phase: [f64; 2],
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    Rough { level: usize, row: u32 },
    Finish { row: u32 },
    Border { pass: u32 },
    Bores { hole: usize },
}

/// Which way a row runs, and the direction its cutter moves.
#[derive(Clone, Copy)]
struct Row {
    along: Along,
    across: f64,
    reversed: bool,
}

#[derive(Clone, Copy)]
enum Along {
    X,
    Y,
}

impl Row {
    fn length(self) -> f64 {
        match self.along {
            Along::X => WIDTH,
            Along::Y => HEIGHT,
        }
    }

    /// The point of the plate `way` millimetres into the row.
    fn at(self, way: f64) -> [f64; 2] {
        let along = if self.reversed {
            self.length() - way
        } else {
            way
        };
        match self.along {
            Along::X => [along, self.across],
            Along::Y => [self.across, along],
        }
    }
}

impl Relief {
    pub(super) fn new(mut rng: Rng) -> Self {
        let phase = [rng.between(0.0, TAU), rng.between(0.0, TAU)];
        Self {
            phase,
            stage: Stage::Rough { level: 0, row: 0 },
        }
    }

    /// The finished surface: ripples around two wells, from 0 down to −4.2 mm.
    fn surface(&self, [x, y]: [f64; 2]) -> f64 {
        let wave = |center: [f64; 2], phase: f64| {
            let distance = (x - center[0]).hypot(y - center[1]);
            (TAU * distance / 55.0 + phase).cos() / (1.0 + distance / 80.0)
        };
        let height = wave([55.0, 45.0], self.phase[0]) + wave([150.0, 80.0], self.phase[1]);
        -2.1 + 1.05 * height.clamp(-2.0, 2.0)
    }

    /// Cuts one row of `z`, with as few lines as the tolerance allows.
    fn row(out: &mut Vec<u8>, row: Row, z: impl Fn([f64; 2]) -> f64) {
        let samples = (row.length() / SAMPLE).round() as usize;
        let heights: Vec<f64> = (0..=samples)
            .map(|i| z(row.at(SAMPLE * i as f64)))
            .collect();
        let mut from = 0;
        point(out, row.at(0.0), heights[0]);
        while from < samples {
            let to = (from + 2..=samples)
                .take_while(|to| straight(&heights[from..=*to]))
                .last();
            from = to.unwrap_or(from + 1);
            point(out, row.at(SAMPLE * from as f64), heights[from]);
        }
    }

    fn rough(&self, out: &mut Vec<u8>, level: usize, row: u32) {
        let reversed = row % 2 == 1;
        let cut = Row {
            along: Along::X,
            across: ROUGH_ROW * f64::from(row),
            reversed,
        };
        if row == 0 {
            out.extend_from_slice(b"(rough to ");
            number(out, LEVELS[level], 1);
            line(out, ")");
            approach(out, cut.at(0.0));
            line(out, "G1 Z0.500 F400\nF3000");
        }
        let floor = LEVELS[level];
        Self::row(out, cut, |at| {
            (self.surface(at) + ALLOWANCE).min(0.0).max(floor)
        });
    }

    fn finish(&self, out: &mut Vec<u8>, row: u32) {
        let reversed = row % 2 == 1;
        let cut = Row {
            along: Along::Y,
            across: (FINISH_ROW * f64::from(row)).min(WIDTH),
            reversed,
        };
        if row == 0 {
            line(out, "G0 Z5.000\n(finish)");
            approach(out, cut.at(0.0));
            line(out, "G1 Z0.500 F400\nF2400");
        }
        Self::row(out, cut, |at| self.surface(at));
    }

    fn border(out: &mut Vec<u8>, pass: u32) {
        let z = -f64::from(pass + 1);
        let [low, right, top] = [-8.0, WIDTH + 8.0, HEIGHT + 8.0];
        if pass == 0 {
            line(out, "G0 Z5.000\n(border)");
            approach(out, [low + CORNER, low]);
        }
        out.extend_from_slice(b"G1");
        word(out, b'Z', z, 3);
        line(out, " F300");
        let corners = [
            ([right - CORNER, low], [right, low + CORNER], [0.0, CORNER]),
            ([right, top - CORNER], [right - CORNER, top], [-CORNER, 0.0]),
            ([low + CORNER, top], [low, top - CORNER], [0.0, -CORNER]),
            ([low, low + CORNER], [low + CORNER, low], [CORNER, 0.0]),
        ];
        for (begin, end, center) in corners {
            out.extend_from_slice(b"G1");
            word(out, b'X', begin[0], 3);
            word(out, b'Y', begin[1], 3);
            line(out, " F1800");
            out.extend_from_slice(b"G3");
            word(out, b'X', end[0], 3);
            word(out, b'Y', end[1], 3);
            word(out, b'I', center[0], 3);
            word(out, b'J', center[1], 3);
            out.push(b'\n');
        }
    }

    /// A hole bored in turns of a helix, its floor cleaned by a circle.
    fn bore(out: &mut Vec<u8>, hole: usize) {
        let center = [
            [6.0, 6.0],
            [WIDTH - 6.0, 6.0],
            [WIDTH - 6.0, HEIGHT - 6.0],
            [6.0, HEIGHT - 6.0],
        ][hole];
        out.extend_from_slice(b"G0 Z5.000\n(bore ");
        number(out, hole as f64 + 1.0, 0);
        line(out, ")");
        approach(out, [center[0] - BORE, center[1]]);
        line(out, "G1 Z0.000 F300\nF1500");
        for turn in 1..=9 {
            let z = -0.75 * f64::from(turn.min(8));
            out.extend_from_slice(b"G2");
            word(out, b'X', center[0] - BORE, 3);
            word(out, b'Y', center[1], 3);
            word(out, b'Z', z, 3);
            word(out, b'I', BORE, 3);
            line(out, " J0.000");
        }
        out.extend_from_slice(b"G1");
        word(out, b'X', center[0], 3);
        word(out, b'Y', center[1], 3);
        out.push(b'\n');
    }
}

/// Above the plate to `at`, then down to the retract height.
fn approach(out: &mut Vec<u8>, at: [f64; 2]) {
    out.extend_from_slice(b"G0");
    word(out, b'X', at[0], 3);
    word(out, b'Y', at[1], 3);
    line(out, "\nG0 Z1.000");
}

fn point(out: &mut Vec<u8>, at: [f64; 2], z: f64) {
    out.extend_from_slice(b"G1");
    word(out, b'X', at[0], 3);
    word(out, b'Y', at[1], 3);
    word(out, b'Z', z, 3);
    out.push(b'\n');
}

/// True when the line from the first height to the last passes all between within the tolerance.
fn straight(heights: &[f64]) -> bool {
    let (Some(first), Some(last)) = (heights.first(), heights.last()) else {
        return true;
    };
    let slope = (last - first) / (heights.len() - 1) as f64;
    heights
        .iter()
        .enumerate()
        .all(|(i, z)| (first + slope * i as f64 - z).abs() <= TOLERANCE)
}

impl Source for Relief {
    fn head(&mut self, out: &mut Vec<u8>) {
        for text in [
            "(relief.nc: a rippled relief in a plate of 200 x 120 mm, 3 mm ball end mill, grbl)",
            "(made by: cargo xtask gen --kind relief examples/relief.nc)",
            "(origin: lower left corner of the plate, its top is Z0; needs 20 mm of room around it)",
            "G17 G21 G90 G94",
            "G54",
        ] {
            line(out, text);
        }
        out.extend_from_slice(b"G0");
        word(out, b'Z', SAFE_Z, 3);
        line(out, "\nM3 S12000\nG4 P2");
    }

    fn part(&mut self, out: &mut Vec<u8>) -> Next {
        let rough_rows = (HEIGHT / ROUGH_ROW) as u32;
        let finish_rows = (WIDTH / FINISH_ROW).ceil() as u32;
        self.stage = match self.stage {
            Stage::Rough { level, row } => {
                self.rough(out, level, row);
                if row < rough_rows {
                    Stage::Rough {
                        level,
                        row: row + 1,
                    }
                } else if level + 1 < LEVELS.len() {
                    line(out, "G0 Z5.000");
                    Stage::Rough {
                        level: level + 1,
                        row: 0,
                    }
                } else {
                    Stage::Finish { row: 0 }
                }
            }
            Stage::Finish { row } => {
                self.finish(out, row);
                if row < finish_rows {
                    Stage::Finish { row: row + 1 }
                } else {
                    Stage::Border { pass: 0 }
                }
            }
            Stage::Border { pass } => {
                Self::border(out, pass);
                if pass < 4 {
                    Stage::Border { pass: pass + 1 }
                } else {
                    Stage::Bores { hole: 0 }
                }
            }
            Stage::Bores { hole } => {
                Self::bore(out, hole);
                if hole == 3 {
                    return Next::Last;
                }
                Stage::Bores { hole: hole + 1 }
            }
        };
        Next::More
    }

    fn foot(&mut self, out: &mut Vec<u8>) {
        for text in ["G0 Z5.000", "M5", "G0 X0.000 Y0.000", "M30"] {
            line(out, text);
        }
    }
}
