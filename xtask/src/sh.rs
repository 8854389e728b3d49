//! Running other programs.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result};

/// The cargo that runs this task.
pub(crate) fn cargo(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments);
    command
}

/// The command as one would type it.
pub(crate) fn typed(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    command.get_args().fold(program, |mut typed, argument| {
        typed.push(' ');
        typed.push_str(&argument.to_string_lossy());
        typed
    })
}

/// True when the program starts and ends well; its output is thrown away.
pub(crate) fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs the command with its output on ours; true when it ended well.
pub(crate) fn run(command: &mut Command) -> Result<bool> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", typed(command)))?;
    Ok(status.success())
}

/// Like [`run`], and shows every line of both outputs to `watch` besides printing it.
pub(crate) fn run_watched(
    command: &mut Command,
    mut watch: impl FnMut(&str) + Send,
) -> Result<bool> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env("CARGO_TERM_COLOR", "never")
        .spawn()
        .with_context(|| format!("cannot start {}", typed(command)))?;
    let out = child
        .stdout
        .take()
        .context("the child has no standard output")?;
    let err = child
        .stderr
        .take()
        .context("the child has no standard error")?;
    let (sender, lines) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        let other = sender.clone();
        scope.spawn(move || copy_lines(out, &sender));
        scope.spawn(move || copy_lines(err, &other));
        for line in lines {
            println!("{line}");
            watch(&line);
        }
    });
    Ok(child.wait()?.success())
}

fn copy_lines(from: impl Read, to: &std::sync::mpsc::Sender<String>) {
    for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
        if to
            .send(String::from_utf8_lossy(&line).into_owned())
            .is_err()
        {
            return;
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use super::{run_watched, typed};

    #[test]
    fn both_outputs_are_watched_and_the_end_is_told() {
        for (script, want, good) in [
            ("echo one; echo two >&2", vec!["one", "two"], true),
            ("printf 'no end'; exit 3", vec!["no end"], false),
            ("true", vec![], true),
        ] {
            let mut seen = Vec::new();
            let mut command = Command::new("sh");
            let ended_well = run_watched(command.args(["-c", script]), |line| {
                seen.push(line.to_owned())
            });
            seen.sort();
            assert_eq!(
                (seen, ended_well.unwrap()),
                (want.into_iter().map(str::to_owned).collect(), good),
                "{script}"
            );
        }
    }

    #[test]
    fn commands_are_shown_as_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        assert_eq!(typed(command.args(["test", "--doc"])), "cargo test --doc");
    }
}
