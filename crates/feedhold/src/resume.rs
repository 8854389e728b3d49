//! Going on where a job stopped.
//!
//! [`Stopped`] is what is known of such a job: its newest record and its file. A controller that lives tells where it stands, and
//! [`Stopped::decide`] finds out whether the job goes on exactly, needs an approach, or has to be refused; an operator may choose the
//! line instead ([`Stopped::plan`]). Before the machine moves, [`Stopped::record`] has to be durable, so that a fault during the
//! resume leaves the place as it is.
//!
//! What is planned and refused, and why, is the business of [`stream_core::resume`](feedhold_stream_core::resume).

use std::{borrow::Cow, path::Path, sync::Arc, time::SystemTime};

use feedhold_checkpoint::OpenError;
use feedhold_session::{Doubtful, Reason, Record, Setup, Vetted, history::History, prospect};
use feedhold_stream_core::{
    chunk::Class,
    dialect::Dialect,
    resume::{
        Baseline, Candidate, ControllerIdentity, Facts, InDoubt, Interval, Located,
        check_stored_offsets, footing, locate,
    },
    streamer::GreetingError,
    wire::Chain,
};

use crate::{
    Error,
    job::Settings,
    jobs::{Begun, JobsError},
};

pub use feedhold_stream_core::resume::{
    Approach, Footing, Homing, Plan, RangeError, Refusal, Step, Tool, ToolTable,
};

/// A job that stopped before its end.
#[derive(Debug, Clone)]
pub struct Stopped {
    record: Record,
    vetted: Vetted,
    chain: Arc<Chain>,
    baseline: Option<Baseline>,
}

/// Where a job is to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Behind the last line that was executed for certain.
    Executed,
    /// With the first motion at or behind this line.
    Line(u64),
    /// Behind the last retract before the lines in doubt.
    Retract,
}

/// What the operator says of a controller that has restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Homed {
    /// Nothing.
    #[default]
    Unknown,
    /// The machine was homed since, and its zero is where it was.
    Confirmed,
}

impl Stopped {
    /// A job whose newest record is `record`. `vetted` is its file as it is now, vetted with the settings of the job.
    ///
    /// # Errors
    /// [`Error::Resume`] when the file is another one, or nothing is left to do.
    pub fn new(record: Record, vetted: Vetted, settings: &Settings) -> Result<Self, Error> {
        if !record.file.same_content(&vetted.identity) {
            let path = vetted.identity.path;
            return Err(Refusal::FileChanged { path }.into());
        }
        if record.reason == Reason::Finished {
            return Err(Refusal::Finished.into());
        }
        let lines = vetted.identity.lines;
        if record.executed >= lines {
            return Err(Refusal::NothingLeft { lines }.into());
        }
        Ok(Self {
            baseline: record.baseline.as_ref().map(Baseline::from),
            chain: Arc::new(settings.chain()?),
            record,
            vetted,
        })
    }

    /// The lines that may or may not have run; `None` behind a clean stop.
    #[must_use]
    pub fn in_doubt(&self) -> Option<InDoubt> {
        let lines = InDoubt {
            first: self.record.executed + 1,
            last: self.last(),
        };
        (!self.record.is_clean() && !lines.is_empty()).then_some(lines)
    }

    /// Last line executed for certain.
    #[must_use]
    pub fn executed(&self) -> u64 {
        self.record.executed
    }

    /// The last line that may have run.
    fn last(&self) -> u64 {
        let last = if self.record.is_clean() {
            self.record.executed
        } else {
            self.record.ceiling.max(self.record.sent)
        };
        last.min(self.vetted.identity.lines)
    }

