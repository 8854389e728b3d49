//! Lines that were sent and not answered yet, and the numbered ones that may be asked for again.

use core::time::Duration;
use std::collections::VecDeque;

use super::{event::CommandId, program::Cursor};
use crate::{chunk::Class, window::Window};

/// Numbered lines kept behind the oldest unanswered one, so that a late resend request can be served. Marlin looks back by its
/// four command slots; lost answers can hide a few more.
const HISTORY: usize = 32;

/// Whose line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A line of the program, with its source line number.
    Program { cursor: Cursor, source_line: u64 },
    /// A line the driver asked for.
    Command(CommandId),
    /// A question of our own.
    Query(Query),
    /// Its job was given up. The controller answers it all the same.
    Nobody,
}

/// A line number that no program reaches, and that Marlin's 32 bits hold: it answers which one it took last.
const NO_NUMBER: u64 = 2_000_000_000;

/// Questions the streamer asks on its own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Query {
    /// Who are you? Perhaps behind the rest of somebody else's line.
    IdentifyFirst,
    /// Who are you?
    Identify,
    /// Lines are counted on from this number.
    CountFrom(u64),
    /// Answered once every motion before it has finished.
    Barrier,
    /// Was the barrier really answered? Numbered like a line of the program, so that a line lost before it shows, and answered in
    /// a way that no doubled `ok` can imitate.
    Confirm,
    /// The same in the midst of a program: was everything before it taken?
    Count,
    /// What is in force?
    Words,
    /// Which offsets are set?
    Offsets,
    /// Which settings are set?
    Settings,
    /// Has everything finished? Asked while nobody knows the number of the next line.
    Finish,
    /// Which line was the last? Asked with a number that cannot be right.
    LastLine,
    /// Where does the planner end?
    Position,
    /// Where do the motors stand?
    RealPosition,
    /// How warm is it?
    Temperatures,
    /// Are you still there? Answered by a line that cannot be mistaken for another's `ok`.
    Probe,
}

