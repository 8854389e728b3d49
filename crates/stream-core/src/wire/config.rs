//! The choices a chain is made of.

use core::{fmt, str::FromStr};

use feedhold_gcode_parse::Code;

use crate::dialect::Dialect;

/// How a [`Chain`](super::Chain) prepares lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainConfig {
    pub(super) dialect: Dialect,
    pub(super) pack: Pack,
    pub(super) block_delete: BlockDelete,
    pub(super) line_numbers: LineNumbers,
    pub(super) skip: Vec<WordName>,
    pub(super) allow: Vec<WordName>,
    pub(super) rx_bytes: usize,
    pub(super) max_line: usize,
}

/// What packing takes away.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pack {
    /// Nothing but comments and blanks at the ends.
    Off,
    /// Also the blanks between words.
    #[default]
    Spaces,
    /// Also what says nothing new: repeated modal words, zeros, signs and points of numbers, axis words that name
    /// the place the axis is at. Numbers stay parts of the source text. Prove it with [`Proof`](super::Proof).
    Lossless,
}

/// What becomes of lines that begin with `/`.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BlockDelete {
    /// They are left out, as with the switch on.
    Drop,
    /// They run without their `/`, as with the switch off. grbl would ignore the `/` anyway.
    #[default]
    Send,
}

/// What becomes of `N` words.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineNumbers {
    /// They go to the wire. Only grbl: Marlin lines are numbered by the streamer, so theirs always go away.
    Keep,
    /// They go away.
    #[default]
    Strip,
}

/// A code such as `G64`, or all words of one letter such as `H`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordName {
    pub(super) letter: u8,
    pub(super) code: Option<Code>,
}

/// A text that names no word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} names no word; write a code such as G64, M7 or G61.1, or a letter such as H")]
pub struct InvalidWordName {
    text: String,
}

/// A limit that no line fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} of {bytes} bytes is too small to send anything; give at least {least}")]
pub struct InvalidLimit {
    what: &'static str,
    bytes: usize,
    least: usize,
}

/// Smallest window and line that a chain works with: room for a homing or unlock command and a frame.
const LEAST: usize = 16;

impl ChainConfig {
    /// The defaults of a dialect: spaces go, block-delete lines run, line numbers go, nothing is skipped.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            pack: Pack::default(),
            block_delete: BlockDelete::default(),
            line_numbers: LineNumbers::default(),
            skip: Vec::new(),
            allow: Vec::new(),
            rx_bytes: dialect.default_rx(),
            max_line: dialect.max_line(),
        }
    }

    /// Chooses what packing takes away.
    #[must_use]
    pub fn with_pack(mut self, pack: Pack) -> Self {
        self.pack = pack;
        self
    }

    /// Chooses what becomes of block-delete lines.
    #[must_use]
    pub fn with_block_delete(mut self, block_delete: BlockDelete) -> Self {
        self.block_delete = block_delete;
        self
    }

    /// Chooses what becomes of line numbers.
    #[must_use]
    pub fn with_line_numbers(mut self, line_numbers: LineNumbers) -> Self {
        self.line_numbers = line_numbers;
        self
    }

    /// Removes these words, and the arguments that belong to them, from every line.
    #[must_use]
    pub fn with_skip(mut self, words: impl IntoIterator<Item = WordName>) -> Self {
        self.skip.extend(words);
        self
    }

    /// Sends these words although a stock build of the firmware does not know them, such as `M7` on grbl.
    #[must_use]
    pub fn with_allowed(mut self, words: impl IntoIterator<Item = WordName>) -> Self {
        self.allow.extend(words);
        self
    }

    /// The size of the receive buffer that the controller told. A line must fit into it whole.
    ///
    /// # Errors
    ///
    /// [`InvalidLimit`] below 16 bytes.
    pub fn with_rx(mut self, rx_bytes: usize) -> Result<Self, InvalidLimit> {
        self.rx_bytes = limit("a receive buffer", rx_bytes)?;
        Ok(self)
    }

    /// The longest line that the controller stores, where it differs from the dialect's (256 on grblHAL).
    ///
    /// # Errors
    ///
    /// [`InvalidLimit`] below 16 bytes.
    pub fn with_max_line(mut self, max_line: usize) -> Result<Self, InvalidLimit> {
        self.max_line = limit("a line", max_line)?;
        Ok(self)
    }

    /// The dialect.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What packing takes away.
    pub fn pack(&self) -> Pack {
        self.pack
    }
}

