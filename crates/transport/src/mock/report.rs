//! Showing where host and script parted.

use std::fmt;

use super::Step;
use crate::traced::Visible;

/// How many steps are shown before and after the place.
const AROUND: usize = 4;

/// How much of what the host sent instead is shown, in bytes.
const SHOWN: usize = 80;

/// How a script was not followed, as a picture of the steps around the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch(String);

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mismatch {}

impl Mismatch {
    /// The host sent `rest` where step `at`, of which `met` bytes were met, wanted something else.
    pub(super) fn unexpected(steps: &[Step], at: usize, met: usize, rest: &[u8]) -> Self {
        let so_far = expected(steps, at).get(..met).unwrap_or_default();
        let rest = rest.get(..SHOWN).unwrap_or(rest);
        let got = format!("\"{}{}\"", Visible(so_far), Visible(rest));
        let caret = 1 + Visible(so_far).to_string().len();
        let instead = format!(
            "   got > {got}\n         {:caret$}^ byte {} is not what the script says",
            "",
            met + 1
        );
        Self::picture("the host left the script", steps, at, Some(&instead))
    }

    /// The link ended before step `at` was done.
    pub(super) fn unmet(steps: &[Step], at: usize, met: usize) -> Self {
        let so_far = expected(steps, at).get(..met).unwrap_or_default();
        let got = format!("   got > \"{}\" and then nothing more", Visible(so_far));
        let wanted = matches!(steps.get(at), Some(Step::Expect(_)));
        Self::picture(
            "the link ended before the script did",
            steps,
            at,
            wanted.then_some(&got),
        )
    }

    fn picture(what: &str, steps: &[Step], at: usize, instead: Option<&str>) -> Self {
        let mut lines = vec![format!(
            "mock link: {what} at step {} of {}",
            at + 1,
            steps.len()
        )];
        for (index, step) in steps
            .iter()
            .enumerate()
            .skip(at.saturating_sub(AROUND))
            .take(2 * AROUND + 1)
        {
            let mark = match index.cmp(&at) {
                std::cmp::Ordering::Less => "  done",
                std::cmp::Ordering::Equal => "> here",
                std::cmp::Ordering::Greater => "  left",
            };
            lines.push(format!("{mark} {step}"));
            if index == at {
                lines.extend(instead.map(str::to_owned));
            }
        }
        if at >= steps.len() {
            lines.push("> here the script is over".to_owned());
            lines.extend(instead.map(str::to_owned));
        }
        Self(lines.join("\n"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expect(bytes) => write!(f, "> \"{}\"", Visible(bytes)),
            Self::Reply(bytes) => write!(f, "< \"{}\"", Visible(bytes)),
            Self::Silence => f.write_str("> (silence)"),
            Self::Close => f.write_str("< (close)"),
        }
    }
}

fn expected(steps: &[Step], at: usize) -> &[u8] {
    match steps.get(at) {
        Some(Step::Expect(bytes)) => bytes,
        _ => &[],
    }
}
