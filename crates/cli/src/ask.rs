//! Questions to the person at the terminal, before keys take over.

use std::io::{self, BufRead, Write};

use crate::term::Terminal;

/// Asks for a yes; everything else is a no. Without a terminal nobody says yes.
pub(crate) fn yes(terminal: &Terminal, question: &str) -> bool {
    if !terminal.has_keys() {
        return false;
    }
    let mut err = io::stderr().lock();
    let _ = write!(err, "{question} [y/N] ").and_then(|()| err.flush());
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes" | "Yes")
}
