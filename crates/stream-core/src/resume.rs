//! Going on with a program in the middle: what was in force there, how to get back, and when not to.
//!
//! A [`Replay`] runs the program through the interpreter up to the line where it goes on, and looks at the rest for the height that
//! clears everything. [`Replay::plan`] turns that into an approach that an operator can read, or into a [`Refusal`].

use std::fmt;

use feedhold_gcode_parse::{
    Axis, Block, CutterCompensation, Distance, FeedMode, Interpreter, ModalState, MotionMode,
    Plane, Spindle, Units,
};
use thiserror::Error;

use crate::{dialect::Dialect, streamer::InDoubt};

/// Seconds that a spindle gets to reach its speed.
const SPINDLE_DWELL_S: u32 = 3;
/// Plunge feed when the program has set none, mm/min.
const CAREFUL_FEED: f64 = 100.0;
/// Heights that differ by less are one.
const HEIGHT_TOLERANCE_MM: f64 = 1e-6;
/// What a print head is lifted by before it travels.
const HOP_MM: f64 = 2.0;

/// Whether the machine still knows where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Homing {
    /// It was never switched off or reset since the stop.
    Kept,
    /// It was, and the operator has homed it and says that the zero point is the same.
    Confirmed,
    /// It was, and nobody has homed it.
    Lost,
}

/// Why a program cannot go on here. The list is closed; each has a code, a reason and a remedy.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Refusal {
    /// The line is beyond the file, or before its beginning.
    #[error("line {line} does not exist, the file has {lines} lines; choose a line of the program")]
    OutOfRange {
        /// The line asked for.
        line: u64,
        /// Lines of the file.
        lines: u64,
    },
    /// Nothing is left behind that line.
    #[error("nothing is left to do behind line {done}; the program was finished")]
    NothingLeft {
        /// Last line executed.
        done: u64,
    },
    /// The file is not the one of the record.
    #[error(
        "the file has changed since the job stopped; restore the old file or start the new one from the top"
    )]
    FileChanged,
    /// It is not known which of these lines were executed.
    #[error(
        "it is not known whether {in_doubt} were executed; look at the part, then choose the line to go on with"
    )]
    InDoubt {
        /// The lines.
        in_doubt: InDoubt,
    },
    /// The machine has lost its position and was not homed.
    #[error(
        "the controller was restarted and its position is lost; home it, check the zero point, then confirm that it is homed"
    )]
    NotHomed,
    /// G91 is in force: a line counts from where the one before it ended.
    #[error(
        "incremental distances (G91) are in force at line {line}; choose a line in absolute mode"
    )]
    Incremental {
        /// First line to go on with.
        line: u64,
    },
    /// The path depends on blocks before and behind it.
    #[error("cutter compensation is in force at line {line}; choose a line behind G40")]
    CutterCompensation {
        /// First line to go on with.
        line: u64,
    },
    /// A canned cycle or a probing cycle is in force.
    #[error("a canned or probing cycle is in force at line {line}; choose a line behind G80")]
    Cycle {
        /// First line to go on with.
        line: u64,
    },
    /// The next motion repeats an arc mode that cannot be restored without an arc.
    #[error(
        "line {line} continues an arc mode (G2, G3) without saying so; choose a line that names its motion"
    )]
    ArcMode {
        /// First line to go on with.
        line: u64,
    },
    /// F means something else there.
    #[error(
        "inverse-time feed (G93) or feed per turn (G95) is in force at line {line}; choose a line behind G94"
    )]
    FeedMode {
        /// First line to go on with.
        line: u64,
    },
    /// The origin was moved by G92 and grbl forgets that in a reset.
    #[error(
        "G92 has moved the origin before line {line}, and a reset forgets that; set the same origin in G54, then start there"
    )]
    TemporaryOrigin {
        /// First line to go on with.
        line: u64,
    },
    /// The line is inside a subprogram or a loop.
    #[error(
        "line {line} stands in a subprogram or loop, whose state cannot be rebuilt; choose a line outside"
    )]
    Subprogram {
        /// First line to go on with.
        line: u64,
    },
}

