//! The real program, run as a user runs it.

mod bad_input;
mod checkpoints;
mod common;
mod jobs;
mod resume;
