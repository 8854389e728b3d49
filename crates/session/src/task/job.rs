//! A job from its beginning to its end.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use feedhold_stream_core::{
    chunk::Prepared,
    streamer::{Fault, State},
    wire::{Chain, Pack},
};
use tokio::sync::oneshot;

use super::{Task, rejoin::Lost, stops::Macro};
use crate::{
    Event, Vetted,
    conduct::{Conduct, Recording, loses_position},
    handle::{Cause, Job, Outcome, RunError, WishError},
    keeper::Keeper,
    source::{OpenFile, Prepare, Reader, Source, SourceError, Start, cuts_as_vetted, sizer},
};

/// A job under way.
pub(super) struct Running {
    /// Its decisions.
    pub(super) conduct: Conduct,
    /// Bytes of the file up to the last chunk that was answered.
    pub(super) bytes_done: u64,
    pub(super) sent_bytes: u64,
    pub(super) resends: u64,
    /// The lines that run in place of the stop that was reached.
    pub(super) stop_macro: Option<Macro>,
    /// What the file is and how its lines are prepared, to begin again in the middle of it.
    pub(super) vetted: Vetted,
    pub(super) chain: Arc<Chain>,
    /// The link is gone, and the job waits for it.
    pub(super) lost: Option<Lost>,
    chunks: u64,
    /// Where each chunk that is not answered yet ends in the file.
    ends: VecDeque<(u64, u64)>,
    reply: oneshot::Sender<Result<Outcome, RunError>>,
}

impl Running {
    pub(super) fn chunks(&self) -> u64 {
        self.chunks
    }

    /// Begins to count anew, at a byte of the file.
    pub(super) fn starts_over(&mut self, offset: u64) {
        self.bytes_done = offset;
        self.chunks = 0;
        self.ends.clear();
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
        let busy = |job: &Running| job.conduct.is_closing() || job.lost.is_some();
        if self.job.as_ref().is_some_and(busy) {
            return super::respond(reply, Err(RunError::Busy));
        }
        let source = self
            .check_place(&job)
            .and_then(|()| self.open_source(&job.vetted, &job.chain, job.done, job.offset));
        match source {
            Ok(source) => self.start(now, job, source, reply),
            Err(error) => super::respond(reply, Err(error)),
        }
    }

