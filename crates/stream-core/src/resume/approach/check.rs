//! What stands against going on at a place.

use feedhold_gcode_parse::{
    Axis, CutterCompensation, Distance, FeedMode, MotionMode, SpindleMode, ToolLength,
};

use super::{Approach, Footing, Homing, ToolTable};
use crate::{
    dialect::Dialect,
    resume::{
        Ahead, Placed, Refusal, Tracker,
        tracker::{AXES, Shift},
    },
};

/// Whether everything that is in force behind `at` can be put in force again.
pub(super) fn restorable(at: &Tracker, ahead: &Ahead, way: &Approach) -> Result<(), Refusal> {
    let (state, line) = (at.machine().state(), at.line());
    let obstacles = at.obstacles();
    if let Some(line) = obstacles.subprogram {
        return Err(Refusal::Subprogram { line });
    }
    if let Some(line) = obstacles.computed {
        return Err(Refusal::Computed { line });
    }
    let not_restorable = |what: &str| {
        Err(Refusal::NotRestorable {
            what: what.to_owned(),
            line,
        })
    };
    if let Some((set, code)) = obstacles.unfollowed.first() {
        return not_restorable(&format!("{code} of line {set}"));
    }
    if state.cutter_compensation != CutterCompensation::Off {
        return Err(Refusal::CutterCompensation { line });
    }
    let additional = state.tool_length == ToolLength::Additional;
    let from_table = state.tool_length == ToolLength::Table;
    if additional || from_table && way.tool_table == ToolTable::Absent {
        return Err(Refusal::ToolLengthUnknown { line });
    }
    if state.feed_mode == FeedMode::PerRevolution {
        return Err(Refusal::FeedPerRevolution { line });
    }
    if state.spindle_mode == SpindleMode::SurfaceSpeed {
        return not_restorable("constant surface speed (G96)");
    }
    if state.retracted && way.footing == Footing::Lost {
        return Err(Refusal::Retracted { line });
    }
    if at.dialect() == Dialect::Grbl {
        motion_mode(state.motion, line, ahead)?;
    }
    places(at, ahead, way)?;
    if way.footing == Footing::Lost {
        shifts(at)?;
    }
    Ok(())
}

/// Of the motion modes only G0, G1 and G80 can be set without moving.
fn motion_mode(mode: MotionMode, line: u64, ahead: &Ahead) -> Result<(), Refusal> {
    let code = format!("G{}", mode.code());
    let leans = ahead.next.filter(|next| !next.names_mode);
    match mode {
        MotionMode::ArcClockwise | MotionMode::ArcCounterclockwise => match leans {
            Some(next) => Err(Refusal::BareArc { line: next.line }),
            None => Ok(()),
        },
        MotionMode::Canned(_) => Err(Refusal::CannedCycle { code, line }),
        MotionMode::Threading(_) => Err(Refusal::Threading { code, line }),
        MotionMode::Probe(_) if leans.is_some() => Err(Refusal::Probing { line }),
        MotionMode::Spline(_) if leans.is_some() => Err(Refusal::Spline { code, line }),
        _ => Ok(()),
    }
}

/// Whether it is known where the axes have to be.
fn places(at: &Tracker, ahead: &Ahead, way: &Approach) -> Result<(), Refusal> {
    let line = at.line();
    for axis in AXES {
        // Where homing ends only the machine knows, and lines behind it may have moved it away from there.
        let away_from_home = at.placed(axis) == Placed::Home
            && way.footing == Footing::Kept
            && (way.homing == Homing::Nothing || axis == Axis::Z);
        if at.placed(axis) == Placed::BySteps || away_from_home {
            let axis = char::from(axis.letter());
            return Err(Refusal::PositionUnknown { axis, line });
        }
    }
    // By steps, an axis that the program has never placed goes on from wherever it stood.
    let by_steps = at.machine().state().distance == Distance::Incremental;
    let floats = |axis| matches!(at.placed(axis), Placed::Never | Placed::Home);
    let uses_z = ahead.highest_z.is_some();
    if by_steps && (floats(Axis::X) || floats(Axis::Y) || uses_z && floats(Axis::Z)) {
        return Err(Refusal::Incremental { line });
    }
    Ok(())
}

/// Offsets of G92, where they are gone.
fn shifts(at: &Tracker) -> Result<(), Refusal> {
    for axis in AXES {
        let unfounded = match at.places().shift_of(axis) {
            Shift::None => false,
            Shift::Known => at.placed(axis) != Placed::At,
            Shift::Unfounded => true,
        };
        if unfounded {
            return Err(Refusal::NotRestorable {
                what: format!("an offset of {axis} that G92 has set at a place that no line names"),
                line: at.line(),
            });
        }
    }
    Ok(())
}
