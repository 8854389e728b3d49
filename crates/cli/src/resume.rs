//! `feedhold resume`: shows how the machine gets back to its place, asks, and goes on.

use feedhold::{
    Error, Job,
    job::Connected,
    jobs::{Begun, Jobs},
    resume::{self, Plan, Refusal},
    session::{Event, Record},
    transport::Address,
};
use serde_json::json;
use tokio::sync::broadcast::Receiver;

use crate::{
    args::{ResumeArgs, high},
    ask,
    exit::{Exit, coded},
    out, run,
    run::View,
    runtime,
    term::Terminal,
};

/// Runs the command.
pub(crate) fn run(typed: &ResumeArgs, terminal: &Terminal) -> anyhow::Result<Exit> {
    let jobs = high::jobs(typed.state_dir.as_deref())?;
    let name = match &typed.job {
        Some(name) => name.clone(),
        None => jobs.latest_unfinished().map_err(Error::Jobs)?,
    };
    let begun = jobs.open(&name).map_err(Error::Jobs)?;
    let record = begun
        .store
        .latest()
        .cloned()
        .ok_or(Error::Resume(Refusal::NotBegun))?;
    let view = View::new(&typed.screen, terminal);
    begun
        .warnings
        .iter()
        .for_each(|warning| view.note(&format!("note: {warning}")));
    let job = job(typed, &jobs, &name, &record)?;
    let mut events = job.events();
    let vetted = run::vet_again(&job, &jobs, &name, &view)?;
    let plan = resume::plan(&record, &vetted, &job.settings())?;
    show(&plan, typed);
    if typed.plan {
        return Ok(Exit::Done);
    }
    if !typed.yes
        && !ask::yes(
            terminal,
            &format!(
                "Move the machine like this and go on with line {}?",
                plan.done + 1
            ),
        )
    {
        return Err(coded(
            Exit::Cancelled,
            "nothing was moved; run with --yes to go on without being asked",
        ));
    }
    runtime()?.block_on(async {
        let mut homing = job.events();
        let connected = run::connect(&job, &mut events, &view).await?;
        let ended = match check_homed(typed, terminal, &mut homing) {
            Ok(()) => {
                let streamed = go_on(&connected, &plan, vetted, begun);
                run::drive(connected.handle(), &view, terminal, &mut events, streamed).await
            }
            Err(refusal) => Err(refusal),
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
    Ok(
        Job::new(resume::file_of(record, typed.file.as_deref()), address)
            .with_settings(settings)
            .stops(stops),
    )
}

fn show(plan: &Plan, typed: &ResumeArgs) {
    if typed.screen.json {
        let approach: Vec<_> = plan
            .approach
            .iter()
            .map(|step| json!({ "line": step.line, "purpose": step.purpose }))
            .collect();
        out::json(&json!({ "event": "plan", "done": plan.done, "approach": approach }));
    } else if typed.plan || !typed.screen.quiet {
        out::line(format_args!("{}", plan.to_string().trim_end()));
    }
}

/// A controller that has just started does not know where its axes are.
fn check_homed(
    typed: &ResumeArgs,
    terminal: &Terminal,
    events: &mut Receiver<Event>,
) -> anyhow::Result<()> {
    let mut was_reset = false;
    while let Ok(event) = events.try_recv() {
        was_reset |= matches!(
            event,
            Event::Connected {
                was_reset: true,
                ..
            }
        );
    }
    let question =
        "The controller has restarted. Was the machine homed since, and is its zero where it was?";
    if !was_reset || typed.homed || ask::yes(terminal, question) {
        Ok(())
    } else {
        Err(Error::Resume(Refusal::Restarted).into())
    }
}

/// The approach line by line, then the rest of the file.
async fn go_on(
    connected: &Connected,
    plan: &Plan,
    vetted: feedhold::session::Vetted,
    begun: Begun,
) -> Result<feedhold::session::Outcome, Error> {
    for step in &plan.approach {
        let sent = connected.handle().command(step.line.as_str()).await;
        sent.map_err(|source| Error::Wish {
            wish: format!("approach line {}", step.line),
            source,
        })?;
    }
    connected.go_on(vetted, begun, plan.done, plan.offset).await
}
