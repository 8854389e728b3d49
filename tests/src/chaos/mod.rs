//! The fault world: the product's engine, decisions and store against a simulated machine, with everything going wrong that can,
//! in virtual time.
//!
//! A [`Schedule`] is one run: a program, an operator, a seed, and faults with their instants. [`run`] plays it and holds every
//! instant against the [`INVARIANTS`]. Nothing in a run knows a clock or a thread, so a schedule printed as text plays again.

mod away;
mod cable;
mod campaign;
mod disk;
mod fault;
mod host;
mod judge;
mod machine;
mod plant;
mod program;
mod resume;
mod schedule;
mod strike;
mod trace;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use campaign::{Plan, StopAtFirst, Tally, Until, play, shrink};
pub use fault::{Fault, Moment};
pub use judge::{INVARIANTS, Violation};
pub use plant::Plant;
pub use program::{PROGRAMS, Program};
pub use schedule::{Cell, Operator, Schedule, Strike, When};
pub use world::End;

use world::World;

/// How a run went.
#[derive(Debug, Clone)]
pub struct Run {
    /// How it ended, or which invariant did not hold.
    pub end: Result<End, Violation>,
    /// Faults that struck.
    pub struck: usize,
    /// Processes that came to resume.
    pub resumes: u32,
    /// Motions of the machine that were compared with the program.
    pub motions: u64,
    /// Digest of everything that happened.
    pub digest: u64,
    /// What happened, when it was wished for.
    pub trace: Vec<String>,
}

/// Whether a run is told as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// Only its digest.
    Digest,
    /// All of it.
    Text,
}

/// Plays a schedule.
#[must_use]
pub fn run(schedule: &Schedule, plant: Option<Plant>, telling: Telling) -> Run {
    let mut world = World::new(schedule, plant, telling == Telling::Text);
    let end = catch_unwind(AssertUnwindSafe(|| world.run()));
    let end = end.unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Violation {
            invariant: 0,
            what: text.unwrap_or_else(|| "a panic without a word".to_owned()),
        })
    });
    Run {
        end,
        struck: world.struck(),
        resumes: world.resumes,
        motions: world.judge.compared(),
        digest: world.trace.digest(),
        trace: world.trace.into_text(),
    }
}
