//! Lines, tokens, numbers and blocks of any bytes in any flavor.

use feedhold_gcode_parse::{
    Block, Comment, Ending, Flavor, Line, LineReader, MAX_LINE, Number, Token, Value,
    block::MAX_WORDS, expr, tokens,
};

use super::{Input, assert_shown, pieces};

pub(super) fn judge(data: &[u8]) {
    let mut input = Input::new(data);
    let flavor = input.pick(&Flavor::ALL);
    let cuts = input.byte();
    let source = input.rest();
    let lines = lines_of::<MAX_LINE>(&[source]);
    assert_eq!(
        lines,
        lines_of::<MAX_LINE>(&pieces(source, cuts)),
        "another cut, other lines"
    );
    assert_eq!(
        lines_of::<16>(&[source]),
        lines_of::<16>(&pieces(source, cuts)),
        "another cut, other short lines"
    );
    the_source_is_its_lines(source, &lines);
    for line in &lines {
        line_laws(flavor, &line.text);
    }
}

/// A line that is kept.
#[derive(Debug, PartialEq)]
struct Kept {
    number: u64,
    offset: u64,
    text: Vec<u8>,
    ending: Ending,
    overlong: Option<u64>,
    source_len: u64,
}

impl From<Line<'_>> for Kept {
    fn from(line: Line<'_>) -> Self {
        Self {
            number: line.number,
            offset: line.offset,
            text: line.text.to_vec(),
            ending: line.ending,
            overlong: line.overlong,
            source_len: line.source_len(),
        }
    }
}

fn lines_of<const CAP: usize>(pieces: &[&[u8]]) -> Vec<Kept> {
    let mut reader = LineReader::<CAP>::new();
    let mut lines = Vec::new();
    for piece in pieces {
        let mut input = *piece;
        while let Some(line) = reader.next(&mut input) {
            assert!(
                line.text.len() <= CAP,
                "{} bytes of a line were kept",
                line.text.len()
            );
            lines.push(line.into());
        }
        assert!(input.is_empty(), "bytes were left without a line");
    }
    lines.extend(reader.finish().map(Kept::from));
    assert!(reader.finish().is_none(), "two last lines");
    lines
}

/// Lines follow each other without a gap and hold every byte of the source.
fn the_source_is_its_lines(source: &[u8], lines: &[Kept]) {
    let mut at = 0_usize;
    for (index, line) in lines.iter().enumerate() {
        assert_eq!((line.number, line.offset), (index as u64 + 1, at as u64));
        let all = &source[at..at + usize::try_from(line.source_len).expect("part of the source")];
        let end: &[u8] = match line.ending {
            Ending::Lf => b"\n",
            Ending::CrLf => b"\r\n",
            Ending::Cr => b"\r",
            Ending::None => b"",
        };
        let text = all.strip_suffix(end).expect("the line ends as it says");
        assert!(
            !text.contains(&b'\n') && !text.contains(&b'\r'),
            "a line end inside of a line"
        );
        assert!(text.starts_with(&line.text));
        assert_eq!(
            line.overlong,
            (text.len() > MAX_LINE).then_some(text.len() as u64)
        );
        at += all.len();
    }
    assert_eq!(at, source.len(), "bytes behind the last line");
}

fn line_laws(flavor: Flavor, line: &[u8]) {
    let tokens: Vec<Token<'_>> = tokens(flavor, line).take(line.len() + 1).collect();
    assert!(tokens.len() <= line.len(), "more tokens than bytes");
    tokens_stand_in_order(line, &tokens);
    for token in &tokens {
        match token {
            Token::Word(word) => {
                assert!(word.letter.is_ascii_uppercase() || b"@^".contains(&word.letter));
                value_laws(word.value);
            }
            Token::Assignment(assignment) => value_laws(assignment.value),
            Token::LineNumber(number) | Token::Checksum(number) => number_laws(*number),
            Token::OWord(word) => {
                assert!(expr::tokens(word.arguments).count() <= word.arguments.len())
            }
            Token::Invalid(fault) => assert_shown(&fault.to_string(), 200),
            _ => {}
        }
    }
    let block = Block::parse(flavor, line);
    block_is_its_tokens(&block, &tokens);
    let lent = Block::with(flavor, line, |block| format!("{block:?}"));
    assert_eq!(lent, format!("{block:?}"));
}

