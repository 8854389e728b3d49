//! Programs, places in them, and the way back.

mod candidates;
mod locate;
mod mills;
mod places;
mod printers;
mod refusals;
mod text;
mod words;

use feedhold_gcode_parse::Block;

use super::*;
use crate::dialect::Dialect;

/// What is known behind line `done` of a program, and what it does behind it.
fn read(dialect: Dialect, program: &str, done: u64) -> (Tracker, Ahead) {
    let flavor = dialect.flavor();
    let mut running = Tracker::new(dialect);
    let mut at = running.clone();
    let mut next = None;
    for (number, text) in (1..).zip(program.lines()) {
        let block = Block::parse(flavor, text.as_bytes());
        if block.is_empty() {
            continue;
        }
        let effect = running.apply(number, &block);
        if number <= done {
            at.clone_from(&running);
        } else if next.is_none() && Tracker::moves(&block, &effect) {
            next = Some(Next {
                line: number,
                names_mode: block.g_codes().any(|code| code.major <= 3),
            });
        }
    }
    let highest_z = running.highest_z();
    (at, Ahead { highest_z, next })
}

fn plan(
    dialect: Dialect,
    program: &str,
    done: u64,
    way: &Approach,
) -> Result<Vec<String>, Refusal> {
    let (at, ahead) = read(dialect, program, done);
    let plan = Plan::with(done, 0, &at, &ahead, way)?;
    Ok(plan.approach.into_iter().map(|step| step.line).collect())
}

/// The approach behind line `done` of a program for grbl.
#[track_caller]
fn check_mill(program: &str, done: u64, way: Approach, expected: &[&str]) {
    let lines = plan(Dialect::Grbl, program, done, &way).expect("a plan");
    assert_eq!(lines, expected, "{program}");
}

#[track_caller]
fn check_print(program: &str, done: u64, way: Approach, expected: &[&str]) {
    let lines = plan(Dialect::Marlin, program, done, &way).expect("a plan");
    assert_eq!(lines, expected, "{program}");
}
