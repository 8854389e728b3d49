//! What may leave, and in which form.

use core::time::Duration;
use std::io::Write as _;

use feedhold_gcode_parse::checksum;

use super::{
    Cancelling, Event, Fault, Pause, Phase, Streamer, Timer,
    count::asks_temperatures,
    event::CommandId,
    executed::{Kind, Whose},
    flight::{InFlight, Numbered, Origin, Query},
};
use crate::{
    chunk::{Class, Stop},
    dialect::{Dialect, RealtimeCommand},
};

/// Bytes handed out by one call, so that realtime commands and answers get their turn.
const BURST: usize = 16 * 1024;

/// A line of the driver or of the streamer itself that waits for its turn.
#[derive(Debug)]
pub(super) struct Queued {
    origin: Origin,
    class: Class,
    text: Vec<u8>,
    numbered: bool,
}

impl Queued {
    pub(super) fn command(id: CommandId, class: Class, text: &[u8], dialect: Dialect) -> Self {
        Self {
            origin: Origin::Command(id),
            class,
            text: text.to_vec(),
            numbered: dialect == Dialect::Marlin,
        }
    }

    pub(super) fn query(dialect: Dialect, query: Query) -> Self {
        let (text, class, numbered): (&[u8], Class, bool) = match (query, dialect) {
            (Query::IdentifyFirst, _) => (dialect.identify_first(), Class::Modal, false),
            (Query::Identify, _) => (dialect.identify(), Class::Modal, false),
            (Query::CountFrom(number), _) => {
                let text = format!("M110 N{number}");
                return Self {
                    origin: Origin::Query(query),
                    class: Class::Exclusive,
                    text: text.into_bytes(),
                    numbered: true,
                };
            }
            (Query::Barrier, _) => (
                dialect.barrier(),
                Class::Patient,
                dialect == Dialect::Marlin,
            ),
            (Query::Confirm, _) => (b"M105", Class::Patient, true),
            (Query::Count, _) => (b"M105", Class::Modal, true),
            (Query::Probe | Query::Temperatures, _) => (b"M105", Class::Modal, false),
            (Query::Words, _) => (b"$G", Class::Exclusive, false),
            (Query::Offsets, _) => (b"$#", Class::Exclusive, false),
            (Query::Settings, _) => (b"$$", Class::Exclusive, false),
            (Query::Finish, _) => (b"M400", Class::Patient, false),
            (Query::LastLine, _) => (b"M105", Class::Modal, true),
            (Query::Position, _) => (b"M114", Class::Modal, false),
            (Query::RealPosition, _) => (b"M114 R", Class::Modal, false),
        };
        Self {
            origin: Origin::Query(query),
            class,
            text: text.to_vec(),
            numbered,
        }
    }

    fn is_query(&self) -> bool {
        matches!(self.origin, Origin::Query(_))
    }

    fn is_probe(&self) -> bool {
        matches!(self.origin, Origin::Query(Query::Probe))
    }

    pub(super) fn is_of_count(&self) -> bool {
        matches!(
            self.origin,
            Origin::Query(Query::Count | Query::CountFrom(_))
        )
    }
}

impl Streamer {
    /// Appends realtime commands that have to leave at once. They pass the queue and the window, cost no credit and get no answer.
    ///
    /// On grbl they may be put between any two bytes, also inside a line that is half written; on Marlin they are lines of their
    /// own and must stand at the beginning of a line.
    #[must_use]
    pub fn poll_realtime(&mut self, out: &mut Vec<u8>) -> usize {
        let count = self.realtime.len();
        out.append(&mut self.realtime);
        count
    }

    /// Appends the lines that may leave now, and counts them as sent. The driver owes them to the link in this order.
    #[must_use]
    pub fn poll_transmit(&mut self, now: Duration, out: &mut Vec<u8>) -> usize {
        let before = out.len();
        let was_empty = self.flight.is_empty();
        while out.len() - before < BURST && self.transmit_line(now, out) {}
        if was_empty && !self.flight.is_empty() {
            self.start_waiting(now);
        }
        out.len() - before
    }