impl Refusal {
    /// A stable name for scripts and logs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::OutOfRange { .. } => "out-of-range",
            Self::NothingLeft { .. } => "nothing-left",
            Self::FileChanged => "file-changed",
            Self::InDoubt { .. } => "in-doubt",
            Self::NotHomed => "not-homed",
            Self::Incremental { .. } => "incremental",
            Self::CutterCompensation { .. } => "cutter-compensation",
            Self::Cycle { .. } => "cycle",
            Self::ArcMode { .. } => "arc-mode",
            Self::FeedMode { .. } => "feed-mode",
            Self::TemporaryOrigin { .. } => "temporary-origin",
            Self::Subprogram { .. } => "subprogram",
        }
    }
}

/// The program, interpreted up to the point where it goes on.
///
/// ```
/// use feedhold_gcode_parse::{Block, Flavor};
/// use feedhold_stream_core::{dialect::Dialect, resume::{Homing, Replay}};
///
/// let program = ["G21 G90", "G0 Z5", "M3 S8000", "G0 X10 Y20", "G1 Z-1 F100", "G1 X30 F600", "G1 X50", "G0 Z5"];
/// let mut replay = Replay::new(Dialect::Grbl, 6);
/// for (number, line) in (1..).zip(program) {
///     replay.line(number, &Block::parse(Flavor::Grbl, line.as_bytes()));
/// }
/// let plan = replay.plan(Homing::Kept).unwrap();
/// assert_eq!(plan.next_line, 7);
/// assert_eq!(
///     plan.commands().collect::<Vec<_>>(),
///     ["G21", "G90", "G94", "G54", "G0 Z5", "G0 X30 Y20", "M3 S8000", "G4 P3", "G1 Z-1 F100", "G17", "G1 F600"],
/// );
/// ```
#[derive(Debug, Clone)]
pub struct Replay {
    dialect: Dialect,
    /// Last line that was executed.
    done: u64,
    machine: Interpreter,
    lines: u64,
    /// Highest Z of the whole program in its own coordinates, mm.
    highest: f64,
    /// Feed of the last downward move that cut, mm/min.
    plunge_feed: Option<f64>,
    /// Subprograms or loops were met.
    has_o_words: bool,
    /// Something is left to do.
    rest: bool,
    /// Whether the first motion behind the point says which motion it is.
    next_has_mode: Option<bool>,
}

impl Replay {
    /// A program of which everything up to line `done` was executed.
    #[must_use]
    pub fn new(dialect: Dialect, done: u64) -> Self {
        Self {
            dialect,
            done,
            machine: Interpreter::new(dialect.flavor()),
            lines: 0,
            highest: f64::NEG_INFINITY,
            plunge_feed: None,
            has_o_words: false,
            rest: false,
            next_has_mode: None,
        }
    }

    /// The next line of the program. All of them have to be shown, also those behind the point.
    pub fn line(&mut self, number: u64, block: &Block<'_>) {
        self.lines = number;
        if number > self.done {
            self.rest |= !block.words().is_empty();
            self.look_ahead(block);
            return;
        }
        let before = self.machine.axis_value(Axis::Z);
        let effect = self.machine.apply(block);
        let after = self.machine.axis_value(Axis::Z);
        self.highest = self.highest.max(after);
        if effect
            .motion
            .is_some_and(|motion| motion.feed_mm_per_min > 0.0)
            && after < before
        {
            self.plunge_feed = effect.motion.map(|motion| motion.feed_mm_per_min);
        }
        self.has_o_words |= block.o_word().is_some();
    }

    /// Heights behind the point count for the clearance as well.
    fn look_ahead(&mut self, block: &Block<'_>) {
        let axes = block
            .words()
            .iter()
            .any(|word| Axis::from_letter(word.letter).is_some());
        if axes && self.next_has_mode.is_none() {
            let mode = block.g_codes().find_map(MotionMode::from_code);
            self.next_has_mode = Some(mode.is_some());
        }
        let z = block.word(b'Z').and_then(|word| word.number());
        if let Some(z) = z.filter(|_| self.machine.state().distance == Distance::Absolute) {
            self.highest = self
                .highest
                .max(z.to_f64() * self.machine.state().units.millimetres());
        }
    }

