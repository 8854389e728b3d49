//! `feedhold resume`: finds out where the job stands, shows how the machine gets back there, asks, and goes on.

mod dialogue;
mod show;

use std::{fs, path::Path};

use feedhold::{
    Error, Job,
    job::Connected,
    jobs::{Begun, Jobs},
    resume::{self, Approach, Choice, Homed, Plan, Refusal, Stopped},
    session::{OpenError, Record},
    stream_core::resume::Facts,
    transport::Address,
};

use self::dialogue::Answer;
use crate::{
    args::{ResumeArgs, high},
    ask,
    exit::{Exit, coded},
    run,
    run::View,
    runtime,
    term::Terminal,
};

/// Runs the command.
pub(crate) fn run(typed: &ResumeArgs, terminal: &Terminal) -> anyhow::Result<Exit> {
    let way = high::way(&typed.way).map_err(|error| coded(Exit::Usage, error.to_string()))?;
    let edited = typed.approach.as_deref().map(read).transpose()?;
    let jobs = high::jobs(typed.state_dir.as_deref())?;
    let name = match &typed.job {
        Some(name) => name.clone(),
        None => jobs.latest_unfinished().map_err(Error::Jobs)?,
    };
    let begun = jobs.open(&name).map_err(|error| {
        resume::refusal_of_records(&error).map_or(Error::Jobs(error), Error::Resume)
    })?;
    let record = resume::newest(&begun).map_err(Error::Resume)?;
    let view = View::new(&typed.screen, terminal);
    begun
        .warnings
        .iter()
        .for_each(|warning| view.note(&format!("note: {warning}")));
    let job = job(typed, &jobs, &name, &record)?;
    let mut events = job.events();
    let vetted = run::vet_again(&job, &jobs, &name, &view)?;
    let operator = Operator {
        stopped: Stopped::new(record, vetted, &job.settings())?,
        typed,
        terminal,
        way,
        edited,
    };
    show::in_doubt(&operator.stopped, typed);
    if typed.plan {
        return operator.plan_only();
    }
    runtime()?.block_on(async {
        let connected = run::connect(&job, &mut events, &view)
            .await
            .map_err(|error| operator.of_greeting(error))?;
        let ended = match operator.agree(&connected, begun).await {
            Ok((plan, begun)) => {
                let streamed = connected.go_on(&operator.stopped, &plan, begun);
                run::drive(connected.handle(), &view, terminal, &mut events, streamed).await
            }
            Err(refused) => Err(refused),
        };
        let ended = ended.and_then(|ended| ended.sum_up(&view));
        run::leave(connected, &view, None).await?;
        ended
    })
}

/// The job as it was begun, on the machine it ran on unless another is named.
fn job(typed: &ResumeArgs, jobs: &Jobs, name: &str, record: &Record) -> anyhow::Result<Job> {
    let settings = jobs.settings(name).map_err(Error::Jobs)?;
    let address: Address = match &typed.machine {
        Some(address) => address.clone(),
        None => record.machine.parse()?,
    };
    let stops = high::stops(&typed.stops, &settings)?;
    let job = Job::new(resume::file_of(record, typed.file.as_deref()), address)
        .with_settings(settings)
        .stops(stops);
    Ok(high::with_link(job, &typed.link))
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).map_err(|error| {
        let words = format!(
            "{}: {error}; write a plan with --plan --output",
            path.display()
        );
        coded(Exit::File, words)
    })
}

/// Who decides, by what was typed or at the terminal.
struct Operator<'a> {
    stopped: Stopped,
    typed: &'a ResumeArgs,
    terminal: &'a Terminal,
    way: Approach,
    edited: Option<String>,
}