    /// From now on an answer is due.
    fn start_waiting(&mut self, now: Duration) {
        self.last_progress = now;
        self.last_answer = now;
        self.arm_watch(now);
    }

    /// Sends one line if one may leave.
    fn transmit_line(&mut self, now: Duration, out: &mut Vec<u8>) -> bool {
        let mute = matches!(
            self.phase,
            Phase::Disconnected | Phase::Faulted { mute: true, .. }
        );
        if mute || self.timers.is_set(Timer::Quiet) {
            return false;
        }
        if self.history.is_resending() {
            // The window may be full of lines that the printer had taken before, and says nothing more about.
            let asks = self.commands.front().is_some_and(Queued::is_probe);
            return if asks {
                self.transmit_command(now, out)
            } else {
                self.may_resend() && self.transmit_again(now, out)
            };
        }
        self.ask_count(now);
        let exclusive = self
            .flight
            .back()
            .is_some_and(|line| line.class == Class::Exclusive);
        if let Some(queued) = self.commands.front() {
            let waits = exclusive && !queued.is_probe();
            return !waits && self.transmit_command(now, out);
        }
        if exclusive {
            return false;
        }
        match self.phase {
            Phase::Streaming => self.transmit_program(now, out),
            Phase::Pausing { .. } | Phase::Cancelling(Cancelling::Draining) => {
                self.come_to_rest(now)
            }
            _ => false,
        }
    }

    fn transmit_program(&mut self, now: Duration, out: &mut Vec<u8>) -> bool {
        if self.is_telling_count() {
            return false;
        }
        let tells = self.tells_temperatures();
        let Some((cursor, line)) = self.program.next() else {
            return self.program.is_finished() && self.finish_program();
        };
        let (source_line, class) = (line.source_line, line.class);
        if source_line > self.ceiling {
            if !self.lease_reported {
                self.lease_reported = true;
                self.emit(Event::LeaseReached { line: source_line });
            }
            return false;
        }
        if matches!(class, Class::Stop(_) | Class::Exclusive)
            && !(self.drained && self.flight.is_empty())
        {
            return self.drain();
        }
        if let Class::Stop(stop) = class
            && self.last_stop_line != Some(source_line)
        {
            self.reach_stop(stop, source_line);
            return false;
        }
        let number = self.is_numbered().then_some(self.next_number);
        let length = framed_length(line.text, number);
        if let Err(limit) = self.flight.window().check(length) {
            self.fault(Fault::LineTooLong {
                line: source_line,
                length,
                limit: limit.capacity,
            });
            return false;
        }
        if !self.flight.window().admits(length) {
            return false;
        }
        frame(line.text, number, out);
        let asks_temperatures = tells && asks_temperatures(line.text);
        match &mut self.geometry {
            Some(geometry) => {
                let step = geometry.follow(line.text, class);
                self.executed.on_followed(source_line, Whose::Program, step);
            }
            None => {
                let kind = Kind::of(self.config.dialect, &line);
                self.executed.on_sent(source_line, Whose::Program, kind);
            }
        }
        let origin = Origin::Program {
            cursor,
            source_line,
        };
        let mark = self.executed.sent();
        if let Some(number) = number {
            if asks_temperatures {
                self.count.on_asked(now, number);
            }
            self.history.push(Numbered {
                number,
                origin,
                class,
                mark,
                asks_temperatures,
                text: None,
            });
            self.next_number += 1;
        }
        self.flight.push(InFlight {
            origin,
            class,
            length,
            number,
            sent_at: now,
            mark,
            asks_temperatures,
        });
        self.sent = source_line;
        self.drained = false;
        if let Some(index) = self.program.advance(now) {
            self.emit(Event::ChunkStarted { index });
        }
        if matches!(class, Class::Stop(Stop::End | Stop::EndRewind)) {
            self.program.end_here();
        }
        true
    }

    fn reach_stop(&mut self, stop: Stop, line: u64) {
        self.phase = Phase::AtStop { stop, line };
        self.emit(Event::StopReached { stop, line });
    }

