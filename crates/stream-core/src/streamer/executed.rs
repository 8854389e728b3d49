//! Which lines are proved to be executed.
//!
//! Lines are executed in order, so one proof settles every line before it. There are five:
//!
//! * the planner holds only so many blocks: a motion is over once enough others, each with a block of its own, were answered behind
//!   it, by what the firmware can hold at most, or by what a report says it holds now (`Bf`, `P`);
//! * a report names the line whose block is being prepared (`Ln`), and no more than the segments behind it are still to come;
//! * a report names a place, and the machine can only be on the lines whose path leads through it;
//! * an answer that is given only when the planner is empty;
//! * a machine that stands idle, twice in a row, with nothing unanswered.

use std::collections::VecDeque;

use super::geometry::Step;
use crate::{
    chunk::{Class, WireLine},
    dialect::Dialect,
};

/// Segments that may wait behind the planner where the firmware does not tell: 12 on FluidNC, 10 on grblHAL, 5 on grbl.
const SEGMENTS: usize = 12;

/// Lines that were sent and are not proved to be executed.
#[derive(Debug, Clone)]
pub(super) struct Executed {
    dialect: Dialect,
    /// Blocks a controller may have taken and not finished.
    lag: usize,
    /// How many of them can wait behind the planner.
    segments: usize,
    /// Usable blocks of the planner, when the controller told.
    planner: Option<usize>,
    /// Oldest first. Commands beside the program stand among them.
    pending: VecDeque<Pending>,
    /// Where each of them leads, when that is followed.
    steps: VecDeque<Step>,
    /// Lines sent and lines dropped from `pending`, since the streamer was made.
    sent: u64,
    dropped: u64,
    /// An `ok` proves nothing by itself: there may be one too many. Lines count as answered when they are [confirmed](Self::confirmed).
    needs_proof: bool,
    /// How many of them were answered,
    answered: usize,
    /// and how many blocks those take at least.
    blocks: usize,
    acked: u64,
}

/// One line.
#[derive(Debug, Clone, Copy)]
struct Pending {
    /// The line; for a command, the last line of the program before it.
    line: u64,
    whose: Whose,
    kind: Kind,
}

/// Whose line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The program's.
    Program,
    /// Somebody's at a console.
    Command,
}

/// What a line is for the planner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It certainly takes a block.
    Block,
    /// It may move the machine, or not.
    Motion,
    /// It is answered when the planner is empty.
    Drains,
    /// Nothing of that.
    Other,
}

impl Kind {
    /// As far as the line itself tells. Spindle and coolant wait for the planner only when they change, which it does not tell.
    pub(super) fn of(dialect: Dialect, line: &WireLine<'_>) -> Self {
        match line.class {
            Class::Motion if line.takes_block => Self::Block,
            Class::Motion => Self::Motion,
            Class::Patient | Class::Exclusive | Class::Stop(_) if dialect == Dialect::Grbl => {
                Self::Drains
            }
            _ => Self::Other,
        }
    }
}

impl Executed {
    pub(super) fn new(dialect: Dialect) -> Self {
        let lag = dialect.lag_blocks();
        let planner = dialect.planner_blocks();
        Self {
            dialect,
            lag,
            segments: lag.saturating_sub(planner),
            planner: None,
            pending: VecDeque::with_capacity(64),
            steps: VecDeque::new(),
            sent: 0,
            dropped: 0,
            needs_proof: false,
            answered: 0,
            blocks: 0,
            acked: 0,
        }
    }

    /// The controller told how many blocks it plans ahead. A larger planner than the stock one, with the segments that relatives
    /// of grbl keep behind it, holds more motions that were answered and not finished.
    pub(super) fn set_planner(&mut self, blocks: usize) {
        self.planner = Some(blocks);
        if blocks > self.dialect.planner_blocks() {
            if self.dialect == Dialect::Grbl {
                self.segments = SEGMENTS;
            }
            self.lag = self.lag.max(blocks + self.segments);
        }
    }

    /// Starts a program whose lines up to `done` are finished. `needs_proof` when its answers will be [confirmed](Self::confirmed).
    pub(super) fn begin(&mut self, done: u64, needs_proof: bool) {
        self.pending.clear();
        self.steps.clear();
        self.dropped = self.sent;
        self.needs_proof = needs_proof;
        (self.answered, self.blocks) = (0, 0);
        self.acked = done;
    }

    /// A line left.
    pub(super) fn on_sent(&mut self, line: u64, whose: Whose, kind: Kind) {
        self.pending.push_back(Pending { line, whose, kind });
        self.sent += 1;
    }

    /// How many lines have left.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// It is certain that the first `mark` lines sent were taken.
    pub(super) fn confirmed(&mut self, mark: u64) {
        if !self.needs_proof {
            return;
        }
        while self.dropped + (self.answered as u64) < mark.min(self.sent) {
            self.answer_one();
        }
        self.within(self.lag);
    }

