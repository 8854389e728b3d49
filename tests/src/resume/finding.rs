use std::collections::BTreeMap;
use std::fmt;

use feedhold::stream_core::resume::Refusal;

/// Findings of one program that are told; further kinds of them are only counted.
const KEPT: usize = 12;

/// What came of a program.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Lines at which the questions were asked.
    pub asked: u64,
    /// Plans that were run on a machine.
    pub run: u64,
    /// Plans that were refused, by the code of the refusal: how many, and the text of the first.
    pub refused: BTreeMap<String, (u64, String)>,
    /// Rests that were run to the end of the program.
    pub rests: u64,
    /// Motions of those that were compared.
    pub motions: u64,
    /// Everything that is not as it should be.
    pub found: u64,
    /// The first ones of those.
    pub findings: Vec<Finding>,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The line after which the job was taken up.
    pub line: u64,
    /// What was asked.
    pub question: Question,
    /// What is wrong.
    pub what: String,
    /// How often the like of it was found.
    pub times: u64,
}

/// What was asked when something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Question {
    /// Do the product and the oracle agree on what is in force?
    Rebuilt,
    /// Do the machine and the oracle agree on what is in force?
    Witness,
    /// Does the way back to the place spare the part?
    Approach,
    /// Does the machine remember what the uninterrupted one does?
    Restored,
    /// Does the rest of the program make the same motions?
    Rest,
}

impl Finding {
    /// The same field, or the same words but for numbers.
    fn is_like(&self, other: &Self) -> bool {
        let kind = |what: &str| -> String {
            let field = what.split_once(':').map_or(what, |(field, _)| field);
            field
                .chars()
                .filter(|c| !c.is_ascii_digit() && !"-.".contains(*c))
                .collect()
        };
        self.question == other.question && kind(&self.what) == kind(&other.what)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let question = match self.question {
            Question::Rebuilt => "product against oracle",
            Question::Witness => "machine against oracle",
            Question::Approach => "approach",
            Question::Restored => "restored against uninterrupted",
            Question::Rest => "rest of the program",
        };
        let Self {
            line, what, times, ..
        } = self;
        write!(f, "line {line}: {question}: {what} ({times} alike)")
    }
}

impl Checked {
    /// Adds what came of another part of the same program.
    pub fn add(&mut self, other: Self) {
        self.asked += other.asked;
        self.run += other.run;
        self.rests += other.rests;
        self.motions += other.motions;
        self.found += other.found;
        for (code, (count, text)) in other.refused {
            self.refused.entry(code).or_insert((0, text)).0 += count;
        }
        other
            .findings
            .into_iter()
            .for_each(|finding| self.note(finding));
    }

    pub(super) fn refuse(&mut self, refusal: &Refusal) {
        let code = refusal.code().to_owned();
        let told = || (0, refusal.to_string());
        self.refused.entry(code).or_insert_with(told).0 += 1;
    }

    pub(super) fn find(&mut self, line: u64, question: Question, what: impl fmt::Display) {
        self.found += 1;
        self.note(Finding {
            line,
            question,
            what: what.to_string(),
            times: 1,
        });
    }

    fn note(&mut self, finding: Finding) {
        let alike = self
            .findings
            .iter_mut()
            .find(|known| known.is_like(&finding));
        if let Some(known) = alike {
            known.times += finding.times;
        } else if self.findings.len() < KEPT {
            self.findings.push(finding);
        }
    }
}
