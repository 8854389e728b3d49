//! `feedhold check -m`: grbl reads every line in its check mode, and moves nothing.
//!
//! The engine is not used for this: it waits for motion to be executed, and here none is. Lines go out one window at a time, and
//! an error stops nothing, so that all of them are found.

use std::{collections::VecDeque, fs::File, io::Read, time::Duration};

use anyhow::Context;
use bytes::BytesMut;
use feedhold::{
    Error, Job,
    job::Settings,
    machine::{Machine, MotionLog},
    session::{SourceError, Vetted},
    stream_core::{
        chunk::{ChunkSizer, Class, Cutter, RawChunk},
        dialect::{Dialect, MachineState, Response, ResponseReader},
        window::{Window, WindowKind},
        wire::Chain,
    },
    transport::Link,
};
use serde_json::json;

use crate::{
    exit::{Exit, coded},
    out::{self, Form},
    runtime, text,
};

/// Silence after which the controller counts as gone.
const SILENCE: Duration = Duration::from_secs(10);
/// Refusals of the controller that are told in full.
const SHOWN: u64 = 20;

/// Asks the controller about every line.
pub(crate) fn run(job: &Job, vetted: &Vetted, form: Form) -> anyhow::Result<()> {
    let settings = job.settings();
    if settings.dialect != Dialect::Grbl {
        return Err(coded(
            Exit::Usage,
            "only grbl has a check mode; leave -m out to check against what is known of Marlin",
        ));
    }
    runtime()?.block_on(async {
        let mut machine = Machine::open(job.address(), &MotionLog::AsAddressed)?;
        let link = machine
            .connect
            .connect()
            .await
            .map_err(|error| Error::Connect(error.into()))?;
        let mut asked = Asking::new(link, &settings, form);
        asked.enter_check_mode().await?;
        let read = asked.file(vetted, &settings).await;
        let left = asked.leave_check_mode().await;
        read.and(left)?;
        asked.verdict()
    })
}

struct Asking {
    link: Box<dyn Link>,
    reader: ResponseReader,
    inbox: BytesMut,
    window: Window,
    /// Lines without an answer: length on the wire, and line of the file.
    waiting: VecDeque<(usize, u64)>,
    state: Option<MachineState>,
    refused: u64,
    left_out: u64,
    form: Form,
}

impl Asking {
    fn new(link: Box<dyn Link>, settings: &Settings, form: Form) -> Self {
        let rx_bytes = settings.rx_bytes.unwrap_or(settings.dialect.default_rx());
        Self {
            link,
            reader: ResponseReader::new(settings.dialect),
            inbox: BytesMut::new(),
            window: Window::new(WindowKind::CharacterCounting { rx_bytes }),
            waiting: VecDeque::new(),
            state: None,
            refused: 0,
            left_out: 0,
            form,
        }
    }

    /// Sends `$C` and believes nothing but a report that says `Check`.
    async fn enter_check_mode(&mut self) -> anyhow::Result<()> {
        let state = self.ask_state().await?;
        if state != MachineState::Idle {
            return Err(coded(
                Exit::Connect,
                format!(
                    "the machine is not idle but {state}; home it ($H) or unlock it ($X) first"
                ),
            ));
        }
        self.line(b"$C", 0).await?;
        self.drain().await?;
        let state = self.ask_state().await?;
        if state != MachineState::Check {
            return Err(coded(
                Exit::Connect,
                format!(
                    "the controller did not enter its check mode but is {state}; nothing was sent"
                ),
            ));
        }
        Ok(())
    }

    /// Leaving makes grbl restart.
    async fn leave_check_mode(&mut self) -> anyhow::Result<()> {
        self.write(b"$C\n").await?;
        Ok(())
    }

    async fn ask_state(&mut self) -> anyhow::Result<MachineState> {
        self.state = None;
        let mut tries = 0;
        while self.state.is_none() {
            if tries == 3 {
                return Err(coded(
                    Exit::Connect,
                    "no answer from the controller; check power, port and baud rate",
                ));
            }
            tries += 1;
            self.write(b"?").await?;
            let heard = tokio::time::timeout(Duration::from_secs(2), self.until_state()).await;
            if let Ok(heard) = heard {
                heard?;
            }
        }
        self.state.context("a state was just heard")
    }

    async fn until_state(&mut self) -> anyhow::Result<()> {
        while self.state.is_none() {
            self.listen().await?;
        }
        Ok(())
    }

