//! In which coordinates the place of each axis is known.

use feedhold_gcode_parse::{
    Axis, Block, Code, CoordinateSystem, Distance, Interpreter, Motion, MotionKind, MotionMode,
    Value,
};

use crate::resume::bytes::{fields, variants};

/// The axes that an approach can restore, in the order of [`Axis`].
pub(crate) const AXES: [Axis; 9] = [
    Axis::X,
    Axis::Y,
    Axis::Z,
    Axis::A,
    Axis::B,
    Axis::C,
    Axis::U,
    Axis::V,
    Axis::W,
];

/// How an axis came to be where it is, and so in which coordinates its place is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Placed {
    /// No line has moved it.
    #[default]
    Never,
    /// By steps from wherever it was, or by something whose end only the controller knows.
    BySteps,
    /// To a coordinate of a work coordinate system.
    At,
    /// To a machine coordinate (G53).
    Machine,
    /// To the stored position of G28.
    G28,
    /// To the stored position of G30.
    G30,
    /// To its end stop (Marlin's G28).
    Home,
}

/// What G92 has done to an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Shift {
    /// Nothing.
    #[default]
    None,
    /// Shifted from a coordinate that is known.
    Known,
    /// Shifted from a place that nobody knows.
    Unfounded,
}

/// How one axis was placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    how: Placed,
    /// Index of the work coordinate system, for [`Placed::At`].
    system: u8,
    shift: Shift,
    /// The program has set the tool length on this axis.
    tool: bool,
}

/// How the axes were placed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    axes: [Place; AXES.len()],
    /// A bit for each axis whose origin the program has set in machine coordinates, by work coordinate system.
    origins: [u16; CoordinateSystem::ALL.len()],
    /// The same for origins that were set relative to where the machine was (G10 L20).
    renamed: [u16; CoordinateSystem::ALL.len()],
    /// The program has ended a shift of G92.
    unshifts: bool,
    /// Which entry of the controller's tool table G43 has named.
    table_entry: Option<u32>,
}

variants!(Placed {
    Never,
    BySteps,
    At,
    Machine,
    G28,
    G30,
    Home
});
variants!(Shift {
    None,
    Known,
    Unfounded
});
fields!(Place {
    how,
    system,
    shift,
    tool,
});
fields!(Places {
    axes,
    origins,
    renamed,
    unshifts,
    table_entry,
});

impl Places {
    /// Tells apart what has other fields.
    pub(super) const VERSION: u32 = Self::FIELDS ^ Place::FIELDS.rotate_left(5);

    pub(crate) fn table_entry(&self) -> Option<u32> {
        self.table_entry
    }

    pub(crate) fn placed(&self, axis: Axis) -> Placed {
        self.of(axis).how
    }

    pub(crate) fn shift_of(&self, axis: Axis) -> Shift {
        self.of(axis).shift
    }

    /// Whether the program has said anything of tool lengths.
    pub(crate) fn sets_tool_length(&self) -> bool {
        self.of(Axis::Z).tool
    }

    /// The work coordinate system in which the place of the axis is known.
    pub(crate) fn system(&self, axis: Axis) -> CoordinateSystem {
        CoordinateSystem::ALL
            .into_iter()
            .nth(usize::from(self.of(axis).system))
            .unwrap_or(CoordinateSystem::G54)
    }

    /// Whether the program has set the origin of a system on an axis to a machine coordinate.
    pub(crate) fn sets_origin(&self, system: CoordinateSystem, axis: Axis) -> bool {
        self.origins
            .get(system as usize)
            .is_some_and(|axes| axes >> axis as u16 & 1 == 1)
    }

    /// Whether the program has ended a shift of G92: its own, or one of before.
    pub(crate) fn unshifts(&self) -> bool {
        self.unshifts
    }

    /// Whether the program has set it relative to where the machine was.
    pub(crate) fn renames_origin(&self, system: CoordinateSystem, axis: Axis) -> bool {
        self.renamed
            .get(system as usize)
            .is_some_and(|axes| axes >> axis as u16 & 1 == 1)
    }

