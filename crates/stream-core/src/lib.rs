//! The engine that streams G-code to a controller, without touching a file, a socket or a clock.
//!
//! A line's way through it:
//!
//! 1. [`chunk::Cutter`] cuts file bytes into chunks at line ends, [`wire::Chain`] prepares each chunk for the wire: comments go,
//!    what the controller cannot take is refused, every line learns its [class](chunk::Class).
//! 2. [`Streamer`] sends prepared lines as far as the [window](window::Window) and the send lease allow, and settles them when the
//!    [dialect](dialect::Dialect)'s answers come in. It knows four [positions](streamer::Positions), never one.
//! 3. [`budget`] and [`pressure`] bound memory, [`retry`] bounds patience.
//! 4. [`resume`] finds the place where a job stopped and the way back to it, or says why it cannot.
//!
//! Everything is a pure state machine: time is a parameter, counted from an instant that the caller chooses, and randomness is a
//! seed. The loop that drives a streamer stands with [`Streamer`], as an example that is compiled and run.

pub mod budget;
pub mod chunk;
pub mod dialect;
pub mod lease;
pub mod outbox;
pub mod pressure;
pub mod resume;
pub mod retry;
pub mod streamer;
pub mod window;
pub mod wire;

pub use streamer::Streamer;
