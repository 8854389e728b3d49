use super::code::Error;
use super::gcode::{Parser, with_e};
use super::modal::MotionMode;
use super::words::Words;
use crate::motion::{ArcPath, Turn};

/// Start and end of an arc may be apart from its circle by this much, mm: the larger of a fixed
/// part and a thousandth of the radius, and never half a millimetre.
const ALWAYS_FINE: f64 = 0.005;
const NEVER_FINE: f64 = 0.5;
const PART_OF_RADIUS: f64 = 0.001;

impl Parser {
    /// The path of a G2 or G3 to `target`, from I J K or from R.
    pub(super) fn arc(
        &self,
        words: &mut Words,
        mode: MotionMode,
        target: [f64; 3],
        tolerance: f64,
    ) -> Result<ArcPath, Error> {
        let ([a, b], _) = self.modal.plane.axes();
        if !words.has_axes() {
            return Err(Error::NoAxisWords);
        }
        if !words.xyz[a].is_set() && !words.xyz[b].is_set() {
            return Err(Error::NoAxisWordsInPlane);
        }
        let turn = match mode {
            MotionMode::ArcClockwise => Turn::Clockwise,
            _ => Turn::CounterClockwise,
        };
        let mm = self.modal.units.mm();
        let (x, y) = (target[a] - self.position[a], target[b] - self.position[b]);
        let to_center = match words.r.take() {
            Some(r) => {
                if target == self.position {
                    return Err(Error::InvalidTarget);
                }
                center_from_radius(x, y, r * mm, turn)?
            }
            None => {
                let (i, j) = (words.ijk[a].take(), words.ijk[b].take());
                if i.is_none() && j.is_none() {
                    return Err(Error::NoOffsetsInPlane);
                }
                let [i, j] = [i, j].map(|offset| offset.unwrap_or(0.0) * mm);
                let (radius, end_radius) = (i.hypot(j), (x - i).hypot(y - j));
                let apart = (end_radius - radius).abs();
                if apart > ALWAYS_FINE && (apart > NEVER_FINE || apart > PART_OF_RADIUS * radius) {
                    return Err(Error::InvalidTarget);
                }
                [i, j]
            }
        };
        let center = [
            self.position[a] + to_center[0],
            self.position[b] + to_center[1],
        ];
        let tolerance = tolerance.max(1e-4);
        Ok(ArcPath::new(
            with_e(self.position),
            with_e(target),
            center,
            [a, b],
            turn,
            tolerance,
        ))
    }
}

/// The centre of an arc to (x, y) with radius r: of the two that fit, the one that makes the arc
/// shorter than half a turn, or with a negative radius longer.
fn center_from_radius(x: f64, y: f64, r: f64, turn: Turn) -> Result<[f64; 2], Error> {
    let chord = x.hypot(y);
    let under_root = 4.0 * r * r - chord * chord;
    if under_root < 0.0 || chord == 0.0 {
        return Err(Error::ArcRadius);
    }
    let mut side = -under_root.sqrt() / chord;
    if turn == Turn::CounterClockwise {
        side = -side;
    }
    if r < 0.0 {
        side = -side;
    }
    Ok([0.5 * (x - y * side), 0.5 * (y + x * side)])
}
