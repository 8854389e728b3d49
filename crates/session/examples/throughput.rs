//! How fast a session moves a file, from disk to a controller in memory that answers at once, with records of a store.
//!
//! ```sh
//! cargo run --release -p feedhold-session --example throughput -- 200 65535
//! ```
//!
//! The numbers are the size of the file in MB and the controller's receive buffer in bytes.

use std::{error::Error, io::Write, path::Path, sync::Arc, time::Instant};

use bytes::BytesMut;
use feedhold_checkpoint::Store;
use feedhold_session::{Config, Job, open, vet};
use feedhold_stream_core::{
    dialect::Dialect,
    streamer,
    wire::{Chain, ChainConfig},
};
use feedhold_transport::{Exchanged, Link, LinkError, Sequence};

/// A grbl that takes a line the moment it arrives.
struct Instantly {
    rx_bytes: u16,
    line: Vec<u8>,
    answers: BytesMut,
}

#[async_trait::async_trait]
impl Link for Instantly {
    async fn exchange(&mut self, out: &[u8], inbox: &mut BytesMut) -> Result<Exchanged, LinkError> {
        for &byte in out {
            match byte {
                b'?' => self
                    .answers
                    .extend_from_slice(b"<Idle|MPos:0.000,0.000,0.000|FS:0,0>\r\n"),
                b'\n' if self.line == b"$I" => {
                    let told = format!("[VER:1.1h:]\r\n[OPT:V,15,{}]\r\nok\r\n", self.rx_bytes);
                    self.answers.extend_from_slice(told.as_bytes());
                }
                b'\n' => self.answers.extend_from_slice(b"ok\r\n"),
                _ => {
                    if self.line.len() < 4 {
                        self.line.push(byte);
                    }
                    continue;
                }
            }
            self.line.clear();
        }
        let moved = Exchanged {
            written: out.len(),
            read: self.answers.len(),
        };
        if moved == Exchanged::default() {
            std::future::pending::<()>().await;
        }
        inbox.extend_from_slice(&self.answers);
        self.answers.clear();
        Ok(moved)
    }

    fn describe(&self) -> String {
        "at once".to_owned()
    }
}

fn write_file(path: &Path, megabytes: u64) -> std::io::Result<u64> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let (mut written, mut line) = (0, 0_u64);
    while written < megabytes * 1_000_000 {
        line += 1;
        let text = format!(
            "G1 X{}.{:03} Y{}.25 F1500\n",
            line % 300,
            line % 1000,
            line % 200
        );
        file.write_all(text.as_bytes())?;
        written += text.len() as u64;
    }
    file.flush()?;
    Ok(written)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let megabytes = arguments.next().map_or(Ok(100), |text| text.parse())?;
    let rx_bytes = arguments.next().map_or(Ok(65_535), |text| text.parse())?;
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("long.gcode");
    let bytes = write_file(&path, megabytes)?;
    let chain = Arc::new(Chain::new(ChainConfig::new(Dialect::Grbl)));
    let begun = Instant::now();
    let vetted = vet(&path, &chain, |_| true)?;
    let rate = |begun: Instant| bytes as f64 / 1e6 / begun.elapsed().as_secs_f64();
    println!("vetted at {:.1} MB/s", rate(begun));

    let link = Sequence::once(Instantly {
        rx_bytes,
        line: Vec::new(),
        answers: BytesMut::new(),
    });
    let config = Config::new(streamer::Config::new(Dialect::Grbl));
    let session = open(Box::new(link), config).await?;
    let store = Store::create(&directory.path().join("job"), &Default::default())?;
    let begun = Instant::now();
    let outcome = session.run(Job::new(vetted, chain).store(store)).await?;
    println!(
        "streamed at {:.1} MB/s: {}, {} lines, {} bytes on the wire",
        rate(begun),
        outcome.ending.name(),
        outcome.lines,
        outcome.bytes_sent
    );
    Ok(())
}
