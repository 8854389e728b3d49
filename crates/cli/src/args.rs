//! What was typed (`LowArgs`), apart from what it means (`high`).

pub(crate) mod high;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use feedhold::{
    stream_core::wire::{BlockDelete, LineNumbers, Pack, WordName},
    transport::Address,
};

use crate::{exit, out::Form};

/// Streams G-code to machines and never loses its place.
#[derive(Debug, Parser)]
#[command(name = "feedhold", version, max_term_width = 100, after_help = exit::table())]
pub(crate) struct LowArgs {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Show every byte on the wire, both ways, with the time
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Stream a file to a machine
    #[command(after_help = RUN_HELP)]
    Run(RunArgs),
    /// Tell whether a file can be sent, without sending it
    Check(CheckArgs),
    /// Tell what is in a file
    Analyze(AnalyzeArgs),
    /// Go on with a job where it stopped
    Resume(ResumeArgs),
    /// List the jobs that were begun
    Jobs(JsonArgs),
    /// List the records of a job and tell whether they are sound
    Checkpoints(CheckpointsArgs),
    /// List the serial ports of this computer
    Ports(JsonArgs),
    /// Offer a simulated machine to other programs
    #[command(after_help = SIM_HELP)]
    Sim(SimArgs),
    /// Talk to a machine line by line
    #[command(after_help = CONSOLE_HELP)]
    Console(ConsoleArgs),
    /// Print a completion script for a shell
    Completions { shell: clap_complete::Shell },
}

const RUN_HELP: &str = "\
Machines:
  sim:grbl  sim:marlin?speed=max  sim:null       simulators inside this program (default, 50 times as fast as real ones)
  serial:/dev/ttyUSB0@115200?dtr=off  /dev/ttyACM0  COM3
  tcp://10.0.0.7:23

Keys while a job runs:
  p  pause when the lines already sent are done      r  resume
  space or h  feed hold at once                      q  cancel
  + -  feed override                                 0  feed override back to 100 %
  c  go on at a program stop                         s  go on and send the stop to the controller
Ctrl-C holds at once; a second one resets the controller and ends.";

const SIM_HELP: &str = "\
Parameters are those of a sim: address, such as speed=max baud=115200 latency_ms=4 seed=1 motion=instant
fault=drop-ok:0.05. An unknown one is answered with the whole list.";

const CONSOLE_HELP: &str = "\
Every line is sent as it is typed. A line of ? ! or ~ alone, ^X (a caret and an X) or a byte such as \\x84 is sent at once
and without a line end, as grbl's realtime commands want it. Ctrl-D leaves.";

impl Command {
    /// Whether errors are wanted as JSON as well.
    pub(crate) fn wants_json(&self) -> Form {
        Form::new(match self {
            Self::Run(typed) => typed.screen.json,
            Self::Check(typed) => typed.json,
            Self::Analyze(typed) => typed.json,
            Self::Resume(typed) => typed.screen.json,
            Self::Jobs(typed) | Self::Ports(typed) => typed.json,
            Self::Checkpoints(typed) => typed.json,
            Self::Sim(_) | Self::Console(_) | Self::Completions { .. } => false,
        })
    }
}

