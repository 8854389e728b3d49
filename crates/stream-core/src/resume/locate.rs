//! Which line was the last one, by what the controller says.

use feedhold_gcode_parse::Axis;

use super::{Baseline, Candidate, Doubt, Facts, Interval, LineEffect, Refusal};
use crate::dialect::{Dialect, Heater, MachineState};

/// Half the last digit that grbl prints of a position, mm.
const PRINTED_GRBL_MM: f64 = 0.0005;
/// Half the last digit that Marlin prints of a position, mm.
const PRINTED_MARLIN_MM: f64 = 0.005;
/// Steps a millimetre to reckon with when the controller did not tell.
const COARSE_STEPS_PER_MM: f64 = 80.0;
/// What single precision loses of a coordinate and the offsets in it, as a share of the coordinate.
const SINGLE_PRECISION: f64 = 5e-7;
/// Half the last digit that grbl prints of a feed or a speed.
const PRINTED_RATE: f64 = 0.51;
/// Two offsets that differ by less are the same: both were printed with three decimals.
const SAME_OFFSET_MM: f64 = 0.0011;
/// A bed that lost more lets go of the part, °C.
const BED_MAY_COOL: f64 = 10.0;

/// How a job may go on without ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Located {
    /// Everything up to `done` was executed and nothing behind it. Lines without motion behind it may have been executed; executing
    /// them again changes nothing.
    Exact {
        /// Last line executed.
        done: u64,
        /// What proves it.
        proof: Proof,
    },
}

/// What proves which line was the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proof {
    /// The machine stands where this line leaves it and no other in doubt does, with what it leaves in force.
    Position,
    /// The controller has accepted this line number last, and stands where that line leaves it.
    LineNumber {
        /// The number.
        number: u64,
    },
}

/// Finds the last line executed, by what the controller says while it stands still.
///
/// The machine stands where a candidate leaves it when every axis that is known and reported differs by no more than half a step,
/// half the last printed digit, and what single precision loses. Candidates in a row without motion between them are one place,
/// and the first of them counts; two places are no proof.
///
/// # Errors
/// [`Refusal`] when the controller restarted, does not stand still, is set up differently, stands elsewhere, or stands where
/// several lines leave it.
pub fn locate(interval: &Interval<'_>, facts: &Facts) -> Result<Located, Refusal> {
    check_state(facts)?;
    check_settings(interval.baseline, facts)?;
    let tolerance = Tolerance::of(facts);
    let (limit, number) = accepted(interval, facts)?;
    let in_reach = interval
        .candidates
        .get(..=limit)
        .unwrap_or(&interval.candidates);
    let mut first_fit = None;
    let mut places = Vec::new();
    let mut before_fits = false;
    for (at, candidate) in in_reach.iter().enumerate() {
        let fits = tolerance.stands_at(facts, candidate)?;
        if fits {
            first_fit = first_fit.or(Some(candidate));
        }
        let fits = fits && difference_in_force(candidate, facts).is_none();
        if fits && !(before_fits && candidate.effect == LineEffect::Setting) {
            places.push(at);
        }
        before_fits = fits;
    }
    match (places.as_slice(), first_fit) {
        ([place], _) => {
            let candidate = &in_reach[*place];
            check_offsets(candidate, facts)?;
            check_bed(candidate, facts)?;
            Ok(Located::Exact {
                done: candidate.line,
                proof: number.map_or(Proof::Position, |number| Proof::LineNumber { number }),
            })
        }
        ([], fits) => Err(fits
            .and_then(|candidate| difference_in_force(candidate, facts))
            .unwrap_or_else(|| moved(interval, &tolerance, facts))),
        ([first, .., last], _) => Err(in_doubt(
            interval,
            Doubt::TwoPlaces {
                one: in_reach[*first].line,
                other: in_reach[*last].line,
            },
        )),
    }
}

