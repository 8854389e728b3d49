//! A job from its first record to its last.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use feedhold_stream_core::{
    chunk::{Prepared, Stop},
    streamer::{Fault, Positions, Proceed},
};
use tokio::sync::oneshot;

use super::Task;
use crate::{
    Event,
    config::StopAction,
    event::stop_code,
    handle::{Cause, Ending, Job, Outcome, RunError},
    keeper::{Keeper, Written},
    lease::Lease,
    rates::Rates,
    record::{FileIdentity, Reason, Record},
    source::{OpenFile, Source, SourceError, Start},
};

/// A job under way.
pub(super) struct Running {
    pub(super) identity: FileIdentity,
    pub(super) rates: Rates,
    pub(super) started: Duration,
    /// Bytes of the file up to the last chunk that was answered.
    pub(super) bytes_done: u64,
    pub(super) sent_bytes: u64,
    done: u64,
    machine: String,
    chunks: u64,
    /// Where each chunk that is not answered yet ends in the file.
    ends: std::collections::VecDeque<(u64, u64)>,
    lease: Lease,
    /// A record for this reason has to be written as soon as the disk is free.
    wanted: Option<Reason>,
    /// The job is being brought to rest because of this.
    failing: Option<(Cause, String)>,
    /// Lines of a macro still to be answered before the stop is over.
    macro_lines: u64,
    reply: Option<oneshot::Sender<Result<Outcome, RunError>>>,
}

impl Running {
    pub(super) fn chunks(&self) -> u64 {
        self.chunks
    }

    pub(super) fn chunk_completed(&mut self, index: u64) {
        while self.ends.front().is_some_and(|&(chunk, _)| chunk <= index) {
            if let Some((_, end)) = self.ends.pop_front() {
                self.bytes_done = end;
            }
        }
    }
}

impl Task {
    pub(super) async fn begin(
        &mut self,
        now: Duration,
        job: Job,
        reply: oneshot::Sender<Result<Outcome, RunError>>,
    ) {
        if let Err(error) = self.try_begin(now, job) {
            super::respond(reply, Err(error));
        } else if let Some(running) = &mut self.job {
            running.reply = Some(reply);
        }
    }

    fn try_begin(&mut self, now: Duration, job: Job) -> Result<(), RunError> {
        let file = OpenFile::open(&job.vetted.identity.path)?;
        if file.bytes != job.vetted.identity.bytes {
            return Err(SourceError::FileChanged { path: file.path }.into());
        }
        self.streamer.begin(job.done)?;
        if let Some(store) = job.store {
            // Not a line before the first record is durable.
            self.streamer.lease(job.done);
            self.keeper = Some(Keeper::start(store).map_err(RunError::Keeper)?);
        } else {
            self.streamer.lease(u64::MAX);
        }
        let start = Start {
            line: job.done + 1,
            offset: job.offset,
        };
        let budget = self.config.budget.clone();
        self.source = Some(Source::start(
            file,
            start,
            Arc::clone(&job.chain),
            budget,
            Arc::clone(&self.starved),
        ));
        self.emit(Event::StreamingStarted {
            first_line: start.line,
            total_lines: job.vetted.identity.lines,
        });
        self.job = Some(Running {
            identity: job.vetted.identity,
            rates: Rates::default(),
            started: now,
            bytes_done: job.offset,
            sent_bytes: 0,
            done: job.done,
            machine: job.machine,
            chunks: 0,
            ends: std::collections::VecDeque::new(),
            lease: Lease::new(self.config.checkpoints, job.done),
            wanted: Some(Reason::Start),
            failing: None,
            macro_lines: 0,
            reply: None,
        });
        Ok(())
    }

    pub(super) fn note_sent(&mut self, bytes: usize) {
        if let Some(running) = &mut self.job {
            running.sent_bytes += bytes as u64;
        }
    }

    pub(super) fn note_prepared(&mut self, chunk: &Prepared) {
        if let Some(running) = &mut self.job {
            running.chunks += 1;
            running
                .ends
                .push_back((chunk.index(), chunk.source_bytes().end));
        }
    }

    pub(super) fn source_failed(&mut self, error: SourceError) {
        let chunk_index = self.job.as_ref().map_or(0, Running::chunks);
        let reason = error.to_string();
        self.emit(Event::ChunkFailed {
            chunk_index,
            reason: reason.clone(),
        });
        self.emit(Event::ProcessingStopped {
            reason: reason.clone(),
        });
        if let Some(running) = &mut self.job {
            running.failing = Some((Cause::Source, reason));
        }
        // What was sent is finished, then the machine rests.
        let _ = self.streamer.cancel(self.now());
    }

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
        if keeper.is_busy() {
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
        let record = running.record(self.streamer.dialect().name(), at, ceiling, now, reason);
        keeper.write(record);
    }

    pub(super) fn take_written(&mut self, written: Option<Written>) {
        match written {
            Some(Written::Durable {
                generation,
                record,
                took,
            }) => {
                self.streamer.lease(record.ceiling);
                self.note_durable(generation, &record, took);
            }
            Some(Written::Failed { reason }) => {
                self.keeper = None;
                self.emit(Event::CheckpointFailed {
                    reason: reason.clone(),
                });
                if let Some(running) = &mut self.job {
                    running.failing = Some((Cause::Records, reason));
                }
                let _ = self.streamer.cancel(self.now());
            }
            None => self.keeper = None,
        }
    }

