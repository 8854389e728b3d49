//! What a run costs: allocations, resident memory, processor time.
//!
//! Allocations are counted by a wrapper around the system's allocator, which a benchmark installs:
//!
//! ```standalone_crate
//! use feedhold_tests::metrics::{Allocations, COUNTING_SYSTEM, CountingAllocator};
//! use std::alloc::System;
//!
//! #[global_allocator]
//! static ALLOCATOR: &CountingAllocator<System> = &COUNTING_SYSTEM;
//!
//! let region = Allocations::new(ALLOCATOR);
//! let text = String::from("one allocation");
//! assert_eq!(region.change().allocations, 1);
//! drop(text);
//! ```

use std::io;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use thiserror::Error;

pub use stats_alloc::{
    INSTRUMENTED_SYSTEM as COUNTING_SYSTEM, Region as Allocations, StatsAlloc as CountingAllocator,
};

/// Processor time of this process since it began, all threads, user and system.
#[must_use]
pub fn cpu_time() -> Duration {
    clock(ClockId::ProcessCPUTime)
}

/// Processor time of the calling thread since it began.
#[must_use]
pub fn thread_cpu_time() -> Duration {
    clock(ClockId::ThreadCPUTime)
}

fn clock(id: ClockId) -> Duration {
    let time = clock_gettime(id);
    // Both fields of a processor clock are at or above zero.
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// Memory of a process in bytes, as the kernel counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resident {
    /// Resident now (`VmRSS`).
    pub now: u64,
    /// Most ever resident (`VmHWM`).
    pub peak: u64,
}

/// Why the memory of a process is not known.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResidentError {
    /// `/proc` does not show the process; only Linux has the file.
    #[error("cannot read {path}: {source} (Linux only; has the process ended?)")]
    Read {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The file has no such line; a process that has ended and waits for its parent shows none.
    #[error("{path} has no `{field}` line: has the process ended?")]
    Missing {
        /// The file.
        path: String,
        /// The line looked for.
        field: &'static str,
    },
}

impl Resident {
    /// Memory of this process.
    ///
    /// # Errors
    /// When `/proc` does not tell, as outside Linux.
    pub fn of_this_process() -> Result<Self, ResidentError> {
        Self::read("/proc/self/status")
    }

    /// Memory of another process that is still running.
    ///
    /// # Errors
    /// When `/proc` does not tell, as for a process that has ended.
    pub fn of(process_id: u32) -> Result<Self, ResidentError> {
        Self::read(&format!("/proc/{process_id}/status"))
    }

    fn read(path: &str) -> Result<Self, ResidentError> {
        let text = std::fs::read_to_string(path).map_err(|source| ResidentError::Read {
            path: path.to_owned(),
            source,
        })?;
        let field = |field| {
            kibibytes(&text, field)
                .map(|kib| kib * 1024)
                .ok_or_else(|| ResidentError::Missing {
                    path: path.to_owned(),
                    field,
                })
        };
        Ok(Self {
            now: field("VmRSS:")?,
            peak: field("VmHWM:")?,
        })
    }
}

/// The number in a line such as `VmHWM:      5120 kB`.
fn kibibytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::{Resident, cpu_time, kibibytes, thread_cpu_time};

    #[test]
    fn work_takes_processor_time() {
        let (process, thread) = (cpu_time(), thread_cpu_time());
        let mut sum = 0_u64;
        for i in 0..2_000_000_u64 {
            sum = black_box(sum.wrapping_add(i));
        }
        assert!(cpu_time() > process && thread_cpu_time() > thread, "{sum}");
    }

    #[test]
    fn memory_that_is_touched_is_resident() {
        let before = Resident::of_this_process().unwrap();
        let block = black_box(vec![1_u8; 64 << 20]);
        let with = Resident::of_this_process().unwrap();
        drop(block);
        let after = Resident::of(std::process::id()).unwrap();
        assert!(with.now >= before.now + (60 << 20), "{before:?} {with:?}");
        // The kernel gathers its counters per processor, so that they trail by some pages.
        assert!(
            after.peak >= before.now + (60 << 20),
            "{before:?} {after:?}"
        );
    }

    #[test]
    fn status_lines_are_read() {
        for (status, want) in [
            ("Name:\tx\nVmHWM:\t    5120 kB\nVmRSS:\t 1 kB\n", Some(5120)),
            ("VmHWM:\t5120\n", None),
            ("State:\tZ (zombie)\n", None),
        ] {
            assert_eq!(kibibytes(status, "VmHWM:"), want, "{status}");
        }
    }
}
