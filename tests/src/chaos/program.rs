//! The programs that the fault world streams: short, with everything in them that a fault may hit, and what each of their lines
//! makes a machine do.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use feedhold::job::Settings;
use feedhold::session::{Vetted, vet};
use feedhold_simulator::{Config, ControllerKind, Entry, Kind, LogMode, MotionModel, Simulator};
use feedhold_stream_core::{
    chunk::{Class, Prepared, Stop},
    dialect::Dialect,
};
use xtask::gcode::Rng;

use crate::{oracle, world};

/// Programs of each dialect.
pub const PROGRAMS: usize = 48;
/// Lines of a chunk.
const CHUNK: usize = 16;

/// A program, as text, as lines for the wire, and as motions of a machine.
#[derive(Debug)]
pub struct Program {
    /// The firmware it is for.
    pub dialect: Dialect,
    text: Vec<String>,
    wire: Vec<Wire>,
    /// What the machine does, in order: motions of some length, nothing else.
    motions: Vec<Motion>,
    /// For each line, how many motions the lines up to it make.
    up_to: Vec<usize>,
    /// For each line, whether the machine waits there by itself.
    waits: Vec<bool>,
    vetted: Vetted,
}

#[derive(Debug)]
struct Wire {
    line: u64,
    class: Class,
    text: String,
}

/// One motion of the program, as an undisturbed machine has made it.
#[derive(Debug, Clone)]
pub struct Motion {
    /// Its line.
    pub line: u64,
    /// What the machine wrote down.
    pub entry: Entry,
    /// Whether the program has said by then where X, Y, Z and E are to be.
    pub placed: [bool; 4],
    /// Filament that it uses, mm.
    pub filament: f64,
}

