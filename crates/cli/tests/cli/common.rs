//! The real program on files in a directory of its own.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use tempfile::{TempDir, tempdir};

/// The program under test.
pub(crate) fn feedhold(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_feedhold"));
    command
        .env("FEEDHOLD_STATE", state)
        .env_remove("NO_COLOR")
        .stdin(Stdio::null());
    command
}

/// A directory with files, and the state of the program beside them.
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempdir().expect("a directory"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("written");
        path
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = feedhold(&self.path("state"));
        command.current_dir(self.dir.path()).args(args);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran(self.command(args).output().expect("the program starts"))
    }

    /// Runs the program with somebody at the keyboard who types this.
    pub(crate) fn answer(&self, args: &[&str], typed: &str) -> Ran {
        let mut command = self.command(args);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut keyboard = child.stdin.take().expect("piped");
        // A program that asks nothing may be gone already.
        let _ = keyboard.write_all(typed.as_bytes());
        drop(keyboard);
        Ran(child.wait_with_output().expect("the program ends"))
    }

    /// Starts the program and waits for a line on its standard output that holds `sign`.
    pub(crate) fn start(&self, args: &[&str], sign: &str) -> Started {
        let mut command = self.command(args);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        while !line.contains(sign) {
            line.clear();
            let read = lines.read_line(&mut line).expect("text");
            assert!(
                read > 0,
                "the program ended without a line that holds {sign:?}"
            );
        }
        Started { child, lines, line }
    }
}

/// What a run left.
pub(crate) struct Ran(Output);

impl Ran {
    pub(crate) fn code(&self) -> i32 {
        self.0.status.code().unwrap_or(-1)
    }

    pub(crate) fn out(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// The exit code and the words.
    pub(crate) fn expect(&self, code: i32, words: &[&str]) {
        let said = format!("{}{}", self.out(), self.err());
        assert_eq!(self.code(), code, "{said}");
        for word in words {
            assert!(said.contains(word), "{word:?} is missing in: {said}");
        }
        assert!(!said.contains("panicked"), "{said}");
    }
}

/// A program that runs.
pub(crate) struct Started {
    pub(crate) child: Child,
    pub(crate) lines: BufReader<std::process::ChildStdout>,
    /// The line that was waited for.
    pub(crate) line: String,
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A zigzag of so many motions, so long that it takes a while.
pub(crate) fn zigzag(motions: u32) -> String {
    let mut text = "G21 G90 G94\nG0 Z5\nG0 X0 Y0\nF600\n".to_owned();
    for number in 0..motions {
        text.push_str(&format!(
            "G1 X{} Y{}.5 Z-1\n",
            if number % 2 == 0 { 100 } else { 0 },
            number % 90
        ));
    }
    text.push_str("G0 Z5\nM30\n");
    text
}
