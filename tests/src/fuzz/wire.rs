//! From lines of a file to lines on the wire: the chain, for any text and any choices.

use feedhold_stream_core::{
    chunk::{ChunkSizer, CutError, Cutter, Prepared, RawChunk},
    dialect::Dialect,
    wire::{
        BlockDelete, Chain, ChainConfig, LineNumbers, Outcome, Pack, Proof, Refusals, Step,
        WordName,
    },
};

use super::{Input, assert_shown, pieces};

pub(super) fn judge(data: &[u8]) {
    let mut input = Input::new(data);
    let choices = Choices::read(&mut input);
    let cuts = input.byte();
    let lines_a_chunk = 1 + usize::from(input.byte() % 8);
    let source = input.rest();
    let Ok(chunks) = cut(choices.dialect, &[source]) else {
        let again = cut(choices.dialect, &pieces(source, cuts)).err();
        assert!(again.is_some(), "another cut, and the line is not too long");
        return;
    };
    let split = cut(choices.dialect, &pieces(source, cuts)).expect("a file that can be cut");
    assert_eq!(
        format!("{chunks:?}"),
        format!("{split:?}"),
        "another cut, other chunks"
    );
    choices.laws(&chunks);
    choices.laws(&small_chunks(source, lines_a_chunk));
    choices.trace_laws(source);
}

/// Everything that a chain can be told.
#[derive(Debug)]
struct Choices {
    dialect: Dialect,
    config: ChainConfig,
    max_line: usize,
    rx_bytes: usize,
    /// Nothing is left out of the program on purpose.
    complete: bool,
}

impl Choices {
    fn read(input: &mut Input<'_>) -> Self {
        let flags = input.byte();
        let dialect = if flags & 1 == 0 {
            Dialect::Grbl
        } else {
            Dialect::Marlin
        };
        let pack = input.pick(&[Pack::Lossless, Pack::Spaces, Pack::Off]);
        let block_delete = if flags & 2 == 0 {
            BlockDelete::Send
        } else {
            BlockDelete::Drop
        };
        let line_numbers = if flags & 4 == 0 {
            LineNumbers::Strip
        } else {
            LineNumbers::Keep
        };
        let words = |names: &[&str]| -> Vec<WordName> {
            names.iter().filter_map(|name| name.parse().ok()).collect()
        };
        let skip = if flags & 8 == 0 {
            vec![]
        } else {
            words(&["G64", "H", "M7", "T", "G61.1", "M6"])
        };
        let allow = if flags & 16 == 0 {
            vec![]
        } else {
            words(&["M7", "G64", "H", "M112", "E", "G5"])
        };
        let (max_line, rx_bytes) = if flags & 32 == 0 {
            (dialect.max_line(), dialect.default_rx())
        } else {
            (
                16 + usize::from(input.byte()),
                16 + usize::from(input.word() % 1024),
            )
        };
        let complete = skip.is_empty() && block_delete == BlockDelete::Send;
        let config = ChainConfig::new(dialect)
            .with_pack(pack)
            .with_block_delete(block_delete)
            .with_line_numbers(line_numbers)
            .with_skip(skip)
            .with_allowed(allow)
            .with_max_line(max_line)
            .and_then(|config| config.with_rx(rx_bytes))
            .expect("at least 16 bytes");
        Self {
            dialect,
            config,
            max_line,
            rx_bytes,
            complete,
        }
    }

    /// What holds for the chunks of one file.
    fn laws(&self, chunks: &[RawChunk]) {
        let chain = Chain::new(self.config.clone());
        let mut proof = Proof::new(&self.config);
        let mut proved = true;
        for raw in chunks {
            match chain.prepare(raw) {
                Ok(prepared) => {
                    self.wire_laws(raw, &prepared);
                    // A program of which some lines were refused is not sent, so nothing has to be proved behind them.
                    if proved {
                        let proof = proof.check(raw, &prepared);
                        assert_eq!(
                            proof,
                            Ok(()),
                            "{:?} as {:?}",
                            raw.bytes.escape_ascii().to_string(),
                            texts(&prepared)
                        );
                    }
                    self.again_is_the_same(&prepared);
                }
                Err(refusals) => {
                    proved = false;
                    refusal_laws(raw, &refusals);
                }
            }
        }
    }

    fn wire_laws(&self, raw: &RawChunk, prepared: &Prepared) {
        assert_eq!(prepared.source_lines(), raw.source_lines());
        let mut last = 0;
        for line in prepared.lines() {
            let shown = line.text.escape_ascii();
            assert!(
                raw.source_lines().contains(&line.source_line) && line.source_line > last,
                "line {last}, then {line:?}"
            );
            last = line.source_line;
            assert!(
                !line.text.trim_ascii().is_empty(),
                "an empty line on the wire"
            );
            let harmless = |byte: &u8| {
                (*byte >= b' ' || *byte == b'\t') && *byte != 0x7F && !self.dialect.eats(*byte)
            };
            assert!(line.text.iter().all(harmless), "a byte that acts: {shown}");
            let window = self.dialect.window_bytes(self.rx_bytes);
            let (stored, passing) = match self.dialect {
                Dialect::Marlin => {
                    let framed =
                        line.text.len() + line.source_line.to_string().len() + "N*255".len();
                    (framed, framed + 1)
                }
                _ => {
                    let stored = line
                        .text
                        .iter()
                        .filter(|byte| !byte.is_ascii_whitespace())
                        .count();
                    (stored, line.text.len() + 1)
                }
            };
            assert!(
                stored <= self.max_line && passing <= window,
                "{stored} and {passing} bytes: {shown}"
            );
            let begins_comment = |byte: &u8| match byte {
                b'(' => self.dialect == Dialect::Grbl,
                byte => *byte == b';',
            };
            assert!(
                !line.text.iter().any(begins_comment),
                "a comment on the wire: {shown}"
            );
        }
    }

