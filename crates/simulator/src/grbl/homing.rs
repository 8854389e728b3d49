use std::time::Duration;

use super::Homed;
use super::settings::Settings;
use crate::motion::Profile;

/// A homing cycle: fast to the switches and back, slowly to them again and back; Z first, then X and
/// Y together, as grbl's default build does it.
///
/// The switches sit at machine zero, or at minus the travel for the axes that `$23` names.
#[derive(Clone, Debug)]
pub(super) struct Homing {
    legs: Vec<Leg>,
    pub(super) start: Duration,
    from: [f64; 3],
    pub(super) finish: Duration,
    end: [f64; 3],
}

#[derive(Clone, Debug)]
struct Leg {
    to: [f64; 3],
    profile: Profile,
}

/// How far the switches are away on a machine that was never homed, mm.
const UNKNOWN_DISTANCE: f64 = 50.0;

impl Homing {
    pub(super) fn new(now: Duration, from: [f64; 3], homed: Homed, settings: &Settings) -> Self {
        let travel = settings.axes(130);
        let pull_off = settings.get(27);
        let (seek, feed) = (
            settings.get(25).max(1.0) / 60.0,
            settings.get(24).max(1.0) / 60.0,
        );
        let origin = switches(settings);
        let inwards: [f64; 3] = std::array::from_fn(|axis| {
            if is_negative(settings, axis) {
                1.0
            } else {
                -1.0
            }
        });
        // Where the switches are in the coordinates that the machine believes in so far.
        let switch: [f64; 3] = std::array::from_fn(|axis| match homed {
            Homed::Yes => origin[axis],
            Homed::No => from[axis] - inwards[axis] * UNKNOWN_DISTANCE.min(travel[axis] / 4.0),
        });
        let end = std::array::from_fn(|axis| origin[axis] + inwards[axis] * pull_off);
        let mut homing = Self {
            legs: Vec::with_capacity(8),
            start: now,
            from,
            finish: now,
            end,
        };
        let mut at = from;
        for axes in [&[2][..], &[0, 1][..]] {
            let (mut touch, mut back) = (at, at);
            for axis in axes.iter().copied() {
                touch[axis] = switch[axis];
                back[axis] = switch[axis] + inwards[axis] * pull_off;
            }
            for (to, speed) in [(touch, seek), (back, seek), (touch, feed), (back, seek)] {
                homing.leg(at, to, speed, settings);
                at = to;
            }
        }
        homing
    }

    fn leg(&mut self, from: [f64; 3], to: [f64; 3], speed: f64, settings: &Settings) {
        let length = distance(from, to);
        if length <= 0.0 {
            return;
        }
        let acceleration = settings
            .axes(120)
            .into_iter()
            .fold(f64::INFINITY, f64::min)
            .max(1e-3);
        let profile = Profile::travel(0.0, speed, 0.0, acceleration, length);
        self.finish += Duration::from_secs_f64(profile.duration());
        self.legs.push(Leg { to, profile });
    }

    pub(super) fn position(&self, now: Duration) -> [f64; 3] {
        let mut time = now.saturating_sub(self.start).as_secs_f64();
        let mut at = self.from;
        for leg in &self.legs {
            if time < leg.profile.duration() {
                let part = leg.profile.at(time).0 / distance(at, leg.to);
                return std::array::from_fn(|axis| {
                    (leg.to[axis] - at[axis]).mul_add(part, at[axis])
                });
            }
            time -= leg.profile.duration();
            at = leg.to;
        }
        at
    }

    /// Where the machine stands afterwards, in the coordinates that hold from then on.
    pub(super) fn end(&self) -> [f64; 3] {
        self.end
    }
}

fn is_negative(settings: &Settings, axis: usize) -> bool {
    settings.mask(23) & (1 << axis) != 0
}

fn switches(settings: &Settings) -> [f64; 3] {
    let travel = settings.axes(130);
    std::array::from_fn(|axis| {
        if is_negative(settings, axis) {
            -travel[axis]
        } else {
            0.0
        }
    })
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (b - a) * (b - a))
        .sum::<f64>()
        .sqrt()
}
