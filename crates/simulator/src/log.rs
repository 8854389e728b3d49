use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::Duration;

/// What the machine did, written down by the machine: every motion in the order of execution, once.
///
/// One entry stands for one motion **of the program** (an arc is one entry, though the firmware cuts
/// it into many planner blocks). Motions without length are entries too, placed where the program
/// has them, with equal start and finish: a program of *n* motion lines gives *n* entries. A motion
/// that a reset or an alarm cut short is an entry with [`Entry::fraction`] below 1; a motion that
/// was planned and never begun is none.
#[derive(Debug)]
pub struct MotionLog {
    mode: Mode,
    motions: u64,
    aborted: u64,
    digest: Digest,
    entries: VecDeque<Entry>,
    dropped: u64,
    text: String,
    write_error: Option<io::Error>,
}

enum Mode {
    Off,
    Digest,
    Keep { limit: usize },
    Write(Box<dyn Write + Send>),
}

impl std::fmt::Debug for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "Off",
            Self::Digest => "Digest",
            Self::Keep { .. } => "Keep",
            Self::Write(_) => "Write",
        })
    }
}

/// One motion (or wait) that the machine executed.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Virtual time at which the first step was made.
    pub start: Duration,
    /// Virtual time at which the last step was made.
    pub finish: Duration,
    /// What kind of motion.
    pub kind: Kind,
    /// Where the motion was told to end: machine coordinates X Y Z in mm and E in mm of filament,
    /// as the program says and before rounding to steps. An aborted motion shows its target too;
    /// where it stopped is told by `fraction`.
    pub target: [f64; 4],
    /// Feed rate in mm/min as programmed (before overrides); 0 for rapids and dwells.
    pub feed_mm_per_min: f64,
    /// Spindle speed in rpm: positive clockwise (M3), negative counter-clockwise (M4), 0 stopped.
    pub spindle_rpm: f64,
    /// Coolant that ran.
    pub coolant: Coolant,
    /// The `N` word of the line, if it had one.
    pub line: Option<u64>,
    /// How much of the way was made, 0 to 1.
    pub fraction: f64,
}

/// The kind of an executed motion.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// G0.
    Rapid,
    /// G1.
    Linear,
    /// G2 or G3.
    Arc(Arc),
    /// G4, with its time in seconds.
    Dwell {
        /// Seconds as programmed.
        seconds: f64,
    },
    /// A homing cycle, whole.
    Home,
    /// G38.x; the target is where it was told to go, `fraction` says where it touched.
    Probe,
    /// `$J=`.
    Jog,
}

/// The shape of an executed arc.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arc {
    /// Index (0 X, 1 Y, 2 Z) of the first axis of the plane.
    pub axis_0: u8,
    /// Index of the second axis of the plane.
    pub axis_1: u8,
    /// Centre on those two axes, machine mm.
    pub center: [f64; 2],
    /// Radius in mm.
    pub radius: f64,
    /// Angle swept in radians, negative for clockwise (G2).
    pub sweep: f64,
}

/// Which coolant runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coolant {
    /// M8.
    pub flood: bool,
    /// M7.
    pub mist: bool,
}

/// How much the log keeps; see the constructors of [`MotionLog`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogMode {
    /// Counts only.
    Off,
    /// Counts and a digest: constant memory and a few nanoseconds a motion.
    #[default]
    Digest,
    /// The newest `limit` entries in memory too (some 150 bytes each).
    Keep {
        /// Most entries kept; older ones are dropped and counted.
        limit: usize,
    },
}

impl MotionLog {
    /// A log that keeps what `mode` says.
    #[must_use]
    pub fn new(mode: LogMode) -> Self {
        let mode = match mode {
            LogMode::Off => Mode::Off,
            LogMode::Digest => Mode::Digest,
            LogMode::Keep { limit } => Mode::Keep { limit },
        };
        Self {
            mode,
            motions: 0,
            aborted: 0,
            digest: Digest::default(),
            entries: VecDeque::new(),
            dropped: 0,
            text: String::new(),
            write_error: None,
        }
    }

    /// Notes one motion.
    pub(crate) fn record(&mut self, entry: &Entry) {
        let _ = entry;
    }
}

/// A running 64-bit digest of bytes; the same for any split of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    state: u64,
    carry: u64,
    len: u64,
}

impl Default for Digest {
    fn default() -> Self {
        Self { state: 0xCBF2_9CE4_8422_2325, carry: 0, len: 0 }
    }
}

impl Digest {
    /// Adds bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while self.len % 8 != 0 {
            let Some((first, rest)) = bytes.split_first() else { return };
            self.push(*first);
            bytes = rest;
        }
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let mut eight = [0; 8];
            eight.copy_from_slice(word);
            self.mix(u64::from_le_bytes(eight));
            self.len += 8;
        }
        for byte in words.remainder() {
            self.push(*byte);
        }
    }

    fn push(&mut self, byte: u8) {
        self.carry |= u64::from(byte) << (8 * (self.len % 8));
        self.len += 1;
        if self.len % 8 == 0 {
            let word = std::mem::take(&mut self.carry);
            self.mix(word);
        }
    }

    const fn mix(&mut self, word: u64) {
        let mixed = (self.state ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.state = mixed ^ (mixed >> 29);
    }

    /// The digest of everything added so far.
    #[must_use]
    pub const fn value(&self) -> u64 {
        let mut end = *self;
        end.mix(self.carry);
        end.mix(self.len);
        end.state
    }

    /// Bytes added so far.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// True before the first byte.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}