    /// What is in force at the point.
    #[must_use]
    pub fn state(&self) -> &ModalState {
        self.machine.state()
    }

    /// The way back, or why there is none.
    ///
    /// # Errors
    /// A [`Refusal`] with reason and remedy.
    pub fn plan(&self, homing: Homing) -> Result<Plan, Refusal> {
        self.refuse(homing)?;
        let steps = match self.dialect {
            Dialect::Marlin => self.printer_approach(),
            _ => self.mill_approach(),
        };
        Ok(Plan {
            next_line: self.done + 1,
            steps,
        })
    }

    fn refuse(&self, homing: Homing) -> Result<(), Refusal> {
        let line = self.done + 1;
        let state = self.machine.state();
        if self.done > self.lines {
            return Err(Refusal::OutOfRange {
                line,
                lines: self.lines,
            });
        }
        if !self.rest {
            return Err(Refusal::NothingLeft { done: self.done });
        }
        if homing == Homing::Lost {
            return Err(Refusal::NotHomed);
        }
        if self.has_o_words {
            return Err(Refusal::Subprogram { line });
        }
        if state.distance == Distance::Incremental {
            return Err(Refusal::Incremental { line });
        }
        if state.cutter_compensation != CutterCompensation::Off {
            return Err(Refusal::CutterCompensation { line });
        }
        match state.motion {
            MotionMode::Rapid | MotionMode::Linear | MotionMode::Cancelled => {}
            MotionMode::ArcClockwise | MotionMode::ArcCounterclockwise => {
                // No controller takes G2 or G3 without the arc itself, so the mode cannot be restored beforehand.
                if self.next_has_mode == Some(false) {
                    return Err(Refusal::ArcMode { line });
                }
            }
            _ => return Err(Refusal::Cycle { line }),
        }
        if state.feed_mode != FeedMode::PerMinute {
            return Err(Refusal::FeedMode { line });
        }
        let moved = [Axis::X, Axis::Y, Axis::Z]
            .iter()
            .any(|&axis| self.machine.g92_offset()[axis] != 0.0);
        if moved && self.dialect == Dialect::Grbl {
            return Err(Refusal::TemporaryOrigin { line });
        }
        Ok(())
    }

    /// Up, over, spindle and coolant, down at feed, modal state.
    fn mill_approach(&self) -> Vec<Step> {
        let state = self.machine.state();
        let at = |axis| self.machine.axis_value(axis);
        let mut steps = Steps::default();
        steps.add("G21", "millimetres for the approach");
        steps.add("G90", "absolute positions");
        steps.add("G94", "feed a minute");
        steps.add(
            format!("G{}", state.coordinate_system.code()),
            "the program's coordinate system",
        );
        let safe = self.highest.max(at(Axis::Z));
        steps.add(
            format!("G0 Z{}", Millimetres(safe)),
            "up to the highest point of the program",
        );
        steps.add(
            format!(
                "G0 X{} Y{}",
                Millimetres(at(Axis::X)),
                Millimetres(at(Axis::Y))
            ),
            "above the place",
        );
        match state.spindle {
            Spindle::Off => {}
            direction => {
                let code = if direction == Spindle::Clockwise {
                    3
                } else {
                    4
                };
                steps.add(
                    format!("M{code} S{}", Millimetres(state.spindle_speed)),
                    "spindle on",
                );
                steps.add(format!("G4 P{SPINDLE_DWELL_S}"), "until it turns at speed");
            }
        }
        if state.coolant.mist {
            steps.add("M7", "mist on");
        }
        if state.coolant.flood {
            steps.add("M8", "flood on");
        }
        if safe - at(Axis::Z) > HEIGHT_TOLERANCE_MM {
            let feed = self.plunge_feed.unwrap_or(CAREFUL_FEED);
            steps.add(
                format!("G1 Z{} F{}", Millimetres(at(Axis::Z)), Millimetres(feed)),
                "down at feed",
            );
        }
        self.restore(&mut steps);
        steps.0
    }

