//! What a Unix system can say about a device before and after it is opened.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{ControlModes, OptionalActions, isatty, tcgetattr, tcsetattr};
use tokio_serial::{Error, ErrorKind, SerialPortBuilder};

use crate::{ConnectError, SerialAddress};

/// A device that exists, may be opened and is a terminal.
///
/// It is opened once on the side, because the error of this open says plainly what the library's error blurs, and because the
/// flags that no library call reaches can be set through it.
pub(super) struct Device {
    side: OwnedFd,
}

impl Device {
    pub(super) fn inspect(address: &SerialAddress) -> Result<Self, ConnectError> {
        let metadata =
            fs::metadata(address.path()).map_err(|error| explain_open(address, error))?;
        if !metadata.file_type().is_char_device() {
            return Err(ConnectError::NotSerial {
                address: address.to_string(),
            });
        }
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let side = rustix::fs::open(address.path(), flags, Mode::empty())
            .map_err(|errno| explain_open(address, errno.into()))?;
        match tcgetattr(&side) {
            Ok(_) => Ok(Self { side }),
            // A UART that the kernel lists although no hardware answers.
            Err(Errno::IO) => Err(ConnectError::Absent {
                address: address.to_string(),
            }),
            Err(_) if !isatty(&side) => Err(ConnectError::NotSerial {
                address: address.to_string(),
            }),
            Err(errno) => Err(explain_open(address, errno.into())),
        }
    }

    /// Explains a failure that came after the side door had opened.
    pub(super) fn explain(&self, address: &SerialAddress, error: Error) -> ConnectError {
        match error.kind() {
            // The lock was not to be had; that the device exists is known by now.
            ErrorKind::NoDevice => ConnectError::Busy {
                address: address.to_string(),
            },
            ErrorKind::InvalidInput => ConnectError::Baud {
                address: address.to_string(),
                baud: address.baud(),
            },
            _ => ConnectError::Failed {
                address: address.to_string(),
                source: error.into(),
            },
        }
    }

    /// Clears `HUPCL`, so that closing the port leaves DTR up and the next open does not raise it.
    pub(super) fn stay_up_when_closed(&self, address: &SerialAddress) -> Result<(), ConnectError> {
        let clear = || -> Result<(), Errno> {
            let mut settings = tcgetattr(&self.side)?;
            settings.control_modes.remove(ControlModes::HUPCL);
            tcsetattr(&self.side, OptionalActions::Now, &settings)
        };
        clear().map_err(|errno| ConnectError::Failed {
            address: address.to_string(),
            source: errno.into(),
        })
    }
}

/// Here the line must not be lowered after opening; see the module above.
pub(super) fn quiet(settings: SerialPortBuilder) -> SerialPortBuilder {
    settings
}

fn explain_open(address: &SerialAddress, source: io::Error) -> ConnectError {
    let name = address.to_string();
    match source.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOENT | Errno::NXIO | Errno::NODEV | Errno::NOTDIR) => {
            ConnectError::Absent { address: name }
        }
        Some(Errno::ACCESS | Errno::PERM) => ConnectError::Denied {
            address: name,
            remedy: remedy(address.path()),
        },
        Some(Errno::BUSY) => ConnectError::Busy { address: name },
        Some(Errno::NOTTY | Errno::ISDIR) => ConnectError::NotSerial { address: name },
        _ => ConnectError::Failed {
            address: name,
            source,
        },
    }
}

/// Names the group that may open the device (`dialout` on Debian, `uucp` on Arch), and how to join it.
fn remedy(path: &str) -> String {
    let group = fs::metadata(path)
        .ok()
        .filter(|metadata| metadata.gid() != 0)
        .and_then(|metadata| {
            let groups = fs::read_to_string("/etc/group").ok()?;
            group_name(&groups, metadata.gid()).map(str::to_owned)
        });
    match group {
        Some(group) => format!(
            "the device belongs to the group `{group}`: run `sudo usermod -aG {group} $USER`, then log out and in again"
        ),
        None => "add yourself to the group that owns serial devices (`sudo usermod -aG dialout $USER` on most systems), \
                 then log out and in again"
            .to_owned(),
    }
}

/// Looks a group up in the text of `/etc/group` (`name:password:number:members`).
fn group_name(groups: &str, number: u32) -> Option<&str> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let found = fields.nth(1)?.parse::<u32>().ok()?;
        (found == number).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_of_a_device_is_found_by_number() {
        let groups = "root:x:0:\nbroken line\ndialout:x:20:ann,bob\nuucp:x:986:\n";
        assert_eq!(group_name(groups, 20), Some("dialout"));
        assert_eq!(group_name(groups, 986), Some("uucp"));
        assert_eq!(group_name(groups, 7), None);
    }

    #[test]
    fn a_system_error_becomes_what_the_user_can_act_on() {
        let check = |errno: Errno, start: &str| {
            let address = SerialAddress::new("/dev/ttyX7").unwrap();
            let text = explain_open(&address, errno.into()).to_string();
            assert!(
                text.starts_with(&format!("serial:/dev/ttyX7@115200: {start}")),
                "{errno:?}: {text}"
            );
        };
        check(Errno::NOENT, "there is no such port");
        check(Errno::NODEV, "there is no such port");
        check(
            Errno::ACCESS,
            "permission denied; add yourself to the group",
        );
        check(Errno::BUSY, "another program is using this port");
        check(Errno::NOTTY, "this is not a serial device");
        check(Errno::MFILE, "could not open the link");
    }
}
