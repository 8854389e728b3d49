use feedhold::gcode_parse::Block;
use feedhold::stream_core::dialect::Dialect;
use feedhold::stream_core::resume::{Plan, Tracker};
use feedhold_simulator::{Entry, Kind};

use super::approach::{self, Approached};
use super::fields::{of_machine, of_product};
use super::finding::{Checked, Question};
use super::machine::{Machine, NotTaken};
use super::program::Program;
use crate::oracle::modal::{self, Fields, Firmware};

/// How far ends of motions may lie apart in mm, and angles in radians: the rounding of sums in double precision.
const NEAR: f64 = 1e-6;

/// At which lines of a program the questions are asked.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Lines after which the job is taken up, in order; 0 is before the first. A line may stand there more than once.
    pub lines: Vec<u64>,
    /// At so many of them, evenly spread, the rest of the program is run.
    pub rests: usize,
}

/// Asks at the chosen lines of a program.
///
/// # Errors
/// When the uninterrupted machine does not take the program.
pub fn check(program: &Program, choice: &Choice) -> Result<Checked, NotTaken> {
    let mut run = Run::new(program, choice)?;
    let mut wire = program.wire.iter().peekable();
    let mut chosen = choice.lines.iter().copied().enumerate().peekable();
    for (line, text) in std::iter::once((0, None)).chain((1..).zip(program.source.iter().map(Some)))
    {
        if let Some(text) = text {
            run.read(line, text);
        }
        while let Some((_, text)) = wire.next_if(|(source, _)| *source == line) {
            run.send(line, text)?;
        }
        while let Some((index, _)) = chosen.next_if(|(_, chosen)| *chosen == line) {
            let with_rest = run.wants_rest(index);
            run.ask(line, with_rest);
        }
    }
    run.rests();
    Ok(run.checked)
}

/// The uninterrupted run and what is known of it.
struct Run<'a> {
    program: &'a Program,
    choice: &'a Choice,
    firmware: Firmware,
    tracker: Tracker,
    /// The program from the machine's zero, as the product reads it.
    paper: modal::Machine,
    /// The program on this very machine.
    witness: modal::Machine,
    machine: Machine,
    entries: Vec<Entry>,
    /// Highest Z that the whole program goes to, machine mm.
    ceiling: Option<f64>,
    resumed: Vec<Resumed>,
    checked: Checked,
}

/// A machine that has made its approach and waits for the rest of the program.
struct Resumed {
    line: u64,
    machine: Machine,
    /// Motions of the uninterrupted run up to the line.
    motions: usize,
}

impl<'a> Run<'a> {
    fn new(program: &'a Program, choice: &'a Choice) -> Result<Self, NotTaken> {
        let dialect = program.settings.dialect;
        let firmware = match dialect {
            Dialect::Marlin => Firmware::Marlin,
            _ => Firmware::Grbl,
        };
        let machine = Machine::homed(dialect)?;
        let mut witness = modal::Machine::new(firmware);
        witness.stand(&of_machine(&machine.simulator().memory()));
        let ceiling = ceiling(program, witness.clone());
        Ok(Self {
            program,
            choice,
            firmware,
            tracker: Tracker::new(dialect),
            paper: modal::Machine::new(firmware),
            witness,
            machine,
            entries: Vec::new(),
            ceiling,
            resumed: Vec::new(),
            checked: Checked::default(),
        })
    }

    /// The oracles read a line of the file.
    fn read(&mut self, line: u64, text: &str) {
        let text = without_skipped(self.program, text);
        for (oracle, question) in [
            (&mut self.paper, Question::Rebuilt),
            (&mut self.witness, Question::Witness),
        ] {
            if let Err(refused) = oracle.read(&text) {
                self.checked.find(line, question, refused);
            }
        }
    }

    /// Product and machine take a line of the wire.
    fn send(&mut self, line: u64, text: &[u8]) -> Result<(), NotTaken> {
        let flavor = self.program.settings.dialect.flavor();
        self.tracker.apply(line, &Block::parse(flavor, text));
        self.machine.send(text)?;
        self.entries.append(&mut self.machine.take_entries());
        Ok(())
    }

    fn ask(&mut self, line: u64, with_rest: bool) {
        self.checked.asked += 1;
        let memory = of_machine(&self.machine.simulator().memory());
        // As an index keeps it.
        let Some(tracker) = Tracker::from_bytes(&self.tracker.to_bytes()) else {
            let what = "a tracker does not come back from its bytes";
            return self.checked.find(line, Question::Rebuilt, what);
        };
        let product = of_product(&tracker);
        for difference in self.paper.fields().differences(&product) {
            self.checked.find(line, Question::Rebuilt, difference);
        }
        for difference in self.witness.fields().contradictions(&memory) {
            self.checked.find(line, Question::Witness, difference);
        }
        let ahead = self.program.ahead(line);
        match Plan::new(line, 0, &tracker, &ahead) {
            Err(refusal) => self.checked.refuse(&refusal),
            Ok(plan) => self.take_up(line, &plan, &memory, with_rest),
        }
    }

