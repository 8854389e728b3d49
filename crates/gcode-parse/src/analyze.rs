//! What a program is made of, found in one pass and in a few kilobytes.

mod codes;
mod complexity;
mod encoding;
mod metadata;

use crate::block::Block;
use crate::diagnostic::{Diagnostic, Reason, Severity};
use crate::flavor::Flavor;
use crate::interpret::{Effect, Interpreter, Stop};
use crate::line::{Ending, Line, LineReader};
use crate::modal::{FeedMode, Spindle};
use crate::motion::{Motion, MotionKind};
use crate::number::Code;

pub use codes::{CodeUse, CodeUses, MAX_CODES};
pub use complexity::Complexity;
pub use encoding::{Bom, Encoding, Place, Utf16};
pub use metadata::{
    Diagnostics, Endings, LongestLine, MAX_DIAGNOSTICS, Metadata, Motions, Range, StopLine,
};

/// Reads a whole program in pieces and tells what is in it.
///
/// Memory is bounded and known: the analyzer is one value of about 16 KiB and holds no line of the program
/// once it has been read. Any cut of the input gives the same [`Metadata`].
///
/// Times are those at the programmed feed: no acceleration, no look-ahead. A real machine takes longer.
///
/// ```
/// use feedhold_gcode_parse::{Flavor, analyze::Analyzer};
///
/// let mut analyzer = Analyzer::new(Flavor::Grbl);
/// analyzer.push(b"G21 G90 (part)\nG1 X30 Y4");
/// analyzer.push(b"0 F600\nG0 X0 Y0\nM30\n");
/// let metadata = analyzer.finish();
/// assert_eq!(metadata.lines, 4);
/// assert!(metadata.has_comments);
/// assert_eq!(metadata.motions.cutting_mm, 50.0);
/// assert_eq!(metadata.motions.cutting_s, 5.0);
/// ```
#[derive(Clone, Debug)]
pub struct Analyzer {
    reader: LineReader,
    program: Program,
}

/// Everything but the reader, so that a line lent by the reader can be taken in.
#[derive(Clone, Debug)]
struct Program {
    interpreter: Interpreter,
    metadata: Metadata,
}

impl Analyzer {
    /// An analyzer at the start of a program.
    #[must_use]
    pub const fn new(flavor: Flavor) -> Self {
        Self::with_interpreter(Interpreter::new(flavor))
    }

    /// An analyzer that begins with a machine in a certain state: stored positions, offsets, Marlin's
    /// reading of axis words.
    #[must_use]
    pub const fn with_interpreter(interpreter: Interpreter) -> Self {
        Self {
            reader: LineReader::new(),
            program: Program {
                interpreter,
                metadata: Metadata::new(),
            },
        }
    }

    /// Takes the next bytes of the program.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut input = bytes;
        while let Some(line) = self.reader.next(&mut input) {
            self.program.take(&line);
        }
        self.program.metadata.bytes += bytes.len() as u64;
    }

    /// What has been found in the lines complete so far; for progress.
    #[must_use]
    pub const fn so_far(&self) -> &Metadata {
        &self.program.metadata
    }

    /// The machine after the lines complete so far.
    #[must_use]
    pub const fn machine(&self) -> &Interpreter {
        &self.program.interpreter
    }

    /// Reads the last line, if it had no terminator, and gives everything.
    #[must_use]
    pub fn finish(mut self) -> Metadata {
        if let Some(line) = self.reader.finish() {
            self.program.take(&line);
        }
        self.program.metadata
    }
}