    /// Heat, up, over, down, fan, extruder, modal state.
    fn printer_approach(&self) -> Vec<Step> {
        let state = self.machine.state();
        let at = |axis| self.machine.axis_value(axis);
        let mut steps = Steps::default();
        if state.bed_target > 0.0 {
            steps.add(format!("M140 S{}", Millimetres(state.bed_target)), "bed");
        }
        if state.hotend_target > 0.0 {
            steps.add(
                format!("M104 S{}", Millimetres(state.hotend_target)),
                "hot end",
            );
        }
        if state.bed_target > 0.0 {
            steps.add(
                format!("M190 S{}", Millimetres(state.bed_target)),
                "wait for the bed",
            );
        }
        if state.hotend_target > 0.0 {
            steps.add(
                format!("M109 S{}", Millimetres(state.hotend_target)),
                "wait for the hot end",
            );
        }
        steps.add("G21", "millimetres for the approach");
        steps.add("G90", "absolute positions");
        steps.add(
            format!("G0 Z{}", Millimetres(at(Axis::Z) + HOP_MM)),
            "clear of the part",
        );
        steps.add(
            format!(
                "G0 X{} Y{}",
                Millimetres(at(Axis::X)),
                Millimetres(at(Axis::Y))
            ),
            "above the place",
        );
        steps.add(format!("G1 Z{} F600", Millimetres(at(Axis::Z))), "down");
        steps.add(
            format!("G92 E{}", Millimetres(at(Axis::E))),
            "where the extruder counts from",
        );
        if state.fan > 0.0 {
            steps.add(format!("M106 S{}", Millimetres(state.fan)), "fan");
        }
        if state.feed_percent != 100.0 {
            steps.add(
                format!("M220 S{}", Millimetres(state.feed_percent)),
                "feed in percent",
            );
        }
        if state.flow_percent != 100.0 {
            steps.add(
                format!("M221 S{}", Millimetres(state.flow_percent)),
                "flow in percent",
            );
        }
        let extrusion = if state.extrusion == Distance::Absolute {
            "M82"
        } else {
            "M83"
        };
        steps.add(extrusion, "how E counts");
        if state.feed > 0.0 {
            steps.add(
                format!("G1 F{}", Millimetres(state.feed)),
                "the program's feed",
            );
        }
        if state.units == Units::Inch {
            steps.add("G20", "the program's units");
        }
        steps.0
    }

    /// The modal words the program relies on, last, in its own units.
    fn restore(&self, steps: &mut Steps) {
        let state = self.machine.state();
        let plane = match state.plane {
            Plane::Zx => "G18",
            Plane::Yz => "G19",
            _ => "G17",
        };
        steps.add(plane, "the program's plane");
        if state.units == Units::Inch {
            steps.add("G20", "the program's units");
        }
        let motion = match state.motion {
            MotionMode::Rapid => "G0",
            MotionMode::Cancelled => "G80",
            // An arc word needs its arc, and the next motion brings it.
            _ => "G1",
        };
        if state.feed > 0.0 {
            let feed = state.feed / state.units.millimetres();
            steps.add(
                format!("{motion} F{}", Millimetres(feed)),
                "the program's motion mode and feed",
            );
        } else {
            steps.add(motion, "the program's motion mode");
        }
    }
}

/// An approach as G-code, and the line the program goes on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The first line of the program that is sent.
    pub next_line: u64,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    command: String,
    reason: &'static str,
}

impl Plan {
    /// The lines to send before the program goes on.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| step.command.as_str())
    }
}

impl fmt::Display for Plan {
    /// G-code with a reason behind every line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{:<28}; {}", step.command, step.reason)?;
        }
        write!(f, "; then the program from line {}", self.next_line)
    }
}

#[derive(Default)]
struct Steps(Vec<Step>);

