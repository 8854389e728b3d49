//! Jobs whose cable is pulled and put back, with simulated controllers that live on meanwhile.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use feedhold_checkpoint::Store;
use feedhold_session::{
    Cause, Config, Ending, Event, Handle, Inquiry, Job, Outcome, Reason, Record, State, open_with,
    vet,
};
use feedhold_simulator::{
    Config as MachineConfig, ControllerKind, Entry, Kind, LogMode, OnOpen, Pace, Simulator,
    serve::{serve, unplugged},
};
use feedhold_stream_core::{
    dialect::Dialect,
    retry::RetryPolicy,
    streamer::{self, Pause},
    wire::{Chain, ChainConfig},
};
use feedhold_transport::{Connect, ConnectError, Link, Stream};
use tempfile::TempDir;
use tokio::{
    io::{DuplexStream, duplex},
    sync::{broadcast, mpsc},
    task::JoinHandle,
    time::{Instant, sleep},
};

use crate::world::finished;

/// What may be done to the machine; each pulls its cable first.
enum Do {
    Plug(DuplexStream),
    Pull,
    Change(Box<dyn FnOnce(&mut Simulator) + Send>),
}

/// A machine and its socket.
struct Bench {
    orders: mpsc::UnboundedSender<Do>,
    machine: JoinHandle<Simulator>,
}

/// Where the host plugs in. A cable can be had as long as the socket is not covered.
struct Socket {
    orders: mpsc::UnboundedSender<Do>,
    on_open: OnOpen,
    covered: Arc<std::sync::atomic::AtomicBool>,
}

#[async_trait]
impl Connect for Socket {
    async fn connect(&mut self) -> Result<Box<dyn Link>, ConnectError> {
        let address = self.address();
        if self.covered.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(ConnectError::Absent { address });
        }
        let (host, machine) = duplex(4096);
        let on_open = self.on_open;
        let plug_in = move |machine: &mut Simulator| machine.reconnect(machine.now(), on_open);
        for order in [Do::Change(Box::new(plug_in)), Do::Plug(machine)] {
            self.orders.send(order).map_err(|_| ConnectError::Absent {
                address: address.clone(),
            })?;
        }
        Ok(Box::new(Stream::new(host, address)))
    }

    fn address(&self) -> String {
        "the bench".to_owned()
    }
}

async fn stand_by(mut machine: Simulator, mut orders: mpsc::UnboundedReceiver<Do>) -> Simulator {
    let pace = machine.config().pace();
    let mut cable = None;
    loop {
        let next = match cable.take() {
            Some(cable) => tokio::select! {
                biased;
                order = orders.recv() => order,
                // A cable in memory ends and never fails.
                _ = serve(&mut machine, cable, pace) => continue,
            },
            None => tokio::select! {
                biased;
                order = orders.recv() => order,
                () = unplugged(&mut machine, pace) => continue,
            },
        };
        match next {
            None => return machine,
            Some(Do::Plug(plugged)) => cable = Some(plugged),
            Some(Do::Pull) => {}
            Some(Do::Change(change)) => change(&mut machine),
        }
    }
}

/// A job under way on a machine.
struct World {
    bench: Bench,
    covered: Arc<std::sync::atomic::AtomicBool>,
    handle: Handle,
    events: broadcast::Receiver<Event>,
    dir: TempDir,
    running: JoinHandle<Result<Outcome, feedhold_session::RunError>>,
}

/// Lines of a job; each leads to a place of its own, the last one to X90.
const LINES: u64 = 90;

fn program(dialect: Dialect) -> String {
    let begin = match dialect {
        Dialect::Grbl => "M3S100\n",
        _ => "M107\n",
    };
    let lines = (1..LINES).map(|line| format!("G1X{}Y{}F600\n", line + 1, line % 3));
    [begin.to_owned()].into_iter().chain(lines).collect()
}

