//! Laws that hold for every input: one function a target, from any bytes to assertions.
//!
//! A target takes its choices (dialect, cuts, times) from the first bytes and judges what the product makes of the rest. It panics
//! when a law is broken. Two drivers call it: the fuzzer (`cargo xtask fuzz`, nightly), which looks for inputs that reach new code,
//! and `tests/tests/fuzz.rs`, which replays what the fuzzer has found and mutates it a little, on the stable toolchain.

mod address;
mod checkpoint_open;
mod corpus;
mod files;
mod input;
mod interpret;
mod kept;
mod lexer;
mod responses;
mod simulator;
mod streamer;
mod wire;

pub use corpus::{Corpus, Sample, mutated};
pub use input::{Input, pieces};
pub use streamer::reached as streamer_reaches;

/// A law and its name.
#[derive(Clone, Copy)]
pub struct Target {
    /// What `cargo xtask fuzz` and the folder of its corpus call it.
    pub name: &'static str,
    /// Panics when the bytes break a law.
    pub judge: fn(&[u8]),
    /// Mutated inputs that the stable test judges: about a second of them.
    pub mutations: u32,
}

/// All targets. `tests/fuzz` has a program for each of them.
pub const TARGETS: &[Target] = &[
    Target {
        name: "lexer",
        judge: lexer::judge,
        mutations: 2_000,
    },
    Target {
        name: "interpret",
        judge: interpret::judge,
        mutations: 2_000,
    },
    Target {
        name: "wire",
        judge: wire::judge,
        mutations: 2_000,
    },
    Target {
        name: "responses",
        judge: responses::judge,
        mutations: 2_000,
    },
    Target {
        name: "address",
        judge: address::judge,
        mutations: 20_000,
    },
    Target {
        name: "files",
        judge: files::judge,
        mutations: 5_000,
    },
    Target {
        name: "kept",
        judge: kept::judge,
        mutations: 2_000,
    },
    Target {
        name: "simulator",
        judge: simulator::judge,
        mutations: 300,
    },
    Target {
        name: "checkpoint_open",
        judge: checkpoint_open::judge,
        mutations: 100,
    },
    Target {
        name: "streamer",
        judge: streamer::judge,
        mutations: 2_000,
    },
];

/// Runs one target.
///
/// # Panics
/// When the bytes break a law, and for a name that no target has.
pub fn judge(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.unwrap_or_else(|| panic!("there is no target {name}"));
    (target.judge)(data);
}

/// Fails when a text would play tricks on the terminal or in a log that shows it.
#[track_caller]
fn assert_shown(text: &str, most: usize) {
    assert!(
        !text.chars().any(char::is_control),
        "control characters in a message: {text:?}"
    );
    assert!(
        text.len() <= most,
        "a message of {} bytes: {text}",
        text.len()
    );
}

#[cfg(test)]
mod tests {
    use super::TARGETS;

    #[test]
    fn every_target_has_a_program_and_takes_nothing() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/fuzz_targets");
        for target in TARGETS {
            let path = format!("{folder}/{}.rs", target.name);
            let program =
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(
                program.contains(&format!("judge(\"{}\"", target.name)),
                "{path}"
            );
            (target.judge)(b"");
        }
        let programs = std::fs::read_dir(folder)
            .expect("the folder of the programs")
            .count();
        assert_eq!(programs, TARGETS.len());
    }
}
