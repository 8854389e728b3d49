//! The prepared chunks between the file and the wire.

use core::time::Duration;
use std::collections::VecDeque;

use crate::chunk::{Prepared, WireLine};

/// Where a line stands: which chunk, counted since the program began, and which line of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cursor {
    chunk: u64,
    line: usize,
}

#[derive(Debug)]
struct Queued {
    chunk: Prepared,
    started: Option<Duration>,
    answered: usize,
}

/// A chunk whose last line was answered.
#[derive(Debug)]
pub(super) struct Completed {
    pub(super) index: u64,
    pub(super) lines: (u64, u64),
    pub(super) took: Duration,
}

/// Chunks in order. A chunk stays until its last line is answered and no resend can ask for it any more.
#[derive(Debug, Default)]
pub(super) struct Program {
    chunks: VecDeque<Queued>,
    /// Sequence number of the front chunk.
    first: u64,
    /// Next line to send.
    next: Option<Cursor>,
    finished: bool,
}

impl Program {
    pub(super) fn push(&mut self, chunk: Prepared) {
        if self.finished {
            return;
        }
        self.chunks.push_back(Queued {
            chunk,
            started: None,
            answered: 0,
        });
        if self.next.is_none() {
            self.next = self.first_line_from(self.first + self.chunks.len() as u64 - 1);
        }
    }

    pub(super) fn finish(&mut self) {
        self.finished = true;
    }

    /// Nothing behind the line just sent belongs to the program any more.
    pub(super) fn end_here(&mut self) {
        self.next = None;
        self.finished = true;
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Chunks that still have lines to send.
    pub(super) fn waiting_chunks(&self) -> usize {
        self.next.map_or(0, |next| {
            (self.first + self.chunks.len() as u64 - next.chunk) as usize
        })
    }

    /// The next line to send.
    pub(super) fn next(&self) -> Option<(Cursor, WireLine<'_>)> {
        let cursor = self.next?;
        Some((cursor, self.line(cursor)?))
    }

    /// A line that is still kept.
    pub(super) fn line(&self, cursor: Cursor) -> Option<WireLine<'_>> {
        let queued = self
            .chunks
            .get(usize::try_from(cursor.chunk.checked_sub(self.first)?).ok()?)?;
        queued.chunk.get(cursor.line)
    }

    /// Moves past the line just sent. Tells the index of a chunk that begins with it.
    pub(super) fn advance(&mut self, now: Duration) -> Option<u64> {
        let cursor = self.next?;
        let position = (cursor.chunk - self.first) as usize;
        let queued = self.chunks.get_mut(position)?;
        let begun = queued.started.is_none().then(|| queued.chunk.index());
        queued.started.get_or_insert(now);
        self.next = if cursor.line + 1 < queued.chunk.len() {
            Some(Cursor {
                line: cursor.line + 1,
                ..cursor
            })
        } else {
            self.first_line_from(cursor.chunk + 1)
        };
        begun
    }

    /// Notes one answer. Tells when it completes a chunk.
    pub(super) fn answered(&mut self, cursor: Cursor, now: Duration) -> Option<Completed> {
        let position = usize::try_from(cursor.chunk.checked_sub(self.first)?).ok()?;
        let queued = self.chunks.get_mut(position)?;
        queued.answered += 1;
        if queued.answered != queued.chunk.len() {
            return None;
        }
        let lines = queued.chunk.source_lines();
        Some(Completed {
            index: queued.chunk.index(),
            lines: (lines.start, lines.end.saturating_sub(1)),
            took: now.saturating_sub(queued.started.unwrap_or(now)),
        })
    }

    /// Takes back one answer: the line is sent again.
    pub(super) fn retract(&mut self, cursor: Cursor) {
        let position = cursor
            .chunk
            .checked_sub(self.first)
            .and_then(|at| usize::try_from(at).ok());
        if let Some(queued) = position.and_then(|at| self.chunks.get_mut(at)) {
            queued.answered = queued.answered.saturating_sub(1);
        }
    }

    /// Drops answered chunks that lie wholly before `keep`.
    pub(super) fn retire(&mut self, keep: Option<Cursor>) {
        while let Some(front) = self.chunks.front() {
            let needed = keep.is_some_and(|keep| keep.chunk <= self.first);
            let unsent = self.next.is_some_and(|next| next.chunk <= self.first);
            if needed || unsent || front.answered < front.chunk.len() {
                return;
            }
            self.chunks.pop_front();
            self.first += 1;
        }
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.first += self.chunks.len() as u64;
        self.chunks.clear();
        self.next = None;
        self.finished = false;
    }

    /// The first line of the first chunk from `chunk` on that has any.
    fn first_line_from(&self, chunk: u64) -> Option<Cursor> {
        let from = (chunk - self.first) as usize;
        (from..self.chunks.len())
            .find(|&at| !self.chunks[at].chunk.is_empty())
            .map(|at| Cursor {
                chunk: self.first + at as u64,
                line: 0,
            })
    }
}
