//! From bytes to responses, whatever way the bytes were split.

use super::response::{Ack, Response};
use super::temperature::Temperatures;
use super::{Dialect, grbl, marlin};

/// Longest response line that is read whole, bytes. Longer ones are cut, counted and given as
/// [`Response::Other`].
pub const MAX_RESPONSE: usize = 512;

/// Assembles response lines and reads them.
///
/// CR, LF and CRLF all end a line; blank lines say nothing. Memory is fixed: endless bytes without
/// a line end are counted and dropped.
#[derive(Clone, Debug)]
pub struct ResponseReader {
    dialect: Dialect,
    carry: [u8; MAX_RESPONSE],
    carried: usize,
    overlong: bool,
    pending: Option<Temperatures>,
    tally: Tally,
}

/// What the reader met so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tally {
    /// Lines that were not blank.
    pub lines: u64,
    /// Lines longer than [`MAX_RESPONSE`].
    pub overlong: u64,
    /// Lines with bytes no controller sends: control characters or broken UTF-8.
    pub garbled: u64,
    /// Bytes dropped from overlong lines.
    pub dropped_bytes: u64,
}

/// Where a complete line lies.
enum Found<'a> {
    Whole(&'a [u8]),
    Carried,
}

impl ResponseReader {
    /// A reader at the start of a line.
    #[must_use]
    pub const fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            carry: [0; MAX_RESPONSE],
            carried: 0,
            overlong: false,
            pending: None,
            tally: Tally {
                lines: 0,
                overlong: 0,
                garbled: 0,
                dropped_bytes: 0,
            },
        }
    }

    /// The next response. Bytes are taken from the front of `input`; `None` means that all of it
    /// was taken and the last line is not complete.
    #[must_use = "a response that is dropped may be an answer the window waits for"]
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Response<'a>> {
        if self.pending.is_some() {
            return self.pending.take().map(Response::Temperature);
        }
        let found = self.find_line(input)?;
        let overlong = std::mem::take(&mut self.overlong);
        let text = match found {
            Found::Whole(text) => text,
            Found::Carried => {
                let len = std::mem::take(&mut self.carried);
                self.carry.get(..len).unwrap_or_default()
            }
        };
        self.tally.lines += 1;
        if overlong {
            self.tally.overlong += 1;
            return Some(Response::Other(text));
        }
        let response = read(self.dialect, text);
        match response {
            Response::Ok(Ack {
                with_temperatures: true,
                ..
            }) => {
                self.pending =
                    clean_text(text).and_then(|text| marlin::temperatures_of_ok(text.trim()));
            }
            Response::Other(_) if clean_text(text).is_none() => self.tally.garbled += 1,
            _ => {}
        }
        Some(response)
    }

    /// Forgets a partial line, as after a lost link. Counts stay.
    pub fn reset(&mut self) {
        self.carried = 0;
        self.overlong = false;
        self.pending = None;
    }

    /// What was met so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The dialect this reader understands.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Takes bytes up to the end of the next line that is not blank.
    fn find_line<'a>(&mut self, input: &mut &'a [u8]) -> Option<Found<'a>> {
        loop {
            let bytes = *input;
            let Some(end) = bytes.iter().position(|&b| b == b'\n' || b == b'\r') else {
                self.keep(bytes);
                *input = &[];
                return None;
            };
            let (line, rest) = bytes.split_at(end);
            *input = rest.get(1..).unwrap_or_default();
            let found = if self.carried > 0 {
                self.keep(line);
                Found::Carried
            } else {
                Found::Whole(self.cut(line))
            };
            if self.overlong || !self.text(&found).trim_ascii().is_empty() {
                return Some(found);
            }
            self.carried = 0;
        }
    }

    fn text<'s>(&'s self, found: &Found<'s>) -> &'s [u8] {
        match found {
            Found::Whole(text) => text,
            Found::Carried => self.carry.get(..self.carried).unwrap_or_default(),
        }
    }

    /// Appends to the carried line as far as there is room.
    fn keep(&mut self, bytes: &[u8]) {
        let room = self.carry.get_mut(self.carried..).unwrap_or_default();
        let taken = room.len().min(bytes.len());
        for (slot, &byte) in room.iter_mut().zip(bytes) {
            *slot = byte;
        }
        self.carried += taken;
        self.drop_bytes(bytes.len() - taken);
    }

    fn cut<'a>(&mut self, line: &'a [u8]) -> &'a [u8] {
        let kept = line.get(..MAX_RESPONSE).unwrap_or(line);
        self.drop_bytes(line.len() - kept.len());
        kept
    }

    fn drop_bytes(&mut self, count: usize) {
        if count > 0 {
            self.overlong = true;
            self.tally.dropped_bytes += count as u64;
        }
    }
}

/// Reads one line without its end.
pub(super) fn read(dialect: Dialect, line: &[u8]) -> Response<'_> {
    if line == b"ok" {
        return Response::Ok(Ack::default());
    }
    let Some(text) = clean_text(line) else {
        return after_noise(dialect, line);
    };
    let response = match dialect {
        Dialect::Grbl => grbl::read(text.trim_end()),
        Dialect::Marlin => marlin::read(text.trim()),
    };
    match response {
        Response::Other(_) => Response::Other(line),
        known => known,
    }
}

/// A start that is glued to the noise of a board coming up must not be missed: it means that
/// everything in flight is lost.
fn after_noise(dialect: Dialect, line: &[u8]) -> Response<'_> {
    let tail = match line.iter().rposition(|b| !matches!(b, b' '..=b'~')) {
        Some(at) => line.get(at + 1..).unwrap_or_default(),
        None => line,
    };
    let text = std::str::from_utf8(tail).unwrap_or_default();
    let banner = match dialect {
        Dialect::Grbl => grbl::banner(text.trim_end()),
        Dialect::Marlin => marlin::banner(text.trim()),
    };
    banner.map_or(Response::Other(line), Response::Started)
}

/// The line as text, unless it holds bytes that no controller prints: control characters (which
/// could also play tricks on a terminal) or broken UTF-8.
fn clean_text(line: &[u8]) -> Option<&str> {
    let printable = |&b: &u8| (b >= b' ' && b != 0x7F) || b == b'\t';
    if !line.iter().all(printable) {
        return None;
    }
    std::str::from_utf8(line).ok()
}