async fn world(dialect: Dialect, on_open: OnOpen) -> World {
    let kind = match dialect {
        Dialect::Grbl => ControllerKind::Grbl,
        _ => ControllerKind::Marlin,
    };
    let config = MachineConfig::new(kind)
        .with_pace(Pace::Realtime(1.0))
        .with_log(LogMode::Keep { limit: 10_000 });
    let (orders, received) = mpsc::unbounded_channel();
    let machine = tokio::spawn(stand_by(Simulator::new(config), received));
    let covered = Arc::default();
    let socket = Socket {
        orders: orders.clone(),
        on_open,
        covered: Arc::clone(&covered),
    };
    let dir = TempDir::new().expect("a directory");
    let file = dir.path().join("part.nc");
    std::fs::write(&file, program(dialect)).expect("a file");
    let chain = Arc::new(Chain::new(ChainConfig::new(dialect)));
    let vetted = vet(&file, &chain, |_| true).expect("a clean file");
    let config = Config::new(streamer::Config::new(dialect))
        .inquiry(Inquiry::Facts)
        .reconnect(RetryPolicy::file().with_retries(10));
    let (sender, events) = broadcast::channel(1 << 16);
    let handle = open_with(Box::new(socket), config, sender)
        .await
        .expect("the controller greets");
    let store = Store::create(
        &dir.path().join("job"),
        &feedhold_checkpoint::Config::default(),
    );
    let job = Job::new(vetted, chain).store(store.expect("a store"));
    let runs = handle.clone();
    let running = tokio::spawn(async move { runs.run(job).await });
    World {
        bench: Bench { orders, machine },
        covered,
        handle,
        events,
        dir,
        running,
    }
}

impl World {
    fn order(&self, order: Do) {
        assert!(self.bench.orders.send(order).is_ok(), "the bench is there");
    }

    /// Pulls the cable and covers the socket.
    fn pull(&self) {
        self.covered
            .store(true, std::sync::atomic::Ordering::SeqCst);
        self.order(Do::Pull);
    }

    /// The cable can be put back.
    fn uncover(&self) {
        self.covered
            .store(false, std::sync::atomic::Ordering::SeqCst);
    }

    fn change(&self, change: impl FnOnce(&mut Simulator) + Send + 'static) {
        self.order(Do::Change(Box::new(change)));
    }

    /// Somebody else's host sends these lines.
    fn meddle(&self, lines: &'static str) {
        self.change(move |machine| {
            machine.reconnect(machine.now(), OnOpen::Keep);
            assert_eq!(
                machine.receive(machine.now(), lines.as_bytes()),
                lines.len()
            );
            machine.advance(machine.now() + Duration::from_secs(20));
            machine.disconnect(machine.now());
        });
    }

    async fn state(&self, wanted: State) {
        let begun = Instant::now();
        while self.handle.snapshot().state != wanted {
            assert!(
                begun.elapsed() < Duration::from_secs(300),
                "{:?}",
                self.handle.snapshot()
            );
            sleep(Duration::from_millis(1)).await;
        }
    }

    fn newest(&self) -> Record {
        newest(&self.dir)
    }

    /// The end of the job, what was told, and the lines that the machine executed.
    async fn end(self) -> (Outcome, Vec<Event>, Vec<u64>) {
        let (outcome, _, told, executed) = self.end_with_record().await;
        (outcome, told, executed)
    }

    /// The same, and the last record of the job.
    async fn end_with_record(self) -> (Outcome, Record, Vec<Event>, Vec<u64>) {
        let Self {
            bench,
            handle,
            mut events,
            running,
            dir,
            ..
        } = self;
        let outcome = finished(running).await;
        let record = newest(&dir);
        drop(handle);
        let mut told = Vec::new();
        while let Ok(event) = events.try_recv() {
            told.push(event);
        }
        sleep(Duration::from_secs(60)).await;
        drop(bench.orders);
        let mut machine = bench.machine.await.expect("no panic");
        let log = machine.log_mut().take_entries();
        (outcome, record, told, lines(&log))
    }
}

/// The newest record in a directory of tests.
fn newest(dir: &TempDir) -> Record {
    let peek = feedhold_checkpoint::peek::<Record>(
        &dir.path().join("job"),
        &feedhold_checkpoint::Config::default(),
    );
    peek.expect("readable").history[0].record.clone()
}

