//! Makes an index while a file is vetted: in a thread of its own, since interpreting lines takes about as long as preparing them.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread::{Scope, ScopedJoinHandle},
};

use feedhold_stream_core::{chunk::Buffers, wire::Chain};

use super::{
    Block, ChunkStats, Content, Index, MAX_MARKS, Mark, Prepared, Tracker, settings_digest,
};

/// Chunks that may wait for the interpreter.
const WAITING: usize = 2;

/// The vetting's end of the thread that interprets.
pub(crate) struct Recording<'scope> {
    chunks: SyncSender<Prepared>,
    emptied: Receiver<Buffers>,
    thread: ScopedJoinHandle<'scope, Recorder>,
}

impl<'scope> Recording<'scope> {
    /// Begins in front of the first line.
    pub(crate) fn new<'env>(scope: &'scope Scope<'scope, 'env>, chain: &Chain) -> Self {
        let (chunks, to_read) = sync_channel(WAITING);
        let (done, emptied) = channel();
        let recorder = Recorder::new(chain);
        let thread = scope.spawn(move || recorder.run(&to_read, &done));
        Self {
            chunks,
            emptied,
            thread,
        }
    }

    /// Takes the next chunk. Waits when the interpreter is behind.
    pub(crate) fn take(&self, chunk: Prepared) {
        // A thread that died is noticed at the end.
        let _ = self.chunks.send(chunk);
    }

    /// Buffers of a chunk that was read, or new ones.
    pub(crate) fn buffers(&self) -> Buffers {
        self.emptied.try_recv().unwrap_or_default()
    }

    /// The index, when every chunk was given; `None` when the thread died.
    pub(crate) fn finish(self, lines: u64, content: Content, stats: ChunkStats) -> Option<Index> {
        drop(self.chunks);
        let recorder = self.thread.join().ok()?;
        Some(recorder.finish(lines, content, stats))
    }
}

/// Follows the program and puts down marks.
#[derive(Debug)]
pub(super) struct Recorder {
    settings: [u8; 32],
    tracker: Tracker,
    marks: Vec<Mark>,
    most: usize,
    /// Chunks from one mark to the next.
    stride: u64,
    chunks: u64,
}

impl Recorder {
    pub(super) fn new(chain: &Chain) -> Self {
        Self {
            settings: settings_digest(chain.config()),
            tracker: Tracker::new(chain.config().dialect()),
            marks: Vec::new(),
            most: MAX_MARKS,
            stride: 1,
            chunks: 0,
        }
    }

    /// The same with another limit.
    #[cfg(test)]
    pub(super) fn with_most(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    fn run(mut self, chunks: &Receiver<Prepared>, done: &Sender<Buffers>) -> Self {
        while let Ok(chunk) = chunks.recv() {
            self.take(&chunk);
            // Nobody may want it any more.
            let _ = done.send(chunk.recycle());
        }
        self
    }

    pub(super) fn take(&mut self, chunk: &Prepared) {
        if self.chunks.is_multiple_of(self.stride) {
            self.mark(chunk);
        }
        self.chunks += 1;
        let flavor = self.tracker.dialect().flavor();
        for line in chunk.lines() {
            Block::with(flavor, line.text, |block| {
                self.tracker.apply(line.source_line, block);
            });
        }
    }

    fn mark(&mut self, chunk: &Prepared) {
        if self.marks.len() == self.most {
            let mut keep = false;
            self.marks.retain(|_| {
                keep = !keep;
                keep
            });
            self.stride *= 2;
            if !self.chunks.is_multiple_of(self.stride) {
                return;
            }
        }
        let (line, offset) = (chunk.source_lines().start, chunk.source_bytes().start);
        self.marks.push(Mark::new(line, offset, &self.tracker));
    }

    pub(super) fn finish(self, lines: u64, content: Content, stats: ChunkStats) -> Index {
        Index {
            settings: self.settings,
            content: Arc::new(content),
            lines,
            stats,
            marks: self.marks,
            end: self.tracker,
        }
    }
}
