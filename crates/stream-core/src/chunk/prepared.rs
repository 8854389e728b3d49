//! Lines that are ready for the wire: what the chain hands to the streamer.

use core::{fmt, ops::Range};

use crate::{
    budget::Permit,
    wire::{LooseWay, Notes},
};

/// The lines of one chunk as they will stand on the wire.
///
/// All text lies in one buffer and every line costs one small entry, so a chunk of thousands of lines is two
/// allocations. When the streamer is done with a chunk, [`recycle`](Self::recycle) gives both buffers back for
/// the next one.
#[derive(Debug, Default)]
pub struct Prepared {
    index: u64,
    source_lines: Range<u64>,
    source_bytes: Range<u64>,
    text: Vec<u8>,
    entries: Vec<Entry>,
    weight: Weight,
    notes: Notes,
    permit: Option<Permit>,
}

/// One line: where its text starts in the buffer and which line of the file it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    start: u32,
    /// Source line, counted from the first line of the chunk.
    line: u32,
    class: Class,
    takes_block: bool,
}

/// One line as the streamer sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireLine<'a> {
    /// The bytes to send, without terminator, never empty.
    pub text: &'a [u8],
    /// The line of the file it came from, from 1.
    pub source_line: u64,
    /// How it may be sent.
    pub class: Class,
    /// It certainly makes a motor step, so that the planner gives it a block: as far as the lines before it in its chunk tell.
    pub takes_block: bool,
}

/// How a line may be sent. Ordered from harmless to strict.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Changes state only and takes no planner block: answered as soon as it is read.
    Modal,
    /// Takes at least one planner block: answered when there is room for it.
    Motion,
    /// Answered only after the planner has drained (spindle, coolant, tool number). May be pipelined.
    Sync,
    /// Homing, probing, dwell, heat-up: the answer may take arbitrarily long, so a missing `ok` alone proves
    /// nothing.
    Patient,
    /// Writes settings or EEPROM: everything before it must be answered, and nothing may follow it until its own
    /// answer came, because the controller is deaf while it writes.
    Exclusive,
    /// Acts when execution *reaches* it, never when it is sent.
    Stop(Stop),
}

/// What a program asks for when execution reaches such a line.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stop {
    /// `M0`: wait for the operator.
    Pause,
    /// `M1`: wait for the operator if the optional stop is on.
    OptionalPause,
    /// `M2`: the program ends.
    End,
    /// `M30`: the program ends and rewinds.
    EndRewind,
    /// `M6`: change the tool.
    ToolChange,
    /// `M600`: change the filament.
    FilamentChange,
}

/// The two buffers of a finished [`Prepared`], emptied, with their capacity kept.
#[derive(Debug, Default)]
pub struct Buffers {
    text: Vec<u8>,
    entries: Vec<Entry>,
}

/// Work in a chunk, by the words of its source.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Weight {
    /// Lines that move the machine.
    pub(crate) motions: u64,
    /// Sum of the complexity of all lines, in tenths.
    pub(crate) tenths: u64,
}

impl Prepared {
    /// A chunk made of ready lines, numbered upwards from `first_line`: macros, start-up lines, tests.
    ///
    /// Nothing is vetted here: [`Chain::program`](crate::wire::Chain::program) is the way for text of any other
    /// origin. Empty lines are left out but keep their number.
    pub fn from_lines<'a>(
        first_line: u64,
        lines: impl IntoIterator<Item = (&'a str, Class)>,
    ) -> Self {
        let mut draft = Draft::new(0, first_line, 0, Buffers::default());
        let (mut count, mut bytes) = (0_u64, 0_u64);
        let mut way = LooseWay::default();
        for (text, class) in lines {
            draft.buffer().extend_from_slice(text.as_bytes());
            draft.weigh(Weight {
                motions: u64::from(class == Class::Motion),
                tenths: 0,
            });
            let takes_block = way.takes_block(text.as_bytes(), class);
            draft.close(first_line.saturating_add(count), class, takes_block);
            count += 1;
            bytes += text.len() as u64 + 1;
        }
        draft.finish(first_line..first_line.saturating_add(count), 0..bytes)
    }