/// All choices in one line: chains whose configurations read alike make the same lines of a file.
///
/// ```
/// use feedhold_stream_core::{dialect::Dialect, wire::ChainConfig};
///
/// let config = ChainConfig::new(Dialect::Grbl).with_skip(["G64".parse().unwrap()]);
/// assert_eq!(
///     config.to_string(),
///     "grbl, pack spaces, block-delete send, line-numbers strip, skip G64, allow nothing, rx 128, line 79",
/// );
/// ```
impl fmt::Display for ChainConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            dialect,
            pack,
            block_delete,
            line_numbers,
            skip,
            allow,
            rx_bytes,
            max_line,
        } = self;
        write!(
            f,
            "{}, pack {pack}, block-delete {block_delete}, line-numbers {line_numbers}",
            dialect.name()
        )?;
        for (what, names) in [("skip", skip), ("allow", allow)] {
            write!(f, ", {what}")?;
            if names.is_empty() {
                f.write_str(" nothing")?;
            }
            for name in names {
                write!(f, " {name}")?;
            }
        }
        write!(f, ", rx {rx_bytes}, line {max_line}")
    }
}

fn limit(what: &'static str, bytes: usize) -> Result<usize, InvalidLimit> {
    if bytes < LEAST {
        Err(InvalidLimit {
            what,
            bytes,
            least: LEAST,
        })
    } else {
        Ok(bytes)
    }
}

impl WordName {
    pub(super) fn names(&self, letter: u8, code: Option<Code>) -> bool {
        self.letter == letter && (self.code.is_none() || self.code == code)
    }
}

impl FromStr for WordName {
    type Err = InvalidWordName;

    fn from_str(text: &str) -> Result<Self, InvalidWordName> {
        let invalid = || InvalidWordName {
            text: text.to_owned(),
        };
        let (&letter, number) = text.as_bytes().split_first().ok_or_else(invalid)?;
        let letter = letter.to_ascii_uppercase();
        let code = match number {
            [] => None,
            number => Some(super::words::code(number).ok_or_else(invalid)?),
        };
        let named =
            letter.is_ascii_uppercase() && (code.is_none() || matches!(letter, b'G' | b'M' | b'T'));
        let too_much = code.is_none() && matches!(letter, b'G' | b'M');
        if named && !too_much {
            Ok(Self { letter, code })
        } else {
            Err(invalid())
        }
    }
}

impl fmt::Display for WordName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.letter as char)?;
        self.code.map_or(Ok(()), |code| write!(f, "{code}"))
    }
}

macro_rules! names {
    ($($kind:ident { $($variant:ident = $name:literal),+ $(,)? } $what:literal;)+) => {$(
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $name),+ })
            }
        }

        impl FromStr for $kind {
            type Err = UnknownChoice;

            fn from_str(text: &str) -> Result<Self, UnknownChoice> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(UnknownChoice { what: $what, text: text.to_owned(), choices: &[$($name),+] }),
                }
            }
        }
    )+};
}

names! {
    Pack { Off = "off", Spaces = "spaces", Lossless = "lossless" } "packing";
    BlockDelete { Drop = "drop", Send = "send" } "treatment of block-delete lines";
    LineNumbers { Keep = "keep", Strip = "strip" } "treatment of line numbers";
}

/// A word that is none of the choices.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} {text:?}; choose one of {}", choices.join(", "))]
pub struct UnknownChoice {
    what: &'static str,
    text: String,
    choices: &'static [&'static str],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_names_round_trip() {
        for (text, shown) in [
            ("G64", "G64"),
            ("g061.1", "G61.1"),
            ("M7", "M7"),
            ("h", "H"),
            ("T", "T"),
            ("T12", "T12"),
        ] {
            assert_eq!(
                text.parse::<WordName>().map(|name| name.to_string()),
                Ok(shown.to_owned()),
                "{text}"
            );
        }
        for text in [
            "", "64", "G", "M", "G6x", "X1", "G61.12", "G 64 X1", "\u{c4}",
        ] {
            assert!(text.parse::<WordName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_name_means_one_code_or_a_whole_letter() {
        let g64: WordName = "G64".parse().expect("a code");
        let h: WordName = "H".parse().expect("a letter");
        let code = |major, minor| Some(Code { major, minor });
        assert!(g64.names(b'G', code(64, 0)));
        assert!(
            !g64.names(b'G', code(64, 1))
                && !g64.names(b'G', code(6, 0))
                && !g64.names(b'M', code(64, 0))
        );
        assert!(h.names(b'H', None));
    }

    #[test]
    fn choices_are_typed_as_they_are_shown() {
        for pack in [Pack::Off, Pack::Spaces, Pack::Lossless] {
            assert_eq!(pack.to_string().parse(), Ok(pack));
        }
        let error = "tight".parse::<Pack>().expect_err("no such packing");
        assert_eq!(
            error.to_string(),
            "there is no packing \"tight\"; choose one of off, spaces, lossless"
        );
    }

    #[test]
    fn limits_have_a_floor() {
        assert!(ChainConfig::new(Dialect::Grbl).with_rx(15).is_err());
        assert!(ChainConfig::new(Dialect::Grbl).with_max_line(0).is_err());
        assert!(ChainConfig::new(Dialect::Grbl).with_rx(16).is_ok());
    }
}
