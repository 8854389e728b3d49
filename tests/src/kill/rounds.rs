//! Rounds: one job each, from its begin to a good end or a refusal, with kills between.

use std::thread;
use std::time::Duration;

use feedhold::jobs::Jobs;
use xtask::gcode::Rng;

use super::{
    KillError, Rig,
    host::{Ended, Host},
    judge::{Reached, Wrong},
    rig::{Kind, OnOpen},
    strace::{self, Errno, Point, Strike},
};
use crate::product::Product;

/// A host begins to stream within this time from its start.
const BEGUN_WITHIN_MS: f64 = 400.0;

/// A job is streamed within this time, unless it is killed.
const STREAMED_WITHIN_MS: f64 = 200.0;

/// A job that is killed this often has been killed enough: it is let go on to its end.
const MOST_KILLS: u64 = 12;

/// The exit code of a host whose records cannot be written.
const RECORDS: i32 = 8;

/// A machine whose host cannot write records stands still within this time: it is sent nothing more, and what it was sent takes
/// a fraction of that at the speed of our machines.
const HELD_WITHIN: Duration = Duration::from_secs(1);

/// What is killed, and what that does to the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// The host; the controller lives on and keeps its state.
    Alive,
    /// The host; the controller lives on until the next host opens the port, which restarts it.
    Dtr,
    /// The machine; the host lives on.
    MachineKilled,
}

/// What a round came to.
#[derive(Debug, Default)]
pub struct Played {
    /// Processes killed.
    pub kills: u64,
    /// Times that a host went on with a job.
    pub resumes: u64,
    /// The job came to its end, and the machine shows every motion once.
    pub completed: bool,
    /// The code with which going on was refused, or how else the job ended.
    pub refused: Option<String>,
    /// What it said then.
    pub said: String,
    /// From the failure of the disk to the standstill of the machine.
    pub held_after: Option<Duration>,
    /// What contradicts the promise.
    pub wrong: Option<Wrong>,
    /// Where everything of a round that went wrong was left.
    pub left_in: Option<std::path::PathBuf>,
}

/// What happens to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// It is killed when it has run for this time.
    After(Duration),
    /// It is killed when it has streamed for this time.
    Streaming(Duration),
    /// Something happens at a system call.
    At(Point),
}

impl Blow {
    /// At a random instant of a job: mostly while it streams, and also before.
    pub fn random(rng: &mut Rng) -> Self {
        if rng.one_in(4) {
            Self::After(millis(rng.between(0.0, BEGUN_WITHIN_MS)))
        } else {
            Self::Streaming(millis(rng.between(0.0, STREAMED_WITHIN_MS)))
        }
    }

    fn fails_with(self) -> Option<Errno> {
        match self {
            Self::At(Point {
                strike: Strike::Error(errno),
                ..
            }) => Some(errno),
            _ => None,
        }
    }
}

/// Plays a round of `mode` at random, with program `number`.
///
/// # Errors
/// When it could not be played; what the product did wrong is in the result.
pub fn play(
    product: &Product,
    mode: Mode,
    kind: Kind,
    number: u64,
    seed: u64,
) -> Result<Played, KillError> {
    let mut rng = Rng::new(seed);
    let on_open = match mode {
        Mode::Dtr => OnOpen::Reset,
        Mode::Alive | Mode::MachineKilled => OnOpen::Keep,
    };
    let mut round = Round::new(product, Kind { on_open, ..kind }, number)?;
    let judged = match mode {
        Mode::MachineKilled => round.kill_the_machine(Blow::random(&mut rng))?,
        Mode::Alive | Mode::Dtr => {
            let blows: Vec<Blow> = (0..MOST_KILLS).map(|_| Blow::random(&mut rng)).collect();
            round.strike_the_host(&blows)?
        }
    };
    Ok(round.end(judged))
}

