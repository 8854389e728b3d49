use super::{Axis, Position};

/// The box around everything included so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    min: Position,
    max: Position,
    empty: bool,
}

impl Bounds {
    /// A box around nothing.
    pub const EMPTY: Self = Self {
        min: Position::ORIGIN,
        max: Position::ORIGIN,
        empty: true,
    };

    /// Whether nothing was included.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.empty
    }

    /// Smallest and largest value of an axis; `None` when nothing was included.
    #[must_use]
    pub fn range(&self, axis: Axis) -> Option<(f64, f64)> {
        (!self.empty).then(|| (self.min[axis], self.max[axis]))
    }

    /// Grows to hold `point`.
    pub fn include(&mut self, point: &Position) {
        if self.empty {
            *self = Self {
                min: *point,
                max: *point,
                empty: false,
            };
            return;
        }
        for ((min, max), value) in self.min.0.iter_mut().zip(&mut self.max.0).zip(point.0) {
            *min = if value < *min { value } else { *min };
            *max = if value > *max { value } else { *max };
        }
    }

    /// Grows along one axis; without effect while the box is empty.
    pub(crate) fn include_value(&mut self, axis: Axis, value: f64) {
        if value < self.min[axis] {
            self.min[axis] = value;
        }
        if value > self.max[axis] {
            self.max[axis] = value;
        }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self::EMPTY
    }
}
