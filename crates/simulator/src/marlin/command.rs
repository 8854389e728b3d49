use feedhold_gcode_parse::{Flavor, Token, tokens};

/// A command as the firmware's parser sees it: its letter and number, and what each letter behind it
/// says. Nothing is allocated.
#[derive(Clone, Debug)]
pub(super) struct Command<'a> {
    /// From the letter on, without line number, checksum and trailing blanks.
    pub(super) text: &'a [u8],
    /// What it is; `None` when it begins with nothing the firmware knows.
    pub(super) code: Option<Code>,
    seen: u32,
    valued: u32,
    values: [f64; 26],
}

/// Letter and number of a command: `G`, `M` or `T`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) letter: u8,
    pub(super) number: u32,
    /// The digit behind the point.
    pub(super) sub: u32,
}

impl<'a> Command<'a> {
    /// Parses a line. Lower-case letters mean nothing to the firmware.
    pub(super) fn parse(line: &'a [u8]) -> Self {
        let (text, code, arguments) = split(line);
        let mut command = Self {
            text,
            code,
            seen: 0,
            valued: 0,
            values: [0.0; 26],
        };
        for token in tokens(Flavor::Marlin, arguments) {
            match token {
                Token::Word(word) if is_upper(arguments, word.span.start) => {
                    command.note(word.letter, word.number().map(|number| number.to_f64()));
                }
                // The `N` of `M110 N5` stands where a line number could.
                Token::LineNumber(number) => command.note(b'N', Some(number.to_f64())),
                _ => {}
            }
        }
        command
    }

    fn note(&mut self, letter: u8, value: Option<f64>) {
        let index = letter.wrapping_sub(b'A');
        let Some(place) = self.values.get_mut(usize::from(index)) else {
            return;
        };
        self.seen |= 1 << index;
        if let Some(value) = value {
            *place = value;
            self.valued |= 1 << index;
        }
    }

    /// The letter stands in the command, with or without a number.
    pub(super) fn has(&self, letter: u8) -> bool {
        self.seen >> (letter - b'A') & 1 == 1
    }

    /// One of the letters stands in the command.
    pub(super) fn has_any(&self, letters: &[u8]) -> bool {
        letters.iter().any(|letter| self.has(*letter))
    }

    /// The number behind the letter.
    pub(super) fn value(&self, letter: u8) -> Option<f64> {
        let index = letter - b'A';
        let valued = self.valued >> index & 1 == 1;
        self.values
            .get(usize::from(index))
            .copied()
            .filter(|_| valued)
    }

    /// What stands behind the code, as text.
    pub(super) fn argument(&self) -> &'a [u8] {
        let code = self
            .text
            .iter()
            .skip(1)
            .take_while(|byte| matches!(byte, b' ' | b'.' | b'0'..=b'9'))
            .count();
        self.text.get(1 + code..).unwrap_or_default()
    }
}

fn is_upper(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(u8::is_ascii_uppercase)
}

/// Text from the command letter on, its code, and what stands behind the code.
fn split(line: &[u8]) -> (&[u8], Option<Code>, &[u8]) {
    let mut text = line.trim_ascii_start();
    if let Some(rest) = text.strip_prefix(b"N")
        && rest
            .first()
            .is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-')
    {
        let digits = rest
            .iter()
            .skip(1)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        text = rest
            .get(1 + digits..)
            .unwrap_or_default()
            .trim_ascii_start();
    }
    let end = text
        .iter()
        .position(|byte| *byte == b'*')
        .unwrap_or(text.len());
    let text = text.get(..end).unwrap_or_default().trim_ascii_end();
    let Some((letter @ (b'G' | b'M' | b'T'), rest)) = text.split_first() else {
        return (text, None, &[]);
    };
    let rest = rest.trim_ascii_start();
    let (number, behind) = digits(rest);
    let Some(number) = number else {
        return (text, None, &[]);
    };
    let (sub, arguments) = match behind.strip_prefix(b".").map(digits) {
        Some((Some(sub), arguments)) => (sub, arguments),
        _ => (0, behind),
    };
    (
        text,
        Some(Code {
            letter: *letter,
            number,
            sub,
        }),
        arguments,
    )
}

/// Leading digits as a number, and the rest.
fn digits(text: &[u8]) -> (Option<u32>, &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(count);
    let value = digits.iter().fold(0_u32, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(u32::from(digit - b'0'))
    });
    ((count > 0).then_some(value), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `letter number.sub` and the letters with values in order of the alphabet.
    fn show(line: &str) -> String {
        let command = Command::parse(line.as_bytes());
        let Some(code) = command.code else {
            return format!("? {}", String::from_utf8_lossy(command.text));
        };
        let mut shown = format!("{}{}.{}", char::from(code.letter), code.number, code.sub);
        for letter in b'A'..=b'Z' {
            match command.value(letter) {
                Some(value) => shown += &format!(" {}={value}", char::from(letter)),
                None if command.has(letter) => shown += &format!(" {}", char::from(letter)),
                None => {}
            }
        }
        shown
    }

    #[test]
    fn commands_and_their_letters() {
        let cases = [
            ("G1 X1.5 Y-.25 E3", "G1.0 E=3 X=1.5 Y=-0.25"),
            ("G1X1Y2", "G1.0 X=1 Y=2"),
            ("N12 G28 X Y*33", "G28.0 X Y"),
            ("N-1 M110*15", "M110.0"),
            ("M110 N7", "M110.0 N=7"),
            ("M862.6 P\"Input shaper\"", "M862.6 P"),
            ("M 104 S200", "M104.0 S=200"),
            ("T0", "T0.0"),
            ("T0 S1", "T0.0 S=1"),
            ("G1 x5 Y1", "G1.0 Y=1"),
            ("g1 X5", "? g1 X5"),
            ("", "? "),
            ("  ", "? "),
            ("G", "? G"),
            ("T", "? T"),
            ("X5", "? X5"),
            ("M99999999999", "M4294967295.0"),
        ];
        for (line, expected) in cases {
            assert_eq!(show(line), expected, "{line:?}");
        }
    }

    #[test]
    fn arguments_are_kept_as_text() {
        assert_eq!(
            Command::parse(b"N3 M118 E1 Hi there *12").argument(),
            b"E1 Hi there"
        );
        assert_eq!(Command::parse(b"M117").argument(), b"");
    }
}