    /// The same lines as chunk number `index`.
    #[must_use]
    pub fn with_index(mut self, index: u64) -> Self {
        self.index = index;
        self
    }

    /// The same lines, holding `permit` until they are dropped or recycled.
    #[must_use]
    pub fn with_permit(mut self, permit: Permit) -> Self {
        self.permit = Some(permit);
        self
    }

    pub(crate) fn with_notes(mut self, notes: Notes) -> Self {
        self.notes = notes;
        self
    }

    /// What the chain noted on the way, nothing of which stops the program.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Number of the chunk, from 0 in file order.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// First line of the file in this chunk, up to the line after its last one.
    pub fn source_lines(&self) -> Range<u64> {
        self.source_lines.clone()
    }

    /// Bytes of the file that this chunk covers.
    pub fn source_bytes(&self) -> Range<u64> {
        self.source_bytes.clone()
    }

    /// Lines on the wire; fewer than source lines when comments and blank lines vanished.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// No line goes to the wire.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Line `i` on the wire.
    ///
    /// # Panics
    ///
    /// When `i` is not less than [`len`](Self::len), like indexing a slice.
    pub fn line(&self, i: usize) -> WireLine<'_> {
        match self.get(i) {
            Some(line) => line,
            None => panic!("line {i} of a chunk of {} lines", self.len()),
        }
    }

    /// Line `i` on the wire, if there is one.
    pub fn get(&self, i: usize) -> Option<WireLine<'_>> {
        let entry = self.entries.get(i)?;
        let end = self
            .entries
            .get(i + 1)
            .map_or(self.text.len(), |next| next.start as usize);
        Some(WireLine {
            text: self.text.get(entry.start as usize..end)?,
            source_line: self.source_lines.start + u64::from(entry.line),
            class: entry.class,
            takes_block: entry.takes_block,
        })
    }

    /// All lines in order.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = WireLine<'_>> {
        (0..self.len()).map(|i| self.line(i))
    }

    /// Bytes on the wire with one terminator a line.
    pub fn wire_bytes(&self) -> u64 {
        (self.text.len() + self.entries.len()) as u64
    }

    /// Work a line, rounded to one decimal: the sum over its lines (G0 0.5, G1 1, G2 and G3 3, a tool word or M6
    /// 5, G54 to G59 2) divided by the number of source lines.
    pub fn complexity(&self) -> f64 {
        let lines = self
            .source_lines
            .end
            .saturating_sub(self.source_lines.start)
            .max(1);
        (self.weight.tenths as f64 / lines as f64).round() / 10.0
    }

    /// The undivided sum of [`complexity`](Self::complexity).
    pub fn total_complexity(&self) -> f64 {
        self.weight.tenths as f64 / 10.0
    }

    /// Lines that move the machine.
    pub fn motions(&self) -> u64 {
        self.weight.motions
    }

    /// Bytes of memory that the chunk holds, its unused capacity included.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.text.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// Ends the chunk and keeps its buffers for the next one. A permit is given back.
    pub fn recycle(self) -> Buffers {
        let (mut text, mut entries) = (self.text, self.entries);
        text.clear();
        entries.clear();
        Buffers { text, entries }
    }
}

impl fmt::Display for WireLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} ({})",
            self.source_line,
            self.text.escape_ascii(),
            self.class
        )
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Modal => f.write_str("modal"),
            Self::Motion => f.write_str("motion"),
            Self::Sync => f.write_str("sync"),
            Self::Patient => f.write_str("patient"),
            Self::Exclusive => f.write_str("exclusive"),
            Self::Stop(stop) => write!(f, "stop: {stop}"),
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pause => "pause (M0)",
            Self::OptionalPause => "optional pause (M1)",
            Self::End => "end (M2)",
            Self::EndRewind => "end and rewind (M30)",
            Self::ToolChange => "tool change (M6)",
            Self::FilamentChange => "filament change (M600)",
        })
    }
}

