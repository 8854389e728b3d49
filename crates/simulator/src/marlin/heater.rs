use std::time::Duration;

use super::options::Heat;

/// Room temperature in °C.
const AMBIENT: f64 = 20.0;

/// A heater with its sensor: one thermal mass that follows its power with a first-order lag.
///
/// Full power brings it towards `hot` with time constant `lag_s`, no power towards the room; at its
/// target it holds. The temperature at any time is a closed formula, so it does not depend on how
/// often anybody looks.
#[derive(Clone, Debug)]
pub(super) struct Heater {
    kind: HeaterKind,
    model: Heat,
    /// Temperature at `since`.
    base: f64,
    since: Duration,
    target: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaterKind {
    Hotend,
    Bed,
}

impl HeaterKind {
    /// Temperature that full power reaches in the end, °C.
    const fn hot(self) -> f64 {
        match self {
            Self::Hotend => 400.0,
            Self::Bed => 160.0,
        }
    }

    /// Time constant in seconds.
    const fn lag_s(self) -> f64 {
        match self {
            Self::Hotend => 100.0,
            Self::Bed => 250.0,
        }
    }

    /// Highest target taken, °C: MAXTEMP of 275 and 150 less the overshoot allowed for.
    const fn highest_target(self) -> f64 {
        match self {
            Self::Hotend => 260.0,
            Self::Bed => 140.0,
        }
    }
}

impl Heater {
    pub(super) const fn new(kind: HeaterKind, model: Heat) -> Self {
        Self {
            kind,
            model,
            base: AMBIENT,
            since: Duration::ZERO,
            target: 0.0,
        }
    }

    pub(super) const fn target(&self) -> f64 {
        self.target
    }

    /// Sets the target in °C, limited to what the firmware allows.
    pub(super) fn set_target(&mut self, now: Duration, celsius: f64) {
        self.base = self.celsius(now);
        self.since = now;
        self.target = celsius.clamp(0.0, self.kind.highest_target());
    }

    /// What the sensor shows.
    pub(super) fn celsius(&self, now: Duration) -> f64 {
        let goal = self.target.max(AMBIENT);
        if self.model == Heat::Instant {
            return goal;
        }
        let passed = now.saturating_sub(self.since).as_secs_f64();
        let decay = (-passed / self.kind.lag_s()).exp();
        let towards = |end: f64| end + (self.base - end) * decay;
        if self.base <= goal {
            towards(self.kind.hot()).min(goal)
        } else {
            towards(AMBIENT).max(goal)
        }
    }

    /// Duty of the heater as the firmware reports it, 0 to 127.
    pub(super) fn power(&self, now: Duration) -> u8 {
        if self.target <= AMBIENT {
            return 0;
        }
        let celsius = self.celsius(now);
        if celsius < self.target {
            127
        } else if celsius > self.target {
            0
        } else {
            (127.0 * (self.target - AMBIENT) / (self.kind.hot() - AMBIENT)) as u8
        }
    }
}

/// How long the temperature must have been right before M109 and M190 are satisfied.
const RESIDENCY: Duration = Duration::from_secs(10);
/// Closer than this to the target, residency begins, °C.
const WINDOW: f64 = 1.0;
/// Further away than this, residency begins anew, °C.
const HYSTERESIS: f64 = 3.0;
/// How often the wait looks at the sensor.
const LOOK: Duration = Duration::from_millis(100);
/// How often it reports.
const REPORT: Duration = Duration::from_secs(1);

/// M109 or M190 waiting.
#[derive(Clone, Debug)]
pub(super) struct HeatWait {
    pub(super) heater: HeaterKind,
    waits_for: WaitsFor,
    /// When residency will have lasted long enough, once it has begun.
    satisfied_at: Option<Duration>,
    is_first_look: bool,
    next_look: Duration,
    next_report: Duration,
}

/// `S` waits for heating only, `R` for cooling too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitsFor {
    Heating,
    HeatingAndCooling,
}

/// What a look at the sensor led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Wait,
    /// Wait on, and say how it goes: whole seconds of residency left, if it has begun.
    Report(Option<u64>),
    Reached,
}

impl HeatWait {
    pub(super) fn new(now: Duration, heater: HeaterKind, waits_for: WaitsFor) -> Self {
        Self {
            heater,
            waits_for,
            satisfied_at: None,
            is_first_look: true,
            next_look: now,
            next_report: now + REPORT,
        }
    }

    pub(super) fn next_event(&self) -> Duration {
        self.next_look.min(self.next_report)
    }

