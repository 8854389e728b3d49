//! The live picture of a job: a bar with three lines, and notes above it.

use std::{cell::RefCell, fmt::Write as _, rc::Rc, time::Duration};

use feedhold::{
    session::{Event, Heater, Progress, Snapshot, State, Status},
    transport::Address,
};
use indicatif::ProgressBar;

use crate::{term::Terminal, text};

const VETTING: &str = "reading    [{bar:32.cyan/dim}] {percent:>3} %  {bytes} of {total_bytes}";
const CONNECTING: &str = "{spinner} {msg}";
const STREAMING: &str = "{prefix:<10} [{bar:32.cyan/dim}] {percent:>3} %  {msg}";
const HELP: &str = "p pause · space hold · r resume · + - feed · q cancel · Ctrl-C hold";
/// Lines of a log without a terminal: one for so much more of the job.
const LOG_PERCENT: f64 = 10.0;

/// The picture.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    terminal: Terminal,
    shown: Rc<RefCell<Shown>>,
}

#[derive(Debug, Default)]
struct Shown {
    bar: Option<ProgressBar>,
    planner_blocks: Option<usize>,
    heaters: Vec<Heater>,
    logged_percent: f64,
}

impl Screen {
    pub(crate) fn new(terminal: &Terminal) -> Self {
        Self {
            terminal: terminal.clone(),
            shown: Rc::default(),
        }
    }

    pub(crate) fn note(&self, words: &str) {
        self.terminal.note(words);
    }

    pub(crate) fn call(&self, words: &str) {
        self.terminal.warn(words);
    }

    pub(crate) fn vetting(&self) -> ProgressBar {
        self.terminal.bar(0, VETTING)
    }

    pub(crate) fn connecting(&self, address: &Address) -> ProgressBar {
        let bar = self.terminal.bar(0, CONNECTING);
        bar.set_message(format!("connecting to {address}"));
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    pub(crate) fn event(&self, event: &Event, snapshot: &Snapshot) {
        match event {
            Event::Connected {
                link,
                rx_bytes,
                planner_blocks,
                was_reset,
            } => {
                self.shown.borrow_mut().planner_blocks = *planner_blocks;
                self.note(&connected(link, *rx_bytes, *planner_blocks, *was_reset));
            }
            Event::StreamingStarted { total_lines, .. } => self.begin(*total_lines),
            Event::Progress(at) => self.progress(at, snapshot),
            Event::Temperature { heaters } => self.shown.borrow_mut().heaters.clone_from(heaters),
            event => {
                if let Some(words) = words(event) {
                    self.call(&words);
                }
            }
        }
    }

    pub(crate) fn over(&self) {
        if let Some(bar) = self.shown.borrow_mut().bar.take() {
            bar.finish_and_clear();
        }
    }

    fn begin(&self, total_lines: u64) {
        let bar = self.terminal.bar(total_lines, STREAMING);
        bar.set_prefix("streaming");
        self.shown.borrow_mut().bar = Some(bar);
    }

    fn progress(&self, at: &Progress, snapshot: &Snapshot) {
        let mut shown = self.shown.borrow_mut();
        if !self.terminal.is_seen() {
            if at.percentage >= shown.logged_percent + LOG_PERCENT {
                shown.logged_percent = at.percentage;
                self.terminal.note(&format!(
                    "{:.0} %, line {} of {}, {}",
                    at.percentage,
                    text::count(at.acked),
                    text::count(at.total_lines),
                    text::clock(Duration::from_millis(at.elapsed_ms))
                ));
            }
            return;
        }
        if let Some(bar) = &shown.bar {
            bar.set_prefix(doing(snapshot.state));
            bar.set_position(at.acked);
            bar.set_message(message(at, snapshot.status.as_ref(), &shown));
        }
    }
}

fn doing(state: State) -> &'static str {
    match state {
        State::Pausing => "pausing",
        State::Paused => "paused",
        State::Resuming => "resuming",
        State::AtStop => "at a stop",
        State::Cancelling => "cancelling",
        State::Faulted => "held",
        State::Reconnecting => "reconnecting",
        State::Connecting | State::Disconnected => "connecting",
        _ => "streaming",
    }
}

/// What stands beside and below the bar.
fn message(at: &Progress, status: Option<&Status>, shown: &Shown) -> String {
    let mut text = format!(
        "line {} of {}\n{} lines/s · {}/s · window {:.0} %",
        text::count(at.acked),
        text::count(at.total_lines),
        text::rate(at.lines_per_s),
        text::size(at.bytes_per_s as u64),
        at.window_fill * 100.0,
    );
    // Writing to a string cannot fail.
    if let (Some(free), Some(blocks)) = (
        status.and_then(|status| status.planner_free),
        shown.planner_blocks,
    ) {
        let _ = write!(
            text,
            " · planner {} of {blocks}",
            blocks.saturating_sub(free.into())
        );
    }
    let elapsed = Duration::from_millis(at.elapsed_ms);
    // The engine counts bytes of the file by chunk; between chunks the share of the lines is close enough for the eye.
    let bytes = at
        .bytes
        .max((at.total_bytes as f64 * at.percentage / 100.0) as u64)
        .min(at.total_bytes);
    let _ = write!(
        text,
        " · {} of {}",
        text::size(bytes),
        text::size(at.total_bytes)
    );
    let _ = write!(text, "\n{} elapsed", text::clock(elapsed));
    if let Some(left) = remaining(at) {
        let _ = write!(text, " · {} left", text::clock(left));
    }
    if let Some(status) = status {
        place(&mut text, status);
    }
    for heater in &shown.heaters {
        let _ = write!(text, " · {} {:.0}", heater.name, heater.current);
        if let Some(target) = heater.target.filter(|target| *target > 0.0) {
            let _ = write!(text, "/{target:.0}");
        }
        text.push_str(" °C");
    }
    let _ = write!(text, "\n{HELP}");
    text
}