/// A [`Prepared`] while its lines are being written.
#[derive(Debug)]
pub(crate) struct Draft {
    chunk: Prepared,
    /// Where the open line starts.
    open: usize,
}

impl Draft {
    pub(crate) fn new(index: u64, first_line: u64, offset: u64, buffers: Buffers) -> Self {
        let Buffers { text, entries } = buffers;
        let chunk = Prepared {
            index,
            source_lines: first_line..first_line,
            source_bytes: offset..offset,
            text,
            entries,
            ..Prepared::default()
        };
        Self { chunk, open: 0 }
    }

    /// Where the text of the open line goes.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.chunk.text
    }

    /// The open line as written so far.
    pub(crate) fn open(&self) -> &[u8] {
        self.chunk.text.get(self.open..).unwrap_or_default()
    }

    /// Takes back what was written of the open line.
    pub(crate) fn clear_open(&mut self) {
        self.chunk.text.truncate(self.open);
    }

    /// Keeps only these bytes of the open line.
    pub(crate) fn keep_open(&mut self, range: Range<usize>) {
        self.chunk.text.truncate(self.open + range.end);
        let kept = self.open + range.start;
        self.chunk
            .text
            .drain(self.open..kept.min(self.chunk.text.len()));
    }

    pub(crate) fn weigh(&mut self, weight: Weight) {
        self.chunk.weight.motions += weight.motions;
        self.chunk.weight.tenths += weight.tenths;
    }

    /// Ends the open line; an empty one leaves no entry.
    pub(crate) fn close(&mut self, source_line: u64, class: Class, takes_block: bool) {
        let place = (
            u32::try_from(self.open),
            u32::try_from(source_line.saturating_sub(self.chunk.source_lines.start)),
        );
        match place {
            (Ok(start), Ok(line)) if self.open < self.chunk.text.len() => {
                self.chunk.entries.push(Entry {
                    start,
                    line,
                    class,
                    takes_block,
                });
                self.open = self.chunk.text.len();
            }
            _ => self.clear_open(),
        }
    }

    pub(crate) fn finish(mut self, source_lines: Range<u64>, source_bytes: Range<u64>) -> Prepared {
        self.clear_open();
        self.chunk.source_lines = source_lines;
        self.chunk.source_bytes = source_bytes;
        self.chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Prepared {
        Prepared::from_lines(
            7,
            [
                ("G0X1", Class::Motion),
                ("", Class::Modal),
                ("M0", Class::Stop(Stop::Pause)),
            ],
        )
    }

    #[test]
    fn lines_keep_their_source_numbers_and_never_are_empty() {
        let chunk = sample().with_index(3);
        let seen: Vec<_> = chunk.lines().map(|line| line.to_string()).collect();
        assert_eq!(seen, ["7: G0X1 (motion)", "9: M0 (stop: pause (M0))"]);
        assert_eq!(
            (chunk.index(), chunk.source_lines(), chunk.len()),
            (3, 7..10, 2)
        );
        assert_eq!(chunk.wire_bytes(), 8);
        assert_eq!(chunk.motions(), 1);
        assert!(chunk.get(2).is_none());
    }

    #[test]
    fn an_empty_program_has_no_lines() {
        let chunk = Prepared::from_lines(1, []);
        assert!(chunk.is_empty());
        assert_eq!(chunk.lines().len(), 0);
        assert_eq!(chunk.complexity(), 0.0);
    }

    #[test]
    fn recycled_buffers_keep_their_capacity() {
        let chunk = sample();
        let held = chunk.memory();
        let draft = Draft::new(1, 1, 0, chunk.recycle());
        let next = draft.finish(1..1, 0..0);
        assert!(next.is_empty());
        assert_eq!(next.memory(), held);
    }

    #[test]
    fn a_line_entry_stays_small() {
        assert!(size_of::<Entry>() <= 12);
    }
}
