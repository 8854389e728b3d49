//! What is said to be executed, against what the machine has executed.

use std::time::Duration;

use feedhold_gcode_parse::Flavor;
use feedhold_simulator::{Config, Kind};
use feedhold_stream_core::{
    dialect::{Dialect, OverrideStep, RealtimeCommand},
    streamer::{self, Event, Pause, State},
};
use feedhold_tests::{
    oracle,
    random::Recipe,
    world::{End, World, chunks},
};

use xtask::gcode::Rng;

const HOUR: Duration = Duration::from_secs(3600);
/// The dwell that the streamer puts in as a barrier.
const BARRIER: f64 = 0.01;

/// Seeds of the sweep; `FEEDHOLD_SEEDS` asks for more, `FEEDHOLD_SEED` for one.
fn seeds(default: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    match number("FEEDHOLD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("FEEDHOLD_SEEDS").unwrap_or(default),
    }
}

/// Whether the streamer asks the controller what it knows of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    Nothing,
    Facts,
}

/// How far what is said trailed what was true, in lines.
#[derive(Debug, Default, Clone, Copy)]
struct Trail {
    longest: u64,
    sum: u64,
    looks: u64,
}

impl Trail {
    fn note(&mut self, behind: u64) {
        self.longest = self.longest.max(behind);
        self.sum += behind;
        self.looks += 1;
    }

    fn add(&mut self, other: Self) {
        self.longest = self.longest.max(other.longest);
        self.sum += other.sum;
        self.looks += other.looks;
    }

    fn mean(self) -> f64 {
        self.sum as f64 / self.looks.max(1) as f64
    }
}

/// The line of each thing that the program tells the machine to do, in order.
fn lines_of(dialect: Dialect, program: &str) -> Vec<u64> {
    oracle::Program::new(dialect.flavor(), program.as_bytes())
        .map(|motion| motion.expect("a program in memory"))
        .filter(|motion| motion.kind != Kind::Dwell { seconds: BARRIER })
        .map(|motion| motion.line)
        .collect()
}

struct Machine<'a> {
    dialect: Dialect,
    params: &'a [(&'a str, &'a str)],
    asks: Asks,
    seed: u64,
}

/// Streams the program, and at every instant compares what is said to be executed with the machine's own log. Now and then the
/// machine is held, and runs slower or faster.
fn never_leads(machine: &Machine<'_>, program: &str) -> Trail {
    let Machine {
        dialect,
        params,
        asks,
        seed,
    } = *machine;
    let seed_text = seed.to_string();
    let mut all = vec![("controller", dialect.name()), ("seed", &seed_text)];
    all.extend(params);
    let config = Config::from_params(all).expect("the parameters are good");
    let mut world = World::new(streamer::Config::new(dialect), config);
    if asks == Asks::Facts {
        world = world.with_facts();
    }
    world.load(chunks(dialect, program, 7));
    let lines = lines_of(dialect, program);
    let mut rng = Rng::new(seed);
    let mut trail = Trail::default();
    let mut next_wish = Duration::from_millis(700);
    loop {
        let mut reached = |world: &World| {
            let done = world
                .machine
                .log()
                .entries()
                .filter(|entry| {
                    entry.kind != Kind::Dwell { seconds: BARRIER } && entry.fraction >= 1.0
                })
                .count();
            let at = world.streamer.positions();
            // Everything up to the line before the first motion that is not in the log is executed, and that line itself is not.
            let true_executed = lines.get(done).map_or(u64::MAX, |line| line - 1);
            assert!(
                at.executed <= true_executed,
                "FEEDHOLD_SEED={seed} {dialect} {asks:?} {params:?}: {at:?} while {done} motions were made, up to line {true_executed}, at {:?}",
                world.now()
            );
            if world.streamer.is_running() {
                trail.note(true_executed.min(at.sent) - at.executed);
            }
            world.now() >= next_wish
        };
        let until = next_wish.saturating_sub(world.now()) + Duration::from_millis(1);
        match world.watch(until, &mut reached) {
            None | Some(End::OutOfTime) => {}
            Some(End::Finished) => return trail,
            Some(other) => panic!("FEEDHOLD_SEED={seed} {dialect} {asks:?}: {other:?}"),
        }
        assert!(world.now() < HOUR, "FEEDHOLD_SEED={seed}: no end");
        let _: Vec<Event> = world.take_events();
        let now = world.now();
        next_wish = now + Duration::from_millis(rng.below(900) + 50);
        let step = rng.pick(&[
            OverrideStep::CoarseDown,
            OverrideStep::CoarseUp,
            OverrideStep::Reset,
        ]);
        match world.streamer.state() {
            State::Streaming if rng.one_in(3) => {
                let pause = rng.pick(&[Pause::Immediate, Pause::Graceful]);
                let _ = world.streamer.hold(now, pause);
            }
            State::Streaming => {
                let _ = world.streamer.realtime(RealtimeCommand::FeedOverride(step));
            }
            State::Paused => {
                let _ = world.streamer.resume(now);
            }
            _ => {}
        }
    }
}

