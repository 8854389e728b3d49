//! Other texts of users: the settings beside a job's records, names of words, choices, and a file whose dialect is guessed.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use feedhold::guess::guess_bytes;
use feedhold::job::Settings;
use feedhold_stream_core::{
    dialect::Dialect,
    wire::{BlockDelete, LineNumbers, Pack, WordName},
};

use super::assert_shown;

pub(super) fn judge(data: &[u8]) {
    settings_laws(data);
    let guess = guess_bytes(data);
    assert_eq!(guess, guess_bytes(data));
    assert_eq!(guess.dialect == Dialect::Marlin, guess.sign.is_some());
    if let Some(sign) = guess.sign {
        let lines = data.split(|byte| matches!(byte, b'\n' | b'\r')).count() as u64;
        assert!((1..=lines).contains(&sign.line), "{sign}");
        assert_shown(&sign.to_string(), 60);
    }
    if let Ok(text) = str::from_utf8(data) {
        names_laws::<WordName>(text);
        names_laws::<Pack>(text);
        names_laws::<BlockDelete>(text);
        names_laws::<LineNumbers>(text);
        names_laws::<Dialect>(text);
    }
}

/// Settings are read as they were written, and what is read can be used or is refused with a reason.
fn settings_laws(data: &[u8]) {
    match Settings::from_json(data) {
        Ok(settings) => {
            let written = settings.to_json();
            assert_eq!(Settings::from_json(&written), Ok(settings.clone()));
            let (chain, streamer) = (settings.chain(), settings.streamer());
            for error in [chain.err(), streamer.err()].into_iter().flatten() {
                assert_shown(&error.to_string(), 400);
            }
        }
        Err(reason) => assert_shown(&reason, 4 * data.len() + 400),
    }
}

/// A name is printed as it can be typed.
fn names_laws<T>(text: &str)
where
    T: FromStr<Err: Display> + Display + PartialEq + Debug,
{
    match text.parse::<T>() {
        Ok(name) => {
            let again = name
                .to_string()
                .parse::<T>()
                .map_err(|error| error.to_string());
            assert_eq!(again, Ok(name));
        }
        // Every byte may have become an escape of several.
        Err(error) => assert_shown(&error.to_string(), 12 * text.len() + 200),
    }
}
