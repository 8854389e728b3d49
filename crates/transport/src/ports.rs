//! Which serial ports this computer has.

use std::fmt;

use serialport::SerialPortType;

use crate::{Address, SerialAddress};

/// A serial port of this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortInfo {
    address: SerialAddress,
    kind: PortKind,
}

impl PortInfo {
    /// A port at an address, for whoever lists ports in another way.
    #[must_use]
    pub fn new(address: SerialAddress, kind: PortKind) -> Self {
        Self { address, kind }
    }

    /// The device, as [`SerialAddress::path`] takes it.
    #[must_use]
    pub fn path(&self) -> &str {
        self.address.path()
    }

    /// What is known about the hardware.
    #[must_use]
    pub fn kind(&self) -> &PortKind {
        &self.kind
    }

    /// The address to type, with the default speed.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address.clone().into()
    }

    /// The address that stays with the device when its path changes: `serial:usb:SERIAL`. `None` for a device without a serial
    /// number, or with one that cannot be typed.
    #[must_use]
    pub fn lasting_address(&self) -> Option<Address> {
        let PortKind::Usb(usb) = &self.kind else {
            return None;
        };
        let path = format!("usb:{}", usb.serial_number.as_ref()?);
        Some(SerialAddress::new(path).ok()?.into())
    }
}

/// How a port is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PortKind {
    /// A USB adapter or a board with native USB.
    Usb(UsbPort),
    /// A card on the PCI bus.
    Pci,
    /// A Bluetooth serial profile.
    Bluetooth,
    /// The system does not say; UARTs on the board mostly.
    Unknown,
}

/// What a USB device says about itself; texts are as the device wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsbPort {
    /// Vendor number: 1a86 is the CH340's, 2341 Arduino's, 0403 FTDI's.
    pub vendor_id: u16,
    /// Product number within the vendor.
    pub product_id: u16,
    /// Name of the manufacturer.
    pub manufacturer: Option<String>,
    /// Name of the product.
    pub product: Option<String>,
    /// Serial number; the one thing that tells two equal boards apart.
    pub serial_number: Option<String>,
}

impl fmt::Display for PortKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usb(usb) => usb.fmt(f),
            Self::Pci => f.write_str("PCI"),
            Self::Bluetooth => f.write_str("Bluetooth"),
            Self::Unknown => f.write_str("built in"),
        }
    }
}

impl fmt::Display for UsbPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "USB {:04x}:{:04x}", self.vendor_id, self.product_id)?;
        for text in [&self.manufacturer, &self.product, &self.serial_number]
            .into_iter()
            .flatten()
        {
            write!(f, " {}", text.escape_debug())?;
        }
        Ok(())
    }
}

/// All serial ports, machines first: USB, then the rest, each by path.
///
/// A system that cannot be asked has no ports as far as we know; the reason goes to the log.
#[must_use]
pub fn ports() -> Vec<PortInfo> {
    if !can_be_listed() {
        return Vec::new();
    }
    let found = serialport::available_ports().unwrap_or_else(|error| {
        tracing::warn!(%error, "the serial ports of this computer could not be listed");
        Vec::new()
    });
    let mut ports: Vec<PortInfo> = found.into_iter().filter_map(port_info).collect();
    ports.sort_by(|a, b| rank(a).cmp(&rank(b)));
    ports.dedup();
    ports
}

/// The listing library panics on a Linux system without `/sys`, which a container or a chroot may be.
fn can_be_listed() -> bool {
    !cfg!(target_os = "linux") || std::fs::read_dir("/sys/class/tty").is_ok()
}

fn port_info(found: serialport::SerialPortInfo) -> Option<PortInfo> {
    let address = SerialAddress::new(found.port_name).ok()?;
    let kind = match found.port_type {
        SerialPortType::UsbPort(usb) => PortKind::Usb(UsbPort {
            vendor_id: usb.vid,
            product_id: usb.pid,
            manufacturer: usb.manufacturer,
            product: usb.product,
            serial_number: usb.serial_number,
        }),
        SerialPortType::PciPort => PortKind::Pci,
        SerialPortType::BluetoothPort => PortKind::Bluetooth,
        SerialPortType::Unknown => PortKind::Unknown,
    };
    Some(PortInfo { address, kind })
}

/// `ttyUSB10` comes after `ttyUSB9`: by length before letters.
fn rank(port: &PortInfo) -> (bool, usize, &str) {
    (
        !matches!(port.kind, PortKind::Usb(_)),
        port.path().len(),
        port.path(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serialport::{SerialPortInfo, UsbPortInfo};

    fn found(path: &str, port_type: SerialPortType) -> SerialPortInfo {
        SerialPortInfo {
            port_name: path.into(),
            port_type,
        }
    }

    #[test]
    fn machines_come_first_and_in_natural_order() {
        let usb = || {
            SerialPortType::UsbPort(UsbPortInfo {
                vid: 0x1a86,
                pid: 0x7523,
                serial_number: None,
                manufacturer: Some("QinHeng".into()),
                product: Some("CH340\u{7}".into()),
            })
        };
        let mut ports: Vec<_> = [
            found("/dev/ttyS0", SerialPortType::Unknown),
            found("/dev/ttyUSB10", usb()),
            found("not a device", usb()),
            found("/dev/ttyUSB9", usb()),
        ]
        .into_iter()
        .filter_map(port_info)
        .collect();
        ports.sort_by(|a, b| rank(a).cmp(&rank(b)));
        let lines: Vec<_> = ports
            .iter()
            .map(|port| format!("{} {}", port.address(), port.kind()))
            .collect();
        assert_eq!(
            lines,
            [
                "serial:/dev/ttyUSB9@115200 USB 1a86:7523 QinHeng CH340\\u{7}",
                "serial:/dev/ttyUSB10@115200 USB 1a86:7523 QinHeng CH340\\u{7}",
                "serial:/dev/ttyS0@115200 built in",
            ]
        );
    }

    #[test]
    fn a_serial_number_makes_a_lasting_address() {
        let port = |serial: Option<&str>| {
            let usb = SerialPortType::UsbPort(UsbPortInfo {
                vid: 0x2341,
                pid: 0x43,
                serial_number: serial.map(str::to_owned),
                manufacturer: None,
                product: None,
            });
            let port = port_info(found("/dev/ttyACM0", usb)).unwrap();
            port.lasting_address().map(|address| address.to_string())
        };
        assert_eq!(
            port(Some("F4:12:FA")).as_deref(),
            Some("serial:usb:F4:12:FA@115200")
        );
        assert_eq!(port(Some("what is this?")), None);
        assert_eq!(port(None), None);
    }

    #[test]
    fn every_listed_port_can_be_typed() {
        for port in ports() {
            assert_eq!(port.address().to_string().parse(), Ok(port.address()));
        }
    }
}