impl Steps {
    fn add(&mut self, command: impl Into<String>, reason: &'static str) {
        self.0.push(Step {
            command: command.into(),
            reason,
        });
    }
}

/// A length as controllers read it: no exponent, six decimals at most, no trailing zeros.
struct Millimetres(f64);

impl fmt::Display for Millimetres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.6}", self.0);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        f.write_str(if text == "-0" { "0" } else { text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(dialect: Dialect, done: u64, program: &str) -> Replay {
        let mut replay = Replay::new(dialect, done);
        for (number, line) in (1..).zip(program.lines()) {
            replay.line(
                number,
                &Block::parse(dialect.flavor(), line.trim().as_bytes()),
            );
        }
        replay
    }

    fn check(dialect: Dialect, done: u64, program: &str, expected: &str) {
        let shown = match replay(dialect, done, program).plan(Homing::Kept) {
            Ok(plan) => plan.commands().collect::<Vec<_>>().join(" | "),
            Err(refusal) => refusal.code().to_owned(),
        };
        assert_eq!(shown, expected, "behind line {done} of {program:?}");
    }

    #[test]
    fn mills_go_up_over_and_down() {
        let program = "G20 G90 G55\nG0 Z0.5\nM4 S900 M8\nG0 X1 Y2\nG1 Z-0.1 F10\nG2 X2 I0.5 F20\nG1 X3\nG0 Z1";
        check(
            Dialect::Grbl,
            6,
            program,
            "G21 | G90 | G94 | G55 | G0 Z25.4 | G0 X50.8 Y50.8 | M4 S900 | G4 P3 | M8 | G1 Z-2.54 F254 | G17 | G20 | G1 F20",
        );
    }

    #[test]
    fn the_clearance_looks_at_the_rest_as_well() {
        check(
            Dialect::Grbl,
            2,
            "G21 G90 G1 Z-1 F50\nG1 X1\nG0 Z30\nG0 X50",
            "G21 | G90 | G94 | G54 | G0 Z30 | G0 X1 Y0 | G1 Z-1 F50 | G17 | G1 F50",
        );
    }

    #[test]
    fn printers_heat_first() {
        let program = "M140 S60\nM104 S200\nM190 S60\nM109 S200\nG28\nM83\nG1 Z0.2 F300\nG1 X10 Y10 F1200\nM106 S128\nG1 X20 E1";
        check(
            Dialect::Marlin,
            9,
            program,
            "M140 S60 | M104 S200 | M190 S60 | M109 S200 | G21 | G90 | G0 Z2.2 | G0 X10 Y10 | G1 Z0.2 F600 | G92 E0 | M106 S128 | M83 | \
             G1 F1200",
        );
    }

    #[test]
    fn refuses_what_cannot_be_rebuilt() {
        check(Dialect::Grbl, 1, "G91 G1 X1 F100\nX1", "incremental");
        check(Dialect::Grbl, 1, "G93 G1 X1 F2\nX1 F2", "feed-mode");
        check(
            Dialect::Grbl,
            2,
            "G92 X5\nG1 X1 F100\nX2",
            "temporary-origin",
        );
        check(Dialect::Grbl, 1, "G2 X1 I0.5 F100\nX2 I0.5", "arc-mode");
        check(Dialect::Grbl, 1, "G38.2 Z-1 F10\nZ-2", "cycle");
        check(Dialect::Grbl, 2, "G1 X1 F100\nX2", "nothing-left");
        check(Dialect::Grbl, 9, "G1 X1 F100\nX2", "out-of-range");
        let lost = replay(Dialect::Grbl, 1, "G1 X1 F100\nX2").plan(Homing::Lost);
        assert_eq!(lost, Err(Refusal::NotHomed));
    }

    #[test]
    fn numbers_are_plain() {
        let shown = |value: f64| Millimetres(value).to_string();
        assert_eq!(
            [
                shown(0.0),
                shown(-0.0),
                shown(10.0),
                shown(1e-9),
                shown(-1.25),
                shown(1e7)
            ],
            ["0", "0", "10", "0", "-1.25", "10000000"]
        );
    }
}
