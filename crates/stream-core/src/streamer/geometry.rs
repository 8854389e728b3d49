//! Where the lines that were sent lead: each is interpreted once, when it leaves.

use feedhold_gcode_parse::{
    AXES, Arc, Axis, Block, Code, Distance, Interpreter, ModalState, Motion, MotionKind, Position,
};

use super::executed::Kind;
use crate::{
    chunk::Class,
    dialect::Dialect,
    resume::{Facts, Standing},
};

/// A way along one axis that is certainly made of steps, mm: also on a machine with 20 steps a millimetre.
const COARSE_MM: f64 = 0.05;
/// The same on Marlin, which drops moves of less than six steps.
const COARSE_MARLIN_MM: f64 = 0.3;
/// The same for axes that turn, degrees.
const COARSE_DEGREES: f64 = 1.0;
/// Steps that a report may be away from the ideal line: the motors go by whole steps on every axis.
const OFF_PATH_STEPS: f64 = 2.0;
/// What arcs made of chords (grbl `$12`, 0.002 mm), printing and single precision add, mm.
const OFF_PATH_MM: f64 = 0.006;

/// Follows what is sent, in machine coordinates as far as they are known.
#[derive(Debug, Clone)]
pub(super) struct Geometry {
    machine: Interpreter,
    frame: Frame,
    /// Steps a millimetre of X, Y and Z.
    steps_per_mm: Option<[f64; 3]>,
    /// Axes whose value is known, at least relative to the next one.
    known: [bool; AXES],
    /// G90 or G91 is known to be in force.
    distance_known: bool,
    /// The spindle's and the coolant's state are known, and no laser mode changes what they wait for.
    sync_known: bool,
}

/// How much the coordinates are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frame {
    /// They are those in which the controller tells its place.
    Controller,
    /// Only ways from one line to the next are known.
    Relative,
}

/// One line that was followed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// What it is for the planner.
    pub(super) kind: Kind,
    /// Where it leads.
    way: Way,
    /// The number in the line (`N`).
    pub(super) number: Option<u64>,
}

/// Where a line leads.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// It moves nothing.
    None,
    /// Nobody knows.
    Unknown,
    /// There.
    Path(Path),
}

/// The path of a motion on X, Y and Z.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Path {
    Line {
        from: [f64; 3],
        to: [f64; 3],
    },
    /// Any place of the circle, between both heights.
    Arc {
        arc: Arc,
        heights: [f64; 2],
    },
}

