use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::LinkError;

async fn listener() -> (TcpListener, Tcp) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (
        listener,
        Tcp::new(TcpAddress::new("127.0.0.1", port).unwrap()),
    )
}

#[tokio::test]
async fn bytes_go_both_ways_until_the_machine_hangs_up() {
    let (listener, mut tcp) = listener().await;
    let (link, accepted) = tokio::join!(tcp.connect(), listener.accept());
    let (mut link, (mut machine, _)) = (link.unwrap(), accepted.unwrap());
    assert_eq!(link.describe(), tcp.address());

    let mut inbox = BytesMut::new();
    assert_eq!(link.exchange(b"?\n", &mut inbox).await.unwrap().written, 2);
    let mut received = [0; 2];
    machine.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"?\n");

    machine.write_all(b"<Idle>\r\nok\r\n").await.unwrap();
    drop(machine);
    let lost = loop {
        if let Err(lost) = link.exchange(b"", &mut inbox).await {
            break lost;
        }
    };
    assert_eq!(&inbox[..], b"<Idle>\r\nok\r\n");
    assert!(matches!(lost, LinkError::Closed { .. }), "{lost}");
}

#[tokio::test]
async fn more_than_the_socket_holds_goes_out_in_parts() {
    let (listener, mut tcp) = listener().await;
    let (link, accepted) = tokio::join!(tcp.connect(), listener.accept());
    let (mut link, (mut machine, _)) = (link.unwrap(), accepted.unwrap());
    let program: Vec<u8> = (0..=255).cycle().take(8 << 20).collect();

    let first = link
        .exchange(&program, &mut BytesMut::new())
        .await
        .unwrap()
        .written;
    assert!(0 < first && first < program.len(), "{first}");
    let mut received = vec![0; program.len()];
    let host = async {
        let mut sent = first;
        while sent < program.len() {
            sent += link
                .exchange(&program[sent..], &mut BytesMut::new())
                .await
                .unwrap()
                .written;
        }
    };
    let ((), read) = tokio::join!(host, machine.read_exact(&mut received));
    read.unwrap();
    assert!(received == program, "the program arrived changed");
}

#[tokio::test]
async fn a_closed_port_is_a_refusal() {
    let (listener, mut tcp) = listener().await;
    drop(listener);
    let error = tcp.connect().await.err().unwrap();
    assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
    assert!(error.is_transient());
    assert!(error.to_string().starts_with(&tcp.address()), "{error}");
}

#[tokio::test]
async fn a_name_that_nobody_has_is_named() {
    let mut tcp = Tcp::new(TcpAddress::new("no-such-machine.invalid", 23).unwrap());
    let error = tcp.connect().await.err().unwrap();
    let text = error.to_string();
    assert!(matches!(error, ConnectError::HostNotFound { .. }), "{text}");
    assert!(
        text.contains("host `no-such-machine.invalid` was not found"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_nobody_answers_ends_in_time() {
    let tcp =
        Tcp::new(TcpAddress::new("10.0.0.7", 23).unwrap()).with_timeout(Duration::from_millis(750));
    let started = tokio::time::Instant::now();
    let error = tcp.in_time::<()>(std::future::pending()).await.unwrap_err();
    assert_eq!(started.elapsed().as_millis(), 750);
    assert_eq!(
        error.to_string(),
        "tcp://10.0.0.7:23: no answer within 750 ms; \
         check the address, the network and that the machine is switched on"
    );
}

#[test]
fn system_errors_become_what_the_user_can_act_on() {
    let tcp = Tcp::new(TcpAddress::new("10.0.0.7", 23).unwrap());
    let check = |kind: io::ErrorKind, part: &str| {
        let text = tcp.explain(kind.into()).to_string();
        assert!(
            text.starts_with("tcp://10.0.0.7:23: ") && text.contains(part),
            "{kind:?}: {text}"
        );
    };
    check(io::ErrorKind::ConnectionRefused, "connection refused");
    check(io::ErrorKind::TimedOut, "no answer within 5000 ms");
    check(
        io::ErrorKind::HostUnreachable,
        "cannot be reached from this network",
    );
    check(
        io::ErrorKind::NetworkUnreachable,
        "cannot be reached from this network",
    );
    check(io::ErrorKind::OutOfMemory, "could not open the link");
}