    /// Looks at the sensor.
    pub(super) fn look(&mut self, now: Duration, heater: &Heater) -> Look {
        let distance = heater.target - heater.celsius(now);
        let never_comes =
            distance < 0.0 && self.waits_for == WaitsFor::Heating && self.is_first_look;
        if heater.model == Heat::Instant || heater.target <= 0.0 || never_comes {
            return Look::Reached;
        }
        self.keep_residency(now, distance.abs());
        if now >= self.next_look {
            self.next_look = now + LOOK;
        }
        self.is_first_look = false;
        let rest = self.satisfied_at.map(|at| at.saturating_sub(now));
        if rest == Some(Duration::ZERO) {
            return Look::Reached;
        }
        if now >= self.next_report {
            self.next_report = now + REPORT;
            return Look::Report(rest.map(|rest| rest.as_secs()));
        }
        Look::Wait
    }

    fn keep_residency(&mut self, now: Duration, distance: f64) {
        match self.satisfied_at {
            None if distance < WINDOW => {
                // Whoever is there already needs to wait only part of the time.
                let time = if self.is_first_look {
                    RESIDENCY / 3
                } else {
                    RESIDENCY
                };
                self.satisfied_at = Some(now + time);
            }
            Some(_) if distance > HYSTERESIS => self.satisfied_at = Some(now + RESIDENCY),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// When a heater that is switched on at `from` passes `target`, from the law of the lag.
    fn time_to_reach(kind: HeaterKind, from: f64, target: f64) -> Duration {
        Duration::from_secs_f64(kind.lag_s() * ((kind.hot() - from) / (kind.hot() - target)).ln())
    }

    #[test]
    fn reaches_its_target_when_the_formula_says() {
        for (kind, target) in [(HeaterKind::Hotend, 200.0), (HeaterKind::Bed, 60.0)] {
            let mut heater = Heater::new(kind, Heat::Lag);
            heater.set_target(Duration::ZERO, target);
            let there = time_to_reach(kind, AMBIENT, target);
            let margin = Duration::from_millis(10);
            assert!(heater.celsius(there - margin) < target, "{kind:?}");
            assert!(
                (heater.celsius(there + margin) - target).abs() < 1e-9,
                "{kind:?}"
            );
        }
    }

    #[test]
    fn waits_for_residency_and_not_for_cooling_unless_told() {
        let wait = |from: f64, target: f64, waits_for| {
            let mut heater = Heater::new(HeaterKind::Hotend, Heat::Lag);
            heater.base = from;
            heater.set_target(Duration::ZERO, target);
            let mut wait = HeatWait::new(Duration::ZERO, HeaterKind::Hotend, waits_for);
            let mut now = Duration::ZERO;
            while wait.look(now, &heater) != Look::Reached {
                now = wait.next_event();
            }
            now.as_secs_f64()
        };
        let to_window = time_to_reach(HeaterKind::Hotend, AMBIENT, 199.0).as_secs_f64();
        let heating = wait(AMBIENT, 200.0, WaitsFor::Heating);
        assert!((heating - to_window - 10.0).abs() < 0.2, "{heating}");
        assert_eq!(wait(220.0, 170.0, WaitsFor::Heating), 0.0);
        assert!(wait(220.0, 170.0, WaitsFor::HeatingAndCooling) > 20.0);
        assert!((wait(200.0, 200.0, WaitsFor::Heating) - 10.0 / 3.0).abs() < 0.2);
    }

    proptest! {
        #[test]
        fn never_leaves_the_way_to_its_target(start in 20.0_f64..260.0, target in 0.0_f64..400.0, times in proptest::collection::vec(0_u64..600_000, 1..20)) {
            let mut heater = Heater::new(HeaterKind::Hotend, Heat::Lag);
            heater.base = start;
            heater.set_target(Duration::ZERO, target);
            let goal = heater.target().max(AMBIENT);
            let (low, high) = (start.min(goal), start.max(goal));
            let mut times = times;
            times.sort_unstable();
            let mut before = start;
            for at in times {
                let now = heater.celsius(Duration::from_millis(at));
                prop_assert!((low - 1e-9..=high + 1e-9).contains(&now));
                prop_assert!((goal - now).abs() <= (goal - before).abs() + 1e-9);
                before = now;
            }
        }

        #[test]
        fn looking_in_between_changes_nothing(target in 30.0_f64..260.0, at in 1_u64..200_000, look in 0_u64..200_000) {
            let mut once = Heater::new(HeaterKind::Hotend, Heat::Lag);
            once.set_target(Duration::ZERO, target);
            let mut again = once.clone();
            let (look, at) = (Duration::from_millis(look.min(at)), Duration::from_millis(at));
            again.set_target(look, target);
            prop_assert!((once.celsius(at) - again.celsius(at)).abs() < 1e-6);
        }
    }
}
