use std::collections::VecDeque;

use super::framer::MAX_COMMAND;

/// Commands that were read and wait for their turn; the one under way keeps its place.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    lines: VecDeque<Line>,
    capacity: usize,
}

/// A command as it was read: its text in place, and its line number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    text: [u8; MAX_COMMAND],
    len: usize,
    pub(super) number: Option<u64>,
    /// It came from the panel, and nobody waits for its `ok`.
    pub(super) is_silent: bool,
}

impl Line {
    pub(super) fn text(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or_default()
    }
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            lines: VecDeque::with_capacity(capacity),
            capacity,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.lines.len() < self.capacity
    }

    pub(super) fn free(&self) -> usize {
        self.capacity.saturating_sub(self.lines.len())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Adds a command of less than [`MAX_COMMAND`] bytes.
    pub(super) fn push(&mut self, command: &[u8], number: Option<u64>) {
        self.add(command, number, false);
    }

    /// Adds a command of the panel's.
    pub(super) fn push_silent(&mut self, command: &[u8]) {
        self.add(command, None, true);
    }

    fn add(&mut self, command: &[u8], number: Option<u64>, is_silent: bool) {
        let mut line = Line {
            text: [0; MAX_COMMAND],
            len: command.len().min(MAX_COMMAND),
            number,
            is_silent,
        };
        for (place, byte) in line.text.iter_mut().zip(command) {
            *place = *byte;
        }
        self.lines.push_back(line);
    }

    /// The command whose turn it is.
    pub(super) fn front(&self) -> Option<Line> {
        self.lines.front().copied()
    }

    /// The command whose turn it was is done.
    pub(super) fn pop(&mut self) {
        self.lines.pop_front();
    }

    pub(super) fn clear(&mut self) {
        self.lines.clear();
    }
}