    /// What the controller allows without anybody choosing: going on exactly where it stands, or, behind a clean stop, coming back to
    /// the place. Blocks.
    ///
    /// # Errors
    /// [`Error::Resume`] with what stands against it; [`Error::Source`] when the file cannot be read.
    pub fn decide(&self, facts: &Facts, homed: Homed, way: Approach) -> Result<Plan, Error> {
        let facts = &*self.with_restart(facts);
        self.check_controller(facts, homed)?;
        let clean = self.in_doubt().is_none();
        // Whoever says that the machine was homed says that it had lost its place: where it stands proves nothing.
        if facts.was_reset || homed == Homed::Confirmed {
            check_stored_offsets(&self.interval()?, facts)?;
            if !clean {
                return Err(self.doubt().into());
            }
            return self.plan(
                Choice::Executed,
                with_table(facts, way).footing(Footing::Lost),
            );
        }
        match self.locate(facts)? {
            Ok(Located::Exact { done, .. }) => {
                let offset = History::read(&self.vetted, &self.chain, done)?.offset;
                Ok(Plan::seamless(done, offset))
            }
            Ok(_) => Err(self.doubt().into()),
            Err(Refusal::Moved { .. })
                if homed == Homed::Unknown && stands_as_switched_on(facts) =>
            {
                Err(Refusal::Restarted.into())
            }
            // A printer that stands elsewhere may have been given another zero, which it does not tell.
            Err(refusal @ Refusal::Moved { .. }) if facts.dialect == Dialect::Marlin => {
                Err(refusal.into())
            }
            // Jogged, something else is in force, or a reset took a G92 away: the approach puts them right. Other offsets that
            // differ are refused by the footing.
            Err(
                Refusal::Moved { .. }
                | Refusal::OffsetsDiffer { .. }
                | Refusal::ModalDiffers { .. }
                | Refusal::PositionUnknown { .. },
            ) if clean => {
                let footing = self.footing(self.record.executed, facts)??;
                if footing == Footing::Lost
                    && homed == Homed::Unknown
                    && stands_as_switched_on(facts)
                {
                    return Err(Refusal::Restarted.into());
                }
                self.plan(Choice::Executed, with_table(facts, way).footing(footing))
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Whether this is the controller of the job, and whether it knows where it is.
    ///
    /// # Errors
    /// [`Refusal::ForeignDevice`], [`Refusal::Restarted`].
    pub fn check_controller(&self, facts: &Facts, homed: Homed) -> Result<(), Refusal> {
        let before = self
            .record
            .controller
            .as_ref()
            .map(ControllerIdentity::from);
        if let Some(before) = before.filter(|before| before.difference(&facts.identity).is_some()) {
            return Err(Refusal::ForeignDevice {
                expected: name(&before),
                found: name(&facts.identity),
            });
        }
        if self.has_restarted(facts) && homed == Homed::Unknown {
            return Err(Refusal::Restarted);
        }
        Ok(())
    }

    /// Whether the controller has restarted since the machine was last where the job knows it, seen now or on record.
    #[must_use]
    pub fn has_restarted(&self, facts: &Facts) -> bool {
        facts.was_reset || self.record.position_lost
    }

    /// What the controller says of itself, and that it has restarted where only the record knows it.
    fn with_restart<'a>(&self, facts: &'a Facts) -> Cow<'a, Facts> {
        let mut facts = Cow::Borrowed(facts);
        if self.record.position_lost && !facts.was_reset {
            facts.to_mut().was_reset = true;
        }
        facts
    }

    /// The refusal when nothing tells which of the lines in doubt was the last.
    #[must_use]
    pub fn doubt(&self) -> Refusal {
        Refusal::InDoubt {
            executed: self.record.executed,
            last: self.last(),
            why: feedhold_stream_core::resume::Doubt::Unproved,
        }
    }

    /// The way back to a place that somebody has chosen. Blocks.
    ///
    /// # Errors
    /// [`Error::Resume`] with what stands against it; [`Error::Source`] when the file cannot be read.
    pub fn plan(&self, choice: Choice, way: Approach) -> Result<Plan, Error> {
        let done = match choice {
            Choice::Executed => self.record.executed,
            Choice::Line(line) => self.before(line)?,
            Choice::Retract => self.retract()?,
        };
        let history = self.read(done)?;
        let plan = Plan::with(done, history.offset, &history.at, &history.ahead, &way)?;
        Ok(plan.beside(self.record.executed, self.last()))
    }

    /// The same beside a controller that is there: offsets that it has lost are set again, others are left alone. Blocks.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub fn plan_beside(&self, choice: Choice, facts: &Facts, way: Approach) -> Result<Plan, Error> {
        let facts = &*self.with_restart(facts);
        let place = match choice {
            Choice::Executed => self.record.executed,
            Choice::Line(line) => self.before(line)?,
            Choice::Retract => self.retract()?,
        };
        // Whoever chooses a line has seen the offsets that differ, and takes them for right.
        let footing = self.footing(place, facts)?.unwrap_or(Footing::Kept);
        self.plan(choice, with_table(facts, way).footing(footing))
    }

