//! Any async byte stream as a [`Link`].

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use crate::{Exchanged, Link, LinkError};

/// The most bytes that one exchange appends to the inbox.
///
/// Four pages: larger than anything a serial driver or a pty hands over at once, small enough that a flooding machine cannot
/// make the inbox grow by much between two looks at it.
pub const READ_LIMIT: usize = 16 * 1024;

/// Spare room asked of the inbox before each read; `BytesMut` gives it for nothing once the inbox has been drained.
const READ_ROOM: usize = 4 * 1024;

/// A [`Link`] over anything that reads and writes bytes asynchronously.
///
/// `T` must pass written bytes on without being flushed (a socket, a tty), since a link never flushes: flushing a serial port
/// blocks until the last bit is on the wire, which would stall the whole session.
#[derive(Debug)]
pub struct Stream<T> {
    io: T,
    name: String,
    ended: bool,
}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream<T> {
    /// Makes a link of `io`; `name` is what [`Link::describe`] says.
    pub fn new(io: T, name: impl Into<String>) -> Self {
        Self {
            io,
            name: name.into(),
            ended: false,
        }
    }

    /// Tries each direction once.
    ///
    /// Reading comes first so that what a machine said before it vanished is delivered even when writing already fails. An error
    /// beside moved bytes is left for the next call: both kinds of error stay (`ended` remembers the end of file).
    fn poll_exchange(
        &mut self,
        cx: &mut Context<'_>,
        out: &[u8],
        inbox: &mut BytesMut,
    ) -> Poll<Result<Exchanged, LinkError>> {
        let read = self.poll_read(cx, inbox);
        let written = match out {
            [] => Poll::Pending,
            bytes => Pin::new(&mut self.io).poll_write(cx, bytes),
        };
        let moved = Exchanged {
            written: bytes_in(&written),
            read: bytes_in(&read),
        };
        if moved != Exchanged::default() {
            return Poll::Ready(Ok(moved));
        }
        match (read, written) {
            (Poll::Ready(Err(error)), _) | (_, Poll::Ready(Err(error))) => {
                Poll::Ready(Err(self.failed(error)))
            }
            (Poll::Ready(Ok(_)), _) | (_, Poll::Ready(Ok(_))) => Poll::Ready(Err(self.closed())),
            (Poll::Pending, Poll::Pending) => Poll::Pending,
        }
    }

    /// `Ready(Ok(0))` is the end of file, now and ever after.
    fn poll_read(&mut self, cx: &mut Context<'_>, inbox: &mut BytesMut) -> Poll<io::Result<usize>> {
        if self.ended {
            return Poll::Ready(Ok(0));
        }
        inbox.reserve(READ_ROOM);
        // `read_buf` keeps nothing between polls, so a fresh future each time is the safe way to read into spare capacity.
        let polled = pin!(self.io.read_buf(&mut inbox.limit(READ_LIMIT))).poll(cx);
        self.ended = matches!(polled, Poll::Ready(Ok(0)));
        polled
    }

    fn closed(&self) -> LinkError {
        LinkError::Closed {
            link: self.name.clone(),
        }
    }

    /// A broken pipe or a reset is how a peer that closed looks from the writing side.
    fn failed(&self, error: io::Error) -> LinkError {
        match error.kind() {
            io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::UnexpectedEof => self.closed(),
            _ if device_is_gone(&error) => self.closed(),
            _ => LinkError::Failed {
                link: self.name.clone(),
                source: error,
            },
        }
    }
}

#[async_trait]
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Link for Stream<T> {
    async fn exchange(&mut self, out: &[u8], inbox: &mut BytesMut) -> Result<Exchanged, LinkError> {
        poll_fn(|cx| self.poll_exchange(cx, out, inbox)).await
    }

    fn describe(&self) -> String {
        self.name.clone()
    }
}

/// A tty whose hardware was pulled, or whose other side is gone, reports one of these instead of an end of file.
#[cfg(unix)]
fn device_is_gone(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let gone = [Errno::IO, Errno::NXIO, Errno::NODEV].map(Errno::raw_os_error);
    error
        .raw_os_error()
        .is_some_and(|code| gone.contains(&code))
}

#[cfg(not(unix))]
fn device_is_gone(_: &io::Error) -> bool {
    false
}

fn bytes_in(polled: &Poll<io::Result<usize>>) -> usize {
    match polled {
        Poll::Ready(Ok(bytes)) => *bytes,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