    /// Opens the file behind line `done`, at byte `offset`, when the streamer is ready for a program, and begins it.
    pub(super) fn open_source(
        &mut self,
        vetted: &Vetted,
        chain: &Arc<Chain>,
        done: u64,
        offset: u64,
    ) -> Result<Source, RunError> {
        let identity = &vetted.identity;
        let file = OpenFile::open(&identity.path)?;
        if file.bytes != identity.bytes || file.modified != vetted.modified {
            return Err(file.changed().into());
        }
        let start = Start {
            line: done + 1,
            offset,
        };
        let budget = self.config.budget.clone();
        let config = chain.config();
        let flavor = config.dialect().flavor();
        let content = Arc::clone(vetted.index().content());
        let reader = Reader::new(file, start, flavor, sizer(&budget), content)?;
        // What lossless packing leaves out depends on where chunks begin, and was proved for the chunks of the vetting only.
        let (reader, chain) = match config.pack() {
            Pack::Lossless if start.is_whole() && cuts_as_vetted(&budget) => {
                (reader.cut_as_vetted(), Arc::clone(chain))
            }
            Pack::Lossless => {
                let config = config.clone().with_pack(Pack::Spaces);
                (reader, Arc::new(Chain::new(config)))
            }
            _ => (reader, Arc::clone(chain)),
        };
        self.streamer.begin(done)?;
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
        let recording = if job.store.is_some() {
            Recording::On
        } else {
            Recording::Off
        };
        let identity = &job.vetted.identity;
        let total_lines = identity.lines;
        let conduct = Conduct::begin(
            identity.clone(),
            job.machine,
            self.config.checkpoints,
            recording,
            job.done,
            now,
            &mut self.streamer,
        )
        .with_baseline(job.set_up);
        self.keeper = job.store.map(Keeper::new);
        self.source = Some(source);
        self.emit(Event::StreamingStarted {
            first_line: job.done + 1,
            total_lines,
        });
        self.job = Some(Running {
            conduct,
            bytes_done: job.offset,
            sent_bytes: 0,
            resends: 0,
            stop_macro: None,
            vetted: job.vetted,
            chain: job.chain,
            lost: None,
            chunks: 0,
            ends: VecDeque::new(),
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
        if let Some(reason) = self.job.as_ref().and_then(|job| job.conduct.failing()) {
            return Err(WishError::Ending(reason.to_owned()));
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
        if let Some(running) = &mut self.job {
            let streamer = &mut self.streamer;
            running.conduct.bring_to_rest(now, cause, reason, streamer);
        }
    }

    /// The machine stands still. When that was wished because the job fails, the job is given up; `true` then.
    pub(super) fn rests(&mut self, now: Duration) -> bool {
        self.job
            .as_mut()
            .is_some_and(|job| job.conduct.rests(now, &mut self.streamer))
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
        let conduct = &mut running.conduct;
        if running.stop_macro.is_some() || conduct.is_closing() || conduct.failing().is_some() {
            return false;
        }
        let reason = "the job waited for a decision and nobody was left to decide".to_owned();
        conduct.bring_to_rest(now, Cause::Abandoned, reason, &mut self.streamer);
        true
    }

    /// Whether a fault ends the job, or waits for the operator.
    pub(super) fn on_fault(&mut self, now: Duration, fault: &Fault) {
        if loses_position(fault) {
            self.note_restart();
        }
        let in_doubt = Conduct::in_doubt(fault, &self.streamer);
        self.emit(Event::Fault {
            message: fault.to_string(),
            first_in_doubt: in_doubt.first,
            last_in_doubt: in_doubt.last,
        });
        let ends = match &mut self.job {
            Some(running) => running.conduct.on_fault(now, fault, &self.streamer),
            None => !matches!(fault, Fault::Line { .. }),
        };
        if ends {
            self.forget_commands();
            self.close(now);
        }
    }

    pub(super) fn job_finished(&mut self, now: Duration) {
        if self.source.take().is_some() {
            // The program ended before the file did; no chunk behind its end is wanted.
            let chunks = self.job.as_ref().map_or(0, Running::chunks);
            self.emit(Event::ProcessingCompleted { chunks });
        }
        if let Some(running) = &mut self.job {
            running.conduct.finished(now, &self.streamer);
        }
        self.close(now);
    }

    /// The machine stands still after a cancellation, wished for or forced by a failure beside the machine.
    pub(super) fn job_cancelled(&mut self, now: Duration) {
        self.forget_commands();
        if let Some(running) = &mut self.job {
            running.conduct.cancelled(now, &self.streamer);
        }
        self.close(now);
    }

    /// Nothing leaves any more. The job is over for the world when its last record is durable.
    pub(super) fn close(&mut self, now: Duration) {
        self.source = None;
        self.comparison = None;
        // Also where there is no link any more, and with it no loop that would think of it.
        self.consider_record(now);
        self.conclude_when_written();
    }

    /// Tells the world how the job ended, once its last record is durable, or none can be written.
    pub(super) fn conclude_when_written(&mut self) {
        let closed = self.job.as_ref().and_then(|job| job.conduct.outcome());
        let Some(closed) = closed.cloned() else {
            return;
        };
        // The store is closed first, so that whoever hears of the end can open it.
        self.keeper = None;
        let progress = self.job.as_ref().map(|running| self.progress(running));
        let Some(running) = self.job.take() else {
            return;
        };
        if let Some(progress) = progress {
            self.emit(Event::Progress(progress));
        }
        self.emit(Event::StreamingStopped {
            outcome: closed.ending.name(),
            executed: closed.positions.executed,
            elapsed_ms: super::millis(closed.elapsed),
        });
        self.publish(progress);
        let outcome = Outcome {
            lines: closed
                .positions
                .acked
                .saturating_sub(running.conduct.done()),
            ending: closed.ending,
            positions: closed.positions,
            elapsed: closed.elapsed,
            bytes_sent: running.sent_bytes,
            resends: running.resends,
        };
        super::respond(running.reply, Ok(outcome));
    }
}
