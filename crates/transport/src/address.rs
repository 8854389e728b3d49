//! The one form in which users name a machine.
//!
//! ```text
//! serial:PATH[@BAUD][?dtr=keep|off|on]    serial:/dev/ttyUSB0@115200?dtr=off   serial:COM3
//! serial:usb:SERIAL[@BAUD][?dtr=…]        serial:usb:75330303035351F0C1A1      the USB device with this serial number
//! tcp://HOST:PORT                         tcp://10.0.0.7:23   tcp://[fe80::1]:23   tcp://cnc.local:23
//! sim:CONTROLLER[?KEY=VALUE[&KEY=VALUE…]] sim:grbl?speed=50&baud=115200&seed=1
//! ```
//!
//! Three shorthands are unambiguous and therefore accepted: an absolute path (`/dev/ttyUSB0@250000`) and `COM3` are serial
//! ports, `10.0.0.7:23` is a TCP address; `tcp:HOST:PORT` without the slashes is one too. Printing always gives the full form.

mod parse;

use std::fmt;

use crate::Connect;
use crate::serial::Serial;
use crate::tcp::Tcp;

pub use parse::AddressError;

/// The speed of a serial address without `@BAUD`, in bits per second: what grbl ships with and most Marlin boards accept.
pub const DEFAULT_BAUD: u32 = 115_200;

/// Where a machine is. See the forms in the text above; parse with [`str::parse`], print with `Display`, and the two agree.
///
/// ```
/// use feedhold_transport::{Address, Dtr};
///
/// let Address::Serial(port) = "serial:/dev/ttyUSB0?dtr=off".parse()? else { unreachable!() };
/// assert_eq!((port.path(), port.baud(), port.dtr()), ("/dev/ttyUSB0", 115_200, Dtr::Off));
/// assert_eq!("10.0.0.7:23".parse::<Address>()?.to_string(), "tcp://10.0.0.7:23");
/// # Ok::<(), feedhold_transport::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// A serial device, real or the far side of a pty.
    Serial(SerialAddress),
    /// A raw TCP socket.
    Tcp(TcpAddress),
    /// A simulated controller inside this process.
    Sim(SimAddress),
}

impl Address {
    /// How to get there, or `None` for a simulator, which the program that has one opens itself.
    #[must_use]
    pub fn connector(&self) -> Option<Box<dyn Connect>> {
        match self {
            Self::Serial(address) => Some(Box::new(Serial::new(address.clone()))),
            Self::Tcp(address) => Some(Box::new(Tcp::new(address.clone()))),
            Self::Sim(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial(address) => address.fmt(f),
            Self::Tcp(address) => address.fmt(f),
            Self::Sim(address) => address.fmt(f),
        }
    }
}

/// A serial device with its settings; eight data bits, no parity, one stop bit, no flow control.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SerialAddress {
    path: String,
    baud: u32,
    dtr: Dtr,
}

impl SerialAddress {
    /// The device at `path` (absolute, or `COM3` on Windows, or `usb:SERIAL` for the USB device with this serial number) at
    /// [`DEFAULT_BAUD`].
    ///
    /// # Errors
    ///
    /// [`AddressError`] when `path` names no device or holds `?` or a control character.
    pub fn new(path: impl Into<String>) -> Result<Self, AddressError> {
        let path = path.into();
        parse::device_path(&path)?;
        Ok(Self {
            path,
            baud: DEFAULT_BAUD,
            dtr: Dtr::default(),
        })
    }

    /// The same device at `baud` bits per second.
    ///
    /// # Errors
    ///
    /// [`AddressError`] for zero, which tells a modem to hang up.
    pub fn with_baud(self, baud: u32) -> Result<Self, AddressError> {
        parse::baud_rate(baud)?;
        Ok(Self { baud, ..self })
    }

    /// The same device with this use of the DTR line.
    #[must_use]
    pub fn with_dtr(self, dtr: Dtr) -> Self {
        Self { dtr, ..self }
    }