    /// A line left whose way is followed: either every line of a program is, or none.
    pub(super) fn on_followed(&mut self, line: u64, whose: Whose, step: Step) {
        self.on_sent(line, whose, step.kind);
        self.steps.push_back(step);
    }

    /// A line of the program was answered.
    pub(super) fn on_ack(&mut self, line: u64) {
        self.acked = line;
        if self.needs_proof {
            return;
        }
        while self
            .pending
            .get(self.answered)
            .is_some_and(|next| next.whose == Whose::Program && next.line <= line)
        {
            self.answer_one();
        }
        self.within(self.lag);
    }

    /// The line that is answered next is refused. It takes no block and waits for none, so it proves nothing about those before it.
    pub(super) fn on_refused(&mut self) {
        if let Some(next) = self.pending.get_mut(self.answered) {
            next.kind = Kind::Other;
        }
    }

    /// A command beside the program was answered.
    pub(super) fn on_command_ack(&mut self) {
        let next = self.pending.get(self.answered);
        if !self.needs_proof && next.is_some_and(|next| next.whose == Whose::Command) {
            self.answer_one();
            self.within(self.lag);
        }
    }

    fn answer_one(&mut self) {
        let Some(next) = self.pending.get(self.answered) else {
            return;
        };
        self.blocks += usize::from(next.kind == Kind::Block);
        self.answered += 1;
        if next.kind == Kind::Drains {
            self.drop_first(self.answered);
        }
    }

    /// A line that counted as taken was not.
    pub(super) fn retract(&mut self, line: u64) {
        self.acked = self.acked.min(line.saturating_sub(1));
        if self.needs_proof {
            return;
        }
        while let Some(at) = self.answered.checked_sub(1) {
            let Some(last) = self.pending.get(at).filter(|last| last.line >= line) else {
                return;
            };
            self.blocks -= usize::from(last.kind == Kind::Block);
            self.answered = at;
            if last.whose == Whose::Command {
                // Its answer has been told and will not come again.
                self.pending.remove(at);
                self.steps.remove(at);
            }
        }
    }

    /// The planner was proven empty: all that was answered has been executed.
    pub(super) fn drained(&mut self) {
        self.drop_first(self.answered);
    }

    /// A report says how many blocks of the planner are free.
    pub(super) fn on_planner_free(&mut self, free: usize) {
        if let Some(planner) = self.planner {
            self.within(planner.saturating_sub(free) + self.segments);
        }
    }

    /// A report names the line whose block is being prepared.
    pub(super) fn on_line_number(&mut self, number: u64) {
        let steps = self.steps.iter().enumerate();
        let mut found = steps.filter(|(_, step)| step.number == Some(number));
        let (Some((at, _)), None) = (found.next(), found.next()) else {
            return;
        };
        let mut behind = 0;
        for first in (0..at).rev() {
            if behind >= self.segments {
                return self.drop_first(first + 1);
            }
            behind += usize::from(self.pending[first].kind == Kind::Block);
        }
    }

    /// A report names the place where the machine was, in machine coordinates.
    pub(super) fn on_place(&mut self, at: [f64; 3], tolerance: f64) {
        let first = self
            .steps
            .iter()
            .position(|step| step.may_be_near(at, tolerance));
        if let Some(first) = first {
            self.drop_first(first);
        }
    }

    /// No more than `most` blocks of what was answered are unfinished.
    fn within(&mut self, most: usize) {
        let (mut first, mut blocks) = (0, self.blocks);
        while let Some(next) = self.pending.get(first).filter(|_| first < self.answered) {
            let behind = blocks - usize::from(next.kind == Kind::Block);
            // What is no motion is over with everything before it.
            if behind < most && next.kind != Kind::Other {
                break;
            }
            blocks = behind;
            first += 1;
        }
        self.drop_first(first);
    }

    fn drop_first(&mut self, count: usize) {
        for _ in 0..count {
            let Some(gone) = self.pending.pop_front() else {
                return;
            };
            self.steps.pop_front();
            self.dropped += 1;
            if self.answered > 0 {
                self.answered -= 1;
                self.blocks -= usize::from(gone.kind == Kind::Block);
            }
        }
    }

    pub(super) fn acked(&self) -> u64 {
        self.acked
    }