fn check_state(facts: &Facts) -> Result<(), Refusal> {
    if facts.was_reset {
        return Err(Refusal::Restarted);
    }
    let Some(state) = facts.state else {
        return Ok(());
    };
    match state {
        MachineState::Idle => Ok(()),
        MachineState::Alarm => Err(Refusal::Alarm {
            alarm: state.to_string(),
        }),
        MachineState::Door(_) => Err(Refusal::DoorOpen),
        MachineState::Hold(_) | MachineState::Tool => Err(Refusal::Held),
        _ => Err(Refusal::Busy {
            state: state.to_string(),
        }),
    }
}

fn check_settings(baseline: Option<&Baseline>, facts: &Facts) -> Result<(), Refusal> {
    let before = baseline.and_then(|baseline| baseline.steps_per_mm);
    let (Some(before), Some(now)) = (before, facts.steps_per_mm) else {
        return Ok(());
    };
    for (number, (before, now)) in (100..).zip(before.into_iter().zip(now)) {
        if before != now {
            return Err(Refusal::SettingsDiffer {
                setting: format!("${number}"),
                expected: before.to_string(),
                found: now.to_string(),
            });
        }
    }
    Ok(())
}

/// Up to which candidate lines were accepted, by the controller's own count, and that count.
fn accepted(interval: &Interval<'_>, facts: &Facts) -> Result<(usize, Option<u64>), Refusal> {
    let all = interval.candidates.len().saturating_sub(1);
    let (Some(anchor), Some(number)) = (interval.anchor, facts.last_line) else {
        return Ok((all, None));
    };
    let known = |line: u64| {
        interval
            .candidates
            .iter()
            .position(|candidate| candidate.line == line)
    };
    let Some(anchored) = known(anchor.line) else {
        return Ok((all, None));
    };
    let at = if number >= anchor.number {
        usize::try_from(number - anchor.number)
            .ok()
            .and_then(|ahead| anchored.checked_add(ahead))
    } else {
        usize::try_from(anchor.number - number)
            .ok()
            .and_then(|back| anchored.checked_sub(back))
    };
    match at {
        Some(at) => Ok((at.min(all), Some(number))),
        // It counts fewer lines than were executed for certain: it has begun to count anew.
        None => Err(Refusal::Restarted),
    }
}

/// How near is near enough, for each of the axes X Y Z A B C.
struct Tolerance {
    printed: f64,
    steps_per_mm: [f64; 3],
}

impl Tolerance {
    fn of(facts: &Facts) -> Self {
        Self {
            printed: match facts.dialect {
                Dialect::Grbl => PRINTED_GRBL_MM,
                Dialect::Marlin => PRINTED_MARLIN_MM,
            },
            steps_per_mm: facts.steps_per_mm.unwrap_or([COARSE_STEPS_PER_MM; 3]),
        }
    }

    fn on(&self, axis: Axis, value: f64) -> f64 {
        let steps = self
            .steps_per_mm
            .get(axis as usize)
            .copied()
            .filter(|steps| *steps > 0.0)
            .unwrap_or(COARSE_STEPS_PER_MM);
        0.5 / steps + self.printed + value.abs() * SINGLE_PRECISION
    }

    /// Whether the machine stands where the candidate leaves it.
    fn stands_at(&self, facts: &Facts, candidate: &Candidate) -> Result<bool, Refusal> {
        let mut compared = 0;
        for axis in Axis::ALL {
            let Some(reported) = reported(facts, axis) else {
                continue;
            };
            if !candidate.placed[axis as usize] {
                continue;
            }
            compared += 1;
            let away = (candidate.place[axis] - reported).abs();
            if away > self.on(axis, reported) {
                return Ok(false);
            }
        }
        if compared == 0 {
            return Err(Refusal::PositionUnknown {
                axis: 'X',
                line: candidate.line,
            });
        }
        Ok(true)
    }
}

fn reported(facts: &Facts, axis: Axis) -> Option<f64> {
    match facts.dialect {
        // grbl counts its axes in the order X Y Z A B C U V W.
        Dialect::Grbl if axis == Axis::E => None,
        Dialect::Grbl => facts.machine_position?.get(axis as usize),
        Dialect::Marlin => facts.position?.get(axis.letter()),
    }
}