    /// Skips the line of a stop: it counts as executed without having been sent.
    pub(super) fn skip_stop(&mut self, now: Duration) {
        let Some((cursor, line)) = self.program.next() else {
            return;
        };
        let source_line = line.source_line;
        self.sent = source_line;
        // What never leaves needs no lease.
        self.ceiling = self.ceiling.max(source_line);
        let begun = self.program.advance(now);
        if let Some(index) = begun {
            self.emit(Event::ChunkStarted { index });
        }
        self.account_program_line(now, cursor, source_line);
    }

    /// The program is sent: asks for the proof that it was executed.
    fn finish_program(&mut self) -> bool {
        if !(self.drained && self.flight.is_empty()) {
            return self.drain();
        }
        self.program.clear();
        self.phase = Phase::Ready;
        self.timers.stop(Timer::Progress);
        self.timers.stop(Timer::Silence);
        self.emit(Event::Finished);
        false
    }

    /// Works towards an empty planner: waits for the answers, then asks for the proof. `true` when a line was queued.
    fn drain(&mut self) -> bool {
        if self.drained || !self.flight.is_empty() {
            return false;
        }
        self.ask(Query::Barrier);
        true
    }

    /// A pause or a cancellation waits until the machine has finished what it was sent.
    fn come_to_rest(&mut self, now: Duration) -> bool {
        let held = matches!(
            self.phase,
            Phase::Pausing {
                pause: Pause::Immediate,
                ..
            }
        );
        if held && self.config.dialect == Dialect::Grbl {
            // A held machine answers nothing; its state report tells when it stands.
            return false;
        }
        if self.drained && self.flight.is_empty() {
            self.at_rest(now);
            return false;
        }
        self.drain()
    }

    fn transmit_command(&mut self, now: Duration, out: &mut Vec<u8>) -> bool {
        let Some(queued) = self.commands.front() else {
            return false;
        };
        let allowed = match self.phase {
            Phase::Greeting => queued.is_query(),
            _ => true,
        };
        let alone = queued.class == Class::Exclusive && !self.flight.is_empty();
        let own_number = match queued.origin {
            Origin::Query(query) => query.number(),
            _ => None,
        };
        let next = own_number.unwrap_or(self.next_number);
        let number = (queued.numbered && self.is_numbered()).then_some(next);
        let length = framed_length(&queued.text, number);
        let probe = queued.is_probe();
        if !allowed || alone || !(self.flight.window().admits(length) || probe) {
            return false;
        }
        let Some(queued) = self.commands.pop_front() else {
            return false;
        };
        frame(&queued.text, number, out);
        if let Origin::Command(_) = queued.origin {
            match &mut self.geometry {
                Some(geometry) => {
                    let step = geometry.follow(&queued.text, queued.class);
                    self.executed.on_followed(self.sent, Whose::Command, step);
                }
                None => self
                    .executed
                    .on_sent(self.sent, Whose::Command, Kind::Motion),
            }
        }
        if probe {
            // A question asked because the window may be stuck cannot wait for the window.
            self.note_probe();
            return true;
        }
        let mark = self.executed.sent();
        let confirms = queued.origin == Origin::Query(Query::Confirm);
        let asks_temperatures = number.is_some()
            && (confirms || self.tells_temperatures() && asks_temperatures(&queued.text));
        if let Origin::Query(Query::CountFrom(number)) = queued.origin {
            self.on_count_told(number);
        } else if let Some(number) = number.filter(|_| own_number.is_none()) {
            if asks_temperatures {
                self.count.on_asked(now, number);
            }
            self.history.push(Numbered {
                number,
                origin: queued.origin,
                class: queued.class,
                mark,
                asks_temperatures,
                text: Some(queued.text),
            });
            self.next_number += 1;
        }
        self.flight.push(InFlight {
            origin: queued.origin,
            class: queued.class,
            length,
            number,
            sent_at: now,
            mark,
            asks_temperatures,
        });
        let only_asks = matches!(
            queued.origin,
            Origin::Query(
                Query::Words
                    | Query::Offsets
                    | Query::Settings
                    | Query::Count
                    | Query::CountFrom(_)
            )
        );
        self.drained &= only_asks;
        true
    }

