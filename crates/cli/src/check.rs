//! `feedhold check`: can this file be sent, and what becomes of its lines?

use std::{fs::File, io::Read, path::Path};

use anyhow::Context;
use feedhold::{
    Error, Job,
    gcode_parse::LineReader,
    stream_core::wire::{Chain, Outcome, Trace},
};
use serde_json::json;

use crate::{
    args::{
        CheckArgs, LineRange, ScreenArgs,
        high::{self, Chosen},
    },
    controller_check,
    exit::Exit,
    out::{self, Form},
    run::{self, View},
    term::Terminal,
    text,
};

/// Runs the command.
pub(crate) fn run(typed: &CheckArgs, terminal: &Terminal) -> anyhow::Result<Exit> {
    let form = Form::new(typed.json);
    let chosen = Chosen::new(&typed.options, typed.machine.as_ref(), &typed.file);
    let address = match &typed.machine {
        Some(address) => address.clone(),
        None => high::embedded(chosen.dialect)?,
    };
    let job = high::with_lines(
        Job::new(&typed.file, address),
        &typed.options,
        chosen.dialect,
    );
    let view = View::new(
        &ScreenArgs {
            json: false,
            quiet: typed.json,
        },
        terminal,
    );
    if let Some(words) = chosen.explain() {
        view.note(&words);
    }
    if typed.wire {
        let chain = job.settings().chain()?;
        trace(
            &typed.file,
            &chain,
            typed.lines.unwrap_or(LineRange {
                first: 1,
                last: u64::MAX,
            }),
            form,
        )?;
    }
    let vetted = run::vet(&job, &view)?;
    if typed.json {
        vetted.notes.iter().for_each(|note| {
            out::json(&json!({ "event": "note", "line": note.line, "message": note.to_string() }))
        });
    }
    if typed.machine.is_some() {
        controller_check::run(&job, &vetted, form)?;
    }
    match form {
        Form::Json => out::json(&json!({
            "event": "checked",
            "dialect": chosen.dialect.name(),
            "lines": vetted.identity.lines,
            "bytes": vetted.identity.bytes,
            "wire_lines": vetted.wire_lines,
            "wire_bytes": vetted.wire_bytes,
            "motions": vetted.motions,
            "digest": vetted.identity.digest_hex(),
        })),
        Form::Text => out::line(format_args!(
            "{}: every one of {} lines can be sent to {}",
            typed.file.display(),
            text::count(vetted.identity.lines),
            chosen.dialect.name()
        )),
    }
    Ok(Exit::Done)
}

/// Shows lines of the file after each step of their preparation.
fn trace(path: &Path, chain: &Chain, range: LineRange, form: Form) -> anyhow::Result<()> {
    let read = |source| {
        Error::Source(feedhold::session::SourceError::Read {
            path: path.to_owned(),
            source,
        })
    };
    if !std::fs::metadata(path).map_err(read)?.is_file() {
        // The vetting says so in full.
        return Ok(());
    }
    let mut file = File::open(path).map_err(read)?;
    let mut reader = <LineReader>::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut buffer).map_err(read)?;
        let mut input = buffer
            .get(..count)
            .context("more was read than asked for")?;
        while let Some(line) = reader.next(&mut input) {
            if line.number > range.last {
                return Ok(());
            }
            if line.number >= range.first {
                show(line.number, line.text, &chain.trace(line.text), form);
            }
        }
        if count == 0 {
            break;
        }
    }
    if let Some(line) = reader
        .finish()
        .filter(|line| (range.first..=range.last).contains(&line.number))
    {
        show(line.number, line.text, &chain.trace(line.text), form);
    }
    Ok(())
}

fn show(number: u64, source: &[u8], trace: &Trace, form: Form) {
    let outcome = match &trace.outcome {
        Outcome::Sent => "sent".to_owned(),
        Outcome::Vanished => "vanishes".to_owned(),
        Outcome::Refused(refusal) => format!("refused: {}", without_line(&refusal.to_string())),
    };
    if form == Form::Json {
        let steps: Vec<_> = trace
            .steps
            .iter()
            .map(|at| json!({ "step": at.step.name(), "text": at.text }))
            .collect();
        out::json(&json!({ "event": "line", "line": number, "steps": steps, "outcome": outcome }));
        return;
    }
    out::line(format_args!("{number:>6}  {}", source.escape_ascii()));
    let mut before = source.escape_ascii().to_string();
    for at in &trace.steps {
        if at.text != before {
            out::line(format_args!("        {:<12}  {}", at.step.name(), at.text));
            before.clone_from(&at.text);
        }
    }
    if trace.outcome != Outcome::Sent {
        out::line(format_args!("        {outcome}"));
    }
}

/// A traced line does not know its number; it stands in front already.
fn without_line(message: &str) -> &str {
    message.strip_prefix("line 1, ").unwrap_or(message)
}
