//! Asking a controller what it knows of itself, without moving it.
//!
//! grbl: two reports in a row of a machine that stands still, `$$`, `$G`, `$#`, and a report that the place is still the same.
//! Marlin: `M400` empties the planner, a line with a number that cannot be right makes it name the last one it took, `M114` and
//! `M105` say where it stands and how warm it is. All of them can be asked again, so an answer that gets lost costs a second. An answer
//! counts only while its question is open; the last line, by which a job finds its place, is asked twice and has to be the same.

use core::time::Duration;

use super::{
    GreetingError, Phase, Streamer, Timer,
    flight::Query,
    geometry::Geometry,
    greeting::{ASK_AGAIN, KNOCK_AGAIN, Step},
};
use crate::{
    dialect::{
        Coordinates, Dialect, Firmware, MachineError, MachineState, OffsetKind, RealtimeCommand,
        Response, StatusReport,
    },
    resume::{Facts, StoredOffsets},
};

/// How often a question is asked before the controller counts as one that cannot answer it.
const TRIES: u32 = 3;
/// How often a last line is asked anew that was another one the second time, before the controller counts as one that cannot tell it.
const DISAGREEMENTS: u32 = 3;
/// How often a printer is waited for anew that was still under way.
const WAITS: u32 = 3;
/// What two places may differ by that are printed with two digits, mm.
const PRINTED: f64 = 0.02;
/// Reports of a machine that stands still at the same place, before it counts as standing still.
const STILL_REPORTS: u32 = 2;
/// How long an empty planner may be waited for without a sign of life.
const FINISH_AGAIN: Duration = Duration::from_secs(5);

/// What is asked, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// grbl: does the machine stand still? Asked with `?`, which is answered also by a busy one.
    Still,
    /// grbl: settings, among them the units of everything else.
    Settings,
    /// grbl: the parser's words.
    Words,
    /// grbl: offsets.
    Offsets,
    /// grbl: does it still stand where it stood?
    StillThere,
    /// Marlin: has every motion finished?
    Finished,
    /// Marlin: which line was the last?
    LastLine,
    /// Marlin: is it still the same?
    SameLastLine,
    /// Marlin: where does the planner end?
    Position,
    /// Marlin: where do the motors stand?
    RealPosition,
    /// Marlin: how warm is it?
    Temperatures,
}

impl Question {
    pub(super) fn all(dialect: Dialect) -> &'static [Self] {
        match dialect {
            Dialect::Grbl => &[
                Self::Still,
                Self::Settings,
                Self::Words,
                Self::Offsets,
                Self::StillThere,
            ],
            Dialect::Marlin => &[
                Self::Finished,
                Self::LastLine,
                Self::SameLastLine,
                Self::Position,
                Self::RealPosition,
                Self::Temperatures,
            ],
        }
    }

    /// The line that asks it; `None` for a realtime report.
    fn query(self) -> Option<Query> {
        Some(match self {
            Self::Still | Self::StillThere => return None,
            Self::Words => Query::Words,
            Self::Offsets => Query::Offsets,
            Self::Settings => Query::Settings,
            Self::Finished => Query::Finish,
            Self::LastLine | Self::SameLastLine => Query::LastLine,
            Self::Position => Query::Position,
            Self::RealPosition => Query::RealPosition,
            Self::Temperatures => Query::Temperatures,
        })
    }
}

/// How far the questions have come.
#[derive(Debug, Default)]
pub(super) struct Inquiry {
    at: usize,
    tries: u32,
    answered: bool,
    /// Something was said to it, at one of the tries.
    heard: bool,
    still: u32,
}

impl Streamer {
    /// From the next connection on, the controller is asked what it knows of itself before it counts as ready, and again when a
    /// program begins: [`facts`](Self::facts). The greeting then waits for as long as reports show a motion that makes progress.
    pub fn wish_facts(&mut self) {
        self.wishes_facts = true;
    }