/// Plays a round in which these blows fall on the hosts, one each, and the last host is left alone.
///
/// # Errors
/// When it could not be played; what the product did wrong is in the result.
pub fn strike(
    product: &Product,
    kind: Kind,
    number: u64,
    blows: &[Blow],
) -> Result<Played, KillError> {
    let mut round = Round::new(product, kind, number)?;
    let judged = round.strike_the_host(blows)?;
    Ok(round.end(judged))
}

struct Round {
    rig: Rig,
    played: Played,
}

/// What the next host is to do.
enum Next {
    /// Nothing of the job is on record: it begins.
    Run,
    /// Go on with the job of this name.
    Resume(String),
    /// The record says that it is done.
    Done,
}

impl Round {
    fn new(product: &Product, kind: Kind, number: u64) -> Result<Self, KillError> {
        Ok(Self {
            rig: Rig::new(product, kind, number)?,
            played: Played::default(),
        })
    }

    fn end(self, judged: Result<(), Wrong>) -> Played {
        let Self { rig, mut played } = self;
        if let Err(wrong) = judged {
            played.completed = false;
            played.wrong = Some(wrong);
            played.left_in = Some(rig.keep());
        }
        played
    }

    fn strike_the_host(&mut self, blows: &[Blow]) -> Result<Result<(), Wrong>, KillError> {
        let mut blows = blows.iter().copied();
        loop {
            let command = match self.next()? {
                Next::Run => self.rig.run(),
                Next::Resume(name) => {
                    self.played.resumes += 1;
                    self.rig.resume(&name)
                }
                Next::Done => return self.completed(),
            };
            let blow = blows.next();
            let ended = match blow {
                Some(Blow::After(time)) => Host::start(command)?.kill_after(time)?,
                Some(Blow::Streaming(time)) => {
                    let mut host = Host::start(command)?;
                    // One that ends before it streams is not killed.
                    host.says("streaming_started")?;
                    host.kill_after(time)?
                }
                Some(Blow::At(point)) => Host::start(strace::at(point, &command))?.wait()?,
                None => Host::start(command)?.wait()?,
            };
            match (ended.code(), blow.and_then(Blow::fails_with)) {
                (None, _) => {
                    self.played.kills += 1;
                    if let Err(wrong) = self.rig.judge_now()? {
                        return Ok(Err(wrong));
                    }
                }
                (Some(0), _) => return self.completed(),
                (Some(_), Some(errno)) => {
                    if let Err(wrong) = self.disk_failed(&ended, errno)? {
                        return Ok(Err(wrong));
                    }
                }
                (Some(_), None) => return self.stopped(&ended),
            }
        }
    }

    /// The disk failed the host: it has to hold the machine, say where and why, and end with the code for records.
    fn disk_failed(&mut self, ended: &Ended, errno: Errno) -> Result<Result<(), Wrong>, KillError> {
        if let Err(wrong) = self.rig.judge()? {
            return Ok(Err(wrong));
        }
        let said = ended.message();
        let place = self.rig.state();
        let names = said.contains(errno.cause()) && said.contains(&*place.to_string_lossy());
        if ended.code() != Some(RECORDS) || !names {
            return Ok(Err(Wrong::Unclear {
                code: ended.how(),
                said,
            }));
        }
        if let Some(failed) = ended.heard("checkpoint_failed") {
            let after = self
                .rig
                .last_motion_at()?
                .duration_since(failed)
                .unwrap_or_default();
            self.played.held_after = self.played.held_after.max(Some(after));
            if after > HELD_WITHIN {
                return Ok(Err(Wrong::HeldLate {
                    ms: after.as_millis(),
                }));
            }
        }
        Ok(Ok(()))
    }