impl Program {
    /// Program number `index` of a dialect; there are [`PROGRAMS`].
    ///
    /// # Panics
    /// When the programs are no good: the product refuses a line, or simulator and oracle do not agree on one.
    #[must_use]
    pub fn get(dialect: Dialect, index: usize) -> &'static Self {
        static MILL: OnceLock<Vec<Program>> = OnceLock::new();
        static PRINT: OnceLock<Vec<Program>> = OnceLock::new();
        let all = match dialect {
            Dialect::Marlin => &PRINT,
            _ => &MILL,
        };
        let all = all.get_or_init(|| {
            (0..PROGRAMS)
                .map(|index| Self::write(dialect, index as u64))
                .collect()
        });
        &all[index % PROGRAMS]
    }

    fn write(dialect: Dialect, seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x5eed);
        let lines = 24 + rng.below(100) as usize;
        let text = match dialect {
            Dialect::Marlin => print(&mut rng, lines),
            _ => mill(&mut rng, lines),
        };
        Self::new(dialect, &text)
    }

    /// A program from its text.
    ///
    /// # Panics
    /// As [`get`](Self::get).
    #[must_use]
    pub fn new(dialect: Dialect, text: &str) -> Self {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut wire = Vec::new();
        for chunk in world::chunks(dialect, text, CHUNK) {
            for line in (0..chunk.len()).filter_map(|at| chunk.get(at)) {
                wire.push(Wire {
                    line: line.source_line,
                    class: line.class,
                    text: String::from_utf8_lossy(line.text).into_owned(),
                });
            }
        }
        let mut program = Self {
            dialect,
            up_to: vec![0; lines.len() + 1],
            waits: vec![false; lines.len() + 1],
            vetted: vetted(dialect, text),
            text: lines,
            wire,
            motions: Vec::new(),
        };
        program.rehearse();
        program
    }

    /// Lets an undisturbed machine execute it line by line, and holds what it did against the oracle.
    fn rehearse(&mut self) {
        let kind = match self.dialect {
            Dialect::Marlin => ControllerKind::Marlin,
            _ => ControllerKind::Grbl,
        };
        let log = LogMode::Keep { limit: 100_000 };
        let params = [("controller", kind_name(kind)), ("motion", "instant")];
        let mut config = Config::from_params(params)
            .expect("known parameters")
            .with_log(log)
            .with_motion(MotionModel::Instant);
        if self.dialect == Dialect::Marlin {
            let params = [
                ("controller", "marlin"),
                ("motion", "instant"),
                ("heat", "instant"),
            ];
            config = Config::from_params(params)
                .expect("known parameters")
                .with_log(log);
        }
        let mut machine = Simulator::new(config);
        let (mut now, mut answers, mut log) = (Duration::ZERO, Vec::new(), Vec::new());
        let mut at = [0.0; 4];
        let mut placed = [false; 4];
        for wire in &self.wire {
            let homes = wire.text.starts_with("G28");
            let names = |letter: char| homes && letter != 'E' || wire.text.contains(letter);
            if !wire.text.starts_with('M') {
                for (axis, letter) in ['X', 'Y', 'Z', 'E'].into_iter().enumerate() {
                    placed[axis] |= names(letter);
                }
            }
            answers.clear();
            let pauses = matches!(wire.class, Class::Stop(stop) if !matches!(stop, Stop::End | Stop::EndRewind));
            if !pauses {
                let text = format!("{}\n", wire.text);
                assert_eq!(machine.receive(now, text.as_bytes()), text.len());
                while let Some(next) = machine.next_event().filter(|_| machine.is_working()) {
                    now = next.max(now);
                    machine.transmit(now, &mut answers);
                }
            }
            let refused = String::from_utf8_lossy(&answers).contains("error");
            assert!(!refused, "line {}: {}", wire.line, wire.text);
            for entry in machine.log_mut().take_entries() {
                let stays = matches!(entry.kind, Kind::Rapid | Kind::Linear) && entry.target == at;
                let filament = entry.target[3] - at[3];
                at = entry.target;
                if matches!(entry.kind, Kind::Dwell { .. }) {
                    self.waits[wire.line as usize] = true;
                } else if !stays {
                    self.motions.push(Motion {
                        line: wire.line,
                        entry: entry.clone(),
                        placed,
                        filament,
                    });
                }
                log.push(entry);
            }
            if matches!(wire.class, Class::Patient) {
                self.waits[wire.line as usize] = true;
            }
        }
        let text = self.text.join("\n");
        let expected = oracle::Program::new(self.dialect.flavor(), text.as_bytes());
        if let Err(mismatch) = oracle::compare(expected, log) {
            panic!("simulator and oracle do not agree: {mismatch}\n{text}");
        }
        let mut motions = 0;
        for line in 0..self.up_to.len() {
            while self
                .motions
                .get(motions)
                .is_some_and(|motion| motion.line <= line as u64)
            {
                motions += 1;
            }
            self.up_to[line] = motions;
        }
    }

    /// Its lines.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.text.len() as u64
    }

    /// One line as it goes to the wire, without its end; `None` for one that is not sent.
    #[must_use]
    pub fn wire_line(&self, line: u64) -> Option<(&str, Class)> {
        let at = self
            .wire
            .binary_search_by_key(&line, |wire| wire.line)
            .ok()?;
        let wire = self.wire.get(at)?;
        Some((&wire.text, wire.class))
    }

    /// The last line up to `line` that may stand on a wire: a stop is passed without being sent.
    #[must_use]
    pub fn last_sent(&self, line: u64) -> u64 {
        let passed = |line: &u64| matches!(self.wire_line(*line), Some((_, Class::Stop(stop))) if !matches!(stop, Stop::End | Stop::EndRewind));
        (0..=line).rev().find(|line| !passed(line)).unwrap_or(line)
    }

    /// The text of its first `lines` lines.
    #[must_use]
    pub fn text(&self, lines: u64) -> String {
        let mut text = String::new();
        for line in self.text.iter().take(lines as usize) {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Its first `lines` lines as a file that the product has vetted.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn vetted(&self, lines: u64) -> Vetted {
        if lines == self.lines() {
            return self.vetted.clone();
        }
        vetted(self.dialect, &self.text(lines))
    }

    /// The chunk behind line `after` of its first `lines` lines; `None` behind the last one.
    #[must_use]
    pub fn chunk(&self, after: u64, lines: u64) -> Option<(u64, Prepared)> {
        let first = after + 1;
        if first > lines {
            return None;
        }
        let last = (after + CHUNK as u64).min(lines);
        let mut at = self.wire.partition_point(|wire| wire.line < first);
        let texts = (first..=last).map(|line| match self.wire.get(at) {
            Some(wire) if wire.line == line => {
                at += 1;
                (wire.text.as_str(), wire.class)
            }
            _ => ("", Class::Modal),
        });
        Some((last, Prepared::from_lines(first, texts)))
    }

    /// Motions that the lines up to `line` make.
    #[must_use]
    pub fn motions_up_to(&self, line: u64) -> usize {
        let last = self.up_to.len() - 1;
        self.up_to[(line as usize).min(last)]
    }

    /// A motion by its number, counted from 0.
    #[must_use]
    pub fn motion(&self, number: usize) -> Option<&Motion> {
        self.motions.get(number)
    }

    /// Whether the machine waits at a line by itself: a dwell, a heat-up.
    #[must_use]
    pub fn waits_at(&self, line: u64) -> bool {
        self.waits.get(line as usize).copied().unwrap_or(false)
    }
}

/// A text in a file of its own, named by its content and kept, because the product reads it again and again.
fn vetted(dialect: Dialect, text: &str) -> Vetted {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/chaos");
    let name = &blake3::hash(text.as_bytes()).to_hex()[..16];
    let path = directory.join(format!("{}-{name}", dialect.name()));
    if std::fs::read(&path).is_ok_and(|found| found == text.as_bytes()) {
        return vet_file(dialect, &path).expect("the program is good");
    }
    std::fs::create_dir_all(&directory).expect("a directory for programs");
    let mut draft = tempfile::NamedTempFile::new_in(&directory).expect("room for a program");
    std::io::Write::write_all(&mut draft, text.as_bytes()).expect("room for a program");
    // Whoever was faster has written the same.
    let _ = draft.persist_noclobber(&path);
    vet_file(dialect, &path).expect("the program is good")
}

/// What the product says of a file with this text, which is gone afterwards.
///
/// # Errors
/// Why it cannot be sent.
pub(super) fn vet_text(dialect: Dialect, text: &str) -> Result<Vetted, String> {
    let mut file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|error| error.to_string())?;
    vet_file(dialect, file.path())
}

