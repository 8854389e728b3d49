//! Talks to a machine with this crate alone: sends lines, one answer ahead of the next, and shows what came back.
//!
//! ```text
//! cargo run -p feedhold-transport --example echo                              a made-up machine behind a pty
//! cargo run -p feedhold-transport --example echo serial:/dev/ttyUSB0 '$I'     a real one
//! ```

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use feedhold_transport::{Address, Connect, Link, Traced};
use tokio::time::timeout;

/// How long a real machine may take for its first word.
const PATIENCE: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let outcome = match arguments.next() {
        Some(typed) => ask(&typed, &arguments.collect::<Vec<_>>()).await,
        None => made_up::run().await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Sends each line to the machine and prints its words until it has been silent for a while.
async fn ask(typed: &str, lines: &[String]) -> Result<(), Box<dyn Error>> {
    let address: Address = typed.parse()?;
    let connector = address
        .connector()
        .ok_or("this example has no simulator; name a serial port or a TCP address")?;
    let mut link = Traced::new(connector).connect().await?;
    println!("connected to {}", link.describe());
    let mut out: BytesMut = lines
        .iter()
        .flat_map(|line| line.bytes().chain([b'\n']))
        .collect();
    let mut inbox = BytesMut::new();
    while let Ok(moved) = timeout(PATIENCE, link.exchange(&out, &mut inbox)).await {
        let _sent = out.split_to(moved?.written);
        print!("{}", String::from_utf8_lossy(&inbox));
        inbox.clear();
    }
    Ok(())
}

#[cfg(unix)]
mod made_up {
    use super::*;
    use feedhold_transport::{SerialAddress, pty::Pty};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Lines of the demonstration.
    const LINES: usize = 100_000;

    /// Streams a program to a machine that answers every line, and prints how fast the link was.
    pub(super) async fn run() -> Result<(), Box<dyn Error>> {
        let pty = Pty::open()?;
        let path = pty
            .path()
            .to_str()
            .ok_or("the path of the pty is no text")?;
        let address = Address::from(SerialAddress::new(path)?);
        let machine = tokio::spawn(answer(pty));
        let mut link = address
            .connector()
            .ok_or("a serial address has a connector")?
            .connect()
            .await?;

        let started = Instant::now();
        stream(link.as_mut()).await?;
        let seconds = started.elapsed().as_secs_f64();
        println!(
            "{}: {LINES} lines in {seconds:.2} s, {:.0} lines/s",
            link.describe(),
            LINES as f64 / seconds
        );
        machine.abort();
        Ok(())
    }

    /// Keeps at most 1 KiB unanswered, as a sender that counts characters would.
    async fn stream(link: &mut dyn Link) -> Result<(), Box<dyn Error>> {
        const LINE: &[u8] = b"G1X10.125Y20.250\n";
        const WINDOW: usize = 1024 / LINE.len();
        let (mut queued, mut answered) = (0, 0);
        let (mut out, mut inbox) = (BytesMut::new(), BytesMut::new());
        while answered < LINES {
            while queued < LINES && queued - answered < WINDOW {
                out.extend_from_slice(LINE);
                queued += 1;
            }
            let moved = link.exchange(&out, &mut inbox).await?;
            let _sent = out.split_to(moved.written);
            answered += inbox.iter().filter(|&&byte| byte == b'\n').count();
            inbox.clear();
        }
        Ok(())
    }

    /// Says `ok` to every line end.
    async fn answer(mut pty: Pty) -> std::io::Result<()> {
        let (mut portion, mut answers) = ([0; 4096], Vec::new());
        loop {
            let count = pty.read(&mut portion).await?;
            answers.clear();
            for _ in portion.iter().take(count).filter(|&&byte| byte == b'\n') {
                answers.extend_from_slice(b"ok\r\n");
            }
            pty.write_all(&answers).await?;
        }
    }
}

#[cfg(not(unix))]
mod made_up {
    use super::*;

    /// There is no pty to put a made-up machine behind.
    pub(super) async fn run() -> Result<(), Box<dyn Error>> {
        Err("name a machine, for example serial:COM3 or tcp://10.0.0.7:23".into())
    }
}
