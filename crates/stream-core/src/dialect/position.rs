//! Coordinates as controllers print them.

/// Most axes a report may have.
pub const MAX_AXES: usize = 8;

/// Values in the controller's axis order (X Y Z A B C …), as many as were reported.
///
/// Millimetres and degrees, or inches if the controller is set to report inches (grbl `$13=1`): the
/// line itself does not tell, see [`to_mm_from_inches`](Self::to_mm_from_inches).
#[derive(Clone, Copy, Debug, Default)]
pub struct Coordinates {
    values: [f64; MAX_AXES],
    len: u8,
}

impl Coordinates {
    /// Coordinates of the given values; `None` for none at all, more than [`MAX_AXES`] or a value
    /// that is not finite.
    #[must_use]
    pub fn new(given: &[f64]) -> Option<Self> {
        if given.is_empty() {
            return None;
        }
        let mut all = Self::default();
        for &value in given {
            all.push(value)?;
        }
        Some(all)
    }

    /// Reads `1.000,2.000,3.000`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut all = Self::default();
        for part in text.split(',') {
            all.push(super::scan::decimal(part)?)?;
        }
        Some(all)
    }

    fn push(&mut self, value: f64) -> Option<()> {
        let slot = self.values.get_mut(usize::from(self.len))?;
        if !value.is_finite() {
            return None;
        }
        *slot = value;
        self.len += 1;
        Some(())
    }

    /// The reported values in axis order.
    #[must_use]
    pub fn as_slice(&self) -> &[f64] {
        self.values.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The value of axis `index` (0 is X), if it was reported.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<f64> {
        self.as_slice().get(index).copied()
    }

    /// X, Y and Z, if at least three axes were reported.
    #[must_use]
    pub fn xyz(&self) -> Option<[f64; 3]> {
        self.as_slice().first_chunk().copied()
    }

    /// `self + other`, axis by axis, as far as both reach: work position plus offset is machine
    /// position.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a + b)
    }

    /// `self - other`, axis by axis, as far as both reach.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a - b)
    }

    /// The linear axes X Y Z converted from inches; rotary axes stay degrees.
    #[must_use]
    pub fn to_mm_from_inches(mut self) -> Self {
        for value in self.values.iter_mut().take(3) {
            *value *= 25.4;
        }
        self
    }

    fn combine(&self, other: &Self, with: impl Fn(f64, f64) -> f64) -> Self {
        let mut out = Self {
            len: self.len.min(other.len),
            ..Self::default()
        };
        let pairs = self.values.iter().zip(&other.values);
        for (slot, (a, b)) in out.values.iter_mut().zip(pairs).take(usize::from(out.len)) {
            *slot = with(*a, *b);
        }
        out
    }
}

impl PartialEq for Coordinates {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

/// Most letters a Marlin position may have.
const MAX_LETTERS: usize = 10;

/// Values by axis letter, as Marlin prints them (`X:1.00 Y:2.00 …`).
#[derive(Clone, Copy, Debug, Default)]
pub struct AxisValues {
    entries: [(u8, f64); MAX_LETTERS],
    len: u8,
}

impl AxisValues {
    /// The value of an axis by its upper-case letter.
    #[must_use]
    pub fn get(&self, letter: u8) -> Option<f64> {
        self.iter()
            .find(|entry| entry.0 == letter)
            .map(|entry| entry.1)
    }

    /// Letters and values in the order they were printed.
    pub fn iter(&self) -> impl Iterator<Item = (u8, f64)> + '_ {
        self.entries.iter().take(usize::from(self.len)).copied()
    }

    /// Whether nothing was reported.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a value; `None` when there is no room or the letter is there already.
    pub(crate) fn push(&mut self, letter: u8, value: f64) -> Option<()> {
        if self.get(letter).is_some() {
            return None;
        }
        *self.entries.get_mut(usize::from(self.len))? = (letter, value);
        self.len += 1;
        Some(())
    }
}

impl PartialEq for AxisValues {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}
