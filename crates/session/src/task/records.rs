//! Records of a job on their way to the disk.

use std::time::{Duration, SystemTime};

use super::Task;
use crate::{
    Event,
    keeper::Written,
    record::{Reason, Record},
};

impl Task {
    /// A record was asked for by an event of the job.
    pub(super) fn want_record(&mut self, reason: Reason) {
        if let Some(running) = &mut self.job {
            running.conduct.want(reason);
        }
    }

    /// Writes a record when one is due and the disk is free.
    pub(super) fn consider_record(&mut self, now: Duration) {
        let (Some(running), Some(keeper)) = (&mut self.job, &mut self.keeper) else {
            return;
        };
        if !keeper.is_idle() {
            return;
        }
        if let Some(record) = running
            .conduct
            .due(now, since_1970_ms(), &mut self.streamer)
        {
            keeper.write(record);
        }
    }

    pub(super) fn take_written(&mut self, written: Written) {
        let now = self.now();
        match written {
            Written::Durable {
                generation,
                record,
                took,
            } => {
                self.checkpoints += 1;
                self.report_record(generation, &record, took);
                if let Some(running) = &mut self.job {
                    running.conduct.durable(&record, &mut self.streamer);
                }
                // The disk is free for the last record now.
                self.consider_record(now);
            }
            Written::Failed { reason } => {
                self.keeper = None;
                self.emit(Event::CheckpointFailed {
                    reason: reason.clone(),
                });
                if let Some(running) = &mut self.job {
                    running.conduct.unwritable(now, reason, &mut self.streamer);
                }
            }
        }
        self.conclude_when_written();
    }

    fn report_record(&self, generation: u64, record: &Record, took: Duration) {
        self.emit(Event::CheckpointCreated {
            generation,
            executed: record.executed,
            ceiling: record.ceiling,
            took_ms: super::millis(took),
        });
    }

    pub(super) fn lease_reached(&mut self) {
        if let Some(running) = &mut self.job {
            running.conduct.lease_reached();
        }
    }
}

pub(super) fn since_1970_ms() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, super::millis)
}
