//! Records of a job: when they are written, and what follows when they are, or cannot be.

use std::time::{Duration, SystemTime};

use feedhold_stream_core::streamer::Positions;

use super::{Running, Task};
use crate::{
    Event,
    handle::Cause,
    keeper::Written,
    record::{Reason, Record},
};

impl Task {
    /// A record was asked for by an event of the job.
    pub(super) fn want_record(&mut self, reason: Reason) {
        if let Some(running) = &mut self.job {
            running.wanted = Some(reason);
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
        if let Some(closing) = &mut running.closing {
            if let Some(last) = closing.record.take() {
                keeper.write(last);
            }
            return;
        }
        let at = self.streamer.positions();
        if running.wanted.is_none() && !running.lease.is_due(now, at.acked, at.sent) {
            return;
        }
        let reason = running.wanted.take().unwrap_or(Reason::Interval);
        let (lines_per_s, _) = running.rates.per_second();
        let ceiling = running
            .lease
            .next_ceiling(now, at.acked, at.sent, lines_per_s);
        let dialect = self.streamer.dialect().name();
        keeper.write(running.record(dialect, at, ceiling, now, reason));
    }

    pub(super) fn take_written(&mut self, written: Written) {
        match written {
            Written::Durable {
                generation,
                record,
                took,
            } => {
                self.checkpoints += 1;
                self.emit(Event::CheckpointCreated {
                    generation,
                    executed: record.executed,
                    ceiling: record.ceiling,
                    took_ms: super::millis(took),
                });
                match self.job.as_ref().and_then(|job| job.closing.as_ref()) {
                    None => self.streamer.lease(record.ceiling),
                    Some(closing) if closing.record.is_none() => self.conclude(),
                    // The disk is free for the last record now.
                    Some(_) => self.consider_record(self.now()),
                }
            }
            Written::Failed { reason } => {
                self.keeper = None;
                self.emit(Event::CheckpointFailed {
                    reason: reason.clone(),
                });
                if self.job.as_ref().is_some_and(|job| job.closing.is_some()) {
                    self.conclude();
                } else {
                    self.bring_to_rest(Cause::Records, reason);
                }
            }
        }
    }

    pub(super) fn lease_reached(&mut self) {
        if let Some(running) = &mut self.job {
            running.lease.exhausted();
        }
    }
}

impl Running {
    pub(super) fn record(
        &self,
        dialect: &str,
        at: Positions,
        ceiling: u64,
        now: Duration,
        reason: Reason,
    ) -> Record {
        Record {
            file: self.identity.clone(),
            machine: self.machine.clone(),
            dialect: dialect.to_owned(),
            executed: at.executed,
            acked: at.acked,
            sent: at.sent,
            ceiling,
            elapsed: now.saturating_sub(self.started),
            written_at_ms: since_1970_ms(),
            reason,
        }
    }
}

fn since_1970_ms() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, super::millis)
}
