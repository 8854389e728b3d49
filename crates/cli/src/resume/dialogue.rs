//! What an operator is asked when nothing proves which line was the last.

use feedhold::resume::{Refusal, Stopped};

use crate::ask;

/// The question when it was asked before.
pub(super) const AGAIN: &str = "r, a line number, or q";

/// What the operator wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Back to the last retract.
    Retract,
    /// Begin with this line.
    Line(u64),
    /// Leave it.
    Quit,
    /// None of these.
    Unclear,
}

/// What stands against going on, both ends of what is in doubt, and the ways out.
pub(super) fn introduction(refusal: &Refusal, stopped: &Stopped, retract: u64) -> String {
    let mut words = format!("{refusal}.\n");
    let executed = stopped.executed();
    let last = stopped.in_doubt().map_or(executed, |lines| lines.last);
    if last > executed && !matches!(refusal, Refusal::InDoubt { .. }) {
        words += &format!(
            "Line {executed} was executed for certain, and lines up to {last} may have run.\n"
        );
    }
    words += "Look at the part. Nothing moves before you have seen the plan.\n";
    words += &match retract {
        0 => format!(
            "  r       from the beginning: lines 1 to {last} run, although they may have run\n"
        ),
        retract if retract == last => {
            format!("  r       from the last retract, behind line {retract}\n")
        }
        retract => format!(
            "  r       from the last retract, behind line {retract}: lines {} to {last} run, although they may have run\n",
            retract + 1
        ),
    };
    words += &format!(
        "  NUMBER  from that line, or the first motion behind it; {} if none of the lines in doubt has run, {} if all have\n",
        executed + 1,
        last + 1
    );
    words + "  q       leave everything as it is"
}

pub(super) async fn ask(words: &str) -> Answer {
    match ask::line_soon(&format!("{words}\nGo on from? ")).await {
        Some(answer) => understand(&answer),
        None => Answer::Quit,
    }
}

fn understand(answer: &str) -> Answer {
    match answer.trim() {
        "r" | "R" => Answer::Retract,
        "" | "q" | "Q" => Answer::Quit,
        number => number.parse().map_or(Answer::Unclear, Answer::Line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_understood_or_asked_for_again() {
        for (answer, expected) in [
            ("r\n", Answer::Retract),
            (" 42 \n", Answer::Line(42)),
            ("\n", Answer::Quit),
            ("q\n", Answer::Quit),
            ("yes\n", Answer::Unclear),
            ("-3\n", Answer::Unclear),
        ] {
            assert_eq!(understand(answer), expected, "{answer:?}");
        }
    }
}
