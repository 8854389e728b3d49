use super::rng::Rng;
use super::text::{line, number, word};
use super::{Next, Source};

/// Radius of the loops that clear a slot, in mm.
const LOOP: f64 = 3.0;
/// Loops of one slot.
const LOOPS: u32 = 40;
/// Slots side by side before the next depth.
const SLOTS: u32 = 20;
/// Depths before the next pocket begins at the top again.
const DEPTHS: u32 = 8;

/// Pockets cleared by loops of arcs, slot by slot and depth by depth, each slot trimmed by two lines.
pub(super) struct Mill {
    rng: Rng,
    pocket: u32,
    depth: u32,
    slot: u32,
    step: f64,
    feed: f64,
}

impl Mill {
    pub(super) fn new(rng: Rng) -> Self {
        let mut mill = Self {
            rng,
            pocket: 0,
            depth: 0,
            slot: 0,
            step: 0.0,
            feed: 0.0,
        };
        mill.choose();
        mill
    }

    fn choose(&mut self) {
        self.step = self.rng.between(0.6, 1.8);
        self.feed = self.rng.between(9.0, 18.0).round() * 100.0;
    }

    fn z(&self) -> f64 {
        -0.75 * f64::from(self.depth + 1)
    }

    fn begin_slot(&self, out: &mut Vec<u8>, at: [f64; 2]) {
        out.extend_from_slice(b"(pocket ");
        number(out, f64::from(self.pocket + 1), 0);
        out.extend_from_slice(b", depth ");
        number(out, -self.z(), 2);
        line(out, " mm)");
        out.extend_from_slice(b"G0");
        word(out, b'X', at[0], 4);
        word(out, b'Y', at[1], 4);
        line(out, "\nG0 Z1.0");
        out.extend_from_slice(b"G1");
        word(out, b'Z', self.z(), 3);
        line(out, " F300");
        out.push(b'F');
        number(out, self.feed, 0);
        out.push(b'\n');
    }

    /// One round: a half turn out, not quite a half turn back, a step ahead. The way back is given by its
    /// radius, larger than half the distance: at exactly half, rounding decides whether it exists.
    fn round(&self, out: &mut Vec<u8>, x: f64, y: f64) {
        out.extend_from_slice(b"G2");
        word(out, b'X', x, 4);
        word(out, b'Y', y + 2.0 * LOOP, 4);
        line(out, " I0.0 J3.0");
        out.extend_from_slice(b"G2");
        word(out, b'X', x, 4);
        word(out, b'Y', y, 4);
        line(out, " R3.2");
        out.extend_from_slice(b"G1");
        word(out, b'X', x + self.step, 4);
        out.push(b'\n');
    }
}

impl Source for Mill {
    fn head(&mut self, out: &mut Vec<u8>) {
        for text in [
            "(generated pockets)",
            "G17 G21 G90 G94 G54",
            "M3 S12000",
            "G4 P1",
            "G0 Z5.0",
        ] {
            line(out, text);
        }
    }

    fn part(&mut self, out: &mut Vec<u8>) -> Next {
        let y = 10.0 + 6.5 * f64::from(self.slot);
        let mut x = 10.0;
        self.begin_slot(out, [x, y]);
        for _ in 0..LOOPS {
            self.round(out, x, y);
            x += self.step;
        }
        out.extend_from_slice(b"G1");
        word(out, b'Y', y + LOOP, 4);
        out.extend_from_slice(b" ; trim\nG1 X10.0\nG0 Z5.0\n");
        self.slot = (self.slot + 1) % SLOTS;
        if self.slot == 0 {
            self.depth = (self.depth + 1) % DEPTHS;
            if self.depth == 0 {
                self.pocket += 1;
                self.choose();
            }
        }
        Next::More
    }

    fn foot(&mut self, out: &mut Vec<u8>) {
        for text in ["M5", "G0 X0 Y0", "M30"] {
            line(out, text);
        }
    }
}
