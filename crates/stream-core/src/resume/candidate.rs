//! Lines that may have been executed, as a tracker follows them.

use feedhold_gcode_parse::{Axis, Block, Effect, MotionKind, Position, Stop, ToolLength};

use super::{
    Baseline, Candidate, Facts, Footing, LineEffect, Placed, Refusal, SYSTEMS, StoredOffsets,
    Tracker,
    locate::check_offsets,
    tracker::{AXES, Shift},
};
use crate::dialect::Dialect;

impl Candidate {
    /// The machine in front of the lines in doubt, where `at` has followed the program. `baseline` is how it was set up when the
    /// job began.
    #[must_use]
    pub fn first(line: u64, at: &Tracker, baseline: Option<&Baseline>) -> Self {
        Self::new(line, LineEffect::Setting, at, baseline)
    }

    /// The machine behind a line that `behind` has followed last.
    #[must_use]
    pub fn behind(
        line: u64,
        block: &Block<'_>,
        effect: &Effect,
        behind: &Tracker,
        baseline: Option<&Baseline>,
    ) -> Self {
        Self::new(
            line,
            line_effect(behind.dialect(), block, effect),
            behind,
            baseline,
        )
    }

    fn new(line: u64, effect: LineEffect, behind: &Tracker, baseline: Option<&Baseline>) -> Self {
        let nothing = Baseline::default();
        let baseline = baseline.unwrap_or(&nothing);
        let mut place = Position::ORIGIN;
        let mut placed = [false; feedhold_gcode_parse::AXES];
        for axis in Axis::ALL {
            let known = match behind.dialect() {
                Dialect::Grbl => machine_place(axis, behind, baseline),
                Dialect::Marlin => logical_place(axis, behind, baseline),
            };
            if let Some(known) = known {
                place[axis] = known;
                placed[axis as usize] = true;
            }
        }
        Self {
            line,
            effect,
            place,
            placed,
            state: *behind.machine().state(),
            offsets: offsets(behind, baseline),
        }
    }
}

/// Where an axis is in machine coordinates, if the program and the set-up at its beginning tell.
fn machine_place(axis: Axis, at: &Tracker, baseline: &Baseline) -> Option<f64> {
    let position = at.machine().position()[axis];
    let on = |values: &[f64; 3]| values.get(axis as usize).copied();
    match at.placed(axis) {
        Placed::Machine => Some(position),
        Placed::Never => on(&baseline.position?),
        Placed::At => {
            let places = at.places();
            let system = places.system(axis);
            let shifted = places.shift_of(axis) == Shift::Unfounded;
            let origin = if places.sets_origin(system, axis) {
                // The tracker reckons with what the program has set.
                0.0
            } else if places.renames_origin(system, axis) {
                return None;
            } else {
                on(baseline.offsets.systems.get(system as usize)?.as_ref()?)?
            };
            let g92 = on(&baseline.offsets.g92?)?;
            // Somebody's shift of before the program, which the program may have ended before or after it moved.
            let ended = g92 != 0.0 && places.unshifts();
            let tool = match axis {
                Axis::Z if !places.sets_tool_length() => baseline.offsets.tool_length?,
                _ => 0.0,
            };
            let from_table = at.machine().state().tool_length != ToolLength::Dynamic
                && at.machine().state().tool_length != ToolLength::Off;
            let unknown = shifted || ended || axis == Axis::Z && from_table;
            (!unknown).then_some(position + origin + g92 + tool)
        }
        _ => None,
    }
}

/// Where an axis is in the coordinates of a printer's program.
fn logical_place(axis: Axis, at: &Tracker, baseline: &Baseline) -> Option<f64> {
    let untouched = at.placed(axis) == Placed::Never && at.machine().g92_offset()[axis] == 0.0;
    if untouched && axis != Axis::E {
        return baseline.position?.get(axis as usize).copied();
    }
    let known = match axis {
        Axis::E => at.printer().knows_filament(),
        _ => at.placed(axis) == Placed::At,
    };
    known.then(|| at.machine().axis_value(axis))
}