    /// What the controller still knows of what the program has set up to line `done`.
    fn footing(&self, done: u64, facts: &Facts) -> Result<Result<Footing, Refusal>, Error> {
        let at = self.read(done)?.at;
        let candidate = Candidate::first(done, &at, self.baseline.as_ref());
        Ok(footing(&candidate, &at, facts))
    }

    /// The last line in front of the first motion at or behind `line`.
    fn before(&self, line: u64) -> Result<u64, Error> {
        let lines = self.vetted.identity.lines;
        if line == 0 || line > lines {
            return Err(Refusal::LineOutOfRange { line, lines }.into());
        }
        let next = self.read(line - 1)?.ahead.next;
        let next = next.ok_or(Refusal::NotAMotion { line })?;
        Ok(next.line - 1)
    }

    /// The last line before the lines in doubt behind which the tool was out of the way; 0 when it never was.
    ///
    /// # Errors
    /// [`Error::Source`] when the file cannot be read.
    pub fn retract(&self) -> Result<u64, Error> {
        let history = self.read(self.record.executed)?;
        Ok(history.at.last_retract().unwrap_or(0))
    }

    fn read(&self, done: u64) -> Result<History, Error> {
        Ok(History::read(&self.vetted, &self.chain, done)?)
    }

    fn locate(&self, facts: &Facts) -> Result<Result<Located, Refusal>, Error> {
        Ok(locate(&self.interval()?, facts))
    }

    /// What may have run.
    fn interval(&self) -> Result<Interval<'_>, Error> {
        let doubtful = Doubtful {
            last: self.last(),
            ..Doubtful::of(&self.record, self.baseline.as_ref())
        };
        Ok(prospect(&self.vetted, &self.chain, doubtful)?)
    }

    /// The lines of an approach as they go to the wire, vetted like every line of a program, and behind them what is answered when the
    /// machine has come to the place: twice, because an answer that comes twice takes the place of the next one.
    ///
    /// # Errors
    /// [`Refusal::PlanUnusable`] when the controller cannot take one, or one of them stops.
    pub fn wire(&self, plan: &Plan) -> Result<Vec<String>, Refusal> {
        let unusable = |line: u64, reason: String| Refusal::PlanUnusable {
            line: usize::try_from(line).unwrap_or(usize::MAX),
            reason,
        };
        let lines: Vec<_> = plan
            .approach
            .iter()
            .map(|step| step.line.as_str())
            .collect();
        let prepared = self.chain.program(&lines.join("\n")).map_err(|refused| {
            refused.first().map_or_else(
                || unusable(0, refused.to_string()),
                |first| unusable(first.line, first.to_string()),
            )
        })?;
        let barrier = String::from_utf8_lossy(self.chain.config().dialect().barrier()).into_owned();
        let settled = (!plan.approach.is_empty()).then(|| [barrier.clone(), barrier]);
        prepared
            .lines()
            .map(|line| match line.class {
                Class::Stop(stop) => Err(unusable(line.source_line, format!("it stops: {stop}"))),
                _ => Ok(String::from_utf8_lossy(line.text).into_owned()),
            })
            .chain(settled.into_iter().flatten().map(Ok))
            .collect()
    }

    /// What has to be durable before the first line of a plan leaves: from here on nothing is in doubt but what was decided, and
    /// the next resume begins at the same place.
    #[must_use]
    pub fn record(&self, plan: &Plan, facts: Option<&Facts>) -> Record {
        let facts_now = facts.map(Facts::baseline);
        Record {
            executed: plan.done,
            acked: plan.done,
            sent: plan.done,
            ceiling: plan.done,
            written_at_ms: since_1970_ms(),
            reason: Reason::Approach,
            controller: facts
                .map(|facts| (&facts.identity).into())
                .or_else(|| self.record.controller.clone()),
            baseline: self.set_up(plan, facts),
            position: facts_now
                .and_then(|now| now.position)
                .or(self.record.position),
            // Numbers on the wire begin anew.
            anchor: None,
            decided: self.decided(plan),
            // Whoever goes on behind a restart says that the machine was homed.
            position_lost: false,
            ..self.record.clone()
        }
    }

    /// What has to be on record as soon as the controller is seen to have restarted: a process that comes later may not see it, and
    /// where the machine stands proves nothing any more. `None` when it is on record.
    #[must_use]
    pub fn record_of_restart(&self) -> Option<Record> {
        let lost = Record {
            position_lost: true,
            written_at_ms: since_1970_ms(),
            ..self.record.clone()
        };
        (!self.record.position_lost).then_some(lost)
    }

    /// The lines that somebody has decided about, here or in an earlier resume that did not come to its end.
    fn decided(&self, plan: &Plan) -> Option<InDoubt> {
        let all = [self.in_doubt(), plan.repeats, self.record.decided];
        all.into_iter().flatten().reduce(|a, b| InDoubt {
            first: a.first.min(b.first),
            last: a.last.max(b.last),
        })
    }

    /// How the machine is set up, as what goes on has to reckon with it.
    #[must_use]
    pub fn set_up(&self, plan: &Plan, facts: Option<&Facts>) -> Option<Setup> {
        let before = self.record.baseline.clone();
        let Some(facts) = facts.filter(|_| !plan.seamless) else {
            return before;
        };
        let now = Setup::from(&facts.baseline());
        match before {
            // What G92 and G43.1 of the program have set since is in what the controller reports now.
            Some(before) if !self.has_restarted(facts) => Some(Setup {
                systems: now.systems,
                ..before
            }),
            _ => Some(now),
        }
    }

    /// The file, vetted.
    #[must_use]
    pub fn vetted(&self) -> &Vetted {
        &self.vetted
    }
}