fn vet_file(dialect: Dialect, path: &Path) -> Result<Vetted, String> {
    let chain = Settings::new(dialect)
        .chain()
        .map_err(|error| error.to_string())?;
    vet(path, &chain, |_| true).map_err(|error| error.to_string())
}

fn kind_name(kind: ControllerKind) -> &'static str {
    kind.name()
}

/// Appends one line.
macro_rules! line {
    ($text:ident, $($arguments:tt)*) => {{
        // Writing to a string cannot fail.
        let _ = writeln!($text, $($arguments)*);
    }};
}

/// A mill's program: pockets with passes that come back to where they were, arcs, dwells, stops, and modes that change.
fn mill(rng: &mut Rng, lines: usize) -> String {
    let mut text = String::new();
    line!(text, "(pockets)");
    line!(text, "G21 G90 G94 G17 G54");
    line!(text, "T1 M6");
    line!(text, "M3 S{}", 1000 + rng.below(20) * 100);
    line!(text, "G4 P0.{}", 1 + rng.below(4));
    line!(text, "G0 Z5");
    let mut pocket = 0;
    while text.lines().count() < lines {
        let (x, y) = (pocket as f64 * 3.0 + 1.0, rng.below(4) as f64 * 2.0 + 1.0);
        let feed = 600 + rng.below(15) * 100;
        line!(text, "G0 X{x} Y{y}");
        line!(text, "G1 Z-{:.1} F300", 0.5 + rng.below(5) as f64 * 0.1);
        match rng.below(6) {
            0 => {
                // There and back again: the same places more than once.
                line!(text, "G1 X{:.3} F{feed}", x + 1.5);
                for _ in 0..=rng.below(3) {
                    line!(text, "X{x}");
                    line!(text, "X{:.3}", x + 1.5);
                }
                line!(text, "G0 X{x}");
            }
            1 => {
                line!(text, "G2 X{:.3} Y{y} I1 J0 F{feed}", x + 2.0);
                line!(text, "G3 X{x} Y{y} I-1 J0");
                line!(text, "G2 X{x} Y{y} I1 J0");
                line!(text, "G1 Y{:.3}", y + 0.5);
            }
            2 => {
                line!(text, "G91 (by steps)");
                line!(text, "G1 X0.7 F{feed}");
                line!(text, "Y0.7");
                line!(text, "X-0.7");
                line!(text, "Y-0.7");
                line!(text, "G90");
            }
            3 => {
                line!(text, "");
                line!(text, "M8");
                for step in 0..4 + rng.below(24) {
                    let along = x + step as f64 * 0.09;
                    let across = y + (step % 3) as f64 * 0.13;
                    line!(text, "G1 X{along:.3} Y{across:.3} F{feed}");
                }
                line!(text, "M9");
            }
            4 => {
                line!(text, "F{feed}");
                for (dx, dy) in [(1.2, 0.0), (1.2, 1.2), (0.0, 1.2), (0.0, 0.0)] {
                    line!(text, "G1 X{:.3} Y{:.3}", x + dx, y + dy);
                }
                line!(text, "G4 P0.2");
            }
            _ => {
                line!(text, "G1 X{:.3} Y{:.3} F{feed}", x + 0.4, y + 0.6);
                line!(text, "S{}", 1000 + rng.below(20) * 100);
                line!(text, "X{:.3}", x + 0.8);
            }
        }
        line!(text, "G0 Z{}", 1 + rng.below(5));
        match rng.below(8) {
            0 => line!(text, "M0"),
            1 => {
                line!(text, "G0 Z5");
                line!(text, "M6 T{}", 1 + rng.below(3));
            }
            2 => line!(text, "M1"),
            3 => line!(text, "G4 P0.05 (a moment)"),
            _ => {}
        }
        pocket += 1;
    }
    line!(text, "G0 Z5");
    line!(text, "M5");
    line!(text, "G0 X0 Y0");
    line!(text, "M30");
    text
}