impl Query {
    /// The number that it is sent with, where that is not the next one.
    pub(super) fn number(self) -> Option<u64> {
        match self {
            Self::CountFrom(number) => Some(number),
            Self::LastLine => Some(NO_NUMBER),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct InFlight {
    pub(super) origin: Origin,
    pub(super) class: Class,
    pub(super) length: usize,
    pub(super) number: Option<u64>,
    pub(super) sent_at: Duration,
    /// Lines sent up to it, as [`Executed`](super::executed::Executed) counts them.
    pub(super) mark: u64,
    /// Its answer tells temperatures.
    pub(super) asks_temperatures: bool,
}

/// The queue of unanswered lines together with the credit they hold: one cannot change without the other.
#[derive(Debug)]
pub(super) struct Flight {
    window: Window,
    lines: VecDeque<InFlight>,
}

impl Flight {
    pub(super) fn new(window: Window) -> Self {
        Self {
            window,
            lines: VecDeque::with_capacity(64),
        }
    }

    pub(super) fn window(&self) -> &Window {
        &self.window
    }

    /// Changes the window while nothing is in flight.
    pub(super) fn set_window(&mut self, window: Window) {
        debug_assert!(
            self.lines.is_empty(),
            "the window changed with lines in flight"
        );
        self.window = window;
    }

    pub(super) fn push(&mut self, line: InFlight) {
        self.window.take(line.length);
        self.lines.push_back(line);
    }

    pub(super) fn pop(&mut self) -> Option<InFlight> {
        let line = self.lines.pop_front()?;
        self.window.release(line.length);
        Some(line)
    }

    /// Takes back the youngest line when its number is `number` or beyond: the controller threw it away.
    pub(super) fn pop_discarded(&mut self, number: u64) -> Option<InFlight> {
        self.lines
            .back()
            .filter(|line| line.number.is_none_or(|n| n >= number))?;
        let line = self.lines.pop_back()?;
        self.window.release(line.length);
        Some(line)
    }

    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.window.clear();
    }

    /// Nobody waits for the answers any more. They are still counted, so that none is taken for that of a later line.
    pub(super) fn disown(&mut self) {
        for line in &mut self.lines {
            line.origin = Origin::Nobody;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn front(&self) -> Option<&InFlight> {
        self.lines.front()
    }

    /// The oldest line that is answered with temperatures.
    pub(super) fn asking(&self) -> Option<&InFlight> {
        self.lines.iter().find(|line| line.asks_temperatures)
    }

    pub(super) fn back(&self) -> Option<&InFlight> {
        self.lines.back()
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &InFlight> {
        self.lines.iter()
    }

    /// Source lines of the program in flight: first and last.
    pub(super) fn source_lines(&self) -> Option<(u64, u64)> {
        let line = |flight: &InFlight| match flight.origin {
            Origin::Program { source_line, .. } => Some(source_line),
            _ => None,
        };
        Some((
            self.iter().find_map(line)?,
            self.iter().rev().find_map(line)?,
        ))
    }
}

/// A numbered line as it was sent.
#[derive(Debug, Clone)]
pub(super) struct Numbered {
    pub(super) number: u64,
    pub(super) origin: Origin,
    pub(super) class: Class,
    /// As in [`InFlight`].
    pub(super) mark: u64,
    /// As in [`InFlight`].
    pub(super) asks_temperatures: bool,
    /// The text of lines that no chunk holds.
    pub(super) text: Option<Vec<u8>>,
}

/// Numbered lines in the order of their numbers, the newest last.
#[derive(Debug, Default)]
pub(super) struct History {
    lines: VecDeque<Numbered>,
    /// Index into `lines` of the next one to send again.
    again: Option<usize>,
}

impl History {
    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.again = None;
    }

    pub(super) fn push(&mut self, line: Numbered) {
        self.lines.push_back(line);
    }

    /// Oldest and newest number kept.
    pub(super) fn range(&self) -> Option<(u64, u64)> {
        Some((self.lines.front()?.number, self.lines.back()?.number))
    }

    /// Goes back to `number`. `false` when it is not kept.
    pub(super) fn rewind(&mut self, number: u64) -> bool {
        let position = self
            .range()
            .and_then(|(oldest, _)| usize::try_from(number.checked_sub(oldest)?).ok());
        let known = position.filter(|&at| at < self.lines.len());
        self.again = known.or(self.again);
        known.is_some()
    }

    /// Whose line a number was.
    pub(super) fn origin(&self, number: u64) -> Option<Origin> {
        let oldest = self.range()?.0;
        let position = usize::try_from(number.checked_sub(oldest)?).ok()?;
        self.lines.get(position).map(|line| line.origin)
    }

    /// The next line to send again.
    pub(super) fn pending(&self) -> Option<&Numbered> {
        self.lines.get(self.again?)
    }

    /// Moves past the line just sent again.
    pub(super) fn advance(&mut self) {
        self.again = self
            .again
            .map(|at| at + 1)
            .filter(|&at| at < self.lines.len());
    }

    pub(super) fn is_resending(&self) -> bool {
        self.again.is_some()
    }

    /// Forgets lines so old that nobody can ask for them.
    pub(super) fn trim(&mut self, oldest_unanswered: Option<u64>) {
        if self.again.is_some() {
            return;
        }
        let newest = self.range().map_or(0, |(_, newest)| newest);
        let floor = oldest_unanswered
            .unwrap_or(newest + 1)
            .saturating_sub(HISTORY as u64);
        while self.lines.front().is_some_and(|line| line.number < floor) {
            self.lines.pop_front();
        }
    }

    /// The oldest line of the program that is still kept.
    pub(super) fn oldest_cursor(&self) -> Option<Cursor> {
        self.lines.iter().find_map(|line| match line.origin {
            Origin::Program { cursor, .. } => Some(cursor),
            _ => None,
        })
    }
}
