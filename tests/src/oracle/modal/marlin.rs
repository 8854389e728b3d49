use std::collections::BTreeMap;

use super::fields::Fields;
use super::words::{Word, code, number, value, without_comments, words};

const AXES: [char; 3] = ['X', 'Y', 'Z'];
const NAMES: [&str; 3] = ["x", "y", "z"];

/// mm/min before the first F.
const FIRST_FEED: f64 = 1500.0;

/// A printer with Marlin 2.1, as its G-code index describes it.
#[derive(Clone, Debug)]
pub(super) struct Marlin {
    motion: String,
    plane: String,
    units: String,
    /// G90 or G91.
    distance: &'static str,
    /// M82 or M83.
    extruder: &'static str,
    /// mm/min.
    feed: f64,
    feed_percent: f64,
    /// What `M220 B` put aside.
    feed_percent_kept: f64,
    flow_percent: f64,
    /// Machine coordinates, mm.
    at: [f64; 3],
    /// Machine coordinates of the zero that words count from: G92.
    shift: [f64; 3],
    /// The filament's place as the program counts it.
    e: f64,
    tool: f64,
    /// M104 and M109 by tool, °C.
    hotends: BTreeMap<u32, f64>,
    bed: f64,
    chamber: f64,
    /// M106 by fan, 0 to 255.
    fans: BTreeMap<u32, f64>,
    retracted: &'static str,
    spindle: String,
    speed: f64,
    /// What M92 and M201 to M205 set, by code and letter.
    limits: BTreeMap<(u32, char), f64>,
    /// M900.
    pressure_advance: Option<f64>,
    /// M420 S: switched on or off by the program.
    mesh: Option<&'static str>,
    /// M420 Z.
    mesh_fade: Option<f64>,
    /// Sum of M290.
    babysteps: [f64; 3],
    objects: Objects,
}

/// M486.
#[derive(Clone, Debug, Default)]
struct Objects {
    current: Option<i64>,
    cancelled: std::collections::BTreeSet<i64>,
}

impl Default for Marlin {
    fn default() -> Self {
        Self {
            motion: "G0".into(),
            plane: "G17".into(),
            units: "G21".into(),
            distance: "G90",
            extruder: "M82",
            feed: FIRST_FEED,
            feed_percent: 100.0,
            feed_percent_kept: 100.0,
            flow_percent: 100.0,
            at: [0.0; 3],
            shift: [0.0; 3],
            e: 0.0,
            tool: 0.0,
            hotends: BTreeMap::from([(0, 0.0)]),
            bed: 0.0,
            chamber: 0.0,
            fans: BTreeMap::from([(0, 0.0)]),
            retracted: "out",
            spindle: "M5".into(),
            speed: 0.0,
            limits: BTreeMap::new(),
            pressure_advance: None,
            mesh: None,
            mesh_fade: None,
            babysteps: [0.0; 3],
            objects: Objects::default(),
        }
    }
}

