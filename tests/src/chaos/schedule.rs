//! What one run of the fault world is: program, faults, operator and chance, as one line of text.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use feedhold_stream_core::dialect::Dialect;
use xtask::gcode::Rng;

use super::fault::{Fault, Moment, named};
use super::program::{PROGRAMS, Program};

named! {
    /// What the operator does when the product refuses to go on by itself.
    Operator {
        /// Leaves it at that.
        Stops = "stops",
        /// Looks at the part, homes a machine that has restarted, and lets the job go on from the last retract.
        Chooses = "chooses",
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The firmware.
    pub dialect: Dialect,
    /// Which program, below [`PROGRAMS`].
    pub program: usize,
    /// How many of its lines.
    pub lines: u64,
    /// What the operator does.
    pub operator: Operator,
    /// Everything that is left to chance.
    pub seed: u64,
    /// What goes wrong.
    pub strikes: Vec<Strike>,
}

/// One fault and its instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    /// The fault.
    pub fault: Fault,
    /// Its instant.
    pub when: When,
}

/// The instant of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At a moment; so many occasions are let go by first.
    At(Moment, u32),
    /// At a time since the job began.
    After(Duration),
}

/// A cell of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// What goes wrong.
    pub fault: Fault,
    /// When.
    pub moment: Moment,
    /// Where.
    pub dialect: Dialect,
}

impl Cell {
    /// Every cell, the impossible ones included.
    pub fn all() -> impl Iterator<Item = Self> {
        [Dialect::Grbl, Dialect::Marlin]
            .into_iter()
            .flat_map(|dialect| {
                Fault::ALL.iter().flat_map(move |fault| {
                    Moment::ALL.iter().map(move |moment| Self {
                        fault: *fault,
                        moment: *moment,
                        dialect,
                    })
                })
            })
    }

    /// Why nothing can happen here, if so.
    #[must_use]
    pub const fn impossible(self) -> Option<&'static str> {
        self.fault.impossible_at(self.moment, self.dialect)
    }

    /// The run of this cell for a seed.
    #[must_use]
    pub fn schedule(self, seed: u64) -> Schedule {
        let cell = (self.fault as u64) << 8 | self.moment as u64;
        let mut rng = Rng::new(seed.wrapping_mul(0x9e37_79b9) ^ cell << 32 ^ 0xce11);
        let mut schedule = Schedule::calm(self.dialect, &mut rng);
        let let_go = |rng: &mut Rng, most: u64| {
            if rng.one_in(3) {
                0
            } else {
                rng.below(most) as u32
            }
        };
        if self.moment == Moment::InResume {
            // Something has to be resumed first.
            let first = rng.pick(&[Fault::HostKilled, Fault::PowerCut, Fault::LinkDropped]);
            let moment = rng.pick(&[Moment::Unanswered, Moment::PlannerFull, Moment::Unanswered]);
            schedule.strikes.push(Strike {
                fault: first,
                when: When::At(moment, let_go(&mut rng, 40)),
            });
        }
        schedule.strikes.push(Strike {
            fault: self.fault,
            when: When::At(self.moment, let_go(&mut rng, 24)),
        });
        schedule
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.fault, self.moment, self.dialect.name())
    }
}

impl FromStr for Cell {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let [fault, moment, dialect] = parts.as_slice() else {
            return Err("a cell is FAULT/MOMENT/DIALECT".to_owned());
        };
        Ok(Self {
            fault: fault.parse()?,
            moment: moment.parse()?,
            dialect: dialect_named(dialect)?,
        })
    }
}

impl Schedule {
    /// A run without faults.
    fn calm(dialect: Dialect, rng: &mut Rng) -> Self {
        let program = rng.below(PROGRAMS as u64) as usize;
        Self {
            dialect,
            program,
            lines: Program::get(dialect, program).lines(),
            operator: rng.pick(&[Operator::Stops, Operator::Chooses, Operator::Chooses]),
            seed: rng.bits(),
            strikes: Vec::new(),
        }
    }

