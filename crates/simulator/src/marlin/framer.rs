use feedhold_gcode_parse::checksum;

/// Longest command plus its terminator, as the firmware's `MAX_CMD_SIZE`.
pub(super) const MAX_COMMAND: usize = 96;

/// Puts bytes into commands as the firmware's reader does, and checks line numbers and checksums.
///
/// Its rules, some of which surprise:
/// - CR and LF each end a line; a line without any byte is ignored in silence, a line of blanks is a
///   command (an unknown one).
/// - `;` starts a comment; the byte behind `\` is taken literally and the `\` dropped; backspace
///   rubs out.
/// - A line is cut at 95 bytes, and what is left is a command.
/// - Only a line that begins with `N` (after blanks) is checked: its number must be the last one plus
///   one, then its checksum must be there and right. The last number and the one before it are
///   dropped **without an answer**: they are repeats that crossed a request on the wire.
/// - `M110` anywhere in such a line sets the number instead, to that of a second `N` word if there is
///   one.
#[derive(Clone, Debug)]
pub(super) struct Framer {
    line: [u8; MAX_COMMAND],
    len: usize,
    state: State,
    last_number: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Normal,
    /// The next byte is literal.
    Escaped,
    /// Comment or overflow: nothing counts until the line ends.
    Skipping,
    /// The line in `line` was handed out; the next byte begins a new one.
    Complete,
}

/// What a byte led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framed {
    /// Nothing yet, or a line that gets no answer.
    Nothing,
    /// [`Framer::command`] is complete; the number is that of its `N`.
    Command(Option<u64>),
    /// The line is thrown away: complain, empty the receive buffer, ask again.
    Refused(Refusal),
}

/// Why a numbered line is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    LineNumber,
    Checksum,
    NoChecksum,
}

impl Refusal {
    /// The firmware's words.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::LineNumber => "Line Number is not Last Line Number+1",
            Self::Checksum => "checksum mismatch",
            Self::NoChecksum => "No Checksum with line number",
        }
    }
}

impl Framer {
    pub(super) const fn new() -> Self {
        Self {
            line: [0; MAX_COMMAND],
            len: 0,
            state: State::Normal,
            last_number: 0,
        }
    }

    /// The command that the last byte completed, `N` and checksum included.
    pub(super) fn command(&self) -> &[u8] {
        self.line.get(..self.len).unwrap_or_default()
    }

    /// The number of the last line that was accepted.
    pub(super) const fn last_number(&self) -> i64 {
        self.last_number
    }

    /// M110 when executed.
    pub(super) const fn set_last_number(&mut self, number: i64) {
        self.last_number = number;
    }

    /// Forgets the line under way.
    pub(super) const fn clear(&mut self) {
        self.len = 0;
        self.state = State::Normal;
    }

    pub(super) fn take(&mut self, byte: u8) -> Framed {
        if self.state == State::Complete {
            self.clear();
        }
        if !matches!(byte, b'\n' | b'\r') {
            self.store(byte);
            return Framed::Nothing;
        }
        self.state = State::Complete;
        if self.len == 0 {
            return Framed::Nothing;
        }
        self.check()
    }

    fn store(&mut self, byte: u8) {
        match (self.state, byte) {
            (State::Skipping, _) => return,
            (State::Escaped, _) => self.state = State::Normal,
            (_, b'\\') => {
                self.state = State::Escaped;
                return;
            }
            (_, b';') => {
                self.state = State::Skipping;
                return;
            }
            (_, 0x08) => {
                self.len = self.len.saturating_sub(1);
                return;
            }
            _ => {}
        }
        if let Some(place) = self.line.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
        if self.len == MAX_COMMAND - 1 {
            self.state = State::Skipping;
        }
    }

    fn check(&mut self) -> Framed {
        let command = self.line.get(..self.len).unwrap_or_default();
        // A C string: what follows a zero byte is not there.
        let command = command
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or_default()
            .trim_ascii_start();
        let Some(mut number_text) = command.strip_prefix(b"N") else {
            return Framed::Command(None);
        };
        let sets_number = command.windows(4).any(|part| part == b"M110");
        if sets_number && let Some(at) = command.iter().skip(4).position(|byte| *byte == b'N') {
            number_text = command.get(4 + at + 1..).unwrap_or_default();
        }
        let number = leading_integer(number_text);
        if !sets_number && number != self.last_number.wrapping_add(1) {
            let is_repeat =
                number == self.last_number || number == self.last_number.wrapping_sub(1);
            return if is_repeat {
                Framed::Nothing
            } else {
                Framed::Refused(Refusal::LineNumber)
            };
        }
        let Some(star) = command.iter().rposition(|byte| *byte == b'*') else {
            return Framed::Refused(Refusal::NoChecksum);
        };
        let (summed, told) = command.split_at(star);
        if leading_integer(told.get(1..).unwrap_or_default()) != i64::from(checksum(summed)) {
            return Framed::Refused(Refusal::Checksum);
        }
        self.last_number = number;
        Framed::Command(u64::try_from(number).ok())
    }
}

