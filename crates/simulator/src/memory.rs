use std::borrow::Cow;

/// What earlier lines have left behind in a controller: everything that decides what a further line does, and where the machine
/// stands, as named values.
///
/// Two machines of one kind with the same memory execute the same rest of a program. Left out is what no line of a program can tell
/// apart: counters, buffers, time, and the filament that a printer has used since power-up (`e` is its place as the program counts
/// it).
///
/// Names are lower case and alike over the controllers: `motion`, `plane`, `units`, `feed`, `x` (machine coordinates), `work x`,
/// `g92 x`, `g54 x`, `hotend 0`, `fan 0`, `m203 X`, `$110`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    fields: Vec<(Cow<'static, str>, Held)>,
}

/// One value of a [`Memory`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Held {
    /// One of a few words, such as `G17` or `on`.
    Word(&'static str),
    /// A number in mm, mm/min, mm/s², rpm, °C or percent.
    Number(f64),
}

/// The axes of machine coordinates, as they are named in fields.
pub(crate) const AXES: [&str; 3] = ["x", "y", "z"];

impl Memory {
    /// All fields in the controller's own order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&str, Held)> {
        self.fields
            .iter()
            .map(|(name, held)| (name.as_ref(), *held))
    }

    pub(crate) fn word(&mut self, name: &'static str, word: &'static str) {
        self.fields.push((name.into(), Held::Word(word)));
    }

    pub(crate) fn number(&mut self, name: impl Into<Cow<'static, str>>, number: f64) {
        self.fields.push((name.into(), Held::Number(number)));
    }

    /// A number for each of the axes X, Y and Z.
    pub(crate) fn axes(&mut self, prefix: &str, numbers: [f64; 3]) {
        for (axis, number) in AXES.into_iter().zip(numbers) {
            match prefix {
                "" => self.number(axis, number),
                _ => self.number(format!("{prefix} {axis}"), number),
            }
        }
    }
}
