//! A job from its beginning to its end.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use feedhold_stream_core::{
    chunk::Prepared,
    streamer::{Fault, Pause, Positions, State},
    wire::{Chain, Pack},
};
use tokio::sync::oneshot;

use super::{Task, stops::Macro};
use crate::{
    Event,
    handle::{Cause, Ending, Job, Outcome, RunError, WishError},
    keeper::Keeper,
    lease::Lease,
    rates::Rates,
    record::{FileIdentity, Reason, Record},
    source::{OpenFile, Prepare, Reader, Source, SourceError, Start, cuts_as_vetted, sizer},
};

/// A job under way.
pub(super) struct Running {
    pub(super) identity: FileIdentity,
    pub(super) machine: String,
    pub(super) rates: Rates,
    pub(super) started: Duration,
    /// Bytes of the file up to the last chunk that was answered.
    pub(super) bytes_done: u64,
    pub(super) sent_bytes: u64,
    pub(super) resends: u64,
    pub(super) lease: Lease,
    /// A record for this reason has to be written as soon as the disk is free.
    pub(super) wanted: Option<Reason>,
    /// The lines that run in place of the stop that was reached.
    pub(super) stop_macro: Option<Macro>,
    /// Set when nothing is left to do but to write the last record.
    pub(super) closing: Option<Closing>,
    done: u64,
    chunks: u64,
    /// Where each chunk that is not answered yet ends in the file.
    ends: VecDeque<(u64, u64)>,
    /// The job is being brought to rest because of this.
    failing: Option<(Cause, String)>,
    reply: oneshot::Sender<Result<Outcome, RunError>>,
}

/// A job that has ended and is not written down yet.
pub(super) struct Closing {
    pub(super) ending: Ending,
    pub(super) positions: Positions,
    pub(super) elapsed: Duration,
    /// The last record, until the disk takes it.
    pub(super) record: Option<Record>,
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
    pub(super) fn begin(
        &mut self,
        now: Duration,
        job: Job,
        reply: oneshot::Sender<Result<Outcome, RunError>>,
    ) {
        if self.job.as_ref().is_some_and(|job| job.closing.is_some()) {
            return super::respond(reply, Err(RunError::Busy));
        }
        match self.open_source(&job) {
            Ok(source) => self.start(now, job, source, reply),
            Err(error) => super::respond(reply, Err(error)),
        }
    }

    /// Opens the file, when the streamer is ready for a job.
    fn open_source(&mut self, job: &Job) -> Result<Source, RunError> {
        let identity = &job.vetted.identity;
        let file = OpenFile::open(&identity.path)?;
        if file.bytes != identity.bytes || file.modified != job.vetted.modified {
            return Err(file.changed().into());
        }
        let start = Start {
            line: job.done + 1,
            offset: job.offset,
        };
        let budget = self.config.budget.clone();
        let config = job.chain.config();
        let flavor = config.dialect().flavor();
        let reader = Reader::new(file, start, flavor, sizer(&budget), identity.digest)?;
        // What lossless packing leaves out depends on where chunks begin, and was proved for the chunks of the vetting only.
        let (reader, chain) = match config.pack() {
            Pack::Lossless if start.is_whole() && cuts_as_vetted(&budget) => {
                (reader.cut_as_vetted(), Arc::clone(&job.chain))
            }
            Pack::Lossless => {
                let config = config.clone().with_pack(Pack::Spaces);
                (reader, Arc::new(Chain::new(config)))
            }
            _ => (reader, Arc::clone(&job.chain)),
        };
        self.streamer.begin(job.done)?;
        let prepare: Prepare = Arc::new(move |raw| chain.prepare(raw));
        Ok(Source::new(reader, prepare, budget))
    }

