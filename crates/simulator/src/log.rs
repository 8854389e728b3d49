use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use crate::digest::Digest;

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
        Self::with_mode(match mode {
            LogMode::Off => Mode::Off,
            LogMode::Digest => Mode::Digest,
            LogMode::Keep { limit } => Mode::Keep { limit },
        })
    }

    /// A log that writes one line of JSON for each motion, and keeps none:
    ///
    /// ```text
    /// {"start":0.5,"finish":1.25,"kind":"linear","x":10,"y":0,"z":-1,"e":0,"feed":600,"spindle":1000,"flood":false,"mist":false,"line":null,"fraction":1}
    /// ```
    ///
    /// Arcs have `"center":[a,b],"radius":r,"sweep":radians,"plane":[0,1]` too, dwells `"seconds":s`.
    /// Numbers are printed with as many digits as read back to the same double. Writing stops at the
    /// first error, which [`MotionLog::flush`] returns.
    #[must_use]
    pub fn writing_to(writer: Box<dyn Write + Send>) -> Self {
        Self::with_mode(Mode::Write(writer))
    }

    fn with_mode(mode: Mode) -> Self {
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

    /// Entries so far, aborted ones included; counted in every mode.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.motions
    }

    /// True before the first entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.motions == 0
    }

    /// Entries that were cut short.
    #[must_use]
    pub fn aborted(&self) -> u64 {
        self.aborted
    }

    /// Digest over kind, target, arc, feed and fraction of every entry in order, times left out: two
    /// runs that made the same motions have the same digest. Not kept with [`LogMode::Off`].
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.digest.value()
    }

    /// The entries in memory, oldest first; empty unless [`LogMode::Keep`].
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> + Clone {
        self.entries.iter()
    }

    /// Takes the entries out of memory, so that a long run can be checked in parts.
    pub fn take_entries(&mut self) -> Vec<Entry> {
        self.entries.drain(..).collect()
    }

    /// Entries that fell out of memory because the limit was reached.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Writes out what a writer of [`MotionLog::writing_to`] still holds back.
    ///
    /// # Errors
    /// The first error that the writer gave, once.
    pub fn flush(&mut self) -> io::Result<()> {
        if let Some(error) = self.write_error.take() {
            return Err(error);
        }
        match &mut self.mode {
            Mode::Write(writer) => writer.flush(),
            _ => Ok(()),
        }
    }

    /// Notes one motion.
    pub(crate) fn record(&mut self, entry: &Entry) {
        self.motions += 1;
        self.aborted += u64::from(entry.fraction < 1.0);
        if matches!(self.mode, Mode::Off) {
            return;
        }
        entry.digest_into(&mut self.digest);
        match &mut self.mode {
            Mode::Off | Mode::Digest => {}
            Mode::Keep { limit } => {
                if self.entries.len() >= *limit {
                    self.entries.pop_front();
                    self.dropped += 1;
                }
                self.entries.push_back(entry.clone());
            }
            Mode::Write(writer) => {
                if self.write_error.is_some() {
                    return;
                }
                self.text.clear();
                entry.write_json(&mut self.text);
                self.write_error = writer.write_all(self.text.as_bytes()).err();
            }
        }
    }
}

impl Entry {
    fn digest_into(&self, digest: &mut Digest) {
        digest.update(&[self.kind.tag()]);
        let mut number = |value: f64| {
            // A negative zero is the same place as zero.
            digest.update(&(value + 0.0).to_bits().to_le_bytes());
        };
        self.target.into_iter().for_each(&mut number);
        number(self.feed_mm_per_min);
        number(self.fraction);
        match self.kind {
            Kind::Arc(arc) => {
                [arc.center[0], arc.center[1], arc.radius, arc.sweep]
                    .into_iter()
                    .for_each(number);
            }
            Kind::Dwell { seconds } => number(seconds),
            _ => {}
        }
    }