/// A print: heat first, layers of lines and arcs with filament, retractions, a fan, dwells and a pause.
fn print(rng: &mut Rng, lines: usize) -> String {
    let mut text = String::new();
    let relative = rng.one_in(2);
    line!(text, "; a print");
    line!(text, "M140 S50");
    line!(text, "M104 S200");
    line!(text, "M109 S200");
    line!(text, "G28");
    line!(text, "G90");
    line!(text, "{}", if relative { "M83" } else { "M82" });
    line!(text, "G92 E0");
    line!(text, "G1 Z0.3 F600");
    let mut e = 0.0;
    let mut z = 0.3;
    let mut extrude = |more: f64| {
        if relative {
            return more;
        }
        e += more;
        e
    };
    while text.lines().count() < lines {
        let (x, y) = (10.0 + rng.below(8) as f64, 10.0 + rng.below(8) as f64);
        let feed = 1200 + rng.below(20) * 60;
        line!(text, "G0 X{x} Y{y} F3000");
        match rng.below(5) {
            0 => {
                line!(
                    text,
                    "G2 X{:.3} Y{y} I1 J0 E{:.5} F{feed}",
                    x + 2.0,
                    extrude(0.2)
                );
                line!(text, "G3 X{x} Y{y} I-1 J0 E{:.5}", extrude(0.2));
            }
            1 => {
                for _ in 0..2 + rng.below(2) {
                    line!(text, "G1 X{:.3} E{:.5} F{feed}", x + 2.0, extrude(0.1));
                    line!(text, "G1 X{x} E{:.5}", extrude(0.1));
                }
            }
            2 => {
                line!(text, "M106 S{}", rng.below(256));
                for step in 0..4 + rng.below(20) {
                    let along = x + step as f64 * 0.21;
                    let across = y + (step % 4) as f64 * 0.17;
                    line!(
                        text,
                        "G1 X{along:.3} Y{across:.3} E{:.5} F{feed}",
                        extrude(0.03)
                    );
                }
            }
            3 => {
                for (dx, dy) in [(1.5, 0.0), (1.5, 1.5), (0.0, 1.5), (0.0, 0.0)] {
                    line!(
                        text,
                        "G1 X{:.3} Y{:.3} E{:.5} F{feed}",
                        x + dx,
                        y + dy,
                        extrude(0.05)
                    );
                }
                line!(text, "G4 P{}", 100 + rng.below(4) * 100);
            }
            _ => {
                line!(text, "G1 E{:.5} F1800", extrude(-0.8));
                line!(text, "G0 X{:.3} Y{:.3}", x + 3.0, y + 1.0);
                line!(text, "G1 E{:.5}", extrude(0.8));
                line!(text, "M117 half way");
            }
        }
        match rng.below(7) {
            0 => line!(text, "M0 look"),
            1 => {
                z += 0.2;
                line!(text, "G1 Z{z:.1} F600");
            }
            2 => line!(text, "M105"),
            3 => line!(text, "M220 S{}", 80 + rng.below(5) * 10),
            _ => {}
        }
    }
    line!(text, "M400");
    line!(text, "M107");
    line!(text, "G1 Z{:.1} F600", z + 5.0);
    line!(text, "M104 S0");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_hold_what_faults_may_hit() {
        for dialect in [Dialect::Grbl, Dialect::Marlin] {
            let mut seen = [false; 4];
            for index in 0..PROGRAMS {
                let program = Program::get(dialect, index);
                assert!((24..=200).contains(&program.lines()), "{}", program.lines());
                assert!(program.motions.len() > 10);
                let stops = |wire: &Wire| matches!(wire.class, Class::Stop(_));
                let arcs = |motion: &Motion| matches!(motion.entry.kind, Kind::Arc(_));
                seen[0] |= program.wire.iter().any(stops);
                seen[1] |= program.motions.iter().any(arcs);
                seen[2] |= program.waits.contains(&true);
                seen[3] |= program.lines() > 100;
            }
            assert_eq!(seen, [true; 4], "{dialect:?}");
        }
    }

    #[test]
    fn chunks_hold_every_line_once() {
        let program = Program::get(Dialect::Grbl, 3);
        let (mut after, mut lines) = (0, Vec::new());
        while let Some((last, chunk)) = program.chunk(after, program.lines()) {
            lines.extend(
                (0..chunk.len()).filter_map(|at| chunk.get(at).map(|line| line.source_line)),
            );
            after = last;
        }
        let all: Vec<u64> = program.wire.iter().map(|wire| wire.line).collect();
        assert_eq!(lines, all);
    }
}
