use std::time::Duration;

use feedhold::stream_core::dialect::Dialect;
use feedhold_simulator::{Config, ConfigError, Entry, LogMode, MotionLog, Simulator, State};
use thiserror::Error;

/// Entries that may wait to be taken out of the log.
const LOG_LIMIT: usize = 1_000_000;

/// A simulated machine to which one line after the other is given, each when the one before is answered.
#[derive(Debug)]
pub struct Machine {
    simulator: Simulator,
    dialect: Dialect,
    line: Vec<u8>,
    heard: Vec<u8>,
}

/// A line that the machine did not take.
#[derive(Debug, Error)]
#[error("`{line}` was answered with `{answer}`")]
pub struct NotTaken {
    line: String,
    answer: String,
}

impl Machine {
    /// A machine that moves and heats in no time, homed, and with the zero of a mill's work away from the machine's own.
    ///
    /// # Errors
    /// Never with the simulators there are.
    pub fn homed(dialect: Dialect) -> Result<Self, NotTaken> {
        let config = config(dialect).map_err(|error| NotTaken {
            line: "the machine's parameters".into(),
            answer: error.to_string(),
        })?;
        let mut machine = Self {
            simulator: Simulator::with_log(config, log()),
            dialect,
            line: Vec::new(),
            heard: Vec::new(),
        };
        machine.home()?;
        if dialect == Dialect::Grbl {
            machine.send(b"G10L2P1X-310.5Y-215.25Z-60")?;
            machine.send(b"G10L2P3X-20Y-30Z-5")?;
        }
        machine.simulator.log_mut().take_entries();
        Ok(machine)
    }

    /// The same machine switched off and on again, and homed.
    ///
    /// # Errors
    /// When homing fails.
    pub fn after_power_cut(&self) -> Result<Self, NotTaken> {
        let mut machine = Self {
            simulator: self.simulator.fork(log()),
            dialect: self.dialect,
            line: Vec::new(),
            heard: Vec::new(),
        };
        machine.simulator.power_cycle(self.simulator.now());
        machine.home()?;
        machine.simulator.log_mut().take_entries();
        Ok(machine)
    }

    /// The simulator itself.
    #[must_use]
    pub const fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// Sends a line and waits for its answer; what the machine asks a person for is done.
    ///
    /// # Errors
    /// When it is answered with an error, or not at all.
    pub fn send(&mut self, line: &[u8]) -> Result<(), NotTaken> {
        self.line.clear();
        self.line.extend_from_slice(line);
        self.line.push(b'\n');
        self.heard.clear();
        let mut now = self.simulator.now();
        let mut sent = self.simulator.receive(now, &self.line);
        loop {
            self.simulator.transmit(now, &mut self.heard);
            if let Some(answer) = answer(&self.heard) {
                return match answer {
                    Ok(()) => Ok(()),
                    Err(answer) => Err(self.not_taken(line, answer)),
                };
            }
            match self.simulator.next_event() {
                Some(at) => now = now.max(at),
                None if matches!(self.simulator.snapshot().state, State::Hold { .. }) => {
                    // M0: somebody presses cycle start.
                    let _ = self.simulator.receive(now, b"~");
                }
                None => return Err(self.not_taken(line, "silence".into())),
            }
            self.simulator.advance(now);
            let rest = self.line.get(sent..).unwrap_or_default();
            sent += self.simulator.receive(now, rest);
        }
    }

    /// What it did since this was asked last.
    pub fn take_entries(&mut self) -> Vec<Entry> {
        self.simulator.log_mut().take_entries()
    }

    fn home(&mut self) -> Result<(), NotTaken> {
        // What it says on power-up is no answer.
        let now = self.simulator.now() + Duration::from_millis(1);
        self.simulator.transmit(now, &mut self.heard);
        self.send(match self.dialect {
            Dialect::Marlin => b"G28",
            _ => b"$H",
        })
    }

    fn not_taken(&self, line: &[u8], answer: String) -> NotTaken {
        NotTaken {
            line: String::from_utf8_lossy(line).into_owned(),
            answer,
        }
    }
}

fn config(dialect: Dialect) -> Result<Config, ConfigError> {
    let own: &[(&str, &str)] = match dialect {
        Dialect::Marlin => &[
            ("controller", "marlin"),
            ("heat", "instant"),
            ("user", "continue"),
        ],
        _ => &[("controller", "grbl"), ("homing", "on")],
    };
    let all = own.iter().copied().chain([("motion", "instant")]);
    Config::from_params(all)
}

fn log() -> MotionLog {
    MotionLog::new(LogMode::Keep { limit: LOG_LIMIT })
}

/// The answer among what was heard, if it is whole.
fn answer(heard: &[u8]) -> Option<Result<(), String>> {
    let whole = heard.iter().rposition(|byte| *byte == b'\n')?;
    let text = String::from_utf8_lossy(heard.get(..whole)?);
    text.lines().map(str::trim).find_map(|line| match line {
        "ok" => Some(Ok(())),
        line if line.starts_with("ok ") => Some(Ok(())),
        line if line.starts_with("error:") || line.starts_with("Error:") => {
            Some(Err(line.to_owned()))
        }
        _ => None,
    })
}
