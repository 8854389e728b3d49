//! Proves that packed lines say what their source says.

use core::fmt;

use feedhold_gcode_parse::{Block, Effect, Flavor, Interpreter, LineReader, Motion};

use super::{BlockDelete, Chain, ChainConfig, Pack, refusal::excerpt};
use crate::chunk::{Continuity, Gap, Prepared, RawChunk, WireLine};

/// Interprets the lines of the file and the lines for the wire side by side, in order.
///
/// After every line both must have moved the machine by the same motion and left it in the same modal state and
/// position, to the last bit; at the end of every chunk all offsets must agree as well. A chunk that passes may be
/// sent. The proof trusts nothing of the chain: it reads both texts with the interpreter of `feedhold-gcode-parse`.
///
/// ```
/// use feedhold_gcode_parse::Flavor;
/// use feedhold_stream_core::{
///     chunk::{Class, Prepared, RawChunk},
///     dialect::Dialect,
///     wire::{Chain, ChainConfig, Pack, Proof},
/// };
///
/// let config = ChainConfig::new(Dialect::Grbl).with_pack(Pack::Lossless);
/// let bytes = b"G90\nG1 X1.50 F100\nG1 X2.0\n".to_vec();
/// let raw = RawChunk { first_line: 1, bytes, ..RawChunk::default() };
/// let packed = Chain::new(config.clone()).prepare(&raw).expect("grbl takes it");
/// assert_eq!(Proof::new(&config).check(&raw, &packed), Ok(()));
///
/// let wrong = [("G90", Class::Modal), ("G1X1.5F100", Class::Motion), ("X20", Class::Motion)];
/// let found = Proof::new(&config).check(&raw, &Prepared::from_lines(1, wrong));
/// assert_eq!(found.expect_err("2 is not 20").line, 3);
/// ```
#[derive(Debug)]
pub struct Proof {
    flavor: Flavor,
    source: Interpreter,
    wire: Interpreter,
    continuity: Continuity,
    /// Prepares the source without packing, where lines or words are left out by choice.
    plain: Option<Chain>,
}

/// Where a packed program and its source part. Nothing of that chunk may be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line}: packed as \"{wire}\" it has another {difference} than as \"{source_text}\"; nothing of it was sent; \
     run with --pack spaces and report this"
)]
pub struct NotEqual {
    /// The line of the file.
    pub line: u64,
    /// What differs.
    pub difference: Difference,
    /// The line in the file.
    pub source_text: String,
    /// The line on the wire; empty when there is none.
    pub wire: String,
}

/// What two readings of a line differ in.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The motion.
    Motion,
    /// The dwell, stop or tool change.
    Effect,
    /// The modal state.
    State,
    /// The position.
    Position,
    /// An offset or stored position.
    Offsets,
    /// An error of programming that the source does not have.
    Error,
    /// Line numbers or chunks are out of order.
    Order,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Motion => "motion",
            Self::Effect => "dwell, stop or tool",
            Self::State => "modal state",
            Self::Position => "position",
            Self::Offsets => "offset",
            Self::Error => "error of programming",
            Self::Order => "place in the order of lines",
        })
    }
}

impl Proof {
    /// A proof of a program from its first line, on a machine after power-up.
    pub fn new(config: &ChainConfig) -> Self {
        Self::starting_from(config, Interpreter::new(config.dialect.flavor()))
    }

    /// A proof from the state that the machine is in when the first chunk begins.
    pub fn starting_from(config: &ChainConfig, machine: Interpreter) -> Self {
        let chooses = !config.skip.is_empty() || config.block_delete == BlockDelete::Drop;
        let plain = chooses.then(|| Chain::new(config.clone().with_pack(Pack::Off)));
        Self {
            flavor: machine.flavor(),
            source: machine.clone(),
            wire: machine,
            continuity: Continuity::new(),
            plain,
        }
    }

    /// Proves the next chunk.
    ///
    /// # Errors
    ///
    /// [`NotEqual`] at the first line that differs. Then the program must not go on: later chunks prove nothing.
    pub fn check(&mut self, raw: &RawChunk, packed: &Prepared) -> Result<(), NotEqual> {
        self.continuity
            .check(raw)
            .map_err(|gap| out_of_order(&gap))?;
        let mut wire = WireLines { packed, next: 0 };
        match self.plain.as_ref().map(|chain| chain.prepare(raw)) {
            Some(Ok(plain)) => {
                for line in plain.lines() {
                    self.line(line.source_line, line.text, &mut wire)?;
                }
            }
            Some(Err(_)) | None => self.raw_lines(raw, &mut wire)?,
        }
        if let Some(extra) = wire.peek() {
            return Err(not_equal(
                extra.source_line,
                Difference::Order,
                b"",
                Some(extra),
            ));
        }
        if !self.source.same_bits(&self.wire) {
            let last = raw.source_lines().end.saturating_sub(1);
            return Err(not_equal(last, Difference::Offsets, b"", None));
        }
        Ok(())
    }

