//! A job whose link was lost: when the link is back, the controller says where it stands, and the job goes on exactly there or ends.

use std::{sync::Arc, time::Duration};

use feedhold_stream_core::{
    resume::{Baseline, ControllerIdentity, Facts, Located, Proof, Refusal, locate},
    streamer::{Fault, Pause, State},
    wire::Chain,
};
use tokio::task::{JoinHandle, spawn_blocking};

use super::{Task, Wish, records::since_1970_ms, respond};
use crate::{
    Event, Inquiry, Record, Vetted,
    handle::{Cause, RunError, WishError},
    history::History,
    prospect::{Doubtful, prospect},
    source::SourceError,
};

/// A job that waits for its link.
pub(super) struct Lost {
    /// What it does when it goes on.
    afterwards: Afterwards,
    /// How the link was lost, and which lines are in doubt.
    fault: String,
}

/// What a job does when its link is back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Afterwards {
    /// It streams.
    GoOn,
    /// It stays paused: no pause ends by itself.
    Hold,
}

/// The comparison of a controller with a job, on a thread that may read the file.
pub(super) struct Comparison(JoinHandle<Result<Place, Stays>>);

/// What it came to.
pub(super) type Compared = Result<Place, Stays>;

/// Where the job goes on.
pub(super) struct Place {
    done: u64,
    offset: u64,
    proof: Proof,
}

/// Why it does not.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stays {
    #[error("{refusal}. {}", refusal.remedy())]
    Refused { refusal: Box<Refusal> },
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("the controller did not say where it stands")]
    NoFacts,
    #[error("the thread that compares has died")]
    Died,
}

impl From<Refusal> for Stays {
    fn from(refusal: Refusal) -> Self {
        Self::Refused {
            refusal: Box::new(refusal),
        }
    }
}

impl Task {
    /// What the job would do when its link came back; `None` when it ends with its link: nothing is asked of controllers, the link
    /// is not tried again, or somebody has to decide something that has to do with lines in flight.
    pub(super) fn afterwards(&self) -> Option<Afterwards> {
        let running = self.job.as_ref()?;
        if let Some(lost) = &running.lost {
            return Some(lost.afterwards);
        }
        let comes_back = self.config.inquiry == Inquiry::Facts
            && self.config.reconnect.delay(self.failed + 1).is_some()
            && running.stop_macro.is_none()
            && !running.conduct.is_closing()
            && running.conduct.failing().is_none();
        match self.streamer.state() {
            State::Streaming | State::Resuming if comes_back => Some(Afterwards::GoOn),
            State::Pausing | State::Paused if comes_back => Some(Afterwards::Hold),
            _ => None,
        }
    }

    /// The link of the job is lost. The job waits.
    pub(super) fn lose_job(&mut self, now: Duration, fault: &Fault, afterwards: Afterwards) {
        let Some(running) = &mut self.job else { return };
        self.source = None;
        running
            .conduct
            .link_lost(now, since_1970_ms(), &self.streamer);
        running.lost = Some(Lost {
            afterwards,
            fault: fault.to_string(),
        });
        self.consider_record(now);
        self.report_state();
    }

    /// A controller has proved itself alive: when a job waits, it is compared with that.
    pub(super) fn compare(&mut self) {
        let Some(running) = self.job.as_ref().filter(|job| job.lost.is_some()) else {
            return;
        };
        let Some(record) = running.conduct.away().cloned() else {
            return;
        };
        let facts = self.streamer.facts().cloned();
        let (vetted, chain) = (running.vetted.clone(), Arc::clone(&running.chain));
        let work = spawn_blocking(move || {
            let facts = facts.ok_or(Stays::NoFacts)?;
            place(&vetted, &chain, &record, &facts)
        });
        self.comparison = Some(Comparison(work));
    }

    /// The comparison is done: the job goes on, or ends.
    pub(super) fn take_compared(&mut self, compared: Compared) {
        self.comparison = None;
        let now = self.now();
        match compared {
            Ok(place) => self.rejoin(now, &place),
            Err(stays) => {
                let cause = match stays {
                    Stays::Source(_) => Cause::Source,
                    _ => Cause::Machine,
                };
                let has_restarted = self.streamer.facts().is_some_and(|facts| facts.was_reset);
                if let Some(running) = self.job.as_mut().filter(|_| has_restarted) {
                    // A process that comes later may not see it.
                    running.conduct.lose_position();
                }
                self.stay_away(now, cause, &stays.to_string());
            }
        }
    }

