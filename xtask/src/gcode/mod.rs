//! The generator: one [`Kind`] of program a file, all behind [`Program`].

use std::io::{self, Read};

use clap::ValueEnum;

mod mill;
mod print;
mod relief;
mod repeat;
mod rng;
mod stress;
mod text;
mod vase;

pub use repeat::Repeat;
pub use rng::Rng;

/// What is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[non_exhaustive]
pub enum Kind {
    /// A 3D print for Marlin, layer by layer: walls of short segments, infill, retractions.
    Print,
    /// Pocket milling for grbl: lines, arcs, plunges, several depths.
    Mill,
    /// Moves of 0.01 mm for grbl: the wire is the limit, not the machine.
    Stress,
    /// The sample job `examples/relief.nc`: a carved relief with a border and bored holes, for grbl.
    Relief,
    /// The sample job `examples/vase.gcode`: a vase printed in one spiral, for Marlin.
    Vase,
}

impl Kind {
    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Print => "print",
            Self::Mill => "mill",
            Self::Stress => "stress",
            Self::Relief => "relief",
            Self::Vase => "vase",
        }
    }

    /// True for kinds that go on to any size; false for jobs with an end of their own.
    #[must_use]
    pub const fn is_endless(self) -> bool {
        match self {
            Self::Print | Self::Mill | Self::Stress => true,
            Self::Relief | Self::Vase => false,
        }
    }
}

/// A program as it is being written: read it, or copy it to a file with [`io::copy`].
///
/// Holds one part of the program (a wall, a slot, a row: some kilobytes) at a time, whatever the
/// size of the whole.
pub struct Program {
    source: Box<dyn Source + Send>,
    size: u64,
    made: u64,
    stage: Stage,
    part: Vec<u8>,
    read: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    Body,
    Done,
}

/// A kind of program, told in parts. Every part ends with a line end.
trait Source {
    /// What stands before the first part.
    fn head(&mut self, out: &mut Vec<u8>);

    /// Appends the next part.
    fn part(&mut self, out: &mut Vec<u8>) -> Next;

    /// What stands after the last part.
    fn foot(&mut self, out: &mut Vec<u8>);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    More,
    Last,
}

impl Program {
    /// A program of an endless kind: the first whole part at or after `size` bytes is the last, so
    /// that the program is at most some kilobytes longer.
    ///
    /// # Errors
    /// `InvalidInput` for a kind with an end of its own.
    pub fn endless(kind: Kind, seed: u64, size: u64) -> io::Result<Self> {
        if kind.is_endless() {
            Ok(Self::new(kind, seed, size))
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "`{}` is a job with an end of its own: it takes no size",
                    kind.name()
                ),
            ))
        }
    }

    /// A job with an end of its own; of an endless kind, the first part alone.
    #[must_use]
    pub fn whole(kind: Kind, seed: u64) -> Self {
        let size = if kind.is_endless() { 0 } else { u64::MAX };
        Self::new(kind, seed, size)
    }

    fn new(kind: Kind, seed: u64, size: u64) -> Self {
        let rng = Rng::new(seed);
        let source: Box<dyn Source + Send> = match kind {
            Kind::Print => Box::new(print::Print::new(rng)),
            Kind::Mill => Box::new(mill::Mill::new(rng)),
            Kind::Stress => Box::new(stress::Stress::new(rng)),
            Kind::Relief => Box::new(relief::Relief::new(rng)),
            Kind::Vase => Box::new(vase::Vase::new(rng)),
        };
        Self {
            source,
            size,
            made: 0,
            stage: Stage::Head,
            part: Vec::new(),
            read: 0,
        }
    }

    /// Makes the next part ready.
    fn advance(&mut self) {
        self.part.clear();
        self.read = 0;
        match self.stage {
            Stage::Head => {
                self.source.head(&mut self.part);
                self.stage = Stage::Body;
            }
            Stage::Body => {
                let next = self.source.part(&mut self.part);
                if next == Next::Last || self.made + self.part.len() as u64 >= self.size {
                    self.source.foot(&mut self.part);
                    self.stage = Stage::Done;
                }
            }
            Stage::Done => {}
        }
        self.made += self.part.len() as u64;
    }
}

impl Read for Program {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.read == self.part.len() && self.stage != Stage::Done {
            self.advance();
        }
        let mut rest = &self.part[self.read..];
        let n = rest.read(buf)?;
        self.read += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests;
