//! The chain: every step from a line of the file to a line on the wire, in order.

use core::fmt;

use feedhold_gcode_parse::{Line, LineReader, checksum};

use super::{
    BlockDelete, ChainConfig, LineNumbers, Note, NoteKind, Notes, Pack, Refusal, RefusalCode,
    Refusals, classify, codes,
    decode::{self, Opening},
    fit,
    lossless::Known,
    pack::{write_off, write_spaces},
    refusal::excerpt,
    skip,
    strip::{self, Stripped},
    way::Way,
    words::{self, Fault, Item, Kind},
};
use crate::{
    chunk::{Buffers, Class, Draft, Modes, Prepared, RawChunk},
    dialect::Dialect,
};

/// Prepares chunks for the wire.
///
/// A chain holds choices and no state: it can prepare several chunks at once, in any order, from any thread, and
/// gives the same result each time. It allocates per chunk, never per line.
///
/// ```
/// use feedhold_stream_core::{dialect::Dialect, wire::{Chain, ChainConfig}};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chain = Chain::new(ChainConfig::new(Dialect::Grbl));
/// let program = chain.program("G21 (mm)\n\nG1 X10 Y-2.5 F300 ; cut\n")?;
/// let lines: Vec<String> = program.lines().map(|line| line.to_string()).collect();
/// assert_eq!(lines, ["1: G21 (modal)", "3: G1X10Y-2.5F300 (motion)"]);
///
/// let refused = chain.program("G1 X1\nG64").expect_err("grbl has no G64");
/// assert_eq!(
///     refused.to_string(),
///     "line 2, column 1: G64 is not supported by grbl 1.1 (error:20); remove it or run with --skip G64"
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Chain {
    config: ChainConfig,
    /// Bytes that need a closer look: a line without any is its own text.
    special: [bool; 256],
}

/// The steps of a [`Chain`], in their order.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Refuses what is no text and control bytes; drops a byte order mark.
    Decode,
    /// Removes comments, and refuses bytes outside them that the controller would take out of the stream.
    Strip,
    /// Drops block-delete lines, or their `/`.
    BlockDelete,
    /// Verifies and removes checksums; keeps or removes line numbers.
    LineNumber,
    /// Removes words skipped by name and refuses what the dialect does not have.
    Codes,
    /// Refuses a line that is too long even without blanks.
    Fit,
    /// Takes away what says nothing.
    Pack,
    /// Says how the line may be sent.
    Classify,
}

impl Step {
    /// All steps in order.
    pub const ALL: [Self; 8] = [
        Self::Decode,
        Self::Strip,
        Self::BlockDelete,
        Self::LineNumber,
        Self::Codes,
        Self::Fit,
        Self::Pack,
        Self::Classify,
    ];

    /// A short name for users.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Strip => "strip",
            Self::BlockDelete => "block delete",
            Self::LineNumber => "line number",
            Self::Codes => "codes",
            Self::Fit => "fit",
            Self::Pack => "pack",
            Self::Classify => "classify",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is kept from line to line of one chunk.
pub(super) struct Work {
    pub(super) items: Vec<Item>,
    /// What is left of a line that had comments between its words.
    pub(super) pieces: Vec<u8>,
    pub(super) known: Known,
    /// The last motion code, for the weight of lines without one.
    pub(super) motion: u16,
    pub(super) way: Way,
    pub(super) notes: Notes,
}

impl Work {
    pub(super) fn new(dialect: Dialect, modes: Modes) -> Self {
        Self {
            items: Vec::with_capacity(16),
            pieces: Vec::new(),
            known: Known::new(dialect, modes),
            motion: 1,
            way: Way::default(),
            notes: Notes::default(),
        }
    }
}

/// A fault with the line it was found in, whose columns may still be those of the stripped text.
pub(super) struct Found {
    pub(super) column: usize,
    pub(super) code: RefusalCode,
    pub(super) excerpt: String,
}

impl Chain {
    /// A chain of these choices.
    pub fn new(config: ChainConfig) -> Self {
        let dialect = config.dialect;
        let special = core::array::from_fn(|byte| {
            u8::try_from(byte).is_ok_and(|byte| {
                decode::is_forbidden(byte) || strip::may_comment(byte) || dialect.eats(byte)
            })
        });
        Self { config, special }
    }