    fn of(&self, axis: Axis) -> Place {
        self.axes.get(axis as usize).copied().unwrap_or_default()
    }

    /// A motion that was followed.
    pub(super) fn moved(&mut self, block: &Block<'_>, motion: &Motion, machine: &Interpreter) {
        let state = machine.state();
        let system = state.coordinate_system as u8;
        let how = match motion.kind {
            MotionKind::Home { .. } => return self.homed(block, machine),
            // Where a probe or a jog ends is known to the controller.
            MotionKind::Probe(_) | MotionKind::Jog => None,
            _ if block.has_g(Code::new(53)) => Some(Placed::Machine),
            _ if state.distance == Distance::Absolute => Some(Placed::At),
            _ => None,
        };
        let by_steps = matches!(
            motion.kind,
            MotionKind::Rapid | MotionKind::Linear | MotionKind::Arc(_) | MotionKind::Spline
        );
        let jogs = motion.kind == MotionKind::Jog;
        for (axis, place) in AXES.into_iter().zip(&mut self.axes) {
            if block.word(axis.letter()).is_none() && !jogs {
                continue;
            }
            place.how = match (how, place.how) {
                (Some(how), _) => {
                    place.system = system;
                    how
                }
                (None, Placed::At | Placed::Machine) if by_steps => continue,
                (None, _) => Placed::BySteps,
            };
        }
    }

    /// A line without a motion that could be followed, that may have moved something nevertheless.
    pub(super) fn moved_unseen(&mut self, block: &Block<'_>, machine: &Interpreter) {
        let state = machine.state();
        let computed = block
            .words()
            .iter()
            .any(|word| matches!(word.value, Value::Parameter(_) | Value::Expression(_)));
        let unfollowed = matches!(
            state.motion,
            MotionMode::Canned(_) | MotionMode::Threading(_)
        ) && !block.has_g(Code::new(80));
        if !(computed || unfollowed) {
            return;
        }
        let (_, _, depth) = state.plane.axes();
        let system = state.coordinate_system as u8;
        for (axis, place) in AXES.into_iter().zip(&mut self.axes) {
            if block.word(axis.letter()).is_none() {
                continue;
            }
            let lands = !computed && axis != depth && state.distance == Distance::Absolute;
            (place.how, place.system) = if lands {
                (Placed::At, system)
            } else {
                (Placed::BySteps, place.system)
            };
        }
        if unfollowed && let Some(place) = self.axes.get_mut(depth as usize) {
            // Above the hole, by G98 or G99.
            place.how = Placed::BySteps;
        }
    }

    /// G28 and G30: the axes named, or all.
    fn homed(&mut self, block: &Block<'_>, machine: &Interpreter) {
        let marlin = machine.flavor() == feedhold_gcode_parse::Flavor::Marlin;
        let how = match (marlin, block.has_g(Code::new(30))) {
            (true, _) => Placed::Home,
            (false, false) => Placed::G28,
            (false, true) => Placed::G30,
        };
        let names_none = AXES
            .into_iter()
            .all(|axis| block.word(axis.letter()).is_none());
        for (axis, place) in AXES.into_iter().zip(&mut self.axes) {
            let named = block.word(axis.letter()).is_some();
            let linear = matches!(axis, Axis::X | Axis::Y | Axis::Z);
            // Other axes are there only when the program has used them, and Marlin leaves them where they are.
            let there = linear || !marlin && place.how != Placed::Never;
            if named || names_none && there {
                place.how = how;
                if marlin {
                    place.shift = Shift::None;
                }
            }
        }
    }

