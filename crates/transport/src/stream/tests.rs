use std::collections::VecDeque;
use std::task::Waker;

use proptest::prelude::*;
use tokio::io::ReadBuf;

use super::*;

/// What an I/O object does when it is polled.
#[derive(Copy, Clone, Debug)]
enum Turn {
    Wait,
    Move(usize),
    Fail(io::ErrorKind),
}

/// An I/O object that does exactly what it is told, one turn a poll, and then waits for ever.
#[derive(Debug, Default)]
struct Puppet {
    reads: VecDeque<Turn>,
    writes: VecDeque<Turn>,
    source: VecDeque<u8>,
    sink: Vec<u8>,
}

impl AsyncRead for Puppet {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.reads.pop_front() {
            None | Some(Turn::Wait) => Poll::Pending,
            Some(Turn::Fail(kind)) => Poll::Ready(Err(kind.into())),
            Some(Turn::Move(count)) => {
                let count = count.min(self.source.len()).min(buf.remaining());
                let bytes: Vec<u8> = self.source.drain(..count).collect();
                buf.put_slice(&bytes);
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Puppet {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.writes.pop_front() {
            None | Some(Turn::Wait) => Poll::Pending,
            Some(Turn::Fail(kind)) => Poll::Ready(Err(kind.into())),
            Some(Turn::Move(count)) => {
                let count = count.min(bytes.len());
                self.sink.extend_from_slice(&bytes[..count]);
                Poll::Ready(Ok(count))
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        panic!("a link never flushes")
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn puppet(reads: &[Turn], writes: &[Turn], source: &[u8]) -> Stream<Puppet> {
    let io = Puppet {
        reads: reads.iter().copied().collect(),
        writes: writes.iter().copied().collect(),
        source: source.iter().copied().collect(),
        sink: Vec::new(),
    };
    Stream::new(io, "puppet")
}

/// Polls one exchange up to `patience` times and then drops it, as a `select!` would.
fn try_exchange(
    link: &mut dyn Link,
    out: &[u8],
    inbox: &mut BytesMut,
    patience: usize,
) -> Option<Result<Exchanged, LinkError>> {
    let mut exchange = link.exchange(out, inbox);
    let mut cx = Context::from_waker(Waker::noop());
    (0..patience).find_map(|_| match exchange.as_mut().poll(&mut cx) {
        Poll::Ready(moved) => Some(moved),
        Poll::Pending => None,
    })
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    proptest::collection::vec(
        prop_oneof![Just(Turn::Wait), (1..40_usize).prop_map(Turn::Move)],
        0..60,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever the link does and whenever its futures are dropped, the bytes that the caller counts are the bytes that moved.
    #[test]
    fn dropped_exchanges_neither_lose_nor_repeat_bytes(
        reads in turns(),
        writes in turns(),
        patience in proptest::collection::vec(0..4_usize, 1..150),
    ) {
        let script: Vec<u8> = (0..=255).cycle().take(4000).collect();
        let mut link = puppet(&reads, &writes, &script);
        let (mut sent, mut inbox) = (0, BytesMut::new());
        for patience in patience {
            let before = inbox.len();
            match try_exchange(&mut link, &script[sent..], &mut inbox, patience) {
                Some(moved) => {
                    let moved = moved.unwrap();
                    prop_assert_ne!(moved, Exchanged::default());
                    prop_assert_eq!(inbox.len(), before + moved.read);
                    sent += moved.written;
                }
                None => prop_assert_eq!(inbox.len(), before),
            }
            prop_assert_eq!(&link.io.sink[..], &script[..sent]);
            prop_assert_eq!(&inbox[..], &script[..inbox.len()]);
            prop_assert_eq!(inbox.len() + link.io.source.len(), script.len());
        }
    }
}

#[test]
fn one_wake_up_serves_both_directions() {
    let mut link = puppet(&[Turn::Move(9)], &[Turn::Move(2)], b"ok\r\n");
    let mut inbox = BytesMut::new();
    let moved = try_exchange(&mut link, b"G0X1\n", &mut inbox, 1)
        .unwrap()
        .unwrap();
    assert_eq!(
        moved,
        Exchanged {
            written: 2,
            read: 4
        }
    );
    assert_eq!(&inbox[..], b"ok\r\n");
}

#[test]
fn nothing_to_send_means_waiting_for_input_alone() {
    let mut link = puppet(
        &[Turn::Wait, Turn::Move(1)],
        &[Turn::Fail(io::ErrorKind::Other)],
        b"?",
    );
    let mut inbox = BytesMut::new();
    let moved = try_exchange(&mut link, b"", &mut inbox, 2)
        .unwrap()
        .unwrap();
    assert_eq!(
        moved,
        Exchanged {
            written: 0,
            read: 1
        }
    );
}

#[test]
fn the_last_words_of_a_machine_come_before_its_loss() {
    let failing = [
        Turn::Fail(io::ErrorKind::BrokenPipe),
        Turn::Fail(io::ErrorKind::BrokenPipe),
    ];
    let mut link = puppet(&[Turn::Move(9)], &failing, b"ALARM:1\r\n");
    let mut inbox = BytesMut::new();
    let moved = try_exchange(&mut link, b"G0X1\n", &mut inbox, 1)
        .unwrap()
        .unwrap();
    assert_eq!((moved.written, &inbox[..]), (0, &b"ALARM:1\r\n"[..]));
    let lost = try_exchange(&mut link, b"G0X1\n", &mut inbox, 1)
        .unwrap()
        .unwrap_err();
    assert!(matches!(lost, LinkError::Closed { .. }), "{lost}");
}

#[test]
fn the_end_of_file_stays() {
    let mut link = puppet(&[Turn::Move(0)], &[Turn::Move(1)], b"");
    let mut inbox = BytesMut::new();
    let moved = try_exchange(&mut link, b"!", &mut inbox, 1)
        .unwrap()
        .unwrap();
    assert_eq!(
        moved,
        Exchanged {
            written: 1,
            read: 0
        }
    );
    let lost = try_exchange(&mut link, b"", &mut inbox, 1)
        .unwrap()
        .unwrap_err();
    assert_eq!(
        lost.to_string(),
        "puppet: the other end closed the link; check power and cable, then connect again"
    );
}

#[test]
fn system_errors_keep_their_cause() {
    let check = |error: io::Error, closed: bool| {
        let lost = puppet(&[], &[], b"").failed(error);
        assert_eq!(matches!(lost, LinkError::Closed { .. }), closed, "{lost}");
    };
    check(io::ErrorKind::ConnectionReset.into(), true);
    check(io::ErrorKind::TimedOut.into(), false);
    #[cfg(unix)]
    check(rustix::io::Errno::IO.into(), true);
    #[cfg(unix)]
    check(rustix::io::Errno::MSGSIZE.into(), false);
}

#[test]
fn a_flood_enters_the_inbox_by_bounded_portions() {
    let flood = vec![b'x'; 3 * READ_LIMIT];
    let mut link = puppet(&[Turn::Move(usize::MAX); 8], &[], &flood);
    let mut inbox = BytesMut::with_capacity(8 * READ_LIMIT);
    let moved = try_exchange(&mut link, b"", &mut inbox, 1)
        .unwrap()
        .unwrap();
    assert!(moved.read <= READ_LIMIT, "{moved:?}");
}
