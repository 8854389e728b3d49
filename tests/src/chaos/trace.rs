//! What happened, as a digest and, when wished for, as text.

use std::fmt::Arguments;
use std::time::Duration;

use feedhold_simulator::Digest;

/// Most lines of text that are kept; the first ones give way.
const MAX_LINES: usize = 4000;

/// The account of one run.
#[derive(Debug, Default)]
pub(super) struct Trace {
    digest: Digest,
    text: Option<Vec<String>>,
}

impl Trace {
    pub(super) fn new(wants_text: bool) -> Self {
        Self {
            digest: Digest::default(),
            text: wants_text.then(Vec::new),
        }
    }

    /// Notes bytes that crossed the cable.
    pub(super) fn bytes(&mut self, now: Duration, way: &'static str, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.digest.update(&(now.as_nanos() as u64).to_le_bytes());
        self.digest.update(bytes);
        self.push(now, format_args!("{way} {}", bytes.escape_ascii()));
    }

    /// Notes something that happened.
    pub(super) fn note(&mut self, now: Duration, what: Arguments<'_>) {
        self.digest.update(&(now.as_nanos() as u64).to_le_bytes());
        self.push(now, what);
    }

    fn push(&mut self, now: Duration, what: Arguments<'_>) {
        if let Some(text) = &mut self.text {
            if text.len() >= MAX_LINES {
                text.remove(0);
            }
            text.push(format!("{:>12.6} {what}", now.as_secs_f64()));
        }
    }

    pub(super) fn digest(&self) -> u64 {
        self.digest.value()
    }

    pub(super) fn into_text(self) -> Vec<String> {
        self.text.unwrap_or_default()
    }
}
