//! Sans-IO engine that streams G-code to a controller.

pub mod budget;
pub mod chunk;
pub mod dialect;
pub mod pressure;
pub mod resume;
pub mod retry;
pub mod streamer;
pub mod window;
pub mod wire;

pub use streamer::Streamer;
