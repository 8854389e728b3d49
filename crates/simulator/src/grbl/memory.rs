use super::Grbl;
use super::modal::{Distance, FeedMode, Flood, Plane, Spindle, Units};
use crate::memory::Memory;

/// Names of the eight stored coordinate sets.
const STORED: [&str; 8] = ["g54", "g55", "g56", "g57", "g58", "g59", "g28", "g30"];

impl Grbl {
    /// The parser's state, what the EEPROM keeps, and what turns and flows.
    pub(super) fn memory(&self) -> Memory {
        let parser = &self.parser;
        let modal = &parser.modal;
        let plane: Plane = modal.plane;
        let mut memory = Memory::default();
        memory.word("motion", modal.motion.word());
        memory.word("plane", plane.word());
        memory.word(
            "units",
            match modal.units {
                Units::Inch => "G20",
                Units::Mm => "G21",
            },
        );
        memory.word(
            "distance",
            match modal.distance {
                Distance::Absolute => "G90",
                Distance::Incremental => "G91",
            },
        );
        memory.word(
            "feed mode",
            match modal.feed_mode {
                FeedMode::InverseTime => "G93",
                FeedMode::PerMinute => "G94",
            },
        );
        const SYSTEMS: [&str; 6] = ["G54", "G55", "G56", "G57", "G58", "G59"];
        memory.word(
            "coordinate system",
            SYSTEMS.get(modal.wcs).copied().unwrap_or("none"),
        );
        memory.word("spindle", spindle_word(modal.spindle));
        memory.word("flood", flood_word(modal.flood));
        // In inverse time a feed holds for its own line alone.
        if modal.feed_mode == FeedMode::PerMinute {
            memory.number("feed", parser.feed);
        }
        memory.number("speed", parser.spindle_rpm);
        memory.number("tool", parser.tool);
        let offset = parser.work_offset();
        memory.axes("", parser.position);
        memory.axes(
            "work",
            std::array::from_fn(|axis| parser.position[axis] - offset[axis]),
        );
        memory.axes("g92", parser.offset);
        memory.number("tool length", parser.tool_length);
        for (name, set) in STORED.into_iter().zip(parser.coordinates) {
            memory.axes(name, set);
        }
        let [x, y, z, _] = self.mover.planned_position();
        memory.axes("planned", [x, y, z]);
        memory.word("turning", spindle_word(self.spindle));
        memory.number("turning at", self.spindle.signed(self.spindle_rpm));
        memory.word("flowing", flood_word(self.flood));
        memory.number("feed override", f64::from(self.overrides.feed));
        memory.number("rapid override", f64::from(self.overrides.rapid));
        memory.number("spindle override", f64::from(self.overrides.spindle));
        for (number, value) in self.settings.all() {
            memory.number(format!("${number}"), value);
        }
        memory
    }
}

fn spindle_word(spindle: Spindle) -> &'static str {
    match spindle {
        Spindle::Off => "M5",
        Spindle::Clockwise => "M3",
        Spindle::CounterClockwise => "M4",
    }
}

fn flood_word(flood: Flood) -> &'static str {
    match flood {
        Flood::Off => "off",
        Flood::On => "on",
    }
}