impl Geometry {
    /// Nothing is known of the machine.
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            machine: Interpreter::new(dialect.flavor()),
            frame: match dialect {
                Dialect::Grbl => Frame::Relative,
                // A printer tells its place in the coordinates of the program.
                Dialect::Marlin => Frame::Controller,
            },
            steps_per_mm: None,
            known: [false; AXES],
            distance_known: false,
            sync_known: false,
        }
    }

    /// The machine as the controller says it is.
    pub(super) fn of(facts: &Facts) -> Self {
        let unknown = Self::new(facts.dialect);
        let Some(Standing { machine, known }) = Standing::of(facts) else {
            return unknown;
        };
        Self {
            machine,
            frame: Frame::Controller,
            steps_per_mm: facts.steps_per_mm,
            known,
            distance_known: facts.words.is_some(),
            sync_known: facts.laser_mode == Some(false),
        }
    }

    /// The machine stands where what was followed before has led. A report of a machine that `stands` has to agree: somebody may have
    /// moved it, or the report is older. Where they do not, nothing is known of the place.
    pub(super) fn go_on_from(&mut self, before: &Self, stands: bool) {
        if self.frame != Frame::Controller {
            return;
        }
        let (told, led) = (*self.machine.position(), *before.machine.position());
        let agree = [Axis::X, Axis::Y, Axis::Z]
            .into_iter()
            .all(|axis| (told[axis] - led[axis]).abs() < COARSE_MM);
        if before.frame == Frame::Controller && !stands {
            self.machine.set_position(led);
        } else if !(stands && agree) {
            self.lose();
        }
    }

    /// Something happened that moves the machine, or its coordinates, in a way that cannot be followed.
    pub(super) fn lose(&mut self) {
        if !self.is_marlin() {
            self.frame = Frame::Relative;
        }
        self.known = [false; AXES];
        self.sync_known = false;
    }

    fn is_marlin(&self) -> bool {
        self.machine.flavor() == Dialect::Marlin.flavor()
    }

    /// How far a report may be away from the path, mm; `None` while the machine's coordinates or steps are not known.
    pub(super) fn tolerance(&self) -> Option<f64> {
        let steps = self
            .steps_per_mm
            .filter(|_| self.frame == Frame::Controller)?;
        let coarsest = steps.into_iter().fold(f64::INFINITY, f64::min);
        (coarsest > 0.0).then_some(OFF_PATH_STEPS / coarsest + OFF_PATH_MM)
    }

    /// Follows one line that leaves.
    pub(super) fn follow(&mut self, text: &[u8], class: Class) -> Step {
        let flavor = self.machine.flavor();
        Block::with(flavor, text, |block| self.apply(block, class))
    }

    fn apply(&mut self, block: &Block<'_>, class: Class) -> Step {
        let before = *self.machine.state();
        let effect = self.machine.apply(block);
        let drains = self.drains(&before, class);
        self.note_modes(block, &before, class);
        let number = block
            .line_number()
            .map(|number| number.to_f64())
            .filter(|number| (0.0..1e15).contains(number))
            .map(|number| number as u64);
        let moves = effect.motion.is_some() || class == Class::Motion;
        let (kind, way) = match &effect.motion {
            _ if !moves => (Kind::Other, Way::None),
            Some(motion) if self.takes_block(motion) => (Kind::Block, self.way(motion)),
            Some(motion) => (Kind::Motion, self.way(motion)),
            None => (Kind::Motion, Way::Unknown),
        };
        match &effect.motion {
            _ if !moves => {}
            Some(motion) if ends_where_told(motion) => self.note_known(block),
            // Axis words without a motion that is understood, or one that ends where the machine decides.
            _ => self.lose(),
        }
        Step {
            // A motion with a wait in its line (M0) is over when it is answered.
            kind: if drains { Kind::Drains } else { kind },
            way,
            number,
        }
    }

    /// Whether grbl answers the line only when the planner is empty. Spindle and coolant wait for that only when they change.
    fn drains(&self, before: &ModalState, class: Class) -> bool {
        let grbl = !self.is_marlin();
        match class {
            Class::Patient | Class::Exclusive | Class::Stop(_) => grbl,
            Class::Sync if grbl && self.sync_known => {
                let now = self.machine.state();
                let turns = now.spindle != feedhold_gcode_parse::Spindle::Off;
                now.spindle != before.spindle
                    || now.coolant != before.coolant
                    || (turns && now.spindle_speed != before.spindle_speed)
            }
            _ => false,
        }
    }

    /// What a line changes that makes the coordinates less, or better, known.
    fn note_modes(&mut self, block: &Block<'_>, before: &ModalState, class: Class) {
        let absolute = |code: Code| matches!((code.major, code.minor), (90 | 91, 0));
        self.distance_known |= block.g_codes().any(absolute);
        let setting = block.setting().is_some_and(|setting| {
            let harmless: [&[u8]; 5] = [b"$G", b"$#", b"$$", b"$I", b"$N"];
            let jogs = setting.len() > 3 && setting[..3].eq_ignore_ascii_case(b"$J=");
            !jogs && !harmless.iter().any(|one| setting.eq_ignore_ascii_case(one))
        });
        if setting {
            return self.lose();
        }
        let shifts = before.coordinate_system != self.machine.state().coordinate_system
            || class == Class::Exclusive
            || block.has_g(Code::new(53));
        if shifts && self.frame == Frame::Relative {
            self.known = [false; AXES];
        }
        if self.is_marlin() && block.has_g(Code::new(92)) {
            // Whatever the axis was, it has this value from now on.
            self.note_named(block);
        }
    }

    fn way(&self, motion: &Motion) -> Way {
        if self.frame != Frame::Controller {
            return Way::Unknown;
        }
        let xyz = |at: &Position| [at[Axis::X], at[Axis::Y], at[Axis::Z]];
        match motion.kind {
            MotionKind::Rapid | MotionKind::Linear | MotionKind::Jog => Way::Path(Path::Line {
                from: xyz(&motion.from),
                to: xyz(&motion.to),
            }),
            MotionKind::Arc(arc) => {
                let (_, _, depth) = arc.axes();
                Way::Path(Path::Arc {
                    arc,
                    heights: [motion.from[depth], motion.to[depth]],
                })
            }
            _ => Way::Unknown,
        }
    }

    /// Whether the motors certainly make a step, so that the planner needs a block.
    fn takes_block(&self, motion: &Motion) -> bool {
        let state = self.machine.state();
        let steps = state.distance == Distance::Incremental && self.distance_known;
        let marlin = self.is_marlin();
        let moved = |axis: Axis| {
            let step = self.step(axis, marlin);
            if (motion.to[axis] - motion.from[axis]).abs() < step {
                return false;
            }
            let value = motion.to[axis] - self.machine.offset()[axis];
            // A machine that was left in incremental mode takes the value itself for the way.
            steps || (self.known[axis as usize] && (self.distance_known || value.abs() >= step))
        };
        let turns = match motion.kind {
            MotionKind::Arc(arc) => {
                arc.sweep >= core::f64::consts::PI && arc.radius >= 4.0 * self.step(Axis::X, marlin)
            }
            MotionKind::Rapid | MotionKind::Linear | MotionKind::Jog => false,
            _ => return false,
        };
        turns
            || Axis::ALL
                .into_iter()
                .filter(|axis| *axis != Axis::E)
                .any(moved)
    }

    /// A way on this axis that is certainly at least one step.
    fn step(&self, axis: Axis, marlin: bool) -> f64 {
        let told = self
            .steps_per_mm
            .as_ref()
            .and_then(|steps| steps.get(axis as usize))
            .filter(|steps| **steps > 0.0);
        match told {
            _ if axis.is_rotary() => COARSE_DEGREES,
            Some(steps) if !marlin => 1.01 / steps,
            _ if marlin => COARSE_MARLIN_MM,
            _ => COARSE_MM,
        }
    }

    /// Axes that a line named in absolute coordinates are where it says.
    fn note_known(&mut self, block: &Block<'_>) {
        let by_steps =
            self.machine.state().distance == Distance::Incremental && !block.has_g(Code::new(53));
        if !by_steps {
            self.note_named(block);
        }
        if self.machine.state().extrusion == Distance::Absolute && self.is_marlin() {
            self.known[Axis::E as usize] |= block.word(b'E').is_some();
        }
    }

    fn note_named(&mut self, block: &Block<'_>) {
        for axis in Axis::ALL {
            self.known[axis as usize] |= block.word(axis.letter()).is_some();
        }
    }
}