    /// A program begins: what may have been changed since the greeting is asked again, ahead of its first line.
    pub(super) fn take_stock(&mut self) {
        let Some(facts) = self.facts.as_deref_mut() else {
            self.geometry = None;
            return;
        };
        if self.config.dialect == Dialect::Marlin {
            // What was sent since the greeting was followed, and nothing is asked again.
            self.geometry.get_or_insert_with(|| Geometry::of(facts));
        } else {
            self.followed = self.geometry.replace(Geometry::new(Dialect::Grbl));
            facts.words = None;
            facts.offsets = StoredOffsets::default();
            // The last report may be from the middle of what a command led to. The next one is asked for ahead of the words and the
            // offsets, which grbl tells only where nothing moves.
            self.status = None;
            self.send_realtime(RealtimeCommand::Status);
            self.taking_stock = true;
            self.ask(Query::Offsets);
            self.ask(Query::Words);
        }
    }

    /// Words and offsets were answered.
    pub(super) fn stock_taken(&mut self) {
        self.taking_stock = false;
        let Some(facts) = self.facts.as_deref_mut() else {
            return;
        };
        let told = self.status;
        facts.machine_position = told.and_then(|report| facts.machine_position_in(&report));
        let mut geometry = Geometry::of(facts);
        // A report from the middle of what was sent since the greeting tells no place to begin from.
        let stands = told.is_some_and(|report| !report.state.may_move());
        match self.followed.take() {
            Some(followed) => geometry.go_on_from(&followed, stands),
            None if !stands => geometry.lose(),
            None => {}
        }
        self.geometry = Some(geometry);
    }

    fn question(&self) -> Option<Question> {
        let all = Question::all(self.config.dialect);
        all.get(self.greeting.inquiry.at).copied()
    }

    /// Begins with the questions.
    pub(super) fn inquire(&mut self, now: Duration) {
        self.greeting.inquiry = Inquiry::default();
        self.greeting.last_line = None;
        self.greeting.disagreements = 0;
        self.greeting.waits = 0;
        self.extend_greeting(now);
        self.put_question(now);
    }

    /// Asks the question that is due, or ends the greeting.
    fn put_question(&mut self, now: Duration) {
        self.greeting.step = Step::Inquire;
        self.greeting.inquiry.answered = false;
        let Some(question) = self.question() else {
            self.complete_facts();
            return self.inquired(now);
        };
        self.forget_answer(question);
        let again = match question.query() {
            None => {
                self.realtime.push(b'?');
                KNOCK_AGAIN
            }
            Some(query) => {
                self.flight.clear();
                self.commands.clear();
                self.greeting.open += 1;
                self.ask(query);
                if question == Question::Finished {
                    FINISH_AGAIN
                } else {
                    ASK_AGAIN
                }
            }
        };
        self.timers.set(Timer::Ask, now + again);
    }

    /// What is known already, from a session before or by mistake, is no answer to a question that is put now.
    fn forget_answer(&mut self, question: Question) {
        let Some(facts) = self.facts.as_deref_mut() else {
            return;
        };
        match question {
            Question::LastLine | Question::SameLastLine => facts.last_line = None,
            Question::Position => facts.position = None,
            Question::RealPosition => facts.real_position = None,
            Question::Temperatures => facts.temperatures = None,
            _ => {}
        }
    }

    fn next_question(&mut self, now: Duration) {
        let at = self.following();
        self.greeting.inquiry = Inquiry {
            at,
            ..Inquiry::default()
        };
        self.extend_greeting(now);
        self.put_question(now);
    }

    /// The question that comes next, when the one that is open is done with.
    fn following(&mut self) -> usize {
        let at = self.greeting.inquiry.at;
        let told = self.facts.as_deref().and_then(|facts| facts.last_line);
        match self.question() {
            // Who cannot tell it cannot tell it again.
            Some(Question::LastLine) if told.is_none() => at + 2,
            Some(Question::LastLine) => {
                self.greeting.last_line = told;
                at + 1
            }
            // One of the two was not an answer, and nothing tells which.
            Some(Question::SameLastLine) if told != self.greeting.last_line => {
                self.greeting.disagreements += 1;
                if let Some(facts) = self.facts.as_deref_mut() {
                    facts.last_line = None;
                }
                if self.greeting.disagreements < DISAGREEMENTS {
                    at - 1
                } else {
                    at + 1
                }
            }
            // The planner is not empty, so the answer that said so was another line's. Some printers correct one of the two places
            // and not the other.
            Some(Question::RealPosition) if self.is_under_way() && self.greeting.waits < WAITS => {
                self.greeting.waits += 1;
                0
            }
            _ => at + 1,
        }
    }

