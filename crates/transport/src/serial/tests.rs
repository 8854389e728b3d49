use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::LinkError;
use crate::pty::Pty;

fn serial(path: &str) -> Serial {
    Serial::new(SerialAddress::new(path).unwrap())
}

fn far_side(pty: &Pty) -> Serial {
    serial(pty.path().to_str().unwrap())
}

async fn refusal(mut serial: Serial) -> ConnectError {
    match serial.connect().await {
        Ok(link) => panic!("{} was opened", link.describe()),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_pty_is_a_serial_device_both_ways() {
    let mut pty = Pty::open().unwrap();
    let mut port = far_side(&pty);
    let mut link = port.connect().await.unwrap();
    assert_eq!(
        link.describe(),
        format!("serial:{}@115200", pty.path().display())
    );

    // Line ends and the bytes of XON, XOFF and Ctrl-C must arrive as they are.
    let program = b"G0 X1\r\n\x03\x11\x13\x18!~?\n";
    assert_eq!(
        link.exchange(program, &mut BytesMut::new())
            .await
            .unwrap()
            .written,
        program.len()
    );
    let mut received = vec![0; program.len()];
    pty.read_exact(&mut received).await.unwrap();
    assert_eq!(received, program);

    pty.write_all(b"ok\r\n").await.unwrap();
    let mut inbox = BytesMut::new();
    while inbox.len() < 4 {
        assert_ne!(link.exchange(b"", &mut inbox).await.unwrap().read, 0);
    }
    assert_eq!(&inbox[..], b"ok\r\n");
}

#[tokio::test]
async fn a_long_program_arrives_complete_while_answers_come_back() {
    let mut pty = Pty::open().unwrap();
    let mut link = far_side(&pty).connect().await.unwrap();
    let program: Vec<u8> = (0..=255).cycle().take(300_000).collect();

    let host = async {
        let (mut sent, mut inbox) = (0, BytesMut::new());
        while sent < program.len() || inbox.len() < program.len() {
            sent += link
                .exchange(&program[sent..], &mut inbox)
                .await
                .unwrap()
                .written;
        }
        inbox
    };
    let echo = async {
        let (mut echoed, mut portion) = (0, [0; 1000]);
        while echoed < program.len() {
            let count = pty.read(&mut portion).await.unwrap();
            pty.write_all(&portion[..count]).await.unwrap();
            echoed += count;
        }
    };
    let (inbox, ()) = tokio::join!(host, echo);
    assert!(inbox == program, "the echo differs from the program");
}

#[tokio::test]
async fn a_machine_that_vanishes_closes_the_link() {
    let pty = Pty::open().unwrap();
    let mut link = far_side(&pty).connect().await.unwrap();
    drop(pty);
    let lost = link.exchange(b"", &mut BytesMut::new()).await.unwrap_err();
    assert!(matches!(lost, LinkError::Closed { .. }), "{lost}");
}

#[tokio::test]
async fn a_port_belongs_to_one_program_until_it_is_closed() {
    let mut pty = Pty::open().unwrap();
    let mut first = far_side(&pty).connect().await.unwrap();
    let error = refusal(far_side(&pty)).await;
    assert!(matches!(error, ConnectError::Busy { .. }), "{error}");

    // The refused attempt must not have disturbed the owner.
    assert_eq!(
        first
            .exchange(b"?", &mut BytesMut::new())
            .await
            .unwrap()
            .written,
        1
    );
    assert_eq!(pty.read_u8().await.unwrap(), b'?');
    drop(first);
    far_side(&pty).connect().await.unwrap();
}

#[tokio::test]
async fn asking_for_no_reset_keeps_the_line_up_on_close() {
    use rustix::fs::{Mode, OFlags};
    use rustix::termios::{ControlModes, tcgetattr};

    let pty = Pty::open().unwrap();
    let hangs_up = || {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK;
        let device = rustix::fs::open(pty.path(), flags, Mode::empty()).unwrap();
        tcgetattr(device)
            .unwrap()
            .control_modes
            .contains(ControlModes::HUPCL)
    };
    let set_hang_up = || {
        let device =
            rustix::fs::open(pty.path(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let mut settings = tcgetattr(&device).unwrap();
        settings.control_modes.insert(ControlModes::HUPCL);
        rustix::termios::tcsetattr(&device, rustix::termios::OptionalActions::Now, &settings)
            .unwrap();
    };
    let address = SerialAddress::new(pty.path().to_str().unwrap()).unwrap();
    for (dtr, expected) in [(Dtr::Keep, true), (Dtr::On, true), (Dtr::Off, false)] {
        set_hang_up();
        let _link = Serial::new(address.clone().with_dtr(dtr))
            .connect()
            .await
            .unwrap();
        assert_eq!(hangs_up(), expected, "{dtr}");
    }
}

#[tokio::test]
async fn what_is_no_serial_port_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "").unwrap();

    for path in [
        file.to_str().unwrap(),
        folder.path().to_str().unwrap(),
        "/dev/null",
    ] {
        let error = refusal(serial(path)).await;
        assert!(
            matches!(error, ConnectError::NotSerial { .. }),
            "{path}: {error}"
        );
        assert!(!error.is_transient());
    }
    for path in ["/dev/no-such-port", "/dev/null/port"] {
        let error = refusal(serial(path)).await;
        assert!(
            matches!(error, ConnectError::Absent { .. }),
            "{path}: {error}"
        );
        assert!(error.is_transient());
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"");
}

#[tokio::test]
async fn a_device_that_comes_back_under_another_name_is_opened_there() {
    use std::sync::Mutex;

    use crate::{PortKind, UsbPort};

    /// Path and serial number of what is plugged in.
    static PLUGGED_IN: Mutex<Vec<(String, &str)>> = Mutex::new(Vec::new());

    fn listing() -> Vec<PortInfo> {
        let plugged_in = PLUGGED_IN.lock().unwrap();
        let port = |(path, serial_number): &(String, &str)| {
            let usb = UsbPort {
                vendor_id: 0x2341,
                product_id: 0x0043,
                manufacturer: None,
                product: None,
                serial_number: Some((*serial_number).to_owned()),
            };
            PortInfo::new(
                SerialAddress::new(path.as_str()).unwrap(),
                PortKind::Usb(usb),
            )
        };
        plugged_in.iter().map(port).collect()
    }

    let path = |pty: &Pty| pty.path().to_str().unwrap().to_owned();
    let (first, second) = (Pty::open().unwrap(), Pty::open().unwrap());
    *PLUGGED_IN.lock().unwrap() = vec![(path(&first), "A1")];
    let mut serial = Serial::listed_by(SerialAddress::new(path(&first)).unwrap(), listing);
    drop(serial.connect().await.unwrap());

    // Another board has taken the name.
    *PLUGGED_IN.lock().unwrap() = vec![(path(&first), "B2")];
    let error = refusal(serial.clone()).await;
    assert!(
        matches!(error, ConnectError::AnotherDevice { .. }),
        "{error}"
    );

    *PLUGGED_IN.lock().unwrap() = vec![(path(&first), "B2"), (path(&second), "A1")];
    let link = serial.connect().await.unwrap();
    assert_eq!(link.describe(), format!("serial:{}@115200", path(&second)));
    drop(link);

    let mut by_number = Serial::listed_by(SerialAddress::new("usb:B2").unwrap(), listing);
    let link = by_number.connect().await.unwrap();
    assert_eq!(link.describe(), format!("serial:{}@115200", path(&first)));
}
