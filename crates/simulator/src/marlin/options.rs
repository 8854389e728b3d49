use std::time::Duration;

/// What can be chosen about the Marlin machine beyond what all machines share. Defaults are those of
/// the example configuration that the firmware ships.
///
/// | key | value | default |
/// |---|---|---|
/// | `emergency_parser` | `on`: M108, M112 and M410 act when received; `off`: when read into the queue | `off` |
/// | `advanced_ok` | `on`: `ok N1 P15 B3` | `off` |
/// | `heat` | `lag` (first order), `instant` | `lag` |
/// | `jerk` | `classic`, `junction` (junction deviation) | `classic` |
/// | `queue` | commands kept, 1 to 64 (`BUFSIZE`) | 4 |
/// | `planner` | planner blocks, 4 to 256, one of them never used | 16 |
/// | `wait` | `on`: says `wait` each second while idle (`NO_TIMEOUTS`) | `off` |
/// | `user` | `wait`: M0, M1 and M600 wait for M108 or the button; `continue` | `wait` |
/// | `script` | see [`Act`] | nothing |
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Options {
    pub(super) emergency_parser: Switch,
    pub(super) advanced_ok: Switch,
    pub(super) heat: Heat,
    pub(super) jerk: Jerk,
    pub(super) queue: usize,
    pub(super) planner: usize,
    pub(super) wait: Switch,
    pub(super) user: User,
    pub(super) script: Vec<Cue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switch {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heat {
    Lag,
    Instant,
}

/// Which rule bounds the speed at a corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Jerk {
    Classic,
    Junction,
}

/// What the person at the machine does about M0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum User {
    Wait,
    Continue,
}

/// Something that happens at a given time since power-up of the simulation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cue {
    pub(super) at: Duration,
    pub(super) act: Act,
}

/// What a cue does. In text, cues are joined by commas: `action:pause@3.5s,runaway@40s`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    /// `action:TEXT`: the printer sends `//action:TEXT`.
    Action(String),
    /// `runaway`, `bed-runaway`, `maxtemp`, `mintemp`, `heating-failed`: the thermal protection
    /// stops the machine with this message, for this heater.
    Thermal(&'static str, &'static str),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            emergency_parser: Switch::Off,
            advanced_ok: Switch::Off,
            heat: Heat::Lag,
            jerk: Jerk::Classic,
            queue: 4,
            planner: 16,
            wait: Switch::Off,
            user: User::Wait,
            script: Vec::new(),
        }
    }
}

impl Options {
    /// Address parameters that this controller knows.
    pub(crate) const KEYS: &'static [&'static str] = &[
        "emergency_parser",
        "advanced_ok",
        "heat",
        "jerk",
        "queue",
        "planner",
        "wait",
        "user",
        "script",
    ];

    /// Takes one address parameter: `Ok(false)` for a key that is not in `KEYS`, `Err` with what a
    /// value must look like.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<bool, &'static str> {
        match key {
            "emergency_parser" => self.emergency_parser = switch(value)?,
            "advanced_ok" => self.advanced_ok = switch(value)?,
            "wait" => self.wait = switch(value)?,
            "heat" => {
                self.heat = choice(
                    value,
                    [("lag", Heat::Lag), ("instant", Heat::Instant)],
                    "lag or instant",
                )?
            }
            "jerk" => {
                let rules = [("classic", Jerk::Classic), ("junction", Jerk::Junction)];
                self.jerk = choice(value, rules, "classic or junction")?;
            }
            "user" => {
                let persons = [("wait", User::Wait), ("continue", User::Continue)];
                self.user = choice(value, persons, "wait or continue")?;
            }
            "queue" => self.queue = within(value, 1, 64, "commands, 1 to 64")?,
            "planner" => self.planner = within(value, 4, 256, "blocks, 4 to 256")?,
            "script" => self.script = script(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn switch(value: &str) -> Result<Switch, &'static str> {
    choice(
        value,
        [("on", Switch::On), ("off", Switch::Off)],
        "on or off",
    )
}

fn choice<T: Copy>(
    value: &str,
    known: [(&str, T); 2],
    expected: &'static str,
) -> Result<T, &'static str> {
    known
        .into_iter()
        .find(|(name, _)| *name == value)
        .map(|(_, choice)| choice)
        .ok_or(expected)
}

fn within(
    value: &str,
    low: usize,
    high: usize,
    expected: &'static str,
) -> Result<usize, &'static str> {
    value
        .parse()
        .ok()
        .filter(|number| (low..=high).contains(number))
        .ok_or(expected)
}

fn script(text: &str) -> Result<Vec<Cue>, &'static str> {
    const EXPECTED: &str = "cues like `action:pause@3.5s` joined by commas; besides action:TEXT there are runaway, \
                            bed-runaway, maxtemp, mintemp and heating-failed, and times go to 1000000 s";
    let mut cues = text
        .split(',')
        .map(|cue| self::cue(cue).ok_or(EXPECTED))
        .collect::<Result<Vec<_>, _>>()?;
    cues.sort_by_key(|cue| cue.at);
    Ok(cues)
}

fn cue(text: &str) -> Option<Cue> {
    let (what, when) = text.rsplit_once('@')?;
    let seconds: f64 = when.strip_suffix('s').unwrap_or(when).parse().ok()?;
    if !(0.0..=1e6).contains(&seconds) {
        return None;
    }
    let act = match what {
        "runaway" => Act::Thermal("Thermal Runaway", "0"),
        "bed-runaway" => Act::Thermal("Thermal Runaway", "bed"),
        "maxtemp" => Act::Thermal("MAXTEMP triggered", "0"),
        "mintemp" => Act::Thermal("MINTEMP triggered", "0"),
        "heating-failed" => Act::Thermal("Heating failed", "0"),
        _ => {
            let action = what.strip_prefix("action:")?;
            // One line to the host: a control character would make it two.
            if action.is_empty() || action.chars().any(char::is_control) {
                return None;
            }
            Act::Action(action.to_owned())
        }
    };
    Some(Cue {
        at: Duration::from_secs_f64(seconds),
        act,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_takes_a_right_value_and_refuses_a_wrong_one() {
        let right = [
            "on",
            "on",
            "instant",
            "junction",
            "8",
            "32",
            "on",
            "continue",
            "action:cancel@2,runaway@1.5s",
        ];
        assert_eq!(right.len(), Options::KEYS.len());
        for (key, value) in Options::KEYS.iter().zip(right) {
            let mut options = Options::default();
            assert_eq!(options.set(key, value), Ok(true), "{key}={value}");
            assert_ne!(options, Options::default(), "{key}={value}");
            for wrong in [
                "",
                "yes",
                "-1",
                "0",
                "100000",
                "action:@1",
                "action:x\ny@1",
                "runaway",
                "boom@1",
                "mintemp@nan",
            ] {
                assert!(options.set(key, wrong).is_err(), "{key}={wrong}");
            }
        }
        assert_eq!(Options::default().set("bufsize", "4"), Ok(false));
    }

    #[test]
    fn cues_are_sorted_by_time() {
        let mut options = Options::default();
        options
            .set("script", "action:cancel@2,bed-runaway@1.5s")
            .unwrap();
        let times: Vec<f64> = options
            .script
            .iter()
            .map(|cue| cue.at.as_secs_f64())
            .collect();
        assert_eq!(times, [1.5, 2.0]);
        assert_eq!(
            options.script[0].act,
            Act::Thermal("Thermal Runaway", "bed")
        );
    }
}
