//! Events of the streamer in the words of the session, and the snapshot for observers.

use std::time::Duration;

use feedhold_stream_core::streamer::{self, MachineAction};

use super::{Running, Task, millis};
use crate::{
    Event, Snapshot, State,
    event::{Heater, Progress, Status, expiry_name, pause_name, share},
    handle::WishError,
    record::Reason,
    source::Source,
};

impl Task {
    pub(super) fn on_event(&mut self, now: Duration, event: streamer::Event) {
        use streamer::Event as E;
        match event {
            E::ChunkCompleted { index, lines, took } => self.chunk_completed(index, lines, took),
            E::Paused { .. } if self.rests(now) => {}
            E::Paused { pause, took } => {
                self.pauses.confirmed(millis(took));
                let executed = self.streamer.positions().executed;
                self.emit(Event::StreamingPaused {
                    mode: pause_name(pause),
                    executed,
                    took_ms: millis(took),
                });
                self.want_record(Reason::Paused);
            }
            E::Resumed { took } => self.emit(Event::StreamingResumed {
                took_ms: millis(took),
            }),
            E::PauseTimeout => {
                self.pauses.timed_out();
                self.emit(Event::PauseTimeout);
            }
            E::ResumeTimeout => self.emit(Event::ResumeTimeout),
            E::PauseExpired(expiry) => self.emit(Event::PauseExpired {
                policy: expiry_name(expiry),
            }),
            E::StopReached { stop, line } => self.reach_stop(now, stop, line),
            E::Fault(fault) => self.on_fault(now, &fault),
            E::CommandDone { id, answer } => self.command_done(now, id, answer),
            E::Alarm(alarm) => self.on_alarm(alarm),
            E::Message(text) => self.emit(Event::Message { text }),
            E::Status(report) => self.emit(Event::Status(Status::from(&report))),
            E::Temperature(report) => self.emit(Event::Temperature {
                heaters: heaters(&report),
            }),
            E::MachineAction(action) => self.emit(Event::MachineAction {
                action: action_name(action),
            }),
            E::Resend { number } => {
                self.resends += 1;
                if let Some(running) = &mut self.job {
                    running.resends += 1;
                }
                self.emit(Event::ChunkRetryQueued { number });
            }
            E::StrayAnswer => self.emit(Event::StrayAnswer),
            E::LeaseReached { .. } => self.lease_reached(),
            E::Dropped { count } => {
                self.emit(Event::Message {
                    text: format!("{count} messages of the controller were dropped"),
                });
            }
            E::Finished => self.job_finished(now),
            E::Cancelled => self.job_cancelled(now),
            E::ResetDone => {
                self.note_restart();
                self.forget_commands();
                self.emit(Event::ResetDone);
            }
            _ => {}
        }
    }

    fn chunk_completed(&mut self, index: u64, lines: (u64, u64), took: Duration) {
        let acked = self.streamer.positions().acked;
        let Some(running) = &mut self.job else { return };
        running.chunk_completed(index);
        let total_progress = share(acked, running.conduct.identity().lines);
        self.emit(Event::ChunkCompleted {
            chunk_index: index,
            first_line: lines.0,
            last_line: lines.1,
            total_progress,
            processing_time_ms: millis(took),
        });
    }

    fn command_done(&mut self, now: Duration, id: streamer::CommandId, answer: Result<(), String>) {
        self.emit(Event::CommandDone {
            id: id.0,
            error: answer.clone().err(),
        });
        match self.commands.remove(&id) {
            Some(reply) => super::respond(reply, answer.map_err(WishError::Refused)),
            None => self.macro_answered(now, id, answer),
        }
    }

    /// Reports progress and memory, at most ten times a second.
    pub(super) fn report(&mut self) {
        let now = self.now();
        if now < self.reported_at + super::REPORT {
            return;
        }
        self.reported_at = now;
        let acked = self.streamer.positions().acked;
        if let Some(running) = &mut self.job {
            running.conduct.note(now, acked, running.sent_bytes);
        }
        self.report_memory();
        let progress = self.job.as_ref().map(|running| self.progress(running));
        if let Some(progress) = progress {
            self.emit(Event::Progress(progress));
        }
        self.publish(progress);
    }

    /// Tells when memory crosses a threshold, when the source has to wait for some, and when it can go on.
    pub(super) fn report_memory(&mut self) {
        let budget = &self.config.budget;
        while let Some(change) = budget.poll_change() {
            self.emit(Event::MemoryWarning {
                level: change.to.to_string(),
                used_bytes: change.used,
                limit_bytes: change.limit,
            });
        }
        let starved = self.source.as_ref().is_some_and(Source::is_starved);
        if starved == self.starved_reported {
            return;
        }
        self.starved_reported = starved;
        let used_bytes = budget.used();
        self.emit(if starved {
            Event::ProcessingPaused { used_bytes }
        } else {
            Event::ProcessingResumed { used_bytes }
        });
    }

    /// What the session is doing.
    fn state(&self) -> State {
        let is_lost = self.job.as_ref().is_some_and(|job| job.lost.is_some());
        if is_lost {
            State::Reconnecting
        } else {
            self.streamer.state().into()
        }
    }

    /// Publishes a snapshot when the session does something else than before.
    pub(super) fn report_state(&mut self) {
        let state = self.state();
        if state != self.reported_state {
            self.reported_state = state;
            self.publish(self.job.as_ref().map(|running| self.progress(running)));
        }
    }

    /// Publishes a snapshot. Without a job, that of the last one stays.
    pub(super) fn publish(&self, progress: Option<Progress>) {
        let state = self.state();
        self.publish.snapshot.send_modify(|snapshot| {
            let progress = progress.unwrap_or(snapshot.progress);
            *snapshot = Snapshot {
                state,
                progress,
                status: self.streamer.status().map(Status::from),
                pauses: self.pauses,
                stray_answers: self.streamer.stray_answers(),
                checkpoints: self.checkpoints,
                resends: self.resends,
            };
        });
    }

    pub(super) fn progress(&self, running: &Running) -> Progress {
        let at = self.streamer.positions();
        let (lines_per_s, bytes_per_s) = running.conduct.pace();
        Progress {
            executed: at.executed,
            acked: at.acked,
            sent: at.sent,
            total_lines: running.conduct.identity().lines,
            bytes: running.bytes_done,
            total_bytes: running.conduct.identity().bytes,
            percentage: share(at.acked, running.conduct.identity().lines),
            lines_per_s,
            bytes_per_s,
            window_fill: self.streamer.window().fill(),
            memory_bytes: self.config.budget.used(),
            elapsed_ms: millis(self.now().saturating_sub(running.conduct.started())),
        }
    }
}

fn action_name(action: MachineAction) -> &'static str {
    match action {
        MachineAction::Pause => "pause",
        MachineAction::Resume => "resume",
        MachineAction::Cancel => "cancel",
        _ => "other",
    }
}

fn heaters(report: &feedhold_stream_core::dialect::Temperatures) -> Vec<Heater> {
    report
        .readings()
        .iter()
        .map(|reading| Heater {
            name: reading.heater.to_string(),
            current: reading.current_celsius,
            target: reading.target_celsius,
        })
        .collect()
}
