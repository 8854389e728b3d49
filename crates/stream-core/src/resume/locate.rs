//! Which line was the last one, by what the controller says.

use core::ops::RangeInclusive;

use feedhold_gcode_parse::{Axis, Code, Distance, FeedMode, MotionMode, Plane, Spindle, Units};

use super::{Baseline, Candidate, Doubt, Facts, Interval, LineEffect, Refusal};
use crate::dialect::{Dialect, Heater, MachineState};

/// Half the last digit that grbl prints of a position, mm.
const PRINTED_GRBL_MM: f64 = 0.0005;
/// Half the last digit that grbl prints of a position in inches, mm.
const PRINTED_INCHES_MM: f64 = 0.001_27;
/// Half the last digit that Marlin prints of a position, mm.
const PRINTED_MARLIN_MM: f64 = 0.005;
/// Steps a millimetre to reckon with when the controller did not tell.
const COARSE_STEPS_PER_MM: f64 = 80.0;
/// What a step may be on axes that turn, degrees: their settings are not asked for.
const TURN_DEGREES: f64 = 0.1;
/// What single precision loses of a coordinate and the offsets in it, as a share of the coordinate.
const SINGLE_PRECISION: f64 = 5e-7;
/// Half the last digit that grbl prints of a feed or a speed.
const PRINTED_RATE: f64 = 0.51;
/// How the words of a grbl end that has just started.
const POWER_UP: &str = "T0 F0 S0";
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
/// The machine stands where a candidate leaves it when X, Y and Z, and every other axis that is known and reported, differ by no more
/// than half a step, half the last printed digit, and what single precision loses. What the controller has in force must be what the
/// candidate leaves in force, and by its count of lines it must have come that far and no further.
///
/// Candidates in a row without motion between them are one place, and the first of them that fits counts: running the lines behind it
/// again changes nothing. Two places are no proof, however near they are to each other.
///
/// # Errors
/// [`Refusal`] when the controller restarted, does not stand still, is set up differently, stands elsewhere, or stands where
/// several lines leave it.
pub fn locate(interval: &Interval<'_>, facts: &Facts) -> Result<Located, Refusal> {
    check_state(facts)?;
    check_settings(interval.baseline, facts)?;
    if let Some(differ) = offsets_of_none(&interval.candidates, facts) {
        return Err(differ);
    }
    let counted = accepted(interval, facts)?;
    let look = Look {
        facts,
        baseline: interval.baseline,
        tolerance: Tolerance::of(facts),
    };
    let mut places: Vec<&Candidate> = Vec::new();
    let mut other = None;
    // The place under way, and whether one of its candidates fits.
    let mut found_here = false;
    for (at, candidate) in interval.candidates.iter().enumerate() {
        if candidate.effect != LineEffect::Setting || at == 0 {
            found_here = false;
        }
        let in_reach = counted
            .as_ref()
            .is_none_or(|counted| counted.range.contains(&at));
        if !in_reach || !look.stands_at(candidate)? {
            continue;
        }
        match difference_in_force(candidate, &look) {
            Some(difference) => other = other.or(Some(difference)),
            None if found_here => {}
            None => {
                found_here = true;
                places.push(candidate);
            }
        }
    }
    match places.as_slice() {
        [_] if interval.candidates.len() > 1 && as_switched_on(facts) => {
            Err(in_doubt(interval, Doubt::Unproved))
        }
        [candidate] => {
            check_offsets(candidate, facts)?;
            check_heat(candidate, facts)?;
            let number = counted.map(|counted| counted.number);
            Ok(Located::Exact {
                done: candidate.line,
                proof: number.map_or(Proof::Position, |number| Proof::LineNumber { number }),
            })
        }
        [] => Err(other.unwrap_or_else(|| moved(interval, &look))),
        [first, .., last] => Err(in_doubt(
            interval,
            Doubt::TwoPlaces {
                one: first.line,
                other: last.line,
            },
        )),
    }
}

/// How the offsets differ from what they are in front of the lines in doubt, when they are so behind none of them. It goes before any
/// other finding: whoever then chooses a line would cut beside the part.
fn offsets_of_none(candidates: &[Candidate], facts: &Facts) -> Option<Refusal> {
    let mut differ = candidates
        .iter()
        .map(|candidate| check_offsets(candidate, facts).err());
    let first = differ.next()??;
    differ.all(|other| other.is_some()).then_some(first)
}

/// Whether the work coordinates that a controller keeps also without power, and a shift that somebody has set since, are those of the
/// job behind some line in doubt. They have to be, also where it has restarted and its place says nothing.
///
/// # Errors
/// [`Refusal::OffsetsDiffer`].
pub fn check_stored_offsets(interval: &Interval<'_>, facts: &Facts) -> Result<(), Refusal> {
    let mut kept = facts.clone();
    // A restart takes both away; a shift that is there was set since.
    kept.offsets.g92 = kept.offsets.g92.filter(|shift| *shift != [0.0; 3]);
    kept.offsets.tool_length = None;
    match offsets_of_none(&interval.candidates, &kept) {
        Some(differ) => Err(differ),
        None => Ok(()),
    }
}

