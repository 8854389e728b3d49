//! One line on its way through the chain, for `check --wire`.

use super::{
    Chain, Refusal, Step,
    chain::{Fate, Found, Work, has_words},
    classify,
    pack::write_off,
    words::{self, Item},
};
use crate::chunk::{Draft, Modes};

/// What a step made of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepTrace {
    /// The step.
    pub step: Step,
    /// The line after it; escaped where it is not printable ASCII. After the last step, the class of the line.
    pub text: String,
}

/// The way of one line through the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The steps that ran.
    pub steps: Vec<StepTrace>,
    /// How it ended.
    pub outcome: Outcome,
}

/// What became of a traced line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It goes to the wire.
    Sent,
    /// Nothing is left of it.
    Vanished,
    /// It is refused.
    Refused(Refusal),
}

impl Chain {
    /// Sends one line, without its terminator, through all steps and tells what each made of it.
    ///
    /// The line is taken as the first of its chunk, so lossless packing finds nothing that an earlier line said.
    pub fn trace(&self, line: &[u8]) -> Trace {
        let mut steps = Vec::new();
        let outcome = match self.trace_into(line, &mut steps) {
            Ok(Fate::Stays) => Outcome::Sent,
            Ok(Fate::Vanishes) => Outcome::Vanished,
            Err(found) => Outcome::Refused(self.refusal(1, found)),
        };
        Trace { steps, outcome }
    }

    fn trace_into(&self, raw: &[u8], steps: &mut Vec<StepTrace>) -> Result<Fate, Found> {
        let mut note = |step, bytes: &[u8]| {
            steps.push(StepTrace {
                step,
                text: bytes.escape_ascii().to_string(),
            })
        };
        let dialect = self.config().dialect;
        self.decode(raw)?;
        note(Step::Decode, raw);
        let mut pieces = Vec::new();
        let text = self.strip(raw, &mut pieces)?;
        note(Step::Strip, text);
        if text.is_empty() {
            return Ok(Fate::Vanishes);
        }
        let in_source = |fault| self.in_source(raw, text, fault);
        let left = |items: &[Item]| {
            let mut out = Vec::new();
            write_off(dialect, text, items, &mut out);
            out
        };
        let mut work = Work::new(dialect, Modes::default());
        words::read(dialect, text, &mut work.items).map_err(in_source)?;
        if self.block_delete(&mut work.items) == Fate::Vanishes {
            return Ok(Fate::Vanishes);
        }
        note(Step::BlockDelete, &left(&work.items));
        self.line_number(text, &mut work.items).map_err(in_source)?;
        note(Step::LineNumber, &left(&work.items));
        self.codes(1, &mut work).map_err(in_source)?;
        note(Step::Codes, &left(&work.items));
        if !has_words(&work.items) {
            return Ok(Fate::Vanishes);
        }
        let mut draft = Draft::new(0, 1, 0, Default::default());
        self.fit(text, &work.items, &mut draft)?;
        note(Step::Fit, draft.open());
        let class = classify::class(dialect, text, &work.items);
        self.pack(text, class, &mut work, &mut draft);
        note(Step::Pack, draft.open());
        note(Step::Classify, class.to_string().as_bytes());
        Ok(Fate::Stays)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dialect::Dialect,
        wire::{ChainConfig, Pack},
    };

    fn trace(line: &str) -> String {
        let config = ChainConfig::new(Dialect::Grbl).with_pack(Pack::Lossless);
        let config = config.with_skip(["G64".parse().expect("a code")]);
        let trace = Chain::new(config).trace(line.as_bytes());
        let mut shown: Vec<_> = trace
            .steps
            .iter()
            .map(|at| format!("{}: {}", at.step, at.text))
            .collect();
        shown.push(match trace.outcome {
            Outcome::Sent => "sent".into(),
            Outcome::Vanished => "vanished".into(),
            Outcome::Refused(refusal) => refusal.to_string(),
        });
        shown.join("\n")
    }

    #[test]
    fn a_line_through_all_steps() {
        insta::assert_snapshot!(trace("/N10 (go) G64 P0.1 G01 X 1.50 ; to the edge"), @r"
        decode: /N10 (go) G64 P0.1 G01 X 1.50 ; to the edge
        strip: /N10  G64 P0.1 G01 X 1.50
        block delete: N10  G64 P0.1 G01 X 1.50
        line number: G64 P0.1 G01 X 1.50
        codes: G01 X 1.50
        fit: G01X1.50
        pack: G1X1.5
        classify: motion
        sent
        ");
    }

    #[test]
    fn lines_that_do_not_arrive() {
        insta::assert_snapshot!(trace("(a comment)"), @r"
        decode: (a comment)
        strip: 
        vanished
        ");
        insta::assert_snapshot!(trace("G1 X1 (a) G33"), @r"
        decode: G1 X1 (a) G33
        strip: G1 X1  G33
        block delete: G1 X1  G33
        line number: G1 X1  G33
        line 1, column 11: G33 is not supported by grbl 1.1 (error:20); remove it or run with --skip G33
        ");
    }
}
