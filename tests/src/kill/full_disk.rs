//! A job whose records lie on a file system that is full.

use super::{
    KillError, Rig, disk::SmallDisk, host::Host, judge::Wrong, rig::Kind, rounds::Played,
    strace::Errno,
};
use crate::product::Product;

/// Room for some files, not for a store.
const TOO_SMALL_KIB: u32 = 64;
/// Room for a store and little beside.
const JUST_ENOUGH_KIB: u32 = 768;
/// Room for everything.
const PLENTY_KIB: u32 = 8 * 1024;

/// How large the file system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// 64 KiB: no store can be made. The job is refused and nothing moves; when there is room it runs.
    TooSmall,
    /// A store can be made, and then the rest of the disk fills up: the job does not mind.
    JustEnough,
}

impl Room {
    /// The name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TooSmall => "64 KiB tmpfs",
            Self::JustEnough => "tmpfs filled up",
        }
    }
}

/// Plays a job; `None` where file systems may not be mounted.
///
/// # Errors
/// When it could not be played; what the product did wrong is in the result.
pub fn play(product: &Product, kind: Kind, room: Room) -> Result<Option<Played>, KillError> {
    let rig = Rig::new(product, kind, 0)?;
    let kib = match room {
        Room::TooSmall => TOO_SMALL_KIB,
        Room::JustEnough => JUST_ENOUGH_KIB,
    };
    let Some(disk) = SmallDisk::mount(&rig.state(), kib)? else {
        return Ok(None);
    };
    let judged = match room {
        Room::TooSmall => too_small(&rig, &disk)?,
        Room::JustEnough => just_enough(&rig, &disk)?,
    };
    Ok(Some(Played {
        completed: judged.is_ok(),
        wrong: judged.err(),
        ..Played::default()
    }))
}

fn too_small(rig: &Rig, disk: &SmallDisk) -> Result<Result<(), Wrong>, KillError> {
    let ended = Host::start(rig.run())?.wait()?;
    let said = ended.message();
    let names =
        said.contains(Errno::Enospc.cause()) && said.contains(&*rig.state().to_string_lossy());
    if ended.code() != Some(8) || !names {
        return Ok(Err(Wrong::Unclear {
            code: ended.how(),
            said,
        }));
    }
    match rig.at_rest()? {
        Ok(reached) if reached.motions == 0 && reached.cut_short.is_none() => {}
        Ok(reached) => {
            return Ok(Err(Wrong::Unrecorded {
                reached: reached.line,
            }));
        }
        Err(wrong) => return Ok(Err(wrong)),
    }
    if !disk.resize(PLENTY_KIB) {
        return Ok(Ok(()));
    }
    let ended = Host::start(rig.run())?.wait()?;
    all(rig, ended.code() == Some(0), &ended.message())
}

fn just_enough(rig: &Rig, disk: &SmallDisk) -> Result<Result<(), Wrong>, KillError> {
    let mut host = Host::start(rig.run())?;
    if !host.says("checkpoint_created")? {
        let ended = host.wait()?;
        return Ok(Err(Wrong::Unclear {
            code: ended.how(),
            said: ended.message(),
        }));
    }
    disk.fill()?;
    let ended = host.wait()?;
    all(rig, ended.code() == Some(0), &ended.message())
}

fn all(rig: &Rig, ended_well: bool, said: &str) -> Result<Result<(), Wrong>, KillError> {
    Ok(rig
        .at_rest()?
        .and_then(|reached| match (reached.is_all, ended_well) {
            (true, true) => Ok(()),
            (true, false) => Err(Wrong::Unclear {
                code: "a failure".to_owned(),
                said: said.to_owned(),
            }),
            (false, _) => Err(Wrong::NotFinished {
                reached: reached.line,
            }),
        }))
}
