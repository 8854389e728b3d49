//! `feedhold analyze`: what is in a file.

use std::{fs::File, io::Read, time::Duration};

use anyhow::Context;
use feedhold::{
    Error, Job,
    gcode_parse::{Analyzer, Axis, Bounds, Metadata},
    session::{SourceError, Vetted},
};
use serde_json::json;

use crate::{
    args::{
        AnalyzeArgs,
        high::{self, Chosen},
    },
    exit::Exit,
    out,
    term::Terminal,
    text,
};

/// Runs the command.
pub(crate) fn run(typed: &AnalyzeArgs, _terminal: &Terminal) -> anyhow::Result<Exit> {
    let chosen = Chosen::new(&typed.lines, None, &typed.file);
    let job = high::with_lines(
        Job::new(&typed.file, high::embedded(chosen.dialect)?),
        &typed.lines,
        chosen.dialect,
    );
    let vetted = match job.vet(|_| true) {
        Ok(vetted) => Some(vetted),
        Err(Error::Source(SourceError::Refused { ref refusals, .. }))
            if !text::is_no_text(refusals) =>
        {
            None
        }
        Err(error) => return Err(error.into()),
    };
    let metadata = analyze(typed, &chosen)?;
    if typed.json {
        out::json(&as_json(&metadata, vetted.as_ref(), &chosen));
    } else {
        print(typed, &metadata, vetted.as_ref(), &chosen);
    }
    Ok(Exit::Done)
}

fn analyze(typed: &AnalyzeArgs, chosen: &Chosen) -> anyhow::Result<Box<Metadata>> {
    let failed = |source| {
        Error::Source(SourceError::Read {
            path: typed.file.clone(),
            source,
        })
    };
    let mut file = File::open(&typed.file).map_err(failed)?;
    let mut analyzer = Box::new(Analyzer::new(chosen.dialect.flavor()));
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut buffer).map_err(failed)?;
        if count == 0 {
            return Ok(Box::new(analyzer.finish()));
        }
        analyzer.push(
            buffer
                .get(..count)
                .context("more was read than asked for")?,
        );
    }
}

fn print(typed: &AnalyzeArgs, metadata: &Metadata, vetted: Option<&Vetted>, chosen: &Chosen) {
    let motions = &metadata.motions;
    let row = |name: &str, value: String| out::line(format_args!("{name:<14} {value}"));
    row("file", typed.file.display().to_string());
    row(
        "dialect",
        chosen
            .explain()
            .unwrap_or_else(|| chosen.dialect.name().to_owned()),
    );
    row(
        "lines",
        format!(
            "{}, {} empty",
            text::count(metadata.lines),
            text::count(metadata.empty_lines)
        ),
    );
    row(
        "bytes",
        format!(
            "{} ({})",
            text::count(metadata.bytes),
            text::size(metadata.bytes)
        ),
    );
    row(
        "motions",
        format!(
            "{}, {} rapids and {} arcs among them",
            text::count(motions.count),
            text::count(motions.rapids),
            text::count(motions.arcs)
        ),
    );
    row(
        "distance",
        format!(
            "{:.1} m cutting, {:.1} m rapid",
            motions.cutting_mm / 1000.0,
            motions.rapid_mm / 1000.0
        ),
    );
    if motions.extruded_mm > 0.0 {
        row("filament", format!("{:.2} m", motions.extruded_mm / 1000.0));
    }
    let programmed = Duration::try_from_secs_f64(motions.programmed_s()).unwrap_or_default();
    row(
        "time",
        format!(
            "{} at programmed feeds, without acceleration",
            text::duration(programmed)
        ),
    );
    for (axis, low, high) in extents(&motions.bounds) {
        row(&format!("{axis}"), format!("{low:.3} to {high:.3} mm"));
    }
    if let Some((low, high)) = metadata.feed_mm_per_min.ends() {
        row("feed", format!("{low:.0} to {high:.0} mm/min"));
    }
    if let Some((low, high)) = metadata.spindle_speed.ends() {
        row("spindle", format!("{low:.0} to {high:.0}"));
    }
    row("tool changes", text::count(metadata.tool_changes));
    for stop in metadata.stop_lines.iter().flatten() {
        row("stop", format!("{} in line {}", stop.stop, stop.line));
    }
    match vetted {
        Some(vetted) => {
            let chunks = &vetted.chunks;
            row(
                "chunks",
                format!(
                    "{}, {} on average, {} to {}",
                    text::count(chunks.total_chunks()),
                    text::size(chunks.average_bytes()),
                    text::size(chunks.smallest_bytes()),
                    text::size(chunks.largest_bytes())
                ),
            );
            row(
                "wire",
                format!(
                    "{} lines, {}, {:.1} bytes a line",
                    text::count(vetted.wire_lines),
                    text::size(vetted.wire_bytes),
                    chunks.bytes_per_line()
                ),
            );
        }
        None => row(
            "wire",
            format!(
                "has lines that {} cannot take; `feedhold check` names them",
                chosen.dialect.name()
            ),
        ),
    }
    for diagnostic in metadata.diagnostics.as_slice() {
        row("note", diagnostic.to_string());
    }
}