/// Where a token begins and ends, as far as it says.
fn place(line: &[u8], token: &Token<'_>) -> Option<(usize, Option<usize>)> {
    let part = |text: &[u8]| {
        let start = text.as_ptr() as usize - line.as_ptr() as usize;
        (start, Some(start + text.len()))
    };
    Some(match token {
        Token::Word(word) => (word.span.start, Some(word.span.end)),
        Token::OWord(word) => (word.span.start, Some(word.span.end)),
        Token::Assignment(assignment) => (assignment.span.start, Some(assignment.span.end)),
        Token::Comment(comment) => (comment.span.start, Some(comment.span.end)),
        Token::LineNumber(number) | Token::Checksum(number) => part(number.text()),
        Token::Setting(text) | Token::Text(text) if !text.is_empty() => part(text),
        Token::Invalid(fault) => (fault.column - 1, None),
        _ => return None,
    })
}

fn tokens_stand_in_order(line: &[u8], tokens: &[Token<'_>]) {
    let mut behind = 0;
    let mut whole = true;
    for token in tokens {
        let Some((start, end)) = place(line, token) else {
            whole = false;
            continue;
        };
        assert!(
            behind <= start && start <= line.len(),
            "{token:?} begins at {start}, behind {behind}"
        );
        if let Some(end) = end {
            assert!(start <= end && end <= line.len(), "{token:?} ends at {end}");
            let spanned = matches!(
                token,
                Token::Word(_) | Token::OWord(_) | Token::Assignment(_) | Token::Comment(_)
            );
            assert!(!spanned || start < end, "{token:?} stands on no byte");
            let skipped = &line[behind..start];
            if whole && spanned {
                assert!(
                    skipped.iter().all(|byte| matches!(byte, b' ' | b'\t')),
                    "{skipped:?} belongs to no token"
                );
            }
            behind = end;
        }
        whole = matches!(token, Token::Word(_) | Token::Comment(_));
    }
}

fn block_is_its_tokens(block: &Block<'_>, tokens: &[Token<'_>]) {
    let words: Vec<_> = tokens
        .iter()
        .filter_map(|token| match token {
            Token::Word(word) => Some(*word),
            _ => None,
        })
        .collect();
    assert_eq!(block.words(), &words[..words.len().min(MAX_WORDS)]);
    let comments: Vec<Comment<'_>> = tokens
        .iter()
        .filter_map(|token| match token {
            Token::Comment(comment) => Some(*comment),
            _ => None,
        })
        .collect();
    assert_eq!(block.comments().collect::<Vec<_>>(), comments);
    let faults = tokens
        .iter()
        .filter(|token| matches!(token, Token::Invalid(_)))
        .count();
    assert!(block.fault_count() >= faults, "a fault got lost");
    let blank = tokens
        .iter()
        .all(|token| matches!(token, Token::Comment(_)));
    assert_eq!(
        block.is_empty(),
        blank && block.fault_count() == 0,
        "{block:?}"
    );
    assert_eq!(block.checksum().is_some(), block.checksum_ok().is_some());
}

fn value_laws(value: Value<'_>) {
    match value {
        Value::Number(number) => number_laws(number),
        Value::Parameter(text) | Value::Expression(text) => {
            assert!(
                expr::tokens(text).count() <= text.len(),
                "more tokens than bytes"
            );
        }
        _ => {}
    }
}

/// A number is what the standard library reads in the same digits.
fn number_laws(number: Number<'_>) {
    assert_eq!(Number::new(number.text()), Some(number));
    let digits: String = number
        .text()
        .iter()
        .filter(|byte| !matches!(byte, b' ' | b'\t'))
        .map(|&byte| char::from(byte))
        .collect();
    let value: f64 = digits.parse().expect("a number of digits and a point");
    assert_eq!(number.to_f64().to_bits(), value.to_bits(), "{digits}");
    if let Some(decimal) = number.decimal() {
        let again: f64 = format!("{}e-{}", decimal.mantissa, decimal.scale)
            .parse()
            .expect("a number");
        assert_eq!(again, value, "{digits}");
    }
    if let Some(count) = number.to_u64() {
        assert_eq!(count as f64, value, "{digits}");
    }
    if let Some(code) = number.code() {
        let again = f64::from(code.major) + f64::from(code.minor) / 10.0;
        assert!(
            (again - value).abs() < 1e-9 && code.minor <= 9,
            "{digits} as {code}"
        );
    }
}