fn in_doubt(interval: &Interval<'_>, why: Doubt) -> Refusal {
    Refusal::InDoubt {
        executed: interval.done,
        last: interval.in_doubt().last,
        why,
    }
}

fn moved(interval: &Interval<'_>, tolerance: &Tolerance, facts: &Facts) -> Refusal {
    let away = |candidate: &Candidate| {
        let squares = Axis::ALL.into_iter().filter_map(|axis| {
            let reported = reported(facts, axis).filter(|_| candidate.placed[axis as usize])?;
            let away = (candidate.place[axis] - reported).abs();
            (away > tolerance.on(axis, reported)).then_some(away * away)
        });
        squares.sum::<f64>().sqrt()
    };
    let nearest = interval
        .candidates
        .iter()
        .map(|candidate| (candidate, away(candidate)))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    match (nearest, facts.xyz()) {
        (Some((candidate, distance)), Some(reported)) => Refusal::Moved {
            reported,
            nearest_line: candidate.line,
            nearest: [Axis::X, Axis::Y, Axis::Z].map(|axis| candidate.place[axis]),
            distance,
            lines: interval.in_doubt(),
        },
        _ => in_doubt(interval, Doubt::Unproved),
    }
}

/// What is in force on the controller and not behind the candidate.
fn difference_in_force(candidate: &Candidate, facts: &Facts) -> Option<Refusal> {
    let words = facts.words.as_deref()?.split_ascii_whitespace();
    words
        .into_iter()
        .find_map(|word| difference_of(candidate, word))
}

fn difference_of(candidate: &Candidate, word: &str) -> Option<Refusal> {
    let (letter, value) = word.split_at_checked(1)?;
    let value = value.parse::<f64>().ok()?;
    let state = &candidate.state;
    let instead_of = |expected: f64| Refusal::ModalDiffers {
        expected: format!("{letter}{expected}"),
        found: word.to_owned(),
    };
    match letter {
        "T" => {
            let expected = state.selected_tool.or(state.tool).unwrap_or(0);
            (f64::from(expected) != value).then_some(Refusal::ToolDiffers {
                expected,
                found: value as u32,
            })
        }
        "F" => ((state.feed - value).abs() > PRINTED_RATE).then(|| instead_of(state.feed)),
        "S" => ((state.spindle_speed - value).abs() > PRINTED_RATE)
            .then(|| instead_of(state.spindle_speed)),
        _ => None,
    }
}

pub(super) fn check_offsets(candidate: &Candidate, facts: &Facts) -> Result<(), Refusal> {
    let (expected, reported) = (&candidate.offsets, &facts.offsets);
    let names = ["G54", "G55", "G56", "G57", "G58", "G59"];
    let systems = names
        .into_iter()
        .zip(expected.systems.into_iter().zip(reported.systems));
    let along_z = |length: f64| [0.0, 0.0, length];
    let others = [
        ("G92", (expected.g92, reported.g92)),
        (
            "TLO",
            (
                expected.tool_length.map(along_z),
                reported.tool_length.map(along_z),
            ),
        ),
    ];
    for (what, pair) in systems.chain(others) {
        let (Some(expected), Some(found)) = pair else {
            continue;
        };
        let differs = |(a, b): (f64, f64)| (a - b).abs() > SAME_OFFSET_MM;
        if expected.into_iter().zip(found).any(differs) {
            return Err(Refusal::OffsetsDiffer {
                what: what.to_owned(),
                expected,
                found,
            });
        }
    }
    Ok(())
}

fn check_bed(candidate: &Candidate, facts: &Facts) -> Result<(), Refusal> {
    let bed = facts
        .temperatures
        .as_ref()
        .and_then(|temperatures| temperatures.get(Heater::Bed));
    let (target, Some(bed)) = (candidate.state.bed_target, bed) else {
        return Ok(());
    };
    if target > 0.0 && bed.current_celsius < target - BED_MAY_COOL {
        return Err(Refusal::BedCooled {
            target,
            now: bed.current_celsius,
        });
    }
    Ok(())
}
