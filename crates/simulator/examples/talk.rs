//! Talks to a simulated grbl: a window of characters, a feed hold, and what the machine did.
//!
//! ```text
//! cargo run -p feedhold-simulator --example talk
//! cargo run -p feedhold-simulator --example talk -- 'baud=9600&fault=drop-ok:0.2&seed=3'
//! ```

use std::error::Error;
use std::time::Duration;

use feedhold_simulator::{Config, LogMode, Simulator};

const PROGRAM: &[&str] = &[
    "G21 G90",
    "M3 S1000",
    "G0 X5 Y5",
    "G1 Z-1 F300",
    "G2 X15 I5 F600",
    "M30",
];

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "baud=115200".to_owned());
    let pairs = address
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let config = Config::from_params(pairs)?.with_log(LogMode::Keep { limit: 1000 });
    let mut machine = Simulator::new(config);
    listen(&mut machine, Duration::from_millis(10));

    for line in PROGRAM {
        println!("> {line}");
        // The wire takes up to 64 KiB at once; a short line always fits.
        let taken = machine.receive(machine.now(), format!("{line}\n").as_bytes());
        assert_eq!(taken, line.len() + 1);
        listen(&mut machine, Duration::from_millis(200));
    }
    for command in ["!", "?", "~", "?"] {
        println!("> {command}");
        let _ = machine.receive(machine.now(), command.as_bytes());
        listen(&mut machine, Duration::from_millis(400));
    }
    listen(&mut machine, Duration::from_secs(60));

    for entry in machine.log().entries() {
        let [x, y, z, _] = entry.target;
        println!(
            "{:8.3} s  {:6}  X{x} Y{y} Z{z}  {} rpm",
            entry.finish.as_secs_f64(),
            entry.kind.name(),
            entry.spindle_rpm,
        );
    }
    println!(
        "most bytes in the receive buffer: {}",
        machine.rx_high_water()
    );
    Ok(())
}

/// Lets time pass and prints what the machine says meanwhile.
fn listen(machine: &mut Simulator, time: Duration) {
    let mut heard = Vec::new();
    machine.transmit(machine.now() + time, &mut heard);
    for line in String::from_utf8_lossy(&heard)
        .lines()
        .filter(|line| !line.is_empty())
    {
        println!("{:8.3} s  < {line}", machine.now().as_secs_f64());
    }
}
