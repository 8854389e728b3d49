//! The program of a run, and which of its lines left.

use std::collections::BTreeMap;

use feedhold_stream_core::{
    chunk::{Class, Prepared, Stop},
    dialect::Dialect,
    streamer::{State, Streamer},
};

use crate::fuzz::Input;

/// Lines by their number in the file.
#[derive(Debug, Default)]
pub(super) struct Program {
    lines: BTreeMap<u64, Class>,
    /// Last line of the file that was pushed.
    last: u64,
    chunks: u64,
    /// Last line that left for the first time.
    sent: u64,
    skipped: u64,
    /// Behind this line nothing belongs to the program any more.
    end: Option<u64>,
}

const CLASSES: [Class; 16] = [
    Class::Motion,
    Class::Motion,
    Class::Motion,
    Class::Motion,
    Class::Motion,
    Class::Motion,
    Class::Motion,
    Class::Motion,
    Class::Modal,
    Class::Sync,
    Class::Patient,
    Class::Exclusive,
    Class::Stop(Stop::Pause),
    Class::Stop(Stop::ToolChange),
    Class::Stop(Stop::OptionalPause),
    Class::Stop(Stop::End),
];

impl Program {
    /// A program whose lines up to `done` were executed before.
    pub(super) fn starting_behind(done: u64) -> Self {
        Self {
            last: done,
            sent: done,
            ..Self::default()
        }
    }

    /// Pushes a chunk of some lines. Mostly when the streamer wants one.
    pub(super) fn push(&mut self, streamer: &mut Streamer, how: u8, input: &mut Input<'_>) {
        if !streamer.is_running() || (!streamer.wants_program() && how < 7) {
            return;
        }
        let count = u64::from(input.byte() % 24);
        let classes = input.byte();
        let lines: Vec<(String, Class)> = (self.last + 1..=self.last + count)
            .map(|line| {
                let class = if classes == 0 {
                    Class::Motion
                } else {
                    input.pick(&CLASSES)
                };
                (text(line, class), class)
            })
            .collect();
        let chunk = Prepared::from_lines(
            self.last + 1,
            lines.iter().map(|(text, class)| (text.as_str(), *class)),
        );
        streamer.push(chunk.with_index(self.chunks));
        self.chunks += 1;
        if self.end.is_none() {
            let numbers = self.last + 1..;
            self.lines
                .extend(numbers.zip(lines.iter().map(|(_, class)| *class)));
            self.last += count;
        }
    }

    /// The file has no more lines.
    pub(super) fn finish(&mut self, streamer: &Streamer) {
        if streamer.is_running() {
            self.end.get_or_insert(self.last);
        }
    }

    /// A stop was passed without sending its line.
    pub(super) fn skip(&mut self, line: u64) {
        assert!(
            matches!(self.lines.get(&line), Some(Class::Stop(_))),
            "line {line} is skipped and no stop"
        );
        assert!(line > self.sent, "line {line} is skipped after it was sent");
        self.skipped = line;
    }

    /// Last line that was skipped.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// A line left in this state.
    pub(super) fn left(&mut self, dialect: Dialect, state: State, line: u64) {
        let class = self.lines.get(&line).copied();
        assert!(
            class.is_some(),
            "line {line} left and belongs to no program: {self:?}"
        );
        if line <= self.sent {
            let resends = matches!(state, State::Streaming | State::Pausing | State::Cancelling);
            assert!(
                dialect == Dialect::Marlin && resends,
                "line {line} left again while {state:?}, behind {}",
                self.sent
            );
            return;
        }
        assert_eq!(state, State::Streaming, "line {line} left");
        assert!(
            self.end.is_none_or(|end| line <= end),
            "line {line} left behind the end"
        );
        self.only_stops_are_missing(line);
        self.sent = line;
        if matches!(class, Some(Class::Stop(Stop::End | Stop::EndRewind))) {
            self.end = Some(line);
        }
    }

    /// The whole program is said to be executed.
    pub(super) fn finished(&self) {
        let end = self.end.expect("a program that is finished has an end");
        self.only_stops_are_missing(end + 1);
    }

    /// Between the last line that left and `line` there is nothing but stops that were passed.
    fn only_stops_are_missing(&self, line: u64) {
        for (missing, class) in self.lines.range(self.sent + 1..line) {
            let passed = matches!(class, Class::Stop(_)) && *missing <= self.skipped;
            assert!(
                passed,
                "line {missing} ({class}) is left out before line {line}"
            );
        }
    }
}

/// Every line names its number behind an X, and no other line holds an X.
fn text(line: u64, class: Class) -> String {
    match class {
        Class::Motion => format!("G1X{line}F100"),
        Class::Modal => format!("G21X{line}"),
        Class::Sync => format!("M3S1X{line}"),
        Class::Patient => format!("G4P0.5X{line}"),
        Class::Exclusive => format!("$1={line}X{line}"),
        _ => format!("M0X{line}"),
    }
}
