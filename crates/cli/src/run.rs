//! `feedhold run`: vet, connect, stream, sum up.

mod keys;
mod pilot;
mod screen;
mod summary;
mod view;

use feedhold::{
    Error, Job,
    job::Connected,
    jobs::Jobs,
    session::{Event, Outcome, Vetted, Vetting},
};
use tokio::sync::broadcast::{Receiver, error::TryRecvError};

use self::{keys::Keys, pilot::Pilot};
use crate::{
    args::{RunArgs, high},
    exit::{Exit, coded},
    runtime,
    term::Terminal,
    text,
};

pub(crate) use view::View;

/// Runs the command.
pub(crate) fn run(typed: &RunArgs, terminal: &Terminal) -> anyhow::Result<Exit> {
    let (job, chosen) = high::job(typed)?;
    let view = View::new(&typed.screen, terminal);
    if let Some(words) = chosen.explain() {
        view.note(&words);
    }
    let mut events = job.events();
    let vetted = vet(&job, &view)?;
    runtime()?.block_on(async {
        let connected = connect(&job, &mut events, &view).await?;
        let ended = drive(
            connected.handle(),
            &view,
            terminal,
            &mut events,
            connected.run(vetted),
        )
        .await;
        let ended = ended.and_then(|ended| ended.sum_up(&view));
        leave(connected, &view, typed.sim_log.as_deref()).await?;
        ended
    })
}

/// Reads the file to its end and shows how far it is.
pub(crate) fn vet(job: &Job, view: &View) -> anyhow::Result<Vetted> {
    showing(job, view, |report| job.vet(report))
}

/// The same for the file of a job that was begun before, as quickly as it goes.
pub(crate) fn vet_again(job: &Job, jobs: &Jobs, name: &str, view: &View) -> anyhow::Result<Vetted> {
    showing(job, view, |report| job.vet_again(jobs, name, report))
}

fn showing(
    job: &Job,
    view: &View,
    vet: impl FnOnce(&mut dyn FnMut(Vetting) -> bool) -> Result<Vetted, Error>,
) -> anyhow::Result<Vetted> {
    let bar = view.vetting();
    let vetted = vet(&mut |at| {
        bar.set_length(at.total_bytes);
        bar.set_position(at.bytes);
        view.analysis(&at);
        true
    });
    bar.finish_and_clear();
    let vetted = vetted?;
    view.vetted(job.file(), &vetted);
    Ok(vetted)
}

/// Connects, unless the user loses patience.
pub(crate) async fn connect(
    job: &Job,
    events: &mut Receiver<Event>,
    view: &View,
) -> anyhow::Result<Connected> {
    let waiting = view.connecting(job.address());
    let connected = tokio::select! {
        connected = job.connect() => connected,
        _ = tokio::signal::ctrl_c() => return Err(coded(Exit::Cancelled, "cancelled before anything was sent")),
    };
    waiting.finish_and_clear();
    show_pending(events, view);
    Ok(connected?)
}

/// A job that has ended, one way or the other.
pub(crate) struct Ended {
    outcome: Outcome,
    pilot: Pilot,
}

impl Ended {
    /// Tells how it went, and gives the exit code.
    pub(crate) fn sum_up(self, view: &View) -> anyhow::Result<Exit> {
        let exit = summary::exit(&self.outcome, self.pilot.verdict());
        view.summary(&self.outcome, self.pilot.snapshot(), exit);
        match summary::complaint(&self.outcome, self.pilot.verdict()) {
            Some(complaint) => Err(coded(exit, complaint)),
            None => Ok(exit),
        }
    }
}

/// Shows a job while it runs, and lets the operator steer it.
pub(crate) async fn drive(
    handle: &feedhold::session::Handle,
    view: &View,
    terminal: &Terminal,
    events: &mut Receiver<Event>,
    job: impl Future<Output = Result<Outcome, Error>>,
) -> anyhow::Result<Ended> {
    let mut keys = Keys::listen(view, terminal)?;
    let mut signals = keys::Signals::listen()?;
    let mut pilot = Pilot::new(handle.clone(), view.clone(), keys.are_there());
    let mut job = std::pin::pin!(job);
    let outcome = loop {
        tokio::select! {
            outcome = &mut job => break outcome,
            event = events.recv() => match event {
                Ok(event) => {
                    view.event(&event, &handle.snapshot());
                    pilot.hear(&event).await;
                }
                Err(tokio::sync::broadcast::error::RecvError::Lagged(missed)) => view.lagged(missed),
                // The job's own end says why.
                Err(tokio::sync::broadcast::error::RecvError::Closed) => break job.await,
            },
            key = keys.next() => pilot.press(key).await,
            signal = signals.next() => pilot.signal(signal).await,
        }
    };
    show_pending(events, view);
    view.over();
    Ok(Ended {
        outcome: outcome?,
        pilot,
    })
}

/// Shows what has happened and was not shown yet.
fn show_pending(events: &mut Receiver<Event>, view: &View) {
    loop {
        match events.try_recv() {
            Ok(event) => view.event(&event, &feedhold::session::Snapshot::default()),
            Err(TryRecvError::Lagged(missed)) => view.lagged(missed),
            Err(TryRecvError::Empty | TryRecvError::Closed) => return,
        }
    }
}

/// Lets go of the machine; a simulated one tells what it did.
pub(crate) async fn leave(
    connected: Connected,
    view: &View,
    log: Option<&std::path::Path>,
) -> anyhow::Result<()> {
    if let (Some(machine), Some(log)) = (connected.disconnect().await?, log) {
        view.result(&format!(
            "{} motions in {}",
            text::count(machine.log().len()),
            log.display()
        ));
    }
    Ok(())
}
