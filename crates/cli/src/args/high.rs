//! What was typed, understood.

use std::path::Path;

use feedhold::{
    Job,
    guess::{Guess, guess},
    job::{Records, Settings, read_macro},
    jobs::Jobs,
    machine::{self, MotionLog},
    resume::{Approach, Homing, RangeError, Tool},
    session::{StopAction, StopPolicy},
    stream_core::{dialect::Dialect, retry::RetryPolicy, streamer::Windowing},
    transport::Address,
};

use super::{DialectName, LineArgs, LinkArgs, RunArgs, StopArgs, StopChoice, WayArgs};

/// How fast the embedded simulators run: a job of half an hour takes half a minute.
const EMBEDDED_SPEED: &str = "50";

/// The dialect that will be spoken, and how it came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) dialect: Dialect,
    pub(crate) by: By,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Flag,
    Address,
    Content(Guess),
}

impl Chosen {
    pub(crate) fn new(lines: &LineArgs, address: Option<&Address>, file: &Path) -> Self {
        if let Some(name) = lines.dialect {
            return Self {
                dialect: name.into(),
                by: By::Flag,
            };
        }
        if let Some(dialect) = address.and_then(machine::dialect) {
            return Self {
                dialect,
                by: By::Address,
            };
        }
        let guess = guess(file);
        Self {
            dialect: guess.dialect,
            by: By::Content(guess),
        }
    }

    /// Words for the screen; `None` when the user said so.
    pub(crate) fn explain(&self) -> Option<String> {
        let name = self.dialect.name();
        match self.by {
            By::Flag | By::Address => None,
            By::Content(Guess {
                sign: Some(sign), ..
            }) => Some(format!(
                "speaking {name}, because of {sign} (--dialect to change)"
            )),
            By::Content(_) => Some(format!(
                "speaking {name}, because the file has no printer codes (--dialect to change)"
            )),
        }
    }
}

impl From<DialectName> for Dialect {
    fn from(name: DialectName) -> Self {
        match name {
            DialectName::Grbl => Self::Grbl,
            DialectName::Marlin => Self::Marlin,
        }
    }
}

/// The simulator inside this program that speaks a dialect.
pub(crate) fn embedded(dialect: Dialect) -> Result<Address, feedhold::transport::AddressError> {
    format!("sim:{}?speed={EMBEDDED_SPEED}", dialect.name()).parse()
}

/// A job as it was typed.
pub(crate) fn job(typed: &RunArgs) -> anyhow::Result<(Job, Chosen)> {
    let chosen = Chosen::new(&typed.lines, typed.machine.as_ref(), &typed.file);
    let address = match &typed.machine {
        Some(address) => address.clone(),
        None => embedded(chosen.dialect)?,
    };
    let job = with_lines(Job::new(&typed.file, address), &typed.lines, chosen.dialect);
    let job = if typed.send_response {
        job.windowing(Windowing::SendResponse)
    } else {
        job
    };
    let job = match &typed.sim_log {
        Some(path) => job.motion_log(MotionLog::File(path.clone())),
        None => job,
    };
    let job = job.records(if typed.no_checkpoint {
        Records::Nowhere
    } else {
        records(typed.state_dir.as_deref())
    });
    let stops = stops(&typed.stops, &job.settings())?;
    Ok((with_link(job.stops(stops), &typed.link), chosen))
}

/// A job that only prepares lines.
pub(crate) fn with_lines(mut job: Job, lines: &LineArgs, dialect: Dialect) -> Job {
    job = job
        .dialect(dialect)
        .skip(lines.skip.iter().copied())
        .allow(lines.allow.iter().copied());
    if let Some(pack) = lines.pack {
        job = job.pack(pack);
    }
    if let Some(choice) = lines.block_delete {
        job = job.block_delete(choice);
    }
    if let Some(choice) = lines.line_numbers {
        job = job.line_numbers(choice);
    }
    match lines.rx {
        Some(bytes) => job.rx_bytes(bytes),
        None => job,
    }
}

/// A job that tries a lost link again as often as was typed.
pub(crate) fn with_link(job: Job, link: &LinkArgs) -> Job {
    match link.reconnect {
        Some(times) => job.reconnect(RetryPolicy::file().with_retries(times)),
        None => job,
    }
}

/// Where records go.
pub(crate) fn records(state_dir: Option<&Path>) -> Records {
    state_dir.map_or(Records::OfUser, |dir| Records::In(Jobs::at(dir)))
}

/// Where records are.
pub(crate) fn jobs(state_dir: Option<&Path>) -> Result<Jobs, feedhold::Error> {
    Ok(match state_dir {
        Some(dir) => Jobs::at(dir),
        None => Jobs::of_user()?,
    })
}

/// What to do at program stops.
pub(crate) fn stops(typed: &StopArgs, settings: &Settings) -> Result<StopPolicy, feedhold::Error> {
    let mut policy = StopPolicy::default();
    for (choice, action) in [
        (&typed.m0, &mut policy.pause),
        (&typed.m1, &mut policy.optional_pause),
        (&typed.m6, &mut policy.tool_change),
        (&typed.m600, &mut policy.filament_change),
    ] {
        if let Some(choice) = choice {
            *action = match choice {
                StopChoice::Ask => StopAction::Ask,
                StopChoice::Skip => StopAction::Skip,
                StopChoice::Send => StopAction::Send,
                StopChoice::Macro(path) => read_macro(path, settings)?,
            };
        }
    }
    Ok(policy)
}

/// How the machine comes back to the part.
pub(crate) fn way(typed: &WayArgs) -> Result<Approach, RangeError> {
    let mut way = Approach::new();
    if let Some(z) = typed.safe_z_machine {
        way = way.safe_z_machine(z)?;
    }
    if let Some(clearance) = typed.clearance {
        way = way.clearance_mm(clearance)?;
    }
    if let Some(prime) = typed.prime {
        way = way.prime_mm(prime)?;
    }
    if typed.laser {
        way = way.tool(Tool::Laser);
    }
    if typed.home_xy {
        way = way.homing(Homing::XandY);
    }
    Ok(way)
}
