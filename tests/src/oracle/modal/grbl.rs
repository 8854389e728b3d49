use super::fields::Fields;
use super::words::{Word, code, number, value, without_comments, words};

const AXES: [char; 3] = ['X', 'Y', 'Z'];
const NAMES: [&str; 3] = ["x", "y", "z"];
/// The stored coordinate sets.
const SETS: [&str; 8] = ["g54", "g55", "g56", "g57", "g58", "g59", "g28", "g30"];

/// A mill with grbl 1.1, as its documents describe it: one table of modal groups, three axes, six work coordinate systems.
#[derive(Clone, Debug)]
pub(super) struct Grbl {
    /// The code in force of each modal group, by the name of the group.
    motion: String,
    plane: String,
    units: String,
    distance: String,
    arc_distance: String,
    feed_mode: String,
    cutter: String,
    tool_length_mode: String,
    system: usize,
    path: String,
    spindle: String,
    mist: &'static str,
    flood: &'static str,
    /// mm/min; in inverse time the number of the last line, which means nothing on the next.
    feed: f64,
    speed: f64,
    tool: Option<f64>,
    /// Machine coordinates, mm.
    at: [f64; 3],
    /// Machine coordinates of the zero of G54 to G59.
    origins: [[f64; 3]; 6],
    /// G28 and G30.
    references: [[f64; 3]; 2],
    g92: [f64; 3],
    tool_length: f64,
}

impl Default for Grbl {
    fn default() -> Self {
        Self {
            motion: "G0".into(),
            plane: "G17".into(),
            units: "G21".into(),
            distance: "G90".into(),
            arc_distance: "G91.1".into(),
            feed_mode: "G94".into(),
            cutter: "G40".into(),
            tool_length_mode: "G49".into(),
            system: 0,
            path: "G61".into(),
            spindle: "M5".into(),
            mist: "off",
            flood: "off",
            feed: 0.0,
            speed: 0.0,
            tool: None,
            at: [0.0; 3],
            origins: [[0.0; 3]; 6],
            references: [[0.0; 3]; 2],
            g92: [0.0; 3],
            tool_length: 0.0,
        }
    }
}

/// What a line says that its other words decide on.
#[derive(Default)]
struct Said {
    motion: Option<String>,
    one_shot: Option<String>,
    tool_length: Option<String>,
    stop: Option<String>,
    feed_mode: Option<String>,
    in_machine_coordinates: bool,
}

