use super::command::Command;
use crate::memory::Memory;

/// What commands leave behind that change no motion of this model, as the firmware remembers it: pressure advance, bed levelling,
/// babysteps, cancelled objects, the chamber's heater.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// M900 K.
    pressure_advance: f64,
    mesh: Mesh,
    /// M420 Z: height in mm at which the correction has faded away; 0 never.
    mesh_fade: f64,
    /// Sum of M290 for X, Y and Z, mm.
    babysteps: [f64; 3],
    objects: Objects,
    /// M141 and M191, °C.
    chamber: f64,
}

/// Whether bed levelling corrects Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mesh {
    #[default]
    Off,
    On,
}

/// M486: a bit for each object of the plate.
#[derive(Clone, Copy, Debug, Default)]
struct Objects {
    current: Option<u8>,
    cancelled: u32,
}

impl Kept {
    /// M141, M191, M290, M420, M486 and M900.
    pub(super) fn take(&mut self, number: u32, command: &Command<'_>) {
        let value = |letter| command.value(letter);
        match number {
            141 => self.chamber = value(b'S').unwrap_or(self.chamber),
            191 => self.chamber = value(b'S').or(value(b'R')).unwrap_or(self.chamber),
            290 => {
                let ways = [value(b'X'), value(b'Y'), value(b'S').or(value(b'Z'))];
                for (sum, way) in self.babysteps.iter_mut().zip(ways) {
                    *sum += way.unwrap_or(0.0);
                }
            }
            420 => {
                if let Some(on) = value(b'S') {
                    self.mesh = if on == 0.0 { Mesh::Off } else { Mesh::On };
                }
                self.mesh_fade = value(b'Z').unwrap_or(self.mesh_fade);
            }
            486 => self.objects.take(command),
            900 => {
                let k = value(b'K').filter(|k| (0.0..=10.0).contains(k));
                self.pressure_advance = k.unwrap_or(self.pressure_advance);
            }
            _ => {}
        }
    }

    /// G29: what was measured is in force.
    pub(super) const fn measured(&mut self) {
        self.mesh = Mesh::On;
    }

    pub(super) fn remember(&self, memory: &mut Memory) {
        memory.number("pressure advance", self.pressure_advance);
        let mesh = match self.mesh {
            Mesh::Off => "off",
            Mesh::On => "on",
        };
        memory.word("mesh", mesh);
        memory.number("mesh fade", self.mesh_fade);
        memory.axes("babystep", self.babysteps);
        memory.number("chamber", self.chamber);
        for object in (0..32).filter(|object| self.objects.cancelled >> object & 1 == 1) {
            memory.number(format!("object {object} cancelled"), 1.0);
        }
        if let Some(object) = self.objects.current {
            memory.number("object", f64::from(object));
        }
    }
}

impl Objects {
    /// `T` counts objects and forgets, `S` names the one that follows (none when negative), `P` cancels and `U` takes back by number,
    /// `C` cancels the one under way. A name (`A`) ends what is read.
    fn take(&mut self, command: &Command<'_>) {
        let index = |letter| {
            command
                .value(letter)
                .filter(|index| (0.0..32.0).contains(index))
        };
        if command.value(b'T').is_some() {
            *self = Self::default();
        }
        if command.value(b'S').is_some() {
            self.current = index(b'S').map(|index| index as u8);
        }
        let under_way = command.has(b'C').then_some(self.current).flatten();
        for cancelled in index(b'P')
            .map(|index| index as u8)
            .into_iter()
            .chain(under_way)
        {
            self.cancelled |= 1 << cancelled;
        }
        if let Some(taken_back) = index(b'U') {
            self.cancelled &= !(1 << taken_back as u8);
        }
    }
}
