//! Going on: what the product decides, and what the operator makes of it.

use std::collections::VecDeque;
use std::time::Duration;

use feedhold::Error;
use feedhold::checkpoint::{Config, OpenError, Opened, Store};
use feedhold::job::Settings;
use feedhold::resume::{Choice, Homed, Stopped, refusal_of_greeting};
use feedhold::session::{
    CheckpointInterval, Reason, Record, Setup,
    conduct::{Conduct, Recording, loses_position},
};
use feedhold_stream_core::{
    dialect::Dialect,
    resume::{Approach, Doubt, Facts, InDoubt, Plan, Refusal},
    streamer::{Event, GreetingError, State},
};

use super::away::{Away, FileNow};
use super::disk::Disk;
use super::host::{Errand, Host, Writing};
use super::judge::Violation;
use super::machine::set_up;
use super::plant::Plant;
use super::program::vet_text;
use super::world::{End, World};

/// Records come often, so that short programs have several, and leases end before the program does.
const INTERVAL: CheckpointInterval = CheckpointInterval {
    lines: 12,
    time: Duration::from_secs(1),
};
/// Attempts to resume before the operator gives up.
const ATTEMPTS: u32 = 8;

/// A process that has come to go on.
#[derive(Debug)]
pub(super) struct Resume {
    stopped: Stopped,
    /// Lines whose fate was decided by an earlier resume that was not carried out to its end.
    decided: Option<InDoubt>,
    /// What was decided, once it is.
    plan: Option<Plan>,
}