fn extents(bounds: &Bounds) -> Vec<(char, f64, f64)> {
    let axes = [Axis::X, Axis::Y, Axis::Z];
    axes.into_iter()
        .filter_map(|axis| {
            bounds
                .range(axis)
                .map(|(low, high)| (char::from(axis.letter()), low, high))
        })
        .collect()
}

fn as_json(metadata: &Metadata, vetted: Option<&Vetted>, chosen: &Chosen) -> serde_json::Value {
    let motions = &metadata.motions;
    let bounds: serde_json::Map<_, _> = extents(&motions.bounds)
        .into_iter()
        .map(|(axis, low, high)| (axis.to_string(), json!([low, high])))
        .collect();
    let stops: Vec<_> = metadata
        .stop_lines
        .iter()
        .flatten()
        .map(|stop| json!({ "line": stop.line, "stop": stop.stop.to_string() }))
        .collect();
    let notes: Vec<_> = metadata
        .diagnostics
        .as_slice()
        .iter()
        .map(ToString::to_string)
        .collect();
    json!({
        "dialect": chosen.dialect.name(),
        "lines": metadata.lines,
        "bytes": metadata.bytes,
        "empty_lines": metadata.empty_lines,
        "has_comments": metadata.has_comments,
        "has_sub_programs": metadata.has_sub_programs,
        "tool_changes": metadata.tool_changes,
        "coordinate_system_changes": metadata.coordinate_system_changes,
        "motions": motions.count,
        "rapids": motions.rapids,
        "arcs": motions.arcs,
        "cutting_mm": motions.cutting_mm,
        "rapid_mm": motions.rapid_mm,
        "extruded_mm": motions.extruded_mm,
        "programmed_s": motions.programmed_s(),
        "bounds_mm": bounds,
        "feed_mm_per_min": metadata.feed_mm_per_min.ends().map(|(low, high)| [low, high]),
        "spindle_speed": metadata.spindle_speed.ends().map(|(low, high)| [low, high]),
        "stops": stops,
        "chunks": vetted.map(|vetted| json!({
            "total": vetted.chunks.total_chunks(),
            "average_bytes": vetted.chunks.average_bytes(),
            "largest_bytes": vetted.chunks.largest_bytes(),
            "smallest_bytes": vetted.chunks.smallest_bytes(),
            "total_complexity": vetted.chunks.total_complexity(),
        })),
        "wire_lines": vetted.map(|vetted| vetted.wire_lines),
        "wire_bytes": vetted.map(|vetted| vetted.wire_bytes),
        "sendable": vetted.is_some(),
        "notes": notes,
    })
}
