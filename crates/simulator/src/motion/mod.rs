//! Motion shared by the controllers: look-ahead planning, trapezoids cut into segments, arcs.
//!
//! Written from the published ideas (junction deviation after Jeon's "Improving grbl: cornering
//! algorithm", the reverse and forward pass of grbl's planner notes) with code of its own, so that
//! other crates' time estimates can be checked against it.

mod arc;
mod mover;
mod planner;
mod profile;
mod tracker;

#[cfg(test)]
mod tests;

pub(crate) use arc::{ArcPath, Turn};
pub(crate) use mover::{Mover, MoverConfig};
pub(crate) use planner::{Limits, Rate};
pub(crate) use profile::Profile;

/// A position or a direction: X Y Z in mm and E in mm of filament.
pub(crate) type Vector = [f64; 4];

pub(crate) fn sub(a: Vector, b: Vector) -> Vector {
    std::array::from_fn(|i| a[i] - b[i])
}

/// `a + b * factor`
pub(crate) fn add_scaled(a: Vector, b: Vector, factor: f64) -> Vector {
    std::array::from_fn(|i| b[i].mul_add(factor, a[i]))
}

pub(crate) fn norm(a: Vector) -> f64 {
    a.iter().map(|v| v * v).sum::<f64>().sqrt()
}
