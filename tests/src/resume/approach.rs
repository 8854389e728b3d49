use feedhold::stream_core::resume::Plan;
use feedhold_simulator::{Entry, Kind};

use super::machine::Machine;
use super::of_machine;
use super::program::Program;
use crate::oracle::modal::{Difference, Fields, Firmware, Value};

/// How far heights may lie apart, mm.
const NEAR: f64 = 1e-6;

/// A machine behind its approach.
pub(super) struct Approached {
    pub(super) machine: Machine,
    pub(super) legs: Vec<Leg>,
}

/// One motion of an approach, with what was in force when it was made.
pub(super) struct Leg {
    from: [f64; 3],
    entry: Entry,
    memory: Fields,
}

/// Cuts the power of a machine like this one, homes it, and runs the plan.
pub(super) fn run(
    uninterrupted: &Machine,
    program: &Program,
    plan: &Plan,
) -> Result<Approached, String> {
    let mut machine = uninterrupted
        .after_power_cut()
        .map_err(|error| error.to_string())?;
    let lines: Vec<&str> = plan
        .approach
        .iter()
        .map(|step| step.line.as_str())
        .collect();
    let chain = program
        .settings
        .chain()
        .map_err(|error| error.to_string())?;
    let prepared = chain
        .program(&lines.join("\n"))
        .map_err(|refused| refused.to_string())?;
    let mut legs = Vec::new();
    for line in prepared.lines() {
        let before = of_machine(&machine.simulator().memory());
        let from = ["x", "y", "z"].map(|axis| before.number(axis).unwrap_or(0.0));
        machine.send(line.text).map_err(|error| error.to_string())?;
        let memory = of_machine(&machine.simulator().memory());
        legs.extend(machine.take_entries().into_iter().map(|entry| Leg {
            from,
            entry,
            memory: memory.clone(),
        }));
    }
    Ok(Approached { machine, legs })
}

/// What is wrong with the way back to the place. `ceiling` is the highest machine Z of the whole program, if there is one, `wanted`
/// what has to be in force in the end.
pub(super) fn faults(
    legs: &[Leg],
    wanted: &Fields,
    ceiling: Option<f64>,
    firmware: Firmware,
) -> Vec<String> {
    let mut faults = Vec::new();
    let z = wanted.number("z").unwrap_or(0.0);
    // A print grows under the nozzle; a mill has to stay above everything that the program mills and clamps.
    let clearance = match firmware {
        Firmware::Grbl => ceiling.map_or(f64::NEG_INFINITY, |ceiling| ceiling.max(z)),
        Firmware::Marlin => z,
    };
    let turning = wanted.number("turning at").unwrap_or(0.0);
    let mut came_up_to_speed = turning == 0.0;
    for leg in legs {
        let [x, y, z, _] = leg.entry.target;
        came_up_to_speed |= matches!(leg.entry.kind, Kind::Dwell { seconds } if seconds > 0.0)
            && leg.entry.spindle_rpm == turning;
        let sideways = (x - leg.from[0]).abs() > NEAR || (y - leg.from[1]).abs() > NEAR;
        let lowest = z.min(leg.from[2]);
        if sideways && lowest < clearance - NEAR {
            faults.push(format!("to X{x} Y{y} at Z{lowest}, below Z{clearance}"));
        }
        let cuts = leg.entry.kind == Kind::Linear;
        let plunges = (cuts || z < clearance - NEAR) && z < leg.from[2] - NEAR;
        if plunges && leg.entry.kind == Kind::Rapid && firmware == Firmware::Grbl {
            faults.push(format!("a rapid down to Z{z}"));
        }
        if plunges && leg.entry.spindle_rpm != turning {
            let got = leg.entry.spindle_rpm;
            faults.push(format!("down to Z{z} at {got} rpm instead of {turning}"));
        }
        if plunges && !came_up_to_speed {
            faults.push(format!(
                "down to Z{z} before the spindle has come up to speed"
            ));
        }
        let coolant = leg.memory.word("flowing") == wanted.word("flowing");
        if plunges && !coolant {
            faults.push(format!("down to Z{z} with the wrong coolant"));
        }
        let heat = ["hotend 0", "bed"];
        if sideways
            && heat
                .iter()
                .any(|heater| leg.memory.number(heater) != wanted.number(heater))
        {
            faults.push(format!("to X{x} Y{y} without the program's temperatures"));
        }
    }
    faults
}

/// What a machine that was homed and approached does not remember as the uninterrupted one does. Homing is the operator's and nothing of
/// the program, and places are equal when no step lies between them.
pub(super) fn differences(uninterrupted: &Fields, restored: &Fields) -> Vec<Difference> {
    let mut differences = uninterrupted.differences(restored);
    differences.retain(|difference| {
        let near = match (&difference.left, &difference.right) {
            (Some(Value::Number(left)), Some(Value::Number(right))) => (left - right).abs() <= NEAR,
            _ => false,
        };
        !near && !difference.field.starts_with("homed ")
    });
    differences
}