    /// The motors stand elsewhere than the planner ends.
    fn is_under_way(&self) -> bool {
        let facts = self.facts.as_deref();
        let places = facts.and_then(|facts| facts.position.zip(facts.real_position));
        places.is_some_and(|(planned, real)| {
            [b'X', b'Y', b'Z'].into_iter().any(|axis| {
                let ends = planned.get(axis).zip(real.get(axis));
                ends.is_some_and(|(planned, real)| (planned - real).abs() > PRINTED)
            })
        })
    }

    /// The question got no answer, or one that could not be read.
    pub(super) fn question_again(&mut self, now: Duration) {
        let waits = matches!(
            self.question(),
            Some(Question::Still | Question::StillThere | Question::Finished)
        );
        self.greeting.inquiry.tries += 1;
        if !waits && self.greeting.inquiry.tries >= TRIES {
            if self.greeting.inquiry.heard {
                self.next_question(now);
            } else {
                // Not even an error: it has died meanwhile.
                self.fail_greeting(GreetingError::Silent);
            }
        } else {
            self.put_question(now);
        }
    }

    /// A response while questions are asked; what it says is noted already.
    pub(super) fn on_inquiry_response(&mut self, now: Duration, response: &Response<'_>) {
        self.greeting.inquiry.heard |= response.answers_line();
        match response {
            Response::Status(report) => return self.on_inquiry_status(now, report),
            Response::Ok(_) => {
                self.flight.clear();
                self.greeting.inquiry.answered = true;
            }
            // grbl reads settings only while it stands still.
            Response::Error(error) if error.answers_line() => {
                self.flight.clear();
                self.greeting.inquiry.tries += 1;
            }
            _ => {}
        }
        if self.greeting.inquiry.answered && self.has_answer() {
            self.next_question(now);
        }
    }

    fn on_inquiry_status(&mut self, now: Duration, report: &StatusReport) {
        let Some(question @ (Question::Still | Question::StillThere)) = self.question() else {
            return;
        };
        let stands = matches!(report.state, MachineState::Idle | MachineState::Check);
        let inquiry = &mut self.greeting.inquiry;
        if !stands {
            // A motion began behind the lines that were still in its buffer.
            *inquiry = Inquiry::default();
            return;
        }
        if question == Question::StillThere {
            if self.greeting.place == place_of(report) {
                return self.next_question(now);
            }
            *inquiry = Inquiry::default();
        }
        inquiry.still = if self.greeting.place == place_of(report) {
            inquiry.still + 1
        } else {
            1
        };
        self.greeting.place = place_of(report);
        if inquiry.still >= STILL_REPORTS {
            self.next_question(now);
        }
    }

    /// Whether the question is answered by what is known.
    fn has_answer(&self) -> bool {
        let (Some(question), Some(facts)) = (self.question(), &self.facts) else {
            return false;
        };
        match question {
            Question::Still | Question::StillThere => false,
            Question::Words => facts.words.is_some(),
            Question::Offsets => {
                let known = &facts.offsets;
                known.systems.iter().all(Option::is_some)
                    && known.g92.is_some()
                    && known.tool_length.is_some()
            }
            Question::Settings => facts
                .steps_per_mm
                .is_some_and(|steps| steps.iter().all(|axis| *axis > 0.0)),
            Question::Finished => true,
            Question::LastLine | Question::SameLastLine => facts.last_line.is_some(),
            Question::Position => facts.position.is_some(),
            Question::RealPosition => facts.real_position.is_some(),
            Question::Temperatures => facts.temperatures.is_some(),
        }
    }