    /// The choices.
    pub fn config(&self) -> &ChainConfig {
        &self.config
    }

    /// Prepares a chunk.
    ///
    /// # Errors
    ///
    /// [`Refusals`] with every place of the chunk that the controller must not see. Nothing of the chunk is given
    /// then: half a chunk is not a program.
    pub fn prepare(&self, raw: &RawChunk) -> Result<Prepared, Refusals> {
        self.prepare_into(raw, Buffers::default())
    }

    /// Prepares a chunk into the buffers of an earlier one.
    ///
    /// # Errors
    ///
    /// As [`prepare`](Self::prepare); the buffers are lost then.
    pub fn prepare_into(&self, raw: &RawChunk, buffers: Buffers) -> Result<Prepared, Refusals> {
        let mut refusals = Refusals::new();
        let mut work = Work::new(self.config.dialect, raw.modes);
        let mut draft = Draft::new(raw.index, raw.first_line, raw.offset, buffers);
        let mut input = raw.bytes.as_slice();
        if raw.offset == 0 {
            let opening = decode::opening(input);
            if let Some(kind) = opening.note() {
                work.notes.push(Note {
                    line: raw.first_line,
                    kind,
                });
            }
            match opening {
                Opening::Text => {}
                Opening::Marked(bytes) => input = input.get(bytes..).unwrap_or_default(),
                Opening::Unreadable(code) => {
                    refusals.push(self.refusal(
                        1,
                        Found {
                            column: 0,
                            code,
                            excerpt: String::new(),
                        },
                    ));
                    return Err(refusals);
                }
            }
        }
        let mut reader = <LineReader>::starting_at(raw.first_line, raw.offset);
        let mut next_line = raw.first_line;
        while let Some(line) = reader.next(&mut input) {
            next_line = line.number + 1;
            self.line(&line, &mut work, &mut draft, &mut refusals);
        }
        if let Some(line) = reader.finish() {
            next_line = line.number + 1;
            self.line(&line, &mut work, &mut draft, &mut refusals);
        }
        if refusals.is_empty() {
            Ok(draft
                .finish(raw.first_line..next_line, raw.source_bytes())
                .with_notes(work.notes))
        } else {
            Err(refusals)
        }
    }

    /// Prepares a small program given as text, as one chunk numbered from line 1.
    ///
    /// # Errors
    ///
    /// As [`prepare`](Self::prepare).
    pub fn program(&self, text: &str) -> Result<Prepared, Refusals> {
        self.prepare(&RawChunk {
            first_line: 1,
            bytes: text.as_bytes().to_vec(),
            ..RawChunk::default()
        })
    }

    fn line(&self, line: &Line<'_>, work: &mut Work, draft: &mut Draft, refusals: &mut Refusals) {
        if let Some(length) = line.overlong {
            let excerpt = format!("the line is {length} bytes long");
            refusals.push(self.refusal(
                line.number,
                Found {
                    column: 0,
                    code: RefusalCode::TooLong,
                    excerpt,
                },
            ));
            return;
        }
        if let Err(found) = self.wire_line(line.text, line.number, work, draft) {
            draft.clear_open();
            refusals.push(self.refusal(line.number, found));
        }
    }

    /// Writes the wire text of one line to the open line of the draft, and closes it.
    fn wire_line(
        &self,
        raw: &[u8],
        number: u64,
        work: &mut Work,
        draft: &mut Draft,
    ) -> Result<(), Found> {
        let mut pieces = core::mem::take(&mut work.pieces);
        let outcome = self.wire_text(raw, number, &mut pieces, work, draft);
        work.pieces = pieces;
        outcome
    }