impl Operator<'_> {
    /// The line that was chosen on the command line.
    fn choice(&self) -> Option<Choice> {
        let line = self.typed.from_line.map(Choice::Line);
        line.or(self.typed.from_retract.then_some(Choice::Retract))
    }

    fn homed(&self) -> Homed {
        if self.typed.homed {
            Homed::Confirmed
        } else {
            Homed::Unknown
        }
    }

    /// Whether somebody can be asked.
    fn is_there(&self) -> bool {
        self.terminal.has_keys() && !self.typed.screen.json
    }

    /// `--plan`: the machine is not asked.
    fn plan_only(&self) -> anyhow::Result<Exit> {
        let by_itself = match self.stopped.in_doubt() {
            None => Choice::Executed,
            Some(_) => Choice::Retract,
        };
        let plan = self
            .stopped
            .plan(self.choice().unwrap_or(by_itself), self.way)?;
        match &self.typed.output {
            None => show::plan(&plan, self.typed),
            Some(path) => fs::write(path, plan.to_string()).map_err(|error| {
                let words = format!("{}: {error}; choose another place", path.display());
                coded(Exit::File, words)
            })?,
        }
        Ok(Exit::Done)
    }

    /// Finds the plan and agrees on it. Nothing moves before.
    async fn agree(&self, connected: &Connected, begun: Begun) -> anyhow::Result<(Plan, Begun)> {
        let facts = connected.handle().facts().ok_or_else(|| {
            coded(
                Exit::Connect,
                "the controller has said nothing of itself; try again",
            )
        })?;
        // A restart is on record before anybody is asked about it: the next process may not see it any more.
        let begun = connected.note_restart(&self.stopped, begun).await?;
        let homed = self.confirm_homed(&facts).await;
        let plan = match self.choice() {
            Some(choice) => {
                self.stopped
                    .check_controller(&facts, homed)
                    .map_err(Error::Resume)?;
                self.chosen(choice, &facts).await?
            }
            None => self.by_itself(&facts, homed).await?,
        };
        let plan = match &self.edited {
            Some(text) => plan.edited(text).map_err(Error::Resume)?,
            None => plan,
        };
        // Whatever cannot be sent is found out before anything moves.
        self.stopped.wire(&plan).map_err(Error::Resume)?;
        show::plan(&plan, self.typed);
        self.consent(&plan).await?;
        Ok((plan, begun))
    }

    async fn confirm_homed(&self, facts: &Facts) -> Homed {
        const QUESTION: &str = "The controller has restarted, or has lost its position. Was the machine homed since, and is its zero where it was?";
        if self.stopped.has_restarted(facts)
            && self.homed() == Homed::Unknown
            && self.is_there()
            && ask::yes_soon(QUESTION).await
        {
            return Homed::Confirmed;
        }
        self.homed()
    }

    /// What the controller proves; where it proves nothing, what the operator chooses.
    async fn by_itself(&self, facts: &Facts, homed: Homed) -> anyhow::Result<Plan> {
        let (stopped, facts_now, way) = (self.stopped.clone(), facts.clone(), self.way);
        let decided = thinking(move || stopped.decide(&facts_now, homed, way)).await?;
        let refusal = match decided {
            Err(Error::Resume(refusal)) if self.is_there() && can_choose(&refusal) => refusal,
            decided => return Ok(decided?),
        };
        let stopped = self.stopped.clone();
        let retract = thinking(move || stopped.retract()).await??;
        let mut words = dialogue::introduction(&refusal, &self.stopped, retract);
        loop {
            let choice = match dialogue::ask(&words).await {
                Answer::Quit => return Err(coded(Exit::Cancelled, "nothing was moved")),
                Answer::Retract => Choice::Retract,
                Answer::Line(line) => Choice::Line(line),
                Answer::Unclear => {
                    words = dialogue::AGAIN.to_owned();
                    continue;
                }
            };
            match self.chosen(choice, facts).await {
                Err(Error::Resume(refusal)) => {
                    words = format!("{refusal}; {}\n{}", refusal.remedy(), dialogue::AGAIN);
                }
                plan => return Ok(plan?),
            }
        }
    }

    async fn chosen(&self, choice: Choice, facts: &Facts) -> Result<Plan, Error> {
        let (stopped, facts, way) = (self.stopped.clone(), facts.clone(), self.way);
        thinking(move || stopped.plan_beside(choice, &facts, way))
            .await
            .unwrap_or(Err(Error::Gone))
    }

    async fn consent(&self, plan: &Plan) -> anyhow::Result<()> {
        let next = plan.done + 1;
        let question = if plan.seamless {
            format!("Go on with line {next}?")
        } else {
            format!("Move the machine like this and go on with line {next}?")
        };
        if self.typed.yes || self.is_there() && ask::yes_soon(&question).await {
            return Ok(());
        }
        let words = if self.is_there() {
            "nothing was moved"
        } else {
            "nothing was moved; run with --yes to go on without being asked"
        };
        Err(coded(Exit::Cancelled, words))
    }

    /// An alarm, a hold or an open door are reasons of their own.
    fn of_greeting(&self, error: anyhow::Error) -> anyhow::Error {
        let Some(Error::Connect(OpenError::Greeting { source, .. })) = error.downcast_ref() else {
            return error;
        };
        match resume::refusal_of_greeting(source, self.homed()) {
            Some(refusal) => Error::Resume(refusal).into(),
            None => error,
        }
    }
}

/// Whether choosing a line is a way out.
fn can_choose(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::InDoubt { .. }
            | Refusal::Moved { .. }
            | Refusal::OffsetsDiffer { .. }
            | Refusal::ModalDiffers { .. }
            | Refusal::ToolDiffers { .. }
            | Refusal::SettingsDiffer { .. }
            | Refusal::PositionUnknown { .. }
    )
}

/// Reads and follows the file beside the session, which must not wait.
async fn thinking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::Gone)
}