    /// The device: an absolute path, or `COM3` and the like on Windows, or `usb:SERIAL`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The serial number, where the address names the USB device by that.
    #[must_use]
    pub fn usb_serial_number(&self) -> Option<&str> {
        self.path.strip_prefix(parse::USB)
    }

    /// The same settings for the device at a path that the system has listed.
    pub(crate) fn moved_to(self, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..self
        }
    }

    /// Bits per second, at least 1.
    #[must_use]
    pub fn baud(&self) -> u32 {
        self.baud
    }

    /// What happens to the DTR line when the port is opened.
    #[must_use]
    pub fn dtr(&self) -> Dtr {
        self.dtr
    }
}

impl fmt::Display for SerialAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "serial:{}@{}", self.path, self.baud)?;
        match self.dtr {
            Dtr::Keep => Ok(()),
            other => write!(f, "?dtr={other}"),
        }
    }
}

/// What opening a serial port does to the DTR line, which resets Arduino-style boards when it rises.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dtr {
    /// Leave it to the operating system: Linux and macOS raise the line on opening, so such boards restart.
    #[default]
    Keep,
    /// Do not reset the board. See [`serial`](crate::serial) for what each system can promise.
    Off,
    /// Raise the line after opening; some boards with native USB stay silent until then.
    On,
}

impl fmt::Display for Dtr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "keep",
            Self::Off => "off",
            Self::On => "on",
        })
    }
}

/// A host and a TCP port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TcpAddress {
    host: String,
    port: u16,
}

impl TcpAddress {
    /// A host name, an IPv4 address or an IPv6 address (without brackets, a zone as in `fe80::1%eth0` allowed).
    ///
    /// # Errors
    ///
    /// [`AddressError`] when `host` is none of these, or `port` is 0.
    pub fn new(host: impl Into<String>, port: u16) -> Result<Self, AddressError> {
        let host = host.into();
        parse::host_name(&host)?;
        parse::port_number(port)?;
        Ok(Self { host, port })
    }

    /// Host name or IP address, IPv6 without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port, at least 1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for TcpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "tcp://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "tcp://{}:{}", self.host, self.port)
        }
    }
}

/// A simulated controller and its parameters, in the order in which they were typed.
///
/// This crate knows no controller: which names and parameters exist is for the program that opens simulators to say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SimAddress {
    controller: String,
    params: Vec<(String, String)>,
}

impl SimAddress {
    /// The controller of this name without parameters.
    ///
    /// # Errors
    ///
    /// [`AddressError`] unless the name is made of letters, digits, `-`, `_` and `.`.
    pub fn new(controller: impl Into<String>) -> Result<Self, AddressError> {
        let controller = controller.into();
        parse::controller_name(&controller)?;
        Ok(Self {
            controller,
            params: Vec::new(),
        })
    }

    /// The same controller with one parameter more.
    ///
    /// # Errors
    ///
    /// [`AddressError`] when the key is not a name, is there already, or the value is empty or holds `&` or a control character.
    pub fn with(
        mut self,
        key: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<Self, AddressError> {
        let (key, value) = (key.into(), value.into());
        parse::parameter(&self, &key, &value)?;
        self.params.push((key, value));
        Ok(self)
    }

    /// The controller's name: `grbl`, `marlin`, `null`, …
    #[must_use]
    pub fn controller(&self) -> &str {
        &self.controller
    }

    /// All parameters in order; keys are unique.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The value of one parameter.
    #[must_use]
    pub fn param(&self, key: &str) -> Option<&str> {
        self.params()
            .find_map(|(name, value)| (name == key).then_some(value))
    }
}

impl fmt::Display for SimAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sim:{}", self.controller)?;
        for (index, (key, value)) in self.params().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            write!(f, "{separator}{key}={value}")?;
        }
        Ok(())
    }
}

impl From<SerialAddress> for Address {
    fn from(address: SerialAddress) -> Self {
        Self::Serial(address)
    }
}

impl From<TcpAddress> for Address {
    fn from(address: TcpAddress) -> Self {
        Self::Tcp(address)
    }
}

impl From<SimAddress> for Address {
    fn from(address: SimAddress) -> Self {
        Self::Sim(address)
    }
}

#[cfg(test)]
mod tests;
