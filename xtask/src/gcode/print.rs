use std::f64::consts::TAU;

use super::rng::Rng;
use super::text::{line, number, word};
use super::{Next, Source};

const LAYER_HEIGHT: f64 = 0.2;
/// After so many layers the next object begins on the bed, so that Z stays in the machine.
const LAYERS: u32 = 900;
const WALLS: u32 = 3;
const SEGMENTS: usize = 240;
const CENTER: [f64; 2] = [110.0, 105.0];
/// Filament (mm) for a mm of line: 0.45 mm wide, 0.2 mm high, filament of 1.75 mm.
const FILAMENT: f64 = 0.45 * LAYER_HEIGHT / (TAU / 8.0 * 1.75 * 1.75);

/// Layers of lobed walls around a zigzag infill, with relative extrusion.
pub(super) struct Print {
    rng: Rng,
    layer: u32,
    wall: u32,
    object: u32,
    radius: f64,
    lobes: f64,
    circle: Vec<[f64; 2]>,
}

impl Print {
    pub(super) fn new(rng: Rng) -> Self {
        let circle = (0..=SEGMENTS)
            .map(|i| TAU * (i % SEGMENTS) as f64 / SEGMENTS as f64)
            .map(|angle| [angle.cos(), angle.sin()])
            .collect();
        let mut print = Self {
            rng,
            layer: 0,
            wall: 0,
            object: 0,
            radius: 0.0,
            lobes: 0.0,
            circle,
        };
        print.choose();
        print
    }

    /// The shape of the next object.
    fn choose(&mut self) {
        self.radius = self.rng.between(22.0, 45.0);
        self.lobes = self.rng.between(0.0, 0.12);
    }

    fn z(&self) -> f64 {
        LAYER_HEIGHT * f64::from(self.layer + 1)
    }

    fn begin_layer(&self, out: &mut Vec<u8>) {
        line(out, ";LAYER_CHANGE");
        out.extend_from_slice(b";Z:");
        number(out, self.z(), 3);
        out.push(b'\n');
        line(out, "G1 E-0.8 F2400");
        out.extend_from_slice(b"G1");
        word(out, b'Z', self.z(), 3);
        line(out, " F720");
        line(
            out,
            if self.layer < 2 {
                "M106 S0"
            } else {
                "M106 S229.5"
            },
        );
    }

    fn wall(&mut self, out: &mut Vec<u8>) {
        line(
            out,
            if self.wall == 0 {
                ";TYPE:External perimeter"
            } else {
                ";TYPE:Perimeter"
            },
        );
        let inset = 0.45 * f64::from(self.wall);
        let phase = f64::from(self.layer) * 0.01;
        let mut from = [0.0; 2];
        for (i, [cos, sin]) in self.circle.iter().enumerate() {
            // cos 3a from cos a: the lobes turn a little with every layer without a sine a point.
            let lobe = self.lobes * (4.0 * cos * cos * cos - 3.0 * cos + phase.fract());
            let radius = self.radius * (1.0 + lobe) - inset;
            let to = [CENTER[0] + radius * cos, CENTER[1] + radius * sin];
            out.extend_from_slice(b"G1");
            word(out, b'X', to[0], 3);
            word(out, b'Y', to[1], 3);
            if i == 0 {
                line(out, " F9000");
                line(out, "G1 E0.8 F2400");
                line(
                    out,
                    if self.wall == 0 {
                        "G1 F1500"
                    } else {
                        "G1 F2700"
                    },
                );
            } else {
                word(
                    out,
                    b'E',
                    FILAMENT * (to[0] - from[0]).hypot(to[1] - from[1]),
                    5,
                );
                out.push(b'\n');
            }
            from = to;
        }
    }

    fn infill(&mut self, out: &mut Vec<u8>) {
        line(out, ";TYPE:Internal infill");
        line(out, "G1 F4200");
        let half = self.radius * 0.6;
        let rows = 24;
        for row in 0..rows {
            let y = -half + 2.0 * half * f64::from(row) / f64::from(rows - 1);
            let x = if row % 2 == 0 { half } else { -half };
            let (x, y) = if self.layer.is_multiple_of(2) {
                (x, y)
            } else {
                (y, x)
            };
            out.extend_from_slice(b"G1");
            word(out, b'X', CENTER[0] + x, 3);
            word(out, b'Y', CENTER[1] + y, 3);
            if row > 0 {
                word(out, b'E', FILAMENT * 2.0 * half, 5);
            }
            out.push(b'\n');
        }
    }

    fn next_object(&mut self, out: &mut Vec<u8>) {
        self.layer = 0;
        self.object += 1;
        self.choose();
        line(out, "G1 E-0.8 F2400");
        line(out, "G1 Z200.000 F720");
        out.extend_from_slice(b"M117 Object ");
        number(out, f64::from(self.object + 1), 0);
        out.push(b'\n');
        line(out, "G1 E0.8 F2400");
    }
}

impl Source for Print {
    fn head(&mut self, out: &mut Vec<u8>) {
        for text in [
            "; generated print: walls and infill, relative extrusion",
            "G21 ; mm",
            "G90",
            "M83",
            "M140 S60",
            "M104 S210",
            "G28",
            "M190 S60",
            "M109 S210",
            "G92 E0",
            "M117 Object 1",
            "G1 Z5.000 F720",
        ] {
            line(out, text);
        }
    }

    fn part(&mut self, out: &mut Vec<u8>) -> Next {
        if self.wall == 0 {
            self.begin_layer(out);
        }
        if self.wall < WALLS {
            self.wall(out);
            self.wall += 1;
            return Next::More;
        }
        self.infill(out);
        self.wall = 0;
        self.layer += 1;
        if self.layer == LAYERS {
            self.next_object(out);
        }
        Next::More
    }

    fn foot(&mut self, out: &mut Vec<u8>) {
        for text in [
            "G1 E-2.0 F2400",
            "M104 S0",
            "M140 S0",
            "M107",
            "G1 Z205.000 F720",
            "M84",
        ] {
            line(out, text);
        }
    }
}
