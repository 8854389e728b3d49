/// Commands that act in the receive interrupt when the firmware has an emergency parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Emergency {
    /// M108: stop waiting.
    Continue,
    /// M112: stop for good.
    Kill,
    /// M410: stop all motion.
    QuickStop,
}

impl Emergency {
    /// The command of this number.
    pub(super) const fn from_code(code: u32) -> Option<Self> {
        match code {
            108 => Some(Self::Continue),
            112 => Some(Self::Kill),
            410 => Some(Self::QuickStop),
            _ => None,
        }
    }
}

/// Looks for M108, M112 and M410 among the received bytes, before they reach the buffer (so also
/// when the buffer is full and loses them).
///
/// It knows only the beginning of a line: blanks, perhaps `N` with digits, then the command, and it
/// acts when the line ends.
#[derive(Clone, Debug, Default)]
pub(super) struct EmergencyParser {
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    LineNumber,
    /// Behind `M`, with the number so far.
    Code(u32),
    /// Behind a whole number: no further digit may follow.
    Behind(u32),
    Ignore,
}

impl EmergencyParser {
    pub(super) fn take(&mut self, byte: u8) -> Option<Emergency> {
        if matches!(byte, b'\n' | b'\r') {
            let state = std::mem::take(&mut self.state);
            return match state {
                State::Code(code) | State::Behind(code) => Emergency::from_code(code),
                _ => None,
            };
        }
        self.state = match (self.state, byte) {
            (State::Start, b' ') => State::Start,
            (State::Start, b'N') => State::LineNumber,
            (State::Start | State::LineNumber, b'M') => State::Code(0),
            (State::LineNumber, b' ' | b'-' | b'0'..=b'9') => State::LineNumber,
            (State::Code(code), b'0'..=b'9') if code < 1000 => {
                State::Code(code * 10 + u32::from(byte - b'0'))
            }
            (State::Code(code) | State::Behind(code), b' ' | b'*' | b';') => State::Behind(code),
            // Parameters and a checksum do not matter once the command is known.
            (State::Behind(code), _) => State::Behind(code),
            _ => State::Ignore,
        };
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_three_commands_at_the_start_of_a_line_only() {
        let cases = [
            ("M112\n", Some(Emergency::Kill)),
            ("  M108 \r", Some(Emergency::Continue)),
            ("N12 M410*33\n", Some(Emergency::QuickStop)),
            ("N-1 M112*3\n", Some(Emergency::Kill)),
            ("M108 ; go on\n", Some(Emergency::Continue)),
            ("M1120\n", None),
            ("M11\n", None),
            ("G1 M112\n", None),
            ("M117 M112\n", None),
            ("; M112\n", None),
            ("m112\n", None),
            ("M99999999999999112\n", None),
        ];
        for (text, expected) in cases {
            let mut parser = EmergencyParser::default();
            let found = text
                .bytes()
                .fold(None, |found, byte| found.or(parser.take(byte)));
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