    fn start(
        &mut self,
        now: Duration,
        job: Job,
        source: Source,
        reply: oneshot::Sender<Result<Outcome, RunError>>,
    ) {
        // Not a line before the first record is durable.
        let lease = job.store.as_ref().map_or(u64::MAX, |_| job.done);
        self.streamer.lease(lease);
        self.keeper = job.store.map(Keeper::new);
        self.source = Some(source);
        let identity = job.vetted.identity;
        self.emit(Event::StreamingStarted {
            first_line: job.done + 1,
            total_lines: identity.lines,
        });
        self.job = Some(Running {
            rates: Rates::default(),
            started: now,
            bytes_done: job.offset,
            sent_bytes: 0,
            resends: 0,
            lease: Lease::new(self.config.checkpoints, job.done, identity.lines),
            identity,
            machine: job.machine,
            wanted: Some(Reason::Start),
            stop_macro: None,
            closing: None,
            done: job.done,
            chunks: 0,
            ends: VecDeque::new(),
            failing: None,
            reply,
        });
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

    /// Goes on after a pause, unless the job is to end.
    pub(super) fn go_on(&mut self, now: Duration) -> Result<(), WishError> {
        if let Some((_, reason)) = self.job.as_ref().and_then(|job| job.failing.as_ref()) {
            return Err(WishError::Ending(reason.clone()));
        }
        self.streamer.resume(now).map_err(WishError::from)
    }

    pub(super) fn source_failed(&mut self, error: &SourceError) {
        let chunk_index = self.job.as_ref().map_or(0, Running::chunks);
        let reason = error.to_string();
        self.emit(Event::ChunkFailed {
            chunk_index,
            reason: reason.clone(),
        });
        self.emit(Event::ProcessingStopped {
            reason: reason.clone(),
        });
        self.bring_to_rest(Cause::Source, reason);
    }

    /// The job cannot go on, and the machine is not to blame: it finishes what it was sent, and then stands still.
    pub(super) fn bring_to_rest(&mut self, cause: Cause, reason: String) {
        let now = self.now();
        let Some(running) = &mut self.job else { return };
        if running.failing.is_some() {
            return;
        }
        running.failing = Some((cause, reason));
        // The states were looked at, so neither wish can be refused.
        match self.streamer.state() {
            State::Streaming | State::Resuming => {
                let _ = self.streamer.hold(now, Pause::Graceful);
            }
            State::Pausing | State::Cancelling => {}
            _ => {
                let _ = self.streamer.cancel(now);
            }
        }
    }

    /// The machine stands still. When that was wished because the job fails, the job is given up; `true` then.
    pub(super) fn rests(&mut self, now: Duration) -> bool {
        let fails = self.job.as_ref().is_some_and(|job| job.failing.is_some());
        if fails {
            // A paused job can be cancelled.
            let _ = self.streamer.cancel(now);
        }
        fails
    }

    /// A job that waits for a decision waits for ever when nobody is left to decide. `true` when it was given up.
    pub(super) fn give_up_when_abandoned(&mut self, now: Duration) -> bool {
        let waits = matches!(
            self.streamer.state(),
            State::Paused | State::AtStop | State::Faulted
        );
        let Some(running) = self.job.as_mut().filter(|_| self.abandoned && waits) else {
            return false;
        };
        if running.stop_macro.is_some() || running.closing.is_some() || running.failing.is_some() {
            return false;
        }
        let reason = "the job waited for a decision and nobody was left to decide".to_owned();
        running.failing = Some((Cause::Abandoned, reason));
        self.streamer.cancel(now).is_ok()
    }

    /// Whether a fault ends the job, or waits for the operator.
    pub(super) fn on_fault(&mut self, fault: &Fault) {
        let in_doubt = match fault {
            Fault::Line { may_have_run, .. } => *may_have_run,
            _ => self.streamer.positions().in_doubt(),
        };
        self.emit(Event::Fault {
            message: fault.to_string(),
            first_in_doubt: in_doubt.first,
            last_in_doubt: in_doubt.last,
        });
        if matches!(fault, Fault::Line { .. }) {
            return self.want_record(Reason::Fault);
        }
        self.forget_commands();
        let message = fault.to_string();
        let cause = Cause::Machine;
        self.end(Ending::Failed { cause, message }, Reason::Fault);
    }

    pub(super) fn job_finished(&mut self) {
        if self.source.take().is_some() {
            // The program ended before the file did; no chunk behind its end is wanted.
            let chunks = self.job.as_ref().map_or(0, Running::chunks);
            self.emit(Event::ProcessingCompleted { chunks });
        }
        self.end(Ending::Finished, Reason::Finished);
    }

    /// The machine stands still after a cancellation, wished for or forced by a failure beside the machine.
    pub(super) fn job_cancelled(&mut self) {
        self.forget_commands();
        let failing = self.job.as_mut().and_then(|running| running.failing.take());
        match failing {
            Some((cause, message)) => self.end(Ending::Failed { cause, message }, Reason::Fault),
            None => self.end(Ending::Cancelled, Reason::Cancelled),
        }
    }

    /// Nothing leaves any more. The job is over for the world when its last record is durable.
    fn end(&mut self, ending: Ending, reason: Reason) {
        self.source = None;
        let now = self.now();
        let positions = self.streamer.positions();
        let dialect = self.streamer.dialect().name();
        let Some(running) = self.job.as_mut().filter(|job| job.closing.is_none()) else {
            return;
        };
        // What will not be sent needs no lease.
        let record = running.record(dialect, positions, positions.sent, now, reason);
        running.closing = Some(Closing {
            ending,
            positions,
            elapsed: now.saturating_sub(running.started),
            record: Some(record),
        });
        if self.keeper.is_none() {
            self.conclude();
        } else {
            // Also where there is no link any more, and with it no loop that would think of it.
            self.consider_record(now);
        }
    }

    /// Tells the world how the job ended.
    pub(super) fn conclude(&mut self) {
        // The store is closed first, so that whoever hears of the end can open it.
        self.keeper = None;
        let progress = self.job.as_ref().map(|running| self.progress(running));
        let Some(running) = self.job.take() else {
            return;
        };
        let Some(closing) = running.closing else {
            return;
        };
        if let Some(progress) = progress {
            self.emit(Event::Progress(progress));
        }
        self.emit(Event::StreamingStopped {
            outcome: closing.ending.name(),
            executed: closing.positions.executed,
            elapsed_ms: super::millis(closing.elapsed),
        });
        self.publish(progress);
        let outcome = Outcome {
            ending: closing.ending,
            positions: closing.positions,
            elapsed: closing.elapsed,
            lines: closing.positions.acked.saturating_sub(running.done),
            bytes_sent: running.sent_bytes,
            resends: running.resends,
        };
        super::respond(running.reply, Ok(outcome));
    }
}