/// How lines are read and prepared.
#[derive(Debug, Args)]
pub(crate) struct LineArgs {
    /// Firmware family to speak to [default: what the address says, else what the file looks like]
    #[arg(long, value_name = "NAME")]
    pub(crate) dialect: Option<DialectName>,
    /// What to take out of lines: off, spaces (default) or lossless
    #[arg(long, value_name = "HOW")]
    pub(crate) pack: Option<Pack>,
    /// Codes or letters to leave out of the program, with their arguments
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub(crate) skip: Vec<WordName>,
    /// Codes to send although a stock firmware does not know them
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub(crate) allow: Vec<WordName>,
    /// Lines that begin with /: send (default) or drop
    #[arg(long, value_name = "CHOICE")]
    pub(crate) block_delete: Option<BlockDelete>,
    /// N words: strip (default) or keep
    #[arg(long, value_name = "CHOICE")]
    pub(crate) line_numbers: Option<LineNumbers>,
    /// Receive buffer of the controller in bytes [default: as it tells, else 128]
    #[arg(long, value_name = "BYTES")]
    pub(crate) rx: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DialectName {
    Grbl,
    Marlin,
}

/// How a job shows itself.
#[derive(Debug, Args)]
pub(crate) struct ScreenArgs {
    /// One event a line on standard output, as JSON
    #[arg(long, conflicts_with = "quiet")]
    pub(crate) json: bool,
    /// Nothing but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// What to do at program stops.
#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    /// At M0: ask (default), skip, send, or macro:FILE
    #[arg(long, value_name = "ACTION")]
    pub(crate) m0: Option<StopChoice>,
    /// At M1: ask (default), skip, send, or macro:FILE
    #[arg(long, value_name = "ACTION")]
    pub(crate) m1: Option<StopChoice>,
    /// At M6: ask (default), skip, send, or macro:FILE
    #[arg(long, value_name = "ACTION")]
    pub(crate) m6: Option<StopChoice>,
    /// At M600: send (default), ask, skip, or macro:FILE
    #[arg(long, value_name = "ACTION")]
    pub(crate) m600: Option<StopChoice>,
}

/// What to do at a program stop, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StopChoice {
    Ask,
    Skip,
    Send,
    Macro(PathBuf),
}

impl std::str::FromStr for StopChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("macro:")) {
            ("ask", _) => Ok(Self::Ask),
            ("skip", _) => Ok(Self::Skip),
            ("send", _) => Ok(Self::Send),
            (_, Some(file)) if !file.is_empty() => Ok(Self::Macro(file.into())),
            _ => Err("choose ask, skip, send or macro:FILE".to_owned()),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The G-code file
    pub(crate) file: PathBuf,
    /// The machine [default: a simulator inside this program]
    #[arg(short, long, value_name = "ADDRESS")]
    pub(crate) machine: Option<Address>,
    #[command(flatten)]
    pub(crate) lines: LineArgs,
    #[command(flatten)]
    pub(crate) stops: StopArgs,
    #[command(flatten)]
    pub(crate) link: LinkArgs,
    /// Send one line at a time and wait for each answer
    #[arg(long)]
    pub(crate) send_response: bool,
    /// Write no records: after a crash nobody knows where the job was
    #[arg(long)]
    pub(crate) no_checkpoint: bool,
    /// Where the records of jobs are kept [default: $FEEDHOLD_STATE, else ~/.local/state/feedhold]
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Write every motion of a simulated machine into this file, one line of JSON each
    #[arg(long, value_name = "FILE")]
    pub(crate) sim_log: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) screen: ScreenArgs,
}