    fn wire_text(
        &self,
        raw: &[u8],
        number: u64,
        pieces: &mut Vec<u8>,
        work: &mut Work,
        draft: &mut Draft,
    ) -> Result<(), Found> {
        let text = if raw.iter().any(|&byte| self.is_special(byte)) {
            self.decode(raw)?;
            self.strip(raw, pieces)?
        } else {
            raw.trim_ascii()
        };
        if text.is_empty() {
            return Ok(());
        }
        let in_source = |fault: Fault| self.in_source(raw, text, fault);
        words::read(self.config.dialect, text, &mut work.items).map_err(in_source)?;
        if self.block_delete(&mut work.items) == Fate::Vanishes {
            return Ok(());
        }
        self.note_texts(number, text, work);
        self.line_number(text, &mut work.items).map_err(in_source)?;
        self.codes(number, work).map_err(in_source)?;
        if !has_words(&work.items) {
            return Ok(());
        }
        let class = classify::class(self.config.dialect, text, &work.items);
        self.fit(text, &work.items, draft)?;
        self.pack(text, class, work, draft);
        draft.weigh(classify::weight(&work.items, class, &mut work.motion));
        let dialect = self.config.dialect;
        let takes_block = work.way.takes_block(dialect, text, &work.items, class);
        draft.close(number, class, takes_block);
        Ok(())
    }

    fn is_special(&self, byte: u8) -> bool {
        self.special.get(usize::from(byte)).copied().unwrap_or(true)
    }

    pub(super) fn decode(&self, raw: &[u8]) -> Result<(), Found> {
        match decode::fault(raw) {
            None => Ok(()),
            Some((column, code)) => {
                let byte = raw.get(column..=column).unwrap_or_default();
                Err(Found {
                    column,
                    code,
                    excerpt: excerpt(byte),
                })
            }
        }
    }

    pub(super) fn strip<'a>(
        &self,
        raw: &'a [u8],
        pieces: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Found> {
        let dialect = self.config.dialect;
        let (text, joined) = match strip::strip(dialect, raw, pieces) {
            Stripped::Part { text, .. } => (text, None),
            Stripped::Pieces => (pieces.as_slice(), strip::joined(dialect, raw)),
        };
        let joined = joined.map(|at| (at, RefusalCode::StrayByte));
        match strip::fault(dialect, text).or(joined) {
            None => Ok(text),
            Some((at, code)) => Err(self.in_source(
                raw,
                text,
                Fault {
                    start: at,
                    end: at + 1,
                    code,
                },
            )),
        }
    }

    pub(super) fn block_delete(&self, items: &mut Vec<Item>) -> Fate {
        match items.first().map(|item| item.kind) {
            Some(Kind::BlockDelete) if self.config.block_delete == BlockDelete::Drop => {
                Fate::Vanishes
            }
            Some(Kind::BlockDelete) => {
                items.remove(0);
                Fate::Stays
            }
            _ => Fate::Stays,
        }
    }

    pub(super) fn line_number(&self, text: &[u8], items: &mut Vec<Item>) -> Result<(), Fault> {
        if let Some(star) = items.iter().position(|item| item.kind == Kind::Checksum) {
            let item = items.remove(star);
            let fault = |code| {
                Err(Fault {
                    start: item.start,
                    end: item.end,
                    code,
                })
            };
            let numbered = items
                .first()
                .is_some_and(|item| item.kind == Kind::LineNumber);
            if !numbered || star < items.len() {
                return fault(RefusalCode::StrayChecksum);
            }
            let covered = text.get(..item.start).unwrap_or_default();
            let stated = core::str::from_utf8(item.value_bytes(text))
                .ok()
                .and_then(|digits| digits.parse().ok());
            if stated != Some(checksum(covered)) {
                return fault(RefusalCode::ChecksumMismatch);
            }
        }
        if self.config.line_numbers == LineNumbers::Strip || self.config.dialect == Dialect::Marlin
        {
            items.retain(|item| item.kind != Kind::LineNumber);
        }
        Ok(())
    }

