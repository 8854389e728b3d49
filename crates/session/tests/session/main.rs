//! Whole sessions in virtual time, against a controller that does what the test says.

mod controller;
mod files;
mod links;
mod operators;
mod records;
mod rejoin;
mod stops;
mod stories;
mod world;
