//! How fast the models run, in lines and virtual hours a second (use `--release`).
//!
//! ```text
//! cargo run --release -p feedhold-simulator --example throughput
//! ```

use std::error::Error;
use std::time::Instant;

use feedhold_simulator::{Config, Simulator};

const LINES: u64 = 2_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let cases = [
        ("null", "controller=null", LINES),
        ("grbl, motion instant", "motion=instant", LINES / 4),
        ("grbl, planned motion", "rx=1024", LINES / 20),
        (
            "grbl, planned, 115200 baud",
            "baud=115200&rx=1024",
            LINES / 100,
        ),
    ];
    for (name, params, lines) in cases {
        let pairs = params.split('&').filter_map(|pair| pair.split_once('='));
        let mut machine = Simulator::new(Config::from_params(pairs)?);
        let start = Instant::now();
        stream(&mut machine, lines);
        let took = start.elapsed().as_secs_f64();
        println!(
            "{name:28} {:10.0} lines/s   {:8.1} virtual s in {took:.3} s   lost {}",
            lines as f64 / took,
            machine.now().as_secs_f64(),
            machine.rx_overflows(),
        );
    }
    Ok(())
}

/// Streams `lines` short motions, at most 20 unanswered at any time.
fn stream(machine: &mut Simulator, lines: u64) {
    const BATCH: u64 = 20;
    let batches: Vec<Vec<u8>> = (0..50)
        .map(|batch| {
            (0..BATCH)
                .flat_map(|n| line(batch * BATCH + n).into_bytes())
                .collect()
        })
        .collect();
    let mut heard = Vec::new();
    let mut sent = 0;
    for batch in batches.iter().cycle() {
        if sent >= lines {
            break;
        }
        let mut rest = batch.as_slice();
        while !rest.is_empty() {
            let taken = machine.receive(machine.now(), rest);
            rest = rest.get(taken..).unwrap_or(&[]);
        }
        sent += BATCH;
        heard.clear();
        machine.transmit(machine.now(), &mut heard);
        while machine.snapshot().lines < sent {
            let Some(at) = machine.next_event() else {
                break;
            };
            machine.transmit(at, &mut heard);
        }
    }
}

fn line(n: u64) -> String {
    let (x, y) = (n % 997, n % 13);
    format!("G1 X{}.{} Y{y}.5 F3000\n", x / 10, x % 10)
}