/// What the controller has to report of its offsets.
fn offsets(at: &Tracker, baseline: &Baseline) -> StoredOffsets {
    let (machine, places) = (at.machine(), at.places());
    let mut offsets = baseline.offsets;
    for (number, system) in feedhold_gcode_parse::CoordinateSystem::ALL
        .into_iter()
        .take(SYSTEMS)
        .enumerate()
    {
        let Some(known) = offsets.systems.get_mut(number) else {
            continue;
        };
        let origin = machine.system_origin(system);
        let axes = [Axis::X, Axis::Y, Axis::Z];
        if axes
            .into_iter()
            .any(|axis| places.renames_origin(system, axis))
        {
            *known = None;
        }
        for (axis, value) in axes.into_iter().zip(0..3) {
            if let Some(origins) = known.as_mut().filter(|_| places.sets_origin(system, axis)) {
                origins[value] = origin[axis];
            }
        }
    }
    // A shift of before the program counts no more once the program has ended it.
    let ended = places.unshifts() && baseline.offsets.g92 != Some([0.0; 3]);
    let unfounded = AXES
        .into_iter()
        .any(|axis| places.shift_of(axis) == Shift::Unfounded);
    offsets.g92 = baseline
        .offsets
        .g92
        .filter(|_| !(ended || unfounded))
        .map(|before| {
            let shifts = [Axis::X, Axis::Y, Axis::Z].map(|axis| machine.g92_offset()[axis]);
            core::array::from_fn(|axis| before[axis] + shifts[axis])
        });
    if places.sets_tool_length() {
        let known = matches!(
            machine.state().tool_length,
            ToolLength::Off | ToolLength::Dynamic
        );
        offsets.tool_length = known.then(|| machine.tool_offset()[Axis::Z]);
    }
    offsets
}

/// What a controller that shows no sign of a restart still knows behind a candidate: a reset between two connections leaves the
/// machine where it is, and takes the offsets of G92 away.
///
/// # Errors
/// [`Refusal::OffsetsDiffer`] when an offset is another one than it has to be, and the program has not set it itself.
pub fn footing(candidate: &Candidate, at: &Tracker, facts: &Facts) -> Result<Footing, Refusal> {
    if facts.was_reset {
        return Ok(Footing::Lost);
    }
    let shifted = AXES
        .into_iter()
        .any(|axis| at.places().shift_of(axis) != Shift::None);
    let cleared = facts.offsets.g92 == Some([0.0; 3]);
    let is_zero = candidate.offsets.g92 == Some([0.0; 3]);
    let lost = shifted && cleared && !is_zero;
    let mut expected = candidate.clone();
    if lost {
        expected.offsets.g92 = None;
    }
    if at.places().sets_tool_length() {
        // The approach sets it again.
        expected.offsets.tool_length = None;
    }
    check_offsets(&expected, facts)?;
    Ok(if lost { Footing::Lost } else { Footing::Kept })
}

fn line_effect(dialect: Dialect, block: &Block<'_>, effect: &Effect) -> LineEffect {
    if let Some(motion) = &effect.motion {
        return match motion.kind {
            MotionKind::Probe(_) => LineEffect::Once,
            _ => LineEffect::Motion,
        };
    }
    // The end of a program sets modes and switches off; twice is as good as once.
    let ends = matches!(effect.stop, Some(Stop::End | Stop::EndRewind));
    if effect.tool_change.is_some() || effect.stop.is_some() && !ends {
        return LineEffect::Once;
    }
    let once = match dialect {
        // Whatever was not followed may do anything.
        Dialect::Grbl => block.setting().is_some() || !effect.findings.as_slice().is_empty(),
        Dialect::Marlin => block
            .words()
            .first()
            .and_then(|word| Some((word.letter, word.code()?)))
            .is_none_or(|(letter, code)| !sets_only(letter, code.major)),
    };
    if once {
        LineEffect::Once
    } else {
        LineEffect::Setting
    }
}

/// Commands of Marlin that running again changes nothing of.
fn sets_only(letter: u8, major: u16) -> bool {
    match letter {
        b'G' => matches!(major, 0..=4 | 17..=21 | 53..=59 | 80 | 90..=92),
        b'M' => matches!(
            major,
            3..=5 | 7..=9 | 17 | 73 | 75..=78 | 82 | 83 | 92 | 104..=109 | 113..=118 | 140 | 141 | 145 | 149 | 154 | 155
                | 190 | 191 | 200..=211 | 218 | 220 | 221 | 300..=304 | 400 | 412 | 413 | 420 | 569 | 572 | 593 | 900 | 906..=915
        ),
        _ => false,
    }
}
