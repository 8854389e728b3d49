//! Scripts as text.

use std::str::FromStr;

use super::Script;

/// Why a text is no script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("script line {line}: {what}")]
pub struct ScriptError {
    line: usize,
    what: String,
}

impl FromStr for Script {
    type Err = ScriptError;

    /// Reads one step a line; blank lines and lines that begin with `#` say nothing.
    ///
    /// ```text
    /// > G0 X1        the host must send `G0 X1\n`
    /// < ok           the machine answers `ok\r\n`
    /// raw> \x18      the host must send these bytes and no line end
    /// raw< Grbl      the machine sends these bytes and no line end
    /// silence        the host must have nothing to send
    /// close          the machine closes the link
    /// ignore ?       these bytes may come at any time
    /// ```
    ///
    /// `\n`, `\r`, `\t`, `\\` and `\x18` stand for the byte that they name. Blanks at the end of a line count.
    fn from_str(text: &str) -> Result<Self, ScriptError> {
        text.lines()
            .enumerate()
            .try_fold(Self::new(), |script, (index, line)| {
                add(script, line).map_err(|what| ScriptError {
                    line: index + 1,
                    what,
                })
            })
    }
}

fn add(script: Script, line: &str) -> Result<Script, String> {
    let line = line.trim_start();
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "" => Ok(script),
        _ if word.starts_with('#') => Ok(script),
        ">" => Ok(script.expect(unescape(rest, b"\n")?)),
        "<" => Ok(script.reply(unescape(rest, b"\r\n")?)),
        "raw>" => Ok(script.expect(unescape(rest, b"")?)),
        "raw<" => Ok(script.reply(unescape(rest, b"")?)),
        "ignore" => Ok(script.ignoring(unescape(rest, b"")?)),
        "silence" => Ok(script.silence()),
        "close" => Ok(script.close()),
        _ => Err(format!(
            "`{}` is no step; begin with >, <, raw>, raw<, ignore, silence, close or #",
            word.escape_debug()
        )),
    }
}

fn unescape(text: &str, line_end: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len() + line_end.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let (byte, tail) = escaped_byte(escape).ok_or_else(|| {
            format!(
                "`\\{}` is no escape; use \\n \\r \\t \\\\ or \\x18",
                escape.escape_debug()
            )
        })?;
        bytes.push(byte);
        rest = tail;
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes.extend_from_slice(line_end);
    Ok(bytes)
}

/// The byte that an escape names, and the text after it; `escape` begins after the backslash.
fn escaped_byte(escape: &str) -> Option<(u8, &str)> {
    let mut chars = escape.chars();
    let byte = match chars.next()? {
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        '\\' => b'\\',
        'x' => {
            let (digits, tail) = chars.as_str().split_at_checked(2)?;
            let all_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            return Some((
                u8::from_str_radix(digits, 16).ok().filter(|_| all_hex)?,
                tail,
            ));
        }
        _ => return None,
    };
    Some((byte, chars.as_str()))
}