/// What C's `strtol` makes of a text: blanks, a sign, digits; 0 when there are none.
pub(super) fn leading_integer(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (sign, digits) = match text.split_first() {
        Some((b'-', rest)) => (-1, rest),
        Some((b'+', rest)) => (1, rest),
        _ => (1, text),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    sign * digits.fold(0_i64, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Lines to what each leads to: `=text` a command, `!` a refusal, `-` silence.
    fn check(last: i64, lines: &str, expected: &str) {
        let mut framer = Framer::new();
        framer.set_last_number(last);
        let mut seen = Vec::new();
        for line in lines.split('|') {
            let mut outcome = Framed::Nothing;
            for byte in line.bytes().chain([b'\n']) {
                outcome = framer.take(byte);
            }
            seen.push(match outcome {
                Framed::Nothing => "-".to_owned(),
                Framed::Command(_) => format!("={}", String::from_utf8_lossy(framer.command())),
                Framed::Refused(refusal) => format!("!{}", refusal.text()),
            });
        }
        assert_eq!(seen.join("|"), expected, "{lines:?} after line {last}");
    }

    #[test]
    fn plain_lines() {
        check(
            0,
            "G28||;c| |G1 X1 ;c| ;c|G1\tX1",
            "=G28|-|-|= |=G1 X1 |= |=G1\tX1",
        );
        check(0, "G1 X1*99", "=G1 X1*99");
        check(0, "M117 a\\;b;c|G1\u{8}0 X5", "=M117 a;b|=G0 X5");
    }

    #[test]
    fn numbered_lines() {
        check(0, "N1 G28*18", "=N1 G28*18");
        check(0, "N1 G28*19", "!checksum mismatch");
        check(0, "N1 G28", "!No Checksum with line number");
        check(0, "N2 G28*17", "!Line Number is not Last Line Number+1");
        check(
            5,
            "N5 G28*0|N4 G28|N3 G28*1",
            "-|-|!Line Number is not Last Line Number+1",
        );
        check(7, " N8 G28*27", "= N8 G28*27");
    }

    #[test]
    fn m110_sets_the_number() {
        let mut framer = Framer::new();
        for (line, number) in [
            ("N-1 M110*15", -1),
            ("N0 M110 N41*9", 41),
            ("N99 M110*24", 99),
        ] {
            let sum = checksum(line.split('*').next().unwrap().as_bytes());
            let line = format!("{}*{sum}\n", line.split('*').next().unwrap());
            let last = line.bytes().map(|byte| framer.take(byte)).last();
            assert_eq!(
                last,
                Some(Framed::Command(u64::try_from(number).ok())),
                "{line}"
            );
            assert_eq!(framer.last_number(), number);
        }
    }

    #[test]
    fn a_long_line_is_cut_and_executed() {
        let long = format!("G1 X{}", "1".repeat(200));
        check(0, &long, &format!("={}", &long[..95]));
        let framed = format!("N1 M117 {}*0", "a".repeat(100));
        check(0, &framed, "!No Checksum with line number");
    }

    proptest! {
        #[test]
        fn any_bytes_are_framed_within_bounds(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let mut framer = Framer::new();
            for byte in bytes {
                if let Framed::Command(_) = framer.take(byte) {
                    prop_assert!((1..MAX_COMMAND).contains(&framer.command().len()));
                }
            }
        }

        #[test]
        fn one_flipped_bit_in_a_numbered_line_is_never_executed(at in 0_usize..9, bit in 0_u8..8) {
            let mut line = b"N1 G1 X12".to_vec();
            let sum = checksum(&line);
            line[at] ^= 1 << bit;
            prop_assume!(!matches!(line[at], b'\n' | b'\r'));
            line.extend(format!("*{sum}\n").bytes());
            let mut framer = Framer::new();
            let last = line.iter().map(|byte| framer.take(*byte)).last();
            // A flipped `N` makes a plain line of it: nothing on the wire can protect that byte.
            let is_plain = line[0] != b'N';
            prop_assert_eq!(matches!(last, Some(Framed::Command(_))), is_plain);
        }
    }
}
