//! `feedhold console`: lines to a machine, and whatever it says.
//!
//! Nothing is interpreted and nothing is waited for, so this also works with a machine that is in alarm or unknown.

use std::{io::BufRead, thread, time::Duration};

use bytes::BytesMut;
use feedhold::{
    Error,
    machine::{Machine, MotionLog},
    transport::Link,
};
use tokio::sync::mpsc;

use crate::{
    args::ConsoleArgs,
    exit::{Exit, coded},
    out, runtime,
};

/// Time for the last answers after the input has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Runs the command until the input ends.
pub(crate) fn run(typed: &ConsoleArgs) -> anyhow::Result<Exit> {
    let runtime = runtime()?;
    let talked = runtime.block_on(async {
        let mut machine = Machine::open(&typed.machine, &MotionLog::AsAddressed)?;
        let mut link = machine
            .connect
            .connect()
            .await
            .map_err(|error| Error::Connect(error.into()))?;
        out::note(format_args!(
            "connected to {}; Ctrl-D leaves",
            link.describe()
        ));
        talk(&mut link, typed_lines()?).await
    });
    // The reader of lines may still wait for one.
    runtime.shutdown_background();
    talked.map(|()| Exit::Done)
}

/// Lines as they are typed.
fn typed_lines() -> anyhow::Result<mpsc::Receiver<Vec<u8>>> {
    let (sender, lines) = mpsc::channel(16);
    thread::Builder::new()
        .name("lines".to_owned())
        .spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { return };
                if sender.blocking_send(to_wire(&line)).is_err() {
                    return;
                }
            }
        })?;
    Ok(lines)
}

async fn talk(link: &mut Box<dyn Link>, mut lines: mpsc::Receiver<Vec<u8>>) -> anyhow::Result<()> {
    let mut outgoing = BytesMut::new();
    let mut inbox = BytesMut::new();
    let mut leaving = false;
    loop {
        tokio::select! {
            line = lines.recv(), if !leaving => match line {
                Some(line) => outgoing.extend_from_slice(&line),
                None => leaving = true,
            },
            moved = link.exchange(&outgoing, &mut inbox) => {
                let moved = moved.map_err(|error| coded(Exit::Machine, error.to_string()))?;
                let _written = outgoing.split_to(moved.written);
                out::bytes(&printable(&inbox.split()));
            }
            () = tokio::time::sleep(LAST_WORDS), if leaving && outgoing.is_empty() => return Ok(()),
        }
    }
}

/// What a typed line means on the wire.
fn to_wire(line: &str) -> Vec<u8> {
    match line {
        "?" | "!" | "~" => return line.as_bytes().to_vec(),
        "^X" | "^x" => return vec![0x18],
        _ => {}
    }
    if let Some(byte) = line
        .strip_prefix("\\x")
        .and_then(|digits| u8::from_str_radix(digits, 16).ok())
    {
        return vec![byte];
    }
    let mut bytes = line.as_bytes().to_vec();
    bytes.push(b'\n');
    bytes
}

/// A machine's bytes cannot play with the terminal.
fn printable(bytes: &[u8]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\r' => {}
            b'\n' | b'\t' | b' '..=b'~' => shown.push(byte),
            other => shown.extend(other.escape_ascii()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_realtime_commands_go_out_as_meant() {
        for (line, want) in [
            ("G0 X1", &b"G0 X1\n"[..]),
            ("", b"\n"),
            ("?", b"?"),
            ("^X", b"\x18"),
            ("\\x84", b"\x84"),
            ("\\xzz", b"\\xzz\n"),
            ("? ", b"? \n"),
        ] {
            assert_eq!(to_wire(line), want, "{line:?}");
        }
    }

    #[test]
    fn a_machine_cannot_play_with_the_terminal() {
        assert_eq!(printable(b"ok\r\n\x1b[2J\xff"), b"ok\n\\x1b[2J\\xff");
    }
}
