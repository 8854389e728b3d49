//! The simplest host there is: one line, one answer, in virtual time.
//!
//! It shares no code with the streaming engine. What it streams is slow on the wire and beyond doubt,
//! which makes it the reference for the simulator's log and for the engine's.

use std::io::{self, BufRead};
use std::time::Duration;

use feedhold_simulator::{Config, ControllerKind, Entry, LogMode, Simulator};
use thiserror::Error;

/// Longest virtual time that one line may take; the longest real one heats a bed from cold.
const PATIENCE: Duration = Duration::from_secs(6 * 3600);

/// Entries that the machine may log during one line.
const LOG_LIMIT: usize = 10_000;

/// How a run went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Lines sent.
    pub lines: u64,
    /// Lines that the machine refused: their number in the program and its answer.
    pub errors: Vec<(u64, String)>,
    /// Virtual time from power-up to rest.
    pub took: Duration,
}

/// Why a run did not come to its end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The program could not be read.
    #[error("cannot read the program: {0}")]
    Read(#[from] io::Error),
    /// The machine never answered a line.
    #[error("line {line}: no answer to `{text}`; last heard: `{heard}`")]
    Silent {
        /// Line of the program, from 1.
        line: u64,
        /// What was sent.
        text: String,
        /// The machine's last line.
        heard: String,
    },
    /// The machine logged more than can be held; entries were lost.
    #[error("line {line}: the log overflowed")]
    LogOverflow {
        /// Line of the program, from 1.
        line: u64,
    },
}

/// Sends the whole program line by line and shows every motion to `each` as it is executed.
///
/// # Errors
/// When the program cannot be read or the machine falls silent. Lines that the machine refuses are
/// no errors here; they are listed in the [`Run`].
pub fn run(
    config: Config,
    program: impl BufRead,
    mut each: impl FnMut(Entry),
) -> Result<Run, RunError> {
    let has_silent_lines = config.controller() == ControllerKind::Marlin;
    let mut host = Host::new(config.with_log(LogMode::Keep { limit: LOG_LIMIT }));
    for (number, text) in (1..).zip(program.lines()) {
        let text = text?;
        let text = text.trim_end_matches('\r');
        if has_silent_lines
            && text
                .split(';')
                .next()
                .is_none_or(|code| code.trim().is_empty())
        {
            continue;
        }
        host.send(number, text)?;
        host.simulator
            .log_mut()
            .take_entries()
            .into_iter()
            .for_each(&mut each);
    }
    host.rest();
    host.simulator
        .log_mut()
        .take_entries()
        .into_iter()
        .for_each(&mut each);
    host.run.took = host.now;
    Ok(host.run)
}

struct Host {
    simulator: Simulator,
    now: Duration,
    /// What has been heard and is no whole line yet.
    heard: Vec<u8>,
    last: String,
    run: Run,
}

enum Answer {
    Ok,
    Error,
}

impl Host {
    fn new(config: Config) -> Self {
        let mut host = Self {
            simulator: Simulator::new(config),
            now: Duration::ZERO,
            heard: Vec::new(),
            last: String::new(),
            run: Run::default(),
        };
        // Whatever it says on power-up is no answer.
        host.rest();
        while host.answer().is_some() {}
        host
    }

    fn send(&mut self, number: u64, text: &str) -> Result<(), RunError> {
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(b'\n');
        let mut rest = &bytes[..];
        let deadline = self.now + PATIENCE;
        self.run.lines += 1;
        loop {
            let taken = self.simulator.receive(self.now, rest);
            rest = rest.get(taken..).unwrap_or_default();
            match self.answer() {
                Some(Answer::Ok) => break,
                Some(Answer::Error) => {
                    self.run.errors.push((number, self.last.clone()));
                    break;
                }
                None => {}
            }
            if !self.wait() || self.now > deadline {
                let (text, heard) = (text.to_owned(), self.last.clone());
                return Err(RunError::Silent {
                    line: number,
                    text,
                    heard,
                });
            }
        }
        if self.simulator.log().dropped() > 0 {
            return Err(RunError::LogOverflow { line: number });
        }
        Ok(())
    }

    /// The next answer among the lines heard by now.
    fn answer(&mut self) -> Option<Answer> {
        self.simulator.transmit(self.now, &mut self.heard);
        while let Some(at) = self.heard.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.heard.drain(..=at).collect();
            self.last = String::from_utf8_lossy(&line).trim().to_owned();
            match self.last.as_str() {
                "ok" => return Some(Answer::Ok),
                text if text.starts_with("ok ") => return Some(Answer::Ok),
                text if text.starts_with("error:") => return Some(Answer::Error),
                _ => {}
            }
        }
        None
    }

    /// Lets time go on to the next thing that happens; false when nothing will.
    fn wait(&mut self) -> bool {
        let Some(at) = self.simulator.next_event() else {
            return false;
        };
        // Something due at this very instant is done by advancing to it.
        self.now = self.now.max(at);
        self.simulator.advance(self.now);
        true
    }

    /// Lets the machine finish what it has.
    fn rest(&mut self) {
        while self.simulator.is_working() && self.wait() {
            self.simulator.transmit(self.now, &mut self.heard);
        }
    }
}

#[cfg(test)]
mod tests {
    use feedhold_simulator::{Config, ControllerKind, FaultPlan};

    use super::run;

    #[test]
    fn every_line_is_sent_once() {
        let program = b"G21\nG1 X1 F100\r\n\nG1 X2";
        let run = run(Config::new(ControllerKind::Null), &program[..], |_| {}).unwrap();
        assert_eq!((run.lines, run.errors), (4, vec![]));
    }

    #[test]
    fn a_machine_that_falls_silent_is_told_with_the_line() {
        let hang: FaultPlan = "hang@line:2".parse().unwrap();
        let config = Config::new(ControllerKind::Null).with_faults(hang);
        let error = run(config, &b"G21\nG90\nG1 X1\nG1 X2\n"[..], |_| {}).unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 3: no answer to `G1 X1`; last heard: `ok`"
        );
    }
}