impl Marlin {
    pub(super) fn read(&mut self, line: &str) -> Result<(), String> {
        let text = without_comments(line, false);
        let text = text.split('*').next().unwrap_or_default().trim();
        let text = text.strip_prefix('/').unwrap_or(text).trim();
        let text = match text.strip_prefix('N') {
            Some(numbered) => numbered
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == '-')
                .trim(),
            None => text,
        };
        if text.is_empty() || text == "%" {
            return Ok(());
        }
        let letters = text.chars().skip(1).position(|c| c.is_ascii_alphabetic());
        let end = letters.map_or(text.len(), |at| at + 1);
        let (command, arguments) = text.split_at(end);
        let first = words(command)?;
        let first = first.first().copied().ok_or("no command")?;
        // The names and messages of these are text, not words.
        let is_text = matches!(
            command.trim(),
            "M0" | "M1" | "M23" | "M28" | "M30" | "M32" | "M117" | "M118" | "M862.3" | "M862.6"
        );
        // A name in quotation marks is no word either, nor is the letter in front of it.
        let arguments = match (is_text, arguments.split_once(['"', 'A'])) {
            (true, _) => "",
            (false, Some((before, _))) if command.trim() == "M486" => before,
            _ => arguments,
        };
        self.command(first, &words(arguments)?)
    }

    fn command(&mut self, first: Word<'_>, words: &[Word<'_>]) -> Result<(), String> {
        let code = code(first)?;
        match code.as_str() {
            "G0" | "G1" | "G2" | "G3" => return self.go(code, words),
            "G10" => self.retracted = "in",
            "G11" => self.retracted = "out",
            "G17" | "G18" | "G19" => self.plane = code,
            "G20" | "G21" => self.units = code,
            "G28" => {
                let names_any = words.iter().any(|word| AXES.contains(&word.0));
                for (axis, letter) in AXES.into_iter().enumerate() {
                    if !names_any || words.iter().any(|word| word.0 == letter) {
                        (self.at[axis], self.shift[axis]) = (0.0, 0.0);
                    }
                }
            }
            // E follows G90 and G91; M82 and M83 change it alone.
            "G90" => (self.distance, self.extruder) = ("G90", "M82"),
            "G91" => (self.distance, self.extruder) = ("G91", "M83"),
            "G92" => {
                let axes = self.axes(words)?;
                for (axis, value) in axes.into_iter().enumerate() {
                    if let Some(value) = value {
                        self.shift[axis] = self.at[axis] - value;
                    }
                }
                if let Some(e) = self.length(words, 'E')? {
                    self.e = e;
                }
            }
            "G92.1" => self.shift = [0.0; 3],
            // What was measured is in force.
            "G29" => self.mesh = Some("on"),
            "G4" | "G80" => {}
            _ if first.0 == 'T' => self.tool = number(first)?,
            _ if first.0 == 'M' => return self.m_code(&code, words),
            _ => return Err(format!("what {code} does is beyond this oracle")),
        }
        Ok(())
    }

    fn go(&mut self, code: String, words: &[Word<'_>]) -> Result<(), String> {
        if let Some(feed) = self.length(words, 'F')?
            && feed > 0.0
        {
            self.feed = feed;
        }
        self.motion = code;
        let axes = self.axes(words)?;
        for (axis, value) in axes.into_iter().enumerate() {
            match (value, self.distance) {
                (None, _) => {}
                (Some(way), "G91") => self.at[axis] += way,
                (Some(place), _) => self.at[axis] = place + self.shift[axis],
            }
        }
        match (self.length(words, 'E')?, self.extruder) {
            (None, _) => {}
            (Some(way), "M83") => self.e += way,
            (Some(place), _) => self.e = place,
        }
        Ok(())
    }

    fn m_code(&mut self, code: &str, words: &[Word<'_>]) -> Result<(), String> {
        let s = value(words, 'S')?;
        match code {
            "M3" | "M4" => {
                self.spindle = code.to_owned();
                self.speed = s.unwrap_or(self.speed);
            }
            "M5" => self.spindle = code.to_owned(),
            "M82" | "M83" => self.extruder = if code == "M82" { "M82" } else { "M83" },
            "M92" | "M201" | "M203" | "M204" | "M205" => self.limit(code, words)?,
            "M104" | "M109" => {
                let tool = value(words, 'T')?.unwrap_or(self.tool) as u32;
                let r = if code == "M109" {
                    value(words, 'R')?
                } else {
                    None
                };
                if let Some(celsius) = s.or(r) {
                    self.hotends.insert(tool, celsius);
                }
            }
            "M140" => self.bed = s.unwrap_or(self.bed),
            "M190" => self.bed = s.or(value(words, 'R')?).unwrap_or(self.bed),
            "M141" => self.chamber = s.unwrap_or(self.chamber),
            "M191" => self.chamber = s.or(value(words, 'R')?).unwrap_or(self.chamber),
            "M106" | "M107" => {
                let fan = value(words, 'P')?.unwrap_or(0.0) as u32;
                let speed = if code == "M107" {
                    0.0
                } else {
                    s.unwrap_or(255.0)
                };
                // The firmware takes whole numbers.
                self.fans.insert(fan, speed.trunc());
            }
            "M220" => {
                if words.iter().any(|word| word.0 == 'B') {
                    self.feed_percent_kept = self.feed_percent;
                }
                if words.iter().any(|word| word.0 == 'R') {
                    self.feed_percent = self.feed_percent_kept;
                }
                self.feed_percent = s.unwrap_or(self.feed_percent);
            }
            "M221" => self.flow_percent = s.unwrap_or(self.flow_percent),
            "M900" => self.pressure_advance = value(words, 'K')?.or(self.pressure_advance),
            "M420" => {
                if let Some(on) = s {
                    self.mesh = Some(if on == 0.0 { "off" } else { "on" });
                }
                self.mesh_fade = value(words, 'Z')?.or(self.mesh_fade);
            }
            "M290" => {
                let z = value(words, 'S')?.or(value(words, 'Z')?);
                let ways = [value(words, 'X')?, value(words, 'Y')?, z];
                for (sum, way) in self.babysteps.iter_mut().zip(ways) {
                    *sum += way.unwrap_or(0.0);
                }
            }
            "M486" => self.objects.take(words)?,
            "M501" | "M502" => self.limits.clear(),
            _ => {}
        }
        Ok(())
    }

    fn limit(&mut self, code: &str, words: &[Word<'_>]) -> Result<(), String> {
        let code = code[1..].parse().map_err(|_| "no code")?;
        for word in words {
            let value = number(*word)?;
            // `S` is the old way to say `P` and `T` of M204.
            let letters: &[char] = match (code, word.0) {
                (204, 'S') => &['P', 'T'],
                _ => &[word.0],
            };
            for letter in letters {
                self.limits.insert((code, *letter), value);
            }
        }
        Ok(())
    }

    fn axes(&self, words: &[Word<'_>]) -> Result<[Option<f64>; 3], String> {
        let mut axes = [None; 3];
        for (axis, letter) in axes.iter_mut().zip(AXES) {
            *axis = self.length(words, letter)?;
        }
        Ok(axes)
    }

    /// A length in mm.
    fn length(&self, words: &[Word<'_>], letter: char) -> Result<Option<f64>, String> {
        let unit = if self.units == "G20" { 25.4 } else { 1.0 };
        Ok(value(words, letter)?.map(|value| value * unit))
    }

    pub(super) fn stand(&mut self, fields: &Fields) {
        self.at = NAMES.map(|name| fields.number(name).unwrap_or(0.0));
    }

    pub(super) const fn height(&self) -> f64 {
        self.at[2]
    }

    pub(super) const fn shift_z(&self) -> f64 {
        self.shift[2]
    }

    pub(super) fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        for (name, code) in [
            ("motion", &self.motion),
            ("plane", &self.plane),
            ("units", &self.units),
            ("spindle", &self.spindle),
        ] {
            fields.set_word(name, code.clone());
        }
        fields.set_word("distance", self.distance);
        fields.set_word("extruder", self.extruder);
        fields.set_word("retracted", self.retracted);
        for (name, number) in [
            ("feed", self.feed),
            ("feed percent", self.feed_percent),
            ("feed percent kept", self.feed_percent_kept),
            ("flow percent", self.flow_percent),
            ("e", self.e),
            ("tool", self.tool),
            ("bed", self.bed),
            ("chamber", self.chamber),
            ("speed", self.speed),
        ] {
            fields.set_number(name, number);
        }
        fields.set_numbers("", NAMES, self.at);
        let work = std::array::from_fn(|axis| self.at[axis] - self.shift[axis]);
        fields.set_numbers("work", NAMES, work);
        fields.set_numbers("babystep", NAMES, self.babysteps);
        for (tool, celsius) in &self.hotends {
            fields.set_number(format!("hotend {tool}"), *celsius);
        }
        for (fan, speed) in &self.fans {
            fields.set_number(format!("fan {fan}"), *speed);
        }
        for ((code, letter), number) in &self.limits {
            fields.set_number(format!("m{code} {letter}"), *number);
        }
        if let Some(k) = self.pressure_advance {
            fields.set_number("pressure advance", k);
        }
        if let Some(mesh) = self.mesh {
            fields.set_word("mesh", mesh);
        }
        if let Some(fade) = self.mesh_fade {
            fields.set_number("mesh fade", fade);
        }
        for object in &self.objects.cancelled {
            fields.set_number(format!("object {object} cancelled"), 1.0);
        }
        if let Some(object) = self.objects.current {
            fields.set_number("object", object as f64);
        }
        fields
    }
}

impl Objects {
    fn take(&mut self, words: &[Word<'_>]) -> Result<(), String> {
        for word in words {
            let index = number(*word).map(|index| index as i64);
            match word.0 {
                'S' => self.current = Some(index?),
                'P' => {
                    self.cancelled.insert(index?);
                }
                'U' => {
                    self.cancelled.remove(&index?);
                }
                'C' => self
                    .cancelled
                    .extend(self.current.filter(|object| *object >= 0)),
                'T' => *self = Self::default(),
                _ => {}
            }
        }
        Ok(())
    }
}