/// Whether a grbl says of itself what it says after it was switched on: it stands at its origin and nothing was ever in force. Where
/// lines may have run, that proves no place, because a restart that nobody has seen looks the same.
fn as_switched_on(facts: &Facts) -> bool {
    let origin = facts
        .machine_position
        .is_some_and(|position| position.as_slice().iter().all(|value| *value == 0.0));
    let words = facts.words.as_deref().unwrap_or_default();
    let has = |word: &str| words.split_ascii_whitespace().any(|other| other == word);
    origin && ["M5", "M9", "F0", "S0"].into_iter().all(has)
}

/// What candidates are compared with.
struct Look<'a> {
    facts: &'a Facts,
    baseline: Option<&'a Baseline>,
    tolerance: Tolerance,
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

/// How many lines the controller has accepted.
struct Counted {
    /// Its own count.
    number: u64,
    /// Candidates that this can be. Lines of others, such as questions, are counted too, so it is a range.
    range: RangeInclusive<usize>,
}

fn accepted(interval: &Interval<'_>, facts: &Facts) -> Result<Option<Counted>, Refusal> {
    let (Some(anchor), Some(number)) = (interval.anchor, facts.last_line) else {
        return Ok(None);
    };
    let anchored = interval
        .candidates
        .iter()
        .rposition(|candidate| candidate.line <= anchor.line);
    let Some(anchored) = anchored else {
        return Ok(None);
    };
    if number == 0 && interval.candidates.len() > 1 {
        // Nothing of the program has arrived yet, or all of it is forgotten: a printer that restarts counts from 0 as well.
        return Err(Refusal::Restarted);
    }
    let ways = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let range = if number >= anchor.number {
        let ahead = ways(number - anchor.number);
        anchored..=anchored.saturating_add(ahead)
    } else {
        // Fewer lines than were executed for certain: it has begun to count anew.
        let back = ways(anchor.number - number);
        anchored.checked_sub(back).ok_or(Refusal::Restarted)?..=anchored
    };
    Ok(Some(Counted { number, range }))
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
                Dialect::Grbl if facts.reports_inches => PRINTED_INCHES_MM,
                Dialect::Grbl => PRINTED_GRBL_MM,
                Dialect::Marlin => PRINTED_MARLIN_MM,
            },
            steps_per_mm: facts.steps_per_mm.unwrap_or([COARSE_STEPS_PER_MM; 3]),
        }
    }

    fn on(&self, axis: Axis, value: f64) -> f64 {
        if axis.is_rotary() {
            return TURN_DEGREES;
        }
        let steps = self
            .steps_per_mm
            .get(axis as usize)
            .copied()
            .filter(|steps| *steps > 0.0)
            .unwrap_or(COARSE_STEPS_PER_MM);
        0.5 / steps + self.printed + value.abs() * SINGLE_PRECISION
    }
}