    /// One line of JSON, as [`MotionLog::writing_to`] describes it.
    fn write_json(&self, out: &mut String) {
        let [x, y, z, e] = self.target;
        let Coolant { flood, mist } = self.coolant;
        // Writing to a `String` cannot fail.
        let _ = write!(
            out,
            r#"{{"start":{},"finish":{},"kind":"{}","x":{x},"y":{y},"z":{z},"e":{e},"feed":{},"spindle":{},"flood":{flood},"mist":{mist},"line":"#,
            self.start.as_secs_f64(),
            self.finish.as_secs_f64(),
            self.kind.name(),
            self.feed_mm_per_min,
            self.spindle_rpm,
        );
        let _ = match self.line {
            Some(line) => write!(out, "{line}"),
            None => write!(out, "null"),
        };
        let _ = match self.kind {
            Kind::Arc(Arc {
                axis_0,
                axis_1,
                center: [a, b],
                radius,
                sweep,
            }) => write!(
                out,
                r#","plane":[{axis_0},{axis_1}],"center":[{a},{b}],"radius":{radius},"sweep":{sweep}"#
            ),
            Kind::Dwell { seconds } => write!(out, r#","seconds":{seconds}"#),
            _ => Ok(()),
        };
        let _ = writeln!(out, r#","fraction":{}}}"#, self.fraction);
    }
}

impl Kind {
    /// The name in log files.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rapid => "rapid",
            Self::Linear => "linear",
            Self::Arc(_) => "arc",
            Self::Dwell { .. } => "dwell",
            Self::Home => "home",
            Self::Probe => "probe",
            Self::Jog => "jog",
        }
    }

    fn tag(&self) -> u8 {
        match self {
            Self::Rapid => 0,
            Self::Linear => 1,
            Self::Arc(_) => 2,
            Self::Dwell { .. } => 3,
            Self::Home => 4,
            Self::Probe => 5,
            Self::Jog => 6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: Kind, x: f64) -> Entry {
        Entry {
            start: Duration::from_millis(500),
            finish: Duration::from_millis(1250),
            kind,
            target: [x, 0.0, -1.0, 0.0],
            feed_mm_per_min: 600.0,
            spindle_rpm: 1000.0,
            coolant: Coolant::default(),
            line: None,
            fraction: 1.0,
        }
    }

    #[test]
    fn json_lines_are_documented_as_written() {
        let mut text = String::new();
        entry(Kind::Linear, 10.0).write_json(&mut text);
        assert_eq!(
            text,
            "{\"start\":0.5,\"finish\":1.25,\"kind\":\"linear\",\"x\":10,\"y\":0,\"z\":-1,\"e\":0,\
             \"feed\":600,\"spindle\":1000,\"flood\":false,\"mist\":false,\"line\":null,\"fraction\":1}\n"
        );
        text.clear();
        let arc = Arc {
            axis_0: 0,
            axis_1: 1,
            center: [1.0, 2.0],
            radius: 3.0,
            sweep: -0.5,
        };
        Entry {
            line: Some(7),
            ..entry(Kind::Arc(arc), 1.0)
        }
        .write_json(&mut text);
        let end = "\"line\":7,\"plane\":[0,1],\"center\":[1,2],\"radius\":3,\"sweep\":-0.5,\"fraction\":1}\n";
        assert!(text.ends_with(end), "{text}");
    }

    #[test]
    fn the_digest_knows_order_place_and_kind() {
        let digest = |entries: &[Entry]| {
            let mut log = MotionLog::new(LogMode::Digest);
            entries.iter().for_each(|entry| log.record(entry));
            log.digest()
        };
        let (a, b) = (entry(Kind::Linear, 1.0), entry(Kind::Linear, 2.0));
        let run = digest(&[a.clone(), b.clone()]);
        let later = Entry {
            finish: Duration::from_secs(9),
            ..b.clone()
        };
        assert_eq!(run, digest(&[a.clone(), later]));
        assert_ne!(run, digest(&[b.clone(), a.clone()]));
        assert_ne!(run, digest(&[a.clone(), entry(Kind::Rapid, 2.0)]));
        assert_ne!(
            run,
            digest(&[
                a.clone(),
                Entry {
                    fraction: 0.5,
                    ..b.clone()
                }
            ])
        );
        assert_ne!(run, digest(&[a.clone(), b.clone(), b]));
    }

    #[test]
    fn memory_is_bounded_and_what_falls_out_is_counted() {
        let mut log = MotionLog::new(LogMode::Keep { limit: 3 });
        (0..10).for_each(|n| log.record(&entry(Kind::Rapid, f64::from(n))));
        let kept: Vec<f64> = log.entries().map(|entry| entry.target[0]).collect();
        assert_eq!(
            (kept, log.dropped(), log.len()),
            (vec![7.0, 8.0, 9.0], 7, 10)
        );
    }

    #[test]
    fn a_full_disk_is_reported_once_and_stops_nothing() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut log = MotionLog::writing_to(Box::new(Full));
        log.record(&entry(Kind::Rapid, 1.0));
        log.record(&entry(Kind::Rapid, 2.0));
        assert_eq!(log.flush().unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(log.len(), 2);
    }
}