/// A homing or a probing ends where the machine decides.
fn ends_where_told(motion: &Motion) -> bool {
    matches!(
        motion.kind,
        MotionKind::Rapid | MotionKind::Linear | MotionKind::Jog | MotionKind::Arc(_)
    )
}

impl Step {
    /// Whether a machine that is at this place can be executing the line.
    pub(super) fn may_be_near(&self, at: [f64; 3], tolerance: f64) -> bool {
        match self.way {
            Way::None => false,
            Way::Unknown => true,
            Way::Path(path) => path.is_near(at, tolerance),
        }
    }
}

impl Path {
    /// Whether a point lies on it, or no further away than `tolerance`.
    fn is_near(&self, at: [f64; 3], tolerance: f64) -> bool {
        match self {
            Self::Line { from, to } => {
                let along = [0, 1, 2].map(|axis| to[axis] - from[axis]);
                let way = [0, 1, 2].map(|axis| at[axis] - from[axis]);
                let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
                let length = dot(along, along);
                let part = if length > 0.0 {
                    (dot(way, along) / length).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                let off = [0, 1, 2].map(|axis| way[axis] - part * along[axis]);
                dot(off, off) <= tolerance * tolerance
            }
            Self::Arc { arc, heights } => {
                let (first, second, depth) = arc.axes();
                let value = |axis: Axis| at.get(axis as usize).copied().unwrap_or_default();
                let radius = (value(first) - arc.center[0]).hypot(value(second) - arc.center[1]);
                let (low, high) = (heights[0].min(heights[1]), heights[0].max(heights[1]));
                let height = value(depth);
                (radius - arc.radius).abs() <= tolerance
                    && height >= low - tolerance
                    && height <= high + tolerance
            }
        }
    }
}