    fn rejoin(&mut self, now: Duration, place: &Place) {
        let Some(running) = self.job.as_ref().filter(|job| job.lost.is_some()) else {
            return;
        };
        let (vetted, chain) = (running.vetted.clone(), Arc::clone(&running.chain));
        let source = match self.open_source(&vetted, &chain, place.done, place.offset) {
            Ok(source) => source,
            Err(error) => {
                let cause = match error {
                    RunError::Source(_) => Cause::Source,
                    _ => Cause::Machine,
                };
                return self.stay_away(now, cause, &error.to_string());
            }
        };
        self.source = Some(source);
        let Some(running) = &mut self.job else { return };
        running.starts_over(place.offset);
        running.conduct.rejoined(place.done, &mut self.streamer);
        let lost = running.lost.take();
        if lost.is_some_and(|lost| lost.afterwards == Afterwards::Hold) {
            // It has just begun, so it can be paused.
            let _ = self.streamer.hold(now, Pause::Graceful);
        }
        self.emit(Event::Rejoined {
            executed: place.done,
            proof: match place.proof {
                Proof::LineNumber { number } => format!("line number {number}"),
                _ => "position".to_owned(),
            },
        });
        self.report_state();
    }

    /// The job does not go on, although there may be a link.
    fn stay_away(&mut self, now: Duration, cause: Cause, why: &str) {
        let Some(running) = &mut self.job else { return };
        let Some(lost) = running.lost.take() else {
            return;
        };
        let message = format!("{}; {why}", lost.fault);
        self.events_fault(&message);
        let Some(running) = &mut self.job else { return };
        running
            .conduct
            .stays_away(now, cause, message, &self.streamer);
        self.close(now);
    }

    fn events_fault(&self, message: &str) {
        let away = self.job.as_ref().and_then(|job| job.conduct.away());
        let Some(away) = away else { return };
        self.emit(Event::Fault {
            message: message.to_owned(),
            first_in_doubt: away.executed + 1,
            last_in_doubt: away.sent,
        });
    }

    /// The link does not come back.
    pub(super) fn give_up_lost(&mut self, reason: &str) {
        self.stay_away(self.now(), Cause::Machine, reason);
    }

    /// Grants what can be granted while the job waits for its link; gives every other wish back when none waits.
    pub(super) fn grant_while_lost(&mut self, now: Duration, wish: Wish) -> Option<Wish> {
        let Some(running) = &mut self.job else {
            return Some(wish);
        };
        let Some(lost) = &mut running.lost else {
            return Some(wish);
        };
        let refused = Err(WishError::Reconnecting);
        match wish {
            Wish::Pause(_, reply) => {
                lost.afterwards = Afterwards::Hold;
                respond(reply, Ok(()));
            }
            Wish::Resume(reply) => {
                lost.afterwards = Afterwards::GoOn;
                respond(reply, Ok(()));
            }
            Wish::Cancel(reply) | Wish::Reset(reply) => {
                running.lost = None;
                running.conduct.cancelled(now, &self.streamer);
                self.close(now);
                respond(reply, Ok(()));
            }
            Wish::Proceed(_, reply)
            | Wish::Realtime(_, reply)
            | Wish::Command(_, reply)
            | Wish::Approach(_, reply) => respond(reply, refused),
            Wish::Run(..) | Wish::ResetStatistics(_) => return Some(wish),
        }
        None
    }
}

/// Waits for the comparison under way; for ever when there is none. Cancel safe.
pub(super) async fn compared(comparison: &mut Option<Comparison>) -> Compared {
    match comparison {
        Some(Comparison(work)) => work.await.unwrap_or(Err(Stays::Died)),
        None => std::future::pending().await,
    }
}

/// Where the job goes on, by what is on record of it and what the controller says. Blocks.
fn place(vetted: &Vetted, chain: &Chain, record: &Record, facts: &Facts) -> Result<Place, Stays> {
    check_identity(record, facts)?;
    let baseline: Option<Baseline> = record.baseline.as_ref().map(Into::into);
    let interval = prospect(vetted, chain, Doubtful::of(record, baseline.as_ref()))?;
    let Located::Exact { done, proof } = locate(&interval, facts)? else {
        return Err(Stays::NoFacts);
    };
    let offset = History::read(vetted, chain, done)?.offset;
    Ok(Place {
        done,
        offset,
        proof,
    })
}

/// Another controller may have been plugged in.
fn check_identity(record: &Record, facts: &Facts) -> Result<(), Refusal> {
    let Some(known) = record.controller.as_ref().map(ControllerIdentity::from) else {
        return Ok(());
    };
    if known.difference(&facts.identity).is_none() {
        return Ok(());
    }
    let name = |identity: &ControllerIdentity| match identity.note.as_str() {
        "" => identity.firmware.clone(),
        note => format!("{} ({note})", identity.firmware),
    };
    Err(Refusal::ForeignDevice {
        expected: name(&known),
        found: name(&facts.identity),
    })
}
