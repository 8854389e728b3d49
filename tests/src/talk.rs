//! A controller played line by line by the test, for what no real one can be brought to say at will.

use std::time::Duration;

use feedhold_stream_core::{
    chunk::{Class, Prepared},
    dialect::Dialect,
    streamer::{Config, Event, Pause, State, Streamer},
    wire::{Chain, ChainConfig},
};

/// A streamer whose controller is the test.
#[derive(Debug)]
pub struct Talk {
    /// The host's side.
    pub streamer: Streamer,
    now: Duration,
    sent: Vec<u8>,
}

impl Talk {
    /// The cable is plugged in, and nobody has said a word.
    #[must_use]
    pub fn plugged(config: Config) -> Self {
        let mut streamer = Streamer::new(config);
        streamer.handle_connected(Duration::ZERO);
        Self {
            streamer,
            now: Duration::ZERO,
            sent: Vec::new(),
        }
    }

    /// A stock controller has greeted and waits for work.
    ///
    /// # Panics
    /// When the streamer does not accept the greeting.
    #[must_use]
    pub fn greeted(config: Config) -> Self {
        let answers: &[&str] = match config.dialect() {
            Dialect::Marlin => &["FIRMWARE_NAME:Marlin 2.1.2", "ok", "ok"],
            _ => &[
                "<Idle|MPos:0.000,0.000,0.000|FS:0,0>",
                "[VER:1.1h.20190830:]",
                "[OPT:V,15,128]",
                "ok",
            ],
        };
        let mut talk = Self::plugged(config);
        for answer in answers {
            talk.say(answer);
            let _ = talk.sent();
        }
        assert_eq!(talk.streamer.state(), State::Ready);
        let _ = talk.events();
        talk
    }

    /// Begins a program that was prepared as the command line would.
    ///
    /// # Panics
    /// When a line of it is refused.
    #[must_use]
    pub fn program(mut self, text: &str) -> Self {
        let chain = Chain::new(ChainConfig::new(self.streamer.dialect()));
        self.begin(chain.program(text).expect("a clean program"));
        self
    }

    /// Begins a program of `count` moves.
    #[must_use]
    pub fn moves(mut self, count: usize) -> Self {
        let line = ("G1X10.000Y20.000F600", Class::Motion);
        self.begin(Prepared::from_lines(1, std::iter::repeat_n(line, count)));
        self
    }

    /// Begins a program of one chunk.
    ///
    /// # Panics
    /// When the streamer is not ready.
    pub fn begin(&mut self, chunk: Prepared) {
        self.streamer.begin(0).expect("the streamer is ready");
        self.streamer.push(chunk);
        self.streamer.finish();
    }

    /// The controller says one line.
    pub fn say(&mut self, line: &str) {
        self.hear(format!("{line}\r\n").as_bytes());
    }

    /// Bytes arrive as they are.
    pub fn hear(&mut self, bytes: &[u8]) {
        self.streamer.handle_input(self.now, bytes);
        self.collect();
    }

    /// Everything that left since the last call, realtime commands first, line ends as `\n`.
    pub fn sent(&mut self) -> String {
        self.collect();
        std::mem::take(&mut self.sent)
            .escape_ascii()
            .to_string()
            .replace("\\n", "\n")
    }

    /// What left since the last call, but for `?`.
    pub fn sent_lines(&mut self) -> String {
        self.sent().replace('?', "")
    }

    /// Time passes, and whatever becomes due happens.
    pub fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(due) = self.streamer.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.streamer.handle_timeout(self.now);
            self.collect();
        }
        self.now = until;
    }

    /// What was told since the last call.
    pub fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.streamer.poll_event()).collect()
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Feed hold, confirmed by the machine.
    ///
    /// # Panics
    /// When the job is not moving.
    pub fn hold(&mut self) {
        self.streamer
            .hold(self.now, Pause::Immediate)
            .expect("the job is moving");
        self.collect();
        self.say("<Hold:0|MPos:1.000,0.000,0.000|FS:0,0>");
        assert_eq!(self.streamer.state(), State::Paused);
    }

    /// Resume, confirmed by the machine.
    ///
    /// # Panics
    /// When the job does not wait.
    pub fn resume(&mut self) {
        self.streamer.resume(self.now).expect("the job waits");
        self.collect();
        self.say("<Run|MPos:1.000,0.000,0.000|FS:600,0>");
        assert_eq!(self.streamer.state(), State::Streaming);
    }

    fn collect(&mut self) {
        let _ = self.streamer.poll_realtime(&mut self.sent);
        let _ = self.streamer.poll_transmit(self.now, &mut self.sent);
    }
}
