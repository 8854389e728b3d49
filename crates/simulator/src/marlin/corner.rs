use super::limits::{Limits, MINIMUM_SPEED};
use super::options::Jerk;
use super::planner::Block;

/// What the speed at a corner depends on, of one of the two blocks that meet there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    nominal: f64,
    length: f64,
    acceleration: f64,
    direction: [f64; 4],
    /// Highest speed from which jerk alone may bring the block to a stop.
    safe: f64,
}

impl Leg {
    pub(super) fn new(block: &Block, limits: &Limits) -> Self {
        let nominal = block.nominal;
        let axes = block.direction.into_iter().zip(limits.jerk);
        let safe = axes.fold(nominal, |safe, (share, jerk)| {
            if share.abs() * nominal > jerk {
                safe.min(jerk / share.abs())
            } else {
                safe
            }
        });
        Self {
            nominal,
            length: block.length,
            acceleration: block.acceleration,
            direction: block.direction,
            safe,
        }
    }

    /// The highest speed at which the corner from `before` may be taken; without one, the speed at
    /// which to begin.
    pub(super) fn entry(&self, before: Option<&Self>, rule: Jerk, limits: &Limits) -> f64 {
        let speed = match (rule, before) {
            (Jerk::Classic, Some(before)) => self.classic(before, limits),
            (Jerk::Classic, None) => self.safe,
            (Jerk::Junction, Some(before)) => self.junction(before, limits),
            (Jerk::Junction, None) => MINIMUM_SPEED,
        };
        let shared = before.map_or(self.nominal, |before| self.nominal.min(before.nominal));
        speed.max(MINIMUM_SPEED).min(shared)
    }

    /// Classic jerk: no axis may change its speed at a corner by more than its jerk; when it turns
    /// round, neither of the two speeds may exceed it.
    fn classic(&self, before: &Self, limits: &Limits) -> f64 {
        let shared = self.nominal.min(before.nominal);
        let mut corner = shared;
        for (axis, most) in limits.jerk.into_iter().enumerate() {
            let (out, into) = (before.direction[axis], self.direction[axis]);
            let jump = if out * into < 0.0 {
                out.abs().max(into.abs())
            } else {
                (out - into).abs()
            };
            if jump * corner > most {
                corner = most / jump;
            }
        }
        // Stopping and starting anew by jerk alone may be no slower than the corner. The firmware
        // compares with 1 % of play, and goes on with the speed of the second block alone; here the
        // first one must bear it too.
        let restart = self.safe.min(before.safe).min(shared);
        if restart > corner * 0.99 {
            restart
        } else {
            corner
        }
    }

    /// Junction deviation: the speed at which an arc that touches both blocks and leaves the corner
    /// by the given deviation needs no more than the allowed acceleration.
    fn junction(&self, before: &Self, limits: &Limits) -> f64 {
        let (out, into) = (unit(before.direction), unit(self.direction));
        let cos = -out.iter().zip(into).map(|(a, b)| a * b).sum::<f64>();
        if cos > 0.999_999 {
            return MINIMUM_SPEED;
        }
        if cos < -0.999_999 {
            return f64::INFINITY;
        }
        let turn = unit(std::array::from_fn(|axis| into[axis] - out[axis]));
        let shares = turn.into_iter().zip(limits.max_acceleration);
        let acceleration = shares.fold(self.acceleration, |least, (share, most)| {
            if share == 0.0 {
                least
            } else {
                least.min(most / share.abs())
            }
        });
        let sin_half = (0.5 * (1.0 - cos)).sqrt();
        let sqr = acceleration * limits.junction_deviation * sin_half / (1.0 - sin_half);
        // Short blocks that turn a little belong to a curve: its own radius bounds the speed too.
        if self.length < 1.0 && cos < -std::f64::consts::FRAC_1_SQRT_2 {
            let radius = self.length / (-cos).acos();
            return sqr.min(radius * acceleration).sqrt();
        }
        sqr.sqrt()
    }
}

fn unit(vector: [f64; 4]) -> [f64; 4] {
    let length = vector.iter().map(|part| part * part).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.map(|part| part / length)
    } else {
        vector
    }
}
