use std::collections::VecDeque;
use std::time::Duration;

use crate::log::{Entry, MotionLog};

/// Most motions between planning and the end of execution. A planner holds far fewer; the rest is
/// for motions without length, which take no block and wait here for their turn in the log.
const MOST: usize = 1024;

/// Follows the motions of the program from planning to execution, so that each is logged once, in
/// order, however many blocks it was cut into.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tracker {
    motions: VecDeque<Motion>,
    /// Tag of the front motion.
    first: u64,
    completed: u64,
}

#[derive(Clone, Debug)]
struct Motion {
    entry: Entry,
    started: Option<Duration>,
    blocks: u32,
    travelled: f64,
    length: f64,
    complete: Complete,
}

/// Whether all blocks of a motion have been planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Complete {
    No,
    Yes,
}

impl Tracker {
    pub(crate) fn is_full(&self) -> bool {
        self.motions.len() >= MOST
    }

    /// Motions completed since power-up.
    pub(crate) fn completed(&self) -> u64 {
        self.completed
    }

    /// A motion, `length` mm long, whose blocks follow; returns its tag.
    pub(crate) fn begin(&mut self, entry: Entry, length: f64) -> u64 {
        self.motions.push_back(Motion {
            entry,
            started: None,
            blocks: 0,
            travelled: 0.0,
            length,
            complete: Complete::No,
        });
        self.first + self.motions.len() as u64 - 1
    }

    /// One block was planned for the motion.
    pub(crate) fn planned(&mut self, tag: u64) {
        if let Some(motion) = self.get(tag) {
            motion.blocks += 1;
        }
    }

    /// The motion has no further blocks.
    pub(crate) fn complete(&mut self, now: Duration, tag: u64, log: &mut MotionLog) {
        if let Some(motion) = self.get(tag) {
            motion.complete = Complete::Yes;
        }
        self.finish_done(now, log);
    }

    /// The machine travelled `length` of the motion.
    pub(crate) fn travelled(&mut self, tag: u64, since: Duration, length: f64) {
        if let Some(motion) = self.get(tag) {
            motion.started.get_or_insert(since);
            motion.travelled += length;
        }
    }

    /// The machine reached the end of one block.
    pub(crate) fn block_done(&mut self, now: Duration, tag: u64, log: &mut MotionLog) {
        if let Some(motion) = self.get(tag) {
            motion.blocks = motion.blocks.saturating_sub(1);
        }
        self.finish_done(now, log);
    }

    /// The line number of the motion.
    pub(crate) fn line(&self, tag: u64) -> Option<u64> {
        let index = usize::try_from(tag.checked_sub(self.first)?).ok()?;
        self.motions.get(index)?.entry.line
    }

    /// Everything planned is lost; what was begun is logged with the part that was made.
    pub(crate) fn abort(&mut self, now: Duration, log: &mut MotionLog) {
        self.first += self.motions.len() as u64;
        for motion in self.motions.drain(..) {
            let Some(start) = motion.started else {
                continue;
            };
            let fraction = (motion.travelled / motion.length).clamp(0.0, 1.0);
            log.record(&Entry {
                start,
                finish: now,
                fraction,
                ..motion.entry
            });
        }
    }

    fn get(&mut self, tag: u64) -> Option<&mut Motion> {
        let index = usize::try_from(tag.checked_sub(self.first)?).ok()?;
        self.motions.get_mut(index)
    }

    fn finish_done(&mut self, now: Duration, log: &mut MotionLog) {
        let done = |motion: &Motion| motion.complete == Complete::Yes && motion.blocks == 0;
        while self.motions.front().is_some_and(done) {
            let Some(motion) = self.motions.pop_front() else {
                return;
            };
            self.first += 1;
            self.completed += 1;
            let start = motion.started.unwrap_or(now);
            log.record(&Entry {
                start,
                finish: now,
                ..motion.entry
            });
        }
    }
}