    /// Keeps what a response tells, while facts are wished for.
    pub(super) fn note_fact(&mut self, response: &Response<'_>) {
        let asks = matches!(self.phase, Phase::Greeting) && self.greeting.step == Step::Inquire;
        let question = asks.then(|| self.question()).flatten();
        let Some(facts) = self.facts.as_deref_mut() else {
            return;
        };
        match response {
            Response::Started(_) => {
                facts.was_reset = true;
                facts.last_line = None;
                self.greeting.expects = None;
            }
            Response::Version { version, note } => {
                (*version).clone_into(&mut facts.identity.firmware);
                (*note).clone_into(&mut facts.identity.note);
            }
            Response::Firmware(firmware) => note_firmware(facts, firmware),
            Response::Status(report) => note_report(facts, report),
            Response::ParserState(words) => facts.words = Some((*words).to_owned()),
            Response::Offsets(offsets) => note_offsets(facts, offsets.kind, &offsets.values),
            Response::Setting(setting) => {
                if let (Some(number), Ok(value)) = (setting.number(), setting.value.parse()) {
                    note_setting(facts, number, value);
                }
            }
            Response::Error(MachineError::Marlin(error))
                if matches!(question, Some(Question::LastLine | Question::SameLastLine)) =>
            {
                facts.last_line = error.last_line.or(facts.last_line);
            }
            Response::Resend(number) if question.is_some() => {
                self.greeting.expects = Some(*number);
            }
            Response::Position(report) => match question {
                Some(Question::RealPosition) => facts.real_position = Some(report.position),
                Some(Question::Position) => facts.position = Some(report.position),
                _ => {}
            },
            Response::Temperature(report) if question == Some(Question::Temperatures) => {
                facts.temperatures = Some(*report);
            }
            _ => {}
        }
    }

    /// Everything was asked: what depends on several answers is put together.
    fn complete_facts(&mut self) {
        let Some(facts) = self.facts.as_deref_mut() else {
            return;
        };
        if let Some(report) = &self.status {
            facts.machine_position = facts.machine_position_in(report);
        }
    }
}

fn place_of(report: &StatusReport) -> Option<Coordinates> {
    report.machine_position.or(report.work_position)
}

fn note_firmware(facts: &mut Facts, firmware: &Firmware<'_>) {
    let identity = &mut facts.identity;
    let owned = |value: Option<&str>| value.map(str::to_owned);
    // grblHAL tells its name beside its version.
    if firmware.field("FIRMWARE_NAME").is_some() {
        firmware.name().clone_into(&mut identity.firmware);
        identity.note = owned(firmware.field("MACHINE_TYPE")).unwrap_or_default();
        identity.uuid = owned(firmware.field("UUID"));
    }
}

fn note_report(facts: &mut Facts, report: &StatusReport) {
    facts.state = Some(report.state);
    if let Some(offset) = report.work_offset {
        facts.work_offset = Some(facts.to_mm(offset));
    }
    if report.machine_position.is_some() {
        facts.machine_position = facts.machine_position_in(report);
    }
}

fn note_offsets(facts: &mut Facts, kind: OffsetKind, values: &Coordinates) {
    let values = facts.to_mm(*values);
    let offsets = &mut facts.offsets;
    match kind {
        OffsetKind::WorkCoordinates(system) => {
            let slot = usize::from(system)
                .checked_sub(1)
                .and_then(|at| offsets.systems.get_mut(at));
            if let Some(slot) = slot {
                *slot = values.xyz();
            }
        }
        OffsetKind::G92 => offsets.g92 = values.xyz(),
        // grbl tells one value, along Z; relatives tell one for each axis.
        OffsetKind::ToolLength => {
            offsets.tool_length = values.xyz().map(|[_, _, z]| z).or_else(|| values.get(0));
        }
        _ => {}
    }
}

fn note_setting(facts: &mut Facts, number: u16, value: f64) {
    match number {
        13 => {
            let before = core::mem::replace(&mut facts.reports_inches, value != 0.0);
            if facts.reports_inches && !before {
                // It came with a report that was taken for millimetres.
                facts.work_offset = facts.work_offset.map(|offset| facts.to_mm(offset));
            }
        }
        32 => facts.laser_mode = Some(value != 0.0),
        100..=102 => {
            let steps = facts.steps_per_mm.get_or_insert([0.0; 3]);
            steps[usize::from(number) - 100] = value;
        }
        _ => {}
    }
}