    async fn file(&mut self, vetted: &Vetted, settings: &Settings) -> anyhow::Result<()> {
        let path = &vetted.identity.path;
        let chain = settings.chain()?;
        let failed = |source| {
            Error::Source(SourceError::Read {
                path: path.clone(),
                source,
            })
        };
        let cut = |source| {
            Error::Source(SourceError::Cut {
                path: path.clone(),
                source,
            })
        };
        let mut cutter = Cutter::new(ChunkSizer::cnc(), settings.dialect.flavor());
        let mut file = File::open(path).map_err(failed)?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = file.read(&mut buffer).map_err(failed)?;
            let mut input = buffer
                .get(..count)
                .context("more was read than asked for")?;
            while let Some(chunk) = cutter.next(&mut input).map_err(cut)? {
                self.chunk(&chain, &chunk).await?;
            }
            if count == 0 {
                break;
            }
        }
        while let Some(chunk) = cutter.finish().map_err(cut)? {
            self.chunk(&chain, &chunk).await?;
        }
        self.drain().await
    }

    async fn chunk(&mut self, chain: &Chain, chunk: &RawChunk) -> anyhow::Result<()> {
        let Ok(prepared) = chain.prepare(chunk) else {
            return Err(coded(
                Exit::File,
                "the file has changed since it was vetted; check it again",
            ));
        };
        for line in prepared.lines() {
            // `$` lines are obeyed in check mode too: a setting would be written, `$H` would home.
            if line.class == Class::Exclusive || line.text.starts_with(b"$") {
                self.left_out += 1;
            } else {
                self.line(line.text, line.source_line).await?;
            }
        }
        Ok(())
    }

    async fn line(&mut self, text: &[u8], source_line: u64) -> anyhow::Result<()> {
        let length = text.len() + 1;
        self.window.check(length)?;
        while !self.window.admits(length) {
            self.listen_in_time().await?;
        }
        self.window.take(length);
        self.waiting.push_back((length, source_line));
        let mut bytes = text.to_vec();
        bytes.push(b'\n');
        self.write(&bytes).await
    }

    async fn drain(&mut self) -> anyhow::Result<()> {
        while !self.waiting.is_empty() {
            self.listen_in_time().await?;
        }
        Ok(())
    }

    async fn write(&mut self, mut bytes: &[u8]) -> anyhow::Result<()> {
        while !bytes.is_empty() {
            let moved = self
                .link
                .exchange(bytes, &mut self.inbox)
                .await
                .map_err(lost)?;
            bytes = bytes.get(moved.written..).unwrap_or_default();
            self.read()?;
        }
        Ok(())
    }

    async fn listen(&mut self) -> anyhow::Result<()> {
        let _nothing_was_written = self
            .link
            .exchange(&[], &mut self.inbox)
            .await
            .map_err(lost)?;
        self.read()
    }

    async fn listen_in_time(&mut self) -> anyhow::Result<()> {
        match tokio::time::timeout(SILENCE, self.listen()).await {
            Ok(heard) => heard,
            Err(_) => Err(coded(
                Exit::Machine,
                format!(
                    "no answer for {} s; the controller or the link is stuck",
                    SILENCE.as_secs()
                ),
            )),
        }
    }

    fn read(&mut self) -> anyhow::Result<()> {
        let bytes = self.inbox.split();
        let mut input = &bytes[..];
        loop {
            let refusal = match self.reader.next(&mut input) {
                None => return Ok(()),
                Some(Response::Ok(_)) => None,
                Some(Response::Error(error)) => Some(error.to_string()),
                Some(Response::Status(report)) => {
                    self.state = Some(report.state);
                    continue;
                }
                Some(Response::Alarm(alarm)) => {
                    return Err(coded(
                        Exit::Machine,
                        format!("{alarm} in check mode; {}", alarm.remedy()),
                    ));
                }
                Some(_) => continue,
            };
            if let Some((length, line)) = self.waiting.pop_front() {
                self.window.release(length);
                self.answered(line, refusal);
            }
        }
    }

    fn answered(&mut self, line: u64, refusal: Option<String>) {
        let Some(refusal) = refusal.filter(|_| line > 0) else {
            return;
        };
        self.refused += 1;
        match self.form {
            Form::Json => out::json(
                &json!({ "event": "controller_refused", "line": line, "message": refusal }),
            ),
            Form::Text if self.refused <= SHOWN => {
                out::note(format_args!("line {line}: {refusal}"))
            }
            Form::Text => {}
        }
    }

    fn verdict(&self) -> anyhow::Result<()> {
        if self.left_out > 0 && self.form == Form::Text {
            out::note(format_args!(
                "{} $ lines were not asked about: the controller would obey them",
                self.left_out
            ));
        }
        match self.refused {
            0 => Ok(()),
            1 => Err(coded(
                Exit::Refused,
                "the controller refused 1 line; nothing moved",
            )),
            refused => Err(coded(
                Exit::Refused,
                format!(
                    "the controller refused {} lines; nothing moved",
                    text::count(refused)
                ),
            )),
        }
    }
}

fn lost(error: feedhold::transport::LinkError) -> anyhow::Error {
    coded(Exit::Machine, error.to_string())
}