    /// A run with up to three faults at any instants.
    #[must_use]
    pub fn free(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0xf4ee);
        let dialect = rng.pick(&[Dialect::Grbl, Dialect::Marlin]);
        let mut schedule = Self::calm(dialect, &mut rng);
        for _ in 0..rng.below(4) {
            let fault = loop {
                let fault = rng.pick(Fault::ALL);
                if fault.impossible_on(dialect).is_none() {
                    break fault;
                }
            };
            let within_us = rng.pick(&[300_000, 3_000_000, 20_000_000]);
            schedule.strikes.push(Strike {
                fault,
                when: When::After(Duration::from_micros(rng.below(within_us))),
            });
        }
        schedule
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/{}/{}/{:x}",
            self.dialect.name(),
            self.program,
            self.lines,
            self.operator,
            self.seed
        )?;
        for Strike { fault, when } in &self.strikes {
            match when {
                When::At(moment, let_go) => write!(f, ",{fault}@{moment}.{let_go}")?,
                When::After(time) => write!(f, ",{fault}@{}us", time.as_micros())?,
            }
        }
        Ok(())
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.trim().split(',');
        let head: Vec<&str> = parts.next().unwrap_or_default().split('/').collect();
        let [dialect, program, lines, operator, seed] = head.as_slice() else {
            return Err(
                "a replay begins with DIALECT/PROGRAM/LINES/OPERATOR/SEED, as it was printed"
                    .to_owned(),
            );
        };
        let number = |text: &str| {
            text.parse::<u64>()
                .map_err(|_| format!("{text:?} is no number"))
        };
        let dialect = dialect_named(dialect)?;
        let program = number(program)? as usize % PROGRAMS;
        Ok(Self {
            dialect,
            program,
            lines: number(lines)?.clamp(1, Program::get(dialect, program).lines()),
            operator: operator.parse()?,
            seed: u64::from_str_radix(seed, 16).map_err(|_| format!("{seed:?} is no seed"))?,
            strikes: parts.map(strike).collect::<Result<_, _>>()?,
        })
    }
}

fn strike(text: &str) -> Result<Strike, String> {
    let (fault, when) = text
        .split_once('@')
        .ok_or_else(|| format!("{text:?} is no FAULT@INSTANT"))?;
    let when = match (when.strip_suffix("us"), when.split_once('.')) {
        (Some(time), _) => {
            let time = time.parse().map_err(|_| format!("{when:?} is no time"))?;
            When::After(Duration::from_micros(time))
        }
        (None, Some((moment, let_go))) => When::At(
            moment.parse()?,
            let_go
                .parse()
                .map_err(|_| format!("{when:?} is no instant"))?,
        ),
        (None, None) => return Err(format!("{when:?} is no instant")),
    };
    Ok(Strike {
        fault: fault.parse()?,
        when,
    })
}

fn dialect_named(name: &str) -> Result<Dialect, String> {
    feedhold::guess::dialect_named(name)
        .ok_or_else(|| format!("`{name}` is neither grbl nor marlin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_reads_back_as_it_was_printed() {
        for seed in 0..500 {
            let run = Schedule::free(seed);
            assert_eq!(run.to_string().parse(), Ok(run));
        }
        for cell in Cell::all() {
            assert_eq!(cell.to_string().parse(), Ok(cell));
            let run = cell.schedule(7);
            assert_eq!(run.to_string().parse(), Ok(run));
        }
    }

    #[test]
    fn the_matrix_is_as_large_as_it_is_said_to_be() {
        assert!(Fault::ALL.len() >= 20 && Moment::ALL.len() >= 12);
        let possible = Cell::all()
            .filter(|cell| cell.impossible().is_none())
            .count();
        assert!(possible >= 480, "{possible}");
    }
}
