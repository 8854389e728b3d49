//! What a job decides: which record is written when, how far the lease reaches, and what becomes of the job when something fails.
//!
//! No clock, link, disk or task: the session's loop and the fault world of the tests drive the same [`Conduct`].

use std::time::Duration;

use feedhold_stream_core::{
    Streamer,
    dialect::Alarm,
    lease::{CheckpointInterval, Lease},
    streamer::{Fault, InDoubt, Pause, Positions, State},
};

use crate::{
    handle::{Cause, Ending},
    rates::Rates,
    record::{FileIdentity, Reason, Record, Setup},
};

/// The decisions of a job under way.
///
/// After every change the driver asks [`due`](Self::due) before it lets the streamer send, and hands a record to the disk when there
/// is one; one record is on its way at a time. What the disk answers goes to [`durable`](Self::durable) or
/// [`unwritable`](Self::unwritable), and [`outcome`](Self::outcome) tells when all is over.
#[derive(Debug)]
pub struct Conduct {
    identity: FileIdentity,
    machine: String,
    /// How the machine was set up when the job began.
    baseline: Option<Setup>,
    done: u64,
    started: Duration,
    rates: Rates,
    lease: Lease,
    /// A record for this reason has to be written as soon as the disk is free.
    wanted: Option<Reason>,
    /// The job is being brought to rest because of this.
    failing: Option<(Cause, String)>,
    /// Set when nothing is left to do but to write the last record.
    closing: Option<Closing>,
    /// Set while the link is lost and may come back.
    away: Option<Away>,
    /// Where the machine stands proves nothing any more.
    position_lost: bool,
    interval: CheckpointInterval,
    disk: Disk,
}

/// A job whose link is lost: where it stood then. What a streamer says afterwards is about the next link.
#[derive(Debug)]
struct Away {
    positions: Positions,
    record: Box<Record>,
    /// The record was handed to the disk.
    handed_over: bool,
}

/// How a job ended.
#[derive(Debug, Clone)]
pub struct Closed {
    /// The word for it.
    pub ending: Ending,
    /// Where it stood.
    pub positions: Positions,
    /// Time since it began.
    pub elapsed: Duration,
}

/// A job that has ended and is perhaps not written down yet.
#[derive(Debug)]
struct Closing {
    closed: Closed,
    reason: Reason,
    /// The last record was handed to the disk.
    handed_over: bool,
}

/// What the job's records go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disk {
    /// None was wished for.
    Absent,
    /// It takes a record.
    Idle,
    /// A record is on its way.
    Busy,
    /// A record could not be written, so none may follow.
    Spent,
}

/// Whether a job writes records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    /// Not a line leaves before a record that names it is durable.
    On,
    /// After a crash nothing is known.
    Off,
}

impl Conduct {
    /// A job begins at `now`, behind line `done`. Closes the streamer's lease until the first record is durable.
    pub fn begin(
        identity: FileIdentity,
        machine: String,
        interval: CheckpointInterval,
        recording: Recording,
        done: u64,
        now: Duration,
        streamer: &mut Streamer,
    ) -> Self {
        let (disk, ceiling) = match recording {
            Recording::On => (Disk::Idle, done),
            Recording::Off => (Disk::Absent, u64::MAX),
        };
        streamer.lease(ceiling);
        Self {
            lease: Lease::new(interval, done, identity.lines),
            identity,
            machine,
            baseline: None,
            done,
            started: now,
            rates: Rates::default(),
            wanted: Some(Reason::Start),
            failing: None,
            closing: None,
            away: None,
            position_lost: false,
            interval,
            disk,
        }
    }

    /// The same for a job that goes on: how the machine was set up when it began.
    #[must_use]
    pub fn with_baseline(mut self, baseline: Option<Setup>) -> Self {
        self.baseline = baseline;
        self
    }

    /// The file.
    #[must_use]
    pub fn identity(&self) -> &FileIdentity {
        &self.identity
    }

