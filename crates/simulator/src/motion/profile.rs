/// Speed over time on one straight piece: up to three phases of constant acceleration.
///
/// Speeds in mm/s, acceleration in mm/s², lengths in mm, times in seconds. The profile never asks
/// for more than the acceleration given; where a target cannot be reached within the length it ends
/// at the speed that can.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Profile {
    phases: [Phase; 3],
    distance: f64,
    duration: f64,
    end_speed: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Phase {
    /// Speed at its start.
    speed: f64,
    acceleration: f64,
    time: f64,
}

/// Lengths that differ by less are the same, mm.
const ROUNDING: f64 = 1e-9;

impl Profile {
    /// Travels `length` from speed `entry` to speed `exit`, at most at `cruise`. An `entry` above
    /// `cruise` (an override was turned down) is braked first.
    pub(crate) fn travel(
        entry: f64,
        cruise: f64,
        exit: f64,
        acceleration: f64,
        length: f64,
    ) -> Self {
        let exit = exit.min(cruise);
        let mut profile = Self::starting(entry);
        // Speed reached when accelerating first and braking last with nothing between.
        let peak_sqr = f64::midpoint(entry * entry, exit * exit) + acceleration * length;
        if peak_sqr <= entry * entry {
            profile.brake_over(length, acceleration);
        } else if peak_sqr <= exit * exit {
            let end = (entry * entry + 2.0 * acceleration * length).sqrt();
            profile.ramp_to(end, acceleration);
        } else if peak_sqr < cruise * cruise {
            let peak = peak_sqr.sqrt();
            profile.ramp_to(peak, acceleration);
            profile.ramp_to(exit, acceleration);
        } else {
            let first = (cruise * cruise - entry * entry).abs() / (2.0 * acceleration);
            let last = (cruise * cruise - exit * exit) / (2.0 * acceleration);
            let middle = length - first - last;
            if middle < 0.0 {
                profile.brake_over(length, acceleration);
            } else {
                profile.ramp_to(cruise, acceleration);
                profile.cruise(middle);
                profile.ramp_to(exit, acceleration);
            }
        }
        // The sum of the phases may miss the length by rounding; what was asked for counts.
        profile.distance = length;
        profile
    }

    /// Brakes to a stand, or as far as `length` lets it.
    pub(crate) fn stop(entry: f64, acceleration: f64, length: f64) -> Self {
        let mut profile = Self::starting(entry);
        profile.brake_over(length, acceleration);
        if entry * entry >= 2.0 * acceleration * length || length - profile.distance < ROUNDING {
            profile.distance = length;
        }
        profile
    }

    fn starting(speed: f64) -> Self {
        Self {
            end_speed: speed,
            ..Self::default()
        }
    }

    fn push(&mut self, phase: Phase, distance: f64) {
        if phase.time <= 0.0 {
            return;
        }
        if let Some(free) = self.phases.iter_mut().find(|p| p.time == 0.0) {
            *free = phase;
        }
        self.duration += phase.time;
        self.distance += distance;
        self.end_speed = phase.acceleration.mul_add(phase.time, phase.speed).max(0.0);
    }

    fn ramp_to(&mut self, speed: f64, acceleration: f64) {
        let from = self.end_speed;
        let time = (speed - from).abs() / acceleration;
        let signed = if speed < from {
            -acceleration
        } else {
            acceleration
        };
        let distance = f64::midpoint(from, speed) * time;
        self.push(
            Phase {
                speed: from,
                acceleration: signed,
                time,
            },
            distance,
        );
        self.end_speed = speed;
    }

    fn cruise(&mut self, distance: f64) {
        let speed = self.end_speed;
        self.push(
            Phase {
                speed,
                acceleration: 0.0,
                time: distance / speed,
            },
            distance,
        );
    }

    fn brake_over(&mut self, length: f64, acceleration: f64) {
        let from = self.end_speed;
        self.ramp_to(
            (from * from - 2.0 * acceleration * length).max(0.0).sqrt(),
            acceleration,
        );
    }

    /// Seconds for the whole profile.
    pub(crate) fn duration(&self) -> f64 {
        self.duration
    }

    /// Length travelled at its end.
    pub(crate) fn distance(&self) -> f64 {
        self.distance
    }

    /// Length travelled and speed after `time`.
    pub(crate) fn at(&self, time: f64) -> (f64, f64) {
        if time >= self.duration {
            return (self.distance, self.end_speed);
        }
        let (mut left, mut travelled) = (time, 0.0);
        for phase in &self.phases {
            let spent = left.min(phase.time);
            let speed = phase.acceleration.mul_add(spent, phase.speed);
            travelled += f64::midpoint(phase.speed, speed) * spent;
            if left <= phase.time {
                return (travelled.min(self.distance), speed);
            }
            left -= phase.time;
        }
        (self.distance, self.end_speed)
    }
}