    /// The wire's text is a program that is sent as it stands.
    fn again_is_the_same(&self, prepared: &Prepared) {
        if !self.complete || self.config.pack() != Pack::Spaces {
            return;
        }
        let chain = Chain::new(self.config.clone());
        let mut text = Vec::new();
        for line in prepared.lines() {
            text.extend_from_slice(line.text);
            text.push(b'\n');
        }
        // Not the beginning of a file, of which the first bytes may mean something else.
        let raw = RawChunk {
            offset: 1,
            first_line: 1,
            lines: prepared.len() as u64,
            bytes: text,
            ..RawChunk::default()
        };
        let again = chain
            .prepare(&raw)
            .unwrap_or_else(|refusals| panic!("{refusals} in {:?}", texts(prepared)));
        assert_eq!(texts(&again), texts(prepared));
    }

    /// A trace shows what happens to a line.
    fn trace_laws(&self, source: &[u8]) {
        let line = source
            .split(|byte| matches!(byte, b'\n' | b'\r'))
            .next()
            .unwrap_or_default();
        let chain = Chain::new(self.config.clone());
        let trace = chain.trace(line);
        let raw = RawChunk {
            offset: 1,
            first_line: 1,
            lines: 1,
            bytes: line.to_vec(),
            ..RawChunk::default()
        };
        match (chain.prepare(&raw), trace.outcome) {
            (Ok(prepared), Outcome::Vanished) => assert!(prepared.is_empty()),
            (Ok(prepared), Outcome::Sent) => {
                let packed = trace
                    .steps
                    .iter()
                    .find(|at| at.step == Step::Pack)
                    .expect("a line that is sent was packed");
                assert_eq!(texts(&prepared), std::slice::from_ref(&packed.text));
            }
            (Err(refusals), Outcome::Refused(refusal)) => {
                assert_eq!(refusals.first(), Some(&refusal))
            }
            (prepared, outcome) => panic!("{prepared:?} and {outcome:?}"),
        }
    }
}

fn texts(prepared: &Prepared) -> Vec<String> {
    prepared
        .lines()
        .map(|line| line.text.escape_ascii().to_string())
        .collect()
}

fn refusal_laws(raw: &RawChunk, refusals: &Refusals) {
    assert!(!refusals.is_empty() && refusals.total() >= refusals.iter().len() as u64);
    let sum: u64 = refusals.counts().iter().map(|(_, count)| count).sum();
    assert_eq!(sum, refusals.total());
    for refusal in refusals.iter() {
        assert!(
            raw.source_lines().contains(&refusal.line) && refusal.column >= 1,
            "{refusal:?}"
        );
        assert!(refusal.column <= raw.bytes.len() + 1, "{refusal:?}");
        assert_shown(&refusal.to_string(), 600);
    }
}

fn cut(dialect: Dialect, pieces: &[&[u8]]) -> Result<Vec<RawChunk>, CutError> {
    let mut cutter = Cutter::new(ChunkSizer::cnc(), dialect.flavor());
    let mut chunks = Vec::new();
    for piece in pieces {
        let mut input = *piece;
        while let Some(chunk) = cutter.next(&mut input)? {
            chunks.push(chunk);
        }
    }
    while let Some(chunk) = cutter.finish()? {
        chunks.push(chunk);
    }
    Ok(chunks)
}

/// The file in chunks of a few lines that know nothing of each other.
fn small_chunks(source: &[u8], lines: usize) -> Vec<RawChunk> {
    let mut chunks: Vec<RawChunk> = Vec::new();
    let mut open = RawChunk {
        first_line: 1,
        ..RawChunk::default()
    };
    let mut rest = source;
    while !rest.is_empty() {
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'))
            .unwrap_or(rest.len());
        let length = end
            + if rest[end..].starts_with(b"\r\n") {
                2
            } else {
                usize::from(end < rest.len())
            };
        open.bytes.extend_from_slice(&rest[..length]);
        open.lines += 1;
        rest = &rest[length..];
        if open.lines == lines as u64 || rest.is_empty() {
            let next = RawChunk {
                index: open.index + 1,
                offset: open.source_bytes().end,
                first_line: open.source_lines().end,
                ..RawChunk::default()
            };
            chunks.push(std::mem::replace(&mut open, next));
        }
    }
    chunks
}
