use std::fmt::Write as _;

use super::gcode::Parser;
use super::modal::{Distance, FeedMode, Flood, Plane, Spindle, Units};

impl Parser {
    /// Prints the modes as `$G` does.
    pub(super) fn print_modes(&self, out: &mut String) {
        let modal = &self.modal;
        let units = match modal.units {
            Units::Inch => "G20",
            Units::Mm => "G21",
        };
        let distance = match modal.distance {
            Distance::Absolute => "G90",
            Distance::Incremental => "G91",
        };
        let feed_mode = match modal.feed_mode {
            FeedMode::InverseTime => "G93",
            FeedMode::PerMinute => "G94",
        };
        let spindle = match modal.spindle {
            Spindle::Off => "M5",
            Spindle::Clockwise => "M3",
            Spindle::CounterClockwise => "M4",
        };
        let coolant = match modal.flood {
            Flood::Off => "M9",
            Flood::On => "M8",
        };
        let plane: Plane = modal.plane;
        let _ = write!(
            out,
            "[GC:{} G{} {} {units} {distance} {feed_mode} {spindle} {coolant} T{:.0} F{:.0} S{:.0}]\r\n",
            modal.motion.word(),
            54 + modal.wcs,
            plane.word(),
            self.tool,
            self.feed
                / if modal.feed_mode == FeedMode::PerMinute {
                    modal.units.mm()
                } else {
                    1.0
                },
            self.spindle_rpm,
        );
    }
}
