//! .
/// Placeholder replaced by the streamer.
pub struct Streamer;