    /// G10 L2 and L20.
    pub(super) fn set_origin(&mut self, block: &Block<'_>, machine: &Interpreter) {
        let number = |letter| {
            let word = block.word(letter)?.number()?;
            Some(word.to_f64())
        };
        let active = machine.state().coordinate_system as usize;
        let target = match number(b'P') {
            Some(p) if p >= 1.0 => p as usize - 1,
            Some(_) => active,
            None => return,
        };
        let (Some(origins), Some(renamed)) =
            (self.origins.get_mut(target), self.renamed.get_mut(target))
        else {
            return;
        };
        for (axis, place) in AXES.into_iter().zip(&mut self.axes) {
            if block.word(axis.letter()).is_none() {
                continue;
            }
            let bit = 1 << axis as u16;
            let in_target = place.how == Placed::At && usize::from(place.system) == target;
            match number(b'L') {
                Some(2.0) => {
                    if in_target && *origins & bit == 0 {
                        place.how = Placed::BySteps;
                    }
                    *origins |= bit;
                    *renamed &= !bit;
                }
                // The place is given a name, wherever it is.
                Some(20.0) => {
                    if target == active || in_target {
                        place.how = Placed::At;
                        place.system = target as u8;
                    }
                    *origins &= !bit;
                    *renamed |= bit;
                }
                _ => {}
            }
        }
    }

    /// G92 with axis words: the place is given a name.
    pub(super) fn shift(&mut self, block: &Block<'_>, machine: &Interpreter) {
        let system = machine.state().coordinate_system as u8;
        for (axis, place) in AXES.into_iter().zip(&mut self.axes) {
            if block.word(axis.letter()).is_none() {
                continue;
            }
            let founded = place.how == Placed::At
                && place.system == system
                && place.shift != Shift::Unfounded;
            place.shift = if founded {
                Shift::Known
            } else {
                Shift::Unfounded
            };
            (place.how, place.system) = (Placed::At, system);
        }
    }

    /// G92.1 and G92.2 take the names back that G92 has given; what somebody gave before the program is unknown.
    pub(super) fn unshift(&mut self, machine: &Interpreter) {
        self.unshifts = true;
        for (axis, place) in AXES.into_iter().zip(&mut self.axes) {
            if place.how == Placed::At && place.shift != Shift::Known {
                place.how = Placed::BySteps;
            }
            place.shift = if machine.g92_offset()[axis] == 0.0 {
                Shift::None
            } else {
                Shift::Unfounded
            };
        }
    }

    /// G43.1 moves the coordinates of the axes that it names, G43 those of Z by what the controller's table says.
    pub(super) fn tool_length(&mut self, block: &Block<'_>, minor: u8) {
        if minor == 0 {
            let entry = block.word(b'H').and_then(|word| word.number());
            self.table_entry = entry
                .and_then(|entry| entry.to_u64())
                .and_then(|entry| u32::try_from(entry).ok());
        }
        for (axis, place) in AXES.into_iter().zip(&mut self.axes) {
            let takes = match minor {
                1 => block.word(axis.letter()).is_some(),
                _ => axis == Axis::Z,
            };
            if !takes {
                continue;
            }
            if place.how == Placed::At && (!place.tool || minor != 1) {
                place.how = Placed::BySteps;
            }
            place.tool = true;
        }
    }

    /// G49.
    pub(super) fn no_tool_length(&mut self) {
        for (axis, place) in AXES.into_iter().zip(&mut self.axes) {
            if axis == Axis::Z || place.tool {
                if place.how == Placed::At && !place.tool {
                    place.how = Placed::BySteps;
                }
                place.tool = true;
            }
        }
    }

    /// Nobody knows any more where anything is: X, Y and Z, and what else the program has moved.
    pub(super) fn lose_all(&mut self) {
        for (axis, place) in AXES.into_iter().zip(&mut self.axes) {
            let linear = matches!(axis, Axis::X | Axis::Y | Axis::Z);
            if linear || place.how != Placed::Never {
                place.how = Placed::BySteps;
            }
        }
    }

    /// M18 and M84: the motors of the axes named let go, all of them when none is named. With a time alone they only will, some day.
    pub(super) fn let_go(&mut self, block: &Block<'_>) {
        let names_any = b"XYZE".iter().any(|letter| block.word(*letter).is_some());
        if !names_any {
            if block.word(b'S').is_none() {
                self.lose_all();
            }
            return;
        }
        for (axis, place) in AXES.into_iter().zip(&mut self.axes) {
            if block.word(axis.letter()).is_some() {
                place.how = Placed::BySteps;
            }
        }
    }
}
