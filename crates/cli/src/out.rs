//! Writing to whoever listens. A reader that has gone (`| head`) is no error and never stops a machine.

use std::{
    fmt,
    io::{self, Write},
};

use serde::Serialize;

/// For whom a command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Json,
}

impl Form {
    pub(crate) fn new(typed_json: bool) -> Self {
        if typed_json { Self::Json } else { Self::Text }
    }
}

/// One line of result.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}");
}

/// Raw bytes of result.
pub(crate) fn bytes(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// One line of JSON.
pub(crate) fn json(value: &impl Serialize) {
    // Plain data always has a form in JSON.
    if let Ok(text) = serde_json::to_string(value) {
        line(format_args!("{text}"));
    }
}

/// One line for the person at the terminal.
pub(crate) fn note(text: fmt::Arguments<'_>) {
    let mut out = io::stderr().lock();
    let _ = writeln!(out, "{text}");
}