    fn raw_lines(&mut self, raw: &RawChunk, wire: &mut WireLines<'_>) -> Result<(), NotEqual> {
        let mut reader = <LineReader>::starting_at(raw.first_line, raw.offset);
        let mut input = raw.bytes.as_slice();
        while let Some(line) = reader.next(&mut input) {
            self.line(line.number, line.text, wire)?;
        }
        match reader.finish() {
            Some(line) => self.line(line.number, line.text, wire),
            None => Ok(()),
        }
    }

    fn line(&mut self, number: u64, text: &[u8], wire: &mut WireLines<'_>) -> Result<(), NotEqual> {
        let sent = wire.take(number)?;
        if sent.is_some_and(|sent| sent.text == text) && self.source.same_bits(&self.wire) {
            let block = Block::parse(self.flavor, text);
            self.source.apply(&block);
            self.wire.clone_from(&self.source);
            return Ok(());
        }
        let source = Block::parse(self.flavor, text);
        let said = self.source.apply(&source);
        let done = match sent {
            Some(sent) => self.wire.apply(&Block::parse(self.flavor, sent.text)),
            None => self.wire.apply(&Block::parse(self.flavor, b"")),
        };
        let difference = self
            .difference(&said, &done)
            .or_else(|| has_new_error(&source, &said, &done).then_some(Difference::Error));
        match difference {
            Some(difference) => Err(not_equal(number, difference, text, sent)),
            None => Ok(()),
        }
    }

    fn difference(&self, said: &Effect, done: &Effect) -> Option<Difference> {
        let effect = |effect: &Effect| {
            (
                effect.dwell_s.map(f64::to_bits),
                effect.stop,
                effect.tool_change,
            )
        };
        if !same_motion(said.motion.as_ref(), done.motion.as_ref()) {
            Some(Difference::Motion)
        } else if effect(said) != effect(done) {
            Some(Difference::Effect)
        } else if !self.source.state().same_bits(self.wire.state()) {
            Some(Difference::State)
        } else if !self.source.position().same_bits(self.wire.position()) {
            Some(Difference::Position)
        } else {
            None
        }
    }
}

/// The wire line has an error that the source line has not, such as a missing F under G93. Of a source with more errors than are
/// kept nobody can tell.
fn has_new_error(source: &Block<'_>, said: &Effect, done: &Effect) -> bool {
    let (known, new) = (said.findings.as_slice(), done.findings.as_slice());
    let all_known =
        source.faults().len() == source.fault_count() && known.len() == said.findings.count();
    all_known
        && new
            .iter()
            .any(|new| !known.iter().any(|known| known.reason == new.reason))
}

fn same_motion(a: Option<&Motion>, b: Option<&Motion>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            a.kind == b.kind
                && a.feed_mode == b.feed_mode
                && a.from.same_bits(&b.from)
                && a.to.same_bits(&b.to)
                && a.feed_mm_per_min.to_bits() == b.feed_mm_per_min.to_bits()
        }
        (None, None) => true,
        _ => false,
    }
}

/// The wire lines of a chunk, taken in order.
struct WireLines<'a> {
    packed: &'a Prepared,
    next: usize,
}

impl<'a> WireLines<'a> {
    fn peek(&self) -> Option<WireLine<'a>> {
        self.packed.get(self.next)
    }

    /// The wire line of source line `number`, if one was sent.
    fn take(&mut self, number: u64) -> Result<Option<WireLine<'a>>, NotEqual> {
        match self.peek() {
            Some(line) if line.source_line == number => {
                self.next += 1;
                Ok(Some(line))
            }
            Some(line) if line.source_line < number => Err(not_equal(
                line.source_line,
                Difference::Order,
                b"",
                Some(line),
            )),
            _ => Ok(None),
        }
    }
}

fn not_equal(
    line: u64,
    difference: Difference,
    source: &[u8],
    wire: Option<WireLine<'_>>,
) -> NotEqual {
    NotEqual {
        line,
        difference,
        source_text: excerpt(source),
        wire: wire.map(|line| excerpt(line.text)).unwrap_or_default(),
    }
}

fn out_of_order(gap: &Gap) -> NotEqual {
    not_equal(gap.found_line, Difference::Order, b"", None)
}

#[cfg(test)]
mod tests;
