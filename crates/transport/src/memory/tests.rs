use bytes::BytesMut;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::{Link, LinkError};

#[tokio::test]
async fn a_full_cable_takes_a_part_and_then_waits_for_its_reader() {
    let (mut link, mut machine) = duplex(4);
    let mut inbox = BytesMut::new();
    assert_eq!(
        link.exchange(b"G0X1\n", &mut inbox).await.unwrap().written,
        4
    );
    let mut received = [0; 4];
    let (sent, read) = tokio::join!(
        link.exchange(b"\n", &mut inbox),
        machine.read_exact(&mut received)
    );
    assert_eq!(
        (sent.unwrap().written, read.unwrap(), &received),
        (1, 4, b"G0X1")
    );
}

#[tokio::test]
async fn a_peer_that_leaves_is_heard_to_its_last_byte() {
    let (mut link, mut machine) = duplex(64);
    machine.write_all(b"ok\r\n").await.unwrap();
    drop(machine);
    let mut inbox = BytesMut::new();
    assert_eq!(link.exchange(b"G0\n", &mut inbox).await.unwrap().read, 4);
    let lost = link.exchange(b"G0\n", &mut inbox).await.unwrap_err();
    assert!(matches!(lost, LinkError::Closed { .. }), "{lost}");
}

#[tokio::test]
async fn a_host_that_leaves_is_an_end_of_file_for_the_machine() {
    let (mut link, mut machine) = duplex(64);
    assert_eq!(
        link.exchange(b"M5\n", &mut BytesMut::new())
            .await
            .unwrap()
            .written,
        3
    );
    drop(link);
    let mut received = Vec::new();
    machine.read_to_end(&mut received).await.unwrap();
    assert_eq!(received, b"M5\n");
    assert_eq!(
        machine.write(b"ok").await.unwrap_err().kind(),
        io::ErrorKind::BrokenPipe
    );
}

#[tokio::test]
async fn a_pulled_cable_loses_what_is_on_the_way() {
    let (mut link, mut machine) = duplex(64);
    machine.write_all(b"ok\r\n").await.unwrap();
    machine.cut();
    let mut inbox = BytesMut::new();
    let lost = link.exchange(b"G0\n", &mut inbox).await.unwrap_err();
    assert!(matches!(lost, LinkError::Closed { .. }), "{lost}");
    assert!(inbox.is_empty());
    assert_eq!(machine.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn pulling_the_cable_wakes_those_who_wait() {
    let (mut link, mut machine) = duplex(64);
    let cutter = machine.cutter();
    let mut inbox = BytesMut::new();
    let mut byte = [0];
    let (host, peer, ()) = tokio::join!(
        link.exchange(b"", &mut inbox),
        machine.read(&mut byte),
        async { cutter.cut() },
    );
    assert!(matches!(host, Err(LinkError::Closed { .. })));
    assert_eq!(peer.unwrap(), 0);
}

#[test]
fn a_cable_can_be_carried_across_threads() {
    fn check<T: Send + 'static>(_: T) {}
    let (link, machine) = duplex(1);
    check(machine.cutter());
    check((link, machine));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any capacity, any sizes of writes, both directions at once: the bytes arrive complete and in order.
    #[test]
    fn everything_arrives_in_order(capacity in 0..40_usize, down in 0..600_usize, up in 0..600_usize, piece in 1..50_usize) {
        let bytes = |count: usize| -> Vec<u8> { (0..=255).cycle().take(count).collect() };
        let (program, answers) = (bytes(down), bytes(up));
        // On a paused clock the deadline passes exactly when nobody can move any more.
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().unwrap();
        let (inbox, received) = runtime.block_on(async {
            let (mut link, machine) = duplex(capacity);
            let (mut ear, mut mouth) = tokio::io::split(machine);
            let host = async {
                let (mut sent, mut inbox) = (0, BytesMut::new());
                while sent < program.len() || inbox.len() < answers.len() {
                    let end = program.len().min(sent + piece);
                    sent += link.exchange(&program[sent..end], &mut inbox).await.unwrap().written;
                }
                inbox
            };
            let mut received = vec![0; down];
            let speech = async {
                for piece in answers.chunks(piece) {
                    mouth.write_all(piece).await.unwrap();
                }
            };
            let everything = async { tokio::join!(host, ear.read_exact(&mut received), speech) };
            let (inbox, _, ()) = tokio::time::timeout(std::time::Duration::from_secs(1), everything)
                .await
                .expect("somebody waits for a wake-up that never comes");
            (inbox, received)
        });
        prop_assert_eq!(&inbox[..], &answers[..]);
        prop_assert_eq!(received, program);
    }
}
