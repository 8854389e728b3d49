//! Which device an address means now: the same board may come back under another name, and another board under the same name.

use std::fs;
use std::path::PathBuf;

use crate::{ConnectError, PortInfo, PortKind, SerialAddress, UsbPort};

/// What tells a USB device from every other: two boards of a make differ in their serial numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    vendor_id: u16,
    product_id: u16,
    serial_number: String,
}

impl Identity {
    /// `None` for a device without a serial number (a CH340 has none): it cannot be told from its like.
    fn of(port: &PortInfo) -> Option<Self> {
        let PortKind::Usb(UsbPort {
            vendor_id,
            product_id,
            serial_number: Some(serial_number),
            ..
        }) = port.kind()
        else {
            return None;
        };
        Some(Self {
            vendor_id: *vendor_id,
            product_id: *product_id,
            serial_number: serial_number.clone(),
        })
    }

    /// Which device is at the address now.
    pub(super) fn at(address: &SerialAddress, ports: &[PortInfo]) -> Option<Self> {
        Self::of(named(address, ports)?)
    }
}

/// The device to open for `address`: the one it names, or where the device `known` from before has gone.
pub(super) fn device(
    address: &SerialAddress,
    known: Option<&Identity>,
    ports: &[PortInfo],
) -> Result<SerialAddress, ConnectError> {
    let is_wanted = |port: &&PortInfo| match (known, address.usb_serial_number()) {
        (Some(known), _) => Identity::of(port).as_ref() == Some(known),
        (None, Some(number)) => Identity::of(port).is_some_and(|it| it.serial_number == number),
        (None, None) => false,
    };
    let named = named(address, ports);
    if known.is_none() && address.usb_serial_number().is_none() {
        return Ok(address.clone());
    }
    if named.is_some_and(|port| is_wanted(&port)) {
        return Ok(address.clone());
    }
    let found: Vec<&PortInfo> = ports.iter().filter(is_wanted).collect();
    match (found.as_slice(), named) {
        ([port], _) => Ok(address.clone().moved_to(port.path())),
        ([], Some(port)) => Err(ConnectError::AnotherDevice {
            address: address.to_string(),
            found: port.kind().to_string(),
        }),
        ([], None) => Err(ConnectError::Absent {
            address: address.to_string(),
        }),
        (several, _) => Err(ConnectError::Ambiguous {
            address: address.to_string(),
            ports: several
                .iter()
                .map(|port| port.path())
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

/// The port that an address names, by its own name or by a link to it such as `/dev/serial/by-id/…`.
fn named<'a>(address: &SerialAddress, ports: &'a [PortInfo]) -> Option<&'a PortInfo> {
    let path = address.path();
    let leads_to = fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
    ports
        .iter()
        .find(|port| port.path() == path || *leads_to == *port.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usb(path: &str, serial_number: Option<&str>) -> PortInfo {
        PortInfo::new(
            SerialAddress::new(path).unwrap(),
            PortKind::Usb(UsbPort {
                vendor_id: 0x2341,
                product_id: 0x0043,
                manufacturer: None,
                product: None,
                serial_number: serial_number.map(str::to_owned),
            }),
        )
    }

    #[test]
    fn a_device_is_found_again_and_no_other_is_taken_for_it() {
        let address = SerialAddress::new("/dev/ttyX0").unwrap();
        let before = [usb("/dev/ttyX0", Some("A1")), usb("/dev/ttyX1", Some("B2"))];
        let known = Identity::at(&address, &before);
        let check = |ports: &[PortInfo], expected: Result<&str, &str>| {
            let found = device(&address, known.as_ref(), ports);
            match (found, expected) {
                (Ok(found), Ok(path)) => assert_eq!(found.path(), path),
                (Err(error), Err(words)) => {
                    assert!(error.to_string().contains(words), "{error}");
                    assert!(error.is_transient(), "it may be plugged in again: {error}");
                }
                (found, expected) => panic!("{found:?} instead of {expected:?}"),
            }
        };
        check(&before, Ok("/dev/ttyX0"));
        check(&[usb("/dev/ttyX3", Some("A1"))], Ok("/dev/ttyX3"));
        check(
            &[usb("/dev/ttyX0", Some("B2")), usb("/dev/ttyX3", Some("A1"))],
            Ok("/dev/ttyX3"),
        );
        check(&[], Err("there is no such port"));
        check(&[usb("/dev/ttyX0", Some("B2"))], Err("another device"));
        check(&[usb("/dev/ttyX0", None)], Err("another device"));
        check(
            &[usb("/dev/ttyX3", Some("A1")), usb("/dev/ttyX4", Some("A1"))],
            Err("/dev/ttyX3, /dev/ttyX4"),
        );
        // One of them under the old name is the old one.
        check(
            &[usb("/dev/ttyX0", Some("A1")), usb("/dev/ttyX4", Some("A1"))],
            Ok("/dev/ttyX0"),
        );
    }

    #[test]
    fn what_was_never_identified_is_opened_by_name() {
        let address = SerialAddress::new("/dev/ttyX0").unwrap();
        for before in [vec![], vec![usb("/dev/ttyX0", None)]] {
            let known = Identity::at(&address, &before);
            assert_eq!(known, None);
            let ports = [usb("/dev/ttyX1", None)];
            assert_eq!(device(&address, None, &ports).unwrap(), address);
        }
    }

    #[test]
    fn a_serial_number_names_a_device_wherever_it_is() {
        let address = SerialAddress::new("usb:B2")
            .unwrap()
            .with_baud(250_000)
            .unwrap();
        let ports = [usb("/dev/ttyX0", Some("A1")), usb("/dev/ttyX1", Some("B2"))];
        let found = device(&address, None, &ports).unwrap();
        assert_eq!(found.to_string(), "serial:/dev/ttyX1@250000");
        let error = device(&address, None, &ports[..1]).unwrap_err();
        assert!(matches!(error, ConnectError::Absent { .. }), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_port_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let (port, link) = (dir.path().join("ttyX5"), dir.path().join("the-mill"));
        fs::write(&port, "").unwrap();
        std::os::unix::fs::symlink(&port, &link).unwrap();
        let port = fs::canonicalize(port).unwrap();
        let address = SerialAddress::new(link.to_str().unwrap()).unwrap();
        let ports = [usb(port.to_str().unwrap(), Some("A1"))];
        assert!(Identity::at(&address, &ports).is_some());
    }
}