    /// Runs a plan on the machine as it is after a power cut.
    fn take_up(&mut self, line: u64, plan: &Plan, memory: &Fields, with_rest: bool) {
        self.checked.run += 1;
        let approached = approach::run(&self.machine, self.program, plan);
        let Approached { machine, legs } = match approached {
            Ok(approached) => approached,
            Err(error) => return self.checked.find(line, Question::Approach, error),
        };
        for fault in approach::faults(&legs, memory, self.ceiling, self.firmware) {
            self.checked.find(line, Question::Approach, fault);
        }
        let restored = of_machine(&machine.simulator().memory());
        let mut differences = approach::differences(memory, &restored);
        // An arc mode cannot be set without an arc; it need not be when the next motion names its own.
        let names_mode = self
            .program
            .ahead(line)
            .next
            .is_none_or(|next| next.names_mode);
        differences.retain(|difference| !(names_mode && difference.field == "motion"));
        // grbl has no word for "no feed"; a program without one names one before it cuts.
        let no_feed = memory.number("feed") == Some(0.0);
        differences.retain(|difference| !(no_feed && difference.field == "feed"));
        let good = differences.is_empty();
        for difference in differences {
            self.checked.find(line, Question::Restored, difference);
        }
        if with_rest && good {
            self.resumed.push(Resumed {
                line,
                machine,
                motions: self.entries.len(),
            });
        }
    }

    /// Whether the rest is run from the chosen line with this index.
    fn wants_rest(&self, index: usize) -> bool {
        let (all, rests) = (self.choice.lines.len().max(1), self.choice.rests);
        (index * rests) / all != ((index + 1) * rests) / all
    }

    fn rests(&mut self) {
        for resumed in std::mem::take(&mut self.resumed) {
            self.checked.rests += 1;
            let line = resumed.line;
            match self.rest(resumed) {
                Ok(motions) => self.checked.motions += motions,
                Err(what) => self.checked.find(line, Question::Rest, what),
            }
        }
    }

    /// Runs the rest of the program and compares motion by motion, then the ends.
    fn rest(&self, resumed: Resumed) -> Result<u64, String> {
        let Resumed {
            line,
            mut machine,
            motions,
        } = resumed;
        let expected = self.entries.get(motions..).unwrap_or_default();
        let first = self.program.wire.partition_point(|wire| wire.0 <= line);
        let (mut made, mut last) = (0, None);
        for (source, text) in self.program.wire.get(first..).unwrap_or_default() {
            machine
                .send(text)
                .map_err(|error| format!("line {source}: {error}"))?;
            for entry in machine.take_entries() {
                let want = expected
                    .get(made)
                    .ok_or_else(|| format!("line {source}: a motion too many"))?;
                if let Some(field) = difference(last, want, &entry) {
                    return Err(format!(
                        "line {source}: motion {} differs in {field}",
                        made + 1
                    ));
                }
                last = Some([want.target[3], entry.target[3]]);
                made += 1;
            }
        }
        if made != expected.len() {
            return Err(format!("{made} motions instead of {}", expected.len()));
        }
        let whole = of_machine(&self.machine.simulator().memory());
        let end = of_machine(&machine.simulator().memory());
        match approach::differences(&whole, &end).first() {
            Some(difference) => Err(format!("at the end of the program: {difference}")),
            None => Ok(made as u64),
        }
    }
}

/// The first thing in which a motion is not the one it should be. A printer counts its filament from power-up, so that of E the ways
/// are compared: `last` has both ends of the motion before.
fn difference(last: Option<[f64; 2]>, want: &Entry, got: &Entry) -> Option<&'static str> {
    let near = |a: f64, b: f64| (a - b).abs() <= NEAR * a.abs().max(1.0);
    if !same_kind(&want.kind, &got.kind) {
        return Some("its kind");
    }
    let [x, y, z, e] = want.target;
    let way = last
        .map(|[want, got]| got - want)
        .unwrap_or(got.target[3] - e);
    for ((want, got), axis) in [x, y, z, e + way]
        .into_iter()
        .zip(got.target)
        .zip(["X", "Y", "Z", "E"])
    {
        if !near(want, got) {
            return Some(axis);
        }
    }
    if !near(want.feed_mm_per_min, got.feed_mm_per_min) {
        return Some("its feed rate");
    }
    if want.spindle_rpm != got.spindle_rpm {
        return Some("the spindle");
    }
    if want.coolant != got.coolant {
        return Some("the coolant");
    }
    (want.fraction != got.fraction).then_some("how much of it was made")
}

fn same_kind(want: &Kind, got: &Kind) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= NEAR * a.abs().max(1.0);
    match (want, got) {
        (Kind::Arc(a), Kind::Arc(b)) => {
            (a.axis_0, a.axis_1) == (b.axis_0, b.axis_1)
                && near(a.center[0], b.center[0])
                && near(a.center[1], b.center[1])
                && near(a.radius, b.radius)
                && near(a.sweep, b.sweep)
        }
        (Kind::Dwell { seconds: a }, Kind::Dwell { seconds: b }) => near(*a, *b),
        (a, b) => a.name() == b.name(),
    }
}

/// Highest machine Z that the program goes to on this machine; where it was before does not count. A program that shifts its Z on the
/// way has no height that is above everything.
fn ceiling(program: &Program, mut oracle: modal::Machine) -> Option<f64> {
    let (home, mut highest) = (oracle.height(), None);
    let mut shift = None;
    for text in &program.source {
        // A refused line is found when it is its turn.
        let read = oracle.read(&without_skipped(program, text));
        let height = oracle.height();
        if read.is_err() || (height == home && highest.is_none()) {
            continue;
        }
        if *shift.get_or_insert(oracle.shift_z()) != oracle.shift_z() {
            return None;
        }
        highest = Some(highest.map_or(height, |highest: f64| highest.max(height)));
    }
    highest
}

/// The line without the codes that the settings leave out of the program.
fn without_skipped(program: &Program, text: &str) -> String {
    let mut text = text.to_owned();
    for word in &program.settings.skip {
        text = text.replace(&word.to_string(), "");
    }
    text
}
