//! Natural borders in a program: where a cut does least harm.

use feedhold_gcode_parse::Flavor;

/// What begins with a line. Ordered by how well a chunk may end before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Border {
    /// Nothing but a line.
    Line,
    /// A run of blank lines.
    Blank,
    /// A run of comment lines.
    Section,
    /// A layer of a print.
    Layer,
    /// A tool change.
    ToolChange,
}

/// Finds borders while lines go by. A run of blank or comment lines is one border, at its first line. It may begin anywhere, when it
/// is told the line before.
#[derive(Debug, Default)]
pub(super) struct Borders {
    previous: Option<Border>,
}

impl Borders {
    /// Tells the line before the first one that is asked about.
    pub(super) fn after(&mut self, flavor: Flavor, line: &[u8]) {
        if self.previous.is_none() {
            self.previous = Some(kind(flavor, line.trim_ascii()));
        }
    }

    /// The border before `line`, which may still have its terminator.
    pub(super) fn before(&mut self, flavor: Flavor, line: &[u8]) -> Border {
        let kind = kind(flavor, line.trim_ascii());
        let repeated = self.previous.replace(kind) == Some(kind);
        if repeated && kind < Border::Layer {
            Border::Line
        } else {
            kind
        }
    }
}

fn kind(flavor: Flavor, line: &[u8]) -> Border {
    match line {
        [] => Border::Blank,
        [b';', rest @ ..] if is_layer(rest) => Border::Layer,
        [b';' | b'(', ..] => Border::Section,
        code if changes_tool(flavor, code) => Border::ToolChange,
        _ => Border::Line,
    }
}

/// Slicers write `;LAYER:3`, `;LAYER_CHANGE` or `; layer 3`.
fn is_layer(comment: &[u8]) -> bool {
    comment
        .trim_ascii_start()
        .get(..5)
        .is_some_and(|word| word.eq_ignore_ascii_case(b"layer"))
}

/// A tool word, or `M6`. Looked for in the text, because a false alarm only moves a cut by some lines.
fn changes_tool(flavor: Flavor, code: &[u8]) -> bool {
    let code = code
        .split(|&byte| byte == b';' || (byte == b'(' && flavor != Flavor::Marlin))
        .next()
        .unwrap_or(code);
    let tool_word = match flavor {
        Flavor::Marlin => code.first() == Some(&b'T'),
        _ => code.iter().any(|byte| byte.eq_ignore_ascii_case(&b'T')),
    };
    tool_word
        || code.windows(2).enumerate().any(|(at, pair)| {
            let next = code.get(at + 2);
            match pair {
                b"M6" | b"m6" => !next.is_some_and(u8::is_ascii_digit),
                b"M0" | b"m0" => next == Some(&b'6'),
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_a_line() {
        let check = |flavor, line: &str, expected| {
            assert_eq!(kind(flavor, line.as_bytes()), expected, "{line}")
        };
        check(Flavor::Grbl, "", Border::Blank);
        check(Flavor::Grbl, "G1 X1", Border::Line);
        check(Flavor::Grbl, "T1 M6", Border::ToolChange);
        check(Flavor::Grbl, "N5 M06", Border::ToolChange);
        check(Flavor::Grbl, "M60", Border::Line);
        check(Flavor::Grbl, "G0 X1 (the M6 and T2)", Border::Line);
        check(Flavor::Grbl, "( T0 M6 )", Border::Section);
        check(Flavor::Marlin, "T1", Border::ToolChange);
        check(Flavor::Marlin, "M104 T1 S200", Border::Line);
        check(Flavor::Marlin, ";LAYER_CHANGE", Border::Layer);
        check(Flavor::Marlin, "; layer 7, Z = 1.4", Border::Layer);
        check(Flavor::Marlin, ";TYPE:Perimeter", Border::Section);
    }

    #[test]
    fn a_run_that_began_before_is_no_border() {
        let mut borders = Borders::default();
        borders.after(Flavor::Grbl, b"(a)\n");
        assert_eq!(borders.before(Flavor::Grbl, b"(b)\n"), Border::Line);
        borders.after(Flavor::Grbl, b"G1 X1\n");
        assert_eq!(
            borders.before(Flavor::Grbl, b"(c)\n"),
            Border::Line,
            "told once"
        );
    }

    #[test]
    fn a_run_is_one_border() {
        let mut borders = Borders::default();
        let seen: Vec<_> = [
            "G1 X1", "", "\r", "; a", "; b", ";LAYER:1", ";LAYER:2", "; c", "G1 X2",
        ]
        .map(|line| borders.before(Flavor::Marlin, line.as_bytes()))
        .into();
        use Border::{Blank, Layer, Line, Section};
        assert_eq!(
            seen,
            [
                Line, Blank, Line, Section, Line, Layer, Layer, Section, Line
            ]
        );
    }
}