impl World<'_> {
    /// The settings of a process. Half of the jobs do not note their pace, so that their leases stay short.
    pub(super) fn prepare(&mut self, host: &mut Host) {
        if let Errand::Resume(_) = &host.errand {
            host.durable = self
                .acknowledged
                .as_ref()
                .map_or(0, |record| record.ceiling);
        }
    }

    /// `feedhold resume`: the records, the file, then the machine.
    pub(super) fn resume(&mut self) -> Result<(), Violation> {
        self.disk.take_over();
        let opened = Store::<Record, Disk>::open_on(self.disk.clone(), &Config::new());
        let store = match opened {
            Ok(Opened { store, .. }) => store,
            Err(error @ OpenError::Io { .. }) => {
                // The disk is repaired, and the operator tries again.
                self.trace.note(self.now, format_args!("store: {error}"));
                self.disk.mend();
                self.leave();
                return Ok(());
            }
            Err(error) if self.acknowledged.is_some() => {
                return Err(Violation::new(
                    4,
                    format!("acknowledged records are gone: {error}"),
                ));
            }
            Err(error) => {
                self.trace.note(self.now, format_args!("store: {error}"));
                return self.refused("record-ambiguous");
            }
        };
        self.check_store(&store)?;
        let Some(record) = store.latest().cloned() else {
            return self.not_begun();
        };
        self.trace.note(
            self.now,
            format_args!(
                "found {:?}: executed {} acked {} sent {} ceiling {}",
                record.reason, record.executed, record.acked, record.sent, record.ceiling
            ),
        );
        if store.is_finished() || record.reason == Reason::Finished {
            return self.complete();
        }
        let stopped = match self.stopped(&record) {
            Ok(stopped) => stopped,
            Err(what) => {
                self.trace.note(self.now, format_args!("file: {what}"));
                let known = Refusal::CODES.iter().find(|code| **code == what);
                return self.refused(known.copied().unwrap_or("file-changed"));
            }
        };
        let errand = Errand::Resume(Box::new(Resume {
            stopped,
            decided: record.decided,
            plan: None,
        }));
        self.start(errand, Some(store));
        Ok(())
    }

    /// What was acknowledged as durable is there, or something newer.
    fn check_store(&self, store: &Store<Record, Disk>) -> Result<(), Violation> {
        let Some(acknowledged) = &self.acknowledged else {
            return Ok(());
        };
        let history: Vec<&Record> = store.history().map(|entry| &entry.record).collect();
        if history.contains(&acknowledged) {
            return Ok(());
        }
        Err(Violation::new(
            4,
            format!(
                "the record with ceiling {} was acknowledged, and the newest one found has {:?}",
                acknowledged.ceiling,
                history.first().map(|record| record.ceiling)
            ),
        ))
    }

    /// The process died before its first record was durable: nothing may have left.
    fn not_begun(&mut self) -> Result<(), Violation> {
        if self.judge.reached() > 0 {
            return Err(Violation::new(
                4,
                "no record was ever durable, and the machine has moved",
            ));
        }
        self.disk = Disk::new(super::world::blank(), self.rng.bits());
        // A new job takes the machine as it is, so the operator sets it up for the job first.
        self.put_back();
        self.set_up_again()?;
        self.zero_again()?;
        self.begin_anew()
    }

    /// What is known of the job, and its file as it is now.
    fn stopped(&mut self, record: &Record) -> Result<Stopped, String> {
        let (dialect, lines) = (self.schedule.dialect, self.schedule.lines);
        let vetted = match self.file {
            FileNow::Same => self.program.vetted(lines),
            now => {
                let text = now.text(self.program, lines, &mut self.rng);
                vet_text(dialect, &text.ok_or("there is no such file")?)?
            }
        };
        Stopped::new(record.clone(), vetted, &Settings::new(dialect)).map_err(|error| match error {
            Error::Resume(refusal) => refusal.code().to_owned(),
            other => other.to_string(),
        })
    }

    /// The controller has proved itself alive, and idle.
    pub(super) fn ready(&mut self) -> Result<(), Violation> {
        let Some(host) = &mut self.host else {
            return Ok(());
        };
        match &host.errand {
            Errand::Begin => {
                self.began.get_or_insert(self.now);
                self.begin_program(0, None, None, None)
            }
            Errand::Resume(resume) => {
                let stopped = resume.stopped.clone();
                let Some(facts) = host.streamer.facts().cloned() else {
                    return Err(Violation::new(10, "a controller is ready and has no facts"));
                };
                self.trace.note(self.now, format_args!("facts: {facts:?}"));
                let ours = stopped.check_controller(&facts, Homed::Confirmed).is_ok();
                let restart = stopped.record_of_restart();
                if let Some(record) = restart.filter(|_| facts.was_reset && ours)
                    && !self.keep(record)
                {
                    return Ok(());
                }
                match self.decide(&stopped, &facts) {
                    Ok(plan) => self.carry_out(plan),
                    Err(error) => {
                        self.host = None;
                        match error {
                            Error::Resume(refusal) => self.refuse(&refusal),
                            other => Err(Violation::new(
                                10,
                                format!("refused without a code: {other}"),
                            )),
                        }
                    }
                }
            }
        }
    }

    /// Makes a record durable that has to be before anything else happens. `false` when the process ends because it cannot be.
    fn keep(&mut self, record: Record) -> bool {
        let store = self.host.as_mut().and_then(|host| host.store.as_mut());
        let Some(store) = store else { return false };
        if let Err(error) = store.commit(&record) {
            self.trace.note(self.now, format_args!("disk: {error}"));
            self.host = None;
            self.disk.mend();
            self.leave();
            return false;
        }
        self.trace.note(
            self.now,
            format_args!("record: the controller has restarted"),
        );
        self.acknowledged = Some(record);
        true
    }

    /// The controller has restarted under a process that was about to go on, or on its way to the part.
    fn restarted_on_the_way(&mut self) -> Result<(), Violation> {
        if let Some(record) = self.acknowledged.clone() {
            let lost = Record {
                position_lost: true,
                ..record
            };
            if !self.keep(lost) {
                return Ok(());
            }
        }
        self.host = None;
        self.refuse(&Refusal::Restarted)
    }

    /// What the product proposes, and the operator agrees to.
    fn decide(&mut self, stopped: &Stopped, facts: &Facts) -> Result<Plan, Error> {
        let homed = if self.homed {
            Homed::Confirmed
        } else {
            Homed::Unknown
        };
        let way = Approach::new();
        let mut told = facts.clone();
        // Whoever has homed the machine says so.
        told.was_reset |= self.homed;
        if self.plant == Some(Plant::FactsIgnored) {
            return stopped.plan_beside(Choice::Executed, &told, way);
        }
        let refusal = match stopped.decide(facts, homed, Approach::new()) {
            Ok(plan) => return Ok(plan),
            Err(Error::Resume(refusal)) => refusal,
            Err(error) => return Err(error),
        };
        self.trace
            .note(self.now, format_args!("not seamless: {refusal}"));
        if let Refusal::InDoubt {
            why: Doubt::TwoPlaces { one, .. },
            ..
        } = refusal
            && self.plant == Some(Plant::FirstOfTwo)
        {
            return Ok(Plan::seamless(one, 0));
        }
        let open = matches!(
            refusal,
            Refusal::InDoubt { .. }
                | Refusal::ModalDiffers { .. }
                | Refusal::PositionUnknown { .. }
                | Refusal::Moved { .. }
        );
        if !self.schedule.operator.chooses() || !open || self.shelf.is_some() {
            return Err(refusal.into());
        }
        if matches!(refusal, Refusal::Moved { .. }) && !self.homed {
            // Nobody knows why it stands elsewhere: the operator homes it first.
            return Err(refusal.into());
        }
        match self.plant {
            Some(Plant::ResumeAtAcked) => Ok(Plan::seamless(self.acked_of_record(), 0)),
            _ => stopped.plan_beside(Choice::Retract, &told, way),
        }
    }

    fn acked_of_record(&self) -> u64 {
        self.acknowledged.as_ref().map_or(0, |record| record.acked)
    }

    /// The plan is carried out: a record first, then the approach, then the program.
    fn carry_out(&mut self, plan: Plan) -> Result<(), Violation> {
        let now = self.now;
        self.trace.note(
            now,
            format_args!(
                "plan: behind line {}, {} lines of approach, repeats {:?}, skips {:?}",
                plan.done,
                plan.approach.len(),
                plan.repeats,
                plan.skips
            ),
        );
        let Some(host) = &mut self.host else {
            return Ok(());
        };
        let Errand::Resume(resume) = &mut host.errand else {
            return Ok(());
        };
        let decided = resume.decided;
        let facts = host.streamer.facts();
        if self.plant == Some(Plant::NoApproach) || plan.seamless {
            let baseline = resume.stopped.set_up(&plan, facts);
            return self.begin_program(
                plan.done,
                plan.repeats.or(decided),
                plan.skips.or(decided),
                baseline,
            );
        }
        let record = resume.stopped.record(&plan, facts);
        resume.plan = Some(plan);
        host.writing = Some(Writing {
            record,
            begun: now,
            done: now + Duration::from_millis(2),
        });
        Ok(())
    }

    /// The record of an approach is durable: the machine may be brought back to the part.
    pub(super) fn approach(&mut self) -> Result<(), Violation> {
        if self.host.as_ref().is_some_and(|host| host.restarted) {
            return self.restarted_on_the_way();
        }
        let Some(host) = &mut self.host else {
            return Ok(());
        };
        let Errand::Resume(resume) = &host.errand else {
            return Ok(());
        };
        let Some(plan) = &resume.plan else {
            return Ok(());
        };
        let lines = resume.stopped.wire(plan).map_err(|refusal| {
            Violation::new(10, format!("the product refuses its own plan: {refusal}"))
        })?;
        host.approach = Some(lines.into());
        self.moves_by_itself = false;
        self.judge.approaches();
        self.next_of_approach()
    }

    /// The next line of the way back, on a machine that stands ready; behind the last one the program begins.
    fn next_of_approach(&mut self) -> Result<(), Violation> {
        let Some(host) = &mut self.host else {
            return Ok(());
        };
        let ready = host.streamer.state() == State::Ready;
        match host.approach.as_mut().and_then(VecDeque::pop_front) {
            Some(line) if ready => match host.streamer.command(line.as_bytes()) {
                Ok(_) => Ok(()),
                Err(error) => Err(Violation::new(
                    6,
                    format!("the approach does not go on: {error}"),
                )),
            },
            // The process ends; whoever comes next finds the record of the approach.
            _ if !ready => {
                self.host = None;
                self.leave();
                Ok(())
            }
            _ => {
                host.arrived = true;
                Ok(())
            }
        }
    }

    /// The way back is behind the machine and nothing more is heard of it: the program begins.
    pub(super) fn has_approached(&mut self) -> Result<(), Violation> {
        let Some(host) = &mut self.host else {
            return Ok(());
        };
        host.arrived = false;
        host.approach = None;
        let Errand::Resume(resume) = &mut host.errand else {
            return Ok(());
        };
        let Some(plan) = resume.plan.take() else {
            return Ok(());
        };
        let decided = resume.decided;
        let baseline = resume.stopped.set_up(&plan, host.streamer.facts());
        self.listen()?;
        self.begin_program(
            plan.done,
            plan.repeats.or(decided),
            plan.skips.or(decided),
            baseline,
        )
    }

    pub(super) fn on_approach_event(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            Event::CommandDone { answer: Ok(()), .. } => self.next_of_approach(),
            Event::ResetDone => self.restarted_on_the_way(),
            Event::Alarm(alarm) if alarm.loses_position() => self.restarted_on_the_way(),
            Event::Fault(halt) if loses_position(&halt) => self.restarted_on_the_way(),
            Event::Fault(_) | Event::Alarm(_) | Event::CommandDone { .. } => {
                // The process ends; whoever comes next finds the record of the approach.
                self.host = None;
                self.leave();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begin_program(
        &mut self,
        done: u64,
        repeats: Option<InDoubt>,
        skips: Option<InDoubt>,
        baseline: Option<Setup>,
    ) -> Result<(), Violation> {
        self.listen()?;
        let done = match self.plant {
            Some(Plant::ResumeOffByOne) if done > 0 => done + 1,
            _ => done,
        };
        let Some(host) = &mut self.host else {
            return Ok(());
        };
        host.streamer
            .begin(done)
            .map_err(|error| Violation::new(6, format!("the program cannot begin: {error}")))?;
        host.given = done;
        host.durable = done;
        let conduct = Conduct::begin(
            self.program.vetted(self.schedule.lines).identity,
            "the machine".to_owned(),
            INTERVAL,
            Recording::On,
            done,
            self.now,
            &mut host.streamer,
        );
        host.conduct = Some(conduct.with_baseline(baseline));
        self.homed = false;
        self.moves_by_itself = false;
        self.last_progress = self.now;
        let untold = self.plant == Some(Plant::RepeatsUntold);
        self.judge.begins(done, repeats.filter(|_| !untold), skips)
    }

    pub(super) fn greeting_failed(&mut self, error: &GreetingError) -> Result<(), Violation> {
        self.host = None;
        let homed = if self.homed {
            Homed::Confirmed
        } else {
            Homed::Unknown
        };
        match refusal_of_greeting(error, homed) {
            Some(refusal) => self.refuse(&refusal),
            // Nothing was asked of the controller: it is silent, or not one of its kind.
            None => self.refused("no-controller"),
        }
    }

    /// The product refuses to go on.
    fn refuse(&mut self, refusal: &Refusal) -> Result<(), Violation> {
        if !Refusal::CODES.contains(&refusal.code()) {
            return Err(Violation::new(
                10,
                format!("{:?} is no code of the list", refusal.code()),
            ));
        }
        self.trace.note(
            self.now,
            format_args!("refused: {refusal}; {}", refusal.remedy()),
        );
        self.refused(refusal.code())
    }

    /// The operator leaves it at that, or does what he was told to do and tries again.
    fn refused(&mut self, code: &'static str) -> Result<(), Violation> {
        self.trace.note(self.now, format_args!("refused: {code}"));
        self.refusals += 1;
        if !self.schedule.operator.chooses() || self.refusals > ATTEMPTS {
            self.end = Some(End::Refused(code));
            return Ok(());
        }
        match code {
            _ if self.shelf.is_some() => self.put_back(),
            "file-changed" => self.file = FileNow::Same,
            "offsets-differ" => self.zero_again()?,
            "alarm" | "restarted" | "not-homed" | "no-controller" | "moved" => {
                self.set_up_again()?
            }
            "busy" | "held" => {
                self.machine
                    .touch(self.now, feedhold_simulator::Touch::StartButton);
            }
            _ => {
                self.end = Some(End::Refused(code));
                return Ok(());
            }
        }
        self.away = Some(Away::at(self.now + Duration::from_secs(3), false));
        Ok(())
    }

    /// The operator sets the work zero as it was.
    fn zero_again(&mut self) -> Result<(), Violation> {
        if self.schedule.dialect == Dialect::Grbl {
            self.at_hand("G92.1")?;
            self.at_hand("G10 L2 P1 X0 Y0 Z0")?;
        }
        Ok(())
    }

    /// The operator homes the machine and sets its zero as it was.
    fn set_up_again(&mut self) -> Result<(), Violation> {
        let homing = self.schedule.dialect == Dialect::Grbl;
        // A critical alarm hears nothing but a reset.
        self.stand()?;
        if homing {
            self.moves_by_itself |= self.keeps_block;
            let _ = self.machine.receive(self.now, b"\x18");
            self.listen()?;
        }
        for line in set_up(self.schedule.dialect, homing) {
            self.at_hand(line)?;
        }
        self.homed = true;
        Ok(())
    }
}