#[cfg(feature = "std")]
impl std::io::Write for Analyzer {
    /// Takes all of `bytes`; never fails. For `std::io::copy`.
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Program {
    fn take(&mut self, line: &Line<'_>) {
        let metadata = &mut self.metadata;
        metadata.lines += 1;
        count_ending(&mut metadata.endings, line.ending);
        metadata.longest_line.consider(line);
        let text = metadata.encoding.check(line);
        if let Some(length) = line.overlong {
            metadata.overlong_lines += 1;
            metadata.diagnostics.push(Diagnostic {
                line: line.number,
                column: 1,
                reason: Reason::Overlong(length),
                severity: Severity::Error,
            });
        }
        Block::with(self.interpreter.flavor(), text, |block| {
            self.take_block(line, block)
        });
    }

    fn take_block(&mut self, line: &Line<'_>, block: &Block<'_>) {
        self.metadata.has_comments |= block.has_comment();
        self.metadata.complexity.add(block);
        if block.is_empty() {
            self.metadata.empty_lines += 1;
            return;
        }
        self.note_block(line, block);
        let effect = self.interpreter.apply(block);
        self.note_effect(line, &effect);
    }

    fn note_block(&mut self, line: &Line<'_>, block: &Block<'_>) {
        let metadata = &mut self.metadata;
        metadata.block_deletes += u64::from(block.block_delete());
        let mut sub_program = block.o_word().is_some();
        for word in block.words() {
            if matches!(word.letter, b'G' | b'M' | b'T')
                && let Some(code) = word.code()
            {
                metadata.codes.count(word.letter, code, line.number);
                let selects_system = matches!(code.major, 54..=59) && word.letter == b'G';
                metadata.coordinate_system_changes += u64::from(selects_system);
                sub_program |= word.letter == b'M'
                    && matches!(
                        code,
                        Code {
                            major: 98 | 99,
                            minor: 0
                        }
                    );
            }
        }
        metadata.has_sub_programs |= sub_program;
    }

    fn note_effect(&mut self, line: &Line<'_>, effect: &Effect) {
        let metadata = &mut self.metadata;
        metadata.tool_changes += u64::from(effect.tool_change.is_some());
        metadata.motions.dwell_s += effect.dwell_s.unwrap_or(0.0);
        if let Some(stop) = effect.stop {
            metadata.note_stop(stop, line.number);
        }
        if let Some(motion) = &effect.motion {
            note_motion(metadata, motion);
        }
        let state = self.interpreter.state();
        if state.spindle != Spindle::Off && state.spindle_speed > 0.0 {
            metadata.spindle_speed.include(state.spindle_speed);
        }
        for diagnostic in effect.findings.at_line(line.number) {
            metadata.diagnostics.push(diagnostic);
        }
        metadata
            .diagnostics
            .skip(effect.findings.count() - effect.findings.as_slice().len());
    }
}

fn note_motion(metadata: &mut Metadata, motion: &Motion) {
    let length = motion.length();
    let motions = &mut metadata.motions;
    motions.count += 1;
    motion.extend(&mut motions.bounds);
    let extrusion = motion.extrusion();
    if extrusion > 0.0 {
        motions.extruded_mm += extrusion;
    } else {
        motions.retracted_mm -= extrusion;
    }
    match motion.kind {
        MotionKind::Rapid | MotionKind::Home { .. } => {
            motions.rapids += 1;
            motions.rapid_mm += length;
            motions.rapid_s += motion.minutes().unwrap_or(0.0) * 60.0;
        }
        kind => {
            motions.arcs += u64::from(matches!(kind, MotionKind::Arc(_)));
            motions.cutting_mm += length;
            motions.cutting_s += motion.minutes().unwrap_or(0.0) * 60.0;
            motion.extend(&mut motions.cutting_bounds);
            if motion.feed_mode != FeedMode::InverseTime && motion.feed_mm_per_min > 0.0 {
                metadata.feed_mm_per_min.include(motion.feed_mm_per_min);
            }
        }
    }
}

fn count_ending(endings: &mut Endings, ending: Ending) {
    match ending {
        Ending::Lf => endings.lf += 1,
        Ending::CrLf => endings.crlf += 1,
        Ending::Cr => endings.cr += 1,
        Ending::None => endings.missing = true,
    }
}

impl Metadata {
    fn note_stop(&mut self, stop: Stop, line: u64) {
        if let Some(place) = usize::try_from(self.stops)
            .ok()
            .and_then(|at| self.stop_lines.get_mut(at))
        {
            *place = Some(StopLine { line, stop });
        }
        self.stops += 1;
    }
}
