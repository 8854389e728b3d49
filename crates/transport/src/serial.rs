//! Serial ports: USB adapters, boards with native USB, UARTs, and the far side of a pty.
//!
//! A port is opened for this process alone. On Unix that is both `TIOCEXCL`, which turns away every later open except root's,
//! and an exclusive `flock`, which turns away every program that asks for one; on Windows the system grants no second handle.
//! The line is raw: eight data bits, no parity, one stop bit, no flow control, no translation of any byte. Bytes that waited in
//! the driver before the port was opened are delivered, not discarded: what they mean is for the protocol to say.
//!
//! # A device under another name
//!
//! A board that is plugged in again may come back as `/dev/ttyACM1`, and another board may get its old name. So a [`Serial`]
//! remembers the USB identity (vendor, product, serial number) of the device it has opened, and from then on opens that device
//! only, under whatever name. A device without a serial number (a CH340 has none) is known by its name alone.
//!
//! # Opening without resetting the board
//!
//! Arduino-style boards restart when the DTR line *rises*. What [`Dtr::Off`] can do about it depends on the system:
//!
//! - **Windows**: the line is held low from the first moment, so nothing rises and the board keeps running.
//! - **Linux, macOS**: the kernel itself raises DTR on the first open, before any program can say no, and by default lowers it
//!   again on the last close (the `HUPCL` flag). `Off` clears `HUPCL` and leaves the line up: the *first* open after plugging
//!   in still resets the board, but from then on the line stays up across closes and crashes, and no later open resets it.
//!   Lowering the line instead would make the next open reset the board again, so that is deliberately not done. A board that
//!   must survive even the first open needs a hardware remedy (a 10 µF capacitor from RESET to ground, or a cut trace).

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_serial::{SerialPort as _, SerialPortBuilder, SerialStream};

use crate::{Connect, ConnectError, Dtr, Link, PortInfo, SerialAddress, Stream, ports};

mod find;

use self::find::Identity;

#[cfg(unix)]
#[path = "serial/unix.rs"]
mod system;
#[cfg(not(unix))]
#[path = "serial/other.rs"]
mod system;

/// How long opening may take; a Bluetooth or a wedged USB port can block in the driver for ever.
pub const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// A driver may round the speed to what its divider can do; a UART tolerates about this much in total, in percent.
const BAUD_TOLERANCE_PERCENT: u64 = 5;

/// How the ports of the computer are listed. Called where it may block.
pub type Listing = fn() -> Vec<PortInfo>;

/// Opens one serial port, and after a loss the same device again.
#[derive(Clone, Debug)]
pub struct Serial {
    address: SerialAddress,
    listing: Listing,
    /// The device that was opened before.
    known: Option<Identity>,
}

impl Serial {
    /// Will open the port at `address`.
    #[must_use]
    pub fn new(address: SerialAddress) -> Self {
        Self::listed_by(address, ports)
    }

    /// The same, on a computer whose ports are listed by `listing`.
    #[must_use]
    pub fn listed_by(address: SerialAddress, listing: Listing) -> Self {
        Self {
            address,
            listing,
            known: None,
        }
    }
}

#[async_trait]
impl Connect for Serial {
    async fn connect(&mut self) -> Result<Box<dyn Link>, ConnectError> {
        let this = self.clone();
        let name = self.address.to_string();
        let opening = timeout(OPEN_TIMEOUT, spawn_blocking(move || this.find_and_open()));
        match opening.await {
            Ok(Ok(opened)) => {
                let Opened {
                    stream,
                    address,
                    identity,
                } = opened?;
                self.known = identity.or(self.known.take());
                Ok(Box::new(Stream::new(stream, address.to_string())))
            }
            Ok(Err(stopped)) => Err(ConnectError::Failed {
                address: name,
                source: io::Error::other(stopped),
            }),
            Err(_) => Err(ConnectError::Timeout {
                address: name,
                after: OPEN_TIMEOUT,
            }),
        }
    }

    fn address(&self) -> String {
        self.address.to_string()
    }
}

/// A port that is open.
struct Opened {
    stream: SerialStream,
    /// Where it was found.
    address: SerialAddress,
    /// What tells the device from others, where the system knows.
    identity: Option<Identity>,
}

impl Serial {
    fn find_and_open(&self) -> Result<Opened, ConnectError> {
        let listed = (self.listing)();
        let address = find::device(&self.address, self.known.as_ref(), &listed)?;
        let stream = open(&address)?;
        Ok(Opened {
            stream,
            identity: Identity::at(&address, &listed),
            address,
        })
    }
}

fn open(address: &SerialAddress) -> Result<SerialStream, ConnectError> {
    let device = system::Device::inspect(address)?;
    let stream =
        SerialStream::open(&settings(address)).map_err(|error| device.explain(address, error))?;
    check_baud(address, &stream)?;
    if address.dtr() == Dtr::Off {
        device.stay_up_when_closed(address)?;
    }
    Ok(stream)
}

fn settings(address: &SerialAddress) -> SerialPortBuilder {
    let settings = tokio_serial::new(address.path(), address.baud());
    match address.dtr() {
        Dtr::Keep => settings,
        Dtr::On => settings.dtr_on_open(true),
        Dtr::Off => system::quiet(settings),
    }
}

/// Catches drivers that accept any speed and then quietly keep another.
fn check_baud(address: &SerialAddress, stream: &SerialStream) -> Result<(), ConnectError> {
    let Ok(actual) = stream.baud_rate() else {
        return Ok(());
    };
    let (asked, actual) = (u64::from(address.baud()), u64::from(actual));
    if asked.abs_diff(actual) * 100 <= asked * BAUD_TOLERANCE_PERCENT {
        return Ok(());
    }
    Err(ConnectError::Baud {
        address: address.to_string(),
        baud: address.baud(),
    })
}

#[cfg(all(test, unix))]
mod tests;