    /// The host ended by itself before the job did: that has to be a clear refusal, and the truth has to lie in what the record
    /// names.
    fn stopped(&mut self, ended: &Ended) -> Result<Result<(), Wrong>, KillError> {
        let reached = match self.rig.judge()? {
            Ok(reached) => reached,
            Err(wrong) => return Ok(Err(wrong)),
        };
        if let Some(unclear) = unclear(ended) {
            return Ok(Err(unclear));
        }
        let code = ended.refusal().map_or_else(|| ended.how(), str::to_owned);
        // Killed between the last motion and the record of it: everything is done and nobody needs to go on.
        let is_done = matches!(code.as_str(), "nothing-left" | "finished");
        self.played.completed = reached.is_all && is_done;
        if !self.played.completed {
            self.played.refused = Some(code);
            self.played.said = ended.message();
        }
        Ok(Ok(()))
    }

    fn completed(&mut self) -> Result<Result<(), Wrong>, KillError> {
        Ok(match self.rig.at_rest()? {
            Ok(reached) if reached.is_all => {
                self.played.completed = true;
                Ok(())
            }
            Ok(reached) => Err(Wrong::NotFinished {
                reached: reached.line,
            }),
            Err(wrong) => Err(wrong),
        })
    }

    fn next(&self) -> Result<Next, KillError> {
        let list = Jobs::at(self.rig.state()).list()?;
        for known in list {
            match known.found {
                Ok(found) if found.finished_at.is_some() => return Ok(Next::Done),
                Ok(found) if found.record.is_some() => return Ok(Next::Resume(known.name)),
                Ok(_) => {}
                Err(error) => return Err(feedhold::jobs::JobsError::from(error).into()),
            }
        }
        Ok(Next::Run)
    }

    fn kill_the_machine(&mut self, blow: Blow) -> Result<Result<(), Wrong>, KillError> {
        let mut command = self.rig.run();
        // Nothing will come back.
        command.args(["--reconnect", "0"]);
        let mut host = Host::start(command)?;
        match blow {
            Blow::After(time) => thread::sleep(time),
            Blow::Streaming(time) if host.says("streaming_started")? => thread::sleep(time),
            _ => {}
        }
        self.rig.machine().kill()?;
        self.played.kills += 1;
        let ended = host.wait()?;
        if ended.code() == Some(0) {
            return self.completed();
        }
        if let Err(wrong) = self.stopped(&ended)? {
            return Ok(Err(wrong));
        }
        if let (Next::Resume(name), before) = (self.next()?, self.rig.reached()?) {
            return self.resume_on_another(&name, before);
        }
        Ok(Ok(()))
    }

    /// A machine that was switched on again knows nothing: going on has to be refused, and nothing may move.
    fn resume_on_another(
        &mut self,
        name: &str,
        before: Result<Reached, Wrong>,
    ) -> Result<Result<(), Wrong>, KillError> {
        self.rig.switch_on_again()?;
        self.played.resumes += 1;
        let ended = Host::start(self.rig.resume(name))?.wait()?;
        if ended.code() == Some(0) {
            return self.completed();
        }
        if let Some(unclear) = unclear(&ended) {
            return Ok(Err(unclear));
        }
        self.played.said = ended.message();
        self.played.refused = Some(ended.refusal().map_or_else(|| ended.how(), str::to_owned));
        Ok(match (before, self.rig.at_rest()?) {
            (Ok(before), Ok(after)) if before == after => Ok(()),
            (Ok(before), Ok(after)) => Err(Wrong::Moved {
                from: before.line,
                to: after.line,
            }),
            (Err(wrong), _) | (_, Err(wrong)) => Err(wrong),
        })
    }
}

fn millis(ms: f64) -> Duration {
    Duration::from_secs_f64(ms / 1000.0)
}

/// A host that does not finish says why, with a documented exit code.
fn unclear(ended: &Ended) -> Option<Wrong> {
    let said = ended.message();
    let is_clear =
        matches!(ended.code(), Some(5..=8)) && !said.is_empty() && !said.contains("panicked");
    (!is_clear).then(|| Wrong::Unclear {
        code: ended.how(),
        said,
    })
}