impl Grbl {
    pub(super) fn read(&mut self, line: &str) -> Result<(), String> {
        let text: String = without_comments(line, true)
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '/')
            .collect();
        if text.is_empty() || text == "%" {
            return Ok(());
        }
        if text.starts_with('$') {
            return Err("a setting is no line of a program".into());
        }
        self.block(&words(&text.to_ascii_uppercase())?)
    }

    /// RS-274's order: feed mode and rate, speed, tool, spindle, coolant, dwell, plane, units, cutter compensation, tool length,
    /// coordinate system, path and distance modes, one-shot commands, motion, stop.
    fn block(&mut self, words: &[Word<'_>]) -> Result<(), String> {
        let said = self.codes(words)?;
        self.take_feed(words, &said)?;
        if let Some(speed) = value(words, 'S')? {
            self.speed = speed;
        }
        if let Some(tool) = value(words, 'T')? {
            self.tool = Some(tool.trunc());
        }
        let axes = self.axes(words)?;
        let names_axes = axes.iter().any(Option::is_some);
        let mut axes_are_free = true;
        match said.tool_length.as_deref() {
            Some("G43.1") => {
                self.tool_length = axes[2].ok_or("G43.1 without Z")?;
                self.tool_length_mode = "G43.1".into();
                axes_are_free = false;
            }
            Some(mode) => {
                self.tool_length = 0.0;
                self.tool_length_mode = mode.into();
            }
            None => {}
        }
        if let Some(command) = said.one_shot.as_deref() {
            self.one_shot(command, words, axes)?;
            axes_are_free &= !matches!(command, "G10" | "G28" | "G30" | "G92");
        }
        if let Some(motion) = said.motion.clone() {
            self.motion = motion;
        }
        if names_axes && axes_are_free {
            self.go(axes, &said)?;
        }
        match said.stop.as_deref() {
            Some("M2" | "M30") => self.end(),
            _ => Ok(()),
        }
    }

    fn codes(&mut self, words: &[Word<'_>]) -> Result<Said, String> {
        let mut said = Said::default();
        for word in words {
            if !matches!(word.0, 'G' | 'M') {
                if !"FIJKLNPRSTXYZ".contains(word.0) {
                    return Err(format!("grbl has no word {}", word.0));
                }
                continue;
            }
            let code = code(*word)?;
            match code.as_str() {
                "G0" | "G1" | "G2" | "G3" | "G38.2" | "G38.3" | "G38.4" | "G38.5" | "G80" => {
                    said.motion = Some(code);
                }
                "G4" | "G10" | "G28" | "G28.1" | "G30" | "G30.1" | "G92" | "G92.1" => {
                    said.one_shot = Some(code);
                }
                "G53" => said.in_machine_coordinates = true,
                "G17" | "G18" | "G19" => self.plane = code,
                "G20" | "G21" => self.units = code,
                "G90" | "G91" => self.distance = code,
                "G91.1" => self.arc_distance = code,
                "G93" | "G94" => said.feed_mode = Some(code),
                "G40" => self.cutter = code,
                "G43.1" | "G49" => said.tool_length = Some(code),
                "G54" | "G55" | "G56" | "G57" | "G58" | "G59" => {
                    self.system = number(*word)? as usize - 54;
                }
                "G61" => self.path = code,
                "M0" | "M1" | "M2" | "M30" => said.stop = Some(code),
                "M3" | "M4" | "M5" => self.spindle = code,
                "M7" => self.mist = "on",
                "M8" => self.flood = "on",
                "M9" => (self.mist, self.flood) = ("off", "off"),
                _ => return Err(format!("grbl has no {code}")),
            }
        }
        Ok(said)
    }

    /// A feed rate belongs to its mode: changing the mode forgets it, and in inverse time it holds for its own line.
    fn take_feed(&mut self, words: &[Word<'_>], said: &Said) -> Result<(), String> {
        let before = self.feed_mode.clone();
        if let Some(mode) = &said.feed_mode {
            self.feed_mode.clone_from(mode);
        }
        let word = value(words, 'F')?;
        self.feed = match (self.feed_mode.as_str(), before.as_str(), word) {
            ("G93", _, word) => word.unwrap_or(0.0),
            (_, _, Some(feed)) => feed * self.unit(),
            (_, "G94", None) => self.feed,
            (_, _, None) => 0.0,
        };
        Ok(())
    }

    fn one_shot(
        &mut self,
        command: &str,
        words: &[Word<'_>],
        axes: [Option<f64>; 3],
    ) -> Result<(), String> {
        match command {
            "G10" => self.set_origin(words, axes)?,
            "G28" | "G30" => {
                let stored = self.references[usize::from(command == "G30")];
                let names_none = axes.iter().all(Option::is_none);
                let via = self.target(axes, false);
                for axis in 0..3 {
                    if names_none || axes[axis].is_some() {
                        self.at[axis] = stored[axis];
                    } else {
                        self.at[axis] = via[axis];
                    }
                }
            }
            "G28.1" => self.references[0] = self.at,
            "G30.1" => self.references[1] = self.at,
            "G92" => {
                for (axis, value) in axes.into_iter().enumerate() {
                    if let Some(value) = value {
                        self.g92[axis] = 0.0;
                        self.g92[axis] = self.at[axis] - self.shift()[axis] - value;
                    }
                }
            }
            "G92.1" => self.g92 = [0.0; 3],
            _ => {}
        }
        Ok(())
    }

    /// G10 L2 says where an origin is, L20 where the machine is from it. P0 is the system in force.
    fn set_origin(&mut self, words: &[Word<'_>], axes: [Option<f64>; 3]) -> Result<(), String> {
        let p = value(words, 'P')?.ok_or("G10 without P")? as usize;
        let system = if p == 0 { self.system } else { p - 1 };
        let how = value(words, 'L')?.ok_or("G10 without L")? as u64;
        for axis in 0..3 {
            let Some(value) = axes[axis] else { continue };
            let length = if axis == 2 { self.tool_length } else { 0.0 };
            let origin = match how {
                2 => value,
                20 => self.at[axis] - self.g92[axis] - length - value,
                _ => return Err(format!("grbl has no G10 L{how}")),
            };
            let place = self
                .origins
                .get_mut(system)
                .ok_or_else(|| format!("there is no system P{p}"))?;
            place[axis] = origin;
        }
        Ok(())
    }

    fn go(&mut self, axes: [Option<f64>; 3], said: &Said) -> Result<(), String> {
        if self.motion == "G80" {
            return Err("axis words after G80".into());
        }
        if self.motion != "G0" && self.feed == 0.0 {
            return Err("a cut without a feed rate".into());
        }
        self.at = self.target(axes, said.in_machine_coordinates);
        Ok(())
    }

    fn target(&self, axes: [Option<f64>; 3], in_machine_coordinates: bool) -> [f64; 3] {
        let shift = self.shift();
        std::array::from_fn(|axis| match axes[axis] {
            None => self.at[axis],
            Some(place) if in_machine_coordinates => place,
            Some(way) if self.distance == "G91" => self.at[axis] + way,
            Some(place) => place + shift[axis],
        })
    }

    /// Machine coordinates of the zero that words count from.
    fn shift(&self) -> [f64; 3] {
        let length = [0.0, 0.0, self.tool_length];
        std::array::from_fn(|axis| self.origins[self.system][axis] + self.g92[axis] + length[axis])
    }

    /// The axis words in mm.
    fn axes(&self, words: &[Word<'_>]) -> Result<[Option<f64>; 3], String> {
        let mut axes = [None; 3];
        for (axis, letter) in axes.iter_mut().zip(AXES) {
            *axis = value(words, letter)?.map(|value| value * self.unit());
        }
        Ok(axes)
    }

    fn unit(&self) -> f64 {
        if self.units == "G20" { 25.4 } else { 1.0 }
    }

    /// What the end of a program sets back.
    fn end(&mut self) -> Result<(), String> {
        self.motion = "G1".into();
        self.plane = "G17".into();
        self.distance = "G90".into();
        self.feed_mode = "G94".into();
        self.cutter = "G40".into();
        self.system = 0;
        self.spindle = "M5".into();
        (self.mist, self.flood) = ("off", "off");
        Ok(())
    }

    pub(super) fn stand(&mut self, fields: &Fields) {
        let [x, y, z] = NAMES.map(|name| fields.number(name).unwrap_or(0.0));
        self.at = [x, y, z];
        let sets = self.origins.iter_mut().chain(&mut self.references);
        for (set, name) in sets.zip(SETS) {
            *set = NAMES.map(|axis| fields.number(&format!("{name} {axis}")).unwrap_or(0.0));
        }
    }

    pub(super) const fn height(&self) -> f64 {
        self.at[2]
    }

    pub(super) fn shift_z(&self) -> f64 {
        self.shift()[2]
    }

    pub(super) fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        let groups = [
            ("motion", &self.motion),
            ("plane", &self.plane),
            ("units", &self.units),
            ("distance", &self.distance),
            ("arc distance", &self.arc_distance),
            ("feed mode", &self.feed_mode),
            ("cutter compensation", &self.cutter),
            ("tool length mode", &self.tool_length_mode),
            ("path mode", &self.path),
            ("spindle", &self.spindle),
        ];
        for (name, code) in groups {
            fields.set_word(name, code.clone());
        }
        fields.set_word("coordinate system", format!("G{}", 54 + self.system));
        fields.set_word("mist", self.mist);
        fields.set_word("flood", self.flood);
        if self.feed_mode != "G93" {
            fields.set_number("feed", self.feed);
        }
        fields.set_number("speed", self.speed);
        if let Some(tool) = self.tool {
            fields.set_number("tool", tool);
        }
        fields.set_numbers("", NAMES, self.at);
        let shift = self.shift();
        let work = std::array::from_fn(|axis| self.at[axis] - shift[axis]);
        fields.set_numbers("work", NAMES, work);
        fields.set_numbers("g92", NAMES, self.g92);
        fields.set_number("tool length", self.tool_length);
        for (name, set) in SETS
            .into_iter()
            .zip(self.origins.into_iter().chain(self.references))
        {
            fields.set_numbers(name, NAMES, set);
        }
        fields
    }
}
