//! A machine that is ready for a job.

use std::sync::Arc;

use feedhold_session::{Handle, Job, Outcome, Record, Vetted};
use feedhold_stream_core::{resume::Facts, wire::Chain};
use tokio::task::spawn_blocking;

use super::{Records, Settings};
use crate::{
    Error,
    jobs::{Begun, Jobs},
    resume::{Homed, Plan, Refusal, Stopped},
};

/// A machine that has proved itself alive and idle, and how a file is to go to it.
#[derive(Debug)]
pub struct Connected {
    pub(super) handle: Handle,
    #[cfg(feature = "simulator")]
    pub(super) simulated: Option<crate::machine::simulated::Simulated>,
    pub(super) chain: Arc<Chain>,
    pub(super) settings: Settings,
    pub(super) records: Records,
    pub(super) address: String,
}

/// Makes a record durable.
async fn commit(record: Record, mut begun: Begun) -> Result<Begun, Error> {
    let committed = spawn_blocking(move || begun.store.commit(&record).map(|_| begun));
    Ok(committed.await.map_err(|_| Error::Gone)??)
}

/// The controller has restarted under a job that was about to go on: that is on record before anybody hears of it.
async fn restarted(record: Option<Record>, begun: Begun) -> Error {
    let written = match record {
        Some(record) => commit(record, begun).await.map(|_| ()),
        None => Ok(()),
    };
    written.err().unwrap_or(Refusal::Restarted.into())
}

impl Connected {
    /// The session, to steer it and to look in.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Streams the whole file and waits for the end.
    ///
    /// # Errors
    /// [`Error::Jobs`] when no record can be written, [`Error::Run`] when the job cannot begin.
    pub async fn run(&self, vetted: Vetted) -> Result<Outcome, Error> {
        let job = Job::new(vetted.clone(), Arc::clone(&self.chain)).machine(&self.address);
        let job = match self.begin(vetted).await? {
            Some(begun) => job.store(begun.store),
            None => job,
        };
        Ok(self.handle.run(job).await?)
    }

    /// Makes durable that the controller has restarted, where it says so and no record does yet: a process that comes later may not
    /// see it any more.
    ///
    /// # Errors
    /// [`Error::Commit`] when it cannot be written down.
    pub async fn note_restart(&self, stopped: &Stopped, begun: Begun) -> Result<Begun, Error> {
        let ours = |facts: &Facts| stopped.check_controller(facts, Homed::Confirmed).is_ok();
        let restarted = self
            .handle
            .facts()
            .is_some_and(|facts| facts.was_reset && ours(&facts));
        match stopped.record_of_restart().filter(|_| restarted) {
            Some(record) => commit(record, begun).await,
            None => Ok(begun),
        }
    }

    /// Goes on with a job that stopped, as planned: writes down what was decided, brings the machine back to the part line by line,
    /// then streams what is left and waits for the end.
    ///
    /// # Errors
    /// [`Error::Resume`] when the controller cannot take a line of the plan, or has restarted since it said where it stands;
    /// [`Error::Commit`] when nothing can be written down, and [`Error::Wish`] when a line of the approach was refused: the machine
    /// may have moved, and the job can be resumed again; [`Error::Run`] when the job cannot begin.
    pub async fn go_on(
        &self,
        stopped: &Stopped,
        plan: &Plan,
        begun: Begun,
    ) -> Result<Outcome, Error> {
        let lines = stopped.wire(plan)?;
        let facts = self.handle.facts();
        if facts.is_none() {
            return Err(restarted(stopped.record_of_restart(), begun).await);
        }
        let record = stopped.record(plan, facts.as_ref());
        let begun = commit(record.clone(), begun).await?;
        for line in lines {
            let sent = self.handle.approach(line.as_str()).await;
            if self.handle.facts().is_none() {
                let lost = Record {
                    position_lost: true,
                    ..record
                };
                return Err(restarted(Some(lost), begun).await);
            }
            sent.map_err(|source| Error::Wish {
                wish: format!("approach line {line}"),
                source,
            })?;
        }
        let job = Job::new(stopped.vetted().clone(), Arc::clone(&self.chain))
            .machine(&self.address)
            .starting_behind(plan.done, plan.offset)
            .set_up(stopped.set_up(plan, facts.as_ref()))
            .store(begun.store);
        Ok(self.handle.run(job).await?)
    }

    /// Makes the place for the records of this job.
    async fn begin(&self, vetted: Vetted) -> Result<Option<Begun>, Error> {
        let jobs = match &self.records {
            Records::Nowhere => return Ok(None),
            Records::OfUser => Jobs::of_user()?,
            Records::In(jobs) => jobs.clone(),
        };
        let settings = self.settings.clone();
        let begun = spawn_blocking(move || {
            let begun = jobs.begin(&vetted.identity, &settings)?;
            // Without it a resume takes longer and is no worse.
            let _ = jobs.keep_index(&begun.name, vetted.index());
            Ok::<_, Error>(begun)
        })
        .await
        .map_err(|_| Error::Gone)??;
        Ok(Some(begun))
    }

    /// Lets go of the machine. A simulated one is given back with its log.
    ///
    /// # Errors
    /// [`Error::SimLog`] when the log of a simulated machine could not be written to its end.
    #[cfg(feature = "simulator")]
    pub async fn disconnect(self) -> Result<Option<feedhold_simulator::Simulator>, Error> {
        let Self {
            handle, simulated, ..
        } = self;
        drop(handle);
        match simulated {
            Some(simulated) => Ok(Some(simulated.switched_off().await?)),
            None => Ok(None),
        }
    }

    /// Lets go of the machine.
    ///
    /// # Errors
    /// None so far.
    #[cfg(not(feature = "simulator"))]
    pub async fn disconnect(self) -> Result<(), Error> {
        Ok(())
    }
}