/// What to do when the link is lost.
#[derive(Debug, Args)]
pub(crate) struct LinkArgs {
    /// How often a lost link is tried again, 0 for never [default: 18 times, about two minutes]
    #[arg(long, value_name = "TIMES")]
    pub(crate) reconnect: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The G-code file
    pub(crate) file: PathBuf,
    /// Also ask this controller, in its check mode ($C, grbl): it reads every line and moves nothing
    #[arg(short, long, value_name = "ADDRESS")]
    pub(crate) machine: Option<Address>,
    #[command(flatten)]
    pub(crate) options: LineArgs,
    /// Show every line after each step of its preparation
    #[arg(long)]
    pub(crate) wire: bool,
    /// Show these lines only, such as 10-20
    #[arg(long, value_name = "A-B", requires = "wire")]
    pub(crate) lines: Option<LineRange>,
    /// The findings as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// `10-20`, or `10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineRange {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl std::str::FromStr for LineRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write two line numbers, such as 10-20".to_owned();
        let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(text)?, number(text)?),
        };
        if first == 0 || last < first {
            Err(wrong())
        } else {
            Ok(Self { first, last })
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct AnalyzeArgs {
    /// The G-code file
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) lines: LineArgs,
    /// Everything as one object of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// How the machine comes back to the part.
#[derive(Debug, Args)]
pub(crate) struct WayArgs {
    /// A height in machine coordinates at which nothing is in the way
    #[arg(long, value_name = "MM", allow_negative_numbers = true)]
    pub(crate) safe_z_machine: Option<f64>,
    /// How far above the highest point of the program to travel [default: 2]
    #[arg(long, value_name = "MM", allow_negative_numbers = true)]
    pub(crate) clearance: Option<f64>,
    /// The tool is a beam: off until the program needs it, no plunge
    #[arg(long)]
    pub(crate) laser: bool,
    /// Push out so much filament beside the print first
    #[arg(long, value_name = "MM", allow_negative_numbers = true)]
    pub(crate) prime: Option<f64>,
    /// Home X and Y of a printer that has restarted, with the nozzle still at the height of the place
    #[arg(long, requires = "homed")]
    pub(crate) home_xy: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The job, as `feedhold jobs` calls it [default: the unfinished one that ran last]
    pub(crate) job: Option<String>,
    /// Show how the machine would get back to its place, and do nothing
    #[arg(long)]
    pub(crate) plan: bool,
    /// Write the plan into a file, to be read, edited, and given back with --approach
    #[arg(long, value_name = "FILE", requires = "plan")]
    pub(crate) output: Option<PathBuf>,
    /// Come back to the part as this edited plan says
    #[arg(long, value_name = "FILE", conflicts_with = "plan")]
    pub(crate) approach: Option<PathBuf>,
    /// Go on with the first motion at or behind this line, whatever may have run
    #[arg(long, value_name = "N", conflicts_with = "from_retract")]
    pub(crate) from_line: Option<u64>,
    /// Go on behind the last retract before the lines in doubt: what may have run runs again
    #[arg(long)]
    pub(crate) from_retract: bool,
    /// Do not ask before the machine moves. This alone never repeats or leaves out motion
    #[arg(long)]
    pub(crate) yes: bool,
    /// The machine was homed and its zero is as it was, although its controller has restarted
    #[arg(long)]
    pub(crate) homed: bool,
    #[command(flatten)]
    pub(crate) way: WayArgs,
    /// The machine [default: the one the job ran on]
    #[arg(short, long, value_name = "ADDRESS")]
    pub(crate) machine: Option<Address>,
    /// The file, if it was moved since
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) stops: StopArgs,
    #[command(flatten)]
    pub(crate) link: LinkArgs,
    /// Where the records of jobs are kept
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) screen: ScreenArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CheckpointsArgs {
    /// The job, as `feedhold jobs` calls it [default: the one written last]
    pub(crate) job: Option<String>,
    /// Look at both copies of every slot, and explain what is found
    #[arg(long)]
    pub(crate) verify: bool,
    /// Move damaged records aside, without deleting them; without this, nothing is ever written
    #[arg(long, requires = "job")]
    pub(crate) quarantine: bool,
    /// Do not ask before the records are moved
    #[arg(long, requires = "quarantine")]
    pub(crate) yes: bool,
    /// One object of JSON a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Where the records of jobs are kept
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct JsonArgs {
    /// One object of JSON a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Where the records of jobs are kept
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SimArgs {
    /// The controller
    #[arg(long, value_name = "NAME", default_value = "grbl")]
    pub(crate) dialect: String,
    /// Listen on a TCP port [default: tcp:127.0.0.1:9000]
    #[arg(long, value_name = "ADDRESS", conflicts_with = "pty")]
    pub(crate) listen: Option<String>,
    /// Offer a pty, which other programs take for a serial port
    #[arg(long)]
    pub(crate) pty: bool,
    /// A lasting name for the pty
    #[arg(long, value_name = "PATH", requires = "pty")]
    pub(crate) link: Option<PathBuf>,
    /// Write every motion into this file, one line of JSON each
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// What kind of machine it is
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) params: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ConsoleArgs {
    /// The machine
    #[arg(short, long, value_name = "ADDRESS")]
    pub(crate) machine: Address,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        LowArgs::command().debug_assert();
    }

    #[test]
    fn choices_and_ranges_are_read() {
        assert_eq!("macro:a.nc".parse(), Ok(StopChoice::Macro("a.nc".into())));
        for text in ["", "macro:", "macro", "Ask"] {
            assert!(text.parse::<StopChoice>().is_err(), "{text}");
        }
        assert_eq!("7".parse(), Ok(LineRange { first: 7, last: 7 }));
        assert_eq!("7-9".parse(), Ok(LineRange { first: 7, last: 9 }));
        for text in ["", "0", "9-7", "a-b", "1-", "-1"] {
            assert!(text.parse::<LineRange>().is_err(), "{text}");
        }
    }
}