fn place(text: &mut String, status: &Status) {
    if let Some(position) = status
        .work_position
        .as_ref()
        .or(status.machine_position.as_ref())
    {
        text.push_str(" ·");
        for (letter, value) in "XYZ".chars().zip(position) {
            let _ = write!(text, " {letter}{value:.2}");
        }
    }
    if let Some(feed) = status.feed_mm_per_min {
        let _ = write!(text, " · F{feed:.0}");
    }
    if let Some([feed, _, _]) = status
        .overrides
        .filter(|overrides| overrides.first() != Some(&100))
    {
        let _ = write!(text, " ({feed} %)");
    }
}

/// By the share of lines so far; a job whose lines are alike is told well.
fn remaining(at: &Progress) -> Option<Duration> {
    let left = at.total_lines.saturating_sub(at.acked) as f64;
    (at.acked > 0 && at.elapsed_ms > 1000)
        .then(|| Duration::from_millis((at.elapsed_ms as f64 * left / at.acked as f64) as u64))
}

fn connected(
    link: &str,
    rx_bytes: Option<usize>,
    planner_blocks: Option<usize>,
    was_reset: bool,
) -> String {
    let mut words = format!("connected to {link}");
    if let Some(bytes) = rx_bytes {
        let _ = write!(words, ", receive buffer {bytes} bytes");
    }
    if let Some(blocks) = planner_blocks {
        let _ = write!(words, ", planner {blocks} blocks");
    }
    if was_reset {
        words.push_str("; the controller has just started");
    }
    words
}

/// What an operator should read; `None` for what the bar shows or only programs need.
fn words(event: &Event) -> Option<String> {
    Some(match event {
        Event::Reconnecting {
            attempt,
            after_ms,
            reason,
        } => format!("reconnecting: {reason}; attempt {attempt} in {after_ms} ms"),
        Event::Rejoined { executed, proof } => {
            format!("the controller stands where line {executed} ends (by its {proof}); going on")
        }
        Event::Disconnected { reason } => format!("disconnected: {reason}"),
        Event::StreamingPaused {
            mode,
            executed,
            took_ms,
        } => {
            format!(
                "paused ({mode}) behind line {executed}, {took_ms} ms after the wish; r to resume"
            )
        }
        Event::StreamingResumed { .. } => "resumed".to_owned(),
        Event::PauseTimeout => {
            "the machine has not confirmed the pause in time; nothing more is sent".to_owned()
        }
        Event::ResumeTimeout => "the machine has not confirmed the resume in time".to_owned(),
        Event::PauseExpired { policy } => {
            format!("the longest pause allowed is over ({policy}); the machine was not moved")
        }
        Event::StopReached {
            code,
            line,
            asks: false,
        } => format!("{code} reached in line {line}"),
        Event::CheckpointFailed { reason } => format!("no more records can be written: {reason}"),
        Event::MemoryWarning {
            level,
            used_bytes,
            limit_bytes,
        } => format!(
            "memory: {level}, {} of {}",
            text::size(*used_bytes as u64),
            text::size(*limit_bytes as u64)
        ),
        Event::Message { text } => format!("machine: {text}"),
        Event::MachineAction { action } => format!("the machine asks to {action}"),
        Event::ResetDone => "the controller has reset itself".to_owned(),
        Event::ChunkRetryQueued { number } => {
            format!("the controller asked for line number {number} again")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_fits_a_terminal_of_eighty_columns() {
        let at = Progress {
            acked: 1_234_567,
            total_lines: 9_999_999,
            bytes: 31 << 20,
            percentage: 2.0,
            total_bytes: 1 << 30,
            lines_per_s: 1234.0,
            bytes_per_s: 32_000.0,
            window_fill: 1.0,
            elapsed_ms: 3_723_000,
            ..Progress::default()
        };
        let shown = Shown {
            planner_blocks: Some(15),
            ..Shown::default()
        };
        let status = Status {
            state: "Run".into(),
            machine_position: Some(vec![-123.456, 200.0, -1.25]),
            work_position: None,
            feed_mm_per_min: Some(3000.0),
            spindle_rpm: None,
            planner_free: Some(3),
            rx_free: None,
            overrides: Some([110, 100, 100]),
        };
        let text = message(&at, Some(&status), &shown);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("line 1,234,567 of 9,999,999"));
        assert_eq!(
            lines.next(),
            Some(
                "1,234 lines/s · 31.2 KiB/s · window 100 % · planner 12 of 15 · 31.0 MiB of 1.0 GiB"
            )
        );
        assert_eq!(
            lines.next(),
            Some("1:02:03 elapsed · 7:20:33 left · X-123.46 Y200.00 Z-1.25 · F3000 (110 %)")
        );
        assert_eq!(lines.next(), Some(HELP));
        assert!(
            text.lines().all(|line| line.chars().count() <= 85),
            "{text}"
        );
    }
}