    fn note_durable(&mut self, generation: u64, record: &Record, took: Duration) {
        self.checkpoints += 1;
        self.emit(Event::CheckpointCreated {
            generation,
            executed: record.executed,
            ceiling: record.ceiling,
            took_ms: super::millis(took),
        });
    }

    pub(super) fn lease_reached(&mut self) {
        if let Some(running) = &mut self.job {
            running.lease.exhausted();
        }
    }

    /// A program stop was reached: does what the policy says.
    pub(super) fn reach_stop(&mut self, now: Duration, stop: Stop, line: u64) {
        let action = self.config.stops.action(stop).clone();
        let asks = action == StopAction::Ask;
        self.emit(Event::StopReached {
            code: stop_code(stop),
            line,
            asks,
        });
        self.want_record(Reason::Stop);
        match action {
            StopAction::Ask => {}
            StopAction::Skip => self.go_on(now, Proceed::Skip),
            StopAction::Send => self.go_on(now, Proceed::Send),
            StopAction::Macro(lines) => self.run_macro(now, &lines),
        }
    }

    fn go_on(&mut self, now: Duration, proceed: Proceed) {
        // The streamer has just said that it stands at the stop.
        let _ = self.streamer.proceed(now, proceed);
    }

    /// Queues the lines of a macro; the stop is over when the last one is answered.
    fn run_macro(&mut self, now: Duration, lines: &[String]) {
        let mut queued = 0;
        for line in lines {
            match self.streamer.command(line.as_bytes()) {
                Ok(_) => queued += 1,
                Err(error) => {
                    self.emit(Event::Message {
                        text: format!("macro line {line:?} was left out: {error}"),
                    });
                }
            }
        }
        match &mut self.job {
            Some(running) if queued > 0 => running.macro_lines = queued,
            _ => self.go_on(now, Proceed::Skip),
        }
    }

    /// A command without an asker was answered: a line of a macro.
    pub(super) fn macro_answered(&mut self, now: Duration, answer: Result<(), String>) {
        let Some(running) = self.job.as_mut().filter(|running| running.macro_lines > 0) else {
            return;
        };
        match answer {
            Ok(()) => {
                running.macro_lines -= 1;
                if running.macro_lines == 0 {
                    self.go_on(now, Proceed::Skip);
                }
            }
            Err(error) => {
                running.macro_lines = 0;
                let text = format!(
                    "the macro stopped: the controller answered {error}; the job waits at its stop"
                );
                self.emit(Event::Message { text });
            }
        }
    }

    /// Whether a fault ends the job, or waits for the operator.
    pub(super) async fn on_fault(&mut self, fault: &Fault) {
        let in_doubt = match fault {
            Fault::Line { may_have_run, .. } => *may_have_run,
            _ => self.streamer.positions().in_doubt(),
        };
        self.emit(Event::Fault {
            message: fault.to_string(),
            first_in_doubt: in_doubt.first,
            last_in_doubt: in_doubt.last,
        });
        self.want_record(Reason::Fault);
        if !matches!(fault, Fault::Line { .. }) {
            self.job_failed(fault.to_string()).await;
        }
    }

    pub(super) async fn job_failed(&mut self, message: String) {
        self.end(Ending::Failed { cause: Cause::Machine, message }, Reason::Fault).await;
    }

    pub(super) async fn job_finished(&mut self) {
        self.end(Ending::Finished, Reason::Finished).await;
    }

    /// The machine stands still after a cancellation, wished for or forced by a failure beside the machine.
    pub(super) async fn job_cancelled(&mut self) {
        let failing = self.job.as_mut().and_then(|running| running.failing.take());
        match failing {
            Some((cause, message)) => self.end(Ending::Failed { cause, message }, Reason::Fault).await,
            None => self.end(Ending::Cancelled, Reason::Cancelled).await,
        }
    }

    async fn end(&mut self, ending: Ending, reason: Reason) {
        self.source = None;
        let Some(running) = self.job.take() else {
            return;
        };
        let now = self.now();
        let positions = self.streamer.positions();
        if let Some(keeper) = self.keeper.take() {
            // Nothing leaves any more, so the last record needs no lease.
            let record = running.record(
                self.streamer.dialect().name(),
                positions,
                positions.sent,
                now,
                reason,
            );
            for written in keeper.close(record).await {
                match written {
                    Written::Durable {
                        generation,
                        record,
                        took,
                    } => self.note_durable(generation, &record, took),
                    Written::Failed { reason } => self.emit(Event::CheckpointFailed { reason }),
                }
            }
        }
        let elapsed = now.saturating_sub(running.started);
        self.emit(Event::StreamingStopped {
            outcome: ending.name(),
            executed: positions.executed,
            elapsed_ms: super::millis(elapsed),
        });
        let outcome = Outcome {
            ending,
            positions,
            elapsed,
            lines: positions.acked.saturating_sub(running.done),
            bytes_sent: running.sent_bytes,
            resends: self.resends,
        };
        self.publish_ended(&running);
        if let Some(reply) = running.reply {
            super::respond(reply, Ok(outcome));
        }
    }
}

impl Running {
    fn record(
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
