//! File systems that are too small.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::KillError;

/// A file system in memory, mounted as long as this lives.
#[derive(Debug)]
pub struct SmallDisk {
    place: PathBuf,
}

impl SmallDisk {
    /// Mounts one of this size at `place`; `None` where that is not allowed.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn mount(place: &Path, kib: u32) -> Result<Option<Self>, KillError> {
        std::fs::create_dir_all(place).map_err(KillError::io("cannot make a directory"))?;
        let size = format!("size={kib}k");
        let mounted = mount(&["-t", "tmpfs", "-o", &size, "feedhold-test"], place);
        Ok(mounted.then(|| Self {
            place: place.to_owned(),
        }))
    }

    /// Makes room, or takes it.
    #[must_use]
    pub fn resize(&self, kib: u32) -> bool {
        mount(&["-o", &format!("remount,size={kib}k")], &self.place)
    }

    /// Writes a file as large as there is room.
    ///
    /// # Errors
    /// When no byte of it can be written.
    pub fn fill(&self) -> Result<(), KillError> {
        use std::io::Write as _;
        let file = std::fs::File::create(self.place.join("ballast"));
        let mut file = file.map_err(KillError::io("cannot make a file"))?;
        while file.write_all(&[0; 4096]).is_ok() {}
        Ok(())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A mount that stays lies in a temporary directory and is of some KiB.
        let _ = quietly(Command::new("umount").arg(&self.place));
    }
}

fn mount(options: &[&str], place: &Path) -> bool {
    quietly(Command::new("mount").args(options).arg(place))
}

fn quietly(command: &mut Command) -> bool {
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