    /// The last line that was executed before the job began.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done
    }

    /// When it began.
    #[must_use]
    pub fn started(&self) -> Duration {
        self.started
    }

    /// Notes how far the job is, about ten times a second: leases follow its pace.
    pub fn note(&mut self, now: Duration, acked: u64, sent_bytes: u64) {
        self.rates.note(now, acked, sent_bytes);
    }

    /// Lines and bytes a second, over the last seconds.
    #[must_use]
    pub fn pace(&self) -> (f64, f64) {
        self.rates.per_second()
    }

    /// A record was asked for by an event of the job.
    pub fn want(&mut self, reason: Reason) {
        self.wanted = Some(reason);
    }

    /// The streamer stands at its ceiling.
    pub fn lease_reached(&mut self) {
        self.lease.exhausted();
    }

    /// The record that has to go to the disk now, when one is due and the disk is free. `wall_ms` is the time since 1970.
    ///
    /// While the job stands still the lease is taken back: a record that says so leaves nothing in doubt, and the first line behind
    /// the standstill needs a new one.
    #[must_use]
    pub fn due(&mut self, now: Duration, wall_ms: u64, streamer: &mut Streamer) -> Option<Record> {
        if self.disk != Disk::Idle {
            return None;
        }
        if let Some(record) = self.last_or_away() {
            self.disk = Disk::Busy;
            return Some(record);
        }
        let (at, ceiling, elapsed, reason) = match &mut self.closing {
            Some(closing) if closing.handed_over => return None,
            Some(closing) => {
                closing.handed_over = true;
                let Closed {
                    positions, elapsed, ..
                } = closing.closed;
                // What will not be sent needs no lease.
                (positions, positions.sent, elapsed, closing.reason)
            }
            None if self.away.is_some() => return None,
            None => {
                if streamer.is_taking_stock() {
                    return None;
                }
                let at = streamer.positions();
                let stands = matches!(streamer.state(), State::Paused | State::AtStop);
                let is_due = !stands && self.lease.is_due(now, at.acked, at.sent);
                if self.wanted.is_none() && !is_due {
                    return None;
                }
                let reason = self.wanted.take().unwrap_or(Reason::Interval);
                let ceiling = if stands {
                    streamer.lease(at.sent);
                    self.lease.take_back(now, at.acked, at.sent)
                } else {
                    let (lines_per_s, _) = self.rates.per_second();
                    self.lease.next_ceiling(now, at.acked, at.sent, lines_per_s)
                };
                (at, ceiling, now.saturating_sub(self.started), reason)
            }
        };
        self.disk = Disk::Busy;
        Some(self.record(at, ceiling, elapsed, reason, wall_ms, streamer))
    }

    /// The record of a job whose link is lost: once when it was lost, and once when the job ends without it.
    fn last_or_away(&mut self) -> Option<Record> {
        let away = self.away.as_mut()?;
        let Some(closing) = &mut self.closing else {
            let is_new = !std::mem::replace(&mut away.handed_over, true);
            return is_new.then(|| (*away.record).clone());
        };
        let is_new = !std::mem::replace(&mut closing.handed_over, true);
        is_new.then(|| Record {
            reason: closing.reason,
            elapsed: closing.closed.elapsed,
            position_lost: self.position_lost,
            ..(*away.record).clone()
        })
    }

    fn record(
        &mut self,
        at: Positions,
        ceiling: u64,
        elapsed: Duration,
        reason: Reason,
        wall_ms: u64,
        streamer: &Streamer,
    ) -> Record {
        if self.baseline.is_none() {
            self.baseline = streamer.facts().map(|facts| (&facts.baseline()).into());
        }
        Record {
            file: self.identity.clone(),
            machine: self.machine.clone(),
            dialect: streamer.dialect().name().to_owned(),
            executed: at.executed,
            acked: at.acked,
            sent: at.sent,
            ceiling,
            elapsed,
            written_at_ms: wall_ms,
            reason,
            controller: streamer.facts().map(|facts| (&facts.identity).into()),
            baseline: self.baseline.clone(),
            position: streamer.machine_position(),
            anchor: streamer.number_anchor(),
            decided: None,
            position_lost: self.position_lost,
        }
    }

    /// The controller has restarted, or was stopped in mid-motion: every record from now on says so.
    pub fn lose_position(&mut self) {
        self.position_lost = true;
    }

    /// The link is lost and may come back. Called before the streamer hears of the next one. Nothing leaves meanwhile, so no line
    /// beyond what was sent is in doubt.
    pub fn link_lost(&mut self, now: Duration, wall_ms: u64, streamer: &Streamer) {
        let positions = streamer.positions();
        let elapsed = now.saturating_sub(self.started);
        let sent = positions.sent;
        let record = self.record(positions, sent, elapsed, Reason::Fault, wall_ms, streamer);
        self.away = Some(Away {
            positions,
            record: Box::new(record),
            handed_over: false,
        });
    }

    /// What is on record of a job whose link is lost; `None` while there is one.
    #[must_use]
    pub fn away(&self) -> Option<&Record> {
        self.away.as_ref().map(|away| &*away.record)
    }

    /// The link is back, the controller has proved that line `done` was the last one, and the streamer has begun behind it. Not a
    /// line leaves before a record of that is durable.
    pub fn rejoined(&mut self, done: u64, streamer: &mut Streamer) {
        self.away = None;
        self.lease = Lease::new(self.interval, done, self.identity.lines);
        self.wanted = Some(Reason::Reconnected);
        streamer.lease(match self.disk {
            Disk::Absent => u64::MAX,
            _ => done,
        });
    }

    /// The link does not come back, or the job cannot go on over the one that came.
    pub fn stays_away(
        &mut self,
        now: Duration,
        cause: Cause,
        message: String,
        streamer: &Streamer,
    ) {
        let ending = Ending::Failed { cause, message };
        self.end(now, ending, Reason::Fault, streamer);
    }

    /// The record is durable: lines up to its ceiling may leave.
    pub fn durable(&mut self, record: &Record, streamer: &mut Streamer) {
        self.disk = Disk::Idle;
        if self.closing.is_none() && self.away.is_none() {
            streamer.lease(record.ceiling);
        }
    }

    /// A record could not be written, so none may follow: the machine finishes what it was sent, and the job ends.
    pub fn unwritable(&mut self, now: Duration, reason: String, streamer: &mut Streamer) {
        self.disk = Disk::Spent;
        if self.away.is_some() {
            self.stays_away(now, Cause::Records, reason, streamer);
        } else if self.closing.is_none() {
            self.bring_to_rest(now, Cause::Records, reason, streamer);
        }
    }

    /// The job cannot go on, and the machine is not to blame: it finishes what it was sent, and then stands still.
    pub fn bring_to_rest(
        &mut self,
        now: Duration,
        cause: Cause,
        reason: String,
        streamer: &mut Streamer,
    ) {
        if self.failing.is_some() {
            return;
        }
        self.failing = Some((cause, reason));
        // The states were looked at, so neither wish can be refused.
        match streamer.state() {
            State::Streaming | State::Resuming => {
                let _ = streamer.hold(now, Pause::Graceful);
            }
            State::Pausing | State::Cancelling => {}
            _ => {
                let _ = streamer.cancel(now);
            }
        }
    }

    /// Why the job is being brought to rest.
    #[must_use]
    pub fn failing(&self) -> Option<&str> {
        self.failing.as_ref().map(|(_, reason)| reason.as_str())
    }

    /// The machine stands still. When that was wished because the job fails, the job is given up; `true` then. Behind the last line
    /// that was sent it stands with everything in force, as in a pause, so that the job can go on exactly there.
    pub fn rests(&mut self, now: Duration, streamer: &mut Streamer) -> bool {
        if self.failing.is_some() && streamer.leave(now).is_err() {
            // A paused job can be cancelled.
            let _ = streamer.cancel(now);
        }
        self.failing.is_some()
    }

    /// The lines that a fault leaves in doubt.
    #[must_use]
    pub fn in_doubt(fault: &Fault, streamer: &Streamer) -> InDoubt {
        match fault {
            Fault::Line { may_have_run, .. } => *may_have_run,
            _ => streamer.positions().in_doubt(),
        }
    }

    /// The job stands still. A refused line waits for the operator; everything else ends the job, `true` then.
    pub fn on_fault(&mut self, now: Duration, fault: &Fault, streamer: &Streamer) -> bool {
        if matches!(fault, Fault::Line { .. }) {
            self.want(Reason::Fault);
            return false;
        }
        if loses_position(fault) {
            self.lose_position();
        }
        let ending = Ending::Failed {
            cause: Cause::Machine,
            message: fault.to_string(),
        };
        self.end(now, ending, Reason::Fault, streamer);
        true
    }

    /// The whole program was executed.
    pub fn finished(&mut self, now: Duration, streamer: &Streamer) {
        self.end(now, Ending::Finished, Reason::Finished, streamer);
    }

    /// The machine stands still after a cancellation, wished for or forced by a failure beside the machine.
    pub fn cancelled(&mut self, now: Duration, streamer: &Streamer) {
        let (ending, reason) = match self.failing.take() {
            Some((cause, message)) => (Ending::Failed { cause, message }, Reason::Fault),
            None => (Ending::Cancelled, Reason::Cancelled),
        };
        self.end(now, ending, reason, streamer);
    }

    /// Nothing leaves any more. The job is over for the world when its last record is durable.
    fn end(&mut self, now: Duration, ending: Ending, reason: Reason, streamer: &Streamer) {
        if self.closing.is_some() {
            return;
        }
        self.closing = Some(Closing {
            closed: Closed {
                ending,
                positions: match &self.away {
                    Some(away) => away.positions,
                    None => streamer.positions(),
                },
                elapsed: now.saturating_sub(self.started),
            },
            reason,
            handed_over: false,
        });
    }

    /// Whether the job has ended, written down or not.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// How the job ended, once nothing is left to be written.
    #[must_use]
    pub fn outcome(&self) -> Option<&Closed> {
        let closing = self.closing.as_ref()?;
        let written = match self.disk {
            Disk::Absent | Disk::Spent => true,
            Disk::Idle => closing.handed_over,
            Disk::Busy => false,
        };
        written.then_some(&closing.closed)
    }
}

/// Whether a fault leaves a controller behind that does not know where the machine is. An alarm whose number was lost counts.
#[must_use]
pub fn loses_position(fault: &Fault) -> bool {
    match fault {
        Fault::ControllerReset { .. } | Fault::Fatal { .. } => true,
        Fault::Alarm { alarm, .. } => alarm.is_none_or(Alarm::loses_position),
        _ => false,
    }
}
