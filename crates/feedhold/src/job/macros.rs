//! Lines that run in place of a program stop.

use std::path::Path;

use feedhold_session::StopAction;

use super::Settings;
use crate::Error;

/// Most bytes of a macro; longer programs are jobs.
const MAX_BYTES: u64 = 64 * 1024;

/// Reads a macro file and prepares its lines like those of a job.
///
/// # Errors
/// [`Error::Macro`] when it cannot be read, is longer than 64 KiB, holds nothing, or holds lines the controller cannot take.
pub fn read_macro(path: &Path, settings: &Settings) -> Result<StopAction, Error> {
    let failed = |reason: String| Error::Macro {
        path: path.to_owned(),
        reason,
    };
    let length = std::fs::metadata(path)
        .map_err(|error| failed(format!("{error}; check its name")))?
        .len();
    if length > MAX_BYTES {
        return Err(failed(format!(
            "{length} bytes are too many for a macro; {MAX_BYTES} is the most"
        )));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| failed(format!("{error}; write it as plain text")))?;
    let program = settings
        .chain()?
        .program(&text)
        .map_err(|refusals| failed(refusals.to_string()))?;
    let lines: Vec<_> = program
        .lines()
        .map(|line| String::from_utf8_lossy(line.text).into_owned())
        .collect();
    if lines.is_empty() {
        return Err(failed(
            "it holds no line for the machine; use `skip` to do nothing".to_owned(),
        ));
    }
    Ok(StopAction::Macro(lines))
}

#[cfg(test)]
mod tests {
    use super::*;
    use feedhold_stream_core::dialect::Dialect;

    #[test]
    fn a_macro_is_prepared_like_a_program() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("change.nc");
        let settings = Settings::new(Dialect::Grbl);
        for (text, want) in [
            ("G53 G0 Z0 (up)\n\nM5\n", Ok(vec!["G53G0Z0", "M5"])),
            ("( nothing )\n", Err("holds no line")),
            ("G64\n", Err("line 1, column 1: G64 is not supported")),
        ] {
            std::fs::write(&path, text).expect("written");
            match (read_macro(&path, &settings), want) {
                (Ok(StopAction::Macro(lines)), Ok(want)) => assert_eq!(lines, want),
                (Err(error), Err(want)) => assert!(error.to_string().contains(want), "{error}"),
                (got, want) => panic!("{text:?}: {got:?}, not {want:?}"),
            }
        }
        assert!(read_macro(&dir.path().join("none.nc"), &settings).is_err());
    }
}
