//! The machine behind a byte stream: in memory, over a pty or over TCP.
//!
//! Virtual time follows the clock by a factor, or runs free ([`Pace::Max`]): then it jumps to the
//! next event whenever the host has nothing to say, and stands still while the machine has no work,
//! so that an idle machine costs nothing.
//!
//! ```
//! use feedhold_simulator::{Config, ControllerKind, Pace, Simulator, serve::serve};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let mut machine = Simulator::new(Config::new(ControllerKind::Null));
//! let (mut host, board) = tokio::io::duplex(1024);
//! let talk = async move {
//!     host.write_all(b"G1 X1\n").await?;
//!     let mut heard = vec![0; 32];
//!     host.read_exact(&mut heard).await?;
//!     assert!(heard.ends_with(b"ok\r\n"));
//!     Ok::<(), std::io::Error>(()) // dropping `host` hangs up
//! };
//! let (ended, talked) = tokio::join!(serve(&mut machine, board, Pace::Max), talk);
//! talked?;
//! ended?;
//! # Ok(())
//! # }
//! ```

use std::io;
use std::ops::Range;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::Instant;

use crate::{Pace, Simulator};

/// Bytes read from the host at once.
const READ: usize = 64 * 1024;

/// Events done at [`Pace::Max`] before the host is looked at again.
const EVENTS_PER_TURN: u32 = 32;

/// Why serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// The host closed its end.
    HostClosed,
    /// A fault pulled the cable; [`Simulator::reconnect`] plugs it in again.
    LinkDown,
}

/// Runs `simulator` behind `io` until the host closes it or a fault cuts the link. The machine
/// keeps its state and its time: serve it again on the next connection.
///
/// # Errors
/// What reading or writing `io` gave, but for a host that went away, which is [`Ended::HostClosed`].
pub async fn serve<S>(simulator: &mut Simulator, io: S, pace: Pace) -> io::Result<Ended>
where
    S: AsyncRead + AsyncWrite,
{
    let (mut reader, mut writer) = tokio::io::split(Box::pin(io));
    let mut clock = Clock::start(simulator.now(), pace);
    let mut input = vec![0; READ];
    // What of `input` the wire has not taken yet, and what of `out` the host has not read yet.
    let mut unsent: Range<usize> = 0..0;
    let mut out = Vec::new();
    let mut written = 0;
    loop {
        let now = clock.now(simulator);
        if !unsent.is_empty() {
            unsent.start += simulator.receive(now, input.get(unsent.clone()).unwrap_or(&[]));
        }
        if written == out.len() {
            out.clear();
            written = 0;
            simulator.transmit(now, &mut out);
        }
        if out.is_empty() && !simulator.link_up() {
            return Ok(Ended::LinkDown);
        }
        let done = tokio::select! {
            biased;
            sent = writer.write(out.get(written..).unwrap_or(&[])), if !out.is_empty() => {
                sent.inspect(|n| written += n)
            }
            got = reader.read(&mut input), if unsent.is_empty() => {
                got.inspect(|n| unsent = 0..*n)
            }
            () = clock.wait(simulator, unread(&out)) => Ok(1),
        };
        match done {
            Ok(0) => return Ok(Ended::HostClosed),
            Ok(_) => {}
            Err(error) if is_goodbye(&error) => return Ok(Ended::HostClosed),
            Err(error) => return Err(error),
        }
    }
}

/// Pulls the cable and lets the machine go on alone: what was handed over is executed, what it says
/// is lost. For ever; drop the future to plug a cable in again with [`Simulator::reconnect`].
///
/// At [`Pace::Max`] the machine does all its work at once.
pub async fn unplugged(simulator: &mut Simulator, pace: Pace) {
    simulator.disconnect(simulator.now());
    let mut clock = Clock::start(simulator.now(), pace);
    loop {
        let now = clock.now(simulator);
        simulator.advance(now);
        clock.wait(simulator, Host::Ready).await;
    }
}

/// Whether the host still has to read answers before more are fetched for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    Ready,
    Behind,
}

fn unread(out: &[u8]) -> Host {
    if out.is_empty() {
        Host::Ready
    } else {
        Host::Behind
    }
}

/// How a host that goes away shows: as an error of these kinds, or as EIO when a pty's other end is
/// closed.
fn is_goodbye(error: &io::Error) -> bool {
    const EIO: i32 = 5;
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
    ) || error.raw_os_error() == Some(EIO)
}

/// Ties virtual time to the clock.
enum Clock {
    Scaled {
        virtual_start: Duration,
        start: Instant,
        factor: f64,
    },
    Free,
}

impl Clock {
    fn start(virtual_start: Duration, pace: Pace) -> Self {
        match pace {
            Pace::Realtime(factor) if factor > 0.0 => Self::Scaled {
                virtual_start,
                start: Instant::now(),
                factor,
            },
            _ => Self::Free,
        }
    }

    fn now(&self, simulator: &Simulator) -> Duration {
        match self {
            Self::Scaled {
                virtual_start,
                start,
                factor,
            } => {
                let passed = start.elapsed().as_secs_f64() * factor;
                (*virtual_start + Duration::from_secs_f64(passed)).max(simulator.now())
            }
            Self::Free => simulator.now(),
        }
    }

