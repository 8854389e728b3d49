//! Opening a link, and opening it again.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use async_trait::async_trait;

use crate::Link;

/// A way to a machine that can be tried again after a loss.
#[async_trait]
pub trait Connect: Send {
    /// Opens a fresh link.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what stands in the way and what to do; [`ConnectError::is_transient`] says whether trying again
    /// unchanged may succeed.
    async fn connect(&mut self) -> Result<Box<dyn Link>, ConnectError>;

    /// Where this leads, in the form that a user would type.
    fn address(&self) -> String;
}

#[async_trait]
impl<C: Connect + ?Sized> Connect for Box<C> {
    async fn connect(&mut self) -> Result<Box<dyn Link>, ConnectError> {
        (**self).connect().await
    }

    fn address(&self) -> String {
        (**self).address()
    }
}

/// Why no link could be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No such device.
    #[error(
        "{address}: there is no such port; plug the machine in and switch it on, or list the ports of this computer"
    )]
    Absent {
        /// Where the link should have led.
        address: String,
    },
    /// The device exists but this user may not open it.
    #[error("{address}: permission denied; {remedy}")]
    Denied {
        /// Where the link should have led.
        address: String,
        /// What to do, with the group that owns the device where it is known.
        remedy: String,
    },
    /// Another program holds the device exclusively.
    #[error(
        "{address}: another program is using this port; close it (a sender, a serial monitor, a modem daemon) and try again"
    )]
    Busy {
        /// Where the link should have led.
        address: String,
    },
    /// The name belongs to another USB device than the one that was opened under it before.
    #[error(
        "{address}: another device is there now ({found}); plug the machine in again, under whatever name"
    )]
    AnotherDevice {
        /// Where the link should have led.
        address: String,
        /// What is there.
        found: String,
    },
    /// Several ports have the serial number that was asked for.
    #[error(
        "{address}: several ports have this serial number ({ports}); name one of them by its path"
    )]
    Ambiguous {
        /// Where the link should have led.
        address: String,
        /// Their paths.
        ports: String,
    },
    /// The path leads to a file, a directory or another thing without a baud rate.
    #[error(
        "{address}: this is not a serial device; name one such as /dev/ttyUSB0, /dev/ttyACM0 or COM3"
    )]
    NotSerial {
        /// Where the link should have led.
        address: String,
    },
    /// The device or its driver does not do this speed.
    #[error(
        "{address}: this port does not support {baud} baud; grbl and most Marlin boards use 115200 or 250000"
    )]
    Baud {
        /// Where the link should have led.
        address: String,
        /// The speed that was asked for.
        baud: u32,
    },
    /// The host answered that nobody listens there.
    #[error(
        "{address}: connection refused; check the port number and that the machine's network service is switched on"
    )]
    Refused {
        /// Where the link should have led.
        address: String,
    },
    /// Nobody answered in time.
    #[error("{address}: no answer within {after_ms} ms; check the address, the network and that the machine is switched on", after_ms = after.as_millis())]
    Timeout {
        /// Where the link should have led.
        address: String,
        /// How long the attempt lasted.
        after: Duration,
    },
    /// The name of the host means nothing to the resolver.
    #[error(
        "{address}: host `{host}` was not found ({source}); check its spelling or use its IP address"
    )]
    HostNotFound {
        /// Where the link should have led.
        address: String,
        /// The name that was looked up.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// There is no way to the host from here.
    #[error(
        "{address}: the host cannot be reached from this network ({source}); check cable, Wi-Fi and subnet"
    )]
    Unreachable {
        /// Where the link should have led.
        address: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// Anything else that the operating system reported.
    #[error("{address}: could not open the link ({source})")]
    Failed {
        /// Where the link should have led.
        address: String,
        /// What the operating system said.
        source: io::Error,
    },
}

impl ConnectError {
    /// Whether the same attempt may succeed a little later, without anybody changing a setting.
    ///
    /// True for what a machine does while it restarts or is plugged in again; false for what only a person can put right. After
    /// a replug a device may be denied for the moment until its permissions are set, so a *re*connect may well treat
    /// [`Self::Denied`] as passing too.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Absent { .. }
            | Self::Busy { .. }
            | Self::AnotherDevice { .. }
            | Self::Ambiguous { .. }
            | Self::Refused { .. }
            | Self::Timeout { .. }
            | Self::HostNotFound { .. }
            | Self::Unreachable { .. }
            | Self::Failed { .. } => true,
            Self::Denied { .. } | Self::NotSerial { .. } | Self::Baud { .. } => false,
        }
    }
}

/// Hands out links that were made beforehand, in order, and then reports the port as absent.
///
/// This is how a test or an embedding program gives a session a [`memory`](crate::memory) cable or a
/// [`mock`](crate::mock) and how it stages reconnects.
pub struct Sequence {
    address: String,
    links: VecDeque<Box<dyn Link>>,
}

impl Sequence {
    /// Will hand out `links` from first to last.
    pub fn new(address: impl Into<String>, links: impl IntoIterator<Item = Box<dyn Link>>) -> Self {
        Self {
            address: address.into(),
            links: links.into_iter().collect(),
        }
    }

    /// Will hand out this one link, once.
    pub fn once(link: impl Link + 'static) -> Self {
        let address = link.describe();
        Self::new(address, [Box::new(link) as Box<dyn Link>])
    }
}

#[async_trait]
impl Connect for Sequence {
    async fn connect(&mut self) -> Result<Box<dyn Link>, ConnectError> {
        self.links.pop_front().ok_or_else(|| ConnectError::Absent {
            address: self.address.clone(),
        })
    }

    fn address(&self) -> String {
        self.address.clone()
    }
}
