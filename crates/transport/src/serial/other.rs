//! Windows: everything is known only after the attempt.

use tokio_serial::{Error, ErrorKind, SerialPortBuilder};

use crate::{ConnectError, SerialAddress, ports};

/// A port about which nothing is known yet.
pub(super) struct Device;

impl Device {
    pub(super) fn inspect(_: &SerialAddress) -> Result<Self, ConnectError> {
        Ok(Self)
    }

    /// The system reports "no such port" and "somebody else has it" alike; the list of ports tells them apart.
    pub(super) fn explain(&self, address: &SerialAddress, error: Error) -> ConnectError {
        let name = address.to_string();
        let listed = || {
            ports()
                .iter()
                .any(|port| port.path().eq_ignore_ascii_case(address.path()))
        };
        match error.kind() {
            ErrorKind::NoDevice if listed() => ConnectError::Busy { address: name },
            ErrorKind::NoDevice => ConnectError::Absent { address: name },
            ErrorKind::InvalidInput => ConnectError::Baud {
                address: name,
                baud: address.baud(),
            },
            _ => ConnectError::Failed {
                address: name,
                source: error.into(),
            },
        }
    }

    /// The line was never raised, so there is nothing to keep up.
    pub(super) fn stay_up_when_closed(&self, _: &SerialAddress) -> Result<(), ConnectError> {
        Ok(())
    }
}

/// Holds DTR low from the start.
pub(super) fn quiet(settings: SerialPortBuilder) -> SerialPortBuilder {
    settings.dtr_on_open(false)
}
