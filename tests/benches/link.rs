//! How full the wire is: a simulated grbl at 115,200 baud whose motion is instant, so that the wire is the limit, in virtual time.
//!
//! `cargo xtask bench link` takes a generated program of short lines; `cargo xtask bench link -- FILE…` takes the first 4,000 lines of files. For each it
//! prints the share of the byte rate that was used and the lines a second, by host latency, window and packing.
//! The machine's receive buffer is checked at every byte: a single one lost ends the run.

use std::time::Duration;

use feedhold_simulator::Config;
use feedhold_stream_core::{
    chunk::{ChunkSizer, Cutter, Prepared},
    dialect::Dialect,
    streamer::{self, State, Windowing},
    wire::{Chain, ChainConfig, Pack, WordName},
};
use feedhold_tests::world::{End, World};

const BAUD: f64 = 115_200.0;
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Lines of a file that are streamed: what the peers were measured with.
const LINES: usize = 4_000;

fn main() {
    let files: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    if files.is_empty() {
        measure("0.01 mm moves, 14 bytes a line", &short_moves());
    }
    for file in files {
        let text = std::fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let lines = text
            .split_inclusive(|&byte| byte == b'\n')
            .take(LINES)
            .flatten()
            .copied()
            .collect::<Vec<u8>>();
        measure(&file, &lines);
    }
}

fn short_moves() -> Vec<u8> {
    let mut text = String::from("G21\nF9000\nG1 X0.0 Y0.0 Z0.0\n");
    for line in 0..12_000_u32 {
        let step = if line / 500 % 2 == 0 {
            line % 500
        } else {
            500 - line % 500
        };
        text.push_str(&format!("G1 X0.0 Y{}.{:02}\n", step / 100, step % 100));
    }
    text.into_bytes()
}

fn measure(name: &str, text: &[u8]) {
    println!("\n{name}");
    println!(
        "{:<12} {:<26} {:<9} {:>8} {:>9} {:>11} {:>8}",
        "latency", "window", "packing", "wire", "lines/s", "bytes/line", "rx peak"
    );
    for latency_ms in ["0", "1", "2", "4", "16"] {
        for (window, rx, windowing) in [
            ("send-response", "128", Windowing::SendResponse),
            ("counting, 128 bytes", "128", Windowing::Native),
            ("counting, 1024 bytes", "1024", Windowing::Native),
        ] {
            for (packing, pack) in [
                ("off", Pack::Off),
                ("spaces", Pack::Spaces),
                ("lossless", Pack::Lossless),
            ] {
                let run = stream(text, latency_ms, rx, windowing, pack);
                println!(
                    "{:<12} {window:<26} {packing:<9} {:>7.2}% {:>9.0} {:>11.2} {:>8}",
                    format!("{latency_ms} ms"),
                    run.wire * 100.0,
                    run.lines_per_s,
                    run.bytes_per_line,
                    run.rx_peak,
                );
            }
        }
    }
}

struct Run {
    wire: f64,
    lines_per_s: f64,
    bytes_per_line: f64,
    rx_peak: usize,
}

fn stream(text: &[u8], latency_ms: &str, rx: &str, windowing: Windowing, pack: Pack) -> Run {
    let chunks = prepare(text, pack);
    let lines: usize = chunks.iter().map(Prepared::len).sum();
    let bytes: u64 = chunks.iter().map(Prepared::wire_bytes).sum();
    let params = [
        ("controller", "grbl"),
        ("baud", "115200"),
        ("motion", "instant"),
        ("latency_ms", latency_ms),
        ("rx", rx),
    ];
    let machine = Config::from_params(params).expect("the parameters are good");
    let host = streamer::Config::new(Dialect::Grbl).windowing(windowing);
    let limit = rx.parse().expect("a number");
    let mut world = World::new(host, machine).with_rx_limit(limit);
    world.run_until(DAY, |world| world.streamer.state() == State::Ready);
    let begun = world.now();
    world.load(chunks);
    match world.run(DAY) {
        End::Finished => {}
        end => panic!("{end:?}"),
    }
    let seconds = (world.now() - begun).as_secs_f64();
    Run {
        wire: bytes as f64 * 10.0 / BAUD / seconds,
        lines_per_s: lines as f64 / seconds,
        bytes_per_line: bytes as f64 / lines as f64,
        rx_peak: world.machine.rx_stats().high_water,
    }
}

fn prepare(text: &[u8], pack: Pack) -> Vec<Prepared> {
    let skip: WordName = "G64".parse().expect("a word");
    let chain = Chain::new(
        ChainConfig::new(Dialect::Grbl)
            .with_pack(pack)
            .with_skip([skip]),
    );
    let mut cutter = Cutter::new(ChunkSizer::cnc(), Dialect::Grbl.flavor());
    let mut input = text;
    let mut chunks = Vec::new();
    let mut keep = |raw| chunks.push(chain.prepare(&raw).expect("grbl takes the file"));
    while let Some(raw) = cutter.next(&mut input).expect("lines are short") {
        keep(raw);
    }
    if let Some(raw) = cutter.finish().expect("lines are short") {
        keep(raw);
    }
    chunks
}