    pub(super) fn executed(&self) -> u64 {
        let program = |pending: &&Pending| pending.whose == Whose::Program;
        match self.pending.iter().find(program) {
            Some(first) => self.acked.min(first.line.saturating_sub(1)),
            None => self.acked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::geometry::Geometry, *};

    /// Lines on their way to a controller, with what a geometry makes of them.
    struct Run {
        executed: Executed,
        geometry: Geometry,
        line: u64,
    }

    impl Run {
        fn new(dialect: Dialect) -> Self {
            Self {
                executed: Executed::new(dialect),
                geometry: Geometry::new(dialect),
                line: 0,
            }
        }

        fn send(&mut self, text: &str, class: Class) {
            self.line += 1;
            let step = self.geometry.follow(text.as_bytes(), class);
            self.executed.on_followed(self.line, Whose::Program, step);
        }

        fn run(&mut self, text: &str, class: Class) {
            self.send(text, class);
            self.executed.on_ack(self.line);
        }

        /// So many motions, each longer than any step.
        fn moves(&mut self, count: usize) {
            for _ in 0..count {
                let text = format!("G1 X{} F600", 10 + self.line);
                self.run(&text, Class::Motion);
            }
        }
    }

    fn lag(dialect: Dialect) -> usize {
        dialect.lag_blocks()
    }

    #[test]
    fn motions_are_executed_once_enough_followed() {
        let mut run = Run::new(Dialect::Grbl);
        // The first may be where the machine stands already.
        run.moves(lag(Dialect::Grbl));
        assert_eq!(run.executed.executed(), 0);
        run.moves(1);
        assert_eq!(run.executed.executed(), 1);
        run.run("F300", Class::Modal);
        let acked = lag(Dialect::Grbl) as u64 + 2;
        assert_eq!((run.executed.executed(), run.executed.acked()), (1, acked));
        run.run("G4 P0", Class::Patient);
        assert_eq!(run.executed.executed(), acked + 1);
    }

    #[test]
    fn a_refused_motion_proves_nothing_about_those_before_it() {
        let mut run = Run::new(Dialect::Grbl);
        run.moves(lag(Dialect::Grbl));
        run.send("G1 X500 F600", Class::Motion);
        run.executed.on_refused();
        run.executed.on_ack(run.line);
        assert_eq!(run.executed.executed(), 0);
        run.send("G4 P0", Class::Patient);
        run.executed.on_refused();
        run.executed.on_ack(run.line);
        assert_eq!(run.executed.executed(), 0);
        run.moves(1);
        assert_eq!(run.executed.executed(), 1);
    }

    #[test]
    fn motions_without_length_take_no_block_and_prove_nothing() {
        let mut run = Run::new(Dialect::Grbl);
        run.moves(2);
        for _ in 0..100 {
            run.run("G1 X11", Class::Motion);
            run.run("G91 G1 X0.001", Class::Motion);
            run.run("G90", Class::Modal);
        }
        assert_eq!(run.executed.executed(), 0);
    }

    #[test]
    fn a_spindle_that_does_not_change_proves_nothing() {
        let mut run = Run::new(Dialect::Grbl);
        run.moves(3);
        run.run("M3 S1000", Class::Sync);
        assert_eq!(run.executed.executed(), 0, "it may have turned before");
    }

    #[test]
    fn a_larger_planner_holds_more_back() {
        let mut run = Run::new(Dialect::Grbl);
        run.executed.set_planner(100);
        run.moves(112);
        assert_eq!(run.executed.executed(), 0);
        run.moves(1);
        assert_eq!(run.executed.executed(), 1);
    }

    #[test]
    fn a_report_of_free_blocks_proves_the_rest() {
        let mut run = Run::new(Dialect::Grbl);
        run.executed.set_planner(15);
        run.moves(18);
        run.executed.on_planner_free(10);
        // Five in the planner, five segments behind it.
        assert_eq!(run.executed.executed(), 8);
        run.executed.on_planner_free(15);
        assert_eq!(run.executed.executed(), 13);
    }

    #[test]
    fn a_line_number_leads_by_the_segments() {
        let mut run = Run::new(Dialect::Grbl);
        for line in 1..=15_u64 {
            let text = format!("N{} G90 G1 X{} F600", line * 10, 10 + line);
            run.run(&text, Class::Motion);
        }
        run.executed.on_line_number(120);
        assert_eq!(run.executed.executed(), 6);
        run.run("N140 G1 X90", Class::Motion);
        run.executed.on_line_number(140);
        assert_eq!(run.executed.executed(), 6, "two lines have this number");
    }

    #[test]
    fn a_marlin_heat_up_proves_nothing_about_the_planner() {
        let mut run = Run::new(Dialect::Marlin);
        run.moves(1);
        run.run("M109 S200", Class::Patient);
        assert_eq!(run.executed.executed(), 0);
        run.executed.drained();
        assert_eq!(run.executed.executed(), 2);
    }

    #[test]
    fn an_answer_taken_back_takes_its_proof_along() {
        let mut run = Run::new(Dialect::Marlin);
        run.moves(10);
        run.executed.retract(6);
        assert_eq!((run.executed.executed(), run.executed.acked()), (0, 5));
        for line in 6..=10 {
            run.executed.on_ack(line);
        }
        run.moves(6);
        assert_eq!(run.executed.executed(), 1);
    }
}
