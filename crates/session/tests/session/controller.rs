//! A scripted controller behind a cable in memory: it answers as its firmware would, and does on command what tests need.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use feedhold_stream_core::dialect::Dialect;
use feedhold_transport::memory::MemoryPeer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, sleep_until},
};

/// Looks at each line as it arrives.
pub(crate) type Watcher = Box<dyn FnMut(&str) + Send>;

/// What a test may change while the controller runs, and what it has seen.
#[derive(Default)]
pub(crate) struct Bench {
    /// Every line that arrived, without framing, in order. Greetings and barriers too.
    pub(crate) lines: Vec<String>,
    /// Lines that were answered.
    pub(crate) answered: usize,
    /// Every realtime byte but `?`.
    pub(crate) realtime: Vec<u8>,
    /// `Hold:0`, `Alarm`, or `None` when it does what it is told.
    pub(crate) state: Option<&'static str>,
    /// Time each line of motion takes.
    pub(crate) line_time: Duration,
    /// Answers to lines that begin with this.
    pub(crate) refuse: Vec<(&'static str, &'static str)>,
    /// Nothing is answered from the line that begins with this on.
    pub(crate) mute_from: Option<&'static str>,
    /// `!` and `~` change nothing.
    pub(crate) ignores_hold: bool,
    /// A reset is not confirmed.
    pub(crate) ignores_reset: bool,
    /// Says these lines as soon as it gets something to read.
    pub(crate) say: Vec<&'static str>,
    /// Asks once for the Marlin line of this number again.
    pub(crate) resend: Option<u64>,
    /// Called for each line before it is answered.
    pub(crate) on_line: Option<Watcher>,
}

/// The outside of a controller.
#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) dialect: Dialect,
    bench: Arc<Mutex<Bench>>,
}

impl Machine {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            bench: Arc::default(),
        }
    }

    pub(crate) fn bench(&self) -> MutexGuard<'_, Bench> {
        self.bench.lock().expect("no test panics while it looks")
    }

    /// Lines of the program as they arrived, without what the session asks on its own behalf.
    pub(crate) fn program(&self) -> Vec<String> {
        let own = ["$I", "G4P0", "M115", "M110", "M400", "M105"];
        let bench = self.bench();
        let program = bench.lines.iter();
        program
            .filter(|line| !own.iter().any(|own| line.replace(' ', "").starts_with(own)))
            .cloned()
            .collect()
    }

    /// Serves one cable until it is pulled.
    pub(crate) async fn serve(self, mut peer: MemoryPeer) {
        let mut desk = Desk {
            machine: self,
            line: Vec::new(),
            waiting: VecDeque::new(),
            busy_until: Instant::now(),
            expected: 1,
        };
        let mut buffer = [0; 4096];
        loop {
            let held = desk.machine.bench().state.is_some();
            let works = !held && !desk.waiting.is_empty();
            let answers = tokio::select! {
                read = peer.read(&mut buffer) => match read {
                    Ok(count) if count > 0 => desk.take(&buffer[..count]),
                    _ => return,
                },
                () = sleep_until(desk.busy_until), if works => desk.work(),
            };
            if peer.write_all(answers.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

struct Desk {
    machine: Machine,
    line: Vec<u8>,
    waiting: VecDeque<String>,
    busy_until: Instant,
    expected: u64,
}

impl Desk {
    fn take(&mut self, bytes: &[u8]) -> String {
        let mut out = String::new();
        for line in std::mem::take(&mut self.machine.bench().say) {
            out.push_str(line);
            out.push_str("\r\n");
        }
        for &byte in bytes {
            match byte {
                b'\n' => out.push_str(&self.end_line()),
                b'?' | b'!' | b'~' | 0x18 | 0x80.. if self.machine.dialect == Dialect::Grbl => {
                    out.push_str(&self.realtime(byte));
                }
                byte => self.line.push(byte),
            }
        }
        out
    }

    fn realtime(&mut self, byte: u8) -> String {
        let machine = self.machine.clone();
        let mut bench = machine.bench();
        if byte == b'?' {
            let idle = if self.waiting.is_empty() {
                "Idle"
            } else {
                "Run"
            };
            let state = bench.state.unwrap_or(idle);
            return format!("<{state}|MPos:1.000,2.000,0.000|Bf:15,127|FS:500,0>\r\n");
        }
        bench.realtime.push(byte);
        match byte {
            b'!' if !bench.ignores_hold => bench.state = Some("Hold:0"),
            b'~' if !bench.ignores_hold => bench.state = None,
            0x18 if !bench.ignores_reset => {
                bench.state = None;
                self.waiting.clear();
                self.line.clear();
                return "\r\nGrbl 1.1h ['$' for help]\r\n".to_owned();
            }
            _ => {}
        }
        String::new()
    }

    /// A line is complete. Queues it, or asks for it again.
    fn end_line(&mut self) -> String {
        let line = String::from_utf8(std::mem::take(&mut self.line)).expect("lines are ASCII");
        let Some(framed) = line
            .strip_prefix('N')
            .filter(|_| self.machine.dialect == Dialect::Marlin)
        else {
            self.queue(line);
            return String::new();
        };
        let digits = framed.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
        let number: u64 = framed[..digits].parse().expect("a line number");
        let text = framed[digits..].split('*').next().unwrap_or_default();
        if let Some(told) = text.strip_prefix("M110 N") {
            self.expected = told.parse().expect("a line number");
        } else if number != self.expected
            || self
                .machine
                .bench()
                .resend
                .take_if(|n| *n == number)
                .is_some()
        {
            return format!(
                "Error:checksum mismatch, Last Line: {}\nResend: {}\nok\n",
                self.expected - 1,
                self.expected
            );
        }
        self.expected += 1;
        self.queue(text.to_owned());
        String::new()
    }

    fn queue(&mut self, line: String) {
        let machine = self.machine.clone();
        let mut bench = machine.bench();
        if let Some(on_line) = &mut bench.on_line {
            on_line(&line);
        }
        bench.lines.push(line.clone());
        if self.waiting.is_empty() {
            self.busy_until = Instant::now() + bench.time_of(&line);
        }
        self.waiting.push_back(line);
    }

    /// The line in front is done: answers it and begins the next one.
    fn work(&mut self) -> String {
        let machine = self.machine.clone();
        let mut bench = machine.bench();
        let Some(line) = self.waiting.front() else {
            return String::new();
        };
        if bench.mute_from.is_some_and(|from| line.starts_with(from)) {
            self.busy_until = Instant::now() + Duration::from_secs(1_000_000);
            return String::new();
        }
        let line = self.waiting.pop_front().unwrap_or_default();
        bench.answered += 1;
        if let Some(next) = self.waiting.front() {
            self.busy_until = Instant::now() + bench.time_of(next);
        }
        let refused = bench.refuse.iter().find(|(from, _)| line.starts_with(from));
        match (line.as_str(), refused) {
            (_, Some((_, answer))) => format!("{answer}\r\n"),
            ("$I", _) => "[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\nok\r\n".to_owned(),
            ("M115" | "M115*999", _) => {
                "FIRMWARE_NAME:Marlin 2.1.2 PROTOCOL_VERSION:1.0\nok\n".to_owned()
            }
            ("M105", _) => "ok T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0\n".to_owned(),
            ("M112", _) => "Error:Printer halted. kill() called!\n".to_owned(),
            _ => "ok\r\n".to_owned(),
        }
    }
}

impl Bench {
    fn time_of(&self, line: &str) -> Duration {
        if line.starts_with("G1") || line.starts_with('X') {
            self.line_time
        } else {
            Duration::ZERO
        }
    }
}