    /// A controller that asks for lines of the program again gets them only while the job moves.
    fn may_resend(&self) -> bool {
        let program = self
            .history
            .pending()
            .is_some_and(|line| matches!(line.origin, Origin::Program { .. }));
        let moves = matches!(
            self.phase,
            Phase::Streaming | Phase::Pausing { .. } | Phase::Cancelling(Cancelling::Draining)
        );
        moves || !program
    }

    /// Sends the next line that was asked for again.
    fn transmit_again(&mut self, now: Duration, out: &mut Vec<u8>) -> bool {
        let Some(line) = self.history.pending() else {
            return false;
        };
        let (number, origin, class) = (line.number, line.origin, line.class);
        let (mark, asks_temperatures) = (line.mark, line.asks_temperatures);
        let text = match (&line.text, origin) {
            (Some(text), _) => text.as_slice(),
            (None, Origin::Program { cursor, .. }) => match self.program.line(cursor) {
                Some(line) => line.text,
                None => return false,
            },
            (None, _) => return false,
        };
        let length = framed_length(text, Some(number));
        if !self.flight.window().admits(length) {
            return false;
        }
        frame(text, Some(number), out);
        self.history.advance();
        self.flight.push(InFlight {
            origin,
            class,
            length,
            number: Some(number),
            sent_at: now,
            mark,
            asks_temperatures,
        });
        true
    }

    pub(super) fn is_numbered(&self) -> bool {
        self.config.dialect == Dialect::Marlin
    }

    /// Queues a realtime command in the dialect's bytes. `false` when the firmware has none.
    pub(super) fn send_realtime(&mut self, command: RealtimeCommand) -> bool {
        let usable = self.config.dialect.realtime_capability().is_none() || self.emergency_parser;
        let Some(bytes) = self.config.dialect.realtime(command).filter(|_| usable) else {
            return false;
        };
        self.realtime.extend_from_slice(bytes);
        true
    }
}

/// Bytes of a line on the wire, terminator included.
pub(super) fn framed_length(text: &[u8], number: Option<u64>) -> usize {
    let Some(number) = number else {
        return text.len() + 1;
    };
    // N<number><gap><text>*<checksum>\n
    let checksum = framed_checksum(text, number);
    text.len() + gap(text).len() + digits(number) + digits(u64::from(checksum)) + 3
}

fn framed_checksum(text: &[u8], number: u64) -> u8 {
    let (decimal, start) = decimal(number);
    b'N' ^ checksum(&decimal[start..]) ^ checksum(gap(text)) ^ checksum(text)
}

/// What keeps the line number apart from a text that begins with a digit, as only a command can.
fn gap(text: &[u8]) -> &'static [u8] {
    match text {
        [b'0'..=b'9', ..] => b" ",
        _ => b"",
    }
}

fn digits(number: u64) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}

/// The decimal digits of a number, right-aligned.
fn decimal(mut number: u64) -> ([u8; 20], usize) {
    let mut buffer = [b'0'; 20];
    let mut start = buffer.len() - 1;
    loop {
        buffer[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return (buffer, start);
        }
        start -= 1;
    }
}

/// Appends a line as it goes on the wire.
fn frame(text: &[u8], number: Option<u64>, out: &mut Vec<u8>) {
    if let Some(number) = number {
        let (decimal, start) = decimal(number);
        out.push(b'N');
        out.extend_from_slice(&decimal[start..]);
        out.extend_from_slice(gap(text));
        out.extend_from_slice(text);
        // Writing to a vector cannot fail.
        let _ = write!(out, "*{}", framed_checksum(text, number));
    } else {
        out.extend_from_slice(text);
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, number: Option<u64>, expected: &str) {
        let mut out = Vec::new();
        frame(text.as_bytes(), number, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected);
        assert_eq!(
            framed_length(text.as_bytes(), number),
            expected.len(),
            "{expected:?}"
        );
    }

    #[test]
    fn frames_lines_as_the_firmware_reads_them() {
        check("G1X1", None, "G1X1\n");
        check("M110 N0", Some(0), "N0M110 N0*93\n");
        check("G28", Some(7), "N7G28*52\n");
        check("G1X10Y-2.5", Some(12_345), "N12345G1X10Y-2.5*13\n");
        check("5", Some(7), "N7 5*108\n");
    }
}
