//! What is shown of a plan.

use feedhold::{
    resume::{Plan, Stopped},
    stream_core::resume::InDoubt,
};
use serde_json::json;

use crate::{args::ResumeArgs, out};

/// Names the lines in doubt, for programs; people see them in the plan or in the refusal.
pub(super) fn in_doubt(stopped: &Stopped, typed: &ResumeArgs) {
    if let Some(lines) = stopped.in_doubt().filter(|_| typed.screen.json) {
        out::json(&json!({
            "event": "in_doubt",
            "executed": stopped.executed(),
            "first": lines.first,
            "last": lines.last,
        }));
    }
}

pub(super) fn plan(plan: &Plan, typed: &ResumeArgs) {
    if typed.screen.json {
        let ends = |lines: Option<InDoubt>| lines.map(|lines| [lines.first, lines.last]);
        let approach: Vec<_> = plan
            .approach
            .iter()
            .map(|step| json!({ "line": step.line, "purpose": step.purpose }))
            .collect();
        out::json(&json!({
            "event": "plan",
            "done": plan.done,
            "seamless": plan.seamless,
            "repeats": ends(plan.repeats),
            "skips": ends(plan.skips),
            "approach": approach,
        }));
    } else if typed.plan || !typed.screen.quiet {
        out::line(format_args!("{}", plan.to_string().trim_end()));
    }
}
