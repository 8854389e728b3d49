use std::f64::consts::TAU;

use super::rng::Rng;
use super::text::{line, word};
use super::{Next, Source};

/// Step from line to line, in mm: at 115200 baud and 16 bytes a line this asks for 7 mm/s, which
/// every machine can do.
const STEP: f64 = 0.01;

/// Steps of one part.
const STEPS: u32 = 500;

/// A path that wanders through a 100 mm square in steps of [`STEP`], bending gently.
pub(super) struct Stress {
    rng: Rng,
    at: [f64; 2],
    heading: f64,
}

impl Stress {
    pub(super) fn new(mut rng: Rng) -> Self {
        let heading = rng.between(0.0, TAU);
        Self {
            rng,
            at: [50.0, 50.0],
            heading,
        }
    }

    /// Turns around before the edge of the square.
    fn turn(&mut self) {
        let middle = (50.0 - self.at[1]).atan2(50.0 - self.at[0]);
        let inside = self.at.iter().all(|c| (10.0..90.0).contains(c));
        self.heading = if inside {
            self.heading + self.rng.between(-0.3, 0.3)
        } else {
            middle
        };
    }
}

impl Source for Stress {
    fn head(&mut self, out: &mut Vec<u8>) {
        line(out, "G21");
        line(out, "G90");
        line(out, "G0 X50.00 Y50.00");
        line(out, "F6000");
    }

    fn part(&mut self, out: &mut Vec<u8>) -> Next {
        self.turn();
        let (sin, cos) = self.heading.sin_cos();
        for _ in 0..STEPS {
            self.at = [self.at[0] + STEP * cos, self.at[1] + STEP * sin];
            out.extend_from_slice(b"G1");
            word(out, b'X', self.at[0], 3);
            word(out, b'Y', self.at[1], 3);
            out.push(b'\n');
        }
        Next::More
    }

    fn foot(&mut self, out: &mut Vec<u8>) {
        line(out, "M2");
    }
}
