//! A controller that keeps to the rules, as long as nobody speaks in its name.

use std::collections::VecDeque;

use feedhold_stream_core::dialect::Dialect;

/// What the wire has brought to a controller and what it owes the host.
#[derive(Debug)]
pub(super) struct Controller {
    dialect: Dialect,
    rx_bytes: usize,
    /// Lines that were not answered yet.
    inbox: VecDeque<Line>,
    /// Number of the last line in order (Marlin).
    last_number: Option<u64>,
    /// It has restarted and not said so yet.
    greets: bool,
    /// Answers, lines and numbers are as the firmware's rules want them.
    honest: bool,
    /// Source line of the last line of the program that was answered.
    answered: u64,
    /// Source lines of motions that were answered and that its planner may still hold.
    planned: VecDeque<u64>,
}

#[derive(Debug)]
struct Line {
    /// On the wire, terminator included.
    bytes: usize,
    text: String,
    /// Where it stands in the program that runs.
    source_line: Option<u64>,
}

impl Controller {
    pub(super) fn new(dialect: Dialect, rx_bytes: usize) -> Self {
        Self {
            dialect,
            rx_bytes,
            inbox: VecDeque::new(),
            last_number: None,
            greets: false,
            honest: true,
            answered: 0,
            planned: VecDeque::new(),
        }
    }

    /// Starts anew: everything in its buffers is forgotten.
    pub(super) fn restart(&mut self) {
        self.inbox.clear();
        self.last_number = Some(0);
    }

    /// Another cable, another controller.
    pub(super) fn replaced(&mut self) {
        self.restart();
        self.greets = false;
        self.last_number = None;
        self.honest = true;
    }

    /// A program begins behind this line. What the one before it has left here is answered like everything else, and is no line of
    /// this one.
    pub(super) fn begin(&mut self, done: u64) {
        self.answered = done;
        self.planned.clear();
        for line in &mut self.inbox {
            line.source_line = None;
        }
    }

    /// It stands idle: everything that was answered has been executed.
    pub(super) fn comes_to_rest(&mut self) {
        self.planned.clear();
    }

    /// The first motion of the program that was answered and may not have been executed.
    pub(super) fn planned(&self) -> Option<u64> {
        self.planned.front().copied()
    }

    /// Somebody says something that this controller did not.
    pub(super) fn lies(&mut self) {
        self.honest = false;
    }

    pub(super) fn is_honest(&self) -> bool {
        self.honest
    }

    pub(super) fn owes(&self) -> usize {
        self.inbox.len()
    }

    pub(super) fn answered(&self) -> u64 {
        self.answered
    }

    /// A line of the host arrives; its source line when it is one of the program.
    pub(super) fn receive(&mut self, line: &[u8]) -> Option<u64> {
        let bytes = line.strip_suffix(b"\n").expect("a whole line");
        // A character for each byte, so that nothing is lost of what is no text.
        let text: String = bytes.iter().copied().map(char::from).collect();
        let source_line = source_line(&text);
        if self.dialect == Dialect::Marlin && self.honest {
            self.count(&text);
        }
        self.inbox.push_back(Line {
            bytes: line.len(),
            text,
            source_line,
        });
        let waiting: usize = self.inbox.iter().map(|line| line.bytes).sum();
        if self.honest && self.dialect == Dialect::Grbl {
            assert!(
                waiting < self.rx_bytes,
                "{waiting} bytes in a receive buffer of {}: {:?}",
                self.rx_bytes,
                self.inbox
            );
        }
        source_line
    }

    /// Bytes that pass the queue arrive.
    pub(super) fn act(&mut self, realtime: &[u8]) {
        match self.dialect {
            Dialect::Marlin if !realtime.is_empty() => self.honest = false,
            _ if realtime.contains(&0x18) => {
                self.restart();
                self.greets = true;
            }
            _ => {}
        }
    }

    /// What it has to say next: that it restarted, or the answer to the oldest line. `refuse` makes grbl answer with an error.
    pub(super) fn answer(&mut self, refuse: Option<u8>) -> Option<String> {
        if std::mem::take(&mut self.greets) {
            return Some("\nGrbl 1.1h ['$' for help]\n".to_owned());
        }
        let line = self.inbox.pop_front()?;
        if let Some(line) = line.source_line {
            self.answered = self.answered.max(line);
        }
        // Marlin has no such answer.
        let refuse = refuse.filter(|_| self.dialect == Dialect::Grbl);
        self.plan(&line, refuse.is_some());
        Some(match self.dialect {
            Dialect::Marlin if line.text.contains("M115") => {
                "FIRMWARE_NAME:Marlin 2.1.2\nCap:EMERGENCY_PARSER:1\nok\n".to_owned()
            }
            Dialect::Marlin if is_command(&line.text, "M105") => {
                "ok T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0\n".to_owned()
            }
            Dialect::Marlin => "ok\n".to_owned(),
            _ if line.text == "$I" => {
                format!("[VER:1.1h.20190830:]\n[OPT:V,15,{}]\nok\n", self.rx_bytes)
            }
            _ => refuse.map_or_else(
                || "ok\n".to_owned(),
                |code| format!("error:{}\n", code % 40),
            ),
        })
    }

    /// Keeps as many answered motions back as a stock build can, until a line is answered that waits for all of them.
    fn plan(&mut self, line: &Line, refused: bool) {
        let waits: &[&str] = match self.dialect {
            Dialect::Marlin => &["M400"],
            _ => &["G4", "M3", "$"],
        };
        if waits.iter().any(|word| line.text.contains(word)) {
            self.planned.clear();
        } else if let Some(source_line) = line.source_line
            && line.text.contains("G1X")
            && !refused
        {
            self.planned.push_back(source_line);
            if self.planned.len() > self.dialect.lag_blocks() {
                self.planned.pop_front();
            }
        }
    }

    /// Marlin wants numbers in order and checksums that are right.
    fn count(&mut self, text: &str) {
        let Some(numbered) = text.strip_prefix('N') else {
            return;
        };
        let (covered, checksum) = text
            .rsplit_once('*')
            .expect("a numbered line has a checksum");
        assert_eq!(
            checksum.parse(),
            Ok(covered.chars().fold(0, |sum, byte| sum ^ byte as u8)),
            "{text}"
        );
        let digits = numbered.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = numbered[..digits].parse().expect("a number");
        if covered.contains("M110") {
            self.last_number = Some(number);
        } else if let Some(last) = self.last_number {
            assert_eq!(number, last + 1, "{text}");
            self.last_number = Some(number);
        }
    }
}

/// The line is this command, numbered or not.
fn is_command(text: &str, command: &str) -> bool {
    let numbered = text.strip_prefix('N').unwrap_or(text);
    let behind = numbered.trim_start_matches(|c: char| c.is_ascii_digit());
    behind.trim_start().starts_with(command)
}

/// Every line of the programs here names its source line behind an X; nothing else holds an X.
fn source_line(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once('X')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok()
}
