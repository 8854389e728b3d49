//! The plan of the house: which crate stands on which floor and which crates it may use.

/// One crate of the plan, named by its folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) name: &'static str,
    pub(super) floor: Floor,
    pub(super) uses: Uses,
    /// What it may use from outside the workspace, when that is part of the plan.
    pub(super) outside: Outside,
}

/// Where a crate stands. A crate uses crates of floors below its own only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Floor {
    /// 0 is the ground.
    Number(u8),
    /// Beside the house: looks into every window, and nobody uses it.
    Beside,
}

/// The arrows drawn from a crate.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Uses {
    Only(&'static [&'static str]),
    /// Whatever stands on a lower floor.
    AllBelow,
}

/// What a crate may use from outside the workspace.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outside {
    /// What it needs; every addition is weighed in review.
    Weighed,
    /// Nothing at all.
    Nothing,
    /// Anything but these.
    Except(&'static [&'static str]),
}

const fn room(floor: u8, name: &'static str, uses: &'static [&'static str]) -> Room {
    Room {
        name,
        floor: Floor::Number(floor),
        uses: Uses::Only(uses),
        outside: Outside::Weighed,
    }
}

/// All crates, those still to be built included.
pub(super) const PLAN: &[Room] = &[
    room(7, "cli", &["feedhold", "dashboard"]),
    room(6, "dashboard", &["feedhold"]),
    Room {
        name: "feedhold",
        floor: Floor::Number(5),
        uses: Uses::AllBelow,
        outside: Outside::Weighed,
    },
    room(4, "bridges", &["telemetry"]),
    room(3, "telemetry", &["pipeline", "voxel"]),
    room(
        2,
        "session",
        &["stream-core", "checkpoint", "transport", "gcode-parse"],
    ),
    room(2, "pipeline", &["stream-core"]),
    Room {
        name: "stream-core",
        floor: Floor::Number(1),
        uses: Uses::Only(&["gcode-parse"]),
        // Time, files and threads belong to whoever drives the engine.
        outside: Outside::Except(&["tokio", "serde", "async-trait", "futures"]),
    },
    // Never stream-core: one misreading of a protocol would pass every test.
    room(1, "simulator", &["gcode-parse"]),
    Room {
        name: "gcode-parse",
        floor: Floor::Number(0),
        uses: Uses::Only(&[]),
        outside: Outside::Nothing,
    },
    room(0, "checkpoint", &[]),
    room(0, "transport", &[]),
    room(0, "voxel", &[]),
    room(0, "prime-codec", &[]),
    Room {
        name: "tests",
        floor: Floor::Beside,
        uses: Uses::AllBelow,
        outside: Outside::Weighed,
    },
    // Nothing of the product: the tasks have to run while the product does not compile.
    Room {
        name: "xtask",
        floor: Floor::Beside,
        uses: Uses::Only(&[]),
        outside: Outside::Weighed,
    },
];

/// The room of that name.
pub(super) fn find(name: &str) -> Option<&'static Room> {
    PLAN.iter().find(|room| room.name == name)
}

#[cfg(test)]
mod tests {
    use super::{Floor, PLAN, Uses, find};

    #[test]
    fn every_arrow_of_the_plan_goes_down() {
        for room in PLAN {
            let Uses::Only(names) = &room.uses else {
                continue;
            };
            for name in *names {
                let below = find(name).unwrap_or_else(|| panic!("{name} is not in the plan"));
                assert!(below.floor < room.floor, "{} → {name}", room.name);
            }
        }
    }

    #[test]
    fn names_are_unique_and_floors_are_sorted_from_the_roof() {
        for (upper, lower) in PLAN.iter().zip(&PLAN[1..]) {
            let beside = lower.floor == Floor::Beside;
            assert!(
                beside || upper.floor >= lower.floor,
                "{} above {}",
                upper.name,
                lower.name
            );
        }
        for room in PLAN {
            assert_eq!(
                PLAN.iter().filter(|other| other.name == room.name).count(),
                1,
                "{}",
                room.name
            );
        }
    }
}
