use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read};

use feedhold_gcode_parse::{
    Axis, Block, Code, Effect, Flavor, Interpreter, LineReader, MotionKind, Position, Stop, motion,
};
use feedhold_simulator::{Arc, Kind};

/// Bytes read from the source at a time; the motions in them are held at once.
const PIECE: usize = 16 * 1024;

/// The motions of a program, read from its source as they are asked for.
///
/// The program ends with its last line or with M2 or M30. An impossible motion (an arc without a
/// circle) is none, as every firmware refuses it.
#[derive(Debug)]
pub struct Program<R> {
    source: R,
    piece: Vec<u8>,
    lines: LineReader,
    interpreter: Interpreter,
    ready: VecDeque<Motion>,
    ended: bool,
}

/// One thing that a program tells the machine to do, and the log must show.
#[derive(Clone, Debug, PartialEq)]
pub struct Motion {
    /// Line of the program, from 1.
    pub line: u64,
    /// What to do.
    pub kind: Kind,
    /// Where it ends: machine coordinates X Y Z in mm and E in mm of filament.
    pub target: Target,
    /// The feed rate in mm/min where the program rules it.
    pub feed_mm_per_min: Option<f64>,
}

/// Machine coordinates X Y Z in mm and E in mm of filament.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target(pub [f64; 4]);

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y, z, e] = self.0;
        write!(f, "X{x} Y{y} Z{z} E{e}")
    }
}

impl fmt::Display for Motion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.kind.name(), self.target)
    }
}

impl<R: Read> Program<R> {
    /// The program as a machine of this firmware reads it, from power-up at the origin.
    pub fn new(flavor: Flavor, source: R) -> Self {
        Self {
            source,
            piece: vec![0; PIECE],
            lines: LineReader::new(),
            interpreter: Interpreter::new(flavor),
            ready: VecDeque::new(),
            ended: false,
        }
    }

    /// Reads on until a motion is ready or the program ends.
    fn read_on(&mut self) -> io::Result<()> {
        while self.ready.is_empty() && !self.ended {
            let n = match self.source.read(&mut self.piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let mut input = self.piece.get(..n).unwrap_or_default();
            let mut reading = Reading {
                interpreter: &mut self.interpreter,
                ready: &mut self.ready,
            };
            while let Some(line) = self.lines.next(&mut input) {
                self.ended = reading.line(line.number, line.text)? == Go::End;
                if self.ended {
                    return Ok(());
                }
            }
            if n == 0 {
                self.ended = true;
                if let Some(line) = self.lines.finish() {
                    reading.line(line.number, line.text)?;
                }
            }
        }
        Ok(())
    }
}

impl<R: Read> Iterator for Program<R> {
    type Item = io::Result<Motion>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.read_on() {
            Ok(()) => self.ready.pop_front().map(Ok),
            Err(error) => {
                self.ended = true;
                self.ready.clear();
                Some(Err(error))
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Go {
    On,
    End,
}

/// The part of a [`Program`] that takes lines.
struct Reading<'a> {
    interpreter: &'a mut Interpreter,
    ready: &'a mut VecDeque<Motion>,
}

impl Reading<'_> {
    fn line(&mut self, line: u64, text: &[u8]) -> io::Result<Go> {
        let flavor = self.interpreter.flavor();
        let before = *self.interpreter.position();
        let block = Block::parse(flavor, text);
        let effect = self.interpreter.apply(&block);
        let mut push = |kind, to: &Position, feed_mm_per_min| {
            let target = Target([Axis::X, Axis::Y, Axis::Z, Axis::E].map(|axis| to[axis]));
            self.ready.push_back(Motion {
                line,
                kind,
                target,
                feed_mm_per_min,
            });
        };
        // Marlin takes a G4 without a time for a wait of none, and logs it.
        let bare = flavor == Flavor::Marlin && block.has_g(Code::new(4));
        if let Some(seconds) = effect.dwell_s.or(bare.then_some(0.0)) {
            push(Kind::Dwell { seconds }, &before, None);
        }
        if let Some(motion) = effect.motion {
            let feed = Some(motion.feed_mm_per_min);
            match motion.kind {
                MotionKind::Rapid => push(Kind::Rapid, &motion.to, None),
                MotionKind::Linear => push(Kind::Linear, &motion.to, feed),
                MotionKind::Arc(arc) => push(Kind::Arc(shape(&arc)), &motion.to, feed),
                MotionKind::Probe(_) => push(Kind::Probe, &motion.to, feed),
                MotionKind::Jog => push(Kind::Jog, &motion.to, feed),
                // Marlin looks for its switches; the others go to a stored place, in one or two rapids.
                MotionKind::Home { .. } if flavor == Flavor::Marlin => {
                    push(Kind::Home, &motion.to, None)
                }
                MotionKind::Home { via } => {
                    via.iter().for_each(|via| push(Kind::Rapid, via, None));
                    push(Kind::Rapid, &motion.to, None);
                }
                _ => return Err(unknown(line, text)),
            }
        }
        Ok(ends(&effect))
    }
}

fn ends(effect: &Effect) -> Go {
    match effect.stop {
        Some(Stop::End | Stop::EndRewind) => Go::End,
        _ => Go::On,
    }
}

fn unknown(line: u64, text: &[u8]) -> io::Error {
    let text = String::from_utf8_lossy(text);
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("line {line}: the oracle cannot follow `{text}`"),
    )
}

/// An arc in the words of the machine's log.
fn shape(arc: &motion::Arc) -> Arc {
    let (first, second, _) = arc.axes();
    Arc {
        axis_0: first as u8,
        axis_1: second as u8,
        center: arc.center,
        radius: arc.radius,
        sweep: if arc.clockwise { -arc.sweep } else { arc.sweep },
    }
}
