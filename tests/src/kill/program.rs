//! Programs for jobs that are killed: short motions, no place twice.

use std::fmt::Write;
use std::io;

use feedhold::{simulator::Kind, stream_core::dialect::Dialect};

use crate::oracle::{Motion, Program};

/// Distance of the turns of the spiral, mm for a radian.
const GROWS_MM: f64 = 0.4;

/// A spiral of lines, arcs and plunges from the middle outwards. No two motions end at the same place, so that a machine that
/// stands still stands at the end of exactly one of them. `number` makes programs differ.
#[must_use]
pub fn spiral(dialect: Dialect, motions: u32, number: u64) -> String {
    let mut text = format!("; job {number}\nG21\nG90\nG0 X0 Y0 Z5\n");
    if dialect == Dialect::Grbl {
        text.push_str("G17 G94 G54\nM3 S1000\n");
    }
    text.push_str("G1 Z-0.1 F3000\n");
    for n in 1..=motions {
        let angle = f64::from(n) * 0.35;
        let radius = 2.0 + GROWS_MM * angle;
        let (x, y) = (radius * angle.cos(), radius * angle.sin());
        // Writing to a `String` cannot fail.
        let _ = match n % 8 {
            // An arc with a radius well above the chord's half.
            3 => writeln!(text, "G3 X{x:.3} Y{y:.3} R{:.3}", radius * 2.0),
            5 => writeln!(text, "G0 Z{:.3}", 1.0 + f64::from(n) / 1000.0),
            6 => writeln!(
                text,
                "G1 X{x:.3} Y{y:.3} Z-{:.3}",
                0.1 + f64::from(n) / 1000.0
            ),
            _ => writeln!(text, "G1 X{x:.3} Y{y:.3}"),
        };
    }
    if dialect == Dialect::Grbl {
        text.push_str("G0 Z5\nM5\nM30\n");
    } else {
        text.push_str("G0 Z5\n");
    }
    text
}

/// What the machine's log has to show.
///
/// # Errors
/// When the oracle cannot follow the program.
pub fn motions(dialect: Dialect, program: &str) -> io::Result<Vec<Motion>> {
    Program::new(dialect.flavor(), program.as_bytes()).collect()
}

/// What the streamer puts in to make the machine wait for its planner; it is no part of the program.
pub(crate) const BARRIER: Kind = Kind::Dwell { seconds: 0.01 };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_motions_end_at_the_same_place() {
        for dialect in [Dialect::Grbl, Dialect::Marlin] {
            let text = spiral(dialect, 200, 1);
            let motions = motions(dialect, &text).expect("a program of ours");
            assert!(motions.len() > 200);
            for (n, motion) in motions.iter().enumerate() {
                let near = motions.iter().skip(n + 1).find(|other| {
                    let apart = motion.target.0.iter().zip(other.target.0);
                    apart.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt() < 0.1
                });
                // The plunge in the middle and the first steps of the spiral are further apart than that.
                assert!(near.is_none(), "{motion:?} and {near:?}\n{text}");
            }
        }
    }
}
