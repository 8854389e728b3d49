use std::f64::consts::TAU;

use super::rng::Rng;
use super::text::{line, number, word};
use super::{Next, Source};

const ROUNDS: u32 = 110;
const SEGMENTS: u32 = 72;
const LAYER_HEIGHT: f64 = 0.4;
const CENTER: [f64; 2] = [100.0, 100.0];
/// Filament (mm) for a mm of line: 0.6 mm wide, 0.4 mm high, filament of 1.75 mm.
const FILAMENT: f64 = 0.6 * LAYER_HEIGHT / (TAU / 8.0 * 1.75 * 1.75);

/// A waisted vase of one wall that rises without a seam, on a disc of rings.
pub(super) struct Vase {
    phase: f64,
    round: u32,
    at: [f64; 2],
    /// Filament since the last `G92 E0`.
    filament: f64,
}

impl Vase {
    pub(super) fn new(mut rng: Rng) -> Self {
        Self {
            phase: rng.between(0.0, TAU),
            round: 0,
            at: [0.0; 2],
            filament: 0.0,
        }
    }

    /// The wall's place at `turns` (whole rounds and the part of one) above the floor.
    fn wall(&self, turns: f64) -> [f64; 2] {
        let height = turns / f64::from(ROUNDS);
        let angle = TAU * turns.fract();
        let waist = 21.0 + 4.5 * (TAU * height * 0.8 + 0.6).cos();
        let flutes = 0.9 * (7.0 * angle + self.phase + 2.5 * height).sin() * height.min(0.3) / 0.3;
        let radius = waist + flutes;
        [
            CENTER[0] + radius * angle.cos(),
            CENTER[1] + radius * angle.sin(),
        ]
    }

    fn extrude(&mut self, out: &mut Vec<u8>, to: [f64; 2], z: Option<f64>) {
        self.filament += FILAMENT * (to[0] - self.at[0]).hypot(to[1] - self.at[1]);
        self.at = to;
        out.extend_from_slice(b"G1");
        word(out, b'X', to[0], 3);
        word(out, b'Y', to[1], 3);
        if let Some(z) = z {
            word(out, b'Z', z, 3);
        }
        word(out, b'E', self.filament, 5);
        out.push(b'\n');
    }

    fn travel(&mut self, out: &mut Vec<u8>, to: [f64; 2]) {
        self.at = to;
        out.extend_from_slice(b"G0");
        word(out, b'X', to[0], 3);
        word(out, b'Y', to[1], 3);
        line(out, " F7200");
    }

    /// Two layers of rings from the wall inwards.
    fn floor(&mut self, out: &mut Vec<u8>) {
        for layer in 1..=2 {
            out.extend_from_slice(b";LAYER:");
            number(out, f64::from(layer), 0);
            out.extend_from_slice(b"\nG1");
            word(out, b'Z', LAYER_HEIGHT * f64::from(layer), 3);
            line(out, " F600");
            let outer = self.wall(0.0)[0] - CENTER[0];
            for ring in 0..14 {
                let radius = outer - 0.55 * f64::from(ring);
                self.travel(out, [CENTER[0] + radius, CENTER[1]]);
                line(out, "G1 F1500");
                for i in 1..=48 {
                    let (sin, cos) = (TAU * f64::from(i) / 48.0).sin_cos();
                    self.extrude(
                        out,
                        [CENTER[0] + radius * cos, CENTER[1] + radius * sin],
                        None,
                    );
                }
            }
            self.rezero(out);
        }
    }

    fn rezero(&mut self, out: &mut Vec<u8>) {
        line(out, "G92 E0");
        self.filament = 0.0;
    }

    fn spiral(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b";ROUND:");
        number(out, f64::from(self.round), 0);
        out.push(b'\n');
        for i in 1..=SEGMENTS {
            let turns = f64::from(self.round - 1) + f64::from(i) / f64::from(SEGMENTS);
            let z = LAYER_HEIGHT * (2.0 + turns);
            self.extrude(out, self.wall(turns), Some(z));
        }
        if self.round.is_multiple_of(10) {
            self.rezero(out);
            out.extend_from_slice(b"M117 Round ");
            number(out, f64::from(self.round), 0);
            out.push(b'\n');
        }
    }
}

impl Source for Vase {
    fn head(&mut self, out: &mut Vec<u8>) {
        for text in [
            "; vase.gcode: a fluted vase, one wall, printed in one spiral (Marlin)",
            "; made by: cargo xtask gen --kind vase examples/vase.gcode",
            "G21 ; mm",
            "G90 ; absolute places",
            "M82 ; absolute extrusion",
            "M140 S60 ; warm the bed while the nozzle heats",
            "M104 S205",
            "G28 ; home",
            "M190 S60",
            "M109 S205",
            "M106 S0",
            "G92 E0",
            "G1 Z2.000 F600",
            "G0 X20.000 Y20.000 F7200",
            "G1 Z0.300 F600",
            "G1 X80.000 Y20.000 E8.00000 F1200 ; prime",
            "G1 E7.00000 F2400",
            "G1 Z2.000 F600",
            "G92 E0",
            "M117 Vase",
        ] {
            line(out, text);
        }
    }

    fn part(&mut self, out: &mut Vec<u8>) -> Next {
        if self.round == 0 {
            self.floor(out);
            let start = self.wall(0.0);
            self.travel(out, start);
            line(out, "M106 S200");
            line(out, "G1 F2400");
        } else {
            self.spiral(out);
        }
        self.round += 1;
        if self.round > ROUNDS {
            Next::Last
        } else {
            Next::More
        }
    }

    fn foot(&mut self, out: &mut Vec<u8>) {
        for text in [
            "G92 E0",
            "G1 E-2.00000 F2400",
            "M107",
            "M104 S0",
            "M140 S0",
            "G1 Z60.000 F600",
            "G0 X0.000 Y180.000 F7200 ; bring the bed forward",
            "M84",
            "M117 Done",
        ] {
            line(out, text);
        }
    }
}