    /// Returns when virtual time should be looked at again; may be dropped half-way.
    async fn wait(&mut self, simulator: &mut Simulator, host: Host) {
        let next = match host {
            Host::Ready => simulator.next_event(),
            // What has arrived at the host already is no reason to wake up.
            Host::Behind => simulator.next_step(),
        };
        let Some(next) = next else {
            return std::future::pending().await;
        };
        match self {
            Self::Scaled {
                virtual_start,
                start,
                factor,
            } => {
                let real = next.saturating_sub(*virtual_start).as_secs_f64() / *factor;
                // A little late, or rounding could make it a little early, again and again.
                let real = Duration::from_secs_f64(real) + Duration::from_micros(1);
                tokio::time::sleep_until(*start + real).await;
            }
            Self::Free => {
                if !simulator.is_working() {
                    return std::future::pending().await;
                }
                // The host may be a task of the same thread: it goes first.
                tokio::task::yield_now().await;
                jump(simulator);
            }
        }
    }
}

/// Jumps from event to event until an answer has come out whole or a turn is over.
fn jump(simulator: &mut Simulator) {
    for _ in 0..EVENTS_PER_TURN {
        let Some(at) = simulator.next_event() else {
            return;
        };
        simulator.advance(at);
        if simulator.is_answer_out() || !simulator.is_working() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, ControllerKind};
    use tokio::io::duplex;

    async fn talk(config: Config, say: Vec<u8>, oks: usize) -> (Simulator, usize) {
        let mut simulator = Simulator::new(config);
        let (host, board) = duplex(512);
        let (mut reader, mut writer) = tokio::io::split(host);
        let pace = simulator.config().pace();
        let client = async {
            let write = async { writer.write_all(&say).await.unwrap() };
            let read = async {
                let mut heard = Vec::new();
                let mut buffer = [0; 300];
                while heard.iter().filter(|b| **b == b'k').count() < oks {
                    match reader.read(&mut buffer).await.unwrap() {
                        0 => break,
                        n => heard.extend_from_slice(&buffer[..n]),
                    }
                }
                heard.iter().filter(|b| **b == b'k').count()
            };
            let ((), oks) = tokio::join!(write, read);
            oks
        };
        let oks = tokio::select! {
            ended = serve(&mut simulator, board, pace) => panic!("ended early: {ended:?}"),
            oks = client => oks,
        };
        (simulator, oks)
    }

    #[tokio::test(start_paused = true)]
    async fn every_line_is_answered_however_small_the_pipe() {
        let lines: Vec<u8> = (0..5000)
            .flat_map(|n| format!("G1 X{n}\n").into_bytes())
            .collect();
        let config = Config::new(ControllerKind::Null).with_pace(Pace::Max);
        let (simulator, oks) = talk(config, lines, 5000).await;
        assert_eq!((oks, simulator.snapshot().lines), (5000, 5000));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_wire_takes_its_time_scaled() {
        let lines: Vec<u8> = b"G1 X1000000\n".repeat(960);
        let config = Config::new(ControllerKind::Null)
            .with_baud(Some(115_200))
            .with_pace(Pace::Realtime(4.0));
        let start = Instant::now();
        let (simulator, _) = talk(config, lines, 960).await;
        // 11,520 bytes at 11,520 bytes a second: one virtual second, a quarter on the clock.
        assert_eq!(simulator.snapshot().lines, 960);
        let took = start.elapsed();
        assert!((240..275).contains(&took.as_millis()), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn free_running_time_is_the_wire_s_time_and_then_stands() {
        let lines: Vec<u8> = b"G1 X1000000\n".repeat(960);
        let config = Config::new(ControllerKind::Null)
            .with_baud(Some(115_200))
            .with_pace(Pace::Max);
        let (simulator, oks) = talk(config, lines, 960).await;
        assert_eq!(oks, 960);
        let took = simulator.now().as_secs_f64();
        assert!((1.0..1.02).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_host_the_machine_finishes_what_it_was_given() {
        for (pace, seconds) in [(Pace::Realtime(10.0), 2), (Pace::Max, 1)] {
            let config = Config::new(ControllerKind::Grbl).with_pace(pace);
            let (mut simulator, oks) = talk(config, b"G21\nG1X10F60\n".to_vec(), 2).await;
            assert_eq!(oks, 2);
            assert_eq!(
                simulator.log().len(),
                0,
                "ten seconds of motion have just begun"
            );
            let alone = tokio::time::timeout(
                Duration::from_secs(seconds),
                unplugged(&mut simulator, pace),
            );
            assert!(alone.await.is_err(), "it waits for a cable for ever");
            assert_eq!((simulator.log().len(), simulator.link_up()), (1, false));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pulled_cable_and_a_closed_host_end_it() {
        let faults = "disconnect@byte:3".parse().unwrap();
        let mut simulator = Simulator::new(Config::new(ControllerKind::Null).with_faults(faults));
        let (mut host, board) = duplex(512);
        host.write_all(b"G1 X1\n").await.unwrap();
        assert_eq!(
            serve(&mut simulator, board, Pace::Max).await.unwrap(),
            Ended::LinkDown
        );
        simulator.reconnect(simulator.now(), crate::OnOpen::Keep);
        let (host, board) = duplex(512);
        drop(host);
        let ended = serve(&mut simulator, board, Pace::Max).await.unwrap();
        assert_eq!(ended, Ended::HostClosed);
    }
}