/// Whether the controller has a tool table.
fn with_table(facts: &Facts, way: Approach) -> Approach {
    let firmware = facts.identity.firmware.to_lowercase();
    way.tool_table(if firmware.contains("grblhal") {
        ToolTable::Present
    } else {
        ToolTable::Absent
    })
}

/// What keeps a controller from being asked, in the words of the closed list.
#[must_use]
pub fn refusal_of_greeting(error: &GreetingError, homed: Homed) -> Option<Refusal> {
    match error {
        GreetingError::Locked if homed == Homed::Confirmed => Some(Refusal::NotHomed),
        GreetingError::Locked => Some(Refusal::Alarm {
            alarm: "it is locked".to_owned(),
        }),
        GreetingError::NotIdle { state } if state.starts_with("Hold") => Some(Refusal::Held),
        GreetingError::NotIdle { state } if state.starts_with("Door") => Some(Refusal::DoorOpen),
        GreetingError::NotIdle { state } => Some(Refusal::Busy {
            state: state.clone(),
        }),
        _ => None,
    }
}

/// What is wrong with the records of a job, in the words of the closed list.
#[must_use]
pub fn refusal_of_records(error: &JobsError) -> Option<Refusal> {
    let JobsError::Open(error) = error else {
        return None;
    };
    let reason = error.to_string();
    match error {
        OpenError::Damaged { .. } => Some(Refusal::RecordAmbiguous { reason }),
        OpenError::Unsupported { .. }
        | OpenError::RecordVersion { .. }
        | OpenError::Codec { .. } => Some(Refusal::RecordVersion { reason }),
        _ => None,
    }
}

fn name(identity: &ControllerIdentity) -> String {
    let ControllerIdentity {
        firmware,
        note,
        uuid,
    } = identity;
    let mut name = firmware.clone();
    for part in [Some(note), uuid.as_ref()].into_iter().flatten() {
        if !part.is_empty() {
            name = format!("{name} ({part})");
        }
    }
    name
}

fn since_1970_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// The newest record of a job.
///
/// # Errors
/// [`Refusal::NotBegun`] when it ended before its first.
pub fn newest(begun: &Begun) -> Result<Record, Refusal> {
    begun.store.latest().cloned().ok_or(Refusal::NotBegun)
}

/// Whether the machine stands where every controller believes to stand when it is switched on. Over a network or a bridge nobody
/// hears that it restarts.
fn stands_as_switched_on(facts: &Facts) -> bool {
    facts.xyz() == Some([0.0; 3])
}

/// Where the file of a job is: where it was, or where the user says.
#[must_use]
pub fn file_of<'a>(record: &'a Record, given: Option<&'a Path>) -> &'a Path {
    given.unwrap_or(&record.file.path)
}

#[cfg(test)]
mod tests;
