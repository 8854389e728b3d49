//! A cable in memory: what is written at one end is read at the other.
//!
//! The cable holds at most its capacity in each direction, so a slow reader stops a fast writer as a real wire would. Dropping
//! either end closes the link after the bytes on the way have been read; [`MemoryPeer::cut`] loses them too.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::Stream;

/// The host's end of a cable in memory.
pub type MemoryLink = Stream<MemoryPeer>;

/// Lays a cable that holds `capacity` bytes each way (at least one).
#[must_use]
pub fn duplex(capacity: usize) -> (MemoryLink, MemoryPeer) {
    let (host, machine) = ends(capacity);
    (Stream::new(host, "memory"), machine)
}

/// One end of a cable in memory, usually the machine's.
#[derive(Debug)]
pub struct MemoryPeer {
    incoming: Arc<Wire>,
    outgoing: Arc<Wire>,
}

impl MemoryPeer {
    /// Pulls the cable: what is on the way is lost, and both ends find the link closed at once.
    pub fn cut(&self) {
        self.cutter().cut();
    }

    /// A handle that can pull the cable while both ends are in use elsewhere.
    #[must_use]
    pub fn cutter(&self) -> Cutter {
        Cutter {
            wires: [Arc::clone(&self.incoming), Arc::clone(&self.outgoing)],
        }
    }
}

/// Pulls a cable from outside; see [`MemoryPeer::cutter`].
#[derive(Clone, Debug)]
pub struct Cutter {
    wires: [Arc<Wire>; 2],
}

impl Cutter {
    /// Pulls the cable: what is on the way is lost, and both ends find the link closed at once.
    pub fn cut(&self) {
        for wire in &self.wires {
            let mut state = wire.lock();
            state.bytes.clear();
            state.close();
        }
    }
}

impl AsyncRead for MemoryPeer {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.incoming.poll_take(cx, buf)
    }
}

impl AsyncWrite for MemoryPeer {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.outgoing.poll_put(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.lock().close();
        Poll::Ready(Ok(()))
    }
}

impl Drop for MemoryPeer {
    fn drop(&mut self) {
        self.incoming.lock().close();
        self.outgoing.lock().close();
    }
}

/// One direction of the cable.
#[derive(Debug)]
struct Wire {
    capacity: usize,
    state: Mutex<WireState>,
}

#[derive(Debug, Default)]
struct WireState {
    bytes: VecDeque<u8>,
    closed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Wire {
    fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            capacity: capacity.max(1),
            state: Mutex::default(),
        })
    }

    /// A panic elsewhere leaves the bytes as they were, so a poisoned lock is no reason to lose them.
    fn lock(&self) -> MutexGuard<'_, WireState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_take(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.lock();
        if state.bytes.is_empty() && !state.closed {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.take_into(buf);
        wake(&mut state.writer);
        Poll::Ready(Ok(()))
    }

    fn poll_put(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.lock();
        if state.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = self.capacity.saturating_sub(state.bytes.len());
        if room == 0 && !bytes.is_empty() {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let taken = room.min(bytes.len());
        state.bytes.extend(bytes.iter().take(taken));
        wake(&mut state.reader);
        Poll::Ready(Ok(taken))
    }
}

impl WireState {
    fn take_into(&mut self, buf: &mut ReadBuf<'_>) {
        let (front, back) = self.bytes.as_slices();
        let from_front = front.len().min(buf.remaining());
        buf.put_slice(&front[..from_front]);
        let from_back = back.len().min(buf.remaining());
        buf.put_slice(&back[..from_back]);
        self.bytes.drain(..from_front + from_back);
    }

    fn close(&mut self) {
        self.closed = true;
        wake(&mut self.reader);
        wake(&mut self.writer);
    }
}

fn wake(waiting: &mut Option<Waker>) {
    if let Some(waker) = waiting.take() {
        waker.wake();
    }
}

fn ends(capacity: usize) -> (MemoryPeer, MemoryPeer) {
    let (out, back) = (Wire::new(capacity), Wire::new(capacity));
    let host = MemoryPeer {
        incoming: Arc::clone(&back),
        outgoing: Arc::clone(&out),
    };
    let machine = MemoryPeer {
        incoming: out,
        outgoing: back,
    };
    (host, machine)
}

#[cfg(test)]
mod tests;
