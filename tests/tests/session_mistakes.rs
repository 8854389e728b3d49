//! Mistakes of today's senders that only show in a whole session: a broken link, and a client that does not listen.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::BytesMut;
use feedhold_session::{Cause, Ending, Event, Job, vet};
use feedhold_simulator::{Config as Machine, Pace, Simulator, serve::serve};
use feedhold_stream_core::{
    dialect::Dialect,
    streamer::Config,
    wire::{Chain, ChainConfig},
};
use feedhold_transport::{Exchanged, Link, LinkError, Sequence, memory::duplex};
use tokio::{sync::broadcast::error::RecvError, time::timeout};

const SOON: Duration = Duration::from_secs(60);

/// A link that breaks after so many bytes were written, as a pulled USB plug makes it.
struct Breaking<L> {
    link: L,
    bytes_left: usize,
}

#[async_trait]
impl<L: Link> Link for Breaking<L> {
    async fn exchange(&mut self, out: &[u8], inbox: &mut BytesMut) -> Result<Exchanged, LinkError> {
        if !out.is_empty() && self.bytes_left == 0 {
            let source = std::io::Error::from_raw_os_error(5);
            return Err(LinkError::Failed {
                link: self.describe(),
                source,
            });
        }
        let part = out.get(..self.bytes_left).unwrap_or(out);
        let moved = self.link.exchange(part, inbox).await?;
        self.bytes_left -= moved.written;
        Ok(moved)
    }

    fn describe(&self) -> String {
        "breaking".to_owned()
    }
}

/// A cable to a machine that takes every line at once.
fn cable() -> impl Link {
    let (link, peer) = duplex(4096);
    let machine = Machine::from_params([("controller", "null")]).expect("it has no parameters");
    tokio::spawn(async move { serve(&mut Simulator::new(machine), peer, Pace::Max).await });
    link
}

fn job(directory: &tempfile::TempDir, lines: usize) -> Job {
    let path = directory.path().join("part.nc");
    let text: String = (1..=lines)
        .map(|line| format!("G1 X{}.{line:04} F1200\n", line % 40))
        .collect();
    std::fs::write(&path, text).expect("a file");
    let chain = Arc::new(Chain::new(ChainConfig::new(Dialect::Grbl)));
    let vetted = vet(&path, &chain, |_| true).expect("a clean file");
    Job::new(vetted, chain)
}

#[tokio::test]
async fn a_write_error_ends_the_job_and_not_the_process() {
    let directory = tempfile::tempdir().expect("a directory");
    let links: [Box<dyn Link>; 2] = [
        Box::new(Breaking {
            link: cable(),
            bytes_left: 20_000,
        }),
        Box::new(cable()),
    ];
    let connect = Box::new(Sequence::new("breaking", links));
    let config = feedhold_session::Config::new(Config::new(Dialect::Grbl));
    let handle = feedhold_session::open(connect, config)
        .await
        .expect("it greets");
    let mut events = handle.events();
    let running = handle.run(job(&directory, 4_000));
    let ended = timeout(SOON, running).await.expect("it does not stall");
    let outcome = ended.expect("it begins");
    let Ending::Failed {
        cause: Cause::Machine,
        message,
    } = &outcome.ending
    else {
        panic!("{outcome:?}");
    };
    assert!(
        message.contains("link was lost") && message.contains("in doubt"),
        "{message}"
    );
    assert!(
        outcome.positions.acked > 100 && outcome.positions.sent < 4_000,
        "{:?}",
        outcome.positions
    );
    assert!(outcome.positions.acked <= outcome.positions.sent);
    loop {
        match events.recv().await.expect("the session lives on") {
            Event::Reconnecting { reason, .. } => {
                assert!(reason.contains("check the cable"), "{reason}")
            }
            Event::Connected { .. } => break,
            _ => {}
        }
    }
    let again = handle
        .run(job(&directory, 100))
        .await
        .expect("the machine is there again");
    assert_eq!(again.ending, Ending::Finished);
}

#[tokio::test]
async fn a_slow_client_does_not_stall_the_job() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = feedhold_session::Config::new(Config::new(Dialect::Grbl)).event_capacity(4);
    let connect = Box::new(Sequence::once(cable()));
    let handle = feedhold_session::open(connect, config)
        .await
        .expect("it greets");
    let mut asleep = handle.events();
    let running = handle.run(job(&directory, 4_000));
    let ended = timeout(SOON, running).await.expect("it does not stall");
    let outcome = ended.expect("it begins");
    assert_eq!(outcome.ending, Ending::Finished);
    assert_eq!(outcome.lines, 4_000);
    let late = asleep.recv().await;
    assert!(
        matches!(late, Err(RecvError::Lagged(missed)) if missed > 0),
        "it is told what it missed: {late:?}"
    );
    assert!(asleep.recv().await.is_ok(), "and hears the rest");
}
