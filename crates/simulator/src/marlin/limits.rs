/// Speed below which the planner never goes, mm/s: what it begins and ends with when no jerk is
/// allowed.
pub(super) const MINIMUM_SPEED: f64 = 0.05;

/// The machine's limits for X, Y, Z and E, set by M92 and M201 to M205. Speeds in mm/s, accelerations
/// in mm/s². Defaults are those of the firmware's example configuration.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Limits {
    pub(super) steps_per_mm: [f64; 4],
    pub(super) max_feed: [f64; 4],
    pub(super) max_acceleration: [f64; 4],
    /// For moves that extrude.
    pub(super) acceleration: f64,
    /// For moves of the extruder alone.
    pub(super) retract_acceleration: f64,
    /// For moves without the extruder.
    pub(super) travel_acceleration: f64,
    pub(super) jerk: [f64; 4],
    /// mm.
    pub(super) junction_deviation: f64,
    /// Seconds that a segment lasts at least while the planner runs low.
    pub(super) min_segment_time: f64,
    pub(super) min_feed: f64,
    pub(super) min_travel_feed: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps_per_mm: [80.0, 80.0, 400.0, 500.0],
            max_feed: [300.0, 300.0, 5.0, 25.0],
            max_acceleration: [3000.0, 3000.0, 100.0, 10_000.0],
            acceleration: 3000.0,
            retract_acceleration: 3000.0,
            travel_acceleration: 3000.0,
            jerk: [10.0, 10.0, 0.3, 5.0],
            junction_deviation: 0.013,
            min_segment_time: 0.02,
            min_feed: 0.0,
            min_travel_feed: 0.0,
        }
    }
}

impl Limits {
    /// Takes a value from a command for something that must stay above zero and within what the
    /// arithmetic bears; anything else leaves it as it was.
    pub(super) fn set(place: &mut f64, value: f64) {
        if (1e-3..=1e6).contains(&value) {
            *place = value;
        }
    }

    /// As [`Limits::set`], for something that may be zero.
    pub(super) fn set_or_zero(place: &mut f64, value: f64) {
        if (0.0..=1e6).contains(&value) {
            *place = value;
        }
    }
}
