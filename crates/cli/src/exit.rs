//! Exit codes: one enum, one table.

use std::{fmt, process::ExitCode};

use feedhold::{
    Error,
    resume::Refusal,
    session::{OpenError, RunError, SourceError},
};

use crate::{out, text};

/// How a command ended, for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Unexpected,
    Usage,
    File,
    Refused,
    Connect,
    Machine,
    Cancelled,
    Records,
}

impl Exit {
    const ALL: [Self; 9] = [
        Self::Done,
        Self::Unexpected,
        Self::Usage,
        Self::File,
        Self::Refused,
        Self::Connect,
        Self::Machine,
        Self::Cancelled,
        Self::Records,
    ];

    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Unexpected => 1,
            Self::Usage => 2,
            Self::File => 3,
            Self::Refused => 4,
            Self::Connect => 5,
            Self::Machine => 6,
            Self::Cancelled => 7,
            Self::Records => 8,
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unexpected => "something unexpected; the message says what",
            Self::Usage => "the command line makes no sense",
            Self::File => "the file cannot be used: missing, empty, a directory, not text, changed",
            Self::Refused => "the file holds lines that the controller cannot take",
            Self::Connect => {
                "no usable machine: absent, busy, no permission, silent, another device, in alarm"
            }
            Self::Machine => {
                "the machine or the link failed in mid-job: error, alarm, reset, lost link"
            }
            Self::Cancelled => "cancelled by the operator, or because nobody could be asked",
            Self::Records => "the records of the job cannot be written, read or resumed from",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// The table for `--help`.
pub(crate) fn table() -> String {
    let rows: String = Exit::ALL
        .iter()
        .map(|exit| format!("  {}  {}\n", exit.code(), exit.meaning()))
        .collect();
    format!("Exit codes:\n{rows}")
}

/// An error of this program that knows its exit code.
#[derive(Debug)]
pub(crate) struct Coded {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl fmt::Display for Coded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Coded {}

/// An error that ends the command with this code.
pub(crate) fn coded(exit: Exit, message: impl Into<String>) -> anyhow::Error {
    Coded {
        exit,
        message: message.into(),
    }
    .into()
}

/// Tells the user what went wrong, and the shell how to call it.
pub(crate) fn report(error: &anyhow::Error, json: out::Form) -> Exit {
    let exit = exit_of(error);
    match (json, refusals(error)) {
        (out::Form::Json, refused) => {
            if let Some((_, refusals)) = refused {
                refusals
                    .iter()
                    .for_each(|refusal| out::json(&text::RefusedLine::from(refusal)));
            }
            out::json(&in_json(error, exit));
        }
        (out::Form::Text, Some((path, refusals))) => text::print_refusals(path, refusals),
        (out::Form::Text, None) => match refused(error) {
            Some(refusal) => out::note(format_args!(
                "feedhold: {refusal} ({})\n          {}",
                refusal.code(),
                refusal.remedy()
            )),
            None => out::note(format_args!("feedhold: {error}")),
        },
    }
    exit
}

fn in_json(error: &anyhow::Error, exit: Exit) -> serde_json::Value {
    match refused(error) {
        Some(refusal) => serde_json::json!({
            "event": "error",
            "exit": exit.code(),
            "code": refusal.code(),
            "message": refusal.to_string(),
            "remedy": refusal.remedy(),
        }),
        None => serde_json::json!({
            "event": "error",
            "exit": exit.code(),
            "message": error.to_string(),
        }),
    }
}

/// Why a job cannot go on, if that is what it is about.
fn refused(error: &anyhow::Error) -> Option<&Refusal> {
    match error.downcast_ref::<Error>()? {
        Error::Resume(refusal) => Some(refusal),
        _ => None,
    }
}

fn refusals(
    error: &anyhow::Error,
) -> Option<(&std::path::Path, &feedhold::stream_core::wire::Refusals)> {
    let (Error::Source(source) | Error::Run(RunError::Source(source))) =
        error.downcast_ref::<Error>()?
    else {
        return None;
    };
    match source {
        SourceError::Refused { path, refusals } if !text::is_no_text(refusals) => {
            Some((path, refusals))
        }
        _ => None,
    }
}

fn exit_of(error: &anyhow::Error) -> Exit {
    if let Some(coded) = error.downcast_ref::<Coded>() {
        return coded.exit;
    }
    match error.downcast_ref::<Error>() {
        Some(Error::Source(source) | Error::Run(RunError::Source(source))) => of_source(source),
        Some(Error::Machine { .. } | Error::Limit(_) | Error::Setting(_) | Error::Macro { .. }) => {
            Exit::Usage
        }
        Some(Error::Connect(OpenError::Gone)) => Exit::Unexpected,
        Some(Error::Connect(_) | Error::Serve { .. }) => Exit::Connect,
        Some(Error::Jobs(_) | Error::Resume(_) | Error::Commit(_)) => Exit::Records,
        Some(Error::Run(RunError::WrongState(_) | RunError::Gone) | Error::Wish { .. }) => {
            Exit::Machine
        }
        _ => Exit::Unexpected,
    }
}

fn of_source(source: &SourceError) -> Exit {
    match source {
        SourceError::Refused { refusals, .. } if !text::is_no_text(refusals) => Exit::Refused,
        SourceError::Cut { .. } => Exit::Refused,
        SourceError::Stopped => Exit::Cancelled,
        _ => Exit::File,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_and_the_document_say_the_same() {
        let document = include_str!("../../../docs/exit-codes.md");
        for exit in Exit::ALL {
            let row = format!("| {} | {} |", exit.code(), exit.meaning());
            assert!(document.contains(&row), "docs/exit-codes.md lacks: {row}");
        }
        assert!(table().lines().count() == Exit::ALL.len() + 1);
    }
}
