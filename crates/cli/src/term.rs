//! The terminal: one place through which everything on the screen goes, so that bars, notes and traces do not break each other.

use std::io::{self, IsTerminal, Write};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::out;

/// What stands on the screen.
#[derive(Debug, Clone)]
pub(crate) struct Terminal {
    bars: MultiProgress,
    colors: Colors,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colors {
    On,
    Off,
}

impl Terminal {
    /// Looks at the terminal, and traces every byte on the wire when asked to (`-v`).
    pub(crate) fn new(verbose: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let colors = if wanted && io::stderr().is_terminal() {
            Colors::On
        } else {
            Colors::Off
        };
        let terminal = Self {
            bars: MultiProgress::new(),
            colors,
        };
        if verbose {
            let filter = EnvFilter::new("warn,feedhold::wire=trace");
            let subscriber = tracing_subscriber::fmt()
                .with_env_filter(filter)
                .with_ansi(colors == Colors::On)
                .with_target(false)
                .with_writer(terminal.clone());
            // Nobody else sets one.
            let _ = subscriber.try_init();
        }
        terminal
    }

    /// Whether somebody sees a bar.
    pub(crate) fn is_seen(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Whether somebody is there to press keys.
    pub(crate) fn has_keys(&self) -> bool {
        io::stdin().is_terminal() && self.is_seen()
    }

    /// A bar of this template.
    pub(crate) fn bar(&self, length: u64, template: &str) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new(length));
        let plain;
        let template = if self.colors == Colors::On {
            template
        } else {
            plain = template.replace(".cyan/dim", "");
            &plain
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar
    }

    /// One line above the bars.
    pub(crate) fn note(&self, text: &str) {
        self.bars.suspend(|| out::note(format_args!("{text}")));
    }

    /// The same in a colour that stands out.
    pub(crate) fn warn(&self, text: &str) {
        match self.colors {
            Colors::On => self.note(&format!("\u{1b}[33m{text}\u{1b}[0m")),
            Colors::Off => self.note(text),
        }
    }
}

impl<'a> MakeWriter<'a> for Terminal {
    type Writer = Above<'a>;

    fn make_writer(&'a self) -> Above<'a> {
        Above(self)
    }
}

/// Writes above the bars.
pub(crate) struct Above<'a>(&'a Terminal);

impl Write for Above<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.bars.suspend(|| io::stderr().lock().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Single keys instead of lines, for as long as the value lives.
#[derive(Debug)]
pub(crate) struct SingleKeys(());

impl SingleKeys {
    pub(crate) fn enter() -> io::Result<Self> {
        crossterm::terminal::enable_raw_mode()?;
        let entered = Self(());
        keep_line_ends()?;
        Ok(entered)
    }
}

impl Drop for SingleKeys {
    fn drop(&mut self) {
        // The terminal may be gone; then nobody sees its mode.
        let _ = crossterm::terminal::disable_raw_mode();
    }
}

/// Raw mode also stops the terminal from returning to the left margin at a line end. That is switched on again.
#[cfg(unix)]
fn keep_line_ends() -> io::Result<()> {
    use rustix::termios::{OptionalActions, OutputModes, tcgetattr, tcsetattr};
    let stdin = rustix::stdio::stdin();
    let mut settings = tcgetattr(stdin)?;
    settings.output_modes |= OutputModes::OPOST;
    Ok(tcsetattr(stdin, OptionalActions::Now, &settings)?)
}

#[cfg(not(unix))]
fn keep_line_ends() -> io::Result<()> {
    Ok(())
}
