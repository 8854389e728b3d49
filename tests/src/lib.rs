//! What the tests and benchmarks of the whole house share.
//!
//! - [`fuzz`]: laws that hold for every input;
//! - [`oracle`]: what a program means, and whether a machine's log says the same;
//! - [`ping_pong`]: the simplest host, the reference for every other one;
//! - [`random`]: random programs that a controller takes without complaint;
//! - [`resume`]: whether a job that goes on from any line is the job that was not interrupted;
//! - [`talk`]: the streaming engine against a controller that the test plays line by line;
//! - [`world`]: the streaming engine against a simulated controller, in virtual time;
//! - [`crash`]: the checkpoint store under power cuts, damage and failing disks;
//! - [`jobs`]: whole files through the front door, over real cables, in real time;
//! - [`kill`]: the real command, killed again and again, against machines that live on;
//! - [`chaos`]: engine, decisions and store of the product with everything going wrong, in virtual time;
//! - [`metrics`]: what a run costs in allocations, memory and processor time;
//! - [`product`]: the real command as a child process, and what that costs.
//!
//! Programs of any size come from [`xtask::gcode`].

pub mod chaos;
pub mod crash;
pub mod fuzz;
pub mod jobs;
pub mod kill;
pub mod metrics;
pub mod oracle;
pub mod ping_pong;
pub mod product;
pub mod random;
pub mod resume;
pub mod talk;
pub mod world;