/// The lines that these motions are. Motions of others count as line 0.
fn lines(log: &[Entry]) -> Vec<u64> {
    let motions = log
        .iter()
        .filter(|entry| !matches!(entry.kind, Kind::Dwell { .. }));
    motions
        .map(|entry| {
            let [x, y, ..] = entry.target;
            let line = x.round() as u64;
            let there = (x - line as f64).abs() < 1e-6 && line > 1 && y == ((line - 1) % 3) as f64;
            if there && entry.fraction == 1.0 {
                line
            } else {
                0
            }
        })
        .collect()
}

fn whole() -> Vec<u64> {
    (2..=LINES).collect()
}

fn message(outcome: &Outcome) -> &str {
    match &outcome.ending {
        Ending::Failed {
            cause: Cause::Machine,
            message,
        } => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_goes_on_exactly_when_its_cable_is_put_back() {
    for dialect in [Dialect::Grbl, Dialect::Marlin] {
        for pulled_ms in (30..8000).step_by(661) {
            let world = world(dialect, OnOpen::Keep).await;
            sleep(Duration::from_millis(pulled_ms)).await;
            world.pull();
            world.state(State::Reconnecting).await;
            sleep(Duration::from_millis(900)).await;
            let lost = world.newest();
            assert_eq!((lost.reason, lost.ceiling), (Reason::Fault, lost.sent));
            world.uncover();
            let (outcome, told, executed) = world.end().await;
            assert_eq!(outcome.ending, Ending::Finished, "{dialect:?} {pulled_ms}");
            assert_eq!(executed, whole(), "{dialect:?} {pulled_ms}");
            let rejoined = told.iter().find_map(|event| match event {
                Event::Rejoined { executed, .. } => Some(*executed),
                _ => None,
            });
            let at = rejoined.expect("it is told");
            assert!(
                (lost.executed..=lost.sent).contains(&at),
                "{at} of {lost:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cable_that_is_pulled_again_and_again_costs_nothing() {
    for dialect in [Dialect::Grbl, Dialect::Marlin] {
        let world = world(dialect, OnOpen::Keep).await;
        for _ in 0..3 {
            sleep(Duration::from_millis(700)).await;
            world.order(Do::Pull);
            world.state(State::Reconnecting).await;
            world.state(State::Streaming).await;
        }
        let (outcome, _, executed) = world.end().await;
        assert_eq!(
            (outcome.ending, executed),
            (Ending::Finished, whole()),
            "{dialect:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_done_to_the_machine_meanwhile_is_told_and_the_job_ends() {
    type Meddling = fn(&World);
    let power: Meddling = |world| world.change(|machine| machine.power_cycle(machine.now()));
    let jogged: Meddling = |world| world.meddle("G91\nG0X7\nG90\n");
    let zeroed: Meddling = |world| world.meddle("G10L20P1X0\n");
    let tuned: Meddling = |world| world.meddle("$100=160\n");
    let other: Meddling = |world| world.meddle("$I=THE OTHER MILL\n");
    let spindle: Meddling = |world| world.meddle("S500\n");
    for (dialect, on_open, meddling, words) in [
        (
            Dialect::Grbl,
            OnOpen::Reset,
            (|_| ()) as Meddling,
            "has restarted",
        ),
        (Dialect::Marlin, OnOpen::Reset, |_| (), "has restarted"),
        // Nobody hears the banner of a board that starts without its cable.
        (Dialect::Grbl, OnOpen::Keep, power, "nowhere on the path"),
        (Dialect::Marlin, OnOpen::Keep, power, "has restarted"),
        (Dialect::Grbl, OnOpen::Keep, jogged, "nowhere on the path"),
        (Dialect::Grbl, OnOpen::Keep, zeroed, "G54 is"),
        (Dialect::Grbl, OnOpen::Keep, tuned, "$100 is 160"),
        (Dialect::Grbl, OnOpen::Keep, other, "THEOTHERMILL"),
        (Dialect::Grbl, OnOpen::Keep, spindle, "S500"),
    ] {
        let world = world(dialect, on_open).await;
        sleep(Duration::from_millis(2500)).await;
        world.pull();
        world.state(State::Reconnecting).await;
        sleep(Duration::from_secs(30)).await;
        meddling(&world);
        let lost = world.newest();
        world.uncover();
        let (outcome, record, told, executed) = world.end_with_record().await;
        let message = message(&outcome);
        assert!(message.contains(words), "{message}");
        // A banner is seen once: whoever comes later has to hear of it.
        let banner = on_open == OnOpen::Reset;
        assert_eq!(record.position_lost, banner, "{message}");
        let doubt = format!("lines {} to {}", lost.executed + 1, lost.sent);
        assert!(message.contains(&doubt), "{message}");
        assert!(
            told.iter()
                .any(|event| matches!(event, Event::Fault { .. }))
        );
        let ours: Vec<u64> = executed.into_iter().filter(|line| *line > 0).collect();
        assert_eq!(ours, whole()[..ours.len()], "nothing was repeated");
        assert!(ours.len() < whole().len() && ours.last() <= Some(&lost.sent));
    }
}

#[tokio::test(start_paused = true)]
async fn start_up_blocks_are_noticed_and_nothing_of_the_job_is_sent() {
    let world = world(Dialect::Grbl, OnOpen::Reset).await;
    sleep(Duration::from_millis(1500)).await;
    world.pull();
    world.state(State::Reconnecting).await;
    sleep(Duration::from_secs(30)).await;
    world.meddle("$N0=G0X77\n");
    world.uncover();
    let (outcome, _, executed) = world.end().await;
    assert!(message(&outcome).contains("has restarted"), "{outcome:?}");
    let ours = executed.iter().filter(|line| **line > 0).count();
    assert_eq!(
        executed.len(),
        ours + 1,
        "the start-up block itself ran: {executed:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_paused_job_stays_paused_behind_a_pulled_cable() {
    for pause_first in [true, false] {
        let world = world(Dialect::Grbl, OnOpen::Keep).await;
        sleep(Duration::from_millis(1000)).await;
        if pause_first {
            world.handle.pause(Pause::Graceful).await.expect("it moves");
            world.state(State::Paused).await;
        }
        world.pull();
        world.state(State::Reconnecting).await;
        if !pause_first {
            world.handle.pause(Pause::Graceful).await.expect("granted");
        }
        assert!(world.handle.command("G0X1").await.is_err());
        world.uncover();
        world.state(State::Paused).await;
        sleep(Duration::from_secs(60)).await;
        world.state(State::Paused).await;
        world.handle.resume().await.expect("it is paused");
        let (outcome, _, executed) = world.end().await;
        assert_eq!((outcome.ending, executed), (Ending::Finished, whole()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_that_does_not_come_back_ends_the_job_with_its_lines_in_doubt() {
    let world = world(Dialect::Grbl, OnOpen::Keep).await;
    sleep(Duration::from_millis(1000)).await;
    world.pull();
    let (outcome, ..) = world.end().await;
    let message = message(&outcome);
    assert!(
        message.contains("the link was lost; in doubt: lines"),
        "{message}"
    );
    assert!(message.contains("no such port"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_job_without_its_link_can_be_cancelled() {
    let world = world(Dialect::Grbl, OnOpen::Keep).await;
    sleep(Duration::from_millis(1000)).await;
    world.pull();
    world.state(State::Reconnecting).await;
    world.handle.cancel().await.expect("granted");
    let record = world.newest();
    let (outcome, _, executed) = world.end().await;
    assert_eq!(outcome.ending, Ending::Cancelled);
    assert!(executed.last() <= Some(&record.ceiling));
    assert!(!record.is_clean(), "lines are in doubt: {record:?}");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changed_meanwhile_ends_the_job() {
    let world = world(Dialect::Grbl, OnOpen::Keep).await;
    sleep(Duration::from_millis(1000)).await;
    world.pull();
    world.state(State::Reconnecting).await;
    let file = world.dir.path().join("part.nc");
    std::fs::write(file, "G1X1F1\n").expect("written");
    world.uncover();
    let (outcome, ..) = world.end().await;
    let Ending::Failed {
        cause: Cause::Source,
        message,
    } = outcome.ending
    else {
        panic!("{outcome:?}")
    };
    assert!(message.contains("part.nc"), "{message}");
}
