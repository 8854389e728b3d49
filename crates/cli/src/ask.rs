//! Questions to the person at the terminal, before keys take over.

use std::{
    io::{self, BufRead, Write},
    thread,
};

use tokio::sync::oneshot;

/// Asks for a yes; everything else is a no.
pub(crate) async fn yes_soon(question: &str) -> bool {
    let answer = line_soon(&format!("{question} [y/N] ")).await;
    answer.is_some_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}

/// Asks for a line, while everything else goes on. `None` when nobody answers any more, or Ctrl-C was pressed.
pub(crate) async fn line_soon(question: &str) -> Option<String> {
    let mut err = io::stderr().lock();
    let _ = write!(err, "{question}").and_then(|()| err.flush());
    drop(err);
    let (answer, answered) = oneshot::channel();
    // A thread of its own: the end of the program does not wait for it.
    thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        // Whoever asked may have gone.
        let _ = answer.send(read.is_ok_and(|count| count > 0).then_some(line));
    });
    tokio::select! {
        line = answered => line.ok().flatten(),
        _ = tokio::signal::ctrl_c() => {
            let _ = writeln!(io::stderr());
            None
        }
    }
}