    pub(super) fn codes(&self, number: u64, work: &mut Work) -> Result<(), Fault> {
        let Work { items, notes, .. } = work;
        if items.iter().any(|item| item.kind == Kind::TapeMark) {
            notes.push(Note {
                line: number,
                kind: NoteKind::TapeMark,
            });
        }
        if !self.config.skip.is_empty() {
            skip::skip(&self.config.skip, items)?;
        }
        codes::check(
            self.config.dialect,
            items,
            &self.config.allow,
            |letter, code| {
                notes.push(Note {
                    line: number,
                    kind: NoteKind::Unlisted {
                        letter: char::from(letter),
                        code,
                    },
                });
            },
        )
    }

    /// A text that ends before its line does was cut at its asterisk.
    fn note_texts(&self, number: u64, text: &[u8], work: &mut Work) {
        let cut = work.items.last().is_some_and(|item| {
            let rest = text.get(item.end..).unwrap_or_default();
            item.kind == Kind::Verbatim && rest.iter().any(|byte| !byte.is_ascii_whitespace())
        });
        if cut {
            work.notes.push(Note {
                line: number,
                kind: NoteKind::TextCut,
            });
        }
    }

    pub(super) fn fit(&self, text: &[u8], items: &[Item], draft: &mut Draft) -> Result<(), Found> {
        write_spaces(self.config.dialect, text, items, draft.buffer());
        let stored = fit::stored(self.config.dialect, draft.open());
        let room = fit::room(&self.config);
        // A `$` line keeps its blanks on the wire.
        let passing = draft.open().len();
        let window = fit::whole(&self.config);
        let firmware = super::refusal::firmware(self.config.dialect);
        let excerpt = match (stored <= room, passing <= window) {
            (true, true) => return Ok(()),
            (true, false) => format!(
                "the line needs {passing} bytes with its blanks where the receive buffer of {firmware} takes {window}"
            ),
            (false, _) => format!(
                "the line needs {stored} bytes without its blanks where {firmware} takes {room}"
            ),
        };
        Err(Found {
            column: 0,
            code: RefusalCode::TooLong,
            excerpt,
        })
    }

    /// Replaces the spaces-packed open line by one packed as configured.
    pub(super) fn pack(&self, text: &[u8], class: Class, work: &mut Work, draft: &mut Draft) {
        match self.config.pack {
            Pack::Spaces => {}
            Pack::Off => {
                let packed = draft.open().len();
                write_off(self.config.dialect, text, &work.items, draft.buffer());
                let both = draft.open().len();
                let fits = both - packed <= fit::whole(&self.config);
                draft.keep_open(if fits { packed..both } else { 0..packed });
            }
            Pack::Lossless => {
                draft.clear_open();
                work.known.write(text, &work.items, class, draft.buffer());
            }
        }
    }

    pub(super) fn in_source(&self, raw: &[u8], text: &[u8], fault: Fault) -> Found {
        Found {
            column: strip::source_index(self.config.dialect, raw, fault.start),
            code: fault.code,
            excerpt: excerpt(text.get(fault.start..fault.end).unwrap_or_default()),
        }
    }

    pub(super) fn refusal(&self, line: u64, found: Found) -> Refusal {
        let Found {
            column,
            code,
            excerpt,
        } = found;
        Refusal {
            line,
            column: column + 1,
            code,
            excerpt,
            dialect: self.config.dialect,
        }
    }
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    Vanishes,
}

/// Something is left that the controller should see. A line number alone says nothing.
pub(super) fn has_words(items: &[Item]) -> bool {
    items.iter().any(|item| {
        !matches!(
            item.kind,
            Kind::LineNumber | Kind::TapeMark | Kind::BlockDelete
        )
    })
}

#[cfg(test)]
mod tests;
