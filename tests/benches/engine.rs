//! What the engine itself costs: a million prepared lines through the streamer, against a controller in memory that answers at
//! once. Prints lines a second, processor time a line, and allocations while streaming.
//!
//! `cargo xtask bench engine`

use std::alloc::System;
use std::time::Duration;

use feedhold_stream_core::{
    Streamer,
    chunk::{ChunkSizer, Cutter, Prepared},
    dialect::Dialect,
    streamer::{Config, Event},
    wire::{Chain, ChainConfig},
};
use feedhold_tests::metrics::{Allocations, COUNTING_SYSTEM, CountingAllocator, thread_cpu_time};

#[global_allocator]
static ALLOCATOR: &CountingAllocator<System> = &COUNTING_SYSTEM;

const LINES: u64 = 1_000_000;

fn main() {
    println!(
        "{:<34} {:>12} {:>10} {:>14} {:>16}",
        "window", "lines/s", "ns/line", "allocations", "per 1,000 lines"
    );
    for (name, config, rx) in [
        (
            "grbl, 128-byte receive buffer",
            Config::new(Dialect::Grbl),
            128,
        ),
        (
            "grbl, 1024-byte receive buffer",
            Config::new(Dialect::Grbl),
            1024,
        ),
        (
            "grbl, 65,535-byte receive buffer",
            Config::new(Dialect::Grbl),
            65_535,
        ),
        (
            "marlin, 4 numbered lines",
            Config::new(Dialect::Marlin),
            128,
        ),
    ] {
        let run = stream(config, rx);
        let seconds = run.cpu.as_secs_f64();
        println!(
            "{name:<34} {:>12.0} {:>10.1} {:>14} {:>16.3}",
            LINES as f64 / seconds,
            seconds * 1e9 / LINES as f64,
            run.allocations,
            run.allocations as f64 * 1000.0 / LINES as f64,
        );
    }
}

struct Run {
    cpu: Duration,
    allocations: usize,
}

/// Streams a million lines. Preparing them is not part of the figure: it happens on other threads.
fn stream(config: Config, rx: usize) -> Run {
    let mut chunks = prepare(config.dialect()).into_iter();
    let mut controller = Controller::new(config.dialect(), rx);
    let mut streamer = Streamer::new(config);
    let mut out = Vec::with_capacity(64 * 1024);
    let mut now = Duration::ZERO;
    streamer.handle_connected(now);
    let region = Allocations::new(ALLOCATOR);
    let begun = thread_cpu_time();
    loop {
        let _ = streamer.poll_realtime(&mut out);
        let _ = streamer.poll_transmit(now, &mut out);
        while let Some(event) = streamer.poll_event() {
            match event {
                Event::Ready(_) => streamer.begin(0).expect("the controller is ready"),
                Event::Finished => {
                    assert_eq!(streamer.positions().executed, LINES);
                    let cpu = thread_cpu_time() - begun;
                    return Run {
                        cpu,
                        allocations: region.change().allocations,
                    };
                }
                Event::Fault(fault) => panic!("{fault}"),
                _ => {}
            }
        }
        while streamer.wants_program() {
            match chunks.next() {
                Some(chunk) => streamer.push(chunk),
                None => streamer.finish(),
            }
        }
        let answers = controller.answer(&out);
        if answers.is_empty() && out.is_empty() {
            now += Duration::from_millis(1);
            streamer.handle_timeout(now);
        }
        streamer.handle_input(now, answers);
        out.clear();
    }
}

fn prepare(dialect: Dialect) -> Vec<Prepared> {
    let chain = Chain::new(ChainConfig::new(dialect));
    let mut cutter = Cutter::new(ChunkSizer::cnc(), dialect.flavor());
    let mut chunks = Vec::new();
    let mut text = String::new();
    for line in 0..LINES {
        text.clear();
        let (x, y) = (line % 977, line % 613);
        text.push_str(&format!(
            "G1 X{}.{:03} Y-{}.{:02} F1500\n",
            x / 10,
            x,
            y / 7,
            y % 100
        ));
        let mut input = text.as_bytes();
        while let Some(raw) = cutter.next(&mut input).expect("lines are short") {
            chunks.push(chain.prepare(&raw).expect("the program is plain"));
        }
    }
    if let Some(raw) = cutter.finish().expect("lines are short") {
        chunks.push(chain.prepare(&raw).expect("the program is plain"));
    }
    chunks
}

/// Answers every line with `ok` into one reused buffer.
struct Controller {
    dialect: Dialect,
    identity: String,
    answers: Vec<u8>,
}

impl Controller {
    fn new(dialect: Dialect, rx: usize) -> Self {
        let identity = match dialect {
            Dialect::Marlin => "FIRMWARE_NAME:Marlin 2.1 (bench)\nok\n".to_owned(),
            _ => format!("[VER:1.1h.20190830:]\r\n[OPT:V,15,{rx}]\r\nok\r\n"),
        };
        Self {
            dialect,
            identity,
            answers: Vec::with_capacity(64 * 1024),
        }
    }

    fn answer(&mut self, bytes: &[u8]) -> &[u8] {
        self.answers.clear();
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            match line {
                b"?" => self
                    .answers
                    .extend_from_slice(b"<Idle|MPos:0.000,0.000,0.000|FS:0,0>\r\n"),
                line if line.trim_ascii() == self.dialect.identify() => {
                    self.answers.extend_from_slice(self.identity.as_bytes());
                }
                line if self.dialect == Dialect::Marlin
                    && line.starts_with(b"N")
                    && holds(line, b"M105*") =>
                {
                    self.answers.extend_from_slice(b"ok T:20.0 /0.0 @:0\n");
                }
                _ if self.dialect == Dialect::Marlin => self.answers.extend_from_slice(b"ok\n"),
                _ => self.answers.extend_from_slice(b"ok\r\n"),
            }
        }
        &self.answers
    }
}

/// Whether a short line has this part; long ones are not searched, so that the figure is the engine's.
fn holds(line: &[u8], part: &[u8]) -> bool {
    line.len() < 24 && line.windows(part.len()).any(|window| window == part)
}