/// Programs of all kinds: random ones, tiny steps, motions without length, circles, long lines, steps back and forth.
fn programs(dialect: Dialect, seed: u64) -> Vec<String> {
    let flavor = dialect.flavor();
    let mut rng = Rng::new(seed ^ 0x5eed);
    let random = Recipe {
        flavor,
        seed,
        lines: 60,
    }
    .program();
    let mut tiny = "G90\nG1 F600\n".to_owned();
    let mut still = tiny.clone();
    let mut back = tiny.clone();
    let mut long = tiny.clone();
    for n in 0..60_u64 {
        tiny += &format!("G1 X{:.3}\n", n as f64 * 0.02);
        let x = rng.below(3) * 4;
        still += &format!("G1 X{x}\n");
        if rng.one_in(4) {
            still += &"G1 X0.001\nG1 X0\n".repeat(rng.below(30) as usize);
            still += match flavor {
                Flavor::Marlin => rng.pick(&["M106 S50\n", "G4 P0\n", "G1 F700\n"]),
                _ => rng.pick(&["S500\n", "M3 S500\n", "M8\n", "F700\n"]),
            };
        }
        back += if n % 2 == 0 { "G1 X3\n" } else { "G1 X0\n" };
        long += &format!("G1 X{} Y{}\n", rng.below(40), rng.below(40));
    }
    let mut all = vec![random, tiny, still, back, long];
    if flavor == Flavor::Grbl {
        // Full circles, which end where they begin.
        let circles: String = (0..30)
            .map(|n| format!("G2 X0 Y0 I{} J0 F3000\n", n % 4 + 1))
            .collect();
        all.push(circles);
    }
    all
}

fn sweep(dialect: Dialect, params: &[(&str, &str)], asks: Asks, count: u64) -> Trail {
    let mut trail = Trail::default();
    for seed in seeds(count) {
        for program in programs(dialect, seed) {
            let machine = Machine {
                dialect,
                params,
                asks,
                seed,
            };
            trail.add(never_leads(&machine, &program));
        }
    }
    println!(
        "{dialect} {asks:?} {params:?}: {} lines behind at most, {:.1} on average",
        trail.longest,
        trail.mean()
    );
    trail
}

#[test]
fn grbl_is_never_ahead_of_itself() {
    sweep(Dialect::Grbl, &[("baud", "115200")], Asks::Nothing, 12);
}

#[test]
fn grbl_that_tells_facts_is_never_ahead_of_itself() {
    sweep(Dialect::Grbl, &[("baud", "115200")], Asks::Facts, 12);
}

#[test]
fn grbl_that_tells_its_buffers_and_lines_is_never_ahead_of_itself() {
    let params = [("baud", "115200"), ("bf", "on"), ("ln", "on")];
    sweep(Dialect::Grbl, &params, Asks::Facts, 12);
}

#[test]
fn marlin_is_never_ahead_of_itself() {
    let params = [("baud", "250000"), ("heat", "instant")];
    sweep(Dialect::Marlin, &params, Asks::Nothing, 12);
    let params = [
        ("baud", "250000"),
        ("heat", "instant"),
        ("advanced_ok", "on"),
    ];
    sweep(Dialect::Marlin, &params, Asks::Facts, 12);
}