impl Look<'_> {
    /// Whether the machine stands where the candidate leaves it. An axis that is not known cannot tell, and nobody would notice if
    /// it was moved, so X, Y and Z have to be.
    fn stands_at(&self, candidate: &Candidate) -> Result<bool, Refusal> {
        let known = |axis: Axis| candidate.placed[axis as usize];
        let fits = Axis::ALL
            .into_iter()
            .filter(|axis| known(*axis))
            .all(|axis| self.away(candidate, axis).is_none());
        let unknown = [Axis::X, Axis::Y, Axis::Z]
            .into_iter()
            .find(|axis| !known(*axis) || reported(self.facts, *axis).is_none());
        match unknown {
            Some(axis) if fits => Err(Refusal::PositionUnknown {
                axis: char::from(axis.letter()),
                line: candidate.line,
            }),
            _ => Ok(fits),
        }
    }

    /// How far the machine is from where the candidate leaves an axis, when that is too far.
    fn away(&self, candidate: &Candidate, axis: Axis) -> Option<f64> {
        let reported = reported(self.facts, axis)?;
        let away = (candidate.place[axis] - reported).abs();
        (away > self.tolerance.on(axis, reported)).then_some(away)
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

fn moved(interval: &Interval<'_>, look: &Look<'_>) -> Refusal {
    let away = |candidate: &Candidate| {
        let squares = Axis::ALL
            .into_iter()
            .filter(|axis| candidate.placed[*axis as usize])
            .filter_map(|axis| look.away(candidate, axis))
            .map(|away| away * away);
        squares.sum::<f64>().sqrt()
    };
    let nearest = interval
        .candidates
        .iter()
        .map(|candidate| (candidate, away(candidate)))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    match (nearest, look.facts.xyz()) {
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
fn difference_in_force(candidate: &Candidate, look: &Look<'_>) -> Option<Refusal> {
    let words = look.facts.words.as_deref()?;
    let difference = words
        .split_ascii_whitespace()
        .find_map(|word| difference_of(candidate, look, word))?;
    // A controller that has just started says so once, and that can be missed.
    if words.ends_with(POWER_UP) && candidate.state.feed != 0.0 {
        return Some(Refusal::Restarted);
    }
    Some(difference)
}

fn difference_of(candidate: &Candidate, look: &Look<'_>, word: &str) -> Option<Refusal> {
    let (letter, value) = word.split_at_checked(1)?;
    let state = &candidate.state;
    let differs = |expected: String| {
        (expected != word).then(|| Refusal::ModalDiffers {
            expected,
            found: word.to_owned(),
        })
    };
    let code = |code: Code| differs(format!("G{code}"));
    if letter == "G" || letter == "M" {
        return match word {
            "G17" | "G18" | "G19" => differs(plane(state.plane).to_owned()),
            "G20" | "G21" => differs(either(state.units == Units::Inch, "G20", "G21")),
            "G90" | "G91" => differs(either(state.distance == Distance::Absolute, "G90", "G91")),
            "G93" | "G94" => differs(either(
                state.feed_mode == FeedMode::InverseTime,
                "G93",
                "G94",
            )),
            "M3" | "M4" | "M5" => differs(spindle(state.spindle).to_owned()),
            "M7" => differs(either(state.coolant.mist, "M7", "M9")),
            "M8" => differs(either(state.coolant.flood, "M8", "M9")),
            "M9" if state.coolant.flood => differs("M8".to_owned()),
            "M9" if state.coolant.mist => differs("M7".to_owned()),
            _ if value.starts_with('5') && letter == "G" && value.len() > 1 => {
                code(state.coordinate_system.code())
            }
            "G0" | "G1" | "G2" | "G3" | "G80"
                if never_set(state.motion == MotionMode::Rapid, look, word) =>
            {
                None
            }
            "G0" | "G1" | "G2" | "G3" | "G38.2" | "G38.3" | "G38.4" | "G38.5" | "G80" => {
                code(state.motion.code())
            }
            _ => None,
        };
    }
    let value = value.parse::<f64>().ok()?;
    let unit = if look.facts.reports_inches { 25.4 } else { 1.0 };
    match letter {
        // A controller that was never told of a tool, because somebody changes it by hand, says T0.
        "T" if value == 0.0 => None,
        "T" => {
            let expected = state.selected_tool.or(state.tool);
            let set = expected.is_some();
            let expected = expected.unwrap_or(0);
            let same = f64::from(expected) == value || never_set(!set, look, word);
            (!same).then_some(Refusal::ToolDiffers {
                expected,
                found: value as u32,
            })
        }
        "F" if state.feed_mode == FeedMode::PerMinute => {
            let same = (state.feed - value * unit).abs() <= PRINTED_RATE * unit;
            let same = same || never_set(state.feed == 0.0, look, word);
            (!same)
                .then(|| differs(format!("F{}", state.feed)))
                .flatten()
        }
        "S" => {
            let same = (state.spindle_speed - value).abs() <= PRINTED_RATE;
            let same = same || never_set(state.spindle_speed == 0.0, look, word);
            (!same)
                .then(|| differs(format!("S{}", state.spindle_speed)))
                .flatten()
        }
        _ => None,
    }
}

/// Whether a word is what the job began with, and the program has perhaps not said anything else.
fn never_set(perhaps: bool, look: &Look<'_>, word: &str) -> bool {
    let before = look.baseline.map(|baseline| baseline.words.as_str());
    perhaps && before.is_some_and(|words| words.split_ascii_whitespace().any(|one| one == word))
}

fn either(first: bool, yes: &str, no: &str) -> String {
    if first { yes } else { no }.to_owned()
}

fn plane(plane: Plane) -> &'static str {
    match plane {
        Plane::Zx => "G18",
        Plane::Yz => "G19",
        _ => "G17",
    }
}

fn spindle(spindle: Spindle) -> &'static str {
    match spindle {
        Spindle::Clockwise => "M3",
        Spindle::Counterclockwise => "M4",
        Spindle::Off => "M5",
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

fn check_heat(candidate: &Candidate, facts: &Facts) -> Result<(), Refusal> {
    let hotend = facts
        .temperatures
        .as_ref()
        .and_then(|temperatures| temperatures.get(Heater::Active))
        .and_then(|reading| reading.target_celsius);
    let wanted = candidate.state.hotend_target;
    if let Some(found) = hotend.filter(|found| wanted > 0.0 && (found - wanted).abs() > 0.5) {
        return Err(Refusal::ModalDiffers {
            expected: format!("M104 S{wanted}"),
            found: format!("M104 S{found}"),
        });
    }
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
