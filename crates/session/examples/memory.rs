//! Streams a small program to a controller at the other end of a cable in memory, and prints what is told.
//!
//! ```sh
//! cargo run -p feedhold-session --example memory
//! ```

use std::{error::Error, sync::Arc};

use feedhold_session::{Config, Event, Job, open, vet};
use feedhold_stream_core::{
    dialect::Dialect,
    streamer,
    wire::{Chain, ChainConfig},
};
use feedhold_transport::{
    Sequence,
    memory::{MemoryPeer, duplex},
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

const PROGRAM: &str = "G21 ; millimetres\nG90\nG1 X10 F600\nG1 Y10\nG1 X0\nG1 Y0\n";

/// As little of a Marlin as a session needs: it says who it is and takes every line.
async fn controller(peer: MemoryPeer) -> std::io::Result<()> {
    let (reader, mut writer) = tokio::io::split(peer);
    let mut lines = BufReader::new(reader).lines();
    while let Some(line) = lines.next_line().await? {
        println!("        controller: {line}");
        let answer = match line {
            line if line.starts_with("M115") => "FIRMWARE_NAME:Marlin 2.1.2\nok\n",
            line if line.contains("M105") => "ok T:20.0 /0.0 B:20.0 /0.0\n",
            _ => "ok\n",
        };
        writer.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join("feedhold-session-example.gcode");
    std::fs::write(&path, PROGRAM)?;
    let chain = Arc::new(Chain::new(ChainConfig::new(Dialect::Marlin)));
    let vetted = vet(&path, &chain, |_| true)?;
    println!("{}", serde_json::to_string(&Event::from(&vetted))?);

    let (link, peer) = duplex(256);
    let machine = tokio::spawn(controller(peer));
    let config = Config::new(streamer::Config::new(Dialect::Marlin));
    let session = open(Box::new(Sequence::once(link)), config).await?;
    let mut events = session.events();
    let outcome = session.run(Job::new(vetted, chain)).await?;
    while let Ok(event) = events.try_recv() {
        println!("{}", serde_json::to_string(&event)?);
    }
    println!(
        "{}: {} lines, {} bytes",
        outcome.ending.name(),
        outcome.lines,
        outcome.bytes_sent
    );
    drop(session);
    machine.await??;
    std::fs::remove_file(&path)?;
    Ok(())
}
