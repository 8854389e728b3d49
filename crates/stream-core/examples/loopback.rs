//! Streams a small program to a controller of thirty lines, and prints the conversation.
//!
//! `cargo run -p feedhold-stream-core --example loopback`

use std::{error::Error, time::Duration};

use feedhold_stream_core::{
    Streamer,
    dialect::Dialect,
    streamer::{Config, Event},
    wire::{Chain, ChainConfig},
};

const PROGRAM: &str = "
    G21 G90 (millimetres, absolute)
    G0 X0 Y0 ; to the corner
    G1 X10 F600
    G1 Y10
    M30
";

fn main() -> Result<(), Box<dyn Error>> {
    let chain = Chain::new(ChainConfig::new(Dialect::Grbl));
    let mut streamer = Streamer::new(Config::new(Dialect::Grbl));
    let (mut now, mut out) = (Duration::ZERO, Vec::new());
    streamer.handle_connected(now);
    loop {
        let _ = streamer.poll_realtime(&mut out);
        let _ = streamer.poll_transmit(now, &mut out);
        while let Some(event) = streamer.poll_event() {
            match event {
                Event::Ready(_) => {
                    streamer.begin(0)?;
                    streamer.push(chain.program(PROGRAM)?);
                    streamer.finish();
                }
                Event::StopReached { stop, line } => {
                    println!("line {line}: {stop}");
                    streamer.proceed(now, feedhold_stream_core::streamer::Proceed::Send)?;
                }
                Event::Finished => {
                    println!("executed up to line {}", streamer.positions().executed);
                    return Ok(());
                }
                Event::Fault(fault) => return Err(fault.into()),
                Event::GreetingFailed(error) => return Err(error.into()),
                _ => {}
            }
        }
        let answers = controller(&out);
        if answers.is_empty() {
            now = streamer.poll_timeout().unwrap_or(now);
            streamer.handle_timeout(now);
        }
        print!("> {}\n< {}\n", out.escape_ascii(), answers.escape_ascii());
        out.clear();
        streamer.handle_input(now, &answers);
    }
}

/// Answers like a grbl that executes at once.
fn controller(bytes: &[u8]) -> Vec<u8> {
    let mut answers = Vec::new();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        answers.extend_from_slice(match line {
            b"?" => &b"<Idle|MPos:0.000,0.000,0.000|FS:0,0>\r\n"[..],
            b"$I\n" => b"[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\nok\r\n",
            _ => b"ok\r\n",
        });
    }
    answers
}
